//! The lessons that there are.

use std::sync::OnceLock;

use egui::{RichText, Ui};

use crate::lesson::Lesson;
use crate::lesson::bundled::{LESSONS, PREFIX};
use crate::ui::dialog::Ask;
use crate::ui::panes::Pane;
use crate::ui::texts::lesson as texts;

/// A line of the list.
#[derive(Debug)]
pub struct Entry {
    pub source: String,
    pub title: String,
    pub summary: String,
    pub minutes: Option<u32>,
}

/// Draws the list; returns the source of the lesson that was chosen.
pub fn show(ui: &mut Ui, asks: &mut Vec<Ask>) -> Option<String> {
    let mut chosen = None;
    ui.label(texts::ABOUT);
    ui.add_space(4.0);
    for (number, entry) in entries().iter().enumerate() {
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
        asks.push(Ask::OpenLesson);
    }
    chosen
}

/// The bundled lessons, read once.
pub fn entries() -> &'static [Entry] {
    static ENTRIES: OnceLock<Vec<Entry>> = OnceLock::new();
    ENTRIES.get_or_init(|| {
        let panes = Pane::ALL.map(Pane::name);
        let entry = |(name, _): (&str, &str)| {
            let lesson = Lesson::open(&format!("{PREFIX}{name}"), &panes).ok()?;
            let Lesson { source, title, summary, minutes, .. } = lesson;
            Some(Entry { source, title, summary, minutes })
        };
        LESSONS.into_iter().filter_map(entry).collect()
    })
}
