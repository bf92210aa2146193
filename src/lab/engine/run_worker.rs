//! Run thread: the preview of the newest request, its run, and the lanes of the race.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::event::{EngineEvent, EventSender, catch_panic, is_due};
use super::mailbox::Mailbox;
use super::previews::{PreviewOrder, Previews};
use crate::Error;
use crate::convert::NamedRecipe;
use crate::experiment::adapt::{Adapt, adapt_settings};
use crate::experiment::cache::Cache;
use crate::experiment::memory::freed::release_freed_memory;
use crate::experiment::partial::PartialAccumulator;
use crate::experiment::pipeline::{run, run_with_baseline};
use crate::experiment::run::Run;
use crate::experiment::settings::Settings;
use crate::experiment::snapshot::Snapshot;
use crate::progress::{JobControl, JobEvent};

/// A run and the lanes of the race beside it.
pub struct RunOrder {
    /// Number of the request.
    pub generation: u64,
    pub settings: Settings,
    /// Discard the cache first, so that files are read again.
    pub reload: bool,
    pub adapt: Adapt,
    pub lanes: Vec<NamedRecipe>,
    /// What a preview builds on; `None` if the run has other samples or another network.
    pub preview: Option<PreviewOrder>,
}

/// Work for the run thread.
pub(super) struct RunRequest {
    pub(super) order: RunOrder,
    pub(super) requested_at: Instant,
    /// Partial results of the run.
    pub(super) partial: Arc<Mutex<PartialAccumulator>>,
}

/// Computes runs until the mailbox is closed.
pub(super) fn work(mailbox: &Mailbox<RunRequest>, sender: &EventSender) {
    let mut cache = Cache::default();
    let mut previews = Previews::default();
    while let Some((RunRequest { order, partial, .. }, control)) =
        mailbox.take(|request| listener(request, sender), release_freed_memory)
    {
        let before = order.reload.then(|| cache.reload());
        let generation = order.generation;
        if let Some(preview) = &order.preview
            && cache.run(&order.settings).is_none()
        {
            mailbox.begin_preview();
            let quiet = control.without_events();
            match catch_panic(|| previews.compute(&order.settings, preview, &mut cache, &quiet)) {
                Ok(Some((run, snapshot))) => {
                    sender.send(EngineEvent::Preview { generation, run, snapshot });
                    if mailbox.end_preview() {
                        continue;
                    }
                }
                // An error is that of the run, which follows.
                Ok(None) | Err(_) => mailbox.no_preview(),
            }
        }
        let result = catch_panic(|| {
            let settings = adapt_settings(&order.settings, order.adapt, &mut cache, &control)?;
            run_with_baseline(&settings, &mut cache, &control, &|context| {
                partial.lock().unwrap_or_else(PoisonError::into_inner).begin(context);
            })
        });
        let done = result.as_ref().ok().cloned();
        if let (None, Some(before)) = (&done, before) {
            // A file that cannot be opened takes nothing of what is open.
            cache.take_back(before);
        }
        if let Some(run) = &done {
            previews.observe(run);
        }
        // What all panes show changes in one frame.
        let snapshot = done.as_ref().zip(order.preview).and_then(|(run, PreviewOrder { focus, known, .. })| {
            catch_panic(|| Snapshot::compute(run.clone(), focus, known.as_deref(), &control)).ok()
        });
        sender.send(EngineEvent::Run { generation, result, snapshot: snapshot.map(Arc::new) });
        race(generation, done.map(|run| run.settings.clone()), order.lanes, &mut cache, sender, &control);
        sender.send(EngineEvent::LanesFinished { generation });
    }
}

/// Runs the lanes of the race beside the finished run of `settings`.
fn race(
    generation: u64,
    settings: Option<Settings>,
    entries: Vec<NamedRecipe>,
    cache: &mut Cache,
    sender: &EventSender,
    control: &JobControl,
) {
    let mut lanes: Vec<(usize, Arc<Run>)> = Vec::new();
    for (index, entry) in entries.into_iter().enumerate() {
        let Some(settings) = &settings else { break };
        let settings = settings.with_recipe(entry.recipe);
        let result = catch_panic(|| run(&settings, cache, &control.without_samples()));
        let stopped = matches!(result, Err(Error::Cancelled));
        let finished = result.as_ref().ok().cloned();
        sender.send(EngineEvent::Lane { generation, index, result });
        // Final states of many lanes would fill the memory: the lab holds lanes as the cache does, most without.
        for (index, sent) in &mut lanes {
            let kept = cache.kept_form(sent);
            if !Arc::ptr_eq(&kept, sent) {
                sender.send(EngineEvent::Lane { generation, index: *index, result: Ok(kept.clone()) });
                *sent = kept;
            }
        }
        lanes.extend(finished.map(|run| (index, run)));
        if stopped {
            break;
        }
    }
}

/// The control of a request, whose events go to the lab.
fn listener(request: &RunRequest, sender: &EventSender) -> JobControl {
    let (generation, sender) = (request.order.generation, sender.clone());
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
}
