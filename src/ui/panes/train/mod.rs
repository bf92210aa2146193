//! Train pane: what is trained and how, its curves, and buttons that stop, resume and open it.

mod curves;
mod form;

use egui::{Button, Label, RichText, ScrollArea, Ui};

use crate::lab::training::{Training, TrainingState};
use crate::lab::{Lab, Message};
use crate::ui::texts::panes::train as texts;
use crate::ui::theme::colors::ui_colors;
use crate::ui::types::pane::Pane;
use crate::ui::widgets::pane_parts::PaneHeader;
use crate::ui::widgets::{pane_frame, pane_parts};

/// Draws the pane.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let words = status(lab.training.as_ref());
    let page = PaneHeader {
        of: Pane::Train,
        title: texts::TITLE,
        explanation: texts::explanation(&words),
        description: texts::description(&words),
    };
    pane_parts::pane_ui(
        ui,
        &page,
        || csv(lab.training.as_ref()),
        |ui| {
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                let running = lab.training.as_ref().is_some_and(Training::is_running);
                if pane_frame::has_controls(ui) {
                    ui.add_enabled_ui(!running, |ui| form::show(ui, lab, messages));
                }
                buttons(ui, lab.training.as_ref(), running, messages);
                let failed = lab.training.as_ref().is_some_and(|t| matches!(t.state, TrainingState::Failed(_)));
                let text = RichText::new(&words).small();
                let text = if failed { text.color(ui_colors(ui).error) } else { text };
                ui.add(Label::new(text).wrap());
                curves::show(ui, lab.training.as_ref());
            });
        },
    );
}

/// Draws the buttons.
fn buttons(ui: &mut Ui, training: Option<&Training>, running: bool, messages: &mut Vec<Message>) {
    ui.horizontal_wrapped(|ui| {
        let mut button = |name: &str, hint: &str, enabled: bool, message: Message| {
            if ui.add_enabled(enabled, Button::new(name)).on_hover_text(hint).clicked() {
                messages.push(message);
            }
        };
        button(texts::START, texts::START_HINT, !running, Message::StartTraining(None));
        button(texts::STOP, texts::STOP_HINT, running, Message::StopTraining);
        let can_resume = training.is_some_and(Training::can_resume);
        button(texts::RESUME, texts::RESUME_HINT, can_resume, Message::ResumeTraining);
        let has_network = training.is_some_and(Training::has_network);
        button(texts::OPEN, texts::OPEN_HINT, has_network, Message::OpenTrained);
    });
}

/// Where the training is, in a sentence.
fn status(training: Option<&Training>) -> String {
    let Some(training) = training else { return texts::NOTHING.to_owned() };
    let name = training.out.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    match (&training.state, &training.at) {
        (TrainingState::Failed(reason), _) => reason.clone(),
        (TrainingState::Running, None) => texts::reading(&training.plan.data),
        (TrainingState::Running, Some(at)) => texts::running(&name, at),
        (TrainingState::Finished, _) => texts::finished(&name, training.best, &training.out.display().to_string()),
        (TrainingState::Stopped, _) => texts::stopped(&name, training.best, training.can_resume()),
    }
}

/// One row an epoch, as CSV.
fn csv(training: Option<&Training>) -> String {
    let mut table = String::from("epoch,loss,accuracy,held out,gradient density,gradient l1\n");
    let number = |value: Option<f32>| value.map(|value| value.to_string()).unwrap_or_default();
    for epoch in training.map_or(&[][..], |training| &training.epochs) {
        let (density, l1) = (epoch.gradient.map(|g| g.density), epoch.gradient.map(|g| g.l1));
        let (accuracy, density, l1) = (number(epoch.accuracy), number(density), number(l1));
        table += &format!("{},{},{accuracy},{},{density},{l1}\n", epoch.number, epoch.loss, epoch.held_out);
    }
    table
}
