//! Files that the window asks for in a dialog.

use super::export_format::ExportFormat;
use super::pane::Pane;

/// What a file is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileRequest {
    OpenNetwork,
    OpenData,
    OpenPictures,
    OpenSession,
    SaveSession,
    OpenRecipe,
    SaveRecipe,
    OpenCalibrationData,
    /// The run in a form that other programs read; the ending says which.
    ExportRun,
    /// Where the missing file of this index lies for the session that waits for it.
    FindFile(usize),
    FindFolder(usize),
    OpenLesson,
    /// Where to write a pane.
    Export(Pane, ExportFormat),
}
