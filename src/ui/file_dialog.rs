//! Asking the person for a file. The system's dialogs run on a thread of their own, so that the window never waits; tests
//! answer in their place.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::Format;
use super::texts::file_dialog as texts;
use super::types::file_request::Ask;
use crate::lab::Message;
use crate::network::open::ENDINGS;

impl Ask {
    /// What the lab is to do with the answer; nothing where the window does it.
    pub fn message(self, path: PathBuf) -> Option<Message> {
        Some(match self {
            Self::Export(..) => return None,
            Self::OpenNetwork => Message::OpenModel(path.display().to_string()),
            Self::OpenData | Self::OpenPictures | Self::OpenRecipe => Message::OpenPath(path),
            Self::OpenLesson => Message::OpenLesson(path.display().to_string()),
            Self::OpenSession => Message::OpenSession(path),
            Self::SaveSession => Message::SaveSession(path),
            Self::OpenCalibrationData => Message::OpenCalibrationData(path),
            Self::ExportRun => Message::ExportRun(path),
            Self::FindFile(index) | Self::FindFolder(index) => Message::FoundMissing { index, path },
            Self::SaveRecipe => {
                // The recipe is called what its file is called.
                let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
                Message::SaveRecipe { path, name }
            }
        })
    }
}

/// One filter for every form; the first one is that of the name that is offered.
fn export_filters(dialog: rfd::FileDialog) -> rfd::FileDialog {
    crate::experiment::run_export::ENDINGS
        .iter()
        .fold(dialog, |dialog, (ending, what)| dialog.add_filter(*what, &[*ending]))
}

/// Called with the file that was chosen, from any thread, or with nothing where the system has no dialog; not called when a
/// person chose none.
pub type Answer = Box<dyn FnOnce(Option<PathBuf>) + Send>;

/// No person closes a dialog within this time: there was none.
const NOBODY: Duration = Duration::from_millis(400);

/// Someone who can ask for a file.
pub trait Dialogs {
    /// Asks without waiting.
    fn ask(&self, ask: Ask, answer: Answer);
}

/// The system's own dialogs.
#[derive(Debug, Default)]
pub struct Native;

impl Dialogs for Native {
    fn ask(&self, ask: Ask, answer: Answer) {
        let work = move || {
            let asked = Instant::now();
            let dialog = rfd::FileDialog::new().set_title(ask.title());
            let path = match ask {
                Ask::OpenNetwork => dialog.add_filter(texts::NETWORKS, &ENDINGS).pick_file(),
                Ask::OpenData | Ask::OpenCalibrationData | Ask::FindFile(_) => dialog.pick_file(),
                Ask::OpenPictures | Ask::FindFolder(_) => dialog.pick_folder(),
                Ask::OpenSession => dialog.add_filter(texts::SESSIONS, &["json"]).pick_file(),
                Ask::OpenLesson => dialog.add_filter(texts::LESSONS, &["md"]).pick_file(),
                Ask::Export(_, Format::Frames) => dialog.pick_folder(),
                Ask::Export(pane, format) => {
                    let ending = format.ending();
                    let name = format!("{}.{ending}", pane.name());
                    dialog.add_filter(ending.to_uppercase(), &[ending]).set_file_name(name).save_file()
                }
                Ask::OpenRecipe => dialog.add_filter(texts::RECIPES, &["toml"]).pick_file(),
                Ask::SaveRecipe => {
                    dialog.add_filter(texts::RECIPES, &["toml"]).set_file_name("recipe.toml").save_file()
                }
                Ask::ExportRun => export_filters(dialog)
                    .set_file_name(format!("run.{}", crate::experiment::run_export::ENDINGS[0].0))
                    .save_file(),
                Ask::SaveSession => {
                    dialog.add_filter(texts::SESSIONS, &["json"]).set_file_name("session.json").save_file()
                }
            };
            if path.is_some() || asked.elapsed() < NOBODY {
                answer(path);
            }
        };
        // Without a thread there is no dialog; the same files can be dropped on the window.
        let _ = std::thread::Builder::new().name("spikescope-dialog".into()).spawn(work);
    }
}
