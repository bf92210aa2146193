//! Session file: settings, view, race and pane layout as JSON, written atomically.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::convert::NamedRecipe;
use crate::experiment::settings::Settings;
use crate::files::write_bytes;
use crate::lab::view::view_state::View;
use crate::{Error, Result};

/// The version of the session format that this program writes.
pub const VERSION: u32 = 1;

/// Content of a session file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    pub version: u32,
    pub settings: Settings,
    #[serde(default)]
    pub view: View,
    /// Recipes of the race.
    #[serde(default)]
    pub race: Vec<NamedRecipe>,
    /// Pane layout of the window.
    #[serde(default)]
    pub layout: serde_json::Value,
}

impl Session {
    /// Reads a session file.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, [`Error::File`] if it is damaged or of a newer version.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read(path).map_err(|e| Error::io(path, e))?;
        Self::parse(&text).map_err(|(place, reason)| Error::file(path, place, reason))
    }

    /// Parses a session.
    ///
    /// # Errors
    /// The position and the reason.
    pub(super) fn parse(text: &[u8]) -> Result<Self, (String, String)> {
        let value: serde_json::Value = serde_json::from_slice(text)
            .map_err(|e| (format!("line {}, column {}", e.line(), e.column()), "not a session".into()))?;
        if value.get("version").is_none() {
            return Err((String::new(), "not a session. Use a file that 'Save session' wrote.".into()));
        }
        let version = value.get("version").and_then(serde_json::Value::as_u64).unwrap_or(0);
        if version > u64::from(VERSION) {
            let reason =
                format!("written by a newer version of Spikescope ({version}; this one reads up to {VERSION})");
            return Err(("version".into(), reason));
        }
        serde_json::from_value(value).map_err(|e| ("settings".into(), e.to_string()))
    }

    /// Writes the session file atomically.
    ///
    /// # Errors
    /// [`Error::Io`] if writing fails.
    pub fn save(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(|e| Error::Internal(e.to_string()))?;
        write_bytes(path, text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_session_loads_equal_and_invalid_files_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let session = Session {
            version: VERSION,
            settings: Settings::default(),
            race: vec![NamedRecipe::new("plain", Default::default())],
            view: View::default(),
            layout: serde_json::Value::Null,
        };
        session.save(&path).unwrap();
        assert_eq!(Session::load(&path).unwrap(), session);
        std::fs::write(&path, "{\"version\": 99}").unwrap();
        assert!(Session::load(&path).unwrap_err().to_string().contains("newer version"));
        std::fs::write(&path, "{\"a\": 1}").unwrap();
        assert!(Session::load(&path).unwrap_err().to_string().contains("a.json: not a session. Use a file"));
        std::fs::write(&path, "not json").unwrap();
        assert!(Session::load(&path).unwrap_err().to_string().contains("line 1"));
    }
}
