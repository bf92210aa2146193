//! Details of the window: scales that hold, texts that keep apart, data of another network, lessons that go on.

use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use spikescope::convert::{Recipe, ThresholdRule};
use spikescope::data::Scaling;
use spikescope::data::digits::Drawing;
use spikescope::experiment::Settings;
use spikescope::lab::{Lab, Message, Notification, NotificationLevel, Workspace};
use spikescope::network::safetensors;
use spikescope::network::zoo::{ZooArchitecture, parse_activation};
use spikescope::ui::state::lesson::SavedLesson;
use spikescope::ui::state::window::WindowState;
use spikescope::ui::types::pane::Pane;

use crate::desk::{Desk, click, desk, desk_of, desk_on};
use crate::shown::texts;

fn change(harness: &mut Harness<'static, Desk>, message: Message) {
    harness.state_mut().lab.update([message, Message::EndGesture]);
    harness.run_ok();
}

/// The slider named `name`.
fn slider(harness: &Harness<'static, Desk>, name: &str) -> egui::Rect {
    let found = harness.get_all_by_label(name).find(|node| node.accesskit_node().numeric_value().is_some());
    found.expect("a slider").rect()
}

#[test]
fn the_scale_of_the_ledger_holds_while_a_slider_is_dragged() {
    let mut harness = desk();
    // The marks of its axis are the row with signs on both sides of zero.
    let marks = |harness: &Harness<'static, Desk>| {
        let shown = texts(harness);
        let row = |top: f32| -> Vec<String> {
            let beside = shown.iter().filter(|(text, r)| text.ends_with('%') && (r.top() - top).abs() < 1.0);
            beside.map(|(text, _)| text.clone()).collect()
        };
        let rows = shown.iter().filter(|(text, _)| text == "0 %").map(|(_, place)| row(place.top()));
        rows.max_by_key(Vec::len).expect("the ledger has an axis")
    };
    let before = marks(&harness);
    assert!(before.len() >= 3, "{before:?}");
    let rect = slider(&harness, "T");
    let at = |share: f32| egui::pos2(rect.left() + rect.width() * share, rect.center().y);
    harness.drag_at(at(0.45));
    harness.run_ok();
    harness.hover_at(at(0.05));
    harness.run_ok();
    let few_steps = marks(&harness);
    assert_ne!(few_steps, before, "few steps have larger errors");
    harness.hover_at(at(0.45));
    harness.run_ok();
    assert_eq!(marks(&harness), few_steps, "the scale does not jump back during the drag");
    harness.drop_at(at(0.45));
    harness.run_ok();
    harness.run_ok();
    assert_ne!(marks(&harness), few_steps, "it fits again afterwards");
}

#[test]
fn texts_of_the_bars_never_overprint_each_other() {
    for width in [911.0, 1100.0, 1366.0] {
        let mut harness = desk_of(egui::vec2(width, 700.0));
        change(&mut harness, Message::SetSteps(9));
        let room = harness.get_by_label("Step back").rect();
        let shown = texts(&harness);
        let bars: Vec<_> = shown.iter().filter(|(_, r)| r.top() > room.bottom() || r.bottom() < 60.0).collect();
        assert!(bars.len() > 8, "{bars:?}");
        for (k, (text, place)) in bars.iter().enumerate() {
            for (other, beside) in &bars[k + 1..] {
                assert!(!place.shrink(1.0).intersect(*beside).is_positive(), "{width}: {text:?} over {other:?}");
            }
        }
    }
}

#[test]
fn axes_of_offset_spikes_and_runs_have_names_and_numbers() {
    let mut harness = desk_of(egui::vec2(1600.0, 1000.0));
    change(&mut harness, Message::SetSteps(9));
    let other = harness.state().lab.history.past()[0].number;
    change(&mut harness, Message::CompareWith(Some(other)));
    for (pane, names) in [
        (Pane::OffsetSpikes, &["offset spikes"][..]),
        (Pane::Runs, &["time-steps t", "accuracy", "layer", "mismatch"][..]),
    ] {
        harness.state_mut().window.layout.docks.add(Workspace::Explore, pane);
        (0..2).for_each(|_| _ = harness.run_ok());
        let plots: Vec<egui::Rect> = vec![harness.ctx.content_rect()];
        let shown = texts(&harness);
        for name in names {
            let is_shown =
                shown.iter().any(|(text, r)| text.to_lowercase().contains(name) && plots[0].contains_rect(*r));
            assert!(is_shown, "{}: {name} in {shown:?}", pane.name());
        }
        let numbers = shown.iter().filter(|(text, _)| text.trim_end_matches([' ', '%']).parse::<f64>().is_ok());
        assert!(numbers.count() > 8, "{}", pane.name());
    }
}

#[test]
fn a_calibration_set_that_does_not_fit_is_dropped_with_a_word_and_undo_restores_it() {
    let folder = tempfile::tempdir().unwrap();
    let save = |side: usize, name: &str| {
        let network = ZooArchitecture::Cnn.build(&[3, side, side], 10, parse_activation("relu").unwrap(), 1).unwrap();
        let path = folder.path().join(name);
        safetensors::save(&network, &path).unwrap();
        path.display().to_string()
    };
    let (color, small) = (save(32, "color.safetensors"), save(16, "small.safetensors"));
    let records: Vec<u8> = (0..40u32)
        .flat_map(|i| std::iter::once((i % 10) as u8).chain((0..3072u32).map(move |k| ((i * 131 + k * 7) % 251) as u8)))
        .collect();
    let set = folder.path().join("forty.bin");
    std::fs::write(&set, records).unwrap();
    let pictures = folder.path().join("pictures");
    std::fs::create_dir(&pictures).unwrap();
    for k in 0..4u8 {
        let picture = image::RgbImage::from_fn(40, 40, |x, y| image::Rgb([(x * 6) as u8, (y * 6) as u8, k * 60]));
        picture.save(pictures.join(format!("{k}.png"))).unwrap();
    }
    let set = format!("cifar10:{}", set.display());
    let mut settings = Settings {
        model: color.clone(),
        data: format!("images:{}", pictures.display()),
        calibration_data: Some(set.clone()),
        samples: 0..4,
        calibrate: 0..40,
        recipe: Recipe { threshold: ThresholdRule::Max, ..Recipe::default() },
        ..Settings::default()
    };
    settings.recipe.steps = 4;
    let lab = Lab::open(settings).unwrap();
    let mut harness = desk_on(Desk { lab, window: WindowState::default() }, egui::vec2(1280.0, 800.0));
    change(&mut harness, Message::OpenModel(small.clone()));
    let lab = &harness.state().lab;
    assert_eq!((&lab.settings.model, &lab.settings.calibration_data), (&small, &None), "{:?}", lab.notifications);
    harness.get_by_label_contains("thresholds are now calibrated on the data set itself");
    change(&mut harness, Message::Undo);
    let settings = &harness.state().lab.settings;
    assert_eq!((&settings.model, settings.calibration_data.as_deref()), (&color, Some(set.as_str())));
}

#[test]
fn a_scaling_is_never_carried_to_another_network() {
    let folder = tempfile::tempdir().unwrap();
    let models = [1, 2].map(|seed| {
        let network = ZooArchitecture::Mlp.build(&[1, 28, 28], 10, parse_activation("relu").unwrap(), seed).unwrap();
        let path = folder.path().join(format!("mlp{seed}.safetensors"));
        safetensors::save(&network, &path).unwrap();
        path.display().to_string()
    });
    let settings = Settings { samples: 0..4, calibrate: 0..16, model: models[0].clone(), ..Settings::demo() };
    let recipe = Recipe { threshold: ThresholdRule::Max, steps: 4, ..Recipe::default() };
    let mut lab = Lab::open(Settings { recipe, ..settings }).unwrap();
    let own = Scaling::parse("mean=.2;std=.4").unwrap();
    for message in [Message::SetScaling(own.clone()), Message::OpenModel(models[1].clone())] {
        assert_eq!(lab.settings.model, models[0]);
        lab.update([message]);
        lab.wait_until_idle();
    }
    assert_eq!((&lab.settings.model, &lab.settings.scaling), (&models[1], &Scaling::default()));
    lab.update([Message::Undo]);
    lab.wait_until_idle();
    assert_eq!((&lab.settings.model, &lab.settings.scaling), (&models[0], &own));
}

#[test]
fn steps_out_of_range_are_refused_with_the_range() {
    let mut harness = desk();
    let before = harness.state().lab.settings.clone();
    let rect = slider(&harness, "T");
    let number = egui::pos2(rect.right() + 30.0, rect.center().y);
    harness.drag_at(number);
    harness.drop_at(number);
    harness.run_ok();
    harness.event(egui::Event::Text("99999".into()));
    harness.run_ok();
    harness.key_press(egui::Key::Enter);
    harness.run_ok();
    let lab = &harness.state().lab;
    assert_eq!(lab.settings, before);
    assert!(lab.notifications[0].text.contains("99999") && lab.notifications[0].text.contains("4096"));
}

#[test]
fn samples_beyond_the_data_are_refused_with_the_number_that_fits() {
    let mut harness = desk();
    let before = harness.state().lab.settings.clone();
    harness.get_by_label_contains("Data: digits").click();
    harness.run_ok();
    let field = harness.get_all_by_label("Run").find(|node| node.accesskit_node().numeric_value().is_some());
    let place = field.expect("the number of samples").rect().center();
    harness.drag_at(place);
    harness.drop_at(place);
    harness.run_ok();
    harness.event(egui::Event::Text("5000".into()));
    harness.run_ok();
    harness.key_press(egui::Key::Enter);
    harness.run_ok();
    let lab = &harness.state().lab;
    assert_eq!(lab.settings, before);
    let told = &lab.notifications.last().expect("it says why").text;
    assert!(told.contains("Cannot run samples 0..5000") && told.contains("Use at most 2000 from 0"), "{told}");
}

#[test]
fn a_finished_lesson_is_marked_and_leads_to_the_next() {
    let mut harness = desk();
    click(&mut harness, "Teach");
    let place = SavedLesson { source: "builtin:spike".into(), step: 6, solved: vec![true; 7], before: None };
    let mut messages = Vec::new();
    harness.state_mut().window.lesson.resume(place, &mut messages);
    harness.state_mut().lab.update(messages);
    harness.run_ok();
    harness.get_by_label("Step 7 of 7");
    click(&mut harness, "Next lesson");
    let source = harness.state().window.lesson.player.as_ref().unwrap().lesson().source.clone();
    assert_ne!(source, "builtin:spike");
    click(&mut harness, "Leave lesson");
    harness.get_by_label_contains("1. What a spike is  ·  done");
    harness.get_by_label("2. A number as spikes: rate coding");
}

#[test]
fn ten_names_of_bars_keep_apart_in_projector_mode() {
    let settings = Settings { samples: 0..4, calibrate: 0..64, ..Settings::demo() };
    let mut lab = Lab::open(settings).unwrap();
    let mut drawing = Drawing::default();
    drawing.begin_stroke([8.0, 6.0]);
    (7..22).for_each(|y| _ = drawing.line_to([8.0 + y as f32 / 3.0, y as f32]));
    lab.update([Message::SetWorkspace(Workspace::Teach), Message::SetProjector(true)]);
    lab.update([Message::SetDrawing(Box::new(drawing)), Message::EndGesture]);
    lab.wait_until_idle();
    let harness = desk_on(Desk { lab, window: WindowState::default() }, egui::vec2(1600.0, 1000.0));
    let bars: Vec<egui::Rect> =
        (0..10).map(|class| harness.get_by_label_contains(&format!("Class {class}: ANN")).rect()).collect();
    let font = egui::TextStyle::Small.resolve(&harness.ctx.global_style());
    for pair in bars.windows(2) {
        assert!(pair[1].top() - pair[0].top() >= font.size, "{pair:?}");
    }
}

#[test]
fn classes_of_cifar_have_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let network = ZooArchitecture::Cnn.build(&[3, 32, 32], 10, parse_activation("relu").unwrap(), 1).unwrap();
    let (model, data) = (folder.path().join("color.safetensors"), folder.path().join("ten.bin"));
    safetensors::save(&network, &model).unwrap();
    std::fs::write(&data, (0..10u8).flat_map(|i| [&[i][..], &[i * 20; 3072]].concat()).collect::<Vec<_>>()).unwrap();
    let recipe = Recipe { threshold: ThresholdRule::Max, steps: 2, ..Recipe::default() };
    let lab = Lab::open(Settings {
        model: model.display().to_string(),
        data: format!("cifar10:{}", data.display()),
        samples: 0..2,
        calibrate: 0..10,
        recipe,
        ..Settings::default()
    })
    .unwrap();
    let harness = desk_on(Desk { lab, window: WindowState::default() }, egui::vec2(1280.0, 800.0));
    let shown = texts(&harness);
    for label in ["label airplane", "label automobile"] {
        assert!(shown.iter().any(|(text, _)| text == label), "{shown:?}");
    }
}

#[test]
fn drawings_are_called_pictures_where_the_network_knows_no_digits() {
    let recipe = Recipe { threshold: ThresholdRule::Max, steps: 2, ..Recipe::default() };
    let lab = Lab::open(Settings {
        model: "builtin:objects-trojans".into(),
        data: "builtin:objects".into(),
        samples: 0..2,
        calibrate: 0..8,
        recipe,
        ..Settings::default()
    })
    .unwrap();
    let mut harness = desk_on(Desk { lab, window: WindowState::default() }, egui::vec2(1280.0, 800.0));
    click(&mut harness, "Teach");
    harness.get_by_label("Canvas to draw a picture on");
    assert!(harness.query_by_label("Canvas to draw a digit on").is_none());
}

#[test]
fn messages_never_cover_the_buttons_of_a_lesson() {
    let mut harness = desk();
    click(&mut harness, "Teach");
    click(&mut harness, "1. What a spike is");
    let text = format!("Cannot open 'a.onnx': {}. Use `check`.", ["a reason of many words"; 12].join("; "));
    change(&mut harness, Message::Notify(Notification { level: NotificationLevel::Error, text }));
    let told = harness.get_by_label_contains("Cannot open 'a.onnx'").rect();
    for button in ["Back", "Next", "Leave lesson"] {
        let button = harness.get_by_label(button).rect();
        assert!(told.right() < button.left(), "{told} beside {button}");
    }
    click(&mut harness, "Next");
    assert_eq!(harness.state().window.lesson.player.as_ref().map(|player| player.index()), Some(1));
}

#[test]
fn exports_stand_in_one_submenu() {
    let mut harness = desk();
    click(&mut harness, "File");
    assert_eq!(harness.query_all_by_label("Export").count(), 1);
    let items = |harness: &Harness<'static, Desk>| harness.query_all_by_label_contains("Export run").count();
    assert_eq!(items(&harness), 0, "none stands beside it");
    click(&mut harness, "Export");
    assert!(items(&harness) > 0, "they stand in it");
}
