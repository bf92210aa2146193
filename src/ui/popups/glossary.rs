//! Glossary window: all terms of the field with their definitions.

use egui::{Grid, Key, Label, Modifiers, ScrollArea, Ui, Window as Card};

use crate::ui::state::window::WindowState;
use crate::ui::texts;
use crate::ui::texts::popups::glossary;

/// Draws the list of all terms while it is open.
pub fn show(ui: &Ui, window: &mut WindowState) {
    let mut open = window.glossary_open;
    if open && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)) {
        open = false;
    }
    let card = Card::new(texts::WORDS)
        .open(&mut open)
        .default_pos([320.0, 110.0])
        .default_size([520.0, 420.0])
        .collapsible(false);
    card.show(ui.ctx(), |ui| {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            Grid::new("words").num_columns(2).spacing([14.0, 8.0]).striped(true).show(ui, |ui| {
                let mut words = glossary::GLOSSARY;
                words.sort_by_key(|(word, _)| word.to_lowercase());
                for (word, meaning) in words {
                    ui.strong(word);
                    ui.add(Label::new(meaning).wrap());
                    ui.end_row();
                }
            });
        });
    });
    window.glossary_open = open;
}
