//! Dimensions after reshape, squeeze, unsqueeze, flatten and reductions, by the rules of ONNX.

pub mod padding;

use super::proto::NodeProto;
use crate::error::format_shape;

/// Dimensions as integers of a shape tensor.
pub fn as_ints(dims: &[usize]) -> Vec<i64> {
    dims.iter().map(|&d| d as i64).collect()
}

/// Dimensions of a shape tensor.
///
/// # Errors
/// A message if one is negative.
pub fn from_ints(dims: &[i64]) -> Result<Vec<usize>, String> {
    let dims_or_none: Option<Vec<usize>> = dims.iter().map(|&d| usize::try_from(d).ok()).collect();
    dims_or_none.ok_or_else(|| format!("an invalid shape {}", format_shape(dims)))
}

/// A shape whose open sizes are printed as `?`: "?x3x224x224".
pub fn format_open(dims: &[Option<usize>]) -> String {
    let sides: Vec<String> = dims.iter().map(|d| d.map_or_else(|| "?".into(), |d| d.to_string())).collect();
    sides.join("x")
}

/// The number of values of a shape; `None` if it is beyond any memory, even of a shape whose other sizes are 0.
pub fn count(dims: &[usize]) -> Option<usize> {
    let without_zeros = dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d.max(1)));
    without_zeros.map(|n| if dims.contains(&0) { 0 } else { n })
}

/// The dimensions of `from` after a reshape to `target`: 0 keeps a dimension (with `allow_zero` it is one of size 0),
/// −1 is computed from the others.
///
/// # Errors
/// The reason why the target is invalid.
pub fn resolve(from: &[usize], target: &[i64], allow_zero: bool) -> Result<Vec<usize>, String> {
    let total = count(from).ok_or("a shape that is too large")?;
    let mut dims = Vec::with_capacity(target.len());
    let mut inferred = None;
    for (i, &d) in target.iter().enumerate() {
        dims.push(match d {
            -1 if inferred.replace(i).is_none() => 1,
            0 if allow_zero => 0,
            0 => *from.get(i).ok_or("a reshape keeps a dimension that does not exist")?,
            d if d > 0 => usize::try_from(d).map_err(|_| "an invalid dimension".to_owned())?,
            _ => return Err(format!("invalid reshape target {target:?}")),
        });
    }
    let known = dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).ok_or("an invalid reshape target")?;
    if let Some(inferred) = inferred {
        dims[inferred] = total.checked_div(known).ok_or("a reshape target with sizes 0 and -1")?;
    }
    if count(&dims) != Some(total) {
        return Err(format!("shape {} cannot be reshaped to {}", format_shape(from), format_shape(target)));
    }
    Ok(dims)
}

/// Axis `axis` of `rank` dimensions, counted from the end if negative.
///
/// # Errors
/// A message if there is no such axis.
pub fn axis(axis: i64, rank: usize) -> Result<usize, String> {
    let position = if axis < 0 { axis.checked_add(rank as i64) } else { Some(axis) };
    let position = position.and_then(|a| usize::try_from(a).ok()).filter(|&a| a < rank);
    position.ok_or_else(|| format!("axis {axis} of {rank} dimensions"))
}

/// Distinct axes of `rank` dimensions, in ascending order.
///
/// # Errors
/// A message if one does not exist or is named twice.
pub fn axes(list: &[i64], rank: usize) -> Result<Vec<usize>, String> {
    let mut positions = list.iter().map(|&a| axis(a, rank)).collect::<Result<Vec<_>, _>>()?;
    positions.sort_unstable();
    match positions.windows(2).any(|pair| pair[0] == pair[1]) {
        true => Err(format!("axes {list:?}, of which two are the same")),
        false => Ok(positions),
    }
}

/// The dimensions `from` with ones inserted at `list`.
pub fn unsqueezed(from: &[usize], list: &[i64]) -> Result<Vec<usize>, String> {
    let rank = from.len() + list.len();
    let positions = axes(list, rank)?;
    let mut rest = from.iter();
    Ok((0..rank).map(|i| if positions.contains(&i) { 1 } else { rest.next().copied().unwrap_or(1) }).collect())
}

/// The dimensions `from` without the ones at `axes` (or without any ones).
pub fn squeezed(from: &[usize], axes: Option<&[i64]>) -> Result<Vec<usize>, String> {
    let positions = match axes {
        Some(axes) => axes.iter().map(|&a| axis(a, from.len())).collect::<Result<Vec<_>, _>>()?,
        None => (0..from.len()).filter(|&i| from[i] == 1).collect(),
    };
    match positions.iter().find(|&&position| from[position] != 1) {
        Some(position) => Err(format!("dimension {position} of {} cannot be squeezed", format_shape(from))),
        None => Ok((0..from.len()).filter(|i| !positions.contains(i)).map(|i| from[i]).collect()),
    }
}

/// The two dimensions of `from` when it is flattened at `axis`, which may be the rank itself.
pub fn flattened(from: &[usize], at: i64) -> Result<Vec<usize>, String> {
    let at = if at == from.len() as i64 { from.len() } else { axis(at, from.len())? };
    let sizes = count(&from[..at]).zip(count(&from[at..])).ok_or("a shape that is too large")?;
    Ok(vec![sizes.0, sizes.1])
}

/// The dimensions `from` without `axes`, or with ones in their place.
pub fn reduced(from: &[usize], axes: &[usize], keep: bool) -> Vec<usize> {
    let kept = |(i, &n): (usize, &usize)| match (axes.contains(&i), keep) {
        (false, _) => Some(n),
        (true, true) => Some(1),
        (true, false) => None,
    };
    from.iter().enumerate().filter_map(kept).collect()
}

/// The sizes of the outputs of a `Split` of `n` values: as stated, else equal parts of which the last may be smaller.
///
/// # Errors
/// A message if the stated sizes do not add up or there are none.
pub fn split_sizes(node: &NodeProto, stated: Option<Vec<i64>>, n: usize) -> Result<Vec<usize>, String> {
    let parts = node.output.len();
    let sizes = match stated {
        Some(sizes) => from_ints(&sizes)?,
        None if node.int("num_outputs", parts as i64) != parts as i64 => {
            return Err(format!("has {parts} outputs, but {} are stated", node.int("num_outputs", 0)));
        }
        None => {
            let part = n.div_ceil(parts.max(1));
            (0..parts).map(|k| n.saturating_sub(k * part).min(part)).collect()
        }
    };
    let total = sizes.iter().try_fold(0usize, |total, &size| total.checked_add(size));
    match sizes.len() == parts && total == Some(n) {
        true => Ok(sizes),
        false => Err(format!("splits {n} values into {sizes:?}")),
    }
}

/// First position and number of the positions `start`, `start + step`, … before `end` of `n` values, by the rules of
/// `Slice`: negative limits count from the end, all are clamped.
///
/// # Errors
/// A message for a step of 0.
pub fn slice_range(n: usize, start: i64, end: i64, step: i64) -> Result<(usize, usize), String> {
    let len = n as i64;
    let absolute = |i: i64| if i < 0 { i.saturating_add(len) } else { i };
    let (start, end) = (absolute(start), absolute(end));
    let (start, end) = match step {
        0 => return Err("a slice with a step of 0".into()),
        1.. => (start.clamp(0, len), end.clamp(0, len)),
        _ => (start.clamp(-1, len - 1), end.clamp(-1, len - 1)),
    };
    let distance = if step > 0 { end - start } else { start - end };
    let count = u64::try_from(distance).unwrap_or(0).div_ceil(step.unsigned_abs());
    Ok((usize::try_from(start).unwrap_or(0), usize::try_from(count).unwrap_or(0)))
}

/// The positions of [`slice_range`].
///
/// # Errors
/// As [`slice_range`].
pub fn slice_positions(n: usize, start: i64, end: i64, step: i64) -> Result<Vec<usize>, String> {
    let (first, count) = slice_range(n, start, end, step)?;
    let at = |k: usize| first as i64 + k as i64 * step.clamp(-(n as i64), n as i64);
    Ok((0..count).filter_map(|k| usize::try_from(at(k)).ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_follow_the_standard() {
        let positions = |start, end, step| slice_positions(5, start, end, step).unwrap();
        assert_eq!(positions(1, i64::MAX, 2), [1, 3]);
        assert_eq!(positions(-1, i64::MIN + 1, -1), [4, 3, 2, 1, 0]);
        assert_eq!(positions(3, -5, -1), [3, 2, 1]);
        assert_eq!(positions(20, 0, -3), [4, 1]);
        assert!(positions(3, 2, 1).is_empty());
        assert!(slice_positions(5, 0, 5, 0).is_err());
    }

    #[test]
    fn shapes_follow_the_standard() {
        assert_eq!(resolve(&[2, 3, 4], &[0, -1], false), Ok(vec![2, 12]));
        assert_eq!(resolve(&[0, 4], &[2, 0], true), Ok(vec![2, 0]));
        assert!(resolve(&[2, 3], &[0, -1], true).is_err());
        assert!(resolve(&[2, 3], &[-1, -1], false).is_err());
        assert!(resolve(&[0], &[0, 1 << 40, 1 << 40], true).is_err() && count(&[0, 1 << 40, 1 << 40]).is_none());
        assert_eq!(count(&[3, 0, 4]), Some(0));
        assert_eq!(flattened(&[2, 3, 4], -3), Ok(vec![1, 24]));
        assert_eq!(flattened(&[2, 3, 4], 3), Ok(vec![24, 1]));
        assert_eq!(unsqueezed(&[3], &[0, -1]), Ok(vec![1, 3, 1]));
        assert!(unsqueezed(&[3], &[0, 0]).is_err());
        assert_eq!(squeezed(&[1, 3, 1], None), Ok(vec![3]));
        assert_eq!(reduced(&[2, 3, 4], &[1], true), [2, 1, 4]);
        assert_eq!(format_open(&[None, Some(3), None]), "?x3x?");
    }
}
