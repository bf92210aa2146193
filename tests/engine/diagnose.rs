//! Diagnosis tests: every finding that has a fix, on a setup with just that fault.
//!
//! Each test finds the fault and applies the fix as the button does. It checks that the finding is gone and that one
//! undo restores the settings.

use std::path::Path;

use spikescope::convert::findings::{Finding, Severity};
use spikescope::convert::{MaxPoolRule, ThresholdRule};
use spikescope::data::{NpzData, Scaling, write_npz};
use spikescope::experiment::Settings;
use spikescope::experiment::cache::Cache;
use spikescope::experiment::diagnose::diagnose;
use spikescope::lab::{Lab, Message};
use spikescope::network::zoo::{ZooArchitecture, parse_activation};
use spikescope::network::{Activation, Network, Node, Op, Weights, safetensors};
use spikescope::progress::JobControl;
use spikescope::ui::widgets::finding_list::message;

fn found(settings: &Settings) -> Vec<Finding> {
    diagnose(settings, &mut Cache::default(), &JobControl::default()).unwrap_or_else(|e| panic!("{e}"))
}

/// The first finding of `kind`.
fn of_kind(settings: &Settings, kind: &str) -> Option<Finding> {
    found(settings).into_iter().find(|finding| finding.kind == kind)
}

/// Finds `kind`, applies its fix with the button's message, and undoes it.
fn has_fix(settings: Settings, kind: &str) {
    let finding = of_kind(&settings, kind).unwrap_or_else(|| panic!("{kind} is not found: {:?}", found(&settings)));
    let fix = finding.fix.unwrap_or_else(|| panic!("{kind} has no fix: {}", finding.text));
    let mut lab = Lab::open(settings).unwrap_or_else(|e| panic!("{kind}: {e}"));
    let before = lab.settings.clone();
    lab.update([message(&fix), Message::EndGesture]);
    lab.wait_until_idle();
    assert!(
        lab.notifications.iter().all(|notice| notice.level != spikescope::lab::NotificationLevel::Error),
        "{kind}: {:?}",
        lab.notifications
    );
    assert_ne!(lab.settings, before, "{kind}: the fix changes something");
    let left = of_kind(&lab.settings, kind).filter(|left| left.layer == finding.layer);
    assert_eq!(left, None, "{kind}: fixed by {}", fix.label());
    lab.update([Message::Undo]);
    lab.wait_until_idle();
    assert_eq!(lab.settings, before, "{kind}: one undo takes it back");
}

/// The bundled network with `change`, on few samples.
fn bundled(model: &str, change: impl FnOnce(&mut Settings)) -> Settings {
    let mut settings = Settings { model: model.into(), samples: 256..288, calibrate: 0..256, ..Settings::default() };
    settings.recipe.steps = 8;
    change(&mut settings);
    settings
}

/// x `[2]` → fc1 → a, and a + fc2(x) → b → fc3: two neurons, identity weights times the given factors.
fn small(dir: &Path, first: f32, second: f32) -> Settings {
    let linear = |w: f32| Op::Linear { weight: Weights::new(vec![2, 2], vec![w, 0.0, 0.0, w]), bias: None };
    let node =
        |name: &str, op, inputs: &[usize]| Node { name: name.into(), op, inputs: inputs.to_vec(), shape: vec![2] };
    let relu = || Op::Activation(Activation::Relu);
    let nodes = vec![
        node("x", Op::Input, &[]),
        node("fc1", linear(first), &[0]),
        node("a", relu(), &[1]),
        node("fc2", linear(second), &[0]),
        node("sum", Op::Add, &[2, 3]),
        node("b", relu(), &[4]),
        node("fc3", linear(1.0), &[5]),
    ];
    let network = Network {
        name: "small".into(),
        output: 6,
        nodes,
        scaling: Some(Scaling::Unit),
        class_names: vec![],
        neurons: None,
    };
    let (model, data) = (dir.join("small.safetensors"), dir.join("x.npz"));
    safetensors::save(&network, &model).unwrap();
    let x: Vec<f32> = (0..400).map(|k| (k * 37 % 100) as f32 / 100.0).collect();
    write_npz(&data, &[("x", &[200, 2], NpzData::F32(&x))]).unwrap();
    let mut settings = Settings {
        model: model.display().to_string(),
        data: format!("npz:{}", data.display()),
        samples: 100..120,
        calibrate: 0..100,
        ..Settings::default()
    };
    settings.recipe.steps = 8;
    settings.recipe.threshold = ThresholdRule::Max;
    settings
}

#[test]
fn finds_input_on_another_scale() {
    has_fix(bundled("builtin:digits-cnn", |s| s.scaling = Scaling::parse("mean=.9;std=.1").unwrap()), "input scaling");
}

#[test]
fn finds_max_pools_after_neurons() {
    let dir = tempfile::tempdir().unwrap();
    // The architecture of the bundled network, with max pools instead of average pools.
    let mut network = ZooArchitecture::Cnn.build(&[1, 28, 28], 10, parse_activation("relu").unwrap(), 3).unwrap();
    for node in &mut network.nodes {
        if let Op::AvgPool2d { kernel, stride, padding, .. } = node.op {
            node.op = Op::MaxPool2d { kernel, stride, padding, dilation: [1, 1] };
        }
    }
    let model = dir.path().join("pool.safetensors");
    safetensors::save(&network, &model).unwrap();
    let settings = bundled(&model.display().to_string(), |s| s.recipe.pooling = MaxPoolRule::PreNeuron);
    has_fix(settings, "max pool");
}

#[test]
fn finds_thresholds_that_ignore_the_clip() {
    has_fix(bundled("builtin:digits-resnet", |s| s.recipe.threshold = ThresholdRule::Max), "fitted past the clip");
}

#[test]
fn finds_v_init_that_does_not_match_the_staircase() {
    has_fix(
        bundled("builtin:digits-resnet", |s| (s.recipe.threshold, s.recipe.v_init) = (ThresholdRule::Learned, 0.0)),
        "start of the staircase",
    );
}

#[test]
fn finds_percentiles_of_too_few_samples() {
    has_fix(
        bundled("builtin:digits-cnn", |s| (s.calibrate, s.recipe.threshold) = (0..2, ThresholdRule::Percentile(99.9))),
        "too few calibration samples",
    );
}

#[test]
fn finds_thresholds_too_high_too_low_and_of_unknown_layers() {
    let dir = tempfile::tempdir().unwrap();
    let with = |theta: f32| {
        let mut settings = small(dir.path(), 1.0, 1.0);
        settings.recipe.manual_thresholds.insert("b".into(), theta);
        settings
    };
    has_fix(with(50.0), "threshold out of reach");
    has_fix(with(0.3), "clipped activations");
    let mut stray = small(dir.path(), 1.0, 1.0);
    stray.recipe.manual_thresholds.insert("nowhere".into(), 1.0);
    has_fix(stray, "threshold of no layer");
}

#[test]
fn finds_sum_branches_on_different_scales() {
    let dir = tempfile::tempdir().unwrap();
    // The shortcut carries large values, and the sum leaves small ones.
    has_fix(small(dir.path(), 4.0, -3.5), "branches scaled apart");
}

#[test]
fn inactive_layers_and_ties_are_reported_without_a_fix() {
    let dir = tempfile::tempdir().unwrap();
    let dead = of_kind(&small(dir.path(), -1.0, 1.0), "never active").expect("it is found");
    assert_eq!((dead.layer.as_deref(), dead.severity), (Some("a"), Severity::Warning));
    // Integers with a threshold of 1: every potential is a tie.
    let mut tied = small(dir.path(), 1.0, 1.0);
    let x: Vec<f32> = (0..40).map(|k| (k % 2) as f32).collect();
    let data = dir.path().join("ones.npz");
    write_npz(&data, &[("x", &[20, 2], NpzData::F32(&x))]).unwrap();
    tied.data = format!("npz:{}", data.display());
    (tied.samples, tied.calibrate) = (0..20, 0..20);
    (tied.recipe.v_init, tied.recipe.manual_thresholds) = (0.0, [("a".to_owned(), 1.0)].into());
    let tie = found(&tied).into_iter().find(|finding| finding.text.contains("exactly")).expect("ties are found");
    assert!(tie.text.contains('%'), "with their share: {}", tie.text);
    // A network without faults has only notes.
    let sound = found(&small(dir.path(), 1.0, 1.0));
    assert!(sound.iter().all(|finding| finding.severity == Severity::Note), "{sound:?}");
}

#[test]
fn finds_input_far_from_the_calibration_samples() {
    let dir = tempfile::tempdir().unwrap();
    let mut far = small(dir.path(), 1.0, 1.0);
    let dim = dir.path().join("dim.npz");
    write_npz(&dim, &[("x", &[200, 2], NpzData::F32(&[0.001; 400]))]).unwrap();
    far.calibration_data = Some(format!("npz:{}", dim.display()));
    let finding = of_kind(&far, "input range").expect("it is found");
    assert!(finding.severity == Severity::Warning && finding.text.contains("far from"), "{}", finding.text);
}
