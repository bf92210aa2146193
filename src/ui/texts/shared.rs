//! Texts and labels shared by several panes.

use std::fmt::Display;

pub const ANN: &str = "ANN";
pub const SNN: &str = "SNN";
pub const TIME_STEPS: &str = "time-steps t";
pub const TIME_STEP: &str = "time-step t";
pub const RIGHT_ANSWERS: &str = "accuracy";
pub const AGREEMENT: &str = "agreement";
pub const NOT_DEFINED: &str = "not defined";
pub const THRESHOLD: &str = "threshold θ";

/// What is shown while there is no run: that the first one is in progress, or `otherwise`.
pub fn no_run(is_running: bool, otherwise: &'static str) -> &'static str {
    if is_running { "The first run is in progress." } else { otherwise }
}

/// A value at a step, in the description of a curve.
pub fn at_step(value: &str, t: impl Display) -> String {
    format!("{value} at t = {t}")
}

/// The samples of a preview.
pub fn some_samples(count: usize, of: usize) -> String {
    format!("{count} of {of} samples")
}

/// The name of a past run.
pub fn run(number: usize) -> String {
    format!("run {number}")
}

/// How a screen reader says a sum in a formula; the summand follows.
pub fn sum_over(from: &str, to: &str) -> String {
    if to.is_empty() { format!("sum over {from} of ") } else { format!("sum over {from} to {to} of ") }
}
