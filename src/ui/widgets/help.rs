//! Help popup of a pane: sentences with glossary tooltips, formulas and their source.
//!
//! Also draws the list of all glossary terms.

use egui::{Color32, Label, RichText, ScrollArea, Sense, Ui};

use super::formula;
use crate::ui::texts;
use crate::ui::texts::popups::glossary;
use crate::ui::theme::colors::ui_colors;
use crate::ui::types::pane::Pane;

/// Width of the text, in points.
const WIDTH: f32 = 400.0;

/// Draws the help of `pane`; `sentences` contain the current numbers.
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

/// Draws a text whose glossary terms are underlined and explained in tooltips.
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
