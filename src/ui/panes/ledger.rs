//! Error ledger: each layer's error as four parts that add up to the total exactly.

use egui::{Align2, CursorIcon, FontId, Rect, ScrollArea, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::lab::{Lab, Message};
use crate::measure::{LayerReport, Ledger, LedgerReference};
use crate::ui::texts::format::{format_number, reference_label};
use crate::ui::texts::layers::PARTS;
use crate::ui::texts::panes::ledger as texts;
use crate::ui::theme::colors::{UiColors, ui_colors};
use crate::ui::types::pane::Pane;
use crate::ui::widgets::pane_parts::PaneHeader;
use crate::ui::widgets::{legend, pane_frame, pane_parts};

const ROW_HEIGHT: f32 = 26.0;
const NAME_WIDTH: f32 = 96.0;
const NUMBER_WIDTH: f32 = 58.0;

/// Drawing options of all rows.
#[derive(Clone, Copy)]
struct LedgerOptions {
    reference: LedgerReference,
    /// Whether errors are relative to the layer's mean activation.
    relative: bool,
    /// The error at either end of the bars.
    reach: f64,
    /// Whether any layer has an activation other than ReLU, so that the user can choose the reference.
    choice: bool,
}

/// Draws the pane.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let Some(snapshot) = &lab.snapshot else {
        return pane_parts::empty(ui, texts::EMPTY);
    };
    let layers = &snapshot.report.layers;
    let relative_id = ui.scope_id().with("relative");
    let mut relative: bool = ui.data(|data| data.get_temp(relative_id)).unwrap_or(true);
    let reference = lab.view.reference;
    let choice = layers.iter().any(|layer| layer.ledger_activation.is_some());
    let page = PaneHeader {
        of: Pane::Ledger,
        title: texts::TITLE,
        explanation: explain(layers, reference, snapshot.report.steps),
        description: describe(layers, reference),
    };
    pane_parts::pane_ui(
        ui,
        &page,
        || csv(layers, reference),
        |ui| {
            ui.horizontal_wrapped(|ui| {
                let colors = ui_colors(ui);
                let entries: Vec<_> = PARTS.iter().copied().zip(colors.parts).collect();
                legend::lines(ui, &entries);
                if !pane_frame::has_controls(ui) {
                    return;
                }
                let toggle = ui.checkbox(&mut relative, texts::RELATIVE);
                toggle.on_hover_text(texts::RELATIVE_HINT);
                if choice {
                    reference_choice(ui, reference, messages);
                }
            });
            ui.data_mut(|data| data.insert_temp(relative_id, relative));
            let mut options = LedgerOptions { reference, relative, reach: 1.0, choice };
            let ends =
                layers.iter().map(|layer| options.side(layer).0.max(options.side(layer).1) * options.scale(layer));
            options.reach = ends.fold(1e-9, f64::max);
            header(ui, options);
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                for (index, layer) in layers.iter().enumerate() {
                    row(ui, layer, options, index == snapshot.focus.layer, &mut || {
                        messages.push(Message::FocusLayer(index));
                    });
                }
            });
        },
    );
}

/// Draws the choice of the reference activation.
fn reference_choice(ui: &mut Ui, now: LedgerReference, messages: &mut Vec<Message>) {
    let choices = [
        (LedgerReference::Activation, texts::AGAINST_A, texts::AGAINST_A_HINT),
        (LedgerReference::Relu, texts::AGAINST_RELU, texts::AGAINST_RELU_HINT),
    ];
    for (reference, name, hint) in choices {
        if ui.selectable_label(now == reference, name).on_hover_text(hint).clicked() {
            messages.push(Message::SetReference(reference));
        }
    }
}

impl LedgerOptions {
    fn scale(self, layer: &LayerReport) -> f64 {
        if self.relative { 1.0 / layer.mean_activation.max(1e-12) } else { 1.0 }
    }
    fn ledger(self, layer: &LayerReport) -> Ledger {
        layer.ledger_against(self.reference)
    }
    /// Sums of the parts below and above zero, as lengths.
    fn side(self, layer: &LayerReport) -> (f64, f64) {
        let parts = self.ledger(layer).parts();
        (-parts.iter().filter(|p| **p < 0.0).sum::<f64>(), parts.iter().filter(|p| **p > 0.0).sum())
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

/// The cells of a row: name, bar, and five numbers if there is room.
fn columns(rect: Rect) -> (Rect, Vec<Rect>) {
    let numbers = match rect.width() {
        w if w > 640.0 => 6,
        w if w > 560.0 => 5,
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

fn header(ui: &mut Ui, options: LedgerOptions) {
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
        n @ 5.. => &texts::COLUMNS[..n],
        _ => &texts::COLUMNS[4..5],
    };
    for (cell, name) in cells.iter().zip(names) {
        ui.painter().text(cell.right_center(), Align2::RIGHT_CENTER, name, font.clone(), color);
    }
}

fn row(ui: &mut Ui, layer: &LayerReport, options: LedgerOptions, focused: bool, focus: &mut dyn FnMut()) {
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
        n if n >= 5 => {
            let all = ledger.parts().into_iter().chain([ledger.total, layer.propagated_by_rerun]);
            all.take(n).collect()
        }
        _ => vec![ledger.total],
    };
    for (cell, value) in cells.iter().zip(values) {
        let text = format_figure(value, scale, options.relative);
        painter.text(cell.right_center(), Align2::RIGHT_CENTER, text, FontId::monospace(11.0), colors.text);
    }
    let lines = ledger.parts().iter().zip(texts::MEANINGS).map(|(v, m)| format!("{v:+.5}  {m}\n")).collect::<String>();
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

fn csv(layers: &[LayerReport], reference: LedgerReference) -> String {
    let mut text = String::from(
        "layer,reference,carried_in,clipping,quantisation,unevenness,total,carried_in_by_rerun,mean_activation\n",
    );
    for layer in layers {
        let ledger = layer.ledger_against(reference);
        let [a, b, c, d] = ledger.parts();
        let (total, rerun, against) = (ledger.total, layer.propagated_by_rerun, reference_label(layer, reference));
        text += &format!("{},{against},{a},{b},{c},{d},{total},{rerun},{}\n", layer.name, layer.mean_activation);
    }
    text
}

/// Formats the figure beside a bar. A value that rounds to zero has no sign.
fn format_figure(value: f64, scale: f64, relative: bool) -> String {
    let text = if relative { format!("{:+.1} %", value * scale * 100.0) } else { format!("{value:+.4}") };
    if text.contains(|digit: char| ('1'..='9').contains(&digit)) { text } else { text.replace(['+', '-'], "") }
}

/// The layer with the largest relative error, and its largest part.
fn largest_relative_error(layers: &[LayerReport], reference: LedgerReference) -> Option<(&LayerReport, Ledger, usize)> {
    let size = |layer: &LayerReport| layer.ledger_against(reference).total.abs() / layer.mean_activation.max(1e-12);
    let layer = layers.iter().max_by(|a, b| size(a).total_cmp(&size(b)))?;
    let ledger = layer.ledger_against(reference);
    let parts = ledger.parts();
    let part = (0..4).max_by(|&a, &b| parts[a].abs().total_cmp(&parts[b].abs()))?;
    Some((layer, ledger, part))
}

fn explain(layers: &[LayerReport], reference: LedgerReference, t: usize) -> String {
    let Some((layer, ledger, part)) = largest_relative_error(layers, reference) else { return String::new() };
    let own = layers.iter().any(|layer| layer.ledger_activation.is_some());
    let against = match reference {
        LedgerReference::Activation if own => texts::OWN_ACTIVATION,
        LedgerReference::Relu if own => texts::RELU_ALTHOUGH,
        _ => texts::RELU_OF_ANN,
    };
    texts::explanation(
        t,
        against,
        &layer.name,
        &format_number(ledger.total),
        &format_number(layer.mean_activation),
        texts::MEANINGS[part],
    )
}

fn describe(layers: &[LayerReport], reference: LedgerReference) -> String {
    let one = |layer: &LayerReport| {
        let ledger = layer.ledger_against(reference);
        let parts = ledger
            .parts()
            .iter()
            .zip(PARTS)
            .map(|(v, name)| format!("{name} {}", format_number(*v)))
            .collect::<Vec<_>>();
        texts::layer(&layer.name, &parts.join(", "), &format_number(ledger.total))
    };
    let against = layers.first().map_or(texts::RELU, |layer| reference_label(layer, reference));
    texts::description(against, &layers.iter().map(one).collect::<Vec<_>>().join(". "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_round_to_zero_have_no_sign() {
        assert_eq!(format_figure(-0.0004, 1.0, true), "0.0 %");
        assert_eq!(format_figure(-0.0123, 2.0, true), "-2.5 %");
        assert_eq!(format_figure(0.5, 1.0, false), "+0.5000");
    }
}
