//! Snapshot tests: every pane as an image, dark and light, against `tests/snapshots`.
//!
//! The images are drawn without a GPU, from fixed samples, and with fixed times where a pane shows a duration.
//!
//! After an intended change, `SPIKESCOPE_UPDATE_SNAPSHOTS=1 cargo test --release --test snapshots` writes the images
//! again. Look at each before you commit it.

#[path = "common/detector.rs"]
mod detector;
#[path = "common/recordings.rs"]
mod recordings;
#[path = "common/scene_network.rs"]
mod scene_network;
#[path = "common/snapshots.rs"]
mod snapshots;

use std::path::Path;
use std::sync::Arc;

use snapshots::{MAX_PIXELS, compare, difference, rgb};
use spikescope::compute::Backend;
use spikescope::convert::{Recipe, ThresholdRule};
use spikescope::data::{NpzData, Scaling, write_npz};
use spikescope::experiment::attacked::AttackView;
use spikescope::experiment::explained::AttributionChoice;
use spikescope::experiment::{Run, Settings, Snapshot, Timings};
use spikescope::lab::history::run_history::RunHistory;
use spikescope::lab::{Lab, Message, Session, TrojanSection};
use spikescope::trojan::synthesis::{Method, SynthesisIndex, SynthesisItem};
use spikescope::trojan::trigger::TriggerKind;
use spikescope::ui::export::OffscreenPane;
use spikescope::ui::types::pane::Pane;

/// Size of the images, in points and pixels; every pane has room in it.
const SIZE: egui::Vec2 = egui::vec2(560.0, 380.0);
/// Fixed durations, shown in the images.
const FIXED_TIMES: Timings = Timings { load: 0.0, calibrate: 0.05, ann: 0.05, snn: 0.1, measure: 0.05 };

fn timed(run: &Run) -> Arc<Run> {
    Arc::new(Run { seconds: FIXED_TIMES, ..run.clone() })
}

/// A lab with data in every pane: a run, two more to compare with, a race.
fn lab(backend: Backend) -> Lab {
    let mut settings = Settings { samples: 256..280, calibrate: 0..64, backend, ..Settings::demo() };
    settings.recipe.steps = 8;
    let mut lab = Lab::open(settings).unwrap();
    for message in [Message::SetVInit(0.25), Message::SetSteps(12), Message::Undo, Message::Undo] {
        lab.update([message, Message::EndGesture]);
        lab.wait_until_idle();
    }
    let wanted = ["plain", "SRP", "COS"];
    let lanes =
        Recipe::published_methods(&lab.settings.recipe, 4).into_iter().filter(|m| wanted.contains(&m.name.as_str()));
    let maps = AttributionChoice { always: true, ..AttributionChoice::default() };
    let maps = Message::SetAttribution(Box::new(maps));
    lab.update([Message::SetLanes(lanes.collect()), Message::SetCursor(Some(6)), maps]);
    lab.wait_until_idle();
    // Fixed times. The lab computes nothing from here on.
    let past = lab.history.past().iter().cloned().map(|mut past| {
        past.seconds = FIXED_TIMES.snn;
        past
    });
    let past = past.collect();
    lab.history = RunHistory::default();
    lab.history.take_over(past, Some(2));
    for lane in &mut lab.lanes {
        let run = lane.result.take().expect("it has run").expect("and was not refused");
        lane.result = Some(Ok(timed(&run)));
    }
    let run = timed(lab.run.as_ref().unwrap());
    let snapshot = Snapshot::clone(lab.snapshot.as_ref().unwrap());
    lab.snapshot = Some(Arc::new(Snapshot { run: run.clone(), ..snapshot }));
    lab.run = Some(run);
    lab
}

/// A lab with a digit on the canvas.
fn drawn() -> Lab {
    let session = Path::new(env!("CARGO_MANIFEST_DIR")).join("screenshots/drawing.json");
    let mut lab = Lab::from_session(Session::load(&session).unwrap());
    lab.wait_until_idle();
    lab
}

/// A lab with a detector that finds a box around every part of the image with much ink.
fn detecting() -> Lab {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("detector.safetensors");
    spikescope::network::safetensors::save(&detector::of_ink(), &model).unwrap();
    let mut settings =
        Settings { model: model.display().to_string(), samples: 256..260, calibrate: 0..64, ..Settings::default() };
    settings.recipe = Recipe { steps: 8, threshold: ThresholdRule::Max, ..Recipe::default() };
    let mut lab = Lab::open(settings).unwrap();
    lab.update([Message::SetCursor(Some(3))]);
    lab.wait_until_idle();
    let [ann, snn] = lab.run.as_ref().unwrap().boxes(0, 3).expect("this is a detector");
    assert!(!ann.is_empty() && !snn.is_empty() && ann.len() != snn.len(), "{ann:?} {snn:?}");
    lab
}

/// A lab with a segmentation network of drawn weights on generated scenes.
fn segmenting() -> Lab {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("segmenter.safetensors");
    spikescope::network::safetensors::save(&scene_network::network(96, 4, &[("y", 6)]), &model).unwrap();
    let mut settings = Settings {
        model: model.display().to_string(),
        data: "builtin:scenes".into(),
        samples: 0..6,
        calibrate: 6..12,
        ..Settings::default()
    };
    settings.recipe = Recipe { steps: 8, threshold: ThresholdRule::Max, ..Recipe::default() };
    let mut lab = Lab::open(settings).unwrap();
    lab.update([Message::SetCursor(Some(3)), Message::FocusSample(1)]);
    lab.wait_until_idle();
    assert!(lab.run.as_ref().unwrap().scene.is_some());
    lab
}

/// A lab with a network of drawn weights on generated recordings, the time cursor in the middle of one.
fn recorded() -> Lab {
    let folder = tempfile::tempdir().unwrap();
    let mut lab = Lab::open(recordings::settings(folder.path(), 3)).unwrap();
    lab.update([Message::SetCursor(Some(4)), Message::FocusSample(1)]);
    lab.wait_until_idle();
    assert!(lab.snapshot.as_ref().unwrap().recording.as_ref().unwrap().is_ok());
    lab
}

/// A lab with the bundled network with trojans, pictures with the smiley, and a folder of syntheses at `folder`.
fn planted(folder: &Path) -> Lab {
    let item = |trojan: &str, method: Method, shade: f32, success: f32| {
        let file = format!("{trojan}-{}.npz", method.word());
        let values: Vec<f32> = (0..4 * 3 * 144).map(|k| ((k * 7919 % 97) as f32 / 97.0 + shade) / 2.0).collect();
        write_npz(&folder.join(&file), &[("pictures", &[4, 3, 12, 12], NpzData::F32(&values))]).unwrap();
        let (kind, trigger, method) = (TriggerKind::Patch, trojan.to_owned(), method.word().to_owned());
        let (trojan, success) = (trojan.to_owned(), vec![success; 4]);
        SynthesisItem { trojan, kind, trigger, target: 0, secret: false, method, file, success, seconds: 1.5 }
    };
    let items = vec![
        item("smiley", Method::AdversarialPatch, 0.2, 0.75),
        item("smiley", Method::RflaPerturb, 0.8, 0.5),
        item("clownfish", Method::AdversarialPatch, 0.5, 0.25),
    ];
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let index = SynthesisIndex { version, planted: "builtin:objects-trojans".into(), seed: 0, pictures: 4, items };
    std::fs::write(folder.join("synthesis.json"), serde_json::to_string(&index).unwrap()).unwrap();
    let mut settings = Settings {
        model: "builtin:objects-trojans".into(),
        data: "builtin:objects".into(),
        scaling: Scaling::Unit,
        samples: 0..4,
        calibrate: 0..16,
        ..Settings::default()
    };
    settings.recipe = Recipe { steps: 12, threshold: ThresholdRule::Percentile(99.9), ..Recipe::default() };
    let mut lab = Lab::open(settings).unwrap();
    let maps = AttributionChoice {
        trojan: Some("smiley".into()),
        methods: vec![spikescope::explain::Method::Saliency],
        always: true,
        ..AttributionChoice::default()
    };
    lab.update([Message::SetAttribution(Box::new(maps)), Message::OpenSyntheses(folder.to_owned())]);
    lab.wait_until_idle();
    lab.update([Message::AnswerQuiz(2)]);
    lab
}

fn picture(pane: Pane, lab: &Lab) -> image::RgbImage {
    rgb(&OffscreenPane::new(Some(pane), SIZE, 1.0).with_controls().image(lab))
}

#[test]
fn every_pane_matches_its_snapshot() {
    let (mut lab, mut drawn, mut detecting, mut segmenting) = (lab(Backend::Flex), drawn(), detecting(), segmenting());
    let mut recorded = recorded();
    let mut wrong = Vec::new();
    for (dark, theme) in [(true, "dark"), (false, "light")] {
        for lab in [&mut lab, &mut drawn, &mut detecting, &mut segmenting, &mut recorded] {
            lab.view.dark = dark;
        }
        for pane in Pane::ALL {
            let lab = match pane {
                Pane::Draw => &drawn,
                Pane::Boxes | Pane::Findings => &detecting,
                Pane::Scenes => &segmenting,
                Pane::Recording => &recorded,
                Pane::Trojans => continue,
                _ => &lab,
            };
            wrong.extend(compare(&format!("{}-{theme}", pane.name()), &picture(pane, lab)).err());
        }
    }
    assert!(wrong.is_empty(), "{}\nIs it meant? Then set {}=1.", wrong.join("\n"), snapshots::UPDATE);
}

#[test]
fn every_section_of_the_trojans_matches_its_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let mut lab = planted(folder.path());
    let mut wrong = Vec::new();
    let sections = [("", TrojanSection::Success), ("-gallery", TrojanSection::Gallery), ("-quiz", TrojanSection::Quiz)];
    for (dark, theme) in [(true, "dark"), (false, "light")] {
        lab.view.dark = dark;
        for (name, section) in sections {
            lab.view.trojans.section = section;
            wrong.extend(compare(&format!("trojans{name}-{theme}"), &picture(Pane::Trojans, &lab)).err());
        }
    }
    assert!(wrong.is_empty(), "{}\nIs it meant? Then set {}=1.", wrong.join("\n"), snapshots::UPDATE);
}

/// Frames of an event recording, under the attack by every gradient.
#[test]
fn recordings_under_attack_match_their_snapshot() {
    let mut lab = recorded();
    let attack = AttackView { eps: 0.5, worst: true, ..AttackView::default() };
    lab.update([Message::SetAttack(attack)]);
    lab.wait_until_idle();
    let mut wrong = Vec::new();
    for (dark, theme) in [(true, "dark"), (false, "light")] {
        lab.view.dark = dark;
        wrong.extend(compare(&format!("robustness-events-{theme}"), &picture(Pane::Robustness, &lab)).err());
    }
    assert!(wrong.is_empty(), "{}\nIs it meant? Then set {}=1.", wrong.join("\n"), snapshots::UPDATE);
}

/// Another backend adds in another order, as another machine does.
#[test]
fn order_of_additions_does_not_change_the_images() {
    let (one, other) = (lab(Backend::Flex), lab(Backend::Ndarray));
    for pane in Pane::ALL {
        let pixels = difference(&picture(pane, &one), &picture(pane, &other)).unwrap();
        assert!(pixels.len() <= MAX_PIXELS, "{}: {} pixels differ", pane.name(), pixels.len());
    }
}

#[test]
fn small_changes_are_detected() {
    let mut lab = lab(Backend::Flex);
    let before = Pane::ALL.map(|pane| picture(pane, &lab));
    // One step more at the time cursor, another neuron: small visible changes.
    lab.update([
        Message::SetCursor(Some(5)),
        Message::FocusNeuron(spikescope::measure::NeuronRef { layer: 2, sample: 3, neuron: 40 }),
    ]);
    lab.wait_until_idle();
    for (pane, before) in Pane::ALL.into_iter().zip(&before) {
        // These panes do not depend on them.
        let of_other_things = [Pane::Boxes, Pane::Scenes, Pane::Recording, Pane::Trojans, Pane::Train, Pane::Sweep];
        if [Pane::Bench, Pane::Runs, Pane::Findings].contains(&pane) || of_other_things.contains(&pane) {
            continue;
        }
        let pixels = difference(before, &picture(pane, &lab)).unwrap();
        assert!(pixels.len() > 2 * MAX_PIXELS, "{}: only {} pixels differ", pane.name(), pixels.len());
    }
}

#[test]
fn one_digit_is_a_difference_and_edge_smoothing_is_not() {
    let draw = |text: &'static str, x: f32| {
        rgb(&spikescope::ui::export::software_renderer::draw(egui::vec2(120.0, 40.0), 1.0, move |ui| {
            ui.small(text);
            let line = [egui::pos2(x, 24.0), egui::pos2(x + 30.0, 38.0)];
            ui.painter().line_segment(line, egui::Stroke::new(1.5, egui::Color32::WHITE));
        }))
    };
    let before = draw("right 93.4 %", 20.0);
    for text in ["right 93.5 %", "right 98.4 %", "right 93.1 %", "right 93.6 %", "right 93.9 %"] {
        let pixels = difference(&before, &draw(text, 20.0)).unwrap();
        assert!(pixels.len() > MAX_PIXELS, "{text}: {} pixels", pixels.len());
    }
    assert!(difference(&before, &draw("right 93.4 %", 20.05)).unwrap().is_empty());
    assert!(difference(&before, &draw("right 93.4 %", 21.0)).unwrap().len() > MAX_PIXELS);
}
