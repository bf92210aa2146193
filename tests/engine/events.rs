//! Event data tests: frames are the SNN's input per step, their mean is the ANN's input.

use std::path::Path;
use std::sync::Arc;

use spikescope::compute::program::Program;
use spikescope::convert::{
    Calibration, Correction, CosRule, MaxPoolRule, Recipe, Reset, SpikingNetwork, ThresholdRule, calibrate, rewrite,
};
use spikescope::experiment::cache::Cache;
use spikescope::experiment::{Run, Settings, pipeline};
use spikescope::network::shape_inference::infer_shape;
use spikescope::network::zoo::{ZooArchitecture, parse_activation};
use spikescope::network::{Activation, Network, Node, Op, Weights, safetensors};
use spikescope::progress::JobControl;
use spikescope::simulate::{Recording, SimulationPlan, simulate};

/// Writes an array of events `x`, `y`, `t`, `p` in numpy's format.
fn write_events(path: &Path, events: &[(i16, i16, i64, u8)]) {
    let fields = "[('x', '<i2'), ('y', '<i2'), ('t', '<i8'), ('p', '|b1')]";
    let text = format!("{{'descr': {fields}, 'fortran_order': False, 'shape': ({},), }}\n", events.len());
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend((text.len() as u16).to_le_bytes());
    out.extend(text.as_bytes());
    for (x, y, t, p) in events {
        out.extend([&x.to_le_bytes()[..], &y.to_le_bytes(), &t.to_le_bytes(), &[*p]].concat());
    }
    std::fs::write(path, out).unwrap();
}

fn run_settings(settings: &Settings, cache: &mut Cache) -> Arc<Run> {
    pipeline::run(settings, cache, &JobControl::default()).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn snn_receives_one_event_frame_per_step() {
    let dir = tempfile::tempdir().unwrap();
    let model = dir.path().join("net.safetensors");
    let network = ZooArchitecture::Cnn.build(&[2, 8, 8], 4, parse_activation("relu").unwrap(), 3).unwrap();
    safetensors::save(&network, &model).unwrap();
    // More events toward the right.
    let events: Vec<(i16, i16, i64, u8)> =
        (0..400i64).map(|k| ((k * k / 20_001) as i16, (k * 7 % 8) as i16, k * k, (k % 3 == 0) as u8)).collect();
    write_events(&dir.path().join("a.npy"), &events);
    let backwards: Vec<_> = events.iter().map(|&(x, y, t, p)| (x, y, 399 * 399 - t, p)).collect();
    write_events(&dir.path().join("b.npy"), &backwards);
    let mut settings = Settings {
        model: model.display().to_string(),
        data: format!("events:{}", dir.path().join("a.npy").display()),
        samples: 0..1,
        calibrate: 0..1,
        ..Settings::default()
    };
    settings.recipe.threshold = ThresholdRule::Max;
    settings.recipe.steps = 32;
    let mut cache = Cache::default();
    let forward = run_settings(&settings, &mut cache);
    // Over all frames, the mean input of the first layer equals the ANN's pre-activation.
    let means = |run: &Run, k: usize| run.recording.layers[k].mean_inputs(&run.spiking.layers[k], 0).unwrap();
    for (mean, z) in means(&forward, 0).iter().zip(&forward.ann.pre_activations[0]) {
        assert!((mean - z).abs() < 1e-4, "{mean} {z}");
    }
    // Emitted spikes depend on event times; the ANN's input does not.
    let other = Settings { data: format!("events:{}", dir.path().join("b.npy").display()), ..settings.clone() };
    let back = run_settings(&other, &mut Cache::default());
    assert_ne!(forward.recording.layers[0].spikes, back.recording.layers[0].spikes);
    let close = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-3);
    assert!(close(&forward.ann.logits, &back.ann.logits));
    // A longer run continues with the next frames, a shorter one is a prefix.
    settings.recipe.steps = 48;
    let longer = run_settings(&settings, &mut cache);
    let afresh = run_settings(&settings, &mut Cache::default());
    for (k, (a, b)) in longer.recording.layers.iter().zip(&afresh.recording.layers).enumerate() {
        assert_eq!(a.spikes, b.spikes);
        assert!(close(&means(&longer, k), &means(&afresh, k)));
    }
    settings.recipe.steps = 20;
    let shorter = run_settings(&settings, &mut cache);
    for (short, long) in shorter.recording.layers.iter().zip(&forward.recording.layers) {
        assert_eq!(short.spikes.counts(20), long.spikes.counts(20));
    }
    // The membrane trace of a neuron is computed from the same frames.
    let currents = spikescope::simulate::membrane_trace::layer_currents(
        &forward.network.program,
        &forward.spiking,
        &forward.input,
        &forward.recording,
        0,
        0,
    );
    let neurons = forward.spiking.layers[0].neurons();
    let mean: Vec<f32> = (0..neurons).map(|i| currents.iter().skip(i).step_by(neurons).sum::<f32>() / 32.0).collect();
    assert!(close(&mean, &means(&forward, 0)));
}

/// Frames of counts from 0 to 3, `[samples, frames, width]`, most of them 0.
fn counts(samples: usize, frames: usize, width: usize) -> Vec<f32> {
    let counts: Vec<f32> = (0..samples * frames * width)
        .map(|i| ((i * 7919 % 1009) as f32 / 1009.0).powi(6) * 4.0)
        .map(f32::floor)
        .collect();
    assert!(counts.contains(&3.0) && counts.contains(&1.0));
    counts
}

/// Runs `network` with weights rounded to multiples of 1/256 on frames of counts, as events and in dense form, and
/// compares the spikes of all layers up to the first that dense values reach with rounding.
fn spikes_equal_those_of_the_dense_form(mut network: Network) {
    let (samples, frames, steps) = (3, 6, 15);
    // Sums of multiples of 1/256 have no rounding: every order gives the same bits.
    let round = |values: &[f32]| -> Vec<f32> { values.iter().map(|v| (v * 256.0).round() / 256.0).collect() };
    for node in &mut network.nodes {
        if let Op::Conv2d { weight, bias, .. } | Op::Linear { weight, bias } = &mut node.op {
            for weights in std::iter::once(weight).chain(bias) {
                weights.data = Arc::new(round(&weights.data));
            }
        }
    }
    let program = |pooling| {
        let (rewritten, _) = rewrite::rewrite_cached(&network, pooling).unwrap();
        Program::new(rewritten, &burn::tensor::Device::flex())
    };
    let width: usize = network.input_shape().iter().product();
    let counts = counts(samples, frames, width);
    let control = JobControl::default();
    for recipe in [
        Recipe::default(),
        Recipe { reset: Reset::Hard, ..Recipe::default() },
        Recipe { correction: Correction::Cos { steps: 4, passes: 1, rule: CosRule::default() }, ..Recipe::default() },
        Recipe { pooling: MaxPoolRule::Lateral, ..Recipe::default() },
    ] {
        let program = program(recipe.pooling);
        let calibration: Calibration = calibrate(&program, &counts[..samples * width], samples, &control).unwrap();
        let spiking = SpikingNetwork::convert(&program, &calibration, None, &recipe).unwrap();
        let run = |program: &Program, input: &[f32], previous: Option<&Recording>, steps| {
            let unchanged_layers = previous.map_or(0, |previous| previous.layers.len());
            let plan = SimulationPlan { program, spiking: &spiking, input, samples, steps, previous, unchanged_layers };
            simulate(&plan, &control).unwrap()
        };
        let dense = run(&program.clone().dense_only(), &counts, None, steps);
        let events = run(&program, &counts, None, steps);
        assert!(events.layers[0].spikes.counts(steps).iter().any(|n| *n > 0));
        assert_eq!(events.layers[0].spikes, dense.layers[0].spikes, "{}", recipe.correction);
        // A run that goes on shows the frames after those that it has shown.
        let first = run(&program, &counts, None, 7);
        assert_eq!(run(&program, &counts, Some(&first), steps).layers[0].spikes, events.layers[0].spikes);
        // Halves are no counts: the run falls back to dense values, and the spikes of doubled weights would be these.
        let halves: Vec<f32> = counts.iter().map(|v| v / 2.0).collect();
        let fallback = run(&program, &halves, None, steps);
        let dense = run(&program.clone().dense_only(), &halves, None, steps);
        assert_eq!(fallback.layers[0].spikes, dense.layers[0].spikes);
    }
}

#[test]
fn frames_of_counts_run_as_events_with_the_spikes_of_the_dense_form() {
    for (architecture, shape) in [(ZooArchitecture::Cnn, [2, 10, 10]), (ZooArchitecture::Mlp, [2, 6, 6])] {
        let network = architecture.build(&shape, 4, parse_activation("relu").unwrap(), 3).unwrap();
        spikes_equal_those_of_the_dense_form(network);
    }
}

/// Reproducible multiples of 1/8 between -1 and 2.
fn weights(shape: &[usize]) -> Weights {
    let len: usize = shape.iter().product();
    Weights::new(shape.to_vec(), (0..len).map(|i| (i * 2654435761 % 25) as f32 / 8.0 - 1.0).collect())
}

/// A network of `nodes` after an input of `shape`, each reading the one before it, or the nodes stated.
fn network(shape: &[usize], nodes: Vec<(Op, Vec<usize>)>) -> Network {
    let mut network = Network {
        name: "test".into(),
        nodes: Vec::new(),
        output: 0,
        scaling: None,
        class_names: Vec::new(),
        neurons: None,
    };
    for (op, inputs) in std::iter::once((Op::Input, vec![])).chain(nodes) {
        let shapes: Vec<&[usize]> = inputs.iter().map(|&i: &usize| network.nodes[i].shape.as_slice()).collect();
        let stated = match &op {
            Op::Reshape => vec![shapes[0].iter().product()],
            _ => shape.to_vec(),
        };
        let shape = infer_shape(&op, &shapes, &stated).unwrap();
        network.output = network.nodes.len();
        network.nodes.push(Node { name: format!("n{}", network.output), op, inputs, shape });
    }
    network
}

#[test]
fn the_first_layer_runs_as_events_whatever_its_geometry() {
    let conv = |out: usize, inputs: usize, [kh, kw]: [usize; 2], stride, padding, dilation, groups| Op::Conv2d {
        weight: weights(&[out, inputs / groups, kh, kw]),
        bias: Some(weights(&[out])),
        stride,
        padding,
        dilation,
        groups,
    };
    let relu = || Op::Activation(Activation::Relu);
    let one = [1, 1];
    let pool = |kernel, stride| Op::AvgPool2d { kernel, stride, padding: [0; 4], count_include_pad: true };
    let convolutions = [
        conv(5, 2, [5, 5], one, [2; 4], one, 1),
        conv(20, 2, [3, 3], [2, 2], [1, 1, 0, 1], one, 1),
        conv(6, 2, [3, 2], [1, 3], [0, 2, 1, 0], one, 2),
        conv(40, 2, [3, 3], one, [2; 4], [2, 2], 1),
        conv(70, 2, [1, 1], one, [0; 4], one, 1),
        conv(4, 2, [9, 11], one, [0; 4], one, 1),
    ];
    let shape = [2, 9, 11];
    for conv in convolutions {
        spikes_equal_those_of_the_dense_form(network(&shape, vec![(conv, vec![0]), (relu(), vec![1])]));
    }
    let conv = |padding| conv(8, 2, [3, 3], one, padding, one, 1);
    // Pools before and after the weights, and the input beside its convolution.
    let scale = Op::Affine { scale: vec![0.5, 2.0], shift: vec![0.25, 0.0] };
    let max = Op::MaxPool2d { kernel: [2, 2], stride: [2, 2], padding: [0; 4], dilation: one };
    let beside = Op::Conv2d {
        weight: weights(&[2, 2, 3, 3]),
        bias: None,
        stride: one,
        padding: [1; 4],
        dilation: one,
        groups: 1,
    };
    for nodes in [
        vec![(pool([2, 2], [1, 1]), vec![0]), (conv([1; 4]), vec![1]), (relu(), vec![2])],
        vec![(scale, vec![0]), (conv([1; 4]), vec![1]), (relu(), vec![2])],
        vec![(conv([1; 4]), vec![0]), (max, vec![1]), (relu(), vec![2])],
        vec![(beside, vec![0]), (Op::Add, vec![0, 1]), (relu(), vec![2])],
        vec![
            (Op::Reshape, vec![0]),
            (Op::Linear { weight: weights(&[130, 198]), bias: Some(weights(&[130])) }, vec![1]),
            (relu(), vec![2]),
        ],
    ] {
        spikes_equal_those_of_the_dense_form(network(&shape, nodes));
    }
    // Values of one place.
    let linear = Op::Linear { weight: weights(&[70, 300]), bias: None };
    spikes_equal_those_of_the_dense_form(network(&[300], vec![(linear, vec![0]), (relu(), vec![1])]));
}
