//! Operations on burn-flex with gradients of their own: convolutions, resizes, average pools, slices and pads, activations.
//!
//! They work on the storage of Burn's tensors. Training and gradients of the input use them; other backends keep Burn's
//! own operations.

pub mod activation;
pub mod convolution;
pub mod fixed;
pub mod input;
pub mod moved_values;
pub mod resample;
pub mod rule;
pub mod transposed;
pub mod weights;
