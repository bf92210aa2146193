//! Errors and remarks, above everything in a corner, until the person takes them away.

use egui::{Align2, Area, Frame, Id, Label, Margin, Stroke, Ui};

use super::signs::{Sign, sign_button, sign_label};
use super::tones::tones;
use crate::lab::{Lab, Level, Message};

/// The newest this many are on the screen.
const SHOWN: usize = 4;
const WIDTH: f32 = 380.0;

/// Draws the notices.
pub fn show(ui: &Ui, lab: &Lab, out: &mut Vec<Message>) {
    if lab.notices.is_empty() {
        return;
    }
    let tones = tones(ui);
    Area::new(Id::unique("notices")).anchor(Align2::RIGHT_BOTTOM, [-12.0, -84.0]).order(egui::Order::Foreground).show(
        ui.ctx(),
        |ui| {
            ui.set_width(WIDTH);
            for (index, notice) in lab.notices.iter().enumerate().rev().take(SHOWN).rev() {
                let (sign, name, colour) = match notice.level {
                    Level::Error => (Sign::Warning, "Error", tones.error),
                    Level::Note => (Sign::Info, "Note", tones.accent),
                };
                let frame = Frame::popup(ui.style()).stroke(Stroke::new(1.0, colour)).inner_margin(Margin::same(8));
                frame.show(ui, |ui| {
                    ui.horizontal_top(|ui| {
                        sign_label(ui, sign, colour, name);
                        let text = ui.available_width() - 34.0;
                        ui.allocate_ui_with_layout(
                            egui::vec2(text, 0.0),
                            egui::Layout::top_down(egui::Align::Min),
                            |ui| {
                                ui.set_width(text);
                                ui.add(Label::new(&notice.text).wrap());
                            },
                        );
                        if sign_button(ui, Sign::Cross, "Dismiss").clicked() {
                            out.push(Message::DismissNotice(index));
                        }
                    });
                });
            }
        },
    );
}
