//! Tests of the forward pass on slices against the same network node by node on Burn tensors.

use std::sync::Arc;

use burn::tensor::Device;

use super::*;
use crate::network::{Activation, Network, Node, Op, Weights};

fn weights(shape: &[usize], seed: usize) -> Weights {
    let value = |k: usize| ((k * 7919 + seed * 104_729) % 1009) as f32 / 504.5 - 1.0;
    let fan_in: usize = shape[1..].iter().product::<usize>().max(1);
    let scale = (3.0 / fan_in as f32).sqrt();
    Weights::new(shape.to_vec(), (0..shape.iter().product()).map(|k| value(k) * scale).collect())
}

struct Builder(Vec<Node>);

impl Builder {
    fn new(shape: &[usize]) -> Self {
        Self(vec![Node { name: "x".into(), op: Op::Input, inputs: Vec::new(), shape: shape.to_vec() }])
    }
    fn add(&mut self, op: Op, inputs: &[usize], shape: &[usize]) -> usize {
        let name = self.0.len().to_string();
        self.0.push(Node { name, op, inputs: inputs.to_vec(), shape: shape.to_vec() });
        self.0.len() - 1
    }
    fn conv(&mut self, from: usize, out: usize, kernel: usize, stride: usize, groups: usize) -> usize {
        let [c, h, w] = self.0[from].shape[..] else { panic!("not an image") };
        let op = Op::Conv2d {
            weight: weights(&[out, c / groups, kernel, kernel], self.0.len()),
            bias: Some(weights(&[out], 3)),
            stride: [stride; 2],
            padding: [kernel / 2; 4],
            dilation: [1, 1],
            groups,
        };
        let size = |n: usize| (n + 2 * (kernel / 2) - kernel) / stride + 1;
        self.add(op, &[from], &[out, size(h), size(w)])
    }
    fn linear(&mut self, from: usize, out: usize) -> usize {
        let weight = weights(&[out, self.0[from].len()], self.0.len());
        self.add(Op::Linear { weight, bias: Some(weights(&[out], 5)) }, &[from], &[out])
    }
    fn activation(&mut self, from: usize, activation: Activation) -> usize {
        let shape = self.0[from].shape.clone();
        self.add(Op::Activation(activation), &[from], &shape)
    }
    fn program(self) -> Program {
        let output = self.0.len() - 1;
        let network = Network {
            name: "test".into(),
            nodes: self.0,
            output,
            scaling: None,
            class_names: Vec::new(),
            neurons: None,
        };
        Program::new(Arc::new(network), &Device::flex())
    }
}

/// Every operation, values that several nodes read, and a node that nothing reads.
fn all_operations() -> Program {
    let mut b = Builder::new(&[3, 12, 10]);
    let x = b.conv(0, 8, 3, 1, 1);
    let x = b.activation(x, Activation::Relu);
    let y = b.conv(x, 8, 3, 1, 1);
    let y = b.add(Op::Add, &[y, x], &[8, 12, 10]);
    let y = b.activation(y, Activation::Clip { lambda: 1.2 });
    let max = Op::MaxPool2d { kernel: [3, 3], stride: [2, 2], padding: [1; 4], dilation: [1, 1] };
    let max = b.add(max, &[y], &[8, 6, 5]);
    let avg = Op::AvgPool2d { kernel: [3, 3], stride: [2, 2], padding: [1; 4], count_include_pad: false };
    let avg = b.add(avg, &[y], &[8, 6, 5]);
    b.activation(avg, Activation::Relu);
    let both = b.add(Op::Concat { axis: 0 }, &[max, avg, max], &[24, 6, 5]);
    let scaled = Op::Affine { scale: (0..24).map(|k| 0.5 + k as f32 / 24.0).collect(), shift: vec![0.1; 24] };
    let scaled = b.add(scaled, &[both], &[24, 6, 5]);
    let depthwise = b.conv(scaled, 24, 3, 1, 24);
    let grouped = b.conv(depthwise, 12, 3, 2, 4);
    let qcfs = b.activation(grouped, Activation::Qcfs { lambda: 1.5, levels: 4, shift: 0.5 });
    let padded = b.add(Op::Pad { before: vec![1, 0, 1], after: vec![2, 1, 0] }, &[qcfs], &[15, 4, 4]);
    let turned = b.add(Op::Transpose { perm: vec![1, 0, 2] }, &[padded], &[4, 15, 4]);
    let cut = b.add(Op::Slice { axis: 1, start: 1, end: 14, step: 3 }, &[turned], &[4, 5, 4]);
    let deep = b.conv(cut, 33, 3, 1, 1);
    let up = b.add(
        Op::ConvTranspose2d {
            weight: weights(&[33, 5, 2, 2], 9),
            bias: None,
            stride: [2, 2],
            padding: [0; 4],
            output_padding: [0, 0],
            dilation: [1, 1],
            groups: 1,
        },
        &[deep],
        &[5, 10, 8],
    );
    let mean = b.add(Op::Mean { axes: vec![1, 2] }, &[up], &[5]);
    let flat = b.add(Op::Reshape, &[deep], &[33 * 20]);
    let hidden = b.linear(flat, 40);
    let hidden = b.activation(hidden, Activation::Relu);
    let joined = b.add(Op::Concat { axis: 0 }, &[hidden, mean], &[45]);
    let logits = b.linear(joined, 7);
    b.add(Op::Softmax { log: false }, &[logits], &[7]);
    b.program()
}

/// The values of all `targets` by node and sample, and the output.
fn run(program: &Program, input: &[f32], targets: &[NodeId]) -> (Vec<Vec<f32>>, Vec<f32>) {
    let width = program.network().nodes[0].len();
    let control = JobControl::default();
    let observe = |seen: &mut Vec<(NodeId, usize, Vec<f32>)>, node, sample, values: &[f32]| {
        seen.push((node, sample, values.to_vec()));
        Ok(())
    };
    let (outputs, seen) = program.run_samples(input, targets, "test", &control, Vec::new, observe).unwrap();
    let mut seen = seen.concat();
    seen.sort_by_key(|(node, sample, _)| (*node, *sample));
    assert_eq!(seen.len(), targets.len() * input.len() / width, "each value once");
    (seen.into_iter().map(|(.., values)| values).collect(), outputs)
}

#[test]
fn every_value_equals_that_of_burn_whatever_is_observed_and_however_many_threads_there_are() {
    let program = all_operations();
    let network = program.network().clone();
    let rows = 21;
    let input = weights(&[rows, network.nodes[0].len()], 1).data;
    let all: Vec<NodeId> = (0..network.nodes.len()).collect();
    let (values, outputs) = run(&program, &input, &all);
    let mut values = values.chunks(rows);
    program.run(program.tensor(input.to_vec(), rows), |id, want| {
        let (got, want) = (values.next().unwrap().concat(), tensor_to_vec(want.clone()));
        let largest = got.iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(got.len() == want.len() && largest < 2e-5, "{id} {}: {largest}", network.nodes[id].kind_name());
    });
    for threads in [1, 2, 5] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        for targets in [&[][..], &[1], &[4, 5], &[2, 14], &all] {
            let (some, again) = pool.install(|| run(&program, &input, targets));
            assert_eq!(again, outputs, "{threads} threads, {targets:?}");
            let want = targets.iter().flat_map(|&id| pool.install(|| run(&program, &input, &[id])).0);
            assert_eq!(some, want.collect::<Vec<_>>(), "{threads} threads, {targets:?}");
        }
        let one_by_one = input.chunks(network.nodes[0].len()).flat_map(|x| run(&program, x, &[]).1);
        assert_eq!(one_by_one.collect::<Vec<f32>>(), outputs, "sample by sample");
    }
}

#[test]
fn nodes_by_themselves_give_the_values_of_the_whole_pass() {
    let program = all_operations();
    let network = program.network();
    let rows = 5;
    let input = weights(&[rows, network.nodes[0].len()], 1).data;
    let all: Vec<NodeId> = (0..network.nodes.len()).collect();
    let values: Vec<Vec<f32>> = run(&program, &input, &all).0.chunks(rows).map(<[_]>::concat).collect();
    for (id, node) in network.nodes.iter().enumerate().skip(1) {
        let inputs: Vec<&[f32]> = node.inputs.iter().map(|&input| values[input].as_slice()).collect();
        assert_eq!(program.apply_on_slices(id, &inputs, rows), values[id], "{id} {}", node.kind_name());
    }
    assert_eq!(program.outputs(&input, &JobControl::default()).unwrap(), values[network.output]);
}

#[test]
fn kept_values_are_those_that_are_observed_also_where_they_are_not_finite() {
    let program = all_operations();
    let network = program.network();
    let rows = 21;
    let mut input = weights(&[rows, network.nodes[0].len()], 1).data.to_vec();
    let width = network.nodes[0].len();
    (input[3 * width + 40], input[7 * width + 5], input[9 * width]) = (f32::NAN, f32::INFINITY, -3e30);
    let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    let all: Vec<NodeId> = (0..network.nodes.len()).collect();
    for nodes in [&[1][..], &[4, 5], &[2, 4, 14, 22], &all] {
        let (want, outputs) = run(&program, &input, nodes);
        let mut values: Vec<Vec<f32>> = nodes.iter().map(|&id| vec![0.0; rows * network.nodes[id].len()]).collect();
        let places = values.iter_mut().zip(nodes);
        let kept =
            places.map(|(values, &node)| Kept { node, places: sample_places(values, network.nodes[node].len()) });
        let kept: Vec<Kept> = kept.collect();
        let got = program.run_samples_keeping(&input, &kept, "test", &JobControl::default()).unwrap();
        drop(kept);
        assert_eq!(bits(&got), bits(&outputs), "{nodes:?}");
        assert_eq!(bits(&values.concat()), bits(&want.concat()), "{nodes:?}");
    }
}

#[test]
fn a_cancelled_run_and_one_whose_observer_fails_end_with_the_error() {
    let program = all_operations();
    let input = weights(&[9, program.network().nodes[0].len()], 1).data;
    let control = JobControl::default();
    let fail = |(): &mut (), _, sample, _: &[f32]| match sample {
        4 => Err(crate::Error::Internal("no".into())),
        _ => Ok(()),
    };
    assert!(program.run_samples(&input, &[3], "test", &control, || (), fail).is_err());
    control.cancel();
    let result = program.run_samples(&input, &[], "test", &control, || (), |(), _, _, _| Ok(()));
    assert!(matches!(result, Err(crate::Error::Cancelled)));
}
