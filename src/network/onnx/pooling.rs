//! Lowers pools and means over positions, and reads the sliding window of convolutions and pools.

use super::lower::Lowering;
use super::node_names;
use super::proto::NodeProto;
use super::reshape::axis;
use crate::Result;
use crate::network::{NodeId, Op};

impl Lowering<'_> {
    pub fn pool(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let kernel = self.pair(node, "kernel_shape", 0)?;
        let window = self.window(node, input, kernel)?;
        let mut padding = window.padding;
        if node.int("ceil_mode", 0) != 0 {
            // One more window if values remain after the last one, as padding that does not count.
            for i in 0..2 {
                let size = self.nodes[input].shape.get(i + 1).copied().unwrap_or(0);
                let span = (kernel[i].max(1) - 1) * window.dilation[i] + 1;
                let padded = size + padding[i] + padding[i + 2];
                let remainder = padded.checked_sub(span).map_or(0, |rest| rest % window.stride[i].max(1));
                // A window that would begin in the padding is omitted.
                let begin = padded.saturating_sub(remainder).saturating_sub(span) + window.stride[i];
                if remainder > 0 && begin < size + padding[i] {
                    padding[i + 2] += window.stride[i] - remainder;
                }
            }
        }
        let op = if node.op_type == "MaxPool" {
            Op::MaxPool2d { kernel, stride: window.stride, padding, dilation: window.dilation }
        } else {
            if window.dilation != [1, 1] {
                return Err(self.node_error(node, "a dilated average pool is not supported"));
            }
            let count_include_pad = node.int("count_include_pad", 0) != 0;
            if count_include_pad && padding != window.padding {
                return Err(self.node_error(node, "ceil_mode together with count_include_pad is not supported"));
            }
            Op::AvgPool2d { kernel, stride: window.stride, padding, count_include_pad }
        };
        self.push(node, node_names::of_node(node), op, vec![input], &[])
    }

    pub fn global_pool(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let &[_, h, w] = self.nodes[input].shape.as_slice() else {
            return Err(self.node_error(node, "pools something that is not an image"));
        };
        let (kernel, padding) = ([h, w], [0; 4]);
        let op = if node.op_type == "GlobalMaxPool" {
            Op::MaxPool2d { kernel, stride: [1, 1], padding, dilation: [1, 1] }
        } else {
            Op::AvgPool2d { kernel, stride: [1, 1], padding, count_include_pad: false }
        };
        self.push(node, node_names::of_node(node), op, vec![input], &[])
    }

    pub fn mean(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let shape = self.nodes[input].shape.clone();
        let rank = shape.len() + 1;
        let axes = self.ints_of(node, 1, "axes").unwrap_or_else(|| (1..rank as i64).collect());
        let mut axes =
            axes.iter().map(|&a| axis(a, rank)).collect::<Result<Vec<_>, _>>().map_err(|e| self.node_error(node, e))?;
        axes.sort_unstable();
        if axes.first() == Some(&0) {
            return Err(self.node_error(node, "takes the mean over the batch"));
        }
        let axes: Vec<usize> = axes.iter().map(|a| a - 1).collect();
        // The mean of a transposed image over all positions is the mean of the image.
        if let Some((source, perm)) = self.order_of(input).filter(|_| node.int("keepdims", 1) == 0) {
            let mut source_axes: Vec<usize> = axes.iter().map(|&a| perm[a]).collect();
            source_axes.sort_unstable();
            let kept: Vec<usize> = (0..perm.len()).filter(|i| !source_axes.contains(i)).collect();
            if kept.iter().copied().eq(perm.iter().copied().filter(|p| !source_axes.contains(p))) {
                let kept_shape: Vec<usize> = kept.iter().map(|&i| self.nodes[source].shape[i]).collect();
                return self.push(
                    node,
                    node_names::of_node(node),
                    Op::Mean { axes: source_axes },
                    vec![source],
                    &kept_shape,
                );
            }
        }
        let kept: Vec<usize> = if node.int("keepdims", 1) != 0 {
            (0..shape.len()).map(|i| if axes.contains(&i) { 1 } else { shape[i] }).collect()
        } else {
            (0..shape.len()).filter(|i| !axes.contains(i)).map(|i| shape[i]).collect()
        };
        self.push(node, node_names::of_node(node), Op::Mean { axes }, vec![input], &kept)
    }

    /// Two positive numbers of an attribute; with `default` 0 the attribute is required.
    pub fn pair(&self, node: &NodeProto, name: &str, default: usize) -> Result<[usize; 2]> {
        let Some(values) = node.ints(name).filter(|v| !v.is_empty()) else {
            return match default {
                0 => Err(self.node_error(node, format!("{name} is missing"))),
                d => Ok([d, d]),
            };
        };
        let pair: Option<[usize; 2]> = match *values {
            [a, b] => usize::try_from(a).ok().zip(usize::try_from(b).ok()).map(|(a, b)| [a, b]),
            _ => None,
        };
        pair.filter(|p| p.iter().all(|&v| v > 0 && v < 1 << 20))
            .ok_or_else(|| self.node_error(node, format!("{name} is {values:?}; two numbers above 0 are expected")))
    }

    /// Reads stride, padding and dilation of a sliding window.
    pub fn window(&self, node: &NodeProto, input: NodeId, kernel: [usize; 2]) -> Result<WindowExtent> {
        let stride = self.pair(node, "strides", 1)?;
        let dilation = self.pair(node, "dilations", 1)?;
        let shape = &self.nodes[input].shape;
        let mut padding = [0usize; 4];
        match node.text("auto_pad").as_str() {
            "" | "NOTSET" => {
                if let Some(pads) = node.ints("pads").filter(|p| !p.is_empty()) {
                    let pads: Option<Vec<usize>> = pads.iter().map(|&p| usize::try_from(p).ok()).collect();
                    let pads = pads.and_then(|p| <[usize; 4]>::try_from(p).ok());
                    padding = pads.ok_or_else(|| self.node_error(node, "pads should be four numbers of at least 0"))?;
                }
            }
            "VALID" => {}
            side @ ("SAME_UPPER" | "SAME_LOWER") => {
                for i in 0..2 {
                    let size = shape.get(i + 1).copied().unwrap_or(0);
                    let out = size.div_ceil(stride[i]);
                    let span = (kernel[i].max(1) - 1) * dilation[i] + 1;
                    let total = (out.saturating_sub(1) * stride[i] + span).saturating_sub(size);
                    let (small, large) = (total / 2, total - total / 2);
                    (padding[i], padding[i + 2]) = if side == "SAME_UPPER" { (small, large) } else { (large, small) };
                }
            }
            other => return Err(self.node_error(node, format!("auto_pad '{other}' is unknown"))),
        }
        Ok(WindowExtent { stride, padding, dilation })
    }
}

/// Stride `[y, x]`, padding `[top, left, bottom, right]` and dilation `[y, x]` of a sliding window.
pub(super) struct WindowExtent {
    pub stride: [usize; 2],
    pub padding: [usize; 4],
    pub dilation: [usize; 2],
}
