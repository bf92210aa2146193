//! Integrates one layer of neurons over its currents, for a block of samples.

use std::ops::Range;

use super::column::{MAX_PLANES, NeuronColumn};
use super::correction::cos::CosShift;
use super::currents::{ColumnTask, Currents};
use super::event_currents::ColumnPosition;
use super::neuron::Dynamics;
use super::recording::LayerRecording;
use super::spike_train::SpikeTrain;
use crate::Result;
use crate::compute::Lanes;
use crate::compute::event::gather::Column;
use crate::compute::simd::lanes::LANES;
use crate::convert::{Correction, SpikingLayer};
use crate::progress::JobControl;

/// Result of integrating one layer.
pub(super) struct LayerTrace {
    /// Spikes of all simulated steps, including those that are not recorded.
    pub spikes: SpikeTrain,
    /// Mean input current over the recorded steps, `[B, F]`.
    pub mean_input: Vec<f32>,
    /// Potential after the last recorded step, `[B, F]`.
    pub potential: Vec<f32>,
    /// Shifted v(0), `[B, F]` (COS).
    pub start: Option<Vec<f32>>,
    /// Silenced neurons, one step of bits (SRP).
    pub silenced: Option<SpikeTrain>,
}

/// Parameters for integrating one layer.
pub(super) struct LayerTask<'a> {
    pub layer: &'a SpikingLayer,
    /// Whether the current is the same at every step.
    pub constant: bool,
    /// Steps that are recorded; a correction may read more.
    pub recorded_steps: usize,
    /// Index of the first sample in the run.
    pub first: usize,
    /// The layer's recording so far and its number of steps, if the run resumes.
    pub resume_from: Option<(&'a LayerRecording, usize)>,
    pub correction: Correction,
    /// Silenced neurons, one step of bits.
    pub mask: Option<&'a SpikeTrain>,
}

/// Integrates `currents`, the input of `layer_task.layer`.
///
/// # Errors
/// [`crate::Error::Cancelled`] once `control` is cancelled.
pub(super) fn integrate(
    layer_task: &LayerTask<'_>,
    currents: &Currents<'_>,
    control: &JobControl,
) -> Result<LayerTrace> {
    match currents.lanes() {
        1 => integrate_in::<1>(layer_task, currents, control),
        2 => integrate_in::<2>(layer_task, currents, control),
        _ => integrate_in::<4>(layer_task, currents, control),
    }
}

/// Result of one task for its places, channels innermost.
struct TaskOutput {
    samples: Range<usize>,
    places: Range<usize>,
    /// Whether it contains all channels; otherwise the missing ones are zero.
    all_channels: bool,
    /// `[sample][T][plane][word]`
    bits: Vec<u64>,
    /// `[sample][place][channel]` each.
    mean: Vec<f32>,
    potential: Vec<f32>,
    start: Vec<f32>,
}

fn integrate_in<const N: usize>(
    layer_task: &LayerTask<'_>,
    currents: &Currents<'_>,
    control: &JobControl,
) -> Result<LayerTrace> {
    let LayerTask { layer, first, resume_from, .. } = *layer_task;
    let before = resume_from.map_or(0, |(_, steps)| steps);
    let silenced_mask =
        layer_task.mask.cloned().or_else(|| resumed_silenced(layer, resume_from, first, currents.samples));
    let emitted = emitted_before(layer, resume_from, first, currents.samples);
    let outputs = currents.for_each_column::<N, TaskOutput>(control, |task, columns| {
        let mut output =
            TaskOutput::new(task, currents, layer, matches!(layer_task.correction, Correction::Cos { .. }));
        let template = NeuronTemplate::<N>::new(layer_task);
        columns(&mut |at, column| {
            let mut neurons = template.neurons(at, layer_task, &emitted);
            if let (Correction::Cos { steps, passes, rule }, None) = (layer_task.correction, resume_from) {
                let cos = CosShift { steps, passes, rule, tie: layer.tie };
                cos.calibrate_column(&mut neurons, column);
                output.store_start(at, layer, &neurons.v);
            }
            output.take_column(at, layer_task, [before, currents.steps], &mut neurons, column, silenced_mask.as_ref());
        })?;
        Ok(output)
    })?;
    Ok(merge_outputs(layer_task, currents, outputs, silenced_mask))
}

/// Neurons before their first step, a template for every column: most layers start uniformly.
struct NeuronTemplate<const N: usize> {
    neurons: NeuronColumn<N>,
    /// Whether θ and v(0) are the same for all neurons.
    uniform: bool,
}

impl<const N: usize> NeuronTemplate<N> {
    fn new(layer_task: &LayerTask<'_>) -> Self {
        let layer = layer_task.layer;
        let theta = layer.theta.first().copied().unwrap_or(f32::INFINITY);
        let neurons = NeuronColumn {
            dynamics: Dynamics { neuron: layer.neuron, reset: layer.reset, tie: layer.tie },
            theta: [Lanes([theta; LANES]); N],
            shift: layer.bias_shift,
            v: [Lanes([layer.v_init * layer.neuron.amplitude(theta); LANES]); N],
            charge: [Lanes::ZERO; N],
            emitted: [[0; LANES]; N],
        };
        Self {
            neurons,
            uniform: layer.theta.len() == 1 && layer.v_init_values.is_none() && layer_task.resume_from.is_none(),
        }
    }

    /// The neurons of one column, before their first step.
    fn neurons(&self, at: &ColumnPosition, layer_task: &LayerTask<'_>, emitted: &[i32]) -> NeuronColumn<N> {
        let layer = layer_task.layer;
        let mut neurons = self.neurons.clone();
        if self.uniform {
            for lane in at.lanes()..N * LANES {
                neurons.theta[lane / LANES].0[lane % LANES] = f32::INFINITY;
                neurons.v[lane / LANES].0[lane % LANES] = 0.0;
            }
            return neurons;
        }
        neurons.theta = [Lanes([f32::INFINITY; LANES]); N];
        neurons.v = [Lanes::ZERO; N];
        for (lane, (place, c)) in at.neurons().enumerate() {
            let neuron = c * layer.neurons_per_channel() + place;
            let theta = if layer.theta.len() == 1 { layer.theta[0] } else { layer.theta[c] };
            neurons.theta[lane / LANES].0[lane % LANES] = theta;
            neurons.v[lane / LANES].0[lane % LANES] = match layer_task.resume_from {
                Some((record, _)) => record.potential[(layer_task.first + at.sample) * layer.neurons() + neuron],
                None if layer.v_init_values.is_none() => layer.v_init * layer.neuron.amplitude(theta),
                None => layer.v_init_of(neuron),
            };
            if !emitted.is_empty() {
                neurons.emitted[lane / LANES][lane % LANES] = emitted[at.sample * layer.neurons() + neuron];
            }
        }
        neurons
    }
}

impl TaskOutput {
    fn new(task: &ColumnTask, currents: &Currents<'_>, layer: &SpikingLayer, shifted: bool) -> Self {
        let neurons = task.places.len() * currents.grid.channels;
        let planes = layer.neuron.plane_weights().len();
        let all = task.samples.len() * neurons;
        Self {
            samples: task.samples.clone(),
            places: task.places.clone(),
            all_channels: task.all_channels,
            bits: vec![0; task.samples.len() * currents.steps * planes * neurons.div_ceil(64)],
            mean: vec![0.0; all],
            potential: vec![0.0; all],
            start: vec![0.0; if shifted { all } else { 0 }],
        }
    }

    /// Index of the first channel of `at` in `[sample][place][channel]`, and the same within its sample.
    fn index(&self, at: &ColumnPosition, channels: usize) -> (usize, usize) {
        let within = (at.place - self.places.start) * channels + at.channels.start;
        ((at.sample - self.samples.start) * self.places.len() * channels + within, within)
    }

    fn store_start<const N: usize>(&mut self, at: &ColumnPosition, layer: &SpikingLayer, v: &[Lanes; N]) {
        let (index, _) = self.index(at, layer.shape[0]);
        store(&mut self.start[index..index + at.lanes()], v);
    }

    /// Runs `neurons` over `steps` of `column` and stores the result; `before` steps were simulated earlier. A column
    /// of one step represents all of them.
    fn take_column<const N: usize>(
        &mut self,
        at: &ColumnPosition,
        layer_task: &LayerTask<'_>,
        [before, steps]: [usize; 2],
        neurons: &mut NeuronColumn<N>,
        column: &Column<N>,
        silenced_mask: Option<&SpikeTrain>,
    ) {
        let layer = layer_task.layer;
        let channels = layer.shape[0];
        let (index, within) = self.index(at, channels);
        let own = index..index + at.lanes();
        let planes = layer.neuron.plane_weights().len();
        let mut masks = [0u64; 64 * MAX_PLANES];
        let words = (self.places.len() * channels).div_ceil(64);
        let row = (at.sample - self.samples.start) * steps * planes * words;
        let silent = silenced_mask.map_or(0, |silenced_mask| {
            let first = at.place * channels + at.channels.start;
            crate::compute::event::event_list::bits_at(silenced_mask.row(0, at.sample), first, at.lanes())
        });
        let mask_of_column = if at.lanes() < 64 { (1 << at.lanes()) - 1 } else { u64::MAX } & !silent;
        for span in chunks(steps, layer_task.recorded_steps) {
            let masks = &mut masks[..span.len() * planes];
            match column {
                [current] => neurons.advance_constant(current, masks),
                _ => neurons.advance(&column[span.clone()], masks),
            }
            let rows = self.bits[row + span.start * planes * words..].chunks_exact_mut(words.max(1));
            if within % 64 == 0 {
                // A column has at most one word.
                rows.zip(&*masks).for_each(|(words, mask)| words[within / 64] |= mask & mask_of_column);
            } else {
                rows.zip(&*masks).for_each(|(words, mask)| or_bits(words, within, mask & mask_of_column));
            }
            if span.end == layer_task.recorded_steps {
                store(&mut self.potential[own.clone()], &neurons.v);
                store(&mut self.mean[own.clone()], &neurons.charge);
            }
        }
        let mean = &mut self.mean[own];
        if layer_task.constant {
            // Exact: a sum of equal numbers would round.
            store(mean, &column[0]);
        } else if let Some((record, _)) = layer_task.resume_from {
            let total = (before + layer_task.recorded_steps) as f32;
            for (mean, (place, c)) in mean.iter_mut().zip(at.neurons()) {
                let neuron = c * layer.neurons_per_channel() + place;
                let old = record.mean_input[(layer_task.first + at.sample) * layer.neurons() + neuron];
                *mean = (*mean + old * before as f32) / total;
            }
        } else {
            mean.iter_mut().for_each(|mean| *mean /= layer_task.recorded_steps as f32);
        }
    }
}

/// `steps` steps in chunks of up to 64, with a chunk end at step `recorded_steps`.
fn chunks(steps: usize, recorded_steps: usize) -> impl Iterator<Item = Range<usize>> {
    let of = |from: usize, to: usize| (from..to).step_by(64).map(move |first| first..(first + 64).min(to));
    of(0, recorded_steps).chain(of(recorded_steps, steps))
}

/// Sets the bits of `mask` in `words`, from bit `start` on.
fn or_bits(words: &mut [u64], start: usize, mask: u64) {
    if mask == 0 {
        return;
    }
    words[start / 64] |= mask << (start % 64);
    let high = match start % 64 {
        0 => 0,
        used => mask >> (64 - used),
    };
    if high != 0 {
        words[start / 64 + 1] |= high;
    }
}

fn store<const N: usize>(out: &mut [f32], lanes: &[Lanes; N]) {
    out.chunks_mut(LANES).zip(lanes).for_each(|(out, lanes)| out.copy_from_slice(&lanes.0[..out.len()]));
}

/// Merges the results of a layer's tasks.
fn merge_outputs(
    layer_task: &LayerTask<'_>,
    currents: &Currents<'_>,
    outputs: Vec<TaskOutput>,
    silenced: Option<SpikeTrain>,
) -> LayerTrace {
    let layer = layer_task.layer;
    let (channels, places, neurons) = (layer.shape[0], layer.neurons_per_channel(), layer.neurons());
    let planes = layer.neuron.plane_weights().len();
    let mut spikes = SpikeTrain::for_layer(currents.samples, layer);
    spikes.resize(currents.steps);
    let zeros = || vec![0.0; currents.samples * neurons];
    let (mut mean_input, mut potential) = (zeros(), zeros());
    let mut start = outputs.iter().any(|output| !output.start.is_empty()).then(zeros);
    for output in outputs {
        let inside = output.places.len() * channels;
        let (words, row_words) = (inside.div_ceil(64), neurons.div_ceil(64));
        let shift = output.places.start * channels;
        for (i, bits) in output.bits.chunks(words.max(1)).enumerate() {
            let (sample, t, plane) = (i / planes / currents.steps, i / planes % currents.steps, i % planes);
            let row = spikes.row_mut(t, output.samples.start + sample);
            let row = &mut row[plane * row_words..(plane + 1) * row_words];
            // Whole words that contain no other task's bits are copied.
            let own = if output.all_channels && shift % 64 == 0 { inside / 64 } else { 0 };
            row[shift / 64..][..own].copy_from_slice(&bits[..own]);
            bits.iter().enumerate().skip(own).for_each(|(w, &word)| or_bits(row, shift + w * 64, word));
        }
        let spread = |from: &[f32], to: &mut [f32]| {
            // A few cache lines at a time, since a column of one layout is a row of the other.
            const TILE: usize = 16;
            for (k, from) in from.chunks(inside.max(1)).enumerate() {
                let to = &mut to[(output.samples.start + k) * neurons..][..neurons];
                for (group, from) in from.chunks(channels * TILE).enumerate() {
                    let place = output.places.start + group * TILE;
                    for c in 0..channels {
                        let column = from[c..].iter().step_by(channels);
                        let to = to[c * places + place..].iter_mut().zip(column);
                        if output.all_channels {
                            // Overwriting avoids fetching memory that was not read before, and zeroing it.
                            to.for_each(|(to, value)| *to = *value);
                        } else {
                            to.for_each(|(to, value)| *to += value);
                        }
                    }
                }
            }
        };
        spread(&output.mean, &mut mean_input);
        spread(&output.potential, &mut potential);
        if let Some(start) = &mut start {
            spread(&output.start, start);
        }
    }
    LayerTrace { spikes, mean_input, potential, start, silenced }
}

/// The silenced neurons of a resumed run.
fn resumed_silenced(
    layer: &SpikingLayer,
    resume_from: Option<(&LayerRecording, usize)>,
    first: usize,
    samples: usize,
) -> Option<SpikeTrain> {
    let silenced = resume_from?.0.silenced.as_ref()?;
    let mut silenced_mask = SpikeTrain::flags_for(samples, layer);
    silenced_mask.resize(1);
    (0..samples).for_each(|sample| silenced_mask.row_mut(0, sample).copy_from_slice(silenced.row(0, first + sample)));
    Some(silenced_mask)
}

/// Counts that a resumed run has emitted already, `[B, F]`; empty except for the signed neuron, which alone needs them.
fn emitted_before(
    layer: &SpikingLayer,
    resume_from: Option<(&LayerRecording, usize)>,
    first: usize,
    samples: usize,
) -> Vec<i32> {
    let neurons = layer.neurons();
    if layer.neuron != crate::convert::NeuronModel::Signed {
        return Vec::new();
    }
    let mut emitted = vec![0u32; samples * neurons];
    if let Some((record, steps)) = resume_from {
        let samples = emitted.chunks_mut(neurons.max(1)).enumerate();
        samples.for_each(|(b, row)| record.spikes.add_counts(steps, first + b, row));
    }
    emitted.into_iter().map(|n| n as i32).collect()
}
