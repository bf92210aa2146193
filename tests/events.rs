//! Event data tests: frames are the SNN's input per step, their mean is the ANN's input.

use std::path::Path;
use std::sync::Arc;

use spikescope::convert::ThresholdRule;
use spikescope::experiment::cache::Cache;
use spikescope::experiment::{Run, Settings, pipeline};
use spikescope::network::safetensors;
use spikescope::network::zoo::{ZooArchitecture, parse_activation};
use spikescope::progress::JobControl;

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

#[test]
fn frames_of_counts_run_as_events_with_the_spikes_of_the_dense_form() {
    use spikescope::convert::{Calibration, Recipe, SpikingNetwork, calibrate, rewrite};
    use spikescope::network::Op;
    use spikescope::simulate::{SimulationPlan, simulate};
    let (samples, frames, steps) = (3, 6, 15);
    for (architecture, shape) in [(ZooArchitecture::Cnn, [2, 10, 10]), (ZooArchitecture::Mlp, [2, 6, 6])] {
        let mut network = architecture.build(&shape, 4, parse_activation("relu").unwrap(), 3).unwrap();
        // Sums of multiples of 1/256 have no rounding: every order gives the same bits.
        let round = |values: &[f32]| -> Vec<f32> { values.iter().map(|v| (v * 256.0).round() / 256.0).collect() };
        for node in &mut network.nodes {
            if let Op::Conv2d { weight, bias, .. } | Op::Linear { weight, bias } = &mut node.op {
                for weights in std::iter::once(weight).chain(bias) {
                    weights.data = Arc::new(round(&weights.data));
                }
            }
        }
        let (rewritten, _) = rewrite::rewrite_cached(&network, spikescope::convert::MaxPoolRule::PreNeuron).unwrap();
        let program = spikescope::compute::program::Program::new(rewritten, &burn::tensor::Device::flex());
        let width: usize = shape.iter().product();
        let counts: Vec<f32> = (0..samples * frames * width)
            .map(|i| ((i * 7919 % 1009) as f32 / 1009.0).powi(6) * 4.0)
            .map(f32::floor)
            .collect();
        assert!(counts.contains(&3.0) && counts.contains(&1.0));
        let control = JobControl::default();
        let calibration: Calibration = calibrate(&program, &counts[..samples * width], samples, &control).unwrap();
        let spiking = SpikingNetwork::convert(&program, &calibration, None, &Recipe::default()).unwrap();
        let run = |program: &spikescope::compute::program::Program, input: &[f32], steps| {
            let plan = SimulationPlan {
                program,
                spiking: &spiking,
                input,
                samples,
                steps,
                previous: None,
                unchanged_layers: 0,
            };
            simulate(&plan, &control).unwrap()
        };
        let dense = run(&program.clone().dense_only(), &counts, steps);
        let events = run(&program, &counts, steps);
        assert!(events.layers[0].spikes.counts(steps).iter().any(|n| *n > 0));
        assert_eq!(events.layers[0].spikes, dense.layers[0].spikes);
        // Halves are no counts: the run falls back to dense values, and the spikes of doubled weights would be these.
        let halves: Vec<f32> = counts.iter().map(|v| v / 2.0).collect();
        let fallback = run(&program, &halves, steps);
        assert_eq!(fallback.layers[0].spikes, run(&program.clone().dense_only(), &halves, steps).layers[0].spikes);
    }
}
