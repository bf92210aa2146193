//! A convolution with fixed weights, then bias, sum and activation, as one operation with the gradient of its inputs.
//!
//! It computes on the thread that calls it: whoever needs many gradients runs several batches at once.

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops, OpsKind};
use burn::backend::{Autodiff, Flex};
use burn::tensor::Tensor;

use super::input::InputGradient;
use crate::compute::convolution::{Convolution, Epilogue, Geometry};
use crate::compute::simd::dispatch;
use crate::compute::simd::isa::{Isa, Kernel};
use crate::compute::simd::lanes::LANES;
use crate::compute::storage::{Tracked, Values, as_slice_of, from_vec, into_vec, shape_of, tracked};
use crate::network::Activation;

/// `activation(weights ∗ x + bias + addend)`, the weights packed for both directions.
#[derive(Debug)]
pub struct FixedConvolution {
    geometry: Geometry,
    forward: Convolution,
    input: InputGradient,
    bias: Vec<f32>,
    activation: Option<Activation>,
}

impl FixedConvolution {
    /// For `weights` `[C_out, C/groups, kH, kW]`, `bias` `[C_out]` or empty, and ReLU, a clip or no activation.
    ///
    /// `None` if [`InputGradient`] cannot have this geometry, or for QCFS, whose gradient needs more than its value.
    pub fn new(geometry: Geometry, weights: &[f32], bias: Vec<f32>, activation: Option<Activation>) -> Option<Self> {
        if matches!(activation, Some(Activation::Qcfs { .. })) || !InputGradient::is_possible(&geometry) {
            return None;
        }
        let (forward, input) = (Convolution::fastest(geometry, weights), InputGradient::fastest(geometry, weights)?);
        Some(Self { geometry, forward, input, bias, activation })
    }

    /// The output `[N, F]` for `x` `[N, C·H·W]` and, where one is given, `addend` `[N, F]`; on burn-flex with gradients.
    pub fn apply(self: &Arc<Self>, x: Tensor<2>, addend: Option<Tensor<2>>) -> Tensor<2> {
        let (x, addend) = (tracked(x), addend.map(tracked));
        let nodes = (x.node(), addend.as_ref().map(Tracked::node));
        let x = x.into_primitive().to_contiguous();
        let addend = addend.map(|addend| addend.into_primitive().to_contiguous());
        let [rows, _] = shape_of(&x);
        let mut out = vec![0.0; rows * self.geometry.output_len()];
        let residual = addend.as_ref().map(as_slice_of);
        let epilogue = Epilogue { bias: &self.bias, residual, activation: self.activation };
        self.forward.forward(as_slice_of(&x), rows, epilogue, &mut out);
        let out = from_vec(out, [rows, self.geometry.output_len()]);
        let kept = self.activation.map(|_| out.clone());
        let state = (self.clone(), kept);
        let out = match nodes {
            (x_node, None) => finish([x_node], state, out),
            (x_node, Some(addend_node)) => finish([x_node, addend_node], state, out),
        };
        Tensor::from_primitive::<Autodiff<Flex>>(out)
    }
}

/// The convolution, and its output if an activation was applied.
type State = (Arc<FixedConvolution>, Option<Values>);

/// The parents are the input and, where there is one, the addend.
#[derive(Debug)]
struct FixedBackward;

impl<const N: usize> Backward<Flex, N> for FixedBackward {
    type State = State;

    fn backward(self, ops: Ops<State, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node);
        let (of, out) = ops.state;
        let ceiling = match of.activation {
            Some(Activation::Clip { lambda }) => lambda,
            _ => f32::INFINITY,
        };
        let gradient = match out {
            Some(out) => {
                let shape: [usize; 2] = shape_of(&out);
                let mut gradient = into_vec(gradient);
                dispatch(Mask { gradient: &mut gradient, out: as_slice_of(&out), ceiling });
                from_vec(gradient, shape)
            }
            None => gradient.to_contiguous(),
        };
        let [rows, _] = shape_of(&gradient);
        let mut parents = ops.parents.into_iter().map(|node| node.map(|node| node.id));
        if let Some(node) = parents.next().flatten() {
            let mut input = vec![0.0; rows * of.geometry.input_len()];
            of.input.run(as_slice_of(&gradient), rows, &mut input, &mut Vec::new());
            grads.register::<Flex>(node, from_vec(input, [rows, of.geometry.input_len()]));
        }
        if let Some(node) = parents.next().flatten() {
            grads.register::<Flex>(node, gradient);
        }
    }
}

fn finish<const N: usize>(nodes: [NodeGuard; N], state: State, out: Values) -> Tracked {
    match Backward::<Flex, N>::prepare::<NoCheckpointing>(FixedBackward, nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(state, out),
        OpsKind::UnTracked(prep) => prep.finish(out),
    }
}

/// Clears the gradient where the output is at a limit of its activation.
struct Mask<'a> {
    gradient: &'a mut [f32],
    out: &'a [f32],
    ceiling: f32,
}

impl Kernel for Mask<'_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let (zero, ceiling) = (I::splat(0.0), I::splat(self.ceiling));
        for (gradient, out) in self.gradient.chunks_mut(LANES).zip(self.out.chunks(LANES)) {
            let out = I::load_part(out);
            let passes = I::gt(out, zero) & I::gt(ceiling, out);
            I::store_part(I::select(passes, I::load_part(gradient), zero), gradient);
        }
    }
}
