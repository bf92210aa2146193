//! What one turns most: T, the threshold rule, v(0), the correction; the rarer parts of the recipe in a popup.

mod correction;
mod rarer;
mod threshold;

use egui::{Popup, PopupCloseBehavior, Slider, Ui};

use super::controls::end_gesture;
use super::signs::drop_button;
use crate::lab::{Control, Lab, Message};

/// The T slider goes this far; more can come from a session or the command line.
const MAX_T: usize = 256;

/// Draws the controls into a row.
pub fn show(ui: &mut Ui, lab: &Lab, out: &mut Vec<Message>) {
    let recipe = &lab.settings.recipe;
    let free = |control| !lab.locked(control);
    ui.spacing_mut().slider_width = 110.0;
    ui.add_enabled_ui(free(Control::Steps), |ui| {
        let mut steps = recipe.steps;
        let t = Slider::new(&mut steps, 1..=MAX_T.max(recipe.steps)).logarithmic(true);
        if dragged(ui, "T", "Time-steps of the simulation", t, out) {
            push_change(out, Message::SetSteps(steps));
        }
    });
    ui.separator();
    ui.add_enabled_ui(free(Control::Threshold), |ui| threshold::show(ui, recipe.threshold, out));
    ui.separator();
    ui.add_enabled_ui(free(Control::VInit), |ui| {
        let mut v_init = recipe.v_init;
        ui.spacing_mut().slider_width = 80.0;
        let v = Slider::new(&mut v_init, 0.0..=1.0).fixed_decimals(2).suffix(" θ");
        if dragged(ui, "v(0)", "Membrane potential before the first step, as a fraction of the threshold", v, out) {
            push_change(out, Message::SetVInit(v_init));
        }
    });
    ui.separator();
    ui.add_enabled_ui(free(Control::Correction), |ui| correction::show(ui, recipe.correction, out));
    ui.separator();
    ui.add_enabled_ui(free(Control::Recipe), |ui| {
        let button =
            drop_button(ui, "Recipe").on_hover_text("Neuron, reset, biases, pooling, readout; ready-made recipes");
        Popup::menu(&button)
            .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
            .show(|ui| rarer::show(ui, lab, out));
    });
}

/// A named slider; tells whether its value changed. The end of a drag is already in `out` then, see [`push_change`].
fn dragged(ui: &mut Ui, name: &str, hint: &str, slider: Slider<'_>, out: &mut Vec<Message>) -> bool {
    let label = ui.label(name).on_hover_text(hint);
    let response = ui.add(slider.update_while_editing(false)).labelled_by(label.id).on_hover_text(hint);
    end_gesture(&response, out);
    response.changed()
}

/// Puts a change before the end of its gesture.
fn push_change(out: &mut Vec<Message>, change: Message) {
    let at = if out.last() == Some(&Message::EndGesture) { out.len() - 1 } else { out.len() };
    out.insert(at, change);
}

fn choice<T: Copy + PartialEq>(
    ui: &mut Ui,
    name: &str,
    now: T,
    out: &mut Vec<Message>,
    message: impl Fn(T) -> Message,
    choices: &[(T, &str, &str)],
) {
    ui.label(name);
    ui.horizontal(|ui| {
        for (value, word, hint) in choices {
            if ui.selectable_label(now == *value, *word).on_hover_text(*hint).clicked() && now != *value {
                out.push(message(*value));
            }
        }
    });
    ui.end_row();
}
