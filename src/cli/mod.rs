//! Command line: one file per command, for work without a window.
//!
//! Errors go to standard error in a sentence or two. The exit code is 2 for bad input or arguments and 1 for an internal
//! error.

pub mod attack;
mod boxes;
pub mod check;
pub mod closed_output;
pub mod events;
pub mod explain;
pub mod export;
pub mod fetch;
mod interrupt;
mod prepared;
mod progress;
pub mod race;
pub mod run;
mod scenes;
pub mod score;
pub mod shot;
pub mod summary;
pub mod sweep;
pub mod train;
pub mod trojan;
