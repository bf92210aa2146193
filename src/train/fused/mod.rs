//! Fused training operations with their own gradients: activations and BatchNorm.
//!
//! Each is a loop or two over its values forward and backward, where tensor operations would take about ten each. They
//! work on the storage of Burn's tensors.
//!
//! Sums have a fixed number of parts in a fixed order: the same call gives the same numbers for any number of threads.

mod norm;
mod staircase;

pub(super) use norm::{After, batch_norm};
pub(super) use staircase::activation;
