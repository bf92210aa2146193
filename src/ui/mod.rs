//! User interface: the window, its panels, panes, popups and texts.
//!
//! Panes read the lab and push messages. Nothing here computes what a run would compute.

pub mod app;
pub mod autosave;
pub mod commands;
pub mod export;
pub mod file_dialog;
pub mod lesson;
pub mod panels;
pub mod panes;
pub mod popups;
pub mod shell;
pub mod sound;
pub mod state;
mod texts;
pub mod theme;
pub mod types;
pub mod widgets;

pub use state::lesson::{LessonState, SavedLesson};
pub use types::command::{BUNDLED_DATA, Command, methods};
pub use types::export_format::ExportFormat;
pub use types::lessons::bundled_lessons;
pub use widgets::pane_frame::{pane_size, remember_size};
