//! Opens networks, data sets, recipes, lessons and sessions by file kind.

use std::path::{Path, PathBuf};

use crate::convert::NamedRecipe;
use crate::data::images::is_image;
use crate::data::spec::Source;
use crate::data::{DataSpec, Scaling};
use crate::experiment::Settings;
use crate::experiment::adapt::{Adapt, fitted_ranges, without_trained_neurons};
use crate::experiment::settings::{absolute_data, absolute_model};
use crate::lab::storage::missing_files::PendingSession;
use crate::lab::storage::recent_files::RecentItem;
use crate::lab::storage::saved_scalings;
use crate::lab::storage::session::{Session, VERSION};
use crate::lab::{Lab, Lane, Message};
use crate::network::open::{BUILTIN_PREFIX, is_network_file};
use crate::network::zoo::{bundled, bundled_data};
use crate::sweep::plan::is_plan;

impl Lab {
    pub(super) fn open_model(&mut self, source: String) {
        let source = absolute_model(&source);
        // The engine opens the file; only its saved scaling is looked up here.
        let scaling = saved_scalings::scaling(&source);
        let kept_sources = self
            .pending
            .as_ref()
            .map(|a| &a.settings)
            .map(|s| (s.data.clone(), s.samples.clone(), s.calibrate.clone()));
        let own_data = self.data_of_bundled(&source).filter(|_| kept_sources.is_none());
        let trained = self.run.as_ref().filter(|run| run.settings.model == self.settings.model);
        let trained = trained.and_then(|run| run.network.original.neurons);
        self.undo.end(&self.settings);
        self.change(|s| {
            // What was set for another network says nothing about this one.
            let same = s.model == source;
            s.set_model(source);
            if let Some(neurons) = trained.filter(|_| !same) {
                s.recipe = without_trained_neurons(&s.recipe, neurons);
            }
            s.scaling = scaling.unwrap_or_else(|| if same { s.scaling.clone() } else { Scaling::default() });
            if let Some((data, samples, calibrate)) = kept_sources {
                (s.data, s.samples, s.calibrate) = (data, samples, calibrate);
            }
            if let Some(data) = own_data {
                let Settings { samples, calibrate, .. } = Settings::default();
                (s.calibration_data, s.data) = (own_calibration(data), data.into());
                (s.samples, s.calibrate) = (samples, calibrate);
            }
        });
        self.reload = true;
        self.adapt = Adapt::Network;
    }

    /// The data of the bundled network `source`, if bundled data of another shape are open: both are opened together.
    fn data_of_bundled(&self, source: &str) -> Option<&'static str> {
        let name = source.strip_prefix(BUILTIN_PREFIX)?;
        let data = bundled_data(name)?;
        let run = self.finished.as_ref().filter(|run| run.settings.data == self.settings.data)?;
        let network = bundled(name)?.ok()?;
        let fits = network.input_shape() == run.network.original.input_shape();
        (!fits && self.settings.data.starts_with(BUILTIN_PREFIX)).then_some(data)
    }

    pub(super) fn open_data(&mut self, spec: String) {
        let spec = absolute_data(&spec);
        let kept_sources = self.pending.as_ref().map(|a| (a.settings.model.clone(), a.settings.scaling.clone()));
        let calibration = own_calibration(&spec);
        let mut adapt = Adapt::Ranges;
        // Ranges that nobody chose say nothing about another data set.
        let fitted =
            self.finished.as_ref().filter(|run| run.settings.data == self.settings.data && spec != run.settings.data);
        let fitted = fitted.map(|run| fitted_ranges(run.samples.len(), None));
        self.undo.end(&self.settings);
        self.change(|s| {
            // A set that belongs to the data before does not stay.
            if s.calibration_data.is_some() && s.calibration_data == own_calibration(&s.data) {
                s.calibration_data = None;
            }
            s.data = spec;
            if s.calibration_data.is_none() && fitted == Some((s.calibrate.clone(), s.samples.clone())) {
                let Settings { samples, calibrate, .. } = Settings::default();
                (s.samples, s.calibrate) = (samples, calibrate);
            }
            if calibration.is_some() {
                s.calibration_data = calibration;
            }
            if let Some((model, scaling)) = kept_sources.filter(|(model, _)| *model != s.model) {
                s.set_model(model);
                s.scaling = scaling;
                adapt = Adapt::Network;
            }
        });
        self.reload = true;
        self.adapt = self.adapt.max(adapt);
    }

    pub(super) fn open_path(&mut self, path: &Path) {
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
        if path.join(crate::trojan::synthesis::run::INDEX).is_file() {
            self.open_syntheses(path.to_owned());
        } else if path.join(crate::trojan::rediscover::BENCH).is_file() {
            self.open_rediscovery(path.to_owned());
        } else if is_network_file(path) {
            self.open_model(path.display().to_string());
        } else if extension == "toml" && is_plan(path) {
            self.apply(Message::OpenSweepPlan(path.to_owned()));
        } else if extension == "toml" {
            match NamedRecipe::load(path) {
                Ok(named) => {
                    self.recent.add(RecentItem::Recipe(path.to_owned()));
                    self.change_once(|s| s.recipe = named.recipe);
                }
                Err(error) => self.on_open_error(&error),
            }
        } else if extension == "md" {
            self.apply(Message::OpenLesson(path.display().to_string()));
        } else if extension == "json" && !crate::data::scenes::coco::is_ground_truth(path) {
            self.apply(Message::OpenSession(path.to_owned()));
        } else {
            match DataSpec::detect(path) {
                Ok(spec) => self.open_data(spec.to_string()),
                Err(error) => self.on_open_error(&error),
            }
        }
    }

    /// Opens several files: images together, as one data set; others in order.
    pub(super) fn open_paths(&mut self, paths: &[PathBuf]) {
        let (mut pictures, others): (Vec<_>, Vec<_>) = paths.iter().cloned().partition(|path| is_image(path));
        others.iter().for_each(|path| self.open_path(path));
        if !pictures.is_empty() {
            // Dialogs and desktops give files in any order.
            pictures.sort();
            self.open_data(DataSpec::from(Source::Images(pictures)).to_string());
        }
    }

    pub(super) fn open_recent(&mut self, index: usize) {
        match self.recent.get(index).cloned() {
            Some(RecentItem::Subject { model, data, scaling }) => {
                let is_other_network = model != self.settings.model;
                self.undo.end(&self.settings);
                self.change(|s| {
                    if is_other_network {
                        s.set_model(model);
                    }
                    (s.data, s.scaling, s.calibration_data) = (data, scaling, None);
                });
                self.reload = true;
                self.adapt = self.adapt.max(if is_other_network { Adapt::Recipe } else { Adapt::Ranges });
            }
            Some(RecentItem::Session(path)) => self.apply(Message::OpenSession(path)),
            Some(RecentItem::Recipe(path)) => self.open_path(&path),
            None => {}
        }
    }

    /// Restores a session, or keeps it pending if its files are missing.
    pub(super) fn restore(&mut self, session: Session) {
        self.restore_or_keep_pending(PendingSession::new(session));
    }

    pub(super) fn restore_or_keep_pending(&mut self, waiting: Result<PendingSession, Box<Session>>) {
        match waiting {
            Ok(waiting) => self.waiting = Some(waiting),
            Err(session) => self.apply_session(*session),
        }
    }

    fn apply_session(&mut self, session: Session) {
        self.waiting = None;
        self.lanes = session.race.into_iter().map(Lane::new).collect();
        self.change_once(|s| *s = session.settings);
        self.view = session.view;
        self.layout = session.layout;
        self.layout_version += 1;
        self.keep_view = true;
    }

    /// The current session.
    pub fn session(&self) -> Session {
        Session {
            version: VERSION,
            settings: self.settings.with_absolute_paths(),
            race: self.lanes.iter().map(|lane| lane.entry.clone()).collect(),
            view: self.view.clone(),
            layout: self.layout.clone(),
        }
    }
}

/// The calibration set that belongs to the data of `spec`, if they have one.
fn own_calibration(spec: &str) -> Option<String> {
    DataSpec::parse(spec).ok()?.default_calibration().map(String::from)
}
