//! Lowers casts and dropout, which leave the values of layers unchanged in inference.

use crate::Result;
use crate::network::Op;
use crate::network::onnx::constant::ElementType;
use crate::network::onnx::lower::{LoweredValue, Lowering};
use crate::network::onnx::node_names;
use crate::network::onnx::proto::NodeProto;

impl Lowering<'_> {
    /// Lowers `Cast` and `CastLike` of a layer between float types, and of an integer input to floats.
    pub(super) fn cast(&mut self, node: &NodeProto) -> Result<LoweredValue> {
        let value = self.value(node, 0)?;
        let to = match (node.op_type.as_str(), self.constant_input(node, 1)) {
            ("Cast", _) => ElementType::of(node.int("to", 0)).map_err(|reason| self.node_error(node, reason))?,
            (_, Some(like)) => like.element_type(),
            // A layer, whose values are floats.
            _ => ElementType::Float,
        };
        let root = match &value {
            LoweredValue::Layer(id) | LoweredValue::Function { root: id, .. } => *id,
            LoweredValue::Constant(_) => {
                return Err(self.node_error(node, "a cast of a constant that is not supported"));
            }
        };
        let from_integers = self.integers.contains(&root);
        // 0 and 1 are the same in every type.
        if let (LoweredValue::Function { f, .. }, false) = (&value, from_integers)
            && f.is_truth()
        {
            return Ok(value);
        }
        match to {
            ElementType::Float if !from_integers => Ok(value),
            ElementType::Float | ElementType::Double | ElementType::Float16 | ElementType::Bfloat16 => {
                if to != ElementType::Float {
                    self.note_precision(to);
                }
                if !from_integers {
                    return Ok(value);
                }
                let input = self.layer_input(node, 0)?;
                let (shape, is_unbatched) = (self.nodes[input].shape.clone(), self.unbatched.contains(&input));
                let id = self.push(node, node_names::of_node(node), Op::Reshape, vec![input], &shape)?;
                self.integers.remove(&id);
                debug_assert_eq!(is_unbatched, self.unbatched.contains(&id));
                Ok(LoweredValue::Layer(id))
            }
            // Values of an unsigned byte fit into every larger type.
            _ if from_integers && to.is_integer() && to.bits() >= 32 => Ok(value),
            ElementType::Bool => Err(self.node_error(node, "casts a layer to truth values, which is not supported")),
            _ if to.is_integer() => {
                Err(self
                    .node_error(node, format!("truncates a layer to integers ({}), which is not supported", to.name())))
            }
            _ => Err(self.node_error(node, format!("rounds a layer to {}, which is not supported", to.name()))),
        }
    }

    /// Says that the file computes in floats of another width.
    pub fn note_precision(&mut self, element_type: ElementType) {
        self.note(format!(
            "The network computes with {} values; here all layers compute with 32-bit floats. Outputs differ by rounding.",
            element_type.name()
        ));
    }

    /// Lowers `Dropout`, which does nothing in inference.
    pub(super) fn dropout(&mut self, node: &NodeProto) -> Result<LoweredValue> {
        let has_mode = node.input.get(2).is_some_and(|name| !name.is_empty());
        let is_training = match self.constant_input(node, 2).and_then(|c| c.scalar()) {
            Some(mode) => mode != 0.0,
            None if has_mode => {
                return Err(self.node_error(node, "its training mode depends on the input. Export in evaluation mode."));
            }
            None => false,
        };
        if is_training {
            self.note_training(node);
        }
        self.value(node, 0)
    }

    /// Says that a node is stored in training mode and read in inference mode.
    pub(super) fn note_training(&mut self, node: &NodeProto) {
        let what = match node.op_type.as_str() {
            "Dropout" => "it drops nothing here",
            _ => "its stored mean and variance are used here",
        };
        self.note(format!(
            "Node '{}' ({}) is stored in training mode; {what}. Export the network in evaluation mode to be sure.",
            node_names::of_node(node),
            node.op_type
        ));
    }
}
