//! T-curve: target, zoom, time cursor, exported table, a run of one step.

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use spikescope::convert::Recipe;
use spikescope::experiment::Settings;
use spikescope::lab::{Lab, Message};
use spikescope::ui::export::OffscreenPane;
use spikescope::ui::types::pane::Pane;

use super::press;
use crate::desk::{Desk, click, desk};

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
        [true, false].into_iter().for_each(|pressed| press(harness, at, pressed));
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
        [true, false].into_iter().for_each(|pressed| press(&mut harness, at, pressed));
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
    let mut pane = OffscreenPane::new(Some(Pane::TCurve), egui::vec2(600.0, 400.0), 1.0);
    let table = pane.csv(&harness.state().lab).unwrap();
    let head = table.lines().next().unwrap();
    assert_eq!(head, format!("t,accuracy,agreement,ann_accuracy,run_{other}_accuracy,run_{other}_agreement"));
    let (past, own) = (harness.state().lab.history.get(other).unwrap(), harness.state().lab.run.clone().unwrap());
    assert_eq!(table.lines().count() - 1, past.curve.len().max(own.steps()));
    assert!(table.lines().all(|line| line.split(',').count() == 6));
}

#[test]
fn one_time_step_is_visible() {
    let settings = Settings { samples: 0..12, calibrate: 0..64, ..Default::default() };
    let mut settings = Settings { model: "builtin:digits-mlp".into(), ..settings };
    settings.recipe.steps = 1;
    let mut lab = Lab::open(settings).unwrap();
    let methods = Recipe::published_methods(&lab.settings.recipe, 4);
    lab.update([Message::SetLanes(methods.into_iter().take(2).collect())]);
    lab.wait_until_idle();
    let picture = |lab: &Lab, pane| OffscreenPane::new(Some(pane), egui::vec2(600.0, 400.0), 1.0).image(lab);
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
fn t_curve_zooms_into_a_box_that_is_dragged_with_the_right_button() {
    let mut harness = desk();
    harness.state_mut().lab.update([Message::SetSteps(64), Message::EndGesture]);
    harness.run_ok();
    let plot = harness.get_all_by_label("Accuracy over time-steps").map(|node| node.rect());
    let plot = plot.max_by(|a, b| a.area().total_cmp(&b.area())).unwrap();
    let at = |x: f32, y: f32| plot.min + plot.size() * egui::vec2(x, y);
    let step_at = |harness: &mut Harness<'static, Desk>| {
        [true, false].into_iter().for_each(|pressed| press(harness, at(0.9, 0.5), pressed));
        harness.run_ok();
        harness.state().lab.cursor()
    };
    let whole = step_at(&mut harness);
    let (button, modifiers) = (egui::PointerButton::Secondary, egui::Modifiers::NONE);
    let press = |pos, pressed| egui::Event::PointerButton { pos, button, pressed, modifiers };
    // The box begins where the drag is noticed.
    let ways = [at(0.3, 0.2), at(0.32, 0.24), at(0.5, 0.7), at(0.6, 0.8)];
    for (k, pos) in ways.into_iter().enumerate() {
        harness.event(egui::Event::PointerMoved(pos));
        if k == 0 {
            harness.event(press(pos, true));
        }
        harness.step();
    }
    harness.event(press(ways[3], false));
    harness.run_ok();
    let zoomed = step_at(&mut harness);
    assert!(zoomed > 64 / 4 && zoomed < whole - 10, "near the right side of the box: {zoomed} of {whole}");
    click(&mut harness, "Fit");
    assert_eq!(step_at(&mut harness), whole);
}
