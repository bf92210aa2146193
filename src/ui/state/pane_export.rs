//! Pane exports in progress.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;

use egui::Context;

use crate::Result;
use crate::progress::JobControl;

/// How far an export is.
#[derive(Clone, Default)]
pub struct PaneExportProgress {
    pub(crate) control: JobControl,
    pub(crate) per_mille: Arc<AtomicU32>,
    pub(crate) ctx: Option<Context>,
}

impl PaneExportProgress {
    /// Tells that `done` of `all` steps are through.
    pub fn update(&self, done: usize, all: usize) {
        self.per_mille.store((done * 1000 / all.max(1)) as u32, Ordering::Relaxed);
        self.ctx.iter().for_each(Context::request_repaint);
    }
    /// Stops the work when the person wants it.
    pub fn control(&self) -> &JobControl {
        &self.control
    }
}

/// An export under way.
pub struct PaneExport {
    pub(crate) name: String,
    pub(crate) progress: PaneExportProgress,
    pub(crate) outcome: Receiver<Result<PathBuf>>,
    pub(crate) thread: Option<JoinHandle<()>>,
}

impl Drop for PaneExport {
    /// An animation whose window is closed is stopped, so that nothing half-written stays behind.
    fn drop(&mut self) {
        self.progress.control.cancel();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing left to save.
            let _ = thread.join();
        }
    }
}
