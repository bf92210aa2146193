//! Elementwise operators of several inputs that are broadcast: arithmetic, comparisons, selection.

use super::data_type::DataType;
use super::index::{View, broadcast};
use super::operator::{Built, Operator, Site};

/// A function of as many numbers as there are inputs.
type Function = Box<dyn Fn(&[f64]) -> f64 + Send + Sync>;

/// Inputs for which no list is allocated.
const FEW: usize = 4;

/// An operator that broadcasts its inputs; `None` for other operators.
pub fn broadcasting(site: &Site) -> Option<Built> {
    let boolean = |holds: bool| f64::from(u8::from(holds));
    let pair = |f: fn(f64, f64) -> f64| -> Function { Box::new(move |x| f(x[0], x[1])) };
    let test = |f: fn(f64, f64) -> bool| -> Function { Box::new(move |x| boolean(f(x[0], x[1]))) };
    let truth = |f: fn(bool, bool) -> bool| -> Function { Box::new(move |x| boolean(f(x[0] != 0.0, x[1] != 0.0))) };
    let is_integer = site.optional(0).is_some_and(|kind| !kind.data_type.is_float());
    let (arity, function): (Option<usize>, Function) = match site.node.op_type.as_str() {
        "Add" => (Some(2), pair(|a, b| a + b)),
        "Sub" => (Some(2), pair(|a, b| a - b)),
        "Mul" => (Some(2), pair(|a, b| a * b)),
        "Div" if is_integer => (Some(2), pair(divide_integers)),
        "Div" => (Some(2), pair(|a, b| a / b)),
        "Pow" => (Some(2), pair(f64::powf)),
        "PRelu" => (Some(2), pair(|x, slope| if x < 0.0 { slope * x } else { x })),
        "Mod" => (Some(2), pair(remainder(site, is_integer))),
        "Equal" => (Some(2), test(|a, b| a == b)),
        "Less" => (Some(2), test(|a, b| a < b)),
        "Greater" => (Some(2), test(|a, b| a > b)),
        "LessOrEqual" => (Some(2), test(|a, b| a <= b)),
        "GreaterOrEqual" => (Some(2), test(|a, b| a >= b)),
        "And" => (Some(2), truth(|a, b| a && b)),
        "Or" => (Some(2), truth(|a, b| a || b)),
        "Xor" => (Some(2), truth(|a, b| a != b)),
        "Where" => (Some(3), Box::new(|x| if x[0] != 0.0 { x[1] } else { x[2] })),
        "Sum" => (None, Box::new(|x| x.iter().sum())),
        "Mean" => (None, Box::new(|x| x.iter().sum::<f64>() / x.len() as f64)),
        "Max" => (None, Box::new(|x| x.iter().copied().fold(f64::NEG_INFINITY, larger))),
        "Min" => (None, Box::new(|x| x.iter().copied().fold(f64::INFINITY, smaller))),
        _ => return None,
    };
    Some(build(site, arity, function))
}

fn build(site: &Site, arity: Option<usize>, function: Function) -> Built {
    let inputs = site.count();
    if inputs == 0 || arity.is_some_and(|arity| arity != inputs) {
        return Err(format!("it has {inputs} inputs"));
    }
    let shapes = (0..inputs).map(|k| site.shape(k)).collect::<Result<Vec<_>, String>>()?;
    // The slope of a PRelu is broadcast to the input, never the other way round.
    let is_prelu = site.node.op_type == "PRelu";
    let shape = if is_prelu { shapes[0].to_vec() } else { broadcast(&shapes)? };
    let views = shapes.iter().map(|from| View::broadcast(from, &shape)).collect::<Result<Vec<_>, String>>()?;
    let data_type = match site.node.op_type.as_str() {
        "Equal" | "Less" | "Greater" | "LessOrEqual" | "GreaterOrEqual" | "And" | "Or" | "Xor" => DataType::Bool,
        "Where" => site.data_type(1)?,
        _ => site.data_type(0)?,
    };
    Operator::one(data_type, shape, move |index, fetch| {
        let read = |k: usize| fetch.input(k, views[k].index(index));
        if views.len() <= FEW {
            let mut numbers = [0.0; FEW];
            numbers.iter_mut().enumerate().take(views.len()).for_each(|(k, number)| *number = read(k));
            return function(&numbers[..views.len()]);
        }
        function(&(0..views.len()).map(read).collect::<Vec<f64>>())
    })
}

/// The function of `Mod`: the sign of the divisor or, with `fmod`, that of the dividend.
fn remainder(site: &Site, is_integer: bool) -> fn(f64, f64) -> f64 {
    match (site.flag("fmod", false), is_integer) {
        (true, _) => |a, b| a % b,
        (false, true) => |a, b| if b == 0.0 { 0.0 } else { floor_modulo(a, b) },
        (false, false) => floor_modulo,
    }
}

fn floor_modulo(a: f64, b: f64) -> f64 {
    let rest = a % b;
    if rest == 0.0 {
        return rest.copysign(b);
    }
    if (rest < 0.0) != (b < 0.0) { rest + b } else { rest }
}

/// The quotient without its fraction; 0 for a divisor of 0, for which the standard defines nothing.
fn divide_integers(a: f64, b: f64) -> f64 {
    (a as i128).checked_div(b as i128).unwrap_or(0) as f64
}

fn larger(a: f64, b: f64) -> f64 {
    if a.is_nan() || a > b { a } else { b }
}

fn smaller(a: f64, b: f64) -> f64 {
    if a.is_nan() || a < b { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_divide_toward_zero_and_nan_wins() {
        assert_eq!(divide_integers(-7.0, 2.0), -3.0);
        assert_eq!(divide_integers(i64::MAX as f64, 1.0), i64::MAX as f64);
        assert_eq!(divide_integers(1.0, 0.0), 0.0);
        assert!(larger(f64::NAN, 1.0).is_nan() && larger(1.0, f64::NAN).is_nan());
        assert!(smaller(f64::NAN, 1.0).is_nan() && smaller(1.0, f64::NAN).is_nan());
    }
}
