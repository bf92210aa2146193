//! What the engine tells, and what is asked of it.

use crate::convert::NamedRecipe;
use crate::experiment::neuron_categories::example_to_focus;
use crate::lab::engine::EngineEvent;
use crate::lab::storage::recent_files::RecentItem;
use crate::lab::storage::saved_scalings;
use crate::lab::{Job, Lab, Notification, NotificationLevel};
use crate::network::open::is_network_file;
use crate::{Error, network};

impl Lab {
    /// Back to the settings of what is on the screen.
    pub(super) fn settle_back(&mut self) {
        if let Some(run) = &self.run {
            self.settings = run.settings.clone();
        }
        self.undo.discard_failed(&self.settings);
        self.requested = Some(self.settings.clone());
    }

    /// The work was stopped: back to what is on the screen, and redo takes up again what was not run.
    pub(super) fn stopped(&mut self) {
        let wanted = self.settings.clone();
        self.settle_back();
        // What was to be opened had not been fitted yet: it is opened again, not redone.
        if wanted.has_other_sources(&self.settings) {
            return;
        }
        if let Some(sentence) = self.undo.stopped(&self.settings, wanted) {
            let text = format!("Stopped before running: {sentence}. Redo runs it.");
            self.notifications.push(Notification { level: NotificationLevel::Note, text });
        }
    }

    /// Takes in what the engine has to tell. Returns whether anything changed.
    pub fn poll(&mut self) -> bool {
        let news = self.engine.events();
        let any = !news.is_empty();
        news.into_iter().for_each(|news| self.on_engine_event(news));
        if any {
            self.request_run();
        }
        any
    }

    pub(super) fn on_engine_event(&mut self, news: EngineEvent) {
        match news {
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
            EngineEvent::Run { generation, result } => self.on_run(generation, result),
            EngineEvent::Lane { generation, index, result } if generation == self.generation => {
                if let (Some(lane), false) = (self.lanes.get_mut(index), matches!(result, Err(Error::Cancelled))) {
                    lane.result = Some(result.map_err(|error| error.to_string()));
                }
            }
            EngineEvent::Raced { generation } if generation == self.generation => self.job = None,
            EngineEvent::Exporting { number, fraction } => self.hear_progress(number, fraction),
            EngineEvent::Exported { number, result } => self.hear_exported(number, result),
            EngineEvent::Snapshot { generation, result } => {
                self.looking = self.looking.filter(|&g| g > generation);
                match result {
                    Ok(snapshot) => self.snapshot = Some(snapshot),
                    Err(Error::Cancelled) => {}
                    Err(error) => self.refuse(&error),
                }
            }
            EngineEvent::Progress { .. }
            | EngineEvent::Partial { .. }
            | EngineEvent::Thresholds { .. }
            | EngineEvent::Lane { .. }
            | EngineEvent::Raced { .. } => {}
        }
    }

    fn on_run(&mut self, generation: u64, result: crate::Result<std::sync::Arc<crate::experiment::Run>>) {
        let current = generation == self.generation;
        match result {
            Ok(run) => {
                // Finished work on the way to a newer wish is still worth showing: the plots follow the hand.
                let new_network =
                    self.run.as_ref().is_none_or(|old| !std::sync::Arc::ptr_eq(&old.network, &run.network));
                if let (true, Some(job)) = (current, &mut self.job) {
                    // The plots are there; what goes on is the race.
                    *job = Job { stage: "racing", ..Job::default() };
                }
                let asked = self.settings.recipe.threshold;
                if current {
                    self.on_run_shown(&run);
                    // Opening may have fitted ranges, scaling and recipe.
                    self.settings = run.settings.clone();
                    self.requested = Some(self.settings.clone());
                }
                if current {
                    // What opening has fitted belongs to its step.
                    if self.undo.opened(&self.settings) {
                        self.undo.end(&self.settings);
                    }
                    self.history.add(&run, self.undo.dragging());
                }
                if let (true, Some(subject)) = (current, RecentItem::subject(&run.settings)) {
                    self.recent.add(subject);
                }
                if new_network && current {
                    self.welcome(&run);
                    self.tell_fitted(asked, &run);
                }
                self.run = Some(run);
                if let Some((layer, category)) = self.wanted_example.take_if(|_| current) {
                    self.focus_example(layer, category);
                }
            }
            Err(Error::Cancelled) => {}
            Err(_) if !current => {}
            Err(error) => {
                self.missed(&error);
                self.settle_back();
            }
        }
    }

    /// A network is on the screen for the first time.
    fn welcome(&mut self, run: &crate::experiment::Run) {
        if !std::mem::take(&mut self.keep_view) {
            if let Some(example) = example_to_focus(run) {
                (self.view.layer, self.view.sample, self.view.neuron) = (example.layer, example.sample, example.neuron);
            }
            self.view.pinned.clear();
        }
        // Notes are of the network before, what still waits is not.
        self.notifications.retain(|notice| notice.level == NotificationLevel::Error);
        if saved_scalings::scaling(&run.settings.model).is_none()
            && is_network_file(network::open::split_source(&run.settings.model).0)
        {
            saved_scalings::remember_scaling(&run.settings.model, &run.settings.scaling);
        }
        self.undo.end(&self.settings);
    }

    /// Asks the engine for whatever the lab now wants to show.
    pub(super) fn request_run(&mut self) {
        let lanes: Vec<NamedRecipe> = self.lanes.iter().map(|lane| lane.entry.clone()).collect();
        if self.reload || self.requested.as_ref() != Some(&self.settings) || self.requested_lanes != lanes {
            self.generation += 1;
            self.job = Some(Job { since: Some(std::time::Instant::now()), ..Job::default() });
            let fit = std::mem::take(&mut self.fit);
            let afresh = std::mem::take(&mut self.reload);
            self.engine.request_run(self.generation, self.settings.clone(), afresh, fit, lanes.clone());
            self.requested_lanes = lanes;
            self.requested = Some(self.settings.clone());
        }
        let Some(run) = &self.run else { return };
        let focus = self.focus(run);
        let shown =
            self.snapshot.as_ref().is_some_and(|s| std::sync::Arc::ptr_eq(&s.run, run) && s.focus.covers(&focus));
        let wanted = self.looked_for.as_ref().is_some_and(|(r, f)| std::sync::Arc::ptr_eq(r, run) && f.covers(&focus));
        if !shown && !wanted {
            self.look_generation += 1;
            self.looking = Some(self.look_generation);
            self.looked_for = Some((run.clone(), focus.clone()));
            self.engine.request_snapshot(self.look_generation, run.clone(), focus, self.snapshot.clone());
        }
    }
}
