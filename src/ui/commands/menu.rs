//! Menu bar of the window, drawn from the list of commands.

use egui::{Atom, Button, Color32, IdSalt, Rect, Role, Stroke, Ui, WidgetInfo, vec2};

use crate::export::nir::NirReader;
use crate::lab::{Lab, Message, Workspace};
use crate::network::zoo::BUNDLED;
use crate::ui::state::window::WindowState;
use crate::ui::texts;
use crate::ui::types::command::{BUNDLED_DATA, Command, methods};
use crate::ui::types::export_format::{ExportFormat, FigureTheme};
use crate::ui::types::file_request::FileRequest;
use crate::ui::types::pane::Pane;

/// Side of the mark of a toggle, in points.
const MARK: f32 = 10.0;

/// Draws the mark of a toggle that is on: a check, or a dot for one of several choices.
fn mark(ui: &Ui, rect: Rect, is_choice: bool, color: Color32) {
    let at = |x: f32, y: f32| rect.lerp_inside(vec2(x, y));
    match is_choice {
        true => _ = ui.painter().circle_filled(rect.center(), MARK * 0.28, color),
        false => {
            let points = vec![at(0.05, 0.55), at(0.38, 0.9), at(0.95, 0.1)];
            ui.painter().add(egui::Shape::line(points, Stroke::new(1.6, color)));
        }
    }
}

/// State while a menu is drawn.
struct Menu<'a> {
    lab: &'a Lab,
    window: &'a mut WindowState,
    messages: &'a mut Vec<Message>,
    /// The commands drawn so far.
    drawn: Vec<Command>,
}

/// Draws the menus of the bar.
pub fn menu_bar_ui(ui: &mut Ui, lab: &Lab, window: &mut WindowState, messages: &mut Vec<Message>) {
    let mut menu = Menu { lab, window, messages, drawn: Vec::new() };
    ui.menu_button(texts::commands::FILE, |ui| menu.file(ui));
    ui.menu_button(texts::commands::EDIT, |ui| menu.edit(ui));
    ui.menu_button(texts::commands::VIEW, |ui| menu.view(ui));
    ui.menu_button(texts::commands::GO, |ui| menu.go(ui));
    ui.menu_button(texts::commands::HELP, |ui| menu.help(ui));
}

impl Menu<'_> {
    /// Draws the command as a menu item; a toggle shows whether it is on.
    fn item(&mut self, ui: &mut Ui, command: Command) {
        self.drawn.push(command);
        let keys = command.shortcut().map(|keys| ui.ctx().format_shortcut(&keys)).unwrap_or_default();
        let refusal = command.disabled_reason(self.lab);
        let words = command.label(self.lab);
        // A toggle has its mark where a box would stand, so that its keys stand where those of the others do.
        let (on, mark_id) = (command.is_on(self.lab, self.window), IdSalt::new("mark"));
        let button = match on {
            Some(_) => Button::new((Atom::custom(mark_id, vec2(MARK, MARK)), words.as_str())),
            None => Button::new(words.as_str()),
        };
        let button = if keys.is_empty() { button } else { button.shortcut_text(keys.as_str()) };
        let drawn = ui.add_enabled_ui(refusal.is_none(), |ui| button.atom_ui(ui)).inner;
        if let Some(on) = on {
            let is_choice = matches!(command, Command::Workspace(_) | Command::FigureTheme(_));
            let color = ui.style().interact(&drawn.response).text_color();
            if let Some(rect) = drawn.rect(mark_id).filter(|_| on) {
                mark(ui, rect, is_choice, color);
            }
            let role = if is_choice { Role::RadioButton } else { Role::CheckBox };
            drawn.response.widget_info(|| WidgetInfo::selected(role, refusal.is_none(), on, words.as_str()));
        }
        let button = drawn.response.on_disabled_hover_text(refusal.unwrap_or_default());
        let clicked = match texts::commands::hint(command, self.lab, "") {
            hint if hint.is_empty() => button.clicked(),
            hint => button.on_hover_text(hint).clicked(),
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
        self.items(ui, [FileRequest::OpenSession, FileRequest::SaveSession].map(Command::FileDialog));
        self.items(ui, [Command::CopySession, Command::PasteSession]);
        ui.separator();
        ui.menu_button(texts::commands::EXPORT, |ui| self.export(ui));
        ui.separator();
        ui.menu_button(texts::commands::LESSONS, |ui| {
            self.items(ui, (0..crate::ui::types::lessons::bundled_lessons().len()).map(Command::Lesson));
            self.item(ui, Command::FileDialog(FileRequest::OpenLesson));
        });
        ui.separator();
        self.item(ui, Command::Quit);
    }

    /// Everything that writes for other programs: the run, its NIR graphs, figures of the panes.
    fn export(&mut self, ui: &mut Ui) {
        self.item(ui, Command::FileDialog(FileRequest::ExportRun));
        ui.menu_button(texts::commands::EXPORT_NIR, |ui| {
            self.items(ui, NirReader::ALL.map(|reader| Command::FileDialog(FileRequest::ExportNir(reader))));
        });
        ui.separator();
        for pane in self.window.layout.docks.visible_panes(self.lab.view.workspace) {
            ui.menu_button(pane.title(), |ui| {
                self.item(ui, Command::CopyPicture(pane));
                self.items(ui, ExportFormat::ALL.map(|format| Command::Export(pane, format)))
            });
        }
        ui.separator();
        self.items(ui, FigureTheme::ALL.map(Command::FigureTheme));
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

    fn help(&mut self, ui: &mut Ui) {
        self.items(ui, [Command::Glossary, Command::Keys, Command::FirstStartHints, Command::Palette]);
        ui.separator();
        self.item(ui, Command::About);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::commands::keys::shortcuts;

    #[test]
    fn every_shortcut_stands_in_a_menu() {
        let (lab, mut window, mut messages) = (Lab::default(), WindowState::default(), Vec::new());
        let mut drawn = Vec::new();
        let mut output = egui::Context::default().run_ui(egui::RawInput::default(), |ui| {
            let mut menu =
                Menu { lab: &lab, window: &mut window, messages: &mut messages, drawn: std::mem::take(&mut drawn) };
            for draw in [Menu::file, Menu::edit, Menu::view, Menu::go, Menu::help] {
                draw(&mut menu, ui);
            }
            drawn = menu.drawn;
        });
        output.shapes.clear();
        let missing: Vec<Command> = shortcuts().map(|(command, _)| command).filter(|c| !drawn.contains(c)).collect();
        assert!(missing.is_empty(), "{missing:?} have a shortcut and stand in no menu");
    }
}
