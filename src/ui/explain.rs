//! What stands behind a pane's "?": its sentences with the words of the field explained, its formulas, its source. And the
//! list of all words.

use egui::{Color32, Grid, Key, Label, Modifiers, RichText, ScrollArea, Sense, Ui, Window as Card};

use super::formula;
use super::panes::Pane;
use super::shell::Window;
use super::texts::{self, glossary};
use super::tones::tones;

/// Points of a line of text.
const WIDTH: f32 = 400.0;

/// Draws the explanation of `pane`; `sentences` have the current numbers.
pub fn pane(ui: &mut Ui, pane: Pane, sentences: &str) {
    ui.set_width(WIDTH);
    text(ui, sentences);
    let about = texts::panes::about(pane);
    ui.separator();
    for one in about.formulas {
        ScrollArea::horizontal().id_salt(one).show(ui, |ui| {
            formula::show(ui, one, 15.0);
        });
        ui.add_space(2.0);
    }
    ui.add(Label::new(RichText::new(about.letters).small()).wrap());
    ui.separator();
    ui.add(Label::new(RichText::new(about.source).small().weak()).wrap());
}

/// A text whose words of the field are underlined and explained on hover.
pub fn text(ui: &mut Ui, text: &str) {
    let accent: Color32 = tones(ui).accent;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        for (range, meaning) in glossary::split(text) {
            match meaning {
                None => _ = ui.label(&text[range]),
                Some(meaning) => {
                    let word = RichText::new(&text[range]).color(accent).underline();
                    ui.add(Label::new(word).sense(Sense::hover())).on_hover_text(meaning);
                }
            }
        }
    });
}

/// The list of all words, while it is open.
pub fn words(ui: &Ui, window: &mut Window) {
    let mut open = window.words;
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
                let mut words = glossary::WORDS;
                words.sort_by_key(|(word, _)| word.to_lowercase());
                for (word, meaning) in words {
                    ui.strong(word);
                    ui.add(Label::new(meaning).wrap());
                    ui.end_row();
                }
            });
        });
    });
    window.words = open;
}
