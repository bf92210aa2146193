//! A convolution of Burn tensors with our kernels, forward and for all three gradients.
//!
//! Only the gradients that are asked for are computed. Results do not depend on the number of threads: the sums of the
//! weights' gradient have a fixed number of parts over the batch, added in order.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops, OpsKind};
use burn::backend::{Autodiff, Flex};
use burn::tensor::Tensor;
use rayon::prelude::*;

use super::input::InputGradient;
use super::weights::{WeightGradient, WeightSums};
use crate::compute::convolution::{Convolution, Epilogue, Geometry};
use crate::compute::storage::{Tracked, Values, as_slice_of, from_vec, into_vec, shape_of, tracked};

/// Parts of the batch whose sums are added at last.
const PARTS: usize = 8;

/// Sizes, input and weights.
type State = (Geometry, Values, Values);

/// The parents are the input, the weights and, where there is one, the bias.
#[derive(Debug)]
struct ConvolutionBackward;

impl<const N: usize> Backward<Flex, N> for ConvolutionBackward {
    type State = State;

    fn backward(self, ops: Ops<State, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let (geometry, x, weights) = ops.state;
        let mut parents = ops.parents.into_iter().map(|node| node.map(|node| node.id));
        let mut next = || parents.next().flatten();
        let (node_x, node_weights, node_bias) = (next(), next(), next());
        let wanted = [node_x.is_some(), node_weights.is_some(), node_bias.is_some()];
        let Parents { input, weights: of_weights, bias } =
            gradients(geometry, as_slice_of(&x), as_slice_of(&weights), as_slice_of(&gradient), wanted);
        if let Some(node) = node_x {
            grads.register::<Flex>(node, from_vec(input, shape_of::<2>(&x)));
        }
        if let Some(node) = node_weights {
            grads.register::<Flex>(node, from_vec(of_weights, shape_of::<4>(&weights)));
        }
        if let Some(node) = node_bias {
            grads.register::<Flex>(node, from_vec(bias, [geometry.out_channels]));
        }
    }
}

/// The gradients of a convolution; those not asked for are empty.
struct Parents {
    input: Vec<f32>,
    weights: Vec<f32>,
    bias: Vec<f32>,
}

/// Whether [`convolution`] can compute this one with its gradients.
pub fn is_supported(geometry: &Geometry) -> bool {
    InputGradient::is_possible(geometry)
}

/// The convolution of `x` `[N, C·H·W]` with `weights` `[C_out, C/groups, kH, kW]` and `bias` `[C_out]`, `[N, F]`; all on
/// burn-flex with gradients, and a geometry that [is supported](is_supported).
pub fn convolution(x: Tensor<2>, weights: Tensor<4>, bias: Option<Tensor<1>>, geometry: Geometry) -> Tensor<2> {
    let (x, weights, bias) = (tracked(x), tracked(weights), bias.map(tracked));
    let nodes = (x.node(), weights.node(), bias.as_ref().map(Tracked::node));
    let bias = bias.map(|bias| into_vec(bias.into_primitive()));
    let (x, weights) = (x.into_primitive().to_contiguous(), weights.into_primitive().to_contiguous());
    let [rows, _] = shape_of(&x);
    let mut out = vec![0.0; rows * geometry.output_len()];
    let epilogue = Epilogue { bias: bias.as_deref().unwrap_or_default(), ..Epilogue::default() };
    Convolution::new(geometry, as_slice_of(&weights)).forward_parallel(as_slice_of(&x), rows, epilogue, &mut out);
    let out = from_vec(out, [rows, geometry.output_len()]);
    let out = match nodes {
        (x_node, weight_node, None) => finish([x_node, weight_node], (geometry, x, weights), out),
        (x_node, weight_node, Some(bias_node)) => finish([x_node, weight_node, bias_node], (geometry, x, weights), out),
    };
    Tensor::from_primitive::<Autodiff<Flex>>(out)
}

fn finish<const N: usize>(nodes: [NodeGuard; N], state: State, out: Values) -> Tracked {
    match Backward::<Flex, N>::prepare::<NoCheckpointing>(ConvolutionBackward, nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(state, out),
        OpsKind::UnTracked(prep) => prep.finish(out),
    }
}

/// The gradients for `x` `[N][C, H, W]`, `weights` `[C_out, C/groups, kH, kW]` and that of the output, `[N][C_out, H_out,
/// W_out]`; `wanted`: of input, weights, bias.
fn gradients(geometry: Geometry, x: &[f32], weights: &[f32], gradient: &[f32], wanted: [bool; 3]) -> Parents {
    let [wants_input, wants_weights, wants_bias] = wanted;
    let (input_len, output_len) = (geometry.input_len(), geometry.output_len());
    let of_input = if wants_input { InputGradient::new(geometry, weights) } else { None };
    let of_weights = WeightGradient::new(geometry);
    let mut input = vec![0.0; if wants_input { x.len() } else { 0 }];
    let rows = (x.len() / input_len.max(1)).div_ceil(PARTS).max(1);
    // A part of the batch: the gradient of its inputs, and its sums.
    let one = |x: &[f32], gradient: &[f32], input: &mut [f32]| {
        let mut sums = wants_weights.then(|| of_weights.start());
        let mut bias = vec![0.0f64; if wants_bias { geometry.out_channels } else { 0 }];
        let mut buffer = Vec::new();
        let images = of_input.as_ref().map_or(1, InputGradient::images).max(of_weights.images()).min(rows);
        let parts = x.chunks(images * input_len).zip(gradient.chunks(images * output_len));
        for (k, (x, gradient)) in parts.enumerate() {
            if let Some(of_input) = &of_input {
                let input = &mut input[k * images * input_len..][..x.len()];
                of_input.run(gradient, x.len() / input_len, input, &mut buffer);
            }
            if let Some(sums) = &mut sums {
                sums.add(x, gradient);
            }
            if wants_bias {
                add_planes(&mut bias, gradient, output_len / geometry.out_channels.max(1));
            }
        }
        (sums, bias)
    };
    let parts = x.par_chunks(rows * input_len).zip(gradient.par_chunks(rows * output_len));
    let sums: Vec<(Option<WeightSums>, Vec<f64>)> = if wants_input {
        parts.zip(input.par_chunks_mut(rows * input_len)).map(|((x, g), input)| one(x, g, input)).collect()
    } else {
        parts.map(|(x, g)| one(x, g, &mut [])).collect()
    };
    let (sums, biases): (Vec<_>, Vec<_>) = sums.into_iter().unzip();
    let sums: Vec<WeightSums> = sums.into_iter().flatten().collect();
    let weights = if wants_weights { of_weights.finish(sums) } else { Vec::new() };
    let mut bias = vec![0.0f64; if wants_bias { geometry.out_channels } else { 0 }];
    biases.iter().for_each(|part| bias.iter_mut().zip(part).for_each(|(to, from)| *to += from));
    Parents { input, weights, bias: bias.into_iter().map(|sum| sum as f32).collect() }
}

/// Adds the sum of every channel's plane in `[images][C][plane]` to `sums` `[C]`.
pub(super) fn add_planes(sums: &mut [f64], values: &[f32], plane: usize) {
    for image in values.chunks_exact((sums.len() * plane).max(1)) {
        for (sum, values) in sums.iter_mut().zip(image.chunks_exact(plane)) {
            *sum += f64::from(values.iter().sum::<f32>());
        }
    }
}

#[cfg(test)]
#[path = "convolution/tests.rs"]
mod tests;
