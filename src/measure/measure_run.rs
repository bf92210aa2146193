//! Makes a [`Report`]: every figure defined as in the reference cases, in f64, each neuron once.

use std::sync::Arc;

use rayon::prelude::*;

use super::accuracy_curve::{accuracy_curve, labeled};
use super::divergence::FirstLayers;
use super::layer::batch::{BATCH, NeuronBatch};
use super::layer::sample::LayerSample;
use super::layer::sums::Sums;
use super::layer_report::{Categories, LayerReport};
use super::ledger::has_own_activation;
use super::readout_delay::readout_delay;
use super::report::Report;
use super::run_data::RunData;
use crate::Result;
use crate::compute::simd::dispatch;
use crate::compute::simd::isa::{Isa, Kernel};
use crate::convert::Readout;
use crate::progress::JobControl;
use crate::task::classification::Predictions;

/// Neurons between two looks at the cancel flag.
const STRETCH: usize = 1 << 14;

/// Measures the run after `steps` steps (`1..=recording.steps`); `mean_inputs` must be of the same steps.
///
/// # Errors
/// [`crate::Error::Cancelled`] once `control` asks to stop.
pub fn measure_run(subject: &RunData<'_>, steps: usize, control: &JobControl) -> Result<Report> {
    measure_run_reusing(subject, steps, None, control)
}

/// The same, where the first so many layers did what they did in a run of the same samples that was measured after as many
/// steps: their figures are taken from there.
///
/// # Errors
/// As [`measure_run`].
pub fn measure_run_reusing(
    subject: &RunData<'_>,
    steps: usize,
    known: Option<(&Report, usize)>,
    control: &JobControl,
) -> Result<Report> {
    let known = known.filter(|(report, _)| report.steps == steps && report.samples == subject.recording.samples);
    let figures = |l: usize| match known {
        Some((report, same)) if l < same => Ok((report.layers[l].clone(), report.diverging[l].clone())),
        _ => layer_report(subject, l, steps, control).map(|(figures, leaving)| (figures, Arc::new(leaving))),
    };
    let layers = (0..subject.spiking.layers.len()).into_par_iter().map(figures).collect::<Result<Vec<_>>>()?;
    let (layers, leaving): (Vec<LayerReport>, Vec<Arc<Vec<usize>>>) = layers.into_iter().unzip();
    let right = |sample: usize| {
        subject.labels.get(sample).is_some_and(|&label| subject.ann.prediction(sample) == usize::from(label))
    };
    let delay = match subject.readout {
        Readout::Delayed(None) => readout_delay(subject.spiking, subject.ann, subject.recording.steps).estimate,
        _ => 0,
    };
    let answers = Predictions::decode(subject.recording, subject.readout, delay);
    let mut curve = accuracy_curve(&answers, subject.recording.steps, subject.ann, subject.labels);
    if let Some(likeness) = subject.likeness {
        curve.iter_mut().for_each(|point| point.agreement = likeness.agreement(point.t));
    }
    Ok(Report {
        steps,
        samples: subject.recording.samples,
        ann_accuracy: labeled(subject.labels, subject.ann.samples)
            .then(|| (0..subject.ann.samples).filter(|&s| right(s)).count() as f64 / subject.ann.samples as f64),
        curve,
        predictions: Arc::new(answers),
        output_agreement: subject.likeness.cloned(),
        layers,
        first_layers: Arc::new(FirstLayers::of(&leaving, subject.recording.samples)),
        diverging: leaving,
    })
}

/// The figures of a layer, and the samples that leave the ANN in it.
fn layer_report(
    subject: &RunData<'_>,
    index: usize,
    steps: usize,
    control: &JobControl,
) -> Result<(LayerReport, Vec<usize>)> {
    let layer = &subject.spiking.layers[index];
    let samples = subject.recording.samples;
    let most = steps * layer.neuron.max_spikes_per_step();
    // A fixed number of groups, merged in order: sums are the same whatever the number of threads.
    let group = samples.div_ceil(8).max(1);
    let starts: Vec<usize> = (0..samples).step_by(group).collect();
    let parts: Vec<Sums> = starts
        .into_par_iter()
        .map(|first| {
            let mut sums = Sums::new(layer.neurons(), most);
            for sample in first..(first + group).min(samples) {
                dispatch(AddSample { subject, index, steps, sample, sums: &mut sums, control })?;
            }
            Ok(sums)
        })
        .collect::<Result<_>>()?;
    let sums = parts.into_iter().reduce(Sums::merge).unwrap_or_else(|| Sums::new(layer.neurons(), most));
    let total = (samples * layer.neurons()).max(1) as f64;
    let per_sample = |map: Vec<f32>| map.into_iter().map(|v| v / samples.max(1) as f32).collect();
    let figures = LayerReport {
        name: layer.name.clone(),
        node: layer.node,
        shape: layer.shape.clone(),
        theta: layer.theta.clone(),
        spikes: sums.spikes,
        rate: sums.spikes as f64 / steps as f64 / total,
        mean_activation: sums.activation / total,
        mean_abs_mismatch: sums.mismatch / total,
        correlation: correlation(sums.activation, sums.moments, total),
        same_input: Categories::from_array(sums.same_input),
        end_to_end: Categories::from_array(sums.end_to_end),
        offset_spikes: sums.offset_spikes(most),
        ledger: sums.ledger.scaled(1.0 / total),
        ledger_activation: has_own_activation(layer).then(|| sums.ledger_activation.scaled(1.0 / total)),
        propagated_by_rerun: sums.propagated_by_rerun / total,
        residual: sums.residual,
        residual_end_to_end: sums.residual_end_to_end,
        silenced: sums.silenced,
        synops: sums.synops,
        density: sums.density(),
        offset_map: per_sample(sums.offset_map),
        mismatch_map: per_sample(sums.mismatch_map),
        examples: sums.examples,
    };
    Ok((figures, sums.diverging))
}

/// Adds the neurons of layer `index` for one sample.
struct AddSample<'a> {
    subject: &'a RunData<'a>,
    index: usize,
    steps: usize,
    sample: usize,
    sums: &'a mut Sums,
    control: &'a JobControl,
}

impl Kernel for AddSample<'_> {
    type Output = Result<()>;
    #[inline(always)]
    fn run<I: Isa>(self) -> Result<()> {
        let Self { subject, index, steps, sample, sums, control } = self;
        let view = LayerSample::of(subject, index, steps, sample);
        let mut strip = NeuronBatch::new();
        let mut leaves = false;
        for first in (0..view.z.len()).step_by(BATCH) {
            if first % STRETCH == 0 {
                control.check()?;
            }
            strip.read(&view, first);
            strip.compute(&view);
            strip.add_to(&view, sums);
            leaves = leaves || strip.diverges(&view);
        }
        if leaves {
            sums.diverging.push(sample);
        }
        Ok(())
    }
}

/// Pearson's r of φ and a; `None` when either does not vary.
fn correlation(sum_a: f64, [sum_p, sum_pp, sum_aa, sum_pa]: [f64; 4], n: f64) -> Option<f64> {
    let (va, vp) = (sum_aa - sum_a * sum_a / n, sum_pp - sum_p * sum_p / n);
    (va > 1e-12 * n && vp > 1e-12 * n).then(|| (sum_pa - sum_p * sum_a / n) / (va * vp).sqrt())
}
