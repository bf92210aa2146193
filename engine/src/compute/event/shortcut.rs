//! Shortcuts without weights: spikes of an earlier layer added to the outputs of the same channels.
#![expect(clippy::needless_range_loop, reason = "registers and lanes are indexed by constants once loops are unrolled")]

use std::ops::Range;

use super::spike_source::{SpikeSource, bits_at};
use super::synapse_plan::{Grid, ShortcutMap, SourcePool};
use crate::compute::simd::isa::{Isa, WORD, load_all};
use crate::compute::simd::lanes::{LANES, Lanes};

/// A shortcut for one block of output channels.
#[derive(Clone, Debug)]
pub struct BlockShortcut<'a, const N: usize> {
    map: &'a ShortcutMap,
    /// The source's grid.
    from: Grid,
    pool: Option<SourcePool>,
    /// The value that one count adds to each lane.
    amplitude: [Lanes; N],
    /// First input channel, number of channels, and the lane of the first.
    first: usize,
    length: usize,
    lane: usize,
}

impl<'a, const N: usize> BlockShortcut<'a, N> {
    /// The part of `map` for the block of output channels `first..first + length`; `None` if none of them has an input.
    /// `amplitudes` has one value, or one for each input channel.
    pub fn new(
        (map, from, pool): (&'a ShortcutMap, Grid, Option<SourcePool>),
        (first, length): (usize, usize),
        amplitudes: &[f32],
    ) -> Option<Self> {
        let start = first.max(map.channel);
        let end = (first + length).min(map.channel + from.channels);
        if start >= end {
            return None;
        }
        let value_at = |v: &[f32], c: usize| if v.len() == 1 { v[0] } else { v[c] };
        let mut amplitude = [Lanes::ZERO; N];
        for c in start..end {
            let (lane, input) = (c - first, c - map.channel);
            amplitude[lane / LANES].0[lane % LANES] = value_at(&map.scale, input) * value_at(amplitudes, input);
        }
        let (first_input, lane) = (start - map.channel, start - first);
        Some(Self { map, from, pool, amplitude, first: first_input, length: end - start, lane })
    }

    /// Whether each output has at most one input, so that [`ShortcutRow::mask`] has all of it.
    pub fn is_plain(&self) -> bool {
        self.pool.is_none()
    }

    /// The value that one count adds to each lane.
    pub fn amplitude(&self) -> &[Lanes; N] {
        &self.amplitude
    }

    /// The source's row for outputs in row `y`.
    #[inline(always)]
    fn row(&self, y: usize) -> Option<usize> {
        let row = |y| (y * self.map.stride[0]) as isize + self.map.offset[0];
        self.map.valid[0].contains(&y).then(|| row(y) as usize)
    }

    /// The source's column for outputs in column `x`.
    #[inline(always)]
    fn column(&self, x: usize) -> Option<usize> {
        let column = |x| (x * self.map.stride[1]) as isize + self.map.offset[1];
        self.map.valid[1].contains(&x).then(|| column(x) as usize)
    }

    /// The bits of a source place, at the lanes of its channels.
    #[inline(always)]
    fn bits(&self, words: &[u64], place: usize) -> u64 {
        bits_at(words, place * self.from.channels + self.first, self.length) << self.lane
    }

    /// The shortcut for the outputs in row `y`, with the bits of one step; for shortcuts without a pool.
    #[inline(always)]
    pub fn at_row<'w>(&self, words: &'w [u64], y: usize) -> ShortcutRow<'w> {
        let channels = self.from.channels;
        let first = |row: usize| (row * self.from.width) as isize * channels as isize + self.first as isize;
        ShortcutRow {
            words,
            first: self.row(y).map_or(0, first) + self.map.offset[1] * channels as isize,
            step: self.map.stride[1] * channels,
            valid: if self.row(y).is_some() { self.map.valid[1].clone() } else { 0..0 },
            length: self.length,
            lane: self.lane,
            in_word: WORD.is_multiple_of(self.length)
                && [self.first, channels].iter().all(|bits| bits.is_multiple_of(self.length)),
        }
    }

    /// Adds the shortcut to `row`, the outputs in row `y` at step `t` of `spikes`.
    #[inline(always)]
    pub fn add_row<I: Isa>(&self, spikes: &impl SpikeSource, t: usize, y: usize, row: &mut [[Lanes; N]]) {
        for (plane, &count) in spikes.weights().iter().enumerate() {
            let words = spikes.plane(t, plane);
            let scaled = self.amplitude.map(|lanes| Lanes(lanes.0.map(|value| value * count as f32)));
            let amplitude = load_all::<I, N>(&scaled);
            let plain = self.at_row(words, y);
            for x in 0..row.len() {
                if let Some(SourcePool::Mean(windows)) = self.pool {
                    let (Some(above), Some(column)) = (self.row(y), self.column(x)) else { continue };
                    for place in windows.places(self.from, above, column) {
                        add_bits::<I, N>(self.bits(words, place), &amplitude, &mut row[x]);
                    }
                } else {
                    add_bits::<I, N>(plain.mask(x), &amplitude, &mut row[x]);
                }
            }
        }
    }
}

/// The bits that a shortcut adds to one row of outputs at one step.
#[derive(Clone, Debug)]
pub struct ShortcutRow<'a> {
    words: &'a [u64],
    /// Bit of the first channel for output column 0, which may lie outside, and bits between two columns.
    first: isize,
    step: usize,
    /// Output columns that have an input.
    valid: Range<usize>,
    /// Number of channels, and the lane of the first.
    length: usize,
    lane: usize,
    /// Whether the channels of a place lie in one word.
    in_word: bool,
}

impl ShortcutRow<'_> {
    /// The lanes of output column `x` whose input spikes.
    #[inline(always)]
    pub fn mask(&self, x: usize) -> u64 {
        if !self.valid.contains(&x) {
            return 0;
        }
        let at = (self.first + (x * self.step) as isize) as usize;
        if self.in_word {
            let word = self.words.get(at / WORD).copied().unwrap_or(0);
            return (word >> (at % WORD) & (u64::MAX >> (WORD - self.length))) << self.lane;
        }
        bits_at(self.words, at, self.length) << self.lane
    }
}

/// Adds `amplitude` to the lanes of `out` whose bit is set.
#[inline(always)]
fn add_bits<I: Isa, const N: usize>(bits: u64, amplitude: &[I::V; N], out: &mut [Lanes; N]) {
    for n in 0..N {
        let add = I::select((bits >> (n * LANES)) as u16, amplitude[n], I::splat(0.0));
        I::store(I::add(I::load(&out[n]), add), &mut out[n]);
    }
}
