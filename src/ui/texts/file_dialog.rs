//! What the dialogs that ask for files say.

use crate::ui::Format;
use crate::ui::types::file_request::Ask;

pub const NETWORKS: &str = "Networks";
pub const SESSIONS: &str = "Sessions";
pub const LESSONS: &str = "Lessons";
pub const RECIPES: &str = "Recipes";

/// The title of a dialog.
pub fn title(ask: Ask) -> &'static str {
    match ask {
        Ask::OpenNetwork => "Open network",
        Ask::OpenData => "Open data set",
        Ask::OpenPictures => "Open folder of pictures",
        Ask::OpenSession => "Open session",
        Ask::SaveSession => "Save session",
        Ask::OpenRecipe => "Open recipe",
        Ask::SaveRecipe => "Save recipe",
        Ask::OpenCalibrationData => "Open data set for calibration",
        Ask::ExportRun => "Export the run",
        Ask::FindFile(_) => "Where is the file now?",
        Ask::FindFolder(_) => "Where is the folder now?",
        Ask::OpenLesson => "Open lesson",
        Ask::Export(_, Format::Frames) => "Export into folder",
        Ask::Export(..) => "Export",
    }
}

pub const NONE: &str = "There is no file dialog on this system: install a desktop portal or zenity, drop the file on the window, or name it \
                        when starting the program";

impl Ask {
    /// The dialog's title.
    pub fn title(self) -> &'static str {
        title(self)
    }
}
