//! Positions in row-major arrays: strides, axes, broadcasting, and affine views of an array.

/// Maximum length of one dimension, and maximum elements of a computed value.
pub const MAX_ELEMENTS: usize = 1 << 28;

/// Number of elements of `shape`; the largest number if there are more.
pub fn count(shape: &[usize]) -> usize {
    shape.iter().fold(1, |product, &dim| product.saturating_mul(dim))
}

/// Whether a value of `shape` is small enough: also without its empty dimensions it has at most [`MAX_ELEMENTS`].
pub fn is_bounded(shape: &[usize]) -> bool {
    let product = shape.iter().try_fold(1usize, |product, &dim| product.checked_mul(dim.max(1)));
    product.is_some_and(|product| product <= MAX_ELEMENTS)
}

/// Row-major strides of `shape`.
pub fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1usize; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis].saturating_mul(shape[axis]);
    }
    strides
}

/// Position of element `index` in `shape`.
pub fn unravel(mut index: usize, shape: &[usize]) -> Vec<usize> {
    let mut position = vec![0; shape.len()];
    for (at, &dim) in position.iter_mut().zip(shape).rev() {
        *at = index % dim.max(1);
        index /= dim.max(1);
    }
    position
}

/// Index of the element at `position` in `shape`.
pub fn ravel(position: &[usize], shape: &[usize]) -> usize {
    position.iter().zip(shape).fold(0, |index, (&at, &dim)| index * dim + at)
}

/// `axis` of a value of `rank` dimensions; negative ones count from the end.
pub fn axis(axis: i64, rank: usize) -> Result<usize, String> {
    let counted = if axis < 0 { axis.saturating_add(rank as i64) } else { axis };
    usize::try_from(counted).ok().filter(|&a| a < rank).ok_or_else(|| format!("axis {axis} of {rank} dimensions"))
}

/// Several [`axis`], each at most once.
pub fn axes(axes: &[i64], rank: usize) -> Result<Vec<usize>, String> {
    let found = axes.iter().map(|&a| axis(a, rank)).collect::<Result<Vec<usize>, String>>()?;
    match (1..found.len()).find(|&k| found[..k].contains(&found[k])) {
        Some(k) => Err(format!("axis {} is named twice", axes[k])),
        None => Ok(found),
    }
}

/// The shape to which `shapes` are broadcast, as numpy does.
pub fn broadcast(shapes: &[&[usize]]) -> Result<Vec<usize>, String> {
    let rank = shapes.iter().map(|s| s.len()).max().unwrap_or(0);
    let mut to = vec![1; rank];
    for shape in shapes {
        for (dim, &other) in to.iter_mut().rev().zip(shape.iter().rev()) {
            match (*dim, other) {
                (_, 1) => {}
                (1, _) => *dim = other,
                (a, b) if a == b => {}
                (a, b) => return Err(format!("dimensions {a} and {b} do not broadcast")),
            }
        }
    }
    Ok(to)
}

/// An affine map from the elements of an array to those of another: a transpose, slice, or broadcast.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    dims: Vec<usize>,
    strides: Vec<isize>,
    start: isize,
}

impl View {
    /// The view of shape `dims` that starts at element `start` and moves by `strides`.
    pub fn new(dims: &[usize], strides: &[isize], start: isize) -> Self {
        // Neighboring dimensions that form one run are merged: fewer divisions for every element.
        let mut view = Self { dims: Vec::new(), strides: Vec::new(), start };
        for (&dim, &stride) in dims.iter().zip(strides).filter(|(dim, _)| **dim != 1) {
            match (view.dims.last_mut(), view.strides.last_mut()) {
                (Some(last), Some(step)) if *step == stride.saturating_mul(dim as isize) => {
                    *last = last.saturating_mul(dim);
                    *step = stride;
                }
                _ => {
                    view.dims.push(dim);
                    view.strides.push(stride);
                }
            }
        }
        view
    }

    /// The view of an array of shape `from` broadcast to shape `to`.
    pub fn broadcast(from: &[usize], to: &[usize]) -> Result<Self, String> {
        let fits = from.len() <= to.len() && from.iter().rev().zip(to.iter().rev()).all(|(&a, &b)| a == b || a == 1);
        if !fits {
            let [from, to] = [from, to].map(crate::error::format_shape);
            return Err(format!("shape {from} does not broadcast to {to}"));
        }
        let mut steps = vec![0isize; to.len() - from.len()];
        steps.extend(strides(from).iter().zip(from).map(|(&s, &dim)| if dim == 1 { 0 } else { s as isize }));
        Ok(Self::new(to, &steps, 0))
    }

    /// The element of the other array for element `index` of this one.
    pub fn index(&self, mut index: usize) -> usize {
        let mut at = self.start;
        for (&dim, &stride) in self.dims.iter().zip(&self.strides).rev() {
            at += (index % dim.max(1)) as isize * stride;
            index /= dim.max(1);
        }
        at as usize
    }
}

/// A reduction of an array over some axes.
pub struct Reduction {
    /// The remaining dimensions, without those reduced.
    pub kept: Vec<usize>,
    /// First element of the group of a result.
    base: View,
    /// Distance of a member from the first.
    member: View,
    /// The result to which an element belongs.
    group: View,
    /// Members of a group.
    pub size: usize,
}

impl Reduction {
    /// The reduction of an array of `shape` over `axes`.
    pub fn new(shape: &[usize], axes: &[usize]) -> Self {
        let steps = strides(shape);
        let select = |reduced: bool| {
            let chosen: Vec<usize> = (0..shape.len()).filter(|axis| axes.contains(axis) == reduced).collect();
            let dims: Vec<usize> = chosen.iter().map(|&axis| shape[axis]).collect();
            let steps: Vec<isize> = chosen.iter().map(|&axis| steps[axis] as isize).collect();
            (dims, steps)
        };
        let ((kept, kept_steps), (reduced, reduced_steps)) = (select(false), select(true));
        let mut result_steps = strides(&kept).into_iter();
        let group: Vec<isize> = (0..shape.len())
            .map(|axis| if axes.contains(&axis) { 0 } else { result_steps.next().unwrap_or(0) as isize })
            .collect();
        Self {
            base: View::new(&kept, &kept_steps, 0),
            member: View::new(&reduced, &reduced_steps, 0),
            group: View::new(shape, &group, 0),
            size: count(&reduced),
            kept,
        }
    }

    /// The elements of the group of result `index`.
    pub fn members(&self, index: usize) -> impl Iterator<Item = usize> {
        let base = self.base.index(index);
        (0..self.size).map(move |k| base + self.member.index(k))
    }

    /// The result to which element `index` belongs.
    pub fn group(&self, index: usize) -> usize {
        self.group.index(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_and_reductions_name_the_right_elements() {
        let transposed = View::new(&[3, 2], &[1, 3], 0);
        assert_eq!((0..6).map(|i| transposed.index(i)).collect::<Vec<_>>(), [0, 3, 1, 4, 2, 5]);
        let column = View::broadcast(&[2, 1], &[2, 3]).unwrap();
        assert_eq!((0..6).map(|i| column.index(i)).collect::<Vec<_>>(), [0, 0, 0, 1, 1, 1]);
        assert!(View::broadcast(&[2], &[3]).is_err() && View::broadcast(&[1, 3], &[3]).is_err());
        let reduction = Reduction::new(&[2, 3, 2], &[0, 2]);
        assert_eq!((reduction.kept.clone(), reduction.size), (vec![3], 4));
        assert_eq!(reduction.members(1).collect::<Vec<_>>(), [2, 3, 8, 9]);
        assert_eq!((0..12).map(|i| reduction.group(i)).collect::<Vec<_>>(), [0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2]);
        assert_eq!(unravel(7, &[2, 3, 2]), [1, 0, 1]);
        assert_eq!(ravel(&[1, 0, 1], &[2, 3, 2]), 7);
    }

    #[test]
    fn shapes_broadcast_as_in_numpy() {
        assert_eq!(broadcast(&[&[2, 1, 3], &[4, 1], &[]]).unwrap(), [2, 4, 3]);
        assert_eq!(broadcast(&[&[0, 1], &[1, 5]]).unwrap(), [0, 5]);
        assert!(broadcast(&[&[2], &[3]]).is_err());
        assert!(axes(&[0, -1], 1).is_err() && axis(-3, 2).is_err());
        assert!(!is_bounded(&[1 << 20, 1 << 20]) && !is_bounded(&[0, usize::MAX, 2]));
    }
}
