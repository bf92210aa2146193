//! Where the error comes from, layer by layer: four parts that add up to the whole, exactly.

use egui::{Align2, CursorIcon, FontId, Rect, ScrollArea, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::parts::{self, Page, number};
use crate::lab::{Lab, Message};
use crate::measure::LayerReport;
use crate::ui::layer_strip::PARTS;
use crate::ui::tones::{Tones, tones};

/// What each part means, in the order of the ledger.
const MEANINGS: [&str; 4] = [
    "carried in: the layers before sent another mean input than in the ANN",
    "clipping: a neuron cannot answer more than its threshold",
    "quantisation: in T steps the answer moves in steps of θ/T",
    "unevenness: the order in which spikes arrive changes the count",
];
const ROW: f32 = 26.0;
const NAME: f32 = 96.0;
const NUMBER: f32 = 58.0;

/// Draws the pane.
pub fn show(ui: &mut Ui, lab: &Lab, out: &mut Vec<Message>) {
    let Some(snapshot) = &lab.snapshot else {
        return parts::empty(ui, "The error of each layer appears when the first run is through.");
    };
    let layers = &snapshot.report.layers;
    let relative_id = ui.scope_id().with("relative");
    let mut relative: bool = ui.data(|data| data.get_temp(relative_id)).unwrap_or(true);
    let page = Page {
        title: "Where the error comes from",
        explanation: explain(layers, snapshot.report.steps),
        description: describe(layers),
    };
    parts::page(
        ui,
        &page,
        || csv(layers),
        |ui| {
            ui.horizontal_wrapped(|ui| {
                let tones = tones(ui);
                let entries: Vec<_> = PARTS.iter().copied().zip(tones.parts).collect();
                parts::legend(ui, &entries);
                let toggle = ui.checkbox(&mut relative, "relative to the mean activation");
                toggle.on_hover_text(
                    "Divides each layer's error by its mean ANN activation, so that layers can be compared",
                );
            });
            ui.data_mut(|data| data.insert_temp(relative_id, relative));
            let scale = |layer: &LayerReport| if relative { 1.0 / layer.mean_activation.max(1e-12) } else { 1.0 };
            let reach = layers.iter().map(|layer| side(layer).0.max(side(layer).1) * scale(layer)).fold(1e-9, f64::max);
            header(ui, relative);
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                for (index, layer) in layers.iter().enumerate() {
                    row(ui, layer, scale(layer), reach, index == snapshot.focus.layer, relative, &mut || {
                        out.push(Message::FocusLayer(index));
                    });
                }
            });
        },
    );
}

/// Sums of the parts below and above zero, as lengths.
fn side(layer: &LayerReport) -> (f64, f64) {
    let parts = layer.ledger.parts();
    (-parts.iter().filter(|p| **p < 0.0).sum::<f64>(), parts.iter().filter(|p| **p > 0.0).sum())
}

/// The places of a row: name, bar, and five numbers where there is room.
fn columns(rect: Rect) -> (Rect, Vec<Rect>) {
    let numbers = match rect.width() {
        w if w > 640.0 => 6,
        w if w > 560.0 => 5,
        _ => 1,
    };
    let left = rect.right() - numbers as f32 * NUMBER;
    let bar = Rect::from_min_max(pos2(rect.left() + NAME, rect.top() + 5.0), pos2(left - 6.0, rect.bottom() - 5.0));
    let cell = |k: usize| {
        let x = left + k as f32 * NUMBER;
        Rect::from_min_max(pos2(x, rect.top()), pos2(x + NUMBER - 6.0, rect.bottom()))
    };
    (bar, (0..numbers).map(cell).collect())
}

fn header(ui: &mut Ui, relative: bool) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 16.0), Sense::hover());
    let (bar, cells) = columns(rect);
    let (font, colour) = (FontId::proportional(10.5), ui.visuals().weak_text_color());
    let unit = if relative { "share of the mean activation" } else { "units of activation" };
    ui.painter().text(
        bar.center(),
        Align2::CENTER_CENTER,
        format!("too little  |  φ − ReLU(z), {unit}  |  too much"),
        font.clone(),
        colour,
    );
    let names: Vec<&str> = match cells.len() {
        6 => vec!["carried", "clipped", "quantised", "uneven", "total", "re-run"],
        5 => vec!["carried", "clipped", "quantised", "uneven", "total"],
        _ => vec!["total"],
    };
    for (cell, name) in cells.iter().zip(names) {
        ui.painter().text(cell.right_center(), Align2::RIGHT_CENTER, name, font.clone(), colour);
    }
}

fn row(
    ui: &mut Ui,
    layer: &LayerReport,
    scale: f64,
    reach: f64,
    focused: bool,
    relative: bool,
    focus: &mut dyn FnMut(),
) {
    let tones: Tones = tones(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
    let (bar, cells) = columns(rect);
    let painter = ui.painter_at(rect);
    if focused {
        painter.rect_filled(rect, 3.0, tones.accent.gamma_multiply(0.18));
    } else if response.hovered() {
        painter.rect_filled(rect, 3.0, ui.visuals().faint_bg_color);
    }
    let name_room = Rect::from_min_max(rect.min, pos2(bar.left() - 4.0, rect.bottom()));
    ui.painter_at(name_room).text(
        name_room.left_center() + vec2(4.0, 0.0),
        Align2::LEFT_CENTER,
        &layer.name,
        FontId::proportional(12.0),
        tones.text,
    );
    let middle = bar.center().x;
    let unit = f64::from(bar.width()) / 2.0 / reach;
    let (mut low, mut high) = (middle, middle);
    for (part, colour) in layer.ledger.parts().into_iter().zip(tones.parts) {
        let length = (part.abs() * scale * unit) as f32;
        let piece = if part < 0.0 {
            low -= length;
            Rect::from_min_max(pos2(low, bar.top()), pos2(low + length, bar.bottom()))
        } else {
            high += length;
            Rect::from_min_max(pos2(high - length, bar.top()), pos2(high, bar.bottom()))
        };
        painter.rect_filled(piece, 0.0, colour);
    }
    painter.vline(middle, rect.y_range(), Stroke::new(1.0, tones.weak));
    let total = middle + (layer.ledger.total * scale * unit) as f32;
    painter.vline(total, bar.y_range().expand(3.0), Stroke::new(2.0, tones.text));
    let written: Vec<f64> = match cells.len() {
        n if n >= 5 => {
            let all = layer.ledger.parts().into_iter().chain([layer.ledger.total, layer.carried_in]);
            all.take(n).collect()
        }
        _ => vec![layer.ledger.total],
    };
    for (cell, value) in cells.iter().zip(written) {
        let text = if relative { format!("{:+.1} %", value * scale * 100.0) } else { format!("{:+.4}", value) };
        painter.text(cell.right_center(), Align2::RIGHT_CENTER, text, FontId::monospace(11.0), tones.text);
    }
    let lines = layer.ledger.parts().iter().zip(MEANINGS).map(|(v, m)| format!("{v:+.5}  {m}\n")).collect::<String>();
    let hover = format!(
        "{}\n{lines}{:+.5}  together: mean of φ − ReLU(z)\n{:+.5}  carried in by re-run: φ less what this layer answers on the \
         ANN's own input",
        layer.name, layer.ledger.total, layer.carried_in
    );
    let label = format!("{}: total error {}", layer.name, number(layer.ledger.total));
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, &label));
    if response.on_hover_cursor(CursorIcon::PointingHand).on_hover_text(hover).clicked() {
        focus();
    }
}

fn csv(layers: &[LayerReport]) -> String {
    let mut text =
        String::from("layer,carried_in,clipping,quantisation,unevenness,total,carried_in_by_rerun,mean_activation\n");
    for layer in layers {
        let [a, b, c, d] = layer.ledger.parts();
        let (total, rerun) = (layer.ledger.total, layer.carried_in);
        text += &format!("{},{a},{b},{c},{d},{total},{rerun},{}\n", layer.name, layer.mean_activation);
    }
    text
}

fn worst(layers: &[LayerReport]) -> Option<(&LayerReport, usize)> {
    let size = |layer: &LayerReport| layer.ledger.total.abs() / layer.mean_activation.max(1e-12);
    let layer = layers.iter().max_by(|a, b| size(a).total_cmp(&size(b)))?;
    let parts = layer.ledger.parts();
    let part = (0..4).max_by(|&a, &b| parts[a].abs().total_cmp(&parts[b].abs()))?;
    Some((layer, part))
}

fn explain(layers: &[LayerReport], t: usize) -> String {
    let Some((layer, part)) = worst(layers) else { return String::new() };
    format!(
        "Each bar is the mean difference between what the spiking layer answers after {t} steps and ReLU(z) of the ANN, split \
         into four parts that add up exactly; the black tick is their sum. The largest relative error is in {}: {} of mean \
         activation {}, mostly {}. Parts of opposite sign can cancel, so look at the lengths and not only at the tick. \"Re-run\" is what came in wrong \
         measured another way: the answer less what the same layer answers on the ANN's own input.",
        layer.name,
        number(layer.ledger.total),
        number(layer.mean_activation),
        MEANINGS[part]
    )
}

fn describe(layers: &[LayerReport]) -> String {
    let one = |layer: &LayerReport| {
        let parts = layer
            .ledger
            .parts()
            .iter()
            .zip(PARTS)
            .map(|(v, name)| format!("{name} {}", number(*v)))
            .collect::<Vec<_>>();
        format!("{}: {}, total {}", layer.name, parts.join(", "), number(layer.ledger.total))
    };
    format!("Error ledger. {}", layers.iter().map(one).collect::<Vec<_>>().join(". "))
}
