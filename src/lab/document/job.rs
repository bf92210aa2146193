//! Work in progress of the lab: the current run, file exports, and a pending network or data set.

use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::experiment::partial::PartialResults;
use crate::experiment::settings::Settings;
use crate::lab::Notification;
use crate::progress::JobControl;

/// A run that is being written.
pub struct ExportJob {
    /// Tells it from the others of the session.
    pub number: u64,
    pub path: PathBuf,
    /// How much of it is done, 0 to 1.
    pub fraction: f32,
    pub(super) control: JobControl,
    pub(super) thread: Option<JoinHandle<()>>,
}

impl Drop for ExportJob {
    /// Waits for the file: what a person asked for is written, also when they close the window meanwhile.
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has told so.
            let _ = thread.join();
        }
    }
}

/// Work that takes longer than this is worth watching.
const LONG: Duration = Duration::from_millis(300);

/// Work in progress.
#[derive(Clone, Debug, Default)]
pub struct Job {
    /// When it was asked for.
    pub since: Option<Instant>,
    /// What is being done: "calibrating", "simulating".
    pub stage: &'static str,
    /// How much of it is done, 0 to 1.
    pub fraction: f32,
    /// What can be said of the samples that are through already.
    pub partial: PartialResults,
    /// Thresholds being balanced: mean θ of every layer after each batch so far.
    pub balancing_history: Vec<Vec<f32>>,
    /// How many batches there will be.
    pub batches: usize,
}

impl Job {
    /// Whether it takes long enough for a person to watch it.
    pub fn is_long(&self) -> bool {
        self.since.is_some_and(|since| since.elapsed() >= LONG)
    }
}

/// Settings whose network and data do not fit together.
#[derive(Clone, Debug, PartialEq)]
pub struct PendingOpen {
    pub(super) settings: Settings,
    /// What is still to be opened.
    pub missing: MissingSide,
    /// The shape that its samples must have, or that it must take, `[channels, height, width]` or `[features]`.
    pub shape: Vec<usize>,
    /// The notice that tells of it.
    pub(super) text: String,
}

/// One of the two that make a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingSide {
    Network,
    Data,
}

impl PendingOpen {
    /// Whether `notice` tells of this pair.
    pub fn is_shown_by(&self, notice: &Notification) -> bool {
        self.text == notice.text
    }
}
