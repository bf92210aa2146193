//! Folds operations that move values of constants: reshapes, transposes, slices, joins, repeats, padding.

use super::strided::{self, Strides};
use super::{Folding, each_storage};
use crate::network::onnx::constant::{Constant, ElementType, Numbers};
use crate::network::onnx::shapes::{self, padding};

impl Folding<'_> {
    pub(super) fn reshape(&self) -> Result<Constant, String> {
        let x = self.input(0)?;
        let dims = match self.node.op_type.as_str() {
            "Reshape" => {
                let target = self.ints(1, "shape")?.ok_or("no target shape")?;
                shapes::resolve(&x.dims, &target, self.node.int("allowzero", 0) != 0)?
            }
            "Flatten" => shapes::flattened(&x.dims, self.node.int("axis", 1))?,
            "Unsqueeze" => shapes::unsqueezed(&x.dims, &self.ints(1, "axes")?.ok_or("no axes")?)?,
            _ => shapes::squeezed(&x.dims, self.ints(1, "axes")?.as_deref())?,
        };
        Ok(x.with_dims(dims))
    }

    pub(super) fn transpose(&self) -> Result<Constant, String> {
        let x = self.input(0)?;
        let rank = x.dims.len();
        let perm: Vec<usize> = match self.node.ints("perm") {
            Some(perm) => perm.iter().map(|&p| usize::try_from(p).unwrap_or(rank)).collect(),
            None => (0..rank).rev().collect(),
        };
        let mut sorted = perm.clone();
        sorted.sort_unstable();
        if sorted != (0..rank).collect::<Vec<_>>() {
            return Err(format!("permutation {perm:?} of a constant of {rank} dimensions"));
        }
        let own = Strides::of(&x.dims).0;
        let dims = perm.iter().map(|&p| x.dims[p]).collect();
        self.strided(x, 0, dims, Strides(perm.iter().map(|&p| own[p]).collect()))
    }

    pub(super) fn slice(&self) -> Result<Constant, String> {
        let x = self.input(0)?;
        let (starts, ends) = (self.ints(1, "starts")?, self.ints(2, "ends")?);
        let (starts, ends) = starts.zip(ends).ok_or("no limits")?;
        let axes = self.ints(3, "axes")?.unwrap_or_else(|| (0..starts.len() as i64).collect());
        let steps = self.ints(4, "steps")?.unwrap_or_else(|| vec![1; starts.len()]);
        if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
            return Err("limits of different lengths".into());
        }
        shapes::axes(&axes, x.dims.len())?;
        let (mut offset, mut dims, mut strides) = (0, x.dims.clone(), Strides::of(&x.dims));
        for k in 0..starts.len() {
            let at = shapes::axis(axes[k], x.dims.len())?;
            let (first, count) = shapes::slice_range(x.dims[at], starts[k], ends[k], steps[k])?;
            offset += if count == 0 { 0 } else { first * strides.0[at] as usize };
            dims[at] = count;
            // A step beyond the values is not taken.
            let step = if count < 2 { 1 } else { steps[k] as isize };
            strides.0[at] *= step;
        }
        self.strided(x, offset, dims, strides)
    }

    pub(super) fn split(&self) -> Result<Vec<Constant>, String> {
        let x = self.input(0)?;
        let at = shapes::axis(self.node.int("axis", 0), x.dims.len())?;
        let sizes = shapes::split_sizes(self.node, self.ints(1, "split")?, x.dims[at])?;
        let strides = Strides::of(&x.dims);
        let mut start = 0;
        let part = |size: usize| {
            let mut dims = x.dims.clone();
            dims[at] = size;
            let part = self.strided(x, start * strides.0[at] as usize, dims, strides.clone());
            start += size;
            part
        };
        sizes.into_iter().map(part).collect()
    }

    pub(super) fn concat(&self) -> Result<Constant, String> {
        let parts = (0..self.inputs.len()).map(|k| self.input(k)).collect::<Result<Vec<_>, _>>()?;
        let first = *parts.first().ok_or("no inputs")?;
        let at = shapes::axis(self.node.int("axis", 1), first.dims.len())?;
        let fits = |part: &Constant| {
            part.dims.len() == first.dims.len()
                && (0..first.dims.len()).all(|k| k == at || part.dims[k] == first.dims[k])
        };
        if !parts.iter().all(|part| fits(part)) {
            let shapes: Vec<String> = parts.iter().map(|part| crate::error::format_shape(&part.dims)).collect();
            return Err(format!("joining constants of shapes {} along axis {at}", shapes.join(" and ")));
        }
        let mut dims = first.dims.clone();
        dims[at] = parts.iter().map(|part| part.dims[at]).sum();
        self.budget.count(&dims)?;
        let outer: usize = dims[..at].iter().product();
        fn joined<T: Copy>(parts: &[&[T]], outer: usize) -> Vec<T> {
            let mut out = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
            for row in 0..outer {
                for part in parts {
                    let block = part.len() / outer;
                    out.extend_from_slice(&part[row * block..(row + 1) * block]);
                }
            }
            out
        }
        let same = |of: ElementType| parts.iter().all(|part| part.element_type() == of);
        let numbers = match &first.numbers {
            Numbers::Float(of, _) if same(*of) => {
                let floats: Vec<_> = parts.iter().map(|part| part.floats()).collect();
                let slices: Vec<&[f32]> = floats.iter().map(|values| values.as_slice()).collect();
                Numbers::Float(*of, std::sync::Arc::new(joined(&slices, outer)))
            }
            Numbers::Double(_) if same(ElementType::Double) => {
                let values = |part: &&Constant| part.doubles();
                let doubles: Vec<_> = parts.iter().map(values).collect();
                let slices: Vec<&[f64]> = doubles.iter().map(|values| values.as_slice()).collect();
                Numbers::Double(std::sync::Arc::new(joined(&slices, outer)))
            }
            Numbers::Int(of, _) => {
                let slice = |part: &&'_ Constant| match &part.numbers {
                    Numbers::Int(_, values) => Some(values.clone()),
                    _ => None,
                };
                let ints: Vec<_> = parts.iter().map(slice).collect::<Option<_>>().ok_or("joining different types")?;
                let slices: Vec<&[i64]> = ints.iter().map(|values| values.as_slice()).collect();
                Numbers::Int(*of, std::sync::Arc::new(joined(&slices, outer)))
            }
            _ => return Err("joining constants of different types".into()),
        };
        Ok(Constant { dims, numbers })
    }

    pub(super) fn expand(&self) -> Result<Constant, String> {
        let x = self.input(0)?;
        let target = shapes::from_ints(&self.ints(1, "shape")?.ok_or("no target shape")?)?;
        let dims = super::broadcast::common_dims(&[&x.dims, &target])?;
        self.strided(x, 0, dims.clone(), Strides::broadcast(&x.dims, &dims))
    }

    pub(super) fn tile(&self) -> Result<Constant, String> {
        let x = self.input(0)?;
        let repeats = shapes::from_ints(&self.ints(1, "repeats")?.ok_or("no repeats")?)?;
        if repeats.len() != x.dims.len() {
            return Err(format!("{} repeats for {} dimensions", repeats.len(), x.dims.len()));
        }
        let own = Strides::of(&x.dims).0;
        let (mut dims, mut strides) = (Vec::new(), Vec::new());
        for k in 0..repeats.len() {
            dims.extend([repeats[k], x.dims[k]]);
            strides.extend([0, own[k]]);
        }
        let tiled = self.strided(x, 0, dims, Strides(strides))?;
        Ok(tiled.with_dims(x.dims.iter().zip(&repeats).map(|(n, r)| n * r).collect()))
    }

    pub(super) fn pad(&self) -> Result<Constant, String> {
        let mut x = self.input(0)?.clone();
        let mode = padding::mode(self.node);
        let widths = padding::widths(self.node, x.dims.len(), |k, name| self.ints(k, name))?;
        let value = match self.optional(2) {
            Some(value) => value.scalar().ok_or("a padding value that is not a scalar")?,
            None => f64::from(self.node.float("value", 0.0)),
        };
        for (at, (before, after)) in widths.into_iter().enumerate() {
            if (before, after) == (0, 0) {
                continue;
            }
            let n = x.dims[at];
            let positions = padding::positions(&mode, n, before, after)?;
            let mut dims = x.dims.clone();
            dims[at] = positions.len();
            self.budget.count(&dims)?;
            let (outer, inner): (usize, usize) = (dims[..at].iter().product(), dims[at + 1..].iter().product());
            fn padded<T: Copy>(
                values: &[T],
                outer: usize,
                n: usize,
                inner: usize,
                at: &[Option<usize>],
                fill: T,
            ) -> Vec<T> {
                let mut out = Vec::with_capacity(outer * at.len() * inner);
                for row in 0..outer {
                    for position in at {
                        match position {
                            Some(k) => out.extend_from_slice(&values[(row * n + k) * inner..][..inner]),
                            None => out.resize(out.len() + inner, fill),
                        }
                    }
                }
                out
            }
            let numbers = match &x.numbers {
                Numbers::Float(of, v) => {
                    Numbers::Float(*of, padded(v, outer, n, inner, &positions, value as f32).into())
                }
                Numbers::Double(v) => Numbers::Double(padded(v, outer, n, inner, &positions, value).into()),
                Numbers::Int(of, v) => Numbers::Int(*of, padded(v, outer, n, inner, &positions, value as i64).into()),
            };
            x = Constant { dims, numbers };
        }
        Ok(x)
    }

    /// The values of `x` at `offset + index · strides` for each index below `dims`.
    fn strided(&self, x: &Constant, offset: usize, dims: Vec<usize>, strides: Strides) -> Result<Constant, String> {
        self.budget.count(&dims)?;
        let numbers = each_storage!(&x.numbers, v => strided::copy(v, offset, &dims, strides));
        Ok(Constant { dims, numbers })
    }
}

/// `x` broadcast to `dims`, which fit.
pub fn expanded(x: &Constant, dims: &[usize]) -> Constant {
    if x.dims == dims {
        return x.clone();
    }
    let strides = Strides::broadcast(&x.dims, dims);
    let numbers = each_storage!(&x.numbers, v => strided::copy(v, 0, dims, strides));
    Constant { dims: dims.to_vec(), numbers }
}
