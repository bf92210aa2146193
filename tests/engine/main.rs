//! Engine tests: reuse, sample grouping, graph rewriting and backends do not change results; readers, exports and findings, in
//! one binary.
//!
//! A run built on an earlier one equals a run from scratch.

use std::sync::Arc;

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/lenet.rs"]
mod lenet;
#[path = "../common/scene_network.rs"]
mod scene_network;

mod bench;
mod data;
mod diagnose;
mod events;
mod export;
mod groups;
mod lossy;
mod methods;
mod nir_files;
mod onnx_breadth;
mod onnx_reference;
mod pooling;
mod reuse;
mod scenes;
mod state_dicts;

use bench::{SAMPLES, all_nets, assert_same, bench, net, with_max_pool};
use spikescope::Error;
use spikescope::compute::AnnRun;
use spikescope::compute::dense::tensor_to_vec;
use spikescope::compute::program::Program;
use spikescope::convert::{
    BalancingOptions, Granularity, MaxPoolRule, Recipe, Reset, ThresholdRule, balance_thresholds, calibrate, rewrite,
};
use spikescope::measure::fan_out::fan_outs;
use spikescope::measure::{LedgerReference, RunData, measure_run};
use spikescope::network::{Node, Op};
use spikescope::progress::JobControl;
use spikescope::simulate::membrane_trace::{layer_currents, trace};
use spikescope::simulate::prefix::truncate_recording;
use spikescope::simulate::{SimulationPlan, simulate};

#[test]
fn longer_run_continues_and_shorter_run_is_a_prefix() {
    for (name, network) in all_nets() {
        let bench = bench(&network, burn::tensor::Device::flex());
        let spiking = bench.spiking(&Recipe { threshold: ThresholdRule::Percentile(99.0), ..Recipe::default() });
        let layers = spiking.layers.len();
        let short = bench.run(&spiking, 9, None, 0);
        let long = bench.run(&spiking, 24, None, 0);
        assert_same(&bench.run(&spiking, 24, Some(&short), layers), &long, &format!("{name}: 9 to 24 steps"));
        assert_same(&bench.run(&spiking, 9, Some(&long), layers), &short, &format!("{name}: 24 to 9 steps"));
        let at = truncate_recording(&bench.program, &spiking, &bench.input, &long, 9, &JobControl::default()).unwrap();
        let at = at.expect("soft reset: the spikes give the potential");
        assert_same(&at, &short, &format!("{name}: prefix"));
    }
}

#[test]
fn change_at_a_layer_reuses_the_layers_before_it() {
    for (name, network) in all_nets() {
        let bench = bench(&network, burn::tensor::Device::flex());
        let before = bench.spiking(&Recipe::default());
        let base = bench.run(&before, 16, None, 0);
        for layer in 0..before.layers.len() {
            let mut recipe = Recipe::default();
            recipe.manual_thresholds.insert(before.layers[layer].name.clone(), before.layers[layer].theta[0] * 0.6);
            let after = bench.spiking(&recipe);
            assert_eq!(before.first_difference(&after), Some(layer));
            let fresh = bench.run(&after, 16, None, 0);
            assert_same(&bench.run(&after, 16, Some(&base), layer), &fresh, &format!("{name}: layer {layer}"));
            let fresh = bench.run(&after, 7, None, 0);
            assert_same(&bench.run(&after, 7, Some(&base), layer), &fresh, &format!("{name}: layer {layer}, shorter"));
        }
    }
}

#[test]
fn hard_reset_runs_are_shortened_by_rerunning() {
    let bench = bench(&net("cnn", "relu"), burn::tensor::Device::flex());
    let spiking = bench.spiking(&Recipe { reset: Reset::Hard, ..Recipe::default() });
    let long = bench.run(&spiking, 20, None, 0);
    let at = truncate_recording(&bench.program, &spiking, &bench.input, &long, 8, &JobControl::default()).unwrap();
    assert!(at.is_none(), "discarded charge is not in the spikes");
    let shorter = bench.run(&spiking, 8, Some(&long), spiking.layers.len());
    assert_same(&shorter, &bench.run(&spiking, 8, None, 0), "hard reset");
}

#[test]
fn results_do_not_depend_on_sample_grouping() {
    for (name, network) in all_nets() {
        let bench = bench(&network, burn::tensor::Device::flex());
        let spiking = bench.spiking(&Recipe::default());
        let all = bench.run(&spiking, 12, None, 0);
        let width = bench.input.len() / SAMPLES;
        for sample in [0, 5, SAMPLES - 1] {
            let plan = SimulationPlan {
                program: &bench.program,
                spiking: &spiking,
                input: &bench.input[sample * width..(sample + 1) * width],
                samples: 1,
                steps: 12,
                previous: None,
                unchanged_layers: 0,
            };
            let one = simulate(&plan, &JobControl::default()).unwrap();
            for (k, (x, y)) in one.layers.iter().zip(&all.layers).enumerate() {
                for t in 0..12 {
                    assert_eq!(
                        x.spikes.row(t, 0),
                        y.spikes.row(t, sample),
                        "{name}: layer {k}, sample {sample}, step {t}"
                    );
                }
            }
        }
    }
}

#[test]
fn traces_reproduce_the_recording() {
    for (name, network) in all_nets() {
        let bench = bench(&network, burn::tensor::Device::flex());
        let spiking = bench.spiking(&Recipe::default());
        let recording = bench.run(&spiking, 15, None, 0);
        for layer in 0..spiking.layers.len() {
            let currents = layer_currents(&bench.program, &spiking, &bench.input, &recording, layer, 3);
            for neuron in 0..spiking.layers[layer].neurons() {
                let trace = trace(&spiking, &recording, &currents, layer, 3, neuron);
                let recorded: Vec<bool> = (0..15).map(|t| recording.layers[layer].spikes.fired(t, 3, neuron)).collect();
                assert_eq!(trace.spikes, recorded, "{name}: layer {layer}, neuron {neuron}");
            }
        }
    }
}

#[test]
fn rewriting_does_not_change_the_ann_outputs() {
    for (name, network) in all_nets() {
        let device = burn::tensor::Device::flex();
        let bench = bench(&network, device.clone());
        let original = Program::new(Arc::new(network), &device);
        let x = original.tensor(bench.input.clone(), SAMPLES);
        let before = tensor_to_vec(original.run(x.clone(), |_, _| {}));
        let after = tensor_to_vec(bench.program.run(x, |_, _| {}));
        let close = before.iter().zip(&after).all(|(a, b)| (a - b).abs() < 1e-4 * (1.0 + a.abs()));
        assert!(close, "{name}: {before:?} against {after:?}");
    }
}

#[test]
fn max_pools_move_before_the_neurons_with_a_note() {
    let (rewritten, notes) = rewrite::rewrite_cached(&with_max_pool(), MaxPoolRule::PreNeuron).unwrap();
    let reads = |op: fn(&Op) -> bool, node: &Node| node.inputs.iter().any(|&i| op(&rewritten.nodes[i].op));
    let is_activation: fn(&Op) -> bool = |op| matches!(op, Op::Activation(_));
    let pools = rewritten.nodes.iter().filter(|node| matches!(node.op, Op::MaxPool2d { .. }));
    assert!(pools.clone().count() > 0 && pools.clone().all(|pool| !reads(is_activation, pool)));
    assert!(notes.iter().any(|note| note.text.contains("overestimates")));
}

#[test]
fn both_backends_agree() {
    for (name, network) in all_nets() {
        let flex = bench(&network, burn::tensor::Device::flex());
        #[expect(deprecated, reason = "the second backend stays selectable")]
        let ndarray = bench(&network, burn::tensor::Device::ndarray());
        let recipe = Recipe::default();
        let (a, b) =
            (flex.run(&flex.spiking(&recipe), 16, None, 0), ndarray.run(&ndarray.spiking(&recipe), 16, None, 0));
        for (k, (x, y)) in a.layers.iter().zip(&b.layers).enumerate() {
            let (x, y) = (x.spikes.counts(16), y.spikes.counts(16));
            let equal = x.iter().zip(&y).filter(|(x, y)| x == y).count();
            assert!(equal as f64 >= 0.995 * x.len() as f64, "{name}: layer {k}: {equal} of {}", x.len());
        }
    }
}

#[test]
fn ledger_sums_to_the_error_in_every_layer() {
    for (name, network) in all_nets() {
        let bench = bench(&network, burn::tensor::Device::flex());
        let spiking = bench.spiking(&Recipe { steps: 6, ..Recipe::default() });
        let recording = bench.run(&spiking, 6, None, 0);
        let ann = AnnRun::compute(&bench.program, &bench.input, SAMPLES, &JobControl::default()).unwrap();
        let fan_outs = fan_outs(bench.program.network());
        let run_data = RunData {
            output_agreement: None,
            spiking: &spiking,
            ann: &ann,
            recording: &recording,
            mean_inputs: &[],
            pooled_means: &[],
            counts: &[],
            first_mean: 0,
            labels: &[],
            readout: Default::default(),
            fan_outs: &fan_outs,
        };
        let report = measure_run(&run_data, 6, &JobControl::default()).unwrap();
        for layer in &report.layers {
            let sum: f64 = layer.ledger.parts().iter().sum();
            assert!((sum - layer.ledger.total).abs() < 1e-9, "{name}: {}", layer.name);
            let own = layer.ledger_against(LedgerReference::Activation);
            assert!((own.parts().iter().sum::<f64>() - own.total).abs() < 1e-9, "{name}: {} against a", layer.name);
            assert_eq!(layer.ledger_activation.is_some(), name == "resnet", "{name}: {}", layer.name);
            assert_eq!(layer.same_input.total(), layer.end_to_end.total());
            assert_eq!(layer.offset_spikes.values().sum::<u64>(), layer.same_input.total());
        }
        assert!(report.ann_accuracy.is_none() && report.curve.iter().all(|point| point.accuracy.is_none()));
    }
}

#[test]
fn first_qcfs_layer_is_exact_when_steps_equal_levels() {
    let bench = bench(&net("resnet", "qcfs:8"), burn::tensor::Device::flex());
    let recipe = Recipe { steps: 8, threshold: ThresholdRule::Learned, ..Recipe::default() };
    let spiking = bench.spiking(&recipe);
    let recording = bench.run(&spiking, 8, None, 0);
    let ann = AnnRun::compute(&bench.program, &bench.input, SAMPLES, &JobControl::default()).unwrap();
    let run_data = RunData {
        output_agreement: None,
        spiking: &spiking,
        ann: &ann,
        recording: &recording,
        mean_inputs: &[],
        pooled_means: &[],
        counts: &[],
        first_mean: 0,
        labels: &[],
        readout: recipe.readout,
        fan_outs: &fan_outs(bench.program.network()),
    };
    let first = &measure_run(&run_data, 8, &JobControl::default()).unwrap().layers[0];
    let own = first.ledger_against(LedgerReference::Activation);
    // The rest are ties that f32 rounding resolves differently.
    assert!(own.parts().iter().all(|part| part.abs() < 1e-3 * first.mean_activation), "{own:?}");
    assert!(first.ledger.quantization.abs() > own.quantization.abs(), "ReLU(z) does not know of the levels");
}

#[test]
fn cancellation_stops_every_stage() {
    let bench = bench(&net("cnn", "relu"), burn::tensor::Device::flex());
    let spiking = bench.spiking(&Recipe::default());
    let control = JobControl::default();
    control.cancel();
    let plan = SimulationPlan {
        program: &bench.program,
        spiking: &spiking,
        input: &bench.input,
        samples: SAMPLES,
        steps: 8,
        previous: None,
        unchanged_layers: 0,
    };
    assert!(matches!(simulate(&plan, &control), Err(Error::Cancelled)));
    // All other stages between file and report can be cancelled as well.
    let (program, input) = (&bench.program, bench.input.as_slice());
    assert!(matches!(calibrate(program, input, SAMPLES, &control), Err(Error::Cancelled)));
    assert!(matches!(AnnRun::compute(program, input, SAMPLES, &control), Err(Error::Cancelled)));
    let rule = BalancingOptions::default();
    let balanced = balance_thresholds(program, input, SAMPLES, rule, Granularity::Layer, &control);
    assert!(matches!(balanced, Err(Error::Cancelled)));
    let recording = bench.run(&spiking, 8, None, 0);
    let shorter = truncate_recording(program, &spiking, input, &recording, 5, &control);
    assert!(matches!(shorter, Err(Error::Cancelled)));
    let ann = AnnRun::compute(program, input, SAMPLES, &JobControl::default()).unwrap();
    let fan_outs = fan_outs(program.network());
    let run_data = RunData {
        output_agreement: None,
        spiking: &spiking,
        ann: &ann,
        recording: &recording,
        mean_inputs: &[],
        pooled_means: &[],
        counts: &[],
        first_mean: 0,
        labels: &[],
        readout: Default::default(),
        fan_outs: &fan_outs,
    };
    assert!(matches!(measure_run(&run_data, 8, &control), Err(Error::Cancelled)));
}
