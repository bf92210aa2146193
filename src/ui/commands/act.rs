//! Effects of commands, and the reasons why a command is disabled.

use egui::Context;

use crate::convert::NamedRecipe;
use crate::lab::storage::session_text;
use crate::lab::{ControlGroup, Lab, Message, Notification, NotificationLevel, Session};
use crate::measure::NeuronRef;
use crate::network::open::BUILTIN_PREFIX;
use crate::network::zoo::BUNDLED;
use crate::ui::lesson::covered_panes;
use crate::ui::state::command_palette::CommandPalette;
use crate::ui::state::first_start::FirstStartHints;
use crate::ui::state::responsive::SidePanel;
use crate::ui::state::window::WindowState;
use crate::ui::texts;
use crate::ui::types::command::{BUNDLED_DATA, Command, methods};
use crate::ui::types::file_request::FileRequest;
use crate::ui::types::pane::Pane;
use crate::ui::widgets::pane_frame::picture_wanted;

impl Command {
    /// Why the command is disabled; `None` if it is enabled.
    pub fn disabled_reason(self, lab: &Lab) -> Option<&'static str> {
        let last = |count: usize| count.saturating_sub(1);
        let run = lab.finished.as_ref();
        let layers = run.map_or(0, |run| run.spiking.layers.len());
        let samples = run.map_or(0, |run| run.recording.samples);
        let needs_run = run.is_none().then_some(texts::commands::NOTHING_RUN);
        let unless = |fine: bool, why: &'static str| (!fine).then_some(why);
        match self {
            Self::Undo => unless(lab.undo_sentence().is_some(), texts::commands::NOTHING_CHANGED),
            Self::Redo => unless(lab.redo_sentence().is_some(), texts::commands::NOTHING_UNDONE),
            Self::Stop => unless(lab.job.is_some(), texts::commands::NOTHING_COMPUTED),
            Self::ClearRace => unless(!lab.lanes.is_empty(), texts::commands::NO_RACE),
            Self::StepBack => needs_run.or(unless(lab.cursor() > 1, texts::commands::AT_FIRST_STEP)),
            Self::StepForward => needs_run.or(unless(lab.cursor() < lab.steps(), texts::commands::AT_LAST_STEP)),
            Self::PreviousLayer => needs_run.or(unless(lab.view.layer > 0, texts::commands::AT_FIRST_LAYER)),
            Self::NextLayer => needs_run.or(unless(lab.view.layer < last(layers), texts::commands::AT_LAST_LAYER)),
            Self::PreviousSample => needs_run.or(unless(lab.view.sample > 0, texts::commands::AT_FIRST_SAMPLE)),
            Self::NextSample => needs_run.or(unless(lab.view.sample < last(samples), texts::commands::AT_LAST_SAMPLE)),
            Self::Divergence => {
                let found = lab.snapshot.as_ref().is_some_and(|snapshot| snapshot.divergence.is_some());
                needs_run.or(unless(found, texts::commands::NEVER_LEAVES))
            }
            Self::RestoreRun(index) | Self::Compare(index) => {
                let past = lab.history.past().get(index);
                unless(past.is_some_and(|past| past.settings != lab.settings), texts::commands::ON_THE_SCREEN)
            }
            Self::FileDialog(FileRequest::SaveRacePlan) => unless(!lab.lanes.is_empty(), texts::commands::NO_RACE),
            Self::FileDialog(FileRequest::ExportRun | FileRequest::ExportNir(_)) => needs_run,
            Self::Play | Self::FirstStep | Self::LastStep | Self::Layer(_) | Self::Pin => needs_run,
            _ => None,
        }
        .or_else(|| unless(!self.locked(lab), texts::commands::LOCKED))
    }

    /// Whether a lesson has locked the control that the command changes.
    fn locked(self, lab: &Lab) -> bool {
        if lab.view.locked.is_empty() {
            return false;
        }
        let turned = match self {
            Self::Bundled(_)
            | Self::PasteSession
            | Self::FileDialog(FileRequest::OpenNetwork | FileRequest::OpenSession) => Some(ControlGroup::Network),
            Self::BundledData(_)
            | Self::FileDialog(
                FileRequest::OpenData
                | FileRequest::OpenPictures
                | FileRequest::OpenPictureFiles
                | FileRequest::OpenCalibrationData,
            ) => Some(ControlGroup::Data),
            Self::FileDialog(FileRequest::OpenRecipe) => Some(ControlGroup::Recipe),
            _ => None,
        };
        let mut messages = Vec::new();
        self.message(lab, &mut messages);
        turned.into_iter().chain(messages.iter().filter_map(ControlGroup::of)).any(|control| lab.is_locked(control))
    }

    /// Executes the command if it is enabled.
    pub fn execute(self, ctx: &Context, lab: &Lab, window: &mut WindowState, messages: &mut Vec<Message>) {
        if self.disabled_reason(lab).is_some() {
            return;
        }
        match self {
            Self::FileDialog(ask) => window.file_requests.push(ask),
            Self::Bundled(index) => {
                messages.extend(BUNDLED.get(index).map(|b| Message::OpenModel(format!("{BUILTIN_PREFIX}{}", b.name))));
            }
            Self::BundledData(index) => {
                messages.extend(BUNDLED_DATA.get(index).map(|spec| Message::OpenData((*spec).into())));
            }
            Self::CopySession => {
                let session = Session { layout: window.saved_layout(), ..lab.session() };
                match session_text::to_text(&session) {
                    Ok(line) => {
                        let letters = line.len();
                        ctx.copy_text(line);
                        messages.push(Message::Notify(Notification {
                            level: NotificationLevel::Note,
                            text: texts::popups::session_dialogs::copied(letters),
                        }));
                    }
                    Err(error) => messages.push(Message::Notify(Notification {
                        level: NotificationLevel::Error,
                        text: error.to_string(),
                    })),
                }
            }
            Self::PasteSession => window.paste = Some(String::new()),
            Self::Export(pane, _) | Self::CopyPicture(pane) if covered_panes(window).contains(&pane) => {
                let text = texts::lesson::cannot_export(pane.title());
                messages.push(Message::Notify(Notification { level: NotificationLevel::Error, text }));
            }
            Self::Export(pane, format) => window.file_requests.push(FileRequest::Export(pane, format)),
            Self::CopyPicture(pane) => {
                ctx.data_mut(|data| data.insert_temp(picture_wanted(), Some(pane)));
            }
            Self::FigureTheme(theme) => window.layout.figures = theme,
            Self::FirstStartHints => window.hints = Some(FirstStartHints::default()),
            Self::Quit => ctx.send_viewport_cmd(egui::ViewportCommand::Close),
            Self::Compare(_) => {
                window.layout.docks.add(lab.view.workspace, Pane::Runs);
                self.message(lab, messages);
            }
            Self::Palette => window.palette = Some(CommandPalette::default()),
            Self::Workspace(workspace) => messages.push(Message::SetWorkspace(workspace)),
            Self::Pane(pane) => {
                let (docks, workspace) = (&mut window.layout.docks, lab.view.workspace);
                match docks.is_visible(workspace, pane) {
                    true => docks.remove(workspace, pane),
                    // A pane behind another tab moves to the front.
                    false => docks.add(workspace, pane),
                }
            }
            Self::ResetPaneLayout => window.layout.docks.reset(lab.view.workspace),
            Self::Layers => window.responsive.toggle(SidePanel::Layers, &mut window.layout.layers),
            Self::Samples => window.responsive.toggle(SidePanel::Samples, &mut window.layout.samples),
            Self::Inspector => window.responsive.toggle(SidePanel::Inspector, &mut window.layout.inspector),
            Self::Lessons => crate::ui::lesson::toggle(lab, window, messages),
            Self::FrameTimes => window.debug ^= true,
            Self::Clicks => window.clicks ^= true,
            Self::Glossary => window.glossary_open ^= true,
            Self::Keys => window.keys_open ^= true,
            Self::About => window.about_open ^= true,
            Self::Findings => egui::Popup::toggle_id(ctx, crate::ui::state::window::findings_popup()),
            Self::TextLarger => egui::gui_zoom::zoom_in(ctx),
            Self::TextSmaller => egui::gui_zoom::zoom_out(ctx),
            Self::TextNormal => ctx.set_zoom_factor(1.0),
            Self::FullScreen => {
                let now = ctx.input(|input| input.viewport().fullscreen.unwrap_or(false));
                ctx.send_viewport_cmd(egui::ViewportCommand::Fullscreen(!now));
            }
            Self::NextRegion => crate::ui::widgets::regions::focus_next(ctx),
            _ => self.message(lab, messages),
        }
    }

    /// Pushes the messages of commands that only change the lab.
    fn message(self, lab: &Lab, messages: &mut Vec<Message>) {
        let view = &lab.view;
        let named = |wanted: &[&str]| methods(lab).into_iter().filter(|m| wanted.contains(&m.name.as_str())).collect();
        match self {
            Self::RestoreRun(index) => {
                messages.extend(lab.history.past().get(index).map(|past| Message::RestoreRun(past.number)))
            }
            Self::Compare(index) => {
                messages.extend(lab.history.past().get(index).map(|past| Message::CompareWith(Some(past.number))));
            }
            Self::Recent(index) => messages.push(Message::OpenRecent(index)),
            Self::Lesson(index) => {
                messages.extend(
                    crate::ui::types::lessons::bundled_lessons()
                        .get(index)
                        .map(|l| Message::OpenLesson(l.source.clone())),
                );
            }
            Self::Undo => messages.push(Message::Undo),
            Self::Redo => messages.push(Message::Redo),
            Self::ResetRecipe => messages.push(Message::ResetRecipe),
            Self::Method(index) => {
                messages.extend(methods(lab).into_iter().nth(index).map(|m| Message::SetRecipe(Box::new(m.recipe))));
            }
            Self::Rerun => messages.push(Message::Rerun),
            Self::Stop => messages.push(Message::Stop),
            Self::Play => messages.push(if view.playing { Message::Pause } else { Message::Play }),
            Self::StepBack => messages.push(Message::StepCursor(-1)),
            Self::StepForward => messages.push(Message::StepCursor(1)),
            Self::FirstStep => messages.push(Message::SetCursor(Some(1))),
            Self::LastStep => messages.push(Message::SetCursor(None)),
            Self::PreviousLayer => messages.push(Message::FocusLayer(view.layer.saturating_sub(1))),
            Self::NextLayer => messages.push(Message::FocusLayer(view.layer + 1)),
            Self::PreviousSample => messages.push(Message::FocusSample(view.sample.saturating_sub(1))),
            Self::NextSample => messages.push(Message::FocusSample(view.sample + 1)),
            Self::Layer(layer) => messages.push(Message::FocusLayer(layer)),
            Self::Pin => {
                let at = NeuronRef { layer: view.layer, sample: view.sample, neuron: view.neuron };
                messages.push(if view.pinned.contains(&at) { Message::Unpin(at) } else { Message::Pin(at) });
            }
            Self::Divergence => {
                if let Some(found) = lab.snapshot.as_ref().and_then(|snapshot| snapshot.divergence) {
                    messages.extend([Message::FocusNeuron(found.neuron), Message::SetCursor(Some(found.step))]);
                }
            }
            Self::RaceCorrections => {
                messages.push(Message::SetLanes(named(&["v(0) = 0", "plain", "SRP", "COS", "COS x3"])))
            }
            Self::RaceAll => messages.push(Message::SetLanes(methods(lab))),
            Self::AddLane => {
                let recipe = &lab.settings.recipe;
                messages.push(Message::AddLane(Box::new(NamedRecipe::new(recipe.title(), recipe.clone()))));
            }
            Self::ClearRace => messages.push(Message::SetLanes(Vec::new())),
            Self::Projector => messages.push(Message::SetProjector(!view.projector)),
            Self::Theme => messages.push(Message::SetDark(!view.dark)),
            _ => {}
        }
    }
}
