//! Attribution pane: which pixels an answer stands on, in the ANN and in the spiking network at the time cursor.

mod controls;
mod maps;
mod ranking;
mod view;

use egui::{Label, RichText, ScrollArea, Ui};

use self::view::PaneView;
use crate::lab::{Lab, Message};
use crate::ui::texts::panes::attribution as texts;
use crate::ui::types::pane::Pane;
use crate::ui::widgets::pane_parts::PaneHeader;
use crate::ui::widgets::{pane_frame, pane_parts};

/// Draws the pane.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let Some(run) = &lab.finished else {
        return pane_parts::empty(ui, texts::EMPTY);
    };
    let choice = &lab.view.attribution;
    let page = lab.attribution_page();
    let view = PaneView { lab, page, steps: lab.explained_step() };
    let words = page.map(|page| view.sentences(page, &|class| run.class_name(class))).unwrap_or_default();
    let names: Vec<&str> = choice.methods.iter().map(|method| texts::method(*method)).collect();
    let header = PaneHeader {
        of: Pane::Attribution,
        title: texts::TITLE,
        explanation: texts::explanation(&words.join(" ")),
        description: texts::description(&names, words.first().map_or("", String::as_str)),
    };
    pane_parts::pane_ui(
        ui,
        &header,
        || view.csv(),
        |ui| {
            if pane_frame::has_controls(ui) {
                controls::show(ui, lab, run, messages);
            }
            if let Some(error) = page.and_then(|page| page.error.as_ref()) {
                return pane_parts::empty(ui, error);
            }
            if choice.methods.is_empty() {
                return pane_parts::empty(ui, texts::NO_METHODS);
            }
            let Some(page) = page else { return pane_parts::loading(ui) };
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                if pane_frame::has_sentences(ui) {
                    let recordings = run.samples.frames.is_some().then_some(texts::RECORDINGS);
                    for sentence in words.iter().map(String::as_str).chain(recordings) {
                        ui.add(Label::new(RichText::new(sentence).small()).wrap());
                    }
                }
                maps::show(ui, &view, page, run);
                ranking::show(ui, &view, page);
            });
        },
    );
}
