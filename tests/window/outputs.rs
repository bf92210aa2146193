//! Networks with several outputs, with one output value, and with dead layers: one output answers, and they run.

use crate::desk;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use spikescope::compute::program::Program;
use spikescope::convert::{Fix, Severity};
use spikescope::data::{NpzData, write_npz};
use spikescope::experiment::cache::Cache;
use spikescope::experiment::{Run, Settings, pipeline};
use spikescope::lab::{Lab, Message};
use spikescope::network::{Activation, Network, Node, NodeId, Op, Weights, predicted_class, safetensors};
use spikescope::progress::JobControl;
use spikescope::ui::state::window::WindowState;

const SAMPLES: usize = 120;

/// Nodes of a network under construction; weights are reproducible and of both signs.
struct Nodes(Vec<Node>);

impl Nodes {
    /// x `[6]` → fc1 `[12]` → act1.
    fn new() -> Self {
        let mut nodes = Self(Vec::new());
        nodes.add("x", Op::Input, &[], &[6]);
        nodes.linear("fc1", 0, 12, 0.0);
        nodes.add("act1", Op::Activation(Activation::Relu), &[1], &[12]);
        nodes
    }
    fn add(&mut self, name: &str, op: Op, inputs: &[NodeId], shape: &[usize]) -> NodeId {
        self.0.push(Node { name: name.into(), op, inputs: inputs.to_vec(), shape: shape.to_vec() });
        self.0.len() - 1
    }
    fn linear(&mut self, name: &str, input: NodeId, out: usize, bias: f32) -> NodeId {
        let columns = self.0[input].len();
        let weight = (0..out * columns).map(|k| ((k * 37 + name.len() * 11) % 17) as f32 / 8.0 - 1.0).collect();
        let vector = |shape: Vec<usize>, data: Vec<f32>| Weights { shape, data: Arc::new(data) };
        let op =
            Op::Linear { weight: vector(vec![out, columns], weight), bias: Some(vector(vec![out], vec![bias; out])) };
        self.add(name, op, &[input], &[out])
    }
    /// The network with the outputs `outputs` by name.
    fn finish(mut self, outputs: &[(&str, NodeId)]) -> Network {
        let output = match outputs {
            [(_, only)] => *only,
            _ => {
                let flat: Vec<NodeId> = outputs
                    .iter()
                    .map(|(name, id)| {
                        let len = self.0[*id].len();
                        self.add(name, Op::Reshape, &[*id], &[len])
                    })
                    .collect();
                let len = flat.iter().map(|&id| self.0[id].len()).sum();
                self.add("outputs", Op::Concat { axis: 0 }, &flat, &[len])
            }
        };
        Network { name: "net".into(), nodes: self.0, output, scaling: None, class_names: Vec::new(), neurons: None }
    }
}

fn samples() -> Vec<f32> {
    (0..SAMPLES * 6).map(|k| ((k * 7919) % 101) as f32 / 101.0).collect()
}

/// The values of node `id` for every sample.
fn values(network: &Network, id: NodeId) -> Vec<Vec<f32>> {
    let program = Program::new(Arc::new(Network { output: id, ..network.clone() }), &burn::tensor::Device::flex());
    let x = program.tensor(samples(), SAMPLES);
    let values = program.run(x, |_, _| {}).into_data().try_into_vec::<f32>().unwrap();
    values.chunks(network.nodes[id].len()).map(<[f32]>::to_vec).collect()
}

/// Saves `network` and labeled samples; settings that run them.
fn save(dir: &Path, network: &Network, labels: &[usize]) -> Settings {
    let (model, data) = (dir.join("net.safetensors"), dir.join("data.npz"));
    safetensors::save(network, &model).unwrap();
    let labels: Vec<i32> = labels.iter().map(|&label| label as i32).collect();
    let x = samples();
    write_npz(&data, &[("x", &[SAMPLES, 6], NpzData::F32(&x)), ("y", &[SAMPLES], NpzData::I32(&labels))]).unwrap();
    let mut settings = Settings {
        model: model.display().to_string(),
        data: format!("npz:{}", data.display()),
        calibrate: 0..60,
        samples: 60..SAMPLES,
        ..Settings::default()
    };
    settings.recipe.steps = 64;
    settings
}

fn run(settings: &Settings) -> Arc<Run> {
    pipeline::run(settings, &mut Cache::default(), &JobControl::default()).unwrap_or_else(|e| panic!("{e}"))
}

/// Logits 'y' of four classes and their softmax 'p', with labels that are the network's own answers.
fn logits_and_probabilities(dir: &Path) -> Settings {
    let mut nodes = Nodes::new();
    let y = nodes.linear("fc2", 2, 4, 0.0);
    let p = nodes.add("softmax", Op::Softmax { log: false }, &[y], &[4]);
    let network = nodes.finish(&[("y", y), ("p", p)]);
    let labels: Vec<usize> = values(&network, y).iter().map(|row| predicted_class(row)).collect();
    save(dir, &network, &labels)
}

#[test]
fn logits_answer_beside_their_probabilities() {
    let dir = tempfile::tempdir().unwrap();
    let settings = logits_and_probabilities(dir.path());
    let all = run(&settings);
    assert_eq!((all.report.ann_accuracy, all.ann.classes), (Some(1.0), 4));
    let found = all.findings.iter().find(|finding| finding.kind == "outputs").expect("it is told");
    assert_eq!(found.text, "2 outputs: 'y' (4 values) answers; 'p' (4 values) does not");
    assert_eq!(found.fix, Some(Fix::Output("p".into())));
    let other = run(&Settings { output: Some("p".into()), ..settings.clone() });
    assert_eq!((other.report.ann_accuracy, &other.ann.logits), (Some(1.0), &all.ann.logits));
    let mut cache = Cache::default();
    let unknown = Settings { output: Some("z".into()), ..settings };
    let error = pipeline::run(&unknown, &mut cache, &JobControl::default()).unwrap_err().to_string();
    assert!(error.contains("'z'") && error.contains("'y' or 'p'"), "{error}");
}

#[test]
fn a_softmax_inside_for_another_output_refuses_only_that_one() {
    let dir = tempfile::tempdir().unwrap();
    let mut nodes = Nodes::new();
    let y = nodes.linear("fc2", 2, 4, 0.0);
    let soft = nodes.add("softmax", Op::Softmax { log: false }, &[y], &[4]);
    let gate = nodes.linear("gate", soft, 3, 0.0);
    let network = nodes.finish(&[("gated", gate), ("y", y)]);
    let labels: Vec<usize> = values(&network, y).iter().map(|row| predicted_class(row)).collect();
    let settings = save(dir.path(), &network, &labels);
    assert_eq!(run(&settings).report.ann_accuracy, Some(1.0));
    let gated = Settings { output: Some("gated".into()), ..settings };
    let error = pipeline::run(&gated, &mut Cache::default(), &JobControl::default()).unwrap_err().to_string();
    assert!(error.contains("softmax") && error.contains("--output"), "{error}");
}

#[test]
fn a_sigmoid_and_a_bare_value_tell_two_classes_apart() {
    let dir = tempfile::tempdir().unwrap();
    for sigmoid in [true, false] {
        let mut nodes = Nodes::new();
        let mut y = nodes.linear("fc2", 2, 1, -0.2);
        let logits = y;
        if sigmoid {
            y = nodes.add("sigmoid", Op::Sigmoid, &[y], &[1]);
        }
        let network = nodes.finish(&[("y", y)]);
        let labels: Vec<usize> = values(&network, logits).iter().map(|row| predicted_class(row)).collect();
        let ones = labels.iter().filter(|&&label| label == 1).count();
        assert!((20..100).contains(&ones), "both classes: {ones}");
        let done = run(&save(dir.path(), &network, &labels));
        assert_eq!(done.report.ann_accuracy, Some(1.0), "sigmoid: {sigmoid}");
        assert!(done.report.curve.last().unwrap().accuracy.unwrap() > 0.9 && done.output_agreement.is_none());
        assert_eq!([0, 1].map(|class| done.class_name(class)), ["0", "1"]);
        assert_eq!(done.findings.iter().any(|finding| finding.kind == "one output value"), !sigmoid);
        // Labels of more classes belong to something else: an error if classes are certain, otherwise not used.
        let many: Vec<usize> = (0..SAMPLES).map(|k| k % 5).collect();
        let settings = save(dir.path(), &network, &many);
        match pipeline::run(&settings, &mut Cache::default(), &JobControl::default()) {
            Ok(done) => assert!(!sigmoid && done.labels.is_empty() && done.output_agreement.is_some()),
            Err(error) => assert!(sigmoid && error.to_string().contains("only 2 classes"), "{error}"),
        }
    }
}

/// act1 + a branch whose bias keeps it silent → fc3.
fn dead_branch(dir: &Path) -> Settings {
    let mut nodes = Nodes::new();
    let dead = nodes.linear("branch", 0, 12, -100.0);
    let dead = nodes.add("dead", Op::Activation(Activation::Relu), &[dead], &[12]);
    let sum = nodes.add("sum", Op::Add, &[2, dead], &[12]);
    let y = nodes.linear("fc3", sum, 4, 0.0);
    let network = nodes.finish(&[("y", y)]);
    let labels: Vec<usize> = values(&network, y).iter().map(|row| predicted_class(row)).collect();
    save(dir, &network, &labels)
}

#[test]
fn a_dead_branch_is_a_finding_and_stays_silent() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = dead_branch(dir.path());
    for rule in ["max", "percentile:99.9", "mse", "balance:2x16"] {
        settings.recipe.threshold = spikescope::convert::ThresholdRule::parse(rule).unwrap();
        let done = run(&settings);
        let found = done.findings.iter().find(|finding| finding.kind == "never active").expect(rule);
        assert_eq!((found.layer.as_deref(), found.severity), (Some("dead"), Severity::Warning));
        let dead = done.report.layers.iter().find(|layer| layer.name == "dead").unwrap();
        assert_eq!((dead.spikes, dead.theta.as_slice()), (0, [1.0].as_slice()), "{rule}");
        assert_eq!(done.report.ann_accuracy, Some(1.0));
    }
}

fn spikescope(settings: &Settings, words: &[&str]) -> Output {
    let (samples, calibrate) = (format!("60..{SAMPLES}"), "0..60");
    Command::new(env!("CARGO_BIN_EXE_spikescope"))
        .args(words)
        .args(["--model", &settings.model, "--data", &settings.data, "--samples", &samples])
        .args(["--calibrate", calibrate, "--threshold", "max", "--steps", "16"])
        .output()
        .unwrap()
}

#[test]
fn output_and_theta_are_options_of_the_commands() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let out = out.to_str().unwrap();
    let settings = logits_and_probabilities(dir.path());
    let told = spikescope(&settings, &["run", "--out", out, "--output", "p", "--theta", "act1=2.5"]);
    let text = String::from_utf8_lossy(&told.stdout).into_owned() + &String::from_utf8_lossy(&told.stderr);
    assert!(told.status.success() && text.contains("[--output y]"), "{text}");
    let summary: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(dir.path().join("out/summary.json")).unwrap()).unwrap();
    assert_eq!((&summary["output"], &summary["layers"][0]["theta"][0]), (&"p".into(), &2.5.into()));
    let checked = spikescope(&settings, &["check", "--output", "q"]);
    let text = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(checked.status.code() == Some(2) && text.contains("'y' or 'p'"), "{text}");
    let misspelled = spikescope(&settings, &["run", "--out", out, "--theta", "act=1"]);
    let text = String::from_utf8_lossy(&misspelled.stderr).into_owned();
    assert!(misspelled.status.code() == Some(2) && text.contains("'act1'"), "{text}");
}

#[test]
fn the_network_popup_and_the_finding_choose_the_output() {
    let dir = tempfile::tempdir().unwrap();
    let settings = logits_and_probabilities(dir.path());
    let lab = Lab::open(settings).unwrap_or_else(|e| panic!("{e}"));
    let mut harness = desk::desk_on(desk::Desk { lab, window: WindowState::default() }, egui::vec2(1280.0, 800.0));
    desk::click(&mut harness, "Network: net.safetensors");
    desk::click(&mut harness, "Output p");
    let lab = &harness.state().lab;
    assert_eq!(lab.run.as_ref().unwrap().network.answers, Some(1));
    assert!(lab.notifications.is_empty(), "{:?}", lab.notifications);
    harness.state_mut().lab.update([Message::Undo]);
    harness.run_ok();
    assert_eq!(harness.state().lab.run.as_ref().unwrap().network.answers, Some(0));
}
