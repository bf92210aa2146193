//! Matching of elementwise functions with ReLU, clip and QCFS by where they bend.
//!
//! The bends follow from the operations ([`super::piecewise`]); on every piece the function is computed in f32, as the file
//! means it. The operators that an exporter chose do not matter.

use super::piecewise::FLAT;
use super::segments::{Segment, describe, is_continuous, segments};
use crate::network::Activation;
use crate::network::onnx::expression::Expression;

/// A matched function: an affine map `(slope, offset)` before the activation, the activation, an affine map after it.
/// Without an activation only `before` applies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MatchedActivation {
    pub before: (f64, f64),
    pub activation: Option<Activation>,
    pub after: (f64, f64),
    /// A round number on a step where the function has another value than the activation, as of `>` instead of `>=`.
    pub tie: Option<f64>,
}

const IDENTITY: (f64, f64) = (1.0, 0.0);
/// Relative difference that the rounding of a file's f32 constants explains.
const ROUNDING: f64 = 2e-6;

/// Matches `f` with an affine function, ReLU, clip or QCFS.
///
/// # Errors
/// The reason why `f` is none of them.
pub fn match_activation(f: &Expression) -> Result<MatchedActivation, String> {
    let segments = segments(f)?;
    let matched = match_pieces(&segments)?;
    // Other single values are never met, but 0 often is.
    if differs(f, &matched, 0.0) {
        let (due, found) = (f.at(0.0).value, matched.at(0.0));
        return Err(format!("at 0 itself its value is {due}, but {found} right beside it"));
    }
    let tie =
        segments.iter().skip(1).map(|segment| segment.line.start).find(|&x| is_round(x) && differs(f, &matched, x));
    Ok(MatchedActivation { tie, ..matched })
}

/// Whether inputs often have the value `x`: whole numbers and common fractions.
fn is_round(x: f64) -> bool {
    x.abs() < 8192.0 && (x * 1024.0).fract() == 0.0
}

/// Whether `f` and `matched` have different values at `x`.
fn differs(f: &Expression, matched: &MatchedActivation, x: f64) -> bool {
    let (due, found) = (f.at(x as f32), matched.at(x));
    let scale = f64::from(due.value.abs()).max(found.abs());
    (f64::from(due.value) - found).abs() > 4.0 * due.error + 1e-5 * scale + f64::from(f32::MIN_POSITIVE)
}

impl MatchedActivation {
    /// The value at `x`.
    fn at(&self, x: f64) -> f64 {
        let inner = self.before.0 * x + self.before.1;
        match self.activation {
            Some(activation) => self.after.0 * f64::from(activation.apply(inner as f32)) + self.after.1,
            None => inner,
        }
    }
}

fn match_pieces(segments: &[Segment]) -> Result<MatchedActivation, String> {
    let steepest = segments.iter().fold(0.0f64, |s, segment| s.max(segment.line.slope.abs()));
    let flat = |segment: &Segment| segment.line.slope.abs() <= FLAT * steepest;
    match segments {
        [only] => {
            let before = (only.line.slope, only.line.offset);
            Ok(MatchedActivation { before, activation: None, after: IDENTITY, tie: None })
        }
        all if steepest == 0.0 => match_staircase(all),
        [left, right] if is_continuous(left, right) && flat(left) => {
            let (knee, low) = (right.line.start, left.line.offset);
            Ok(relu((1.0, -knee), (right.line.slope, low)))
        }
        [left, right] if is_continuous(left, right) && flat(right) => {
            let (knee, low) = (right.line.start, right.line.offset);
            Ok(relu((-1.0, knee), (-left.line.slope, low)))
        }
        [left, middle, right]
            if flat(left) && flat(right) && is_continuous(left, middle) && is_continuous(middle, right) =>
        {
            let (first, last, slope) = (middle.line.start, right.line.start, middle.line.slope);
            let before = if slope > 0.0 { (1.0, zero_near(-first, last - first)) } else { (-1.0, last) };
            let low = if slope > 0.0 { left.line.offset } else { right.line.offset };
            let activation = Some(Activation::Clip { lambda: (last - first) as f32 });
            Ok(MatchedActivation { before, activation, after: (rounded_slope(slope.abs()), low), tie: None })
        }
        [first, ..] if !flat(first) => Err("it is not constant for negative input, unlike ReLU, clip and QCFS".into()),
        all => Err(format!("it has {} straight pieces, with {}", all.len(), describe(all))),
    }
}

fn relu(before: (f64, f64), after: (f64, f64)) -> MatchedActivation {
    let after = (rounded_slope(after.0), after.1);
    MatchedActivation { before, activation: Some(Activation::Relu), after, tie: None }
}

/// Matches a function of constant pieces with QCFS: equal steps at equal distances.
fn match_staircase(all: &[Segment]) -> Result<MatchedActivation, String> {
    let (Some(left), Some(right), levels) = (all.first(), all.last(), all.len() - 1) else {
        return Err("it has no values".into());
    };
    if levels > 65_536 {
        return Err(format!("it has {levels} steps; up to 65536 are supported"));
    }
    let falls = right.line.offset < left.line.offset;
    let (low, high) = if falls { (right.line.offset, left.line.offset) } else { (left.line.offset, right.line.offset) };
    let (range, count) = (high - low, levels as f64);
    // A falling staircase is a rising one of −x.
    let values: Vec<f64> = all.iter().map(|s| s.line.offset).collect();
    let jumps: Vec<f64> = all.iter().skip(1).map(|s| s.line.start).collect();
    let (values, jumps): (Vec<f64>, Vec<f64>) = match falls {
        true => (values.into_iter().rev().collect(), jumps.into_iter().rev().map(|x| -x).collect()),
        false => (values, jumps),
    };
    let width = if levels > 1 { (jumps[levels - 1] - jumps[0]) / (count - 1.0) } else { range };
    for k in 0..levels {
        let height = (values[k + 1] - values[k]) / range * count;
        if (height - 1.0).abs() > 1e-3 + ROUNDING * count {
            return Err(format!("its steps differ in height: step {} is {height:.4} of their mean", k + 1));
        }
        let expected = jumps[0] + k as f64 * width;
        if (jumps[k] - expected).abs() > width * (1e-3 + ROUNDING * count) {
            let distance = (jumps[k] - jumps[0]) / (k as f64 * width);
            return Err(format!("its steps differ in width: step {} is at {distance:.4} of its place", k + 1));
        }
    }
    // Jumps are at λ(k − shift)/L, k = 1..L, in units of the function's input.
    let shift = 1.0 - jumps[0] / width;
    let tolerance = 1e-5 + ROUNDING * count;
    let (offset, shift) = match shift {
        s if (s - 0.5).abs() < tolerance => (0.0, 0.5),
        s if s.abs() < tolerance => (0.0, 0.0),
        s if (0.0..=1.0).contains(&s) => (0.0, s),
        // A staircase with another start is a shift of the input.
        s => ((s - 0.5) * width, 0.5),
    };
    let slope = rounded_slope(range / (width * count));
    // With a slope of 1 the highest level is λ itself, without the rounding of positions.
    let lambda = if slope == 1.0 { range } else { width * count };
    let activation = Activation::Qcfs { lambda: lambda as f32, levels: levels as u32, shift: shift as f32 };
    Ok(MatchedActivation {
        before: (if falls { -1.0 } else { 1.0 }, offset),
        activation: Some(activation),
        after: (slope, low),
        tie: None,
    })
}

/// Rounds a slope to 1 if the rounding of constants explains the difference.
fn rounded_slope(slope: f64) -> f64 {
    if (slope - 1.0).abs() < ROUNDING { 1.0 } else { slope }
}

/// `x`, or 0 if it is nothing beside `scale`.
fn zero_near(x: f64, scale: f64) -> f64 {
    if x.abs() < 1e-7 * scale { 0.0 } else { x }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::network::onnx::expression::Binary::*;
    use crate::network::onnx::expression::Unary::*;

    type E = Expression;
    fn c(v: f32) -> Rc<E> {
        Rc::new(E::Constant(f64::from(v)))
    }
    fn b(op: crate::network::onnx::expression::Binary, a: Rc<E>, b: Rc<E>) -> Rc<E> {
        Rc::new(E::Binary(op, a, b))
    }
    fn u(op: crate::network::onnx::expression::Unary, a: Rc<E>) -> Rc<E> {
        Rc::new(E::Unary(op, a))
    }
    fn clamp(a: Rc<E>, low: f32, high: f32) -> Rc<E> {
        b(Min, b(Max, a, c(low)), c(high))
    }
    fn x() -> Rc<E> {
        Rc::new(E::X)
    }
    fn ste(a: Rc<E>) -> Rc<E> {
        b(Add, b(Sub, u(Floor, a.clone()), a.clone()), a)
    }

    #[test]
    fn steps_whose_own_input_gets_another_level_are_told() {
        let quantized = |op| b(Div, u(op, b(Mul, clamp(x(), 0.0, 1.0), c(4.0))), c(4.0));
        let half_up = b(Div, u(Floor, b(Add, b(Mul, clamp(x(), 0.0, 1.0), c(4.0)), c(0.5))), c(4.0));
        for (f, tie) in [
            (b(Greater, x(), c(128.0)), Some(128.0)),
            (b(GreaterOrEqual, x(), c(128.0)), None),
            (b(Sub, c(1.0), b(GreaterOrEqual, c(0.5), x())), Some(0.5)),
            (quantized(Round), Some(0.125)),
            (half_up, None),
            (b(Greater, x(), c(0.3)), None),
        ] {
            assert_eq!(match_activation(&f).unwrap().tie, tie, "{f:?}");
        }
    }

    #[test]
    fn every_export_form_of_qcfs_is_matched() {
        for (lambda, l) in
            [(3.675_348_f32, 4.0_f32), (2.4875, 8.0), (0.731, 16.0), (100.0, 3.0), (1.0, 1.0), (0.02, 32.0)]
        {
            let spellings = [
                // floor(x/λ·L + ½)/L, clamped, times λ
                b(
                    Mul,
                    clamp(b(Div, u(Floor, b(Add, b(Mul, b(Div, x(), c(lambda)), c(l)), c(0.5))), c(l)), 0.0, 1.0),
                    c(lambda),
                ),
                // clamp first
                b(
                    Mul,
                    b(Div, u(Floor, b(Add, b(Mul, clamp(b(Div, x(), c(lambda)), 0.0, 1.0), c(l)), c(0.5))), c(l)),
                    c(lambda),
                ),
                // straight-through floor
                b(
                    Mul,
                    b(Div, ste(b(Add, b(Mul, clamp(b(Div, x(), c(lambda)), 0.0, 1.0), c(l)), c(0.5))), c(l)),
                    c(lambda),
                ),
                // one multiplication, clamped in levels
                b(Mul, clamp(u(Floor, b(Add, b(Mul, x(), c(l / lambda)), c(0.5))), 0.0, l), c(lambda / l)),
                // ReLU and min
                b(
                    Mul,
                    b(
                        Min,
                        u(Relu, b(Div, u(Floor, b(Add, b(Mul, b(Div, x(), c(lambda)), c(l)), c(0.5))), c(l))),
                        c(1.0),
                    ),
                    c(lambda),
                ),
                // clip in activation units
                b(
                    Mul,
                    b(Div, u(Floor, b(Add, b(Div, b(Mul, clamp(x(), 0.0, lambda), c(l)), c(lambda)), c(0.5))), c(l)),
                    c(lambda),
                ),
                // operands swapped
                b(
                    Mul,
                    c(lambda),
                    clamp(
                        b(Mul, c(1.0 / l), u(Floor, b(Add, c(0.5), b(Mul, c(l), b(Mul, x(), c(1.0 / lambda)))))),
                        0.0,
                        1.0,
                    ),
                ),
            ];
            for (k, f) in spellings.iter().enumerate() {
                let found = match_activation(f).unwrap_or_else(|e| panic!("spelling {k}, λ {lambda}, L {l}: {e}"));
                let Some(Activation::Qcfs { lambda: ours, levels, shift }) = found.activation else {
                    panic!("{k}: {found:?}")
                };
                assert!((ours - lambda).abs() < 1e-5 * lambda && levels as f32 == l && shift == 0.5, "{k}: {found:?}");
                assert_eq!((found.before, found.after), (IDENTITY, IDENTITY), "{k}");
            }
        }
    }

    #[test]
    fn other_functions_are_matched_or_refused() {
        let found = match_activation(&u(Relu, x())).unwrap();
        assert_eq!(
            found,
            MatchedActivation { before: IDENTITY, activation: Some(Activation::Relu), after: IDENTITY, tie: None }
        );
        let Some(Activation::Clip { lambda }) = match_activation(&clamp(x(), 0.0, 6.0)).unwrap().activation else {
            panic!()
        };
        assert!((lambda - 6.0).abs() < 1e-4);
        let affine = match_activation(&b(Div, b(Sub, x(), c(0.1307)), c(0.3081))).unwrap();
        assert!(affine.activation.is_none() && (affine.before.0 - 1.0 / 0.3081).abs() < 1e-4);
        let scaled = match_activation(&b(Mul, u(Relu, b(Sub, x(), c(0.5))), c(3.0))).unwrap();
        assert!((scaled.before.1 + 0.5).abs() < 1e-6 && (scaled.after.0 - 3.0).abs() < 1e-6);
        // Falling functions are rising ones of −x.
        let falling = match_activation(&clamp(u(Neg, x()), 0.0, 1.0)).unwrap();
        assert_eq!((falling.before, falling.activation), ((-1.0, 0.0), Some(Activation::Clip { lambda: 1.0 })));
        let falling = match_activation(&u(Relu, b(Sub, c(1.0), x()))).unwrap();
        assert_eq!((falling.before, falling.activation), ((-1.0, 1.0), Some(Activation::Relu)));
        // A bend far beyond the constants, and limits that mean none
        let hard = match_activation(&clamp(b(Add, b(Mul, x(), c(1.0 / 6.0)), c(0.5)), 0.0, 1.0)).unwrap();
        let Some(Activation::Clip { lambda }) = hard.activation else { panic!("{hard:?}") };
        assert!((lambda - 6.0).abs() < 1e-5 && (hard.before.1 - 3.0).abs() < 1e-6, "{hard:?}");
        let open = match_activation(&clamp(x(), 0.0, f32::MAX)).unwrap();
        assert_eq!(open.activation, Some(Activation::Relu));
        assert!(match_activation(&clamp(x(), f32::MIN, f32::MAX)).unwrap().activation.is_none());
        // In 32 bits 8/λ·λ is 8, not 7.9999998: the highest level is reached.
        let lambda = 17.852_278_f32;
        let steps =
            match_activation(&b(Mul, u(Floor, b(Mul, clamp(x(), 0.0, lambda), c(8.0 / lambda))), c(lambda / 8.0)));
        let Some(Activation::Qcfs { levels: 8, shift: 0.0, .. }) = steps.clone().unwrap().activation else {
            panic!("{steps:?}")
        };
        // A step at 0 that 0 itself does not take
        assert!(match_activation(&u(Sign, x())).unwrap_err().contains("at 0 itself"));
        assert!(match_activation(&clamp(u(Ceil, x()), 0.0, 4.0)).is_err());
        assert!(match_activation(&clamp(u(Round, x()), 0.0, 4.0)).is_ok());
        // |x|, a leaky ReLU, a ramp with a bend, steps of squares
        assert!(match_activation(&u(Abs, x())).is_err());
        assert!(match_activation(&b(Max, x(), b(Mul, x(), c(0.01)))).is_err());
        assert!(match_activation(&b(Add, clamp(x(), 0.0, 1.0), clamp(x(), 0.0, 3.0))).is_err());
        assert!(match_activation(&b(Div, u(Floor, b(Mul, b(Mul, x(), x()), c(4.0))), c(4.0))).is_err());
    }
}
