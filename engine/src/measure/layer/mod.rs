//! Measures of one layer: inputs of one sample, batches of neurons, and sums over all samples.

pub mod batch;
pub mod mismatch;
pub mod prefix_sums;
pub mod sample;
pub mod sums;
pub(crate) mod uniform;
