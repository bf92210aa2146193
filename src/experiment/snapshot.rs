//! The finished run at the time cursor, with the details of what is in focus. Made by the engine, drawn by the panes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::neuron_categories::NeuronCategories;
use super::run::Run;
use super::snapshot_parts::{SnapshotPart, SnapshotParts};
use crate::convert::ActivationStatistics;
use crate::convert::threshold_error::{ThresholdError, threshold_errors};
use crate::measure::energy::{OperationCounts, operations};
use crate::measure::feature_maps::{FeatureMaps, feature_maps};
use crate::measure::neuron_bench::{MAX_STEPS, NeuronBench};
use crate::measure::readout::{ReadoutReport, readout_report};
use crate::measure::ties::{Ties, count_ties};
use crate::measure::{
    Divergence, FirstLayers, InitialPotentialErrors, NeuronRef, Report, first_divergence, measure_run,
};
use crate::progress::JobControl;
use crate::simulate::membrane_trace::{MembraneTrace, layer_currents, trace};
use crate::simulate::prefix::mean_inputs;
use crate::{Error, Result};

/// What to look at.
#[derive(Clone, Debug)]
pub struct Focus {
    /// Step t of the time cursor, 1..=T.
    pub steps: usize,
    pub layer: usize,
    pub sample: usize,
    pub neuron: usize,
    pub pinned: Vec<NeuronRef>,
    /// Finished lanes of the race, in their order.
    pub lanes: Vec<Option<Arc<Run>>>,
    /// What of the parts that only some panes read is wanted.
    pub parts: SnapshotParts,
}

impl Focus {
    /// Whether a look with this focus has all that one with `other` would have.
    pub fn covers(&self, other: &Self) -> bool {
        let place = |f: &Self| (f.steps, f.layer, f.sample, f.neuron);
        let same = |(a, b): (&Option<Arc<Run>>, &Option<Arc<Run>>)| match (a, b) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        let lanes = || self.lanes.len() == other.lanes.len() && self.lanes.iter().zip(&other.lanes).all(same);
        place(self) == place(other)
            && self.pinned == other.pinned
            && self.parts.has_all(other.parts)
            && (!other.parts.has(SnapshotPart::Lanes) || lanes())
    }
}

/// The run as it stood at the cursor.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Another number for every snapshot made: drawn textures are kept by it.
    pub id: u64,
    pub run: Arc<Run>,
    pub focus: Focus,
    /// Measured at `focus.steps` (the curve covers all steps).
    pub report: Arc<Report>,
    /// The same run without its correction, at the cursor, where the recipe has one ([`SnapshotPart::Uncorrected`]).
    pub uncorrected: Option<Arc<Report>>,
    /// The lanes of the race at the cursor, in their order ([`SnapshotPart::Lanes`]).
    pub lanes: Vec<Option<Arc<Report>>>,
    /// The layer in focus for the sample in focus, at the cursor.
    pub maps: FeatureMaps,
    /// The neurons of the layer in focus for the sample in focus by how their count is wrong, at the cursor.
    pub categories: NeuronCategories,
    /// The neuron in focus, over all T steps.
    pub trace: MembraneTrace,
    /// Pinned neurons, over all T steps, in the order of `focus.pinned`.
    pub pinned: Vec<(NeuronRef, MembraneTrace)>,
    /// The threshold view of the layer in focus ([`SnapshotPart::Threshold`]).
    pub threshold: Option<Arc<ThresholdView>>,
    /// What v(0) does to the errors of the layer in focus, at the cursor ([`SnapshotPart::Initial`]).
    pub initial: Option<Arc<InitialPotentialErrors>>,
    /// Where the sample in focus first leaves the ANN, over all T steps.
    pub divergence: Option<Divergence>,
    /// Ties of the layer in focus for the sample in focus.
    pub ties: Ties,
    /// The same for every focus.
    pub figures: RunFigures,
}

/// What depends on the run alone, whatever is looked at.
#[derive(Clone, Debug)]
pub struct RunFigures {
    /// [`SnapshotPart::OperationCounts`]
    pub operations: Option<Arc<OperationCounts>>,
    /// [`SnapshotPart::Readout`]
    pub readout: Option<Arc<ReadoutReport>>,
    /// The layers in which samples first leave the ANN, over all T steps.
    pub first_layers: Arc<FirstLayers>,
}

/// A layer's activations over the calibration samples and what each threshold would cost.
#[derive(Clone, Debug, PartialEq)]
pub struct ThresholdView {
    /// The right end of the histogram, in activation units.
    pub extent: f32,
    /// Counts of activations above zero in equal bins over `0..extent`.
    pub histogram: Vec<u64>,
    /// Share of activations that are zero.
    pub zeros: f64,
    /// The layer's threshold in the run (the largest, with one per channel).
    pub theta: f32,
    /// Thresholds worth knowing: ("99 %", θ), ("99.9 %", θ), ("max", θ), ("learned", θ).
    pub marks: Vec<(&'static str, f32)>,
    /// Predicted error over a range of thresholds, ascending in θ.
    pub predictions: Vec<ThresholdError>,
}

impl Focus {
    /// The nearest thing that `run` has.
    pub fn clamped_to(mut self, run: &Run) -> Self {
        let last = |n: usize| n.saturating_sub(1);
        self.steps = self.steps.clamp(1, run.steps());
        self.layer = self.layer.min(last(run.spiking.layers.len()));
        self.sample = self.sample.min(last(run.recording.samples));
        self.neuron = self.neuron.min(last(run.spiking.layers[self.layer].neurons()));
        self.pinned.retain(|p| {
            p.sample < run.recording.samples && run.spiking.layers.get(p.layer).is_some_and(|l| p.neuron < l.neurons())
        });
        self
    }
}

impl Snapshot {
    /// Computes what `focus` shows of `run`; what `known` has of the same is taken from there.
    pub fn compute(run: Arc<Run>, focus: Focus, known: Option<&Snapshot>, control: &JobControl) -> Result<Self> {
        let focus = focus.clamped_to(&run);
        let program = &run.network.program;
        let of_run = known.filter(|known| Arc::ptr_eq(&known.run, &run));
        let at_step = of_run.filter(|known| known.report.steps == focus.steps);
        let report = match at_step {
            Some(known) => known.report.clone(),
            None => report_at(&run, focus.steps, control)?,
        };
        let wanted = |part| focus.parts.has(part);
        let uncorrected = match (at_step.and_then(|known| known.uncorrected.clone()), run.uncorrected.get()) {
            (None, Some(plain)) if wanted(SnapshotPart::Uncorrected) => Some(report_at(plain, focus.steps, control)?),
            (known, _) => known,
        };
        let lane = |(k, lane): (usize, &Option<Arc<Run>>)| -> Result<Option<Arc<Report>>> {
            let Some(lane) = lane.as_ref().filter(|_| wanted(SnapshotPart::Lanes)) else { return Ok(None) };
            // What was measured at this cursor before serves again.
            let known = known.filter(|known| known.focus.steps == focus.steps);
            let seen = known.and_then(|known| {
                let same = known.focus.lanes.get(k)?.as_ref().is_some_and(|old| Arc::ptr_eq(old, lane));
                known.lanes.get(k)?.clone().filter(|_| same)
            });
            seen.map_or_else(|| report_at(lane, focus.steps, control), Ok).map(Some)
        };
        let lanes = focus.lanes.iter().enumerate().map(lane).collect::<Result<_>>()?;
        let maps = feature_maps(&run.run_data(&[]), focus.layer, focus.sample, focus.steps);
        control.check()?;
        let currents = layer_currents(program, &run.spiking, &run.input, &run.recording, focus.layer, focus.sample);
        control.check()?;
        let place = |focus: &Focus| (focus.steps, focus.layer, focus.sample);
        let known_initial = of_run.filter(|known| place(&known.focus) == place(&focus));
        let initial = || match known_initial.and_then(|known| known.initial.clone()) {
            None if wanted(SnapshotPart::Initial) => initial(&run, &focus, &currents).map(Some),
            known => Ok(known),
        };
        let known_threshold = of_run.filter(|known| known.focus.layer == focus.layer);
        let threshold = || match known_threshold.and_then(|known| known.threshold.clone()) {
            None if wanted(SnapshotPart::Threshold) => {
                ThresholdView::of(&run, focus.layer).map(|view| Some(Arc::new(view)))
            }
            known => Ok(known),
        };
        // The longest of what panes ask for beside each other.
        let whole = || RunFigures::of(&run, of_run.map(|known| &known.figures), focus.parts);
        let (whole, (initial, threshold)) = rayon::join(whole, || (initial(), threshold()));
        let (initial, threshold) = (initial?, threshold?);
        control.check()?;
        let kinds = kinds_of(&run, &focus, &currents, &maps);
        let ties = count_ties(&run.spiking, &run.recording, &currents, focus.layer, focus.sample);
        let mut at = Some(((focus.layer, focus.sample), currents));
        let mut trace_of = |layer: usize, sample: usize, neuron: usize| {
            let known = at.take().filter(|(key, _)| *key == (layer, sample));
            let (_, currents) = at.insert(known.unwrap_or_else(|| {
                ((layer, sample), layer_currents(program, &run.spiking, &run.input, &run.recording, layer, sample))
            }));
            trace(&run.spiking, &run.recording, currents, layer, sample, neuron)
        };
        let focused = trace_of(focus.layer, focus.sample, focus.neuron);
        let mut pinned = Vec::with_capacity(focus.pinned.len());
        for pin in &focus.pinned {
            control.check()?;
            pinned.push((*pin, trace_of(pin.layer, pin.sample, pin.neuron)));
        }
        control.check()?;
        let mean_input = |layer: usize, neuron: usize| mean_input_of(&run, layer, focus.sample, neuron);
        let divergence = first_divergence(&run.run_data(&[]), focus.sample, run.steps(), mean_input);
        static MADE: AtomicU64 = AtomicU64::new(1);
        let id = MADE.fetch_add(1, Ordering::Relaxed);
        Ok(Self {
            id,
            run: run.clone(),
            focus,
            report,
            uncorrected,
            lanes,
            maps,
            categories: kinds,
            trace: focused,
            pinned,
            threshold,
            initial,
            divergence,
            ties,
            figures: whole,
        })
    }
}

impl RunFigures {
    /// Of `run`; what is known of it stays, and of the parts those that are wanted are added.
    fn of(run: &Run, known: Option<&Self>, parts: SnapshotParts) -> Self {
        let first_layers = || run.report.first_layers.clone();
        let mut whole =
            known.cloned().unwrap_or_else(|| Self { operations: None, readout: None, first_layers: first_layers() });
        if whole.operations.is_none() && parts.has(SnapshotPart::Operations) {
            let network = run.network.program.network();
            whole.operations = Some(Arc::new(operations(network, &run.network.fan_outs, &run.recording)));
        }
        if whole.readout.is_none() && parts.has(SnapshotPart::Readout) {
            whole.readout = Some(Arc::new(readout_report(&run.run_data(&[]))));
        }
        whole
    }
}

impl Snapshot {
    /// The neuron in focus with the input that it had, for the bench: it does there what it did in the run.
    pub fn bench(&self) -> Option<NeuronBench> {
        let layer = self.run.spiking.layers.get(self.focus.layer)?;
        let trace = &self.trace;
        Some(NeuronBench {
            // The shift of RTS is charge like any other here.
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

/// The report of `run` after `steps` steps.
pub fn report_at(run: &Run, steps: usize, control: &JobControl) -> Result<Arc<Report>> {
    if steps == run.steps() {
        return Ok(run.report.clone());
    }
    let means = mean_inputs(&run.network.program, &run.spiking, &run.input, &run.recording, steps, control)?;
    let means: Vec<&[f32]> = means.iter().map(Vec::as_slice).collect();
    Ok(Arc::new(measure_run(&run.run_data(&means), steps, control)?))
}

/// Mean input current of one neuron over all steps; of a run that was put aside it is worked out again.
fn mean_input_of(run: &Run, layer: usize, sample: usize, neuron: usize) -> f32 {
    let neurons = run.spiking.layers[layer].neurons();
    let recorded = run.recording.layers[layer].mean_input.get(sample * neurons + neuron);
    recorded.copied().unwrap_or_else(|| {
        let currents = layer_currents(&run.network.program, &run.spiking, &run.input, &run.recording, layer, sample);
        let own = currents.iter().skip(neuron).step_by(neurons.max(1));
        own.sum::<f32>() / run.steps() as f32
    })
}

/// How the counts of the layer in focus are wrong, from its `currents`, `[T, F]`.
fn kinds_of(run: &Run, focus: &Focus, currents: &[f32], maps: &FeatureMaps) -> NeuronCategories {
    let layer = &run.spiking.layers[focus.layer];
    let neurons = layer.neurons();
    let z = &run.ann.pre_activations[focus.layer][focus.sample * neurons..(focus.sample + 1) * neurons];
    let record = &run.recording.layers[focus.layer];
    let recorded = record.mean_input.get(focus.sample * neurons..(focus.sample + 1) * neurons);
    let mean_input = if let Some(recorded) = recorded.filter(|_| focus.steps == run.steps()) {
        recorded.to_vec()
    } else {
        let mut sums = vec![0.0f64; neurons];
        for step in currents.chunks(neurons.max(1)).take(focus.steps) {
            sums.iter_mut().zip(step).for_each(|(sum, current)| *sum += f64::from(*current));
        }
        sums.into_iter().map(|sum| (sum / focus.steps as f64) as f32).collect()
    };
    NeuronCategories::of(layer, z, &mean_input, &maps.counts, focus.steps)
}

/// The view of v(0) of the layer in focus.
fn initial(run: &Run, focus: &Focus, currents: &[f32]) -> Result<Arc<InitialPotentialErrors>> {
    let statistics = statistics(run, focus.layer)?;
    let subject = run.run_data(&[]);
    Ok(Arc::new(InitialPotentialErrors::new(&subject, statistics, focus.layer, focus.sample, currents, focus.steps)))
}

fn statistics(run: &Run, layer: usize) -> Result<&ActivationStatistics> {
    let statistics = run.calibration.layers.get(layer);
    statistics.ok_or_else(|| Error::Internal(format!("layer {layer} was not calibrated")))
}

impl ThresholdView {
    /// The view of spiking layer `layer` of `run`.
    pub fn of(run: &Run, layer: usize) -> Result<Self> {
        let statistics = statistics(run, layer)?;
        let spiking = &run.spiking.layers[layer];
        let sorted = &statistics.layer;
        let theta = spiking.theta.iter().copied().fold(0.0, f32::max);
        let mut marks =
            vec![("99 %", sorted.percentile(99.0)), ("99.9 %", sorted.percentile(99.9)), ("max", sorted.max())];
        if let Some(lambda) = spiking.activation.lambda() {
            marks.push(("learned", lambda));
        }
        let extent = marks.iter().map(|m| m.1).fold(theta, f32::max).max(f32::MIN_POSITIVE) * 1.05;
        let mut thetas: Vec<f32> = (1..=96).map(|k| extent * k as f32 / 96.0).collect();
        // A network's own threshold lies between two others, and may be the only one without error.
        thetas.extend(spiking.activation.lambda());
        thetas.sort_by(f32::total_cmp);
        Ok(Self {
            extent,
            histogram: sorted.histogram(96, extent),
            zeros: sorted.zeros as f64 / sorted.len().max(1) as f64,
            theta,
            marks,
            predictions: threshold_errors(sorted, spiking.activation, &thetas, run.steps(), spiking.v_init),
        })
    }
}
