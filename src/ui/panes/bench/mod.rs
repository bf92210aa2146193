//! Neuron bench: one neuron with an input of draggable spikes, and its membrane and output.

mod plots;

use egui::{ComboBox, DragValue, Role, Slider, Ui, WidgetInfo};

use crate::convert::{NeuronModel, Reset, TieRule};
use crate::lab::{ControlGroup, Lab, Message};
use crate::measure::neuron_bench::{BenchTrace, MAX_STEPS, NeuronBench};
use crate::ui::texts::format::format_number;
use crate::ui::texts::neuron_panes::bench as texts;
use crate::ui::types::pane::Pane;
use crate::ui::widgets::number_field::number_field;
use crate::ui::widgets::pane_parts::PaneHeader;
use crate::ui::widgets::{pane_frame, pane_parts};

/// Draws the pane.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let bench = &lab.view.bench;
    let outcome = bench.run();
    let words = explain(bench, &outcome);
    let page = PaneHeader { of: Pane::Bench, title: texts::TITLE, description: words.clone(), explanation: words };
    pane_parts::pane_ui(
        ui,
        &page,
        || csv(&outcome),
        |ui| {
            let mut next = bench.clone();
            if pane_frame::has_controls(ui) {
                ui.add_enabled_ui(!lab.is_locked(ControlGroup::Bench), |ui| {
                    sources(ui, lab, &mut next, messages);
                    sliders(ui, &mut next);
                });
            } else {
                ui.small(texts::set(bench));
            }
            // These texts contain the answer to questions of a lesson that locks the bench.
            if !lab.is_locked(ControlGroup::Bench) && pane_frame::has_sentences(ui) {
                ui.add(egui::Label::new(verdict(bench, &outcome)).wrap());
            }
            let playing = lab.view.playing.then(|| lab.cursor());
            plots::show(ui, bench, &outcome, playing, &mut next);
            let next_is_other = next != *bench;
            if next_is_other {
                messages.push(Message::SetBench(Box::new(next)));
            }
            gesture(ui, next_is_other, messages);
        },
    );
}

/// A drag is one step of undo, for any number of frames.
fn gesture(ui: &Ui, changed: bool, messages: &mut Vec<Message>) {
    let id = ui.scope_id().with("change under way");
    let down = ui.input(|input| input.pointer.any_down());
    let under_way = changed || ui.data(|data| data.get_temp(id)).unwrap_or(false);
    if under_way && !down {
        messages.push(Message::EndGesture);
    }
    ui.data_mut(|data| data.insert_temp(id, under_way && down));
}

/// Draws the choice of input source and order.
fn sources(ui: &mut Ui, lab: &Lab, next: &mut NeuronBench, messages: &mut Vec<Message>) {
    ui.horizontal_wrapped(|ui| {
        // Keeps all of them in one row of the Teach workspace.
        ui.spacing_mut().item_spacing.x = 4.0;
        if ui.button(texts::EXAMPLE).on_hover_text(texts::EXAMPLE_HINT).clicked() {
            *next = NeuronBench::default();
        }
        let hint = texts::IN_FOCUS_HINT;
        if ui.add_enabled(lab.snapshot.is_some(), egui::Button::new(texts::IN_FOCUS)).on_hover_text(hint).clicked() {
            messages.push(Message::FocusOnBench);
        }
        arrow_buttons(ui, next);
    });
    ui.horizontal_wrapped(|ui| {
        ui.label(texts::ORDER);
        if ui.button(texts::BY_TURNS).on_hover_text(texts::BY_TURNS_HINT).clicked() {
            next.alternate();
        }
        if ui.button(texts::LARGE_FIRST).on_hover_text(texts::LARGE_FIRST_HINT).clicked() {
            next.sort(true);
        }
        if ui.button(texts::LARGE_LAST).on_hover_text(texts::LARGE_LAST_HINT).clicked() {
            next.sort(false);
        }
        if ui.button(texts::SPREAD).on_hover_text(texts::SPREAD_HINT).clicked() {
            next.spread();
        }
        if !next.source.is_empty() {
            ui.small(&next.source);
        }
    });
}

/// Buttons that move an input arrow without a pointer: which arrow, and one step earlier or later.
fn arrow_buttons(ui: &mut Ui, next: &mut NeuronBench) {
    let id = ui.scope_id().with("arrow to move");
    let last = next.input.len().max(1);
    let mut step: usize = ui.data(|data| data.get_temp(id)).unwrap_or(1).clamp(1, last);
    let drag = number_field(ui, DragValue::new(&mut step).range(1..=last).prefix(texts::ARROW));
    drag.on_hover_text(texts::ARROW_HINT)
        .widget_info(|| WidgetInfo::labeled(Role::SpinButton, true, texts::ARROW_NAME));
    for (name, to) in [(texts::EARLIER, step.saturating_sub(1)), (texts::LATER, step + 1)] {
        if ui.add_enabled((1..=last).contains(&to), egui::Button::new(name)).clicked() {
            next.move_input(step - 1, to - 1);
            step = to;
        }
    }
    ui.data_mut(|data| data.insert_temp(id, step));
}

fn sliders(ui: &mut Ui, next: &mut NeuronBench) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().slider_width = 80.0;
        let mut steps = next.input.len();
        if pane_parts::slider(ui, "T", Slider::new(&mut steps, 1..=MAX_STEPS)).changed() {
            next.set_steps(steps);
        }
        let top = next.theta.max(4.0);
        pane_parts::slider(ui, "θ", Slider::new(&mut next.theta, 0.05..=top).max_decimals(3));
        pane_parts::slider(ui, "v(0)/θ", Slider::new(&mut next.v_init, -2.0..=2.0).max_decimals(2));
        pane_parts::slider(ui, texts::WEIGHT, Slider::new(&mut next.weight, -3.0..=3.0).max_decimals(2));
        pane_parts::keep_together(ui, &[texts::SOFT_RESET, texts::HARD_RESET]);
        for (reset, name) in [(Reset::Soft, texts::SOFT_RESET), (Reset::Hard, texts::HARD_RESET)] {
            ui.selectable_value(&mut next.reset, reset, name);
        }
        pane_parts::keep_together(ui, &["≥ θ", "> θ"]);
        for (tie, name) in [(TieRule::Ge, "≥ θ"), (TieRule::Gt, "> θ")] {
            ui.selectable_value(&mut next.tie, tie, name);
        }
        let kinds = [
            (NeuronModel::If, texts::IF),
            (NeuronModel::Signed, texts::SIGNED),
            (NeuronModel::Group(4), texts::GROUP),
            (NeuronModel::Burst(5), texts::BURSTS),
        ];
        let now = kinds.iter().find(|(kind, _)| *kind == next.neuron).map_or(texts::OTHER, |(_, name)| name);
        let combo = ComboBox::from_id_salt("bench neuron").selected_text(now).width(84.0).show_ui(ui, |ui| {
            for (kind, name) in kinds {
                ui.selectable_value(&mut next.neuron, kind, name);
            }
        });
        combo.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, texts::NEURON));
    });
}

/// Expected and emitted spikes, as a sentence.
fn verdict(bench: &NeuronBench, outcome: &BenchTrace) -> String {
    let (due, came) = (i64::from(outcome.expected), i64::from(outcome.count()));
    let charge: f32 = outcome.current.iter().sum();
    let last = outcome.after_reset.last().copied().unwrap_or(outcome.initial);
    let residue = last / bench.theta.max(f32::MIN_POSITIVE);
    let end = match came - due {
        0 => texts::AS_DUE.to_owned(),
        n if n > 0 => texts::too_many(n),
        n if bench.neuron.decay() < 1.0 => texts::lost(-n, texts::THE_LEAK),
        n if bench.reset == Reset::Hard => texts::lost(-n, texts::THE_HARD_RESET),
        n if bench.v_init < 0.5 => texts::began_low(-n),
        n => texts::came_late(-n),
    };
    texts::verdict(
        &format_number(f64::from(charge / bench.theta.max(f32::MIN_POSITIVE))),
        due,
        came,
        &end,
        bench.input.len(),
        residue,
    )
}

fn explain(bench: &NeuronBench, outcome: &BenchTrace) -> String {
    texts::explanation(bench.input.len(), outcome.expected, outcome.count())
}

fn csv(outcome: &BenchTrace) -> String {
    let mut text = String::from("t,input,before_reset,after_reset,sent\n");
    for t in 0..outcome.current.len() {
        let (i, m, v) = (outcome.current[t], outcome.before_reset[t], outcome.after_reset[t]);
        text += &format!("{},{i},{m},{v},{}\n", t + 1, outcome.emitted[t]);
    }
    text
}
