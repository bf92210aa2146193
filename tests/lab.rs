//! Lab tests: refused changes, pending opens, undo, races, sessions and partial results.
//!
//! They drive the lab by messages, without a window.

use std::path::Path;
use std::sync::Arc;

use ::safetensors::tensor::{Dtype, TensorView};
use spikescope::convert::{Correction, NamedRecipe, NeuronModel, Recipe, Reset, SrpRule, ThresholdRule};
use spikescope::data::Scaling;
use spikescope::experiment::cache::Cache;
use spikescope::experiment::{Run, Settings, Snapshot, pipeline};
use spikescope::lab::document::job::MissingSide;
use spikescope::lab::{Lab, Message, Session};
use spikescope::measure::Report;
use spikescope::network::safetensors;
use spikescope::network::zoo::{ZooArchitecture, parse_activation};
use spikescope::progress::JobControl;

fn lab() -> Lab {
    let mut settings =
        Settings { model: "builtin:digits-mlp".into(), samples: 0..20, calibrate: 20..60, ..Settings::default() };
    settings.recipe.steps = 6;
    Lab::open(settings).unwrap()
}

fn send(lab: &mut Lab, message: Message) {
    lab.update([message]);
    lab.wait_until_idle();
}

/// A color network and forty matching records in CIFAR-10's binary form.
fn color_pair(folder: &Path) -> (String, String) {
    let network = ZooArchitecture::Cnn.build(&[3, 32, 32], 10, parse_activation("relu").unwrap(), 1).unwrap();
    let model = folder.join("color.safetensors");
    safetensors::save(&network, &model).unwrap();
    let records: Vec<u8> = (0..40u32)
        .flat_map(|i| std::iter::once((i % 10) as u8).chain((0..3072u32).map(move |k| ((i * 131 + k * 7) % 251) as u8)))
        .collect();
    let data = folder.join("forty.bin");
    std::fs::write(&data, records).unwrap();
    (model.display().to_string(), format!("cifar10:{}", data.display()))
}

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
fn undo_restores_the_same_finished_result() {
    let mut lab = lab();
    let before = lab.run.clone().unwrap();
    for steps in [5, 4, 3] {
        lab.update([Message::SetSteps(steps)]);
    }
    send(&mut lab, Message::EndGesture);
    assert_eq!(lab.run.as_ref().unwrap().steps(), 3);
    assert_eq!(lab.undo_sentence().unwrap(), "T 6 to 3");
    send(&mut lab, Message::Undo);
    assert!(Arc::ptr_eq(&before, lab.run.as_ref().unwrap()));
    send(&mut lab, Message::Redo);
    assert_eq!(lab.run.as_ref().unwrap().steps(), 3);
}

#[test]
fn older_result_is_restored_without_its_final_state() {
    let mut lab = lab();
    send(&mut lab, Message::OpenModel("builtin:digits-cnn".into()));
    let v_init = |k: usize| Message::SetVInit(0.3 + k as f32 / 100.0);
    let change = |lab: &mut Lab, k: usize| {
        lab.update([v_init(k), Message::EndGesture]);
        lab.wait_until_idle();
    };
    change(&mut lab, 0);
    let wrong = lab.snapshot.clone().unwrap();
    assert!(wrong.run.recording.has_final_state());
    (1..60).for_each(|k| change(&mut lab, k));
    (1..60).for_each(|_| lab.update([Message::Undo]));
    lab.wait_until_idle();
    let again = lab.snapshot.clone().unwrap();
    assert_eq!(again.run.settings, wrong.run.settings);
    assert!(!again.run.recording.has_final_state(), "the last states of so many runs are more than what is kept");
    assert_eq!(again.run.recording.layers[0].spikes, wrong.run.recording.layers[0].spikes);
    assert_eq!((&again.trace, &again.categories), (&wrong.trace, &wrong.categories));
    let place = |snapshot: &Snapshot| snapshot.divergence.map(|divergence| (divergence.neuron, divergence.step));
    assert_eq!(place(&again), place(&wrong));
    // The run can still be continued and exported.
    let whole = again.run.full_recording(&JobControl::default()).unwrap();
    assert_eq!(whole.layers[1].potential, wrong.run.recording.layers[1].potential);
    send(&mut lab, Message::SetSteps(24));
    let longer = lab.run.clone().unwrap();
    assert_eq!(longer.steps(), 24);
    let row = |run: &Run, t| run.recording.layers[2].spikes.row(t, 3).to_vec();
    (0..wrong.run.steps()).for_each(|t| assert_eq!(row(&longer, t), row(&wrong.run, t)));
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
fn time_cursor_scrubs_the_report() {
    let mut lab = lab();
    send(&mut lab, Message::SetCursor(Some(2)));
    let snapshot = lab.snapshot.clone().unwrap();
    assert_eq!((snapshot.report.steps, snapshot.run.steps()), (2, 6));
    assert!(snapshot.report.layers[0].spikes < lab.run.as_ref().unwrap().report.layers[0].spikes);
    send(&mut lab, Message::SetCursor(None));
    assert_eq!(lab.snapshot.as_ref().unwrap().report.steps, 6);
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
fn race_lane_can_replace_the_recipe() {
    let mut lab = lab();
    let recipe = lab.settings.recipe.clone();
    send(&mut lab, Message::SetLanes(Recipe::published_methods(&recipe, 4)));
    let run = lab.run.clone().unwrap();
    for lane in &lab.lanes {
        let own = lane.run_beside(&run).unwrap_or_else(|| panic!("{}: {:?}", lane.entry.name, lane.result));
        assert_eq!((own.steps(), own.recording.samples), (run.steps(), run.recording.samples));
        assert!(Arc::ptr_eq(&own.samples, &run.samples), "the same samples");
    }
    assert!(lab.snapshot.as_ref().unwrap().lanes.iter().all(Option::is_some));
    let cos = lab.lanes.iter().position(|lane| lane.entry.name == "COS").unwrap();
    send(&mut lab, Message::AdoptLane(cos));
    let run = lab.run.clone().unwrap();
    assert!(matches!(run.settings.recipe.correction, Correction::Cos { .. }));
    assert!(run.uncorrected.get().is_some() && lab.snapshot.as_ref().unwrap().uncorrected.is_some());
    assert_eq!(lab.settings.recipe.steps, recipe.steps);
    send(&mut lab, Message::Undo);
    assert_eq!(lab.settings.recipe, recipe);
    send(&mut lab, Message::RemoveLane(0));
    assert!(lab.lanes.iter().all(|lane| lane.run_beside(lab.run.as_ref().unwrap()).is_some()), "the rest stays");
}

#[test]
fn invalid_recipe_is_refused_with_a_reason() {
    let mut lab = lab();
    send(&mut lab, Message::SetReset(Reset::Hard));
    let settings = lab.settings.clone();
    send(&mut lab, Message::SetCorrection(Correction::Srp { steps: 4, rule: SrpRule::Code }));
    assert!(lab.notifications.last().unwrap().text.contains("hard reset"));
    assert_eq!(lab.settings, settings);
}

#[test]
fn recipes_are_saved_and_reopened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    let mut lab = lab();
    send(&mut lab, Message::SetNeuron(NeuronModel::Group(4)));
    send(&mut lab, Message::SaveRecipe { path: path.clone(), name: "mine".into() });
    let saved = lab.settings.recipe.clone();
    send(&mut lab, Message::ResetRecipe);
    assert_ne!(lab.settings.recipe, saved);
    send(&mut lab, Message::OpenPath(path));
    assert_eq!(lab.settings.recipe, saved);
}

#[test]
fn session_restores_race_and_focus() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("session.json");
    let mut lab = lab();
    let entry = NamedRecipe::new("plain", lab.settings.recipe.clone());
    send(&mut lab, Message::AddLane(Box::new(entry)));
    send(&mut lab, Message::FocusLayer(1));
    send(&mut lab, Message::SaveSession(path.clone()));
    let mut other = Lab::from_session(Session::load(&path).unwrap());
    other.wait_until_idle();
    assert_eq!((other.view.layer, other.lanes.len()), (1, 1));
    assert!(other.lanes[0].run_beside(other.run.as_ref().unwrap()).is_some());
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

#[test]
fn finished_samples_are_reported_before_the_run_ends() {
    use std::sync::Mutex;

    use spikescope::experiment::cache::Cache;
    use spikescope::experiment::partial::PartialAccumulator;
    use spikescope::experiment::pipeline::run_with_baseline;
    use spikescope::progress::{JobControl, JobEvent};

    let mut settings =
        Settings { model: "builtin:digits-cnn".into(), samples: 0..40, calibrate: 40..80, ..Settings::default() };
    settings.recipe.steps = 4;
    let mut cache = Cache::default();
    // From scratch, and continued from a shorter run.
    for steps in [4, 9] {
        settings.recipe.steps = steps;
        let stream = Arc::new(Mutex::new((PartialAccumulator::default(), Vec::new())));
        let reported = stream.clone();
        let control = JobControl::with_listener(move |event| {
            let mut reported = reported.lock().unwrap();
            if let JobEvent::Samples(finished) = event {
                let partial = reported.0.add(&finished).cloned().unwrap();
                reported.1.push(partial);
            }
        });
        let begin = |watched| stream.lock().unwrap().0.begin(watched);
        let run = run_with_baseline(&settings, &mut cache, &control, &begin).unwrap();
        let reported = stream.lock().unwrap();
        let [first, .., last] = reported.1.as_slice() else { panic!("several blocks, not {}", reported.1.len()) };
        assert!(first.samples < 40 && (last.samples, last.of) == (40, 40));
        assert_eq!(last.ann_accuracy, run.report.ann_accuracy);
        // The parts sum to the whole in any order.
        assert_eq!(last.curve.len(), steps);
        for (partial, whole) in last.curve.iter().zip(&run.report.curve) {
            assert_eq!(partial.t, whole.t);
            assert!((partial.agreement - whole.agreement).abs() < 1e-9, "{partial:?} {whole:?}");
            assert!((partial.accuracy.unwrap() - whole.accuracy.unwrap()).abs() < 1e-9);
        }
        // The mismatch is over some samples only, but has the right size.
        assert_eq!(last.mismatch_samples, reported.1.len());
        for (partial, whole) in last.mismatch.iter().zip(&run.report.layers) {
            let (partial, whole) = (partial.unwrap(), whole.mean_abs_mismatch);
            assert!(partial > 0.5 * whole && partial < 2.0 * whole, "{}: {partial} for {whole}", run.report.steps);
        }
    }
}

#[test]
fn unchanged_layers_keep_their_figures_and_later_ones_are_measured() {
    let mut lab = lab();
    let last = lab.run.as_ref().unwrap().spiking.layers.last().unwrap().clone();
    let before = lab.run.as_ref().unwrap().report.clone();
    send(&mut lab, Message::SetLayerThreshold { layer: last.name, theta: Some(last.theta[0] * 0.7) });
    let run = lab.run.clone().unwrap();
    let fresh = pipeline::run(&run.settings, &mut Cache::default(), &JobControl::default()).unwrap();
    let words = |report: &Report| format!("{:?} {:?} {:?}", report.layers, report.first_layers, report.curve);
    assert_eq!(words(&run.report), words(&fresh.report));
    assert_ne!(words(&run.report), words(&before));
}
