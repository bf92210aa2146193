//! A network made ready and a finished run: immutable, shared between the engine and the faces.

use std::sync::{Arc, OnceLock};

use super::settings::Settings;
use crate::convert::{Balanced, Calibration, Note, SpikingNetwork};
use crate::data::Samples;
use crate::measure::{Report, Subject};
use crate::network::Network;
use crate::network::forward::Program;
use crate::simulate::{AnnRun, Recording};

/// An opened network, rewritten for conversion and put on a device.
#[derive(Debug)]
pub struct Model {
    /// As in its file.
    pub original: Arc<Network>,
    /// Rewritten (`convert::rewrite`), on the device.
    pub program: Program,
    /// What the rewriting did.
    pub notes: Vec<Note>,
    /// Fan-out per neuron of every spiking layer.
    pub fan_outs: Vec<Vec<f64>>,
}

/// A finished run and all it was made of.
#[derive(Debug)]
pub struct Run {
    /// The settings it was made with.
    pub settings: Settings,
    pub model: Arc<Model>,
    /// The data set; `settings.samples` of it were run.
    pub samples: Arc<Samples>,
    /// Scaled input of the run's samples, `[N, F]`.
    pub input: Arc<Vec<f32>>,
    /// Labels of the run's samples, or empty.
    pub labels: Arc<Vec<u16>>,
    pub calibration: Arc<Calibration>,
    /// Balanced thresholds and how they rose, where the recipe balances them.
    pub balanced: Option<Arc<Balanced>>,
    pub spiking: Arc<SpikingNetwork>,
    pub ann: Arc<AnnRun>,
    pub recording: Arc<Recording>,
    /// Measured at the last step.
    pub report: Arc<Report>,
    /// The same without the recipe's correction, where it has one and the comparison was asked for.
    pub uncorrected: OnceLock<Arc<Run>>,
    pub seconds: Seconds,
}

/// Where the time went, in seconds; what was taken from the cache costs nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Seconds {
    pub load: f64,
    pub calibrate: f64,
    pub ann: f64,
    pub snn: f64,
    pub measure: f64,
}

impl Run {
    /// The run as `measure` wants it, with the mean inputs of its last step.
    pub fn subject<'a>(&'a self, mean_inputs: &'a [&'a [f32]]) -> Subject<'a> {
        Subject {
            spiking: &self.spiking,
            ann: &self.ann,
            recording: &self.recording,
            mean_inputs,
            labels: &self.labels,
            readout: self.settings.recipe.readout,
            fan_outs: &self.model.fan_outs,
        }
    }
    /// Time-steps T of the run.
    pub fn steps(&self) -> usize {
        self.recording.steps
    }
    /// Index in the data set of the run's sample `sample`.
    pub fn sample_index(&self, sample: usize) -> usize {
        self.settings.samples.start + sample
    }
    /// The name of class `class`, or its number.
    pub fn class_name(&self, class: usize) -> String {
        let names = [&self.model.original.class_names, &self.samples.class_names];
        names.iter().find_map(|names| names.get(class).cloned()).unwrap_or_else(|| class.to_string())
    }
}
