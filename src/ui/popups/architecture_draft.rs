//! Draft of an architecture file: its text beside the shapes that it gives.

use egui::{Button, Grid, Id, Label, Modal, RichText, Role, ScrollArea, TextEdit, Ui, WidgetInfo};

use crate::error::format_shape;
use crate::lab::Message;
use crate::ui::state::architecture_draft::DraftState;
use crate::ui::state::window::WindowState;
use crate::ui::texts::window::architecture_draft as texts;
use crate::ui::theme::colors::ui_colors;

/// Largest size of text and shapes, in points.
const SIZE: egui::Vec2 = egui::vec2(900.0, 460.0);
/// Width of the list of shapes, in points.
const SHAPES_WIDTH: f32 = 250.0;

/// Draws the draft, if one is open.
pub fn show(ui: &Ui, window: &mut WindowState, messages: &mut Vec<Message>) {
    let Some(mut draft) = window.draft.take() else { return };
    draft.poll();
    let room = (ui.ctx().content_rect().size() - egui::vec2(60.0, 170.0)).min(SIZE).max(egui::vec2(200.0, 80.0));
    let modal = Modal::new(Id::unique("architecture draft")).show(ui.ctx(), |ui| {
        ui.set_width(room.x);
        // Else the first frame, which has no text yet, limits the next ones.
        ui.set_max_height(room.y + 130.0);
        ui.strong(texts::TITLE);
        match &draft.file {
            Some(file) => _ = ui.add(Label::new(RichText::new(texts::file(file)).small().weak()).wrap()),
            None if draft.error.is_none() => _ = ui.label(texts::READING),
            None => {}
        }
        if draft.file.is_some() {
            ui.horizontal_top(|ui| {
                text(ui, &mut draft, egui::vec2(room.x - SHAPES_WIDTH - 16.0, room.y));
                ui.vertical(|ui| shapes(ui, &draft, room.y));
            });
        }
        if let Some(error) = draft.error.as_ref().or(draft.outline.error.as_ref()) {
            let text = RichText::new(error).color(ui_colors(ui).error);
            ScrollArea::vertical().id_salt("error").max_height(70.0).show(ui, |ui| ui.add(Label::new(text).wrap()));
        } else if !draft.outline.layers.is_empty() {
            ui.label(texts::FITS);
        }
        ui.horizontal(|ui| {
            let ready = draft.file.is_some() && draft.outline.error.is_none() && !draft.outline.layers.is_empty();
            let open = ui.add_enabled(ready, Button::new(texts::TRY)).on_hover_text(texts::try_hint(&draft.source));
            (open.clicked(), ui.button(texts::CLOSE).clicked())
        })
        .inner
    });
    match modal.inner {
        (true, _) => match draft.save() {
            Ok(()) => messages.push(Message::OpenModel(draft.source)),
            Err(error) => {
                draft.error = Some(error.to_string());
                window.draft = Some(draft);
            }
        },
        (false, false) if !ui.input(|input| input.key_pressed(egui::Key::Escape)) => window.draft = Some(draft),
        // A click outside closes nothing, and what was edited stays for the next time.
        (false, _) => window.draft_edits = draft.edits(),
    }
}

fn text(ui: &mut Ui, draft: &mut DraftState, size: egui::Vec2) {
    let area = ScrollArea::both().id_salt("text").max_width(size.x).max_height(size.y).auto_shrink(false);
    area.show(ui, |ui| {
        let field = TextEdit::multiline(&mut draft.text).code_editor().desired_width(f32::INFINITY);
        let field = ui.add(field);
        field.widget_info(|| WidgetInfo::labeled(Role::MultilineTextInput, true, texts::FIELD));
        if field.changed() {
            draft.edited();
        }
    });
}

/// Draws name, kind and shape of each layer; of a text that cannot be read those of the text before, weak.
fn shapes(ui: &mut Ui, draft: &DraftState, height: f32) {
    ui.strong(texts::SHAPES);
    let is_old = draft.outline.layers.is_empty();
    ScrollArea::both().id_salt("shapes").max_height(height - 24.0).auto_shrink(false).show(ui, |ui| {
        if is_old {
            ui.disable();
        }
        Grid::new("shapes").num_columns(3).spacing([12.0, 3.0]).striped(true).show(ui, |ui| {
            for (name, kind, shape) in &draft.layers {
                ui.label(name);
                ui.label(RichText::new(*kind).weak());
                ui.label(format_shape(shape));
                ui.end_row();
            }
        });
    });
}
