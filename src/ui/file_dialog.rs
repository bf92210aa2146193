//! File dialogs: open and save dialogs of the system, on a thread of their own.
//!
//! The window never blocks on a dialog. Tests substitute their own implementation.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::texts::popups::file_dialog as texts;
use super::types::export_format::ExportFormat;
use super::types::file_request::FileRequest;
use crate::data::images;
use crate::lab::Message;
use crate::network::open::FILE_EXTENSIONS;

impl FileRequest {
    /// The message for the lab about the chosen `path`; `None` if the window handles it.
    pub fn message(self, path: PathBuf) -> Option<Message> {
        Some(match self {
            Self::Export(..) => return None,
            // No network is JSON: a session, or the boxes of pictures.
            Self::OpenNetwork if path.extension().is_some_and(|name| name.eq_ignore_ascii_case("json")) => {
                Message::OpenPath(path)
            }
            Self::OpenNetwork => Message::OpenModel(path.display().to_string()),
            Self::OpenPictureFiles => Message::OpenPaths(vec![path]),
            Self::OpenData | Self::OpenPictures | Self::OpenRecipe => Message::OpenPath(path),
            Self::OpenLesson => Message::OpenLesson(path.display().to_string()),
            Self::OpenSyntheses => Message::OpenSyntheses(path),
            Self::OpenRediscovery => Message::OpenRediscovery(path),
            Self::Synthesize => Message::Synthesize(path),
            Self::OpenSession => Message::OpenSession(path),
            Self::OpenSweepPlan => Message::OpenSweepPlan(path),
            Self::OpenSweepResults => Message::OpenSweepResults(path),
            Self::SaveSweepPlan => Message::SaveSweepPlan { path, race: false },
            Self::SaveRacePlan => Message::SaveSweepPlan { path, race: true },
            Self::SaveSession => Message::SaveSession(path),
            Self::OpenCalibrationData => Message::OpenCalibrationData(path),
            Self::ExportRun => Message::ExportRun(path),
            Self::ExportNir(reader) => Message::ExportNir { path, reader },
            Self::FindFile(index) | Self::FindFolder(index) => Message::LocateMissing { index, path },
            Self::SaveRecipe => {
                // The recipe is named after its file.
                let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
                Message::SaveRecipe { path, name }
            }
        })
    }
}

/// Adds one filter per export format; the filter of the suggested name comes first.
fn export_filters(dialog: rfd::FileDialog) -> rfd::FileDialog {
    crate::experiment::run_export::FORMATS
        .iter()
        .fold(dialog, |dialog, (ending, what)| dialog.add_filter(*what, &[*ending]))
}

/// Called from any thread with the chosen file, or with `None` if the system has no dialog. Not called if the user
/// cancels the dialog.
pub type OnChosen = Box<dyn FnOnce(Option<PathBuf>) + Send>;

/// A dialog that ends sooner was never shown: no user closes it that fast.
const MIN_DIALOG_TIME: Duration = Duration::from_millis(400);

/// As [`OnChosen`], with one file or several.
pub type OnSeveralChosen = Box<dyn FnOnce(Option<Vec<PathBuf>>) + Send>;

/// An implementation of file dialogs.
pub trait FileDialogs {
    /// Opens a dialog without blocking. `on_chosen` is dropped when the dialog closes.
    fn show(&self, request: FileRequest, on_chosen: OnChosen);

    /// Opens a dialog for one file or several.
    fn show_several(&self, request: FileRequest, on_chosen: OnSeveralChosen) {
        self.show(request, Box::new(move |path| on_chosen(path.map(|path| vec![path]))));
    }
}

/// The system's own dialogs.
#[derive(Debug, Default)]
pub struct NativeDialogs;

impl FileDialogs for NativeDialogs {
    fn show(&self, request: FileRequest, on_chosen: OnChosen) {
        self.show_several(request, Box::new(move |paths| on_chosen(paths.and_then(|paths| paths.into_iter().next()))));
    }

    fn show_several(&self, request: FileRequest, on_chosen: OnSeveralChosen) {
        let work = move || {
            let asked = Instant::now();
            let dialog = rfd::FileDialog::new().set_title(request.title());
            let one = |path: PathBuf| vec![path];
            let paths = match request {
                FileRequest::OpenPictureFiles => {
                    dialog.add_filter(texts::PICTURES, &images::FILE_EXTENSIONS).pick_files()
                }
                request => pick_one(dialog, request).map(one),
            };
            if paths.is_some() || asked.elapsed() < MIN_DIALOG_TIME {
                on_chosen(paths);
            }
        };
        // Without a thread there is no dialog; files can still be dropped on the window.
        let _ = std::thread::Builder::new().name("spikescope-dialog".into()).spawn(work);
    }
}

/// Shows the dialog for one file or folder.
fn pick_one(dialog: rfd::FileDialog, request: FileRequest) -> Option<PathBuf> {
    match request {
        FileRequest::OpenNetwork => {
            dialog.add_filter(texts::NETWORKS, &FILE_EXTENSIONS).add_filter(texts::ALL_FILES, &["*"]).pick_file()
        }
        FileRequest::OpenData | FileRequest::OpenCalibrationData | FileRequest::FindFile(_) => dialog.pick_file(),
        FileRequest::OpenPictures
        | FileRequest::FindFolder(_)
        | FileRequest::OpenSweepResults
        | FileRequest::OpenSyntheses
        | FileRequest::OpenRediscovery
        | FileRequest::Synthesize => dialog.pick_folder(),
        FileRequest::OpenPictureFiles => dialog.add_filter(texts::PICTURES, &images::FILE_EXTENSIONS).pick_file(),
        FileRequest::OpenSession => dialog.add_filter(texts::SESSIONS, &["json"]).pick_file(),
        FileRequest::OpenLesson => dialog.add_filter(texts::LESSONS, &["md"]).pick_file(),
        FileRequest::Export(_, ExportFormat::Frames) => dialog.pick_folder(),
        FileRequest::Export(pane, format) => {
            let ending = format.ending();
            let name = format!("{}.{ending}", pane.name());
            dialog.add_filter(ending.to_uppercase(), &[ending]).set_file_name(name).save_file()
        }
        FileRequest::OpenRecipe => dialog.add_filter(texts::RECIPES, &["toml"]).pick_file(),
        FileRequest::SaveRecipe => {
            dialog.add_filter(texts::RECIPES, &["toml"]).set_file_name("recipe.toml").save_file()
        }
        FileRequest::OpenSweepPlan => dialog.add_filter(texts::PLANS, &["toml"]).pick_file(),
        FileRequest::SaveSweepPlan | FileRequest::SaveRacePlan => {
            let name = if request == FileRequest::SaveRacePlan { "race-plan.toml" } else { "plan.toml" };
            dialog.add_filter(texts::PLANS, &["toml"]).set_file_name(name).save_file()
        }
        FileRequest::ExportRun => export_filters(dialog)
            .set_file_name(format!("run.{}", crate::experiment::run_export::FORMATS[0].0))
            .save_file(),
        FileRequest::ExportNir(reader) => {
            dialog.add_filter("NIR", &["nir"]).set_file_name(format!("run-{}.nir", reader.as_str())).save_file()
        }
        FileRequest::SaveSession => {
            dialog.add_filter(texts::SESSIONS, &["json"]).set_file_name("session.json").save_file()
        }
    }
}
