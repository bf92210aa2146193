//! What stands behind a pane's "?": its sentences with the words of the field explained, its formulas, its source. And the
//! list of all words.

use egui::{Color32, Label, RichText, ScrollArea, Sense, Ui};

use super::formula;
use crate::ui::texts;
use crate::ui::texts::glossary;
use crate::ui::theme::colors::ui_colors;
use crate::ui::types::pane::Pane;

/// Points of a line of text.
const WIDTH: f32 = 400.0;

/// Draws the explanation of `pane_help_ui`; `sentences` have the current numbers.
pub fn pane_help_ui(ui: &mut Ui, pane: Pane, sentences: &str) {
    ui.set_width(WIDTH);
    glossary_text_ui(ui, sentences);
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
pub fn glossary_text_ui(ui: &mut Ui, text: &str) {
    let accent: Color32 = ui_colors(ui).accent;
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
