//! The worker threads, their mailboxes and the channel of their events.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::event::{EngineEvent, EventSender, Waker, spawn};
use super::mailbox::Mailbox;
use super::map_event::MapOrder;
use super::map_worker;
use super::run_worker::{self, RunOrder, RunRequest};
use super::snapshot_worker::{self, SnapshotRequest};
use crate::experiment::run::Run;
use crate::experiment::snapshot::{Focus, Snapshot};

/// The worker threads and their channels.
pub struct Engine {
    run_mailbox: Arc<Mailbox<RunRequest>>,
    snapshot_mailbox: Arc<Mailbox<SnapshotRequest>>,
    map_mailbox: Arc<Mailbox<MapOrder>>,
    events: Receiver<EngineEvent>,
    sender: Sender<EngineEvent>,
    waker: Arc<Mutex<Option<Waker>>>,
    threads: Vec<JoinHandle<()>>,
}

impl Default for Engine {
    fn default() -> Self {
        let (sender, events) = channel();
        let waker = Arc::new(Mutex::new(None));
        let event_sender = EventSender { sender: sender.clone(), waker: waker.clone() };
        let (run_mailbox, snapshot_mailbox, map_mailbox) = (Mailbox::new(), Mailbox::new(), Mailbox::new());
        let threads = [
            spawn("spikescope-run", {
                let (mailbox, event_sender) = (run_mailbox.clone(), event_sender.clone());
                move || run_worker::work(&mailbox, &event_sender)
            }),
            spawn("spikescope-look", {
                let (mailbox, event_sender) = (snapshot_mailbox.clone(), event_sender.clone());
                move || snapshot_worker::work(&mailbox, &event_sender)
            }),
            spawn("spikescope-maps", {
                let (mailbox, event_sender) = (map_mailbox.clone(), event_sender);
                move || map_worker::work(&mailbox, &event_sender)
            }),
        ];
        let threads = threads.into_iter().flatten().collect();
        Self { run_mailbox, snapshot_mailbox, map_mailbox, events, sender, waker, threads }
    }
}

impl Engine {
    /// Sets the callback for new events.
    pub fn set_waker(&self, waker: Waker) {
        *self.waker.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker);
    }
    /// A sender for events of other threads.
    pub fn event_sender(&self) -> EventSender {
        EventSender { sender: self.sender.clone(), waker: self.waker.clone() }
    }
    /// Requests a run and one of every race lane; replaces an older request.
    pub fn request_run(&self, order: RunOrder) {
        self.run_mailbox.replace(RunRequest { order, requested_at: Instant::now(), partial: Arc::default() });
    }
    /// Requests a snapshot of a run; replaces an older request.
    pub fn request_snapshot(&self, generation: u64, run: Arc<Run>, focus: Focus, known: Option<Arc<Snapshot>>) {
        self.snapshot_mailbox.replace(SnapshotRequest { generation, run, focus, known });
    }
    /// Requests attribution maps; replaces an older request.
    pub fn request_maps(&self, order: MapOrder) {
        self.map_mailbox.replace(order);
    }
    /// Cancels the maps in progress.
    pub fn stop_maps(&self) {
        self.map_mailbox.stop();
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
        self.map_mailbox.close();
        for thread in self.threads.drain(..) {
            // A thread that panicked has nothing left to save.
            let _ = thread.join();
        }
    }
}
