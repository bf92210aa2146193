//! Trojans pane: success after conversion, a gallery of syntheses, and the blind quiz.

mod gallery;
mod quiz;
mod recipes;
mod success;

use egui::{Label, ProgressBar, RichText, ScrollArea, Ui};

use crate::lab::{Lab, Message, TrojanSection};
use crate::ui::texts::panes::trojans as texts;
use crate::ui::types::file_request::FileRequest;
use crate::ui::types::pane::Pane;
use crate::ui::widgets::pane_parts::PaneHeader;
use crate::ui::widgets::{pane_frame, pane_parts, wanted_file};

/// Draws the pane.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let section = lab.view.trojans.section;
    let title = texts::SECTIONS.iter().find(|(known, ..)| *known == section).map_or("", |(_, title, _)| title);
    let words = match section {
        TrojanSection::Success => success::sentence(lab),
        TrojanSection::Gallery => gallery::sentence(lab),
        TrojanSection::Quiz => quiz::sentence(lab),
    };
    let header = PaneHeader {
        of: Pane::Trojans,
        title: texts::TITLE,
        explanation: texts::explanation(&words),
        description: texts::description(title, &words),
    };
    pane_parts::pane_ui(
        ui,
        &header,
        || csv(lab),
        |ui| {
            if pane_frame::has_controls(ui) {
                sections(ui, lab, messages);
            }
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                if let Some(error) = &lab.trojans.error {
                    ui.add(Label::new(RichText::new(error).small()).wrap());
                }
                match section {
                    TrojanSection::Success => {
                        success::show(ui, lab, messages);
                        recipes::show(ui, lab);
                    }
                    TrojanSection::Gallery => gallery::show(ui, lab, messages),
                    TrojanSection::Quiz => quiz::show(ui, lab, messages),
                }
            });
        },
    );
}

/// The choice of the section, its folders, and the job in progress.
fn sections(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let mut next = lab.view.trojans.clone();
    ui.horizontal_wrapped(|ui| {
        for (section, word, hint) in texts::SECTIONS {
            ui.selectable_value(&mut next.section, section, word).on_hover_text(hint);
        }
        ui.separator();
        let folder = |ui: &mut Ui, word: &str, hint: &str, request: FileRequest| {
            if ui.button(word).on_hover_text(hint).clicked() {
                wanted_file::ask(ui, request);
            }
        };
        match next.section {
            TrojanSection::Success => {
                folder(ui, texts::OPEN_REDISCOVERY, texts::OPEN_REDISCOVERY_HINT, FileRequest::OpenRediscovery);
            }
            TrojanSection::Gallery | TrojanSection::Quiz => {
                folder(ui, texts::OPEN_SYNTHESES, texts::OPEN_SYNTHESES_HINT, FileRequest::OpenSyntheses);
                let can_make = lab.attribution.plan.is_some() && lab.trojans.job.is_none();
                ui.add_enabled_ui(can_make && next.section == TrojanSection::Gallery, |ui| {
                    if next.section == TrojanSection::Gallery {
                        folder(ui, texts::SYNTHESIZE, texts::SYNTHESIZE_HINT, FileRequest::Synthesize);
                    }
                });
            }
        }
        if let Some(job) = &lab.trojans.job {
            pane_parts::wrap_before(ui, 190.0);
            let bar = ProgressBar::new(job.fraction.clamp(0.0, 1.0)).desired_width(130.0);
            ui.add(bar.text(texts::progress(job.stage)));
            if ui.small_button(texts::STOP).on_hover_text(texts::STOP_HINT).clicked() {
                messages.push(Message::StopTrojanJob);
            }
        }
    });
    if next != lab.view.trojans {
        messages.push(Message::SetTrojans(Box::new(next)));
    }
}

/// The answers of the quiz; or success, of the run on the screen and by recipe.
fn csv(lab: &Lab) -> String {
    match lab.view.trojans.section {
        TrojanSection::Quiz => crate::trojan::quiz::answers_csv(&lab.trojans.answers),
        TrojanSection::Gallery => gallery::csv(lab),
        TrojanSection::Success => success::csv(lab),
    }
}
