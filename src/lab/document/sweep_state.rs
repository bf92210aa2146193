//! State of the sweep on the screen: plan, results folder, what was read, what runs.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use crate::progress::JobControl;
use crate::sweep::board::Board;

/// The sweep on the screen.
#[derive(Clone, Default)]
pub struct LabSweep {
    /// The plan; `None` for a results folder alone.
    pub plan: Option<PathBuf>,
    /// The results folder.
    pub out: PathBuf,
    /// What was read last; `None` before the first time.
    pub board: Option<Arc<Board>>,
    /// Why the plan or the folder cannot be read.
    pub error: Option<String>,
    /// The run in the background.
    pub running: Option<SweepRunning>,
    /// How the last run ended.
    pub ended: Option<String>,
    /// Rows that did not run, with the reason.
    pub failed: Vec<String>,
    /// Tells the events of this sweep from those of an earlier one.
    pub(super) number: u64,
    /// Ends the thread that reads, with the last copy.
    pub(super) reading: Arc<Reading>,
    /// Times that the folder was read.
    pub(super) looks: Arc<AtomicUsize>,
}

/// Cancels its control when it is dropped.
#[derive(Default)]
pub(super) struct Reading(pub(super) JobControl);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// A sweep that runs.
#[derive(Clone)]
pub struct SweepRunning {
    pub finished: usize,
    pub rows: usize,
    /// What is being computed.
    pub doing: String,
    /// Part of it that is done, 0 to 1.
    pub fraction: f32,
    pub control: JobControl,
}
