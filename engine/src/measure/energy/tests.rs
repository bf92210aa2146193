//! Operation counts and energy of small networks, counted by hand.

use std::sync::Arc;

use super::*;
use crate::measure::fan_out::fan_outs;
use crate::network::{Activation, Node, Weights};
use crate::simulate::{LayerRecording, SpikeTrain};

fn node(op: Op, inputs: &[NodeId], shape: &[usize]) -> Node {
    Node { name: String::new(), op, inputs: inputs.to_vec(), shape: shape.to_vec() }
}

fn network(nodes: Vec<Node>) -> Network {
    let output = nodes.len() - 1;
    Network { name: "small".into(), nodes, output, scaling: None, class_names: Vec::new(), neurons: None }
}

fn weights(shape: &[usize]) -> Weights {
    Weights::new(shape.to_vec(), vec![0.0; shape.iter().product()])
}

fn linear(outputs: usize, inputs: usize) -> Op {
    Op::Linear { weight: weights(&[outputs, inputs]), bias: None }
}

fn conv(outputs: usize, inputs: usize, kernel: usize, padding: usize, groups: usize) -> Op {
    let weight = weights(&[outputs, inputs / groups, kernel, kernel]);
    Op::Conv2d { weight, bias: None, stride: [1; 2], padding: [padding; 4], dilation: [1; 2], groups }
}

const NEURONS: Op = Op::Activation(Activation::Relu);

/// 3 inputs, 4 neurons, 2 outputs.
fn dense() -> Network {
    network(vec![
        node(Op::Input, &[], &[3]),
        node(linear(4, 3), &[0], &[4]),
        node(NEURONS, &[1], &[4]),
        node(linear(2, 4), &[2], &[2]),
    ])
}

/// A recording where at each step (and for each sample in it) the named neurons of the only layer fire.
fn recording(neurons: usize, fired: &[&[&[usize]]]) -> Recording {
    let (steps, samples) = (fired.len(), fired[0].len());
    let mut spikes = SpikeTrain::new(samples, neurons);
    spikes.resize(steps);
    for (t, step) in fired.iter().enumerate() {
        for (sample, neurons) in step.iter().enumerate() {
            neurons.iter().for_each(|n| spikes.row_mut(t, sample)[n / 64] |= 1 << (n % 64));
        }
    }
    let layer =
        LayerRecording { spikes, mean_input: Arc::default(), potential: Arc::default(), v_init: None, silenced: None };
    Recording { steps, samples, classes: 0, layers: vec![layer], readout: Vec::new() }
}

#[test]
fn macs_of_dense_layers_and_of_the_first_layer() {
    assert_eq!(macs(&dense()), Macs { total: 20.0, first_layer: 12.0, graded: 0.0 });
}

#[test]
fn convolutions_do_not_count_taps_on_padding() {
    // 3 by 3 on 4 by 4 with padding 1: (2+3+3+2)² = 100 taps inside, 1 channel in, 2 out. Then depthwise on 2 channels.
    let padded = network(vec![
        node(Op::Input, &[], &[1, 4, 4]),
        node(conv(2, 1, 3, 1, 1), &[0], &[2, 4, 4]),
        node(NEURONS, &[1], &[2, 4, 4]),
        node(conv(2, 2, 3, 1, 2), &[2], &[2, 4, 4]),
    ]);
    assert_eq!(macs(&padded), Macs { total: 400.0, first_layer: 200.0, graded: 0.0 });
    // The same zeros from a separate Pad node.
    let with_pad_node = network(vec![
        node(Op::Input, &[], &[1, 4, 4]),
        node(Op::Pad { before: vec![0, 1, 1], after: vec![0, 1, 1] }, &[0], &[1, 6, 6]),
        node(conv(2, 1, 3, 0, 1), &[1], &[2, 4, 4]),
    ]);
    assert_eq!(macs(&with_pad_node), Macs { total: 200.0, first_layer: 200.0, graded: 0.0 });
}

#[test]
fn weights_that_read_currents_stay_macs_at_every_step() {
    // Input → 2 → 2 (both constant), neurons, → 3 (spikes) → 5 (graded currents).
    let bottleneck = network(vec![
        node(Op::Input, &[], &[2]),
        node(linear(2, 2), &[0], &[2]),
        node(linear(2, 2), &[1], &[2]),
        node(NEURONS, &[2], &[2]),
        node(linear(3, 2), &[3], &[3]),
        node(linear(5, 3), &[4], &[5]),
    ]);
    assert_eq!(macs(&bottleneck), Macs { total: 29.0, first_layer: 8.0, graded: 15.0 });
    let operations = operations(&bottleneck, &fan_outs(&bottleneck), &recording(2, &[&[&[0]], &[&[0, 1]]]));
    let constants = EnergyConstants::own(1.0, 1.0, true);
    // Each spike reaches 3.
    assert_eq!(energy(&operations, &constants).snn_joules, vec![3.0 + 8.0 + 15.0, 9.0 + 8.0 + 30.0]);
}

#[test]
fn synops_add_up_over_steps_per_sample() {
    let network = dense();
    // Two samples: 1 and 3 spikes at the first step, 2 and 0 at the second; each reaches 2 outputs.
    let recording = recording(4, &[&[&[0], &[1, 2, 3]], &[&[0, 3], &[]]]);
    let operations = operations(&network, &fan_outs(&network), &recording);
    assert_eq!(operations.layers[0].spikes, vec![2.0, 3.0]);
    let constants = EnergyConstants::own(1.0, 2.0, true);
    let once = energy(&operations, &constants);
    assert_eq!((once.ann_macs, once.first_layer_macs, once.ann_joules), (20.0, 12.0, 40.0));
    assert_eq!(once.synops, vec![4.0, 6.0]);
    assert_eq!(once.snn_joules, vec![4.0 + 24.0, 6.0 + 24.0]);
    assert_eq!((once.break_even_step, once.rate), (None, 3.0 / 8.0));
    // (40 − 24) J are 16 SynOps or 8 spikes over 4 neurons × 2 steps.
    assert!((once.break_even_rate - 1.0).abs() < 1e-12);

    let each = energy(&operations, &EnergyConstants { first_layer_once: false, ..constants });
    assert_eq!(each.snn_joules, vec![4.0 + 24.0, 6.0 + 48.0]);
    assert_eq!((each.break_even_step, each.break_even_rate), (Some(2), 0.0));
}

#[test]
fn every_spike_of_a_burst_is_counted() {
    let network = dense();
    let mut recording = recording(4, &[&[&[]]]);
    let mut burst = SpikeTrain::with_weights(1, 4, crate::convert::NeuronModel::Burst(3).plane_weights());
    burst.resize(1);
    // Neuron 0 sends three spikes, neuron 1 two; each reaches 2 outputs.
    burst.row_mut(0, 0).copy_from_slice(&[0b01, 0b11]);
    recording.layers[0].spikes = burst;
    let counted = operations(&network, &fan_outs(&network), &recording);
    assert_eq!((counted.layers[0].spikes[0], counted.layers[0].synops[0]), (5.0, 10.0));
    // A negative spike costs as much as a positive one.
    let mut signed = SpikeTrain::with_weights(1, 4, crate::convert::NeuronModel::Signed.plane_weights());
    signed.resize(1);
    signed.row_mut(0, 0).copy_from_slice(&[0b01, 0b10]);
    recording.layers[0].spikes = signed;
    assert_eq!(operations(&network, &fan_outs(&network), &recording).layers[0].synops, vec![4.0]);
}

#[test]
fn snn_uses_less_energy_below_the_break_even_rate() {
    let network = dense();
    let constants = EnergyConstants::own(1.5, 1.0, true);
    let of =
        |fired: &[&[&[usize]]]| energy(&operations(&network, &fan_outs(&network), &recording(4, fired)), &constants);
    // 8 J for spikes of 3 J each: 8/3 spikes over 4 neurons.
    let run = of(&[&[&[2]]]);
    assert!((run.break_even_rate * 4.0 - 8.0 / 3.0).abs() < 1e-12);
    assert_eq!(run.rate < run.break_even_rate, run.snn_joules[0] < run.ann_joules);
    let run = of(&[&[&[0, 1, 2]]]);
    assert_eq!(run.rate < run.break_even_rate, run.snn_joules[0] < run.ann_joules);
    // A silent run has the same rate: all fan-outs are equal here.
    assert!((of(&[&[&[]]]).break_even_rate * 4.0 - 8.0 / 3.0).abs() < 1e-12);
}

#[test]
fn spikes_are_counted_before_the_pool() {
    // 2 by 2 neurons pooled to 1, then 3 outputs: each spike reaches 3, four of them 12.
    let pool = Op::AvgPool2d { kernel: [2; 2], stride: [2; 2], padding: [0; 4], count_include_pad: true };
    let network = network(vec![
        node(Op::Input, &[], &[1, 2, 2]),
        node(conv(1, 1, 1, 0, 1), &[0], &[1, 2, 2]),
        node(NEURONS, &[1], &[1, 2, 2]),
        node(pool, &[2], &[1, 1, 1]),
        node(Op::Reshape, &[3], &[1]),
        node(linear(3, 1), &[4], &[3]),
    ]);
    let operations = operations(&network, &fan_outs(&network), &recording(4, &[&[&[0, 1, 2, 3]]]));
    assert_eq!(operations.layers[0].synops, vec![12.0]);
    assert_eq!(operations.macs, Macs { total: 4.0 + 3.0, first_layer: 4.0, graded: 0.0 });
}

#[test]
fn constants_survive_a_file_and_invalid_ones_count_as_zero() {
    for constants in EnergyConstants::PRESETS {
        let text = serde_json::to_string(&constants).unwrap();
        assert_eq!(serde_json::from_str::<EnergyConstants>(&text).unwrap(), constants);
    }
    let invalid = EnergyConstants::own(f64::NAN, -1.0, true);
    assert_eq!((invalid.per_synop, invalid.per_mac), (0.0, 0.0));
    let network = dense();
    let energy = energy(&operations(&network, &fan_outs(&network), &recording(4, &[&[&[0]]])), &invalid);
    assert_eq!((energy.break_even_step, energy.break_even_rate), (Some(1), 0.0));
}

#[test]
fn published_joules_of_resnet_34_are_reproduced() {
    // ResNet-34: 20.86 G SynOps at 77 fJ are 1.606 mJ, that is 622 images a joule.
    let joules = 20.86e9 * EnergyConstants::QIAO.per_synop;
    assert!((joules - 1.606e-3).abs() < 1e-6 && (1.0 / joules - 622.6).abs() < 0.1);
}
