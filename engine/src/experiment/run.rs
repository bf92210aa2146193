//! Prepared network and finished run: immutable, shared between threads, window and command line.

use std::sync::{Arc, OnceLock};

use super::settings::Settings;
use crate::compute::AnnRun;
use crate::compute::program::Program;
use crate::convert::{BalancedThresholds, Calibration, Finding, Readout, SpikingNetwork};
use crate::data::{Layout, Samples};
use crate::ground::numbers::percent;
use crate::measure::readout_delay::readout_delay;
use crate::measure::{Report, RunData};
use crate::network::Network;
use crate::network::left_open::TimeStep;
use crate::progress::JobControl;
use crate::simulate::{Recording, SimulationPlan};
use crate::task::scene_scores::{ReadoutWindow, SceneRun, SceneScores, scene_scores};
use crate::task::{DetectedBox, Detector, OutputAgreement, OutputKind};
use crate::{Result, simulate};

/// A loaded network, rewritten for conversion and placed on a device.
#[derive(Debug)]
pub struct PreparedNetwork {
    /// As in its file; of several outputs only the one that answers.
    pub original: Arc<Network>,
    /// Names of all outputs in the file, and which of them answers; `None` if they are read together or there is one.
    pub outputs: Vec<String>,
    pub answers: Option<usize>,
    /// How boxes are read from the outputs, if the network is a known or described detector.
    pub detector: Option<Arc<Detector>>,
    /// Shape of a sample, if the file leaves it open.
    pub stated_input: Option<Vec<usize>>,
    /// The time step of a NIR file with neurons.
    pub time_step: Option<TimeStep>,
    /// Rewritten (`convert::rewrite`), on the device.
    pub program: Program,
    /// Findings about assumptions of the reader and about rewrites.
    pub notes: Vec<Finding>,
    /// Fan-out per neuron of every spiking layer, `[F]` each.
    pub fan_outs: Vec<Vec<f64>>,
}

/// A finished run and everything it was computed from.
#[derive(Clone, Debug)]
pub struct Run {
    /// The settings of the run.
    pub settings: Settings,
    pub network: Arc<PreparedNetwork>,
    /// The data set; the run has `settings.samples` of it.
    pub samples: Arc<Samples>,
    /// Scaled input of the run's samples, `[N, F]`, or `[N, frames, F]` for events.
    pub input: Arc<Vec<f32>>,
    /// Labels of the run's samples, `[N]`; empty without labels or if the outputs are not classes.
    pub labels: Arc<Vec<u16>>,
    pub calibration: Arc<Calibration>,
    /// Balanced thresholds and their history, if the recipe balances them.
    pub balanced: Option<Arc<BalancedThresholds>>,
    pub spiking: Arc<SpikingNetwork>,
    pub ann: Arc<AnnRun>,
    pub recording: Arc<Recording>,
    /// Scores against masks or boxes, if the samples have them and the network gives them.
    pub scene: Option<Arc<SceneScores>>,
    /// Which steps the readout of masks and boxes averages.
    pub window: ReadoutWindow,
    /// z* of every layer ([`RunData::pooled_means`]).
    pub pooled_means: Arc<Vec<Vec<f32>>>,
    /// Comparison of the outputs of both networks, if they are not classes.
    pub output_agreement: Option<Arc<OutputAgreement>>,
    /// Findings of the diagnosis, the most severe first, including the network's notes.
    pub findings: Vec<Finding>,
    /// Measured at the last step.
    pub report: Arc<Report>,
    /// Number of samples of the run that this one previews; `None` if it is complete.
    pub preview_of: Option<usize>,
    /// The same run without the recipe's correction, if it has one and the baseline was requested.
    pub uncorrected: OnceLock<Arc<Run>>,
    pub seconds: Timings,
}

/// Duration of each stage, in seconds; close to 0 for results from the cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Timings {
    pub load: f64,
    pub calibrate: f64,
    pub ann: f64,
    pub snn: f64,
    pub measure: f64,
}

impl Run {
    /// The run as input of `measure`; `mean_inputs` are those of the measured steps, empty for all steps of the run.
    pub fn run_data<'a>(&'a self, mean_inputs: &'a [&'a [f32]]) -> RunData<'a> {
        RunData {
            spiking: &self.spiking,
            ann: &self.ann,
            recording: &self.recording,
            mean_inputs,
            pooled_means: if mean_inputs.is_empty() { &self.pooled_means } else { &[] },
            counts: &[],
            first_mean: 0,
            labels: &self.labels,
            readout: self.settings.recipe.readout,
            output_agreement: self.output_agreement.as_ref(),
            fan_outs: &self.network.fan_outs,
        }
    }
    /// Computes z* of every layer over all steps.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`].
    pub(super) fn measure_pooling(&mut self, control: &JobControl) -> Result<()> {
        let (program, recording) = (&self.network.program, &self.recording);
        let steps = recording.steps;
        let means = simulate::prefix::pooled_means(program, &self.spiking, &self.input, recording, steps, control)?;
        self.pooled_means = Arc::new(means);
        Ok(())
    }
    /// The recording with its final state, simulated again if that was discarded.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`] if `control` is cancelled, and errors of the simulation.
    pub fn full_recording(&self, control: &JobControl) -> Result<Arc<Recording>> {
        if self.recording.has_final_state() {
            return Ok(self.recording.clone());
        }
        simulate::simulate(&self.plan(), control).map(Arc::new)
    }
    /// What is simulated: all samples and steps of the run from the start.
    pub fn plan(&self) -> SimulationPlan<'_> {
        SimulationPlan {
            program: &self.network.program,
            spiking: &self.spiking,
            input: &self.input,
            samples: self.recording.samples,
            steps: self.recording.steps,
            previous: None,
            unchanged_layers: 0,
        }
    }
    /// The run without its final state ([`Recording::without_final_state`]).
    pub fn without_final_state(&self) -> Self {
        Self { recording: Arc::new(self.recording.without_final_state()), ..self.clone() }
    }
    /// The large buffers that the run holds, each as an id that is equal if two runs share the buffer, and its bytes.
    pub fn shared_buffers(&self) -> Vec<(usize, usize)> {
        let mut buffers: Vec<_> = self.recording.shared_buffers().collect();
        buffers.extend(ann_buffers(&self.input, &self.ann));
        buffers.extend(sample_buffers(&self.samples));
        buffers.push(buffer_of(&self.calibration));
        if let Some(uncorrected) = self.uncorrected.get() {
            buffers.extend(uncorrected.shared_buffers());
        }
        buffers
    }
    /// Time-steps T of the run.
    pub fn steps(&self) -> usize {
        self.recording.steps
    }
    /// The run in one sentence.
    pub fn summary(&self) -> String {
        let last = self.report.curve.last();
        let percent = |share: f64| percent(share, 1);
        let agreement = last.map_or(0.0, |point| point.agreement);
        if let Some(scene) = &self.scene {
            let (name, figures) = (&self.network.original.name, self.scene_sentence(scene));
            let count = format_count(self.ann.samples, "picture", "pictures");
            return format!("{name}: {figures} at T = {} on {count}", self.steps());
        }
        if let Some(outputs) = &self.output_agreement {
            return format!("{}: {}", self.network.original.name, self.agreement_sentence(outputs));
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
    /// The scores of masks or boxes at the last step.
    fn scene_sentence(&self, scene: &SceneScores) -> String {
        let percent = |value: Option<f64>| value.map_or("-".to_owned(), |value| percent(value, 1));
        let name = if matches!(scene, SceneScores::Masks(_)) { "mIoU" } else { "mAP" };
        let (ann, snn) = (percent(scene.ann_score()), percent(scene.snn_score(self.steps())));
        format!("{name} ANN {ann}, SNN {snn}")
    }
    /// Agreement of the outputs at the last step in one sentence, for outputs that are not classes.
    fn agreement_sentence(&self, outputs: &OutputAgreement) -> String {
        let (t, count) = (self.steps(), self.ann.samples);
        let error = format!("its outputs differ from the ANN's by {}", percent(outputs.error(t), 1));
        if outputs.of == OutputKind::Values {
            return format!(
                "outputs without classes; T = {t}; {error} (mean over {})",
                format_count(count, "sample", "samples")
            );
        }
        let boxes = outputs.boxes(t);
        let same = match boxes.same {
            0 if boxes.ann == 0 => String::new(),
            0 if boxes.snn == 0 => String::new(),
            0 => ", none matching".to_owned(),
            same => format!(", {same} matching (mean IoU {:.0} %)", boxes.overlap * 100.0),
        };
        format!(
            "detector; T = {t}; in {} the ANN detects {}, the SNN {}{same}; {error}",
            format_count(count, "sample", "samples"),
            format_count(boxes.ann as usize, "box", "boxes"),
            boxes.snn
        )
    }
    /// Whether the SNN's prediction or output for `sample` after `t` steps differs from the ANN's.
    pub fn differs(&self, t: usize, sample: usize) -> bool {
        match &self.output_agreement {
            Some(outputs) => outputs.differs(t, sample),
            None => self.ann.prediction(sample) != self.report.predictions.at(t, sample),
        }
    }
    /// How alike the outputs of both networks are in `sample` after `t` steps, 0 to 1, where they are boxes or values, which
    /// are more or less alike; `None` for classes, which agree or not.
    pub fn likeness(&self, t: usize, sample: usize) -> Option<f64> {
        self.output_agreement.as_ref().map(|outputs| outputs.share(t, sample))
    }
    /// The boxes that ANN and SNN detect in `sample`, the latter from the mean readout of the first `t` steps; `None` if the
    /// network is not a known detector.
    pub fn boxes(&self, sample: usize, t: usize) -> Option<[Vec<DetectedBox>; 2]> {
        let detector = self.network.detector.as_ref()?;
        let mean = self.window.mean(&self.recording, t, sample);
        Some([detector.boxes(self.ann.logits_of(sample)), detector.boxes(&mean)])
    }
    /// Chooses the steps of the readout and scores masks or boxes, if the samples have them.
    ///
    /// # Errors
    /// Those of [`scene_scores`].
    pub(super) fn score_scene(&mut self, control: &JobControl) -> Result<()> {
        let (rule, steps) = (self.settings.recipe.readout, self.recording.steps);
        // Class maps skip half of the steps, boxes as many as the thresholds need (Bu et al., CVPR 2025).
        let has_estimate = self.network.detector.is_some() && rule == Readout::Delayed(None);
        let delay = has_estimate.then(|| readout_delay(&self.spiking, &self.ann, steps).estimate);
        self.window = ReadoutWindow { rule, delay };
        self.scene = scene_scores(&self.scene_run(), &self.settings.score_at, control)?.map(Arc::new);
        Ok(())
    }
    /// The run as input of the scores of masks and boxes.
    pub fn scene_run(&self) -> SceneRun<'_> {
        SceneRun {
            network: &self.network.original,
            detector: self.network.detector.as_deref(),
            ann: &self.ann,
            recording: &self.recording,
            targets: &self.samples.targets,
            first: self.settings.samples.start,
            window: self.window,
            sample_size: image_size(&self.samples),
        }
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

/// Height and width of samples that are pictures; `[1, 1]` of others.
fn image_size(samples: &Samples) -> [usize; 2] {
    match (samples.shape.as_slice(), samples.channels()) {
        (&[_, height, width], Layout::ChannelsFirst) | (&[height, width, _], Layout::ChannelsLast) => [height, width],
        (&[height, width], _) => [height, width],
        _ => [1, 1],
    }
}

/// Id and bytes of the values that a calibration keeps.
pub(super) fn buffer_of(calibration: &Arc<Calibration>) -> (usize, usize) {
    (Arc::as_ptr(calibration).addr(), calibration.bytes())
}

/// Ids and bytes of the ANN's values and their input.
pub(super) fn ann_buffers(input: &Arc<Vec<f32>>, ann: &Arc<AnnRun>) -> [(usize, usize); 2] {
    let values = ann.logits.len() + ann.pre_activations.iter().map(Vec::len).sum::<usize>();
    [(Arc::as_ptr(input).addr(), input.len() * 4), (Arc::as_ptr(ann).addr(), values * 4)]
}

/// Ids and bytes of the values of a data set.
pub(super) fn sample_buffers(samples: &Samples) -> Vec<(usize, usize)> {
    let of = |values: &Arc<Vec<f32>>| (Arc::as_ptr(values).addr(), values.len() * 4);
    let frames = samples.frames.as_ref().map(|frames| of(&frames.values));
    [of(&samples.values)].into_iter().chain(frames).collect()
}

/// A number with its noun in singular or plural.
fn format_count(count: usize, singular: &str, plural: &str) -> String {
    format!("{count} {}", if count == 1 { singular } else { plural })
}
