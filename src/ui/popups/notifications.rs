//! Errors and remarks, above everything in a corner. Errors, and a network or data that wait for each other, stay until the
//! person takes them away; other remarks go by themselves.

use std::collections::HashMap;
use std::time::Duration;

use egui::{Align2, Area, Frame, Id, Label, Margin, ScrollArea, Stroke, Ui};

use crate::lab::document::job::{Apart, Partner};
use crate::lab::{Lab, Level, Message, Notice};
use crate::ui::state::window::Window;
use crate::ui::texts::window as texts;
use crate::ui::theme::colors::tones;
use crate::ui::theme::icons::{Sign, sign_button, sign_label};
use crate::ui::types::file_request::Ask;

/// The newest this many are on the screen.
const SHOWN: usize = 4;
const WIDTH: f32 = 380.0;
/// A longer text is scrolled, in points.
const HEIGHT: f32 = 92.0;

/// Draws the notices.
pub fn show(ui: &Ui, lab: &Lab, window: &mut Window, out: &mut Vec<Message>) {
    fade(ui, lab, out);
    let apart = |notice: &Notice| lab.apart().filter(|apart| apart.told_by(notice));
    let newest = lab.notices.len().saturating_sub(SHOWN);
    let shown = || lab.notices.iter().enumerate().filter(|(index, notice)| *index >= newest || apart(notice).is_some());
    if lab.notices.is_empty() {
        return;
    }
    let tones = tones(ui);
    let width = WIDTH.min(0.4 * ui.ctx().content_rect().width());
    Area::new(Id::unique("notices")).anchor(Align2::RIGHT_BOTTOM, [-12.0, -84.0]).order(egui::Order::Foreground).show(
        ui.ctx(),
        |ui| {
            ui.set_width(width);
            for (index, notice) in shown() {
                let waits = apart(notice);
                let (sign, name, color) = match notice.level {
                    Level::Error => (Sign::Warning, texts::ERROR, tones.error),
                    Level::Note => (Sign::Info, texts::NOTE, tones.accent),
                };
                let frame = Frame::popup(ui.style()).stroke(Stroke::new(1.0, color)).inner_margin(Margin::same(8));
                frame.show(ui, |ui| {
                    ui.horizontal_top(|ui| {
                        sign_label(ui, sign, color, name);
                        let text = ui.available_width() - 34.0;
                        ui.allocate_ui_with_layout(
                            egui::vec2(text, 0.0),
                            egui::Layout::top_down(egui::Align::Min),
                            |ui| {
                                ui.set_width(text);
                                let scroll = ScrollArea::vertical().id_salt(index).max_height(HEIGHT);
                                scroll.show(ui, |ui| ui.add(Label::new(&notice.text).wrap()));
                                if let Some(waits) = waits {
                                    partner(ui, waits, window);
                                }
                            },
                        );
                        if sign_button(ui, Sign::Cross, texts::DISMISS).clicked() {
                            out.push(Message::DismissNotice(index));
                        }
                    });
                });
            }
        },
    );
}

/// The ways on for what waits.
fn partner(ui: &mut Ui, waits: &Apart, window: &mut Window) {
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        let asks: &[(&str, Ask)] = match waits.missing {
            Partner::Network => &[(texts::CHOOSE_NETWORK, Ask::OpenNetwork)],
            Partner::Data => &[(texts::CHOOSE_DATA, Ask::OpenData), (texts::CHOOSE_PICTURES, Ask::OpenPictures)],
        };
        for (words, ask) in asks {
            if ui.button(*words).clicked() {
                window.asks.push(*ask);
            }
        }
    });
}

/// Takes away remarks that were long enough on the screen to be read.
fn fade(ui: &Ui, lab: &Lab, out: &mut Vec<Message>) {
    let id = Id::unique("notices since");
    let now = ui.input(|input| input.time);
    let known: HashMap<String, f64> = ui.data(|data| data.get_temp(id)).unwrap_or_default();
    let mut since = HashMap::new();
    let mut next = f64::INFINITY;
    for (index, notice) in lab.notices.iter().enumerate().rev() {
        if notice.level == Level::Error || lab.apart().is_some_and(|apart| apart.told_by(notice)) {
            continue;
        }
        let began = known.get(&notice.text).copied().unwrap_or(now);
        let left = began + seconds(&notice.text) - now;
        if left <= 0.0 {
            // Newest first: what is taken away moves no index that comes later.
            out.push(Message::DismissNotice(index));
        } else {
            next = next.min(left);
            since.insert(notice.text.clone(), began);
        }
    }
    ui.data_mut(|data| data.insert_temp(id, since));
    if next.is_finite() {
        ui.ctx().request_repaint_after(Duration::from_secs_f64(next));
    }
}

/// How long a remark is shown: some seconds, and the time to read it slowly.
fn seconds(text: &str) -> f64 {
    8.0 + text.chars().count() as f64 / 12.0
}
