//! First divergence of the sample in focus from the ANN: a card with a link, a mark.

use egui::{Rect, RichText, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::experiment::Snapshot;
use crate::lab::Message;
use crate::ui::texts::format::neuron_position;
use crate::ui::texts::layers as texts;
use crate::ui::theme::colors::ui_colors;

/// Width of the mark, in points.
const MARK_WIDTH: f32 = 4.0;

/// Draws the card.
pub fn card(ui: &mut Ui, snapshot: &Snapshot, messages: &mut Vec<Message>) {
    let run = &snapshot.run;
    ui.horizontal(|ui| {
        let hint = texts::DIVERGENCE_HINT;
        ui.label(RichText::new(texts::DIVERGENCE).strong()).on_hover_text(hint);
        let Some(divergence) = snapshot.divergence else { return };
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let button = ui.small_button(texts::SHOW).on_hover_text(texts::SHOW_HINT);
            button.widget_info(|| WidgetInfo::labeled(Role::Button, true, texts::SHOW_NAME));
            if button.clicked() {
                messages.extend([Message::FocusNeuron(divergence.neuron), Message::SetCursor(Some(divergence.step))]);
            }
        });
    });
    let layer = snapshot.divergence.and_then(|d| Some((d, run.spiking.layers.get(d.neuron.layer)?)));
    match layer {
        Some((divergence, layer)) => {
            let place = format!("{} · {}", layer.name, neuron_position(&layer.shape, divergence.neuron.neuron));
            ui.label(RichText::new(place).small().weak());
            let steps = run.steps();
            ui.label(texts::after_all(steps, &divergence.to_string()));
            if divergence.neuron.layer > 0 {
                ui.label(RichText::new(texts::ROUNDING).small().weak());
            }
        }
        None => {
            let sentence = texts::no_divergence(run.steps());
            ui.label(sentence);
        }
    }
    ui.label(RichText::new(summary(snapshot)).small().weak());
}

/// One sentence about the layers in which the samples of the run diverge from the ANN.
fn summary(snapshot: &Snapshot) -> String {
    let (first, run) = (&snapshot.figures.first_layers, &snapshot.run);
    let all = run.recording.samples;
    let most = first.layers.iter().zip(&run.spiking.layers).enumerate().max_by_key(|(i, (n, _))| (**n, usize::MAX - i));
    match most {
        Some((_, (&count, layer))) if count > 0 => {
            let never = if first.never > 0 { texts::never(first.never) } else { String::new() };
            texts::most(all, count, &layer.name, &never)
        }
        _ => texts::none_leaves(all),
    }
}

/// How many samples diverge first in spiking layer `index`, as text.
pub fn share(snapshot: &Snapshot, index: usize) -> String {
    let count = snapshot.figures.first_layers.layers.get(index).copied().unwrap_or_default();
    let all = snapshot.run.recording.samples;
    let here = snapshot.divergence.is_some_and(|d| d.neuron.layer == index);
    let this = if here { texts::AMONG_THEM } else { "" };
    texts::leave_here(count, all, this)
}

/// Draws the mark on the layer's card at `rect`.
pub fn mark_ui(ui: &Ui, rect: Rect) {
    let stripe = Rect::from_min_max(rect.left_top(), pos2(rect.left() + MARK_WIDTH, rect.bottom()));
    ui.painter_at(rect).rect_filled(stripe, 2.0, ui_colors(ui).snn);
}

/// Explains the mark in the legend of the layer strip.
pub fn legend_ui(ui: &mut Ui) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        let (rect, _) = ui.allocate_exact_size(vec2(MARK_WIDTH, 10.0), Sense::hover());
        ui.painter().rect_filled(rect, 2.0, ui_colors(ui).snn);
        ui.label(RichText::new(texts::DIVERGENCE_KEY).small().weak());
    });
}
