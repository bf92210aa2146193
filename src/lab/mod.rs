//! The document: what is open, what was computed of it and what is being computed. The faces read [`Lab`] and push
//! [`Message`]s; [`Lab::update`] is the only place that changes it. Knows no widget.

pub mod message;
pub mod run;
pub mod settings;
pub mod snapshot;

use std::sync::Arc;

pub use message::Message;
pub use run::{Model, Run, Seconds};
pub use settings::{Backend, Settings, View};
pub use snapshot::{Snapshot, ThresholdView};

use crate::measure::CurvePoint;

/// The whole state of the program.
pub struct Lab {
    /// What is computed; saved, and walked by undo.
    pub settings: Settings,
    /// What is looked at; saved, not undone.
    pub view: View,
    /// The last finished run; stays on screen while the next one is computed.
    pub run: Option<Arc<Run>>,
    /// The finished run as it stood at the time cursor, and the details of what is in focus.
    pub snapshot: Option<Arc<Snapshot>>,
    /// The work in progress, if any.
    pub job: Option<Job>,
    /// Errors and remarks for the person, newest last.
    pub notices: Vec<Notice>,
}

/// Work in progress.
#[derive(Clone, Debug)]
pub struct Job {
    /// What is being done: "calibrating", "simulating".
    pub stage: &'static str,
    /// How much of it is done, 0 to 1.
    pub fraction: f32,
    /// The curve over the samples that are through already.
    pub partial: Vec<CurvePoint>,
    /// How many samples `partial` is over.
    pub partial_samples: usize,
}

/// Something the person should read.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    pub level: Level,
    pub text: String,
}

/// How much a notice matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Something that was done to the network and what follows from it.
    Note,
    /// Something that was refused; the lab stays as it was.
    Error,
}
