//! What each message does. The only place that changes the lab.

use std::path::Path;

use super::compute::Fit;
use super::engine::News;
use super::moved::Waiting;
use super::race::MAX_LANES;
use super::recent::Opened;
use super::session::{Session, VERSION};
use super::settings::Settings;
use super::{Job, Lab, Lane, Level, Message, remembered, share};
use crate::convert::{NamedRecipe, Recipe};
use crate::data::DataSpec;
use crate::network::open::is_network_file;
use crate::{Error, network};

impl Lab {
    /// Does what the messages ask, in order.
    pub fn update(&mut self, messages: impl IntoIterator<Item = Message>) {
        for message in messages {
            self.apply(message);
        }
        self.ask();
    }

    fn apply(&mut self, message: Message) {
        match message {
            Message::OpenModel(source) => self.open_model(source),
            Message::OpenData(spec) => self.open_data(spec),
            Message::OpenPath(path) => self.open_path(&path),
            Message::SetDrawing(drawing) => self.draw(&drawing),
            Message::DrawPicture(path) => self.draw_picture(&path),
            Message::LeaveDrawing => self.leave_drawing(),
            Message::KeepDrawing(keep) => self.view.keep_drawing = keep,
            Message::SetScaling(scaling) => {
                remembered::remember_scaling(&self.settings.model, &scaling);
                self.change_once(|s| s.scaling = scaling);
            }
            Message::SetSamples { first, count } => self.change_once(|s| s.samples = first..first + count.max(1)),
            Message::SetCalibration { first, count } => self.change_once(|s| s.calibrate = first..first + count.max(1)),
            Message::SetCalibrationData(spec) => {
                self.change_once(|s| s.calibration_data = spec);
                self.fit = self.fit.max(Fit::Ranges);
            }
            Message::OpenCalibrationData(path) => match DataSpec::guess(&path) {
                Ok(spec) => self.apply(Message::SetCalibrationData(Some(spec.to_string()))),
                Err(error) => self.refuse(&error),
            },
            Message::SetSteps(steps) => self.change(|s| s.recipe.steps = steps),
            Message::SetThreshold(rule) => self.change(|s| s.recipe.threshold = rule),
            Message::SetVInit(fraction) => self.change(|s| s.recipe.v_init = fraction),
            Message::SetLayerThreshold { layer, theta } => self.change(|s| {
                match theta {
                    Some(theta) => s.recipe.by_hand.insert(layer, theta),
                    None => s.recipe.by_hand.remove(&layer),
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
                    self.refuse(&Error::Invalid(format!("a race has at most {MAX_LANES} lanes; take one out first")));
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
                    Ok(()) => self.recent.add(Opened::Recipe(path)),
                    Err(error) => self.refuse(&error),
                }
            }
            Message::ResetRecipe => self.change_once(|s| s.recipe = Recipe::default()),
            Message::SetBackend(backend) => self.change_once(|s| s.backend = backend),
            Message::EndGesture => {
                self.undo.end(&self.settings);
                self.history.settle(&self.settings);
            }
            Message::Undo => {
                if let Some(settings) = self.undo.undo(&self.settings) {
                    self.settings = settings;
                }
            }
            Message::Redo => {
                if let Some(settings) = self.undo.redo() {
                    self.settings = settings;
                }
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
            Message::SetBench(bench) => self.view.bench = *bench,
            Message::FocusOnBench => {
                if let Some(bench) = self.snapshot.as_ref().and_then(|snapshot| snapshot.bench()) {
                    self.view.bench = bench;
                }
            }
            Message::Rerun => self.afresh = true,
            Message::Stop => {
                self.engine.stop();
                if self.job.take().is_some() {
                    self.settle_back();
                }
            }
            Message::SetProjector(projector) => self.view.projector = projector,
            Message::SetDark(dark) => self.view.dark = dark,
            Message::SetWorkspace(workspace) => self.view.workspace = workspace,
            Message::SetReference(reference) => self.view.reference = reference,
            Message::SetEnergy(constants) => self.view.energy = constants,
            Message::SetExitConfidence(confidence) => self.view.exit_confidence = confidence.clamp(0.0, 1.0),
            Message::SetLayout(layout) => self.layout = layout,
            Message::SetSeen(parts) => self.seen = parts,
            Message::DismissNotice(index) => {
                if index < self.notices.len() {
                    self.notices.remove(index);
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
                    self.recent.add(Opened::Session(path));
                    self.restore(session);
                }
                Err(error) => self.refuse(&error),
            },
            Message::SaveSession(path) => match self.session().save(&path) {
                Ok(()) => self.recent.add(Opened::Session(path)),
                Err(error) => self.refuse(&error),
            },
            Message::ExportRun(path) => self.begin_export(path),
            Message::StopExport(number) => self.stop_export(number),
            Message::Wrote(path) => self.written = Some(path),
            Message::OpenSessionText(text) => match share::session(&text) {
                Ok(session) => self.restore(session),
                Err(error) => self.refuse(&error),
            },
            Message::OpenRecent(index) => self.open_recent(index),
            Message::FoundMissing { index, path } => {
                if let Some(waiting) = self.waiting.take() {
                    self.restore_or_wait(waiting.found(index, &path));
                }
            }
            Message::GoOnWithoutMissing => {
                if let Some(waiting) = self.waiting.take() {
                    let session = waiting.without(&self.settings);
                    self.restore(session);
                }
            }
            Message::LeaveWaiting => self.waiting = None,
            Message::GoBackTo(number) => {
                if let Some(past) = self.history.get(number) {
                    let settings = past.settings.clone();
                    self.change_once(|s| *s = settings);
                }
            }
            Message::CompareWith(number) => self.history.compared = number,
            Message::Tell(notice) => {
                if self.notices.last() != Some(&notice) {
                    self.notices.push(notice);
                }
            }
        }
    }

    /// Looks at a layer, or at a neuron in it whose count is of a kind, now or when the run that is asked for is there.
    fn focus_example(&mut self, layer: usize, category: Option<usize>) {
        self.view.layer = layer;
        let run = self.run.clone().filter(|run| run.settings == self.settings);
        let Some(run) = run else {
            self.wanted_example = Some((layer, category));
            return;
        };
        let examples = run.report.layers.get(layer).map(|l| l.examples).unwrap_or_default();
        match category {
            Some(category) => {
                if let Some(example) = examples.get(category).copied().flatten() {
                    (self.view.sample, self.view.neuron) = (example.sample, example.neuron);
                }
            }
            // A neuron that fires, of the sample on the screen or not, tells more than the first of the layer.
            None => self.view.neuron = examples.into_iter().flatten().next().map_or(0, |e| e.neuron),
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

    fn open_model(&mut self, source: String) {
        // The file is opened by the engine; here only its remembered scaling is looked up.
        let scaling = remembered::scaling(&source);
        let keep = self.pending.take().map(|p| (p.data, p.samples, p.calibrate));
        self.undo.end(&self.settings);
        self.change(|s| {
            s.model = source;
            s.recipe.by_hand.clear();
            if let Some(scaling) = scaling {
                s.scaling = scaling;
            }
            if let Some((data, samples, calibrate)) = keep {
                (s.data, s.samples, s.calibrate) = (data, samples, calibrate);
            }
        });
        self.afresh = true;
        self.fit = Fit::Network;
    }

    fn open_data(&mut self, spec: String) {
        let keep = self.pending.take().map(|p| (p.model, p.scaling));
        // Some data bring the samples to calibrate on along.
        let own = DataSpec::parse(&spec).ok().and_then(|spec| spec.calibration()).map(String::from);
        self.undo.end(&self.settings);
        self.change(|s| {
            s.data = spec;
            if own.is_some() {
                s.calibration_data = own;
            }
            if let Some((model, scaling)) = keep {
                (s.model, s.scaling) = (model, scaling);
                s.recipe.by_hand.clear();
            }
        });
        self.afresh = true;
        self.fit = self.fit.max(Fit::Ranges);
    }

    fn open_path(&mut self, path: &Path) {
        let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
        if is_network_file(path) {
            self.open_model(path.display().to_string());
        } else if ending == "toml" {
            match NamedRecipe::load(path) {
                Ok(named) => {
                    self.recent.add(Opened::Recipe(path.to_owned()));
                    self.change_once(|s| s.recipe = named.recipe);
                }
                Err(error) => self.refuse(&error),
            }
        } else if ending == "md" {
            self.apply(Message::OpenLesson(path.display().to_string()));
        } else if ending == "json" {
            self.apply(Message::OpenSession(path.to_owned()));
        } else {
            match DataSpec::guess(path) {
                Ok(spec) => self.open_data(spec.to_string()),
                Err(error) => self.refuse(&error),
            }
        }
    }

    fn open_recent(&mut self, index: usize) {
        match self.recent.get(index).cloned() {
            Some(Opened::Subject { model, data, scaling }) => {
                let other = model != self.settings.model;
                self.change_once(|s| {
                    (s.model, s.data, s.scaling, s.calibration_data) = (model, data, scaling, None);
                    if other {
                        s.recipe.by_hand.clear();
                    }
                });
                self.afresh = true;
                self.fit = self.fit.max(Fit::Ranges);
            }
            Some(Opened::Session(path)) => self.apply(Message::OpenSession(path)),
            Some(Opened::Recipe(path)) => self.open_path(&path),
            None => {}
        }
    }

    /// Takes over a session, or lets it wait for its files.
    fn restore(&mut self, session: Session) {
        self.restore_or_wait(Waiting::new(session));
    }

    fn restore_or_wait(&mut self, waiting: Result<Waiting, Box<Session>>) {
        match waiting {
            Ok(waiting) => self.waiting = Some(waiting),
            Err(session) => self.take_over(*session),
        }
    }

    fn take_over(&mut self, session: Session) {
        self.waiting = None;
        self.lanes = session.race.into_iter().map(Lane::new).collect();
        self.change_once(|s| *s = session.settings);
        self.view = session.view;
        self.layout = session.layout;
        self.layout_version += 1;
        self.keep_view = true;
    }

    /// The session as it stands.
    pub fn session(&self) -> Session {
        Session {
            version: VERSION,
            settings: self.settings.clone(),
            race: self.lanes.iter().map(|lane| lane.entry.clone()).collect(),
            view: self.view.clone(),
            layout: self.layout.clone(),
        }
    }

    /// Tells the person why something was refused.
    pub(super) fn refuse(&mut self, error: &Error) {
        let notice = super::Notice { level: Level::Error, text: error.to_string() };
        if self.notices.last() != Some(&notice) {
            self.notices.push(notice);
        }
    }

    /// Back to the settings of what is on the screen.
    fn settle_back(&mut self) {
        if let Some(run) = &self.run {
            self.settings = run.settings.clone();
        }
        self.undo.refused(&self.settings);
        self.asked = Some(self.settings.clone());
    }

    /// Takes in what the engine has to tell. Returns whether anything changed.
    pub fn poll(&mut self) -> bool {
        let news = self.engine.news();
        let any = !news.is_empty();
        news.into_iter().for_each(|news| self.hear(news));
        if any {
            self.ask();
        }
        any
    }

    pub(super) fn hear(&mut self, news: News) {
        match news {
            News::Progress { generation, stage, fraction } if generation == self.generation => {
                if let Some(job) = &mut self.job {
                    (job.stage, job.fraction) = (stage, fraction);
                }
            }
            News::Thresholds { generation, batch, of, means } if generation == self.generation => {
                if let Some(job) = &mut self.job {
                    if batch == 1 {
                        job.rising.clear();
                    }
                    job.batches = of;
                    job.rising.push(means);
                }
            }
            News::Partial { generation, partial } if generation == self.generation => {
                if let Some(job) = &mut self.job {
                    job.partial = partial;
                }
            }
            News::Run { generation, result } => self.hear_run(generation, result),
            News::Lane { generation, index, result } if generation == self.generation => {
                if let (Some(lane), false) = (self.lanes.get_mut(index), matches!(result, Err(Error::Cancelled))) {
                    lane.result = Some(result.map_err(|error| error.to_string()));
                }
            }
            News::Raced { generation } if generation == self.generation => self.job = None,
            News::Exporting { number, fraction } => self.hear_progress(number, fraction),
            News::Exported { number, result } => self.hear_exported(number, result),
            News::Snapshot { generation, result } => {
                self.looking = self.looking.filter(|&g| g > generation);
                match result {
                    Ok(snapshot) => self.snapshot = Some(snapshot),
                    Err(Error::Cancelled) => {}
                    Err(error) => self.refuse(&error),
                }
            }
            News::Progress { .. }
            | News::Partial { .. }
            | News::Thresholds { .. }
            | News::Lane { .. }
            | News::Raced { .. } => {}
        }
    }

    fn hear_run(&mut self, generation: u64, result: crate::Result<std::sync::Arc<super::Run>>) {
        let current = generation == self.generation;
        match result {
            Ok(run) => {
                // Finished work on the way to a newer wish is still worth showing: the plots follow the hand.
                let new_network = self.run.as_ref().is_none_or(|old| !std::sync::Arc::ptr_eq(&old.model, &run.model));
                if let (true, Some(job)) = (current, &mut self.job) {
                    // The plots are there; what goes on is the race.
                    *job = Job { stage: "racing", ..Job::default() };
                }
                if current {
                    // Opening may have fitted ranges and scaling.
                    self.settings = run.settings.clone();
                    self.asked = Some(self.settings.clone());
                }
                if current {
                    self.history.add(&run, self.undo.dragging());
                }
                if let (true, Some(subject)) = (current, Opened::subject(&run.settings)) {
                    self.recent.add(subject);
                }
                if new_network && current {
                    self.welcome(&run);
                }
                self.run = Some(run);
                if let Some((layer, category)) = self.wanted_example.take_if(|_| current) {
                    self.focus_example(layer, category);
                }
            }
            Err(Error::Cancelled) => {}
            Err(_) if !current => {}
            Err(error) => {
                if let Error::Mismatch { .. } = error {
                    self.pending = Some(self.settings.clone());
                }
                self.refuse(&error);
                self.settle_back();
            }
        }
    }

    /// A network is on the screen for the first time.
    fn welcome(&mut self, run: &super::Run) {
        if !std::mem::take(&mut self.keep_view) {
            if let Some(example) = telling_neuron(run) {
                (self.view.layer, self.view.sample, self.view.neuron) = (example.layer, example.sample, example.neuron);
            }
            self.view.pinned.clear();
        }
        self.notices.retain(|notice| notice.level == Level::Error);
        if remembered::scaling(&run.settings.model).is_none()
            && is_network_file(network::open::parts(&run.settings.model).0)
        {
            remembered::remember_scaling(&run.settings.model, &run.settings.scaling);
        }
        self.undo.end(&self.settings);
    }

    /// Asks the engine for whatever the lab now wants to show.
    pub(super) fn ask(&mut self) {
        let lanes: Vec<NamedRecipe> = self.lanes.iter().map(|lane| lane.entry.clone()).collect();
        if self.afresh || self.asked.as_ref() != Some(&self.settings) || self.asked_lanes != lanes {
            self.generation += 1;
            self.job = Some(Job { since: Some(std::time::Instant::now()), ..Job::default() });
            let fit = std::mem::take(&mut self.fit);
            let afresh = std::mem::take(&mut self.afresh);
            self.engine.run(self.generation, self.settings.clone(), afresh, fit, lanes.clone());
            self.asked_lanes = lanes;
            self.asked = Some(self.settings.clone());
        }
        let Some(run) = &self.run else { return };
        let focus = self.focus(run);
        let shown =
            self.snapshot.as_ref().is_some_and(|s| std::sync::Arc::ptr_eq(&s.run, run) && s.focus.serves(&focus));
        let wanted = self.looked_for.as_ref().is_some_and(|(r, f)| std::sync::Arc::ptr_eq(r, run) && f.serves(&focus));
        if !shown && !wanted {
            self.look_generation += 1;
            self.looking = Some(self.look_generation);
            self.looked_for = Some((run.clone(), focus.clone()));
            self.engine.look(self.look_generation, run.clone(), focus, self.snapshot.clone());
        }
    }
}

/// A neuron whose count is wrong for reasons of its own, in the first layer that has one: where looking is worth while.
fn telling_neuron(run: &super::Run) -> Option<crate::measure::NeuronRef> {
    let wrong = |order: [usize; 4]| {
        run.report.layers.iter().find_map(|layer| order.into_iter().find_map(|category| layer.examples[category]))
    };
    wrong([2, 1, 3, 4]).or_else(|| run.report.layers.first().and_then(|layer| layer.examples[0]))
}
