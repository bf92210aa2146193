//! Events from the worker threads to the lab, and how threads are started and guarded.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::map_event::MapEvent;
use super::trojan_event::TrojanEvent;
use crate::experiment::explained::PageKey;
use crate::experiment::partial::PartialResults;
use crate::experiment::run::Run;
use crate::experiment::snapshot::Snapshot;
use crate::{Error, Result};

/// Events from the engine to the lab.
pub enum EngineEvent {
    /// Progress of the run job, by generation.
    Progress { generation: u64, stage: &'static str, fraction: f32 },
    /// Thresholds during balancing: the mean of every layer after `batch` of `of` batches.
    Thresholds { generation: u64, batch: usize, of: usize, means: Vec<f32> },
    /// Results over the finished samples of the run job.
    Partial { generation: u64, partial: PartialResults },
    /// A preview of the run job on some of its samples.
    Preview { generation: u64, run: Arc<Run>, snapshot: Arc<Snapshot> },
    /// The run job has ended; with its snapshot if the request had a focus.
    Run { generation: u64, result: Result<Arc<Run>>, snapshot: Option<Arc<Snapshot>> },
    /// The race lane at this index has ended, for the run of the same generation.
    Lane { generation: u64, index: usize, result: Result<Arc<Run>> },
    /// All race lanes have ended.
    LanesFinished { generation: u64 },
    /// Progress of the export of this number, 0 to 1.
    ExportProgress { number: u64, fraction: f32 },
    /// The export of this number has ended; remarks for the user.
    ExportFinished { number: u64, result: Result<Vec<String>> },
    /// A part of an attribution page, of the request of this number.
    Maps { generation: u64, page: Box<PageKey>, event: MapEvent },
    /// Something about syntheses, their quiz or a rediscovery.
    Trojans(TrojanEvent),
    /// A snapshot of a run is ready.
    Snapshot { generation: u64, result: Result<Arc<Snapshot>> },
}

/// Callback for new events, from any thread: requests a repaint of the window.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// Sends events and wakes the window.
#[derive(Clone)]
pub struct EventSender {
    pub(super) sender: Sender<EngineEvent>,
    pub(super) waker: Arc<Mutex<Option<Waker>>>,
}

impl EventSender {
    /// Sends one event.
    pub fn send(&self, event: EngineEvent) {
        // The receiver is gone: the program is shutting down.
        let _ = self.sender.send(event);
        let waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(wake) = waker {
            wake();
        }
    }
}

/// Spawns a thread; `None` if the system has none available.
pub fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Option<JoinHandle<()>> {
    std::thread::Builder::new().name(name.into()).spawn(work).ok()
}

/// Limits progress events to one per 50 ms, which is enough for the display; true if one is due.
pub fn is_due(last: &Mutex<Instant>) -> bool {
    let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
    let due = last.elapsed() >= Duration::from_millis(50);
    if due {
        *last = Instant::now();
    }
    due
}

/// Runs `work` and turns a panic into an error, so that the lab continues.
///
/// # Errors
/// The error of `work`, or [`Error::Internal`] with the text of the panic.
pub fn catch_panic<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or_else(|cause| {
        let text = cause.downcast_ref::<String>().cloned();
        let text = text.or_else(|| cause.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap_or_default();
        Err(Error::Internal(text))
    })
}
