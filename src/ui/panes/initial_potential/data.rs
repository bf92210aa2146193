//! Data of the initial-potential pane, and the drag that changes v(0).

use egui::{CursorIcon, Key, Ui};
use egui_plot::PlotResponse;

use crate::convert::SpikingLayer;
use crate::experiment::Snapshot;
use crate::lab::{ControlGroup, Lab, Message};
use crate::measure::InitialPotentialErrors;

/// Maximum distance to the line, in points, at which a drag grabs it.
const GRIP: f32 = 12.0;

/// Step size of v(0)/θ.
const STEP: f32 = 0.01;

/// Data of the pane, collected once per frame.
pub(super) struct PaneData<'a> {
    pub(super) layer: &'a SpikingLayer,
    pub(super) view: &'a InitialPotentialErrors,
    pub(super) sample: usize,
    /// The requested v(0)/θ. It is ahead of the run while the user drags the line.
    pub(super) p: f32,
    /// A lesson locks v(0).
    pub(super) locked: bool,
}

pub(super) fn pane_data<'a>(snapshot: &'a Snapshot, lab: &Lab) -> Option<PaneData<'a>> {
    let layer = snapshot.run.spiking.layers.get(snapshot.focus.layer)?;
    let sample = snapshot.run.sample_index(snapshot.focus.sample);
    let (p, locked) = (lab.settings.recipe.v_init, lab.is_locked(ControlGroup::VInit));
    Some(PaneData { layer, view: snapshot.initial.as_deref()?, sample, p, locked })
}

/// Handles the drag of the line. A click sets the line there; arrow keys move it while the plot has the focus.
pub(super) fn drag(
    ui: &Ui,
    plot: &PlotResponse<()>,
    data: &PaneData<'_>,
    dragging: &mut bool,
    messages: &mut Vec<Message>,
) {
    if data.locked {
        return;
    }
    let response = &plot.response;
    let line = plot.transform.position_from_point_x(f64::from(data.p));
    let near = |at: egui::Pos2| (at.x - line).abs() <= GRIP;
    let value = |at: egui::Pos2| plot.transform.value_from_position(at).x as f32;
    if response.dragged() && *dragging || response.hover_pos().is_some_and(near) {
        ui.set_cursor_icon(CursorIcon::ResizeHorizontal);
    }
    if response.drag_started() && ui.input(|input| input.pointer.press_origin()).is_some_and(near) {
        *dragging = true;
    }
    if *dragging
        && response.dragged()
        && let Some(at) = response.interact_pointer_pos()
    {
        set(data, value(at), messages);
    }
    if response.drag_stopped() && std::mem::take(dragging) {
        messages.push(Message::EndGesture);
    }
    if response.clicked() {
        response.request_focus();
        if let Some(at) = response.interact_pointer_pos() {
            set(data, value(at), messages);
            messages.push(Message::EndGesture);
        }
    }
    if response.has_focus() {
        let filter = egui::EventFilter { horizontal_arrows: true, ..Default::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
        let by = ui.input(|input| input.num_presses(Key::ArrowRight) as f32 - input.num_presses(Key::ArrowLeft) as f32);
        if by != 0.0 {
            set(data, data.p + by * STEP, messages);
            messages.push(Message::EndGesture);
        }
    }
}

pub(super) fn set(data: &PaneData<'_>, p: f32, messages: &mut Vec<Message>) {
    let p = rounded(p);
    if p != data.p {
        messages.push(Message::SetVInit(p));
    }
}

/// Rounds a fraction of θ to two digits.
pub(super) fn rounded(p: f32) -> f32 {
    if p.is_finite() { (p.clamp(0.0, 1.0) / STEP).round() / (1.0 / STEP) } else { 0.5 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dragged_v_init_stays_between_zero_and_theta() {
        assert_eq!([0.5, -1.0, 9.0, 0.333, f32::NAN].map(rounded), [0.5, 0.0, 1.0, 0.33, 0.5]);
    }
}
