//! What everything stands on: errors, atomic file writes, number texts, cancellation and progress.

pub mod error;
pub mod files;
pub mod numbers;
pub mod progress;
