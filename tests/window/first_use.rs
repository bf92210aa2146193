//! First use: what the window says of previews, failures, foreign data and first runs.

use std::time::{Duration, Instant};

use egui::epaint::Shape;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use spikescope::convert::ThresholdRule;
use spikescope::data::digits::Drawing;
use spikescope::experiment::cache::Cache;
use spikescope::experiment::preview::{Excerpt, preview};
use spikescope::experiment::{Settings, pipeline};
use spikescope::lab::{Lab, Message, Workspace};
use spikescope::progress::JobControl;
use spikescope::ui::state::window::WindowState;
use spikescope::ui::types::pane::Pane;

use crate::desk::{Desk, click, desk, desk_on};
use crate::shown::texts;

fn change(harness: &mut Harness<'static, Desk>, message: Message) {
    harness.state_mut().lab.update([message, Message::EndGesture]);
    harness.run_ok();
}

#[test]
fn an_open_finding_is_written_once() {
    let mut harness = desk();
    change(&mut harness, Message::SetThreshold(ThresholdRule::Max));
    harness.get_by_label_contains("Findings:").click();
    harness.run_ok();
    harness.get_by_label("Use thresholds: learned");
    let shown = texts(&harness);
    let finding: Vec<_> = shown.iter().filter(|(text, _)| text.contains("fits their thresholds to")).collect();
    assert_eq!(finding.len(), 1, "{finding:?}");
    assert!(finding[0].0.ends_with("ReLU") || finding[0].0.len() > 120, "the whole text: {finding:?}");
    assert!(finding[0].1.height() > 30.0, "on several lines: {finding:?}");
}

/// A desk that shows a preview of one of forty samples.
fn previewing() -> Harness<'static, Desk> {
    let settings = Settings { samples: 0..40, calibrate: 100..164, ..Settings::demo() };
    let mut lab = Lab::open(settings.clone()).unwrap();
    let whole = lab.run.clone().unwrap();
    let mut changed = settings;
    changed.recipe.v_init = 0.4;
    // The thresholds of the run are calibrated already, as in the engine's cache.
    let (mut cache, control) = (Cache::default(), JobControl::default());
    pipeline::run(&lab.settings, &mut cache, &control).unwrap();
    let excerpt = Excerpt::new(&whole, 0..1);
    lab.run = preview(&changed, &excerpt, &mut cache, &control).unwrap();
    assert_eq!(lab.preview_counts(), Some((1, 40)));
    desk_on(Desk { lab, window: WindowState::default() }, egui::vec2(1366.0, 768.0))
}

#[test]
fn a_preview_of_one_sample_shows_counts() {
    let harness = previewing();
    let shown = texts(&harness);
    let is = |wanted: &str| shown.iter().any(|(text, _)| text == wanted);
    assert!(is("ANN 1 of 1") && (is("SNN 1 of 1") || is("SNN 0 of 1")), "{shown:?}");
    assert!(!shown.iter().any(|(text, _)| text.starts_with("ANN 100.0 %")), "{shown:?}");
    // Nothing older stands beside it: the other samples have no answer of the SNN.
    assert!(is("SNN …"), "{shown:?}");
}

#[test]
fn the_mark_of_a_preview_covers_no_text() {
    let harness = previewing();
    let shown = texts(&harness);
    let marks: Vec<_> = shown.iter().filter(|(text, _)| text.starts_with("1 of 40")).collect();
    assert!(marks.len() >= 3, "one for each pane: {marks:?}");
    for (mark, place) in &marks {
        for (text, other) in shown.iter().filter(|(text, _)| !text.starts_with("1 of 40")) {
            let common = place.shrink(1.0).intersect(*other);
            assert!(!common.is_positive(), "{mark} at {place} covers {text:?} at {other}");
        }
    }
}

#[test]
fn a_file_that_does_not_open_takes_the_place_of_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let files = ["first.onnx", "second.onnx"].map(|name| folder.path().join(name));
    files.iter().for_each(|file| std::fs::write(file, b"this is no network").unwrap());
    let mut harness = desk();
    let told = |harness: &Harness<'static, Desk>| {
        harness.state().lab.notifications.iter().map(|notice| notice.text.clone()).collect::<Vec<_>>()
    };
    change(&mut harness, Message::OpenPath(files[0].clone()));
    let first = told(&harness);
    assert!(first.len() == 1 && first[0].contains("first.onnx"), "{first:?}");
    change(&mut harness, Message::OpenPath(files[1].clone()));
    let second = told(&harness);
    assert!(second.len() == 1 && second[0].contains("second.onnx"), "{second:?}");
    // Another kind of failure stands beside it.
    change(&mut harness, Message::SetSamples { first: 9_000_000, count: 10 });
    assert_eq!(told(&harness).len(), 2);
    // Of two that were opened together, both are told.
    let both = ["a.json", "b.json"].map(|name| folder.path().join(name));
    both.iter().for_each(|file| std::fs::write(file, b"{").unwrap());
    change(&mut harness, Message::OpenPaths(both.to_vec()));
    let told = told(&harness);
    assert!(told.iter().any(|text| text.contains("a.json")) && told.iter().any(|text| text.contains("b.json")));
    assert!(!told.iter().any(|text| text.contains("second.onnx")), "{told:?}");
}

#[test]
fn a_segmentation_network_on_pictures_says_so_and_offers_its_own_scenes() {
    let folder = tempfile::tempdir().unwrap();
    for k in 0..3 {
        let picture = image::RgbImage::from_fn(64, 64, |x, y| image::Rgb([(x * 4) as u8, (y * 4) as u8, k * 80]));
        picture.save(folder.path().join(format!("{k}.png"))).unwrap();
    }
    let mut settings = Settings {
        model: "builtin:scenes-det".into(),
        data: format!("images:{}", folder.path().display()),
        samples: 0..2,
        calibrate: 0..3,
        ..Settings::default()
    };
    settings.recipe.steps = 4;
    settings.recipe.threshold = ThresholdRule::Max;
    let lab = Lab::open(settings).unwrap();
    let mut harness = desk_on(Desk { lab, window: WindowState::default() }, egui::vec2(1280.0, 800.0));
    change(&mut harness, Message::OpenModel("builtin:scenes-seg".into()));
    assert_eq!(harness.state().lab.run.as_ref().unwrap().settings.model, "builtin:scenes-seg");
    let note = harness.get_by_label_contains("'scenes-seg' runs on the open data");
    assert!(note.accesskit_node().label().or(note.accesskit_node().value()).unwrap().contains("images:"));
    // Runs and race call the measure as header and strip do.
    harness.state_mut().window.layout.docks.add(Workspace::Explore, Pane::Runs);
    harness.run_ok();
    let shown = texts(&harness);
    assert!(shown.iter().any(|(text, _)| text.ends_with("% output similarity")), "{shown:?}");
    assert!(shown.iter().any(|(text, _)| text.ends_with("% matching boxes")), "{shown:?}");
    harness.state_mut().window.layout.docks.add(Workspace::Explore, Pane::Race);
    harness.run_ok();
    let shown = texts(&harness);
    assert!(!shown.iter().any(|(text, _)| text.starts_with("agreement") || text.ends_with("agreement")), "{shown:?}");
    click(&mut harness, "Use its own scenes");
    let lab = &harness.state().lab;
    assert_eq!((lab.settings.data.as_str(), lab.notifications.len()), ("builtin:scenes", 0), "{:?}", lab.notifications);
    assert_eq!(lab.run.as_ref().unwrap().settings.data, "builtin:scenes");
    assert!(harness.query_by_label("Use its own scenes").is_none());
}

#[test]
fn values_that_are_being_computed_are_not_missing() {
    let mut harness = desk();
    harness.state_mut().lab.snapshot = None;
    harness.run_ok();
    let shown = texts(&harness);
    assert!(shown.iter().any(|(text, _)| text.contains("are being computed")), "{shown:?}");
    assert!(!shown.iter().any(|(text, _)| text.contains("No run yet")), "{shown:?}");
}

#[test]
fn all_ten_bars_of_a_drawing_are_visible_on_a_small_screen() {
    let settings = Settings { samples: 0..4, calibrate: 0..64, ..Settings::demo() };
    let mut lab = Lab::open(settings).unwrap();
    let mut drawing = Drawing::default();
    drawing.begin_stroke([8.0, 6.0]);
    (7..22).for_each(|y| _ = drawing.line_to([8.0 + y as f32 / 3.0, y as f32]));
    lab.update([Message::SetWorkspace(Workspace::Teach), Message::SetDrawing(Box::new(drawing)), Message::EndGesture]);
    lab.wait_until_idle();
    let harness = desk_on(Desk { lab, window: WindowState::default() }, egui::vec2(1366.0, 768.0));
    let bottom = harness.get_by_label("Step back").rect().top();
    for class in 0..10 {
        let bar = harness.get_by_label_contains(&format!("Class {class}: ANN")).rect();
        assert!(bar.bottom() <= bottom - 4.0 && bar.height() > 8.0, "class {class}: {bar}, the panes end at {bottom}");
    }
}

#[test]
fn without_its_file_the_network_stays_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("own.safetensors");
    let network = spikescope::network::zoo::bundled("digits-cnn").unwrap().unwrap();
    spikescope::network::safetensors::save(&network, &model).unwrap();
    let settings = Settings { model: model.display().to_string(), samples: 0..8, calibrate: 0..32, ..Settings::demo() };
    let mut settings = settings;
    settings.recipe.threshold = ThresholdRule::Max;
    let lab = Lab::open(settings).unwrap();
    let mut harness = desk_on(Desk { lab, window: WindowState::default() }, egui::vec2(1280.0, 800.0));
    std::fs::remove_file(&model).unwrap();
    change(&mut harness, Message::SetSamples { first: 0, count: 10 });
    let lab = &harness.state().lab;
    assert_eq!((lab.run.as_ref().unwrap().recording.samples, lab.notifications.len()), (10, 0));
    // Reading it again fails with the reason; what was read stays.
    change(&mut harness, Message::Rerun);
    let told: Vec<String> = harness.state().lab.notifications.iter().map(|notice| notice.text.clone()).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("Cannot read") && told[0].contains("the file is gone"), "{told:?}");
    change(&mut harness, Message::SetSamples { first: 0, count: 6 });
    let lab = &harness.state().lab;
    assert_eq!(lab.run.as_ref().unwrap().recording.samples, 6, "{:?}", lab.notifications);
    assert_eq!(lab.settings.samples, 0..6);
}

#[test]
fn a_stopped_first_run_says_how_to_go_on() {
    let mut lab = Lab::new(Settings { samples: 0..200, ..Settings::demo() });
    lab.update([Message::Stop]);
    assert!(!lab.busy() && lab.run.is_none());
    let told: Vec<_> = lab.notifications.iter().map(|notice| notice.text.as_str()).collect();
    assert!(matches!(told[..], [text] if text.contains("Rerun")), "{told:?}");
    lab.update([Message::Rerun]);
    lab.wait_until_idle();
    assert!(lab.run.is_some());
}

#[test]
fn what_a_lesson_covers_is_shown_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.md");
    let text = "+++\ntitle = \"Mine\"\n+++\n## Guess\n+++\nhide = [\"t-curve\"]\n\
                reach = { all = [\"T == 7\"], model = [{ set-steps = 7 }], text = \"Run seven steps.\" }\n+++\nHow?\n";
    std::fs::write(&path, text).unwrap();
    let mut harness = desk();
    let is_told = |harness: &Harness<'static, Desk>| {
        let menu = harness.get_by_label("Export T-curve");
        let track = harness.get_by_label("Time cursor").rect();
        let curves = harness.output().shapes.iter().filter(|shape| match &shape.shape {
            Shape::Path(path) => path.points.len() > 4 && track.contains(path.points[0]),
            _ => false,
        });
        [!menu.accesskit_node().is_disabled(), curves.count() > 0]
    };
    assert_eq!(is_told(&harness), [true; 2]);
    harness.state_mut().lab.update([Message::OpenLesson(path.display().to_string())]);
    harness.run_ok();
    harness.get_by_label("Covered until you have answered the question.");
    assert_eq!(is_told(&harness), [false; 2], "the menu with the export, and the curve in the time bar");
    change(&mut harness, Message::SetSteps(7));
    harness.run_ok();
    assert_eq!(is_told(&harness), [true; 2]);
}

/// The opacity of the label `wanted` in the last frame.
fn opacity(harness: &Harness<'static, Desk>, wanted: &str) -> f32 {
    let found = harness.output().shapes.iter().find_map(|clipped| match &clipped.shape {
        Shape::Text(text) if text.galley.text() == wanted => Some(f32::from(text.fallback_color.a()) / 255.0),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("no text '{wanted}'"))
}

#[test]
fn results_of_earlier_settings_fade_until_the_new_ones_are_there() {
    let settings =
        Settings { model: "builtin:digits-resnet".into(), samples: 0..4, calibrate: 0..16, ..Settings::demo() };
    let desk = Desk { lab: Lab::open(settings).unwrap(), window: WindowState::default() };
    // Unlike the desk of other tests, this one draws while the lab computes.
    let draw = |ui: &mut egui::Ui, desk: &mut Desk| {
        let mut messages = Vec::new();
        spikescope::ui::shell::show(ui, &desk.lab, &mut desk.window, &mut messages);
        desk.lab.update(messages);
        desk.lab.poll();
    };
    let mut harness = Harness::builder().with_size(egui::vec2(1280.0, 800.0)).build_ui_state(draw, desk);
    harness.state_mut().lab.wait_until_idle();
    harness.run_ok();
    let shown = "Worst: ";
    assert_eq!(opacity(&harness, shown), 1.0);
    // A run that takes longer than the test waits.
    let many = Message::SetSamples { first: 0, count: 1400 };
    harness.state_mut().lab.update([many, Message::SetSteps(512), Message::EndGesture]);
    let (start, mut least) = (Instant::now(), 1.0f32);
    while least > 0.4 && harness.state().lab.job.is_some() && start.elapsed() < Duration::from_secs(60) {
        harness.step();
        least = least.min(opacity(&harness, shown));
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(least < 0.4, "{least} after {:?}", start.elapsed());
    assert!(start.elapsed() > Duration::from_millis(500), "a fast run does not flicker");
    let few = Message::SetSamples { first: 0, count: 4 };
    harness.state_mut().lab.update([few, Message::SetSteps(4), Message::EndGesture]);
    harness.state_mut().lab.wait_until_idle();
    harness.run_ok();
    assert_eq!(opacity(&harness, shown), 1.0);
}
