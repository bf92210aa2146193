//! Window state: layout saved with the session, open popups, exports, sound.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::architecture_draft::DraftState;
use super::command_palette::CommandPalette;
use super::first_start::FirstStartHints;
use super::frame_times::FrameTimes;
use super::lesson::{LessonState, SavedLesson};
use super::pane_export::PaneExport;
use super::pane_layout::PaneLayout;
use super::responsive::ResponsiveLayout;
use super::thumbnails::Thumbnails;
use crate::lab::view::view_state::is_default;
use crate::lab::{Lab, Workspace};
use crate::task::OutputKind;
use crate::ui::sound::Sound;
use crate::ui::types::command::Command;
use crate::ui::types::export_format::FigureTheme;
use crate::ui::types::file_request::FileRequest;
use crate::ui::types::pane::Pane;

/// Opens the boxes pane when a detector runs for the first time, or the scenes pane if the data have masks or boxes, and
/// closes it with the next other network. It stays closed if the user closes it.
pub fn open_boxes_pane(lab: &Lab, layout: &mut WindowLayout) {
    let Some(run) = &lab.run else { return };
    let detector = run.output_agreement.as_ref().is_some_and(|agreement| agreement.of == OutputKind::Boxes);
    let pane = match (run.scene.is_some(), detector) {
        (true, _) => Some(Pane::Scenes),
        (false, true) => Some(Pane::Boxes),
        (false, false) => None,
    };
    let wanted = if pane.is_some() { run.settings.model.as_str() } else { "" };
    if layout.boxes_for == wanted {
        return;
    }
    layout.boxes_for = wanted.to_owned();
    match pane {
        Some(pane) => layout.docks.add_beside(lab.view.workspace, pane, Pane::Mismatch),
        None => {
            for workspace in [Workspace::Explore, Workspace::Teach, Workspace::Tune] {
                [Pane::Boxes, Pane::Scenes].into_iter().for_each(|pane| layout.docks.remove(workspace, pane));
            }
        }
    }
}

/// The user's window layout; saved with the session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct WindowLayout {
    pub docks: PaneLayout,
    /// The sample strip shows only samples where SNN and ANN disagree.
    pub disagreements_only: bool,
    pub layers: bool,
    pub samples: bool,
    pub inspector: bool,
    /// The list of lessons, in the Teach workspace.
    pub lessons: bool,
    /// The lesson in progress, as saved by a session.
    pub lesson: Option<SavedLesson>,
    /// Sources of the lessons that were finished.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub lessons_finished: BTreeSet<String>,
    /// The detector for which the *Boxes* pane was opened automatically; empty for other networks.
    pub boxes_for: String,
    /// Theme of exported figures.
    #[serde(skip_serializing_if = "is_default")]
    pub figures: FigureTheme,
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
            lessons_finished: BTreeSet::new(),
            boxes_for: String::new(),
            figures: FigureTheme::default(),
        }
    }
}

/// Id of the popup with the list of findings.
pub fn findings_popup() -> egui::Id {
    egui::Id::unique("findings list")
}

/// The pane that fills the area of all panes, until the user shows another workspace or another pane.
#[derive(Clone, Debug, PartialEq)]
pub struct MaximizedPane {
    pub pane: Pane,
    pub workspace: Workspace,
    /// The visible panes at that time.
    pub among: Vec<Pane>,
}

/// State of the window outside the lab; only the layout is saved.
#[derive(Default)]
pub struct WindowState {
    pub layout: WindowLayout,
    /// The pane that fills the area of all panes.
    pub maximized: Option<MaximizedPane>,
    /// Files requested in this frame.
    pub file_requests: Vec<FileRequest>,
    /// Frame times are shown.
    pub debug: bool,
    /// Panels that hide in small windows.
    pub responsive: ResponsiveLayout,
    /// Exports in progress.
    pub exports: Vec<PaneExport>,
    /// The first-start hints, until they are finished.
    pub hints: Option<FirstStartHints>,
    /// The glossary window is open.
    pub glossary_open: bool,
    /// *About* is open.
    pub about_open: bool,
    /// The list of keyboard shortcuts is open.
    pub keys_open: bool,
    /// The architecture file that is being written.
    pub draft: Option<DraftState>,
    /// Source and text of a draft that was closed with edits: *Write a draft* goes on with them.
    pub draft_edits: Option<(String, String)>,
    /// The open command palette.
    pub palette: Option<CommandPalette>,
    /// Text in the dialog that opens a session from a line of text.
    pub paste: Option<String>,
    /// Commands used from the palette, newest first.
    pub(crate) recent_commands: Vec<Command>,
    pub frames: FrameTimes,
    /// Spike clicks are on. Saved between starts but in no session: another user's file must not turn on sound.
    pub clicks: bool,
    pub sound: Sound,
    /// The lesson in progress.
    pub lesson: LessonState,
    pub(crate) thumbnails: Thumbnails,
    /// Version of the lab's layout that was loaded last.
    layout_version: u64,
}

impl WindowState {
    /// Loads the layout of a new session. Returns whether there was one.
    pub(crate) fn load_layout(&mut self, lab: &Lab) -> bool {
        let new = self.layout_version != lab.layout_version;
        if new {
            self.layout_version = lab.layout_version;
            // A layout of another version falls back to the default; the session still opens.
            self.layout = serde_json::from_value(lab.layout.clone()).unwrap_or_default();
            // A lesson that was finished stays so, whatever session is restored.
            self.lesson.finished.append(&mut self.layout.lessons_finished);
        }
        new
    }

    /// The maximized pane, if it still belongs to what is shown in `workspace`.
    pub(crate) fn maximized_in(&self, workspace: Workspace) -> Option<Pane> {
        let maximized = self.maximized.as_ref().filter(|maximized| {
            maximized.workspace == workspace && maximized.among == self.layout.docks.visible_panes(workspace)
        })?;
        // A lesson that points at another pane needs that one.
        self.lesson.pane().is_none_or(|pane| pane == maximized.pane).then_some(maximized.pane)
    }

    /// Maximizes `pane`, or restores the others.
    pub(crate) fn set_maximized(&mut self, workspace: Workspace, pane: Option<Pane>) {
        let among = self.layout.docks.visible_panes(workspace);
        self.maximized = pane.map(|pane| MaximizedPane { pane, workspace, among });
    }

    /// The layout as saved by a session.
    pub fn saved_layout(&self) -> serde_json::Value {
        let (lesson, lessons_finished) = (self.lesson.saved(), self.lesson.finished.clone());
        let layout = WindowLayout { lesson, lessons_finished, ..self.layout.clone() };
        serde_json::to_value(layout).unwrap_or_default()
    }
}
