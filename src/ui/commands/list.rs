//! List of all commands, used by menus, shortcuts and the command palette.
//!
//! A command knows whether it is enabled, and why not. Its label and tooltip are in `ui/texts`.

use crate::export::nir::NirReader;
use crate::lab::{Lab, Workspace};
use crate::network::zoo::BUNDLED;
use crate::ui::state::responsive::SidePanel;
use crate::ui::state::window::WindowState;
use crate::ui::types::command::{BUNDLED_DATA, Command, methods};
use crate::ui::types::export_format::{ExportFormat, FigureTheme};
use crate::ui::types::file_request::FileRequest;
use crate::ui::types::pane::Pane;

/// Commands that do not depend on the lab, in the order of the palette.
const FIXED: [Command; 65] = [
    Command::FileDialog(FileRequest::OpenNetwork),
    Command::FileDialog(FileRequest::OpenData),
    Command::FileDialog(FileRequest::OpenPictures),
    Command::FileDialog(FileRequest::OpenPictureFiles),
    Command::FileDialog(FileRequest::OpenCalibrationData),
    Command::FileDialog(FileRequest::OpenRecipe),
    Command::FileDialog(FileRequest::SaveRecipe),
    Command::FileDialog(FileRequest::OpenSession),
    Command::FileDialog(FileRequest::SaveSession),
    Command::FileDialog(FileRequest::OpenSweepPlan),
    Command::FileDialog(FileRequest::OpenSweepResults),
    Command::FileDialog(FileRequest::SaveSweepPlan),
    Command::FileDialog(FileRequest::SaveRacePlan),
    Command::FileDialog(FileRequest::ExportRun),
    Command::FileDialog(FileRequest::ExportNir(NirReader::Nir)),
    Command::FileDialog(FileRequest::ExportNir(NirReader::SpikingJelly)),
    Command::FileDialog(FileRequest::ExportNir(NirReader::SnnTorch)),
    Command::FileDialog(FileRequest::ExportNir(NirReader::Sinabs)),
    Command::FileDialog(FileRequest::ExportNir(NirReader::Norse)),
    Command::CopySession,
    Command::PasteSession,
    Command::Undo,
    Command::Redo,
    Command::ResetRecipe,
    Command::Rerun,
    Command::Stop,
    Command::Play,
    Command::StepBack,
    Command::StepForward,
    Command::FirstStep,
    Command::LastStep,
    Command::PreviousLayer,
    Command::NextLayer,
    Command::PreviousSample,
    Command::NextSample,
    Command::Divergence,
    Command::Pin,
    Command::RaceCorrections,
    Command::RaceAll,
    Command::AddLane,
    Command::ClearRace,
    Command::Workspace(Workspace::Explore),
    Command::Workspace(Workspace::Teach),
    Command::Workspace(Workspace::Tune),
    Command::ResetPaneLayout,
    Command::Layers,
    Command::Samples,
    Command::Inspector,
    Command::Lessons,
    Command::FileDialog(FileRequest::OpenLesson),
    Command::Theme,
    Command::Projector,
    Command::FrameTimes,
    Command::Clicks,
    Command::Glossary,
    Command::Keys,
    Command::About,
    Command::Findings,
    Command::TextLarger,
    Command::TextSmaller,
    Command::TextNormal,
    Command::FullScreen,
    Command::NextRegion,
    Command::FirstStartHints,
    Command::Quit,
];

impl Command {
    /// All commands for `lab`, in the order of the palette.
    pub fn all(lab: &Lab, window: &WindowState) -> Vec<Self> {
        let mut all = FIXED.to_vec();
        all.extend(Pane::ALL.map(Self::Pane));
        all.extend((0..lab.recent.len()).map(Self::Recent));
        all.extend((0..crate::ui::types::lessons::bundled_lessons().len()).map(Self::Lesson));
        all.extend((0..BUNDLED.len()).map(Self::Bundled));
        all.extend((0..BUNDLED_DATA.len()).map(Self::BundledData));
        all.extend((0..methods(lab).len()).map(Self::Method));
        all.extend((0..lab.run.as_ref().map_or(0, |run| run.spiking.layers.len())).map(Self::Layer));
        for pane in window.layout.docks.visible_panes(lab.view.workspace) {
            all.push(Self::CopyPicture(pane));
            all.extend(ExportFormat::ALL.map(|format| Self::Export(pane, format)));
        }
        all.extend(FigureTheme::ALL.map(Self::FigureTheme));
        let runs = lab.history.past().len();
        all.extend((0..runs).rev().map(Self::RestoreRun));
        all.extend((0..runs).rev().map(Self::Compare));
        all
    }

    /// Whether a toggle command is on; `None` if the command is not a toggle.
    pub fn is_on(self, lab: &Lab, window: &WindowState) -> Option<bool> {
        match self {
            Self::Workspace(workspace) => Some(lab.view.workspace == workspace),
            Self::Pane(pane) => Some(window.layout.docks.contains(lab.view.workspace, pane)),
            Self::Layers => Some(window.responsive.shows(SidePanel::Layers, window.layout.layers)),
            Self::Samples => Some(window.responsive.shows(SidePanel::Samples, window.layout.samples)),
            Self::Inspector => Some(window.responsive.shows(SidePanel::Inspector, window.layout.inspector)),
            Self::FigureTheme(theme) => Some(window.layout.figures == theme),
            Self::Lessons => Some(crate::ui::lesson::is_visible(lab, window)),
            Self::Projector => Some(lab.view.projector),
            Self::FrameTimes => Some(window.debug),
            Self::Clicks => Some(window.clicks),
            Self::Glossary => Some(window.glossary_open),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn command_labels_are_unique_and_not_empty() {
        let lab = Lab::default();
        let all = Command::all(&lab, &WindowState::default());
        let words: HashSet<String> = all.iter().map(|command| command.label(&lab)).collect();
        assert_eq!(words.len(), all.len(), "{words:?}");
        assert!(words.iter().all(|words| words.len() > 3 && words.chars().next().is_some_and(char::is_uppercase)));
    }
}
