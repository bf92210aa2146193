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
pub mod tiles;
pub mod types;
pub mod widgets;
