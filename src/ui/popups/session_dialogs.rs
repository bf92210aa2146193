//! Session dialogs: locating missing files, and opening a session from a line of text.

use egui::{Align2, Event, Id, Label, Modal, RichText, Role, TextEdit, Ui, WidgetInfo, Window as Card};

use crate::lab::storage::session_text::MARK;
use crate::lab::{Lab, Message};
use crate::ui::state::window::WindowState;
use crate::ui::texts::popups::session_dialogs as texts;
use crate::ui::theme::colors::ui_colors;
use crate::ui::types::file_request::FileRequest;

/// Draws the dialogs that are open.
pub fn show(ui: &Ui, lab: &Lab, window: &mut WindowState, messages: &mut Vec<Message>) {
    missing_files_dialog(ui, lab, window, messages);
    paste_dialog(ui, window, messages);
    if !ui.ctx().text_edit_focused() {
        open_pasted_session(ui, messages);
    }
}

/// Draws the dialog of the session that waits for its files.
fn missing_files_dialog(ui: &Ui, lab: &Lab, window: &mut WindowState, messages: &mut Vec<Message>) {
    let Some(waiting) = &lab.waiting else { return };
    let card = Card::new(texts::MOVED).anchor(Align2::CENTER_CENTER, [0.0, 0.0]).collapsible(false).resizable(false);
    card.show(ui.ctx(), |ui| {
        ui.set_width(460.0);
        for (index, missing) in waiting.missing.iter().enumerate() {
            ui.horizontal(|ui| {
                let find = ui.button(texts::FIND);
                find.widget_info(|| WidgetInfo::labeled(Role::Button, true, texts::find(missing.what.description())));
                if find.clicked() {
                    // A name without an extension is probably a folder.
                    let folder =
                        missing.path.extension().is_none() && !missing.path.to_string_lossy().contains("ubyte");
                    window.file_requests.push(if folder {
                        FileRequest::FindFolder(index)
                    } else {
                        FileRequest::FindFile(index)
                    });
                }
                ui.add(Label::new(texts::missing(missing)).wrap());
            });
        }
        ui.separator();
        ui.horizontal(|ui| {
            if ui.button(texts::GO_ON).on_hover_text(texts::GO_ON_HINT).clicked() {
                messages.push(Message::OpenWithoutMissing);
            }
            if ui.button(texts::LEAVE).on_hover_text(texts::LEAVE_HINT).clicked() {
                messages.push(Message::DiscardPendingSession);
            }
        });
    });
}

/// Draws the field for a line of text.
fn paste_dialog(ui: &Ui, window: &mut WindowState, messages: &mut Vec<Message>) {
    let Some(mut text) = window.paste.take() else { return };
    let modal = Modal::new(Id::unique("paste session")).show(ui.ctx(), |ui| {
        ui.set_width(460.0);
        ui.strong(texts::PASTE);
        let field = ui.add(TextEdit::multiline(&mut text).desired_rows(5).desired_width(f32::INFINITY).hint_text(MARK));
        field.widget_info(|| WidgetInfo::labeled(Role::MultilineTextInput, true, texts::PASTE_FIELD));
        if text.is_empty() {
            field.request_focus();
        }
        let read = crate::lab::storage::session_text::from_text(&text);
        if let (Err(error), false) = (&read, text.trim().is_empty()) {
            ui.add(Label::new(RichText::new(error.to_string()).small().color(ui_colors(ui).error)).wrap());
        }
        ui.horizontal(|ui| {
            let open = ui.add_enabled(read.is_ok(), egui::Button::new(texts::OPEN)).clicked();
            (open, ui.button(texts::CANCEL).clicked())
        })
        .inner
    });
    match modal.inner {
        (true, _) => messages.push(Message::OpenSessionText(text)),
        (false, cancel) if cancel || modal.should_close() => {}
        _ => window.paste = Some(text),
    }
}

/// A session text pasted outside of text fields opens the session.
fn open_pasted_session(ui: &Ui, messages: &mut Vec<Message>) {
    let pasted = ui.input(|input| {
        input.events.iter().find_map(|event| match event {
            Event::Paste(text) if text.trim_start().starts_with(MARK) => Some(text.clone()),
            _ => None,
        })
    });
    messages.extend(pasted.map(Message::OpenSessionText));
}
