//! Training of a network with Burn autodiff: for classes, for masks and for boxes.
//!
//! Adam or SGD, a cosine schedule, learned thresholds, BatchNorm; an [`Objective`] has the loss and the score. Does not
//! depend on the window and starts no threads of its own besides rayon's; the caller gets the progress of every batch and
//! can stop.
//!
//! Network, samples, objective and [`TrainOptions`] determine the result: the same call gives the same weights on the same
//! machine.

mod activation;
mod adam;
mod augment;
mod batch_norm;
mod batches;
mod checkpoint;
mod classification;
mod fcos;
mod fusion;
mod kernels;
mod norm;
mod objective;
mod optimizer;
mod reconstruction;
mod robust;
mod segmentation;
mod spiking;
mod trainable_network;
pub mod training;

pub use augment::{Augmentation, Flips};
pub use classification::Classification;
pub use fcos::{Detection, FcosLayout};
pub use objective::{Batch, Loss, Objective, Score};
pub use optimizer::Optimizer;
pub use reconstruction::Reconstruction;
pub use robust::{Adversarial, InputGradient, SparseGradient, SparseNorm};
pub use segmentation::Segmentation;
pub use spiking::Spiking;
pub use training::{TrainOptions, TrainProgress, TrainResult, accuracy, score, train};
