//! Mailbox of a worker thread: holds the newest request, and cancels the work in progress for it.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::progress::JobControl;

/// A newer request cancels a job only if it is older than this. Younger jobs finish, so that a drag shows intermediate
/// results.
const MIN_RUN_TIME: Duration = Duration::from_millis(250);

/// A newer request cancels a preview only if it is older than this: the newest request waits for its picture.
const MAX_PREVIEW_TIME: Duration = Duration::from_secs(2);

/// A thread without work for this long returns freed memory to the system.
const IDLE_TIME: Duration = Duration::from_secs(2);

/// Holds one request; a newer request replaces it.
pub(super) struct Mailbox<T> {
    slot: Mutex<Slot<T>>,
    filled: Condvar,
}

struct Slot<T> {
    request: Option<T>,
    /// The control of the work in progress, its start, and how long newer requests wait for it.
    in_progress: Option<(JobControl, Instant, Duration)>,
    closed: bool,
}

impl<T> Mailbox<T> {
    pub(super) fn new() -> Arc<Self> {
        let slot = Slot { request: None, in_progress: None, closed: false };
        Arc::new(Self { slot: Mutex::new(slot), filled: Condvar::new() })
    }
    fn lock(&self) -> MutexGuard<'_, Slot<T>> {
        // A panic of another thread must not end the lab.
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Stores a request; cancels the work in progress if it had its time.
    pub(super) fn replace(&self, request: T) {
        let mut slot = self.lock();
        slot.request = Some(request);
        if let Some((control, started, limit)) = &slot.in_progress
            && started.elapsed() >= *limit
        {
            control.cancel();
        }
        self.filled.notify_one();
    }
    /// The work in progress begins with a preview, for which newer requests wait.
    pub(super) fn begin_preview(&self) {
        self.set_limit(MAX_PREVIEW_TIME);
    }
    /// The preview is shown: the rest of the work gives way to a newer request at once. Returns whether there is one.
    pub(super) fn end_preview(&self) -> bool {
        self.set_limit(Duration::ZERO);
        self.lock().request.is_some()
    }
    /// There was no preview: newer requests wait as for other work.
    pub(super) fn no_preview(&self) {
        self.set_limit(MIN_RUN_TIME);
    }
    fn set_limit(&self, limit: Duration) {
        if let Some((_, _, of_work)) = &mut self.lock().in_progress {
            *of_work = limit;
        }
    }
    /// Cancels the work in progress and discards the pending request.
    pub(super) fn stop(&self) {
        let mut slot = self.lock();
        slot.request = None;
        if let Some((control, ..)) = &slot.in_progress {
            control.cancel();
        }
    }
    /// Ends the thread that takes requests.
    pub(super) fn close(&self) {
        self.stop();
        self.lock().closed = true;
        self.filled.notify_one();
    }
    /// Waits for a request; `None` once closed. Calls `idle` once if none comes for [`IDLE_TIME`].
    pub(super) fn take(&self, control: impl FnOnce(&T) -> JobControl, idle: impl FnOnce()) -> Option<(T, JobControl)> {
        let mut slot = self.lock();
        slot.in_progress = None;
        let mut idle = Some(idle);
        loop {
            if slot.closed {
                return None;
            }
            if let Some(request) = slot.request.take() {
                let control = control(&request);
                slot.in_progress = Some((control.clone(), Instant::now(), MIN_RUN_TIME));
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
