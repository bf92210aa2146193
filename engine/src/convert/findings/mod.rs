//! Diagnosis of a network and its conversion: findings about likely errors, and their fixes.
//!
//! Each file checks one thing; none of them runs the spiking network. Does not depend on the window.

mod activity;
mod balancing;
mod clipping;
pub mod finding;
mod graph;
mod input;
mod reading;
mod samples;
mod thresholds;
mod time_step;
mod verified;

pub use activity::{not_finite, silent_layers};
pub use balancing::unsettled_balancing;
pub use clipping::unclipped_thresholds;
pub use finding::{Finding, FindingGroup, Fix, Severity, group_by_kind, sort};
pub use graph::check_network;
pub use input::{FAR_SCALING_GAIN, MIN_SCALING_GAIN, ScalingTrial, at_chance, far_input, other_scaling};
pub use reading::{check_calibration_samples, other_class_order, other_options, other_reading};
pub use samples::{calibrated_on, check_samples, fitted_ranges};
pub use thresholds::{branch_scales, check_thresholds, too_few_values};
pub use time_step::check_time_step;
pub use verified::verified;
