//! Gradients of spiking networks: by rate, straight through, through time with surrogates, or those of the ANN.
//!
//! [`target`] answers for images with the event engine and takes gradients by a [`GradientRule`]. [`rate`] and
//! [`through_time`] (over [`neurons`]) stand in for the ANN's activations on the way back.

pub mod neurons;
pub mod prefix_memory;
pub mod rate;
pub mod rule;
mod simulations;
pub mod target;
pub mod through_time;

pub use rule::{GradientChoice, GradientRule, Surrogate};
pub use target::SnnTarget;
