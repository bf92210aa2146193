//! Measures a finished run: computes the [`Report`] in f64, one pass over all neurons.
//!
//! Every figure is defined as in the reference cases (`golden`).

pub mod in_parts;

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::accuracy_curve::{accuracy_curve, labeled};
use super::divergence::FirstLayers;
use super::layer::batch::{BATCH, NeuronBatch};
use super::layer::sample::LayerSample;
use super::layer::sums::Sums;
use super::layer::uniform::{CHUNK, Chunk, UniformNeurons, is_applicable};
use super::layer_report::{Categories, Density, LayerReport};
use super::ledger::{has_own_activation, pooling_part};
use super::readout_delay::readout_delay;
use super::report::Report;
use super::run_data::{NeuronRef, RunData};
use crate::Result;
use crate::compute::simd::dispatch;
use crate::compute::simd::isa::{Isa, Kernel};
use crate::convert::{Readout, SpikingLayer, expected_spikes};
use crate::network::Activation;
use crate::progress::JobControl;
use crate::task::classification::Predictions;

/// Batches between two checks of the cancellation flag.
const CANCEL_CHECK_BATCHES: usize = 256;

/// Measures the run after `steps` steps (`1..=recording.steps`); `mean_inputs` must be of the same steps.
///
/// # Errors
/// [`crate::Error::Cancelled`] if `control` is cancelled.
pub fn measure_run(data: &RunData<'_>, steps: usize, control: &JobControl) -> Result<Report> {
    measure_run_reusing(data, steps, None, control)
}

/// The same, but reuses figures: `known` is the report of a run of the same samples after as many steps, and the number of
/// leading layers that behaved the same in it.
///
/// # Errors
/// As [`measure_run`].
pub fn measure_run_reusing(
    data: &RunData<'_>,
    steps: usize,
    known: Option<(&Report, usize)>,
    control: &JobControl,
) -> Result<Report> {
    let known = known.filter(|(report, _)| report.steps == steps && report.samples == data.recording.samples);
    let figures = |l: usize| match known {
        Some((report, unchanged)) if l < unchanged => Ok((report.layers[l].clone(), report.diverging[l].clone())),
        _ => layer_sums(data, l, steps, control).map(|sums| layer_report(data, l, steps, data.recording.samples, sums)),
    };
    let layers = (0..data.spiking.layers.len()).into_par_iter().map(figures).collect::<Result<Vec<_>>>()?;
    Ok(report(data, steps, layers))
}

/// The report of a run from the figures of its layers, each with the samples that diverge in it. Of `data` the outputs are
/// read.
fn report(data: &RunData<'_>, steps: usize, layers: Vec<(LayerReport, Arc<Vec<usize>>)>) -> Report {
    let (layers, diverging): (Vec<LayerReport>, Vec<Arc<Vec<usize>>>) = layers.into_iter().unzip();
    let correct =
        |sample: usize| data.labels.get(sample).is_some_and(|&label| data.ann.prediction(sample) == usize::from(label));
    let delay = match data.readout {
        Readout::Delayed(None) => readout_delay(data.spiking, data.ann, data.recording.steps).estimate,
        _ => 0,
    };
    let predictions = Predictions::decode(data.recording, data.readout, delay);
    let mut curve = accuracy_curve(&predictions, data.recording.steps, data.ann, data.labels);
    if let Some(agreement) = data.output_agreement {
        curve.iter_mut().for_each(|point| point.agreement = agreement.agreement(point.t));
    }
    Report {
        steps,
        samples: data.recording.samples,
        ann_accuracy: labeled(data.labels, data.ann.samples)
            .then(|| (0..data.ann.samples).filter(|&s| correct(s)).count() as f64 / data.ann.samples as f64),
        curve,
        predictions: Arc::new(predictions),
        output_agreement: data.output_agreement.cloned(),
        layers,
        first_layers: Arc::new(FirstLayers::from_diverging(&diverging, data.recording.samples)),
        diverging,
    }
}

/// Samples of one group of sums. Their number is fixed and they are merged in order: sums do not depend on the number of
/// threads.
pub fn group_size(samples: usize) -> usize {
    samples.div_ceil(8).max(1)
}

/// The largest count of a neuron of `layer` over `steps` steps.
fn max_count(layer: &SpikingLayer, steps: usize) -> usize {
    steps * layer.neuron.max_spikes_per_step()
}

/// The sums of a layer over all samples.
fn layer_sums(data: &RunData<'_>, index: usize, steps: usize, control: &JobControl) -> Result<Sums> {
    let samples = data.recording.samples;
    let max_count = max_count(&data.spiking.layers[index], steps);
    let group = group_size(samples);
    let starts: Vec<usize> = (0..samples).step_by(group).collect();
    let parts: Vec<Sums> = starts
        .into_par_iter()
        .map(|first| {
            let mut sums = Sums::new(max_count);
            add_samples(data, index, steps, first..(first + group).min(samples), 0, &mut sums, control)?;
            Ok(sums)
        })
        .collect::<Result<_>>()?;
    Ok(parts.into_iter().reduce(Sums::merge).unwrap_or_else(|| Sums::new(max_count)))
}

/// Adds the neurons of layer `index` for `samples` of `data`, whose first sample is sample `first` of the run.
fn add_samples(
    data: &RunData<'_>,
    index: usize,
    steps: usize,
    samples: Range<usize>,
    first: usize,
    sums: &mut Sums,
    control: &JobControl,
) -> Result<()> {
    samples
        .into_iter()
        .try_for_each(|sample| dispatch(AddSample { data, index, steps, sample, first, sums: &mut *sums, control }))
}

/// The figures of a layer from the `sums` over `samples` samples, and those of them that diverge in it.
fn layer_report(
    data: &RunData<'_>,
    index: usize,
    steps: usize,
    samples: usize,
    sums: Sums,
) -> (LayerReport, Arc<Vec<usize>>) {
    let layer = &data.spiking.layers[index];
    let total = (samples * layer.neurons()).max(1) as f64;
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
        offset_spikes: sums.offset_spikes(max_count(layer, steps)),
        ledger: sums.ledger.scaled(1.0 / total),
        ledger_activation: has_own_activation(layer).then(|| sums.ledger_activation.scaled(1.0 / total)),
        propagated_by_rerun: sums.propagated_by_rerun / total,
        residual: sums.residual,
        residual_end_to_end: sums.residual_end_to_end,
        silenced: sums.silenced,
        synops: sums.synops,
        density: Density::default(),
        offset_map: Vec::new(),
        examples: sums.examples,
    };
    (figures, Arc::new(sums.diverging))
}

/// Adds the neurons of layer `index` for one sample.
struct AddSample<'a> {
    data: &'a RunData<'a>,
    index: usize,
    steps: usize,
    sample: usize,
    /// Sample of the run that is the first of `data`.
    first: usize,
    sums: &'a mut Sums,
    control: &'a JobControl,
}

impl Kernel for AddSample<'_> {
    type Output = Result<()>;
    #[inline(always)]
    fn run<I: Isa>(self) -> Result<()> {
        let Self { data, index, steps, sample, first, sums, control } = self;
        let mut input = LayerSample::new(data, index, steps, sample);
        input.sample_of_run = first + sample;
        let (known, before) = (sums.examples, sums.same_input);
        // Neurons that are measured in batches.
        let mut others = Vec::new();
        let mut has_diverged = false;
        let is_uniform = is_applicable(&input);
        if is_uniform {
            has_diverged = add_uniform(&input, sums, &mut others, control)?;
        } else {
            others.push(0..input.z.len());
        }
        let mut batch = NeuronBatch::new();
        for neurons in others {
            for (k, first) in neurons.clone().step_by(BATCH).enumerate() {
                if k % CANCEL_CHECK_BATCHES == 0 {
                    control.check()?;
                }
                batch.read(&input, first, neurons.end - first);
                batch.compute(&input);
                batch.add_to(&input, sums);
                has_diverged = has_diverged || batch.diverges(&input);
            }
        }
        add_pooling(&input, sums);
        if is_uniform {
            add_examples(&input, known, before, sums);
        }
        if has_diverged {
            sums.diverging.push(first + sample);
        }
        Ok(())
    }
}

/// Adds the neurons of one sample that [`UniformNeurons`] can measure; the ranges of the others are appended to `others`.
/// Returns whether the error of any exceeds what quantization explains.
#[inline(always)]
fn add_uniform(
    input: &LayerSample<'_>,
    sums: &mut Sums,
    others: &mut Vec<Range<usize>>,
    control: &JobControl,
) -> Result<bool> {
    let per_threshold = if input.layer.theta.len() == 1 { input.z.len() } else { input.plane };
    let mut has_diverged = false;
    for (k, &theta) in input.layer.theta.iter().enumerate() {
        control.check()?;
        let first = k * per_threshold;
        let span = first..first + per_threshold;
        let mut neurons = UniformNeurons::new(input, theta);
        let (z, rest) = input.z[span.clone()].as_chunks::<CHUNK>();
        let zin = input.zin[span.clone()].as_chunks::<CHUNK>().0;
        let counts = input.counts[span.clone()].as_chunks::<CHUNK>().0;
        let fan_out = input.fan_out.unwrap_or_default()[span.clone()].as_chunks::<CHUNK>().0;
        for (chunk, (((z, zin), counts), fan_out)) in z.iter().zip(zin).zip(counts).zip(fan_out).enumerate() {
            if !neurons.add(&Chunk { z, zin, counts, fan_out }, &mut sums.offsets) {
                let at = first + chunk * CHUNK;
                match others.last_mut().filter(|last| last.end == at) {
                    Some(last) => last.end += CHUNK,
                    None => others.push(at..at + CHUNK),
                }
            }
        }
        if !rest.is_empty() {
            others.push(span.end - rest.len()..span.end);
        }
        has_diverged |= neurons.finish(sums);
    }
    Ok(has_diverged)
}

/// Moves what the max pool before the neurons adds from the propagated part to the part of pooling.
fn add_pooling(input: &LayerSample<'_>, sums: &mut Sums) {
    let Some(pooled) = input.pooled else { return };
    let part = |activation: Activation| {
        let parts = input.zin.iter().zip(pooled).map(|(&zin, &pooled)| pooling_part(activation, zin, pooled));
        parts.sum::<f64>()
    };
    sums.ledger = sums.ledger.with_pooling(part(Activation::Relu));
    if has_own_activation(input.layer) {
        sums.ledger_activation = sums.ledger_activation.with_pooling(part(input.layer.activation));
    }
}

/// The first neuron of each category that had no example before this sample.
fn add_examples(input: &LayerSample<'_>, known: [Option<NeuronRef>; 5], before: [u64; 5], sums: &mut Sums) {
    sums.examples = known;
    for category in 0..5 {
        if known[category].is_some() || sums.same_input[category] == before[category] {
            continue;
        }
        let (layer, per_step) = (input.layer, input.per_step);
        let is_example = |neuron: usize| {
            let (n, amplitude) = (input.counts[neuron], layer.amplitude_of(neuron));
            let expected = expected_spikes(input.zin[neuron], amplitude, input.steps, per_step, 0.5);
            Categories::index(n, expected) == category && (category != 0 || n > 0)
        };
        let example = |neuron| NeuronRef { layer: input.index, sample: input.sample_of_run, neuron };
        sums.examples[category] = (0..input.z.len()).find(|&neuron| is_example(neuron)).map(example);
    }
}

/// Pearson's r of φ and a; `None` if either is constant.
fn correlation(sum_a: f64, [sum_p, sum_pp, sum_aa, sum_pa]: [f64; 4], n: f64) -> Option<f64> {
    let (va, vp) = (sum_aa - sum_a * sum_a / n, sum_pp - sum_p * sum_p / n);
    (va > 1e-12 * n && vp > 1e-12 * n).then(|| (sum_pa - sum_p * sum_a / n) / (va * vp).sqrt())
}
