//! Compares every linear map in event form with the same node on Burn tensors.
//!
//! All numbers are small multiples of powers of two, so sums are exact in any order and the two must agree to the last
//! bit.

mod forms;

use std::sync::Arc;

use burn::tensor::Device;
use proptest::prelude::*;

use self::forms::{by_events, dense, field};
use super::{Grid, weight_tiles};
use crate::compute::dense::tensor_to_vec;
use crate::compute::program::Program;
use crate::network::{Activation, Network, Node, Op, Weights};

/// A reproducible number below `below`.
fn draw(seed: &mut u64, below: u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    (*seed >> 11) % below
}

/// Multiples of 1/8 between −2 and 2.
fn weights(shape: &[usize], seed: &mut u64) -> Weights {
    let data = (0..shape.iter().product()).map(|_| draw(seed, 33) as f32 / 8.0 - 2.0).collect();
    Weights::new(shape.to_vec(), data)
}

/// Builds `nodes` after an input and an activation of `shape`; checks the last node's event form against its dense
/// value.
fn check(
    shape: &[usize],
    nodes: Vec<(Op, Vec<usize>)>,
    percent: u64,
    planes: &'static [i32],
    per_channel: bool,
    seed: u64,
) {
    let mut seed = seed | 1;
    let mut network = Network {
        name: "test".into(),
        nodes: Vec::new(),
        output: 0,
        scaling: None,
        class_names: Vec::new(),
        neurons: None,
    };
    let start = [(Op::Input, vec![]), (Op::Activation(Activation::Relu), vec![0])];
    for (op, inputs) in start.into_iter().chain(nodes) {
        let shapes: Vec<&[usize]> = inputs.iter().map(|&i: &usize| network.nodes[i].shape.as_slice()).collect();
        let stated = match &op {
            Op::Reshape => vec![shapes[0].iter().product()],
            _ => shape.to_vec(),
        };
        let shape = crate::network::shape_inference::infer_shape(&op, &shapes, &stated).unwrap();
        network.output = network.nodes.len();
        network.nodes.push(Node { name: format!("n{}", network.output), op, inputs, shape });
    }
    let target = network.output;
    let program = Program::new(Arc::new(network), &Device::flex());
    let form = program.event_form(target).expect("an event form");
    let grid = Grid::of(shape).unwrap();
    let amplitudes: Vec<f32> =
        if per_channel { (0..grid.channels).map(|c| [0.5, 1.0, 2.0][c % 3]).collect() } else { vec![0.5] };
    // More than one chunk of steps, where steps are sorted.
    let steps = if grid.channels >= weight_tiles::TILE_ROWS { weight_tiles::STEP_CHUNK + 3 } else { 3 };
    let field = field(grid, steps, percent, planes, &mut seed);
    let by_events = match form.plan.lanes {
        1 => by_events::<1>(&form.plan, &form.constant, &field, &amplitudes, steps),
        2 => by_events::<2>(&form.plan, &form.constant, &field, &amplitudes, steps),
        _ => by_events::<4>(&form.plan, &form.constant, &field, &amplitudes, steps),
    };
    for (t, events) in by_events.iter().enumerate() {
        let x = program.tensor(dense(&field, grid, t, &amplitudes), 1);
        let mut want = Vec::new();
        let mut values: Vec<Option<burn::tensor::Tensor<2>>> = vec![None, Some(x)];
        for (id, node) in program.network().nodes.iter().enumerate().skip(2) {
            let inputs = node.inputs.iter().map(|&i| values[i].clone().unwrap()).collect();
            let value = crate::compute::dense::apply_node(program.network(), node, program.params(id), inputs);
            if id == target {
                want = tensor_to_vec(value.clone());
            }
            values.push(Some(value));
        }
        assert_eq!(events, &want, "step {t}");
    }
}

#[derive(Clone, Debug)]
struct Case {
    shape: [usize; 3],
    out: usize,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 4],
    dilation: [usize; 2],
    groups: usize,
    percent: u64,
    seed: u64,
}

fn case() -> impl Strategy<Value = Case> {
    let sizes = (1usize..6, 1usize..30, 3usize..9, 3usize..9, 1usize..4);
    let windows = (
        [1usize..4, 1usize..4],
        [1usize..3, 1usize..3],
        [0usize..3, 0usize..3, 0usize..3, 0usize..3],
        [1usize..3, 1usize..3],
    );
    (sizes, windows, 0u64..101, any::<u64>())
        .prop_map(|((channels, out, h, w, groups), (kernel, stride, padding, dilation), percent, seed)| Case {
            shape: [channels * groups, h, w],
            out: out * groups,
            kernel,
            stride,
            padding,
            dilation,
            groups,
            percent,
            seed,
        })
        .prop_filter("the kernel fits", |case| {
            let fits = |axis: usize, length: usize| {
                case.dilation[axis] * (case.kernel[axis] - 1) < length + case.padding[axis] + case.padding[axis + 2]
            };
            fits(0, case.shape[1]) && fits(1, case.shape[2])
        })
}

fn conv(case: &Case, inputs: usize, seed: &mut u64) -> Op {
    let weight = weights(&[case.out, inputs / case.groups, case.kernel[0], case.kernel[1]], seed);
    let Case { stride, padding, dilation, groups, .. } = *case;
    Op::Conv2d { weight, bias: Some(weights(&[case.out], seed)), stride, padding, dilation, groups }
}

const SIGNED: &[i32] = &[1, -1];
const GROUP: &[i32] = &[1, 2, 4];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Many channels: tiled and untiled sums agree, and both equal the dense value.
    #[test]
    fn tiles_of_weights_add_up(
        case in case(),
        channels in 128usize..300,
        out in 33usize..150,
        planes in prop_oneof![Just(&[1] as &[i32]), Just(SIGNED), Just(GROUP)],
        pool in any::<bool>(),
    ) {
        let case = Case { shape: [channels, case.shape[1].min(5), case.shape[2].min(5)], out, groups: 1, ..case };
        let mut seed = case.seed | 1;
        let fits = |axis: usize| {
            let length = if pool { case.shape[axis + 1] / 2 } else { case.shape[axis + 1] };
            case.dilation[axis] * (case.kernel[axis] - 1) < length + case.padding[axis] + case.padding[axis + 2]
        };
        prop_assume!(fits(0) && fits(1));
        let mut nodes = Vec::new();
        if pool {
            let pool = Op::AvgPool2d { kernel: [2, 2], stride: [2, 2], padding: [0; 4], count_include_pad: true };
            nodes.push((pool, vec![1]));
        }
        let from = 1 + nodes.len();
        nodes.push((conv(&case, channels, &mut seed), vec![from]));
        check(&case.shape, nodes, case.percent, planes, false, case.seed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn convolutions(case in case(), per_channel: bool, planes in prop_oneof![Just(&[1][..]), Just(SIGNED), Just(GROUP)]) {
        let mut seed = case.seed | 1;
        let op = conv(&case, case.shape[0], &mut seed);
        check(&case.shape, vec![(op, vec![1])], case.percent, planes, per_channel, case.seed);
    }

    #[test]
    fn convolutions_behind_mean_pools_scales_and_padding(case in case(), include: bool) {
        let mut seed = case.seed | 1;
        let pool = Op::AvgPool2d { kernel: [2, 2], stride: [1, 1], padding: if include { [1; 4] } else { [0; 4] }, count_include_pad: true };
        let scale = (0..case.shape[0]).map(|c| [0.5, 2.0, -1.0][c % 3]).collect();
        let affine = Op::Affine { scale, shift: vec![0.25; case.shape[0]] };
        let pad = Op::Pad { before: vec![0, 1, 2], after: vec![0, 2, 0] };
        let op = conv(&case, case.shape[0], &mut seed);
        check(&case.shape, vec![(pool, vec![1]), (affine, vec![2]), (pad, vec![3]), (op, vec![4])], case.percent, &[1], false, case.seed);
    }

    #[test]
    fn sums_of_branches(case in case(), per_channel: bool) {
        // A convolution that keeps the shape, and the spikes themselves beside it.
        let mut seed = case.seed | 1;
        let [channels, ..] = case.shape;
        let same = Case { out: channels, kernel: [3, 3], stride: [1, 1], padding: [1; 4], dilation: [1, 1], groups: 1, ..case };
        let op = conv(&same, channels, &mut seed);
        let scale = Op::Affine { scale: vec![2.0], shift: vec![0.5] };
        check(&case.shape, vec![(op, vec![1]), (Op::Add, vec![2, 1]), (scale, vec![3])], case.percent, &[1], per_channel, case.seed);
    }

    #[test]
    fn shortcuts_that_cut_and_pad(case in case(), per_channel: bool) {
        // Option A of ResNets: every other place, zeros for the new channels.
        let [channels, h, w] = case.shape;
        let rows = Op::Slice { axis: 1, start: 0, end: h, step: 2 };
        let columns = Op::Slice { axis: 2, start: 1, end: w, step: 2 };
        let pad = Op::Pad { before: vec![2, 1, 0], after: vec![1, 0, 1] };
        let shape = [channels + 3, h.div_ceil(2) + 1, (w - 1).div_ceil(2) + 1];
        let mut seed = case.seed | 1;
        let conv = Op::Conv2d {
            weight: weights(&[shape[0], channels, 1, 1], &mut seed),
            bias: None,
            stride: [2, 2],
            padding: [2, 1, 2, 2],
            dilation: [1, 1],
            groups: 1,
        };
        // If the convolution happens to have the same shape, the two are added; otherwise the shortcut stands alone.
        let out = |length: usize, before: usize, after: usize| (length + before + after - 1) / 2 + 1;
        let fits = [out(h, 2, 2), out(w, 1, 2)] == shape[1..];
        let mut nodes = vec![(rows, vec![1]), (columns, vec![2]), (pad, vec![3])];
        if fits {
            nodes.extend([(conv, vec![1]), (Op::Add, vec![5, 4])]);
        }
        check(&case.shape, nodes, case.percent, &[1], per_channel, case.seed);
    }

    #[test]
    fn fully_connected_layers(case in case(), out in 1usize..150, mean: bool, transposed: bool, per_channel: bool) {
        let mut seed = case.seed | 1;
        let mut nodes = Vec::new();
        let mut inputs: usize = case.shape.iter().product();
        if mean {
            nodes.push((Op::Mean { axes: vec![1, 2] }, vec![1]));
            inputs = case.shape[0];
            // The mean over a power of two of places stays exact.
            prop_assume!((case.shape[1] * case.shape[2]).is_power_of_two());
        } else if transposed {
            nodes.push((Op::Transpose { perm: vec![1, 2, 0] }, vec![1]));
        }
        nodes.push((Op::Reshape, vec![nodes.len() + 1]));
        nodes.push((Op::Linear { weight: weights(&[out, inputs], &mut seed), bias: Some(weights(&[out], &mut seed)) }, vec![nodes.len() + 1]));
        check(&case.shape, nodes, case.percent, &[1], per_channel, case.seed);
    }

    #[test]
    fn concatenations(case in case()) {
        let mut seed = case.seed | 1;
        let case = Case { groups: 1, ..case };
        let doubled = Op::Affine { scale: vec![2.0], shift: vec![0.0] };
        let op = conv(&case, 2 * case.shape[0], &mut seed);
        check(&case.shape, vec![(doubled, vec![1]), (Op::Concat { axis: 0 }, vec![1, 2]), (op, vec![3])], case.percent, &[1], false, case.seed);
    }
}
