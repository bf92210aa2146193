//! Training any network of the program with Burn autodiff: cross-entropy, Adam or SGD, a cosine schedule, learned
//! thresholds, BatchNorm. Knows nothing of windows and threads: whoever calls hears about every batch and may stop it.
//!
//! The whole of it is decided by the network, the samples and [`TrainOptions`]: the same call gives the same weights on the
//! same machine.

mod activation;
mod batch_norm;
mod batches;
mod fused;
mod kernels;
mod optimizer;
mod trainable_network;
pub mod training;

pub use optimizer::Optimizer;
pub use training::{TrainOptions, TrainProgress, TrainResult, accuracy, train};
