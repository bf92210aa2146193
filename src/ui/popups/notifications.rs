//! Notifications: errors and messages in a corner, above all panes.
//!
//! Errors and pending opens stay until the user dismisses them. Other messages disappear after a time.

use std::collections::HashMap;
use std::time::Duration;

use egui::text::LayoutJob;
use egui::{
    Align, Align2, Area, FontSelection, Frame, Id, Label, Layout, Margin, Rect, RichText, ScrollArea, Sense, Stroke,
    Ui, vec2,
};

use super::message_parts::{self, Part};
use crate::lab::document::job::{MissingSide, PendingOpen};
use crate::lab::{Lab, Message, Notification, NotificationLevel};
use crate::ui::state::architecture_draft::DraftState;
use crate::ui::state::window::WindowState;
use crate::ui::texts::format::source_file_name;
use crate::ui::texts::window::{self as texts, architecture_draft as draft};
use crate::ui::theme::colors::ui_colors;
use crate::ui::theme::icons::{Icon, icon_button, icon_label};
use crate::ui::types::file_request::FileRequest;

/// Maximum number of visible notifications, the newest first.
const MAX_VISIBLE: usize = 20;
const WIDTH: f32 = 400.0;
/// Width of *Copy* and *Dismiss* beside a text, in points.
const BUTTONS_WIDTH: f32 = 86.0;
/// Distance from the edges of the pane area, in points.
const GAP: f32 = 12.0;

/// Draws the notifications in a corner of `room`, the area of the panes.
pub fn show(ui: &Ui, lab: &Lab, window: &mut WindowState, room: Rect, messages: &mut Vec<Message>) {
    dismiss_expired(ui, lab, messages);
    // A request for data is over while the chosen data are opened.
    let shown: Vec<_> = lab.notifications.iter().enumerate().filter(|(_, notice)| !lab.is_answered(notice)).collect();
    if shown.is_empty() {
        return;
    }
    let room = room.shrink(GAP);
    let width = WIDTH.min(room.width());
    let area = Area::new(Id::unique("notices")).pivot(Align2::RIGHT_BOTTOM).fixed_pos(room.right_bottom());
    area.constrain_to(room).order(egui::Order::Foreground).show(ui.ctx(), |ui| {
        ui.set_width(width);
        // The list grows upwards: its place in the frame before, with fewer messages, is no limit.
        ui.set_max_height(room.height());
        let top = ui.cursor().top();
        if shown.len() > 1 {
            all_header(ui, lab, messages);
        }
        let height = (room.height() - (ui.cursor().top() - top)).max(60.0);
        // The whole list scrolls, and only where the window has no room for it; the newest stands at its beginning.
        ScrollArea::vertical().max_height(height).show(ui, |ui| {
            for (index, notification) in shown.into_iter().rev().take(MAX_VISIBLE) {
                one(ui, lab, window, index, notification, messages);
            }
        });
    });
}

/// Draws the number of notifications and the button that dismisses all.
fn all_header(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    Frame::popup(ui.style()).inner_margin(Margin::symmetric(8, 4)).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.label(texts::messages(lab.notifications.len()));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if ui.button(texts::DISMISS_ALL).clicked() {
                    // From the last on, so that the indices of the others stay.
                    messages.extend((0..lab.notifications.len()).rev().map(Message::DismissNotification));
                }
            });
        });
    });
}

fn one(
    ui: &mut Ui,
    lab: &Lab,
    window: &mut WindowState,
    index: usize,
    notification: &Notification,
    messages: &mut Vec<Message>,
) {
    let colors = ui_colors(ui);
    let (sign, name, color) = match notification.level {
        NotificationLevel::Error => (Icon::Warning, texts::ERROR, colors.error),
        NotificationLevel::Note => (Icon::Info, texts::NOTE, colors.accent),
    };
    let frame = Frame::popup(ui.style()).stroke(Stroke::new(1.0, color)).inner_margin(Margin::same(8));
    frame.show(ui, |ui| {
        ui.horizontal_top(|ui| {
            icon_label(ui, sign, color, name);
            let width = ui.available_width() - BUTTONS_WIDTH;
            ui.allocate_ui_with_layout(vec2(width, 0.0), Layout::top_down(Align::Min), |ui| {
                ui.set_width(width);
                for paragraph in message_parts::split(&notification.text) {
                    match paragraph {
                        Part::Text(text) => _ = ui.add(Label::new(unligated(ui, text)).wrap()),
                        Part::Item(text) => item(ui, text),
                        Part::Code(text) => code(ui, text),
                    }
                }
                if let Some(pending) = lab.apart().filter(|pending| pending.is_shown_by(notification)) {
                    pending_open_buttons(ui, pending, window);
                }
                if let Some(data) = lab.own_data(notification) {
                    own_data_button(ui, data, messages);
                }
                if let Some(source) = lab.undescribed(notification) {
                    draft_button(ui, source, window);
                }
            });
            ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
                if icon_button(ui, Icon::Cross, texts::DISMISS).clicked() {
                    messages.push(Message::DismissNotification(index));
                }
                if ui.button(texts::COPY).on_hover_text(texts::COPY_HINT).clicked() {
                    ui.ctx().copy_text(notification.text.clone());
                }
            });
        });
    });
}

/// Draws lines of code as they stand, with a button that copies them alone.
fn code(ui: &mut Ui, text: &str) {
    if ui.button(texts::COPY_PYTHON).on_hover_text(texts::COPY_PYTHON_HINT).clicked() {
        ui.ctx().copy_text(text.to_owned());
    }
    let frame = Frame::new().fill(ui.visuals().extreme_bg_color).corner_radius(3.0).inner_margin(Margin::same(6));
    frame.show(ui, |ui| {
        ScrollArea::horizontal().show(ui, |ui| {
            ui.add(Label::new(RichText::new(text).monospace().size(11.0)).selectable(true).extend());
        });
    });
}

/// Draws one entry of a list behind a dot.
fn item(ui: &mut Ui, text: &str) {
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        let (dot, _) = ui.allocate_exact_size(vec2(6.0, ui.text_style_height(&egui::TextStyle::Body)), Sense::hover());
        ui.painter().circle_filled(dot.center(), 2.0, ui.visuals().text_color());
        ui.add(Label::new(unligated(ui, text)).wrap());
    });
}

/// `text` in sections that end between two hyphens: the font draws `--` of one section as a dash, so that an option of the
/// command line could not be read.
fn unligated(ui: &Ui, text: &str) -> LayoutJob {
    let mut job = LayoutJob::default();
    let mut rest = text;
    loop {
        let (part, after) = rest.split_at(rest.find("--").map_or(rest.len(), |at| at + 1));
        RichText::new(part).append_to(&mut job, ui.style(), FontSelection::Default, Align::Min);
        if after.is_empty() {
            return job;
        }
        rest = after;
    }
}

/// Draws the buttons of a pending open.
fn pending_open_buttons(ui: &mut Ui, pending_open: &PendingOpen, window: &mut WindowState) {
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        let requests: &[(&str, FileRequest)] = match pending_open.missing {
            MissingSide::Network => &[(texts::CHOOSE_NETWORK, FileRequest::OpenNetwork)],
            MissingSide::Data => &[
                (texts::CHOOSE_DATA, FileRequest::OpenData),
                (texts::CHOOSE_PICTURES, FileRequest::OpenPictureFiles),
                (texts::CHOOSE_FOLDER, FileRequest::OpenPictures),
            ],
        };
        for (words, request) in requests {
            if ui.button(*words).clicked() {
                window.file_requests.push(*request);
            }
        }
    });
}

/// Draws the button that opens the bundled data of a bundled network.
fn own_data_button(ui: &mut Ui, data: &str, messages: &mut Vec<Message>) {
    ui.add_space(4.0);
    if ui.button(texts::use_own(&source_file_name(data))).on_hover_text(texts::USE_OWN_HINT).clicked() {
        messages.push(Message::OpenData(data.to_owned()));
    }
}

/// Draws the button that describes the weights `source`.
fn draft_button(ui: &mut Ui, source: &str, window: &mut WindowState) {
    ui.add_space(4.0);
    if ui.button(draft::WRITE_DRAFT).on_hover_text(draft::WRITE_DRAFT_HINT).clicked() {
        let kept = window.draft_edits.take().filter(|(of, _)| of == source).map(|(_, text)| text);
        window.draft = Some(DraftState::open(source, kept, ui.ctx()));
    }
}

/// Dismisses messages whose display time is over.
fn dismiss_expired(ui: &Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let id = Id::unique("notices since");
    let now = ui.input(|input| input.time);
    let known: HashMap<String, f64> = ui.data(|data| data.get_temp(id)).unwrap_or_default();
    let mut since = HashMap::new();
    let mut next = f64::INFINITY;
    for (index, notification) in lab.notifications.iter().enumerate().rev() {
        if notification.level == NotificationLevel::Error
            || lab.apart().is_some_and(|pending| pending.is_shown_by(notification))
            || lab.own_data(notification).is_some()
        {
            continue;
        }
        let began = known.get(&notification.text).copied().unwrap_or(now);
        let left = began + display_seconds(&notification.text) - now;
        if left <= 0.0 {
            // Newest first, so that removals do not change the indices of later ones.
            messages.push(Message::DismissNotification(index));
        } else {
            next = next.min(left);
            since.insert(notification.text.clone(), began);
        }
    }
    ui.data_mut(|data| data.insert_temp(id, since));
    if next.is_finite() {
        ui.ctx().request_repaint_after(Duration::from_secs_f64(next));
    }
}

/// Display time of a message in seconds: a few seconds, plus time to read it slowly.
fn display_seconds(text: &str) -> f64 {
    8.0 + text.chars().count() as f64 / 12.0
}
