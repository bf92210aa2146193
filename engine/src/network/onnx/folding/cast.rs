//! Folds casts of constants: exact where both types have the value, else by the rules of ONNX.

use std::sync::Arc;

use super::Folding;
use crate::network::onnx::constant::{Constant, ElementType, Numbers};

impl Folding<'_> {
    /// `Cast` to a type, `CastLike` to that of the second input.
    pub(super) fn cast(&self) -> Result<Constant, String> {
        let to = match self.node.op_type.as_str() {
            "CastLike" => self.input(1)?.element_type(),
            _ => ElementType::of(self.node.int("to", 0))?,
        };
        cast(self.input(0)?, to, self.node.int("saturate", 1) != 0)
    }
}

/// `x` with elements of type `to`: floats are truncated to integers, truth is any value but 0, integers keep their low
/// bits. Floats of 8 bits are limited to the largest value with `saturate`.
pub(super) fn cast(x: &Constant, to: ElementType, saturate: bool) -> Result<Constant, String> {
    let numbers = match (&x.numbers, to) {
        _ if x.element_type() == to => x.numbers.clone(),
        (Numbers::Int(_, values), _) if to.is_integer() => {
            Numbers::Int(to, Arc::new(values.iter().map(|&v| to.wrapped(v)).collect()))
        }
        (_, ElementType::Bool) => Numbers::bools((0..x.len()).map(|i| x.numbers.at(i) != 0.0)),
        (Numbers::Float(_, values), ElementType::Double) => {
            Numbers::Double(Arc::new(values.iter().map(|&v| f64::from(v)).collect()))
        }
        (_, ElementType::Float) => Numbers::floats(x.floats().to_vec()),
        (_, ElementType::Float8E8M0) => return Err("a conversion to float8e8m0, which is not supported".into()),
        _ => {
            let values = x.doubles();
            match (to.range(), to.small_float()) {
                (Some(range), _) => Numbers::Int(to, Arc::new(truncated(&values, to, range)?)),
                // 16 bits have infinity and are not limited.
                (None, Some(format)) => {
                    let saturate = saturate && to.bits() <= 8;
                    let rounded = values.iter().map(|&v| format.rounded(v, saturate)).collect();
                    Numbers::Float(to, Arc::new(rounded))
                }
                (None, None) => Numbers::of_type(to, values.iter().copied()),
            }
        }
    };
    Ok(Constant { dims: x.dims.clone(), numbers })
}

/// Integers of `values`, rounded toward 0. Values that the type does not have would differ from machine to machine;
/// those beyond 64 bits stand for "no limit" and become the largest integer.
fn truncated(values: &[f64], to: ElementType, (low, high): (i64, i64)) -> Result<Vec<i64>, String> {
    let limits = low as f64..=high as f64;
    let integer = |&v: &f64| {
        let whole = v.trunc();
        (limits.contains(&whole) || (to == ElementType::Int64 && !v.is_nan())).then_some(whole as i64)
    };
    let outside = || format!("a conversion to {} of a value that this type does not have", to.name());
    values.iter().map(integer).collect::<Option<_>>().ok_or_else(outside)
}
