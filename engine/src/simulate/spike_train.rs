//! Spikes of one layer as bits, one per neuron and step.
//!
//! Neurons that emit more than one spike a step have several planes of bits. Time is the outermost dimension, so a
//! shorter T is a prefix of the buffer and a longer T is appended to it. Within a row channels are innermost, as the
//! event kernels need them.

use std::ops::Range;
use std::sync::Arc;

use crate::compute::event::spike_count::count_in_neuron_order;
use crate::compute::event::spike_source::SpikeSource;
use crate::convert::{NeuronModel, SpikingLayer};

/// The spikes of one layer: one bit per (step, sample, plane, neuron), planes padded to whole 64-bit words. The count
/// of a neuron in a step is the sum of the weights of the planes where its bit is set; the integrate-and-fire neuron
/// has one plane of weight 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpikeTrain {
    samples: usize,
    channels: usize,
    /// Neurons in each channel.
    places: usize,
    /// The weight of a bit of each plane.
    weights: &'static [i32],
    /// Words in one row, `ceil(neurons / 64)` for each plane.
    row_words: usize,
    /// `[T][sample][plane][word]`; bit `p·C + c` is the neuron of channel c at place p. Recordings with the same spikes
    /// share the buffer.
    words: Arc<Vec<u64>>,
}

impl SpikeTrain {
    /// An empty train of 0 steps with one plane.
    pub fn new(samples: usize, neurons: usize) -> Self {
        Self::with_weights(samples, neurons, NeuronModel::If.plane_weights())
    }
    /// An empty train of 0 steps with planes of weights `weights`.
    pub fn with_weights(samples: usize, neurons: usize, weights: &'static [i32]) -> Self {
        Self::with_places(samples, neurons, 1, weights)
    }
    /// An empty train of 0 steps for the neurons of `layer`.
    pub fn for_layer(samples: usize, layer: &SpikingLayer) -> Self {
        Self::with_places(samples, layer.shape[0], layer.neurons_per_channel(), layer.neuron.plane_weights())
    }
    /// An empty train of 0 steps with one plane for the neurons of `layer`, for flags.
    pub fn flags_for(samples: usize, layer: &SpikingLayer) -> Self {
        Self::with_places(samples, layer.shape[0], layer.neurons_per_channel(), NeuronModel::If.plane_weights())
    }
    /// An empty train of 0 steps for `channels` of `places`, with planes of weights `weights`.
    pub(super) fn for_grid(samples: usize, (channels, places): (usize, usize), weights: &'static [i32]) -> Self {
        Self::with_places(samples, channels, places, weights)
    }
    fn with_places(samples: usize, channels: usize, places: usize, weights: &'static [i32]) -> Self {
        let row_words = (channels * places).div_ceil(64) * weights.len();
        Self { samples, channels, places, weights, row_words, words: Arc::default() }
    }
    /// Recorded time steps.
    pub fn steps(&self) -> usize {
        self.words.len().checked_div(self.samples * self.row_words).unwrap_or(0)
    }
    /// Samples in each step.
    pub fn samples(&self) -> usize {
        self.samples
    }
    /// Neurons of the layer.
    pub fn neurons(&self) -> usize {
        self.channels * self.places
    }
    /// Channels, and neurons in each.
    pub(super) fn shape(&self) -> (usize, usize) {
        (self.channels, self.places)
    }
    /// The bit of `neuron` (index in the flattened `[C, H, W]` layer) in a plane.
    pub fn bit_index(&self, neuron: usize) -> usize {
        neuron % self.places * self.channels + neuron / self.places
    }
    /// The weight of a bit of each plane.
    pub fn weights(&self) -> &'static [i32] {
        self.weights
    }
    /// Words in one row.
    pub fn row_words(&self) -> usize {
        self.row_words
    }
    /// Resizes to `steps` steps in all; new steps are silent, surplus steps are dropped.
    pub fn resize(&mut self, steps: usize) {
        let words = steps * self.samples * self.row_words;
        if self.words.is_empty() {
            // Zeroed pages from the system cost nothing until they are written.
            self.words = Arc::new(vec![0; words]);
        } else if words != self.words.len() {
            Arc::make_mut(&mut self.words).resize(words, 0);
        }
    }
    /// As many steps of `samples` samples without a spike, in the same memory.
    pub(super) fn silent(self, samples: usize) -> Self {
        let steps = self.steps();
        let mut words = Arc::unwrap_or_clone(self.words);
        words.truncate(steps * samples * self.row_words);
        words.fill(0);
        words.resize(steps * samples * self.row_words, 0);
        Self { samples, words: Arc::new(words), ..self }
    }
    /// The bits of all neurons at step `t` (0-based) for `sample`, plane after plane.
    pub fn row(&self, t: usize, sample: usize) -> &[u64] {
        let start = (t * self.samples + sample) * self.row_words;
        &self.words[start..start + self.row_words]
    }
    /// Writable bits of one row.
    pub fn row_mut(&mut self, t: usize, sample: usize) -> &mut [u64] {
        let start = (t * self.samples + sample) * self.row_words;
        &mut Arc::make_mut(&mut self.words)[start..start + self.row_words]
    }
    /// Copies the first `count` samples of `from`, of the same layer and steps, to samples `at..at + count`.
    pub fn copy_samples(&mut self, from: &Self, at: usize, count: usize) {
        for t in 0..self.steps().min(from.steps()) {
            (0..count).for_each(|sample| self.row_mut(t, at + sample).copy_from_slice(from.row(t, sample)));
        }
    }
    /// The samples `range` alone.
    pub(super) fn part(&self, range: Range<usize>) -> Self {
        let mut words = Vec::with_capacity(self.steps() * range.len() * self.row_words);
        for step in self.words.chunks((self.samples * self.row_words).max(1)) {
            words.extend_from_slice(&step[range.start * self.row_words..range.end * self.row_words]);
        }
        Self { samples: range.len(), words: Arc::new(words), ..*self }
    }
    /// The planes of one row with their weights.
    fn planes(&self, t: usize, sample: usize) -> impl Iterator<Item = (i32, &[u64])> {
        let words = self.neurons().div_ceil(64).max(1);
        self.weights.iter().copied().zip(self.row(t, sample).chunks(words))
    }
    /// The count of `neuron` at step `t` (0-based) for `sample`: 0 or 1 for the integrate-and-fire neuron.
    pub fn value(&self, t: usize, sample: usize, neuron: usize) -> i32 {
        let at = self.bit_index(neuron);
        let bit = |words: &[u64]| (words[at / 64] >> (at % 64) & 1) as i32;
        self.planes(t, sample).map(|(weight, words)| weight * bit(words)).sum()
    }
    /// Whether `neuron` fired at step `t` (0-based) for `sample`.
    pub fn fired(&self, t: usize, sample: usize, neuron: usize) -> bool {
        self.value(t, sample, neuron) != 0
    }
    /// Calls `visit(neuron, weight)` for every bit set at step `t` (0-based) of `sample`; counts are the sums of weights.
    pub fn for_each_bit(&self, t: usize, sample: usize, visit: impl FnMut(usize, i32)) {
        for_each_bit(&SampleSpikes { rows: SpikeRows::Train(self), sample }, (self.channels, self.places), t, visit);
    }
    /// Calls `visit(neuron)` for every neuron that fired at step `t` (0-based) of `sample`; a neuron with bits in several
    /// planes is visited once for each.
    pub fn for_each_spike(&self, t: usize, sample: usize, mut visit: impl FnMut(usize)) {
        self.for_each_bit(t, sample, |neuron, _| visit(neuron));
    }
    /// Adds the counts of steps `0..steps` of `sample` to `counts` (`[F]`). They never fall below zero: a negative
    /// spike cancels an earlier one.
    pub fn add_counts(&self, steps: usize, sample: usize, counts: &mut [u32]) {
        let spikes = SampleSpikes { rows: SpikeRows::Train(self), sample };
        add_counts(&spikes, (self.channels, self.places), steps.min(self.steps()), counts);
    }
    /// Writes the counts of steps `0..steps` of `sample` to `counts` (`[F]`).
    pub fn write_counts(&self, steps: usize, sample: usize, counts: &mut [u32]) {
        counts.fill(0);
        self.add_counts(steps, sample, counts);
    }
    /// Counts over steps `0..steps`, `[N, F]`.
    pub fn counts(&self, steps: usize) -> Vec<u32> {
        let mut counts = vec![0; self.samples * self.neurons()];
        for (sample, row) in counts.chunks_mut(self.neurons().max(1)).enumerate() {
            self.add_counts(steps, sample, row);
        }
        counts
    }
    /// Spikes of all neurons and samples in steps `0..steps`, negative ones included.
    pub fn total(&self, steps: usize) -> u64 {
        let rows = steps.min(self.steps()) * self.samples;
        let row = |i: usize| -> u64 {
            let count = |(weight, words): (i32, &[u64])| {
                u64::from(weight.unsigned_abs()) * words.iter().map(|w| u64::from(w.count_ones())).sum::<u64>()
            };
            self.planes(i / self.samples, i % self.samples).map(count).sum()
        };
        (0..rows).map(row).sum()
    }
    /// Bytes of the buffer.
    pub fn bytes(&self) -> usize {
        self.words.len() * 8
    }
    /// An id that is equal if two trains share their bits.
    pub(super) fn storage_id(&self) -> usize {
        Arc::as_ptr(&self.words).addr()
    }
}

/// Calls `visit(neuron, weight)` for every bit set at step `t` of `spikes`, of neurons `[C, places]`.
pub(super) fn for_each_bit(
    spikes: &impl SpikeSource,
    (channels, places): (usize, usize),
    t: usize,
    mut visit: impl FnMut(usize, i32),
) {
    for (plane, &weight) in spikes.weights().iter().enumerate() {
        // The place of the current bit, and the first bit of the next place.
        let (mut place, mut edge) = (0, channels);
        for (w, &word) in spikes.plane(t, plane).iter().enumerate() {
            let mut rest = word;
            while rest != 0 {
                let bit = w * 64 + rest.trailing_zeros() as usize;
                while bit >= edge {
                    (place, edge) = (place + 1, edge + channels);
                }
                visit((bit + channels - edge) * places + place, weight);
                rest &= rest - 1;
            }
        }
    }
}

/// Adds the counts of steps `0..steps` of `spikes`, of neurons `[C, places]`, to `counts`.
pub(super) fn add_counts(
    spikes: &impl SpikeSource,
    (channels, places): (usize, usize),
    steps: usize,
    counts: &mut [u32],
) {
    count_in_neuron_order(spikes, steps, (channels, places), counts);
}

/// The rows of some samples in a train, written while other threads write those of other samples.
#[derive(Debug)]
pub struct BlockSpikes<'a> {
    pub channels: usize,
    pub places: usize,
    pub weights: &'static [i32],
    /// `[sample][T]`, plane after plane.
    pub rows: Vec<Vec<&'a mut [u64]>>,
}

impl SpikeTrain {
    /// Steps `from..` of blocks of `rows` samples each.
    pub(super) fn split_blocks(&mut self, rows: usize, from: usize) -> Vec<BlockSpikes<'_>> {
        let (samples, channels, places, weights) = (self.samples, self.channels, self.places, self.weights);
        let (row_words, steps) = (self.row_words.max(1), self.steps());
        let mut all: Vec<Vec<&mut [u64]>> = (0..samples).map(|_| Vec::with_capacity(steps - from)).collect();
        let words = &mut Arc::make_mut(&mut self.words)[from * samples * self.row_words..];
        for step in words.chunks_mut(row_words * samples.max(1)) {
            all.iter_mut().zip(step.chunks_mut(row_words)).for_each(|(all, row)| all.push(row));
        }
        let mut blocks = Vec::new();
        let mut all = all.into_iter().peekable();
        while all.peek().is_some() {
            blocks.push(BlockSpikes { channels, places, weights, rows: all.by_ref().take(rows).collect() });
        }
        blocks
    }
}

/// Spikes of several samples.
#[derive(Clone, Copy, Debug)]
pub enum SpikeRows<'a> {
    Train(&'a SpikeTrain),
    Block(&'a BlockSpikes<'a>),
}

/// One sample of them.
#[derive(Clone, Copy, Debug)]
pub struct SampleSpikes<'a> {
    pub rows: SpikeRows<'a>,
    pub sample: usize,
}

impl SpikeRows<'_> {
    /// Channels, and neurons in each.
    pub fn shape(&self) -> (usize, usize) {
        match self {
            Self::Train(train) => (train.channels, train.places),
            Self::Block(block) => (block.channels, block.places),
        }
    }
}

impl SpikeSource for SampleSpikes<'_> {
    #[inline(always)]
    fn plane(&self, t: usize, plane: usize) -> &[u64] {
        let (channels, places) = self.rows.shape();
        let words = (channels * places).div_ceil(64);
        let row = match self.rows {
            SpikeRows::Train(train) => train.row(t, self.sample),
            SpikeRows::Block(block) => &*block.rows[self.sample][t],
        };
        &row[plane * words..(plane + 1) * words]
    }
    fn weights(&self) -> &[i32] {
        match self.rows {
            SpikeRows::Train(train) => train.weights,
            SpikeRows::Block(block) => block.weights,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_count_and_truncate() {
        let mut train = SpikeTrain::new(2, 70);
        train.resize(3);
        train.row_mut(0, 1)[1] |= 1 << 3;
        train.row_mut(2, 1)[1] |= 1 << 3;
        train.row_mut(2, 0)[0] |= 1;
        assert!(train.fired(2, 1, 67) && !train.fired(1, 1, 67));
        assert_eq!(train.counts(3)[70 + 67], 2);
        assert_eq!(train.total(3), 3);
        train.resize(2);
        assert_eq!((train.steps(), train.total(2)), (2, 1));
        assert_eq!(train.bytes(), 2 * 2 * 2 * 8);
    }

    #[test]
    fn channels_are_innermost() {
        let mut train = SpikeTrain::with_places(1, 3, 40, NeuronModel::If.plane_weights());
        train.resize(1);
        for neuron in [0, 39, 40, 97, 119] {
            let bit = train.bit_index(neuron);
            train.row_mut(0, 0)[bit / 64] |= 1 << (bit % 64);
        }
        assert_eq!((train.bit_index(40), train.bit_index(97)), (1, 17 * 3 + 2));
        let mut seen = Vec::new();
        train.for_each_spike(0, 0, |neuron| seen.push(neuron));
        seen.sort_unstable();
        assert_eq!(seen, [0, 39, 40, 97, 119]);
        assert!(train.fired(0, 0, 97) && !train.fired(0, 0, 98));
    }

    #[test]
    fn counts_are_in_neuron_order() {
        // Places that fill no tile, one tile and several.
        for (channels, places) in [(3, 1), (70, 1), (5, 16), (3, 2 * 16 + 7)] {
            let mut train = SpikeTrain::with_places(2, channels, places, NeuronModel::If.plane_weights());
            train.resize(5);
            let spikes = (0..channels * places).flat_map(|k| (0..5).map(move |t| (k, t)));
            for (k, t) in spikes.filter(|(k, t)| (k * 7 + t * 3) % 4 == 0) {
                let bit = train.bit_index(k);
                train.row_mut(t, 1)[bit / 64] |= 1 << (bit % 64);
            }
            let wanted = |k| (0..4).filter(|&t| train.fired(t, 1, k)).count() as u32;
            let counts = train.counts(4);
            let (silent, counts) = counts.split_at(channels * places);
            assert!(silent.iter().all(|&n| n == 0));
            assert_eq!(counts, (0..channels * places).map(wanted).collect::<Vec<_>>());
        }
    }

    #[test]
    fn planes_add_up_to_counts() {
        let mut train = SpikeTrain::with_weights(1, 3, NeuronModel::Group(4).plane_weights());
        train.resize(2);
        train.row_mut(0, 0).copy_from_slice(&[0b001, 0b011, 0b100]);
        train.row_mut(1, 0).copy_from_slice(&[0b010, 0, 0]);
        assert_eq!((train.value(0, 0, 0), train.value(0, 0, 1), train.value(0, 0, 2)), (3, 2, 4));
        assert_eq!((train.counts(2), train.total(2)), (vec![3, 3, 4], 10));
        let mut signed = SpikeTrain::with_weights(1, 1, NeuronModel::Signed.plane_weights());
        signed.resize(2);
        signed.row_mut(0, 0)[0] = 1;
        signed.row_mut(1, 0)[1] = 1;
        assert_eq!((signed.counts(1), signed.counts(2), signed.total(2)), (vec![1], vec![0], 2));
    }
}
