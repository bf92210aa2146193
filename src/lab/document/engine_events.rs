//! Handles engine events and requests the next run or snapshot.

use std::sync::Arc;
use std::time::Instant;

use crate::experiment::neuron_categories::example_to_focus;
use crate::experiment::{Run, Snapshot};
use crate::lab::engine::EngineEvent;
use crate::lab::storage::recent_files::RecentItem;
use crate::lab::storage::saved_scalings;
use crate::lab::{Job, Lab, Notification, NotificationLevel};
use crate::network::open::is_network_file;
use crate::{Error, network};

impl Lab {
    /// Restores the settings of the displayed run.
    pub(super) fn restore_shown_settings(&mut self) {
        if let Some(run) = &self.finished {
            self.settings = run.settings.clone();
            self.run = Some(run.clone());
        }
        self.outdated_since = None;
        self.undo.discard_failed(&self.settings);
        self.requested = Some(self.settings.clone());
    }

    /// The user stopped the work: restores the settings of the displayed run; redo repeats the stopped request.
    pub(super) fn on_stopped(&mut self) {
        let stopped = self.settings.clone();
        if self.finished.is_none() {
            let text = "Stopped before the first result. Rerun (F5) computes it.".to_owned();
            self.notifications.push(Notification { level: NotificationLevel::Note, text });
        }
        self.restore_shown_settings();
        // Settings of a file that was being opened are not adapted yet: redo cannot repeat them.
        if stopped.has_other_sources(&self.settings) {
            return;
        }
        if let Some(sentence) = self.undo.redo_stopped(&self.settings, stopped) {
            let text = format!("Stopped before running: {sentence}. Redo runs it.");
            self.notifications.push(Notification { level: NotificationLevel::Note, text });
        }
    }

    /// Handles all received engine events. Returns whether there were any.
    pub fn poll(&mut self) -> bool {
        let events = self.engine.events();
        let any = !events.is_empty();
        events.into_iter().for_each(|event| self.on_engine_event(event));
        if any {
            self.request_work();
        }
        any
    }

    pub(super) fn on_engine_event(&mut self, event: EngineEvent) {
        match event {
            EngineEvent::Progress { generation, stage, fraction } if generation == self.generation => {
                if let Some(job) = &mut self.job {
                    (job.stage, job.fraction) = (stage, fraction);
                }
            }
            EngineEvent::Thresholds { generation, batch, of, means } if generation == self.generation => {
                if let Some(job) = &mut self.job {
                    if batch == 1 {
                        job.balancing_history.clear();
                    }
                    job.batches = of;
                    job.balancing_history.push(means);
                }
            }
            EngineEvent::Partial { generation, partial } if generation == self.generation => {
                if let Some(job) = &mut self.job {
                    job.partial = partial;
                }
            }
            EngineEvent::Preview { generation, run, snapshot } => self.on_preview(generation, run, snapshot),
            EngineEvent::Run { generation, result, snapshot } => {
                let run = result.as_ref().ok().cloned();
                self.on_run(generation, result);
                if let (Some(run), Some(snapshot)) = (run, snapshot) {
                    self.show_snapshot(&run, snapshot);
                }
            }
            EngineEvent::Lane { generation, index, result } if generation == self.generation => {
                if let (Some(lane), false) = (self.lanes.get_mut(index), matches!(result, Err(Error::Cancelled))) {
                    lane.result = Some(result.map_err(|error| error.to_string()));
                }
            }
            EngineEvent::LanesFinished { generation } if generation == self.generation => self.job = None,
            EngineEvent::ExportProgress { number, fraction } => self.on_export_progress(number, fraction),
            EngineEvent::ExportFinished { number, result } => self.on_export_finished(number, result),
            EngineEvent::Maps { generation, page, event } => self.on_map_event(generation, &page, event),
            EngineEvent::Trojans(event) => self.on_trojan_event(event),
            EngineEvent::Sweep { number, update } => self.on_sweep_update(number, update),
            EngineEvent::TrainingProgress { number, at } => self.on_training_progress(number, at),
            EngineEvent::TrainingFinished { number, result } => self.on_training_finished(number, *result),
            EngineEvent::Snapshot { generation, result } => {
                let is_last = result.as_ref().map_or(true, |snapshot| !snapshot.lacks_samples());
                self.pending_snapshot = self.pending_snapshot.filter(|&g| g > generation || !is_last);
                match result {
                    // A snapshot of an earlier run would mix with newer figures.
                    Ok(snapshot) => {
                        if self.run.as_ref().is_some_and(|run| Arc::ptr_eq(run, &snapshot.run)) {
                            self.snapshot = Some(snapshot);
                        }
                    }
                    Err(Error::Cancelled) => {}
                    Err(error) => self.notify_error(&error),
                }
            }
            EngineEvent::Progress { .. }
            | EngineEvent::Partial { .. }
            | EngineEvent::Thresholds { .. }
            | EngineEvent::Lane { .. }
            | EngineEvent::LanesFinished { .. } => {}
        }
    }

    /// Shows a preview, also if a newer run is requested, so that the panes follow a drag.
    fn on_preview(&mut self, generation: u64, run: Arc<Run>, snapshot: Arc<Snapshot>) {
        // Of work that was stopped nothing is shown.
        if self.job.is_none() || run.settings.has_other_sources(&self.settings) {
            return;
        }
        self.outdated_since = (generation != self.generation).then(Instant::now);
        self.run = Some(run.clone());
        self.show_snapshot(&run, snapshot);
    }

    /// Shows `snapshot` of `run`, the displayed run.
    fn show_snapshot(&mut self, run: &Arc<Run>, snapshot: Arc<Snapshot>) {
        if self.run.as_ref().is_some_and(|shown| Arc::ptr_eq(shown, run)) {
            self.requested_snapshot = Some((run.clone(), snapshot.focus.clone()));
            self.snapshot = Some(snapshot);
        }
    }

    fn on_run(&mut self, generation: u64, result: crate::Result<Arc<Run>>) {
        let current = generation == self.generation;
        match result {
            Ok(run) => {
                // A finished run is shown even if a newer one is requested, so that the plots follow a drag.
                let new_network = self.run.as_ref().is_none_or(|old| !Arc::ptr_eq(&old.network, &run.network));
                if let (true, Some(job)) = (current, &mut self.job) {
                    // The run is finished; only the race lanes continue.
                    *job = Job { stage: "racing", ..Job::default() };
                }
                let requested_rule = self.settings.recipe.threshold;
                let requested_set = self.settings.calibration_data.clone();
                if current {
                    self.on_run_shown(&run);
                    // Opening may have adapted ranges, scaling and recipe.
                    self.settings = run.settings.clone();
                    self.requested = Some(self.settings.clone());
                }
                if current {
                    // Adapted settings belong to the undo step of opening.
                    if self.undo.opened(&self.settings) {
                        self.undo.end(&self.settings);
                    }
                    self.history.add(&run, self.undo.dragging());
                }
                if let (true, Some(item)) = (current, RecentItem::subject(&run.settings)) {
                    self.recent.add(item);
                }
                if new_network && current {
                    self.on_network_shown(&run);
                    // Results on another network are not shown, but take memory.
                    let lanes = self.lanes.iter_mut().filter(|lane| lane.run_beside(&run).is_none());
                    lanes.for_each(|lane| lane.result = None);
                    self.notify_changed_rule(requested_rule, &run);
                    self.notify_dropped_set(requested_set.as_deref(), &run);
                    self.notify_foreign_data(&run);
                }
                self.outdated_since = (!current).then(Instant::now);
                self.finished = Some(run.clone());
                self.run = Some(run);
                if let Some((layer, category)) = self.pending_example.take_if(|_| current) {
                    self.focus_example(layer, category);
                }
            }
            Err(Error::Cancelled) => {}
            Err(_) if !current => {}
            Err(error) => {
                self.on_run_error(&error);
                self.restore_shown_settings();
            }
        }
    }

    /// Layer and neuron of `run` for those in focus, if the displayed run is of the same file and samples: another place of
    /// its max pools or another backend. A layer in front of its pool has more neurons, so the first of the channel is taken.
    fn same_neuron_of(&self, run: &Run) -> Option<(usize, usize)> {
        let shown = self.run.as_ref().filter(|shown| !shown.settings.has_other_sources(&run.settings))?;
        let (own, other) = (&shown.settings, &run.settings);
        let same = (&own.output, &own.head, &own.samples) == (&other.output, &other.head, &other.samples);
        let before = shown.spiking.layers.get(self.view.layer).filter(|_| same)?;
        let layer = run.spiking.layers.iter().position(|layer| layer.name == before.name)?;
        let after = &run.spiking.layers[layer];
        let channel = self.view.neuron / before.neurons_per_channel().max(1);
        let moved = before.shape != after.shape;
        Some((layer, if moved { channel * after.neurons_per_channel() } else { self.view.neuron }))
    }

    /// A network is displayed for the first time.
    fn on_network_shown(&mut self, run: &Run) {
        let here = self.same_neuron_of(run);
        if !std::mem::take(&mut self.keep_view) {
            if let Some(here) = here {
                (self.view.layer, self.view.neuron) = here;
            } else if let Some(example) = example_to_focus(run) {
                (self.view.layer, self.view.sample, self.view.neuron) = (example.layer, example.sample, example.neuron);
            }
            self.view.pinned.clear();
        }
        // Discard notes about the previous network; errors stay.
        self.notifications.retain(|notice| notice.level == NotificationLevel::Error);
        if saved_scalings::scaling(&run.settings.model).is_none()
            && is_network_file(network::open::split_source(&run.settings.model).0)
        {
            saved_scalings::remember_scaling(&run.settings.model, &run.settings.scaling);
        }
        self.undo.end(&self.settings);
    }
}
