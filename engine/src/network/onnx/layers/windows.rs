//! Sliding windows of convolutions and pools: their attributes along one or two spatial dimensions.

use crate::Result;
use crate::network::onnx::lower::Lowering;
use crate::network::onnx::proto::NodeProto;
use crate::network::{NodeId, Op};

/// Maximum of a kernel side, stride, dilation or padding.
const MAX_SIDE: usize = 1 << 20;

/// Stride `[y, x]`, padding `[top, left, bottom, right]` and dilation `[y, x]` of a sliding window.
pub(super) struct WindowExtent {
    pub stride: [usize; 2],
    pub padding: [usize; 4],
    pub dilation: [usize; 2],
}

impl Lowering<'_> {
    /// Input `k` as an image `[C, H, W]`, for an operation over `spatial` dimensions; sequences `[C, L]` get a height of 1.
    pub(super) fn image_input(&mut self, node: &NodeProto, k: usize, spatial: usize) -> Result<NodeId> {
        let input = self.layer_input(node, k)?;
        let shape = self.nodes[input].shape.clone();
        if spatial > 2 {
            return Err(self.node_error(node, format!("has {spatial} spatial dimensions; one or two are supported")));
        }
        if shape.len() != spatial + 1 || self.unbatched.contains(&input) {
            let full = crate::error::format_shape(&self.full_shape(input));
            let reason = format!("works on {spatial} spatial dimensions, but its input has shape {full}");
            return Err(self.node_error(node, reason));
        }
        match shape[..] {
            [channels, length] => {
                let dims = [self.batch, channels, 1, length];
                self.reshaped(node, format!("{}.image", crate::network::onnx::node_names::of_node(node)), input, &dims)
            }
            _ => Ok(input),
        }
    }

    /// The result of an operation over `spatial` dimensions, without the height of 1 that [`Self::image_input`] added.
    pub(super) fn without_height(&mut self, node: &NodeProto, id: NodeId, spatial: usize) -> Result<NodeId> {
        match (spatial, self.nodes[id].shape.as_slice()) {
            (1, &[channels, 1, length]) => {
                let name = format!("{}.line", self.nodes[id].name);
                self.push(node, name, Op::Reshape, vec![id], &[channels, length])
            }
            _ => Ok(id),
        }
    }

    /// Numbers of at least `min` per spatial dimension of an attribute, as `[y, x]`; one of them is along x, and `default`
    /// along y. Absent ones are `default`.
    pub(super) fn pair(&self, node: &NodeProto, name: &str, min: usize, default: usize) -> Result<[usize; 2]> {
        let Some(values) = node.ints(name).filter(|v| !v.is_empty()) else { return Ok([default; 2]) };
        let number = |v: i64| usize::try_from(v).ok().filter(|v| (min..MAX_SIDE).contains(v));
        let pair = match *values {
            [x] => number(x).map(|x| [default, x]),
            [y, x] => number(y).zip(number(x)).map(|(y, x)| [y, x]),
            _ => None,
        };
        let reason = || format!("{name} is {values:?}; one number of at least {min} per spatial dimension is expected");
        pair.ok_or_else(|| self.node_error(node, reason()))
    }

    /// The kernel of a pool, `[y, x]`, and its number of spatial dimensions.
    pub(super) fn kernel(&self, node: &NodeProto) -> Result<([usize; 2], usize)> {
        let spatial = node.ints("kernel_shape").map_or(0, <[i64]>::len);
        match spatial {
            0 => Err(self.node_error(node, "kernel_shape is missing")),
            1 | 2 => Ok((self.pair(node, "kernel_shape", 1, 1)?, spatial)),
            _ => Err(self.node_error(node, format!("has {spatial} spatial dimensions; one or two are supported"))),
        }
    }

    /// Refuses a `kernel_shape` that differs from the weights.
    pub(super) fn check_kernel(&self, node: &NodeProto, kernel: &[usize]) -> Result<()> {
        let same = |stated: &[i64]| {
            stated.len() == kernel.len() && stated.iter().zip(kernel).all(|(&a, &b)| usize::try_from(a) == Ok(b))
        };
        match node.ints("kernel_shape").filter(|stated| !stated.is_empty()) {
            Some(stated) if !same(stated) => {
                let kernel = crate::error::format_shape(kernel);
                Err(self.node_error(node, format!("kernel_shape is {stated:?}, but its weights have {kernel}")))
            }
            _ => Ok(()),
        }
    }

    /// Reads stride, padding and dilation of a sliding window of `kernel` over the image `input`.
    pub(super) fn window(&self, node: &NodeProto, input: NodeId, kernel: [usize; 2]) -> Result<WindowExtent> {
        let stride = self.pair(node, "strides", 1, 1)?;
        let dilation = self.pair(node, "dilations", 1, 1)?;
        let shape = &self.nodes[input].shape;
        let mut padding = [0usize; 4];
        match node.text("auto_pad").as_str() {
            "" | "NOTSET" => {
                if let Some(pads) = node.ints("pads").filter(|p| !p.is_empty()) {
                    let number = |&p: &i64| usize::try_from(p).ok().filter(|&p| p < MAX_SIDE);
                    let pads: Option<Vec<usize>> = pads.iter().map(number).collect();
                    padding = match pads.as_deref() {
                        Some(&[left, right]) => [0, left, 0, right],
                        Some(&[top, left, bottom, right]) => [top, left, bottom, right],
                        _ => {
                            let reason = "pads should be two numbers of at least 0 per spatial dimension";
                            return Err(self.node_error(node, reason));
                        }
                    };
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
