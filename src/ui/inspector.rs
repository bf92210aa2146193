//! The numbers of what is in focus, with their units, and a sentence that says why this neuron is wrong.

use egui::{RichText, ScrollArea, Ui};

use super::divergence;
use super::layer_strip::PARTS;
use super::texts;
use super::tones::tones;
use super::words::{compact, kind_of, neuron_place, number, theta_words};
use crate::error::dims;
use crate::lab::{Lab, Message, Snapshot};
use crate::measure::ledger::ledger_against;
use crate::measure::{Answer, Ledger, NeuronRef, Reference};
use crate::network::Activation;
use crate::network::event::simd_name;
use crate::simulate::form::{Form, form_of};
use crate::simulate::neuron::target_of;

/// Room for the scroll bar that floats over the panel, in points.
const SCROLL_BAR: f32 = 10.0;
/// Size of its numbers, in the font whose 0 is no θ.
const NUMBER: f32 = 12.0;

/// Draws the panel.
pub fn show(ui: &mut Ui, lab: &Lab, out: &mut Vec<Message>) {
    ui.strong("Inspector");
    let Some(snapshot) = &lab.snapshot else {
        ui.weak("Numbers of the layer and the neuron in focus appear after the first run.");
        return;
    };
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        // Beside the numbers, not on them.
        ui.set_max_width(ui.available_width() - SCROLL_BAR);
        neuron(ui, snapshot, lab.view.reference, out);
        ui.separator();
        divergence::card(ui, snapshot, out);
        ui.separator();
        layer(ui, snapshot);
        ui.separator();
        sample(ui, snapshot);
    });
}

/// Everything about the neuron in focus at the cursor.
struct Facts {
    theta: f32,
    /// Spikes up to the cursor, and those due.
    spikes: u32,
    due: i32,
    due_same_input: u32,
    /// ANN pre-activation and activation.
    z: f32,
    a: f32,
    /// φ = θn/t
    phi: f32,
    /// Mean input over the steps up to the cursor.
    mean_input: f32,
    potential: f32,
    parts: Ledger,
    /// What the parts are against.
    reference: Activation,
    /// The ANN's own activation has an upper end that the reference does not know.
    clips: bool,
    /// Spikes that a correction held back.
    held_back: Option<i32>,
}

impl Facts {
    fn of(snapshot: &Snapshot, reference: Reference) -> Option<Self> {
        let (run, focus) = (&snapshot.run, &snapshot.focus);
        let layer = run.spiking.layers.get(focus.layer)?;
        let t = focus.steps;
        let theta = layer.theta_of(focus.neuron);
        let z = *run.ann.pre_activations.get(focus.layer)?.get(focus.sample * layer.neurons() + focus.neuron)?;
        let spikes = *snapshot.maps.counts.get(focus.neuron)?;
        let mean_input = snapshot.trace.current.iter().take(t).sum::<f32>() / t as f32;
        let due_same_input = target_of(layer, focus.neuron, mean_input, t);
        let unit = f64::from(layer.unit_of(focus.neuron)) / t as f64;
        let phi = unit * f64::from(spikes);
        let on_target = unit * f64::from(due_same_input);
        let against = match reference {
            Reference::Activation => layer.activation,
            Reference::Relu => Activation::Relu,
        };
        let ceiling = f64::from(layer.ceiling_of(focus.neuron));
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
            clips: reference == Reference::Relu && layer.activation.lambda().is_some(),
            parts: ledger_against(against, z, mean_input, ceiling, phi, on_target),
            reference: against,
            held_back: snapshot.trace.silenced.then(|| snapshot.trace.fired.iter().take(t).sum()),
        })
    }
}

fn neuron(ui: &mut Ui, snapshot: &Snapshot, reference: Reference, out: &mut Vec<Message>) {
    let (run, focus) = (&snapshot.run, &snapshot.focus);
    let at = NeuronRef { layer: focus.layer, sample: focus.sample, neuron: focus.neuron };
    let pinned = focus.pinned.contains(&at);
    ui.horizontal(|ui| {
        heading(ui, "Neuron");
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let (word, hint) = if pinned {
                ("Unpin", "Let this neuron's membrane go")
            } else {
                ("Pin", "Keep this neuron's membrane in view")
            };
            if ui.small_button(word).on_hover_text(hint).clicked() {
                out.push(if pinned { Message::Unpin(at) } else { Message::Pin(at) });
            }
        });
    });
    let Some(layer) = run.spiking.layers.get(focus.layer) else { return };
    ui.label(RichText::new(neuron_place(&layer.shape, focus.neuron)).small().weak());
    let Some(facts) = Facts::of(snapshot, reference) else { return };
    ui.add_space(2.0);
    ui.label(sentence(&facts, focus.steps));
    ui.add_space(4.0);
    let t = focus.steps;
    rows(
        ui,
        "neuron",
        &[
            ("Spikes n", format!("{} in {t} steps", facts.spikes), "Spikes up to the time cursor"),
            (
                "Due, from the ANN",
                facts.due.to_string(),
                "z·t/θ + ½ rounded down, between 0 and t, from the ANN's pre-activation z",
            ),
            ("Due, own input", facts.due_same_input.to_string(), "The same from this neuron's own mean input"),
            (
                "Offset spikes ψ",
                format!("{:+}", facts.due - facts.spikes as i32),
                "Spikes due (from the ANN) less spikes fired",
            ),
            ("Threshold θ", number(facts.theta.into()), "In activation units"),
            ("SNN activation φ", number(facts.phi.into()), "θ·n/t, in activation units"),
            ("ANN activation a", number(facts.a.into()), "In activation units"),
            ("ANN input z", number(facts.z.into()), "Pre-activation of the ANN"),
            (
                "Mean input",
                number(facts.mean_input.into()),
                "Mean current per step up to the time cursor, in activation units",
            ),
            ("Potential v(t)", number(facts.potential.into()), "Membrane potential after step t, in activation units"),
            (
                "in thresholds",
                format!("{:.2} θ", facts.potential / facts.theta.max(f32::MIN_POSITIVE)),
                "The potential over the threshold",
            ),
        ],
    );
    ui.add_space(4.0);
    let against = if facts.reference == Activation::Relu { "ReLU(z)" } else { "a" };
    ui.label(RichText::new(format!("Where its error φ − {against} comes from")).small().weak());
    parts(ui, &facts.parts);
}

/// The four parts as signed bars around a middle line.
fn parts(ui: &mut Ui, ledger: &Ledger) {
    let tones = tones(ui);
    ui.spacing_mut().interact_size.y = 14.0;
    let largest = ledger.parts().iter().fold(f64::MIN_POSITIVE, |m, p| m.max(p.abs()));
    egui::Grid::new("neuron parts").num_columns(3).spacing([6.0, 2.0]).show(ui, |ui| {
        for ((name, part), colour) in PARTS.iter().zip(ledger.parts()).zip(tones.parts) {
            ui.label(RichText::new(*name).small());
            let width = (ui.available_width() - 60.0).clamp(30.0, 120.0);
            let (rect, _) = ui.allocate_exact_size(egui::vec2(width, 10.0), egui::Sense::hover());
            let middle = rect.center().x;
            let reach = middle + (part / largest) as f32 * rect.width() * 0.5;
            let bar = egui::Rect::from_x_y_ranges(middle.min(reach)..=middle.max(reach), rect.y_range());
            ui.painter().rect_filled(bar, 1.0, colour);
            ui.painter().vline(middle, rect.y_range(), egui::Stroke::new(1.0, tones.faint));
            ui.label(RichText::new(format!("{part:+.4}")).size(NUMBER));
            ui.end_row();
        }
    });
}

/// Why the neuron is where it is, in plain words.
fn sentence(facts: &Facts, t: usize) -> String {
    if facts.theta <= 0.0 {
        return "This channel was never active on the calibration samples: its threshold is 0 and it never fires."
            .into();
    }
    if let Some(held) = facts.held_back {
        let due = facts.due;
        return match due {
            0 => format!("Silenced by SRP, rightly: the ANN asks for no spike, and it would have sent {held}."),
            _ => format!("Silenced by SRP, wrongly: the ANN asks for {due} in {t} steps; it fired {held}, sent none."),
        };
    }
    let total = facts.parts.total;
    let step = f64::from(facts.theta) / t as f64;
    let nothing = step * 1e-6;
    if facts.parts.parts().iter().all(|part| part.abs() < nothing) {
        return format!("Right: {} spikes in {t} steps are what the ANN's value asks for.", facts.spikes);
    }
    let side = match (total < 0.0, facts.due == facts.spikes as i32) {
        (true, false) => "too low".to_owned(),
        (false, false) => "too high".to_owned(),
        (low, true) => format!("too {} though its spikes are as many as due", if low { "low" } else { "high" }),
    };
    // A part that pulls the other way explains nothing.
    let pulls = |part: f64| total.abs() < nothing || part * total > 0.0;
    let parts = facts.parts.parts().into_iter().enumerate().filter(|(_, part)| pulls(*part));
    let largest = parts.max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()));
    let due = facts.due_same_input;
    let (fired, spikes) = (facts.spikes, if facts.spikes == 1 { "spike" } else { "spikes" });
    let why = match largest.map_or(0, |(index, _)| index) {
        0 => format!(
            "carried in: its mean input is {} where the ANN has {}, so what reaches it from the layers before is off, if only by rounding",
            number(facts.mean_input.into()),
            number(facts.z.into())
        ),
        1 if facts.clips => format!(
            "clipped at θ = {}; the ANN itself clips at its learned value, so this costs nothing where both are the same",
            number(facts.theta.into())
        ),
        1 if facts.parts.clipping > 0.0 => format!(
            "clipped too late: θ = {} lies above {}, where the ANN's own activation ends",
            number(facts.theta.into()),
            number(facts.reference.lambda().unwrap_or_default().into())
        ),
        1 => format!(
            "clipped: its mean input {} is above θ = {}, and no neuron can fire more than once a step",
            number(facts.mean_input.into()),
            number(facts.theta.into())
        ),
        2 => {
            let steps = format!("in {t} steps its activation moves in steps of θ/t = {}", number(step));
            match facts.reference {
                Activation::Qcfs { levels, .. } => {
                    format!("quantised otherwise: {steps}, the ANN's in {levels} levels")
                }
                _ => format!("quantised: {steps}"),
            }
        }
        _ => format!(
            "order of arrival: its input would be worth {due} if it came evenly, but as it came it fired {fired} {spikes}"
        ),
    };
    if total.abs() < nothing {
        return format!("Right in the end, because errors cancel each other. The largest of them: {why}.");
    }
    format!("φ is {} {side}, mostly {why}.", number(total.abs()))
}

fn layer(ui: &mut Ui, snapshot: &Snapshot) {
    let (run, focus) = (&snapshot.run, &snapshot.focus);
    let Some(report) = snapshot.report.layers.get(focus.layer) else { return };
    let Some(spiking) = run.spiking.layers.get(focus.layer) else { return };
    heading(ui, "Layer");
    ui.label(RichText::new(&report.name).small().weak());
    rows(
        ui,
        "layer",
        &[
            ("Kind", kind_of(run, report.node).to_owned(), "What feeds the neurons"),
            ("Shape", dims(&report.shape), "Channels × height × width, or neurons"),
            ("ANN activation", spiking.activation.describe(), "What the neurons stand for"),
            ("Currents", form_words(form_of(&run.model.program, &run.spiking, focus.layer)), &form_hint()),
            ("Threshold", theta_words(&report.theta), "In activation units"),
            ("Rate", format!("{:.4} spikes/step", report.rate), "Mean over neurons and samples"),
            ("Mean |φ − a|", number(report.mean_abs_mismatch), "Over neurons and samples, in activation units"),
            (
                "Correlation φ, a",
                report.correlation.map_or("—".into(), |r| format!("{r:.4}")),
                "Pearson's r over neurons and samples",
            ),
            (
                "SynOps",
                compact(report.synops),
                "Synaptic operations caused by this layer's spikes, all samples and steps so far",
            ),
        ],
    );
}

fn form_hint() -> String {
    format!(
        "How this layer's input currents are computed. From events (here with {} instructions), a spike adds one row of \
         weights and a silent input costs nothing; by tables, eight channels are added at once; dense, every input is \
         multiplied at every step. The faster one is taken: the firing rates to expect are read off the calibration, and \
         where the forms cross was measured (cargo bench --bench kernels).",
        simd_name()
    )
}

fn form_words(form: Form) -> String {
    match form {
        Form::Constant => "once: constant".into(),
        Form::Tables => "events, by tables".into(),
        Form::Events => "events, one by one".into(),
        Form::DenseByRate => "dense: nearly all spike".into(),
        Form::Dense => "dense: no event form".into(),
    }
}

fn sample(ui: &mut Ui, snapshot: &Snapshot) {
    let (run, focus) = (&snapshot.run, &snapshot.focus);
    heading(ui, "Sample");
    if let Some(likeness) = &run.likeness {
        let at = likeness.at(focus.steps, focus.sample);
        let error = (
            "SNN off by",
            format!("{:.1} %", at.error * 100.0),
            "|SNN − ANN| / |ANN| of the outputs, at the time cursor",
        );
        let found = [
            ("ANN finds", texts::likeness::boxes(likeness.ann_boxes(focus.sample)), "Boxes the ANN is sure of"),
            ("SNN finds", texts::likeness::boxes(at.found), "Boxes the SNN is sure of, at the time cursor"),
        ];
        let index = ("Index", run.sample_index(focus.sample).to_string(), "In the data set");
        let found = found.into_iter().filter(|_| likeness.of == Answer::Boxes);
        return rows(ui, "sample", &[index].into_iter().chain(found).chain([error]).collect::<Vec<_>>());
    }
    let label = run.labels.get(focus.sample).map_or("—".into(), |&label| run.class_name(label.into()));
    rows(
        ui,
        "sample",
        &[
            ("Index", run.sample_index(focus.sample).to_string(), "In the data set"),
            ("Label", label, "What the data set says"),
            ("ANN says", run.class_name(run.ann.answer(focus.sample)), "The ANN's answer"),
            (
                "SNN says",
                run.class_name(run.report.answers.at(focus.steps, focus.sample)),
                "The SNN's answer at the time cursor",
            ),
        ],
    );
}

fn heading(ui: &mut Ui, text: &str) {
    ui.label(RichText::new(text).strong());
}

/// Names on the left, values on the right.
fn rows(ui: &mut Ui, id: &str, rows: &[(&str, String, &str)]) {
    ui.spacing_mut().item_spacing.y = 3.0;
    ui.spacing_mut().interact_size.y = 14.0;
    ui.push_id(id, |ui| {
        for (name, value, hint) in rows {
            let row = ui.horizontal(|ui| {
                ui.label(RichText::new(*name).small().weak());
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    ui.add(egui::Label::new(RichText::new(value).size(NUMBER)).truncate());
                });
            });
            row.response.on_hover_text(*hint);
        }
    });
}
