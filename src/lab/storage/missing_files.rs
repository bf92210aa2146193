//! Sessions whose files are not where they were: which, and the same session with them at their new place. Until the
//! person has said what to do, such a session waits; the lab stays as it is.

use std::path::{Path, PathBuf};

use super::session::Session;
use crate::data::digits::Drawing;
use crate::data::events::Binning;
use crate::experiment::settings::Settings;
use crate::network::open::{BUILTIN_PREFIX, split_source};

/// A session that waits for its files.
#[derive(Clone, Debug, PartialEq)]
pub struct PendingSession {
    pub session: Session,
    /// What is not at its place; never empty.
    pub missing: Vec<Missing>,
}

/// A file or folder that is not where a session says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    pub what: FileRole,
    pub path: PathBuf,
}

/// What a missing file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileRole {
    Network,
    Data,
    Calibration,
}

impl FileRole {
    /// What it is, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Network => "the network",
            Self::Data => "the data",
            Self::Calibration => "the calibration data",
        }
    }
}

impl PendingSession {
    /// `session`, if any of its files is missing.
    pub fn new(session: Session) -> Result<Self, Box<Session>> {
        match missing(&session.settings) {
            missing if missing.is_empty() => Err(Box::new(session)),
            missing => Ok(Self { session, missing }),
        }
    }

    /// The same with what was missing at `index` at `to`, and with it whatever else of its folder lies beside `to`.
    /// `Err` with the whole session when nothing is missing any more.
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
                replace(&mut self.session.settings, &missing.path, &new);
            }
        }
        Self::new(self.session)
    }

    /// The session on the network and data of `present` instead of its own.
    pub fn on_current_sources(mut self, present: &Settings) -> Session {
        let mut recipe = self.session.settings.recipe;
        recipe.manual_thresholds.clear();
        self.session.settings = Settings { recipe, ..present.clone() };
        self.session
    }
}

/// Everything that `settings` name and that is not there.
fn missing(settings: &Settings) -> Vec<Missing> {
    let mut all = Vec::new();
    let mut look = |what, path: &Path| {
        if !path.exists() {
            all.push(Missing { what, path: path.to_owned() });
        }
    };
    if !settings.model.starts_with(BUILTIN_PREFIX) {
        let (file, described) = split_source(&settings.model);
        look(FileRole::Network, file);
        described.into_iter().for_each(|file| look(FileRole::Network, file));
    }
    let specs = [(FileRole::Data, Some(&settings.data)), (FileRole::Calibration, settings.calibration_data.as_ref())];
    for (what, spec) in specs {
        files_of(spec.map_or("", String::as_str)).into_iter().for_each(|file| look(what, Path::new(file)));
    }
    all
}

/// The files that a data specification names.
fn files_of(spec: &str) -> Vec<&str> {
    if Drawing::is_drawing_spec(spec) {
        return Vec::new();
    }
    match spec.split_once(':') {
        Some(("builtin", _)) | None => Vec::new(),
        // A name with a comma in it.
        Some((_, whole)) if Path::new(whole.trim()).exists() => Vec::new(),
        Some((kind, list)) => {
            let option = |part: &str| kind == "events" && Binning::is_option(part);
            list.split(',').map(str::trim).filter(|part| !part.is_empty() && !option(part)).collect()
        }
    }
}

/// Puts `new` in the place of `old` wherever the settings name it.
fn replace(settings: &mut Settings, old: &Path, new: &Path) {
    let (old, new) = (old.display().to_string(), new.display().to_string());
    let put = |list: &str, between: char| {
        let same = |name: &str| if name.trim() == old { new.clone() } else { name.to_owned() };
        list.split(between).map(same).collect::<Vec<_>>().join(&between.to_string())
    };
    settings.model = put(&settings.model, '@');
    for spec in std::iter::once(&mut settings.data).chain(&mut settings.calibration_data) {
        if let Some((kind, list)) = spec.split_once(':') {
            *spec = format!("{kind}:{}", put(list, ','));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::Lab;

    fn session(model: &str, data: &str) -> Session {
        let mut session = Lab::default().session();
        (session.settings.model, session.settings.data) = (model.into(), data.into());
        session
    }

    #[test]
    fn a_session_of_what_is_bundled_never_waits() {
        assert!(PendingSession::new(session("builtin:digits-cnn", "builtin:digits")).is_err());
        let drawing = Drawing { strokes: vec![vec![[88.0, 74.0], [94.0, 63.0]]], ..Drawing::default() };
        assert!(
            PendingSession::new(session("builtin:digits-cnn", &drawing.to_string())).is_err(),
            "a drawing is no file"
        );
    }

    #[test]
    fn how_recordings_are_binned_is_no_file() {
        let waiting =
            PendingSession::new(session("builtin:digits-cnn", "events:/old/a.bin,us=500,sensor=8x8")).unwrap();
        assert_eq!(waiting.missing, [Missing { what: FileRole::Data, path: "/old/a.bin".into() }]);
    }

    #[test]
    fn pointing_at_one_file_finds_those_beside_it() {
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
        // One that is called otherwise leaves the rest as it was.
        std::fs::remove_file(folder.path().join("labels")).unwrap();
        let left = waiting.locate(0, &folder.path().join("net.onnx")).unwrap();
        assert_eq!(left.missing, [Missing { what: FileRole::Data, path: "/old/labels".into() }]);
    }

    #[test]
    fn going_on_without_keeps_the_recipe() {
        let mut lost = session("/old/net.onnx", "npz:/old/a.npz");
        lost.settings.recipe.steps = 77;
        let present = Settings::demo();
        let settings = PendingSession::new(lost).unwrap().on_current_sources(&present).settings;
        assert_eq!((settings.model, settings.recipe.steps), (present.model, 77));
    }
}
