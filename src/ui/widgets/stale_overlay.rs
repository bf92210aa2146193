//! Dims results of earlier settings while newer ones are computed.

use std::sync::Arc;
use std::time::Duration;

use egui::{Id, Ui};

use crate::lab::Lab;

/// Fade time in seconds, so that fast loads do not flicker, and the amount of dimming.
const FADE_SECONDS: f32 = 0.3;
const DIMMING: f32 = 0.65;
/// Results are dimmed once the settings have changed for this long without newer ones.
const PATIENCE: Duration = Duration::from_millis(500);

/// Dims what follows in `ui` if it belongs to replaced settings.
pub fn dim_if_stale(ui: &mut Ui, lab: &Lab) {
    let of_other_files = lab.run.as_ref().is_some_and(|run| run.settings.has_other_sources(&lab.settings));
    let outdated = lab.outdated();
    let old = lab.job.is_some() && (of_other_files || outdated.is_some_and(|time| time >= PATIENCE));
    if let Some(rest) = outdated.and_then(|time| PATIENCE.checked_sub(time)) {
        ui.ctx().request_repaint_after(rest);
    }
    let faded = ui.ctx().animate_bool_with_time(Id::unique("fading"), old, if old { FADE_SECONDS } else { 0.0 });
    ui.multiply_opacity(1.0 - DIMMING * if shows_other_network(lab) { 1.0 } else { faded });
}

/// Whether the snapshot, which most panes show, is still of the network before.
fn shows_other_network(lab: &Lab) -> bool {
    let networks = lab.run.as_ref().zip(lab.snapshot.as_ref());
    networks.is_some_and(|(run, snapshot)| !Arc::ptr_eq(&run.network, &snapshot.run.network))
}
