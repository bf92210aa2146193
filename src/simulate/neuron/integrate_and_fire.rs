//! One step of the integrate-and-fire neuron.

use crate::convert::{Reset, TieRule};

/// One step of one neuron: the spike and the potential after it.
#[inline]
pub fn step(v: f32, current: f32, theta: f32, reset: Reset, tie: TieRule) -> (bool, f32) {
    let m = v + current;
    let fires = match tie {
        TieRule::Ge => m >= theta,
        TieRule::Gt => m > theta,
    };
    let after = match (fires, reset) {
        (false, _) => m,
        (true, Reset::Soft) => m - theta,
        (true, Reset::Hard) => 0.0,
    };
    (fires, after)
}
