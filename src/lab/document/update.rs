//! Applies messages to the lab: the effect of each one, and the only writer.

use super::lane::MAX_LANES;
use crate::Error;
use crate::convert::{NamedRecipe, Recipe};
use crate::data::DataSpec;
use crate::experiment::adapt::Adapt;
use crate::experiment::neuron_categories::NeuronCategories;
use crate::experiment::settings::{Settings, absolute_data};
use crate::export::nir::NirReader;
use crate::lab::history::undo::UndoTarget;
use crate::lab::storage::recent_files::RecentItem;
use crate::lab::storage::session::Session;
use crate::lab::storage::{saved_scalings, session_text};
use crate::lab::{Lab, Lane, Message, NotificationLevel};

impl Lab {
    /// Applies the messages in order and requests what they need.
    pub fn update(&mut self, messages: impl IntoIterator<Item = Message>) {
        for message in messages {
            self.message_count += 1;
            self.apply(message);
        }
        self.request_work();
    }

    pub(super) fn apply(&mut self, message: Message) {
        match message {
            Message::OpenModel(source) => self.open_model(source),
            Message::SetOutput(output) => self.change_once(|s| s.output = output),
            Message::SetTimeStep(dt) => self.change_once(|s| s.dt = dt),
            Message::OpenData(spec) => self.open_data(spec),
            Message::OpenPath(path) => self.open_path(&path),
            Message::OpenPaths(paths) => self.open_paths(&paths),
            Message::SetDrawing(drawing) => self.draw(&drawing),
            Message::DrawPicture(path) => self.draw_image(&path),
            Message::LeaveDrawing => self.leave_drawing(),
            Message::KeepDrawing(keep) => self.view.keep_drawing = keep,
            Message::SetScaling(scaling) => {
                saved_scalings::remember_scaling(&self.settings.model, &scaling);
                self.change_once(|s| s.scaling = scaling);
            }
            Message::SetSamples { first, count } => self.change_once(|s| s.samples = first..first + count.max(1)),
            Message::SetCalibration { first, count } => self.change_once(|s| s.calibrate = first..first + count.max(1)),
            Message::SetCalibrationData(spec) => {
                self.change_once(|s| s.calibration_data = spec.as_deref().map(absolute_data));
                self.adapt = self.adapt.max(Adapt::Ranges);
            }
            Message::OpenCalibrationData(path) => match DataSpec::detect(&path) {
                Ok(spec) => self.apply(Message::SetCalibrationData(Some(spec.to_string()))),
                Err(error) => self.notify_error(&error),
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
            Message::SetSeed(seed) => self.change(|s| s.recipe.seed = seed),
            Message::SetNeuron(neuron) => self.change(|s| s.recipe.neuron = neuron),
            Message::SetCorrection(correction) => self.change(|s| s.recipe.correction = correction),
            Message::SetBiasShift(steps) => self.change(|s| s.recipe.bias_shift = steps),
            Message::SetBiasCorrection(on) => self.change_once(|s| s.recipe.bias_correction = on),
            Message::SetPooling(pooling) => self.change_once(|s| s.recipe.pooling = pooling),
            Message::SetReadout(readout) => self.change(|s| s.recipe.readout = readout),
            Message::SetSettings(settings) => {
                // A message with all settings also sets the focus: keep the view.
                self.keep_view |= settings.model != self.settings.model;
                self.change_once(|s| *s = *settings);
            }
            Message::SetRecipe(recipe) => self.change_once(|s| s.recipe = *recipe),
            Message::AddLane(entry) => {
                if self.lanes.len() < MAX_LANES {
                    self.lanes.push(Lane::new(*entry));
                } else {
                    self.notify_error(&Error::Invalid(format!(
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
                    Ok(()) => {
                        self.recent.add(RecentItem::Recipe(path.clone()));
                        self.written = Some(path);
                    }
                    Err(error) => self.notify_error(&error),
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
                let target = self.undo.undo(&self.settings, &self.view.bench);
                self.apply_undo_target(target);
            }
            Message::Redo => {
                let target = self.undo.redo();
                self.apply_undo_target(target);
            }
            Message::BeginUndoScope => self.undo.begin_scope(),
            Message::EndUndoScope => self.undo.end_scope(),
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
            // A step beyond the end means the end, also of the next run.
            Message::SetCursor(cursor) => self.view.cursor = cursor.map(|t| t.max(1)),
            Message::StepCursor(delta) => {
                let at = self.cursor() as i64 + i64::from(delta);
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
                    self.on_stopped();
                }
            }
            Message::SetProjector(projector) => self.view.projector = projector,
            Message::SetDark(dark) => self.view.dark = dark,
            Message::SetWorkspace(workspace) => self.view.workspace = workspace,
            Message::SetReference(reference) => self.view.reference = reference,
            Message::SetEnergy(constants) => self.view.energy = constants,
            Message::SetAttack(attack) => self.view.attack = attack,
            Message::SetAttribution(choice) => self.view.attribution = *choice,
            Message::StopMaps => self.stop_maps(),
            Message::SetTrojans(choice) => self.view.trojans = *choice,
            Message::OpenSyntheses(path) => self.open_syntheses(path),
            Message::OpenRediscovery(path) => self.open_rediscovery(path),
            Message::Synthesize(path) => self.start_synthesis(path),
            Message::JudgeQuiz => self.start_judging(),
            Message::AnswerQuiz(option) => self.answer_quiz(option),
            Message::StopTrojanJob => self.trojans.stop(),
            Message::SetTraining(plan) => self.view.training = *plan,
            Message::StartTraining(folder) => self.start_training(folder),
            Message::StopTraining => self.stop_training(),
            Message::ResumeTraining => self.resume_training(),
            Message::OpenTrained => self.open_trained(),
            Message::SetExitConfidence(confidence) => self.view.exit_confidence = confidence.clamp(0.0, 1.0),
            Message::SetLayout(layout) => self.layout = layout,
            Message::SetSnapshotParts(parts) => self.snapshot_parts = parts,
            Message::DismissNotification(index) => {
                if index < self.notifications.len() {
                    let notification = self.notifications.remove(index);
                    self.pending.take_if(|pending| pending.is_shown_by(&notification));
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
                Err(error) => self.on_open_error(&error),
            },
            Message::SaveSession(path) => match self.session().save(&path) {
                Ok(()) => {
                    self.recent.add(RecentItem::Session(path.clone()));
                    self.written = Some(path);
                }
                Err(error) => self.notify_error(&error),
            },
            Message::ExportRun(path) => self.start_export(path, NirReader::Nir),
            Message::ExportNir { path, reader } => self.start_export(path, reader),
            Message::OpenSweepPlan(path) => self.open_sweep_plan(&path),
            Message::OpenSweepResults(path) => self.open_sweep_results(path),
            Message::CloseSweep => self.close_sweep(),
            Message::RunSweep => self.run_sweep(),
            Message::StopSweep => self.stop_sweep(),
            Message::SaveSweepPlan { path, race } => self.save_sweep_plan(&path, race),
            Message::StopExport(number) => self.stop_export(number),
            Message::FileWritten(path) => self.written = Some(path),
            Message::OpenSessionText(text) => match session_text::from_text(&text) {
                Ok(session) => self.restore(session),
                Err(error) => self.notify_error(&error),
            },
            Message::OpenRecent(index) => self.open_recent(index),
            Message::LocateMissing { index, path } => {
                if let Some(waiting) = self.waiting.take() {
                    self.restore_or_keep_pending(waiting.locate(index, &path));
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
            Message::NameRun { number, name } => self.history.set_name(number, name),
            Message::StarRun { number, starred } => self.history.set_starred(number, starred),
            Message::RemoveRun(number) => self.history.remove(number),
            Message::Notify(notification) => {
                if self.notifications.last() != Some(&notification) {
                    self.notifications.push(notification);
                }
            }
        }
    }

    /// Focuses on a layer, or on a neuron of a category in it, now or when the requested run is finished.
    pub(super) fn focus_example(&mut self, layer: usize, category: Option<usize>) {
        self.view.layer = layer;
        let run = self.run.clone().filter(|run| run.settings == self.settings);
        let Some(run) = run else {
            self.pending_example = Some((layer, category));
            return;
        };
        let examples = run.report.layers.get(layer).map(|l| l.examples).unwrap_or_default();
        let Some(category) = category else {
            // A neuron that fires, in any sample, shows more than the first of the layer.
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

    /// Applies the target of an undo or redo step.
    fn apply_undo_target(&mut self, target: Option<UndoTarget>) {
        match target {
            Some(UndoTarget::Settings(settings)) => self.settings = *settings,
            Some(UndoTarget::Bench(bench)) => self.view.bench = *bench,
            None => {}
        }
    }

    /// Applies a change that may be part of a drag: the undo step ends with the gesture.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Settings)) {
        self.undo.begin(&self.settings);
        change(&mut self.settings);
    }

    /// Applies a change that is an undo step of its own.
    pub(super) fn change_once(&mut self, change: impl FnOnce(&mut Settings)) {
        self.undo.end(&self.settings);
        self.change(change);
        self.undo.end(&self.settings);
    }

    /// Shows the error as a notification.
    pub(super) fn notify_error(&mut self, error: &Error) {
        let notification = crate::lab::Notification { level: NotificationLevel::Error, text: error.to_string() };
        if self.notifications.last() != Some(&notification) {
            self.notifications.push(notification);
        }
    }
}
