//! State of the window; its layout is saved with the session.

use serde::{Deserialize, Serialize};

use super::command_palette::CommandPalette;
use super::first_start::FirstStartHints;
use super::frame_times::FrameTimes;
use super::lesson::{LessonState, SavedLesson};
use super::pane_export::PaneExport;
use super::pane_layout::PaneLayout;
use super::responsive::ResponsiveLayout;
use super::thumbnails::Thumbnails;
use crate::lab::{Lab, Workspace};
use crate::task::OutputKind;
use crate::ui::sound::Sound;
use crate::ui::types::command::Command;
use crate::ui::types::file_request::FileRequest;
use crate::ui::types::pane::Pane;

/// Opens the pane where a detector is on the screen for the first time, and takes it away after the last; whoever closes it
/// keeps it closed.
pub fn open_boxes_pane(lab: &Lab, layout: &mut WindowLayout) {
    let Some(run) = &lab.run else { return };
    let detector = run.output_agreement.as_ref().is_some_and(|likeness| likeness.of == OutputKind::Boxes);
    let wanted = if detector { run.settings.model.as_str() } else { "" };
    if layout.boxes_for == wanted {
        return;
    }
    layout.boxes_for = wanted.to_owned();
    match detector {
        true => layout.docks.add_beside(lab.view.workspace, Pane::Boxes, Pane::Mismatch),
        false => [Workspace::Explore, Workspace::Teach, Workspace::Tune]
            .into_iter()
            .for_each(|workspace| layout.docks.remove(workspace, Pane::Boxes)),
    }
}

/// How a person arranged the window; saved with the session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct WindowLayout {
    pub docks: PaneLayout,
    /// The strip of samples shows only those where SNN and ANN disagree.
    pub disagreements_only: bool,
    pub layers: bool,
    pub samples: bool,
    pub inspector: bool,
    /// The list of lessons, in the Teach workspace.
    pub lessons: bool,
    /// The lesson in progress, as a session keeps it.
    pub lesson: Option<SavedLesson>,
    /// The detector that *Boxes* was opened for by itself; empty for other networks.
    pub boxes_for: String,
}

impl Default for WindowLayout {
    fn default() -> Self {
        Self {
            docks: PaneLayout::default(),
            disagreements_only: false,
            layers: true,
            samples: true,
            inspector: true,
            lessons: true,
            lesson: None,
            boxes_for: String::new(),
        }
    }
}

/// What the window has besides the lab; only the layout is saved.
#[derive(Default)]
pub struct WindowState {
    pub layout: WindowLayout,
    /// Files that were asked for in this frame.
    pub file_requests: Vec<FileRequest>,
    /// Frame times are shown.
    pub debug: bool,
    /// What folds away where there is little room.
    pub responsive: ResponsiveLayout,
    /// Exports under way.
    pub exports: Vec<PaneExport>,
    /// The hints of the first start, while there are any.
    pub hints: Option<FirstStartHints>,
    /// The list of the field's words is open.
    pub glossary_open: bool,
    /// The open command palette.
    pub palette: Option<CommandPalette>,
    /// The text that is to become a session.
    pub paste: Option<String>,
    /// Commands that were given from the palette, newest first.
    pub(crate) recent_commands: Vec<Command>,
    pub frames: FrameTimes,
    /// Spikes are heard; kept between starts, but in no session: nobody else's file makes a noise here.
    pub clicks: bool,
    pub sound: Sound,
    /// The lesson in progress.
    pub lesson: LessonState,
    pub(crate) thumbnails: Thumbnails,
    /// The layout of the lab that was taken over last.
    layout_version: u64,
}

impl WindowState {
    /// Takes over the arrangement that a session brought; tells whether there was one.
    pub(crate) fn load_layout(&mut self, lab: &Lab) -> bool {
        let new = self.layout_version != lab.layout_version;
        if new {
            self.layout_version = lab.layout_version;
            // An arrangement of another version is no reason to refuse the session.
            self.layout = serde_json::from_value(lab.layout.clone()).unwrap_or_default();
        }
        new
    }

    /// The layout as a session keeps it.
    pub fn saved_layout(&self) -> serde_json::Value {
        let layout = WindowLayout { lesson: self.lesson.saved(), ..self.layout.clone() };
        serde_json::to_value(layout).unwrap_or_default()
    }
}
