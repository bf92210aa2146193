//! History: undo of settings, past runs, and their file.

pub mod run_history;
pub mod run_history_file;
pub mod undo;
