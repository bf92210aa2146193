//! What is turned rarely, and ready-made recipes.

use egui::{DragValue, Grid, Ui};

use super::choice;
use crate::convert::{Granularity, InitialPotential, Neuron, Pooling, Readout, Recipe, Reset, Tie};
use crate::lab::{Lab, Message};

/// The members of a group and spikes of a burst that a choice starts with: group neurons' and burst spikes' papers.
const GROUP: u8 = 4;
const BURST: u8 = 5;
/// Steps over which the bias shift adds half a threshold, as its authors have it.
const SHIFT_STEPS: usize = 32;

/// Draws the popup.
pub fn show(ui: &mut Ui, lab: &Lab, out: &mut Vec<Message>) {
    let recipe = &lab.settings.recipe;
    Grid::new("recipe").num_columns(2).spacing([14.0, 8.0]).show(ui, |ui| rows(ui, recipe, out));
    if !recipe.by_hand.is_empty() {
        ui.separator();
        ui.weak("Thresholds set by hand");
        for (layer, theta) in &recipe.by_hand {
            ui.horizontal(|ui| {
                ui.label(format!("{layer}: θ {theta:.3}"));
                if ui.small_button("Back to the rule").clicked() {
                    out.extend([Message::SetLayerThreshold { layer: layer.clone(), theta: None }, Message::EndGesture]);
                }
            });
        }
    }
    ui.separator();
    ui.horizontal(|ui| {
        ui.menu_button("Ready-made", |ui| {
            ui.weak("The methods of the papers, on these thresholds and this T");
            for method in Recipe::methods(recipe, recipe.correction.presteps().max(4)) {
                if ui.button(&method.name).on_hover_text(method.recipe.title()).clicked() {
                    out.push(Message::SetRecipe(Box::new(method.recipe)));
                    ui.close();
                }
            }
        });
        if ui.button("Reset recipe").clicked() {
            out.push(Message::ResetRecipe);
        }
    });
}

fn rows(ui: &mut Ui, recipe: &Recipe, out: &mut Vec<Message>) {
    let granularity = [
        (Granularity::Layer, "per layer", "One threshold for all neurons of a layer"),
        (Granularity::Channel, "per channel", "One threshold for each channel"),
    ];
    choice(ui, "Thresholds", recipe.granularity, out, Message::SetGranularity, &granularity);
    let initial = [
        (InitialPotential::Constant, "the same", "v(0) is the same fraction of θ for all neurons (OPI: ½)"),
        (InitialPotential::Uniform, "uniform", "v(0) is drawn from (0, θ) for each neuron"),
        (InitialPotential::Gaussian, "Gaussian", "v(0) is drawn around the fraction, with ¼ θ as standard deviation"),
        (
            InitialPotential::Calibrated,
            "calibrated",
            "v(0) of each neuron is moved by T times the mean activation that is missing on calibration samples",
        ),
    ];
    choice(ui, "v(0)", recipe.initial, out, Message::SetInitial, &initial);
    let group = if let Neuron::Group(m) = recipe.neuron { m } else { GROUP };
    let burst = if let Neuron::Burst(g) = recipe.neuron { g } else { BURST };
    let neuron = [
        (Neuron::If, "IF", "At most one spike of θ a step"),
        (Neuron::Signed, "signed", "Also takes back a spike that came too early"),
        (Neuron::Group(group), "group", "m members at θ/m, 2θ/m, … θ: up to m spikes of θ/m a step"),
        (Neuron::Burst(burst), "burst", "Up to Γ spikes of θ a step"),
    ];
    choice(ui, "Neuron", recipe.neuron, out, Message::SetNeuron, &neuron);
    if let Neuron::Group(mut n) | Neuron::Burst(mut n) = recipe.neuron {
        ui.label("");
        let response = ui.add(DragValue::new(&mut n).range(1..=crate::convert::method::MAX_LEVELS).prefix("at most "));
        if response.changed() {
            let group = matches!(recipe.neuron, Neuron::Group(_));
            out.push(Message::SetNeuron(if group { Neuron::Group(n) } else { Neuron::Burst(n) }));
        }
        super::end_gesture(&response, out);
        ui.end_row();
    }
    let reset = [
        (Reset::Soft, "subtract θ", "A spike takes θ away, the rest stays (soft reset)"),
        (Reset::Hard, "to zero", "A spike sets the potential to zero, the rest is lost (hard reset)"),
    ];
    choice(ui, "Reset", recipe.reset, out, Message::SetReset, &reset);
    let tie = [
        (Tie::Ge, "m ≥ θ", "A potential exactly at the threshold fires"),
        (Tie::Gt, "m > θ", "A potential exactly at the threshold does not fire"),
    ];
    choice(ui, "Fires at", recipe.tie, out, Message::SetTie, &tie);
    let correction = [
        (false, "as they are", "The biases of the network"),
        (
            true,
            "corrected",
            "Each channel's bias makes good the mean activation that is missing on calibration samples",
        ),
    ];
    choice(ui, "Biases", recipe.bias_correction, out, Message::SetBiasCorrection, &correction);
    let steps = recipe.bias_shift.unwrap_or(SHIFT_STEPS);
    let shift = [
        (None, "none", "No charge beside the current"),
        (Some(steps), "θ/2N a step", "Half a threshold over N steps, added at every step (RTS, Deng & Gu 2021)"),
    ];
    choice(ui, "Shift", recipe.bias_shift, out, Message::SetBiasShift, &shift);
    if let Some(mut steps) = recipe.bias_shift {
        ui.label("");
        let response = ui.add(DragValue::new(&mut steps).range(1..=4096).prefix("N "));
        if response.changed() {
            out.push(Message::SetBiasShift(Some(steps)));
        }
        super::end_gesture(&response, out);
        ui.end_row();
    }
    let pooling = [
        (
            Pooling::PreNeuron,
            "before neurons",
            "The largest current of each step; over-estimates when inputs fluctuate",
        ),
        (Pooling::Lateral, "LIPooling", "The largest accumulated output; hands on exactly the largest mean"),
    ];
    choice(ui, "Max pooling", recipe.pooling, out, Message::SetPooling, &pooling);
    let delay = if matches!(recipe.readout, Readout::Delayed(_)) { recipe.readout } else { Readout::Delayed(None) };
    let exit = if matches!(recipe.readout, Readout::EarlyExit(_)) { recipe.readout } else { Readout::EarlyExit(0.9) };
    let readout = [
        (Readout::Sum, "all steps", "The logits of all steps are summed"),
        (delay, "after a delay", "Only steps after an estimated delay count"),
        (exit, "early exit", "Each sample stops when its largest probability reaches a confidence"),
    ];
    choice(ui, "Readout", recipe.readout, out, Message::SetReadout, &readout);
}
