//! Shape inference and validation of network graphs: output shapes, or the reason for none.
//!
//! This file alone decides whether a graph is valid. Readers call it for each node they add, and [`validate`] for a
//! finished network, so that running a network never fails.

use super::{Activation, Network, Op, Weights};
use crate::{Error, Result};

/// Maximum number of values of a node for one sample: far above any real layer, far below overflow.
const MAX_VALUES: usize = 1 << 28;

/// Checks a whole network: shapes, weights, order of nodes, names.
///
/// # Errors
/// [`Error::Network`] with the first invalid node; [`Error::Invalid`] without an input or output node.
pub fn validate(network: &Network) -> Result<()> {
    let refuse = |node: &str, reason: String| Err(Error::network(node, reason));
    if !matches!(network.nodes.first().map(|node| &node.op), Some(Op::Input)) {
        return Err(Error::Invalid(format!("Cannot use network '{}': its first node is not an input.", network.name)));
    }
    if network.output >= network.nodes.len() {
        return Err(Error::Invalid(format!("Cannot use network '{}': it has no output node.", network.name)));
    }
    let mut names = std::collections::HashSet::new();
    for (id, node) in network.nodes.iter().enumerate() {
        if !names.insert(node.name.as_str()) {
            return refuse(&node.name, "two layers have this name".into());
        }
        if id > 0 && matches!(node.op, Op::Input) {
            return refuse(&node.name, "a second input; networks with one input are supported".into());
        }
        if let Some(&input) = node.inputs.iter().find(|&&input| input >= id) {
            return refuse(&node.name, format!("reads node {input}, which is not an earlier node"));
        }
        let inputs: Vec<&[usize]> = node.inputs.iter().map(|&input| network.nodes[input].shape.as_slice()).collect();
        match infer_shape(&node.op, &inputs, &node.shape) {
            Ok(shape) if shape == node.shape => {}
            Ok(shape) => {
                return refuse(
                    &node.name,
                    format!(
                        "its shape is {} but {} is stated",
                        crate::error::format_shape(&shape),
                        crate::error::format_shape(&node.shape)
                    ),
                );
            }
            Err(reason) => return refuse(&node.name, reason),
        }
    }
    Ok(())
}

/// The output shape of `op` for one sample, from the shapes of its inputs. `stated` is the node's own shape: inputs and
/// reshapes take theirs from it.
///
/// # Errors
/// The reason why the operation does not fit its inputs.
pub fn infer_shape(op: &Op, inputs: &[&[usize]], stated: &[usize]) -> Result<Vec<usize>, String> {
    let needed = match op {
        Op::Input => 0..=0,
        Op::Add | Op::Concat { .. } => 2..=usize::MAX,
        _ => 1..=1,
    };
    if !needed.contains(&inputs.len()) {
        return Err(format!("has {} inputs", inputs.len()));
    }
    let shape = match (op, inputs.first().copied().unwrap_or_default()) {
        (Op::Input, _) => stated.to_vec(),
        (Op::Reshape, x) => {
            if count(stated)? != count(x)? {
                return Err(format!(
                    "cannot be reshaped from {} to {}: the number of values differs",
                    crate::error::format_shape(x),
                    crate::error::format_shape(stated)
                ));
            }
            stated.to_vec()
        }
        (Op::Conv2d { weight, bias, stride, padding, dilation, groups }, x) => {
            let [channels, height, width] = image(x)?;
            let &[out, per_group, kh, kw] = weight.shape.as_slice() else {
                return Err(format!(
                    "a 2-D convolution needs weights of 4 dimensions, not {}",
                    crate::error::format_shape(&weight.shape)
                ));
            };
            check_weights(weight, bias, out)?;
            if *groups == 0 || out % groups != 0 || per_group.checked_mul(*groups) != Some(channels) {
                return Err(format!(
                    "weights {} in {groups} group(s) do not match {channels} channels",
                    crate::error::format_shape(&weight.shape)
                ));
            }
            vec![
                out,
                WindowExtent::along(0, [kh, kw], stride, padding, dilation)?.slide(height)?,
                WindowExtent::along(1, [kh, kw], stride, padding, dilation)?.slide(width)?,
            ]
        }
        (Op::ConvTranspose2d { weight, bias, stride, padding, output_padding, dilation, groups }, x) => {
            let [channels, height, width] = image(x)?;
            let &[channels_in, per_group, kh, kw] = weight.shape.as_slice() else {
                return Err(format!(
                    "a 2-D transposed convolution needs weights of 4 dimensions, not {}",
                    crate::error::format_shape(&weight.shape)
                ));
            };
            let out = per_group.checked_mul(*groups).ok_or("has too many groups")?;
            check_weights(weight, bias, out)?;
            if *groups == 0 || channels_in != channels || channels % groups != 0 {
                return Err(format!(
                    "weights {} in {groups} group(s) do not match {channels} channels",
                    crate::error::format_shape(&weight.shape)
                ));
            }
            if (0..2).any(|i| output_padding[i] >= stride[i].max(dilation[i])) {
                return Err("its output padding is not smaller than its stride".into());
            }
            let side = |axis: usize, n: usize| {
                WindowExtent::along(axis, [kh, kw], stride, padding, dilation)?.transposed(n, output_padding[axis])
            };
            vec![out, side(0, height)?, side(1, width)?]
        }
        (Op::Resample { rows, columns }, x) => {
            let [channels, height, width] = image(x)?;
            let (&[height_out, from_height], &[width_out, from_width]) =
                (rows.shape.as_slice(), columns.shape.as_slice())
            else {
                return Err("a resize needs a matrix for rows and one for columns".into());
            };
            check_weights(rows, &None, height_out)?;
            check_weights(columns, &None, width_out)?;
            if (from_height, from_width) != (height, width) {
                return Err(format!("a resize of {from_height}x{from_width} does not match {height}x{width}"));
            }
            vec![channels, height_out, width_out]
        }
        (Op::Linear { weight, bias }, x) => {
            let (&[out, features_in], &[features]) = (weight.shape.as_slice(), x) else {
                return Err(format!(
                    "weights {} need a flat input, not {}",
                    crate::error::format_shape(&weight.shape),
                    crate::error::format_shape(x)
                ));
            };
            check_weights(weight, bias, out)?;
            if features_in != features {
                return Err(format!(
                    "weights {} do not match {features} inputs",
                    crate::error::format_shape(&weight.shape)
                ));
            }
            vec![out]
        }
        (Op::Affine { scale, shift }, x) => {
            let channels = x.first().copied().unwrap_or(0);
            if scale.len() != shift.len() || (scale.len() != 1 && scale.len() != channels) {
                return Err(format!(
                    "{} factors and {} offsets do not match {channels} channels",
                    scale.len(),
                    shift.len()
                ));
            }
            if scale.iter().chain(shift).any(|v| !v.is_finite()) {
                return Err("has a factor or offset that is not a finite number".into());
            }
            x.to_vec()
        }
        (Op::Activation(activation), x) => {
            check_activation(*activation)?;
            x.to_vec()
        }
        (Op::MaxPool2d { kernel, stride, padding, dilation }, x) => pool_shape(x, kernel, stride, padding, dilation)?,
        (Op::AvgPool2d { kernel, stride, padding, .. }, x) => pool_shape(x, kernel, stride, padding, &[1, 1])?,
        (Op::Mean { axes }, x) => {
            if axes.is_empty() || axes.iter().any(|&axis| axis >= x.len()) || x.len() > 4 {
                return Err(format!("mean over axes {axes:?} of shape {}", crate::error::format_shape(x)));
            }
            let kept: Vec<usize> = x.iter().enumerate().map(|(i, &n)| if axes.contains(&i) { 1 } else { n }).collect();
            let dropped: Vec<usize> = (0..x.len()).filter(|i| !axes.contains(i)).map(|i| x[i]).collect();
            if stated == dropped { dropped } else { kept }
        }
        (Op::Add, x) => match inputs.iter().find(|other| **other != x) {
            Some(other) => {
                return Err(format!(
                    "adds shapes {} and {}, which differ",
                    crate::error::format_shape(x),
                    crate::error::format_shape(other)
                ));
            }
            None => x.to_vec(),
        },
        (Op::Concat { axis }, x) => {
            let mut shape = x.to_vec();
            let total = inputs.iter().try_fold(0usize, |sum, other| {
                let fits = other.len() == x.len() && (0..x.len()).all(|i| i == *axis || other[i] == x[i]);
                if fits && *axis < x.len() && x.len() <= 4 { sum.checked_add(other[*axis]) } else { None }
            });
            shape[..]
                .get_mut(*axis)
                .zip(total)
                .map(|(slot, total)| *slot = total)
                .ok_or("joins shapes that do not match")?;
            shape
        }
        (Op::Transpose { perm }, x) => {
            let mut sorted = perm.clone();
            sorted.sort_unstable();
            if x.len() > 4 || sorted != (0..x.len()).collect::<Vec<_>>() {
                return Err(format!("permutation {perm:?} does not match shape {}", crate::error::format_shape(x)));
            }
            perm.iter().map(|&p| x[p]).collect()
        }
        (Op::Slice { axis, start, end, step }, x) => {
            if *axis >= x.len() || x.len() > 4 || *step == 0 || start >= end || *end > x[*axis] {
                return Err(format!(
                    "slice {start}..{end} by {step} along axis {axis} does not match shape {}",
                    crate::error::format_shape(x)
                ));
            }
            let mut shape = x.to_vec();
            shape[*axis] = (end - start).div_ceil(*step);
            shape
        }
        (Op::Pad { before, after }, x) => {
            if before.len() != x.len() || after.len() != x.len() || x.len() > 4 {
                return Err(format!(
                    "padding of {} dimensions does not match shape {}",
                    before.len(),
                    crate::error::format_shape(x)
                ));
            }
            let sum = |i: usize| x[i].checked_add(before[i]).and_then(|n| n.checked_add(after[i]));
            (0..x.len()).map(sum).collect::<Option<_>>().ok_or("has too much padding")?
        }
        (Op::Softmax { .. } | Op::Sigmoid, x) => x.to_vec(),
    };
    if count(&shape)? == 0 {
        return Err(format!("has no values: its shape is {}", crate::error::format_shape(&shape)));
    }
    Ok(shape)
}

fn count(shape: &[usize]) -> Result<usize, String> {
    let count = shape.iter().try_fold(1usize, |count, &n| count.checked_mul(n)).filter(|&n| n <= MAX_VALUES);
    count.ok_or_else(|| {
        format!("a value of shape {} is larger than the largest supported layer", crate::error::format_shape(shape))
    })
}

fn image(x: &[usize]) -> Result<[usize; 3], String> {
    x.try_into().map_err(|_| format!("needs an image CxHxW, not shape {}", crate::error::format_shape(x)))
}

/// A sliding window along one axis: kernel taps, stride, padding before and after, dilation.
struct WindowExtent {
    kernel: usize,
    stride: usize,
    before: usize,
    after: usize,
    dilation: usize,
}

impl WindowExtent {
    /// The window along `axis` (0 rows, 1 columns); `padding` is `[top, left, bottom, right]`.
    fn along(
        axis: usize,
        kernel: [usize; 2],
        stride: &[usize; 2],
        padding: &[usize; 4],
        dilation: &[usize; 2],
    ) -> Result<Self, String> {
        let (kernel, stride, dilation) = (kernel[axis], stride[axis], dilation[axis]);
        match kernel == 0 || stride == 0 || dilation == 0 {
            true => Err("has a kernel, stride or dilation of 0".into()),
            false => Ok(Self { kernel, stride, before: padding[axis], after: padding[axis + 2], dilation }),
        }
    }

    /// Number of output positions of a convolution or pool over `n` values.
    fn slide(&self, n: usize) -> Result<usize, String> {
        let Self { kernel, stride, before, after, dilation } = *self;
        let extent = (kernel - 1).checked_mul(dilation).and_then(|e| e.checked_add(1));
        let padded = n.checked_add(before).and_then(|n| n.checked_add(after)).filter(|&n| n <= MAX_VALUES);
        match extent.zip(padded) {
            Some((extent, padded)) if extent <= padded => Ok((padded - extent) / stride + 1),
            _ => Err(format!(
                "a window of {kernel} (dilation {dilation}) does not fit into {n} values padded by {before} and {after}"
            )),
        }
    }

    /// Number of output positions of a transposed convolution over `n` values, with `output_padding` at the end.
    fn transposed(&self, n: usize, output_padding: usize) -> Result<usize, String> {
        let Self { kernel, stride, before, after, dilation } = *self;
        let full = (n.saturating_sub(1)).checked_mul(stride).and_then(|reach| {
            (kernel - 1).checked_mul(dilation)?.checked_add(reach)?.checked_add(1)?.checked_add(output_padding)
        });
        let cropped = before.checked_add(after);
        match full.zip(cropped) {
            Some((full, cropped)) if full <= MAX_VALUES && cropped < full => Ok(full - cropped),
            _ => Err(format!("a padding of {before} and {after} removes all of a transposed window of {kernel}")),
        }
    }
}

fn pool_shape(
    x: &[usize],
    kernel: &[usize; 2],
    stride: &[usize; 2],
    padding: &[usize; 4],
    dilation: &[usize; 2],
) -> Result<Vec<usize>, String> {
    let [channels, height, width] = image(x)?;
    if (0..2).any(|i| {
        padding[i] >= kernel[i].max(1) * dilation[i].max(1) || padding[i + 2] >= kernel[i].max(1) * dilation[i].max(1)
    }) {
        return Err("has more padding than its window".into());
    }
    let side = |axis: usize, n: usize| -> Result<usize, String> {
        let window = WindowExtent::along(axis, *kernel, stride, padding, dilation)?;
        let out = window.slide(n)?;
        // With a dilation a window can miss all values.
        let reads = |place: usize| {
            (0..window.kernel).any(|k| {
                let at = place * window.stride + k * window.dilation;
                at >= window.before && at < window.before + n
            })
        };
        let misses = window.dilation > 1 && (0..out).any(|place| !reads(place));
        if misses { Err("has a window that lies in the padding alone".into()) } else { Ok(out) }
    };
    Ok(vec![channels, side(0, height)?, side(1, width)?])
}

fn check_weights(weight: &Weights, bias: &Option<Weights>, out: usize) -> Result<(), String> {
    for part in std::iter::once(weight).chain(bias) {
        if part.shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d)) != Some(part.data.len()) {
            return Err(format!(
                "weights of shape {} have {} values",
                crate::error::format_shape(&part.shape),
                part.data.len()
            ));
        }
        if let Some(at) = first_not_finite(&part.data) {
            return Err(format!("weight {at} is {}, not a finite number", part.data[at]));
        }
    }
    match bias {
        Some(bias) if bias.data.len() != out => Err(format!("has {} biases for {out} outputs", bias.data.len())),
        _ => Ok(()),
    }
}

/// The position of the first value that is infinite or not a number, at the speed of memory.
pub(super) fn first_not_finite(values: &[f32]) -> Option<usize> {
    // Without an early exit, a block is a few vector instructions.
    let is_finite = |block: &[f32]| block.iter().fold(true, |all, v| all & v.is_finite());
    let at = values.chunks(4096).position(|block| !is_finite(block))? * 4096;
    values[at..].iter().position(|v| !v.is_finite()).map(|k| at + k)
}

fn check_activation(activation: Activation) -> Result<(), String> {
    match activation {
        Activation::Relu => Ok(()),
        Activation::Clip { lambda } | Activation::Qcfs { lambda, .. } if !(lambda.is_finite() && lambda > 0.0) => {
            Err(format!("its learned threshold is {lambda}; it must be above 0"))
        }
        Activation::Qcfs { levels: 0, .. } => Err("has no levels".into()),
        Activation::Qcfs { shift, .. } if !(0.0..=1.0).contains(&shift) => {
            Err(format!("its shift is {shift}, not 0 to 1"))
        }
        Activation::Clip { .. } | Activation::Qcfs { .. } => Ok(()),
    }
}
