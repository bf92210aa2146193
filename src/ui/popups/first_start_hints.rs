//! First-start hints: three steps in a corner, shown beside a lab that is already running.
//!
//! Doing a step completes it. The user can dismiss them, and they never appear again.

use egui::{Align2, Area, Frame, Id, Label, Margin, RichText, Stroke, StrokeKind, Ui};

use crate::lab::Lab;
use crate::ui::state::first_start::{FirstStartHints, HintTarget, target_rect};
use crate::ui::state::window::WindowState;
use crate::ui::texts::popups::first_start_hints as texts;
use crate::ui::theme::colors::ui_colors;
use crate::ui::theme::icons::{Icon, icon_button};

const WIDTH: f32 = 330.0;

/// Draws the current step, if any.
pub fn show(ui: &Ui, lab: &Lab, window: &mut WindowState) {
    // Hidden before the first run, which has no targets yet, during a lesson, and while a dialog, a list or a
    // message needs the room.
    let covers = window.lesson.player.is_some()
        || window.glossary_open
        || window.keys_open
        || window.about_open
        || window.draft.is_some();
    if lab.run.is_none() || lab.waiting.is_some() || covers || !lab.notifications.is_empty() {
        return;
    }
    let palette_open = window.palette.is_some();
    let Some(hints) = window.hints.take().and_then(|hints| hints.advance(lab, palette_open)) else { return };
    let colors = ui_colors(ui);
    let target = [Some(HintTarget::Steps), Some(HintTarget::Layers), None].get(hints.step).copied().flatten();
    if let Some(rect) = target.and_then(|target| target_rect(ui, target)) {
        let painter = ui.ctx().layer_painter(egui::LayerId::new(egui::Order::Middle, Id::unique("hint ring")));
        painter.rect_stroke(rect.expand(4.0), 4.0, Stroke::new(2.0, colors.accent), StrokeKind::Outside);
    }
    let area =
        Area::new(Id::unique("hints")).anchor(Align2::LEFT_BOTTOM, [212.0, -84.0]).order(egui::Order::Foreground);
    let frame = Frame::popup(ui.style()).stroke(Stroke::new(1.0, colors.accent)).inner_margin(Margin::same(10));
    let answer = area.show(ui.ctx(), |ui| frame.show(ui, |ui| card(ui, &hints)).inner).inner;
    window.hints = match answer {
        HintAction::Stay => Some(hints),
        HintAction::Next => hints.next(lab),
        HintAction::Leave => None,
    };
}

enum HintAction {
    Stay,
    Next,
    Leave,
}

fn card(ui: &mut Ui, hints: &FirstStartHints) -> HintAction {
    ui.set_width(WIDTH);
    let (title, text) = texts::STEPS[hints.step];
    let mut answer = HintAction::Stay;
    ui.horizontal(|ui| {
        ui.strong(title);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if icon_button(ui, Icon::Cross, texts::LEAVE).clicked() {
                answer = HintAction::Leave;
            }
            ui.label(RichText::new(texts::progress(hints.step + 1, texts::STEPS.len())).small().weak());
        });
    });
    ui.add(Label::new(text).wrap());
    let word = if hints.step + 1 < texts::STEPS.len() { texts::NEXT } else { texts::DONE };
    if ui.button(word).clicked() {
        answer = HintAction::Next;
    }
    answer
}
