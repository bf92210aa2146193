//! Combo box that chooses one value from a list.

use egui::Ui;

use crate::lab::Message;

pub fn choice<T: Copy + PartialEq>(
    ui: &mut Ui,
    name: &str,
    now: T,
    messages: &mut Vec<Message>,
    message: impl Fn(T) -> Message,
    choices: &[(T, &str, &str)],
) {
    ui.label(name);
    ui.horizontal(|ui| {
        for (value, word, hint) in choices {
            if ui.selectable_label(now == *value, *word).on_hover_text(*hint).clicked() && now != *value {
                messages.push(message(*value));
            }
        }
    });
    ui.end_row();
}
