//! Opening networks, data, recipes and sessions.

use std::path::Path;

use crate::convert::NamedRecipe;
use crate::data::DataSpec;
use crate::experiment::adapt::Adapt;
use crate::lab::storage::missing_files::PendingSession;
use crate::lab::storage::recent_files::RecentItem;
use crate::lab::storage::saved_scalings;
use crate::lab::storage::session::{Session, VERSION};
use crate::lab::{Lab, Lane, Message};
use crate::network::open::is_network_file;

impl Lab {
    pub(super) fn open_model(&mut self, source: String) {
        // The file is opened by the engine; here only its remembered scaling is looked up.
        let scaling = saved_scalings::scaling(&source);
        let keep = self
            .pending
            .as_ref()
            .map(|a| &a.settings)
            .map(|s| (s.data.clone(), s.samples.clone(), s.calibrate.clone()));
        self.undo.end(&self.settings);
        self.change(|s| {
            s.model = source;
            s.recipe.manual_thresholds.clear();
            if let Some(scaling) = scaling {
                s.scaling = scaling;
            }
            if let Some((data, samples, calibrate)) = keep {
                (s.data, s.samples, s.calibrate) = (data, samples, calibrate);
            }
        });
        self.reload = true;
        self.fit = Adapt::Network;
    }

    pub(super) fn open_data(&mut self, spec: String) {
        let keep = self.pending.as_ref().map(|a| (a.settings.model.clone(), a.settings.scaling.clone()));
        // Some data bring the samples to calibrate on along.
        let own = DataSpec::parse(&spec).ok().and_then(|spec| spec.default_calibration()).map(String::from);
        let mut fit = Adapt::Ranges;
        self.undo.end(&self.settings);
        self.change(|s| {
            s.data = spec;
            if own.is_some() {
                s.calibration_data = own;
            }
            if let Some((model, scaling)) = keep.filter(|(model, _)| *model != s.model) {
                (s.model, s.scaling) = (model, scaling);
                s.recipe.manual_thresholds.clear();
                fit = Adapt::Network;
            }
        });
        self.reload = true;
        self.fit = self.fit.max(fit);
    }

    pub(super) fn open_path(&mut self, path: &Path) {
        let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
        if is_network_file(path) {
            self.open_model(path.display().to_string());
        } else if ending == "toml" {
            match NamedRecipe::load(path) {
                Ok(named) => {
                    self.recent.add(RecentItem::Recipe(path.to_owned()));
                    self.change_once(|s| s.recipe = named.recipe);
                }
                Err(error) => self.refuse(&error),
            }
        } else if ending == "md" {
            self.apply(Message::OpenLesson(path.display().to_string()));
        } else if ending == "json" {
            self.apply(Message::OpenSession(path.to_owned()));
        } else {
            match DataSpec::detect(path) {
                Ok(spec) => self.open_data(spec.to_string()),
                Err(error) => self.refuse(&error),
            }
        }
    }

    pub(super) fn open_recent(&mut self, index: usize) {
        match self.recent.get(index).cloned() {
            Some(RecentItem::Subject { model, data, scaling }) => {
                let other = model != self.settings.model;
                self.undo.end(&self.settings);
                self.change(|s| {
                    (s.model, s.data, s.scaling, s.calibration_data) = (model, data, scaling, None);
                    if other {
                        s.recipe.manual_thresholds.clear();
                    }
                });
                self.reload = true;
                self.fit = self.fit.max(if other { Adapt::Recipe } else { Adapt::Ranges });
            }
            Some(RecentItem::Session(path)) => self.apply(Message::OpenSession(path)),
            Some(RecentItem::Recipe(path)) => self.open_path(&path),
            None => {}
        }
    }

    /// Takes over a session, or lets it wait for its files.
    pub(super) fn restore(&mut self, session: Session) {
        self.restore_or_wait(PendingSession::new(session));
    }

    pub(super) fn restore_or_wait(&mut self, waiting: Result<PendingSession, Box<Session>>) {
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
}
