//! Folds operations that select or replace values of constants by indices.

use super::{Folding, each_storage};
use crate::network::onnx::constant::{Constant, Numbers};
use crate::network::onnx::shapes::{self, axis};

impl Folding<'_> {
    pub(super) fn gather(&self) -> Result<Constant, String> {
        let (x, indices) = (self.input(0)?, self.input(1)?);
        let at = axis(self.node.int("axis", 0), x.dims.len())?;
        let n = x.dims[at];
        let positions = self.positions(n)?;
        let dims = [&x.dims[..at], &indices.dims, &x.dims[at + 1..]].concat();
        self.budget.count(&dims)?;
        let (outer, inner): (usize, usize) = (x.dims[..at].iter().product(), x.dims[at + 1..].iter().product());
        fn selected<T: Copy>(values: &[T], (outer, n, inner): (usize, usize, usize), positions: &[usize]) -> Vec<T> {
            let mut out = Vec::with_capacity(outer * positions.len() * inner);
            for row in 0..outer {
                positions.iter().for_each(|p| out.extend_from_slice(&values[(row * n + p) * inner..][..inner]));
            }
            out
        }
        let numbers = each_storage!(&x.numbers, v => selected(v, (outer, n, inner), &positions));
        Ok(Constant { dims, numbers })
    }

    pub(super) fn gather_elements(&self) -> Result<Constant, String> {
        let (x, indices) = (self.input(0)?, self.input(1)?);
        let at = axis(self.node.int("axis", 0), x.dims.len())?;
        let is_inside = |k: usize| k == at || indices.dims[k] <= x.dims[k];
        if indices.dims.len() != x.dims.len() || !(0..x.dims.len()).all(is_inside) {
            return Err("indices of another shape than its values".into());
        }
        let positions = self.positions(x.dims[at])?;
        self.budget.count(&indices.dims)?;
        let strides = super::strided::Strides::of(&x.dims).0;
        let mut index = vec![0; x.dims.len()];
        let mut sources = Vec::with_capacity(positions.len());
        for position in positions {
            let source = |k: usize| if k == at { position } else { index[k] } * strides[k] as usize;
            sources.push((0..index.len()).map(source).sum::<usize>());
            super::strided::advance(&mut index, &indices.dims);
        }
        let numbers = each_storage!(&x.numbers, v => sources.iter().map(|&s| v[s]).collect());
        Ok(Constant { dims: indices.dims.clone(), numbers })
    }

    pub(super) fn gather_nd(&self) -> Result<Constant, String> {
        let (x, indices) = (self.input(0)?, self.input(1)?);
        let batch = usize::try_from(self.node.int("batch_dims", 0)).map_err(|_| "a negative batch_dims")?;
        let (lists, block_dims) = nd_lists(&x.dims, indices, batch)?;
        let batch_size: usize = x.dims[..batch].iter().product();
        let dims = [&indices.dims[..indices.dims.len() - 1], &block_dims[..]].concat();
        self.budget.count(&dims)?;
        let block: usize = block_dims.iter().product();
        let per_batch: usize = x.dims[batch..].iter().product();
        let lists_per_batch = (lists.len() / batch_size.max(1)).max(1);
        let starts: Vec<usize> =
            lists.iter().enumerate().map(|(k, at)| k / lists_per_batch * per_batch + at * block).collect();
        let numbers = each_storage!(&x.numbers, v => starts.iter().flat_map(|&s| &v[s..s + block]).copied().collect());
        Ok(Constant { dims, numbers })
    }

    pub(super) fn scatter_nd(&self) -> Result<Constant, String> {
        let (x, indices, updates) = (self.input(0)?, self.input(1)?, self.input(2)?);
        let (lists, block_dims) = nd_lists(&x.dims, indices, 0)?;
        let block: usize = block_dims.iter().product();
        if updates.len() != lists.len() * block {
            return Err("another number of updates than indices".into());
        }
        self.budget.count(&x.dims)?;
        fn scattered<T: Copy>(values: &[T], updates: &[T], lists: &[usize], block: usize) -> Vec<T> {
            let mut out = values.to_vec();
            for (k, at) in lists.iter().enumerate() {
                out[at * block..][..block].copy_from_slice(&updates[k * block..][..block]);
            }
            out
        }
        let numbers = match (&x.numbers, &updates.numbers) {
            (Numbers::Float(of, v), Numbers::Float(_, u)) => Numbers::Float(*of, scattered(v, u, &lists, block).into()),
            (Numbers::Double(v), Numbers::Double(u)) => Numbers::Double(scattered(v, u, &lists, block).into()),
            (Numbers::Int(of, v), Numbers::Int(_, u)) => Numbers::Int(*of, scattered(v, u, &lists, block).into()),
            _ => return Err("updates of another type".into()),
        };
        Ok(Constant { dims: x.dims.clone(), numbers })
    }

    /// The second input as positions along an axis of `n` values; negative ones count from the end.
    fn positions(&self, n: usize) -> Result<Vec<usize>, String> {
        let indices = self.input(1)?.as_ints().ok_or("indices that are not integers")?;
        indices.iter().map(|&i| axis(i, n).map_err(|_| format!("index {i} of {n} values"))).collect()
    }
}

/// The index lists of `GatherND` and `ScatterND`: the position of each in the dimensions it names, row-major, and the
/// dimensions of the block that it selects.
fn nd_lists(dims: &[usize], indices: &Constant, batch: usize) -> Result<(Vec<usize>, Vec<usize>), String> {
    let named = indices.dims.last().copied().unwrap_or(0);
    let has_batch = batch < indices.dims.len() && batch <= dims.len() && indices.dims[..batch] == dims[..batch];
    if named == 0 || batch + named > dims.len() || !has_batch {
        return Err(format!(
            "indices of shape {} into values of shape {}",
            crate::error::format_shape(&indices.dims),
            crate::error::format_shape(dims)
        ));
    }
    let values = indices.as_ints().ok_or("indices that are not integers")?;
    let sides = &dims[batch..batch + named];
    let position = |list: &[i64]| {
        let step = |at: usize, (&i, &n): (&i64, &usize)| shapes::axis(i, n).map(|i| at * n + i);
        list.iter().zip(sides).try_fold(0, step).map_err(|_| format!("index {list:?} of shape {sides:?}"))
    };
    let lists = values.chunks(named).map(position).collect::<Result<_, _>>()?;
    Ok((lists, dims[batch + named..].to_vec()))
}
