//! Work in progress of the lab: the current run, file exports, and a pending network or data set.

use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::experiment::partial::PartialResults;
use crate::experiment::settings::Settings;
use crate::lab::Notification;
use crate::progress::JobControl;

/// A running export of a run to a file.
pub struct ExportJob {
    /// Unique number within the session.
    pub number: u64,
    pub path: PathBuf,
    /// Progress, 0 to 1.
    pub fraction: f32,
    pub(super) control: JobControl,
    pub(super) thread: Option<JoinHandle<()>>,
}

impl Drop for ExportJob {
    /// Waits for the thread, so that a requested file is complete even if the user closes the window.
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            // A panic was reported as an event.
            let _ = thread.join();
        }
    }
}

/// Work that takes longer than this shows partial results.
const MIN_LONG_JOB: Duration = Duration::from_millis(300);

/// Work in progress.
#[derive(Clone, Debug, Default)]
pub struct Job {
    /// Time of the request.
    pub since: Option<Instant>,
    /// Current stage: "calibrating", "simulating".
    pub stage: &'static str,
    /// Progress, 0 to 1.
    pub fraction: f32,
    /// Results over the finished samples.
    pub partial: PartialResults,
    /// Thresholds during balancing: mean θ of every layer after each batch so far, `[batch][layer]`.
    pub balancing_history: Vec<Vec<f32>>,
    /// Number of batches of the balancing.
    pub batches: usize,
}

impl Job {
    /// Whether the job runs long enough to show its partial results.
    pub fn is_long(&self) -> bool {
        self.since.is_some_and(|since| since.elapsed() >= MIN_LONG_JOB)
    }
}

/// A network and a data set that do not fit; one of them waits for a replacement of the other.
#[derive(Clone, Debug, PartialEq)]
pub struct PendingOpen {
    pub(super) settings: Settings,
    /// The side that must be opened next.
    pub missing: MissingSide,
    /// The shape that the missing side must have: `[channels, height, width]` or `[features]`.
    pub shape: Vec<usize>,
    /// Text of its notification.
    pub(super) text: String,
}

/// The side of a pending open that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingSide {
    Network,
    Data,
}

impl PendingOpen {
    /// What was opened and waits: a network, or the specification of a data set.
    pub fn source(&self) -> &str {
        match self.missing {
            MissingSide::Data => &self.settings.model,
            MissingSide::Network => &self.settings.data,
        }
    }
    /// Whether `notification` is about this pair.
    pub fn is_shown_by(&self, notification: &Notification) -> bool {
        self.text == notification.text
    }
}
