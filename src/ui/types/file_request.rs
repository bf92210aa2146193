//! File requests: purposes for which the window opens a file dialog.

use super::export_format::ExportFormat;
use super::pane::Pane;
use crate::export::nir::NirReader;

/// Purpose of a requested file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileRequest {
    OpenNetwork,
    OpenData,
    /// A folder of images.
    OpenPictures,
    /// One image or several.
    OpenPictureFiles,
    OpenSession,
    SaveSession,
    OpenRecipe,
    SaveRecipe,
    OpenCalibrationData,
    /// Export the run in a format of other programs; the extension selects it.
    ExportRun,
    /// Export the run as a NIR graph for one program.
    ExportNir(NirReader),
    /// Locate the missing file at this index, for the session that waits for it.
    FindFile(usize),
    FindFolder(usize),
    OpenLesson,
    /// A folder of syntheses, one of a rediscovery, and one in which syntheses are made.
    OpenSyntheses,
    OpenRediscovery,
    Synthesize,
    OpenSweepPlan,
    /// A results folder of sweeps.
    OpenSweepResults,
    /// Write a plan of what is open.
    SaveSweepPlan,
    /// Write a plan of the recipes of the race.
    SaveRacePlan,
    /// Write a pane to a file.
    Export(Pane, ExportFormat),
}
