//! Live mismatch: the mismatch of every layer during a run, from the samples finished so far.
//!
//! It covers the bottom of a pane, so that the layout does not move when a run begins or ends.

use egui::{Color32, Pos2, Rect, Sense, Stroke, StrokeKind, Ui, UiBuilder, pos2, vec2};

use crate::experiment::PartialResults;
use crate::lab::Lab;
use crate::measure::LayerReport;
use crate::ui::texts::error_panes::mismatch as texts;
use crate::ui::theme::colors::ui_colors;
use crate::ui::widgets::plot_description;

/// Height in points.
const HEIGHT: f32 = 86.0;

/// Draws the overlay at the bottom of `place` while a run has partial results.
pub fn show(ui: &mut Ui, lab: &Lab, place: Rect) {
    let Some(job) = lab.job.as_ref().filter(|job| job.is_long() && job.partial.mismatch_samples > 0) else { return };
    let partial = &job.partial;
    // The overlay is of the run in progress: it does not fade with the results below it, which it must cover.
    let ui = &mut ui.new_child(UiBuilder::new().max_rect(place));
    ui.set_opacity(1.0);
    let known = lab.run.as_ref().map(|run| run.report.layers.as_slice()).unwrap_or_default();
    let known = if known.len() == partial.mismatch.len() { known } else { &[] };
    let foot = Rect::from_min_max(pos2(place.left(), place.bottom() - HEIGHT), place.max);
    let (colors, visuals) = (ui_colors(ui), ui.visuals());
    let (fill, edge) = (visuals.panel_fill, Stroke::new(1.0, colors.faint));
    ui.painter().rect(foot, 4.0, fill, edge, StrokeKind::Inside);
    let words =
        texts::streaming(partial.samples, partial.of, if known.is_empty() { "" } else { texts::STREAMING_BEFORE });
    let whole = ui.interact(foot, ui.scope_id().with("streaming"), Sense::hover());
    plot_description::describe_plot(&whole, texts::STREAMING, || {
        let values = mismatch_so_far(partial, known);
        let descriptions: Vec<String> =
            values.iter().map(|v| v.map_or("–".into(), crate::ui::texts::format::format_number)).collect();
        format!("{words}. {}.", descriptions.join(", "))
    });
    let mut head = ui.new_child(UiBuilder::new().max_rect(foot.shrink(6.0)));
    head.small(&words);
    let field =
        Rect::from_min_max(pos2(foot.left() + 10.0, head.min_rect().bottom() + 6.0), foot.max - vec2(10.0, 8.0));
    let before: Vec<Option<f64>> = known.iter().map(|layer: &LayerReport| Some(layer.mean_abs_mismatch)).collect();
    let top = before.iter().chain(&partial.mismatch).flatten().copied().fold(f64::MIN_POSITIVE, f64::max);
    curve(ui, field, &before, top, colors.weak);
    curve(ui, field, &mismatch_so_far(partial, known), top, colors.snn);
}

/// Mismatch per layer so far. Unchanged layers keep the mismatch of the known run.
fn mismatch_so_far(partial: &PartialResults, known: &[LayerReport]) -> Vec<Option<f64>> {
    let was = |index: usize| known.get(index).map(|layer| layer.mean_abs_mismatch);
    partial.mismatch.iter().enumerate().map(|(index, now)| now.or_else(|| was(index))).collect()
}

/// Draws points from left to right with a line through them; 0 is at the bottom of `field`, `top` at its top.
fn curve(ui: &Ui, field: Rect, values: &[Option<f64>], top: f64, color: Color32) {
    let step = field.width() / values.len().saturating_sub(1).max(1) as f32;
    let at = |(index, value): (usize, &Option<f64>)| -> Option<Pos2> {
        let height = ((*value)? / top) as f32 * field.height();
        Some(pos2(field.left() + index as f32 * step, field.bottom() - height))
    };
    let points: Vec<Pos2> = values.iter().enumerate().filter_map(at).collect();
    points.iter().for_each(|&point| _ = ui.painter().circle_filled(point, 2.0, color));
    ui.painter().line(points, Stroke::new(1.5, color));
}
