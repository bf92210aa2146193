//! Recipe bar: controls for T, threshold rule, v(0) and correction; other options open in a popup.

mod correction;
mod threshold;

use egui::{Popup, PopupCloseBehavior, Slider, SliderClamping, Ui};

use crate::convert::{Correction, Recipe, ThresholdRule};
use crate::lab::{ControlGroup, Lab, Message};
use crate::ui::state::first_start::HintTarget;
use crate::ui::texts::recipe as texts;
use crate::ui::theme::icons::dropdown_button;
use crate::ui::widgets::gesture::end_gesture;
use crate::ui::widgets::number_field::number_field;

/// Upper end of the T slider; larger values can be typed.
const MAX_T: usize = 256;

/// Draws the controls into a row.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let recipe = &lab.settings.recipe;
    let free = |control| !lab.is_locked(control);
    let tight = ui.available_width() < total_width(recipe);
    let (long, short) = if tight { (60.0, 50.0) } else { (110.0, 80.0) };
    ui.spacing_mut().slider_width = long;
    wrap_group(ui, 90.0 + long);
    let steps = ui.add_enabled_ui(free(ControlGroup::Steps), |ui| {
        let mut steps = recipe.steps;
        let t = Slider::new(&mut steps, 1..=MAX_T.max(recipe.steps)).logarithmic(true);
        if labeled_slider(ui, "T", texts::STEPS_HINT, t.clamping(SliderClamping::Never), messages) {
            // A number out of range is refused with the range, not cut.
            push_change(messages, Message::SetSteps(steps));
        }
    });
    crate::ui::state::first_start::register_target(ui, HintTarget::Steps, steps.response.rect);
    ui.separator();
    wrap_group(ui, 180.0 + long);
    ui.add_enabled_ui(free(ControlGroup::Threshold), |ui| threshold::show(ui, recipe.threshold, tight, messages));
    ui.separator();
    wrap_group(ui, 110.0 + short);
    ui.add_enabled_ui(free(ControlGroup::VInit), |ui| {
        let mut v_init = recipe.v_init;
        ui.spacing_mut().slider_width = short;
        let v = Slider::new(&mut v_init, 0.0..=1.0).fixed_decimals(2).suffix(" θ");
        if labeled_slider(ui, "v(0)", texts::V_INIT_HINT, v, messages) {
            push_change(messages, Message::SetVInit(v_init));
        }
    });
    ui.separator();
    wrap_group(ui, 130.0 + correction_width(recipe));
    ui.add_enabled_ui(free(ControlGroup::Correction), |ui| correction::show(ui, recipe.correction, messages));
    ui.separator();
    wrap_group(ui, 90.0);
    ui.add_enabled_ui(free(ControlGroup::Recipe), |ui| {
        let button = dropdown_button(ui, texts::RECIPE).on_hover_text(texts::RECIPE_HINT);
        Popup::menu(&button)
            .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
            .layout(egui::Layout::top_down(egui::Align::Min))
            .show(|ui| crate::ui::popups::advanced_settings::show(ui, lab, messages));
    });
}

/// Approximate width of all controls with full-length sliders. It grows with the options of a method.
fn total_width(recipe: &Recipe) -> f32 {
    let balancing = if matches!(recipe.threshold, ThresholdRule::Balance(_)) { 40.0 } else { 0.0 };
    1010.0 + balancing + correction_width(recipe)
}

/// Width of the correction's controls.
fn correction_width(recipe: &Recipe) -> f32 {
    match recipe.correction {
        Correction::None => 0.0,
        Correction::Srp { .. } => 140.0,
        Correction::Cos { .. } => 230.0,
    }
}

/// Begins the next line if this one has less than `width` points left. A group of controls stays together.
fn wrap_group(ui: &mut Ui, width: f32) {
    if ui.available_size_before_wrap().x < width {
        ui.end_row();
    }
}

/// A slider with a label. Returns whether its value changed. If a drag has ended, `messages` already contains its end,
/// see [`push_change`].
fn labeled_slider(ui: &mut Ui, name: &str, hint: &str, slider: Slider<'_>, messages: &mut Vec<Message>) -> bool {
    let label = ui.label(name).on_hover_text(hint);
    let response = number_field(ui, slider.update_while_editing(false)).labelled_by(label.id).on_hover_text(hint);
    end_gesture(&response, messages);
    response.changed()
}

/// Inserts a change before the end of its gesture.
fn push_change(messages: &mut Vec<Message>, change: Message) {
    let at = if messages.last() == Some(&Message::EndGesture) { messages.len() - 1 } else { messages.len() };
    messages.insert(at, change);
}
