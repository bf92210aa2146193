//! Initial-potential pane: error over v(0), in theory, over calibration activations, and in the run.
//!
//! It is the plot of OPI. The user drags the line at the recipe's v(0), and the run follows.

use data::{PaneData, pane_data, set};
pub mod data;
mod plots;

use egui::{Button, DragValue, Ui};
use plots::{MEAN, SQUARE, plot};

use crate::lab::{Lab, Message};
use crate::measure::InitialPotentialErrors;
use crate::measure::initial_potential::Expected;
use crate::ui::texts::format::{format_number, format_percent};
use crate::ui::texts::neuron_panes::initial_potential as texts;
use crate::ui::texts::shared;
use crate::ui::types::pane::Pane;
use crate::ui::widgets::legend::Mark;
use crate::ui::widgets::number_field::number_field;
use crate::ui::widgets::pane_parts::PaneHeader;
use crate::ui::widgets::shared_axis::SharedAxis;
use crate::ui::widgets::{legend, pane_frame, pane_parts};

/// Minimum width for plots side by side if the pane is too low for two rows, in points.
const BESIDE_WIDTH: f32 = 520.0;
/// Minimum height for one plot above the other, in points.
const ABOVE_HEIGHT: f32 = 300.0;

/// Minimum width of the vertical axes, in points.
const MIN_AXIS_WIDTH: f32 = 46.0;

/// Draws the pane.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let data = lab.snapshot.as_deref().and_then(|snapshot| pane_data(snapshot, lab));
    let Some(data) = data else {
        if lab.snapshot.is_some() {
            return pane_parts::loading(ui);
        }
        return pane_parts::empty(ui, shared::no_run(lab.run.is_some(), lab.job.is_some(), texts::EMPTY));
    };
    if data.view.curve.is_empty() {
        let text = texts::no_activation(&data.layer.name);
        return pane_parts::empty(ui, &text);
    }
    let id = ui.scope_id().with("initial pane");
    let mut dragging: bool = ui.data(|data| data.get_temp(id)).unwrap_or_default();
    let page = PaneHeader {
        of: Pane::InitialPotential,
        title: texts::TITLE,
        explanation: explanation(&data),
        description: description(&data),
    };
    pane_parts::pane_ui(
        ui,
        &page,
        || csv(data.view),
        |ui| {
            ui.add_enabled_ui(!data.locked, |ui| controls(ui, &data, messages));
            legend_row(ui);
            let size = ui.available_size() - ui.spacing().item_spacing;
            let axis = SharedAxis::new(ui, "initial", MIN_AXIS_WIDTH);
            if size.y < ABOVE_HEIGHT && size.x >= BESIDE_WIDTH {
                ui.horizontal(|ui| {
                    plot(ui, &data, MEAN, [size.x * 0.5, size.y], &axis, &mut dragging, messages);
                    plot(ui, &data, SQUARE, [size.x * 0.5, size.y], &axis, &mut dragging, messages);
                });
            } else {
                // In tight space, only the squared error: the figures contain the mean error.
                let both = size.y >= ABOVE_HEIGHT * 0.75;
                if both {
                    plot(ui, &data, MEAN, [size.x, size.y * 0.5], &axis, &mut dragging, messages);
                }
                let height = if both { size.y * 0.5 } else { size.y.max(80.0) };
                plot(ui, &data, SQUARE, [size.x, height], &axis, &mut dragging, messages);
            }
            axis.finish();
        },
    );
    ui.data_mut(|data| data.insert_temp(id, dragging));
}

/// Draws v(0) as a number, the button for its optimum, and the figures.
fn controls(ui: &mut Ui, data: &PaneData<'_>, messages: &mut Vec<Message>) {
    ui.horizontal_wrapped(|ui| {
        ui.strong(&data.layer.name);
        if !pane_frame::has_controls(ui) {
            ui.label(format!("v(0) = {:.2} θ", data.p));
            return;
        }
        let mut p = data.p;
        let field = DragValue::new(&mut p).speed(0.005).range(0.0..=1.0).prefix("v(0) ").suffix(" θ").max_decimals(2);
        let field = number_field(ui, field).on_hover_text(texts::FIELD_HINT);
        if field.changed() {
            set(data, p, messages);
        }
        if field.drag_stopped() || field.lost_focus() {
            messages.push(Message::EndGesture);
        }
        if let Some(best) = data.view.best() {
            let take = Button::new(texts::minimum(best));
            let hint = texts::MINIMUM_HINT;
            if ui.add_enabled(best as f32 != data.p, take).on_hover_text(hint).clicked() {
                set(data, best as f32, messages);
                messages.push(Message::EndGesture);
            }
        }
    });
    if pane_frame::has_sentences(ui) {
        ui.add(egui::Label::new(figures(data).join(" · ")).wrap());
    }
}

/// The figures, as short texts.
fn figures(data: &PaneData<'_>) -> Vec<String> {
    let view = data.view;
    let mut figures = vec![texts::inside(&format_percent(view.inside))];
    if let Some(unbiased) = view.unbiased() {
        figures.push(texts::unbiased(unbiased));
    }
    if let Some(run) = view.run {
        let all = view
            .run_all
            .map_or_else(String::new, |all| texts::all_neurons(&format_number(all.mean), &format_number(all.square)));
        figures.push(texts::run(&format_number(run.mean), &format_number(run.square), &all));
    }
    figures
}

/// Draws the legend.
fn legend_row(ui: &mut Ui) {
    let plot_colors = crate::ui::theme::colors::plot_colors(ui);
    let entries = [
        (texts::THEORY, plot_colors.total, Mark::Dashed),
        (texts::CALIBRATION, plot_colors.ann, Mark::Line),
        (texts::AS_IT_CAME, plot_colors.snn, Mark::Line),
        (texts::LEAST, plot_colors.ann, Mark::Diamond),
        (texts::THIS_RUN, plot_colors.snn, Mark::Ring),
        ("v(0)", plot_colors.theta, Mark::Line),
    ];
    legend::show(ui, &entries);
}

fn explanation(data: &PaneData<'_>) -> String {
    let view = data.view;
    let spread = match (view.at(0.5), view.unbiased()) {
        (Some(half), Some(unbiased)) => texts::spread(&format_number(half.measured.mean), unbiased),
        _ => String::new(),
    };
    let came = view.best_replayed().map_or_else(String::new, |p| texts::best_for_sample(data.sample, p));
    let run = view.run.map_or_else(String::new, |errors| texts::run_square(&format_number(errors.square), view.p));
    texts::explanation(&data.layer.name, view.best().unwrap_or(0.5), &spread, &came, &run)
}

fn description(data: &PaneData<'_>) -> String {
    let now = data.view.at(f64::from(data.p));
    let errors = now.map_or_else(String::new, |point| {
        texts::errors(
            &format_number(point.theory.mean),
            &format_number(point.theory.square),
            &format_number(point.measured.mean),
            &format_number(point.measured.square),
        )
    });
    texts::description(&data.layer.name, data.view.steps, data.p, &errors)
}

/// Both curves, the simulated sample, and the run, as CSV.
fn csv(view: &InitialPotentialErrors) -> String {
    let mut text = String::from("p,theory mean,theory square,calibration mean,calibration square\n");
    for Expected { p, theory, measured } in &view.curve {
        text += &format!("{p},{},{},{},{}\n", theory.mean, theory.square, measured.mean, measured.square);
    }
    text += "\np,as it came mean,as it came square\n";
    for (p, errors) in &view.replayed {
        text += &format!("{p},{},{}\n", errors.mean, errors.square);
    }
    if let Some(run) = view.run {
        text += &format!("\np,run mean,run square\n{},{},{}\n", view.p, run.mean, run.square);
    }
    text
}
