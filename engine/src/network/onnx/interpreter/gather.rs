//! Operators that select elements by constant indices: Gather, Scatter, OneHot, NonZero.

use std::collections::HashMap;

use super::data_type::DataType;
use super::index::{View, axis, count, ravel, strides, unravel};
use super::operator::{Built, Operator, Site};

/// Indices along an axis of `length` elements; negative ones count from the end.
fn positions(indices: &[i64], length: usize) -> Result<Vec<usize>, String> {
    let position = |&index: &i64| axis(index, length).map_err(|_| format!("index {index} of {length} elements"));
    indices.iter().map(position).collect()
}

/// `Gather`.
pub fn gather(site: &Site) -> Built {
    let (from, indices) = (site.shape(0)?, site.shape(1)?);
    let axis = site.axis(0, from.len())?;
    let (outer, rest) = from.split_at(axis);
    let (length, inner) = rest.split_first().map_or((1, 1), |(&length, inner)| (length, count(inner)));
    let shape = [outer, indices, &from[axis + 1..]].concat();
    let positions = positions(&site.constant_ints(1)?.unwrap_or_default(), length)?;
    Operator::one(site.data_type(0)?, shape, move |index, fetch| {
        let (outer, at, rest) = (index / inner / positions.len(), index / inner % positions.len(), index % inner);
        fetch.input(0, (outer * length + positions[at]) * inner + rest)
    })
}

/// `GatherElements`.
pub fn gather_elements(site: &Site) -> Built {
    let (from, to) = (site.shape(0)?.to_vec(), site.shape(1)?.to_vec());
    let axis = site.axis(0, from.len())?;
    let fits = from.len() == to.len() && (0..from.len()).all(|a| a == axis || to[a] <= from[a]);
    if !fits {
        return Err("its indices do not fit its input".into());
    }
    let positions = positions(&site.constant_ints(1)?.unwrap_or_default(), from[axis])?;
    let shape = to.clone();
    Operator::one(site.data_type(0)?, shape, move |index, fetch| {
        let mut at = unravel(index, &to);
        at[axis] = positions[index];
        fetch.input(0, ravel(&at, &from))
    })
}

/// First elements of the slices of an array of shape `from` that the rows of `indices` name.
fn slices(indices: &[i64], width: usize, from: &[usize]) -> Result<Vec<usize>, String> {
    let steps = strides(from);
    let row = |row: &[i64]| {
        let named = row.iter().zip(from).zip(&steps);
        named.map(|((index, &dim), step)| Ok(positions(&[*index], dim)?[0] * step)).sum::<Result<usize, String>>()
    };
    if width == 0 { Ok(vec![0; indices.len().max(1)]) } else { indices.chunks_exact(width).map(row).collect() }
}

/// `GatherND`.
pub fn gather_nd(site: &Site) -> Built {
    let (from, to) = (site.shape(0)?, site.shape(1)?);
    let batch_axes = usize::try_from(site.int("batch_dims", 0)).unwrap_or(usize::MAX);
    let Some((&width, outer)) = to.split_last().filter(|(width, outer)| {
        batch_axes <= outer.len() && batch_axes.saturating_add(**width) <= from.len() && **width > 0
    }) else {
        return Err("its indices do not fit its input".into());
    };
    if outer[..batch_axes] != from[..batch_axes] {
        return Err("its indices have other batches than its input".into());
    }
    let batches = count(&outer[..batch_axes]);
    let inner = count(&from[batch_axes + width..]);
    let rows_of_batch = count(&outer[batch_axes..]);
    let size_of_batch = count(&from[batch_axes..]);
    let shape = [outer, &from[batch_axes + width..]].concat();
    let firsts = slices(&site.constant_ints(1)?.unwrap_or_default(), width, &from[batch_axes..])?;
    if firsts.len() != batches * rows_of_batch {
        return Err("its indices do not fit its input".into());
    }
    Operator::one(site.data_type(0)?, shape, move |index, fetch| {
        let (row, rest) = (index / inner, index % inner);
        fetch.input(0, row / rows_of_batch * size_of_batch + firsts[row] + rest)
    })
}

/// `ScatterND` and `ScatterElements` (`Scatter`): input 0, some of whose elements are replaced by those of input 2.
pub fn scatter(site: &Site) -> Built {
    let kind = site.kind(0)?.clone();
    let (from, indices, updates) = (&kind.shape, site.shape(1)?, site.shape(2)?);
    let fold: fn(f64, f64) -> f64 = match site.choice("reduction", &["none", "add", "mul", "max", "min"])? {
        "add" => |a, b| a + b,
        "mul" => |a, b| a * b,
        "max" => f64::max,
        "min" => f64::min,
        _ => |_, b| b,
    };
    let numbers = site.constant_ints(1)?.unwrap_or_default();
    // Elements of input 2 by the element that they change, in their order.
    let mut changes: HashMap<usize, Vec<usize>> = HashMap::new();
    if site.node.op_type == "ScatterND" {
        let (&width, outer) = indices.split_last().ok_or("its indices have no dimension")?;
        let inner = from.get(width..).ok_or("its indices do not fit its input")?;
        if width == 0 || [outer, inner].concat() != updates {
            return Err("its updates do not fit its indices".into());
        }
        for (row, first) in slices(&numbers, width, from)?.into_iter().enumerate() {
            let size = count(inner);
            (0..size).for_each(|k| changes.entry(first + k).or_default().push(row * size + k));
        }
    } else {
        let axis = site.axis(0, from.len())?;
        let fits = indices.len() == from.len() && (0..from.len()).all(|a| a == axis || indices[a] <= from[a]);
        if !fits || updates != indices {
            return Err("its updates do not fit its indices".into());
        }
        for (k, position) in positions(&numbers, from[axis])?.into_iter().enumerate() {
            let mut at = unravel(k, indices);
            at[axis] = position;
            changes.entry(ravel(&at, from)).or_default().push(k);
        }
    }
    Operator::one(kind.data_type, kind.shape.clone(), move |index, fetch| {
        let updates = changes.get(&index).into_iter().flatten();
        updates.fold(fetch.input(0, index), |number, &k| fold(number, fetch.input(2, k)))
    })
}

/// `OneHot`, also of indices that depend on the network's input.
pub fn one_hot(site: &Site) -> Built {
    let from = site.shape(0)?;
    let depth = site.constant_ints(1)?.and_then(|depth| depth.first().copied()).and_then(|d| usize::try_from(d).ok());
    let depth = depth.ok_or("its depth is missing")?;
    site.require_count(2, 2)?;
    let axis = site.axis(-1, from.len() + 1)?;
    let mut shape = from.to_vec();
    shape.insert(axis, depth);
    let mut steps: Vec<isize> = strides(from).iter().map(|&s| s as isize).collect();
    steps.insert(axis, 0);
    let view = View::new(&shape, &steps, 0);
    let step = strides(&shape)[axis];
    Operator::one(site.data_type(2)?, shape, move |index, fetch| {
        let wanted = fetch.input(0, view.index(index)).trunc();
        let wanted = if wanted < 0.0 { wanted + depth as f64 } else { wanted };
        let (off, on) = (fetch.input(2, 0), fetch.input(2, 1));
        if wanted == (index / step % depth) as f64 { on } else { off }
    })
}

/// `NonZero` of a constant: positions of its elements other than 0, `[rank, n]`.
pub fn non_zero(site: &Site) -> Built {
    let from = site.shape(0)?;
    let numbers = site.constant(0)?.unwrap_or_default();
    let found: Vec<Vec<usize>> =
        numbers.iter().enumerate().filter(|(_, v)| **v != 0.0).map(|(k, _)| unravel(k, from)).collect();
    // A scalar counts as a vector of one element.
    let rank = from.len().max(1);
    let at = |axis: usize| found.iter().map(move |position| position.get(axis).copied().unwrap_or(0) as f64);
    Operator::constant(DataType::I64, vec![rank, found.len()], (0..rank).flat_map(at).collect())
}
