//! The integrate-and-fire neuron: charge, compare, reset; at most one spike a step.
//!
//! `m(t) = v(t−1) + I(t)`; `s(t) = [m ≥ θ]` (or `>`); `v(t) = m − θs` (soft) or `(1−s)m` (hard); output `θs`.

use crate::convert::{Reset, TieRule};

/// One step of one neuron: whether it spikes, and the potential after it.
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
