//! Runs pane: past runs with their changes and results, also from earlier starts.
//!
//! A click restores a run. Two runs can be compared in one plot.

mod table;

use egui::{ScrollArea, Ui};
use egui_plot::{AxisHints, HLine, Line, MarkerShape, Plot, PlotPoints, Points};

use crate::ground::numbers::percent;
use crate::lab::history::run_history::{PastRun, differences};
use crate::lab::{Lab, Message};
use crate::ui::panes::t_curve::plot::{marks, quarters};
use crate::ui::texts::format::format_percent;
use crate::ui::texts::output_agreement::agreement_labels;
use crate::ui::texts::panes::runs as texts;
use crate::ui::texts::shared;
use crate::ui::theme::colors::{GRID, ui_colors};
use crate::ui::types::pane::Pane;
use crate::ui::widgets::pane_parts::PaneHeader;
use crate::ui::widgets::{legend, pane_parts, plot_description};

/// Minimum width for two plots side by side, in points.
const BESIDE_WIDTH: f32 = 400.0;
/// Draws the pane.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let past = lab.history.past();
    let Some(now) = lab.run.as_ref().and_then(|run| lab.history.of(&run.settings)).or(past.last()) else {
        return pane_parts::empty(ui, texts::EMPTY);
    };
    let other = lab.history.compared.and_then(|number| lab.history.get(number)).filter(|p| p.number != now.number);
    let page = PaneHeader {
        of: Pane::Runs,
        title: texts::TITLE,
        explanation: explain(past, now, other),
        description: describe(past, now, other),
    };
    pane_parts::pane_ui(
        ui,
        &page,
        || csv(past),
        |ui| {
            let list = table::filtered(ui, past, now);
            let (width, room) = (ui.available_width(), ui.available_height());
            ScrollArea::vertical().id_salt("runs and plots").auto_shrink(false).show(ui, |ui| {
                let table_room = if other.is_some() { (room * 0.4).max(80.0) } else { f32::INFINITY };
                ScrollArea::both().id_salt("runs").max_height(table_room).auto_shrink([false, true]).show(ui, |ui| {
                    table::show(ui, &list, now, other, width, messages);
                });
                match other {
                    Some(other) => compare(ui, now, other, room),
                    None if past.len() > 1 => _ = ui.weak(texts::COMPARE_HINT),
                    None => _ = ui.weak(texts::CHANGE_HINT),
                }
            });
        },
    );
}

/// Draws both runs in one plot, and the settings of the run on the screen that differ.
fn compare(ui: &mut Ui, now: &PastRun, other: &PastRun, room: f32) {
    let words = match differences(&other.settings, &now.settings) {
        words if words.is_empty() => texts::SAME.to_owned(),
        words => words.join(", "),
    };
    ui.separator();
    ui.add(egui::Label::new(texts::changes(now.number, other.number, &words)).wrap());
    let (colors, plot_colors) = (ui_colors(ui), crate::ui::theme::colors::plot_colors(ui));
    let names = [now, other].map(|one| shared::run(one.number));
    legend::lines(ui, &[(&names[0], colors.snn), (&names[1], plot_colors.quantization), (shared::ANN, colors.ann)]);
    let (width, height) = (ui.available_width(), (room * 0.5).max(150.0));
    if width >= BESIDE_WIDTH {
        ui.horizontal_top(|ui| {
            ui.allocate_ui(egui::vec2(width / 2.0 - 6.0, height), |ui| curves(ui, now, other, height));
            ui.allocate_ui(egui::vec2(width / 2.0 - 6.0, height), |ui| mismatches(ui, now, other, height));
        });
    } else {
        curves(ui, now, other, height);
        mismatches(ui, now, other, height);
    }
}

fn still<'a>(name: &str, height: f32) -> Plot<'a> {
    Plot::new(name.to_owned())
        .grid_color(GRID)
        .height(height)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .include_y(0.0)
        .y_axis_min_width(40.0)
}

/// The name of what the curve of a run shows.
fn measure(one: &PastRun) -> &'static str {
    match one.ann_accuracy {
        Some(_) => shared::RIGHT_ANSWERS,
        None => agreement_labels(one.outputs).short,
    }
}

fn curves(ui: &mut Ui, now: &PastRun, other: &PastRun, height: f32) {
    let (colors, plot_colors) = (ui_colors(ui), crate::ui::theme::colors::plot_colors(ui));
    let last = now.curve.len().max(other.curve.len());
    let plot = still("runs over time", height)
        .include_y(1.0)
        .include_x(1.0)
        .include_x(last as f64)
        .custom_x_axes(vec![AxisHints::new_x().label(shared::TIME_STEPS).label_spacing(egui::Rangef::new(22.0, 30.0))])
        .y_axis_label(measure(now))
        .y_axis_formatter(|mark, _| percent(mark.value, 0))
        .y_grid_spacer(|_| quarters())
        .x_grid_spacer(move |_| marks(last));
    let shown = plot.show(ui, |plot| {
        if let Some(ann) = now.ann_accuracy {
            plot.hline(HLine::new(shared::ANN, ann).color(colors.ann).width(1.2));
        }
        for (one, color, width) in [(other, plot_colors.quantization, 1.6), (now, colors.snn, 2.2)] {
            let points: PlotPoints<'_> =
                one.curve.iter().map(|p| [p.t as f64, p.accuracy.unwrap_or(p.agreement)]).collect::<Vec<_>>().into();
            plot.line(Line::new(shared::run(one.number), points).color(color).width(width));
        }
    });
    plot_description::describe_plot(&shown.response, texts::CURVES, || {
        let one = |one: &PastRun| {
            let points: Vec<[f64; 2]> =
                one.curve.iter().map(|p| [p.t as f64, p.accuracy.unwrap_or(p.agreement)]).collect();
            let course = plot_description::describe_curve(&points, |[t, y]| shared::at_step(&format_percent(y), t));
            texts::curve(one.number, &course)
        };
        [now, other].map(one).join(" ")
    });
}

fn mismatches(ui: &mut Ui, now: &PastRun, other: &PastRun, height: f32) {
    let (colors, plot_colors) = (ui_colors(ui), crate::ui::theme::colors::plot_colors(ui));
    let names: Vec<String> = now.mismatch.iter().map(|(name, _)| name.clone()).collect();
    let plot = still("mismatch of runs", height)
        .include_x(-0.3)
        .include_x(names.len() as f64 - 0.7)
        .custom_x_axes(vec![AxisHints::new_x().label(texts::LAYER).label_spacing(12.0..=18.0).formatter(|mark, _| {
            let whole = mark.value.fract().abs() < 1e-6 && mark.value >= 0.0;
            if whole { format!("{}", mark.value + 1.0) } else { String::new() }
        })])
        .custom_y_axes(vec![pane_parts::y_axis(texts::MISMATCH).min_thickness(40.0)])
        .y_grid_spacer(|input| pane_parts::round_marks(input.bounds, 4.0))
        .x_grid_spacer(|input| {
            let (from, to) = input.bounds;
            let step = (((to - from) / 8.0).ceil() as i64).max(1);
            (from.ceil() as i64..=to.floor() as i64)
                .filter(|k| k % step == 0)
                .map(|k| egui_plot::GridMark { value: k as f64, step_size: step as f64 })
                .collect()
        })
        .label_formatter(move |at| {
            let at = pane_parts::position(at);
            Some(format!(
                "{}\n{}",
                names.get(at.x.round().max(0.0) as usize)?,
                crate::ui::texts::format::format_number(at.y)
            ))
        });
    let shown = plot.show(ui, |plot| {
        for (one, color) in [(other, plot_colors.quantization), (now, colors.snn)] {
            let points: Vec<[f64; 2]> = one.mismatch.iter().enumerate().map(|(k, (_, m))| [k as f64, *m]).collect();
            plot.line(Line::new(shared::run(one.number), points.clone()).color(color).width(1.4).allow_hover(false));
            let dots = Points::new(shared::run(one.number), points);
            plot.points(dots.color(color).shape(MarkerShape::Circle).radius(3.0));
        }
    });
    plot_description::describe_plot(&shown.response, texts::MISMATCHES, || {
        let layer =
            |(name, mismatch): &(String, f64)| format!("{name} {}", crate::ui::texts::format::format_number(*mismatch));
        let one = |one: &PastRun| {
            let layers: Vec<String> = one.mismatch.iter().map(layer).collect();
            texts::mismatches(one.number, &layers.join(", "))
        };
        [now, other].map(one).join(" ")
    });
}

fn explain(past: &[PastRun], now: &PastRun, other: Option<&PastRun>) -> String {
    let best = past.iter().max_by(|a, b| a.final_score().total_cmp(&b.final_score()).then(b.number.cmp(&a.number)));
    let best = best.map_or(String::new(), |best| {
        texts::best(best.number, &format_percent(best.final_score()), best.settings.recipe.steps)
    });
    let against = match other {
        Some(other) => texts::against(
            other.number,
            &format_percent(now.final_score()),
            &format_percent(other.final_score()),
            now.mean_mismatch(),
            other.mean_mismatch(),
        ),
        None => texts::NOT_COMPARED.into(),
    };
    let earlier = match past.iter().filter(|past| past.earlier).count() {
        0 => String::new(),
        n => texts::earlier(n),
    };
    texts::explanation(past.len(), &earlier, &best, &against)
}

fn describe(past: &[PastRun], now: &PastRun, other: Option<&PastRun>) -> String {
    let other =
        other.map_or(String::new(), |other| texts::compared_with(other.number, &format_percent(other.final_score())));
    texts::description(past.len(), now.number, &format_percent(now.final_score()), &other)
}

fn csv(past: &[PastRun]) -> String {
    let row = |one: &PastRun| {
        let last = one.curve.last();
        let accuracy = last.and_then(|p| p.accuracy).map_or(String::new(), |a| a.to_string());
        let agreement = last.map_or(0.0, |p| p.agreement);
        let changed = one.changed.replace('"', "\"\"");
        let (steps, mismatch) = (one.settings.recipe.steps, one.mean_mismatch());
        format!("{},\"{changed}\",{steps},{accuracy},{agreement},{mismatch},{}\n", one.number, one.seconds)
    };
    format!("run,changed,T,accuracy,agreement,mismatch,seconds\n{}", past.iter().map(row).collect::<String>())
}
