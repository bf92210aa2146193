//! Titles of the file dialogs, by file request.

use crate::ui::types::export_format::ExportFormat;
use crate::ui::types::file_request::FileRequest;

pub const NETWORKS: &str = "Networks";
pub const ALL_FILES: &str = "All files";
pub const PICTURES: &str = "Images";
pub const SESSIONS: &str = "Sessions";
pub const LESSONS: &str = "Lessons";
pub const RECIPES: &str = "Recipes";

/// The title of a dialog.
pub fn title(ask: FileRequest) -> &'static str {
    match ask {
        FileRequest::OpenNetwork => "Open network",
        FileRequest::OpenData => "Open data set",
        FileRequest::OpenPictures => "Open image folder",
        FileRequest::OpenPictureFiles => "Open images",
        FileRequest::OpenSession => "Open session",
        FileRequest::SaveSession => "Save session",
        FileRequest::OpenRecipe => "Open recipe",
        FileRequest::SaveRecipe => "Save recipe",
        FileRequest::OpenCalibrationData => "Open calibration data",
        FileRequest::ExportRun => "Export run",
        FileRequest::ExportNir(_) => "Export run as NIR",
        FileRequest::FindFile(_) => "Locate missing file",
        FileRequest::FindFolder(_) => "Locate missing folder",
        FileRequest::OpenLesson => "Open lesson",
        FileRequest::Export(_, ExportFormat::Frames) => "Export to folder",
        FileRequest::Export(..) => "Export",
    }
}

pub const NONE: &str = "Cannot open a file dialog: none is installed. Install a desktop portal or zenity, drop the \
                        file on the window, or pass it on the command line.";

/// Another dialog was requested while one is open.
pub const ONE_AT_A_TIME: &str = "A file dialog is open already. Choose a file there, or cancel it.";

impl FileRequest {
    /// The title of the dialog, with that of the program.
    pub fn title(self) -> String {
        format!("{} – {}", title(self), crate::ui::texts::window::TITLE)
    }
}
