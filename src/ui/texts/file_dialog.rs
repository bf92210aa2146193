//! What the dialogs that ask for files say.

use crate::ui::ExportFormat;
use crate::ui::types::file_request::FileRequest;

pub const NETWORKS: &str = "Networks";
pub const SESSIONS: &str = "Sessions";
pub const LESSONS: &str = "Lessons";
pub const RECIPES: &str = "Recipes";

/// The title of a dialog.
pub fn title(ask: FileRequest) -> &'static str {
    match ask {
        FileRequest::OpenNetwork => "Open network",
        FileRequest::OpenData => "Open data set",
        FileRequest::OpenPictures => "Open folder of pictures",
        FileRequest::OpenSession => "Open session",
        FileRequest::SaveSession => "Save session",
        FileRequest::OpenRecipe => "Open recipe",
        FileRequest::SaveRecipe => "Save recipe",
        FileRequest::OpenCalibrationData => "Open data set for calibration",
        FileRequest::ExportRun => "Export the run",
        FileRequest::FindFile(_) => "Where is the file now?",
        FileRequest::FindFolder(_) => "Where is the folder now?",
        FileRequest::OpenLesson => "Open lesson",
        FileRequest::Export(_, ExportFormat::Frames) => "Export into folder",
        FileRequest::Export(..) => "Export",
    }
}

pub const NONE: &str = "There is no file dialog on this system: install a desktop portal or zenity, drop the file on the window, or name it \
                        when starting the program";

impl FileRequest {
    /// The dialog's title.
    pub fn title(self) -> &'static str {
        title(self)
    }
}
