//! An activation with a learned threshold as one operation.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::{Autodiff, Flex};
use burn::tensor::Tensor;
use rayon::prelude::*;

use crate::compute::storage::{Values, as_slice_of, from_vec, into_vec, shape_of, tracked};
use crate::train::kernels::{activate, activation_backward};
use crate::train::rule::Rule;

/// Values that one thread processes at once.
const CHUNK: usize = 1 << 14;

#[derive(Debug)]
struct ActivationBackward;

impl Backward<Flex, 2> for ActivationBackward {
    /// z and the rule.
    type State = (Values, Rule);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let mut gradient = into_vec(grads.consume::<Flex>(&ops.node));
        let (z, rule) = ops.state;
        let parts = gradient.par_chunks_mut(CHUNK).zip(as_slice_of(&z).par_chunks(CHUNK));
        let of_lambda: Vec<f64> = parts.map(|(gradient, z)| activation_backward(rule, gradient, z)).collect();
        let [node_z, node_lambda] = ops.parents;
        if let Some(node) = node_z {
            grads.register::<Flex>(node.id, from_vec(gradient, shape_of::<2>(&z)));
        }
        if let Some(node) = node_lambda {
            grads.register::<Flex>(node.id, from_vec(vec![of_lambda.iter().sum::<f64>() as f32], [1]));
        }
    }
}

/// The activation `rule` of `z` `[N, F]` with the threshold `lambda` `[1]` in place of the one in `rule`.
pub(in crate::train) fn activation(z: Tensor<2>, lambda: Tensor<1>, rule: Rule) -> Tensor<2> {
    let (z, lambda) = (tracked(z), tracked(lambda));
    let nodes = [z.node(), lambda.node()];
    let rule = rule.with_lambda(into_vec(lambda.into_primitive())[0]);
    let z = z.into_primitive().to_contiguous();
    let mut out = vec![0.0; as_slice_of(&z).len()];
    out.par_chunks_mut(CHUNK).zip(as_slice_of(&z).par_chunks(CHUNK)).for_each(|(out, z)| activate(rule, out, z));
    let out = from_vec(out, shape_of::<2>(&z));
    let out = match ActivationBackward.prepare::<NoCheckpointing>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish((z, rule), out),
        OpsKind::UnTracked(prep) => prep.finish(out),
    };
    Tensor::from_primitive::<Autodiff<Flex>>(out)
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::compute::dense::tensor_to_vec;

    const RULE: Rule = Rule::Staircase { lambda: 1.0, levels: 4.0, shift: 0.5 };

    fn leaf<const D: usize>(values: &[f32], shape: [usize; D]) -> Tensor<D> {
        Tensor::from_data(TensorData::new(values.to_vec(), shape), &Device::flex().autodiff()).require_grad()
    }

    #[test]
    fn gradients_add_up_through_views_and_shared_values() {
        // z is a transposed view, read twice; the gradients of both reads must add up.
        let z = leaf(&[0.1, 0.3, 0.6, 0.9, -1.0, 2.0], [2, 3]);
        let lambda = leaf(&[1.0], [1]);
        let view = z.clone().transpose();
        let y = activation(view.clone(), lambda.clone(), RULE) + view;
        let grads = y.sum().backward();
        let dz = tensor_to_vec(z.grad(&grads).unwrap());
        assert_eq!(dz, [2.0, 2.0, 2.0, 2.0, 1.0, 1.0]);
    }

    #[test]
    fn nan_stays_nan() {
        let y = activation(leaf(&[f32::NAN, f32::INFINITY], [1, 2]), leaf(&[1.0], [1]), RULE);
        let y = tensor_to_vec(y.detach());
        assert!(y[0].is_nan() && y[1] == 1.0);
    }
}
