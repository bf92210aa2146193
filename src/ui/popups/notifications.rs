//! Notifications: errors and messages in a corner, above all panes.
//!
//! Errors and pending opens stay until the user dismisses them. Other messages disappear after a time.

use std::collections::HashMap;
use std::time::Duration;

use egui::{Align2, Area, Frame, Id, Label, Margin, ScrollArea, Stroke, Ui};

use crate::lab::document::job::{MissingSide, PendingOpen};
use crate::lab::{Lab, Message, Notification, NotificationLevel};
use crate::ui::state::window::WindowState;
use crate::ui::texts::window as texts;
use crate::ui::theme::colors::ui_colors;
use crate::ui::theme::icons::{Icon, icon_button, icon_label};
use crate::ui::types::file_request::FileRequest;

/// Number of visible notifications, the newest first.
const MAX_VISIBLE: usize = 4;
const WIDTH: f32 = 380.0;
/// Maximum height of a text before it scrolls, in points.
const MAX_TEXT_HEIGHT: f32 = 92.0;

/// Draws the notifications.
pub fn show(ui: &Ui, lab: &Lab, window: &mut WindowState, messages: &mut Vec<Message>) {
    dismiss_expired(ui, lab, messages);
    let pending = |notification: &Notification| lab.apart().filter(|pending| pending.is_shown_by(notification));
    let newest = lab.notifications.len().saturating_sub(MAX_VISIBLE);
    let shown = || {
        lab.notifications
            .iter()
            .enumerate()
            .filter(|(index, notification)| *index >= newest || pending(notification).is_some())
    };
    if lab.notifications.is_empty() {
        return;
    }
    let colors = ui_colors(ui);
    let width = WIDTH.min(0.4 * ui.ctx().content_rect().width());
    Area::new(Id::unique("notices")).anchor(Align2::RIGHT_BOTTOM, [-12.0, -84.0]).order(egui::Order::Foreground).show(
        ui.ctx(),
        |ui| {
            ui.set_width(width);
            for (index, notification) in shown() {
                let pending_open = pending(notification);
                let (sign, name, color) = match notification.level {
                    NotificationLevel::Error => (Icon::Warning, texts::ERROR, colors.error),
                    NotificationLevel::Note => (Icon::Info, texts::NOTE, colors.accent),
                };
                let frame = Frame::popup(ui.style()).stroke(Stroke::new(1.0, color)).inner_margin(Margin::same(8));
                frame.show(ui, |ui| {
                    ui.horizontal_top(|ui| {
                        icon_label(ui, sign, color, name);
                        let text = ui.available_width() - 34.0;
                        ui.allocate_ui_with_layout(
                            egui::vec2(text, 0.0),
                            egui::Layout::top_down(egui::Align::Min),
                            |ui| {
                                ui.set_width(text);
                                let scroll = ScrollArea::vertical().id_salt(index).max_height(MAX_TEXT_HEIGHT);
                                scroll.show(ui, |ui| ui.add(Label::new(&notification.text).wrap()));
                                if let Some(pending_open) = pending_open {
                                    pending_open_buttons(ui, pending_open, window);
                                }
                            },
                        );
                        if icon_button(ui, Icon::Cross, texts::DISMISS).clicked() {
                            messages.push(Message::DismissNotification(index));
                        }
                    });
                });
            }
        },
    );
}

/// Draws the buttons of a pending open.
fn pending_open_buttons(ui: &mut Ui, pending_open: &PendingOpen, window: &mut WindowState) {
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        let requests: &[(&str, FileRequest)] = match pending_open.missing {
            MissingSide::Network => &[(texts::CHOOSE_NETWORK, FileRequest::OpenNetwork)],
            MissingSide::Data => {
                &[(texts::CHOOSE_DATA, FileRequest::OpenData), (texts::CHOOSE_PICTURES, FileRequest::OpenPictures)]
            }
        };
        for (words, request) in requests {
            if ui.button(*words).clicked() {
                window.file_requests.push(*request);
            }
        }
    });
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
