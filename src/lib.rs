//! Spikescope: converts trained neural networks (ANNs) to spiking ones (SNNs) and shows where they differ.
//!
//! This package is the window and the command line. Opening, conversion, simulation and measures are in the package
//! [`spikescope_engine`], whose modules stand here under their own names. The modules of this package are floors; a floor
//! imports only floors below it:
//!
//! - [`cli`]: the command line, one file per command.
//! - [`ui`]: the window: shell, panels, panes, popups, commands, texts.
//! - [`lesson`]: lessons as text files, checked against the lab.
//! - [`lab`]: the document: messages, undo, run history, sessions, worker threads.

#![deny(unsafe_code)]

pub mod cli;
pub mod lab;
pub mod lesson;
pub mod ui;

pub use spikescope_engine::{
    Error, Result, attack, compute, convert, data, error, experiment, explain, export, files, ground, measure, network,
    progress, simulate, sweep, task, train, trojan,
};
