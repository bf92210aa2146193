//! Memory of one layer's results: allocated once, written in place by the blocks of a run.

use std::ops::Range;
use std::sync::Arc;

use super::currents::Piece;
use super::recording::LayerRecording;
use super::spike_train::{BlockSpikes, SpikeTrain};
use crate::compute::simd::lanes::{LANES, Lanes};
use crate::convert::SpikingLayer;

/// Results of one layer for all samples of a run.
pub(super) struct LayerBuffers {
    /// Spikes of all simulated steps, including those that are not recorded.
    pub spikes: SpikeTrain,
    /// Potential after the last recorded step, `[N, F]` in the order of the bits.
    pub potential: Vec<f32>,
    /// Mean input current over the recorded steps, `[N, F]` in the order of the bits; empty if it follows from counts
    /// and potentials.
    pub mean_input: Vec<f32>,
    /// Shifted v(0), `[N, F]` (COS); otherwise empty.
    pub start: Vec<f32>,
}

impl LayerBuffers {
    /// Buffers for `steps` steps of `samples` samples, with mean inputs and shifted potentials if they are stored.
    pub fn new(layer: &SpikingLayer, samples: usize, steps: usize, [mean_inputs, starts]: [bool; 2]) -> Self {
        let mut spikes = SpikeTrain::for_layer(samples, layer);
        spikes.resize(steps);
        let values = |wanted: bool| vec![0.0; if wanted { samples * layer.neurons() } else { 0 }];
        Self { spikes, potential: values(true), mean_input: values(mean_inputs), start: values(starts) }
    }

    /// The same in the memory of `old`, a recording of the same layer that nothing else reads; as many values as before are
    /// stored.
    pub fn over(old: LayerRecording, layer: &SpikingLayer, samples: usize) -> Self {
        let values = |old: Vec<f32>| {
            let mut values = old;
            if !values.is_empty() {
                values.resize(samples * layer.neurons(), 0.0);
            }
            values
        };
        let owned = |old: Arc<Vec<f32>>| values(Arc::unwrap_or_clone(old));
        Self {
            spikes: old.spikes.silent(samples),
            potential: owned(old.potential),
            mean_input: owned(old.mean_input),
            start: values(old.v_init.unwrap_or_default()),
        }
    }

    /// The parts of blocks of `rows` samples each, from step `from` on.
    pub fn split(&mut self, layer: &SpikingLayer, rows: usize, from: usize) -> Vec<LayerOutput<'_>> {
        let size = (rows * layer.neurons()).max(1);
        let (mut potential, mut mean_input) = (self.potential.chunks_mut(size), self.mean_input.chunks_mut(size));
        let mut start = self.start.chunks_mut(size);
        let (channels, neurons) = (layer.shape[0], layer.neurons());
        let block = |spikes| LayerOutput {
            spikes,
            potential: BitValues { values: potential.next().unwrap_or_default(), channels, neurons },
            mean_input: BitValues { values: mean_input.next().unwrap_or_default(), channels, neurons },
            start: start.next().unwrap_or_default(),
        };
        self.spikes.split_blocks(rows, from).into_iter().map(block).collect()
    }
}

/// Results of one layer for one block of samples.
#[derive(Debug)]
pub(super) struct LayerOutput<'a> {
    pub spikes: BlockSpikes<'a>,
    pub potential: BitValues<'a>,
    pub mean_input: BitValues<'a>,
    pub start: &'a mut [f32],
}

impl LayerOutput<'_> {
    /// The words of one plane at step `t`, and the first bit of `piece` in them.
    #[inline(always)]
    pub fn step(&mut self, piece: &Piece, t: usize, plane: usize) -> (&mut [u64], usize) {
        let words = (self.spikes.channels * self.spikes.places).div_ceil(64);
        let row = &mut self.spikes.rows[piece.sample][t];
        (&mut row[plane * words..(plane + 1) * words], piece.places.start * self.spikes.channels + piece.channels.start)
    }

    /// Clears the bits of the neurons that are set in `silenced`, one step of bits, whose sample 0 is sample `first`.
    pub fn silence(&mut self, silenced: &SpikeTrain, first: usize) {
        for (sample, rows) in self.spikes.rows.iter_mut().enumerate() {
            let silenced = silenced.row(0, first + sample);
            for plane in rows.iter_mut().flat_map(|row| row.chunks_mut(silenced.len().max(1))) {
                plane.iter_mut().zip(silenced).for_each(|(word, silenced)| *word &= !silenced);
            }
        }
    }

    /// Copies the results of `places` and `channels` of `samples` from `part`, whose sample 0 is the first of them.
    pub fn merge(&mut self, part: &LayerBuffers, samples: Range<usize>, places: Range<usize>, channels: Range<usize>) {
        let (all, neurons) = (self.spikes.channels, self.spikes.channels * self.spikes.places);
        let words = places.start * all / 64..(places.end * all).div_ceil(64);
        let plane_words = neurons.div_ceil(64).max(1);
        for (k, sample) in samples.enumerate() {
            for (t, row) in self.spikes.rows[sample].iter_mut().enumerate() {
                let from = part.spikes.row(t, k).chunks(plane_words);
                for (to, from) in row.chunks_mut(plane_words).zip(from) {
                    to[words.clone()].iter_mut().zip(&from[words.clone()]).for_each(|(to, from)| *to |= from);
                }
            }
            for (to, from) in [(&mut self.potential, &part.potential), (&mut self.mean_input, &part.mean_input)] {
                if to.values.is_empty() {
                    continue;
                }
                for place in places.clone() {
                    let own = place * all + channels.start..place * all + channels.end;
                    let at = |sample: usize| sample * neurons + own.start..sample * neurons + own.end;
                    to.values[at(sample)].copy_from_slice(&from[at(k)]);
                }
            }
            if !self.start.is_empty() {
                let per_channel = self.spikes.places;
                for c in channels.clone() {
                    let own = c * per_channel + places.start..c * per_channel + places.end;
                    let at = |sample: usize| sample * neurons + own.start..sample * neurons + own.end;
                    self.start[at(sample)].copy_from_slice(&part.start[at(k)]);
                }
            }
        }
    }
}

/// Values of neurons in the order of the bits, `[sample][place][channel]`; empty if they are not stored.
#[derive(Debug)]
pub(super) struct BitValues<'a> {
    pub values: &'a mut [f32],
    channels: usize,
    neurons: usize,
}

impl BitValues<'_> {
    /// Stores the values of `piece`, one entry a place.
    pub fn store<const N: usize>(&mut self, piece: &Piece, values: &[[Lanes; N]]) {
        let first = piece.sample * self.neurons + piece.places.start * self.channels + piece.channels.start;
        if piece.channels.len() == N * LANES && self.channels == N * LANES {
            let out = &mut self.values[first..first + values.len() * N * LANES];
            out.chunks_exact_mut(LANES)
                .zip(values.as_flattened())
                .for_each(|(out, lanes)| out.copy_from_slice(&lanes.0));
            return;
        }
        for (place, lanes) in values.iter().enumerate() {
            let out = &mut self.values[first + place * self.channels..][..piece.channels.len()];
            out.chunks_mut(LANES).zip(lanes).for_each(|(out, lanes)| out.copy_from_slice(&lanes.0[..out.len()]));
        }
    }
}
