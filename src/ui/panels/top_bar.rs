//! Top bar: menus, open network and data, workspaces, headline; below them recipe and run state.

use egui::style::StyleModifier;
use egui::{Align, Layout, Response, RichText, Ui, vec2};

use super::headline::{headline, headline_below};
use super::{findings, recipe_bar};
use crate::error::format_shape;
use crate::lab::document::job::MissingSide;
use crate::lab::{ControlGroup, Lab, Message, Workspace};
use crate::ui::commands::menu;
use crate::ui::popups::network_and_data;
use crate::ui::state::window::WindowState;
use crate::ui::texts::bars as texts;
use crate::ui::texts::format::{source_file_name, source_name};
use crate::ui::theme::colors::ui_colors;
use crate::ui::theme::icons::{Icon, dropdown_button, icon_button};

/// The workspaces with their names and tooltips.
pub const WORKSPACES: [(Workspace, &str, &str); 3] = [
    (Workspace::Explore, texts::EXPLORE, texts::EXPLORE_HINT),
    (Workspace::Teach, texts::TEACH, texts::TEACH_HINT),
    (Workspace::Tune, texts::TUNE, texts::TUNE_HINT),
];

/// Height of a row of controls, and width of the run state at its end, in points.
const ROW_HEIGHT: f32 = 26.0;
const RUN_STATE_WIDTH: f32 = 120.0;
/// Minimum width of the headline, in points.
const HEADLINE_WIDTH: f32 = 300.0;

/// Draws both rows.
pub fn show(ui: &mut Ui, lab: &Lab, window: &mut WindowState, messages: &mut Vec<Message>) {
    egui::MenuBar::new().ui(ui, |ui| {
        menu::menu_bar_ui(ui, lab, window, messages);
        ui.separator();
        source_buttons(ui, lab, window, messages);
        findings::badge(ui, lab, window, messages);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            theme_button(ui, lab, messages);
            ui.separator();
            for (workspace, name, hint) in WORKSPACES.iter().rev() {
                let chosen = lab.view.workspace == *workspace;
                if ui.selectable_label(chosen, *name).on_hover_text(*hint).clicked() {
                    messages.push(Message::SetWorkspace(*workspace));
                }
            }
            // The headline moves to the status bar instead of being truncated.
            let fits = ui.available_width() >= HEADLINE_WIDTH;
            ui.data_mut(|data| data.insert_temp(headline_below(), !fits));
            if fits {
                ui.separator();
                headline(ui, lab);
            }
        });
    });
    ui.add_space(2.0);
    ui.horizontal_top(|ui| {
        let room = vec2(ui.available_width() - RUN_STATE_WIDTH, ROW_HEIGHT);
        // Controls without room on the first line wrap to the next.
        ui.allocate_ui_with_layout(room, Layout::left_to_right(Align::Center).with_main_wrap(true), |ui| {
            recipe_bar::show(ui, lab, messages);
        });
        ui.set_height(ROW_HEIGHT);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| run_state(ui, lab, messages));
    });
}

fn theme_button(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let (sign, name) = if lab.view.dark { (Icon::Sun, texts::LIGHT) } else { (Icon::Moon, texts::DARK) };
    if icon_button(ui, sign, name).clicked() {
        messages.push(Message::SetDark(!lab.view.dark));
    }
}

/// Draws the buttons of the open network and data.
fn source_buttons(ui: &mut Ui, lab: &Lab, window: &mut WindowState, messages: &mut Vec<Message>) {
    let network = chip(ui, texts::NETWORK, &source_file_name(&lab.settings.model), &lab.settings.model);
    // No menus: their layout would stretch the words of texts, their style hides that buttons are buttons.
    let popup = |button: &Response| {
        egui::Popup::menu(button)
            .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside)
            .layout(Layout::top_down(Align::Min))
            .style(StyleModifier::default())
    };
    popup(&network).show(|ui| {
        let free = !lab.is_locked(ControlGroup::Network);
        ui.add_enabled_ui(free, |ui| network_and_data::network(ui, lab, window, messages));
    });
    let data = chip(ui, texts::DATA, &source_file_name(&lab.settings.data), &source_name(&lab.settings.data));
    popup(&data).show(|ui| {
        let free = !lab.is_locked(ControlGroup::Data);
        ui.add_enabled_ui(free, |ui| network_and_data::data(ui, lab, window, messages));
    });
    if let Some(waiting) = lab.apart() {
        let words = texts::waits(
            &source_file_name(waiting.source()),
            waiting.missing == MissingSide::Data,
            &format_shape(&waiting.shape),
        );
        let label = egui::Label::new(RichText::new(&words).color(ui_colors(ui).accent)).truncate();
        ui.add(label).on_hover_text(&words);
    }
}

fn chip(ui: &mut Ui, what: &str, name: &str, whole: &str) -> Response {
    let mut short: String = name.chars().take(28).collect();
    if short.len() < name.len() {
        short.push('…');
    }
    dropdown_button(ui, &format!("{what}: {short}")).on_hover_text(whole)
}

/// Draws the progress during a computation, otherwise the result in one line.
fn run_state(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    if let Some(job) = &lab.job {
        if ui.button(texts::STOP).on_hover_text(texts::STOP_HINT).clicked() {
            messages.push(Message::Stop);
        }
        let stage = if job.stage.is_empty() { texts::STARTING } else { job.stage };
        let bar =
            egui::ProgressBar::new(job.fraction.clamp(0.0, 1.0)).desired_width(ui.available_width().clamp(40.0, 170.0));
        ui.add(bar.text(RichText::new(stage).small()));
        return;
    }
    if ui.button(texts::RERUN).on_hover_text(texts::RERUN_HINT).clicked() {
        messages.push(Message::Rerun);
    }
}
