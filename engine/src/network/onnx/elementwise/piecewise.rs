//! Exact pieces of an elementwise function: where it bends or jumps, and its straight line between.
//!
//! Every operation of an activation maps straight lines to straight lines, so the bends follow from the operations and no
//! range has to be guessed. Positions are computed in f64.

use crate::network::onnx::expression::{Binary, Expression, Unary};

/// A limit beyond this magnitude means "no limit": exporters write the largest f32 there.
const NO_LIMIT: f64 = 1e30;
/// A slope below this fraction of the steepest one is flat: constants of files are f32.
pub const FLAT: f64 = 1e-6;
/// Maximum number of pieces of a function.
const MAX_PIECES: usize = 1 << 17;

/// `slope·x + offset` from `start` to the start of the next piece.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    pub start: f64,
    pub slope: f64,
    pub offset: f64,
}

impl Piece {
    /// The value of the line at `x`.
    pub fn at(&self, x: f64) -> f64 {
        if self.slope == 0.0 { self.offset } else { self.slope * x + self.offset }
    }
}

/// The pieces of `f` between bounds that contain all its bends and jumps. Beyond them the first and last piece go on.
///
/// # Errors
/// The reason why `f` is not made of finitely many straight lines.
pub fn pieces(f: &Expression) -> Result<Vec<Piece>, String> {
    let everywhere = (f64::NEG_INFINITY, f64::INFINITY);
    let mut rough = Builder { domain: everywhere, widest_step: None };
    let coarse = rough.build(f)?;
    let Some(step) = rough.widest_step else { return Ok(coarse) };
    // With its steps smoothed, the function bends at these places, at most one step from the true ones.
    let bends: Vec<f64> = coarse.iter().skip(1).map(|piece| piece.start).collect();
    let (Some(first), Some(last)) = (bends.first(), bends.last()) else {
        return Err("its steps never end: no limit bounds them".into());
    };
    let margin = 3.0 * step + 0.05 * (last - first);
    let domain = (first - margin, last + margin);
    let steepest = coarse.iter().fold(0.0f64, |s, piece| s.max(piece.slope.abs()));
    let ends_flat = |piece: Option<&Piece>| piece.is_some_and(|piece| piece.slope.abs() <= FLAT * steepest);
    if !ends_flat(coarse.first()) || !ends_flat(coarse.last()) {
        return Err(
            "it has steps but is not constant at both ends: an integrate-and-fire neuron has a limited number of \
                    output levels"
                .into(),
        );
    }
    Builder { domain, widest_step: None }.build(f)
}

struct Builder {
    domain: (f64, f64),
    /// The widest step of a rounding operation, in units of x. On an infinite domain steps are smoothed.
    widest_step: Option<f64>,
}

impl Builder {
    fn build(&mut self, f: &Expression) -> Result<Vec<Piece>, String> {
        let line = |slope, offset| Ok(vec![Piece { start: self.domain.0, slope, offset }]);
        let pieces = match f {
            Expression::X => return line(1.0, 0.0),
            Expression::Constant(c) => return line(0.0, f64::from(*c as f32)),
            Expression::Unary(op, a) => {
                let a = self.build(a)?;
                match op {
                    Unary::Neg => map(&a, |p| Piece { slope: -p.slope, offset: -p.offset, ..p }),
                    Unary::Relu => {
                        self.split_at_zero(&a, |p, sign| if sign > 0.0 { p } else { constant(p.start, 0.0) })
                    }
                    Unary::Abs => {
                        self.split_at_zero(&a, |p, sign| Piece { slope: sign * p.slope, offset: sign * p.offset, ..p })
                    }
                    Unary::Sign => self.split_at_zero(&a, |p, sign| constant(p.start, sign)),
                    Unary::Floor | Unary::Ceil | Unary::Round => self.rounded(*op, a)?,
                }
            }
            Expression::Binary(op, a, b) => {
                let (a, b) = (self.build(a)?, self.build(b)?);
                match op {
                    Binary::Greater | Binary::GreaterOrEqual => {
                        let at_equality = f64::from(*op == Binary::GreaterOrEqual);
                        let truth = |sign: f64| if sign == 0.0 { at_equality } else { f64::from(sign > 0.0) };
                        let difference = self.combined(Binary::Sub, &a, &b)?;
                        self.split_at_zero(&difference, |p, sign| constant(p.start, truth(sign)))
                    }
                    _ => self.combined(*op, &a, &b)?,
                }
            }
        };
        if pieces.len() > MAX_PIECES {
            return Err(format!("it has more than {MAX_PIECES} bends"));
        }
        // Where pieces of exact numbers meet, those in f32 may differ by a step: with steps no bend is dropped.
        Ok(if self.domain.0.is_infinite() { joined(pieces) } else { pieces })
    }

    /// Splits every piece where its line crosses 0; `f` gets each part and the sign of its values (0 if they are 0).
    fn split_at_zero(&self, a: &[Piece], f: impl Fn(Piece, f64) -> Piece) -> Vec<Piece> {
        let mut out = Vec::with_capacity(a.len() + 2);
        for (i, &piece) in a.iter().enumerate() {
            let end = a.get(i + 1).map_or(self.domain.1, |next| next.start);
            let zero = -piece.offset / piece.slope;
            if piece.slope == 0.0 {
                let sign = if piece.offset == 0.0 { 0.0 } else { piece.offset.signum() };
                out.push(f(piece, sign));
            } else if zero > piece.start && zero < end && zero.abs() < NO_LIMIT {
                out.push(f(piece, -piece.slope.signum()));
                out.push(f(Piece { start: zero, ..piece }, piece.slope.signum()));
            } else {
                let before = zero >= end || zero >= NO_LIMIT;
                out.push(f(piece, if before { -piece.slope.signum() } else { piece.slope.signum() }));
            }
        }
        out
    }

    /// Floor, ceil or round of every piece: a step per integer, or the line itself on an infinite domain.
    fn rounded(&mut self, op: Unary, a: Vec<Piece>) -> Result<Vec<Piece>, String> {
        let steepness = a.iter().map(|p| p.slope.abs()).filter(|&s| s > 0.0).fold(f64::INFINITY, f64::min);
        let step = if steepness.is_finite() { 1.0 / steepness } else { 0.0 };
        self.widest_step = Some(self.widest_step.unwrap_or(0.0).max(step));
        let round = |v: f64| match op {
            Unary::Floor => v.floor(),
            Unary::Ceil => v.ceil(),
            _ => v.round_ties_even(),
        };
        // Steps are at the integers, for rounding in the middle between them.
        let phase = if op == Unary::Round { 0.5 } else { 0.0 };
        let mut out = Vec::new();
        for (i, &piece) in a.iter().enumerate() {
            if piece.slope == 0.0 {
                out.push(constant(piece.start, round(piece.offset)));
                continue;
            }
            if self.domain.0.is_infinite() {
                out.push(piece);
                continue;
            }
            let end = a.get(i + 1).map_or(self.domain.1, |next| next.start);
            let (from, to) = (piece.at(piece.start), piece.at(end));
            let (low, high) = (from.min(to), from.max(to));
            let first = (low - phase).ceil();
            let count = ((high - phase).floor() - first + 1.0).max(0.0);
            if count > MAX_PIECES as f64 {
                return Err(format!("it has more than {MAX_PIECES} steps"));
            }
            let place = |k: f64| ((first + k + phase - piece.offset) / piece.slope).clamp(piece.start, end);
            let mut starts: Vec<f64> = (0..count as usize).map(|k| place(k as f64)).collect();
            starts.sort_by(f64::total_cmp);
            starts.insert(0, piece.start);
            for (k, &start) in starts.iter().enumerate() {
                let next = starts.get(k + 1).copied().unwrap_or(end);
                if next > start {
                    out.push(constant(start, round(piece.at(0.5 * (start + next)))));
                }
            }
        }
        match out.is_empty() {
            true => Err("it has no values".into()),
            false => Ok(out),
        }
    }

    fn combined(&self, op: Binary, a: &[Piece], b: &[Piece]) -> Result<Vec<Piece>, String> {
        let mut out = Vec::with_capacity(a.len() + b.len());
        let (mut i, mut j) = (0, 0);
        loop {
            let (p, q) = (a[i], b[j]);
            let start = p.start.max(q.start);
            let next = |list: &[Piece], k: usize| list.get(k + 1).map_or(self.domain.1, |piece| piece.start);
            let (end_a, end_b) = (next(a, i), next(b, j));
            let end = end_a.min(end_b);
            let line = |slope, offset| Piece { start, slope, offset };
            match op {
                Binary::Add => out.push(line(sum(p.slope, q.slope), sum(p.offset, q.offset))),
                Binary::Sub => out.push(line(sum(p.slope, -q.slope), sum(p.offset, -q.offset))),
                Binary::Mul if p.slope == 0.0 => out.push(line(p.offset * q.slope, p.offset * q.offset)),
                Binary::Mul if q.slope == 0.0 => out.push(line(q.offset * p.slope, q.offset * p.offset)),
                Binary::Mul => return Err("it multiplies two functions of its input".into()),
                Binary::Div if q.slope == 0.0 && q.offset != 0.0 => {
                    out.push(line(p.slope / q.offset, p.offset / q.offset));
                }
                Binary::Div if q.slope == 0.0 => return Err("it divides by 0".into()),
                Binary::Div => return Err("it divides by a function of its input".into()),
                Binary::Greater | Binary::GreaterOrEqual => return Err("it compares two functions of its input".into()),
                Binary::Min | Binary::Max => {
                    let sign = if op == Binary::Max { 1.0 } else { -1.0 };
                    choose(&mut out, [p, q], start, end, sign);
                }
            }
            // Products with infinite limits have no value.
            if out.last().is_some_and(|piece| piece.slope.is_nan() || piece.offset.is_nan()) {
                return Err("its values are not finite numbers".into());
            }
            if i + 1 >= a.len() && j + 1 >= b.len() {
                return Ok(out);
            }
            i += usize::from(end_a <= end_b && i + 1 < a.len());
            j += usize::from(end_b <= end_a && j + 1 < b.len());
        }
    }
}

/// Adds the larger (`sign` 1) or smaller (`sign` −1) of two lines between `start` and `end`.
fn choose(out: &mut Vec<Piece>, [p, q]: [Piece; 2], start: f64, end: f64, sign: f64) {
    let (p, q) = (Piece { start, ..p }, Piece { start, ..q });
    let limit = |piece: &Piece| piece.slope == 0.0 && piece.offset.abs() >= NO_LIMIT;
    if limit(&p) || limit(&q) {
        let (constant, other) = if limit(&p) { (p, q) } else { (q, p) };
        out.push(if constant.offset * sign > 0.0 { constant } else { other });
        return;
    }
    let slope = p.slope - q.slope;
    let cross = -(p.offset - q.offset) / slope;
    // p is the larger one to the right of the crossing if its slope is larger.
    let (left, right) = if slope * sign > 0.0 { (q, p) } else { (p, q) };
    if slope == 0.0 {
        out.push(if (p.offset - q.offset) * sign >= 0.0 { p } else { q });
    } else if cross > start && cross < end && cross.abs() < NO_LIMIT {
        out.push(left);
        out.push(Piece { start: cross, ..right });
    } else {
        out.push(if cross >= end || cross >= NO_LIMIT { left } else { right });
    }
}

fn constant(start: f64, value: f64) -> Piece {
    Piece { start, slope: 0.0, offset: value }
}

/// `a + b`, 0 when they cancel up to the rounding of f64.
fn sum(a: f64, b: f64) -> f64 {
    let sum = a + b;
    if sum.abs() <= 4.0 * f64::EPSILON * a.abs().max(b.abs()) { 0.0 } else { sum }
}

fn map(a: &[Piece], f: impl Fn(Piece) -> Piece) -> Vec<Piece> {
    a.iter().map(|&piece| f(piece)).collect()
}

/// The pieces without neighbors on the same line.
fn joined(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        match out.last() {
            Some(last) if last.slope == piece.slope && last.offset == piece.offset => {}
            _ => out.push(piece),
        }
    }
    out
}
