//! Pane tests: what is drawn lies where it can be read, and panes fill the window on request.

use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use spikescope::convert::{Recipe, ThresholdRule};
use spikescope::experiment::Settings;
use spikescope::lab::{Lab, Message, Notification, NotificationLevel, Workspace};
use spikescope::measure::NeuronRef;
use spikescope::ui::types::pane::Pane;

#[path = "common/window.rs"]
mod common;

#[path = "common/scene_network.rs"]
mod scene_network;

use common::{Desk, click, desk, desk_of, desk_on};

fn front(harness: &mut Harness<'static, Desk>, pane: Pane) {
    let workspace = harness.state().lab.view.workspace;
    harness.state_mut().window.layout.docks.add(workspace, pane);
    harness.run_ok();
    // The parts of the snapshot that the pane needs are there in the next frame.
    harness.run_ok();
}

fn rect(harness: &Harness<'static, Desk>, name: &str) -> egui::Rect {
    harness.get_by_label(name).rect()
}

#[test]
fn plots_over_one_another_share_their_axis() {
    for width in [1280.0, 1500.0, 1920.0] {
        let mut harness = desk_of(egui::vec2(width, 1080.0));
        front(&mut harness, Pane::Threshold);
        let aligned = |harness: &Harness<'static, Desk>, one: &str, other: &str| {
            let (one, other) = (rect(harness, one), rect(harness, other));
            assert_eq!((one.left(), one.right()), (other.left(), other.right()), "at {width}");
            assert!(one.bottom() <= other.top() && one.width() > 200.0, "{one} {other}");
        };
        aligned(&harness, "Histogram of activations with the threshold", "Predicted squared error over the threshold");
        for layer in 0..3 {
            harness.state_mut().lab.update([Message::FocusLayer(layer)]);
            harness.run_ok();
            aligned(
                &harness,
                "Histogram of activations with the threshold",
                "Predicted squared error over the threshold",
            );
        }
        harness.state_mut().lab.update([Message::FocusLayer(0)]);
        front(&mut harness, Pane::InitialPotential);
        aligned(&harness, "Mean error over v(0)", "Mean squared error over v(0)");
        front(&mut harness, Pane::Membrane);
        let pin = NeuronRef { layer: 1, sample: 2, neuron: 3 };
        harness.state_mut().lab.update([Message::Pin(pin), Message::SetSteps(40), Message::EndGesture]);
        harness.run_ok();
        let of = |what: &str| -> Vec<egui::Rect> {
            harness
                .get_all_by_label_contains(what)
                .map(|node| node.rect())
                .filter(|rect| rect.width() > 200.0)
                .collect()
        };
        let plots = [of("Potential of"), of("Input current of")].concat();
        assert!(plots.len() >= 2, "{plots:?}");
        let ends: Vec<_> = plots.iter().map(|rect| (rect.left(), rect.right())).collect();
        assert!(ends.iter().all(|end| *end == ends[0]), "{ends:?}");
        click(&mut harness, "Teach");
        aligned(&harness, "Input of the neuron on the bench", "Potential of the neuron on the bench");
    }
}

#[test]
fn pane_is_maximized_by_its_tab_and_restored_by_escape() {
    let mut harness = desk();
    harness.ctx.options_mut(|options| options.input_options.max_double_click_delay = 20.0);
    let at = rect(&harness, Pane::Ledger.title()).center();
    for _ in 0..2 {
        for pressed in [true, false] {
            let modifiers = egui::Modifiers::NONE;
            harness.event(egui::Event::PointerMoved(at));
            harness.event(egui::Event::PointerButton {
                pos: at,
                button: egui::PointerButton::Primary,
                pressed,
                modifiers,
            });
        }
        harness.step();
    }
    harness.run_ok();
    assert_eq!(harness.state().window.maximized.as_ref().unwrap().pane, Pane::Ledger);
    assert!(
        harness.query_by_label("Restore").is_some() && harness.query_by_label("Accuracy over time-steps").is_none()
    );
    harness.key_press(egui::Key::Escape);
    harness.run_ok();
    assert!(
        harness.query_by_label("Restore").is_none() && harness.query_by_label("Accuracy over time-steps").is_some()
    );
    // The menu of the pane does it too, and another workspace shows its own panes.
    click(&mut harness, &format!("Export {}", Pane::Ledger.title()));
    click(&mut harness, "Maximize");
    assert!(harness.query_by_label("Restore").is_some());
    harness.state_mut().lab.update([Message::SetWorkspace(Workspace::Teach)]);
    harness.run_ok();
    assert!(harness.query_by_label("Restore").is_none());
}

#[test]
fn messages_grow_to_their_text_and_cover_no_panel() {
    let mut harness = desk();
    let long = format!("Cannot open 'a.onnx': {}. Use `spikescope check`.", ["a reason of many words"; 9].join("; "));
    for text in ["The first message.", long.as_str()] {
        let text = text.to_owned();
        harness.state_mut().lab.update([Message::Notify(Notification { level: NotificationLevel::Error, text })]);
    }
    harness.run_ok();
    let inspector = rect(&harness, "Inspector");
    let shown: Vec<egui::Rect> =
        harness.get_all_by_label_contains("a reason of many words").map(|node| node.rect()).collect();
    assert_eq!(shown.len(), 9);
    let last = rect(&harness, "Use `spikescope check`.");
    let first = rect(&harness, "The first message.");
    for text in shown.iter().chain([&last, &first]) {
        assert!(text.right() < inspector.left() && text.bottom() < 760.0 && text.top() > 60.0, "{text}");
    }
    assert!(shown.windows(2).all(|pair| pair[0].bottom() <= pair[1].top()), "one below the other");
    assert!(first.top() > last.bottom(), "the newest stands at the top");
    click(&mut harness, "Dismiss all");
    assert!(harness.state().lab.notifications.is_empty());
}

#[test]
fn errors_that_are_mended_go_away() {
    let mut harness = desk();
    let change = |harness: &mut Harness<'static, Desk>, message: Message| {
        harness.state_mut().lab.update([message, Message::EndGesture]);
        harness.run_ok();
        let errors = harness.state().lab.notifications.iter().filter(|n| n.level == NotificationLevel::Error);
        errors.map(|notice| notice.text.clone()).collect::<Vec<_>>()
    };
    let missing = change(&mut harness, Message::OpenPath("/nowhere/absent.onnx".into()));
    assert_eq!(missing.len(), 1, "{missing:?}");
    assert_eq!(change(&mut harness, Message::SetSteps(6)), missing, "another T opens no file");
    assert!(change(&mut harness, Message::OpenModel("builtin:digits-cnn".into())).is_empty());
}

#[test]
fn findings_are_counted_in_the_header_and_open_one_by_one() {
    let mut harness = desk();
    let badge = |harness: &Harness<'static, Desk>| {
        let node = harness.get_by_label_contains("Findings:");
        node.accesskit_node().label().unwrap_or_default()
    };
    assert_eq!(badge(&harness), "Findings: 1 note");
    harness
        .state_mut()
        .lab
        .update([Message::SetThreshold(spikescope::convert::ThresholdRule::Max), Message::EndGesture]);
    harness.run_ok();
    assert!(harness.query_by_label("Use thresholds: learned").is_none(), "the list is closed");
    harness.get_by_label_contains("Findings:").click();
    harness.run_ok();
    click(&mut harness, "Use thresholds: learned");
    harness.run_ok();
    assert!(harness.query_by_label("Use thresholds: learned").is_none(), "it is mended");
    assert_eq!(harness.state().lab.undo_sentence().unwrap(), "threshold max to learned");
}

#[test]
fn target_of_the_t_curve_gives_the_t_that_reaches_it() {
    let mut harness = desk();
    let curve = |harness: &Harness<'static, Desk>| harness.state().lab.run.as_ref().unwrap().report.clone();
    harness.state_mut().lab.update([Message::SetSteps(32), Message::EndGesture]);
    harness.run_ok();
    let report = curve(&harness);
    let goal = report.ann_accuracy.unwrap() - 0.01 - 1e-9;
    let last_below = report.curve.iter().rposition(|point| point.accuracy.unwrap() < goal).map_or(0, |last| last + 1);
    let wanted = report.curve[last_below].t;
    assert!(wanted > 1 && wanted < 32, "{wanted}");
    harness.get_by_label_contains(&format!("from t = {wanted} on"));
    click(&mut harness, "Use this T");
    assert_eq!(harness.state().lab.run.as_ref().unwrap().settings.recipe.steps, wanted);
    assert!(harness.state().lab.undo_sentence().unwrap().contains("T 32"));
}

#[test]
fn t_curve_zooms_by_scrolling_and_fits_again() {
    let mut harness = desk();
    harness.state_mut().lab.update([Message::SetSteps(64), Message::EndGesture]);
    harness.run_ok();
    let plot = harness.get_all_by_label("Accuracy over time-steps").map(|node| node.rect());
    let at = plot.max_by(|a, b| a.area().total_cmp(&b.area())).unwrap().center();
    // A click at the same place gives the step there, which zooming changes.
    let step_at = |harness: &mut Harness<'static, Desk>, at: egui::Pos2| {
        for pressed in [true, false] {
            let modifiers = egui::Modifiers::NONE;
            harness.event(egui::Event::PointerMoved(at));
            harness.event(egui::Event::PointerButton {
                pos: at,
                button: egui::PointerButton::Primary,
                pressed,
                modifiers,
            });
        }
        harness.run_ok();
        harness.state().lab.cursor()
    };
    let right = at + egui::vec2(120.0, 0.0);
    let before = step_at(&mut harness, right);
    harness.event(egui::Event::PointerMoved(at));
    let delta = egui::vec2(0.0, 200.0);
    harness.event(egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta,
        modifiers: egui::Modifiers::NONE,
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Unknown,
    });
    harness.run_ok();
    let zoomed = step_at(&mut harness, right);
    assert!(zoomed < before, "{zoomed} {before}");
    click(&mut harness, "Fit");
    assert_eq!(step_at(&mut harness, right), before);
    click(&mut harness, "Log t");
    assert!(step_at(&mut harness, right) < before, "powers of two have equal room");
}

#[test]
fn double_click_on_a_plot_leaves_the_time_cursor() {
    let mut harness = desk();
    harness.ctx.options_mut(|options| options.input_options.max_double_click_delay = 20.0);
    let plot = harness.get_all_by_label("Accuracy over time-steps").map(|node| node.rect());
    let at = plot.max_by(|a, b| a.area().total_cmp(&b.area())).unwrap().center();
    let end = harness.state().lab.cursor();
    let mut cursors = Vec::new();
    for _ in 0..2 {
        for pressed in [true, false] {
            let modifiers = egui::Modifiers::NONE;
            harness.event(egui::Event::PointerMoved(at));
            harness.event(egui::Event::PointerButton {
                pos: at,
                button: egui::PointerButton::Primary,
                pressed,
                modifiers,
            });
        }
        harness.step();
        harness.step();
        cursors.push(harness.state().lab.cursor());
    }
    assert!(cursors[0] < end && cursors[1] == end, "{cursors:?} of {end}");
}

#[test]
fn exported_t_curve_has_the_run_that_is_compared() {
    let mut harness = desk();
    harness.state_mut().lab.update([Message::SetSteps(9), Message::EndGesture]);
    harness.run_ok();
    let other = harness.state().lab.history.past().first().unwrap().number;
    harness.state_mut().lab.update([Message::CompareWith(Some(other))]);
    harness.run_ok();
    let mut pane = spikescope::ui::export::OffscreenPane::new(Some(Pane::TCurve), egui::vec2(600.0, 400.0), 1.0);
    let table = pane.csv(&harness.state().lab).unwrap();
    let head = table.lines().next().unwrap();
    assert_eq!(head, format!("t,accuracy,agreement,ann_accuracy,run_{other}_accuracy,run_{other}_agreement"));
    let (past, own) = (harness.state().lab.history.get(other).unwrap(), harness.state().lab.run.clone().unwrap());
    assert_eq!(table.lines().count() - 1, past.curve.len().max(own.steps()));
    assert!(table.lines().all(|line| line.split(',').count() == 6));
}

#[test]
fn one_time_step_is_visible() {
    let settings = spikescope::experiment::Settings { samples: 0..12, calibrate: 0..64, ..Default::default() };
    let mut settings = spikescope::experiment::Settings { model: "builtin:digits-mlp".into(), ..settings };
    settings.recipe.steps = 1;
    let mut lab = spikescope::lab::Lab::open(settings).unwrap();
    let methods = spikescope::convert::Recipe::published_methods(&lab.settings.recipe, 4);
    lab.update([Message::SetLanes(methods.into_iter().take(2).collect())]);
    lab.wait_until_idle();
    let picture = |lab: &spikescope::lab::Lab, pane| {
        spikescope::ui::export::OffscreenPane::new(Some(pane), egui::vec2(600.0, 400.0), 1.0).image(lab)
    };
    for pane in [Pane::TCurve, Pane::Energy, Pane::Race] {
        let image = picture(&lab, pane);
        // The SNN's orange, or the white of the current recipe in the race.
        let wanted: [[u8; 3]; 2] = [[245, 150, 62], [255, 255, 255]];
        // A dot is wider than the lines of legends and the stems of letters.
        let block = |x: usize, y: usize, c: &[u8; 3]| {
            (0..16).all(|k| image.pixels[(y + k / 4) * image.size[0] + x + k % 4].to_array()[..3] == *c)
        };
        let dot = |x: usize, y: usize| wanted.iter().any(|c| block(x, y, c));
        let (width, height) = (image.width(), image.height());
        assert!((60..width - 60).any(|x| (100..height - 50).any(|y| dot(x, y))), "{}", pane.name());
    }
}

#[test]
fn ledger_names_the_worst_layer_sorts_and_shares_its_unit_with_the_strip() {
    let mut harness = desk();
    let order = |harness: &Harness<'static, Desk>| {
        let mut rows: Vec<(f32, String)> = harness
            .get_all_by_label_contains(": total error")
            .map(|node| (node.rect().top(), node.accesskit_node().label().unwrap_or_default()))
            .collect();
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        rows.into_iter().map(|(_, name)| name).collect::<Vec<_>>()
    };
    let network = order(&harness);
    harness.get_by_label("Worst: ");
    click(&mut harness, "sort by error");
    let sorted = order(&harness);
    assert_ne!(network, sorted);
    let report = harness.state().lab.snapshot.as_ref().unwrap().report.clone();
    let reference = harness.state().lab.view.reference;
    let size = |layer: &spikescope::measure::LayerReport| {
        layer.ledger_against(reference).total.abs() / layer.mean_activation.max(1e-12)
    };
    let worst = report.layers.iter().max_by(|a, b| size(a).total_cmp(&size(b))).unwrap();
    assert!(sorted[0].starts_with(&format!("{}: ", worst.name)), "{sorted:?}");
    let name = format!("Layer {}", report.layers[1].name);
    harness.ctx.all_styles_mut(|style| {
        style.interaction.tooltip_delay = 0.0;
        style.interaction.show_tooltips_only_when_still = false;
    });
    let unit = |harness: &mut Harness<'static, Desk>| {
        harness.get_by_label(&name).hover();
        (0..4).for_each(|_| harness.step());
        harness.query_all_by_label_contains("Means over neurons").next().unwrap().accesskit_node().value().unwrap()
    };
    assert!(unit(&mut harness).contains("mean activation"));
    click(&mut harness, "relative");
    assert!(unit(&mut harness).contains("activation units"));
}

#[test]
fn race_sorts_hides_lanes_and_shows_the_difference_to_the_current_recipe() {
    let mut harness = desk_of(egui::vec2(1800.0, 1100.0));
    click(&mut harness, "Race");
    click(&mut harness, "Add corrections");
    let names = |harness: &Harness<'static, Desk>| {
        let mut rows: Vec<(f32, String)> = harness
            .get_all_by_label_contains("Use recipe ")
            .map(|node| (node.rect().top(), node.accesskit_node().label().unwrap_or_default()))
            .collect();
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        rows.into_iter().map(|(_, name)| name).collect::<Vec<_>>()
    };
    let first = names(&harness);
    click(&mut harness, "Sort by mismatch");
    let falling = names(&harness);
    click(&mut harness, "Sort by mismatch");
    let rising = names(&harness);
    assert_ne!(falling, rising);
    assert_eq!(rising.iter().rev().collect::<Vec<_>>(), falling.iter().collect::<Vec<_>>());
    click(&mut harness, "Sort by mismatch");
    assert_eq!(names(&harness), first, "the order of the race again");
    assert!(harness.query_all_by_label_contains("+").next().is_some(), "differences");
    let histogram = "Offset spikes of COS";
    assert!(harness.query_by_label(histogram).is_some());
    click(&mut harness, "Draw recipe COS");
    assert!(harness.query_by_label(histogram).is_none(), "it is left out");
}

#[test]
fn f6_visits_the_regions_and_every_shortcut_stands_in_a_menu() {
    let mut harness = desk();
    let mut seen = Vec::new();
    for _ in 0..6 {
        harness.key_press(egui::Key::F6);
        harness.run_ok();
        let focused = harness.ctx.memory(|memory| memory.focused()).expect("a region has the focus");
        seen.push(focused);
    }
    let mut different = seen.clone();
    different.sort_unstable_by_key(|id| id.value());
    different.dedup();
    assert_eq!(different.len(), 6, "top, samples, layers, panes, inspector, time");
    harness.key_press(egui::Key::F6);
    harness.run_ok();
    assert_eq!(harness.ctx.memory(|memory| memory.focused()), Some(seen[0]), "and again from the top");
    harness.key_press(egui::Key::Tab);
    harness.run_ok();
    let file = harness.get_by_label("File").rect();
    let focused = harness.ctx.memory(|memory| memory.focused()).and_then(|id| harness.ctx.read_response(id)).unwrap();
    assert_eq!(focused.rect.center(), file.center(), "Tab goes to its first control");
    // Every shortcut is shown by an item of a menu.
    let mut found = std::collections::HashSet::new();
    for menu in ["File", "Edit", "View", "Go", "Help"] {
        click(&mut harness, menu);
        for (command, _) in spikescope::ui::commands::keys::shortcuts() {
            let label = command.label(&harness.state().lab);
            if harness.query_all_by_label_contains(&label).next().is_some() {
                found.insert(command);
            }
        }
        harness.key_press(egui::Key::Escape);
        harness.run_ok();
    }
    for (command, _) in spikescope::ui::commands::keys::shortcuts() {
        assert!(found.contains(&command), "{command:?}");
    }
}

#[test]
fn windows_over_the_panes_close_by_escape_and_text_grows() {
    let mut harness = desk();
    let shown = |harness: &Harness<'static, Desk>| {
        harness.query_all_by_label("Close what is on top, or restore a maximized pane").next().is_some()
    };
    harness.key_press_modifiers(egui::Modifiers::SHIFT, egui::Key::F1);
    harness.run_ok();
    assert!(shown(&harness) && !harness.state().window.glossary_open);
    harness.key_press(egui::Key::Escape);
    harness.run_ok();
    assert!(!shown(&harness));
    click(&mut harness, "Help");
    click(&mut harness, "About Spikescope");
    harness.get_by_label_contains("License: ");
    harness.key_press(egui::Key::Escape);
    harness.run_ok();
    assert!(!harness.state().window.about_open);
    let before = harness.ctx.zoom_factor();
    harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Plus);
    harness.run_ok();
    assert!(harness.ctx.zoom_factor() > before);
    harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Num0);
    harness.run_ok();
    assert_eq!(harness.ctx.zoom_factor(), 1.0);
}

#[test]
fn runs_are_named_starred_filtered_and_removed() {
    let mut harness = desk_of(egui::vec2(1800.0, 1100.0));
    harness.state_mut().lab.update([Message::SetSteps(8), Message::EndGesture]);
    harness.run_ok();
    click(&mut harness, "Runs");
    let first = harness.state().lab.history.past()[0].number;
    click(&mut harness, &format!("Name, star or remove run {first}"));
    harness.get_by_label(&format!("Name of run {first}")).focus();
    harness.run_ok();
    harness.get_by_label(&format!("Name of run {first}")).type_text("base");
    harness.run_ok();
    click(&mut harness, "Star");
    let past = harness.state().lab.history.get(first).unwrap();
    assert_eq!((past.name.as_str(), past.starred), ("base", true));
    harness.key_press(egui::Key::Escape);
    harness.run_ok();
    let rows = |harness: &Harness<'static, Desk>| harness.query_all_by_label_contains("Restore run ").count();
    let all = rows(&harness);
    click(&mut harness, "starred");
    assert!(rows(&harness) == 1 && all > 1, "{all}");
    click(&mut harness, "starred");
    click(&mut harness, &format!("Name, star or remove run {first}"));
    click(&mut harness, "Remove from the list");
    harness.run_ok();
    assert_eq!(rows(&harness), all - 1);
    assert!(harness.state().lab.history.get(first).is_none());
}

#[test]
fn a_plot_too_low_for_the_name_of_its_axis_has_none() {
    let lab = desk().into_state().lab;
    for height in [215.0, 260.0, 420.0] {
        let draw = |ui: &mut egui::Ui| Pane::Membrane.show(ui, &lab, &mut Vec::new());
        let mut harness = Harness::builder().with_size(egui::vec2(460.0, height)).build_ui(draw);
        harness.run_ok();
        let names = harness.output().shapes.iter().filter_map(|shape| match &shape.shape {
            egui::Shape::Text(text) if text.angle != 0.0 && text.galley.text() == "potential" => {
                Some(text.visual_bounding_rect())
            }
            _ => None,
        });
        let names: Vec<egui::Rect> = names.collect();
        let plot = harness.get_by_label_contains("Potential of").rect();
        assert!(names.iter().all(|name| name.height() <= plot.height()), "{height}: {names:?} beside {plot}");
        assert!(plot.bottom() <= height, "{height}: the plot is seen whole, {plot}");
        assert!(height < 400.0 || names.len() == 1, "{names:?}");
    }
}

#[test]
fn maps_are_graded_in_the_sample_strip_and_the_worst_come_first() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("segmenter.safetensors");
    let network = scene_network::network(96, 4, &[("y", 6)]);
    spikescope::network::safetensors::save(&network, &model).unwrap();
    let settings = Settings {
        model: model.display().to_string(),
        data: "builtin:scenes".into(),
        samples: 0..4,
        calibrate: 4..6,
        recipe: Recipe { steps: 4, threshold: ThresholdRule::Max, ..Recipe::default() },
        ..Settings::default()
    };
    let lab = Lab::open(settings).unwrap();
    let mut harness = desk_on(Desk { lab, window: Default::default() }, egui::vec2(1280.0, 800.0));
    assert!(harness.query_by_label_contains("disagree at").is_none(), "maps are more or less alike");
    // The strip and the headline use the same words for the same figure.
    assert!(harness.query_all_by_label_contains("output similarity").count() >= 2);
    assert!(harness.query_by_label_contains("alike ").is_none());
    click(&mut harness, "worst first");
    let run = harness.state().lab.run.clone().unwrap();
    let alike = |sample: usize| run.likeness(4, sample).unwrap();
    let left = |sample: usize| harness.get_by_label_contains(&format!("Sample {sample}:")).rect().left();
    for (one, other) in [(0, 1), (1, 2), (2, 3)] {
        assert_eq!(alike(one) < alike(other), left(one) < left(other), "{} {}", alike(one), alike(other));
    }
    // The headline has the score of the maps.
    harness.get_by_label("mIoU");
}
