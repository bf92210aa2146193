//! Window tests: drive the whole window by accessible names.

use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use spikescope::convert::ThresholdRule;
use spikescope::experiment::Settings;
use spikescope::lab::{Lab, Message, Workspace};
use spikescope::measure::LedgerReference;
use spikescope::ui::types::pane::Pane;

use crate::desk::{Desk, click, desk};

#[test]
fn layer_gets_focus_by_click_and_by_key() {
    let mut harness = desk();
    let name = harness.state().lab.run.as_ref().unwrap().spiking.layers[1].name.clone();
    click(&mut harness, &format!("Layer {name}"));
    assert_eq!(harness.state().lab.view.layer, 1);
    harness.key_press(egui::Key::ArrowUp);
    harness.run_ok();
    assert_eq!(harness.state().lab.snapshot.as_ref().unwrap().focus.layer, harness.state().lab.view.layer);
}

#[test]
fn advanced_recipe_setting_is_changed_and_undone() {
    let mut harness = desk();
    let before = harness.state().lab.settings.clone();
    click(&mut harness, "Recipe");
    click(&mut harness, "to zero");
    assert_ne!(harness.state().lab.settings, before);
    assert_eq!(harness.state().lab.run.as_ref().unwrap().settings, harness.state().lab.settings);
    harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Z);
    harness.run_ok();
    assert_eq!(harness.state().lab.settings, before);
    assert!(harness.state().lab.redo_sentence().unwrap().contains("reset"));
}

#[test]
fn dragging_t_is_one_step_of_undo() {
    let mut harness = desk();
    let before = harness.state().lab.settings.recipe.steps;
    let slider = harness.get_all_by_label("T").find(|node| node.accesskit_node().numeric_value().is_some());
    let rect = slider.expect("a slider named T").rect();
    let at = |share: f32| egui::pos2(rect.left() + rect.width() * share, rect.center().y);
    harness.drag_at(at(0.4));
    harness.run_ok();
    for share in [0.35, 0.3, 0.25] {
        harness.hover_at(at(share));
        harness.run_ok();
    }
    harness.drop_at(at(0.25));
    harness.run_ok();
    let after = harness.state().lab.settings.recipe.steps;
    assert!(after < before, "{after} is not below {before}");
    assert_eq!(harness.state().lab.undo_sentence().unwrap(), format!("T {before} to {after}"));
    assert_eq!(harness.state().lab.run.as_ref().unwrap().steps(), after);
}

#[test]
fn typed_nonsense_leaves_a_number_alone() {
    let mut harness = desk();
    let before = harness.state().lab.settings.clone();
    for name in ["T", "v(0)"] {
        let slider = harness.get_all_by_label(name).find(|node| node.accesskit_node().numeric_value().is_some());
        let rect = slider.expect("a slider").rect();
        for (typed, changes) in [("nan", false), ("inf", false), ("abc", false), ("0.75", true)] {
            if name == "T" && changes {
                continue;
            }
            let number = egui::pos2(rect.right() + 30.0, rect.center().y);
            harness.drag_at(number);
            harness.drop_at(number);
            harness.run_ok();
            harness.event(egui::Event::Text(typed.into()));
            harness.run_ok();
            harness.key_press(egui::Key::Enter);
            harness.run_ok();
            let lab = &harness.state().lab;
            assert!(lab.notifications.is_empty(), "{name} {typed}: {:?}", lab.notifications);
            if changes {
                assert_eq!(lab.settings.recipe.v_init, 0.75, "a number is taken");
            } else {
                assert_eq!(lab.settings, before, "{name} {typed}");
            }
        }
        harness.state_mut().lab.update([Message::SetSettings(Box::new(before.clone()))]);
        harness.run_ok();
    }
}

#[test]
fn theme_and_workspace_can_be_switched() {
    let mut harness = desk();
    let dark = harness.state().lab.view.dark;
    click(&mut harness, if dark { "Switch to light theme" } else { "Switch to dark theme" });
    assert_eq!(harness.state().lab.view.dark, !dark);
    for (name, workspace) in [("Teach", Workspace::Teach), ("Tune", Workspace::Tune), ("Explore", Workspace::Explore)] {
        click(&mut harness, name);
        assert_eq!(harness.state().lab.view.workspace, workspace);
    }
}

#[test]
fn time_cursor_steps_and_follows_the_last_step() {
    let mut harness = desk();
    let end = harness.state().lab.steps();
    assert_eq!(harness.state().lab.cursor(), end);
    click(&mut harness, "Step back");
    assert_eq!(harness.state().lab.cursor(), end - 1);
    assert_eq!(harness.state().lab.snapshot.as_ref().unwrap().report.steps, end - 1);
    harness.get_by_label(&format!("t = {} / {end}", end - 1));
    click(&mut harness, "Follow end");
    assert_eq!(harness.state().lab.view.cursor, None);
}

#[test]
fn energy_constants_and_early_exit_are_set_in_their_panes() {
    let mut harness = desk();
    click(&mut harness, "Energy");
    click(&mut harness, "Horowitz 45 nm");
    click(&mut harness, "every step");
    let view = &harness.state().lab.view;
    assert_eq!((view.energy.per_mac, view.energy.first_layer_once), (4.6e-12, false));
    let run = harness.state().lab.run.clone();
    click(&mut harness, "Readout");
    let mut labeled = harness.get_all_by_label("Early exit at confidence");
    assert!(labeled.any(|node| node.accesskit_node().numeric_value().is_some()), "the slider has its name");
    drop(labeled);
    harness.state_mut().lab.update([Message::SetExitConfidence(0.5)]);
    harness.run_ok();
    let lab = &harness.state().lab;
    assert_eq!(lab.session().view.exit_confidence, 0.5);
    // Both only read the existing run.
    assert!(std::sync::Arc::ptr_eq(run.as_ref().unwrap(), lab.run.as_ref().unwrap()));
}

#[test]
fn first_divergence_is_one_click_away() {
    let mut harness = desk();
    let divergence = harness.state().lab.snapshot.as_ref().unwrap().divergence.expect("few steps leave the ANN");
    click(&mut harness, "Show first divergence");
    let lab = &harness.state().lab;
    let at = (lab.view.layer, lab.view.sample, lab.view.neuron, lab.cursor());
    let neuron = divergence.neuron;
    assert_eq!(at, (neuron.layer, neuron.sample, neuron.neuron, divergence.step));
    // The focus does not change the divergence: it belongs to the whole run.
    assert_eq!(lab.snapshot.as_ref().unwrap().divergence, Some(divergence));
}

#[test]
fn race_lane_with_correction_becomes_the_recipe() {
    let mut harness = desk();
    click(&mut harness, "Race");
    click(&mut harness, "Add corrections");
    assert!(harness.state().lab.lanes.iter().all(|lane| matches!(lane.result, Some(Ok(_)))));
    click(&mut harness, "Use recipe COS");
    click(&mut harness, "Use recipe SRP");
    let recipe = &harness.state().lab.run.as_ref().unwrap().settings.recipe;
    assert!(matches!(recipe.correction, spikescope::convert::Correction::Srp { .. }));
}

#[test]
fn every_pane_draws_every_recipe() {
    let mut settings = Settings { samples: 0..6, calibrate: 0..32, ..Settings::demo() };
    settings.recipe.steps = 5;
    for method in spikescope::convert::Recipe::published_methods(&settings.recipe, 4) {
        let own = Settings { recipe: spikescope::convert::Recipe { steps: 5, ..method.recipe }, ..settings.clone() };
        let lab = Lab::open(own).unwrap_or_else(|error| panic!("{}: {error}", method.name));
        for pane in Pane::ALL {
            let draw = |ui: &mut egui::Ui| pane.show(ui, &lab, &mut Vec::new());
            Harness::builder().with_size(egui::vec2(500.0, 320.0)).build_ui(draw).run_ok();
        }
    }
}

#[test]
fn neuron_in_focus_loads_into_the_bench_and_its_order_changes() {
    let mut harness = desk();
    click(&mut harness, "Teach");
    click(&mut harness, "Load neuron in focus");
    let real = harness.state().lab.view.bench.clone();
    let snapshot = harness.state().lab.snapshot.clone().unwrap();
    assert_eq!(
        real.run().count(),
        snapshot.trace.fired.iter().sum::<i32>(),
        "it does on the bench what it did in the run"
    );
    click(&mut harness, "Spread evenly");
    let even = harness.state().lab.view.bench.run();
    assert_eq!((even.count(), even.expected), (even.expected as i32, real.run().expected), "evenly it fires as due");
}

#[test]
fn ledger_refers_to_the_own_activation_unless_relu_is_chosen() {
    let mut harness = desk();
    assert_eq!(harness.state().lab.view.reference, LedgerReference::Activation);
    click(&mut harness, "against ReLU(z)");
    assert_eq!(harness.state().lab.view.reference, LedgerReference::Relu);
    assert_eq!(harness.state().lab.session().view.reference, LedgerReference::Relu);
    click(&mut harness, "against a");
    assert_eq!(harness.state().lab.view.reference, LedgerReference::Activation);
}

#[test]
fn thresholds_that_ignore_the_learned_clip_are_fixed_with_one_click() {
    let mut harness = desk();
    assert!(harness.query_by_label("Use thresholds: learned").is_none());
    harness.state_mut().lab.update([Message::SetThreshold(ThresholdRule::Max), Message::EndGesture]);
    harness.state_mut().lab.wait_until_idle();
    harness.run_ok();
    harness.get_by_label_contains("Findings:").click();
    harness.run_ok();
    click(&mut harness, "Use thresholds: learned");
    assert_eq!(harness.state().lab.settings.recipe.threshold, ThresholdRule::Learned);
    assert_eq!(harness.state().lab.undo_sentence().unwrap(), "threshold max to learned");
    assert!(harness.query_by_label("Use thresholds: learned").is_none());
}

#[test]
fn hidden_panes_compute_nothing() {
    let mut harness = desk();
    harness.state_mut().lab.update([Message::SetSteps(7), Message::EndGesture]);
    harness.run_ok();
    let parts = |harness: &Harness<'static, Desk>| {
        let snapshot = harness.state().lab.snapshot.clone().unwrap();
        (
            snapshot.report.steps,
            snapshot.threshold.is_some(),
            snapshot.initial.is_some(),
            snapshot.figures.readout.is_some(),
        )
    };
    assert_eq!(parts(&harness), (7, false, false, false));
    let run = harness.state().lab.run.clone().unwrap();
    let front = |harness: &mut Harness<'static, Desk>, pane| {
        harness.state_mut().window.layout.docks.add(Workspace::Explore, pane);
        harness.run_ok();
    };
    front(&mut harness, Pane::Threshold);
    assert_eq!(parts(&harness), (7, true, false, false));
    // Behind another tab again: existing data stay, and new data are not computed.
    front(&mut harness, Pane::InitialPotential);
    assert_eq!(parts(&harness), (7, true, true, false));
    assert!(std::sync::Arc::ptr_eq(&run, harness.state().lab.run.as_ref().unwrap()), "looking does not run anything");
    harness.state_mut().lab.update([Message::SetSteps(5), Message::EndGesture]);
    harness.run_ok();
    assert_eq!(parts(&harness), (5, false, true, false));
}

#[test]
fn frame_times_are_shown_in_the_corner() {
    let mut harness = desk();
    harness.key_press(egui::Key::F12);
    harness.run_ok();
    harness.get_by_label_contains("layout  mean");
    harness.get_by_label_contains("shapes painted");
}

#[test]
fn a_million_spikes_are_drawn_as_one_texture() {
    let mut settings = Settings { samples: 0..1, calibrate: 0..64, ..Settings::demo() };
    settings.recipe.steps = 1024;
    let mut lab = Lab::open(settings).unwrap();
    let run = lab.run.clone().unwrap();
    let spikes = |layer: usize| run.recording.layers[layer].spikes.total(run.steps());
    let layer = (0..run.spiking.layers.len()).max_by_key(|&layer| spikes(layer)).unwrap();
    assert!(spikes(layer) > 300_000, "{} spikes", spikes(layer));
    lab.update([Message::FocusLayer(layer)]);
    lab.wait_until_idle();
    for pane in Pane::ALL {
        let ctx = egui::Context::default();
        let size = egui::vec2(640.0, 400.0);
        let screen_rect = Some(egui::Rect::from_min_size(egui::Pos2::ZERO, size));
        let mut vertices = 0;
        for _ in 0..3 {
            let input = egui::RawInput { screen_rect, ..egui::RawInput::default() };
            let output = ctx.run_ui(input, |ui| pane.show(ui, &lab, &mut Vec::new()));
            let primitives = ctx.tessellate(output.shapes, output.pixels_per_point);
            let count = |primitive: &egui::ClippedPrimitive| match &primitive.primitive {
                egui::epaint::Primitive::Mesh(mesh) => mesh.vertices.len(),
                egui::epaint::Primitive::Callback(_) => 0,
            };
            vertices = primitives.iter().map(count).sum();
        }
        // As many as a screen can show, not as many as there are spikes or steps.
        assert!(vertices < 40_000, "{}: {vertices} vertices", pane.name());
    }
}
