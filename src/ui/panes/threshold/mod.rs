//! Threshold pane: activation histogram of the layer in focus, θ, and predicted error over θ.
//!
//! The user drags the line at θ, and the run follows.

use data::{MIN_THETA_SHARE, PaneData, UiState, pane_data, set};
mod balancing_curve;
pub mod data;
mod plots;

use egui::{DragValue, Ui};
use plots::{costs, histogram};

use crate::experiment::ThresholdView;
use crate::lab::{Lab, Message};
use crate::measure::LedgerReference;
use crate::ui::texts::format::{format_number, format_percent};
use crate::ui::texts::neuron_panes::threshold as texts;
use crate::ui::texts::shared;
use crate::ui::types::pane::Pane;
use crate::ui::widgets::legend::Mark;
use crate::ui::widgets::number_field::number_field;
use crate::ui::widgets::pane_parts::PaneHeader;
use crate::ui::widgets::shared_axis::SharedAxis;
use crate::ui::widgets::{legend, pane_frame, pane_parts};

/// Minimum height for the error plot below the histogram, in points.
const BOTH_HEIGHT: f32 = 250.0;

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
    let id = ui.scope_id().with("threshold pane");
    let mut ui_state =
        ui.data(|data| data.get_temp(id)).unwrap_or(UiState { log: true, dragging: None, shows_balancing: false });
    let words = explanation(&data);
    let page = PaneHeader { of: Pane::Threshold, title: texts::TITLE, description: words.clone(), explanation: words };
    pane_parts::pane_ui(
        ui,
        &page,
        || csv(data.view),
        |ui| {
            ui.add_enabled_ui(!data.locked, |ui| controls(ui, &data, &mut ui_state, messages));
            if let Some(balancing) = balancing_curve::current(lab) {
                if !balancing.live && pane_frame::has_controls(ui) {
                    let hint = texts::RISE_HINT;
                    ui.checkbox(&mut ui_state.shows_balancing, texts::RISE).on_hover_text(hint);
                }
                if balancing.live || ui_state.shows_balancing {
                    balancing_curve::show(ui, lab, &balancing, ui.available_height() - 24.0, messages);
                    return;
                }
            }
            let extent = ui_state.dragging.unwrap_or(data.view.extent);
            let height = ui.available_height();
            // In tight space, only the histogram: the button still has the minimum of the error.
            let both = height >= BOTH_HEIGHT;
            legend_row(ui, both);
            let height = (ui.available_height() - ui.spacing().item_spacing.y).max(90.0);
            let axis = SharedAxis::new(ui, "threshold", MIN_AXIS_WIDTH);
            let first = if both { height * 0.5 } else { height };
            histogram(ui, &data, extent, (first, !both), &axis, &mut ui_state, messages);
            if both {
                costs(ui, &data, extent, height * 0.5, &axis, &mut ui_state, messages);
            }
            axis.finish();
        },
    );
    ui.data_mut(|data| data.insert_temp(id, ui_state));
}

/// Draws θ as a number, the button back to the rule, and the figures.
fn controls(ui: &mut Ui, data: &PaneData<'_>, ui_state: &mut UiState, messages: &mut Vec<Message>) {
    ui.horizontal_wrapped(|ui| {
        ui.strong(&data.layer.name);
        if !pane_frame::has_controls(ui) {
            ui.label(format!("θ = {}", format_number(f64::from(data.theta))));
            return;
        }
        let mut theta = data.theta;
        let extent = data.view.extent;
        let field =
            DragValue::new(&mut theta).speed(extent / 400.0).range(extent * MIN_THETA_SHARE..=f32::MAX).prefix("θ ");
        let field = number_field(ui, field.max_decimals(5)).on_hover_text(texts::FIELD_HINT);
        if field.changed() {
            set(data, theta, messages);
        }
        if field.drag_stopped() || field.lost_focus() {
            messages.push(Message::EndGesture);
        }
        let back = egui::Button::new(texts::BACK);
        let hint = texts::BACK_HINT;
        if ui.add_enabled(data.by_hand, back).on_hover_text(hint).clicked() {
            messages.push(Message::SetLayerThreshold { layer: data.layer.name.clone(), theta: None });
            messages.push(Message::EndGesture);
        }
        if let Some(best) = data.best {
            let hint = texts::MINIMUM_HINT;
            if ui.button(texts::minimum(&format_number(f64::from(best.theta)))).on_hover_text(hint).clicked() {
                set(data, best.theta, messages);
                messages.push(Message::EndGesture);
            }
        }
        ui.checkbox(&mut ui_state.log, texts::LOG);
    });
    if pane_frame::has_sentences(ui) {
        ui.add(egui::Label::new(figures(data).join(" · ")).wrap());
    }
}

/// The figures at θ, as short texts.
fn figures(data: &PaneData<'_>) -> Vec<String> {
    let mut figures = vec![texts::step(&format_number(f64::from(data.theta) / data.steps as f64))];
    if let Some(cost) = data.cost {
        let own = data.layer.activation.lambda().is_some_and(|lambda| lambda <= data.theta * 1.0001);
        let clipped = if own { texts::clipped_by_both } else { texts::clipped };
        figures.push(clipped(&format_percent(cost.clipped)));
        figures.push(texts::predicted(&format_number(cost.total())));
    }
    figures.push(match data.report.map(|report| report.ledger_against(LedgerReference::Activation)) {
        Some(measured) => {
            texts::measured(data.t, &format_number(measured.clipping), &format_number(measured.quantization))
        }
        // The sentence keeps its length, so that the plots stay in place.
        None => texts::measured(data.t, "…", "…"),
    });
    figures.push(texts::zero(&format_percent(data.view.zeros)));
    if let [_, _, ..] = data.layer.theta[..] {
        let live = data.layer.theta.iter().copied().filter(|&theta| theta > 0.0);
        let low = live.clone().fold(f32::INFINITY, f32::min);
        let dead = data.layer.theta.len() - live.count();
        let dead = if dead > 0 { texts::never_active(dead) } else { String::new() };
        figures.push(texts::per_channel(
            data.layer.theta.len(),
            &format_number(f64::from(low)),
            &format_number(f64::from(data.view.theta)),
            &dead,
        ));
    }
    figures
}

/// Draws the legend.
fn legend_row(ui: &mut Ui, costs: bool) {
    let plot_colors = crate::ui::theme::colors::plot_colors(ui);
    let activations = [
        (texts::ACTIVATIONS, plot_colors.ann, Mark::Bar),
        (texts::CLIPPED, plot_colors.clipping, Mark::Bar),
        (shared::THRESHOLD, plot_colors.theta, Mark::Line),
        (texts::OTHER_RULES, plot_colors.ghost, Mark::Dashed),
    ];
    let both = [
        (texts::CLIPPING, plot_colors.clipping, Mark::Line),
        (texts::QUANTIZATION, plot_colors.quantization, Mark::Line),
        (texts::BOTH, plot_colors.total, Mark::Line),
        (texts::MINIMUM, plot_colors.total, Mark::Diamond),
    ];
    legend::show(ui, &activations.into_iter().chain(both.into_iter().filter(|_| costs)).collect::<Vec<_>>());
}

fn explanation(data: &PaneData<'_>) -> String {
    let theta = format_number(f64::from(data.theta));
    if data.theta <= 0.0 {
        return texts::no_threshold(&data.layer.name);
    }
    let clipped = data.cost.map_or_else(String::new, |cost| format_percent(cost.clipped));
    let best = data.best.map_or_else(String::new, |best| {
        texts::least(&format_number(f64::from(best.theta)), &format_number(best.total()))
    });
    texts::explanation(
        &theta,
        &data.layer.name,
        &clipped,
        &format_number(f64::from(data.theta) / data.steps as f64),
        &best,
    )
}

/// The histogram, then the predicted errors, as CSV.
fn csv(view: &ThresholdView) -> String {
    let mut text = String::from("from,to,activations\n");
    let width = view.extent / view.histogram.len().max(1) as f32;
    for (k, count) in view.histogram.iter().enumerate() {
        text += &format!("{},{},{count}\n", k as f32 * width, (k + 1) as f32 * width);
    }
    text += "\ntheta,clipping,quantization,total,clipped\n";
    for p in &view.predictions {
        text += &format!("{},{},{},{},{}\n", p.theta, p.clipping, p.quantization, p.total(), p.clipped);
    }
    text
}
