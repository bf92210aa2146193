//! Tests of the Teach workspace: lessons, drawing and neuron bench, driven by accessible names.

use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use spikescope::lab::{Message, Workspace};
use spikescope::ui::types::pane::Pane;

use crate::desk::{Desk, click, desk};

/// Types an answer and checks it.
fn answer(harness: &mut Harness<'static, Desk>, text: &str) {
    let field = harness.get_all_by_label("Your answer").find(|node| node.accesskit_node().is_text_input());
    let field = field.expect("a field for the answer");
    field.focus();
    field.type_text(text);
    harness.run_ok();
    click(harness, "Check");
}

#[test]
fn lesson_is_completed_by_label_and_restores_the_lab() {
    let mut harness = desk();
    let before = harness.state().lab.settings.clone();
    click(&mut harness, "Teach");
    click(&mut harness, "1. What a spike is");
    assert_eq!(harness.state().lab.settings.model, "builtin:digits-mlp");
    harness.get_by_label("Step 1 of 7");
    click(&mut harness, "Next");
    assert!(harness.get_by_label("Next").accesskit_node().is_disabled(), "the question comes first");
    answer(&mut harness, "5");
    harness.get_by_label_contains("Not yet.");
    click(&mut harness, "Hint");
    harness.get_by_label_contains("Hint 1:");
    let field = harness.get_all_by_label("Your answer").find(|node| node.accesskit_node().is_text_input()).unwrap();
    field.focus();
    harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::A);
    harness.run_ok();
    answer(&mut harness, "3");
    harness.get_by_label_contains("Right.");
    click(&mut harness, "Next");
    answer(&mut harness, "3");
    click(&mut harness, "Next");
    answer(&mut harness, "0,6");
    click(&mut harness, "Next");
    click(&mut harness, "How much potential is left");
    harness.get_by_label_contains("Not yet.");
    click(&mut harness, "Only that the threshold was reached: every spike is worth the same, θ");
    click(&mut harness, "Next");
    assert!(harness.get_by_label("Next").accesskit_node().is_disabled());
    let slider =
        harness.get_all_by_label("weight").find(|node| node.accesskit_node().numeric_value().is_some()).unwrap();
    let rect = slider.rect();
    // The slider goes from −3 to 3.
    let at = egui::pos2(rect.left() + 8.0 + (80.0 - 16.0) * (1.5 + 3.0) / 6.0, rect.center().y);
    harness.drag_at(at);
    harness.run_ok();
    harness.drop_at(at);
    harness.run_ok();
    assert_eq!(harness.state().lab.view.bench.run().count(), 5, "weight {}", harness.state().lab.view.bench.weight);
    click(&mut harness, "Next");
    click(&mut harness, "Finish");
    assert_eq!(harness.state().lab.settings, before);
    assert!(harness.state().lab.view.locked.is_empty() && harness.state().window.lesson.player.is_none());
    assert_eq!(harness.state().lab.view.workspace, Workspace::Teach, "as it was when the lesson began");
}

#[test]
fn locked_controls_are_disabled_and_hints_lead_to_the_answer() {
    let mut harness = desk();
    harness.state_mut().lab.update([Message::OpenLesson("builtin:spike".into())]);
    harness.run_ok();
    let bench = harness.state().lab.view.bench.clone();
    assert!(harness.get_by_label("Spread evenly").accesskit_node().is_disabled());
    harness.get_by_label("Locked in this step: bench");
    click(&mut harness, "Next");
    for _ in 0..2 {
        click(&mut harness, "Hint");
    }
    click(&mut harness, "Show the answer");
    harness.get_by_label_contains("The answer: 3 (step)");
    click(&mut harness, "Next");
    click(&mut harness, "Back");
    harness.get_by_label("Step 2 of 7");
    assert_eq!(harness.state().lab.view.bench, bench);
    click(&mut harness, "Leave lesson");
    assert!(harness.state().lab.view.locked.is_empty());
}

#[test]
fn session_resumes_its_lesson_step() {
    let mut harness = desk();
    harness.state_mut().lab.update([Message::OpenLesson("builtin:order".into())]);
    harness.run_ok();
    answer(&mut harness, "2");
    click(&mut harness, "Next");
    let Desk { lab, window } = harness.state();
    let session = spikescope::lab::Session { layout: window.saved_layout(), ..lab.session() };
    let mut other = desk();
    other.state_mut().lab.update([Message::Restore(Box::new(session))]);
    other.state_mut().lab.wait_until_idle();
    other.run_ok();
    other.get_by_label("Step 2 of 8");
    click(&mut other, "Back");
    other.get_by_label_contains("Answered.");
    click(&mut other, "Leave lesson");
    assert_eq!(other.state().lab.settings.model, "builtin:digits-resnet");
    assert_eq!(other.state().lab.view.workspace, Workspace::Explore, "as it was before the lesson");
}

#[test]
fn lesson_file_error_names_its_line_and_a_valid_file_opens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.md");
    let mut harness = desk();
    for (text, label) in [
        ("+++\ntitle = \"Own\"\n+++\n## One\n{nothing}\n", "own.md: line 5"),
        ("+++\ntitle = \"Own\"\n+++\n## One\nT is {T}.\n", "T is 16."),
    ] {
        std::fs::write(&path, text).unwrap();
        harness.state_mut().lab.update([Message::OpenPath(path.clone())]);
        // The window opens it in the next frame, and reports an error in the frame after.
        (0..3).for_each(|_| _ = harness.run_ok());
        assert!(harness.query_all_by_label_contains(label).next().is_some(), "{label}");
    }
}

/// Draws a stroke through points of the canvas, in fractions of its sides.
fn stroke(harness: &mut Harness<'static, Desk>, points: &[[f32; 2]]) {
    let rect = harness.get_by_label("Canvas to draw a digit on").rect();
    let place = |p: &[f32; 2]| egui::pos2(rect.left() + p[0] * rect.width(), rect.top() + p[1] * rect.height());
    harness.drag_at(place(&points[0]));
    harness.run_ok();
    for point in &points[1..] {
        harness.hover_at(place(point));
        harness.run_ok();
    }
    harness.drop_at(place(points.last().unwrap()));
    harness.run_ok();
}

#[test]
fn digit_is_drawn_undone_and_left() {
    let mut harness = desk();
    let before = harness.state().lab.settings.clone();
    click(&mut harness, "Teach");
    stroke(&mut harness, &[[0.5, 0.2], [0.5, 0.4], [0.5, 0.6], [0.5, 0.8]]);
    let lab = &harness.state().lab;
    assert_eq!(lab.drawing().unwrap().strokes.len(), 1);
    assert_eq!(lab.run.as_ref().unwrap().settings, lab.settings, "what is drawn has run");
    let answer = spikescope::network::argmax(&lab.run.as_ref().unwrap().ann.logits);
    assert_eq!(answer, 1, "a straight line is a one");
    assert!(harness.query_all_by_label_contains("ANN: 1 (").next().is_some(), "said in words");
    harness.get_by_label_contains("Class 7: ANN");
    assert!(harness.state().lab.undo_sentence().unwrap().contains("a drawing of 1 stroke"));
    stroke(&mut harness, &[[0.3, 0.5], [0.7, 0.5]]);
    assert_eq!(harness.state().lab.drawing().unwrap().strokes.len(), 2);
    click(&mut harness, "Undo stroke");
    assert_eq!(harness.state().lab.drawing().unwrap().strokes.len(), 1);
    click(&mut harness, "Clear");
    assert!(harness.state().lab.drawing().unwrap().is_empty());
    click(&mut harness, "Explore");
    (0..3).for_each(|_| _ = harness.run_ok());
    assert_eq!(harness.state().lab.settings, before, "the data are back");
}

#[test]
fn drawing_by_keys_works_and_can_be_kept() {
    let mut harness = desk();
    click(&mut harness, "Teach");
    harness.get_by_label("Canvas to draw a digit on").focus();
    harness.run_ok();
    for key in [egui::Key::Space, egui::Key::ArrowDown, egui::Key::ArrowDown, egui::Key::ArrowDown, egui::Key::Space] {
        harness.key_press(key);
        harness.run_ok();
    }
    let points = harness.state().lab.drawing().unwrap().strokes[0].clone();
    assert_eq!((points.first(), points.last()), (Some(&[14.0, 14.0]), Some(&[14.0, 17.0])));
    click(&mut harness, "Keep drawing");
    click(&mut harness, "Explore");
    (0..3).for_each(|_| _ = harness.run_ok());
    assert!(harness.state().lab.drawing().is_some());
    let Desk { lab, window } = harness.state();
    let session = spikescope::lab::Session { layout: window.saved_layout(), ..lab.session() };
    let text = serde_json::to_string(&session).unwrap();
    let back: spikescope::lab::Session = serde_json::from_str(&text).unwrap();
    assert_eq!((back.settings, back.view), (session.settings, session.view), "a session keeps it");
}

#[test]
fn bench_arrow_moves_without_a_pointer() {
    let mut harness = desk();
    click(&mut harness, "Teach");
    let before = harness.state().lab.view.bench.clone();
    click(&mut harness, "Later");
    click(&mut harness, "Later");
    click(&mut harness, "Later");
    let after = &harness.state().lab.view.bench;
    assert_eq!(after.input, [2.0, 2.0, -2.0, 2.0, -2.0]);
    assert_ne!(after.run().count(), before.run().count(), "the same sum, another count");
    click(&mut harness, "Earlier");
    assert_eq!(harness.state().lab.view.bench.input, [2.0, 2.0, 2.0, -2.0, -2.0]);
}

#[test]
fn each_workspace_keeps_its_layout_and_projector_mode_enlarges_all() {
    let mut harness = desk();
    harness.state_mut().window.layout.docks.remove(Workspace::Teach, Pane::Raster);
    for name in ["Teach", "Tune", "Explore", "Teach"] {
        click(&mut harness, name);
    }
    let docks = &harness.state().window.layout.docks;
    assert!(!docks.contains(Workspace::Teach, Pane::Raster) && docks.contains(Workspace::Explore, Pane::Raster));
    for (pane, workspace) in [(Pane::Draw, Workspace::Teach), (Pane::Bench, Workspace::Teach)] {
        assert!(docks.is_visible(workspace, pane), "{}", pane.title());
    }
    harness.state_mut().lab.update([Message::SetProjector(true)]);
    (0..2).for_each(|_| _ = harness.run_ok());
    assert!(harness.ctx.zoom_factor() > 1.3);
    harness.state_mut().lab.update([Message::SetProjector(false)]);
    (0..2).for_each(|_| _ = harness.run_ok());
    assert_eq!(harness.ctx.zoom_factor(), 1.0);
}

#[test]
fn bench_changes_are_undone_step_by_step() {
    let mut harness = desk();
    click(&mut harness, "Teach");
    click(&mut harness, "Largest last");
    assert_eq!(harness.state().lab.view.bench.input, [-2.0, -2.0, 2.0, 2.0, 2.0]);
    assert_eq!(harness.state().lab.undo_sentence().unwrap(), "order of the bench input");
    // A drag through three steps is one step of undo.
    let rect = harness.get_by_label("Input of the neuron on the bench").rect();
    let at = |share: f32| egui::pos2(rect.left() + rect.width() * share, rect.center().y);
    harness.drag_at(at(0.3));
    harness.run_ok();
    for share in [0.5, 0.7, 0.9] {
        harness.hover_at(at(share));
        harness.run_ok();
    }
    harness.drop_at(at(0.9));
    harness.run_ok();
    let dragged = harness.state().lab.view.bench.input.clone();
    assert_ne!(dragged, [-2.0, -2.0, 2.0, 2.0, 2.0]);
    let undo = |harness: &mut Harness<'static, Desk>| {
        harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Z);
        harness.run_ok();
    };
    undo(&mut harness);
    assert_eq!(harness.state().lab.view.bench.input, [-2.0, -2.0, 2.0, 2.0, 2.0]);
    undo(&mut harness);
    assert_eq!(harness.state().lab.view.bench.input, [2.0, 2.0, 2.0, -2.0, -2.0]);
    harness.state_mut().lab.update([Message::Redo, Message::Redo]);
    assert_eq!(harness.state().lab.view.bench.input, dragged);
}

/// Goes to the step of the first lesson that asks for five spikes.
fn to_five_spikes(harness: &mut Harness<'static, Desk>) {
    click(harness, "Teach");
    click(harness, "1. What a spike is");
    click(harness, "Next");
    for right in ["3", "3", "0.6"] {
        answer(harness, right);
        click(harness, "Next");
    }
    click(harness, "Only that the threshold was reached: every spike is worth the same, θ");
    click(harness, "Next");
}

#[test]
fn goal_counts_at_the_release_of_a_drag_and_a_lesson_leaves_no_undo_step() {
    let mut harness = desk();
    harness.state_mut().lab.update([Message::SetSteps(12), Message::EndGesture]);
    harness.run_ok();
    assert_eq!(harness.state().lab.undo_sentence().unwrap(), "T 16 to 12");
    to_five_spikes(&mut harness);
    let solved = |harness: &Harness<'static, Desk>| harness.state().window.lesson.player.as_ref().unwrap().done();
    let spikes = |harness: &Harness<'static, Desk>| harness.state().lab.view.bench.run().count();
    assert!(!solved(&harness) && harness.state().lab.undo_sentence().is_none(), "undo begins with the step");
    let sliders = harness.get_all_by_label("weight");
    let rect = sliders.map(|node| node.rect()).find(|rect| rect.width() > 60.0).expect("the slider of the weight");
    // Left of the handle: the drag passes every weight from there on.
    let mut x = rect.left() + 40.0;
    harness.drag_at(egui::pos2(x, rect.center().y));
    let mut seen_five = false;
    while spikes(&harness) < 6 {
        x += 1.0;
        assert!(x < rect.left() + 90.0, "the slider moves the weight");
        harness.hover_at(egui::pos2(x, rect.center().y));
        harness.run_ok();
        seen_five |= spikes(&harness) == 5;
        assert!(!solved(&harness), "a drag that passes the goal does not reach it");
    }
    assert!(seen_five);
    harness.drop_at(egui::pos2(x, rect.center().y));
    harness.run_ok();
    assert!(!solved(&harness), "it ended beyond the goal");
    harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Z);
    harness.run_ok();
    assert_eq!((spikes(&harness), harness.state().lab.undo_sentence()), (3, None), "only the drag is undone");
    click(&mut harness, "Leave lesson");
    harness.run_ok();
    assert_eq!(harness.state().lab.undo_sentence().unwrap(), "T 16 to 12", "as before the lesson");
    harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Z);
    harness.run_ok();
    assert_eq!(harness.state().lab.settings.recipe.steps, 16);
}

#[test]
fn text_in_place_of_a_number_is_told() {
    let mut harness = desk();
    click(&mut harness, "Teach");
    click(&mut harness, "1. What a spike is");
    click(&mut harness, "Next");
    let field = harness.get_all_by_label("Your answer").find(|node| node.accesskit_node().is_text_input()).unwrap();
    field.focus();
    field.type_text("drei");
    harness.run_ok();
    harness.get_by_label("Type a number");
}
