//! Sweep pane: plan and results of many runs, as heat map, Pareto front, spread and list of files.

mod front;
mod map;
mod spread;
mod view;

use egui::{ComboBox, Label, ProgressBar, RichText, Role, ScrollArea, Ui, WidgetInfo};
use view::{Choices, Cost, NO_AXIS, Tab, View};

use crate::lab::document::sweep_state::LabSweep;
use crate::lab::{Lab, Message};
use crate::sweep::board::Board;
use crate::ui::texts::panes::sweep as texts;
use crate::ui::types::file_request::FileRequest;
use crate::ui::types::pane::Pane;
use crate::ui::widgets::pane_parts::PaneHeader;
use crate::ui::widgets::{pane_frame, pane_parts, wanted_file};

/// Draws the pane.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let id = ui.scope_id().with("sweep choices");
    let mut choices: Choices = ui.data(|data| data.get_temp(id)).unwrap_or_default();
    let sweep = lab.sweep.as_ref();
    let board = sweep.and_then(|sweep| sweep.board.as_deref());
    let page = PaneHeader {
        of: Pane::Sweep,
        title: texts::TITLE,
        explanation: explanation(board, &choices),
        description: description(board, &choices),
    };
    pane_parts::pane_ui(
        ui,
        &page,
        || board.map_or_else(String::new, csv),
        |ui| {
            if pane_frame::has_controls(ui) {
                buttons(ui, lab, messages);
            }
            let Some(sweep) = sweep else {
                return pane_parts::empty(ui, texts::EMPTY);
            };
            state(ui, sweep);
            let Some(board) = board else {
                return if sweep.error.is_none() {
                    pane_parts::empty(ui, texts::READING)
                };
            };
            if pane_frame::has_controls(ui) {
                tabs(ui, board, sweep, &mut choices);
            }
            match (choices.tab, View::new(board, &choices)) {
                (Tab::Files, _) => files(ui, board, sweep),
                (_, None) if board.rows.is_empty() => pane_parts::empty(ui, texts::NO_ROWS),
                (_, None) => pane_parts::empty(ui, texts::NO_AXES),
                (tab, Some(view)) => {
                    if pane_frame::has_controls(ui) {
                        axes(ui, &view, &mut choices);
                    }
                    match tab {
                        Tab::Map | Tab::Files => map::show(ui, &view, messages),
                        Tab::Front => front::show(ui, &view, messages),
                        Tab::Spread => spread::show(ui, &view, messages),
                    }
                }
            }
        },
    );
    ui.data_mut(|data| data.insert_temp(id, choices));
}

/// Draws the buttons of the sweep.
fn buttons(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    ui.horizontal_wrapped(|ui| {
        let dialog = |ui: &mut Ui, name: &str, hint: &str, request: FileRequest| {
            if ui.button(name).on_hover_text(hint).clicked() {
                wanted_file::ask(ui, request);
            }
        };
        dialog(ui, texts::OPEN_PLAN, texts::OPEN_PLAN_HINT, FileRequest::OpenSweepPlan);
        dialog(ui, texts::OPEN_RESULTS, texts::OPEN_RESULTS_HINT, FileRequest::OpenSweepResults);
        dialog(ui, texts::NEW_PLAN, texts::NEW_PLAN_HINT, FileRequest::SaveSweepPlan);
        if !lab.lanes.is_empty() {
            dialog(ui, texts::RACE_PLAN, texts::RACE_PLAN_HINT, FileRequest::SaveRacePlan);
        }
        let Some(sweep) = &lab.sweep else { return };
        if sweep.running.is_some() {
            if ui.button(texts::STOP).on_hover_text(texts::STOP_HINT).clicked() {
                messages.push(Message::StopSweep);
            }
        } else if sweep.plan.is_some() {
            let is_whole = |board: &Board| board.planned == Some(board.rows.len());
            let missing = !sweep.board.as_deref().is_some_and(is_whole);
            let run = ui.add_enabled(missing, egui::Button::new(texts::RUN)).on_hover_text(texts::RUN_HINT);
            if run.clicked() {
                messages.push(Message::RunSweep);
            }
        }
        if ui.button(texts::CLOSE).on_hover_text(texts::CLOSE_HINT).clicked() {
            messages.push(Message::CloseSweep);
        }
    });
}

/// Draws what is open, how far it is, and errors.
fn state(ui: &mut Ui, sweep: &LabSweep) {
    let place = texts::place(sweep.plan.as_deref(), &sweep.out);
    if let Some(why) = &sweep.error {
        ui.add(Label::new(RichText::new(why).color(ui.visuals().error_fg_color)).wrap()).on_hover_text(&place);
    }
    if let Some(running) = &sweep.running {
        let part = (running.finished as f32 + running.fraction) / running.rows.max(1) as f32;
        ui.add(ProgressBar::new(part).desired_height(10.0));
        let words = texts::doing(running.finished, running.rows, &running.doing);
        ui.add(Label::new(RichText::new(words).small()).truncate()).on_hover_text(place);
    } else if let (Some(board), true) = (&sweep.board, pane_frame::has_sentences(ui)) {
        let mut words = texts::rows(&board.name, board.rows.len(), board.planned);
        sweep.ended.iter().for_each(|ended| words += &format!(" {ended}"));
        ui.add(Label::new(RichText::new(words).small()).wrap()).on_hover_text(place);
    }
}

/// Draws the choice of what is shown.
fn tabs(ui: &mut Ui, board: &Board, sweep: &LabSweep, choices: &mut Choices) {
    ui.horizontal_wrapped(|ui| {
        let files = texts::files(board.others.len() + sweep.failed.len());
        for (tab, name, hint) in [
            (Tab::Map, texts::MAP, texts::MAP_HINT),
            (Tab::Front, texts::FRONT, texts::FRONT_HINT),
            (Tab::Spread, texts::SPREAD, texts::SPREAD_HINT),
            (Tab::Files, &files, texts::FILES_HINT),
        ] {
            ui.selectable_value(&mut choices.tab, tab, name).on_hover_text(hint);
        }
    });
}

/// Draws the choices of figure and axes.
fn axes(ui: &mut Ui, view: &View<'_>, choices: &mut Choices) {
    let axes = &view.board.axes;
    let keys: Vec<&str> = axes.iter().filter(|axis| axis.values.len() > 1).map(|axis| axis.key.as_str()).collect();
    ui.horizontal_wrapped(|ui| {
        let figures = view.board.figures.iter().map(String::as_str);
        combo(ui, texts::FIGURE, view.figure, figures.map(|name| (name, name)), |name| choices.figure = name.into());
        let across = axes[view.across].key.as_str();
        match choices.tab {
            Tab::Front => {
                let costs = [
                    (Cost::Steps, texts::COST_STEPS),
                    (Cost::SynOps, texts::COST_SYNOPS),
                    (Cost::Energy, texts::COST_ENERGY),
                ];
                let now = costs.iter().find(|(cost, _)| *cost == view.cost).map_or("", |(_, name)| name);
                combo(ui, texts::COST, now, costs.iter().map(|(_, name)| (*name, *name)), |name| {
                    choices.cost = costs.iter().find(|(_, own)| *own == name).map_or(Cost::Steps, |(cost, _)| *cost);
                });
            }
            Tab::Spread => {
                let over = axes[view.over].key.as_str();
                combo(ui, texts::OVER, over, keys.iter().map(|key| (*key, *key)), |key| choices.over = key.into());
                combo(ui, texts::ACROSS, across, keys.iter().map(|key| (*key, *key)), |key| {
                    choices.across = key.into()
                });
            }
            Tab::Map | Tab::Files => {
                combo(ui, texts::ACROSS, across, keys.iter().map(|key| (*key, *key)), |key| {
                    choices.across = key.into()
                });
                let down = view.down.map_or(texts::NONE, |down| axes[down].key.as_str());
                let others = keys.iter().filter(|key| **key != across).map(|key| (*key, *key));
                combo(ui, texts::DOWN, down, others.chain([(NO_AXIS, texts::NONE)]), |key| choices.down = key.into());
            }
        }
        if choices.tab == Tab::Spread {
            return;
        }
        for k in view.rest() {
            let axis = &axes[k];
            let now = view.fixed(k).map_or(texts::ALL, |at| axis.values[at].as_str());
            let values = axis.values.iter().map(|value| (value.as_str(), value.as_str()));
            combo(ui, &axis.key, now, std::iter::once((NO_AXIS, texts::ALL)).chain(values), |value| match value {
                NO_AXIS => _ = choices.fixed.remove(&axis.key),
                value => _ = choices.fixed.insert(axis.key.clone(), value.to_owned()),
            });
        }
    });
}

/// Draws a choice among `values`, each with its text, behind its name.
fn combo<'a>(
    ui: &mut Ui,
    name: &str,
    now: &str,
    values: impl Iterator<Item = (&'a str, &'a str)>,
    mut choose: impl FnMut(&str),
) {
    pane_parts::wrap_before(ui, 170.0);
    ui.small(name);
    let combo =
        ComboBox::from_id_salt(("sweep", name)).selected_text(map::shortened(now)).width(90.0).show_ui(ui, |ui| {
            for (value, words) in values {
                if ui.selectable_label(words == now, words).clicked() {
                    choose(value);
                }
            }
        });
    combo.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, name));
}

/// Draws the files that are no rows, and rows that did not run.
fn files(ui: &mut Ui, board: &Board, sweep: &LabSweep) {
    ScrollArea::vertical().id_salt("sweep files").auto_shrink(false).show(ui, |ui| {
        if !sweep.failed.is_empty() {
            ui.label(texts::not_run(sweep.failed.len()));
            sweep.failed.iter().for_each(|why| _ = ui.add(Label::new(RichText::new(why).small()).wrap()));
            ui.separator();
        }
        if board.temporary > 0 {
            ui.add(Label::new(RichText::new(texts::temporary(board.temporary)).small()).wrap());
        }
        if board.others.is_empty() {
            ui.weak(texts::NOTHING_WRONG);
        }
        for (file, why) in &board.others {
            ui.add(Label::new(RichText::new(format!("{file}: {why}")).small()).wrap());
        }
    });
}

fn explanation(board: Option<&Board>, choices: &Choices) -> String {
    let Some((board, view)) = board.and_then(|board| Some((board, View::new(board, choices)?))) else {
        return texts::EMPTY.into();
    };
    let state = texts::rows(&board.name, board.rows.len(), board.planned);
    let best = view
        .best(view.rows())
        .and_then(|row| Some(texts::best(view.figure, &view.text(view.value(row)?), &view.place(row))));
    texts::explanation(&state, view.figure, &best.unwrap_or_default())
}

fn description(board: Option<&Board>, choices: &Choices) -> String {
    let Some((board, view)) = board.and_then(|board| Some((board, View::new(board, choices)?))) else {
        return texts::EMPTY.into();
    };
    let state = texts::rows(&board.name, board.rows.len(), board.planned);
    let down = view.down.map_or(texts::NONE, |down| board.axes[down].key.as_str());
    texts::description(&state, view.figure, &board.axes[view.across].key, down)
}

/// A line for each finished row: its number, the value of every axis, every figure.
fn csv(board: &Board) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let header = board.axes.iter().map(|axis| quoted(&axis.key)).chain(board.figures.iter().cloned());
    let mut table = format!("row,{}\n", header.collect::<Vec<_>>().join(","));
    for row in &board.rows {
        let places = board.axes.iter().zip(&row.at).map(|(axis, &at)| quoted(&axis.values[at]));
        let figures = board.figures.iter().map(|name| row.figures.get(name).map_or_else(String::new, f64::to_string));
        table += &format!("{},{}\n", row.number, places.chain(figures).collect::<Vec<_>>().join(","));
    }
    table
}
