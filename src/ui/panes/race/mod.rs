//! Race pane: several recipes on the same samples, compared at the time cursor.
//!
//! It shows accuracy, error and cost of each recipe.

use data::{LaneState, RaceLine, RaceView, done};
mod figures;
use figures::LineFigures;
pub mod data;
mod plots;
mod table;

use egui::{Color32, ScrollArea, Ui};

use crate::convert::{MaxPoolRule, NamedRecipe, NeuronModel, Recipe};
use crate::experiment::{Run, Snapshot};
use crate::lab::{ControlGroup, Lab, Message};
use crate::measure::Report;
use crate::ui::texts::format::format_percent;
use crate::ui::texts::panes::race as texts;
use crate::ui::texts::shared;
use crate::ui::types::pane::Pane;
use crate::ui::widgets::pane_parts::PaneHeader;
use crate::ui::widgets::{pane_frame, pane_parts};

/// Draws the pane.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let Some(snapshot) = &lab.snapshot else {
        return pane_parts::empty(ui, shared::no_run(lab.run.is_some(), lab.job.is_some(), texts::EMPTY));
    };
    let lines = lines(ui, lab, snapshot);
    let id = ui.scope_id().with("race view");
    let mut view: RaceView = ui.data(|data| data.get_temp(id)).unwrap_or_default();
    let page = PaneHeader {
        of: Pane::Race,
        title: texts::TITLE,
        explanation: explain(&lines, snapshot.report.steps),
        description: describe(&lines, snapshot.report.steps),
    };
    pane_parts::pane_ui(
        ui,
        &page,
        || csv(&lines, snapshot.report.steps),
        |ui| {
            if pane_frame::has_controls(ui) {
                buttons(ui, lab, messages);
            }
            if lab.lanes.is_empty() {
                ui.add_space(8.0);
                ui.weak(texts::NO_LANES);
            }
            let height = ui.available_height();
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                let top = ui.cursor().top();
                let free = !lab.is_locked(ControlGroup::Recipe);
                table::show(ui, &lines, snapshot.report.steps, free, &mut view, messages);
                ui.add_space(6.0);
                plots::show(ui, lab, &lines, &view, height - (ui.cursor().top() - top), messages);
            });
        },
    );
    ui.data_mut(|data| data.insert_temp(id, view));
}

/// The run on the screen, then the lanes.
fn lines<'a>(ui: &Ui, lab: &'a Lab, snapshot: &'a Snapshot) -> Vec<RaceLine<'a>> {
    let base = &snapshot.run.settings.recipe;
    let own = RaceLine {
        lane: None,
        name: texts::ON_THE_SCREEN,
        recipe: base.clone(),
        changes: String::from(texts::BASE),
        color: ui.visuals().strong_text_color(),
        dash: 0,
        state: LaneState::Done { run: &snapshot.run, report: &snapshot.report },
    };
    let lane = |(index, lane): (usize, &'a crate::lab::Lane)| {
        let report = snapshot.lanes.get(index).and_then(Option::as_ref);
        let state = match (lane.run_beside(&snapshot.run), report, &lane.result) {
            (Some(run), Some(report), _) => LaneState::Done { run, report },
            (None, _, Some(Err(reason))) => LaneState::Refused(reason),
            _ => LaneState::Waiting,
        };
        let recipe = lane.settings(&snapshot.run.settings).recipe;
        let changes = match recipe.differences_from(base) {
            changes if changes.is_empty() => texts::NO_CHANGES.into(),
            changes => changes.join(", "),
        };
        RaceLine {
            lane: Some(index),
            name: &lane.entry.name,
            recipe,
            changes,
            color: color(ui, index),
            dash: index / COLORS,
            state,
        }
    };
    std::iter::once(own).chain(lab.lanes.iter().enumerate().map(lane)).collect()
}

/// Number of colors; further lanes have them again, dashed and then dotted.
const COLORS: usize = 7;

/// Colors of the lanes, from Okabe and Ito's color-blind-safe set.
fn color(ui: &Ui, index: usize) -> Color32 {
    const DARK: [[u8; 3]; COLORS] =
        [[230, 159, 0], [86, 180, 233], [0, 180, 130], [240, 228, 66], [90, 140, 230], [225, 110, 40], [214, 140, 185]];
    const LIGHT: [[u8; 3]; COLORS] =
        [[190, 120, 0], [20, 130, 190], [0, 130, 95], [150, 135, 0], [0, 80, 170], [190, 70, 0], [175, 80, 135]];
    let set = if ui.visuals().dark_mode { DARK } else { LIGHT };
    let [r, g, b] = set[index % set.len()];
    Color32::from_rgb(r, g, b)
}

fn buttons(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let recipe = &lab.settings.recipe;
    let presteps = recipe.correction.presteps().max(4);
    ui.horizontal_wrapped(|ui| {
        let hint = texts::CORRECTIONS_HINT;
        if ui.button(texts::CORRECTIONS).on_hover_text(hint).clicked() {
            let wanted = ["v(0) = 0", "plain", "SRP", "COS", "COS x3"];
            let methods = Recipe::published_methods(recipe, presteps).into_iter();
            messages.push(Message::SetLanes(
                methods.filter(|m| wanted.contains(&m.name.as_str()) || is_lateral(m) && has_max_pool(lab)).collect(),
            ));
        }
        let hint = texts::ALL_HINT;
        if ui.button(texts::ALL).on_hover_text(hint).clicked() {
            // Without a max pool it is the plain recipe again.
            let methods = Recipe::published_methods(recipe, presteps).into_iter();
            let methods = methods.filter(|method| has_max_pool(lab) || !is_lateral(method));
            messages.push(Message::SetLanes(methods.collect()));
        }
        let hint = texts::add_hint(&recipe.title());
        if ui.button(texts::ADD).on_hover_text(hint).clicked() {
            messages.push(Message::AddLane(Box::new(NamedRecipe::new(recipe.title(), recipe.clone()))));
        }
        if !lab.lanes.is_empty() && ui.button(texts::CLEAR).on_hover_text(texts::CLEAR_HINT).clicked() {
            messages.push(Message::SetLanes(Vec::new()));
        }
        let waiting = lab.lanes.iter().filter(|lane| lane.result.is_none()).count();
        if waiting > 0 && lab.busy() {
            ui.spinner();
            ui.small(texts::to_go(waiting));
        }
    });
}

/// Whether the method is the plain one except for its max pools.
fn is_lateral(method: &NamedRecipe) -> bool {
    (method.recipe.pooling, method.recipe.neuron) == (MaxPoolRule::Lateral, NeuronModel::If)
}

/// Whether a max pool of the network reads what neurons may emit.
fn has_max_pool(lab: &Lab) -> bool {
    let is_pool = |node: &crate::network::Node| matches!(node.op, crate::network::Op::MaxPool2d { .. });
    lab.run.as_ref().is_some_and(|run| run.network.original.nodes.iter().any(is_pool))
}

fn csv(lines: &[RaceLine<'_>], t: usize) -> String {
    let mut text =
        String::from("recipe,changes,t,accuracy,agreement,mismatch,offset_share,presteps,synops,bytes,seconds\n");
    for (line, run, report) in done(lines) {
        let figures = LineFigures::new(run, report, t);
        let synops: f64 = report.layers.iter().map(|l| l.synops).sum::<f64>() / report.samples.max(1) as f64;
        text += &format!(
            "\"{}\",\"{}\",{t},{},{},{},{},{},{synops},{},{}\n",
            line.name,
            line.changes,
            figures.accuracy.map_or(String::new(), |a| a.to_string()),
            figures.agreement,
            figures.mismatch,
            figures.offset,
            run.settings.recipe.correction.presteps(),
            figures.memory,
            figures.seconds
        );
    }
    text
}

fn explain(lines: &[RaceLine<'_>], t: usize) -> String {
    let best = done(lines).max_by(|a, b| {
        let share = |report: &Report| report.curve.get(t - 1).map_or(0.0, |p| p.accuracy.unwrap_or(p.agreement));
        share(a.2).total_cmp(&share(b.2))
    });
    let lead = best.map_or(String::new(), |(line, run, report)| {
        let figures = LineFigures::new(run, report, t);
        let share = format_percent(figures.accuracy.unwrap_or(figures.agreement));
        texts::best(t, line.name, &share)
    });
    texts::explanation(&lead)
}

fn describe(lines: &[RaceLine<'_>], t: usize) -> String {
    let one = |(line, run, report): (&RaceLine<'_>, &Run, &Report)| {
        let figures = LineFigures::new(run, report, t);
        format!("{}: {}", line.name, format_percent(figures.accuracy.unwrap_or(figures.agreement)))
    };
    texts::description(t, &done(lines).map(one).collect::<Vec<_>>().join(", "))
}
