//! Lesson panel: the list of lessons, or the current step with its question and navigation.

use egui::{Button, ProgressBar, RichText, ScrollArea, Ui};

use crate::lab::{ControlGroup, Lab, Message, Workspace};
use crate::lesson::{PointerTarget, ScreenArea, fill_facts};
use crate::ui::state::lesson::LessonState;
use crate::ui::state::responsive::SidePanel;
use crate::ui::state::window::WindowState;
use crate::ui::texts::lesson as texts;
use crate::ui::types::lessons::next_lesson;
use crate::ui::types::pane::Pane;

/// Size of the text of a lesson, relative to that of the panes.
const TEXT_SCALE: f32 = 1.15;

/// Whether the panel is open.
pub fn is_open(lab: &Lab, window: &WindowState) -> bool {
    window.lesson.player.is_some() || lab.view.workspace == Workspace::Teach && window.layout.lessons
}

/// Whether the panel is open and has room. A lesson in progress is never hidden.
pub fn is_visible(lab: &Lab, window: &WindowState) -> bool {
    window.lesson.player.is_some() || window.responsive.shows(SidePanel::Lessons, is_open(lab, window))
}

/// Whether the current step hides `part` of the screen.
pub fn hides(window: &WindowState, part: ScreenArea) -> bool {
    window.lesson.player.as_ref().is_some_and(|player| player.step().hide.contains(&PointerTarget::Part(part)))
}

/// The panes that the current step covers until its question is answered.
pub fn covered_panes(window: &WindowState) -> Vec<Pane> {
    let Some(player) = window.lesson.player.as_ref().filter(|player| !player.done()) else { return Vec::new() };
    let is_hidden = |pane: &Pane| player.step().hide.contains(&PointerTarget::Pane(pane.name().to_owned()));
    Pane::ALL.into_iter().filter(is_hidden).collect()
}

/// Whether the current step highlights `part` of the screen.
pub fn highlights(window: &WindowState, part: ScreenArea) -> bool {
    window.lesson.pointer_target() == Some(&PointerTarget::Part(part))
}

/// Opens a requested lesson and resumes the lesson of a loaded session. Called once per frame, before drawing.
pub fn update(lab: &Lab, window: &mut WindowState, new_layout: bool, messages: &mut Vec<Message>) {
    // Runs before a new request: the workspace of a step becomes visible one frame after it was requested.
    if let Some(pane) = window.lesson.take_pane_to_front() {
        window.layout.docks.add(lab.view.workspace, pane);
    }
    if new_layout {
        match window.layout.lesson.take() {
            Some(place) => window.lesson.resume(place, messages),
            None => window.lesson.forget(),
        }
    }
    if let Some(source) = window.lesson.take_request(lab) {
        window.layout.lessons = true;
        begin(&source, lab, window, messages);
    }
    if window.lesson.player.is_none() && !lab.view.locked.is_empty() {
        messages.push(Message::Lock(Vec::new()));
    }
    // Runs one frame after the state of before the lesson was restored.
    if window.lesson.player.is_none() && lab.has_undo_scope() {
        messages.push(Message::EndUndoScope);
    }
}

/// Shows or hides the list of lessons.
pub fn toggle(lab: &Lab, window: &mut WindowState, messages: &mut Vec<Message>) {
    window.layout.lessons = is_open(lab, window);
    window.responsive.toggle(SidePanel::Lessons, &mut window.layout.lessons);
    if window.layout.lessons {
        messages.push(Message::SetWorkspace(Workspace::Teach));
    }
}

pub(super) fn begin(source: &str, lab: &Lab, window: &mut WindowState, messages: &mut Vec<Message>) {
    let layout = window.saved_layout();
    window.lesson.open(source, lab, layout, messages);
}

/// Draws the panel.
pub fn show(ui: &mut Ui, lab: &Lab, window: &mut WindowState, messages: &mut Vec<Message>) {
    if window.lesson.player.is_some() {
        step(ui, lab, &mut window.lesson, messages);
        return;
    }
    ui.horizontal(|ui| {
        ui.heading(texts::LESSONS);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if ui.button(texts::HIDE).on_hover_text(texts::HIDE_HINT).clicked() {
                window.layout.lessons = false;
            }
        });
    });
    let (finished, requests) = (&window.lesson.finished, &mut window.file_requests);
    let chosen =
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| super::list::show(ui, finished, requests)).inner;
    if let Some(source) = chosen {
        begin(&source, lab, window, messages);
    }
}

/// Draws the current step.
pub(super) fn step(ui: &mut Ui, lab: &Lab, state: &mut LessonState, messages: &mut Vec<Message>) {
    let Some(player) = &state.player else { return };
    let (index, count) = (player.index(), player.lesson().steps.len());
    let lesson = player.lesson();
    larger_text(ui);
    ui.horizontal(|ui| {
        ui.add(egui::Label::new(RichText::new(&lesson.title).small()).truncate());
    });
    let progress = ProgressBar::new((index + 1) as f32 / count as f32).desired_height(6.0);
    let bar = ui.add(progress);
    bar.widget_info(|| egui::WidgetInfo::labeled(egui::Role::ProgressIndicator, true, texts::step(index + 1, count)));
    ui.add_space(2.0);
    ui.heading(player.step().title.clone());
    // The navigation stays at the bottom for any length of text.
    let below = 66.0;
    let height = (ui.available_height() - below).max(80.0);
    ScrollArea::vertical().id_salt(("lesson", index)).max_height(height).auto_shrink([false, false]).show(ui, |ui| {
        let body = state.player.as_ref().map(|player| fill_facts(&player.step().body, lab)).unwrap_or_default();
        crate::ui::widgets::markdown::show(ui, &body);
        locked_controls(ui, lab);
        super::question::show(ui, lab, state, messages);
    });
    ui.separator();
    navigation(ui, lab, state, index, count, messages);
}

/// Makes the text of a lesson larger than that of the panes: it is read from further away.
fn larger_text(ui: &mut Ui) {
    for style in [egui::TextStyle::Body, egui::TextStyle::Small] {
        if let Some(font) = ui.style_mut().text_styles.get_mut(&style) {
            font.size *= TEXT_SCALE;
        }
    }
}

/// Draws the navigation: back, next, leave.
fn navigation(
    ui: &mut Ui,
    lab: &Lab,
    state: &mut LessonState,
    index: usize,
    count: usize,
    messages: &mut Vec<Message>,
) {
    let done = state.player.as_ref().is_some_and(|player| player.done());
    let source = state.player.as_ref().map(|player| player.lesson().source.clone()).unwrap_or_default();
    let (mut to, mut leave, mut follow) = (None, false, None);
    ui.horizontal(|ui| {
        if ui.add_enabled(index > 0, Button::new(texts::BACK)).clicked() {
            to = Some(index - 1);
        }
        ui.label(format!("{} / {count}", index + 1));
        if index + 1 < count {
            let next = Button::new(RichText::new(texts::NEXT).strong());
            if ui.add_enabled(done, next).on_disabled_hover_text(texts::NEXT_HINT).clicked() {
                to = Some(index + 1);
            }
        } else {
            if let Some(next) = next_lesson(&source) {
                let button = ui.button(RichText::new(texts::NEXT_LESSON).strong());
                if button.on_hover_text(texts::next_lesson_hint(&next.title)).clicked() {
                    follow = Some(&next.source);
                }
            }
            leave = ui.button(RichText::new(texts::FINISH).strong()).on_hover_text(texts::FINISH_HINT).clicked();
            if leave || follow.is_some() {
                state.finish();
            }
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let hint = texts::LEAVE_HINT;
            if index + 1 < count && ui.button(texts::LEAVE).on_hover_text(hint).clicked() {
                leave = true;
            }
        });
    });
    if let Some(source) = follow {
        // The lab from before the first lesson is restored after the last.
        state.open(source, lab, serde_json::Value::Null, messages);
    } else if leave {
        state.leave(lab, messages);
    } else if let Some(to) = to {
        state.go(to, messages);
    }
}

/// Lists the controls that this step locks.
pub(super) fn locked_controls(ui: &mut Ui, lab: &Lab) {
    let name = |control: &ControlGroup| match control {
        ControlGroup::Network => texts::NETWORK,
        ControlGroup::Data => texts::DATA,
        ControlGroup::Steps => "T",
        ControlGroup::Threshold => texts::THRESHOLD,
        ControlGroup::VInit => "v(0)",
        ControlGroup::Correction => texts::CORRECTION,
        ControlGroup::Recipe => texts::RECIPE,
        ControlGroup::Bench => texts::BENCH,
        ControlGroup::Drawing => texts::DRAWING,
        ControlGroup::Time => texts::TIME,
    };
    if !lab.view.locked.is_empty() {
        let names: Vec<_> = lab.view.locked.iter().map(name).collect();
        ui.label(RichText::new(texts::locked(&names.join(", "))).small().weak());
    }
}
