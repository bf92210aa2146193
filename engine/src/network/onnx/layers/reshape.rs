//! Lowers operations that change the shape of a layer but not the order of its values.

use crate::Result;
use crate::error::format_shape;
use crate::network::onnx::lower::Lowering;
use crate::network::onnx::proto::NodeProto;
use crate::network::onnx::shapes::{flattened, resolve, squeezed, unsqueezed};
use crate::network::onnx::{node_names, shapes};
use crate::network::{NodeId, Op};

impl Lowering<'_> {
    /// Lowers `Flatten`, `Reshape`, `Squeeze` and `Unsqueeze`.
    pub(super) fn reshape(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let from = self.full_shape(input);
        let is_batched = !self.unbatched.contains(&input);
        let dims = match node.op_type.as_str() {
            "Flatten" => {
                let at = node.int("axis", 1);
                if is_batched && self.has_open_batch && shapes::axis(at, from.len()) == Ok(0) {
                    return Err(self.node_error(node, "joins the samples of the batch"));
                }
                flattened(&from, at)
            }
            "Squeeze" => match self.ints_of(node, 1, "axes")? {
                Some(axes) => squeezed(&from, Some(&axes)),
                // Of an open batch nobody knows whether it is 1; it stays.
                None if is_batched && (self.has_open_batch || self.batch != 1) => {
                    squeezed(&from[1..], None).map(|rest| [&from[..1], &rest].concat())
                }
                None => squeezed(&from, None),
            },
            "Unsqueeze" => unsqueezed(&from, &self.ints_of(node, 1, "axes")?.unwrap_or_default()),
            _ => match self.ints_of(node, 1, "shape")? {
                Some(target) => resolve(&from, &target, node.int("allowzero", 0) != 0),
                None => Err("its target shape is missing".into()),
            },
        };
        let dims = dims.map_err(|e| self.node_error(node, e))?;
        self.reshaped(node, node_names::of_node(node), input, &dims)
    }

    /// The values of `input` in the shape `dims` of the file, batch first unless it is 1 and was squeezed or moved.
    /// Chains of reshapes become one.
    ///
    /// # Errors
    /// [`crate::Error::File`] with the node if values would move between samples.
    pub fn reshaped(&mut self, node: &NodeProto, name: String, input: NodeId, dims: &[usize]) -> Result<NodeId> {
        let is_batched = dims.first() == Some(&self.batch);
        if !is_batched && self.batch != 1 {
            let from = format_shape(&self.full_shape(input));
            let to = format_shape(dims);
            let reason = format!("moves values between samples: shape {from} becomes {to} (batch first)");
            return Err(self.node_error(node, reason));
        }
        let sample = &dims[usize::from(is_batched)..];
        let fits = |lowering: &Self, id: NodeId| {
            lowering.nodes[id].shape == sample && lowering.unbatched.contains(&id) != is_batched
        };
        if fits(self, input) {
            return Ok(input);
        }
        let source = match self.nodes[input].op {
            Op::Reshape => self.nodes[input].inputs[0],
            _ => input,
        };
        // The end of a cast from integers is a reshape too.
        let source = if self.integers.contains(&source) == self.integers.contains(&input) { source } else { input };
        if fits(self, source) {
            return Ok(source);
        }
        let id = self.push(node, name, Op::Reshape, vec![source], sample)?;
        if is_batched {
            self.unbatched.remove(&id);
        } else {
            self.unbatched.insert(id);
        }
        Ok(id)
    }

    /// `input` with its batch of 1 as an ordinary first dimension.
    pub(super) fn without_batch(&mut self, node: &NodeProto, input: NodeId) -> Result<NodeId> {
        if self.unbatched.contains(&input) {
            return Ok(input);
        }
        let dims = self.full_shape(input);
        let name = format!("{}.batch", node_names::of_node(node));
        let id = self.push(node, name, Op::Reshape, vec![input], &dims)?;
        self.unbatched.insert(id);
        Ok(id)
    }

    /// `input` with the batch first, if its first dimension is 1 and can be that.
    pub(super) fn with_batch(&mut self, node: &NodeProto, input: NodeId) -> Result<NodeId> {
        let dims = self.full_shape(input);
        match self.unbatched.contains(&input) && dims.first() == Some(&1) {
            true => self.reshaped(node, format!("{}.sample", node_names::of_node(node)), input, &dims),
            false => Ok(input),
        }
    }
}
