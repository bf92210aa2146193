//! The integrate-and-fire neuron: charge, compare, subtract; at most one spike a step. Its relatives that send negative
//! spikes or several at once are in [`signed`] and [`levels`].
//!
//! `m(t) = v(t−1) + I(t)`; `s(t) = [m ≥ θ]` (or `>`); `v(t) = m − θs` (soft) or `(1−s)m` (hard); output `θs`.

pub mod dynamics;
pub mod integrate_and_fire;
pub mod multi_spike;
pub mod signed;

pub use dynamics::Dynamics;
pub use integrate_and_fire::step;
