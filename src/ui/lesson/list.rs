//! List of bundled lessons, with a button to open a lesson file.

use std::collections::BTreeSet;

use egui::{RichText, Ui};

use crate::ui::texts::lesson as texts;
use crate::ui::types::file_request::FileRequest;
use crate::ui::types::lessons::bundled_lessons;

/// Draws the list. Returns the source of the chosen lesson.
pub fn show(ui: &mut Ui, finished: &BTreeSet<String>, file_requests: &mut Vec<FileRequest>) -> Option<String> {
    let mut chosen = None;
    ui.label(texts::ABOUT);
    ui.add_space(4.0);
    for (number, entry) in bundled_lessons().iter().enumerate() {
        let minutes = entry.minutes.map(texts::minutes).unwrap_or_default();
        let done = if finished.contains(&entry.source) { texts::FINISHED } else { "" };
        let title = RichText::new(format!("{}. {}{done}", number + 1, entry.title)).strong();
        let button = egui::Button::new(title).wrap();
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
