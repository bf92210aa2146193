//! The lesson panel: the list of lessons, or the step one is at, with its question and the way on.

mod list;
pub mod panel;
mod question;

pub use panel::{follow, hides, in_sight, open, points_at, show, toggle};
