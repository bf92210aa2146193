//! Lowers softmax and sigmoid, which are supported at the end of a network.

use crate::Result;
use crate::network::onnx::lower::Lowering;
use crate::network::onnx::node_names;
use crate::network::onnx::proto::NodeProto;
use crate::network::onnx::shapes::axis;
use crate::network::{NodeId, Op};

impl Lowering<'_> {
    pub(super) fn sigmoid(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        self.push(node, node_names::of_node(node), Op::Sigmoid, vec![input], &[])
    }

    /// Lowers `Softmax` and `LogSoftmax` along any axis, as one over the last dimension.
    pub(super) fn softmax(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let dims = self.full_shape(input);
        // Before operator set 13, all dimensions from the axis on counted as one, by default all but the batch.
        let is_flat = self.opset < 13;
        let at =
            axis(node.int("axis", if is_flat { 1 } else { -1 }), dims.len()).map_err(|e| self.node_error(node, e))?;
        let is_batched = !self.unbatched.contains(&input);
        let may_be_batch = !is_batched && self.has_open_batch && dims[at] == 1;
        let Some(at) = at.checked_sub(usize::from(is_batched)).filter(|_| !may_be_batch) else {
            return Err(self.node_error(node, "is taken over the samples of the batch"));
        };
        let op = Op::Softmax { log: node.op_type == "LogSoftmax" };
        let name = node_names::of_node(node);
        let shape = self.nodes[input].shape.clone();
        let (before, rest) = shape.split_at(at);
        let reduced = if is_flat { rest.iter().product() } else { rest[0] };
        let other = before.iter().chain(rest.iter().skip(1)).product::<usize>();
        if rest.len() == 1 || (is_flat && reduced == *rest.last().unwrap_or(&1)) {
            return self.push(node, name, op, vec![input], &[]);
        }
        if is_flat || other == 1 {
            // One row per index before the axis.
            let rows: usize = before.iter().product();
            let row = if rows == 1 { vec![reduced] } else { vec![rows, reduced] };
            let flat = [&dims[..usize::from(is_batched)], &row[..]].concat();
            let flat = self.reshaped(node, format!("{name}.flat"), input, &flat)?;
            let id = self.push(node, name.clone(), op, vec![flat], &[])?;
            // As an output it is flat in any case; then the function is the last node.
            let output = node.output.first().map_or("", String::as_str);
            if self.outputs.iter().any(|o| o == output) && self.readers.get(output) == Some(&1) && rows == 1 {
                return Ok(id);
            }
            return self.reshaped(node, format!("{name}.shape"), id, &dims);
        }
        // Along an inner axis: with that axis last, and back.
        let mut perm: Vec<usize> = (0..shape.len()).filter(|&k| k != at).collect();
        perm.push(at);
        let turned = self.with_layout(node, format!("{name}.order"), input, perm.clone())?;
        let id = self.push(node, name.clone(), op, vec![turned], &[])?;
        let mut back = vec![0; perm.len()];
        perm.iter().enumerate().for_each(|(k, &p)| back[p] = k);
        self.with_layout(node, format!("{name}.back"), id, back)
    }
}
