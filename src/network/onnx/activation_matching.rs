//! Activation matching: recognizes ReLU, clip(0, λ) and QCFS from the values of a scalar function.
//!
//! Identities and affine functions are recognized too. Probing the values makes the result independent of the operators
//! an exporter writes.

use super::expression::Expression;
use crate::network::Activation;

/// A matched function: an affine map `(slope, offset)` before the activation, the activation, an affine map after it.
/// Without an activation only `before` applies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MatchedActivation {
    pub before: (f64, f64),
    pub activation: Option<Activation>,
    pub after: (f64, f64),
}

const IDENTITY: (f64, f64) = (1.0, 0.0);

/// Relative tolerance of a probe: constants in files are f32.
const TOLERANCE: f64 = 1e-5;

/// Matches `f` with an affine function, ReLU, clip or QCFS.
///
/// # Errors
/// The reason why `f` is none of them.
pub fn match_activation(f: &Expression) -> Result<MatchedActivation, String> {
    if let Some(before) = match_affine(f) {
        return Ok(MatchedActivation { before, activation: None, after: IDENTITY });
    }
    let far = 1e4 * (1.0 + f.scale());
    let (low, low2) = (f.at(-far), f.at(-2.0 * far));
    let (high, high2) = (f.at(far), f.at(2.0 * far));
    if ![low, low2, high, high2].iter().all(|v| v.is_finite()) {
        return Err("its values are not finite numbers".into());
    }
    let scale = 1.0 + low.abs().max(f.scale());
    if (low - low2).abs() > TOLERANCE * scale {
        return Err("it is not constant for negative input, unlike ReLU, clip and QCFS".into());
    }
    if (high - high2).abs() > TOLERANCE * (1.0 + high.abs().max(f.scale())) {
        return match_relu(f, low, far);
    }
    match_saturating(f, low, high, far)
}

/// Slope and offset, if `f` is affine.
fn match_affine(f: &Expression) -> Option<(f64, f64)> {
    let offset = f.at(0.0);
    let slope = f.at(1.0) - offset;
    let reach = 1.0 + f.scale();
    let straight = probe_points(reach).all(|x| {
        let want = offset + slope * x;
        (f.at(x) - want).abs() <= TOLERANCE * (1e-9 + want.abs().max(offset.abs()).max((slope * x).abs()))
    });
    straight.then_some((slope, offset))
}

/// Matches a ReLU: `low` to the left of a knee, a straight line to the right of it.
fn match_relu(f: &Expression, low: f64, far: f64) -> Result<MatchedActivation, String> {
    let slope = (f.at(2.0 * far) - f.at(far)) / far;
    let knee = far - (f.at(far) - low) / slope;
    let knee = if knee.abs() < 1e-10 * far { 0.0 } else { knee };
    let model = |x: f64| low + slope * (x - knee).max(0.0);
    let wrong = probe_points(4.0 * (1.0 + f.scale()))
        .find(|&x| (f.at(x) - model(x)).abs() > 1e-4 * (slope.abs() + model(x).abs()));
    if let Some(x) = wrong {
        return Err(format!(
            "it is not a ReLU: at {x:.4} it gives {:.4}, a ReLU with the same ends {:.4}",
            f.at(x),
            model(x)
        ));
    }
    Ok(MatchedActivation { before: (1.0, -knee), activation: Some(Activation::Relu), after: (slope, low) })
}

/// Matches a function that is constant at both ends: a clip or a staircase.
fn match_saturating(f: &Expression, low: f64, high: f64, far: f64) -> Result<MatchedActivation, String> {
    let range = high - low;
    if range <= 0.0 {
        return Err("it decreases, but the output of spiking neurons only increases".into());
    }
    // Where it leaves its minimum and reaches its maximum.
    let first = boundary(f, -far, far, |v| v > low + 1e-9 * range);
    let last = boundary(f, -far, far, |v| v >= high - 1e-9 * range);
    let just_after = f.at(first + 1e-7 * (last - first).max(range * 1e-3));
    let jump = (just_after - low) / range;
    if jump < 1e-3 {
        return match_clip(f, low, range, first, last);
    }
    let levels = (1.0 / jump).round();
    if (1.0 / jump - levels).abs() > 1e-2 * levels || !(1.0..=65536.0).contains(&levels) {
        return Err(format!("its steps differ in height: the first is {jump:.5} of the range"));
    }
    // Jumps are at λ(k − shift)/L, k = 1..L, in units of the function's input.
    let width = if levels > 1.0 { (last - first) / (levels - 1.0) } else { range };
    let lambda = width * levels;
    let shift = 1.0 - first / width;
    let staircase = |x: f64| low + range * ((x / width + shift).floor() / levels).clamp(0.0, 1.0);
    let off_jump = |x: &f64| {
        let phase = (x / width + shift).rem_euclid(1.0);
        phase > 1e-4 && phase < 1.0 - 1e-4
    };
    let reach = lambda.abs().max(last.abs());
    let middles = (0..=levels as usize).map(|k| (k as f64 + 0.5 - shift) * width);
    let wrong = middles
        .chain(probe_points(1.5 * reach))
        .filter(off_jump)
        .find(|&x| (f.at(x) - staircase(x)).abs() > 1e-4 * range);
    if let Some(x) = wrong {
        return Err(format!(
            "it is not a uniform staircase: at {x:.4} it gives {:.4}, not {:.4}",
            f.at(x),
            staircase(x)
        ));
    }
    let (before_offset, shift) = if (-1e-4..=1.0 + 1e-4).contains(&shift) {
        (0.0, if (shift - 0.5).abs() < 1e-4 { 0.5 } else { shift.clamp(0.0, 1.0) })
    } else {
        // A staircase with another start is a shift of the input.
        ((shift - 0.5) * width, 0.5)
    };
    let activation = Activation::Qcfs { lambda: lambda as f32, levels: levels as u32, shift: shift as f32 };
    Ok(MatchedActivation {
        before: (1.0, before_offset),
        activation: Some(activation),
        after: rounded_slope(range / lambda, low),
    })
}

fn match_clip(f: &Expression, low: f64, range: f64, first: f64, last: f64) -> Result<MatchedActivation, String> {
    let lambda = last - first;
    let ramp = |x: f64| low + range * ((x - first) / lambda).clamp(0.0, 1.0);
    let reach = 1.5 * lambda + first.abs();
    if let Some(x) = probe_points(reach).find(|&x| (f.at(x) - ramp(x)).abs() > 1e-3 * range) {
        return Err(format!("it is not a clip: at {x:.4} it gives {:.4}, a linear ramp {:.4}", f.at(x), ramp(x)));
    }
    let offset = if first.abs() < 1e-5 * lambda { 0.0 } else { -first };
    let activation = Some(Activation::Clip { lambda: lambda as f32 });
    Ok(MatchedActivation { before: (1.0, offset), activation, after: rounded_slope(range / lambda, low) })
}

/// Rounds a slope within the tolerance of 1 to 1.
fn rounded_slope(slope: f64, offset: f64) -> (f64, f64) {
    (if (slope - 1.0).abs() < TOLERANCE { 1.0 } else { slope }, offset)
}

/// The smallest x between `low` and `high` from which `test` holds, by bisection.
fn boundary(f: &Expression, mut low: f64, mut high: f64, test: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if test(f.at(middle)) { high = middle } else { low = middle }
    }
    high
}

/// Points in ±reach without a regular spacing, so that no period of a staircase is missed.
fn probe_points(reach: f64) -> impl Iterator<Item = f64> {
    // Fractional parts of multiples of the golden ratio are evenly spread and never repeat.
    (1..400).map(move |k| ((f64::from(k) * 0.618_033_988_749_894_9).fract() * 2.0 - 1.0) * reach)
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::super::expression::Binary::*;
    use super::super::expression::Unary::*;
    use super::*;

    type E = Expression;
    fn c(v: f32) -> Rc<E> {
        Rc::new(E::Constant(f64::from(v)))
    }
    fn b(op: super::super::expression::Binary, a: Rc<E>, b: Rc<E>) -> Rc<E> {
        Rc::new(E::Binary(op, a, b))
    }
    fn u(op: super::super::expression::Unary, a: Rc<E>) -> Rc<E> {
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
        assert_eq!(found, MatchedActivation { before: IDENTITY, activation: Some(Activation::Relu), after: IDENTITY });
        let Some(Activation::Clip { lambda }) = match_activation(&clamp(x(), 0.0, 6.0)).unwrap().activation else {
            panic!()
        };
        assert!((lambda - 6.0).abs() < 1e-4);
        let affine = match_activation(&b(Div, b(Sub, x(), c(0.1307)), c(0.3081))).unwrap();
        assert!(affine.activation.is_none() && (affine.before.0 - 1.0 / 0.3081).abs() < 1e-4);
        let scaled = match_activation(&b(Mul, u(Relu, b(Sub, x(), c(0.5))), c(3.0))).unwrap();
        assert!((scaled.before.1 + 0.5).abs() < 1e-6 && (scaled.after.0 - 3.0).abs() < 1e-6);
        // |x|, a leaky ReLU, a ramp with a bend, a decreasing step
        assert!(match_activation(&u(Abs, x())).is_err());
        assert!(match_activation(&b(Max, x(), b(Mul, x(), c(0.01)))).is_err());
        assert!(match_activation(&b(Add, clamp(x(), 0.0, 1.0), clamp(x(), 0.0, 3.0))).is_err());
        assert!(match_activation(&clamp(u(Neg, x()), 0.0, 1.0)).is_err());
        assert!(match_activation(&b(Div, u(Floor, b(Mul, b(Mul, x(), x()), c(4.0))), c(4.0))).is_err());
    }
}
