//! Texts about sessions: restored, unreadable, missing files, lines of text.

use crate::lab::storage::missing_files::Missing;

/// A session was copied as a line of `letters` characters.
pub fn copied(letters: usize) -> String {
    format!("Session copied to the clipboard, one line of {letters} characters. Paste it into the window to open it.")
}

/// The last session was unreadable; its file was moved aside.
pub fn session_unreadable(reason: &str, kept: &str) -> String {
    format!("Cannot open the last session: {reason}. It was moved to {kept}; the default session is shown.")
}

/// The list of past runs was unreadable; its file was moved aside.
pub fn runs_unreadable(reason: &str, kept: &str) -> String {
    format!("Cannot read the list of past runs: {reason}. It was moved to {kept}; a new list was started.")
}

/// The session cannot be saved.
pub fn session_not_saved(reason: &str) -> String {
    format!("Cannot store the session for the next start: {reason}. Save it by hand before you quit.")
}

/// One missing file.
pub fn missing(missing: &Missing) -> String {
    format!("{}: {}", missing.what.description(), missing.path.display())
}

pub const MOVED: &str = "Files of this session are missing";
pub const FIND: &str = "Locate…";
pub const GO_ON: &str = "Open without them";
pub const GO_ON_HINT: &str = "Open recipe, race, view and panes with the current network and data";
pub const LEAVE: &str = "Do not open";
pub const LEAVE_HINT: &str = "Keep everything as shown";
pub const PASTE: &str = "Open session from text";
pub const PASTE_FIELD: &str = "Session text";
pub const OPEN: &str = "Open";
pub const CANCEL: &str = "Cancel";

pub fn find(what: &str) -> String {
    format!("Locate {what}")
}
