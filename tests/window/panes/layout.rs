//! Layout of panes: plots that share an axis, maximized panes, panes of little height.

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use spikescope::lab::{Message, Workspace};
use spikescope::measure::NeuronRef;
use spikescope::ui::types::pane::Pane;

use super::{front, press, rect};
use crate::desk::{Desk, click, desk, desk_of};

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
        [true, false].into_iter().for_each(|pressed| press(&mut harness, at, pressed));
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
