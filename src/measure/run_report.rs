//! Makes a [`Report`]: every figure defined as in the reference cases, in f64, each neuron once.

use std::sync::Arc;

use rayon::prelude::*;

use super::answers::Answers;
use super::divergence::FirstLayers;
use super::likeness::Likeness;
use super::readout::delay;
use super::report::{Categories, CurvePoint, LayerReport, Report};
use super::sums::{Sums, own_reference};
use crate::Result;
use crate::compute::AnnRun;
use crate::convert::{Readout, SpikingNetwork};
use crate::progress::Control;
use crate::simulate::Recording;

/// A run as it is measured.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    pub spiking: &'a SpikingNetwork,
    pub ann: &'a AnnRun,
    pub recording: &'a Recording,
    /// Mean input current of every layer over the measured steps, `[N, F]` each.
    pub mean_inputs: &'a [&'a [f32]],
    /// One label per sample, or empty.
    pub labels: &'a [u16],
    /// What the answers are read from.
    pub readout: Readout,
    /// The answers beside the ANN's, where they are no classes.
    pub likeness: Option<&'a Arc<Likeness>>,
    /// Fan-out per neuron of every layer, from [`super::fan_out::fan_outs`].
    pub fan_outs: &'a [Vec<f64>],
}

/// Measures the run after `steps` steps (`1..=recording.steps`); `mean_inputs` must be of the same steps.
///
/// # Errors
/// [`crate::Error::Cancelled`] once `control` asks to stop.
pub fn report(subject: &Subject<'_>, steps: usize, control: &Control) -> Result<Report> {
    report_behind(subject, steps, None, control)
}

/// The same, where the first so many layers did what they did in a run of the same samples that was measured after as many
/// steps: their figures are taken from there.
///
/// # Errors
/// As [`report`].
pub fn report_behind(
    subject: &Subject<'_>,
    steps: usize,
    known: Option<(&Report, usize)>,
    control: &Control,
) -> Result<Report> {
    let known = known.filter(|(report, _)| report.steps == steps && report.samples == subject.recording.samples);
    let figures = |l: usize| match known {
        Some((report, same)) if l < same => Ok((report.layers[l].clone(), report.leaving[l].clone())),
        _ => layer_report(subject, l, steps, control).map(|(figures, leaving)| (figures, Arc::new(leaving))),
    };
    let layers = (0..subject.spiking.layers.len()).into_par_iter().map(figures).collect::<Result<Vec<_>>>()?;
    let (layers, leaving): (Vec<LayerReport>, Vec<Arc<Vec<usize>>>) = layers.into_iter().unzip();
    let right = |sample: usize| {
        subject.labels.get(sample).is_some_and(|&label| subject.ann.answer(sample) == usize::from(label))
    };
    let delay = match subject.readout {
        Readout::Delayed(None) => delay(subject.spiking, subject.ann, subject.recording.steps).estimate,
        _ => 0,
    };
    let answers = Answers::read(subject.recording, subject.readout, delay);
    let mut curve = curve(&answers, subject.recording.steps, subject.ann, subject.labels);
    if let Some(likeness) = subject.likeness {
        curve.iter_mut().for_each(|point| point.agreement = likeness.agreement(point.t));
    }
    Ok(Report {
        steps,
        samples: subject.recording.samples,
        ann_accuracy: labeled(subject.labels, subject.ann.samples)
            .then(|| (0..subject.ann.samples).filter(|&s| right(s)).count() as f64 / subject.ann.samples as f64),
        curve,
        answers: Arc::new(answers),
        likeness: subject.likeness.cloned(),
        layers,
        first_layers: Arc::new(FirstLayers::of(&leaving, subject.recording.samples)),
        leaving,
    })
}

fn labeled(labels: &[u16], samples: usize) -> bool {
    samples > 0 && labels.len() >= samples
}

/// Accuracy and agreement with the ANN after every step.
pub fn curve(read: &Answers, steps: usize, ann: &AnnRun, labels: &[u16]) -> Vec<CurvePoint> {
    let samples = read.samples;
    let answers: Vec<usize> = (0..samples).map(|sample| ann.answer(sample)).collect();
    let share = |count: usize| count as f64 / samples.max(1) as f64;
    let point = |t: usize| {
        let snn: Vec<usize> = (0..samples).map(|sample| read.at(t, sample)).collect();
        let agreement = share(snn.iter().zip(&answers).filter(|(a, b)| a == b).count());
        let right = || snn.iter().zip(labels).filter(|(answer, label)| **answer == usize::from(**label)).count();
        CurvePoint { t, accuracy: labeled(labels, samples).then(|| share(right())), agreement }
    };
    (1..=steps).into_par_iter().map(point).collect()
}

/// The figures of a layer, and the samples that leave the ANN in it.
fn layer_report(
    subject: &Subject<'_>,
    index: usize,
    steps: usize,
    control: &Control,
) -> Result<(LayerReport, Vec<usize>)> {
    let layer = &subject.spiking.layers[index];
    let samples = subject.recording.samples;
    let most = steps * layer.neuron.per_step();
    // A fixed number of groups, merged in order: sums are the same whatever the number of threads.
    let group = samples.div_ceil(8).max(1);
    let starts: Vec<usize> = (0..samples).step_by(group).collect();
    let parts: Vec<Sums> = starts
        .into_par_iter()
        .map(|first| {
            let mut sums = Sums::new(layer.neurons(), most);
            for sample in first..(first + group).min(samples) {
                sums.add(subject, index, steps, sample, control)?;
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
        ledger_activation: own_reference(layer).then(|| sums.ledger_activation.scaled(1.0 / total)),
        carried_in: sums.carried_in / total,
        residual: sums.residual,
        residual_end_to_end: sums.residual_end_to_end,
        silenced: sums.silenced,
        synops: sums.synops,
        density: sums.density(),
        offset_map: per_sample(sums.offset_map),
        mismatch_map: per_sample(sums.mismatch_map),
        examples: sums.examples,
    };
    Ok((figures, sums.leaving))
}

/// Pearson's r of φ and a; `None` when either does not vary.
fn correlation(sum_a: f64, [sum_p, sum_pp, sum_aa, sum_pa]: [f64; 4], n: f64) -> Option<f64> {
    let (va, vp) = (sum_aa - sum_a * sum_a / n, sum_pp - sum_p * sum_p / n);
    (va > 1e-12 * n && vp > 1e-12 * n).then(|| (sum_pa - sum_p * sum_a / n) / (va * vp).sqrt())
}
