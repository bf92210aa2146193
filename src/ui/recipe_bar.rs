//! What one turns most: T, the threshold rule, v(0); the rarer parts of the recipe in a popup.

use egui::{ComboBox, Grid, Popup, PopupCloseBehavior, Role, Slider, Ui, WidgetInfo};

use super::controls::{end_gesture, percentile_at, place_of};
use super::signs::drop_button;
use crate::convert::{Granularity, Reset, ThresholdRule, Tie};
use crate::lab::{Lab, Message};

/// The T slider goes this far; more can come from a session or the command line.
const MAX_T: usize = 256;
/// The percentile that the slider starts from when the rule was another.
const DEFAULT_PERCENTILE: f64 = 99.9;

/// Draws the controls into a row.
pub fn show(ui: &mut Ui, lab: &Lab, out: &mut Vec<Message>) {
    let recipe = &lab.settings.recipe;
    ui.spacing_mut().slider_width = 110.0;
    let mut steps = recipe.steps;
    let t = Slider::new(&mut steps, 1..=MAX_T.max(recipe.steps)).logarithmic(true);
    if dragged(ui, "T", "Time-steps of the simulation", t, out) {
        push_change(out, Message::SetSteps(steps));
    }
    ui.separator();
    threshold(ui, recipe.threshold, out);
    ui.separator();
    let mut v_init = recipe.v_init;
    ui.spacing_mut().slider_width = 80.0;
    let v = Slider::new(&mut v_init, 0.0..=1.0).fixed_decimals(2).suffix(" θ");
    if dragged(ui, "v(0)", "Membrane potential before the first step, as a fraction of the threshold", v, out) {
        push_change(out, Message::SetVInit(v_init));
    }
    ui.separator();
    let button = drop_button(ui, "Recipe").on_hover_text("Thresholds per layer or channel, reset, tie rule");
    Popup::menu(&button).close_behavior(PopupCloseBehavior::CloseOnClickOutside).show(|ui| rarer(ui, lab, out));
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

fn threshold(ui: &mut Ui, rule: ThresholdRule, out: &mut Vec<Message>) {
    let hint = "Where the thresholds come from: a percentile of the activations on the calibration samples, their \
                maximum, or the clipping value that the network learned";
    ui.label("Threshold").on_hover_text(hint);
    let name = match rule {
        ThresholdRule::Percentile(_) => "percentile",
        ThresholdRule::Max => "max",
        ThresholdRule::Learned => "learned",
    };
    let combo = ComboBox::from_id_salt("threshold rule").selected_text(name).width(84.0).show_ui(ui, |ui| {
        for (choice, name) in [
            (ThresholdRule::Percentile(DEFAULT_PERCENTILE), "percentile"),
            (ThresholdRule::Max, "max"),
            (ThresholdRule::Learned, "learned"),
        ] {
            let chosen = std::mem::discriminant(&choice) == std::mem::discriminant(&rule);
            if ui.selectable_label(chosen, name).clicked() && !chosen {
                out.extend([Message::SetThreshold(choice), Message::EndGesture]);
            }
        }
    });
    combo.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "Threshold rule"));
    let percentile = match rule {
        ThresholdRule::Percentile(p) => p,
        _ => 100.0,
    };
    let by_percentile = matches!(rule, ThresholdRule::Percentile(_));
    ui.add_enabled_ui(by_percentile, |ui| {
        let mut place = place_of(percentile);
        let slider = Slider::new(&mut place, 0.0..=1.0)
            .custom_formatter(|place, _| format!("{} %", percentile_at(place)))
            .custom_parser(|text| text.trim().trim_end_matches('%').trim().parse().ok().map(place_of))
            .smart_aim(false)
            .update_while_editing(false);
        let response = ui.add(slider).on_hover_text(hint);
        response.widget_info(|| WidgetInfo::slider(true, percentile, "Threshold percentile"));
        if response.changed() {
            out.push(Message::SetThreshold(ThresholdRule::Percentile(percentile_at(place))));
        }
        end_gesture(&response, out);
    });
}

/// What is turned rarely.
fn rarer(ui: &mut Ui, lab: &Lab, out: &mut Vec<Message>) {
    let recipe = &lab.settings.recipe;
    Grid::new("recipe").num_columns(2).spacing([14.0, 8.0]).show(ui, |ui| {
        choice(
            ui,
            "Thresholds",
            recipe.granularity,
            out,
            Message::SetGranularity,
            &[
                (Granularity::Layer, "per layer", "One threshold for all neurons of a layer"),
                (Granularity::Channel, "per channel", "One threshold for each channel"),
            ],
        );
        choice(
            ui,
            "Reset",
            recipe.reset,
            out,
            Message::SetReset,
            &[
                (Reset::Soft, "subtract θ", "A spike takes θ away, the rest stays (soft reset)"),
                (Reset::Hard, "to zero", "A spike sets the potential to zero, the rest is lost (hard reset)"),
            ],
        );
        choice(
            ui,
            "Fires at",
            recipe.tie,
            out,
            Message::SetTie,
            &[
                (Tie::Ge, "m ≥ θ", "A potential exactly at the threshold fires"),
                (Tie::Gt, "m > θ", "A potential exactly at the threshold does not fire"),
            ],
        );
    });
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
    if ui.button("Reset recipe").clicked() {
        out.push(Message::ResetRecipe);
    }
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
