//! One layer of neurons over its currents, for a block of samples.

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

/// What integrating one layer leaves behind.
pub(super) struct LayerTrace {
    /// Spikes of all steps that were simulated, those that are not kept included.
    pub spikes: SpikeTrain,
    /// Mean input current over the steps that are kept, `[B, F]`.
    pub mean_input: Vec<f32>,
    /// Potential after the last step that is kept, `[B, F]`.
    pub potential: Vec<f32>,
    /// Shifted v(0), `[B, F]` (COS).
    pub start: Option<Vec<f32>>,
    /// Silenced neurons, one step of bits (SRP).
    pub silenced: Option<SpikeTrain>,
}

/// What one layer's neurons are to do.
pub(super) struct LayerTask<'a> {
    pub layer: &'a SpikingLayer,
    /// Whether the current is the same at every step.
    pub constant: bool,
    /// Steps that are kept; a correction may read more.
    pub recorded_steps: usize,
    /// The run's number of the first sample.
    pub first: usize,
    /// The layer's recording so far and its number of steps.
    pub resume_from: Option<(&'a LayerRecording, usize)>,
    pub correction: Correction,
    /// Silenced neurons, one step of bits.
    pub mask: Option<&'a SpikeTrain>,
}

/// Integrates `currents`, which are of `work.layer`.
pub(super) fn integrate(work: &LayerTask<'_>, currents: &Currents<'_>, control: &JobControl) -> Result<LayerTrace> {
    match currents.lanes() {
        1 => integrate_in::<1>(work, currents, control),
        2 => integrate_in::<2>(work, currents, control),
        _ => integrate_in::<4>(work, currents, control),
    }
}

/// What one task gives: its places, channels innermost.
struct TaskOutput {
    samples: Range<usize>,
    places: Range<usize>,
    /// Whether every channel's value is in it; else those that are not are zero.
    all_channels: bool,
    /// `[sample][T][plane][word]`
    bits: Vec<u64>,
    /// `[sample][place][channel]` each.
    mean: Vec<f32>,
    potential: Vec<f32>,
    start: Vec<f32>,
}

fn integrate_in<const N: usize>(
    work: &LayerTask<'_>,
    currents: &Currents<'_>,
    control: &JobControl,
) -> Result<LayerTrace> {
    let LayerTask { layer, first, resume_from: past, .. } = *work;
    let before = past.map_or(0, |(_, steps)| steps);
    let held = work.mask.cloned().or_else(|| held_back(layer, past, first, currents.samples));
    let sent = sent_before(layer, past, first, currents.samples);
    let pieces = currents.for_each_column::<N, TaskOutput>(control, |task, columns| {
        let mut piece = TaskOutput::new(task, currents, layer, matches!(work.correction, Correction::Cos { .. }));
        let still = NeuronTemplate::<N>::of(work);
        columns(&mut |at, column| {
            let mut neurons = still.neurons(at, work, &sent);
            if let (Correction::Cos { steps, passes, rule }, None) = (work.correction, past) {
                let cos = CosShift { steps, passes, rule, tie: layer.tie };
                cos.calibrate_column(&mut neurons, column);
                piece.put_start(at, layer, &neurons.v);
            }
            piece.take_column(at, work, [before, currents.steps], &mut neurons, column, held.as_ref());
        })?;
        Ok(piece)
    })?;
    Ok(assemble(work, currents, pieces, held))
}

/// Neurons before their first step, those of the last column kept for the next: most layers start alike everywhere.
struct NeuronTemplate<const N: usize> {
    neurons: NeuronColumn<N>,
    /// Whether θ and v(0) are the same for all neurons.
    uniform: bool,
}

impl<const N: usize> NeuronTemplate<N> {
    fn of(work: &LayerTask<'_>) -> Self {
        let layer = work.layer;
        let theta = layer.theta.first().copied().unwrap_or(f32::INFINITY);
        let neurons = NeuronColumn {
            dynamics: Dynamics { neuron: layer.neuron, reset: layer.reset, tie: layer.tie },
            theta: [Lanes([theta; LANES]); N],
            shift: layer.bias_shift,
            v: [Lanes([layer.v_init * layer.neuron.amplitude(theta); LANES]); N],
            charge: [Lanes::ZERO; N],
            sent: [[0; LANES]; N],
        };
        Self { neurons, uniform: layer.theta.len() == 1 && layer.v_init_values.is_none() && work.resume_from.is_none() }
    }

    /// The neurons of one column.
    fn neurons(&self, at: &ColumnPosition, work: &LayerTask<'_>, sent: &[i32]) -> NeuronColumn<N> {
        let layer = work.layer;
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
            neurons.v[lane / LANES].0[lane % LANES] = match work.resume_from {
                Some((record, _)) => record.potential[(work.first + at.sample) * layer.neurons() + neuron],
                None if layer.v_init_values.is_none() => layer.v_init * layer.neuron.amplitude(theta),
                None => layer.v_init_of(neuron),
            };
            if !sent.is_empty() {
                neurons.sent[lane / LANES][lane % LANES] = sent[at.sample * layer.neurons() + neuron];
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

    fn put_start<const N: usize>(&mut self, at: &ColumnPosition, layer: &SpikingLayer, v: &[Lanes; N]) {
        let (index, _) = self.index(at, layer.shape[0]);
        put(&mut self.start[index..index + at.lanes()], v);
    }

    /// Runs `neurons` over `steps` of `column` and keeps what comes of it; `before` steps were simulated earlier. A column of
    /// one step stands for all of them.
    fn take_column<const N: usize>(
        &mut self,
        at: &ColumnPosition,
        work: &LayerTask<'_>,
        [before, steps]: [usize; 2],
        neurons: &mut NeuronColumn<N>,
        column: &Column<N>,
        held: Option<&SpikeTrain>,
    ) {
        let layer = work.layer;
        let channels = layer.shape[0];
        let (index, within) = self.index(at, channels);
        let own = index..index + at.lanes();
        let planes = layer.neuron.plane_weights().len();
        let mut masks = [0u64; 64 * MAX_PLANES];
        let words = (self.places.len() * channels).div_ceil(64);
        let row = (at.sample - self.samples.start) * steps * planes * words;
        let silent = held.map_or(0, |held| {
            let first = at.place * channels + at.channels.start;
            crate::compute::event::event_list::bits_at(held.row(0, at.sample), first, at.lanes())
        });
        let keep = if at.lanes() < 64 { (1 << at.lanes()) - 1 } else { u64::MAX } & !silent;
        for span in chunks(steps, work.recorded_steps) {
            let masks = &mut masks[..span.len() * planes];
            match column {
                [current] => neurons.advance_held(current, masks),
                _ => neurons.advance(&column[span.clone()], masks),
            }
            let rows = self.bits[row + span.start * planes * words..].chunks_exact_mut(words.max(1));
            if within % 64 == 0 {
                // A column has no more than a word.
                rows.zip(&*masks).for_each(|(words, mask)| words[within / 64] |= mask & keep);
            } else {
                rows.zip(&*masks).for_each(|(words, mask)| or_bits(words, within, mask & keep));
            }
            if span.end == work.recorded_steps {
                put(&mut self.potential[own.clone()], &neurons.v);
                put(&mut self.mean[own.clone()], &neurons.charge);
            }
        }
        let mean = &mut self.mean[own];
        if work.constant {
            // Exactly: a sum of equal numbers rounds.
            put(mean, &column[0]);
        } else if let Some((record, _)) = work.resume_from {
            let total = (before + work.recorded_steps) as f32;
            for (mean, (place, c)) in mean.iter_mut().zip(at.neurons()) {
                let neuron = c * layer.neurons_per_channel() + place;
                let old = record.mean_input[(work.first + at.sample) * layer.neurons() + neuron];
                *mean = (*mean + old * before as f32) / total;
            }
        } else {
            mean.iter_mut().for_each(|mean| *mean /= work.recorded_steps as f32);
        }
    }
}

/// `steps` steps in pieces of up to 64, with an end at step `recorded_steps`.
fn chunks(steps: usize, kept: usize) -> impl Iterator<Item = Range<usize>> {
    let of = |from: usize, to: usize| (from..to).step_by(64).map(move |first| first..(first + 64).min(to));
    of(0, kept).chain(of(kept, steps))
}

/// Sets the bits of `mask` from bit `v_init_values` of `words` on.
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

fn put<const N: usize>(out: &mut [f32], lanes: &[Lanes; N]) {
    out.chunks_mut(LANES).zip(lanes).for_each(|(out, lanes)| out.copy_from_slice(&lanes.0[..out.len()]));
}

/// Puts the pieces of a layer together.
fn assemble(
    work: &LayerTask<'_>,
    currents: &Currents<'_>,
    pieces: Vec<TaskOutput>,
    silenced: Option<SpikeTrain>,
) -> LayerTrace {
    let layer = work.layer;
    let (channels, places, neurons) = (layer.shape[0], layer.neurons_per_channel(), layer.neurons());
    let planes = layer.neuron.plane_weights().len();
    let mut spikes = SpikeTrain::of_layer(currents.samples, layer);
    spikes.resize(currents.steps);
    let zeros = || vec![0.0; currents.samples * neurons];
    let (mut mean_input, mut potential) = (zeros(), zeros());
    let mut start = pieces.iter().any(|piece| !piece.start.is_empty()).then(zeros);
    for piece in pieces {
        let inside = piece.places.len() * channels;
        let (words, row_words) = (inside.div_ceil(64), neurons.div_ceil(64));
        let shift = piece.places.start * channels;
        for (i, bits) in piece.bits.chunks(words.max(1)).enumerate() {
            let (sample, t, plane) = (i / planes / currents.steps, i / planes % currents.steps, i % planes);
            let row = spikes.row_mut(t, piece.samples.start + sample);
            let row = &mut row[plane * row_words..(plane + 1) * row_words];
            // Whole words of which nobody else has a bit are copied.
            let own = if piece.all_channels && shift % 64 == 0 { inside / 64 } else { 0 };
            row[shift / 64..][..own].copy_from_slice(&bits[..own]);
            bits.iter().enumerate().skip(own).for_each(|(w, &word)| or_bits(row, shift + w * 64, word));
        }
        let spread = |from: &[f32], to: &mut [f32]| {
            // A few cache lines at a time: a column of the one is a row of the other.
            const TILE: usize = 16;
            for (k, from) in from.chunks(inside.max(1)).enumerate() {
                let to = &mut to[(piece.samples.start + k) * neurons..][..neurons];
                for (group, from) in from.chunks(channels * TILE).enumerate() {
                    let place = piece.places.start + group * TILE;
                    for c in 0..channels {
                        let column = from[c..].iter().step_by(channels);
                        let to = to[c * places + place..].iter_mut().zip(column);
                        if piece.all_channels {
                            // Memory that was not read before need not be fetched, nor its zeros be made up.
                            to.for_each(|(to, value)| *to = *value);
                        } else {
                            to.for_each(|(to, value)| *to += value);
                        }
                    }
                }
            }
        };
        spread(&piece.mean, &mut mean_input);
        spread(&piece.potential, &mut potential);
        if let Some(start) = &mut start {
            spread(&piece.start, start);
        }
    }
    LayerTrace { spikes, mean_input, potential, start, silenced }
}

/// The silenced neurons of a run that goes on.
fn held_back(
    layer: &SpikingLayer,
    past: Option<(&LayerRecording, usize)>,
    first: usize,
    samples: usize,
) -> Option<SpikeTrain> {
    let silenced = past?.0.silenced.as_ref()?;
    let mut held = SpikeTrain::flags_for(samples, layer);
    held.resize(1);
    (0..samples).for_each(|sample| held.row_mut(0, sample).copy_from_slice(silenced.row(0, first + sample)));
    Some(held)
}

/// Counts that a run that goes on has sent already, `[B, F]`; empty but for the signed neuron, as no other asks.
fn sent_before(layer: &SpikingLayer, past: Option<(&LayerRecording, usize)>, first: usize, samples: usize) -> Vec<i32> {
    let neurons = layer.neurons();
    if layer.neuron != crate::convert::NeuronModel::Signed {
        return Vec::new();
    }
    let mut sent = vec![0u32; samples * neurons];
    if let Some((record, steps)) = past {
        let samples = sent.chunks_mut(neurons.max(1)).enumerate();
        samples.for_each(|(b, row)| record.spikes.add_counts(steps, first + b, row));
    }
    sent.into_iter().map(|n| n as i32).collect()
}
