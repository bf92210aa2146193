//! A transposed convolution of Burn tensors with our kernels, forward and for all three gradients.
//!
//! It is the gradient of a convolution with respect to its input: forward and backward change places. Weights
//! `[C_in, C_out/groups, kH, kW]` are those of that convolution, which leads from the output here to the input here. Sums
//! have a fixed order, as in [`super::convolution`].

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops, OpsKind};
use burn::backend::{Autodiff, Flex};
use burn::tensor::Tensor;
use rayon::prelude::*;

use super::convolution::add_planes;
use super::input::InputGradient;
use super::weights::{WeightGradient, WeightSums};
use crate::compute::convolution::{Convolution, Epilogue, Geometry};
use crate::compute::storage::{Tracked, Values, as_slice_of, from_vec, into_vec, shape_of, tracked};
use crate::network::Op;

/// Parts of the batch whose sums are added at last.
const PARTS: usize = 8;

/// The sizes of the convolution from the output to the input, input and weights.
type State = (Geometry, Values, Values);

/// The parents are the input, the weights and, where there is one, the bias.
#[derive(Debug)]
struct TransposedBackward;

/// The convolution that a transposed one reverses, for an output of shape `output` `[C, H, W]`; `None` for other nodes and
/// where [`transposed_convolution`] cannot compute it.
pub fn reversed(op: &Op, input: &[usize], output: &[usize]) -> Option<Geometry> {
    let Op::ConvTranspose2d { weight, stride, padding, dilation, groups, .. } = op else { return None };
    let (&[channels, height, width], &[c, h, w]) = (input, output) else { return None };
    let &[_, _, rows, columns] = weight.shape.as_slice() else { return None };
    let geometry = Geometry {
        input: [c, h, w],
        out_channels: channels,
        kernel: [rows, columns],
        stride: *stride,
        padding: *padding,
        dilation: *dilation,
        groups: *groups,
    };
    (geometry.output() == [channels, height, width] && InputGradient::is_possible(&geometry)).then_some(geometry)
}

impl<const N: usize> Backward<Flex, N> for TransposedBackward {
    type State = State;

    fn backward(self, ops: Ops<State, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let gradient = as_slice_of(&gradient);
        let (geometry, x, weights) = ops.state;
        let mut parents = ops.parents.into_iter().map(|node| node.map(|node| node.id));
        let mut next = || parents.next().flatten();
        let (node_x, node_weights, node_bias) = (next(), next(), next());
        let [rows, columns] = shape_of(&x);
        if let Some(node) = node_x {
            let mut out = vec![0.0; rows * columns];
            Convolution::new(geometry, as_slice_of(&weights)).forward_parallel(
                gradient,
                rows,
                Epilogue::default(),
                &mut out,
            );
            grads.register::<Flex>(node, from_vec(out, [rows, columns]));
        }
        if let Some(node) = node_weights {
            let of_weights = weight_gradient(geometry, gradient, as_slice_of(&x), rows);
            grads.register::<Flex>(node, from_vec(of_weights, shape_of::<4>(&weights)));
        }
        if let Some(node) = node_bias {
            let mut sums = vec![0.0f64; geometry.input[0]];
            add_planes(&mut sums, gradient, geometry.input_len() / geometry.input[0].max(1));
            let sums = sums.into_iter().map(|sum| sum as f32).collect();
            grads.register::<Flex>(node, from_vec(sums, [geometry.input[0]]));
        }
    }
}

/// The gradient of the weights for `rows` samples of the output's gradient and the input.
fn weight_gradient(geometry: Geometry, gradient: &[f32], x: &[f32], rows: usize) -> Vec<f32> {
    let of_weights = WeightGradient::new(geometry);
    let part = rows.div_ceil(PARTS).max(1);
    let parts = gradient.par_chunks(part * geometry.input_len()).zip(x.par_chunks(part * geometry.output_len()));
    let sums: Vec<WeightSums> = parts
        .map(|(gradient, x)| {
            let mut sums = of_weights.start();
            sums.add(gradient, x);
            sums
        })
        .collect();
    of_weights.finish(sums)
}

/// The transposed convolution of `x` `[N, C_in·H·W]` with `weights` `[C_in, C_out/groups, kH, kW]` and `bias` `[C_out]`,
/// `[N, F]`; all on burn-flex with gradients, `geometry` that of [`reversed`].
pub fn transposed_convolution(
    x: Tensor<2>,
    weights: Tensor<4>,
    bias: Option<Tensor<1>>,
    geometry: Geometry,
) -> Tensor<2> {
    let (x, weights, bias) = (tracked(x), tracked(weights), bias.map(tracked));
    let nodes = (x.node(), weights.node(), bias.as_ref().map(Tracked::node));
    let bias = bias.map(|bias| into_vec(bias.into_primitive()));
    let (x, weights) = (x.into_primitive().to_contiguous(), weights.into_primitive().to_contiguous());
    let [rows, _] = shape_of(&x);
    let (from, to) = (geometry.output_len(), geometry.input_len());
    let mut out = vec![0.0; rows * to];
    let Some(spread) = InputGradient::new(geometry, as_slice_of(&weights)) else {
        unreachable!("a geometry that is not supported")
    };
    let images = spread.images();
    let plane = to / geometry.input[0].max(1);
    let parts = out.par_chunks_mut(images * to).zip(as_slice_of(&x).par_chunks(images * from));
    parts.for_each_init(Vec::new, |buffer, (out, x)| {
        spread.run(x, x.len() / from, out, buffer);
        if let Some(bias) = &bias {
            let planes = out.chunks_exact_mut(plane).zip(bias.iter().cycle());
            planes.for_each(|(plane, bias)| plane.iter_mut().for_each(|value| *value += bias));
        }
    });
    let out = from_vec(out, [rows, to]);
    let out = match nodes {
        (x_node, weight_node, None) => finish([x_node, weight_node], (geometry, x, weights), out),
        (x_node, weight_node, Some(bias_node)) => finish([x_node, weight_node, bias_node], (geometry, x, weights), out),
    };
    Tensor::from_primitive::<Autodiff<Flex>>(out)
}

fn finish<const N: usize>(nodes: [NodeGuard; N], state: State, out: Values) -> Tracked {
    match Backward::<Flex, N>::prepare::<NoCheckpointing>(TransposedBackward, nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(state, out),
        OpsKind::UnTracked(prep) => prep.finish(out),
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::compute::dense::{NodeParams, apply_node, tensor_to_vec};
    use crate::network::{Network, Node, Weights};

    fn noise(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed.wrapping_mul(2_654_435_761) | 1;
        let draw = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        std::iter::repeat_with(draw).take(count).collect()
    }

    fn leaf<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
        Tensor::from_data(TensorData::new(values, shape), &Device::flex().autodiff()).require_grad()
    }

    #[test]
    fn values_and_gradients_are_those_of_burn() {
        // Channels in and out of a group, groups, kernel, stride, padding, output padding, size.
        let cases = [
            ([3, 5, 1], 4, 2, [1, 1, 1, 1], 0, [6, 7]),
            ([8, 2, 1], 2, 2, [0; 4], 0, [5, 4]),
            ([4, 3, 2], 3, 2, [1, 1, 1, 1], 1, [5, 6]),
            ([2, 4, 1], 3, 1, [1, 1, 1, 1], 0, [4, 4]),
            ([16, 6, 1], 4, 2, [1, 1, 2, 2], 0, [24, 24]),
        ];
        for ([inputs, outputs, groups], kernel, stride, padding, extra, [h, w]) in cases {
            let side = |n: usize, before: usize, after: usize| (n - 1) * stride + kernel + extra - before - after;
            let [top, left, bottom, right] = padding;
            let input = vec![inputs * groups, h, w];
            let output = vec![outputs * groups, side(h, top, bottom), side(w, left, right)];
            let shape = [inputs * groups, outputs, kernel, kernel];
            let op = Op::ConvTranspose2d {
                weight: Weights::new(shape.to_vec(), noise(shape.iter().product(), 1)),
                bias: Some(Weights::new(vec![output[0]], noise(output[0], 2))),
                stride: [stride; 2],
                padding,
                output_padding: [extra; 2],
                dilation: [1; 2],
                groups,
            };
            let node = |op, inputs, shape: &[usize]| Node { name: "n".into(), op, inputs, shape: shape.to_vec() };
            let geometry = reversed(&op, &input, &output).unwrap();
            let nodes = vec![node(Op::Input, vec![], &input), node(op.clone(), vec![0], &output)];
            let network =
                Network { name: "n".into(), nodes, output: 1, scaling: None, class_names: vec![], neurons: None };
            let rows = 11;
            let len = |shape: &[usize]| shape.iter().product::<usize>();
            let run = |ours: bool| {
                let x = leaf(noise(rows * len(&input), 3), [rows, len(&input)]);
                let weight = leaf(noise(len(&shape), 1), shape);
                let bias = leaf(noise(output[0], 2), [output[0]]);
                let y = if ours {
                    transposed_convolution(x.clone(), weight.clone(), Some(bias.clone()), geometry)
                } else {
                    let params = NodeParams::Conv { weight: weight.clone(), bias: Some(bias.clone()) };
                    apply_node(&network, &network.nodes[1], &params, vec![x.clone()])
                };
                let slopes = TensorData::new(noise(rows * len(&output), 4), [rows, len(&output)]);
                let grads = (y.clone() * Tensor::<2>::from_data(slopes, &y.device())).sum().backward();
                [
                    tensor_to_vec(y.detach()),
                    tensor_to_vec(x.grad(&grads).unwrap()),
                    tensor_to_vec(weight.grad(&grads).unwrap().reshape([1, -1])),
                    tensor_to_vec(bias.grad(&grads).unwrap().unsqueeze()),
                ]
            };
            for (what, (ours, theirs)) in ["y", "∂x", "∂w", "∂b"].into_iter().zip(run(true).iter().zip(&run(false)))
            {
                let size = theirs.iter().fold(1.0f32, |size, value| size.max(value.abs()));
                let off = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs() / size).fold(0.0, f32::max);
                assert!(ours.len() == theirs.len() && off < 1e-5, "{what} is off by {off} with {kernel} {stride}");
            }
        }
        let op = Op::Sigmoid;
        assert_eq!(reversed(&op, &[1, 2, 2], &[1, 4, 4]), None);
    }
}
