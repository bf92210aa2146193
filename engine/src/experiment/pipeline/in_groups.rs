//! A run of which only the figures are wanted: ANN, simulation and measures of one group of samples after the other.
//!
//! The values of single neurons are in the caches when they are measured, and the next group takes their memory. Of a whole
//! run, most of the time at few steps would be the first access to its memory.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::{add_findings_of_report, are_classes, whole_run};
use crate::compute::AnnRun;
use crate::convert::findings::not_finite;
use crate::convert::{Readout, SpikingNetwork};
use crate::data::Samples;
use crate::experiment::cache::Cache;
use crate::experiment::diagnose::DiagnosisInput;
use crate::experiment::memory;
use crate::experiment::prepare::{Prepared, prepare, timed};
use crate::experiment::run::{PreparedNetwork, Run, Timings};
use crate::experiment::settings::Settings;
use crate::measure::{MeasureInParts, Report, RunData};
use crate::progress::JobControl;
use crate::simulate::spike_train::SpikeTrain;
use crate::simulate::{LayerRecording, Recording, SimulationPlan};
use crate::task::scene_scores::ReadoutWindow;
use crate::{Result, simulate};

/// Computes the run of `settings` without what it holds of single neurons: its recording has the readout and no spikes, and
/// the ANN's values are its logits. Everything else is as of [`super::run`], to the bit. Where outputs are no classes, inputs
/// change over time or the readout depends on the ANN's values, it is the whole run.
///
/// # Errors
/// As [`super::run`].
pub fn run_in_groups(settings: &Settings, cache: &mut Cache, control: &JobControl) -> Result<Arc<Run>> {
    settings.recipe.validate()?;
    let prepared = prepare(settings, cache, control)?;
    let is_possible = are_classes(&prepared.model, &prepared.samples)
        && prepared.samples.frames.is_none()
        && settings.recipe.readout != Readout::Delayed(None);
    if is_possible {
        let groups = Groups::new(settings, &prepared);
        groups.check_memory(settings)?;
        if let Some(figures) = groups.run(control)? {
            return finish(settings, prepared, figures, cache, control);
        }
    }
    whole_run(settings, prepared, cache, control, &|_| ())
}

/// What is kept of all groups.
struct Figures {
    input: Arc<Vec<f32>>,
    labels: Arc<Vec<u16>>,
    ann: AnnRun,
    recording: Recording,
    report: Report,
    seconds: Timings,
}

/// The samples of a run, and how many are computed at once.
struct Groups<'a> {
    model: &'a PreparedNetwork,
    spiking: &'a SpikingNetwork,
    samples: &'a Samples,
    settings: &'a Settings,
    size: usize,
}

impl<'a> Groups<'a> {
    fn new(settings: &'a Settings, prepared: &'a Prepared) -> Self {
        let Prepared { model, spiking, samples, .. } = prepared;
        let mut groups = Self { model, spiking, samples, settings, size: settings.samples.len() };
        let threads = rayon::current_num_threads();
        // Twice as many blocks as threads.
        groups.size = (2 * threads * simulate::block_size(&groups.plan(&[], groups.size))).min(groups.size);
        groups
    }

    fn plan<'b>(&'b self, input: &'b [f32], samples: usize) -> SimulationPlan<'b> {
        SimulationPlan {
            program: &self.model.program,
            spiking: self.spiking,
            input,
            samples,
            steps: self.settings.recipe.steps,
            previous: None,
            unchanged_layers: 0,
        }
    }

    /// Refuses a run that would not fit in memory.
    fn check_memory(&self, settings: &Settings) -> Result<()> {
        let network = self.model.program.network();
        let values: usize = network.activation_nodes().map(|(id, _)| network.nodes[id].len()).sum();
        let (input, classes) = (network.input_shape().iter().product::<usize>(), network.classes());
        let bytes = |samples: usize, steps: usize| {
            let group = samples.min(self.size);
            let of_group = simulate::estimate_bytes(&SimulationPlan { steps, ..self.plan(&[], group) });
            of_group + (group * values + samples * (input + classes * (steps + 1))) * 4
        };
        memory::check_run_memory(settings.samples.len(), settings.recipe.steps, bytes)
    }

    /// Computes all groups; `None` if a value of the ANN is not finite, which only the whole run tells in full.
    fn run(&self, control: &JobControl) -> Result<Option<Figures>> {
        let (settings, network) = (self.settings, self.model.program.network());
        let (steps, count, classes) = (settings.recipe.steps, settings.samples.len(), network.classes());
        let input = Arc::new(self.samples.scaled(settings.samples.clone(), &settings.scaling));
        let labels = self.samples.labels.get(settings.samples.clone()).map(<[u16]>::to_vec).unwrap_or_default();
        let width = input.len() / count.max(1);
        let mut seconds = Timings::default();
        let mut measure = MeasureInParts::new(self.spiking, count, steps);
        let (mut logits, mut readout) = (Vec::with_capacity(count * classes), vec![0.0; steps * count * classes]);
        let mut ann = AnnRun::default();
        let mut memory: Option<Recording> = None;
        for first in (0..count).step_by(self.size.max(1)) {
            let rows = self.size.min(count - first);
            let own = &input[first * width..(first + rows) * width];
            let part = |share: Range<f32>| {
                let of_all = |share: f32| (first as f32 + share * rows as f32) / count as f32;
                control.part_of("running ANN and SNN", of_all(share.start)..of_all(share.end)).without_samples()
            };
            timed(&mut seconds.ann, || ann.compute_again(&self.model.program, own, rows, &part(0.0..0.2)))?;
            if not_finite(network, &ann).is_some() {
                return Ok(None);
            }
            logits.extend(&ann.logits);
            let plan = self.plan(own, rows);
            let recording = timed(&mut seconds.snn, || match memory.take() {
                Some(old) => simulate::simulate_over(old, &plan, &part(0.2..1.0)),
                None => simulate::simulate(&plan, &part(0.2..1.0)),
            })?;
            for (to, from) in readout.chunks_mut(count * classes).zip(recording.readout.chunks(rows * classes)) {
                to[first * classes..(first + rows) * classes].copy_from_slice(from);
            }
            timed(&mut seconds.measure, || {
                let program = &self.model.program;
                let pooled = simulate::prefix::pooled_means(program, self.spiking, own, &recording, steps, control)?;
                measure.add(
                    &RunData { pooled_means: &pooled, ..self.run_data(&ann, &recording, &[]) },
                    0..rows,
                    first,
                    control,
                )
            })?;
            memory = Some(recording);
        }
        control.progress("measuring", 1.0);
        let recording = self.without_spikes(count, readout);
        let ann = AnnRun { samples: count, classes, logits, pre_activations: Vec::new() };
        let report = timed(&mut seconds.measure, || Ok(measure.finish(&self.run_data(&ann, &recording, &labels))))?;
        Ok(Some(Figures { input, labels: Arc::new(labels), ann, recording, report, seconds }))
    }

    fn run_data<'b>(&'b self, ann: &'b AnnRun, recording: &'b Recording, labels: &'b [u16]) -> RunData<'b> {
        RunData {
            spiking: self.spiking,
            ann,
            recording,
            mean_inputs: &[],
            pooled_means: &[],
            counts: &[],
            first_mean: 0,
            labels,
            readout: self.settings.recipe.readout,
            output_agreement: None,
            fan_outs: &self.model.fan_outs,
        }
    }

    /// A recording of `samples` samples with nothing but the readout.
    fn without_spikes(&self, samples: usize, readout: Vec<f32>) -> Recording {
        let layer = |layer| LayerRecording {
            spikes: SpikeTrain::for_layer(0, layer),
            mean_input: Arc::default(),
            potential: Arc::default(),
            v_init: None,
            silenced: None,
        };
        Recording {
            steps: self.settings.recipe.steps,
            samples,
            classes: self.model.program.network().classes(),
            layers: self.spiking.layers.iter().map(layer).collect(),
            readout,
        }
    }
}

/// The run of `figures`, with its findings.
fn finish(
    settings: &Settings,
    prepared: Prepared,
    figures: Figures,
    cache: &mut Cache,
    control: &JobControl,
) -> Result<Arc<Run>> {
    let Prepared { model, samples, calibration, balanced, spiking, seconds } = prepared;
    let diagnosis = DiagnosisInput { settings, model: &model, samples: &samples, ann: Some(&figures.ann) };
    let findings = diagnosis.findings(&calibration, Some(&spiking), cache, control)?;
    let mut run = Run {
        settings: settings.clone(),
        network: model,
        samples,
        input: figures.input,
        labels: figures.labels,
        calibration,
        balanced,
        spiking,
        ann: Arc::new(figures.ann),
        recording: Arc::new(figures.recording),
        scene: None,
        window: ReadoutWindow { rule: settings.recipe.readout, delay: None },
        pooled_means: Arc::default(),
        output_agreement: None,
        findings,
        report: Arc::new(figures.report),
        preview_of: None,
        uncorrected: OnceLock::new(),
        seconds: Timings { load: seconds.load, calibrate: seconds.calibrate, ..figures.seconds },
    };
    add_findings_of_report(&mut run);
    Ok(Arc::new(run))
}
