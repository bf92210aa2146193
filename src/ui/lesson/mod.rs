//! Lesson panel: the list of lessons, or the current step with its question and navigation.

mod list;
pub mod panel;
mod question;

pub use panel::{covered_panes, hides, highlights, is_open, is_visible, show, toggle, update};
