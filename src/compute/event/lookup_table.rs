//! Maps of few input channels. The sums for all 256 patterns of eight channels are worked out beforehand; a step then adds
//! one row for every eight channels of a window that spike in any of eight steps, whether they spike in it or not. That is
//! less work than finding out which ones do, and there is no loop whose end the processor could guess wrong. (Patterns of
//! four channels were slower: their sums stay in a nearer cache, but twice as many are added.)

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use super::event_list::{SpikeSource, bits_at};
use super::gather::Column;
use super::synapse_plan::{Grid, LinearMap, PackedWeights, SourcePool, Term};
use crate::compute::simd::dispatch;
use crate::compute::simd::isa::{Isa, Kernel};
use crate::compute::simd::lanes::{LANES, Lanes};

/// Channels that one pattern spans.
const PATTERN_CHANNELS: usize = 8;
/// Patterns of eight channels.
const PATTERNS: usize = 1 << PATTERN_CHANNELS;
/// Input channels up to which patterns are kept.
const MAX_CHANNELS: usize = 2 * PATTERN_CHANNELS;
/// Bytes of one block's sums that a core's own cache takes without pushing everything else out. Most patterns are rare.
const MAX_TABLE_BYTES: usize = 640 << 10;
/// Places of a window up to which their patterns are found without a list, those inside a pool each for itself.
const MAX_TAPS: usize = 64;
/// Steps that are worked on at once.
const STEPS_AT_ONCE: usize = 8;

/// The sums of one term for every pattern of eight input channels, with the amplitude of the spikes in them.
#[derive(Debug)]
pub struct PatternTable {
    /// Groups of eight channels.
    eights: usize,
    /// Rows of sums in one block.
    rows: usize,
    /// `[block][place of the window][eight][pattern][lanes]`
    sums: Vec<Lanes>,
    /// Window after window, what it sees of the source.
    seen: Vec<Seen>,
    /// The first that each output sees, and one past the last.
    firsts: Vec<usize>,
}

/// The table of a term that was made last, with what a spike of each channel was worth in it: for the next block of samples,
/// and the next run.
#[derive(Debug, Default)]
pub struct TableCache(Mutex<Option<(Vec<f32>, Arc<PatternTable>)>>);

impl TableCache {
    /// The table for `amplitudes`; made by `make` where it is not the one that is kept.
    pub fn get_or_build(&self, amplitudes: &[f32], make: impl FnOnce() -> PatternTable) -> Arc<PatternTable> {
        // Whoever comes meanwhile needs the same one.
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((known, table)) if known == amplitudes => table.clone(),
            _ => kept.insert((amplitudes.to_vec(), Arc::new(make()))).1.clone(),
        }
    }
}

/// A place of the source that a window sees, inside a pool several under one place of the window.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// The place of the window.
    tap: u32,
    place: u32,
}

/// The spikes of one sample and plane as patterns of each place's channels, `[place][eight][T]`, T rounded up to whole
/// eights.
pub struct SpikePatterns {
    bits: Vec<u8>,
    /// What a spike counts.
    count: f32,
}

/// Whether a term is read through a table: its shape alone decides, so that sums are the same in every run.
pub fn is_applicable(term: &Term, lanes: usize) -> bool {
    let LinearMap::Weights(rows) = &term.map else { return false };
    let taps = taps(rows);
    let bytes = taps * rows.input.channels.div_ceil(PATTERN_CHANNELS) * PATTERNS * size_of::<Lanes>() * lanes;
    let inside = match term.pool {
        None => 1,
        Some(SourcePool::Mean(pool)) => pool.kernel[0] * pool.kernel[1],
        Some(SourcePool::Lateral(_)) => return false,
    };
    let few = rows.groups == 1 && rows.input.channels <= MAX_CHANNELS;
    // Where a window is all there is, the table would be used once.
    few && taps * inside <= MAX_TAPS && bytes <= MAX_TABLE_BYTES && rows.input.places() > taps
}

fn taps(rows: &PackedWeights) -> usize {
    rows.windows.kernel[0] * rows.windows.kernel[1]
}

impl PatternTable {
    /// The sums of `rows`, which are of `term`, for outputs on `grid`; blocks span `lanes`. `amplitude(c)` is what a spike of
    /// input channel `c` is worth.
    pub fn new(
        (term, rows): (&Term, &PackedWeights),
        grid: Grid,
        lanes: usize,
        amplitude: impl Fn(usize) -> f32,
    ) -> Self {
        let channels = rows.input.channels;
        let eights = channels.div_ceil(PATTERN_CHANNELS);
        let size = taps(rows) * eights * PATTERNS;
        let blocks = rows.weights.len() / (rows.rows * lanes).max(1);
        let mut sums = vec![Lanes::ZERO; blocks * size * lanes];
        // One place of a window after the other, for every block.
        let of_tap = |(tap, sums): (usize, &mut [Lanes])| {
            for (eight, sums) in sums.chunks_exact_mut(PATTERNS * lanes).enumerate() {
                let first = eight * PATTERN_CHANNELS;
                for pattern in 1..PATTERNS {
                    // The pattern without its highest spike stands before it already.
                    let highest = pattern.ilog2() as usize;
                    let (c, before) = (first + highest, (pattern & !(1 << highest)) * lanes);
                    let weights = &rows.weights[(tap * channels + c.min(channels - 1)) * lanes..][..lanes];
                    let amplitude = if c < channels { amplitude(c) } else { 0.0 };
                    let (done, rest) = sums.split_at_mut(pattern * lanes);
                    for (lane, (sum, weight)) in rest.iter_mut().zip(weights).enumerate() {
                        for k in 0..LANES {
                            sum.0[k] = done[before + lane].0[k] + weight.0[k] * amplitude;
                        }
                    }
                }
            }
        };
        sums.chunks_exact_mut(eights * PATTERNS * lanes).enumerate().for_each(of_tap);
        let (mut seen, mut firsts) = (Vec::new(), vec![0]);
        for place in 0..grid.places() {
            see(term, rows, [place / grid.width, place % grid.width], &mut seen);
            firsts.push(seen.len());
        }
        Self { eights, rows: size, sums, seen, firsts }
    }
}

impl SpikePatterns {
    /// The patterns of `spikes` over `steps`, one for each plane.
    pub fn of(from: Grid, spikes: &impl SpikeSource, steps: usize) -> Vec<Self> {
        /// Places that are written together: a cache line of bits of each step, a few lines of patterns.
        const TOGETHER: usize = 32;
        let (places, channels) = (from.places(), from.channels);
        let (length, eights) = (steps.next_multiple_of(STEPS_AT_ONCE), channels.div_ceil(PATTERN_CHANNELS));
        let size = length * eights;
        let plane = |(plane, &count): (usize, &i32)| {
            let mut bits = vec![0u8; places * size];
            if channels % PATTERN_CHANNELS == 0 {
                by_words(spikes, plane, steps, &mut bits, length);
                return Self { bits, count: count as f32 };
            }
            for (group, bits) in bits.chunks_mut(TOGETHER * size).enumerate() {
                for t in 0..steps {
                    let words = spikes.plane(t, plane);
                    for (k, bits) in bits.chunks_exact_mut(size).enumerate() {
                        let pattern = bits_at(words, (group * TOGETHER + k) * channels, channels).to_le_bytes();
                        for (eight, pattern) in pattern[..eights].iter().enumerate() {
                            bits[eight * length + t] = *pattern;
                        }
                    }
                }
            }
            Self { bits, count: count as f32 }
        };
        spikes.weights().iter().enumerate().map(plane).collect()
    }
}

/// Patterns that are bytes of the spikes, `length` steps of each next to each other: eight words of as many steps are turned
/// at once.
fn by_words(spikes: &impl SpikeSource, plane: usize, steps: usize, bits: &mut [u8], length: usize) {
    for first in (0..steps).step_by(STEPS_AT_ONCE) {
        let words: [&[u64]; STEPS_AT_ONCE] =
            std::array::from_fn(|k| if first + k < steps { spikes.plane(first + k, plane) } else { &[] });
        for (w, bits) in bits.chunks_mut(8 * length).enumerate() {
            let turned = turn(words.map(|words| words.get(w).copied().unwrap_or(0)));
            for (bits, patterns) in bits.chunks_exact_mut(length).zip(turned) {
                bits[first..first + STEPS_AT_ONCE].copy_from_slice(&patterns.to_le_bytes());
            }
        }
    }
}

/// Byte `i` of word `k` becomes byte `k` of word `i`, by swapping ever smaller quarters (Warren, Hacker's Delight, 7-3).
#[inline(always)]
fn turn(mut words: [u64; 8]) -> [u64; 8] {
    for (wide, mask) in [(4, 0xffff_ffff), (2, 0x0000_ffff_0000_ffff), (1, 0x00ff_00ff_00ff_00ff_u64)] {
        for k in (0..8).filter(|k| k & wide == 0) {
            let swapped = (words[k] >> (8 * wide) ^ words[k + wide]) & mask;
            words[k + wide] ^= swapped;
            words[k] ^= swapped << (8 * wide);
        }
    }
    words
}

/// Adds the sums of block `block` for the window of output `place` to each step of `column`, in its `part`-th block of `N`.
pub fn look_up<const N: usize, const M: usize>(
    table: &PatternTable,
    patterns: &SpikePatterns,
    block: usize,
    place: usize,
    part: usize,
    column: &mut Column<M>,
) {
    let size = table.rows * N;
    let sums = &table.sums[block * size..(block + 1) * size];
    let seen = &table.seen[table.firsts[place]..table.firsts[place + 1]];
    dispatch(LookUp::<N, M> { eights: table.eights, sums, seen, patterns, part, column });
}

/// What the window of output `(y, x)` sees, column by column.
fn see(term: &Term, rows: &PackedWeights, [y, x]: [usize; 2], out: &mut Vec<Seen>) {
    let along = |axis: usize, at: usize, k: usize, length: usize| {
        let windows = &rows.windows;
        let place = at * windows.stride[axis] + k * windows.dilation[axis];
        place.checked_sub(windows.padding[axis]).filter(|&place| place < length)
    };
    let mut tap = 0;
    for kx in 0..rows.windows.kernel[1] {
        let at = along(1, x, kx, rows.input.width);
        for ky in 0..rows.windows.kernel[0] {
            if let (Some(row), Some(at)) = (along(0, y, ky, rows.input.height), at) {
                let see = |place: usize| out.push(Seen { tap, place: place as u32 });
                match term.pool {
                    Some(SourcePool::Mean(pool)) => pool.places(term.from, row, at).for_each(see),
                    _ => [row * rows.input.width + at].into_iter().for_each(see),
                }
            }
            tap += 1;
        }
    }
}

struct LookUp<'a, const N: usize, const M: usize> {
    eights: usize,
    /// One block's.
    sums: &'a [Lanes],
    seen: &'a [Seen],
    patterns: &'a SpikePatterns,
    part: usize,
    column: &'a mut Column<M>,
}

impl<const N: usize, const M: usize> Kernel for LookUp<'_, N, M> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(mut self) {
        let (steps, rest) = (self.column.len(), self.column.len() % STEPS_AT_ONCE);
        if N > 2 {
            // As many sums at once as there are registers.
            return self.sum::<I, 4>(0..steps);
        }
        // A last piece of up to four steps needs no sums of eight.
        let whole = if rest <= STEPS_AT_ONCE / 2 { steps - rest } else { steps };
        self.sum::<I, STEPS_AT_ONCE>(0..whole);
        self.sum::<I, 4>(whole..steps);
    }
}

impl<const N: usize, const M: usize> LookUp<'_, N, M> {
    /// The sums of `steps`, the first of which begins a piece of [`STEPS_AT_ONCE`]: `S` at a time, so that no addition waits for
    /// another.
    #[inline(always)]
    fn sum<I: Isa, const S: usize>(&mut self, steps: Range<usize>) {
        let count = I::splat(self.patterns.count);
        let tables: &[[[Lanes; N]; PATTERNS]] = self.sums.as_chunks::<N>().0.as_chunks().0;
        let (pieces, _) = self.patterns.bits.as_chunks::<STEPS_AT_ONCE>();
        let chunks = self.column.len().div_ceil(STEPS_AT_ONCE);
        // What spikes at all in these steps: the table and the piece of patterns.
        let mut live = [[0u32; 2]; MAX_TAPS * MAX_CHANNELS / PATTERN_CHANNELS];
        for (k, column) in self.column[steps.clone()].chunks_mut(S).enumerate() {
            let first = steps.start + k * S;
            let (chunk, half) = (first / STEPS_AT_ONCE, first % STEPS_AT_ONCE);
            let patterns = |piece: usize| pieces[piece][half..].first_chunk::<S>().unwrap_or(&[0; S]);
            // Whether a place is silent is hard to guess, so that nothing branches by it.
            let mut lives = 0;
            for &Seen { tap, place } in self.seen {
                for q in 0..self.eights {
                    let piece = (place as usize * self.eights + q) * chunks + chunk;
                    live[lives] = [tap * self.eights as u32 + q as u32, piece as u32];
                    lives += usize::from(*patterns(piece) != [0; S]);
                }
            }
            let mut sums = [[I::splat(0.0); N]; S];
            for &[table, piece] in &live[..lives] {
                let (table, patterns) = (&tables[table as usize], patterns(piece as usize));
                for s in 0..S {
                    let row = &table[usize::from(patterns[s])];
                    for n in 0..N {
                        sums[s][n] = I::add(sums[s][n], I::load(&row[n]));
                    }
                }
            }
            for (out, sum) in column.iter_mut().zip(&sums) {
                let out = &mut out.as_chunks_mut::<N>().0[self.part];
                for n in 0..N {
                    I::store(I::mul_then_add(sum[n], count, I::load(&out[n])), &mut out[n]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turned_bytes_stand_where_rows_and_columns_are_exchanged() {
        let words = std::array::from_fn(|k| u64::from_le_bytes(std::array::from_fn(|i| (16 * k + i) as u8)));
        for (i, word) in turn(words).into_iter().enumerate() {
            assert_eq!(word.to_le_bytes(), std::array::from_fn(|k| (16 * k + i) as u8));
        }
    }
}
