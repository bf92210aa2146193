//! Straight pieces of an elementwise function with the values that it has in f32, and their bends and jumps in words.

use super::piecewise::{self, Piece};
use crate::network::onnx::expression::Expression;

/// A straight piece of the function.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub line: Piece,
    /// The largest rounding error of its values in f32.
    pub error: f64,
}

/// The straight pieces of `f` as it is in f32, neighbors on different lines.
pub(super) fn segments(f: &Expression) -> Result<Vec<Segment>, String> {
    let found = piecewise::pieces(f)?;
    let bends: Vec<f64> = found.iter().skip(1).map(|piece| piece.start).filter(|x| x.is_finite()).collect();
    let (first, last) = (bends.first().copied().unwrap_or(0.0), bends.last().copied().unwrap_or(0.0));
    // A piece shorter than this is the rounding of one bend to two.
    let shortest = 1e-6 * (last - first) / bends.len().max(1) as f64;
    let reach = 0.1 * (last - first) + 0.01 * first.abs().max(last.abs());
    let reach = if reach > 0.0 { reach } else { 1.0 };
    let mut segments: Vec<Segment> = Vec::with_capacity(found.len());
    for (i, piece) in found.iter().enumerate() {
        let is_last = i + 1 == found.len();
        let from = if i == 0 { first - reach } else { piece.start };
        let to = if is_last { last + reach } else { found[i + 1].start };
        if i > 0 && !is_last && to - from <= shortest {
            continue;
        }
        let segment = in_f32(f, piece, from, to)?;
        match segments.last() {
            Some(before) if same_line(before, &segment, from, to) => {}
            _ => segments.push(segment),
        }
    }
    Ok(segments)
}

/// `piece` between `from` and `to` with the values that `f` has there in f32.
fn in_f32(f: &Expression, piece: &Piece, from: f64, to: f64) -> Result<Segment, String> {
    let at = |share: f64| (from + share * (to - from)) as f32;
    let probes = [at(0.31), at(0.5), at(0.77)].map(|x| (x, f.at(x)));
    if probes.iter().any(|(_, y)| !y.value.is_finite()) {
        return Err("its values are not finite numbers".into());
    }
    let error = probes.iter().fold(0.0f64, |e, (_, y)| e.max(y.error));
    let fits = probes.iter().all(|&(x, y)| {
        let line = piece.at(f64::from(x));
        (f64::from(y.value) - line).abs() <= 4.0 * y.error + 1e-6 * line.abs() + f64::from(f32::MIN_POSITIVE)
    });
    let [(_, a), (_, b), (_, c)] = probes;
    if a.value == b.value && b.value == c.value && (piece.slope == 0.0 || !fits) {
        // In f32 a step may be one level from that of exact numbers.
        return Ok(Segment { line: Piece { slope: 0.0, offset: f64::from(b.value), ..*piece }, error });
    }
    match fits {
        true => Ok(Segment { line: *piece, error }),
        false => Err(format!("near {:.4} its values in 32 bits do not lie on one line", probes[1].0)),
    }
}

/// Whether `b`, between `from` and `to`, continues the line of `a`.
fn same_line(a: &Segment, b: &Segment, from: f64, to: f64) -> bool {
    let error = 4.0 * a.error.max(b.error);
    [from, to].iter().all(|&x| {
        let (u, v) = (a.line.at(x), b.line.at(x));
        (u - v).abs() <= error + 1e-7 * u.abs().max(v.abs())
    })
}

/// Whether `b` begins where `a` ends.
pub(super) fn is_continuous(a: &Segment, b: &Segment) -> bool {
    let x = b.line.start;
    let (u, v) = (a.line.at(x), b.line.at(x));
    let slope = a.line.slope.abs().max(b.line.slope.abs());
    (u - v).abs() <= 4.0 * a.error.max(b.error) + 1e-6 * (u.abs().max(v.abs()) + slope * x.abs())
}

/// The bends and jumps of a function in words: "a bend at -1, a jump at 0, a bend at 0.5 and 2 more".
pub(super) fn describe(all: &[Segment]) -> String {
    let at = |pair: &[Segment]| {
        let what = if is_continuous(&pair[0], &pair[1]) { "bend" } else { "jump" };
        format!("a {what} at {}", (pair[1].line.start * 1e6).round() / 1e6 + 0.0)
    };
    let shown: Vec<String> = all.windows(2).take(3).map(at).collect();
    let more = all.len().saturating_sub(4);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{rest}", shown.join(", "))
}
