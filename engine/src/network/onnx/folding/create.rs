//! Folds operations that make constants from shapes and ranges.

use std::sync::Arc;

use super::{Folding, each_storage};
use crate::network::onnx::constant::{Constant, ElementType, Numbers};
use crate::network::onnx::shapes::{axis, from_ints};

impl Folding<'_> {
    pub(super) fn size(&self) -> Result<Constant, String> {
        Ok(Constant::of_scalar(Numbers::ints(vec![self.input(0)?.len() as i64])))
    }

    pub(super) fn range(&self) -> Result<Constant, String> {
        let (start, end, step) = (self.input(0)?, self.input(1)?, self.input(2)?);
        let scalar = |c: &Constant| c.scalar().ok_or("limits that are not scalars");
        let (from, to, by) = (scalar(start)?, scalar(end)?, scalar(step)?);
        let count = ((to - from) / by).ceil().max(0.0);
        if !count.is_finite() || count > 1e18 {
            return Err("a range of invalid length".into());
        }
        let count = self.budget.count(&[count as usize])?;
        let numbers = match (&start.numbers, &step.numbers) {
            (Numbers::Int(of, first), Numbers::Int(_, by)) => {
                let (first, by) = (first.first().copied().unwrap_or(0), by.first().copied().unwrap_or(0));
                Numbers::Int(*of, Arc::new((0..count as i64).map(|k| of.wrapped(first + k * by)).collect()))
            }
            _ => Numbers::of_type(start.element_type(), (0..count).map(|k| from + k as f64 * by)),
        };
        Ok(Constant { dims: vec![count], numbers })
    }

    pub(super) fn constant_of_shape(&self) -> Result<Constant, String> {
        let dims = from_ints(&self.input(0)?.as_ints().ok_or("a shape that is not integers")?)?;
        let value = match self.node.tensor("value") {
            Some(tensor) => match Constant::read(tensor, self.path) {
                Ok(value) => value.numbers,
                Err(crate::Error::File { reason, .. }) => return Err(reason),
                Err(error) => return Err(error.to_string()),
            },
            None => Numbers::floats(vec![0.0]),
        };
        if value.len() != 1 {
            return Err(format!("a value of {} numbers", value.len()));
        }
        let count = self.budget.count(&dims)?;
        Ok(Constant { dims, numbers: each_storage!(&value, v => vec![v[0]; count]) })
    }

    pub(super) fn eye_like(&self) -> Result<Constant, String> {
        let x = self.input(0)?;
        let &[rows, columns] = x.dims.as_slice() else {
            return Err("a diagonal of something else than a matrix".into());
        };
        let of = match self.node.int("dtype", 0) {
            0 => x.element_type(),
            code => ElementType::of(code)?,
        };
        self.budget.count(&x.dims)?;
        let k = self.node.int("k", 0);
        let is_one = |i: usize| (i % columns) as i64 - (i / columns) as i64 == k;
        let ones = Numbers::bools((0..rows * columns).map(is_one));
        super::cast::cast(&Constant { dims: x.dims.clone(), numbers: ones }, of, true)
    }

    pub(super) fn one_hot(&self) -> Result<Constant, String> {
        let (indices, depth, values) = (self.input(0)?, self.input(1)?, self.input(2)?);
        let depth =
            depth.scalar().filter(|d| d.fract() == 0.0 && *d > 0.0).ok_or("a depth that is no number")? as usize;
        if values.len() != 2 {
            return Err("no pair of values".into());
        }
        let rank = indices.dims.len();
        let at = axis(self.node.int("axis", -1), rank + 1)?;
        let mut dims = indices.dims.clone();
        dims.insert(at, depth);
        self.budget.count(&dims)?;
        let positions = indices.as_ints().ok_or("indices that are not integers")?;
        let inner: usize = indices.dims[at..].iter().product();
        // An index outside the depth selects nothing.
        let is_on = |i: usize| {
            let (outer, k, column) = (i / (depth * inner), i / inner % depth, i % inner);
            axis(positions[outer * inner + column], depth) == Ok(k)
        };
        let count: usize = dims.iter().product();
        let numbers =
            each_storage!(&values.numbers, v => (0..count).map(|i| if is_on(i) { v[1] } else { v[0] }).collect());
        Ok(Constant { dims, numbers })
    }

    pub(super) fn trilu(&self) -> Result<Constant, String> {
        let x = self.input(0)?;
        let &[.., rows, columns] = x.dims.as_slice() else {
            return Err("a triangle of something else than matrices".into());
        };
        let k = match self.optional(1) {
            Some(k) => k.scalar().ok_or("a diagonal that is not a scalar")? as i64,
            None => 0,
        };
        self.budget.count(&x.dims)?;
        let is_upper = self.node.int("upper", 1) != 0;
        let is_kept = |i: usize| {
            let diagonal = (i % columns) as i64 - (i / columns % rows) as i64;
            if is_upper { diagonal >= k } else { diagonal <= k }
        };
        fn kept<T: Copy + Default>(values: &[T], is_kept: impl Fn(usize) -> bool) -> Vec<T> {
            values.iter().enumerate().map(|(i, &v)| if is_kept(i) { v } else { T::default() }).collect()
        }
        Ok(Constant { dims: x.dims.clone(), numbers: each_storage!(&x.numbers, v => kept(v, is_kept)) })
    }

    /// The indices of all values but 0, `[rank, count]`.
    pub(super) fn non_zero(&self) -> Result<Constant, String> {
        let x = self.input(0)?;
        let found: Vec<usize> = (0..x.len()).filter(|&i| x.numbers.at(i) != 0.0).collect();
        let dims = vec![x.dims.len(), found.len()];
        self.budget.count(&dims)?;
        let strides = super::strided::Strides::of(&x.dims).0;
        let along = |k: usize| {
            let (stride, n) = (strides[k] as usize, x.dims[k]);
            found.iter().map(move |&i| (i / stride % n) as i64)
        };
        Ok(Constant { dims, numbers: Numbers::ints((0..x.dims.len()).flat_map(along).collect()) })
    }
}
