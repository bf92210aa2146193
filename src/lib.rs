//! Spikescope: a lab that converts a trained neural network (ANN) to a spiking one (SNN), runs it and shows where
//! and why the two disagree.
//!
//! The floors, imports point down only:
//!
//! - [`cli`], [`ui`]: the two faces.
//! - [`lesson`]: lessons in plain text: what they load, ask and check.
//! - [`lab`]: the document: settings, messages, undo, jobs, cache, session files.
//! - [`measure`]: questions about one finished run (pure functions).
//! - [`export`]: what leaves the program: NIR graphs, recordings, tables, reports.
//! - [`train`]: training with Burn autodiff.
//! - [`convert`]: ANN to SNN: folding, thresholds, initial potential.
//! - [`simulate`]: integrate-and-fire dynamics over T steps and what is recorded of them.
//! - [`network`]: what a network is; readers of its files; the bundled zoo.
//! - [`data`]: what a sample is; readers of its files; drawn digits.

#![deny(unsafe_code)]

pub mod cli;
pub mod compute;
pub mod convert;
pub mod data;
pub mod error;
pub mod experiment;
pub mod export;
pub mod files;
pub mod lab;
pub mod lesson;
pub mod measure;
pub mod network;
pub mod progress;
pub mod simulate;
pub mod task;
pub mod train;
pub mod ui;

pub use error::{Error, Result};
