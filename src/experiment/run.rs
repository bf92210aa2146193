//! A network made ready and a finished run: immutable, shared between the engine and the faces.

use std::sync::{Arc, OnceLock};

use super::settings::Settings;
use crate::compute::AnnRun;
use crate::compute::program::Program;
use crate::convert::{BalancedThresholds, Calibration, Finding, SpikingNetwork};
use crate::data::Samples;
use crate::measure::{Report, RunData};
use crate::network::Network;
use crate::progress::JobControl;
use crate::simulate::{Recording, SimulationPlan};
use crate::task::{DetectedBox, Detector, OutputAgreement, OutputKind};
use crate::{Result, simulate};

/// An opened network, rewritten for conversion and put on a device.
#[derive(Debug)]
pub struct PreparedNetwork {
    /// As in its file.
    pub original: Arc<Network>,
    /// Rewritten (`convert::rewrite`), on the device.
    pub program: Program,
    /// What had to be assumed and what the rewriting did.
    pub notes: Vec<Finding>,
    /// Fan-out per neuron of every spiking layer.
    pub fan_outs: Vec<Vec<f64>>,
}

/// A finished run and all it was made of.
#[derive(Clone, Debug)]
pub struct Run {
    /// The settings it was made with.
    pub settings: Settings,
    pub network: Arc<PreparedNetwork>,
    /// The data set; `settings.samples` of it were run.
    pub samples: Arc<Samples>,
    /// Scaled input of the run's samples, `[N, F]`, or `[N, frames, F]` where they are events.
    pub input: Arc<Vec<f32>>,
    /// Labels of the run's samples, or empty; empty where the network's answers are no classes.
    pub labels: Arc<Vec<u16>>,
    pub calibration: Arc<Calibration>,
    /// Balanced thresholds and how they rose, where the recipe balances them.
    pub balanced: Option<Arc<BalancedThresholds>>,
    pub spiking: Arc<SpikingNetwork>,
    pub ann: Arc<AnnRun>,
    pub recording: Arc<Recording>,
    /// The answers of both networks, where they are no classes.
    pub output_agreement: Option<Arc<OutputAgreement>>,
    /// What the doctor says of the conversion, the most serious first; the model's notes included.
    pub findings: Vec<Finding>,
    /// Measured at the last step.
    pub report: Arc<Report>,
    /// The same without the recipe's correction, where it has one and the comparison was asked for.
    pub uncorrected: OnceLock<Arc<Run>>,
    pub seconds: Timings,
}

/// Where the time went, in seconds; what was taken from the cache costs nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Timings {
    pub load: f64,
    pub calibrate: f64,
    pub ann: f64,
    pub snn: f64,
    pub measure: f64,
}

impl Run {
    /// The run as `measure` wants it, with the mean inputs of its last step.
    pub fn run_data<'a>(&'a self, mean_inputs: &'a [&'a [f32]]) -> RunData<'a> {
        RunData {
            spiking: &self.spiking,
            ann: &self.ann,
            recording: &self.recording,
            mean_inputs,
            labels: &self.labels,
            readout: self.settings.recipe.readout,
            likeness: self.output_agreement.as_ref(),
            fan_outs: &self.network.fan_outs,
        }
    }
    /// The run with the state after the last step, worked out again where the run was put aside.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`] once `control` asks to stop.
    pub fn full_recording(&self, control: &JobControl) -> Result<Arc<Recording>> {
        if self.recording.has_final_state() {
            return Ok(self.recording.clone());
        }
        let plan = SimulationPlan {
            program: &self.network.program,
            spiking: &self.spiking,
            input: &self.input,
            samples: self.recording.samples,
            steps: self.recording.steps,
            previous: None,
            unchanged_layers: 0,
        };
        simulate::simulate(&plan, control).map(Arc::new)
    }
    /// The run without the state after the last step ([`Recording::without_final_state`]).
    pub fn without_final_state(&self) -> Self {
        Self { recording: Arc::new(self.recording.without_final_state()), ..self.clone() }
    }
    /// Time-steps T of the run.
    pub fn steps(&self) -> usize {
        self.recording.steps
    }
    /// The run in one sentence.
    pub fn summary(&self) -> String {
        let last = self.report.curve.last();
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        let agreement = last.map_or(0.0, |point| point.agreement);
        if let Some(likeness) = &self.output_agreement {
            return format!("{}: {}", self.network.original.name, self.likeness_sentence(likeness));
        }
        let accuracy = match (self.report.ann_accuracy, last.and_then(|point| point.accuracy)) {
            (Some(ann), Some(snn)) => {
                format!("accuracy ANN {}, SNN {} at T = {}", percent(ann), percent(snn), self.steps())
            }
            _ => format!("no labels; T = {}", self.steps()),
        };
        format!(
            "{}: {accuracy}; agreement {} on {} samples",
            self.network.original.name,
            percent(agreement),
            self.ann.samples
        )
    }
    /// What both networks answer at the end, where that is no class.
    fn likeness_sentence(&self, likeness: &OutputAgreement) -> String {
        let (t, count) = (self.steps(), self.ann.samples);
        let error = format!("its outputs differ from the ANN's by {:.1} %", likeness.error(t) * 100.0);
        if likeness.of == OutputKind::Values {
            return format!(
                "outputs without classes; T = {t}; {error} (mean over {})",
                counted(count, "sample", "samples")
            );
        }
        let boxes = likeness.boxes(t);
        let same = match boxes.same {
            0 if boxes.ann == 0 => String::new(),
            0 if boxes.snn == 0 => String::new(),
            0 => ", none matching".to_owned(),
            same => format!(", {same} matching (mean IoU {:.0} %)", boxes.overlap * 100.0),
        };
        format!(
            "detector; T = {t}; in {} the ANN detects {}, the SNN {}{same}; {error}",
            counted(count, "sample", "samples"),
            counted(boxes.ann as usize, "box", "boxes"),
            boxes.snn
        )
    }
    /// Whether the SNN's answer for `sample` after `t` steps is another than the ANN's.
    pub fn differs(&self, t: usize, sample: usize) -> bool {
        match &self.output_agreement {
            Some(likeness) => likeness.differs(t, sample),
            None => self.ann.prediction(sample) != self.report.predictions.at(t, sample),
        }
    }
    /// The boxes that ANN and SNN find in `sample`, the latter from the mean readout of the first `t` steps; `None` where the
    /// network is no detector that is known.
    pub fn boxes(&self, sample: usize, t: usize) -> Option<[Vec<DetectedBox>; 2]> {
        let detector = Detector::from_network(&self.network.original)?;
        let mean: Vec<f32> = self.recording.readout_at(t, sample).iter().map(|sum| sum / t as f32).collect();
        Some([detector.boxes(self.ann.logits_of(sample)), detector.boxes(&mean)])
    }
    /// Index in the data set of the run's sample `sample`.
    pub fn sample_index(&self, sample: usize) -> usize {
        self.settings.samples.start + sample
    }
    /// The name of class `class`, or its number.
    pub fn class_name(&self, class: usize) -> String {
        let names = [&self.network.original.class_names, &self.samples.class_names];
        names.iter().find_map(|names| names.get(class).cloned()).unwrap_or_else(|| class.to_string())
    }
}

/// A number with the word for one or for several.
fn counted(count: usize, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}
