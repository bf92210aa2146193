//! Question of a lesson step: a number, a choice, or a state of the lab to reach.

use egui::{Color32, Key, RichText, TextEdit, Ui};

use crate::lab::{Lab, Message};
use crate::lesson::{Condition, LessonAnswer, Question, Verdict, fill_facts};
use crate::ui::state::lesson::LessonState;
use crate::ui::texts::lesson as texts;
use crate::ui::theme::colors::ui_colors;
use crate::ui::widgets::markdown;

/// Number of wrong answers after which the user may show the answer.
const MAX_WRONG_ANSWERS: usize = 2;

/// Draws the question of the current step, the result of the answer, and the hints.
pub fn show(ui: &mut Ui, lab: &Lab, state: &mut LessonState, messages: &mut Vec<Message>) {
    let Some(player) = &mut state.player else { return };
    // What a drag only sweeps through does not count.
    if !lab.is_dragging() {
        player.watch(lab);
    }
    let Some(question) = player.step().question.clone() else { return };
    let done = player.done();
    ui.separator();
    match &question {
        Question::Number { unit, .. } => number(ui, lab, state, unit),
        Question::Choice { options, .. } => choice(ui, lab, state, options),
        Question::Reach { all, text, .. } => {
            if !text.is_empty() {
                markdown::show(ui, &fill_facts(text, lab));
            }
            conditions(ui, lab, all, done);
        }
    }
    verdict(ui, lab, state, &question);
    hints_ui(ui, lab, state, messages);
}

fn number(ui: &mut Ui, lab: &Lab, state: &mut LessonState, unit: &str) {
    let Some(player) = &mut state.player else { return };
    ui.horizontal_wrapped(|ui| {
        let label = ui.label(texts::ANSWER);
        let field =
            ui.add(TextEdit::singleline(&mut state.draft).desired_width(70.0).char_limit(24)).labelled_by(label.id);
        if !unit.is_empty() {
            ui.label(unit);
        }
        let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        let typed: Option<f64> =
            state.draft.trim().trim_end_matches('%').trim().replace(',', ".").replace('−', "-").parse().ok();
        let check =
            ui.add_enabled(typed.is_some(), egui::Button::new(texts::CHECK)).on_disabled_hover_text(texts::CHECK_HINT);
        if let Some(given) = typed.filter(|given| given.is_finite() && (check.clicked() || entered)) {
            player.answer(lab, LessonAnswer::Number(given));
        }
        if typed.is_none() && !state.draft.trim().is_empty() {
            ui.small(texts::CHECK_HINT);
        }
    });
}

fn choice(ui: &mut Ui, lab: &Lab, state: &mut LessonState, options: &[String]) {
    let Some(player) = &mut state.player else { return };
    for (index, option) in options.iter().enumerate() {
        let chosen = state.chosen == Some(index);
        if ui.radio(chosen, option.as_str()).clicked() && (!player.done() || !chosen) {
            state.chosen = Some(index);
            player.answer(lab, LessonAnswer::Choice(index));
        }
    }
}

/// Draws the conditions to reach and which of them hold. A condition that was reached once stays checked.
fn conditions(ui: &mut Ui, lab: &Lab, all: &[Condition], reached: bool) {
    let colors = ui_colors(ui);
    for condition in all {
        let holds = condition.holds(lab);
        // The state is never shown by color alone.
        let (mark, color) = if holds || reached { (texts::DONE, colors.parts[2]) } else { (texts::TO_DO, colors.weak) };
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new(mark).small().color(color));
            let now = condition.current_value(lab).map_or("—".to_owned(), |now| now.to_string());
            // Of a condition that held, the value of later says nothing.
            let words = if reached && !holds { condition.words() } else { texts::now(&condition.words(), &now) };
            ui.label(words).on_hover_text(condition.text());
        });
    }
}

/// Draws the result of the last answer, as text beside a colored edge.
fn verdict(ui: &mut Ui, lab: &Lab, state: &LessonState, question: &Question) {
    let Some(player) = &state.player else { return };
    let colors = ui_colors(ui);
    let step = player.step();
    let or = |text: &str, otherwise: &str| if text.is_empty() { otherwise.to_owned() } else { fill_facts(text, lab) };
    if player.done() && state.shown {
        let answer = player.model_answer(lab).map(texts::the_answer).unwrap_or_default();
        verdict_text(ui, colors.accent, texts::SHOWN, &(answer + &or(&step.right, "")));
    } else {
        match player.verdict() {
            Some(Verdict::Right) => verdict_text(ui, colors.parts[2], texts::RIGHT, &or(&step.right, "")),
            Some(Verdict::Wrong) if player.done() => {
                verdict_text(ui, colors.parts[2], texts::ANSWERED, &or(&step.right, ""))
            }
            Some(Verdict::Wrong) => verdict_text(ui, colors.error, texts::NOT_YET, &or(&step.wrong, texts::TRY_AGAIN)),
            Some(Verdict::NotYet) => verdict_text(ui, colors.accent, texts::ONE_MOMENT, texts::CHECK_AGAIN),
            None if player.done() => verdict_text(ui, colors.parts[2], texts::ANSWERED, &or(&step.right, "")),
            None if lab.busy() && matches!(question, Question::Reach { .. }) => {
                ui.label(RichText::new(texts::COMPUTING).small());
            }
            None => {}
        }
    }
}

fn verdict_text(ui: &mut Ui, color: Color32, word: &str, text: &str) {
    let frame = egui::Frame::new().inner_margin(egui::Margin { left: 10, right: 4, top: 4, bottom: 2 });
    let drawn = frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        markdown::show(ui, &format!("**{word}** {text}"));
    });
    let rect = drawn.response.rect;
    let edge = egui::Rect::from_min_max(rect.min, egui::pos2(rect.left() + 4.0, rect.bottom()));
    ui.painter().rect_filled(edge, 1.0, color);
}

/// Draws the hints, one at a time, and at the end the answer.
fn hints_ui(ui: &mut Ui, lab: &Lab, state: &mut LessonState, messages: &mut Vec<Message>) {
    let Some(player) = &mut state.player else { return };
    let hints = player.step().hints.clone();
    for (index, hint) in hints.iter().take(state.hints).enumerate() {
        markdown::show(ui, &texts::hint(index + 1, &fill_facts(hint, lab)));
    }
    if player.done() {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        if state.hints < hints.len() {
            if ui.button(texts::HINT).on_hover_text(texts::HINT_HINT).clicked() {
                state.hints += 1;
            }
        } else if player.tries() >= MAX_WRONG_ANSWERS || state.hints == hints.len() {
            let hover = texts::SHOW_HINT;
            if ui.button(texts::SHOW).on_hover_text(hover).clicked() {
                messages.extend(player.show());
                state.shown = true;
            }
        }
    });
}
