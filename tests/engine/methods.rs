//! Laws of every conversion method: reproducible runs, charge balance, exact ledger, correct traces.

use spikescope::compute::AnnRun;
use spikescope::convert::{
    Correction, InitialPotential, NamedRecipe, NeuronModel, Recipe, Reset, SpikingNetwork, ThresholdRule,
};
use spikescope::measure::fan_out::fan_outs;
use spikescope::measure::{RunData, first_divergence, measure_run};
use spikescope::network::{Activation, Network, Node, Op, Weights};
use spikescope::progress::JobControl;
use spikescope::simulate::membrane_trace::{layer_currents, trace};
use spikescope::simulate::prefix::truncate_recording;
use spikescope::simulate::{Recording, SimulationPlan, simulate};

use super::bench::{Bench, SAMPLES, assert_same, bench_with, net, with_max_pool};

const STEPS: usize = 12;

/// Calls `check` for every method on a network with max pooling and on one with shortcuts.
fn with_every_method(check: impl Fn(&str, &Bench, &Recipe, &SpikingNetwork)) {
    let nets: [(&str, Network); 2] = [("max pool", with_max_pool()), ("resnet", net("resnet", "qcfs:8"))];
    for (name, network) in &nets {
        let base = Recipe { steps: STEPS, threshold: ThresholdRule::Percentile(99.0), ..Recipe::default() };
        for NamedRecipe { name: method, recipe, .. } in Recipe::published_methods(&base, 4) {
            let bench = bench_with(network, burn::tensor::Device::flex(), recipe.pooling);
            let spiking = bench.spiking(&recipe);
            check(&format!("{name}, {method}"), &bench, &recipe, &spiking);
        }
    }
}

#[test]
fn longer_shorter_and_truncated_runs_equal_fresh_ones() {
    with_every_method(|what, bench, _, spiking| {
        let layers = spiking.layers.len();
        let (short, long) = (bench.run(spiking, 5, None, 0), bench.run(spiking, STEPS, None, 0));
        assert_same(&bench.run(spiking, STEPS, Some(&short), layers), &long, &format!("{what}: longer"));
        assert_same(&bench.run(spiking, 5, Some(&long), layers), &short, &format!("{what}: shorter"));
        // `None` where spikes do not determine the potential: hard reset, SRP.
        if let Some(cut) =
            truncate_recording(&bench.program, spiking, &bench.input, &long, 5, &JobControl::default()).unwrap()
        {
            assert_same(&cut, &short, &format!("{what}: cut"));
        }
    });
}

#[test]
fn runs_do_not_depend_on_other_samples_or_threads() {
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let many = rayon::ThreadPoolBuilder::new().num_threads(7).build().unwrap();
    with_every_method(|what, bench, _, spiking| {
        let all = alone.install(|| bench.run(spiking, STEPS, None, 0));
        assert_same(&many.install(|| bench.run(spiking, STEPS, None, 0)), &all, &format!("{what}: threads"));
        let width = bench.input.len() / SAMPLES;
        for sample in [0, 7] {
            let plan = SimulationPlan {
                program: &bench.program,
                spiking,
                input: &bench.input[sample * width..(sample + 1) * width],
                samples: 1,
                steps: STEPS,
                previous: None,
                unchanged_layers: 0,
            };
            let one = simulate(&plan, &JobControl::default()).unwrap();
            for (layer, (all, one)) in all.layers.iter().zip(&one.layers).enumerate() {
                let same = (0..STEPS).all(|t| all.spikes.row(t, sample) == one.spikes.row(t, 0));
                assert!(same, "{what}: sample {sample}, layer {layer}");
            }
        }
    });
}

#[test]
fn emitted_charge_is_input_charge_minus_residual() {
    with_every_method(|what, bench, recipe, spiking| {
        if recipe.reset == Reset::Hard {
            return;
        }
        let recording = bench.run(spiking, STEPS, None, 0);
        for (layer, record) in spiking.layers.iter().zip(&recording.layers) {
            let counts = record.spikes.counts(STEPS);
            let by_sample = |of: &dyn Fn(usize) -> Option<Vec<f32>>| (0..SAMPLES).filter_map(of).flatten().collect();
            let means: Vec<f32> = by_sample(&|sample| record.mean_inputs(layer, sample));
            let potentials: Vec<f32> = by_sample(&|sample| record.potentials(sample));
            for (i, &n) in counts.iter().enumerate() {
                let (sample, neuron) = (i / layer.neurons(), i % layer.neurons());
                let theta = layer.theta_of(neuron);
                if record.silenced(sample, neuron) {
                    assert_eq!(n, 0, "{what}: a silenced neuron sends nothing");
                    continue;
                }
                let charge = STEPS as f32 * (means[i] + layer.bias_shift * theta);
                let due = charge + record.start_of(layer, sample, neuron) - potentials[i];
                let sent = layer.amplitude_of(neuron) * n as f32;
                let scale = 1.0 + charge.abs() + potentials[i].abs();
                assert!((sent - due).abs() < 1e-4 * scale, "{what}, {}: {sent} against {due}", layer.name);
            }
        }
    });
}

#[test]
fn ledger_sums_to_the_error_and_residual_condition_is_exact_in_theory() {
    with_every_method(|what, bench, recipe, spiking| {
        let ann = AnnRun::compute(&bench.program, &bench.input, SAMPLES, &JobControl::default()).unwrap();
        let recording = bench.run(spiking, STEPS, None, 0);
        let fan_outs = fan_outs(bench.program.network());
        let readout = recipe.readout;
        let (spiking, ann, recording) = (spiking, &ann, &recording);
        let run_data = RunData {
            spiking,
            ann,
            recording,
            mean_inputs: &[],
            pooled_means: &[],
            counts: &[],
            first_mean: 0,
            labels: &[],
            readout,
            output_agreement: None,
            fan_outs: &fan_outs,
        };
        let report = measure_run(&run_data, STEPS, &JobControl::default()).unwrap();
        let mut first = vec![0; spiking.layers.len()];
        let leaving = (0..SAMPLES).filter_map(|sample| first_divergence(&run_data, sample, STEPS, |_, _| 0.0));
        leaving.for_each(|divergence| first[divergence.neuron.layer] += 1);
        assert_eq!(report.first_layers.layers, first, "{what}: where samples first leave the ANN");
        assert_eq!(report.first_layers.never, SAMPLES - first.iter().sum::<usize>(), "{what}: and those that do not");
        for layer in report.layers {
            let sum: f64 = layer.ledger.parts().iter().sum();
            assert!((sum - layer.ledger.total).abs() < 1e-9, "{what}, {}: the ledger", layer.name);
            if let Some(own) = layer.ledger_activation {
                let sum: f64 = own.parts().iter().sum();
                assert!((sum - own.total).abs() < 1e-9, "{what}, {}: the ledger against a", layer.name);
            }
            if as_in_theory(recipe) {
                let [over, under] = [layer.residual.over, layer.residual.under];
                let off = over.missed + over.false_alarm + under.missed + under.false_alarm;
                // Rounding of f32 sums can move a neuron to the other side of a tie.
                assert!(off * 1000 <= layer.same_input.total(), "{what}, {}: {over:?} {under:?}", layer.name);
            }
        }
    });
}

/// Whether `recipe` meets the assumptions of the theorems: v(0) of half a threshold, soft reset, no negative spikes, no
/// correction.
fn as_in_theory(recipe: &Recipe) -> bool {
    recipe.v_init == 0.5
        && recipe.initial == InitialPotential::Constant
        && recipe.reset == Reset::Soft
        && recipe.neuron != NeuronModel::Signed
        && recipe.correction == Correction::None
        && recipe.bias_shift.is_none()
}

#[test]
fn membrane_traces_match_the_recording() {
    with_every_method(|what, bench, _, spiking| {
        let recording = bench.run(spiking, STEPS, None, 0);
        let sample = 3;
        for (index, layer) in spiking.layers.iter().enumerate() {
            let currents = layer_currents(&bench.program, spiking, &bench.input, &recording, index, sample);
            for neuron in (0..layer.neurons()).step_by(17) {
                let trace = trace(spiking, &recording, &currents, index, sample, neuron);
                let record = &recording.layers[index];
                let recorded: Vec<i32> = (0..STEPS).map(|t| record.spikes.value(t, sample, neuron)).collect();
                assert_eq!(trace.sent, recorded, "{what}, {} neuron {neuron}", layer.name);
            }
        }
    });
}

/// Spike counts of the first layer's neurons, whose input does not depend on the correction.
fn first_counts(recording: &Recording, steps: usize) -> Vec<u32> {
    recording.layers[0].spikes.counts(steps)
}

#[test]
fn cos_pass_changes_a_neuron_by_at_most_one_spike() {
    let bench = bench_with(&net("cnn", "relu"), burn::tensor::Device::flex(), Default::default());
    // With v(0) = 0 many neurons are wrong, so that COS has spikes to move even with constant input.
    let plain = Recipe { steps: 8, v_init: 0.0, threshold: ThresholdRule::Percentile(90.0), ..Recipe::default() };
    let before = first_counts(&bench.run(&bench.spiking(&plain), 8, None, 0), 8);
    let mut moved = [0; 3];
    for (passes, moved) in moved.iter_mut().enumerate().skip(1) {
        let correction = Correction::Cos { steps: 8, passes, rule: Default::default() };
        let after = first_counts(&bench.run(&bench.spiking(&Recipe { correction, ..plain.clone() }), 8, None, 0), 8);
        for (a, b) in before.iter().zip(&after) {
            assert!(a.abs_diff(*b) as usize <= passes);
            *moved += usize::from(a != b);
        }
    }
    assert_eq!(moved[0], 0);
}

/// A network whose weights are small multiples of powers of two, so that sums are exact in any order.
fn dyadic(mut network: Network) -> Network {
    use spikescope::network::{Op, Weights};
    let round = |x: &f32| (x * 16.0).round() / 16.0;
    let weights = |w: &Weights| Weights::new(w.shape.clone(), w.data.iter().map(round).collect());
    for node in &mut network.nodes {
        match &mut node.op {
            Op::Conv2d { weight, bias, .. } | Op::Linear { weight, bias } => {
                *weight = weights(weight);
                *bias = bias.as_ref().map(weights);
            }
            Op::Affine { scale, shift } => {
                scale.iter_mut().enumerate().for_each(|(c, s)| *s = [1.0, 0.5, 2.0][c % 3]);
                shift.iter_mut().for_each(|s| *s = round(s));
            }
            _ => {}
        }
    }
    network
}

/// Max pools at the positions of residual networks: after the stem, with a shortcut around the next convolution.
/// Another one is between a convolution and its activation.
fn with_pooled_stem() -> Network {
    let pool = || Op::MaxPool2d { kernel: [2, 2], stride: [2, 2], padding: [0; 4], dilation: [1, 1] };
    built(vec![
        (Op::Input, vec![], vec![1, 12, 12]),
        (conv(3, 1, 1), vec![0], vec![3, 12, 12]),
        (relu(), vec![1], vec![3, 12, 12]),
        (pool(), vec![2], vec![3, 6, 6]),
        (conv(3, 3, 1), vec![3], vec![3, 6, 6]),
        (Op::Add, vec![4, 3], vec![3, 6, 6]),
        (relu(), vec![5], vec![3, 6, 6]),
        (conv(4, 3, 1), vec![6], vec![4, 6, 6]),
        (pool(), vec![7], vec![4, 3, 3]),
        (relu(), vec![8], vec![4, 3, 3]),
        (Op::Reshape, vec![9], vec![36]),
        (Op::Linear { weight: numbers(&[5, 36]), bias: None }, vec![10], vec![5]),
    ])
}

/// Depthwise convolutions (one group per channel), with enough channels to fill a block of lanes.
fn with_depthwise() -> Network {
    built(vec![
        (Op::Input, vec![], vec![1, 12, 12]),
        (conv(16, 1, 1), vec![0], vec![16, 12, 12]),
        (relu(), vec![1], vec![16, 12, 12]),
        (conv(16, 1, 16), vec![2], vec![16, 12, 12]),
        (relu(), vec![3], vec![16, 12, 12]),
        (conv(32, 8, 2), vec![4], vec![32, 12, 12]),
        (relu(), vec![5], vec![32, 12, 12]),
        (Op::Reshape, vec![6], vec![32 * 144]),
        (Op::Linear { weight: numbers(&[5, 32 * 144]), bias: None }, vec![7], vec![5]),
    ])
}

fn numbers(shape: &[usize]) -> Weights {
    let count = shape.iter().product();
    Weights::new(shape.to_vec(), (0..count).map(|i: usize| (i * 7919 % 29) as f32 / 16.0 - 0.75).collect())
}

/// A 3×3 convolution with `out` channels, each of which reads `inputs` channels.
fn conv(out: usize, inputs: usize, groups: usize) -> Op {
    let (weight, bias) = (numbers(&[out, inputs, 3, 3]), Some(numbers(&[out])));
    Op::Conv2d { weight, bias, stride: [1, 1], padding: [1; 4], dilation: [1, 1], groups }
}

fn relu() -> Op {
    Op::Activation(Activation::Relu)
}

/// A network of the given nodes with their inputs and shapes.
fn built(nodes: Vec<(Op, Vec<usize>, Vec<usize>)>) -> Network {
    let output = nodes.len() - 1;
    let nodes = nodes.into_iter().enumerate();
    let nodes = nodes.map(|(id, (op, inputs, shape))| Node { name: format!("n{id}"), op, inputs, shape }).collect();
    Network { name: "built".into(), nodes, output, scaling: None, class_names: Vec::new(), neurons: None }
}

#[test]
fn event_engine_equals_dense_engine_spike_by_spike() {
    let nets = [
        ("mlp", net("mlp", "relu")),
        ("cnn", net("cnn", "relu")),
        ("max pool", with_max_pool()),
        ("resnet", net("resnet", "relu")),
        ("pooled stem", with_pooled_stem()),
        ("depthwise", with_depthwise()),
    ];
    let mut runs = 0;
    for (name, network) in nets {
        let network = dyadic(network);
        let base = Recipe { steps: STEPS, threshold: ThresholdRule::Percentile(99.0), ..Recipe::default() };
        for NamedRecipe { name: method, recipe, .. } in Recipe::published_methods(&base, 4) {
            let bench = || {
                let mut bench = bench_with(&network, burn::tensor::Device::flex(), recipe.pooling);
                bench.input.iter_mut().for_each(|x| *x = (*x * 8.0).round() / 8.0);
                bench
            };
            let (bench, mut plain) = (bench(), bench());
            plain.program = plain.program.dense_only();
            let fitted = bench.spiking(&recipe);
            for per_channel in [false, true] {
                let mut spiking = fitted.clone();
                for layer in &mut spiking.layers {
                    let channels = if per_channel { layer.shape[0] } else { 1 };
                    layer.theta = (0..channels).map(|c| [1.0, 0.5, 2.0, 0.25][c % 4]).collect();
                    layer.bias.iter_mut().for_each(|b| *b = (*b * 64.0).round() / 64.0);
                    let round = |v: &f32| (v * 64.0).round() / 64.0;
                    layer.v_init_values = layer
                        .v_init_values
                        .as_ref()
                        .map(|start| std::sync::Arc::new(start.iter().map(round).collect()));
                }
                let events = bench.run(&spiking, STEPS, None, 0);
                let spikes: u64 = events.layers.iter().map(|layer| layer.spikes.total(STEPS)).sum();
                assert!(spikes > 0, "{name}, {method}: nothing fired");
                assert_same(&events, &plain.run(&spiking, STEPS, None, 0), &format!("{name}, {method}, {per_channel}"));
                runs += 1;
            }
        }
    }
    println!("{runs} runs equal to the spike");
}
