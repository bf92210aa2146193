//! The engine of Spikescope: converts trained neural networks (ANNs) to spiking ones (SNNs) and measures where they differ.
//!
//! It opens a network, converts it, simulates it, and measures where and why the two differ, without a window. The modules are
//! floors; a floor imports only floors below it:
//!
//! - [`sweep`]: many runs by a plan: rows, results folder, merging, cluster scripts.
//! - [`trojan`]: trojans planted in a network, and which tools find them again.
//! - [`experiment`]: one run, from settings to report: loading, cache, pipeline, diagnosis, snapshot at step t.
//! - [`export`]: NIR graphs, recordings, tables and reports.
//! - [`measure`]: numbers about a finished run (pure functions).
//! - [`task`]: decoding of outputs: class predictions, boxes, and the agreement of both networks.
//! - [`train`]: training with Burn autodiff.
//! - [`explain`]: attribution: which pixels an answer stands on.
//! - [`attack`]: noise and adversarial attacks in pixel space.
//! - [`simulate`]: spiking dynamics over T steps, recordings, the corrections SRP and COS.
//! - [`convert`]: ANN to SNN: recipe, thresholds, spiking network, findings.
//! - [`compute`]: running a network: dense (Burn), event kernels, SIMD, backends.
//! - [`network`]: the graph and its readers (ONNX, PyTorch, safetensors, NIR); bundled networks.
//! - [`data`]: samples and their readers.
//! - `pickle`: pickles of Python, read without executing them.
//! - [`ground`]: [`progress`], [`error`], [`files`]: cancellation and progress, errors, atomic file writes.

#![deny(unsafe_code)]

pub mod attack;
pub mod compute;
pub mod convert;
pub mod data;
pub mod experiment;
pub mod explain;
pub mod export;
pub mod ground;
pub mod measure;
pub mod network;
mod pickle;
pub mod simulate;
pub mod sweep;
pub mod task;
pub mod train;
pub mod trojan;

pub use ground::error::{Error, Result};
pub use ground::{error, files, progress};
