//! Padding by the rules of ONNX: widths per dimension, and the value that each new position takes.

use crate::network::onnx::proto::NodeProto;
use crate::network::onnx::shapes;

/// Maximum number of positions along one padded dimension.
const MAX_POSITIONS: usize = 1 << 24;

/// The mode of a `Pad` node: "constant", "reflect", "edge" or "wrap".
pub fn mode(node: &NodeProto) -> String {
    let mode = node.text("mode");
    if mode.is_empty() { "constant".into() } else { mode }
}

/// Widths before and after each of `rank` dimensions; negative ones crop. `ints` gives the integers of an input or, in
/// older operator sets, of an attribute.
///
/// # Errors
/// The reason why they are not known or do not fit.
pub fn widths(
    node: &NodeProto,
    rank: usize,
    ints: impl Fn(usize, &str) -> Result<Option<Vec<i64>>, String>,
) -> Result<Vec<(i64, i64)>, String> {
    let pads = ints(1, "pads")?.ok_or("its widths are not constants")?;
    let has_axes = node.input.get(3).is_some_and(|name| !name.is_empty());
    let axes = match (has_axes, ints(3, "axes")?) {
        (true, Some(axes)) => axes,
        (true, None) => return Err("its axes are not constants".into()),
        (false, _) => (0..rank as i64).collect(),
    };
    shapes::axes(&axes, rank)?;
    if pads.len() != 2 * axes.len() {
        return Err(format!("{} widths for {} dimensions", pads.len(), axes.len()));
    }
    let mut widths = vec![(0, 0); rank];
    for (k, &axis) in axes.iter().enumerate() {
        widths[shapes::axis(axis, rank)?] = (pads[k], pads[k + axes.len()]);
    }
    Ok(widths)
}

/// The old position of each new one along a dimension of `n` values; `None` where the padding value comes.
///
/// # Errors
/// A message for an unknown mode and for widths that do not fit.
pub fn positions(mode: &str, n: usize, before: i64, after: i64) -> Result<Vec<Option<usize>>, String> {
    let len = n as i64;
    let end = len.checked_add(after).filter(|&end| end <= MAX_POSITIONS as i64);
    let start = before.checked_neg().filter(|&start| start >= -(MAX_POSITIONS as i64));
    let (start, end) = start.zip(end).ok_or("a padding that is too wide")?;
    if n == 0 && mode != "constant" {
        return Err(format!("a padding of nothing in mode '{mode}'"));
    }
    let source = |p: i64| -> Result<Option<usize>, String> {
        let inside = match mode {
            _ if (0..len).contains(&p) => p,
            "constant" => return Ok(None),
            "edge" => p.clamp(0, len - 1),
            "wrap" => p.rem_euclid(len),
            "reflect" if n == 1 => 0,
            "reflect" => {
                let period = 2 * (len - 1);
                let phase = p.rem_euclid(period);
                phase.min(period - phase)
            }
            other => return Err(format!("padding mode '{other}' is not known")),
        };
        Ok(usize::try_from(inside).ok())
    };
    (start..end.max(start)).map(source).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mode_continues_the_values() {
        let at = |mode: &str, before, after| {
            let found = positions(mode, 3, before, after).unwrap();
            found.iter().map(|p| p.map_or(-1, |p| p as i64)).collect::<Vec<_>>()
        };
        assert_eq!(at("constant", 1, 2), [-1, 0, 1, 2, -1, -1]);
        assert_eq!(at("reflect", 2, 3), [2, 1, 0, 1, 2, 1, 0, 1]);
        assert_eq!(at("edge", 2, 1), [0, 0, 0, 1, 2, 2]);
        assert_eq!(at("wrap", 1, 2), [2, 0, 1, 2, 0, 1]);
        assert_eq!(at("constant", -1, -1), [1]);
        assert!(at("constant", -2, -2).is_empty());
        assert!(positions("mirror", 3, 1, 1).is_err() && positions("constant", 3, i64::MIN, 0).is_err());
    }
}
