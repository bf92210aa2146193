//! Lookup tables of weight sums for layers with few input channels.
//!
//! The sums for all 256 spike patterns of eight channels (an octet) are computed beforehand. Each step then adds one
//! row for every octet of a window that spikes in any of eight steps, whether it spikes in that step or not. That is
//! less work than finding out which ones do, and no loop end is hard to predict. (Patterns of four channels were
//! slower: their sums stay in a nearer cache, but twice as many are added.)

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
/// Maximum number of input channels for which tables are built.
const MAX_CHANNELS: usize = 2 * PATTERN_CHANNELS;
/// Bytes of one block's sums that a core's own cache can take without evicting everything else. Most patterns are rare.
const MAX_TABLE_BYTES: usize = 640 << 10;
/// Maximum number of places in a window; inside a pool each source place counts.
const MAX_TAPS: usize = 64;
/// Steps that are processed together.
const STEPS_AT_ONCE: usize = 8;

/// The sums of one term for every pattern of eight input channels, multiplied by the amplitude of the spikes.
#[derive(Debug)]
pub struct PatternTable {
    /// Groups of eight channels.
    octets: usize,
    /// Rows of sums in one block.
    rows: usize,
    /// `[block][place of the window][octet][pattern][lanes]`
    sums: Vec<Lanes>,
    /// The source places that each window reads, window after window.
    source_taps: Vec<SourceTap>,
    /// Index of the first source place of each output's window, and one past the last.
    offsets: Vec<usize>,
}

/// The last built table of a term and the amplitudes of its channels: reused by the next block of samples and the next
/// run.
#[derive(Debug, Default)]
pub struct TableCache(Mutex<Option<(Vec<f32>, Arc<PatternTable>)>>);

impl TableCache {
    /// The table for `amplitudes`; built by `make` if the cached one has others.
    pub fn get_or_build(&self, amplitudes: &[f32], make: impl FnOnce() -> PatternTable) -> Arc<PatternTable> {
        // Concurrent callers need the same table, so they wait for it.
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*cached {
            Some((cached_amplitudes, table)) if cached_amplitudes == amplitudes => table.clone(),
            _ => cached.insert((amplitudes.to_vec(), Arc::new(make()))).1.clone(),
        }
    }
}

/// A source place that a window reads; behind a pool, several belong to one place of the window.
#[derive(Clone, Copy, Debug)]
struct SourceTap {
    /// Place within the window.
    tap: u32,
    place: u32,
}

/// The spikes of one sample and plane as patterns of each place's channels, `[place][octet][T]`, T rounded up to a
/// multiple of eight.
pub struct SpikePatterns {
    bits: Vec<u8>,
    /// The plane's weight of one spike.
    count: f32,
}

/// Whether a term is computed with a table. The shape alone decides, so that sums are the same in every run.
pub fn is_applicable(term: &Term, lanes: usize) -> bool {
    let LinearMap::Weights(rows) = &term.map else { return false };
    let taps = taps(rows);
    let bytes = taps * rows.input.channels.div_ceil(PATTERN_CHANNELS) * PATTERNS * size_of::<Lanes>() * lanes;
    let pooled_places = match term.pool {
        None => 1,
        Some(SourcePool::Mean(pool)) => pool.kernel[0] * pool.kernel[1],
        Some(SourcePool::Lateral(_)) => return false,
    };
    let few = rows.groups == 1 && rows.input.channels <= MAX_CHANNELS;
    // If one window covers everything, the table would be used once.
    few && taps * pooled_places <= MAX_TAPS && bytes <= MAX_TABLE_BYTES && rows.input.places() > taps
}

fn taps(rows: &PackedWeights) -> usize {
    rows.windows.kernel[0] * rows.windows.kernel[1]
}

impl PatternTable {
    /// The sums of `rows`, the weights of `term`, for outputs on `grid`; blocks span `lanes`. `amplitude(c)` is the
    /// amplitude of a spike of input channel `c`.
    pub fn new(
        (term, rows): (&Term, &PackedWeights),
        grid: Grid,
        lanes: usize,
        amplitude: impl Fn(usize) -> f32,
    ) -> Self {
        let channels = rows.input.channels;
        let octets = channels.div_ceil(PATTERN_CHANNELS);
        let size = taps(rows) * octets * PATTERNS;
        let blocks = rows.weights.len() / (rows.rows * lanes).max(1);
        let mut sums = vec![Lanes::ZERO; blocks * size * lanes];
        // One place of the window after the other, for every block.
        let of_tap = |(tap, sums): (usize, &mut [Lanes])| {
            for (octet, sums) in sums.chunks_exact_mut(PATTERNS * lanes).enumerate() {
                let first = octet * PATTERN_CHANNELS;
                for pattern in 1..PATTERNS {
                    // The sum of the pattern without its highest spike is already there.
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
        sums.chunks_exact_mut(octets * PATTERNS * lanes).enumerate().for_each(of_tap);
        let (mut source_taps, mut offsets) = (Vec::new(), vec![0]);
        for place in 0..grid.places() {
            push_source_taps(term, rows, [place / grid.width, place % grid.width], &mut source_taps);
            offsets.push(source_taps.len());
        }
        Self { octets, rows: size, sums, source_taps, offsets }
    }
}

impl SpikePatterns {
    /// The patterns of `spikes` over `steps`, one per plane.
    pub fn new(from: Grid, spikes: &impl SpikeSource, steps: usize) -> Vec<Self> {
        /// Places that are written together: a cache line of bits of each step, a few lines of patterns.
        const PLACES_PER_GROUP: usize = 32;
        let (places, channels) = (from.places(), from.channels);
        let (length, octets) = (steps.next_multiple_of(STEPS_AT_ONCE), channels.div_ceil(PATTERN_CHANNELS));
        let size = length * octets;
        let plane = |(plane, &count): (usize, &i32)| {
            let mut bits = vec![0u8; places * size];
            if channels % PATTERN_CHANNELS == 0 {
                transpose_words(spikes, plane, steps, &mut bits, length);
                return Self { bits, count: count as f32 };
            }
            for (group, bits) in bits.chunks_mut(PLACES_PER_GROUP * size).enumerate() {
                for t in 0..steps {
                    let words = spikes.plane(t, plane);
                    for (k, bits) in bits.chunks_exact_mut(size).enumerate() {
                        let pattern = bits_at(words, (group * PLACES_PER_GROUP + k) * channels, channels).to_le_bytes();
                        for (octet, pattern) in pattern[..octets].iter().enumerate() {
                            bits[octet * length + t] = *pattern;
                        }
                    }
                }
            }
            Self { bits, count: count as f32 }
        };
        spikes.weights().iter().enumerate().map(plane).collect()
    }
}

/// Patterns that are bytes of the spike words, `length` steps of each side by side: eight words of eight steps are
/// transposed at once.
fn transpose_words(spikes: &impl SpikeSource, plane: usize, steps: usize, bits: &mut [u8], length: usize) {
    for first in (0..steps).step_by(STEPS_AT_ONCE) {
        let words: [&[u64]; STEPS_AT_ONCE] =
            std::array::from_fn(|k| if first + k < steps { spikes.plane(first + k, plane) } else { &[] });
        for (w, bits) in bits.chunks_mut(8 * length).enumerate() {
            let transposed = transpose_bytes(words.map(|words| words.get(w).copied().unwrap_or(0)));
            for (bits, patterns) in bits.chunks_exact_mut(length).zip(transposed) {
                bits[first..first + STEPS_AT_ONCE].copy_from_slice(&patterns.to_le_bytes());
            }
        }
    }
}

/// Transposes bytes: byte `i` of word `k` becomes byte `k` of word `i`, by swapping ever smaller quarters (Warren,
/// Hacker's Delight, 7-3).
#[inline(always)]
fn transpose_bytes(mut words: [u64; 8]) -> [u64; 8] {
    for (wide, mask) in [(4, 0xffff_ffff), (2, 0x0000_ffff_0000_ffff), (1, 0x00ff_00ff_00ff_00ff_u64)] {
        for k in (0..8).filter(|k| k & wide == 0) {
            let swapped = (words[k] >> (8 * wide) ^ words[k + wide]) & mask;
            words[k + wide] ^= swapped;
            words[k] ^= swapped << (8 * wide);
        }
    }
    words
}

/// Adds the sums of block `block` for the window of output `place` to each step of `column`, in its `part`-th block of
/// `N`.
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
    let source_taps = &table.source_taps[table.offsets[place]..table.offsets[place + 1]];
    dispatch(LookUp::<N, M> { octets: table.octets, sums, source_taps, patterns, part, column });
}

/// Appends the source places that the window of output `(y, x)` reads, column by column.
fn push_source_taps(term: &Term, rows: &PackedWeights, [y, x]: [usize; 2], out: &mut Vec<SourceTap>) {
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
                let push = |place: usize| out.push(SourceTap { tap, place: place as u32 });
                match term.pool {
                    Some(SourcePool::Mean(pool)) => pool.places(term.from, row, at).for_each(push),
                    _ => [row * rows.input.width + at].into_iter().for_each(push),
                }
            }
            tap += 1;
        }
    }
}

struct LookUp<'a, const N: usize, const M: usize> {
    octets: usize,
    /// Sums of one block.
    sums: &'a [Lanes],
    source_taps: &'a [SourceTap],
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
    /// The sums of `steps`, whose first step begins a piece of [`STEPS_AT_ONCE`]: `S` at a time, so that no addition
    /// waits for another.
    #[inline(always)]
    fn sum<I: Isa, const S: usize>(&mut self, steps: Range<usize>) {
        let count = I::splat(self.patterns.count);
        let tables: &[[[Lanes; N]; PATTERNS]] = self.sums.as_chunks::<N>().0.as_chunks().0;
        let (pieces, _) = self.patterns.bits.as_chunks::<STEPS_AT_ONCE>();
        let chunks = self.column.len().div_ceil(STEPS_AT_ONCE);
        // What spikes at all in these steps: index of the table and of the piece of patterns.
        let mut active = [[0u32; 2]; MAX_TAPS * MAX_CHANNELS / PATTERN_CHANNELS];
        for (k, column) in self.column[steps.clone()].chunks_mut(S).enumerate() {
            let first = steps.start + k * S;
            let (chunk, half) = (first / STEPS_AT_ONCE, first % STEPS_AT_ONCE);
            let patterns = |piece: usize| pieces[piece][half..].first_chunk::<S>().unwrap_or(&[0; S]);
            // Whether a place is silent is hard to predict, so no branch depends on it.
            let mut active_count = 0;
            for &SourceTap { tap, place } in self.source_taps {
                for q in 0..self.octets {
                    let piece = (place as usize * self.octets + q) * chunks + chunk;
                    active[active_count] = [tap * self.octets as u32 + q as u32, piece as u32];
                    active_count += usize::from(*patterns(piece) != [0; S]);
                }
            }
            let mut sums = [[I::splat(0.0); N]; S];
            for &[table, piece] in &active[..active_count] {
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
    fn transposing_bytes_exchanges_rows_and_columns() {
        let words = std::array::from_fn(|k| u64::from_le_bytes(std::array::from_fn(|i| (16 * k + i) as u8)));
        for (i, word) in transpose_bytes(words).into_iter().enumerate() {
            assert_eq!(word.to_le_bytes(), std::array::from_fn(|k| (16 * k + i) as u8));
        }
    }
}
