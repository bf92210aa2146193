//! Divergence step, neuron and cause on layers with given input currents.

use std::sync::Arc;

use super::*;
use crate::compute::AnnRun;
use crate::convert::{Correction, MaxPoolRule, NeuronModel, Readout, SpikingNetwork, TieRule};
use crate::measure::measure_run;
use crate::progress::JobControl;
use crate::simulate::{Recording, SpikeTrain};

fn layer(activation: Activation) -> SpikingLayer {
    SpikingLayer {
        node: 1,
        name: "act".into(),
        shape: vec![1],
        theta: vec![1.0],
        activation,
        neuron: NeuronModel::If,
        v_init: 0.5,
        v_init_values: None,
        bias: Vec::new(),
        bias_shift: 0.0,
        reset: Reset::Soft,
        tie: TieRule::Ge,
    }
}

/// A layer with its z, `[N·F]`, and the currents of every neuron of every sample, `[N·F][T]`.
type LayerInput = (SpikingLayer, Vec<f32>, Vec<Vec<f32>>);

/// ANN values, spiking network and recording of neurons that received the given currents.
struct TestRun {
    spiking: SpikingNetwork,
    ann: AnnRun,
    recording: Recording,
}

impl TestRun {
    fn new(samples: usize, given: Vec<LayerInput>) -> Self {
        let steps = given[0].2[0].len();
        let mut spiking = SpikingNetwork {
            layers: Vec::new(),
            correction: Correction::None,
            pooling: MaxPoolRule::PreNeuron,
            dense_nodes: Vec::new(),
        };
        let mut ann = AnnRun { samples, classes: 0, logits: Vec::new(), pre_activations: Vec::new() };
        let mut layers = Vec::new();
        for (mut layer, z, currents) in given {
            let neurons = z.len() / samples;
            layer.shape = vec![neurons];
            let dynamics = Dynamics { neuron: layer.neuron, reset: layer.reset, tie: layer.tie };
            let mut spikes = SpikeTrain::with_weights(samples, neurons, layer.neuron.plane_weights());
            spikes.resize(steps);
            let mut potential = Vec::new();
            for (i, currents) in currents.iter().enumerate() {
                let (sample, neuron) = (i / neurons, i % neurons);
                let (mut v, mut emitted) = (layer.v_init_of(neuron), 0);
                for (t, &current) in currents.iter().enumerate() {
                    let theta = layer.theta_of(neuron);
                    let (count, after) = dynamics.step(v + layer.bias_shift * theta, current, theta, emitted);
                    for (plane, weight) in layer.neuron.plane_weights().iter().enumerate() {
                        let set = if *weight < 0 { count < 0 } else { count > 0 && count & weight != 0 };
                        spikes.row_mut(t, sample)[plane] |= u64::from(set) << neuron;
                    }
                    v = after;
                    emitted += count;
                }
                potential.push(v);
            }
            let mean_input = currents.iter().map(|c| c.iter().sum::<f32>() / steps as f32).collect();
            let (mean_input, potential) = (Arc::new(mean_input), Arc::new(potential));
            layers.push(LayerRecording { spikes, mean_input, potential, v_init: None, silenced: None });
            spiking.layers.push(layer);
            ann.pre_activations.push(z);
        }
        Self { spiking, ann, recording: Recording { steps, samples, classes: 0, layers, readout: Vec::new() } }
    }

    fn with_data<T>(&self, measure: impl FnOnce(&RunData<'_>, usize) -> T) -> T {
        let means: Vec<&[f32]> = self.recording.layers.iter().map(|l| l.mean_input.as_slice()).collect();
        let data = RunData {
            output_agreement: None,
            spiking: &self.spiking,
            ann: &self.ann,
            recording: &self.recording,
            mean_inputs: &means,
            pooled_means: &[],
            counts: &[],
            first_mean: 0,
            labels: &[],
            readout: Readout::Sum,
            fan_outs: &[],
        };
        measure(&data, self.recording.steps)
    }

    fn divergence_of(&self, sample: usize) -> Option<Divergence> {
        let recorded = &self.recording.layers;
        let mean =
            |layer: usize, neuron| recorded[layer].mean_input[sample * recorded[layer].spikes.neurons() + neuron];
        self.with_data(|data, steps| first_divergence(data, sample, steps, mean))
    }

    fn first(&self) -> Option<Divergence> {
        self.divergence_of(0)
    }
}

/// One neuron with its z and its currents.
fn single_neuron(layer: SpikingLayer, z: f32, currents: &[f32]) -> Option<Divergence> {
    TestRun::new(1, vec![(layer, vec![z], vec![currents.to_vec()])]).first()
}

#[test]
fn quantization_alone_does_not_diverge() {
    for k in -16..=32 {
        let z = k as f32 / 32.0;
        for p in [0.0, 0.25, 0.5, 1.0] {
            let layer = SpikingLayer { v_init: p, ..layer(Activation::Relu) };
            assert_eq!(single_neuron(layer, z, &[z; 6]), None, "z {z}, p {p}");
        }
        // L = 4 levels and 6 steps: θ/2T + θ/2L.
        let qcfs = Activation::Qcfs { lambda: 1.0, levels: 4, shift: 0.5 };
        assert_eq!(single_neuron(layer(qcfs), z, &[z; 6]), None, "QCFS, z {z}");
    }
}

#[test]
fn input_above_the_threshold_is_clipped() {
    let at = single_neuron(layer(Activation::Relu), 1.3, &[1.3; 4]).unwrap();
    // Off by 0.3: within θ/2t = 0.5 after one step, not after two.
    assert_eq!((at.step, at.phi, at.a), (2, 1.0, 1.3));
    assert_eq!(at.cause, DivergenceCause::Clipped { z: 1.3, theta: 1.0, times: 1 });
    let silent = SpikingLayer { theta: vec![0.0], ..layer(Activation::Relu) };
    let at = single_neuron(silent, 0.5, &[0.5; 4]).unwrap();
    assert!(matches!(at.cause, DivergenceCause::Clipped { theta: 0.0, .. }) && at.phi == 0.0);
    assert!(at.to_string().contains("never active"));
    // The ANN clips at the same value: no divergence.
    assert_eq!(single_neuron(layer(Activation::Clip { lambda: 1.0 }), 1.3, &[1.3; 4]), None);
}

#[test]
fn other_input_order_at_equal_sum_is_unevenness() {
    // ẑ = z = 0.4: 2 spikes expected in 5 steps; on constant input they are at steps 2 and 4.
    let early = single_neuron(layer(Activation::Relu), 0.4, &[2.0, 2.0, 2.0, -2.0, -2.0]).unwrap();
    let DivergenceCause::InputOrder { residual } = early.cause else { panic!("{early:?}") };
    assert!((residual + 1.5).abs() < 1e-6 && early.step == 1 && early.phi == 0.8);
    assert!(early.to_string().contains("residual potential −1.50 θ, fired too early. "), "{early}");
    let late = single_neuron(layer(Activation::Relu), 0.4, &[-2.0, -2.0, 2.0, 2.0, 2.0]).unwrap();
    let DivergenceCause::InputOrder { residual } = late.cause else { panic!("{late:?}") };
    assert!((residual - 1.5).abs() < 1e-6 && late.step == 2 && late.phi == 0.2);
    assert!(late.to_string().contains("residual potential 1.50 θ, fired too late. "), "{late}");
    assert_eq!(single_neuron(layer(Activation::Relu), 0.4, &[2.0, -2.0, 2.0, -2.0, 2.0]), None);
}

#[test]
fn another_mean_input_is_a_propagated_error() {
    let at = single_neuron(layer(Activation::Relu), 0.25, &[0.5; 4]).unwrap();
    assert_eq!(at.cause, DivergenceCause::Propagated { mean_input: 0.5, z: 0.25 });
    // Counts 1,1,2,2 against 0,1,1,1: equal at step 2 for the last time.
    assert_eq!((at.step, at.phi, at.a), (3, 0.5, 0.25));
    assert!(at.to_string().contains("its mean input is 0.500 where the ANN has 0.250"));
}

#[test]
fn hard_reset_loses_the_potential_above_the_threshold() {
    let hard = SpikingLayer { reset: Reset::Hard, ..layer(Activation::Relu) };
    let at = single_neuron(hard, 0.75, &[0.75; 8]).unwrap();
    assert_eq!(at.cause, DivergenceCause::HardReset { expected: 6, fired: 4 });
}

#[test]
fn ann_levels_that_differ_from_the_snn_are_a_level_mismatch() {
    // The ANN has two levels up to 0.5, the SNN four steps up to 1.
    let qcfs = Activation::Qcfs { lambda: 0.5, levels: 2, shift: 0.5 };
    let at = single_neuron(layer(qcfs), 0.875, &[0.875; 4]).unwrap();
    assert_eq!(at.cause, DivergenceCause::LevelMismatch { ann: qcfs, steps: 4, theta: 1.0 });
    assert_eq!((at.phi, at.a), (1.0, 0.5));
    assert!(at.to_string().contains("QCFS L=2 λ=0.500 and the SNN 4 steps up to θ = 1.00"));
}

#[test]
fn earliest_divergence_wins_then_the_largest_error() {
    let late = vec![-2.0, -2.0, 2.0, 2.0, 2.0];
    let early = vec![2.0, 2.0, 2.0, -2.0, -2.0];
    let worse = vec![2.0; 5];
    let z = vec![0.4; 3];
    let at =
        TestRun::new(1, vec![(layer(Activation::Relu), z.clone(), vec![late.clone(), early.clone(), early.clone()])])
            .first();
    assert_eq!(at.unwrap().neuron, NeuronRef { layer: 0, sample: 0, neuron: 1 });
    let given = vec![late, early, worse];
    let at = TestRun::new(1, vec![(layer(Activation::Relu), z, given)]).first().unwrap();
    assert_eq!((at.neuron.neuron, at.step), (2, 1));
}

#[test]
fn samples_are_counted_in_their_first_diverging_layer() {
    let even = |z: f32| vec![z; 4];
    let relu = || layer(Activation::Relu);
    let run = TestRun::new(
        3,
        vec![
            (relu(), vec![0.5, 0.5, 1.5], vec![even(0.5), even(0.5), even(1.5)]),
            (relu(), vec![0.25, 0.25, 0.25], vec![even(0.25), even(0.75), even(0.75)]),
        ],
    );
    let counted = run.with_data(|data, steps| measure_run(data, steps, &JobControl::default())).unwrap();
    assert_eq!(*counted.first_layers, FirstLayers { layers: vec![1, 1], never: 1 });
    let layers = |sample| run.divergence_of(sample).map(|d| d.neuron.layer);
    assert_eq!([0, 1, 2].map(layers), [None, Some(1), Some(0)]);
}

#[test]
fn other_neuron_models_diverge_in_their_own_amplitude() {
    let group = || SpikingLayer { neuron: NeuronModel::Group(4), ..layer(Activation::Relu) };
    let burst = || SpikingLayer { neuron: NeuronModel::Burst(3), ..layer(Activation::Relu) };
    let shifted = || SpikingLayer { v_init: 0.0, bias_shift: 1.0 / 8.0, ..layer(Activation::Relu) };
    for k in 0..=32 {
        let z = k as f32 / 32.0;
        for layer in [group(), burst(), shifted()] {
            assert_eq!(single_neuron(layer.clone(), z, &[z; 4]), None, "{:?}, z {z}", layer.neuron);
        }
    }
    // Half an amplitude is θ/32 for the group: 1/16 more input is a propagated error.
    let at = single_neuron(group(), 0.25, &[0.3125; 4]).unwrap();
    assert_eq!((at.phi, at.cause), (0.3125, DivergenceCause::Propagated { mean_input: 0.3125, z: 0.25 }));
    let at = single_neuron(burst(), 3.5, &[3.5; 4]).unwrap();
    assert_eq!((at.phi, at.cause), (3.0, DivergenceCause::Clipped { z: 3.5, theta: 1.0, times: 3 }));
    assert!(at.to_string().contains("clipped at 3 θ"));
}

#[test]
fn wrong_corrections_are_the_named_cause() {
    let given = || vec![(layer(Activation::Relu), vec![0.5], vec![vec![0.5; 4]])];
    let mut run = TestRun::new(1, given());
    let mut bits = SpikeTrain::new(1, 1);
    bits.resize(1);
    bits.row_mut(0, 0)[0] = 1;
    run.recording.layers[0].silenced = Some(bits);
    (0..4).for_each(|t| run.recording.layers[0].spikes.row_mut(t, 0)[0] = 0);
    assert_eq!(run.first().unwrap().cause, DivergenceCause::Silenced { expected: 2 });
    let mut run = TestRun::new(1, given());
    // One θ more in v(0) is one spike more.
    run.recording.layers[0].v_init = Some(vec![1.5]);
    run.recording.layers[0].spikes.row_mut(1, 0)[0] = 1;
    assert_eq!(run.recording.layers[0].spikes.counts(4), [3]);
    assert_eq!(run.first().unwrap().cause, DivergenceCause::InitialPotentialShifted { by: 1.0 });
}
