//! Where the sample in focus first leaves the ANN: a card that goes there, and a mark on the layer.

use egui::{Rect, RichText, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::tones::tones;
use super::words::neuron_place;
use crate::lab::{Message, Snapshot};

/// How wide the mark is, in points.
const WIDTH: f32 = 4.0;

/// Draws the card.
pub fn card(ui: &mut Ui, snapshot: &Snapshot, out: &mut Vec<Message>) {
    let run = &snapshot.run;
    ui.horizontal(|ui| {
        let hint = "The first layer, in network order, in which a neuron is off from the ANN by more than quantisation \
                    explains after all steps of this run, and the neuron of it that leaves first";
        ui.label(RichText::new("First divergence").strong()).on_hover_text(hint);
        let Some(divergence) = snapshot.divergence else { return };
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let button = ui.small_button("Show").on_hover_text("Look at this neuron at the step at which it leaves");
            button.widget_info(|| WidgetInfo::labeled(Role::Button, true, "Show first divergence"));
            if button.clicked() {
                out.extend([Message::FocusNeuron(divergence.neuron), Message::SetCursor(Some(divergence.step))]);
            }
        });
    });
    let layer = snapshot.divergence.and_then(|d| Some((d, run.spiking.layers.get(d.neuron.layer)?)));
    match layer {
        Some((divergence, layer)) => {
            let place = format!("{} · {}", layer.name, neuron_place(&layer.shape, divergence.neuron.neuron));
            ui.label(RichText::new(place).small().weak());
            let steps = run.steps();
            ui.label(format!("After all {steps} steps: {divergence}"));
            if divergence.neuron.layer > 0 {
                ui.label(RichText::new("Layers before it are off by rounding (quantisation) at most.").small().weak());
            }
        }
        None => {
            let sentence = format!("In {} steps no neuron is off by more than quantisation explains.", run.steps());
            ui.label(sentence);
        }
    }
    ui.label(RichText::new(summary(snapshot)).small().weak());
}

/// In which layers the samples of the run leave the ANN, in a sentence.
fn summary(snapshot: &Snapshot) -> String {
    let (first, run) = (&snapshot.whole.first_layers, &snapshot.run);
    let all = run.recording.samples;
    let most = first.layers.iter().zip(&run.spiking.layers).enumerate().max_by_key(|(i, (n, _))| (**n, usize::MAX - i));
    match most {
        Some((_, (&count, layer))) if count > 0 => {
            let never = if first.never > 0 { format!("; {} never do", first.never) } else { String::new() };
            format!("Of {all} samples {count} leave the ANN in {} first, the most of all layers{never}.", layer.name)
        }
        _ => format!("None of {all} samples leaves the ANN in any layer."),
    }
}

/// How many samples leave the ANN in spiking layer `index` first, in words.
pub fn share(snapshot: &Snapshot, index: usize) -> String {
    let count = snapshot.whole.first_layers.layers.get(index).copied().unwrap_or_default();
    let all = snapshot.run.recording.samples;
    let here = snapshot.divergence.is_some_and(|d| d.neuron.layer == index);
    let this = if here { ", among them the one in focus (mark at the left)" } else { "" };
    format!("{count} of {all} samples leave the ANN here first{this}")
}

/// Marks the layer's card at `rect`.
pub fn mark(ui: &Ui, rect: Rect) {
    let stripe = Rect::from_min_max(rect.left_top(), pos2(rect.left() + WIDTH, rect.bottom()));
    ui.painter_at(rect).rect_filled(stripe, 2.0, tones(ui).snn);
}

/// What the mark means, for the key of the strip.
pub fn key(ui: &mut Ui) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        let (rect, _) = ui.allocate_exact_size(vec2(WIDTH, 10.0), Sense::hover());
        ui.painter().rect_filled(rect, 2.0, tones(ui).snn);
        ui.label(RichText::new("first divergence of the sample").small().weak());
    });
}
