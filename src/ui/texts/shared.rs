//! Texts and labels shared by several panes.

use std::fmt::Display;

pub const ANN: &str = "ANN";
pub const SNN: &str = "SNN";
pub const TIME_STEPS: &str = "time-steps t";
pub const TIME_STEP: &str = "time-step t";
pub const RIGHT_ANSWERS: &str = "accuracy";
pub const NOT_DEFINED: &str = "not defined";
pub const THRESHOLD: &str = "threshold θ";

/// What is shown while there is nothing of a run: that its values are being computed if `has_run`, that the first one is in
/// progress, or `otherwise`.
pub fn no_run(has_run: bool, is_running: bool, otherwise: &'static str) -> &'static str {
    match (has_run, is_running) {
        (true, _) => "The run is finished. Its values at the time cursor are being computed.",
        (_, true) => "The first run is in progress.",
        _ => otherwise,
    }
}

/// A value at a step, in the description of a curve.
pub fn at_step(value: &str, t: impl Display) -> String {
    format!("{value} at t = {t}")
}

/// The samples of a preview.
pub fn some_samples(count: usize, of: usize) -> String {
    format!("{count} of {of} samples")
}

/// Below this number of samples a share is shown as a count: one sample more or less changes it by 5 points or more.
pub const FEW_SAMPLES: usize = 20;

/// A share of `samples`, 0 to 1: "97.5 %", or "3 of 4" where they are few.
pub fn share_of(share: f64, samples: usize) -> String {
    if samples >= FEW_SAMPLES {
        return crate::ground::numbers::percent(share, 1);
    }
    format!("{:.0} of {samples}", share * samples as f64)
}

/// The same where there is little room.
pub fn some_of(count: usize, of: usize) -> String {
    format!("{count} of {of}")
}

/// The name of a past run.
pub fn run(number: usize) -> String {
    format!("run {number}")
}

/// How a screen reader says a sum in a formula; the summand follows.
pub fn sum_over(from: &str, to: &str) -> String {
    if to.is_empty() { format!("sum over {from} of ") } else { format!("sum over {from} to {to} of ") }
}
