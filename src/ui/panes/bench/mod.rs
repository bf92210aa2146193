//! The neuron bench: one neuron, its input as arrows in time that one drags, and what comes out.

mod plots;

use egui::{ComboBox, DragValue, Role, Slider, Ui, WidgetInfo};

use super::Pane;
use super::dress;
use super::parts::{self, Page, number};
use crate::convert::{Neuron, Reset, Tie};
use crate::lab::{Control, Lab, Message};
use crate::measure::bench::{Bench, MAX_STEPS, Outcome};
use crate::ui::texts;

/// Draws the pane.
pub fn show(ui: &mut Ui, lab: &Lab, out: &mut Vec<Message>) {
    let bench = &lab.view.bench;
    let outcome = bench.run();
    let words = explain(bench, &outcome);
    let page = Page { of: Pane::Bench, title: "Neuron bench", description: words.clone(), explanation: words };
    parts::page(
        ui,
        &page,
        || csv(&outcome),
        |ui| {
            let mut next = bench.clone();
            if dress::has_controls(ui) {
                ui.add_enabled_ui(!lab.locked(Control::Bench), |ui| {
                    sources(ui, lab, &mut next, out);
                    sliders(ui, &mut next);
                });
            } else {
                ui.small(texts::bench::set(bench));
            }
            // A lesson that keeps the bench to itself asks for what this says.
            if !lab.locked(Control::Bench) && dress::has_words(ui) {
                ui.add(egui::Label::new(verdict(bench, &outcome)).wrap());
            }
            let playing = lab.view.playing.then(|| lab.cursor());
            plots::show(ui, bench, &outcome, playing, &mut next);
            let next_is_other = next != *bench;
            if next_is_other {
                out.push(Message::SetBench(Box::new(next)));
            }
            gesture(ui, next_is_other, out);
        },
    );
}

/// A drag, however many frames it takes, is one step of undo.
fn gesture(ui: &Ui, changed: bool, out: &mut Vec<Message>) {
    let id = ui.scope_id().with("change under way");
    let down = ui.input(|input| input.pointer.any_down());
    let under_way = changed || ui.data(|data| data.get_temp(id)).unwrap_or(false);
    if under_way && !down {
        out.push(Message::EndGesture);
    }
    ui.data_mut(|data| data.insert_temp(id, under_way && down));
}

/// Where the input comes from, and its order.
fn sources(ui: &mut Ui, lab: &Lab, next: &mut Bench, out: &mut Vec<Message>) {
    ui.horizontal_wrapped(|ui| {
        // All of them in one row of the Teach workspace.
        ui.spacing_mut().item_spacing.x = 4.0;
        if ui.button("Worked example").on_hover_text("Two trains of spikes through weights +2 and −2").clicked() {
            *next = Bench::default();
        }
        let hint = "Lay the neuron in focus on the bench, with the input that it had in the run";
        if ui.add_enabled(lab.snapshot.is_some(), egui::Button::new("Neuron in focus")).on_hover_text(hint).clicked() {
            out.push(Message::FocusOnBench);
        }
        by_keys(ui, next);
    });
    ui.horizontal_wrapped(|ui| {
        ui.label("order");
        if ui.button("By turns").on_hover_text("As even as these inputs allow").clicked() {
            next.alternate();
        }
        if ui.button("Large first").on_hover_text("The largest input first").clicked() {
            next.sort(true);
        }
        if ui.button("Large last").on_hover_text("The largest input last").clicked() {
            next.sort(false);
        }
        if ui.button("Spread evenly").on_hover_text("The same sum, the same at every step").clicked() {
            next.spread();
        }
        if !next.source.is_empty() {
            ui.small(&next.source);
        }
    });
}

/// Moves an arrow without a pointer: which one, and to the step before or after.
fn by_keys(ui: &mut Ui, next: &mut Bench) {
    let id = ui.scope_id().with("arrow to move");
    let last = next.input.len().max(1);
    let mut step: usize = ui.data(|data| data.get_temp(id)).unwrap_or(1).clamp(1, last);
    let drag = ui.add(DragValue::new(&mut step).range(1..=last).prefix("arrow "));
    drag.on_hover_text("The input of this step")
        .widget_info(|| WidgetInfo::labeled(Role::SpinButton, true, "Arrow to move"));
    for (name, to) in [("Earlier", step.saturating_sub(1)), ("Later", step + 1)] {
        if ui.add_enabled((1..=last).contains(&to), egui::Button::new(name)).clicked() {
            next.move_input(step - 1, to - 1);
            step = to;
        }
    }
    ui.data_mut(|data| data.insert_temp(id, step));
}

fn sliders(ui: &mut Ui, next: &mut Bench) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().slider_width = 80.0;
        let mut steps = next.input.len();
        if parts::slider(ui, "T", Slider::new(&mut steps, 1..=MAX_STEPS)).changed() {
            next.set_steps(steps);
        }
        let top = next.theta.max(4.0);
        parts::slider(ui, "θ", Slider::new(&mut next.theta, 0.05..=top).max_decimals(3));
        parts::slider(ui, "v(0)/θ", Slider::new(&mut next.v_init, -2.0..=2.0).max_decimals(2));
        parts::slider(ui, "weight", Slider::new(&mut next.weight, -3.0..=3.0).max_decimals(2));
        for (reset, name) in [(Reset::Soft, "soft reset"), (Reset::Hard, "hard reset")] {
            ui.selectable_value(&mut next.reset, reset, name);
        }
        for (tie, name) in [(Tie::Ge, "≥ θ"), (Tie::Gt, "> θ")] {
            ui.selectable_value(&mut next.tie, tie, name);
        }
        let kinds = [
            (Neuron::If, "IF"),
            (Neuron::Signed, "signed"),
            (Neuron::Group(4), "group of 4"),
            (Neuron::Burst(5), "bursts of 5"),
        ];
        let now = kinds.iter().find(|(kind, _)| *kind == next.neuron).map_or("other", |(_, name)| name);
        let combo = ComboBox::from_id_salt("bench neuron").selected_text(now).width(84.0).show_ui(ui, |ui| {
            for (kind, name) in kinds {
                ui.selectable_value(&mut next.neuron, kind, name);
            }
        });
        combo.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "Neuron on the bench"));
    });
}

/// Due and sent, in a sentence.
fn verdict(bench: &Bench, outcome: &Outcome) -> String {
    let (due, came) = (i64::from(outcome.due), i64::from(outcome.count()));
    let charge: f32 = outcome.current.iter().sum();
    let last = outcome.after_reset.last().copied().unwrap_or(outcome.initial);
    let residue = last / bench.theta.max(f32::MIN_POSITIVE);
    let end = match came - due {
        0 => "as due".to_owned(),
        n if n > 0 => format!("{n} too many: charge came early and was spent, and what came later cannot take it back"),
        n if bench.v_init < 0.5 => format!("{} too few: it began lower than at ½ θ, or charge came late", -n),
        n => format!("{} too few: charge came so late that there was no step left to spend it", -n),
    };
    format!(
        "Charge in {} θ: {due} due, {came} came, {end}. Left over: v({}) = {residue:.2} θ.",
        number(f64::from(charge / bench.theta.max(f32::MIN_POSITIVE))),
        bench.input.len()
    )
}

fn explain(bench: &Bench, outcome: &Outcome) -> String {
    format!(
        "One neuron: at each of {} steps its input (arrow) is added to the potential; at θ it fires and is reset. Drag an \
         arrow sideways to let it come at another step, or up and down with Shift to change it: the sum decides how many \
         spikes are due ({}), the order how many come ({}). That difference is unevenness error.",
        bench.input.len(),
        outcome.due,
        outcome.count()
    )
}

fn csv(outcome: &Outcome) -> String {
    let mut text = String::from("t,input,before_reset,after_reset,sent\n");
    for t in 0..outcome.current.len() {
        let (i, m, v) = (outcome.current[t], outcome.before_reset[t], outcome.after_reset[t]);
        text += &format!("{},{i},{m},{v},{}\n", t + 1, outcome.sent[t]);
    }
    text
}
