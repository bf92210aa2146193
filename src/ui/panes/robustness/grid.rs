//! Heat map of the robustness pane: robust accuracy over T and ε, the ANN in the first row.

use egui::{Align2, Color32, FontId, Sense, Ui, pos2, vec2};

use crate::experiment::attacked::RobustnessCurve;
use crate::ui::texts::panes::robustness as texts;
use crate::ui::texts::shared;
use crate::ui::theme::colormap::Colormap;
use crate::ui::theme::colors::ui_colors;
use crate::ui::widgets::plot_description;

/// Height of a row, and width of its name, in points.
const ROW: f32 = 19.0;
const NAME: f32 = 46.0;
/// Widest cell, in points.
const MAX_CELL: f32 = 64.0;

/// Draws the map.
pub fn show(ui: &mut Ui, curve: &RobustnessCurve, has_counts: bool) {
    let (colors, map) = (ui_colors(ui), Colormap::new(ui));
    let rows: Vec<(String, Color32, &[f64])> = std::iter::once((shared::ANN.to_owned(), colors.ann, &*curve.attack[0]))
        .chain(curve.after.iter().map(|(steps, values)| (texts::after(*steps), colors.snn, &**values)))
        .collect();
    let columns = curve.eps.len().max(1);
    ui.small(if has_counts { texts::GRID_COUNTS } else { texts::GRID });
    let cell = ((ui.available_width() - NAME) / columns as f32).min(MAX_CELL);
    let size = vec2(NAME + cell * columns as f32, ROW * (rows.len() + 1) as f32);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let (painter, font) = (ui.painter(), FontId::proportional(11.0));
    for (k, eps) in curve.eps.iter().enumerate() {
        let center = pos2(rect.left() + NAME + (k as f32 + 0.5) * cell, rect.top() + ROW / 2.0);
        painter.text(center, Align2::CENTER_CENTER, texts::radius(*eps, has_counts), font.clone(), colors.weak);
    }
    for (row, (name, color, values)) in rows.iter().enumerate() {
        let top = rect.top() + ROW * (row + 1) as f32;
        painter.text(pos2(rect.left(), top + ROW / 2.0), Align2::LEFT_CENTER, name, font.clone(), *color);
        for (k, value) in values.iter().enumerate() {
            let place = egui::Rect::from_min_size(pos2(rect.left() + NAME + k as f32 * cell, top), vec2(cell, ROW));
            let fill = map.sequential(*value as f32);
            painter.rect_filled(place.shrink(0.5), 1.0, fill);
            let percent = format!("{:.0}", 100.0 * value);
            painter.text(place.center(), Align2::CENTER_CENTER, percent, font.clone(), on(fill));
        }
    }
    plot_description::describe_plot(&response, texts::GRID_NAME, || {
        let row = |(name, _, values): &(String, Color32, &[f64])| {
            let each = curve.eps.iter().zip(*values).map(|(eps, v)| texts::at_eps(*eps, has_counts, name, *v));
            each.collect::<Vec<_>>().join(", ")
        };
        rows.iter().map(row).collect::<Vec<_>>().join("; ")
    });
}

/// Black or white, whichever is readable on `fill`.
fn on(fill: Color32) -> Color32 {
    let light = 0.299 * f32::from(fill.r()) + 0.587 * f32::from(fill.g()) + 0.114 * f32::from(fill.b());
    if light > 130.0 { Color32::BLACK } else { Color32::WHITE }
}
