//! Dims old results while a new network or data set loads.

use egui::{Id, Ui};

use crate::lab::Lab;

/// Fade time in seconds, so that fast loads do not flicker, and the amount of dimming.
const FADE_SECONDS: f32 = 1.0;
const DIMMING: f32 = 0.65;

/// Dims what follows in `ui` if it belongs to replaced settings.
pub fn dim_if_stale(ui: &mut Ui, lab: &Lab) {
    let old = lab.job.is_some() && lab.run.as_ref().is_some_and(|run| run.settings.has_other_sources(&lab.settings));
    let faded = ui.ctx().animate_bool_with_time(Id::unique("fading"), old, if old { FADE_SECONDS } else { 0.0 });
    ui.multiply_opacity(1.0 - DIMMING * faded);
}
