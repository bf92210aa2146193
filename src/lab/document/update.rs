//! What each message does. The only place that changes the lab.

use super::lane::MAX_LANES;
use crate::Error;
use crate::convert::{NamedRecipe, Recipe};
use crate::data::DataSpec;
use crate::experiment::adapt::Adapt;
use crate::experiment::neuron_categories::NeuronCategories;
use crate::experiment::settings::Settings;
use crate::lab::history::undo::UndoTarget;
use crate::lab::storage::recent_files::RecentItem;
use crate::lab::storage::session::Session;
use crate::lab::storage::{saved_scalings, session_text};
use crate::lab::{Lab, Lane, Message, NotificationLevel};

impl Lab {
    /// Does what the messages ask, in order.
    pub fn update(&mut self, messages: impl IntoIterator<Item = Message>) {
        for message in messages {
            self.apply(message);
        }
        self.request_run();
    }

    pub(super) fn apply(&mut self, message: Message) {
        match message {
            Message::OpenModel(source) => self.open_model(source),
            Message::OpenData(spec) => self.open_data(spec),
            Message::OpenPath(path) => self.open_path(&path),
            Message::SetDrawing(drawing) => self.draw(&drawing),
            Message::DrawPicture(path) => self.draw_picture(&path),
            Message::LeaveDrawing => self.leave_drawing(),
            Message::KeepDrawing(keep) => self.view.keep_drawing = keep,
            Message::SetScaling(scaling) => {
                saved_scalings::remember_scaling(&self.settings.model, &scaling);
                self.change_once(|s| s.scaling = scaling);
            }
            Message::SetSamples { first, count } => self.change_once(|s| s.samples = first..first + count.max(1)),
            Message::SetCalibration { first, count } => self.change_once(|s| s.calibrate = first..first + count.max(1)),
            Message::SetCalibrationData(spec) => {
                self.change_once(|s| s.calibration_data = spec);
                self.fit = self.fit.max(Adapt::Ranges);
            }
            Message::OpenCalibrationData(path) => match DataSpec::detect(&path) {
                Ok(spec) => self.apply(Message::SetCalibrationData(Some(spec.to_string()))),
                Err(error) => self.refuse(&error),
            },
            Message::SetSteps(steps) => self.change(|s| s.recipe.steps = steps),
            Message::SetThreshold(rule) => self.change(|s| s.recipe.threshold = rule),
            Message::SetVInit(fraction) => self.change(|s| s.recipe.v_init = fraction),
            Message::SetLayerThreshold { layer, theta } => self.change(|s| {
                match theta {
                    Some(theta) => s.recipe.manual_thresholds.insert(layer, theta),
                    None => s.recipe.manual_thresholds.remove(&layer),
                };
            }),
            Message::SetGranularity(granularity) => self.change_once(|s| s.recipe.granularity = granularity),
            Message::SetReset(reset) => self.change_once(|s| s.recipe.reset = reset),
            Message::SetTie(tie) => self.change_once(|s| s.recipe.tie = tie),
            Message::SetInitial(initial) => self.change_once(|s| s.recipe.initial = initial),
            Message::SetNeuron(neuron) => self.change(|s| s.recipe.neuron = neuron),
            Message::SetCorrection(correction) => self.change(|s| s.recipe.correction = correction),
            Message::SetBiasShift(steps) => self.change(|s| s.recipe.bias_shift = steps),
            Message::SetBiasCorrection(on) => self.change_once(|s| s.recipe.bias_correction = on),
            Message::SetPooling(pooling) => self.change_once(|s| s.recipe.pooling = pooling),
            Message::SetReadout(readout) => self.change(|s| s.recipe.readout = readout),
            Message::SetSettings(settings) => {
                // Whoever says all settings says what to look at as well.
                self.keep_view |= settings.model != self.settings.model;
                self.change_once(|s| *s = *settings);
            }
            Message::SetRecipe(recipe) => self.change_once(|s| s.recipe = *recipe),
            Message::AddLane(entry) => {
                if self.lanes.len() < MAX_LANES {
                    self.lanes.push(Lane::new(*entry));
                } else {
                    self.refuse(&Error::Invalid(format!(
                        "Cannot add the recipe: a race has at most {MAX_LANES} recipes. Remove one first."
                    )));
                }
            }
            Message::RemoveLane(index) => {
                if index < self.lanes.len() {
                    self.lanes.remove(index);
                }
            }
            Message::SetLanes(entries) => self.lanes = entries.into_iter().take(MAX_LANES).map(Lane::new).collect(),
            Message::AdoptLane(index) => {
                if let Some(lane) = self.lanes.get(index) {
                    let recipe = lane.settings(&self.settings).recipe;
                    self.change_once(|s| s.recipe = recipe);
                }
            }
            Message::SaveRecipe { path, name } => {
                match NamedRecipe::new(name, self.settings.recipe.clone()).save(&path) {
                    Ok(()) => self.recent.add(RecentItem::Recipe(path)),
                    Err(error) => self.refuse(&error),
                }
            }
            Message::ResetRecipe => self.change_once(|s| s.recipe = Recipe::default()),
            Message::SetBackend(backend) => self.change_once(|s| s.backend = backend),
            Message::EndGesture => {
                self.undo.end(&self.settings);
                self.undo.end_bench(&self.view.bench);
                self.history.settle(&self.settings);
            }
            Message::Undo => {
                let back = self.undo.undo(&self.settings, &self.view.bench);
                self.put_back(back);
            }
            Message::Redo => {
                let back = self.undo.redo();
                self.put_back(back);
            }
            Message::FocusLayer(layer) => self.focus_example(layer, None),
            Message::FocusCategory { layer, category } => self.focus_example(layer, Some(category)),
            Message::FocusSample(sample) => self.view.sample = sample,
            Message::FocusNeuron(neuron) => {
                (self.view.layer, self.view.sample, self.view.neuron) = (neuron.layer, neuron.sample, neuron.neuron);
            }
            Message::Pin(neuron) => {
                self.view.pinned.retain(|pinned| *pinned != neuron);
                self.view.pinned.push(neuron);
            }
            Message::Unpin(neuron) => self.view.pinned.retain(|pinned| *pinned != neuron),
            // Beyond the end means the end, also of a run that is still to come.
            Message::SetCursor(cursor) => self.view.cursor = cursor.map(|t| t.max(1)),
            Message::StepCursor(by) => {
                let at = self.cursor() as i64 + i64::from(by);
                self.view.cursor = Some(at.clamp(1, self.steps() as i64) as usize);
            }
            Message::Play => {
                if self.cursor() >= self.steps() {
                    self.view.cursor = Some(1);
                }
                self.view.playing = true;
            }
            Message::Pause => self.view.playing = false,
            Message::SetBench(bench) => {
                self.undo.begin_bench(&self.view.bench);
                self.view.bench = *bench;
            }
            Message::FocusOnBench => {
                if let Some(bench) = self.snapshot.as_ref().and_then(|snapshot| snapshot.bench()) {
                    self.undo.end_bench(&self.view.bench);
                    self.undo.begin_bench(&self.view.bench);
                    self.view.bench = bench;
                    self.undo.end_bench(&self.view.bench);
                }
            }
            Message::Rerun => self.reload = true,
            Message::Stop => {
                self.engine.stop();
                if self.job.take().is_some() {
                    self.stopped();
                }
            }
            Message::SetProjector(projector) => self.view.projector = projector,
            Message::SetDark(dark) => self.view.dark = dark,
            Message::SetWorkspace(workspace) => self.view.workspace = workspace,
            Message::SetReference(reference) => self.view.reference = reference,
            Message::SetEnergy(constants) => self.view.energy = constants,
            Message::SetExitConfidence(confidence) => self.view.exit_confidence = confidence.clamp(0.0, 1.0),
            Message::SetLayout(layout) => self.layout = layout,
            Message::SetSnapshotParts(parts) => self.snapshot_parts = parts,
            Message::DismissNotification(index) => {
                if index < self.notifications.len() {
                    let notice = self.notifications.remove(index);
                    self.pending.take_if(|apart| apart.is_shown_by(&notice));
                }
            }
            Message::OpenLesson(source) => {
                let version = self.lesson.as_ref().map_or(0, |(version, _)| *version) + 1;
                self.lesson = Some((version, source));
            }
            Message::Restore(session) => self.restore(*session),
            Message::Lock(controls) => self.view.locked = controls,
            Message::OpenSession(path) => match Session::load(&path) {
                Ok(session) => {
                    self.recent.add(RecentItem::Session(path));
                    self.restore(session);
                }
                Err(error) => self.refuse(&error),
            },
            Message::SaveSession(path) => match self.session().save(&path) {
                Ok(()) => self.recent.add(RecentItem::Session(path)),
                Err(error) => self.refuse(&error),
            },
            Message::ExportRun(path) => self.begin_export(path),
            Message::StopExport(number) => self.stop_export(number),
            Message::FileWritten(path) => self.written = Some(path),
            Message::OpenSessionText(text) => match session_text::from_text(&text) {
                Ok(session) => self.restore(session),
                Err(error) => self.refuse(&error),
            },
            Message::OpenRecent(index) => self.open_recent(index),
            Message::LocateMissing { index, path } => {
                if let Some(waiting) = self.waiting.take() {
                    self.restore_or_wait(waiting.locate(index, &path));
                }
            }
            Message::OpenWithoutMissing => {
                if let Some(waiting) = self.waiting.take() {
                    let session = waiting.on_current_sources(&self.settings);
                    self.restore(session);
                }
            }
            Message::DiscardPendingSession => self.waiting = None,
            Message::RestoreRun(number) => {
                if let Some(past) = self.history.get(number) {
                    let settings = past.settings.clone();
                    self.change_once(|s| *s = settings);
                }
            }
            Message::CompareWith(number) => self.history.compare(number),
            Message::ForgetRuns => self.history.forget_earlier(),
            Message::Notify(notice) => {
                if self.notifications.last() != Some(&notice) {
                    self.notifications.push(notice);
                }
            }
        }
    }

    /// Looks at a layer, or at a neuron in it whose count is of a kind, now or when the run that is asked for is there.
    pub(super) fn focus_example(&mut self, layer: usize, category: Option<usize>) {
        self.view.layer = layer;
        let run = self.run.clone().filter(|run| run.settings == self.settings);
        let Some(run) = run else {
            self.wanted_example = Some((layer, category));
            return;
        };
        let examples = run.report.layers.get(layer).map(|l| l.examples).unwrap_or_default();
        let Some(category) = category else {
            // A neuron that fires, of the sample on the screen or not, tells more than the first of the layer.
            self.view.neuron = examples.into_iter().flatten().next().map_or(0, |e| e.neuron);
            return;
        };
        let here = NeuronCategories::from_run(&run, layer, self.view.sample)
            .and_then(|k| k.neurons(category).first().copied());
        if let Some(neuron) = here.filter(|_| category > 0) {
            self.view.neuron = neuron;
        } else if let Some(example) = examples.get(category).copied().flatten() {
            (self.view.sample, self.view.neuron) = (example.sample, example.neuron);
        }
    }

    /// Puts back what a step of undo or redo gives.
    fn put_back(&mut self, back: Option<UndoTarget>) {
        match back {
            Some(UndoTarget::Settings(settings)) => self.settings = *settings,
            Some(UndoTarget::Bench(bench)) => self.view.bench = *bench,
            None => {}
        }
    }

    /// A change that may be part of a drag: undo waits for the end of the gesture.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Settings)) {
        self.undo.begin(&self.settings);
        change(&mut self.settings);
    }

    /// A change that is a step of its own.
    pub(super) fn change_once(&mut self, change: impl FnOnce(&mut Settings)) {
        self.undo.end(&self.settings);
        self.change(change);
        self.undo.end(&self.settings);
    }

    /// Tells the person why something was refused.
    pub(super) fn refuse(&mut self, error: &Error) {
        let notice = crate::lab::Notification { level: NotificationLevel::Error, text: error.to_string() };
        if self.notifications.last() != Some(&notice) {
            self.notifications.push(notice);
        }
    }
}
