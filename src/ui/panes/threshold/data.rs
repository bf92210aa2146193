//! Data of the threshold pane, and the drag that changes θ.

use egui::{CursorIcon, Key, Ui};
use egui_plot::PlotResponse;

use crate::convert::SpikingLayer;
use crate::convert::threshold_error::ThresholdError;
use crate::experiment::{Snapshot, ThresholdView};
use crate::lab::{ControlGroup, Lab, Message};
use crate::measure::LayerReport;

/// Maximum distance to the line, in points, at which a drag grabs it.
const GRIP: f32 = 12.0;

/// Minimum θ of a drag, as a fraction of the axis.
pub(super) const MIN_THETA_SHARE: f32 = 1.0 / 200.0;

/// Step of an arrow key, as a fraction of the axis.
const KEY_STEP: f32 = 1.0 / 200.0;

/// Data of the pane, collected once per frame.
pub(super) struct PaneData<'a> {
    pub(super) layer: &'a SpikingLayer,
    pub(super) view: &'a ThresholdView,
    /// Measured figures of the layer; `None` while θ is ahead of the run.
    pub(super) report: Option<&'a LayerReport>,
    /// The requested threshold. It is ahead of the run while the user drags the line.
    pub(super) theta: f32,
    pub(super) by_hand: bool,
    /// A lesson locks the threshold.
    pub(super) locked: bool,
    pub(super) steps: usize,
    /// Step of the time cursor.
    pub(super) t: usize,
    pub(super) cost: Option<ThresholdError>,
    pub(super) best: Option<ThresholdError>,
}

/// UI state of the pane between frames.
#[derive(Clone, Copy)]
pub(super) struct UiState {
    pub(super) log: bool,
    /// Right end of the axis at the start of the drag. The axis does not change during a drag.
    pub(super) dragging: Option<f32>,
    /// Whether the balancing curve is shown instead of the histogram.
    pub(super) shows_balancing: bool,
}

pub(super) fn pane_data<'a>(snapshot: &'a Snapshot, lab: &Lab) -> Option<PaneData<'a>> {
    let layer = snapshot.run.spiking.layers.get(snapshot.focus.layer)?;
    let report = snapshot.report.layers.get(snapshot.focus.layer)?;
    let view = snapshot.threshold.as_deref()?;
    let by_hand = lab.settings.recipe.manual_thresholds.get(&layer.name).copied();
    let theta = by_hand.unwrap_or(view.theta);
    let report = ((theta - view.theta).abs() <= 1e-6 * theta.abs()).then_some(report);
    let cost = at(&view.predictions, theta);
    let best = view.predictions.iter().copied().min_by(|a, b| a.total().total_cmp(&b.total()));
    let (by_hand, locked) = (by_hand.is_some(), lab.is_locked(ControlGroup::Threshold));
    let (steps, t) = (snapshot.run.steps(), snapshot.report.steps);
    Some(PaneData { layer, view, report, theta, by_hand, locked, steps, t, cost, best })
}

/// The prediction at `theta`, interpolated linearly between the two nearest.
pub(super) fn at(predictions: &[ThresholdError], theta: f32) -> Option<ThresholdError> {
    let above = predictions.partition_point(|p| p.theta < theta);
    let (Some(high), Some(low)) =
        (predictions.get(above).or(predictions.last()), predictions.get(above.saturating_sub(1)))
    else {
        return None;
    };
    let span = f64::from(high.theta - low.theta);
    let share = if span > 0.0 { (f64::from(theta - low.theta) / span).clamp(0.0, 1.0) } else { 0.0 };
    let mix = |a: f64, b: f64| a + (b - a) * share;
    Some(ThresholdError {
        theta,
        clipping: mix(low.clipping, high.clipping),
        quantization: mix(low.quantization, high.quantization),
        clipped: mix(low.clipped, high.clipped),
    })
}

pub(super) fn set(data: &PaneData<'_>, theta: f32, messages: &mut Vec<Message>) {
    if theta.is_finite() && theta > 0.0 && theta != data.theta {
        messages.push(Message::SetLayerThreshold { layer: data.layer.name.clone(), theta: Some(theta) });
    }
}

/// Handles the drag of the line; arrow keys move it while the plot has the focus.
pub(super) fn drag(
    ui: &Ui,
    plot: &PlotResponse<()>,
    data: &PaneData<'_>,
    extent: f32,
    ui_state: &mut UiState,
    messages: &mut Vec<Message>,
) {
    if data.locked {
        return;
    }
    let response = &plot.response;
    let line = plot.transform.position_from_point_x(f64::from(data.theta));
    let near = |at: egui::Pos2| (at.x - line).abs() <= GRIP;
    if ui_state.dragging.is_some() || response.hover_pos().is_some_and(near) {
        ui.set_cursor_icon(CursorIcon::ResizeHorizontal);
    }
    if response.drag_started() && ui.input(|input| input.pointer.press_origin()).is_some_and(near) {
        ui_state.dragging = Some(extent);
    }
    if ui_state.dragging.is_some()
        && response.dragged()
        && let Some(at) = response.interact_pointer_pos()
    {
        set(data, dragged_to(plot.transform.value_from_position(at).x, extent), messages);
    }
    if response.drag_stopped() && ui_state.dragging.take().is_some() {
        messages.push(Message::EndGesture);
    }
    if response.clicked() {
        response.request_focus();
    }
    if response.has_focus() {
        let filter = egui::EventFilter { horizontal_arrows: true, ..Default::default() };
        ui.memory_mut(|ui_state| ui_state.set_focus_lock_filter(response.id, filter));
        let by = ui.input(|input| {
            f64::from(input.num_presses(Key::ArrowRight) as f32) - f64::from(input.num_presses(Key::ArrowLeft) as f32)
        });
        if by != 0.0 {
            set(data, dragged_to(f64::from(data.theta + extent * KEY_STEP * by as f32), extent), messages);
            messages.push(Message::EndGesture);
        }
    }
}

/// The threshold for a line dragged to `x`: on the axis, and above zero.
pub(super) fn dragged_to(x: f64, extent: f32) -> f32 {
    (x as f32).clamp(extent * MIN_THETA_SHARE, extent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dragged_threshold_stays_on_the_axis_and_above_zero() {
        assert_eq!([0.5, -1.0, 9.0].map(|x| dragged_to(x, 2.0)), [0.5, 0.01, 2.0]);
    }

    #[test]
    fn interpolated_error_lies_between_its_neighbors() {
        let of = |theta: f32, clipping: f64| ThresholdError { theta, clipping, quantization: 0.0, clipped: clipping };
        let predictions = [of(1.0, 4.0), of(2.0, 2.0)];
        let clipping = |theta| at(&predictions, theta).map(|p| p.clipping);
        assert_eq!([0.5, 1.0, 1.5, 2.0, 3.0].map(clipping), [4.0, 4.0, 3.0, 2.0, 2.0].map(Some));
        assert_eq!(at(&[], 1.0), None);
    }
}
