//! Everything the window can be told to do, in one list: menus, shortcuts and the palette draw on it. A command knows
//! whether it can be given now, and why not; its words stand with the other texts.

use crate::lab::{Lab, Workspace};
use crate::network::zoo::BUNDLED;
use crate::ui::state::responsive::Side;
use crate::ui::state::window::Window;
use crate::ui::types::command::Command;
use crate::ui::types::file_request::Ask;
use crate::ui::types::pane::Pane;
use crate::ui::{BUNDLED_DATA, Format, methods};

/// What of the commands is fixed, in the order of the palette.
const FIXED: [Command; 47] = [
    Command::File(Ask::OpenNetwork),
    Command::File(Ask::OpenData),
    Command::File(Ask::OpenPictures),
    Command::File(Ask::OpenCalibrationData),
    Command::File(Ask::OpenRecipe),
    Command::File(Ask::SaveRecipe),
    Command::File(Ask::OpenSession),
    Command::File(Ask::SaveSession),
    Command::File(Ask::ExportRun),
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
    Command::LayerBefore,
    Command::LayerAfter,
    Command::SampleBefore,
    Command::SampleAfter,
    Command::Divergence,
    Command::Pin,
    Command::RaceCorrections,
    Command::RaceAll,
    Command::AddLane,
    Command::ClearRace,
    Command::Workspace(Workspace::Explore),
    Command::Workspace(Workspace::Teach),
    Command::Workspace(Workspace::Tune),
    Command::ResetArrangement,
    Command::Layers,
    Command::Samples,
    Command::Inspector,
    Command::Lessons,
    Command::File(Ask::OpenLesson),
    Command::Theme,
    Command::Projector,
    Command::FrameTimes,
    Command::Clicks,
    Command::Words,
    Command::Hints,
    Command::Quit,
];

impl Command {
    /// Every command there is for `lab`, in the order of the palette.
    pub fn all(lab: &Lab, window: &Window) -> Vec<Self> {
        let mut all = FIXED.to_vec();
        all.extend(Pane::ALL.map(Self::Pane));
        all.extend((0..lab.recent.len()).map(Self::Recent));
        all.extend((0..crate::ui::entries().len()).map(Self::Lesson));
        all.extend((0..BUNDLED.len()).map(Self::Bundled));
        all.extend((0..BUNDLED_DATA.len()).map(Self::BundledData));
        all.extend((0..methods(lab).len()).map(Self::Method));
        all.extend((0..lab.run.as_ref().map_or(0, |run| run.spiking.layers.len())).map(Self::Layer));
        for pane in window.layout.docks.all_in_sight(lab.view.workspace) {
            all.extend(Format::ALL.map(|format| Self::Export(pane, format)));
        }
        let runs = lab.history.past().len();
        all.extend((0..runs).rev().map(Self::GoBack));
        all.extend((0..runs).rev().map(Self::Compare));
        all
    }

    /// Whether what the command switches is on; `None` for what is no switch.
    pub fn switch(self, lab: &Lab, window: &Window) -> Option<bool> {
        match self {
            Self::Workspace(workspace) => Some(lab.view.workspace == workspace),
            Self::Pane(pane) => Some(window.layout.docks.contains(lab.view.workspace, pane)),
            Self::Layers => Some(window.folding.shows(Side::Layers, window.layout.layers)),
            Self::Samples => Some(window.folding.shows(Side::Samples, window.layout.samples)),
            Self::Inspector => Some(window.folding.shows(Side::Inspector, window.layout.inspector)),
            Self::Lessons => Some(crate::ui::lesson::in_sight(lab, window)),
            Self::Projector => Some(lab.view.projector),
            Self::FrameTimes => Some(window.debug),
            Self::Clicks => Some(window.clicks),
            Self::Words => Some(window.words),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_commands_say_the_same_and_none_says_nothing() {
        let lab = Lab::default();
        let all = Command::all(&lab, &Window::default());
        let words: HashSet<String> = all.iter().map(|command| command.words(&lab)).collect();
        assert_eq!(words.len(), all.len(), "{words:?}");
        assert!(words.iter().all(|words| words.len() > 3 && words.chars().next().is_some_and(char::is_uppercase)));
    }
}
