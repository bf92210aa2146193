//! Error ledger: each layer's error as five parts that add up to the total exactly.

use bars::{LedgerOptions, held_reach};
mod bars;
mod worst;

use egui::{ScrollArea, Ui};
use worst::{Worst, largest_relative_error};

use crate::lab::{Lab, Message};
use crate::measure::{LayerReport, LedgerReference};
use crate::ui::texts::error_panes::ledger as texts;
use crate::ui::texts::format::{format_number, reference_label};
use crate::ui::texts::layers::PARTS;
use crate::ui::texts::shared;
use crate::ui::theme::colors::ui_colors;
use crate::ui::types::pane::Pane;
use crate::ui::widgets::pane_parts::PaneHeader;
use crate::ui::widgets::{ledger_unit, legend, pane_frame, pane_parts};

/// Draws the pane.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let Some(snapshot) = &lab.snapshot else {
        return pane_parts::empty(ui, shared::no_run(lab.run.is_some(), lab.job.is_some(), texts::EMPTY));
    };
    let layers = &snapshot.report.layers;
    let mut relative = ledger_unit::is_relative(ui.ctx());
    let sorted_id = ui.scope_id().with("sorted");
    let mut sorted: bool = ui.data(|data| data.get_temp(sorted_id)).unwrap_or_default();
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
                if toggle.on_hover_text(texts::RELATIVE_HINT).changed() {
                    ledger_unit::set_relative(ui.ctx(), relative);
                }
                ui.checkbox(&mut sorted, texts::SORT).on_hover_text(texts::SORT_HINT);
                if choice {
                    reference_choice(ui, reference, messages);
                }
            });
            ui.data_mut(|data| data.insert_temp(sorted_id, sorted));
            if pane_frame::has_sentences(ui) {
                sentence(ui, layers, reference, messages);
            }
            let mut options = LedgerOptions { reference, relative, reach: 1.0, choice };
            options.reach = held_reach(ui, layers, options);
            bars::header(ui, options);
            let mut order: Vec<usize> = (0..layers.len()).collect();
            if sorted {
                let size = |index: usize| options.ledger(&layers[index]).total.abs() * options.scale(&layers[index]);
                order.sort_by(|&a, &b| size(b).total_cmp(&size(a)));
            }
            let rows = ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                for (index, layer) in order.into_iter().map(|index| (index, &layers[index])) {
                    bars::row(ui, layer, options, index == snapshot.focus.layer, &mut || {
                        messages.push(Message::FocusLayer(index));
                    });
                }
            });
            pane_frame::remember_cut(ui, &rows);
        },
    );
}

/// Draws the worst layer, its main part and where that error begins; a click on a name focuses the layer.
fn sentence(ui: &mut Ui, layers: &[LayerReport], reference: LedgerReference, messages: &mut Vec<Message>) {
    let Some(Worst { layer, part, begins }) = Worst::of(layers, reference) else { return };
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        let mut link = |ui: &mut Ui, index: usize| {
            if ui.link(&layers[index].name).on_hover_text(texts::FOCUS_HINT).clicked() {
                messages.push(Message::FocusLayer(index));
            }
        };
        ui.label(texts::WORST);
        link(ui, layer);
        let found = &layers[layer];
        let share = found.ledger_against(reference).total / found.mean_activation.max(1e-12);
        let words = texts::worst(share, PARTS[part]);
        if let Some(first) = begins {
            ui.label(words);
            ui.label(texts::BEGINS).on_hover_text(texts::BEGINS_HINT);
            link(ui, first);
            ui.label(".");
        } else {
            // The period wraps with the last word.
            ui.label(words + ".");
        }
    });
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

fn csv(layers: &[LayerReport], reference: LedgerReference) -> String {
    let mut text = String::from(
        "layer,reference,carried_in,clipping,quantisation,unevenness,total,carried_in_by_rerun,mean_activation,pooling\n",
    );
    for layer in layers {
        let ledger = layer.ledger_against(reference);
        let [a, b, c, d, pooling] = ledger.parts();
        let (total, rerun, against) = (ledger.total, layer.propagated_by_rerun, reference_label(layer, reference));
        text +=
            &format!("{},{against},{a},{b},{c},{d},{total},{rerun},{},{pooling}\n", layer.name, layer.mean_activation);
    }
    text
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
