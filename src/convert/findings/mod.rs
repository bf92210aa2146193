//! The doctor: what a person should know about a network and its conversion before they believe the numbers, and what
//! mends it. Each file looks at one thing; none of them runs the spiking network. Knows no window.

mod activity;
mod clipping;
pub mod finding;
mod graph;
mod input;
mod samples;
mod thresholds;
mod verified;

pub use activity::silent_layers;
pub use clipping::unclipped_thresholds;
pub use finding::{Finding, FindingGroup, Fix, Severity, group_by_kind, sort};
pub use graph::check_network;
pub use input::{at_chance, far_input, other_scaling};
pub use samples::{calibrated_on, check_samples};
pub use thresholds::{branch_scales, check_thresholds, too_few_values};
pub use verified::verified;
