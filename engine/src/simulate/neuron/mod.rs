//! Neuron models: integrate-and-fire, signed, and multi-spike (group and burst).
//!
//! Each step is a pure function of potential, current and threshold: `(v, I, θ) → (spikes, v)`.

pub mod dynamics;
pub mod integrate_and_fire;
pub mod multi_spike;
pub mod signed;

pub use dynamics::Dynamics;
pub use integrate_and_fire::step;
