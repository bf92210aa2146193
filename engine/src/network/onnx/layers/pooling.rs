//! Lowers pools: over windows, and over all positions.

use crate::Result;
use crate::network::onnx::lower::Lowering;
use crate::network::onnx::node_names;
use crate::network::onnx::proto::NodeProto;
use crate::network::{NodeId, Op, Weights};

/// Maximum number of values in a window of a dilated average pool.
const MAX_TAPS: usize = 1 << 12;

impl Lowering<'_> {
    pub(super) fn pool(&mut self, node: &NodeProto) -> Result<NodeId> {
        let (kernel, spatial) = self.kernel(node)?;
        let input = self.image_input(node, 0, spatial)?;
        let window = self.window(node, input, kernel)?;
        let explicit = matches!(node.text("auto_pad").as_str(), "" | "NOTSET");
        if explicit && (0..4).any(|k| window.padding[k] >= kernel[k % 2].max(1) * window.dilation[k % 2]) {
            return Err(self.node_error(node, "has more padding than its window"));
        }
        if node.text("auto_pad").starts_with("SAME") && window.dilation != [1, 1] {
            let reason =
                "its auto_pad with a dilation means another size in onnxruntime than in the standard. Export with pads";
            return Err(self.node_error(node, reason));
        }
        let mut overhang = [0; 2];
        if node.int("ceil_mode", 0) != 0 && explicit {
            for i in 0..2 {
                let size = self.nodes[input].shape.get(i + 1).copied().unwrap_or(0);
                let before = window.padding[i];
                let padded = size + before + window.padding[i + 2];
                let span = (kernel[i].max(1) - 1).saturating_mul(window.dilation[i]) + 1;
                overhang[i] = last_overhang(size + before, padded, span, window.stride[i].max(1));
            }
        }
        let mut padding = window.padding;
        let name = node_names::of_node(node);
        let id = if node.op_type == "MaxPool" {
            (padding[2], padding[3]) = (padding[2] + overhang[0], padding[3] + overhang[1]);
            let op = Op::MaxPool2d { kernel, stride: window.stride, padding, dilation: window.dilation };
            self.push(node, name, op, vec![input], &[])?
        } else {
            let mut counts_padding = node.int("count_include_pad", 0) != 0;
            let mut input = input;
            if overhang != [0; 2] && counts_padding {
                // The divisor counts the padding but not what lies beyond it: real zeros, then padding that does not count.
                if padding != [0; 4] {
                    let [top, left, bottom, right] = padding;
                    let op = Op::Pad { before: vec![0, top, left], after: vec![0, bottom, right] };
                    input = self.push(node, format!("{name}.pad"), op, vec![input], &[])?;
                }
                padding = [0; 4];
                counts_padding = false;
            }
            (padding[2], padding[3]) = (padding[2] + overhang[0], padding[3] + overhang[1]);
            if window.dilation == [1, 1] {
                let op = Op::AvgPool2d { kernel, stride: window.stride, padding, count_include_pad: counts_padding };
                self.push(node, name, op, vec![input], &[])?
            } else if (padding == [0; 4] || counts_padding) && kernel[0] * kernel[1] <= MAX_TAPS {
                let op = mean_convolution(self.nodes[input].shape[0], kernel, window.stride, padding, window.dilation);
                self.push(node, name, op, vec![input], &[])?
            } else {
                let reason = "a dilated average pool that is large or does not count its padding is not supported";
                return Err(self.node_error(node, reason));
            }
        };
        self.without_height(node, id, spatial)
    }

    pub(super) fn global_pool(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let spatial = self.nodes[input].shape.len().saturating_sub(1);
        let input = self.image_input(node, 0, spatial.max(1))?;
        let &[_, h, w] = self.nodes[input].shape.as_slice() else {
            return Err(self.node_error(node, "pools something that is not an image"));
        };
        let (kernel, padding) = ([h, w], [0; 4]);
        let op = if node.op_type == "GlobalMaxPool" {
            Op::MaxPool2d { kernel, stride: [1, 1], padding, dilation: [1, 1] }
        } else {
            Op::AvgPool2d { kernel, stride: [1, 1], padding, count_include_pad: false }
        };
        let id = self.push(node, node_names::of_node(node), op, vec![input], &[])?;
        self.without_height(node, id, spatial)
    }
}

/// How far the last window of a pool with `ceil_mode` reaches beyond `padded` values: there is one more window if values
/// remain after the last full one, unless it would begin at or after `inside`, the end of the values themselves.
fn last_overhang(inside: usize, padded: usize, span: usize, stride: usize) -> usize {
    let Some(rest) = padded.checked_sub(span) else {
        // A window larger than all values is one window, if it misses less than a step.
        let missing = span - padded;
        return if missing < stride { missing } else { 0 };
    };
    let mut last = rest.div_ceil(stride) * stride;
    if last >= inside {
        last = last.saturating_sub(stride);
    }
    (last + span).saturating_sub(padded)
}

/// A mean over dilated windows: a convolution of each channel with equal weights.
fn mean_convolution(
    channels: usize,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 4],
    dilation: [usize; 2],
) -> Op {
    let taps = kernel[0].saturating_mul(kernel[1]).max(1);
    let weight = Weights::new(vec![channels, 1, kernel[0], kernel[1]], vec![1.0 / taps as f32; channels * taps]);
    Op::Conv2d { weight, bias: None, stride, padding, dilation, groups: channels }
}

#[cfg(test)]
mod tests {
    use super::last_overhang;

    #[test]
    fn windows_that_would_begin_in_the_padding_are_omitted() {
        assert_eq!(last_overhang(7, 7, 2, 2), 1);
        assert_eq!(last_overhang(8, 8, 2, 2), 0);
        // Kernel 1, stride 2 over 2 values: the second window would begin at the end.
        assert_eq!(last_overhang(2, 2, 1, 2), 0);
        // 3 values, padding 1: windows of 3 at 0, 2 end at 5, the padded size.
        assert_eq!(last_overhang(4, 5, 3, 2), 0);
        // 2 values, padding 1, windows of 2 by 3: one at 0 and one at 3, which would begin in the padding.
        assert_eq!(last_overhang(3, 4, 2, 3), 0);
        assert_eq!(last_overhang(3, 3, 5, 1), 0);
        assert_eq!(last_overhang(2, 2, 3, 2), 1);
    }
}
