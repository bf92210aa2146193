//! ONNX operator tests: small networks of every node kind reproduce their stored outputs.
//!
//! The networks are made by `onnx/make.py`. Those that can be converted give the same outputs as SNNs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::tensor::Device;
use spikescope::compute::program::Program;
use spikescope::compute::{AnnRun, verify};
use spikescope::convert::{MaxPoolRule, Recipe, SpikingNetwork, ThresholdRule, calibrate, rewrite};
use spikescope::network::{Network, Op, onnx};
use spikescope::progress::JobControl;
use spikescope::simulate::{SimulationPlan, simulate};

fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/onnx");
    let entries = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    assert!(folders.len() >= 9);
    folders
}

fn open(folder: &Path) -> Network {
    onnx::read(&folder.join("model.onnx")).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn every_node_kind_reproduces_its_stored_outputs() {
    for folder in folders() {
        let network = open(&folder);
        let program = || Program::new(Arc::new(network.clone()), &Device::flex());
        let found = verify::verify_stored_outputs(&network, &folder.join("model.onnx"), program).remove(0);
        let found = found.unwrap_or_else(|e| panic!("{e}"));
        assert!(found.largest <= 1e-5 * (1.0 + found.scale), "{found:?}");
    }
}

#[test]
fn every_node_kind_gives_the_same_outputs_with_spikes() {
    for folder in folders() {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let (network, _) = rewrite::rewrite_cached(&open(&folder), MaxPoolRule::PreNeuron).unwrap();
        let program = Program::new(network, &Device::flex());
        let (_, input) = onnx::read_tensor(&folder.join("test_data_set_0/input_0.pb")).unwrap();
        let input = stored_order(&program, &input);
        let control = JobControl::default();
        let calibration = calibrate(&program, &input, 1, &control).unwrap();
        let recipe = Recipe { threshold: ThresholdRule::Max, steps: 2048, ..Recipe::default() };
        let spiking = SpikingNetwork::convert(&program, &calibration, None, &recipe).unwrap();
        let plan = SimulationPlan {
            program: &program,
            spiking: &spiking,
            input: &input,
            samples: 1,
            steps: 2048,
            previous: None,
            unchanged_layers: 0,
        };
        let recording = simulate(&plan, &control).unwrap();
        let ann = AnnRun::compute(&program, &input, 1, &control).unwrap();
        let scale = ann.logits.iter().fold(0.0f32, |m, v| m.max(v.abs()));
        for (sum, logit) in recording.readout_at(2048, 0).iter().zip(&ann.logits) {
            let mean = sum / 2048.0;
            assert!((mean - logit).abs() < 0.02 * scale, "{name}: {mean} after 2048 steps, and the ANN gives {logit}");
        }
    }
}

/// The stored input in the order of the network: channels first.
fn stored_order(program: &Program, input: &[f32]) -> Vec<f32> {
    let shape = program.network().input_shape().to_vec();
    // Only one of the networks has channels last; its image is 6 by 7.
    if shape != [3, 6, 7] {
        return input.to_vec();
    }
    (0..3).flat_map(|c| input.iter().skip(c).step_by(3).copied().collect::<Vec<_>>()).collect()
}

#[test]
fn channels_last_transposes_are_removed_and_outputs_keep_their_names() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/onnx");
    let turned = open(&root.join("channels_last"));
    assert!(!turned.nodes.iter().any(|node| matches!(node.op, Op::Transpose { .. })));
    assert_eq!(turned.input_shape(), [3, 6, 7]);
    let parts = open(&root.join("two_outputs")).outputs();
    let outputs: Vec<_> =
        parts.iter().map(|part| (part.name.as_str(), part.shape.clone(), part.end.is_some())).collect();
    assert_eq!(outputs, [("scores", vec![120, 2], true), ("boxes", vec![120, 4], true)]);
}

#[test]
fn an_output_that_cannot_be_read_is_ignored_beside_others() {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/onnx/ignored_output/model.onnx");
    let opened = spikescope::network::open_with_notes(&model.display().to_string()).unwrap_or_else(|e| panic!("{e}"));
    let names: Vec<String> = opened.network.outputs().into_iter().map(|output| output.name).collect();
    assert!(names == ["probabilities"] && opened.network.is_classifier(), "{names:?}");
    let note = opened.notes.iter().find(|note| note.starts_with("Output 'classes' is ignored")).expect("it is told");
    assert!(note.contains("ArgMax"), "{note}");
}
