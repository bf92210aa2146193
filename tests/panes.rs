//! Pane tests: what is drawn lies where it can be read, and panes fill the window on request.

use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use spikescope::lab::{Message, Notification, NotificationLevel, Workspace};
use spikescope::measure::NeuronRef;
use spikescope::ui::types::pane::Pane;

#[path = "common/window.rs"]
mod common;

use common::{Desk, click, desk, desk_of};

fn front(harness: &mut Harness<'static, Desk>, pane: Pane) {
    let workspace = harness.state().lab.view.workspace;
    harness.state_mut().window.layout.docks.add(workspace, pane);
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
        assert!(plots.len() >= 3, "{plots:?}");
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
    let long =
        format!("Cannot open 'a.onnx': {}. Use `spikescope check`.", vec!["a reason of many words"; 9].join("; "));
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
    let before = badge(&harness);
    harness
        .state_mut()
        .lab
        .update([Message::SetThreshold(spikescope::convert::ThresholdRule::Max), Message::EndGesture]);
    harness.run_ok();
    assert_ne!(badge(&harness), before);
    assert!(harness.query_by_label("Use thresholds: learned").is_none(), "the list is closed");
    harness.get_by_label_contains("Findings:").click();
    harness.run_ok();
    click(&mut harness, "Use thresholds: learned");
    harness.run_ok();
    assert_eq!(harness.state().lab.undo_sentence().unwrap(), "threshold max to learned");
}
