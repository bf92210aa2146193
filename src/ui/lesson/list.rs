//! List of bundled lessons, with a button to open a lesson file.

use egui::{RichText, Ui};

use crate::ui::texts::lesson as texts;
use crate::ui::types::file_request::FileRequest;
use crate::ui::types::lessons::bundled_lessons;

/// Draws the list. Returns the source of the chosen lesson.
pub fn show(ui: &mut Ui, file_requests: &mut Vec<FileRequest>) -> Option<String> {
    let mut chosen = None;
    ui.label(texts::ABOUT);
    ui.add_space(4.0);
    for (number, entry) in bundled_lessons().iter().enumerate() {
        let minutes = entry.minutes.map(texts::minutes).unwrap_or_default();
        let button = egui::Button::new(RichText::new(format!("{}. {}", number + 1, entry.title)).strong()).wrap();
        if ui.add(button.min_size(egui::vec2(ui.available_width(), 0.0))).clicked() {
            chosen = Some(entry.source.clone());
        }
        ui.add(egui::Label::new(RichText::new(format!("{}{minutes}", entry.summary)).small()).wrap());
        ui.add_space(2.0);
    }
    ui.separator();
    let hint = texts::OPEN_HINT;
    if ui.button(texts::OPEN).on_hover_text(hint).clicked() {
        file_requests.push(FileRequest::OpenLesson);
    }
    chosen
}
