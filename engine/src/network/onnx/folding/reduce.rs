//! Folds sums, means, extremes and norms of constants over axes.

use std::sync::Arc;

use super::Folding;
use super::strided::{Strides, advance};
use crate::network::onnx::constant::{Constant, Numbers};
use crate::network::onnx::shapes::{axis, reduced};

/// Start, step and end of a reduction in f64; `n` is the number of reduced values.
struct Reduction {
    start: f64,
    step: fn(f64, f64) -> f64,
    end: fn(f64, n: f64) -> f64,
}

impl Folding<'_> {
    /// The value of a `Reduce…` node; `None` for an unknown one.
    pub(super) fn reduce(&self) -> Result<Option<Constant>, String> {
        let op = self.node.op_type.as_str();
        let Some(reduction) = reduction(op) else { return Ok(None) };
        let x = self.input(0)?;
        let rank = x.dims.len();
        let axes = self.ints(1, "axes")?.unwrap_or_default();
        if axes.is_empty() && self.node.int("noop_with_empty_axes", 0) != 0 {
            return Ok(Some(x.clone()));
        }
        let axes = match axes.is_empty() {
            true => (0..rank).collect(),
            false => axes.iter().map(|&a| axis(a, rank)).collect::<Result<Vec<_>, _>>()?,
        };
        let dims = reduced(&x.dims, &axes, self.node.int("keepdims", 1) != 0);
        self.budget.count(&dims)?;
        let numbers = match &x.numbers {
            Numbers::Int(of, values) => {
                let totals = integers(op, values, &x.dims, &axes)?;
                Numbers::Int(*of, Arc::new(totals.into_iter().map(|v| of.wrapped(v)).collect()))
            }
            Numbers::Float(of, values) => {
                Numbers::of_type(*of, reduction.of(values, f64::from, &x.dims, &axes).into_iter())
            }
            Numbers::Double(values) => Numbers::Double(Arc::new(reduction.of(values, |v| v, &x.dims, &axes))),
        };
        Ok(Some(Constant { dims, numbers }))
    }
}

impl Reduction {
    fn of<T: Copy>(&self, values: &[T], number: impl Fn(T) -> f64, dims: &[usize], axes: &[usize]) -> Vec<f64> {
        let totals = over(values, dims, axes, self.start, |total, v| (self.step)(total, number(v)));
        let n: usize = axes.iter().map(|&a| dims[a]).product();
        totals.into_iter().map(|total| (self.end)(total, n as f64)).collect()
    }
}

/// The totals of `values` over `axes`, row-major over the other dimensions.
fn over<T: Copy, S: Copy>(values: &[T], dims: &[usize], axes: &[usize], start: S, step: impl Fn(S, T) -> S) -> Vec<S> {
    let kept: Vec<usize> = (0..dims.len()).map(|k| if axes.contains(&k) { 1 } else { dims[k] }).collect();
    let mut totals = vec![start; kept.iter().product()];
    if values.is_empty() {
        return totals;
    }
    let targets = Strides::broadcast(&kept, dims);
    let (dims, [targets]) = Strides::merged(dims, [targets]);
    let (inner, outer) = dims.split_last().map_or((1, &[][..]), |(&inner, outer)| (inner, outer));
    let is_kept = targets.0.last().is_some_and(|&s| s != 0);
    let mut index = vec![0; outer.len()];
    for row in values.chunks(inner) {
        let at = index.iter().zip(&targets.0).map(|(&i, &s)| i * s as usize).sum::<usize>();
        if is_kept {
            totals[at..at + inner].iter_mut().zip(row).for_each(|(total, &v)| *total = step(*total, v));
        } else {
            totals[at] = row.iter().fold(totals[at], |total, &v| step(total, v));
        }
        advance(&mut index, outer);
    }
    totals
}

/// Exact totals of integers.
///
/// # Errors
/// A message if one overflows or the operation is not defined for them.
fn integers(op: &str, values: &[i64], dims: &[usize], axes: &[usize]) -> Result<Vec<i64>, String> {
    let n: usize = axes.iter().map(|&a| dims[a]).product();
    type Step = fn(i64, i64) -> Option<i64>;
    let (start, step): (i64, Step) = match op {
        "ReduceSum" => (0, i64::checked_add),
        "ReduceMean" if n > 0 => (0, i64::checked_add),
        "ReduceProd" => (1, i64::checked_mul),
        "ReduceL1" => (0, |a, b| a.checked_add(b.checked_abs()?)),
        "ReduceSumSquare" => (0, |a, b| a.checked_add(b.checked_mul(b)?)),
        "ReduceMin" if n > 0 => (i64::MAX, |a, b| Some(a.min(b))),
        "ReduceMax" if n > 0 => (i64::MIN, |a, b| Some(a.max(b))),
        _ => return Err(format!("{op} of {n} integers")),
    };
    let totals = over(values, dims, axes, Some(start), |total, v| step(total?, v));
    let totals: Option<Vec<i64>> = totals.into_iter().collect();
    let totals = totals.ok_or_else(|| format!("{op} of integers that overflows"))?;
    Ok(if op == "ReduceMean" { totals.iter().map(|total| total / n as i64).collect() } else { totals })
}

fn reduction(op: &str) -> Option<Reduction> {
    let of = |start: f64, step: fn(f64, f64) -> f64, end: fn(f64, f64) -> f64| Some(Reduction { start, step, end });
    let same: fn(f64, f64) -> f64 = |total, _| total;
    match op {
        "ReduceSum" => of(0.0, |a, b| a + b, same),
        "ReduceMean" => of(0.0, |a, b| a + b, |total, n| total / n),
        "ReduceProd" => of(1.0, |a, b| a * b, same),
        "ReduceMin" => of(f64::INFINITY, f64::min, same),
        "ReduceMax" => of(f64::NEG_INFINITY, f64::max, same),
        "ReduceL1" => of(0.0, |a, b| a + b.abs(), same),
        "ReduceL2" => of(0.0, |a, b| a + b * b, |total, _| total.sqrt()),
        "ReduceSumSquare" => of(0.0, |a, b| a + b * b, same),
        "ReduceLogSum" => of(0.0, |a, b| a + b, |total, _| total.ln()),
        _ => None,
    }
}
