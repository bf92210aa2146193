//! Menu bar of the window, drawn from the list of commands.

use egui::{Button, Ui};

use crate::export::nir::NirReader;
use crate::lab::{Lab, Message, Workspace};
use crate::network::zoo::BUNDLED;
use crate::ui::state::window::WindowState;
use crate::ui::texts;
use crate::ui::types::command::{BUNDLED_DATA, Command, methods};
use crate::ui::types::export_format::ExportFormat;
use crate::ui::types::file_request::FileRequest;
use crate::ui::types::pane::Pane;

/// State while a menu is drawn.
struct Menu<'a> {
    lab: &'a Lab,
    window: &'a mut WindowState,
    messages: &'a mut Vec<Message>,
}

/// Draws the menus of the bar.
pub fn menu_bar_ui(ui: &mut Ui, lab: &Lab, window: &mut WindowState, messages: &mut Vec<Message>) {
    let mut menu = Menu { lab, window, messages };
    ui.menu_button(texts::commands::FILE, |ui| menu.file(ui));
    ui.menu_button(texts::commands::EDIT, |ui| menu.edit(ui));
    ui.menu_button(texts::commands::VIEW, |ui| menu.view(ui));
    ui.menu_button(texts::commands::GO, |ui| menu.go(ui));
    ui.menu_button(texts::commands::HELP, |ui| {
        menu.items(ui, [Command::Glossary, Command::Keys, Command::FirstStartHints, Command::Palette]);
        ui.separator();
        menu.item(ui, Command::About);
    });
}

impl Menu<'_> {
    /// Draws the command as a menu item; a toggle shows whether it is on.
    fn item(&mut self, ui: &mut Ui, command: Command) {
        let keys = command.shortcut().map(|keys| ui.ctx().format_shortcut(&keys)).unwrap_or_default();
        let refusal = command.disabled_reason(self.lab);
        let words = command.label(self.lab);
        let clicked = match command.is_on(self.lab, self.window) {
            Some(mut on) => {
                let response = match command {
                    Command::Workspace(_) => ui.radio(on, words),
                    _ => ui.checkbox(&mut on, words),
                };
                response.on_hover_text(texts::commands::hint(command, self.lab, &keys)).clicked()
            }
            None => {
                let mut button = Button::new(words);
                if !keys.is_empty() {
                    button = button.shortcut_text(keys);
                }
                let button = ui.add_enabled(refusal.is_none(), button);
                let button = button.on_disabled_hover_text(refusal.unwrap_or_default());
                match texts::commands::hint(command, self.lab, "") {
                    hint if hint.is_empty() => button.clicked(),
                    hint => button.on_hover_text(hint).clicked(),
                }
            }
        };
        if clicked {
            command.execute(ui.ctx(), self.lab, self.window, self.messages);
        }
    }

    fn items(&mut self, ui: &mut Ui, commands: impl IntoIterator<Item = Command>) {
        commands.into_iter().for_each(|command| self.item(ui, command));
    }

    fn file(&mut self, ui: &mut Ui) {
        self.items(
            ui,
            [FileRequest::OpenNetwork, FileRequest::OpenData, FileRequest::OpenPictureFiles, FileRequest::OpenPictures]
                .map(Command::FileDialog),
        );
        ui.separator();
        ui.menu_button(texts::commands::BUNDLED_NETWORKS, |ui| {
            self.items(ui, (0..BUNDLED.len()).map(Command::Bundled))
        });
        ui.menu_button(texts::commands::BUNDLED_SETS, |ui| {
            self.items(ui, (0..BUNDLED_DATA.len()).map(Command::BundledData))
        });
        ui.add_enabled_ui(!self.lab.recent.is_empty(), |ui| {
            ui.menu_button(texts::commands::LATELY, |ui| {
                self.items(ui, (0..self.lab.recent.len()).map(Command::Recent))
            });
        });
        ui.separator();
        self.items(ui, [FileRequest::OpenRecipe, FileRequest::SaveRecipe].map(Command::FileDialog));
        ui.separator();
        ui.menu_button(texts::commands::SWEEP, |ui| {
            let requests = [
                FileRequest::OpenSweepPlan,
                FileRequest::OpenSweepResults,
                FileRequest::SaveSweepPlan,
                FileRequest::SaveRacePlan,
            ];
            self.items(ui, requests.map(Command::FileDialog));
        });
        self.items(
            ui,
            [FileRequest::OpenSession, FileRequest::SaveSession, FileRequest::ExportRun].map(Command::FileDialog),
        );
        ui.menu_button(texts::commands::EXPORT_NIR, |ui| {
            let readers = NirReader::ALL.into_iter().filter(|reader| *reader != NirReader::Nir);
            self.items(ui, readers.map(|reader| Command::FileDialog(FileRequest::ExportNir(reader))));
        });
        self.items(ui, [Command::CopySession, Command::PasteSession]);
        ui.separator();
        ui.menu_button(texts::commands::LESSONS, |ui| {
            self.items(ui, (0..crate::ui::types::lessons::bundled_lessons().len()).map(Command::Lesson));
            self.item(ui, Command::FileDialog(FileRequest::OpenLesson));
        });
        ui.menu_button(texts::commands::EXPORT, |ui| {
            for pane in self.window.layout.docks.visible_panes(self.lab.view.workspace) {
                ui.menu_button(pane.title(), |ui| {
                    self.items(ui, ExportFormat::ALL.map(|format| Command::Export(pane, format)))
                });
            }
        });
        ui.separator();
        self.item(ui, Command::Quit);
    }

    fn edit(&mut self, ui: &mut Ui) {
        self.items(ui, [Command::Undo, Command::Redo]);
        ui.separator();
        self.item(ui, Command::ResetRecipe);
        ui.menu_button(texts::commands::METHODS, |ui| {
            self.items(ui, (0..methods(self.lab).len()).map(Command::Method))
        });
        ui.separator();
        self.items(ui, [Command::Rerun, Command::Stop]);
        ui.separator();
        self.item(ui, Command::Palette);
    }

    fn go(&mut self, ui: &mut Ui) {
        self.items(ui, [Command::Divergence, Command::Pin]);
        ui.separator();
        self.items(ui, [Command::Play, Command::StepBack, Command::StepForward, Command::FirstStep, Command::LastStep]);
        ui.separator();
        self.items(ui, [Command::PreviousLayer, Command::NextLayer, Command::PreviousSample, Command::NextSample]);
        ui.separator();
        self.items(ui, [Command::Findings, Command::NextRegion]);
    }

    fn view(&mut self, ui: &mut Ui) {
        self.items(ui, [Workspace::Explore, Workspace::Teach, Workspace::Tune].map(Command::Workspace));
        ui.separator();
        ui.menu_button(texts::commands::PANES, |ui| {
            for pane in Pane::ALL {
                // A click on a check mark in the list of panes closes the pane, even if it is behind another tab.
                let docks = &mut self.window.layout.docks;
                let mut there = docks.contains(self.lab.view.workspace, pane);
                if ui.checkbox(&mut there, pane.title()).changed() {
                    match there {
                        true => docks.add(self.lab.view.workspace, pane),
                        false => docks.remove(self.lab.view.workspace, pane),
                    }
                }
            }
        });
        self.item(ui, Command::ResetPaneLayout);
        ui.separator();
        self.items(ui, [Command::Layers, Command::Samples, Command::Inspector, Command::Lessons]);
        ui.separator();
        self.items(ui, [Command::TextLarger, Command::TextSmaller, Command::TextNormal, Command::FullScreen]);
        ui.separator();
        self.items(ui, [Command::Theme, Command::Projector, Command::Clicks, Command::FrameTimes]);
    }
}
