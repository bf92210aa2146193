//! What is said about sessions: those of the last start, those that wait for their files, those that are a line of text.

use crate::lab::storage::missing_files::Missing;

/// A session was copied as a line of so many letters.
pub fn copied(letters: usize) -> String {
    format!("The session is on the clipboard, one line of {letters} letters. Pasted into the window it opens again.")
}

/// The last session was not readable and was put aside.
pub fn put_aside(reason: &str, kept: &str) -> String {
    format!("The last session cannot be opened ({reason}). It is kept as {kept}; the lab begins as at the first start.")
}

/// The list of past runs was not readable and was put aside.
pub fn runs_put_aside(reason: &str, kept: &str) -> String {
    format!("The list of past runs cannot be read ({reason}). It is kept as {kept}; a new list begins.")
}

/// The session cannot be kept.
pub fn not_kept(reason: &str) -> String {
    format!("The session cannot be kept for the next start ({reason}). Save it by hand before you leave.")
}

/// One thing that is not at its place.
pub fn missing(missing: &Missing) -> String {
    format!("{}: {}", missing.what.words(), missing.path.display())
}

pub const MOVED: &str = "This session's files are not where they were";
pub const FIND: &str = "Find…";
pub const GO_ON: &str = "Go on without them";
pub const GO_ON_HINT: &str = "Take over recipe, race, view and panes, on the network and data that are open";
pub const LEAVE: &str = "Leave the session";
pub const LEAVE_HINT: &str = "Everything stays as it is on the screen";
pub const PASTE: &str = "Open session from text";
pub const PASTE_FIELD: &str = "The session's line of text";
pub const OPEN: &str = "Open it";
pub const CANCEL: &str = "Cancel";

pub fn find(what: &str) -> String {
    format!("Find {what}")
}
