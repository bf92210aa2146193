//! The finished run at the time cursor, with the details of what is in focus. Made by the engine, drawn by the panes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::run::Run;
use crate::measure::energy::{Operations, operations};
use crate::measure::maps::{FeatureMaps, feature_maps};
use crate::measure::predict::{Prediction, predict};
use crate::measure::readout::{ReadoutReport, readout_report};
use crate::measure::{NeuronRef, Report, report};
use crate::simulate::Control;
use crate::simulate::prefix::mean_inputs;
use crate::simulate::trace::{Trace, layer_currents, trace};
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
}

impl PartialEq for Focus {
    fn eq(&self, other: &Self) -> bool {
        let place = |f: &Self| (f.steps, f.layer, f.sample, f.neuron);
        let same = |(a, b): (&Option<Arc<Run>>, &Option<Arc<Run>>)| match (a, b) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        place(self) == place(other)
            && self.pinned == other.pinned
            && self.lanes.len() == other.lanes.len()
            && self.lanes.iter().zip(&other.lanes).all(same)
    }
}

/// The run as it stood at the cursor.
#[derive(Debug)]
pub struct Snapshot {
    /// Another number for every snapshot made: drawn textures are kept by it.
    pub id: u64,
    pub run: Arc<Run>,
    pub focus: Focus,
    /// Measured at `focus.steps` (the curve covers all steps).
    pub report: Arc<Report>,
    /// The same run without its correction, at the cursor, where the recipe has one.
    pub uncorrected: Option<Arc<Report>>,
    /// The lanes of the race at the cursor, in their order.
    pub lanes: Vec<Option<Arc<Report>>>,
    /// The layer in focus for the sample in focus, at the cursor.
    pub maps: FeatureMaps,
    /// The neuron in focus, over all T steps.
    pub trace: Trace,
    /// Pinned neurons, over all T steps, in the order of `focus.pinned`.
    pub pinned: Vec<(NeuronRef, Trace)>,
    /// The threshold view of the layer in focus.
    pub threshold: ThresholdView,
    /// The same for every focus.
    pub whole: Arc<Whole>,
}

/// What depends on the run alone, whatever is looked at.
#[derive(Debug)]
pub struct Whole {
    pub operations: Operations,
    pub readout: ReadoutReport,
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
    pub predictions: Vec<Prediction>,
}

impl Focus {
    /// The nearest thing that `run` has.
    pub fn within(mut self, run: &Run) -> Self {
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
    /// Computes what `focus` shows of `run`; `known` gives the report when the cursor stands where it stood.
    pub fn compute(run: Arc<Run>, focus: Focus, known: Option<&Snapshot>, control: &Control) -> Result<Self> {
        let focus = focus.within(&run);
        let program = &run.model.program;
        let same = known.filter(|known| Arc::ptr_eq(&known.run, &run) && known.report.steps == focus.steps);
        let (report, uncorrected) = match same {
            Some(known) => (known.report.clone(), known.uncorrected.clone()),
            None => {
                let uncorrected =
                    run.uncorrected.get().map(|plain| report_at(plain, focus.steps, control)).transpose()?;
                (report_at(&run, focus.steps, control)?, uncorrected)
            }
        };
        let lane = |(k, lane): (usize, &Option<Arc<Run>>)| -> Result<Option<Arc<Report>>> {
            let Some(lane) = lane else { return Ok(None) };
            // What was measured at this cursor before serves again.
            let known = known.filter(|known| known.focus.steps == focus.steps);
            let seen = known.and_then(|known| {
                let same = known.focus.lanes.get(k)?.as_ref().is_some_and(|old| Arc::ptr_eq(old, lane));
                known.lanes.get(k)?.clone().filter(|_| same)
            });
            seen.map_or_else(|| report_at(lane, focus.steps, control), Ok).map(Some)
        };
        let lanes = focus.lanes.iter().enumerate().map(lane).collect::<Result<_>>()?;
        let maps = feature_maps(&run.subject(&[]), focus.layer, focus.sample, focus.steps);
        let mut at = None;
        let mut trace_of = |layer: usize, sample: usize, neuron: usize| {
            let known = at.take().filter(|(key, _)| *key == (layer, sample));
            let (_, currents) = at.insert(known.unwrap_or_else(|| {
                ((layer, sample), layer_currents(program, &run.spiking, &run.input, &run.recording, layer, sample))
            }));
            trace(&run.spiking, &run.recording, currents, layer, sample, neuron)
        };
        let focused = trace_of(focus.layer, focus.sample, focus.neuron);
        let pinned = focus.pinned.iter().map(|p| (*p, trace_of(p.layer, p.sample, p.neuron))).collect();
        control.check()?;
        let threshold = ThresholdView::of(&run, focus.layer)?;
        let whole = match known.filter(|known| Arc::ptr_eq(&known.run, &run)) {
            Some(known) => known.whole.clone(),
            None => Arc::new(Whole {
                operations: operations(program.network(), &run.model.fan_outs, &run.recording),
                readout: readout_report(&run.subject(&[])),
            }),
        };
        control.check()?;
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
            trace: focused,
            pinned,
            threshold,
            whole,
        })
    }
}

/// The report of `run` after `steps` steps.
pub fn report_at(run: &Run, steps: usize, control: &Control) -> Result<Arc<Report>> {
    if steps == run.steps() {
        return Ok(run.report.clone());
    }
    let means = mean_inputs(&run.model.program, &run.spiking, &run.input, &run.recording, steps, control)?;
    let means: Vec<&[f32]> = means.iter().map(Vec::as_slice).collect();
    Ok(Arc::new(report(&run.subject(&means), steps)))
}

impl ThresholdView {
    /// The view of spiking layer `layer` of `run`.
    pub fn of(run: &Run, layer: usize) -> Result<Self> {
        let statistics = run.calibration.layers.get(layer);
        let statistics = statistics.ok_or_else(|| Error::Internal(format!("layer {layer} was not calibrated")))?;
        let spiking = &run.spiking.layers[layer];
        let sorted = &statistics.layer;
        let theta = spiking.theta.iter().copied().fold(0.0, f32::max);
        let mut marks =
            vec![("99 %", sorted.percentile(99.0)), ("99.9 %", sorted.percentile(99.9)), ("max", sorted.max())];
        if let Some(lambda) = spiking.activation.lambda() {
            marks.push(("learned", lambda));
        }
        let extent = marks.iter().map(|m| m.1).fold(theta, f32::max).max(f32::MIN_POSITIVE) * 1.05;
        let thetas: Vec<f32> = (1..=96).map(|k| extent * k as f32 / 96.0).collect();
        Ok(Self {
            extent,
            histogram: sorted.histogram(96, extent),
            zeros: sorted.zeros as f64 / sorted.len().max(1) as f64,
            theta,
            marks,
            predictions: predict(sorted, &thetas, run.steps(), spiking.v_init),
        })
    }
}
