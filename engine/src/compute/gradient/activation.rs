//! An activation as one operation with gradients toward its input and its threshold.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops, OpsKind};
use burn::backend::{Autodiff, Flex};
use burn::tensor::Tensor;
use rayon::prelude::*;

use super::rule::{Activate, Rule, with_rule};
use crate::compute::simd::dispatch;
use crate::compute::simd::isa::{Isa, Kernel};
use crate::compute::simd::lanes::{LANES, Lanes};
use crate::compute::storage::{Tracked, Values, as_slice_of, from_vec, into_vec, shape_of, tracked};

/// Values that one thread processes at once.
const CHUNK: usize = 1 << 14;

/// The parents are z and, where it is learned, the threshold.
#[derive(Debug)]
struct ActivationBackward;

impl<const N: usize> Backward<Flex, N> for ActivationBackward {
    /// z and the rule.
    type State = (Values, Rule);

    fn backward(self, ops: Ops<Self::State, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let mut gradient = into_vec(grads.consume::<Flex>(&ops.node));
        let (z, rule) = ops.state;
        let parts = gradient.par_chunks_mut(CHUNK).zip(as_slice_of(&z).par_chunks(CHUNK));
        let of_lambda: Vec<f64> = parts.map(|(gradient, z)| dispatch(ToInput { rule, gradient, z })).collect();
        let mut parents = ops.parents.into_iter();
        if let Some(node) = parents.next().flatten() {
            grads.register::<Flex>(node.id, from_vec(gradient, shape_of::<2>(&z)));
        }
        if let Some(node) = parents.next().flatten() {
            grads.register::<Flex>(node.id, from_vec(vec![of_lambda.iter().sum::<f64>() as f32], [1]));
        }
    }
}

/// The activation `rule` of `z` `[N, F]`, on burn-flex with gradients; a learned threshold `lambda` `[1]` takes the place
/// of the one in `rule`.
pub fn activation(z: Tensor<2>, lambda: Option<Tensor<1>>, rule: Rule) -> Tensor<2> {
    let (z, lambda) = (tracked(z), lambda.map(tracked));
    let nodes = (z.node(), lambda.as_ref().map(Tracked::node));
    let rule = lambda.map_or(rule, |lambda| rule.with_lambda(into_vec(lambda.into_primitive())[0]));
    let z = z.into_primitive().to_contiguous();
    let mut out = vec![0.0; as_slice_of(&z).len()];
    let parts = out.par_chunks_mut(CHUNK).zip(as_slice_of(&z).par_chunks(CHUNK));
    parts.for_each(|(out, z)| dispatch(Apply { rule, out, z }));
    let out = from_vec(out, shape_of::<2>(&z));
    let out = match nodes {
        (z_node, None) => finish([z_node], (z, rule), out),
        (z_node, Some(lambda)) => finish([z_node, lambda], (z, rule), out),
    };
    Tensor::from_primitive::<Autodiff<Flex>>(out)
}

fn finish<const N: usize>(nodes: [NodeGuard; N], state: (Values, Rule), out: Values) -> Tracked {
    match Backward::<Flex, N>::prepare::<NoCheckpointing>(ActivationBackward, nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(state, out),
        OpsKind::UnTracked(prep) => prep.finish(out),
    }
}

/// The activation of each `z`.
struct Apply<'a> {
    rule: Rule,
    out: &'a mut [f32],
    z: &'a [f32],
}

impl Kernel for Apply<'_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { rule, out, z } = self;
        with_rule!(rule, rule => {
            for (out, z) in out.chunks_mut(LANES).zip(z.chunks(LANES)) {
                I::store_part(rule.value::<I>(I::load_part(z)), out);
            }
        });
    }
}

/// Replaces the gradient of the activation by that of `z`; returns that of λ.
struct ToInput<'a> {
    rule: Rule,
    gradient: &'a mut [f32],
    z: &'a [f32],
}

impl Kernel for ToInput<'_> {
    type Output = f64;
    #[inline(always)]
    fn run<I: Isa>(self) -> f64 {
        let Self { rule, gradient, z } = self;
        let mut of_lambda = I::splat(0.0);
        with_rule!(rule, rule => {
            for (gradient, z) in gradient.chunks_mut(LANES).zip(z.chunks(LANES)) {
                let g = I::load_part(gradient);
                let (passes, slope) = rule.slopes::<I>(I::load_part(z));
                of_lambda = I::mul_then_add(g, slope, of_lambda);
                I::store_part(I::select(passes, g, I::splat(0.0)), gradient);
            }
        });
        let mut lanes = Lanes::ZERO;
        I::store(of_lambda, &mut lanes);
        lanes.0.iter().map(|&lane| f64::from(lane)).sum()
    }
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
        let view = z.clone().transpose();
        let y = activation(view.clone(), Some(leaf(&[1.0], [1])), RULE) + view;
        let grads = y.sum().backward();
        let dz = tensor_to_vec(z.grad(&grads).unwrap());
        assert_eq!(dz, [2.0, 2.0, 2.0, 2.0, 1.0, 1.0]);
    }

    #[test]
    fn nan_stays_nan() {
        for lambda in [None, Some(leaf(&[1.0], [1]))] {
            let y = tensor_to_vec(activation(leaf(&[f32::NAN, f32::INFINITY], [1, 2]), lambda, RULE).detach());
            assert!(y[0].is_nan() && y[1] == 1.0);
        }
    }

    #[test]
    fn relu_passes_the_gradient_of_positive_inputs() {
        let z = leaf(&[-1.0, 0.0, 0.5, 3.0], [1, 4]);
        let y = activation(z.clone(), None, Rule::Relu);
        let grads = y.clone().sum().backward();
        assert_eq!(tensor_to_vec(y.detach()), [0.0, 0.0, 0.5, 3.0]);
        assert_eq!(tensor_to_vec(z.grad(&grads).unwrap()), [0.0, 0.0, 1.0, 1.0]);
    }
}
