//! Training of a network with Burn autodiff.
//!
//! Cross-entropy, Adam or SGD, a cosine schedule, learned thresholds, BatchNorm. Does not depend on the window and
//! starts no threads of its own besides rayon's; the caller gets the progress of every batch and can stop.
//!
//! Network, samples and [`TrainOptions`] determine the result: the same call gives the same weights on the same
//! machine.

mod activation;
mod adam;
mod batch_norm;
mod batches;
mod fusion;
mod kernels;
mod norm;
mod optimizer;
mod trainable_network;
pub mod training;

pub use optimizer::Optimizer;
pub use training::{TrainOptions, TrainProgress, TrainResult, accuracy, train};
