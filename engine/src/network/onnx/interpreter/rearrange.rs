//! Operators that move elements without change: reshapes, transposes, slices, concatenation, tiling.

use super::index::{self, View, broadcast, count, is_bounded, strides};
use super::operator::{Built, Kind, Operator, Site};

/// The elements in the same order, with another shape.
fn reshaped(site: &Site, shape: Vec<usize>) -> Built {
    let from = site.shape(0)?;
    if !is_bounded(&shape) || count(from) != count(&shape) {
        let [from, to] = [from, &shape].map(crate::error::format_shape);
        return Err(format!("{from} values do not have shape {to}"));
    }
    Operator::one(site.data_type(0)?, shape, |index, fetch| fetch.input(0, index))
}

/// `Reshape`.
pub fn reshape(site: &Site) -> Built {
    let from = site.shape(0)?;
    let keeps_zero = site.flag("allowzero", false);
    let wanted = site.constant_ints(1)?.ok_or("its shape is missing")?;
    let mut open = None;
    let mut shape = Vec::with_capacity(wanted.len());
    for (axis, &dim) in wanted.iter().enumerate() {
        shape.push(match dim {
            0 if !keeps_zero => *from.get(axis).ok_or("a dimension is copied from an axis that is not there")?,
            -1 if open.is_none() => {
                open = Some(axis);
                1
            }
            dim => usize::try_from(dim).map_err(|_| format!("shape {wanted:?} is invalid"))?,
        });
    }
    if let Some(axis) = open.filter(|_| is_bounded(&shape)) {
        shape[axis] = count(from).checked_div(count(&shape)).ok_or("the open dimension of an empty value")?;
    }
    reshaped(site, shape)
}

/// `Flatten`.
pub fn flatten(site: &Site) -> Built {
    let from = site.shape(0)?;
    let axis = match site.int("axis", 1) {
        axis if axis == from.len() as i64 => from.len(),
        axis => index::axis(axis, from.len())?,
    };
    let (outer, inner) = from.split_at(axis);
    reshaped(site, vec![count(outer), count(inner)])
}

/// `Squeeze`: removes the named dimensions of length 1, or all.
pub fn squeeze(site: &Site) -> Built {
    let from = site.shape(0)?;
    let axes = match site.ints_of(1, "axes")? {
        Some(axes) => index::axes(&axes, from.len())?,
        None => (0..from.len()).filter(|&axis| from[axis] == 1).collect(),
    };
    if let Some(&axis) = axes.iter().find(|&&axis| from[axis] != 1) {
        return Err(format!("dimension {axis} has length {}", from[axis]));
    }
    reshaped(site, (0..from.len()).filter(|axis| !axes.contains(axis)).map(|axis| from[axis]).collect())
}

/// `Unsqueeze`.
pub fn unsqueeze(site: &Site) -> Built {
    let axes = site.ints_of(1, "axes")?.ok_or("its axes are missing")?;
    let mut from = site.shape(0)?.iter().copied();
    let rank = from.len() + axes.len();
    let axes = index::axes(&axes, rank)?;
    reshaped(site, (0..rank).map(|axis| if axes.contains(&axis) { 1 } else { from.next().unwrap_or(1) }).collect())
}

/// The elements of input 0, seen as an array of shape `dims`, with axes in the order `order`.
fn permuted(site: &Site, dims: &[usize], order: &[usize], shape: Vec<usize>) -> Built {
    let steps = strides(dims);
    let steps: Vec<isize> = order.iter().map(|&axis| steps[axis] as isize).collect();
    let dims: Vec<usize> = order.iter().map(|&axis| dims[axis]).collect();
    Operator::view(site.data_type(0)?, shape, View::new(&dims, &steps, 0))
}

/// `Transpose`.
pub fn transpose(site: &Site) -> Built {
    let from = site.shape(0)?;
    let order = match site.ints("perm").filter(|perm| !perm.is_empty()) {
        Some(perm) => index::axes(perm, from.len())?,
        None => (0..from.len()).rev().collect(),
    };
    if order.len() != from.len() {
        return Err(format!("a permutation of {} axes for {} dimensions", order.len(), from.len()));
    }
    permuted(site, from, &order, order.iter().map(|&axis| from[axis]).collect())
}

/// `DepthToSpace` and `SpaceToDepth`.
pub fn depth_and_space(site: &Site) -> Built {
    let &[n, c, h, w] = site.shape(0)? else {
        return Err("its input has other than four dimensions".into());
    };
    let b = usize::try_from(site.int("blocksize", 0)).ok().filter(|b| (1..=1 << 20).contains(b));
    let b = b.ok_or("its blocksize is missing")?;
    let mode = site.choice("mode", &["DCR", "CRD"])?;
    let to_space = site.node.op_type == "DepthToSpace";
    if if to_space { c % (b * b) != 0 } else { h % b != 0 || w % b != 0 } {
        return Err(format!("blocks of {b} do not divide its input"));
    }
    match (to_space, mode) {
        (true, "DCR") => {
            let c = c / (b * b);
            permuted(site, &[n, b, b, c, h, w], &[0, 3, 4, 1, 5, 2], vec![n, c, h * b, w * b])
        }
        (true, _) => {
            let c = c / (b * b);
            permuted(site, &[n, c, b, b, h, w], &[0, 1, 4, 2, 5, 3], vec![n, c, h * b, w * b])
        }
        // The newest standard has both orders here too.
        (false, "DCR") => {
            let (h, w) = (h / b, w / b);
            permuted(site, &[n, c, h, b, w, b], &[0, 3, 5, 1, 2, 4], vec![n, c * b * b, h, w])
        }
        (false, _) => {
            let (h, w) = (h / b, w / b);
            permuted(site, &[n, c, h, b, w, b], &[0, 1, 3, 5, 2, 4], vec![n, c * b * b, h, w])
        }
    }
}

/// `Expand`.
pub fn expand(site: &Site) -> Built {
    let from = site.shape(0)?;
    let wanted = site.constant_ints(1)?.ok_or("its shape is missing")?;
    let wanted: Option<Vec<usize>> = wanted.iter().map(|&dim| usize::try_from(dim).ok()).collect();
    let shape = broadcast(&[from, &wanted.ok_or("its shape is invalid")?])?;
    let view = View::broadcast(from, &shape)?;
    Operator::view(site.data_type(0)?, shape, view)
}

/// `Tile`.
pub fn tile(site: &Site) -> Built {
    let from = site.shape(0)?;
    let repeats = site.constant_ints(1)?.ok_or("its repeats are missing")?;
    let repeats: Option<Vec<usize>> =
        repeats.iter().map(|&r| usize::try_from(r).ok().filter(|&r| r <= index::MAX_ELEMENTS)).collect();
    let repeats = repeats.filter(|r| r.len() == from.len()).ok_or("its repeats do not fit")?;
    let shape: Vec<usize> = from.iter().zip(&repeats).map(|(dim, repeat)| dim * repeat).collect();
    // Each dimension is two: that of the repeats, and the original one.
    let dims: Vec<usize> = repeats.iter().zip(from).flat_map(|(&repeat, &dim)| [repeat, dim]).collect();
    let steps: Vec<isize> = strides(from).iter().flat_map(|&step| [0, step as isize]).collect();
    Operator::view(site.data_type(0)?, shape, View::new(&dims, &steps, 0))
}

/// `Concat`.
pub fn concat(site: &Site) -> Built {
    let shapes = (0..site.count()).map(|k| site.shape(k)).collect::<Result<Vec<_>, String>>()?;
    let first = *shapes.first().ok_or("it has no input")?;
    let axis = site.axis(0, first.len())?;
    let agrees =
        |shape: &&[usize]| shape.len() == first.len() && (0..first.len()).all(|a| a == axis || shape[a] == first[a]);
    if !shapes.iter().all(agrees) {
        return Err("its inputs have different shapes".into());
    }
    let lengths: Vec<usize> = shapes.iter().map(|shape| shape[axis]).collect();
    let total = lengths.iter().sum();
    let mut shape = first.to_vec();
    shape[axis] = total;
    let inner = count(&first[axis + 1..]);
    Operator::one(site.data_type(0)?, shape, move |index, fetch| {
        let (outer, mut at, rest) = (index / inner / total, index / inner % total, index % inner);
        for (k, &length) in lengths.iter().enumerate() {
            if at < length {
                return fetch.input(k, (outer * length + at) * inner + rest);
            }
            at -= length;
        }
        f64::NAN
    })
}

/// `Split`.
pub fn split(site: &Site) -> Built {
    let from = site.shape(0)?;
    let axis = site.axis(0, from.len())?;
    let length = from[axis];
    let stated = site.int("num_outputs", 0);
    let lengths: Vec<usize> = match site.ints_of(1, "split")?.filter(|list| !list.is_empty()) {
        Some(list) => list.iter().map(|&part| usize::try_from(part).unwrap_or(usize::MAX)).collect(),
        None => {
            let outputs = site.node.output.len();
            let parts = if stated == 0 { outputs } else { usize::try_from(stated).unwrap_or(0) };
            if parts == 0 || parts != outputs || stated == 0 && length % parts != 0 {
                return Err(format!("{length} values do not make {parts} parts for {outputs} outputs"));
            }
            // The last part may be smaller.
            let part = length.div_ceil(parts);
            (0..parts).map(|k| part.min(length.saturating_sub(k * part))).collect()
        }
    };
    if lengths.iter().try_fold(0usize, |sum, &part| sum.checked_add(part)) != Some(length) {
        return Err(format!("parts of {lengths:?} of {length} values"));
    }
    let inner = count(&from[axis + 1..]);
    let part = |&part: &usize| {
        let mut shape = from.to_vec();
        shape[axis] = part;
        Ok(Kind { data_type: site.data_type(0)?, shape })
    };
    let outputs = lengths.iter().map(part).collect::<Result<Vec<_>, String>>()?;
    Operator::several(outputs, move |k, index, fetch| {
        let before: usize = lengths[..k].iter().sum();
        let (outer, at, rest) = (index / inner / lengths[k], index / inner % lengths[k], index % inner);
        fetch.input(0, (outer * length + before + at) * inner + rest)
    })
}

/// `Slice`, whose limits are attributes before operator set 10.
pub fn slice(site: &Site) -> Built {
    let from = site.shape(0)?;
    let limits = |k, name| {
        let list = if site.opset < 10 { site.ints(name).map(<[i64]>::to_vec) } else { site.constant_ints(k)? };
        Ok::<_, String>(list)
    };
    let starts = limits(1, "starts")?.ok_or("its starts are missing")?;
    let ends = limits(2, "ends")?.ok_or("its ends are missing")?;
    let axes = match limits(3, "axes")? {
        Some(axes) => index::axes(&axes, from.len())?,
        None => (0..starts.len().min(from.len())).collect(),
    };
    let steps = if site.opset < 10 { None } else { site.constant_ints(4)? };
    let steps = steps.unwrap_or_else(|| vec![1; axes.len()]);
    if [starts.len(), ends.len(), steps.len()].iter().any(|&n| n != axes.len()) || steps.contains(&0) {
        return Err("its limits do not fit its axes".into());
    }
    let mut shape = from.to_vec();
    let mut moves: Vec<isize> = strides(from).iter().map(|&s| s as isize).collect();
    let mut first = 0isize;
    for (k, &axis) in axes.iter().enumerate() {
        let (length, step) = (from[axis] as i64, steps[k]);
        // The standard has the end of the axis here, onnxruntime its start.
        if step < 0 && [i64::from(i32::MAX), i64::MAX].contains(&ends[k]) {
            return Err("a slice backwards to the end is not defined".into());
        }
        let counted = |at: i64| if at < 0 { at.saturating_add(length) } else { at };
        let (lowest, highest) = if step > 0 { (0, length) } else { (-1, length - 1) };
        // A start before the input is its first element in both directions.
        let start = counted(starts[k]).clamp(0, highest.max(0));
        let end = counted(ends[k]).clamp(lowest, highest.max(lowest));
        let distance = if step > 0 { end - start } else { start - end };
        let size = if length == 0 { 0 } else { distance.max(0).unsigned_abs().div_ceil(step.unsigned_abs()) };
        shape[axis] = size as usize;
        first += start as isize * moves[axis];
        moves[axis] = if size > 1 { moves[axis] * step as isize } else { 0 };
    }
    let view = View::new(&shape, &moves, first);
    Operator::view(site.data_type(0)?, shape, view)
}
