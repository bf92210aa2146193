//! The headless faces: one file per command.

mod interrupt;
pub mod train;
