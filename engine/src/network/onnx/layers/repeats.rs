//! Lowers repeats of values, and the exchange of channels and positions.

use crate::Result;
use crate::error::format_shape;
use crate::network::NodeId;
use crate::network::onnx::lower::Lowering;
use crate::network::onnx::proto::NodeProto;
use crate::network::onnx::shapes::from_ints;
use crate::network::onnx::{folding, node_names};

/// Maximum number of values along a repeated dimension.
const MAX_REPEATS: usize = 1 << 20;

impl Lowering<'_> {
    pub(super) fn tile(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let repeats = self.ints_of(node, 1, "repeats")?.unwrap_or_default();
        let repeats = from_ints(&repeats).map_err(|e| self.node_error(node, e))?;
        let rank = self.full_shape(input).len();
        if repeats.len() != rank {
            return Err(self.node_error(node, format!("{} repeats for {rank} dimensions", repeats.len())));
        }
        let name = node_names::of_node(node);
        let mut id = input;
        for (at, &count) in repeats.iter().enumerate().filter(|(_, count)| **count != 1) {
            let Some(axis) = at.checked_sub(usize::from(!self.unbatched.contains(&id))) else {
                return Err(self.node_error(node, "repeats the batch"));
            };
            let n = self.nodes[id].shape[axis];
            let total = n.checked_mul(count).filter(|&total| total <= MAX_REPEATS);
            let Some(total) = total else {
                return Err(self.node_error(node, format!("repeats {n} values {count} times")));
            };
            let positions: Vec<usize> = (0..total).map(|i| i % n).collect();
            id = self.select(node, &name, id, axis, &positions)?;
        }
        Ok(id)
    }

    pub(super) fn expand(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let target = self.ints_of(node, 1, "shape")?.unwrap_or_default();
        let target = from_ints(&target).map_err(|e| self.node_error(node, e))?;
        let own = self.full_shape(input);
        let dims = folding::common_dims(&[&own, &target]).map_err(|e| self.node_error(node, e))?;
        self.expanded(node, &node_names::of_node(node), input, &dims)
    }

    /// `input` broadcast to the shape `dims` of the file, which fits: dimensions of 1 are repeated.
    pub(super) fn expanded(&mut self, node: &NodeProto, name: &str, input: NodeId, dims: &[usize]) -> Result<NodeId> {
        let own = self.full_shape(input);
        if own == dims {
            return Ok(input);
        }
        let Some(missing) = dims.len().checked_sub(own.len()) else {
            return Err(self
                .node_error(node, format!("{} has more dimensions than {}", format_shape(&own), format_shape(dims))));
        };
        let aligned = [&vec![1; missing][..], &own[..]].concat();
        if !self.unbatched.contains(&input) && missing > 0 && self.batch != 1 {
            return Err(self.node_error(node, "adds dimensions before the batch"));
        }
        let mut id = self.reshaped(node, format!("{name}.shape"), input, &aligned)?;
        for (at, (&from, &to)) in aligned.iter().zip(dims).enumerate() {
            if from == to {
                continue;
            }
            let axis = at.checked_sub(usize::from(!self.unbatched.contains(&id)));
            let Some(axis) = axis.filter(|_| from == 1 && to > 0 && to <= MAX_REPEATS) else {
                let reason = format!("{} cannot be broadcast to {}", format_shape(&own), format_shape(dims));
                return Err(self.node_error(node, reason));
            };
            id = self.select(node, name, id, axis, &vec![0; to])?;
        }
        Ok(id)
    }

    /// Lowers `DepthToSpace` and `SpaceToDepth`: reshape, transpose, reshape, as the standard defines them.
    pub(super) fn depth_and_space(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let block = usize::try_from(node.int("blocksize", 0)).ok().filter(|&b| (1..1 << 12).contains(&b));
        let (Some(b), &[c, h, w], false) = (block, self.nodes[input].shape.as_slice(), self.unbatched.contains(&input))
        else {
            return Err(self.node_error(node, "needs an image and a block size above 0"));
        };
        let is_column_row = node.text("mode") == "CRD";
        if !is_column_row && !matches!(node.text("mode").as_str(), "" | "DCR") {
            return Err(self.node_error(node, format!("mode '{}' is not known", node.text("mode"))));
        }
        let to_space = node.op_type == "DepthToSpace";
        let fits = if to_space { c % (b * b) == 0 } else { h % b == 0 && w % b == 0 };
        if !fits {
            let shape = format_shape(&[c, h, w]);
            return Err(self.node_error(node, format!("blocks of {b} do not divide {shape}")));
        }
        let (view, perm, target) = match (to_space, is_column_row) {
            (true, false) => {
                let d = c / (b * b);
                ([b, b, d, h, w], [2, 3, 0, 4, 1], [d, h * b, w * b])
            }
            (true, true) => {
                let d = c / (b * b);
                ([d, b, b, h, w], [0, 3, 1, 4, 2], [d, h * b, w * b])
            }
            (false, false) => ([c, h / b, b, w / b, b], [2, 4, 0, 1, 3], [c * b * b, h / b, w / b]),
            (false, true) => ([c, h / b, b, w / b, b], [0, 2, 4, 1, 3], [c * b * b, h / b, w / b]),
        };
        let full = |dims: &[usize]| [&[self.batch][..], dims].concat();
        let (view, target) = (full(&view), full(&target));
        let name = node_names::of_node(node);
        let blocks = self.reshaped(node, format!("{name}.blocks"), input, &view)?;
        let turned = self.with_layout(node, name.clone(), blocks, perm.to_vec())?;
        self.reshaped(node, format!("{name}.shape"), turned, &target)
    }
}
