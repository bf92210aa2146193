//! Snapshot of a finished run at the time cursor: report and details of the focused neuron.
//!
//! The engine computes it on its thread; the panes draw it.

pub mod focus;
mod focused_layer;
pub mod parts;
pub mod recording_view;
mod report_at;
pub mod threshold_view;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use self::focus::Focus;
use self::focused_layer::{categories_of, initial_potential_errors, mean_input_of, pooled_mean};
use self::parts::{SnapshotPart, SnapshotParts};
pub use self::recording_view::{LoadedRecording, RecordingView};
pub use self::report_at::{MeasuredSamples, preview_samples, report_at};
pub use self::threshold_view::ThresholdView;
use super::attacked::RobustnessView;
use super::neuron_categories::NeuronCategories;
use super::run::Run;
use crate::measure::energy::{OperationCounts, operations};
use crate::measure::feature_maps::{FeatureMaps, feature_maps};
use crate::measure::neuron_bench::{MAX_STEPS, NeuronBench};
use crate::measure::readout::{ReadoutReport, readout_report};
use crate::measure::ties::{Ties, count_ties};
use crate::measure::{Divergence, FirstLayers, InitialPotentialErrors, NeuronRef, Report, first_divergence};
use crate::progress::JobControl;
use crate::simulate::membrane_trace::{MembraneTrace, layer_currents, trace};
use crate::{Error, Result};

/// Measures of a run at the time cursor.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Unique number of the snapshot, by which textures are cached.
    pub id: u64,
    pub run: Arc<Run>,
    pub focus: Focus,
    /// The samples on which the layers of the reports are measured: all, but for a preview.
    pub samples: Range<usize>,
    /// Measured at `focus.steps` (the curve covers all steps).
    pub report: Arc<Report>,
    /// What the report of all samples can begin with, if this one is of some.
    pub measured: Option<Arc<MeasuredSamples>>,
    /// The report without the correction, at the cursor, if the recipe has one ([`SnapshotPart::Uncorrected`]).
    pub uncorrected: Option<Arc<Report>>,
    /// Reports of the race lanes at the cursor, in lane order ([`SnapshotPart::Lanes`]).
    pub lanes: Vec<Option<Arc<Report>>>,
    /// Feature maps of the focused layer and sample, at the cursor.
    pub maps: FeatureMaps,
    /// Neurons of the focused layer and sample by error category, at the cursor.
    pub categories: NeuronCategories,
    /// Trace of the focused neuron, over all T steps.
    pub trace: MembraneTrace,
    /// Traces of the pinned neurons, over all T steps, in the order of `focus.pinned`.
    pub pinned: Vec<(NeuronRef, MembraneTrace)>,
    /// Threshold view of the focused layer ([`SnapshotPart::Threshold`]).
    pub threshold: Option<Arc<ThresholdView>>,
    /// Errors of the focused layer against v(0), at the cursor ([`SnapshotPart::Initial`]).
    pub initial: Option<Arc<InitialPotentialErrors>>,
    /// z* of the focused neuron at the cursor, if a max pool stands before it.
    pub pooled: Option<f32>,
    /// First divergence of the focused sample, over all T steps.
    pub divergence: Option<Divergence>,
    /// Ties of the focused layer and sample.
    pub ties: Ties,
    /// Figures that do not depend on the focus.
    pub figures: RunFigures,
    /// The focused sample under attack ([`SnapshotPart::Robustness`]), or why it cannot be attacked.
    pub robustness: Option<Arc<std::result::Result<RobustnessView, String>>>,
    /// The events of the focused sample ([`SnapshotPart::Recording`]).
    pub recording: LoadedRecording,
}

/// Figures that depend on the run alone, not on the focus.
#[derive(Clone, Debug)]
pub struct RunFigures {
    /// [`SnapshotPart::Operations`]
    pub operations: Option<Arc<OperationCounts>>,
    /// [`SnapshotPart::Readout`]
    pub readout: Option<Arc<ReadoutReport>>,
    /// Number of samples that first diverge in each layer, over all T steps.
    pub first_layers: Arc<FirstLayers>,
}

impl Snapshot {
    /// Computes the snapshot of `run` at `focus`; reuses the parts of `known` that are still valid.
    ///
    /// # Errors
    /// [`Error::Cancelled`], and errors of a recomputed simulation prefix.
    pub fn compute(run: Arc<Run>, focus: Focus, known: Option<&Snapshot>, control: &JobControl) -> Result<Self> {
        let all = 0..run.recording.samples;
        Self::compute_on(run, focus, all, [known, None], control)
    }

    /// The same, with layers that are measured on `samples` alone, as a preview. What is of the focused sample, and what
    /// covers all steps, is as in the whole snapshot. A preview at the same focus, if there is one, is known too.
    ///
    /// # Errors
    /// As [`Snapshot::compute`].
    pub fn compute_on(
        run: Arc<Run>,
        focus: Focus,
        samples: Range<usize>,
        [known, preview]: [Option<&Snapshot>; 2],
        control: &JobControl,
    ) -> Result<Self> {
        let focus = focus.clamped_to(&run);
        let program = &run.network.program;
        let of_run = preview.or(known).filter(|known| Arc::ptr_eq(&known.run, &run));
        let at_step = of_run.filter(|known| known.report.steps == focus.steps && known.samples == samples);
        let report_of = |run: &Run| Ok(report_at(run, focus.steps, samples.clone(), None, control)?.0);
        let (report, measured) = match at_step {
            Some(known) => (known.report.clone(), known.measured.clone()),
            None => {
                let known = of_run.and_then(|known| known.measured.as_deref());
                let (report, measured) = report_at(&run, focus.steps, samples.clone(), known, control)?;
                (report, measured.filter(|_| samples.len() < run.recording.samples).map(Arc::new))
            }
        };
        let with_maps = |report: Arc<Report>, run: &Run| with_maps(report, run, focus.layer, &samples, control);
        let report = with_maps(report, &run)?;
        let is_requested = |part| focus.parts.has(part);
        let is_preview = run.preview_of.is_some() || samples.len() < run.recording.samples;
        let uncorrected = match (at_step.and_then(|known| known.uncorrected.clone()), run.uncorrected.get()) {
            (None, Some(plain)) if is_requested(SnapshotPart::Uncorrected) => Some(report_of(plain)?),
            (known, _) => known,
        };
        let uncorrected = match (uncorrected, run.uncorrected.get()) {
            (Some(report), Some(plain)) => Some(with_maps(report, plain)?),
            (report, _) => report,
        };
        let lane = |(k, lane): (usize, &Option<Arc<Run>>)| -> Result<Option<Arc<Report>>> {
            let Some(lane) = lane.as_ref().filter(|_| is_requested(SnapshotPart::Lanes)) else { return Ok(None) };
            // Reuse the report that was measured at this cursor before.
            let known = known.filter(|known| known.focus.steps == focus.steps && known.samples == samples);
            let reusable = known.and_then(|known| {
                let same = known.focus.lanes.get(k)?.as_ref().is_some_and(|old| Arc::ptr_eq(old, lane));
                known.lanes.get(k)?.clone().filter(|_| same)
            });
            reusable.map_or_else(|| report_of(lane), Ok::<_, Error>).map(Some)
        };
        let lanes = focus.lanes.iter().enumerate().map(lane).collect::<Result<_>>()?;
        let maps = feature_maps(&run.run_data(&[]), focus.layer, focus.sample, focus.steps);
        control.check()?;
        let currents = layer_currents(program, &run.spiking, &run.input, &run.recording, focus.layer, focus.sample);
        control.check()?;
        let position = |focus: &Focus| (focus.steps, focus.layer, focus.sample);
        let known_initial = of_run.filter(|known| position(&known.focus) == position(&focus));
        let initial = || match known_initial.and_then(|known| known.initial.clone()) {
            None if is_requested(SnapshotPart::Initial) => {
                initial_potential_errors(&run, &focus, &currents, control).map(Some)
            }
            known => Ok(known),
        };
        let known_threshold = of_run.filter(|known| known.focus.layer == focus.layer);
        let threshold = || match known_threshold.and_then(|known| known.threshold.clone()) {
            None if is_requested(SnapshotPart::Threshold) => {
                ThresholdView::new(&run, focus.layer, control).map(|view| Some(Arc::new(view)))
            }
            known => Ok(known),
        };
        // The slowest optional parts run in parallel.
        let figures = || RunFigures::compute(&run, of_run.map(|known| &known.figures), focus.parts);
        let (figures, (initial, threshold)) = rayon::join(figures, || (initial(), threshold()));
        let (initial, threshold) = (initial?, threshold?);
        control.check()?;
        let categories = categories_of(&run, &focus, &currents, &maps);
        // What covers all T steps does not depend on the cursor.
        let same_sample = of_run.filter(|known| known.focus.sample == focus.sample);
        let same_layer = same_sample.filter(|known| known.focus.layer == focus.layer);
        let ties = match same_layer {
            Some(known) => known.ties.clone(),
            None => count_ties(&run.spiking, &run.recording, &currents, focus.layer, focus.sample),
        };
        let mut at = Some(((focus.layer, focus.sample), currents));
        let mut trace_of = |layer: usize, sample: usize, neuron: usize| {
            let known = at.take().filter(|(key, _)| *key == (layer, sample));
            let (_, currents) = at.insert(known.unwrap_or_else(|| {
                ((layer, sample), layer_currents(program, &run.spiking, &run.input, &run.recording, layer, sample))
            }));
            trace(&run.spiking, &run.recording, currents, layer, sample, neuron)
        };
        let focused = match same_layer.filter(|known| known.focus.neuron == focus.neuron) {
            Some(known) => known.trace.clone(),
            None => trace_of(focus.layer, focus.sample, focus.neuron),
        };
        let mut pinned = Vec::with_capacity(focus.pinned.len());
        for pin in &focus.pinned {
            control.check()?;
            let known = of_run.and_then(|known| known.pinned.iter().find(|(known, _)| known == pin));
            let known = known.map(|(_, trace)| trace.clone());
            pinned.push((*pin, known.unwrap_or_else(|| trace_of(pin.layer, pin.sample, pin.neuron))));
        }
        control.check()?;
        let mean_input = |layer: usize, neuron: usize| mean_input_of(&run, layer, focus.sample, neuron);
        let divergence = match same_sample {
            Some(known) => known.divergence,
            None => first_divergence(&run.run_data(&[]), focus.sample, run.steps(), mean_input),
        };
        let pooled = pooled_mean(&run, &focus, control)?;
        let known_attack = of_run.and_then(|known| known.robustness.clone());
        let robustness =
            match known_attack.filter(|_| same_sample.is_some_and(|known| known.focus.attack == focus.attack)) {
                // An attack takes longer than a preview.
                None if is_requested(SnapshotPart::Robustness) && !is_preview => {
                    let known = of_run.and_then(|known| known.robustness.as_ref()?.as_ref().as_ref().ok());
                    match RobustnessView::compute(&run, focus.sample, focus.attack, known, control) {
                        Err(Error::Cancelled) => return Err(Error::Cancelled),
                        result => Some(Arc::new(result.map_err(|error| error.to_string()))),
                    }
                }
                known => known,
            };
        let index = run.sample_index(focus.sample);
        let known_recording = known.filter(|known| {
            Arc::ptr_eq(&known.run.samples, &run.samples) && known.run.sample_index(known.focus.sample) == index
        });
        let recording = match known_recording.and_then(|known| known.recording.clone()) {
            None if is_requested(SnapshotPart::Recording) => RecordingView::load(&run.samples, index, control)?,
            known => known,
        };
        static NEXT_ID: AtomicU64 = AtomicU64::new(1);
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        Ok(Self {
            id,
            run: run.clone(),
            focus,
            samples,
            report,
            measured,
            uncorrected,
            lanes,
            maps,
            categories,
            trace: focused,
            pinned,
            threshold,
            initial,
            pooled,
            divergence,
            ties,
            figures,
            robustness,
            recording,
        })
    }
}

impl RunFigures {
    /// Figures of `run`: keeps those of `known` and adds the requested `parts`.
    fn compute(run: &Run, known: Option<&Self>, parts: SnapshotParts) -> Self {
        let first_layers = || run.report.first_layers.clone();
        let mut figures =
            known.cloned().unwrap_or_else(|| Self { operations: None, readout: None, first_layers: first_layers() });
        if figures.operations.is_none() && parts.has(SnapshotPart::Operations) {
            let network = run.network.program.network();
            figures.operations = Some(Arc::new(operations(network, &run.network.fan_outs, &run.recording)));
        }
        if figures.readout.is_none() && parts.has(SnapshotPart::Readout) {
            figures.readout = Some(Arc::new(readout_report(&run.run_data(&[]))));
        }
        figures
    }
}

impl Snapshot {
    /// Whether its reports have some of the samples of its run: the whole is to come.
    pub fn lacks_samples(&self) -> bool {
        self.samples.len() < self.run.recording.samples
    }
    /// The same, or its run is a preview.
    pub fn is_preview(&self) -> bool {
        self.run.preview_of.is_some() || self.lacks_samples()
    }

    /// The focused neuron with its input currents, for the bench: it reproduces its spikes of the run.
    pub fn bench(&self) -> Option<NeuronBench> {
        let layer = self.run.spiking.layers.get(self.focus.layer)?;
        let trace = &self.trace;
        Some(NeuronBench {
            // The bias shift of RTS is part of the input here.
            input: trace.current.iter().take(MAX_STEPS).map(|i| i + layer.bias_shift * trace.theta).collect(),
            weight: 1.0,
            theta: trace.theta,
            v_init: if trace.theta > 0.0 { trace.initial / layer.neuron.amplitude(trace.theta) } else { 0.0 },
            neuron: layer.neuron,
            reset: layer.reset,
            tie: layer.tie,
            source: format!(
                "{}, sample {}",
                layer.neuron_label(self.focus.neuron),
                self.run.sample_index(self.focus.sample)
            ),
        })
    }
}

/// `report` of `run` with the maps of spiking layer `layer` over `samples`.
fn with_maps(
    report: Arc<Report>,
    run: &Run,
    layer: usize,
    samples: &Range<usize>,
    control: &JobControl,
) -> Result<Arc<Report>> {
    match report.layers.get(layer) {
        Some(figures) if figures.offset_map.is_empty() => {
            let mut report = Report::clone(&report);
            let steps = report.steps;
            report.layers[layer].compute_maps(&run.run_data(&[]), layer, steps, samples.clone(), control)?;
            Ok(Arc::new(report))
        }
        _ => Ok(report),
    }
}
