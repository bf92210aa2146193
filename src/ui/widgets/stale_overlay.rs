//! While another network or other data are opened, what is on the screen is of those before: it fades.

use egui::{Id, Ui};

use crate::lab::Lab;

/// In how many seconds it fades, so that what opens at once does not flicker, and how much.
const SECONDS: f32 = 1.0;
const SHARE: f32 = 0.65;

/// Draws what follows in `ui` as what is no longer meant, if it is not.
pub fn dim_if_stale(ui: &mut Ui, lab: &Lab) {
    let old = lab.job.is_some() && lab.run.as_ref().is_some_and(|run| run.settings.has_other_sources(&lab.settings));
    let faded = ui.ctx().animate_bool_with_time(Id::unique("fading"), old, if old { SECONDS } else { 0.0 });
    ui.multiply_opacity(1.0 - SHARE * faded);
}
