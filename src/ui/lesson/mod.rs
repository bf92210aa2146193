//! The lesson panel: the list of lessons, or the step one is at, with its question and the way on.

mod list;
pub mod panel;
mod question;

pub use panel::{hides, highlights, is_open, is_visible, show, toggle, update};
