//! Folds functions of one constant: roots, exponentials, rounding, activations.

use std::sync::Arc;

use super::Folding;
use crate::network::onnx::constant::{Constant, Numbers};

impl Folding<'_> {
    /// The value of an elementwise function of one input; `None` for other operations.
    pub(super) fn unary(&self) -> Result<Option<Constant>, String> {
        let op = self.node.op_type.as_str();
        let float = |name: &str, default: f32| f64::from(self.node.float(name, default));
        if op == "Not" {
            let x = self.input(0)?;
            let values = (0..x.len()).map(|i| x.numbers.at(i) == 0.0);
            return Ok(Some(Constant { dims: x.dims.clone(), numbers: Numbers::bools(values) }));
        }
        if op == "Clip" {
            return self.clip().map(Some);
        }
        let value = match op {
            "LeakyRelu" => {
                let alpha = float("alpha", 0.01);
                self.mapped(move |v| if v < 0.0 { alpha * v } else { v })?
            }
            "HardSigmoid" => {
                let (alpha, beta) = (float("alpha", 0.2), float("beta", 0.5));
                self.mapped(move |v| (alpha * v + beta).clamp(0.0, 1.0))?
            }
            _ => match function(op) {
                Some(f) => self.mapped(f)?,
                None => return Ok(None),
            },
        };
        Ok(Some(value))
    }

    /// `f` of each value, rounded to the element type; integers are truncated to integers.
    fn mapped(&self, f: impl Fn(f64) -> f64) -> Result<Constant, String> {
        let x = self.input(0)?;
        self.budget.count(&x.dims)?;
        let numbers = match &x.numbers {
            Numbers::Float(of, values) => Numbers::of_type(*of, values.iter().map(|&v| f(f64::from(v)))),
            Numbers::Double(values) => Numbers::Double(Arc::new(values.iter().map(|&v| f(v)).collect())),
            Numbers::Int(of, values) => match self.node.op_type.as_str() {
                // Exact beyond the integers that floats have.
                "Neg" => Numbers::Int(*of, Arc::new(values.iter().map(|v| of.wrapped(v.wrapping_neg())).collect())),
                "Abs" => Numbers::Int(*of, Arc::new(values.iter().map(|v| of.wrapped(v.wrapping_abs())).collect())),
                "Relu" => Numbers::Int(*of, Arc::new(values.iter().map(|v| *v.max(&0)).collect())),
                "Sign" => Numbers::Int(*of, Arc::new(values.iter().map(|v| v.signum()).collect())),
                op => return Err(format!("{op} of integers")),
            },
        };
        Ok(Constant { dims: x.dims.clone(), numbers })
    }

    /// `Clip`, whose limits are inputs or, in older operator sets, attributes.
    fn clip(&self) -> Result<Constant, String> {
        let limit = |k: usize, name: &str| -> Result<Option<f64>, String> {
            match self.optional(k) {
                Some(limit) => limit.scalar().map(Some).ok_or_else(|| "limits that are not scalars".into()),
                None => Ok(self.node.has(name).then(|| f64::from(self.node.float(name, 0.0)))),
            }
        };
        let (low, high) = (limit(1, "min")?, limit(2, "max")?);
        let clipped = |v: f64| v.max(low.unwrap_or(f64::NEG_INFINITY)).min(high.unwrap_or(f64::INFINITY));
        let x = self.input(0)?;
        match &x.numbers {
            Numbers::Int(of, values) => {
                let limits = (low.map_or(i64::MIN, |v| v as i64), high.map_or(i64::MAX, |v| v as i64));
                let clipped = values.iter().map(|&v| v.max(limits.0).min(limits.1)).collect();
                Ok(Constant { dims: x.dims.clone(), numbers: Numbers::Int(*of, Arc::new(clipped)) })
            }
            _ => self.mapped(clipped),
        }
    }
}

/// The function of a float operator without attributes.
fn function(op: &str) -> Option<fn(f64) -> f64> {
    Some(match op {
        "Neg" => |v| -v,
        "Abs" => f64::abs,
        "Relu" => |v| v.max(0.0),
        "Sign" => |v| if v == 0.0 { 0.0 } else { v.signum() },
        "Floor" => f64::floor,
        "Ceil" => f64::ceil,
        "Round" => f64::round_ties_even,
        "Sqrt" => f64::sqrt,
        "Reciprocal" => |v| 1.0 / v,
        "Exp" => f64::exp,
        "Log" => f64::ln,
        "Tanh" => f64::tanh,
        "Sigmoid" => |v| 1.0 / (1.0 + (-v).exp()),
        "Softplus" => |v| v.max(0.0) + (-v.abs()).exp().ln_1p(),
        "Softsign" => |v| v / (1.0 + v.abs()),
        "Erf" => erf,
        "Sin" => f64::sin,
        "Cos" => f64::cos,
        "Tan" => f64::tan,
        "Asin" => f64::asin,
        "Acos" => f64::acos,
        "Atan" => f64::atan,
        "Sinh" => f64::sinh,
        "Cosh" => f64::cosh,
        _ => return None,
    })
}

/// The error function, to about 1e-15: its power series up to 3, a continued fraction of 1 − erf beyond.
fn erf(x: f64) -> f64 {
    let z = x.abs();
    let square = z * z;
    let value = if z < 3.0 {
        // erf z = 2/√π · e^(−z²) · Σ 2ⁿ z^(2n+1) / (1·3·5·…·(2n+1)): all terms are positive.
        let (mut term, mut sum, mut n) = (z, z, 0.0);
        while term > 1e-17 * sum {
            n += 1.0;
            term *= 2.0 * square / (2.0 * n + 1.0);
            sum += term;
        }
        std::f64::consts::FRAC_2_SQRT_PI * (-square).exp() * sum
    } else {
        // erfc z = e^(−z²)/√π / (z + 1/2/(z + 1/(z + 3/2/(z + …)))).
        let fraction = (1..60).rev().fold(z, |rest, k| z + f64::from(k) / 2.0 / rest);
        1.0 - (-square).exp() / (fraction * std::f64::consts::PI.sqrt())
    };
    value.copysign(x)
}

#[cfg(test)]
mod tests {
    use super::erf;

    #[test]
    fn error_function_has_its_known_values() {
        let known = [
            (0.0, 0.0),
            (0.5, 0.520_499_877_813_046_5),
            (-1.0, -0.842_700_792_949_714_9),
            (2.5, 0.999_593_047_982_555),
            (3.0, 0.999_977_909_503_001_4),
            (4.0, 0.999_999_984_582_742_1),
            (30.0, 1.0),
        ];
        for (x, value) in known {
            assert!((erf(x) - value).abs() < 1e-14, "erf({x}) = {}", erf(x));
        }
        assert!(erf(f64::NAN).is_nan());
    }
}
