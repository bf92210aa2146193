//! Folds arithmetic, comparisons and logic of constants, rounded and wrapped as in their element type.

use std::cell::Cell;
use std::sync::Arc;

use super::broadcast::{common_dims, zip};
use super::{Folding, each_storage};
use crate::network::onnx::constant::{Constant, ElementType, Numbers};

impl Folding<'_> {
    /// The value of an elementwise operation of two or more inputs; `None` for other operations.
    pub(super) fn arithmetic(&self) -> Result<Option<Constant>, String> {
        let op = self.node.op_type.as_str();
        match op {
            "Sum" | "Mean" | "Min" | "Max" => {
                let mut value = self.input(0)?.clone();
                let step = match op {
                    "Sum" | "Mean" => "Add",
                    other => other,
                };
                for k in 1..self.inputs.len() {
                    value = self.combined(step, &value, self.input(k)?)?;
                }
                if op == "Mean" && self.inputs.len() > 1 {
                    let count = Numbers::of_type(value.element_type(), std::iter::once(self.inputs.len() as f64));
                    value = self.combined("Div", &value, &Constant::of_scalar(count))?;
                }
                Ok(Some(value))
            }
            "Add" | "Sub" | "Mul" | "Div" => self.combined(op, self.input(0)?, self.input(1)?).map(Some),
            "Mod" => self.modulo(self.input(0)?, self.input(1)?).map(Some),
            "Pow" => self.power(self.input(0)?, self.input(1)?).map(Some),
            _ => match relation(op) {
                Some(relation) => self.related(relation).map(Some),
                None => Ok(None),
            },
        }
    }

    /// `x op y` in the wider of their types.
    fn combined(&self, op: &str, x: &Constant, y: &Constant) -> Result<Constant, String> {
        /// The operation on floats of one width.
        macro_rules! floats {
            ($x:expr, $y:expr, $dims:expr, $float:ty) => {{
                let (x, y): ((&[$float], &[usize]), (&[$float], &[usize])) = ($x, $y);
                match op {
                    "Add" => zip(x, y, $dims, |a, b| a + b),
                    "Sub" => zip(x, y, $dims, |a, b| a - b),
                    "Mul" => zip(x, y, $dims, |a, b| a * b),
                    "Div" => zip(x, y, $dims, |a, b| a / b),
                    "Min" => zip(x, y, $dims, |a, b| if a.is_nan() || a < b { a } else { b }),
                    _ => zip(x, y, $dims, |a, b| if a.is_nan() || a > b { a } else { b }),
                }
            }};
        }
        let dims = self.new_dims(&[&x.dims, &y.dims])?;
        let numbers = match (&x.numbers, &y.numbers) {
            (Numbers::Int(of, a), Numbers::Int(_, b)) => {
                let wrong = Cell::new(false);
                let value = |a: i64, b: i64| {
                    let exact = match op {
                        "Add" => a.checked_add(b),
                        "Sub" => a.checked_sub(b),
                        "Mul" => a.checked_mul(b),
                        "Div" => a.checked_div(b),
                        "Min" => Some(a.min(b)),
                        _ => Some(a.max(b)),
                    };
                    wrong.set(wrong.get() || exact.is_none());
                    of.wrapped(exact.unwrap_or(0))
                };
                let values = zip((a, &x.dims), (b, &y.dims), &dims, value);
                if wrong.get() {
                    return Err("integer arithmetic overflows or divides by 0".into());
                }
                Numbers::Int(*of, Arc::new(values))
            }
            (Numbers::Double(_), _) | (_, Numbers::Double(_)) => {
                let (a, b) = (x.doubles(), y.doubles());
                Numbers::Double(Arc::new(floats!((&a, &x.dims), (&b, &y.dims), &dims, f64)))
            }
            _ => {
                let of = float_type(x, y);
                let (a, b) = (x.floats(), y.floats());
                let mut values = floats!((&a, &x.dims), (&b, &y.dims), &dims, f32);
                if of.small_float().is_some() {
                    values.iter_mut().for_each(|v| *v = of.rounded(f64::from(*v)));
                }
                Numbers::Float(of, Arc::new(values))
            }
        };
        Ok(Constant { dims, numbers })
    }

    /// `Mod`: the sign of the divisor; with `fmod` that of the dividend.
    fn modulo(&self, x: &Constant, y: &Constant) -> Result<Constant, String> {
        let has_sign_of_dividend = self.node.int("fmod", 0) != 0;
        let dims = self.new_dims(&[&x.dims, &y.dims])?;
        let numbers = match (&x.numbers, &y.numbers) {
            (Numbers::Int(of, a), Numbers::Int(_, b)) => {
                if b.contains(&0) {
                    return Err("a division by 0".into());
                }
                let value = |a: i64, b: i64| {
                    let rest = a.wrapping_rem(b);
                    if !has_sign_of_dividend && rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest }
                };
                Numbers::Int(*of, Arc::new(zip((a, &x.dims), (b, &y.dims), &dims, value)))
            }
            _ => {
                let of = wider(x, y);
                let value = |a: f64, b: f64| {
                    let rest = a % b;
                    if !has_sign_of_dividend && rest != 0.0 && (rest < 0.0) != (b < 0.0) { rest + b } else { rest }
                };
                let values = zip((&x.doubles(), &x.dims), (&y.doubles(), &y.dims), &dims, value);
                Numbers::of_type(of, values.into_iter())
            }
        };
        Ok(Constant { dims, numbers })
    }

    /// `Pow`, in the type of the base.
    fn power(&self, x: &Constant, y: &Constant) -> Result<Constant, String> {
        let dims = self.new_dims(&[&x.dims, &y.dims])?;
        let numbers = match (&x.numbers, &y.numbers) {
            (Numbers::Int(of, a), Numbers::Int(_, b)) if b.iter().all(|&b| b >= 0) => {
                let wrong = Cell::new(false);
                let value = |a: i64, b: i64| {
                    let exact = u32::try_from(b).ok().and_then(|b| a.checked_pow(b));
                    wrong.set(wrong.get() || exact.is_none());
                    of.wrapped(exact.unwrap_or(0))
                };
                let values = zip((a, &x.dims), (b, &y.dims), &dims, value);
                if wrong.get() {
                    return Err("a power that overflows".into());
                }
                Numbers::Int(*of, Arc::new(values))
            }
            (base, _) => {
                let values = zip((&x.doubles(), &x.dims), (&y.doubles(), &y.dims), &dims, f64::powf);
                match base {
                    Numbers::Int(of, _) => Numbers::Int(*of, Arc::new(values.iter().map(|&v| v as i64).collect())),
                    _ => Numbers::of_type(x.element_type(), values.into_iter()),
                }
            }
        };
        Ok(Constant { dims, numbers })
    }

    /// A comparison or logic operation.
    fn related(&self, relation: fn(f64, f64) -> bool) -> Result<Constant, String> {
        let (x, y) = (self.input(0)?, self.input(1)?);
        let dims = self.new_dims(&[&x.dims, &y.dims])?;
        let values = match (&x.numbers, &y.numbers) {
            // Large integers differ where their floats are equal.
            (Numbers::Int(_, a), Numbers::Int(_, b)) => {
                let order = |a: i64, b: i64| match self.node.op_type.as_str() {
                    "And" | "Or" | "Xor" => relation(a as f64, b as f64),
                    _ => relation(a.cmp(&b) as i8 as f64, 0.0),
                };
                zip((a, &x.dims), (b, &y.dims), &dims, order)
            }
            _ => zip((&x.doubles(), &x.dims), (&y.doubles(), &y.dims), &dims, relation),
        };
        Ok(Constant { dims, numbers: Numbers::bools(values) })
    }

    /// `Where`: values of the second input where the first holds, of the third elsewhere.
    pub(super) fn select_where(&self) -> Result<Constant, String> {
        let (condition, yes, no) = (self.input(0)?, self.input(1)?, self.input(2)?);
        let dims = self.new_dims(&[&condition.dims, &yes.dims, &no.dims])?;
        let condition = super::rearrange::expanded(condition, &dims);
        let holds: Vec<bool> = match &condition.numbers {
            Numbers::Int(_, values) => values.iter().map(|&v| v != 0).collect(),
            _ => return Err("a condition that is no truth value".into()),
        };
        let (yes, no) = (super::rearrange::expanded(yes, &dims), super::rearrange::expanded(no, &dims));
        fn chosen<T: Copy>(holds: &[bool], yes: &[T], no: &[T]) -> Vec<T> {
            holds.iter().zip(yes.iter().zip(no)).map(|(&holds, (&y, &n))| if holds { y } else { n }).collect()
        }
        let numbers = match (&yes.numbers, &no.numbers) {
            (Numbers::Int(of, y), Numbers::Int(_, n)) => Numbers::Int(*of, Arc::new(chosen(&holds, y, n))),
            (Numbers::Double(_), _) | (_, Numbers::Double(_)) => {
                Numbers::Double(Arc::new(chosen(&holds, &yes.doubles(), &no.doubles())))
            }
            _ => Numbers::Float(float_type(&yes, &no), Arc::new(chosen(&holds, &yes.floats(), &no.floats()))),
        };
        Ok(Constant { dims, numbers })
    }

    /// The sums along an axis of all values up to each one.
    pub(super) fn cumulative_sum(&self) -> Result<Constant, String> {
        let x = self.input(0)?;
        let axis = self.input(1)?.scalar().ok_or("an axis that is not a scalar")?;
        let axis = crate::network::onnx::shapes::axis(axis as i64, x.dims.len())?;
        let (is_exclusive, is_reverse) = (self.node.int("exclusive", 0) != 0, self.node.int("reverse", 0) != 0);
        let (n, inner): (usize, usize) = (x.dims[axis], x.dims[axis + 1..].iter().product());
        self.budget.count(&x.dims)?;
        fn summed<T: Copy + Default + std::ops::Add<Output = T>>(
            values: &[T],
            (n, inner): (usize, usize),
            (is_exclusive, is_reverse): (bool, bool),
        ) -> Vec<T> {
            let mut out = values.to_vec();
            for block in out.chunks_mut((n * inner).max(1)) {
                for column in 0..inner {
                    let mut sum = T::default();
                    for k in 0..n {
                        let at = if is_reverse { n - 1 - k } else { k } * inner + column;
                        let before = sum;
                        sum = sum + block[at];
                        block[at] = if is_exclusive { before } else { sum };
                    }
                }
            }
            out
        }
        let numbers = each_storage!(&x.numbers, v => summed(v, (n, inner), (is_exclusive, is_reverse)));
        Ok(Constant { dims: x.dims.clone(), numbers })
    }

    /// The common shape of broadcast `shapes`, whose memory is taken from the budget.
    fn new_dims(&self, shapes: &[&[usize]]) -> Result<Vec<usize>, String> {
        let dims = common_dims(shapes)?;
        self.budget.count(&dims)?;
        Ok(dims)
    }
}

/// The float type of a result: that of the inputs, or 32 bits if they differ.
fn float_type(x: &Constant, y: &Constant) -> ElementType {
    match (&x.numbers, &y.numbers) {
        (Numbers::Float(a, _), Numbers::Float(b, _)) if a == b => *a,
        _ => ElementType::Float,
    }
}

fn wider(x: &Constant, y: &Constant) -> ElementType {
    match (&x.numbers, &y.numbers) {
        (Numbers::Double(_), _) | (_, Numbers::Double(_)) => ElementType::Double,
        _ => float_type(x, y),
    }
}

/// The relation of a comparison or logic operator.
fn relation(op: &str) -> Option<fn(f64, f64) -> bool> {
    Some(match op {
        "Equal" => |a, b| a == b,
        "Less" => |a, b| a < b,
        "Greater" => |a, b| a > b,
        "LessOrEqual" => |a, b| a <= b,
        "GreaterOrEqual" => |a, b| a >= b,
        "And" => |a, b| a != 0.0 && b != 0.0,
        "Or" => |a, b| a != 0.0 || b != 0.0,
        "Xor" => |a, b| (a != 0.0) != (b != 0.0),
        _ => return None,
    })
}
