//! The engine: two threads that work for the lab. One computes runs, the other looks at the finished run (time cursor,
//! focus), so that scrubbing never waits for a simulation. Each takes the newest wish only; stale results are dropped by
//! their generation.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::convert::NamedRecipe;
use crate::experiment::adapt::{Fit, fitted};
use crate::experiment::cache::Cache;
use crate::experiment::partial::{Partial, Stream};
use crate::experiment::pipeline::{compute, compute_beside_uncorrected};
use crate::experiment::run::Run;
use crate::experiment::settings::Settings;
use crate::experiment::snapshot::{Focus, Snapshot};
use crate::progress::{Control, Event};
use crate::{Error, Result};

/// A running job younger than this is let finish when a newer wish comes, so that a drag shows results on its way; an
/// older one is stopped for the newer wish.
const LET_FINISH: Duration = Duration::from_millis(250);

/// What the engine tells the lab.
pub enum News {
    /// Progress of the run job, by generation.
    Progress { generation: u64, stage: &'static str, fraction: f32 },
    /// Thresholds that the run job is balancing: the mean of every layer after `batch` of `of` batches.
    Thresholds { generation: u64, batch: usize, of: usize, means: Vec<f32> },
    /// What can be said of the run job by the samples that are through.
    Partial { generation: u64, partial: Partial },
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
struct RunWish {
    generation: u64,
    settings: Settings,
    /// Forget what was read from files first.
    afresh: bool,
    fit: Fit,
    lanes: Vec<NamedRecipe>,
    wished: Instant,
    /// What is shown of the run before it is finished.
    stream: Arc<Mutex<Stream>>,
}

/// Work for the look thread.
struct LookWish {
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
    working: Option<(Control, Instant)>,
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
    fn take(&self, control: impl FnOnce(&T) -> Control) -> Option<(T, Control)> {
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
    runs: Arc<Mailbox<RunWish>>,
    looks: Arc<Mailbox<LookWish>>,
    news: Receiver<News>,
    sender: Sender<News>,
    waker: Arc<Mutex<Option<Waker>>>,
    threads: Vec<JoinHandle<()>>,
}

/// Sends news and wakes the window.
#[derive(Clone)]
pub(super) struct Voice {
    sender: Sender<News>,
    waker: Arc<Mutex<Option<Waker>>>,
}

impl Voice {
    pub(super) fn say(&self, news: News) {
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
        let voice = Voice { sender: sender.clone(), waker: waker.clone() };
        let (runs, looks) = (Mailbox::new(), Mailbox::new());
        let threads = [
            spawn("spikescope-run", {
                let (runs, voice) = (runs.clone(), voice.clone());
                move || work_runs(&runs, &voice)
            }),
            spawn("spikescope-look", {
                let (looks, voice) = (looks.clone(), voice);
                move || work_looks(&looks, &voice)
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
    pub(super) fn voice(&self) -> Voice {
        Voice { sender: self.sender.clone(), waker: self.waker.clone() }
    }
    /// Asks for a run, and beside it one of every lane; a newer wish replaces an older one.
    pub fn run(&self, generation: u64, settings: Settings, afresh: bool, fit: Fit, lanes: Vec<NamedRecipe>) {
        self.runs.put(
            RunWish { generation, settings, afresh, fit, lanes, wished: Instant::now(), stream: Arc::default() },
            LET_FINISH,
        );
    }
    /// Asks for a look at a finished run.
    pub fn look(&self, generation: u64, run: Arc<Run>, focus: Focus, known: Option<Arc<Snapshot>>) {
        self.looks.put(LookWish { generation, run, focus, known }, LET_FINISH);
    }
    /// Stops the run in progress.
    pub fn stop(&self) {
        self.runs.stop();
    }
    /// News that has come, oldest first, without waiting.
    pub fn news(&self) -> Vec<News> {
        self.news.try_iter().collect()
    }
    /// Waits for the next piece of news.
    pub fn wait(&self, limit: Duration) -> Option<News> {
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
pub(super) fn due(last: &Mutex<Instant>) -> bool {
    let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
    let due = last.elapsed() >= Duration::from_millis(50);
    if due {
        *last = Instant::now();
    }
    due
}

fn work_runs(mailbox: &Mailbox<RunWish>, voice: &Voice) {
    let mut cache = Cache::default();
    let listen = |wish: &RunWish| {
        let (generation, voice) = (wish.generation, voice.clone());
        let (last, last_partial) = (Mutex::new(wish.wished), Mutex::new(wish.wished));
        let stream = wish.stream.clone();
        Control::listening(move |event| match event {
            Event::Answers(finished) => {
                let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(partial) = stream.add(&finished)
                    && due(&last_partial)
                {
                    voice.say(News::Partial { generation, partial: partial.clone() });
                }
            }
            Event::Thresholds { batch, of, means } => voice.say(News::Thresholds { generation, batch, of, means }),
            Event::Progress { stage, fraction } => {
                if due(&last) {
                    voice.say(News::Progress { generation, stage, fraction });
                }
            }
        })
    };
    while let Some((wish, control)) = mailbox.take(listen) {
        if wish.afresh {
            cache = Cache::default();
        }
        let generation = wish.generation;
        let result = guarded(|| {
            let settings = fitted(&wish.settings, wish.fit, &mut cache, &control)?;
            compute_beside_uncorrected(&settings, &mut cache, &control, &|watched| {
                wish.stream.lock().unwrap_or_else(PoisonError::into_inner).begin(watched);
            })
        });
        let done = result.as_ref().ok().map(|run| run.settings.clone());
        voice.say(News::Run { generation, result });
        for (index, entry) in wish.lanes.into_iter().enumerate() {
            let Some(settings) = &done else { break };
            let settings = settings.with_recipe(entry.recipe);
            let result = guarded(|| compute(&settings, &mut cache, &control.without_answers()));
            let stopped = matches!(result, Err(Error::Cancelled));
            voice.say(News::Lane { generation, index, result });
            if stopped {
                break;
            }
        }
        voice.say(News::Raced { generation });
    }
}

fn work_looks(mailbox: &Mailbox<LookWish>, voice: &Voice) {
    while let Some((wish, control)) = mailbox.take(|_| Control::default()) {
        let result =
            guarded(|| Snapshot::compute(wish.run.clone(), wish.focus.clone(), wish.known.as_deref(), &control));
        voice.say(News::Snapshot { generation: wish.generation, result: result.map(Arc::new) });
    }
}

/// A panic in the work becomes an error on the screen; the lab lives.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or_else(|cause| {
        let text = cause.downcast_ref::<String>().cloned();
        let text = text.or_else(|| cause.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap_or_default();
        Err(Error::Internal(text))
    })
}
