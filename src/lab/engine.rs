//! The engine: two threads that work for the lab. One computes runs, the other looks at the finished run (time cursor,
//! focus), so that scrubbing never waits for a simulation. Each takes the newest wish only; stale results are dropped by
//! their generation.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::convert::NamedRecipe;
use crate::experiment::adapt::{Adapt, adapt_settings};
use crate::experiment::cache::Cache;
use crate::experiment::partial::{PartialAccumulator, PartialResults};
use crate::experiment::pipeline::{run, run_with_baseline};
use crate::experiment::run::Run;
use crate::experiment::settings::Settings;
use crate::experiment::snapshot::{Focus, Snapshot};
use crate::progress::{JobControl, JobEvent};
use crate::{Error, Result};

/// A running job younger than this is let finish when a newer wish comes, so that a drag shows results on its way; an
/// older one is stopped for the newer wish.
const MIN_RUN_TIME: Duration = Duration::from_millis(250);

/// What the engine tells the lab.
pub enum EngineEvent {
    /// Progress of the run job, by generation.
    Progress { generation: u64, stage: &'static str, fraction: f32 },
    /// Thresholds that the run job is balancing: the mean of every layer after `batch` of `of` batches.
    Thresholds { generation: u64, batch: usize, of: usize, means: Vec<f32> },
    /// What can be said of the run job by the samples that are through.
    Partial { generation: u64, partial: PartialResults },
    /// The run job is over.
    Run { generation: u64, result: Result<Arc<Run>> },
    /// The lane at this index has run beside the run of the same generation.
    Lane { generation: u64, index: usize, result: Result<Arc<Run>> },
    /// All lanes have had their turn.
    Raced { generation: u64 },
    /// How far the export of this number is, 0 to 1.
    Exporting { number: u64, fraction: f32 },
    /// The export of this number is over; what has to be said about it.
    Exported { number: u64, result: Result<Vec<String>> },
    /// A look at a run is ready.
    Snapshot { generation: u64, result: Result<Arc<Snapshot>> },
}

/// Work for the run thread.
struct RunRequest {
    generation: u64,
    settings: Settings,
    /// Forget what was read from files first.
    afresh: bool,
    fit: Adapt,
    lanes: Vec<NamedRecipe>,
    wished: Instant,
    /// What is shown of the run before it is finished.
    stream: Arc<Mutex<PartialAccumulator>>,
}

/// Work for the look thread.
struct SnapshotRequest {
    generation: u64,
    run: Arc<Run>,
    focus: Focus,
    known: Option<Arc<Snapshot>>,
}

/// A place for one wish: a newer one replaces it.
struct Mailbox<T> {
    slot: Mutex<Slot<T>>,
    filled: Condvar,
}

struct Slot<T> {
    wish: Option<T>,
    /// The control of the work in progress and when it began.
    working: Option<(JobControl, Instant)>,
    closed: bool,
}

impl<T> Mailbox<T> {
    fn new() -> Arc<Self> {
        let slot = Slot { wish: None, working: None, closed: false };
        Arc::new(Self { slot: Mutex::new(slot), filled: Condvar::new() })
    }
    fn lock(&self) -> MutexGuard<'_, Slot<T>> {
        // A panic elsewhere must not take the lab down with it.
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Leaves a wish; stops the work in progress if it is older than `patience`.
    fn put(&self, wish: T, patience: Duration) {
        let mut slot = self.lock();
        slot.wish = Some(wish);
        if let Some((control, began)) = &slot.working
            && began.elapsed() >= patience
        {
            control.cancel();
        }
        self.filled.notify_one();
    }
    /// Stops the work in progress and forgets the waiting wish.
    fn stop(&self) {
        let mut slot = self.lock();
        slot.wish = None;
        if let Some((control, _)) = &slot.working {
            control.cancel();
        }
    }
    fn close(&self) {
        self.stop();
        self.lock().closed = true;
        self.filled.notify_one();
    }
    /// Waits for a wish; `None` when closed.
    fn take(&self, control: impl FnOnce(&T) -> JobControl) -> Option<(T, JobControl)> {
        let mut slot = self.lock();
        slot.working = None;
        loop {
            if slot.closed {
                return None;
            }
            if let Some(wish) = slot.wish.take() {
                let control = control(&wish);
                slot.working = Some((control.clone(), Instant::now()));
                return Some((wish, control));
            }
            slot = self.filled.wait(slot).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Called whenever there is news, from any thread: the window wakes up.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// The two threads and the way to them.
pub struct Engine {
    runs: Arc<Mailbox<RunRequest>>,
    looks: Arc<Mailbox<SnapshotRequest>>,
    news: Receiver<EngineEvent>,
    sender: Sender<EngineEvent>,
    waker: Arc<Mutex<Option<Waker>>>,
    threads: Vec<JoinHandle<()>>,
}

/// Sends news and wakes the window.
#[derive(Clone)]
pub(super) struct EventSender {
    sender: Sender<EngineEvent>,
    waker: Arc<Mutex<Option<Waker>>>,
}

impl EventSender {
    pub(super) fn send(&self, news: EngineEvent) {
        // A closed ear means that the program is ending.
        let _ = self.sender.send(news);
        let waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(wake) = waker {
            wake();
        }
    }
}

impl Default for Engine {
    fn default() -> Self {
        let (sender, news) = channel();
        let waker = Arc::new(Mutex::new(None));
        let voice = EventSender { sender: sender.clone(), waker: waker.clone() };
        let (runs, looks) = (Mailbox::new(), Mailbox::new());
        let threads = [
            spawn("spikescope-run", {
                let (runs, voice) = (runs.clone(), voice.clone());
                move || run_worker(&runs, &voice)
            }),
            spawn("spikescope-look", {
                let (looks, voice) = (looks.clone(), voice);
                move || snapshot_worker(&looks, &voice)
            }),
        ];
        Self { runs, looks, news, sender, waker, threads: threads.into_iter().flatten().collect() }
    }
}

/// A thread, where the system has one.
pub(super) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Option<JoinHandle<()>> {
    std::thread::Builder::new().name(name.into()).spawn(work).ok()
}

impl Engine {
    /// Who is woken when there is news.
    pub fn set_waker(&self, waker: Waker) {
        *self.waker.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker);
    }
    /// What other threads tell the lab by.
    pub(super) fn voice(&self) -> EventSender {
        EventSender { sender: self.sender.clone(), waker: self.waker.clone() }
    }
    /// Asks for a run, and beside it one of every lane; a newer wish replaces an older one.
    pub fn request_run(&self, generation: u64, settings: Settings, afresh: bool, fit: Adapt, lanes: Vec<NamedRecipe>) {
        self.runs.put(
            RunRequest { generation, settings, afresh, fit, lanes, wished: Instant::now(), stream: Arc::default() },
            MIN_RUN_TIME,
        );
    }
    /// Asks for a look at a finished run.
    pub fn request_snapshot(&self, generation: u64, run: Arc<Run>, focus: Focus, known: Option<Arc<Snapshot>>) {
        self.looks.put(SnapshotRequest { generation, run, focus, known }, MIN_RUN_TIME);
    }
    /// Stops the run in progress.
    pub fn stop(&self) {
        self.runs.stop();
    }
    /// News that has come, oldest first, without waiting.
    pub fn events(&self) -> Vec<EngineEvent> {
        self.news.try_iter().collect()
    }
    /// Waits for the next piece of news.
    pub fn wait(&self, limit: Duration) -> Option<EngineEvent> {
        self.news.recv_timeout(limit).ok()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.runs.close();
        self.looks.close();
        for thread in self.threads.drain(..) {
            // A thread that panicked has nothing left to save.
            let _ = thread.join();
        }
    }
}

/// Whether it is time to tell again: about every 50 ms is enough for an eye.
pub(super) fn is_due(last: &Mutex<Instant>) -> bool {
    let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
    let due = last.elapsed() >= Duration::from_millis(50);
    if due {
        *last = Instant::now();
    }
    due
}

fn run_worker(mailbox: &Mailbox<RunRequest>, voice: &EventSender) {
    let mut cache = Cache::default();
    let listen = |wish: &RunRequest| {
        let (generation, voice) = (wish.generation, voice.clone());
        let (last, last_partial) = (Mutex::new(wish.wished), Mutex::new(wish.wished));
        let stream = wish.stream.clone();
        JobControl::with_listener(move |event| match event {
            JobEvent::Samples(finished) => {
                let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(partial) = stream.add(&finished)
                    && is_due(&last_partial)
                {
                    voice.send(EngineEvent::Partial { generation, partial: partial.clone() });
                }
            }
            JobEvent::Thresholds { batch, of, means } => {
                voice.send(EngineEvent::Thresholds { generation, batch, of, means })
            }
            JobEvent::Progress { stage, fraction } => {
                if is_due(&last) {
                    voice.send(EngineEvent::Progress { generation, stage, fraction });
                }
            }
        })
    };
    while let Some((wish, control)) = mailbox.take(listen) {
        if wish.afresh {
            cache = Cache::default();
        }
        let generation = wish.generation;
        let result = catch_panic(|| {
            let settings = adapt_settings(&wish.settings, wish.fit, &mut cache, &control)?;
            run_with_baseline(&settings, &mut cache, &control, &|watched| {
                wish.stream.lock().unwrap_or_else(PoisonError::into_inner).begin(watched);
            })
        });
        let done = result.as_ref().ok().map(|run| run.settings.clone());
        voice.send(EngineEvent::Run { generation, result });
        for (index, entry) in wish.lanes.into_iter().enumerate() {
            let Some(settings) = &done else { break };
            let settings = settings.with_recipe(entry.recipe);
            let result = catch_panic(|| run(&settings, &mut cache, &control.without_samples()));
            let stopped = matches!(result, Err(Error::Cancelled));
            voice.send(EngineEvent::Lane { generation, index, result });
            if stopped {
                break;
            }
        }
        voice.send(EngineEvent::Raced { generation });
    }
}

fn snapshot_worker(mailbox: &Mailbox<SnapshotRequest>, voice: &EventSender) {
    while let Some((wish, control)) = mailbox.take(|_| JobControl::default()) {
        let result =
            catch_panic(|| Snapshot::compute(wish.run.clone(), wish.focus.clone(), wish.known.as_deref(), &control));
        voice.send(EngineEvent::Snapshot { generation: wish.generation, result: result.map(Arc::new) });
    }
}

/// A panic in the work becomes an error on the screen; the lab lives.
pub(super) fn catch_panic<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or_else(|cause| {
        let text = cause.downcast_ref::<String>().cloned();
        let text = text.or_else(|| cause.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap_or_default();
        Err(Error::Internal(text))
    })
}
