//! Advanced recipe settings and ready-made recipes, in a popup.

use egui::{DragValue, Grid, Role, Ui, WidgetInfo};

use crate::convert::recipe::MAX_SEED;
use crate::convert::{Granularity, InitialPotential, MaxPoolRule, NeuronModel, Readout, Recipe, Reset, TieRule};
use crate::lab::{Lab, Message};
use crate::ui::texts::recipe as texts;
use crate::ui::widgets::choice::choice;
use crate::ui::widgets::number_field::number_field;

/// What a step leaves of the potential of leaky neurons, in thousandths, when they are chosen.
const DEFAULT_DECAY: u16 = 900;
/// Default group size and spikes per burst, from the papers on group neurons and burst spikes.
const DEFAULT_GROUP: u8 = 4;
const DEFAULT_BURST: u8 = 5;
/// Default number of steps over which the bias shift adds half a threshold, as its authors use it.
const SHIFT_STEPS: usize = 32;

/// Draws the popup.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let recipe = &lab.settings.recipe;
    Grid::new("recipe").num_columns(2).spacing([14.0, 8.0]).show(ui, |ui| rows(ui, recipe, messages));
    if !recipe.manual_thresholds.is_empty() {
        ui.separator();
        ui.weak(texts::BY_HAND);
        for (layer, theta) in &recipe.manual_thresholds {
            ui.horizontal(|ui| {
                ui.label(format!("{layer}: θ {theta:.3}"));
                if ui.small_button(texts::BACK).clicked() {
                    messages.extend([
                        Message::SetLayerThreshold { layer: layer.clone(), theta: None },
                        Message::EndGesture,
                    ]);
                }
            });
        }
    }
    ui.separator();
    ui.horizontal(|ui| {
        ui.menu_button(texts::READY_MADE, |ui| {
            ui.weak(texts::READY_MADE_HINT);
            for method in Recipe::published_methods(recipe, recipe.correction.presteps().max(4)) {
                if ui.button(&method.name).on_hover_text(method.recipe.title()).clicked() {
                    messages.push(Message::SetRecipe(Box::new(method.recipe)));
                    ui.close();
                }
            }
        });
        if ui.button(texts::RESET_RECIPE).clicked() {
            messages.push(Message::ResetRecipe);
        }
    });
}

fn rows(ui: &mut Ui, recipe: &Recipe, messages: &mut Vec<Message>) {
    let granularity = [
        (Granularity::Layer, texts::PER_LAYER, texts::PER_LAYER_HINT),
        (Granularity::Channel, texts::PER_CHANNEL, texts::PER_CHANNEL_HINT),
    ];
    choice(ui, texts::THRESHOLDS, recipe.granularity, messages, Message::SetGranularity, &granularity);
    let initial = [
        (InitialPotential::Constant, texts::SAME, texts::SAME_HINT),
        (InitialPotential::Uniform, texts::UNIFORM, texts::UNIFORM_HINT),
        (InitialPotential::Gaussian, texts::GAUSSIAN, texts::GAUSSIAN_HINT),
        (InitialPotential::Calibrated, texts::CALIBRATED, texts::CALIBRATED_HINT),
    ];
    choice(ui, "v(0)", recipe.initial, messages, Message::SetInitial, &initial);
    if recipe.initial.is_drawn() {
        ui.label("");
        let mut seed = recipe.seed;
        let field = DragValue::new(&mut seed).range(0..=MAX_SEED).speed(0.05).prefix(texts::SEED);
        let response = number_field(ui, field).on_hover_text(texts::SEED_HINT);
        response.widget_info(|| WidgetInfo::labeled(Role::SpinButton, true, texts::SEED_NAME));
        if response.changed() {
            messages.push(Message::SetSeed(seed));
        }
        crate::ui::widgets::gesture::end_gesture(&response, messages);
        ui.end_row();
    }
    let leaky = if let NeuronModel::Lif(thousandths) = recipe.neuron { thousandths } else { DEFAULT_DECAY };
    let group = if let NeuronModel::Group(m) = recipe.neuron { m } else { DEFAULT_GROUP };
    let burst = if let NeuronModel::Burst(g) = recipe.neuron { g } else { DEFAULT_BURST };
    let neuron = [
        (NeuronModel::If, texts::IF, texts::IF_HINT),
        (NeuronModel::Lif(leaky), texts::LIF, texts::LIF_HINT),
        (NeuronModel::Signed, texts::SIGNED, texts::SIGNED_HINT),
        (NeuronModel::Group(group), texts::GROUP, texts::GROUP_HINT),
        (NeuronModel::Burst(burst), texts::BURST, texts::BURST_HINT),
    ];
    choice(ui, texts::NEURON, recipe.neuron, messages, Message::SetNeuron, &neuron);
    if let NeuronModel::Lif(_) = recipe.neuron {
        ui.label("");
        let mut decay = recipe.neuron.decay();
        let field = DragValue::new(&mut decay).range(0.001..=0.999).speed(0.005).max_decimals(3).prefix(texts::DECAY);
        let response = number_field(ui, field).on_hover_text(texts::DECAY_HINT);
        response.widget_info(|| WidgetInfo::labeled(Role::SpinButton, true, texts::DECAY_NAME));
        if response.changed() {
            messages.push(Message::SetNeuron(NeuronModel::with_decay((decay * 1000.0).round() as u16)));
        }
        crate::ui::widgets::gesture::end_gesture(&response, messages);
        ui.end_row();
    }
    if let NeuronModel::Group(mut n) | NeuronModel::Burst(mut n) = recipe.neuron {
        ui.label("");
        let response = number_field(
            ui,
            DragValue::new(&mut n).range(1..=crate::convert::recipe_options::MAX_LEVELS).prefix(texts::AT_MOST),
        );
        if response.changed() {
            let group = matches!(recipe.neuron, NeuronModel::Group(_));
            messages.push(Message::SetNeuron(if group { NeuronModel::Group(n) } else { NeuronModel::Burst(n) }));
        }
        crate::ui::widgets::gesture::end_gesture(&response, messages);
        ui.end_row();
    }
    let reset = [
        (Reset::Soft, texts::SOFT_RESET, texts::SOFT_RESET_HINT),
        (Reset::Hard, texts::HARD_RESET, texts::HARD_RESET_HINT),
    ];
    choice(ui, texts::RESET, recipe.reset, messages, Message::SetReset, &reset);
    let tie = [(TieRule::Ge, "m ≥ θ", texts::TIE_FIRES_HINT), (TieRule::Gt, "m > θ", texts::TIE_RESTS_HINT)];
    choice(ui, texts::TIE, recipe.tie, messages, Message::SetTie, &tie);
    let correction = [
        (false, texts::BIASES_AS_THEY_ARE, texts::BIASES_AS_THEY_ARE_HINT),
        (true, texts::BIASES_CORRECTED, texts::BIASES_CORRECTED_HINT),
    ];
    choice(ui, texts::BIASES, recipe.bias_correction, messages, Message::SetBiasCorrection, &correction);
    let steps = recipe.bias_shift.unwrap_or(SHIFT_STEPS);
    let shift = [
        (None, texts::NO_SHIFT, texts::NO_SHIFT_HINT),
        (Some(steps), texts::HALF_A_THRESHOLD, texts::HALF_A_THRESHOLD_HINT),
    ];
    choice(ui, texts::SHIFT, recipe.bias_shift, messages, Message::SetBiasShift, &shift);
    if let Some(mut steps) = recipe.bias_shift {
        ui.label("");
        let response = number_field(ui, DragValue::new(&mut steps).range(1..=4096).prefix("N "));
        if response.changed() {
            messages.push(Message::SetBiasShift(Some(steps)));
        }
        crate::ui::widgets::gesture::end_gesture(&response, messages);
        ui.end_row();
    }
    let pooling = [
        (MaxPoolRule::PreNeuron, texts::BEFORE_NEURONS, texts::BEFORE_NEURONS_HINT),
        (MaxPoolRule::Lateral, texts::LATERAL, texts::LATERAL_HINT),
    ];
    choice(ui, texts::POOLING, recipe.pooling, messages, Message::SetPooling, &pooling);
    let delay = if matches!(recipe.readout, Readout::Delayed(_)) { recipe.readout } else { Readout::Delayed(None) };
    let exit = if matches!(recipe.readout, Readout::EarlyExit(_)) { recipe.readout } else { Readout::EarlyExit(0.9) };
    let readout = [
        (Readout::Sum, texts::ALL_STEPS, texts::ALL_STEPS_HINT),
        (delay, texts::AFTER_DELAY, texts::AFTER_DELAY_HINT),
        (exit, texts::EARLY_EXIT, texts::EARLY_EXIT_HINT),
    ];
    choice(ui, texts::READOUT, recipe.readout, messages, Message::SetReadout, &readout);
}
