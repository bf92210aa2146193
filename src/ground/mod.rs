//! What everything stands on: errors, atomic file writes, cancellation and progress.

pub mod error;
pub mod files;
pub mod progress;
