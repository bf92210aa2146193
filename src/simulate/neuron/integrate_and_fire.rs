//! One step of the integrate-and-fire neuron.

use crate::convert::{Reset, Tie};

/// One step of one neuron: the spike and the potential after it.
#[inline]
pub fn step(v: f32, current: f32, theta: f32, reset: Reset, tie: Tie) -> (bool, f32) {
    let m = v + current;
    let fires = match tie {
        Tie::Ge => m >= theta,
        Tie::Gt => m > theta,
    };
    let after = match (fires, reset) {
        (false, _) => m,
        (true, Reset::Soft) => m - theta,
        (true, Reset::Hard) => 0.0,
    };
    (fires, after)
}
