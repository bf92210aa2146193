//! Texts of the panes that show neurons and their thresholds.

pub mod bench;
pub mod initial_potential;
pub mod membrane;
pub mod threshold;
pub mod transfer;
