//! Elementwise operators of one input: arithmetic, activations, casts.

use super::data_type::DataType;
use super::operator::{Built, Kind, Operator, Site};

/// A function of one number.
type Function = Box<dyn Fn(f64) -> f64 + Send + Sync>;

/// The function of a unary operator; `None` for other operators.
fn function(site: &Site) -> Result<Option<Function>, String> {
    let alpha = |default: f32| site.float("alpha", default);
    let simple: fn(f64) -> f64 = match site.node.op_type.as_str() {
        "Neg" => |x| -x,
        "Abs" => f64::abs,
        "Sign" => |x| if x == 0.0 || x.is_nan() { x } else { x.signum() },
        "Floor" => f64::floor,
        "Ceil" => f64::ceil,
        "Round" => f64::round_ties_even,
        "Sqrt" => f64::sqrt,
        "Exp" => f64::exp,
        "Log" => f64::ln,
        "Reciprocal" => |x| 1.0 / x,
        "Relu" => |x| if x < 0.0 { 0.0 } else { x },
        "Sigmoid" => sigmoid,
        "Tanh" => f64::tanh,
        "Softplus" => softplus,
        "Softsign" => |x| x / (1.0 + x.abs()),
        "Erf" => erf,
        "Mish" => |x| x * softplus(x).tanh(),
        "HardSwish" => |x| x * clamp(x / 6.0 + 0.5, 0.0, 1.0),
        "Identity" => |x| x,
        "Sin" => f64::sin,
        "Cos" => f64::cos,
        "Tan" => f64::tan,
        "Asin" => f64::asin,
        "Acos" => f64::acos,
        "Atan" => f64::atan,
        "Sinh" => f64::sinh,
        "Cosh" => f64::cosh,
        "Asinh" => f64::asinh,
        "Acosh" => f64::acosh,
        "Atanh" => f64::atanh,
        "Gelu" => match site.choice("approximate", &["none", "tanh"])? {
            "tanh" => |x| 0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x)).tanh()),
            _ => |x| 0.5 * x * (1.0 + erf(x / std::f64::consts::SQRT_2)),
        },
        "LeakyRelu" => {
            let alpha = alpha(0.01);
            return Ok(Some(Box::new(move |x| if x < 0.0 { alpha * x } else { x })));
        }
        "ThresholdedRelu" => {
            let alpha = alpha(1.0);
            return Ok(Some(Box::new(move |x| if x > alpha { x } else { 0.0 })));
        }
        "Elu" => {
            let alpha = alpha(1.0);
            return Ok(Some(Box::new(move |x| if x < 0.0 { alpha * x.exp_m1() } else { x })));
        }
        "Selu" => {
            let (alpha, gamma) = (alpha(1.673_263_2), site.float("gamma", 1.050_701));
            return Ok(Some(Box::new(move |x| gamma * if x <= 0.0 { alpha * x.exp_m1() } else { x })));
        }
        "Celu" => {
            let alpha = alpha(1.0);
            return Ok(Some(Box::new(move |x| if x < 0.0 { alpha * (x / alpha).exp_m1() } else { x })));
        }
        "HardSigmoid" => {
            let (alpha, beta) = (alpha(0.2), site.float("beta", 0.5));
            return Ok(Some(Box::new(move |x| clamp(alpha * x + beta, 0.0, 1.0))));
        }
        "Swish" => {
            let alpha = alpha(1.0);
            return Ok(Some(Box::new(move |x| x * sigmoid(alpha * x))));
        }
        "Shrink" => {
            let (limit, bias) = (site.float("lambd", 0.5), site.float("bias", 0.0));
            return Ok(Some(Box::new(move |x| match x {
                x if x < -limit => x + bias,
                x if x > limit => x - bias,
                _ => 0.0,
            })));
        }
        _ => return Ok(None),
    };
    Ok(Some(Box::new(simple)))
}

/// A unary operator that keeps type and shape; `None` for other operators.
pub fn unary(site: &Site) -> Option<Built> {
    let function = function(site).transpose()?;
    Some(function.and_then(|f| {
        let kind = site.kind(0)?.clone();
        Operator::one(kind.data_type, kind.shape, move |i, fetch| f(fetch.input(0, i)))
    }))
}

/// `Not`, `IsNaN`, `IsInf`.
pub fn test(site: &Site) -> Built {
    let negative = site.flag("detect_negative", true);
    let positive = site.flag("detect_positive", true);
    let holds: Function = match site.node.op_type.as_str() {
        "Not" => Box::new(|x| f64::from(u8::from(x == 0.0))),
        "IsNaN" => Box::new(|x| f64::from(u8::from(x.is_nan()))),
        _ => {
            Box::new(move |x| f64::from(u8::from(negative && x == f64::NEG_INFINITY || positive && x == f64::INFINITY)))
        }
    };
    Operator::one(DataType::Bool, site.shape(0)?.to_vec(), move |i, fetch| holds(fetch.input(0, i)))
}

/// `Clip`, whose limits are attributes before operator set 11.
pub fn clip(site: &Site) -> Built {
    let kind = site.kind(0)?.clone();
    let (lowest, highest) = kind.data_type.limits();
    if site.opset < 11 {
        let (low, high) = (site.float("min", f32::MIN), site.float("max", f32::MAX));
        return Operator::one(kind.data_type, kind.shape, move |i, fetch| clamp(fetch.input(0, i), low, high));
    }
    site.require_count(1, 1)?;
    site.require_count(2, 1)?;
    let [has_low, has_high] = [1, 2].map(|k| site.optional(k).is_some());
    Operator::one(kind.data_type, kind.shape, move |i, fetch| {
        let low = if has_low { fetch.input(1, 0) } else { lowest };
        let high = if has_high { fetch.input(2, 0) } else { highest };
        clamp(fetch.input(0, i), low, high)
    })
}

/// `Cast` and `CastLike`.
pub fn cast(site: &Site) -> Built {
    site.ignore(&["saturate", "round_mode"]);
    let to = if site.node.op_type == "CastLike" {
        site.data_type(1)?
    } else {
        let code = site.int("to", 0);
        DataType::from_code(code).ok_or_else(|| format!("data type {code} is not known"))?
    };
    let drops_fraction = !to.is_float() && to != DataType::Bool;
    Operator::one(to, site.shape(0)?.to_vec(), move |i, fetch| {
        let x = fetch.input(0, i);
        if drops_fraction { x.trunc() } else { x }
    })
}

/// `Dropout` as in inference: the input, and a mask of ones.
pub fn dropout(site: &Site) -> Built {
    site.ignore(&["ratio", "seed", "is_test"]);
    let kind = site.kind(0)?.clone();
    // What the mask holds in inference is stated since operator set 12.
    if site.opset < 12 {
        return Operator::one(kind.data_type, kind.shape, |i, fetch| fetch.input(0, i));
    }
    let mask = Kind { data_type: DataType::Bool, shape: kind.shape.clone() };
    Operator::several(vec![kind, mask], |k, i, fetch| if k == 0 { fetch.input(0, i) } else { 1.0 })
}

/// `x` between the limits; `high` wins if they are reversed, and NaN stays.
fn clamp(x: f64, low: f64, high: f64) -> f64 {
    let raised = if x < low { low } else { x };
    if raised > high { high } else { raised }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// The error function, by its series of positive terms (Abramowitz and Stegun 7.1.6).
pub fn erf(x: f64) -> f64 {
    if x.is_nan() || x.abs() > 6.0 {
        return if x.is_nan() { x } else { x.signum() };
    }
    let (mut term, mut sum) = (x, x);
    for n in 1..200 {
        term *= 2.0 * x * x / f64::from(2 * n + 1);
        sum += term;
        if term.abs() <= 1e-17 * sum.abs() {
            break;
        }
    }
    std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_have_their_known_values() {
        for (x, y) in [(0.0, 0.0), (0.5, 0.520_499_877_813_046_5), (-2.0, -0.995_322_265_018_952_7), (7.0, 1.0)] {
            assert!((erf(x) - y).abs() < 1e-14, "erf({x}) = {}", erf(x));
        }
        assert!((softplus(-800.0), softplus(800.0)) == (0.0, 800.0) && sigmoid(-800.0) == 0.0);
        assert!(clamp(f64::NAN, 0.0, 1.0).is_nan());
        assert_eq!(clamp(0.5, 2.0, 1.0), 1.0);
    }
}
