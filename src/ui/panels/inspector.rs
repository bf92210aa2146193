//! Inspector panel: values of the neuron, layer and sample in focus, with their units.
//!
//! One sentence explains why this neuron is wrong.

use egui::{RichText, ScrollArea, Ui};

use super::divergence;
use crate::compute::simd_name;
use crate::convert::expected_spikes_of;
use crate::error::format_shape;
use crate::experiment::Snapshot;
use crate::ground::numbers::{percent, signed};
use crate::lab::{Lab, Message};
use crate::measure::ledger::{ledger_against, pooling_part};
use crate::measure::{Ledger, LedgerReference, NeuronRef};
use crate::network::Activation;
use crate::simulate::execution_form::{ExecutionForm, execution_form};
use crate::task::OutputKind;
use crate::ui::texts::format::{format_si, format_theta, format_value, layer_kind, neuron_position};
use crate::ui::texts::layers::PARTS;
use crate::ui::texts::{inspector as texts, output_agreement, shared};
use crate::ui::theme::colors::ui_colors;

/// Space for the scroll bar that floats over the panel, in points.
const SCROLL_BAR_WIDTH: f32 = 10.0;
/// Font size of the numbers, in a font whose 0 does not look like θ.
const NUMBER_SIZE: f32 = 12.0;

/// Draws the panel.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    ui.strong(texts::TITLE);
    let Some(snapshot) = &lab.snapshot else {
        ui.weak(shared::no_run(lab.run.is_some(), lab.job.is_some(), texts::EMPTY));
        return;
    };
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        // Keeps the scroll bar beside the numbers.
        ui.set_max_width(ui.available_width() - SCROLL_BAR_WIDTH);
        neuron(ui, snapshot, lab.view.reference, messages);
        ui.separator();
        divergence::card(ui, snapshot, messages);
        ui.separator();
        layer(ui, snapshot);
        ui.separator();
        sample(ui, snapshot);
    });
}

/// All values of the neuron in focus at the time cursor.
struct NeuronFacts {
    theta: f32,
    /// Spikes up to the time cursor, and expected spikes.
    spikes: u32,
    due: i32,
    due_same_input: u32,
    /// ANN pre-activation and activation.
    z: f32,
    a: f32,
    /// φ = θn/t
    phi: f32,
    /// Mean input over the steps up to the time cursor.
    mean_input: f32,
    /// z*, the largest mean current of the neuron's max pool, if it has one.
    pooled: Option<f32>,
    potential: f32,
    parts: Ledger,
    /// The activation that the error parts refer to.
    reference: Activation,
    /// The ANN's own activation has an upper bound that the reference does not have.
    clips: bool,
    /// Number of spikes that a correction suppressed.
    held_back: Option<i32>,
}

impl NeuronFacts {
    fn new(snapshot: &Snapshot, reference: LedgerReference) -> Option<Self> {
        let (run, focus) = (&snapshot.run, &snapshot.focus);
        let layer = run.spiking.layers.get(focus.layer)?;
        let t = focus.steps;
        let theta = layer.theta_of(focus.neuron);
        let z = *run.ann.pre_activations.get(focus.layer)?.get(focus.sample * layer.neurons() + focus.neuron)?;
        let spikes = *snapshot.maps.counts.get(focus.neuron)?;
        let mean_input = snapshot.trace.current.iter().take(t).sum::<f32>() / t as f32;
        let due_same_input = expected_spikes_of(layer, focus.neuron, mean_input, t);
        let unit = f64::from(layer.amplitude_of(focus.neuron)) / t as f64;
        let phi = unit * f64::from(spikes);
        let on_target = unit * f64::from(due_same_input);
        let against = match reference {
            LedgerReference::Activation => layer.activation,
            LedgerReference::Relu => Activation::Relu,
        };
        let ceiling = f64::from(layer.saturation_of(focus.neuron));
        Some(Self {
            theta,
            spikes,
            due: spikes as i32 + snapshot.maps.offset.get(focus.neuron)?,
            due_same_input,
            z,
            a: layer.activation.apply(z),
            phi: phi as f32,
            mean_input,
            potential: *snapshot.trace.after_reset.get(t.saturating_sub(1))?,
            clips: reference == LedgerReference::Relu && layer.activation.lambda().is_some(),
            parts: ledger_against(against, z, mean_input, ceiling, phi, on_target)
                .with_pooling(snapshot.pooled.map_or(0.0, |pooled| pooling_part(against, mean_input, pooled))),
            pooled: snapshot.pooled,
            reference: against,
            held_back: snapshot.trace.silenced.then(|| snapshot.trace.fired.iter().take(t).sum()),
        })
    }
}

fn neuron(ui: &mut Ui, snapshot: &Snapshot, reference: LedgerReference, messages: &mut Vec<Message>) {
    let (run, focus) = (&snapshot.run, &snapshot.focus);
    let at = NeuronRef { layer: focus.layer, sample: focus.sample, neuron: focus.neuron };
    let pinned = focus.pinned.contains(&at);
    ui.horizontal(|ui| {
        heading(ui, texts::NEURON);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let (word, hint) = if pinned { (texts::UNPIN, texts::UNPIN_HINT) } else { (texts::PIN, texts::PIN_HINT) };
            if ui.small_button(word).on_hover_text(hint).clicked() {
                messages.push(if pinned { Message::Unpin(at) } else { Message::Pin(at) });
            }
        });
    });
    let Some(layer) = run.spiking.layers.get(focus.layer) else { return };
    ui.label(RichText::new(neuron_position(&layer.shape, focus.neuron)).small().weak());
    let Some(facts) = NeuronFacts::new(snapshot, reference) else { return };
    ui.add_space(2.0);
    ui.label(error_sentence(&facts, focus.steps));
    ui.add_space(4.0);
    let t = focus.steps;
    rows(
        ui,
        "neuron",
        &[
            (texts::SPIKES, texts::spikes(facts.spikes, t), texts::SPIKES_HINT),
            (texts::DUE, facts.due.to_string(), texts::DUE_HINT),
            (texts::DUE_OWN, facts.due_same_input.to_string(), texts::DUE_OWN_HINT),
            (texts::OFFSET, signed(f64::from(facts.due - facts.spikes as i32), 0), texts::OFFSET_HINT),
            (texts::THRESHOLD_OF, format_value(facts.theta.into()), texts::UNITS_HINT),
            (texts::SNN_ACTIVATION, format_value(facts.phi.into()), texts::SNN_ACTIVATION_HINT),
            (texts::ANN_ACTIVATION_OF, format_value(facts.a.into()), texts::UNITS_HINT),
            (texts::ANN_INPUT, format_value(facts.z.into()), texts::ANN_INPUT_HINT),
            (texts::MEAN_INPUT, format_value(facts.mean_input.into()), texts::MEAN_INPUT_HINT),
            (texts::POTENTIAL, format_value(facts.potential.into()), texts::POTENTIAL_HINT),
            (
                texts::IN_THRESHOLDS,
                format!("{:.2}", facts.potential / facts.theta.max(f32::MIN_POSITIVE)),
                texts::IN_THRESHOLDS_HINT,
            ),
        ],
    );
    ui.add_space(4.0);
    let against = if facts.reference == Activation::Relu { "ReLU(z)" } else { "a" };
    ui.label(RichText::new(texts::where_from(against)).small().weak());
    parts(ui, &facts.parts);
}

/// Draws the five error parts as signed bars around a center line.
fn parts(ui: &mut Ui, ledger: &Ledger) {
    let colors = ui_colors(ui);
    ui.spacing_mut().interact_size.y = 14.0;
    let largest = ledger.parts().iter().fold(f64::MIN_POSITIVE, |m, p| m.max(p.abs()));
    egui::Grid::new("neuron parts").num_columns(3).spacing([6.0, 2.0]).show(ui, |ui| {
        for ((name, part), color) in PARTS.iter().zip(ledger.parts()).zip(colors.parts) {
            ui.label(RichText::new(*name).small());
            let width = (ui.available_width() - 60.0).clamp(30.0, 120.0);
            let (rect, _) = ui.allocate_exact_size(egui::vec2(width, 10.0), egui::Sense::hover());
            let middle = rect.center().x;
            let reach = middle + (part / largest) as f32 * rect.width() * 0.5;
            let bar = egui::Rect::from_x_y_ranges(middle.min(reach)..=middle.max(reach), rect.y_range());
            ui.painter().rect_filled(bar, 1.0, color);
            ui.painter().vline(middle, rect.y_range(), egui::Stroke::new(1.0, colors.faint));
            ui.label(RichText::new(signed(part, 4)).size(NUMBER_SIZE));
            ui.end_row();
        }
    });
}

/// One sentence that explains the neuron's error.
fn error_sentence(facts: &NeuronFacts, t: usize) -> String {
    if facts.theta <= 0.0 {
        return texts::NEVER_ACTIVE.into();
    }
    if let Some(held) = facts.held_back {
        let due = facts.due;
        return match due {
            0 => texts::silenced_rightly(held),
            _ => texts::silenced_wrongly(due, t, held),
        };
    }
    let total = facts.parts.total;
    let step = f64::from(facts.theta) / t as f64;
    let nothing = step * 1e-6;
    if facts.parts.parts().iter().all(|part| part.abs() < nothing) {
        return texts::right(facts.spikes, t);
    }
    let side = match (total < 0.0, facts.due == facts.spikes as i32) {
        (true, false) => texts::TOO_LOW.to_owned(),
        (false, false) => texts::TOO_HIGH.to_owned(),
        (low, true) => texts::off_though_due(if low { texts::LOW } else { texts::HIGH }),
    };
    // A part with the opposite sign does not explain the error.
    let pulls = |part: f64| total.abs() < nothing || part * total > 0.0;
    let parts = facts.parts.parts().into_iter().enumerate().filter(|(_, part)| pulls(*part));
    let largest = parts.max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()));
    let due = facts.due_same_input;
    let why = match largest.map_or(0, |(index, _)| index) {
        0 => texts::carried_in(&format_value(facts.mean_input.into()), &format_value(facts.z.into())),
        1 if facts.clips => texts::clipped_as_ann(&format_value(facts.theta.into())),
        1 if facts.parts.clipping > 0.0 => texts::clipped_late(
            &format_value(facts.theta.into()),
            &format_value(facts.reference.lambda().unwrap_or_default().into()),
        ),
        1 => texts::clipped(&format_value(facts.mean_input.into()), &format_value(facts.theta.into())),
        2 => {
            let steps = texts::moves_in_steps(t, &format_value(step));
            match facts.reference {
                Activation::Qcfs { levels, .. } => texts::quantized_otherwise(&steps, levels),
                _ => texts::quantized(&steps),
            }
        }
        4 => texts::pooled(
            &format_value(facts.mean_input.into()),
            &format_value(facts.pooled.unwrap_or(facts.mean_input).into()),
        ),
        _ => texts::order(due, facts.spikes),
    };
    if total.abs() < nothing {
        return texts::cancelled(&why);
    }
    texts::mostly(&format_value(total.abs()), &side, &why)
}

fn layer(ui: &mut Ui, snapshot: &Snapshot) {
    let (run, focus) = (&snapshot.run, &snapshot.focus);
    let Some(report) = snapshot.report.layers.get(focus.layer) else { return };
    let Some(spiking) = run.spiking.layers.get(focus.layer) else { return };
    heading(ui, texts::LAYER);
    ui.label(RichText::new(&report.name).small().weak());
    rows(
        ui,
        "layer",
        &[
            (texts::KIND, layer_kind(run, report.node).to_owned(), texts::KIND_HINT),
            (texts::SHAPE, format_shape(&report.shape), texts::SHAPE_HINT),
            (texts::ANN_ACTIVATION, spiking.activation.describe(), texts::ANN_ACTIVATION_HINT),
            (texts::CURRENTS, form_label(execution_form(&run.plan(), focus.layer)), &form_hint()),
            (texts::THRESHOLD, format_theta(&report.theta), texts::UNITS_HINT),
            (texts::RATE, texts::rate(report.rate), texts::RATE_HINT),
            (texts::MISMATCH, format_value(report.mean_abs_mismatch), texts::MISMATCH_HINT),
            (texts::CORRELATION, report.correlation.map_or("—".into(), |r| format!("{r:.4}")), texts::CORRELATION_HINT),
            (texts::SYNOPS, format_si(report.synops), texts::SYNOPS_HINT),
        ],
    );
}

fn form_hint() -> String {
    texts::currents_hint(simd_name())
}

fn form_label(form: ExecutionForm) -> String {
    match form {
        ExecutionForm::Constant => texts::CONSTANT.into(),
        ExecutionForm::Tables => texts::TABLES.into(),
        ExecutionForm::Events => texts::EVENTS.into(),
        ExecutionForm::DenseByRate => texts::DENSE_BY_RATE.into(),
        ExecutionForm::Dense => texts::DENSE.into(),
    }
}

fn sample(ui: &mut Ui, snapshot: &Snapshot) {
    let (run, focus) = (&snapshot.run, &snapshot.focus);
    heading(ui, texts::SAMPLE);
    if let Some(agreement) = &run.output_agreement {
        let at = agreement.at(focus.steps, focus.sample);
        let error = (texts::OFF_BY, percent(f64::from(at.error), 1), texts::OFF_BY_HINT);
        let found = [
            (texts::ANN_FINDS, output_agreement::boxes(agreement.ann_boxes(focus.sample)), texts::ANN_FINDS_HINT),
            (texts::SNN_FINDS, output_agreement::boxes(at.found), texts::SNN_FINDS_HINT),
        ];
        let index = (texts::INDEX, run.sample_index(focus.sample).to_string(), texts::INDEX_HINT);
        let found = found.into_iter().filter(|_| agreement.of == OutputKind::Boxes);
        return rows(ui, "sample", &[index].into_iter().chain(found).chain([error]).collect::<Vec<_>>());
    }
    let label = run.labels.get(focus.sample).map_or("—".into(), |&label| run.class_name(label.into()));
    rows(
        ui,
        "sample",
        &[
            (texts::INDEX, run.sample_index(focus.sample).to_string(), texts::INDEX_HINT),
            (texts::LABEL, label, texts::LABEL_HINT),
            (texts::ANN_SAYS, run.class_name(run.ann.prediction(focus.sample)), texts::ANN_SAYS_HINT),
            (
                texts::SNN_SAYS,
                run.class_name(run.report.predictions.at(focus.steps, focus.sample)),
                texts::SNN_SAYS_HINT,
            ),
        ],
    );
}

fn heading(ui: &mut Ui, text: &str) {
    ui.label(RichText::new(text).strong());
}

/// Draws a grid with names on the left and values on the right.
fn rows(ui: &mut Ui, id: &str, rows: &[(&str, String, &str)]) {
    ui.spacing_mut().item_spacing.y = 3.0;
    ui.spacing_mut().interact_size.y = 14.0;
    ui.push_id(id, |ui| {
        for (name, value, hint) in rows {
            let row = ui.horizontal(|ui| {
                ui.label(RichText::new(*name).small().weak());
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    ui.add(egui::Label::new(RichText::new(value).size(NUMBER_SIZE)).truncate());
                });
            });
            row.response.on_hover_text(*hint);
        }
    });
}
