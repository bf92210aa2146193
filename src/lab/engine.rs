//! Engine: two worker threads, one computes runs, the other computes snapshots of the finished run.
//!
//! The threads are separate, so that moving the time cursor never waits for a simulation. Each takes only the newest request;
//! stale results are discarded by their generation.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::convert::NamedRecipe;
use crate::experiment::adapt::{Adapt, adapt_settings};
use crate::experiment::cache::Cache;
use crate::experiment::memory::freed::release_freed_memory;
use crate::experiment::partial::{PartialAccumulator, PartialResults};
use crate::experiment::pipeline::{run, run_with_baseline};
use crate::experiment::run::Run;
use crate::experiment::settings::Settings;
use crate::experiment::snapshot::{Focus, Snapshot};
use crate::progress::{JobControl, JobEvent};
use crate::{Error, Result};

/// A newer request cancels a job only if it is older than this. Younger jobs finish, so that a drag shows intermediate
/// results.
const MIN_RUN_TIME: Duration = Duration::from_millis(250);

/// A thread without work for this long returns freed memory to the system.
const IDLE_TIME: Duration = Duration::from_secs(2);

/// Events from the engine to the lab.
pub enum EngineEvent {
    /// Progress of the run job, by generation.
    Progress { generation: u64, stage: &'static str, fraction: f32 },
    /// Thresholds during balancing: the mean of every layer after `batch` of `of` batches.
    Thresholds { generation: u64, batch: usize, of: usize, means: Vec<f32> },
    /// Results over the finished samples of the run job.
    Partial { generation: u64, partial: PartialResults },
    /// The run job has ended.
    Run { generation: u64, result: Result<Arc<Run>> },
    /// The race lane at this index has ended, for the run of the same generation.
    Lane { generation: u64, index: usize, result: Result<Arc<Run>> },
    /// All race lanes have ended.
    LanesFinished { generation: u64 },
    /// Progress of the export of this number, 0 to 1.
    ExportProgress { number: u64, fraction: f32 },
    /// The export of this number has ended; remarks for the user.
    ExportFinished { number: u64, result: Result<Vec<String>> },
    /// A snapshot of a run is ready.
    Snapshot { generation: u64, result: Result<Arc<Snapshot>> },
}

/// Work for the run thread.
struct RunRequest {
    generation: u64,
    settings: Settings,
    /// Discard the cache first, so that files are read again.
    reload: bool,
    adapt: Adapt,
    lanes: Vec<NamedRecipe>,
    requested_at: Instant,
    /// Partial results of the run.
    partial: Arc<Mutex<PartialAccumulator>>,
}

/// Work for the snapshot thread.
struct SnapshotRequest {
    generation: u64,
    run: Arc<Run>,
    focus: Focus,
    known: Option<Arc<Snapshot>>,
}

/// Holds one request; a newer request replaces it.
struct Mailbox<T> {
    slot: Mutex<Slot<T>>,
    filled: Condvar,
}

struct Slot<T> {
    request: Option<T>,
    /// The control of the work in progress, and its start.
    in_progress: Option<(JobControl, Instant)>,
    closed: bool,
}

impl<T> Mailbox<T> {
    fn new() -> Arc<Self> {
        let slot = Slot { request: None, in_progress: None, closed: false };
        Arc::new(Self { slot: Mutex::new(slot), filled: Condvar::new() })
    }
    fn lock(&self) -> MutexGuard<'_, Slot<T>> {
        // A panic of another thread must not end the lab.
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Stores a request; cancels the work in progress if it is older than `min_run_time`.
    fn replace(&self, request: T, min_run_time: Duration) {
        let mut slot = self.lock();
        slot.request = Some(request);
        if let Some((control, started)) = &slot.in_progress
            && started.elapsed() >= min_run_time
        {
            control.cancel();
        }
        self.filled.notify_one();
    }
    /// Cancels the work in progress and discards the pending request.
    fn stop(&self) {
        let mut slot = self.lock();
        slot.request = None;
        if let Some((control, _)) = &slot.in_progress {
            control.cancel();
        }
    }
    fn close(&self) {
        self.stop();
        self.lock().closed = true;
        self.filled.notify_one();
    }
    /// Waits for a request; `None` once closed. Calls `idle` once if none comes for [`IDLE_TIME`].
    fn take(&self, control: impl FnOnce(&T) -> JobControl, idle: impl FnOnce()) -> Option<(T, JobControl)> {
        let mut slot = self.lock();
        slot.in_progress = None;
        let mut idle = Some(idle);
        loop {
            if slot.closed {
                return None;
            }
            if let Some(request) = slot.request.take() {
                let control = control(&request);
                slot.in_progress = Some((control.clone(), Instant::now()));
                return Some((request, control));
            }
            let Some(work) = idle.take() else {
                slot = self.filled.wait(slot).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let (waited, timeout) = self.filled.wait_timeout(slot, IDLE_TIME).unwrap_or_else(PoisonError::into_inner);
            slot = waited;
            if timeout.timed_out() && slot.request.is_none() && !slot.closed {
                drop(slot);
                work();
                slot = self.lock();
            } else {
                idle = Some(work);
            }
        }
    }
}

/// Callback for new events, from any thread: requests a repaint of the window.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// The two worker threads and their channels.
pub struct Engine {
    run_mailbox: Arc<Mailbox<RunRequest>>,
    snapshot_mailbox: Arc<Mailbox<SnapshotRequest>>,
    events: Receiver<EngineEvent>,
    sender: Sender<EngineEvent>,
    waker: Arc<Mutex<Option<Waker>>>,
    threads: Vec<JoinHandle<()>>,
}

/// Sends events and wakes the window.
#[derive(Clone)]
pub(super) struct EventSender {
    sender: Sender<EngineEvent>,
    waker: Arc<Mutex<Option<Waker>>>,
}

impl EventSender {
    pub(super) fn send(&self, event: EngineEvent) {
        // The receiver is gone: the program is shutting down.
        let _ = self.sender.send(event);
        let waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(wake) = waker {
            wake();
        }
    }
}

impl Default for Engine {
    fn default() -> Self {
        let (sender, events) = channel();
        let waker = Arc::new(Mutex::new(None));
        let event_sender = EventSender { sender: sender.clone(), waker: waker.clone() };
        let (run_mailbox, snapshot_mailbox) = (Mailbox::new(), Mailbox::new());
        let threads = [
            spawn("spikescope-run", {
                let (mailbox, event_sender) = (run_mailbox.clone(), event_sender.clone());
                move || run_worker(&mailbox, &event_sender)
            }),
            spawn("spikescope-look", {
                let (mailbox, event_sender) = (snapshot_mailbox.clone(), event_sender);
                move || snapshot_worker(&mailbox, &event_sender)
            }),
        ];
        Self { run_mailbox, snapshot_mailbox, events, sender, waker, threads: threads.into_iter().flatten().collect() }
    }
}

/// Spawns a thread; `None` if the system has none available.
pub(super) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Option<JoinHandle<()>> {
    std::thread::Builder::new().name(name.into()).spawn(work).ok()
}

impl Engine {
    /// Sets the callback for new events.
    pub fn set_waker(&self, waker: Waker) {
        *self.waker.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker);
    }
    /// A sender for events of other threads.
    pub(super) fn event_sender(&self) -> EventSender {
        EventSender { sender: self.sender.clone(), waker: self.waker.clone() }
    }
    /// Requests a run and one of every race lane; replaces an older request.
    pub fn request_run(
        &self,
        generation: u64,
        settings: Settings,
        reload: bool,
        adapt: Adapt,
        lanes: Vec<NamedRecipe>,
    ) {
        self.run_mailbox.replace(
            RunRequest {
                generation,
                settings,
                reload,
                adapt,
                lanes,
                requested_at: Instant::now(),
                partial: Arc::default(),
            },
            MIN_RUN_TIME,
        );
    }
    /// Requests a snapshot of a finished run; replaces an older request.
    pub fn request_snapshot(&self, generation: u64, run: Arc<Run>, focus: Focus, known: Option<Arc<Snapshot>>) {
        self.snapshot_mailbox.replace(SnapshotRequest { generation, run, focus, known }, MIN_RUN_TIME);
    }
    /// Cancels the run in progress.
    pub fn stop(&self) {
        self.run_mailbox.stop();
    }
    /// Received events, oldest first; does not block.
    pub fn events(&self) -> Vec<EngineEvent> {
        self.events.try_iter().collect()
    }
    /// Waits up to `limit` for the next event.
    pub fn wait(&self, limit: Duration) -> Option<EngineEvent> {
        self.events.recv_timeout(limit).ok()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.run_mailbox.close();
        self.snapshot_mailbox.close();
        for thread in self.threads.drain(..) {
            // A thread that panicked has nothing left to save.
            let _ = thread.join();
        }
    }
}

/// Limits progress events to one per 50 ms, which is enough for the display; true if one is due.
pub(super) fn is_due(last: &Mutex<Instant>) -> bool {
    let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
    let due = last.elapsed() >= Duration::from_millis(50);
    if due {
        *last = Instant::now();
    }
    due
}

fn run_worker(mailbox: &Mailbox<RunRequest>, sender: &EventSender) {
    let mut cache = Cache::default();
    let listener = |request: &RunRequest| {
        let (generation, sender) = (request.generation, sender.clone());
        let (last, last_partial) = (Mutex::new(request.requested_at), Mutex::new(request.requested_at));
        let partial = request.partial.clone();
        JobControl::with_listener(move |event| match event {
            JobEvent::Samples(finished) => {
                let mut partial = partial.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(partial) = partial.add(&finished)
                    && is_due(&last_partial)
                {
                    sender.send(EngineEvent::Partial { generation, partial: partial.clone() });
                }
            }
            JobEvent::Thresholds { batch, of, means } => {
                sender.send(EngineEvent::Thresholds { generation, batch, of, means })
            }
            JobEvent::Progress { stage, fraction } => {
                if is_due(&last) {
                    sender.send(EngineEvent::Progress { generation, stage, fraction });
                }
            }
        })
    };
    while let Some((request, control)) = mailbox.take(listener, release_freed_memory) {
        if request.reload {
            cache = Cache::default();
        }
        let generation = request.generation;
        let result = catch_panic(|| {
            let settings = adapt_settings(&request.settings, request.adapt, &mut cache, &control)?;
            run_with_baseline(&settings, &mut cache, &control, &|context| {
                request.partial.lock().unwrap_or_else(PoisonError::into_inner).begin(context);
            })
        });
        let done = result.as_ref().ok().map(|run| run.settings.clone());
        sender.send(EngineEvent::Run { generation, result });
        let mut lanes = Vec::new();
        for (index, entry) in request.lanes.into_iter().enumerate() {
            let Some(settings) = &done else { break };
            let settings = settings.with_recipe(entry.recipe);
            let result = catch_panic(|| run(&settings, &mut cache, &control.without_samples()));
            let stopped = matches!(result, Err(Error::Cancelled));
            lanes.extend(result.as_ref().ok().map(|run| (index, settings, run.clone())));
            sender.send(EngineEvent::Lane { generation, index, result });
            if stopped {
                break;
            }
        }
        // The lab shows the lanes as the cache keeps them: most without their final state.
        for (index, settings, sent) in lanes {
            if let Some(run) = cache.run(&settings).filter(|run| !Arc::ptr_eq(run, &sent)) {
                sender.send(EngineEvent::Lane { generation, index, result: Ok(run) });
            }
        }
        sender.send(EngineEvent::LanesFinished { generation });
    }
}

fn snapshot_worker(mailbox: &Mailbox<SnapshotRequest>, sender: &EventSender) {
    while let Some((request, control)) = mailbox.take(|_| JobControl::default(), release_freed_memory) {
        let result = catch_panic(|| {
            Snapshot::compute(request.run.clone(), request.focus.clone(), request.known.as_deref(), &control)
        });
        sender.send(EngineEvent::Snapshot { generation: request.generation, result: result.map(Arc::new) });
    }
}

/// Runs `work` and turns a panic into an error, so that the lab continues.
///
/// # Errors
/// The error of `work`, or [`Error::Internal`] with the text of the panic.
pub(super) fn catch_panic<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or_else(|cause| {
        let text = cause.downcast_ref::<String>().cloned();
        let text = text.or_else(|| cause.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap_or_default();
        Err(Error::Internal(text))
    })
}
