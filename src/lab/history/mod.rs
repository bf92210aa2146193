//! Undo and the history of runs.

pub mod run_history;
pub mod run_history_file;
pub mod undo;
