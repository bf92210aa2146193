//! State of a pane export in progress: thread, progress and cancellation.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;

use egui::{ColorImage, Context};

use crate::Result;
use crate::progress::JobControl;

/// Progress of an export.
#[derive(Clone, Default)]
pub struct PaneExportProgress {
    pub(crate) control: JobControl,
    pub(crate) per_mille: Arc<AtomicU32>,
    pub(crate) ctx: Option<Context>,
}

impl PaneExportProgress {
    /// Reports that `done` of `all` steps are finished.
    pub fn update(&self, done: usize, all: usize) {
        self.per_mille.store((done * 1000 / all.max(1)) as u32, Ordering::Relaxed);
        self.ctx.iter().for_each(Context::request_repaint);
    }
    /// The job control that cancels the export.
    pub fn control(&self) -> &JobControl {
        &self.control
    }
}

/// The result of an export.
pub enum Exported {
    /// A file or folder that was written.
    File(PathBuf),
    /// A picture for the clipboard.
    Picture(ColorImage),
}

/// An export in progress.
pub struct PaneExport {
    pub(crate) name: String,
    pub(crate) progress: PaneExportProgress,
    pub(crate) outcome: Receiver<Result<Exported>>,
    pub(crate) thread: Option<JoinHandle<()>>,
}

impl Drop for PaneExport {
    /// Cancels an animation when the window closes, so that no partial file remains.
    fn drop(&mut self) {
        self.progress.control.cancel();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing to save.
            let _ = thread.join();
        }
    }
}
