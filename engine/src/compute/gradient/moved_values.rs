//! Slices, pads and transpositions as one operation with a gradient: every value of the result is a value of the input, or zero.

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::{Autodiff, Flex};
use burn::tensor::Tensor;

use crate::compute::storage::{as_slice_of, from_vec, shape_of, tracked};
use crate::network::node_elements::{Element, element};
use crate::network::{Network, Node, Op};

/// The source of a value that is zero.
const NONE: u32 = u32::MAX;

/// Where the values of a node come from.
#[derive(Clone, Debug)]
pub struct MovedValues {
    /// Of every value the index in the input, or [`NONE`].
    sources: Arc<Vec<u32>>,
    /// Values of one row of the input.
    inputs: usize,
}

/// The parent is the input.
#[derive(Debug)]
struct MovedBackward;

impl Backward<Flex, 1> for MovedBackward {
    type State = MovedValues;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let MovedValues { sources, inputs } = ops.state;
        let [rows, columns] = shape_of(&gradient);
        let mut out = vec![0.0; rows * inputs];
        let parts = out.chunks_exact_mut(inputs.max(1)).zip(as_slice_of(&gradient).chunks_exact(columns.max(1)));
        for (out, gradient) in parts {
            for (&source, gradient) in sources.iter().zip(gradient) {
                if let Some(out) = out.get_mut(source as usize) {
                    *out += gradient;
                }
            }
        }
        let [parent] = ops.parents;
        if let Some(node) = parent {
            grads.register::<Flex>(node.id, from_vec(out, [rows, inputs]));
        }
    }
}

impl MovedValues {
    /// The sources of `node`; `None` if it computes anything, or has more than 2^32 − 1 values.
    pub fn of(network: &Network, node: &Node) -> Option<Self> {
        if !matches!(node.op, Op::Slice { .. } | Op::Pad { .. } | Op::Transpose { .. }) {
            return None;
        }
        let shape = network.nodes[*node.inputs.first()?].shape.as_slice();
        let inputs: usize = shape.iter().product();
        u32::try_from(inputs).ok().filter(|&inputs| inputs < NONE)?;
        let source = |index: usize| {
            let mut source = NONE;
            element(node, &[shape], index, &mut |_, from| {
                source = from as u32;
                Element::default()
            });
            source
        };
        Some(Self { sources: Arc::new((0..node.len()).map(source).collect()), inputs })
    }

    /// The values for `x` `[N, F]`, on burn-flex with gradients.
    pub fn apply(&self, x: Tensor<2>) -> Tensor<2> {
        let x = tracked(x);
        let node = x.node();
        let x = x.into_primitive().to_contiguous();
        let [rows, _] = shape_of(&x);
        let mut out = Vec::with_capacity(rows * self.sources.len());
        for row in as_slice_of(&x).chunks_exact(self.inputs.max(1)) {
            out.extend(self.sources.iter().map(|&source| row.get(source as usize).copied().unwrap_or(0.0)));
        }
        let out = from_vec(out, [rows, self.sources.len()]);
        let out =
            match Backward::<Flex, 1>::prepare::<NoCheckpointing>(MovedBackward, [node]).compute_bound().stateful() {
                OpsKind::Tracked(prep) => prep.finish(self.clone(), out),
                OpsKind::UnTracked(prep) => prep.finish(out),
            };
        Tensor::from_primitive::<Autodiff<Flex>>(out)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::compute::dense::{NodeParams, apply_node, tensor_to_vec};

    /// Values and gradients are those of Burn's operations.
    #[test]
    fn values_and_gradients_are_those_of_burn() {
        let shape = vec![3, 5, 7];
        let nodes = [
            (Op::Slice { axis: 1, start: 1, end: 5, step: 2 }, vec![3, 2, 7]),
            (Op::Slice { axis: 2, start: 0, end: 7, step: 3 }, vec![3, 5, 3]),
            (Op::Pad { before: vec![2, 0, 1], after: vec![1, 3, 0] }, vec![6, 8, 8]),
            (Op::Transpose { perm: vec![2, 0, 1] }, vec![7, 3, 5]),
        ];
        for (op, to) in nodes {
            let input = Node { op: Op::Input, inputs: Vec::new(), shape: shape.clone(), name: "x".into() };
            let node = Node { op, inputs: vec![0], shape: to, name: "y".into() };
            let network = Network {
                name: "moves".into(),
                nodes: vec![input, node.clone()],
                output: 1,
                scaling: None,
                class_names: Vec::new(),
                neurons: None,
            };
            let rows = 2;
            let values: Vec<f32> = (0..rows * 105).map(|k| (k * 37 % 101) as f32 - 50.0).collect();
            let slopes: Vec<f32> = (0..rows * node.len()).map(|k| (k * 53 % 89) as f32 - 40.0).collect();
            let device = Device::flex().autodiff();
            let run = |ours: bool| {
                let x = Tensor::<2>::from_data(TensorData::new(values.clone(), [rows, 105]), &device).require_grad();
                let y = match MovedValues::of(&network, &node).filter(|_| ours) {
                    Some(moved) => moved.apply(x.clone()),
                    None => apply_node(&network, &node, &NodeParams::of(&node.op, &device), vec![x.clone()]),
                };
                let slopes = Tensor::<2>::from_data(TensorData::new(slopes.clone(), [rows, node.len()]), &device);
                let grads = (y.clone() * slopes).sum().backward();
                (tensor_to_vec(y.detach()), x.grad(&grads).map(tensor_to_vec))
            };
            assert_eq!(run(true), run(false), "{}", node.kind_name());
        }
    }
}
