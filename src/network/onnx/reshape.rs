//! Dimensions after reshape, squeeze and unsqueeze, by the rules of ONNX.

/// The dimensions of `from` after a reshape to `target`: 0 keeps a dimension, −1 is computed from the others.
///
/// # Errors
/// The reason why the target is invalid.
pub fn resolve(from: &[usize], target: &[i64]) -> Result<Vec<usize>, String> {
    let total: usize = from.iter().product();
    let mut dims = Vec::with_capacity(target.len());
    let mut inferred = None;
    for (i, &d) in target.iter().enumerate() {
        dims.push(match d {
            -1 if inferred.replace(i).is_none() => 1,
            0 => *from.get(i).ok_or("a reshape keeps a dimension that does not exist")?,
            d if d > 0 => usize::try_from(d).map_err(|_| "an invalid dimension".to_owned())?,
            _ => return Err(format!("invalid reshape target {target:?}")),
        });
    }
    let known =
        dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).filter(|&n| n > 0).ok_or("an invalid reshape target")?;
    if let Some(inferred) = inferred {
        dims[inferred] = total / known;
    }
    if dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d)) != Some(total) {
        return Err(format!(
            "shape {} cannot be reshaped to {}",
            crate::error::format_shape(from),
            crate::error::format_shape(target)
        ));
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

/// The dimensions `from` with ones inserted at `axes`.
pub fn unsqueezed(from: &[usize], axes: &[i64]) -> Result<Vec<usize>, String> {
    let rank = from.len() + axes.len();
    let positions = axes.iter().map(|&a| axis(a, rank)).collect::<Result<Vec<_>, _>>()?;
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
        Some(position) => {
            Err(format!("dimension {position} of {} cannot be squeezed", crate::error::format_shape(from)))
        }
        None => Ok((0..from.len()).filter(|i| !positions.contains(i)).map(|i| from[i]).collect()),
    }
}
