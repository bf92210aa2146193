//! One layer of a run in memory: a sample, a batch of neurons, and the sums over all samples.

pub mod batch;
pub mod sample;
pub mod sums;
