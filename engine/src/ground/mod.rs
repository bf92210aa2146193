//! What everything stands on: errors, atomic file writes, number texts, the median, cancellation and progress.

pub mod error;
pub mod files;
pub mod median;
pub(crate) mod number_type;
pub mod numbers;
pub mod progress;
