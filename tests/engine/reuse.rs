//! Reuse tests: a run computes only neuron-steps that no earlier run has computed.

use spikescope::compute::program::Program;
use spikescope::convert::{DENSE_CROSSOVER_RATE, Recipe, SpikingNetwork, ThresholdRule};
use spikescope::network::{Op, Weights};
use spikescope::progress::JobControl;
use spikescope::simulate::execution_form::{ExecutionForm, execution_form};
use spikescope::simulate::{Recording, SimulationPlan, simulate};

use crate::bench::{Bench, SAMPLES, assert_same, bench, net, with_max_pool};

/// A run of the first `samples` samples on top of `previous`, and the neuron-steps computed for it.
fn counted(
    bench: &Bench,
    spiking: &SpikingNetwork,
    (steps, samples): (usize, usize),
    previous: Option<&Recording>,
    unchanged_layers: usize,
) -> (Recording, u64) {
    let control = JobControl::default();
    let width = bench.input.len() / SAMPLES;
    let input = &bench.input[..samples * width];
    let program = &bench.program;
    let recording =
        simulate(&SimulationPlan { program, spiking, input, samples, steps, previous, unchanged_layers }, &control)
            .unwrap();
    (recording, control.computed_neuron_steps())
}

#[test]
fn only_new_neuron_steps_are_computed() {
    for (name, network) in [("cnn", net("cnn", "relu")), ("max pool", with_max_pool())] {
        let bench = bench(&network, burn::tensor::Device::flex());
        let spiking = bench.spiking(&Recipe::default());
        let all = spiking.layers.len();
        let fresh = |steps, samples| counted(&bench, &spiking, (steps, samples), None, 0);
        let (short, short_work) = fresh(9, SAMPLES);
        let (long, long_work) = fresh(24, SAMPLES);
        let neurons: usize = spiking.layers.iter().map(|layer| layer.neurons()).sum();
        assert!(long_work >= (24 * SAMPLES * neurons) as u64, "{name}: every neuron takes every step");

        let (longer, work) = counted(&bench, &spiking, (24, SAMPLES), Some(&short), all);
        assert_eq!(work, long_work - short_work, "{name}: a longer T goes on");
        assert_same(&longer, &long, name);
        let (_, work) = counted(&bench, &spiking, (9, SAMPLES), Some(&long), all);
        assert_eq!(work, 0, "{name}: a shorter T is a prefix");
        let (_, work) = counted(&bench, &spiking, (24, SAMPLES), Some(&long), all);
        assert_eq!(work, 0, "{name}: the same run again");

        let (few, few_work) = fresh(24, SAMPLES - 3);
        let (more, work) = counted(&bench, &spiking, (24, SAMPLES), Some(&few), all);
        assert_eq!(work, long_work - few_work, "{name}: of more samples only those added");
        assert_same(&more, &long, name);
        let (fewer, work) = counted(&bench, &spiking, (24, SAMPLES - 3), Some(&long), all);
        assert_eq!(work, 0, "{name}: fewer samples are there already");
        assert_same(&fewer, &few, name);

        let readout = long_work - (24 * SAMPLES * neurons) as u64;
        for layer in 0..all {
            let behind: usize = spiking.layers[layer..].iter().map(|layer| layer.neurons()).sum();
            let (_, work) = counted(&bench, &spiking, (24, SAMPLES), Some(&long), layer);
            assert_eq!(work, (24 * SAMPLES * behind) as u64 + readout, "{name}: a change at layer {layer}");
        }
    }
}

/// The execution form of every layer on `input` of [`SAMPLES`] samples.
fn forms(program: &Program, spiking: &SpikingNetwork, input: &[f32]) -> Vec<ExecutionForm> {
    let plan =
        SimulationPlan { program, spiking, input, samples: SAMPLES, steps: 4, previous: None, unchanged_layers: 0 };
    (0..spiking.layers.len()).map(|layer| execution_form(&plan, layer)).collect()
}

#[test]
fn first_layer_is_constant_only_for_input_that_does_not_change() {
    let bench = bench(&net("mlp", "relu"), burn::tensor::Device::flex());
    let spiking = bench.spiking(&Recipe::default());
    let first = |frames: &[f32]| forms(&bench.program, &spiking, frames)[0];
    assert_eq!(first(&bench.input), ExecutionForm::Constant);
    // Two frames a sample: counts of events, and other values.
    let mut frames = vec![1.0; bench.input.len() * 2];
    assert!(matches!(first(&frames), ExecutionForm::Tables | ExecutionForm::Events));
    frames[0] = 0.5;
    assert_eq!(first(&frames), ExecutionForm::Dense);
}

#[test]
fn dense_form_is_used_for_high_rates_and_gives_the_same_result() {
    let mut network = net("mlp", "relu");
    // All weights are positive, so every neuron is active. Thresholds are so low that each spikes at every step.
    for node in &mut network.nodes {
        if let Op::Linear { weight, .. } = &mut node.op {
            *weight = Weights::new(weight.shape.clone(), weight.data.iter().map(|w| w.abs()).collect());
        }
    }
    let bench = bench(&network, burn::tensor::Device::flex());
    let recipe = Recipe { threshold: ThresholdRule::Percentile(1.0), ..Recipe::default() };
    let spiking = bench.spiking(&recipe);
    let events = SpikingNetwork { dense_nodes: Vec::new(), ..spiking.clone() };
    let forms = forms(&bench.program, &spiking, &bench.input);
    let without = self::forms(&bench.program, &events, &bench.input);
    assert_eq!(forms[0], ExecutionForm::Constant);
    assert!(!without.contains(&ExecutionForm::DenseByRate));
    let (a, b) = (bench.run(&spiking, 16, None, 0), bench.run(&events, 16, None, 0));
    let rate = |layer: usize| {
        a.layers[layer].spikes.total(16) as f64 / (16 * SAMPLES * spiking.layers[layer].neurons()) as f64
    };
    for (layer, form) in forms.iter().enumerate().skip(1) {
        assert_eq!(
            *form == ExecutionForm::DenseByRate,
            rate(layer - 1) > DENSE_CROSSOVER_RATE - 0.05,
            "layer {layer}: {forms:?}"
        );
    }
    assert_same(&a, &b, "dense and events");
}
