//! The threshold of the layer in focus: what its activations are, what θ cuts off, and what each θ would cost. The line is
//! dragged; the run follows.

mod balancing_curve;
mod plots;

use egui::{CursorIcon, DragValue, Key, Ui};
use egui_plot::PlotResponse;
use plots::{costs, histogram};

use crate::convert::SpikingLayer;
use crate::convert::threshold_error::Prediction;
use crate::experiment::{Snapshot, ThresholdView};
use crate::lab::{Control, Lab, Message};
use crate::measure::{LayerReport, Reference};
use crate::ui::texts::format::{format_number, format_percent};
use crate::ui::texts::panes::threshold as texts;
use crate::ui::texts::shared;
use crate::ui::types::pane::Pane;
use crate::ui::widgets::pane_parts::Page;
use crate::ui::widgets::{pane_frame, pane_parts};

/// How near to the line, in points, a drag takes hold of it.
const GRIP: f32 = 12.0;
/// θ may be dragged down to this share of the axis.
const LEAST: f32 = 1.0 / 200.0;
/// From this height on there is room for the costs under the histogram.
const BOTH_HEIGHT: f32 = 250.0;
/// How much of the axis an arrow key moves θ by.
const NUDGE: f32 = 1.0 / 200.0;

/// What the pane shows, put together once a frame.
struct Sight<'a> {
    layer: &'a SpikingLayer,
    view: &'a ThresholdView,
    report: &'a LayerReport,
    /// The threshold as it is wished for now: ahead of the run while the line is dragged.
    theta: f32,
    by_hand: bool,
    /// A lesson keeps the threshold to itself.
    locked: bool,
    steps: usize,
    /// The time cursor.
    t: usize,
    cost: Option<Prediction>,
    best: Option<Prediction>,
}

/// What is remembered between frames.
#[derive(Clone, Copy)]
struct Memory {
    log: bool,
    /// The right end of the axis when the drag began; it must not move under the hand.
    dragging: Option<f32>,
    /// The rise of balanced thresholds is shown instead of the histogram.
    rise: bool,
}

/// Draws the pane.
pub fn show(ui: &mut Ui, lab: &Lab, out: &mut Vec<Message>) {
    let sight = lab.snapshot.as_deref().and_then(|snapshot| sight(snapshot, lab));
    let Some(sight) = sight else {
        if lab.snapshot.is_some() {
            return pane_parts::counting(ui);
        }
        return pane_parts::empty(ui, texts::EMPTY);
    };
    let id = ui.scope_id().with("threshold pane");
    let mut memory = ui.data(|data| data.get_temp(id)).unwrap_or(Memory { log: true, dragging: None, rise: false });
    let words = explanation(&sight);
    let page = Page { of: Pane::Threshold, title: texts::TITLE, description: words.clone(), explanation: words };
    pane_parts::page(
        ui,
        &page,
        || csv(sight.view),
        |ui| {
            ui.add_enabled_ui(!sight.locked, |ui| controls(ui, &sight, &mut memory, out));
            if let Some(rise) = balancing_curve::of(lab) {
                if !rise.live && pane_frame::has_controls(ui) {
                    let hint = texts::RISE_HINT;
                    ui.checkbox(&mut memory.rise, texts::RISE).on_hover_text(hint);
                }
                if rise.live || memory.rise {
                    balancing_curve::show(ui, lab, &rise, ui.available_height() - 24.0, out);
                    return;
                }
            }
            let extent = memory.dragging.unwrap_or(sight.view.extent);
            let height = ui.available_height();
            // In little room the histogram stands alone: the minimum of the costs is still on its button.
            let both = height >= BOTH_HEIGHT;
            key(ui, both);
            let height = (ui.available_height() - ui.spacing().item_spacing.y).max(90.0);
            histogram(ui, &sight, extent, if both { height * 0.5 } else { height }, !both, &mut memory, out);
            if both {
                costs(ui, &sight, extent, height * 0.5, &mut memory, out);
            }
        },
    );
    ui.data_mut(|data| data.insert_temp(id, memory));
}

fn sight<'a>(snapshot: &'a Snapshot, lab: &Lab) -> Option<Sight<'a>> {
    let layer = snapshot.run.spiking.layers.get(snapshot.focus.layer)?;
    let report = snapshot.report.layers.get(snapshot.focus.layer)?;
    let view = snapshot.threshold.as_deref()?;
    let by_hand = lab.settings.recipe.by_hand.get(&layer.name).copied();
    let theta = by_hand.unwrap_or(view.theta);
    let cost = at(&view.predictions, theta);
    let best = view.predictions.iter().copied().min_by(|a, b| a.total().total_cmp(&b.total()));
    let (by_hand, locked) = (by_hand.is_some(), lab.locked(Control::Threshold));
    let (steps, t) = (snapshot.run.steps(), snapshot.report.steps);
    Some(Sight { layer, view, report, theta, by_hand, locked, steps, t, cost, best })
}

/// The prediction at `theta`, linear between the two nearest.
fn at(predictions: &[Prediction], theta: f32) -> Option<Prediction> {
    let above = predictions.partition_point(|p| p.theta < theta);
    let (Some(high), Some(low)) =
        (predictions.get(above).or(predictions.last()), predictions.get(above.saturating_sub(1)))
    else {
        return None;
    };
    let span = f64::from(high.theta - low.theta);
    let share = if span > 0.0 { (f64::from(theta - low.theta) / span).clamp(0.0, 1.0) } else { 0.0 };
    let mix = |a: f64, b: f64| a + (b - a) * share;
    Some(Prediction {
        theta,
        clipping: mix(low.clipping, high.clipping),
        quantization: mix(low.quantization, high.quantization),
        clipped: mix(low.clipped, high.clipped),
    })
}

/// θ as a number, back to the rule, and the figures that belong to it.
fn controls(ui: &mut Ui, sight: &Sight<'_>, memory: &mut Memory, out: &mut Vec<Message>) {
    ui.horizontal_wrapped(|ui| {
        ui.strong(&sight.layer.name);
        if !pane_frame::has_controls(ui) {
            ui.label(format!("θ = {}", format_number(f64::from(sight.theta))));
            return;
        }
        let mut theta = sight.theta;
        let extent = sight.view.extent;
        let field = DragValue::new(&mut theta).speed(extent / 400.0).range(extent * LEAST..=f32::MAX).prefix("θ ");
        let field = ui.add(field.max_decimals(5)).on_hover_text(texts::FIELD_HINT);
        if field.changed() {
            set(sight, theta, out);
        }
        if field.drag_stopped() || field.lost_focus() {
            out.push(Message::EndGesture);
        }
        let back = egui::Button::new(texts::BACK);
        let hint = texts::BACK_HINT;
        if ui.add_enabled(sight.by_hand, back).on_hover_text(hint).clicked() {
            out.push(Message::SetLayerThreshold { layer: sight.layer.name.clone(), theta: None });
            out.push(Message::EndGesture);
        }
        if let Some(best) = sight.best {
            let hint = texts::MINIMUM_HINT;
            if ui.button(texts::minimum(&format_number(f64::from(best.theta)))).on_hover_text(hint).clicked() {
                set(sight, best.theta, out);
                out.push(Message::EndGesture);
            }
        }
        ui.checkbox(&mut memory.log, texts::LOG);
    });
    if pane_frame::has_words(ui) {
        ui.add(egui::Label::new(figures(sight).join(" · ")).wrap());
    }
}

/// The figures at θ, each a few words.
fn figures(sight: &Sight<'_>) -> Vec<String> {
    let mut figures = vec![texts::step(&format_number(f64::from(sight.theta) / sight.steps as f64))];
    if let Some(cost) = sight.cost {
        let own = sight.layer.activation.lambda().is_some_and(|lambda| lambda <= sight.theta * 1.0001);
        let clipped = if own { texts::clipped_by_both } else { texts::clipped };
        figures.push(clipped(&format_percent(cost.clipped)));
        figures.push(texts::predicted(&format_number(cost.total())));
    }
    let measured = sight.report.ledger_against(Reference::Activation);
    figures.push(texts::measured(sight.t, &format_number(measured.clipping), &format_number(measured.quantization)));
    figures.push(texts::zero(&format_percent(sight.view.zeros)));
    if let [_, _, ..] = sight.layer.theta[..] {
        let live = sight.layer.theta.iter().copied().filter(|&theta| theta > 0.0);
        let low = live.clone().fold(f32::INFINITY, f32::min);
        let dead = sight.layer.theta.len() - live.count();
        let dead = if dead > 0 { texts::never_active(dead) } else { String::new() };
        figures.push(texts::per_channel(
            sight.layer.theta.len(),
            &format_number(f64::from(low)),
            &format_number(f64::from(sight.view.theta)),
            &dead,
        ));
    }
    figures
}

fn set(sight: &Sight<'_>, theta: f32, out: &mut Vec<Message>) {
    if theta.is_finite() && theta > 0.0 && theta != sight.theta {
        out.push(Message::SetLayerThreshold { layer: sight.layer.name.clone(), theta: Some(theta) });
    }
}

/// What the colors mean.
fn key(ui: &mut Ui, costs: bool) {
    let ink = crate::ui::theme::colors::ink(ui);
    let activations = [(texts::ACTIVATIONS, ink.ann), (texts::CLIPPED, ink.clipping), (shared::THRESHOLD, ink.theta)];
    let both = [(texts::QUANTIZATION, ink.quantization), (texts::BOTH, ink.total)];
    pane_parts::legend(ui, &activations.into_iter().chain(both.into_iter().filter(|_| costs)).collect::<Vec<_>>());
}

/// Takes hold of the line, moves it and lets go of it; arrow keys move it where the plot has the focus.
fn drag(ui: &Ui, plot: &PlotResponse<()>, sight: &Sight<'_>, extent: f32, memory: &mut Memory, out: &mut Vec<Message>) {
    if sight.locked {
        return;
    }
    let response = &plot.response;
    let line = plot.transform.position_from_point_x(f64::from(sight.theta));
    let near = |at: egui::Pos2| (at.x - line).abs() <= GRIP;
    if memory.dragging.is_some() || response.hover_pos().is_some_and(near) {
        ui.set_cursor_icon(CursorIcon::ResizeHorizontal);
    }
    if response.drag_started() && ui.input(|input| input.pointer.press_origin()).is_some_and(near) {
        memory.dragging = Some(extent);
    }
    if memory.dragging.is_some()
        && response.dragged()
        && let Some(at) = response.interact_pointer_pos()
    {
        set(sight, dragged_to(plot.transform.value_from_position(at).x, extent), out);
    }
    if response.drag_stopped() && memory.dragging.take().is_some() {
        out.push(Message::EndGesture);
    }
    if response.clicked() {
        response.request_focus();
    }
    if response.has_focus() {
        let filter = egui::EventFilter { horizontal_arrows: true, ..Default::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
        let by = ui.input(|input| {
            f64::from(input.num_presses(Key::ArrowRight) as f32) - f64::from(input.num_presses(Key::ArrowLeft) as f32)
        });
        if by != 0.0 {
            set(sight, dragged_to(f64::from(sight.theta + extent * NUDGE * by as f32), extent), out);
            out.push(Message::EndGesture);
        }
    }
}

/// The threshold for a line that was dragged to `x`: on the axis, and above zero.
fn dragged_to(x: f64, extent: f32) -> f32 {
    (x as f32).clamp(extent * LEAST, extent)
}

fn explanation(sight: &Sight<'_>) -> String {
    let theta = format_number(f64::from(sight.theta));
    if sight.theta <= 0.0 {
        return texts::no_threshold(&sight.layer.name);
    }
    let clipped = sight.cost.map_or_else(String::new, |cost| format_percent(cost.clipped));
    let best = sight.best.map_or_else(String::new, |best| {
        texts::least(&format_number(f64::from(best.theta)), &format_number(best.total()))
    });
    texts::explanation(
        &theta,
        &sight.layer.name,
        &clipped,
        &format_number(f64::from(sight.theta) / sight.steps as f64),
        &best,
    )
}

/// The histogram, then the costs.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dragged_line_stays_on_the_axis_and_above_zero() {
        assert_eq!([0.5, -1.0, 9.0].map(|x| dragged_to(x, 2.0)), [0.5, 0.01, 2.0]);
    }

    #[test]
    fn costs_between_two_predictions_lie_between_them() {
        let of = |theta: f32, clipping: f64| Prediction { theta, clipping, quantization: 0.0, clipped: clipping };
        let predictions = [of(1.0, 4.0), of(2.0, 2.0)];
        let clipping = |theta| at(&predictions, theta).map(|p| p.clipping);
        assert_eq!([0.5, 1.0, 1.5, 2.0, 3.0].map(clipping), [4.0, 4.0, 3.0, 2.0, 2.0].map(Some));
        assert_eq!(at(&[], 1.0), None);
    }

    #[test]
    fn logarithmic_axes_name_whole_powers_only() {
        assert_eq!([-0.3, 0.0, 0.5, 2.0, 5.0].map(plots::power), ["", "1", "", "100", "1e5"]);
    }
}
