//! Bars of the error ledger: the axis, and one row of parts and figures per layer.

use egui::{Align2, CursorIcon, FontId, Rect, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::ground::numbers::{signed, signed_percent};
use crate::measure::{LayerReport, Ledger, LedgerReference};
use crate::ui::texts::error_panes::ledger as texts;
use crate::ui::texts::format::{format_number, format_tick, reference_label};
use crate::ui::theme::colors::{UiColors, ui_colors};
use crate::ui::widgets::pane_parts;

const ROW_HEIGHT: f32 = 26.0;
const NAME_WIDTH: f32 = 96.0;
const NUMBER_WIDTH: f32 = 58.0;

/// Drawing options of all rows.
#[derive(Clone, Copy)]
pub(super) struct LedgerOptions {
    pub(super) reference: LedgerReference,
    /// Whether errors are relative to the layer's mean activation.
    pub(super) relative: bool,
    /// The error at either end of the bars.
    pub(super) reach: f64,
    /// Whether any layer has an activation other than ReLU, so that the user can choose the reference.
    pub(super) choice: bool,
}

/// The error at the ends of the bars: a round number that has room for every layer. It does not change while the
/// pointer is down, except to make room, so that a drag shows how the errors change.
pub(super) fn held_reach(ui: &Ui, layers: &[LayerReport], options: LedgerOptions) -> f64 {
    let ends = layers.iter().map(|layer| options.side(layer).0.max(options.side(layer).1) * options.scale(layer));
    let needed = round_up(ends.fold(1e-9, f64::max));
    let id = ui.scope_id().with("ends of the bars");
    let held: Option<(bool, f64)> = ui.data(|data| data.get_temp(id));
    let held = held.filter(|(relative, _)| *relative == options.relative && ui.input(|input| input.pointer.any_down()));
    let reach = held.map_or(needed, |(_, reach)| reach.max(needed));
    ui.data_mut(|data| data.insert_temp(id, (options.relative, reach)));
    reach
}

/// The next of 1, 1.5, 2, 3, 5 and 7 times a power of ten.
fn round_up(value: f64) -> f64 {
    let power = 10f64.powf(value.log10().floor());
    [1.0, 1.5, 2.0, 3.0, 5.0, 7.0].into_iter().map(|k| k * power).find(|end| *end >= value).unwrap_or(10.0 * power)
}

impl LedgerOptions {
    pub(super) fn scale(self, layer: &LayerReport) -> f64 {
        if self.relative { 1.0 / layer.mean_activation.max(1e-12) } else { 1.0 }
    }
    pub(super) fn ledger(self, layer: &LayerReport) -> Ledger {
        layer.ledger_against(self.reference)
    }
    /// Sums of the parts below and above zero, as lengths.
    fn side(self, layer: &LayerReport) -> (f64, f64) {
        let parts = self.ledger(layer).parts();
        (-parts.iter().filter(|p| **p < 0.0).sum::<f64>(), parts.iter().filter(|p| **p > 0.0).sum())
    }
    /// Round errors within the bars, for an axis `width` points wide.
    fn marks(self, width: f32) -> Vec<f64> {
        let marks = pane_parts::round_marks((-self.reach, self.reach), f64::from(width / 60.0).clamp(2.0, 10.0));
        marks.into_iter().map(|mark| mark.value).collect()
    }
    /// Where `error` lies in the bars.
    fn place(self, bar: Rect, error: f64) -> f32 {
        bar.center().x + (error / self.reach) as f32 * bar.width() / 2.0
    }
    /// The quantity of the bars, as a formula.
    fn formula(self) -> &'static str {
        if self.choice && self.reference == LedgerReference::Activation {
            texts::ERROR_OF_A
        } else {
            texts::ERROR_OF_RELU
        }
    }
}

/// The cells of a row: name, bar, and six numbers if there is room.
fn columns(rect: Rect) -> (Rect, Vec<Rect>) {
    let numbers = match rect.width() {
        w if w > 700.0 => 7,
        w if w > 620.0 => 6,
        _ => 1,
    };
    let left = rect.right() - numbers as f32 * NUMBER_WIDTH;
    let bar =
        Rect::from_min_max(pos2(rect.left() + NAME_WIDTH, rect.top() + 5.0), pos2(left - 6.0, rect.bottom() - 5.0));
    let cell = |k: usize| {
        let x = left + k as f32 * NUMBER_WIDTH;
        Rect::from_min_max(pos2(x, rect.top()), pos2(x + NUMBER_WIDTH - 6.0, rect.bottom()))
    };
    (bar, (0..numbers).map(cell).collect())
}

/// Draws the names of the columns, and below them the numbers of the axis.
pub(super) fn header(ui: &mut Ui, options: LedgerOptions) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 16.0), Sense::hover());
    let (bar, cells) = columns(rect);
    let (font, color) = (FontId::proportional(10.5), ui.visuals().weak_text_color());
    let unit = if options.relative { texts::SHARE_OF_MEAN } else { texts::UNITS };
    let formula = options.formula();
    let words = [texts::scale(formula, unit), texts::scale_short(formula), formula.to_owned()];
    // The longest text that has room beside the name and the numbers.
    let galleys = words.map(|words| ui.painter().layout_no_wrap(words, font.clone(), color));
    let fits = galleys.iter().find(|galley| galley.size().x <= bar.width());
    if let Some(galley) = fits.or(galleys.last()) {
        ui.painter().galley(bar.center() - galley.size() / 2.0, galley.clone(), color);
    }
    let names = match cells.len() {
        n @ 6.. => &texts::COLUMNS[..n],
        _ => &texts::COLUMNS[5..6],
    };
    for (cell, name) in cells.iter().zip(names) {
        ui.painter().text(cell.right_center(), Align2::RIGHT_CENTER, name, font.clone(), color);
    }
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 13.0), Sense::hover());
    let (bar, _) = columns(rect);
    for mark in options.marks(bar.width()) {
        let x = options.place(bar, mark);
        let sign = if mark > 0.0 { "+" } else { "" };
        let (number, unit) = if options.relative { (mark * 100.0, " %") } else { (mark, "") };
        let words = format!("{sign}{}{unit}", format_tick(number));
        ui.painter().text(pos2(x, rect.center().y), Align2::CENTER_CENTER, words, font.clone(), color);
    }
}

pub(super) fn row(ui: &mut Ui, layer: &LayerReport, options: LedgerOptions, focused: bool, focus: &mut dyn FnMut()) {
    let (ledger, scale) = (options.ledger(layer), options.scale(layer));
    let colors: UiColors = ui_colors(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW_HEIGHT), Sense::click());
    let (bar, cells) = columns(rect);
    let painter = ui.painter_at(rect);
    if focused {
        painter.rect_filled(rect, 3.0, colors.accent.gamma_multiply(0.18));
    } else if response.hovered() {
        painter.rect_filled(rect, 3.0, ui.visuals().faint_bg_color);
    }
    let name_room = Rect::from_min_max(rect.min, pos2(bar.left() - 4.0, rect.bottom()));
    ui.painter_at(name_room).text(
        name_room.left_center() + vec2(4.0, 0.0),
        Align2::LEFT_CENTER,
        &layer.name,
        FontId::proportional(12.0),
        colors.text,
    );
    for mark in options.marks(bar.width()) {
        painter.vline(options.place(bar, mark), rect.y_range(), Stroke::new(1.0, colors.faint));
    }
    let middle = bar.center().x;
    let unit = f64::from(bar.width()) / 2.0 / options.reach;
    let (mut low, mut high) = (middle, middle);
    for (part, color) in ledger.parts().into_iter().zip(colors.parts) {
        let length = (part.abs() * scale * unit) as f32;
        let piece = if part < 0.0 {
            low -= length;
            Rect::from_min_max(pos2(low, bar.top()), pos2(low + length, bar.bottom()))
        } else {
            high += length;
            Rect::from_min_max(pos2(high - length, bar.top()), pos2(high, bar.bottom()))
        };
        painter.rect_filled(piece, 0.0, color);
    }
    painter.vline(middle, rect.y_range(), Stroke::new(1.0, colors.weak));
    let total = middle + (ledger.total * scale * unit) as f32;
    painter.vline(total, bar.y_range().expand(3.0), Stroke::new(2.0, colors.text));
    let values: Vec<f64> = match cells.len() {
        n if n >= 6 => {
            let all = ledger.parts().into_iter().chain([ledger.total, layer.propagated_by_rerun]);
            all.take(n).collect()
        }
        _ => vec![ledger.total],
    };
    for (cell, value) in cells.iter().zip(values) {
        let text = format_figure(value, scale, options.relative);
        painter.text(cell.right_center(), Align2::RIGHT_CENTER, text, FontId::monospace(11.0), colors.text);
    }
    let lines = ledger
        .parts()
        .iter()
        .zip(texts::MEANINGS)
        .map(|(v, m)| format!("{}  {m}\n", signed(*v, 5)))
        .collect::<String>();
    let hover = texts::hover(
        &layer.name,
        &lines,
        ledger.total,
        reference_label(layer, options.reference),
        layer.propagated_by_rerun,
    );
    let label = texts::row(&layer.name, &format_number(ledger.total));
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, &label));
    response.ctx.accesskit_node_builder(response.id, |node| node.set_description(hover.clone()));
    if response.on_hover_cursor(CursorIcon::PointingHand).on_hover_text(hover).clicked() {
        focus();
    }
}

/// Formats the figure beside a bar. A value that rounds to zero has no sign.
fn format_figure(value: f64, scale: f64, relative: bool) -> String {
    if relative { signed_percent(value * scale, 1) } else { signed(value, 4) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_the_bars_are_round_and_have_room() {
        assert_eq!([0.4, 1.0, 1.2, 8.0, 0.072].map(round_up), [0.5, 1.0, 1.5, 10.0, 0.1]);
    }

    #[test]
    fn values_that_round_to_zero_have_no_sign() {
        assert_eq!(format_figure(-0.0004, 1.0, true), "0.0 %");
        assert_eq!(format_figure(-0.0123, 2.0, true), "-2.5 %");
        assert_eq!(format_figure(0.5, 1.0, false), "+0.5000");
    }
}
