//! Broadcasting: gives the operands of elementwise nodes equal shapes, where they have others.

use std::borrow::Cow;
use std::rc::Rc;

use crate::Result;
use crate::error::format_shape;
use crate::network::NodeId;
use crate::network::onnx::constant::{Constant, Numbers};
use crate::network::onnx::folding::common_dims;
use crate::network::onnx::lower::{LoweredValue, Lowering};
use crate::network::onnx::node_names;
use crate::network::onnx::proto::NodeProto;

/// Operations of two or more operands whose shapes are broadcast.
const BROADCASTING: [&str; 8] = ["Add", "Sub", "Mul", "Div", "Sum", "Mean", "Min", "Max"];

impl Lowering<'_> {
    /// `node` with operands of equal shape: layers and constants that have to be repeated are replaced by their repeats.
    /// Scalars stay, and so do constants with one number per channel.
    pub fn with_equal_shapes<'n>(&mut self, node: &'n NodeProto) -> Result<Cow<'n, NodeProto>> {
        if !BROADCASTING.contains(&node.op_type.as_str()) || node.input.len() < 2 {
            return Ok(Cow::Borrowed(node));
        }
        let mut shapes = Vec::new();
        for k in 0..node.input.len() {
            shapes.push(match self.value(node, k)? {
                LoweredValue::Constant(constant) => constant.dims.clone(),
                LoweredValue::Layer(id) | LoweredValue::Function { root: id, .. } => self.full_shape(id),
            });
        }
        let views: Vec<&[usize]> = shapes.iter().map(Vec::as_slice).collect();
        let dims = common_dims(&views).map_err(|_| {
            let texts: Vec<String> = shapes.iter().map(|shape| format_shape(shape)).collect();
            self.node_error(node, format!("combines shapes {}, which do not match", texts.join(" and ")))
        })?;
        let mut adapted = Cow::Borrowed(node);
        for (k, shape) in shapes.iter().enumerate() {
            let value = match self.value(node, k)? {
                LoweredValue::Constant(constant) => match self.repeated(node, &constant, &dims)? {
                    Some(repeated) => LoweredValue::Constant(Rc::new(repeated)),
                    None => continue,
                },
                _ if *shape == dims => continue,
                _ => {
                    let id = self.layer_input(node, k)?;
                    LoweredValue::Layer(self.expanded(node, &node_names::of_node(node), id, &dims)?)
                }
            };
            let name = format!("{}#{k} of {}", node.input[k], node.output.first().map_or("", String::as_str));
            adapted.to_mut().input[k].clone_from(&name);
            self.values.insert(name, value);
        }
        Ok(adapted)
    }

    /// `constant` repeated for each value of a layer of shape `dims` in the file; `None` if it can stay as it is.
    fn repeated(&self, node: &NodeProto, constant: &Constant, dims: &[usize]) -> Result<Option<Constant>> {
        let is_batched = dims.first() == Some(&self.batch);
        let sample = &dims[usize::from(is_batched)..];
        let mut own = &constant.dims[..];
        while own.len() > sample.len() && own.first() == Some(&1) {
            own = &own[1..];
        }
        // One number per channel, of channels-first and of channels-last layers.
        let are_ones = |dims: &[usize]| dims.iter().all(|&n| n == 1);
        let is_first = own.len() == sample.len() && own.first() == sample.first() && are_ones(&own[1.min(own.len())..]);
        let is_last = own.last() == sample.last() && are_ones(&own[..own.len().saturating_sub(1)]);
        let is_per_channel = is_first || (is_last && self.has_channels_last(node));
        if constant.len() == 1 || own == sample || is_per_channel {
            return Ok(None);
        }
        let values = self.per_sample(node, constant, dims)?;
        Ok(Some(Constant { dims: sample.to_vec(), numbers: Numbers::floats(values) }))
    }

    /// Whether a layer that `node` reads is a transpose of channels-first values to channels-last ones.
    fn has_channels_last(&self, node: &NodeProto) -> bool {
        let is_turned = |id: NodeId| self.order_of(id).is_some_and(|(_, perm)| perm.last() == Some(&0));
        (0..node.input.len()).any(|k| match self.value(node, k) {
            Ok(LoweredValue::Layer(id) | LoweredValue::Function { root: id, .. }) => is_turned(id),
            _ => false,
        })
    }
}
