//! Missing files of a session: detection, and replacement by files that the user locates.
//!
//! Such a session stays pending, and the lab unchanged, until the user decides.

use std::path::{Path, PathBuf};

use super::session::Session;
use crate::data::DataSpec;
use crate::experiment::settings::Settings;
use crate::network::open::{BUILTIN_PREFIX, split_source};

/// A session with missing files.
#[derive(Clone, Debug, PartialEq)]
pub struct PendingSession {
    pub session: Session,
    /// The missing files; never empty.
    pub missing: Vec<Missing>,
}

/// A file or folder that does not exist at the path in the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    pub what: FileRole,
    pub path: PathBuf,
}

/// Role of a missing file in the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileRole {
    Network,
    Data,
    Calibration,
}

impl FileRole {
    /// The role as text.
    pub fn description(self) -> &'static str {
        match self {
            Self::Network => "the network",
            Self::Data => "the data",
            Self::Calibration => "the calibration data",
        }
    }
}

impl PendingSession {
    /// A pending session, if any file of `session` is missing.
    ///
    /// # Errors
    /// The session itself if no file is missing.
    pub fn new(session: Session) -> Result<Self, Box<Session>> {
        match missing(&session.settings) {
            missing if missing.is_empty() => Err(Box::new(session)),
            missing => Ok(Self { session, missing }),
        }
    }

    /// Replaces the missing file at `index` by `to`, and other missing files of its folder by files of the same name next to
    /// `to`.
    ///
    /// # Errors
    /// The complete session if no file is missing any more.
    pub fn locate(mut self, index: usize, to: &Path) -> Result<Self, Box<Session>> {
        let Some(known) = self.missing.get(index).map(|missing| missing.path.clone()) else {
            return Self::new(self.session);
        };
        for missing in &self.missing {
            let new = if missing.path == known {
                Some(to.to_owned())
            } else if missing.path.parent() == known.parent() {
                missing.path.file_name().map(|name| to.with_file_name(name)).filter(|beside| beside.exists())
            } else {
                None
            };
            if let Some(new) = new {
                replace_path(&mut self.session.settings, &missing.path, &new);
            }
        }
        Self::new(self.session)
    }

    /// The session with the network and data of `current` instead of its own.
    pub fn on_current_sources(mut self, current: &Settings) -> Session {
        let mut recipe = self.session.settings.recipe;
        recipe.manual_thresholds.clear();
        self.session.settings = Settings { recipe, ..current.clone() };
        self.session
    }
}

/// All files that `settings` name and that do not exist.
fn missing(settings: &Settings) -> Vec<Missing> {
    let mut all = Vec::new();
    let mut check = |what, path: &Path| {
        if !path.exists() {
            all.push(Missing { what, path: path.to_owned() });
        }
    };
    if !settings.model.starts_with(BUILTIN_PREFIX) {
        let (file, description) = split_source(&settings.model);
        check(FileRole::Network, file);
        description.into_iter().for_each(|file| check(FileRole::Network, file));
    }
    let specs = [(FileRole::Data, Some(&settings.data)), (FileRole::Calibration, settings.calibration_data.as_ref())];
    for (what, spec) in specs {
        files_of(spec.map_or("", String::as_str)).iter().for_each(|file| check(what, file));
    }
    all
}

/// The file paths in a data specification.
fn files_of(spec: &str) -> Vec<PathBuf> {
    DataSpec::parse(spec).map_or(Vec::new(), |spec| spec.paths().into_iter().map(Path::to_owned).collect())
}

/// Replaces the path `old` by `new` in all settings.
fn replace_path(settings: &mut Settings, old: &Path, new: &Path) {
    let replaced = |path: &Path| if path == old { new.to_owned() } else { path.to_owned() };
    if !settings.model.starts_with(BUILTIN_PREFIX) {
        let (file, description) = split_source(&settings.model);
        let file = replaced(file).display().to_string();
        settings.model = description.map_or(file.clone(), |other| format!("{file}@{}", replaced(other).display()));
    }
    for spec in std::iter::once(&mut settings.data).chain(&mut settings.calibration_data) {
        if let Some(parsed) = DataSpec::parse(spec).ok().filter(|parsed| parsed.paths().contains(&old)) {
            *spec = parsed.map_paths(replaced).to_string();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::digits::Drawing;
    use crate::lab::Lab;

    fn session(model: &str, data: &str) -> Session {
        let mut session = Lab::default().session();
        (session.settings.model, session.settings.data) = (model.into(), data.into());
        session
    }

    #[test]
    fn a_session_of_bundled_files_is_never_pending() {
        assert!(PendingSession::new(session("builtin:digits-cnn", "builtin:digits")).is_err());
        let drawing = Drawing { strokes: vec![vec![[88.0, 74.0], [94.0, 63.0]]], ..Drawing::default() };
        assert!(
            PendingSession::new(session("builtin:digits-cnn", &drawing.to_string())).is_err(),
            "a drawing is no file"
        );
    }

    #[test]
    fn binning_options_are_not_files() {
        let waiting =
            PendingSession::new(session("builtin:digits-cnn", "events:/old/a.bin,us=500,sensor=8x8")).unwrap();
        assert_eq!(waiting.missing, [Missing { what: FileRole::Data, path: "/old/a.bin".into() }]);
    }

    #[test]
    fn locating_one_file_finds_those_next_to_it() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["net.onnx", "images", "labels"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let waiting = PendingSession::new(session("/old/net.onnx", "idx:/old/images,/old/labels")).unwrap();
        assert_eq!(waiting.missing.len(), 3);
        let whole = waiting.clone().locate(0, &folder.path().join("net.onnx")).unwrap_err();
        let at = |name: &str| folder.path().join(name).display().to_string();
        assert_eq!(whole.settings.model, at("net.onnx"));
        assert_eq!(whole.settings.data, format!("idx:{},{}", at("images"), at("labels")));
        // A file that is not found there stays missing.
        std::fs::remove_file(folder.path().join("labels")).unwrap();
        let left = waiting.locate(0, &folder.path().join("net.onnx")).unwrap();
        assert_eq!(left.missing, [Missing { what: FileRole::Data, path: "/old/labels".into() }]);
    }

    #[test]
    fn opening_without_missing_files_keeps_the_recipe() {
        let mut lost = session("/old/net.onnx", "npz:/old/a.npz");
        lost.settings.recipe.steps = 77;
        let current = Settings::demo();
        let settings = PendingSession::new(lost).unwrap().on_current_sources(&current).settings;
        assert_eq!((settings.model, settings.recipe.steps), (current.model, 77));
    }
}
