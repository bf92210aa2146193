//! Snapshot thread: computes the snapshot of the newest request, of a large run first that of some samples.

use std::ops::Range;
use std::sync::{Arc, Weak};
use std::time::Instant;

use super::event::{EngineEvent, EventSender, catch_panic};
use super::mailbox::Mailbox;
use super::own_threads::OwnThreads;
use super::pace::{FIRST_PREFIX_RATE, Pace, PreviewTimes, neurons};
use crate::experiment::memory::freed::release_freed_memory;
use crate::experiment::run::{PreparedNetwork, Run};
use crate::experiment::snapshot::parts::SnapshotPart;
use crate::experiment::snapshot::{Focus, Snapshot, preview_samples};
use crate::progress::JobControl;

/// Times of the preview at a time cursor, which is to be on the screen within 0.1 s.
const AT_CURSOR: PreviewTimes = PreviewTimes { goal: 0.05, short: 0.08 };

/// Work for the snapshot thread.
pub(super) struct SnapshotRequest {
    pub(super) generation: u64,
    pub(super) run: Arc<Run>,
    pub(super) focus: Focus,
    pub(super) known: Option<Arc<Snapshot>>,
}

/// Computes snapshots until the mailbox is closed.
pub(super) fn work(mailbox: &Mailbox<SnapshotRequest>, sender: &EventSender) {
    let mut pace = CursorPace::default();
    while let Some((request, control)) = mailbox.take(|_| JobControl::default(), release_freed_memory) {
        let generation = request.generation;
        let compute = |samples: Range<usize>, preview: Option<&Snapshot>| {
            let SnapshotRequest { run, focus, known, .. } = &request;
            let known = [known.as_deref(), preview];
            let compute = || Snapshot::compute_on(run.clone(), focus.clone(), samples, known, &control);
            catch_panic(|| OwnThreads::Snapshots.install(compute)).map(Arc::new)
        };
        let mut preview = None;
        if let Some(samples) = pace.preview(&request) {
            mailbox.begin_preview();
            let (start, count) = (Instant::now(), samples.len());
            if let Ok(snapshot) = compute(samples, None) {
                pace.observe(start.elapsed().as_secs_f64(), &request, count);
                preview = Some(snapshot.clone());
                sender.send(EngineEvent::Snapshot { generation, result: Ok(snapshot) });
                if mailbox.end_preview() {
                    continue;
                }
            } else {
                // An error is that of the whole, which follows.
                mailbox.no_preview();
            }
        }
        let all = 0..request.run.recording.samples;
        sender.send(EngineEvent::Snapshot { generation, result: compute(all, preview.as_deref()) });
    }
}

/// How fast the reports at a time cursor are, for one network.
#[derive(Default)]
struct CursorPace {
    network: Weak<PreparedNetwork>,
    pace: Pace,
}

impl CursorPace {
    /// The samples of the preview of `request`; `None` if all of them take little time, or if their report is there.
    fn preview(&mut self, request: &SnapshotRequest) -> Option<Range<usize>> {
        let SnapshotRequest { run, focus, known, .. } = request;
        let steps = focus.steps.clamp(1, run.steps());
        let has_report = |known: &Arc<Snapshot>| {
            Arc::ptr_eq(&known.run, run) && known.report.steps == steps && !known.lacks_samples()
        };
        if steps == run.steps() || known.as_ref().is_some_and(has_report) {
            return None;
        }
        let network = Arc::downgrade(&run.network);
        if !Weak::ptr_eq(&self.network, &network) {
            *self = Self { network, pace: Pace::new(FIRST_PREFIX_RATE) };
        }
        let all = run.recording.samples;
        let samples = self.pace.range(all, work_per_sample(run, focus), focus.sample, AT_CURSOR)?;
        Some(preview_samples(samples, focus.sample, all))
    }

    /// The preview of `request` with `count` samples took `seconds`.
    fn observe(&mut self, seconds: f64, request: &SnapshotRequest, count: usize) {
        self.pace.observe(seconds, work_per_sample(&request.run, &request.focus) * count as f64);
    }
}

/// Neurons of a sample, over all runs whose reports `focus` asks for.
fn work_per_sample(run: &Run, focus: &Focus) -> f64 {
    let has = |part| focus.parts.has(part);
    let uncorrected = usize::from(has(SnapshotPart::Uncorrected) && run.uncorrected.get().is_some());
    let lanes = if has(SnapshotPart::Lanes) { focus.lanes.iter().flatten().count() } else { 0 };
    neurons(run) * (1 + uncorrected + lanes) as f64
}
