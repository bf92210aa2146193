//! Race pane: several recipes on the same samples, compared at the time cursor.
//!
//! It shows accuracy, error and cost of each recipe.

use data::{LaneState, RaceLine, done};
pub mod data;
mod plots;

use egui::text::LayoutJob;
use egui::{Color32, Grid, ScrollArea, Ui};

use crate::convert::{NamedRecipe, Recipe};
use crate::experiment::{Run, Snapshot};
use crate::lab::{ControlGroup, Lab, Message};
use crate::measure::Report;
use crate::ui::texts::format::format_percent;
use crate::ui::texts::panes::race as texts;
use crate::ui::types::pane::Pane;
use crate::ui::widgets::pane_parts::PaneHeader;
use crate::ui::widgets::{pane_frame, pane_parts};

/// Width of the text about a lane's changes, in points.
const CHANGES_WIDTH: f32 = 130.0;

/// Draws the pane.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let Some(snapshot) = &lab.snapshot else {
        return pane_parts::empty(ui, texts::EMPTY);
    };
    let lines = lines(ui, lab, snapshot);
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
                table(ui, &lines, snapshot.report.steps, !lab.is_locked(ControlGroup::Recipe), messages);
                ui.add_space(6.0);
                plots::show(ui, lab, &lines, height - (ui.cursor().top() - top), messages);
            });
        },
    );
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
        RaceLine { lane: Some(index), name: &lane.entry.name, recipe, changes, color: color(ui, index), state }
    };
    std::iter::once(own).chain(lab.lanes.iter().enumerate().map(lane)).collect()
}

/// Colors of the lanes, from Okabe and Ito's color-blind-safe set; they repeat if there are more lanes.
fn color(ui: &Ui, index: usize) -> Color32 {
    const DARK: [[u8; 3]; 7] =
        [[230, 159, 0], [86, 180, 233], [0, 180, 130], [240, 228, 66], [90, 140, 230], [225, 110, 40], [214, 140, 185]];
    const LIGHT: [[u8; 3]; 7] =
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
            messages.push(Message::SetLanes(methods.filter(|m| wanted.contains(&m.name.as_str())).collect()));
        }
        let hint = texts::ALL_HINT;
        if ui.button(texts::ALL).on_hover_text(hint).clicked() {
            messages.push(Message::SetLanes(Recipe::published_methods(recipe, presteps)));
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

fn table(ui: &mut Ui, lines: &[RaceLine<'_>], t: usize, free: bool, messages: &mut Vec<Message>) {
    let columns = texts::COLUMNS;
    ScrollArea::horizontal().id_salt("race table").show(ui, |ui| {
        Grid::new("race").striped(true).num_columns(columns.len()).min_col_width(0.0).spacing([12.0, 4.0]).show(
            ui,
            |ui| {
                for (name, hint) in columns {
                    ui.small(name).on_hover_text(hint);
                }
                ui.end_row();
                lines.iter().for_each(|line| row(ui, line, t, free, messages));
            },
        );
    });
}

fn row(ui: &mut Ui, line: &RaceLine<'_>, t: usize, free: bool, messages: &mut Vec<Message>) {
    let (swatch, _) = ui.allocate_exact_size(egui::vec2(12.0, 12.0), egui::Sense::hover());
    ui.painter().rect_filled(swatch, 2.0, line.color);
    let whole = line.recipe.description();
    let hint = texts::row_hint(&line.changes, &whole);
    match line.lane {
        None => _ = ui.strong(line.name).on_hover_text(whole),
        Some(index) => {
            let button = ui.add_enabled(free, egui::Button::new(line.name)).on_hover_text(hint);
            button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, free, texts::take_over(line.name)));
            if button.clicked() {
                messages.push(Message::AdoptLane(index));
            }
        }
    }
    changes_cell(ui, &line.changes);
    match &line.state {
        LaneState::Done { run, report } => {
            let figures = LineFigures::new(run, report, t);
            ui.label(figures.accuracy.map_or("–".into(), format_percent));
            ui.label(format_percent(figures.agreement));
            ui.label(format!("{:.3}", figures.mismatch));
            ui.label(format_percent(figures.offset));
            ui.label(figures.steps);
            ui.label(figures.synops);
            ui.label(figures.memory);
            ui.label(format!("{:.2} s", figures.seconds));
        }
        LaneState::Waiting => {
            ui.weak(texts::WAITING);
            (0..7).for_each(|_| _ = ui.label(""));
        }
        LaneState::Refused(reason) => {
            ui.colored_label(ui.visuals().error_fg_color, texts::REFUSED).on_hover_text(*reason);
            (0..7).for_each(|_| _ = ui.label(""));
        }
    }
    match line.lane {
        Some(index) if pane_frame::has_controls(ui) => {
            let remove = ui.small_button("×").on_hover_text(texts::REMOVE_HINT);
            remove.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, texts::remove(line.name)));
            if remove.clicked() {
                messages.push(Message::RemoveLane(index));
            }
        }
        _ => _ = ui.label(""),
    }
    ui.end_row();
}

/// A text cell that leaves room for the figures: at most two short lines, the full text as a tooltip.
fn changes_cell(ui: &mut Ui, words: &str) {
    let style = ui.style().clone();
    let mut job = LayoutJob::simple(
        words.to_owned(),
        egui::TextStyle::Small.resolve(&style),
        ui.visuals().weak_text_color(),
        CHANGES_WIDTH,
    );
    job.wrap.max_rows = 2;
    ui.add(egui::Label::new(job)).on_hover_text(words);
}

/// Formatted figures of one line.
struct LineFigures {
    accuracy: Option<f64>,
    agreement: f64,
    mismatch: f64,
    offset: f64,
    steps: String,
    synops: String,
    memory: String,
    seconds: f64,
}

impl LineFigures {
    fn new(run: &Run, report: &Report, t: usize) -> Self {
        let point = report.curve.get(t - 1);
        let layers = &report.layers;
        let relative = layers.iter().map(|l| l.mean_abs_mismatch / l.mean_activation.max(f64::MIN_POSITIVE));
        let (off, all) = layers.iter().fold((0, 0), |(off, all), layer| {
            let total = layer.end_to_end.total();
            (off + total - layer.end_to_end.c0, all + total)
        });
        let correction = run.settings.recipe.correction;
        let steps = match (correction.presteps(), correction.hardware_presteps(layers.len())) {
            (0, _) => t.to_string(),
            (pre, hardware) if pre == hardware => format!("{pre} + {t}"),
            (pre, hardware) => format!("{pre} + {t} ({hardware} + {t})"),
        };
        let synops = layers.iter().map(|l| l.synops).sum::<f64>() / report.samples.max(1) as f64;
        Self {
            accuracy: point.and_then(|p| p.accuracy),
            agreement: point.map_or(0.0, |p| p.agreement),
            mismatch: relative.sum::<f64>() / layers.len().max(1) as f64,
            offset: off as f64 / all.max(1) as f64,
            steps,
            synops: if synops < 1e6 { format!("{:.0} k", synops / 1e3) } else { format!("{:.2} M", synops / 1e6) },
            memory: format!("{:.1} MB", run.recording.bytes() as f64 / 1e6),
            seconds: run.seconds.snn + run.seconds.calibrate,
        }
    }
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
            run.recording.bytes(),
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
