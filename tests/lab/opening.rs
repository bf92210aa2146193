//! Opening networks and data: pending ones, refused ones, what is kept and what is chosen.

use std::path::Path;
use std::sync::Arc;

use ::safetensors::tensor::{Dtype, TensorView};
use spikescope::convert::ThresholdRule;
use spikescope::data::Scaling;
use spikescope::experiment::Settings;
use spikescope::lab::document::job::MissingSide;
use spikescope::lab::{Lab, Message};
use spikescope::network::safetensors;

use crate::{color_pair, lab, send};

#[test]
fn broken_files_leave_the_lab_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.onnx");
    std::fs::write(&broken, b"this is no network").unwrap();
    let mut lab = lab();
    let (before, settings) = (lab.run.clone().unwrap(), lab.settings.clone());
    let mut told = Vec::new();
    for message in [
        Message::OpenPath(broken.clone()),
        Message::OpenPath(folder.path().to_owned()),
        Message::OpenData("idx:nowhere,nothing".into()),
        Message::OpenModel("builtin:nothing".into()),
        Message::SetSamples { first: 1_000_000, count: 10 },
    ] {
        let before_it: Vec<String> = lab.notifications.iter().map(|notice| notice.text.clone()).collect();
        send(&mut lab, message.clone());
        let last = lab.notifications.last().map(|notice| notice.text.clone());
        assert!(
            last.as_ref().is_some_and(|text| !before_it.contains(text)),
            "{message:?} should be refused with a word"
        );
        // A file that does not open takes the place of the one before.
        told.extend(last);
        assert!(Arc::ptr_eq(&before, lab.run.as_ref().unwrap()) && lab.settings == settings, "{message:?}");
        assert!(lab.undo_sentence().is_none(), "{message:?} is no step to undo");
    }
    assert!(told[0].contains("broken.onnx"));
}

/// Writes weights of a fully connected network for the digits, as another program saves them.
fn foreign_weights(path: &Path) {
    let numbers =
        |count: usize| (0..count).flat_map(|i| (((i * 37) % 101) as f32 / 500.0 - 0.1).to_le_bytes()).collect();
    let tensors: [(&str, Vec<usize>, Vec<u8>); 4] = [
        ("module.fc1.weight", vec![20, 784], numbers(20 * 784)),
        ("module.fc1.bias", vec![20], numbers(20)),
        ("module.fc2.weight", vec![10, 20], numbers(200)),
        ("module.fc2.bias", vec![10], numbers(10)),
    ];
    let views =
        tensors.iter().map(|(name, shape, bytes)| (*name, TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap()));
    std::fs::write(path, ::safetensors::serialize(views, None).unwrap()).unwrap();
}

#[test]
fn weights_without_a_graph_open_with_stated_assumptions() {
    let folder = tempfile::tempdir().unwrap();
    let weights = folder.path().join("net.safetensors");
    foreign_weights(&weights);
    let mut lab = lab();
    send(&mut lab, Message::OpenPath(weights.clone()));
    let reported =
        |lab: &Lab| lab.run.as_ref().unwrap().network.notes.iter().map(|note| note.text.clone()).collect::<Vec<_>>();
    assert!(reported(&lab)[0].contains("fully connected"), "{:?} {:?}", reported(&lab), lab.notifications);
    // An architecture file opens the weights beside it and replaces the assumptions.
    let described = folder.path().join("net.arch.toml");
    let layers = "[\"flatten\", { op = \"linear\", key = \"fc1\" }, \"relu\", { op = \"linear\", key = \"fc2\" }]";
    std::fs::write(&described, format!("input = [1, 28, 28]\nscaling = \"0..255\"\nlayers = {layers}")).unwrap();
    send(&mut lab, Message::OpenPath(described));
    let run = lab.run.as_ref().unwrap();
    assert!(reported(&lab).is_empty() && run.network.original.input_shape() == [1, 28, 28], "{:?}", lab.notifications);
    assert_eq!(lab.settings.scaling, Scaling::Bytes);
    // Weights without a matching architecture leave the lab unchanged.
    let before = lab.run.clone().unwrap();
    let pickle = folder.path().join("whole.pt");
    std::fs::write(&pickle, b"this is no state dict").unwrap();
    send(&mut lab, Message::OpenPath(pickle));
    assert!(lab.notifications.last().unwrap().text.contains("not a PyTorch file"));
    assert!(Arc::ptr_eq(&before, lab.run.as_ref().unwrap()));
}

#[test]
fn network_waits_for_data_of_matching_shape() {
    let folder = tempfile::tempdir().unwrap();
    let (model, data) = color_pair(folder.path());
    for (first, second) in [
        (Message::OpenModel(model.clone()), Message::OpenData(data.clone())),
        (Message::OpenData(data.clone()), Message::OpenModel(model.clone())),
    ] {
        let mut lab = lab();
        send(&mut lab, first);
        assert!(lab.notifications.last().unwrap().text.contains("3x32x32"), "{:?}", lab.notifications);
        assert_eq!(lab.settings.model, "builtin:digits-mlp");
        send(&mut lab, second);
        let run = lab.run.as_ref().unwrap();
        assert_eq!((&run.settings.model, &run.settings.data), (&model, &data));
        // There is no sample 256 in forty records, so the ranges were adapted.
        assert!(run.recording.samples <= 40 && lab.settings == run.settings);
    }
}

#[test]
fn pending_network_gets_a_valid_recipe_and_survives_broken_data() {
    let folder = tempfile::tempdir().unwrap();
    let (model, data) = color_pair(folder.path());
    let mut lab = Lab::open(Settings { samples: 0..6, calibrate: 0..20, ..Settings::demo() }).unwrap();
    let first = lab.settings.clone();
    send(&mut lab, Message::OpenModel(model.clone()));
    assert_eq!((lab.apart().map(|apart| apart.missing), &lab.settings), (Some(MissingSide::Data), &first));
    // Neither a refused open nor a change of the recipe discards it.
    send(&mut lab, Message::OpenData("npz:nowhere.npz".into()));
    send(&mut lab, Message::SetSteps(5));
    assert!(lab.apart().is_some_and(|apart| apart.shape == [3, 32, 32]), "{:?}", lab.notifications);
    // While the chosen data are opened, nothing asks for them any more.
    lab.update([Message::OpenData(data.clone())]);
    assert!(lab.apart().is_none(), "{:?}", lab.apart());
    lab.wait_until_idle();
    let run = lab.run.as_ref().unwrap();
    assert_eq!((&run.settings.model, &run.settings.data), (&model, &data), "{:?}", lab.notifications);
    assert_eq!(run.settings.recipe.threshold, ThresholdRule::Percentile(99.9));
    assert!(lab.apart().is_none() && lab.notifications.iter().all(|notice| !notice.text.contains("loaded; choose")));
    assert!(
        lab.notifications.iter().any(|notice| notice.text.contains("no learned thresholds")),
        "{:?}",
        lab.notifications
    );
    send(&mut lab, Message::Undo);
    assert_eq!(lab.settings.recipe.threshold, ThresholdRule::Learned);
    assert_eq!((&lab.settings.model, &lab.settings.data), (&first.model, &first.data));
    // Dismissing the notification discards the pending network.
    send(&mut lab, Message::OpenModel(model.clone()));
    let reported = lab.notifications.iter().position(|notice| notice.text.contains("loaded; choose data")).unwrap();
    assert!(!lab.is_answered(&lab.notifications[reported]));
    lab.update([Message::OpenData(data)]);
    assert!(lab.is_answered(&lab.notifications[reported]), "{:?}", lab.notifications);
    send(&mut lab, Message::Undo);
    send(&mut lab, Message::OpenModel(model));
    let reported = lab.notifications.iter().position(|notice| notice.text.contains("loaded; choose data")).unwrap();
    send(&mut lab, Message::DismissNotification(reported));
    assert!(lab.apart().is_none());
}

#[test]
fn run_reports_a_better_input_scaling_first() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("unstated.safetensors");
    let bundled = spikescope::network::open("builtin:digits-cnn").unwrap();
    safetensors::save(&spikescope::network::Network { scaling: None, ..bundled }, &model).unwrap();
    let mut settings =
        Settings { model: model.display().to_string(), samples: 256..288, calibrate: 0..64, ..Settings::default() };
    settings.recipe.steps = 4;
    let right = Lab::open(settings.clone()).unwrap();
    let kinds = |lab: &Lab| lab.run.as_ref().unwrap().findings.iter().map(|f| f.kind).collect::<Vec<_>>();
    assert!(!kinds(&right).contains(&"input scaling"), "{:?}", kinds(&right));
    let wrong = Lab::open(Settings { scaling: Scaling::parse("mean=.9;std=.1").unwrap(), ..settings }).unwrap();
    let first = &wrong.run.as_ref().unwrap().findings[0];
    assert!(first.kind == "input scaling" && first.fix.is_some(), "{:?}", kinds(&wrong));
}

#[test]
fn opening_selects_a_threshold_rule_valid_for_the_network() {
    let mut lab = lab();
    send(&mut lab, Message::OpenModel("builtin:digits-resnet".into()));
    assert_eq!(lab.settings.recipe.threshold, ThresholdRule::Learned);
    send(&mut lab, Message::OpenModel("builtin:digits-cnn".into()));
    assert_eq!(lab.settings.recipe.threshold, ThresholdRule::Percentile(99.9));
    assert!(
        lab.notifications.len() == 1 && lab.notifications[0].text.contains("no learned thresholds"),
        "{:?}",
        lab.notifications
    );
    send(&mut lab, Message::Undo);
    assert_eq!(lab.settings.recipe.threshold, ThresholdRule::Learned);
}

#[test]
fn folder_names_become_class_labels() {
    let folder = tempfile::tempdir().unwrap();
    for class in ["7", "3"] {
        let place = folder.path().join(class);
        std::fs::create_dir(&place).unwrap();
        image::GrayImage::new(28, 28).save(place.join("a.png")).unwrap();
    }
    let mut lab = lab();
    send(&mut lab, Message::OpenPath(folder.path().to_owned()));
    assert!(lab.notifications.is_empty(), "{:?}", lab.notifications);
    let run = lab.run.as_ref().unwrap();
    assert_eq!(**run.labels, [3, 7]);
    assert_eq!(run.class_name(7), "7");
}

#[test]
fn ranges_that_nobody_chose_do_not_stay_for_the_next_data() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.png", "b.png", "c.png"] {
        image::GrayImage::new(28, 28).save(folder.path().join(name)).unwrap();
    }
    let mut lab = lab();
    send(&mut lab, Message::OpenPath(folder.path().join("a.png")));
    let ranges = |lab: &Lab| (lab.settings.samples.clone(), lab.settings.calibrate.clone());
    assert_eq!(ranges(&lab), (0..1, 0..1));
    send(&mut lab, Message::OpenPath(folder.path().to_owned()));
    assert_eq!(ranges(&lab), (0..3, 0..3), "all pictures of the folder");
    lab.update([Message::SetSamples { first: 1, count: 1 }]);
    send(&mut lab, Message::OpenPath(folder.path().join("b.png")));
    send(&mut lab, Message::OpenData("builtin:digits".into()));
    let Settings { samples, calibrate, .. } = Settings::default();
    assert_eq!(ranges(&lab), (samples, calibrate));
}

#[test]
fn a_bundled_network_of_another_shape_brings_its_data() {
    let mut lab = lab();
    lab.update([Message::OpenModel("builtin:scenes-det".into())]);
    assert_eq!(lab.settings.data, "builtin:scenes");
    let mut lab = self::lab();
    lab.update([Message::OpenModel("builtin:digits-cnn".into())]);
    assert_eq!(lab.settings.data, "builtin:digits", "one of the same shape keeps the data");
}

#[test]
fn calibration_data_can_be_set_and_reset() {
    let folder = tempfile::tempdir().unwrap();
    let (model, data) = color_pair(folder.path());
    let mut lab = Lab::open(Settings { model, data, samples: 0..10, calibrate: 0..30, ..Settings::default() }).unwrap();
    let before = lab.run.as_ref().unwrap().spiking.layers[0].theta.clone();
    let other = folder.path().join("others.bin");
    let records: Vec<u8> = (0..20u32)
        .flat_map(|i| std::iter::once((i % 10) as u8).chain((0..3072u32).map(move |k| ((i * 57 + k * 31) % 90) as u8)))
        .collect();
    std::fs::write(&other, records).unwrap();
    send(&mut lab, Message::OpenCalibrationData(other));
    assert_eq!(lab.settings.calibrate, 0..20, "the range is fitted to the set");
    assert_ne!(lab.run.as_ref().unwrap().spiking.layers[0].theta, before);
    send(&mut lab, Message::Undo);
    assert_eq!(lab.run.as_ref().unwrap().spiking.layers[0].theta, before);
}
