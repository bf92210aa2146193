//! Snapshot thread: computes the snapshot of the newest request.

use std::sync::Arc;

use super::event::{EngineEvent, EventSender, catch_panic};
use super::mailbox::Mailbox;
use super::own_threads::OwnThreads;
use crate::experiment::memory::freed::release_freed_memory;
use crate::experiment::run::Run;
use crate::experiment::snapshot::{Focus, Snapshot};
use crate::progress::JobControl;

/// Work for the snapshot thread.
pub(super) struct SnapshotRequest {
    pub(super) generation: u64,
    pub(super) run: Arc<Run>,
    pub(super) focus: Focus,
    pub(super) known: Option<Arc<Snapshot>>,
}

/// Computes snapshots until the mailbox is closed.
pub(super) fn work(mailbox: &Mailbox<SnapshotRequest>, sender: &EventSender) {
    while let Some((request, control)) = mailbox.take(|_| JobControl::default(), release_freed_memory) {
        let result = catch_panic(|| {
            OwnThreads::Snapshots.install(|| {
                Snapshot::compute(request.run.clone(), request.focus.clone(), request.known.as_deref(), &control)
            })
        });
        sender.send(EngineEvent::Snapshot { generation: request.generation, result: result.map(Arc::new) });
    }
}
