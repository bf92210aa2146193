//! Quiz of the trojans pane: the blind question with eight options, and how often each judge was right.

use egui::{Button, Label, RichText, TextEdit, Ui, vec2};

use super::gallery::sheet;
use crate::lab::{Lab, Message};
use crate::trojan::quiz::statistics;
use crate::ui::texts::panes::trojans as texts;
use crate::ui::widgets::pane_parts;

/// Side of a picture of the question, in points.
const SIDE: f32 = 72.0;
/// Options in a line, and their least width in points.
const IN_LINE: usize = 4;

/// How many questions are open, in a sentence.
pub fn sentence(lab: &Lab) -> String {
    match &lab.trojans.syntheses {
        Some(_) => texts::open(lab.trojans.questions.len(), lab.trojans.answers.len()),
        None => texts::NO_SYNTHESES.to_owned(),
    }
}

/// Draws the next question and the statistics.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let desk = &lab.trojans;
    let Some(folder) = &desk.syntheses else {
        return pane_parts::empty(ui, texts::NO_SYNTHESES);
    };
    let mut next = lab.view.trojans.clone();
    ui.horizontal_wrapped(|ui| {
        let label = ui.label(texts::NAME);
        ui.add(TextEdit::singleline(&mut next.judge).desired_width(90.0)).labelled_by(label.id);
        let judge = Button::new(texts::JUDGE);
        if ui.add_enabled(desk.job.is_none(), judge).on_hover_text(texts::JUDGE_HINT).clicked() {
            messages.push(Message::JudgeQuiz);
        }
        ui.small(sentence(lab));
    });
    if next != lab.view.trojans {
        messages.push(Message::SetTrojans(Box::new(next)));
    }
    match desk.questions.first() {
        None => _ = ui.label(texts::ALL_ANSWERED),
        Some(question) => {
            ui.strong(texts::QUESTION);
            match &folder.pictures[question.item] {
                Ok(pictures) => sheet(ui, texts::BLIND_SHEET, (folder, question.item), pictures, SIDE),
                Err(reason) => _ = ui.add(Label::new(RichText::new(reason).small()).wrap()),
            }
            let gap = ui.spacing().item_spacing.x;
            let width = ((ui.available_width() + gap) / IN_LINE as f32 - gap).clamp(60.0, 150.0);
            for line in question.options.chunks(IN_LINE).enumerate() {
                ui.horizontal(|ui| {
                    for (k, option) in line.1.iter().enumerate() {
                        let number = line.0 * IN_LINE + k;
                        let words = texts::option(number + 1, option.name());
                        if ui.add(Button::new(words).min_size(vec2(width, 0.0))).clicked() {
                            messages.push(Message::AnswerQuiz(number));
                        }
                    }
                });
            }
        }
    }
    let rows = statistics(&desk.answers);
    if rows.is_empty() {
        return;
    }
    ui.add_space(6.0);
    ui.label(RichText::new(texts::CHANCE).small().strong());
    for row in rows.iter().filter(|row| row.kind == "all") {
        ui.small(texts::statistic(&row.judge, &row.method, row.correct, row.answers, row.interval));
    }
    ui.add(Label::new(RichText::new(texts::KEPT).small().weak()).wrap());
}
