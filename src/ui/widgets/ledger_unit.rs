//! Unit of the error parts, the same in the error ledger and in the layer strip.

use egui::{Context, Id};

use crate::ground::numbers::{signed, signed_percent};
use crate::measure::LayerReport;

fn id() -> Id {
    Id::unique("errors are relative")
}

/// Whether errors are shown relative to the mean activation of their layer.
pub fn is_relative(ctx: &Context) -> bool {
    ctx.data(|data| data.get_temp(id())).unwrap_or(true)
}

/// Shows errors relative to the mean activation, or in activation units.
pub fn set_relative(ctx: &Context, relative: bool) {
    ctx.data_mut(|data| data.insert_temp(id(), relative));
}

/// The factor from activation units to the unit that is shown.
pub fn scale(ctx: &Context, layer: &LayerReport) -> f64 {
    if is_relative(ctx) { 1.0 / layer.mean_activation.max(1e-12) } else { 1.0 }
}

/// A signed error of `layer` in the unit that is shown.
pub fn format(ctx: &Context, layer: &LayerReport, error: f64) -> String {
    if is_relative(ctx) { signed_percent(error * scale(ctx, layer), 2) } else { signed(error, 4) }
}
