//! Lookup tables of weight sums for layers with few input channels.
//!
//! The sums for all 256 spike patterns of eight channels (an octet) are computed beforehand, for all kernel columns of a
//! group side by side. A column of a window then adds one row for every octet of every kernel row, whether it spikes or
//! not: no loop end is hard to predict.

use std::sync::{Arc, Mutex, PoisonError};

use super::row_input::PATTERN_CHANNELS;
use super::synapse_plan::{LinearMap, PackedWeights, SourcePool, Term};
use super::table_sums::{COLUMN_ROWS, PATTERNS, TABLE_ROWS};
use crate::compute::simd::lanes::{LANES, Lanes};

/// Maximum number of input channels for which tables are built.
const MAX_CHANNELS: usize = 2 * PATTERN_CHANNELS;
/// Bytes of one block's sums that a core's own cache can take without evicting everything else. Most patterns are rare.
const MAX_TABLE_BYTES: usize = 640 << 10;
/// Maximum number of places in a window; inside a pool each source place counts.
const MAX_TAPS: usize = 64;

/// The last table, or scaled weights, made for a term and the amplitudes of its channels: reused by the next block of
/// samples and the next run.
#[derive(Debug, Default)]
pub struct TableCache(Mutex<Option<Table>>);

/// The amplitudes of the channels, and the table made for them.
type Table = (Vec<f32>, Arc<Vec<Lanes>>);

impl TableCache {
    /// The table for `amplitudes`; built by `make` if the cached one has others.
    pub fn get_or_build(&self, amplitudes: &[f32], make: impl FnOnce() -> Vec<Lanes>) -> Arc<Vec<Lanes>> {
        // Concurrent callers need the same table, so they wait for it.
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*cached {
            Some((cached_amplitudes, table)) if cached_amplitudes == amplitudes => table.clone(),
            _ => cached.insert((amplitudes.to_vec(), Arc::new(make()))).1.clone(),
        }
    }
}

/// Whether a term is computed with a table. The shape alone decides, so that sums are the same in every run.
pub fn is_applicable(term: &Term, lanes: usize) -> bool {
    let LinearMap::Weights(rows) = &term.map else { return false };
    let taps = rows.windows.kernel[0] * rows.windows.kernel[1];
    let bytes = taps * octets(rows) * PATTERNS * size_of::<Lanes>() * lanes;
    let pooled_places = match term.pool {
        None => 1,
        Some(SourcePool::Mean(pool)) => pool.kernel[0] * pool.kernel[1],
        Some(SourcePool::Lateral(_)) => return false,
    };
    let few = rows.groups == 1 && rows.input.channels <= MAX_CHANNELS;
    // If one window covers everything, the table would be used once.
    few && taps * pooled_places <= MAX_TAPS && bytes <= MAX_TABLE_BYTES && rows.input.places() > taps
}

/// Whether the patterns of a column lie in one word: three kernel rows without a pool before them.
pub fn fit_words(term: &Term, map: &PackedWeights) -> bool {
    term.pool.is_none() && map.windows.kernel[0] == COLUMN_ROWS
}

/// Groups of eight input channels.
pub fn octets(map: &PackedWeights) -> usize {
    map.input.channels.div_ceil(PATTERN_CHANNELS)
}

/// First entry of each column group in one block's tables, and one past the last.
pub fn group_offsets(map: &PackedWeights, lanes: usize) -> Vec<usize> {
    map.offsets_of(octets(map) * TABLE_ROWS * lanes)
}

/// The sums of `map` for every pattern of eight input channels, `[block][column group][kernel row][octet][TABLE_ROWS]
/// [kernel column][lanes]` with a row for each pattern and some that are unused; blocks span `lanes`. `amplitude(c)` is the amplitude of a spike of input channel `c`.
pub fn build(map: &PackedWeights, lanes: usize, amplitude: impl Fn(usize) -> f32) -> Vec<Lanes> {
    let (channels, octets) = (map.input.channels, octets(map));
    let blocks = map.weights.len() / (map.rows * lanes).max(1);
    let mut tables = vec![Lanes::ZERO; blocks * map.rows / channels.max(1) * octets * TABLE_ROWS * lanes];
    let (from, to) = (map.group_offsets(lanes), group_offsets(map, lanes));
    let (block_rows, block_sums) = (map.rows * lanes, to.last().copied().unwrap_or(0));
    for (weights, tables) in map.weights.chunks(block_rows.max(1)).zip(tables.chunks_mut(block_sums.max(1))) {
        for (group, columns) in map.columns.iter().enumerate() {
            let width = columns.len() * lanes;
            let weights = weights[from[group]..from[group + 1]].chunks(channels * width);
            let tables = tables[to[group]..to[group + 1]].chunks_mut(octets * TABLE_ROWS * width);
            for (weights, tables) in weights.zip(tables) {
                for (octet, sums) in tables.chunks_mut(TABLE_ROWS * width).enumerate() {
                    for pattern in 1..PATTERNS {
                        // The sum of the pattern without its highest spike is already there.
                        let highest = pattern.ilog2() as usize;
                        let (c, before) = (octet * PATTERN_CHANNELS + highest, (pattern & !(1 << highest)) * width);
                        let (done, rest) = sums.split_at_mut(pattern * width);
                        if c >= channels {
                            rest[..width].copy_from_slice(&done[before..before + width]);
                            continue;
                        }
                        let (weights, amplitude) = (&weights[c * width..][..width], amplitude(c));
                        for ((sum, weight), done) in rest.iter_mut().zip(weights).zip(&done[before..]) {
                            for k in 0..LANES {
                                sum.0[k] = done.0[k] + weight.0[k] * amplitude;
                            }
                        }
                    }
                }
            }
        }
    }
    tables
}

/// The weights of `map` times the amplitude of each input channel. `group_of(block)` is the convolution group of a block,
/// whose input channels are from `group · C` on.
pub fn scale(
    map: &PackedWeights,
    lanes: usize,
    group_of: impl Fn(usize) -> usize,
    amplitude: impl Fn(usize) -> f32,
) -> Vec<Lanes> {
    let channels = map.input.channels / map.groups;
    let mut scaled = map.weights.clone();
    let offsets = map.group_offsets(lanes);
    for (block, weights) in scaled.chunks_mut((map.rows * lanes).max(1)).enumerate() {
        let first = group_of(block) * channels;
        for (columns, offsets) in map.columns.iter().zip(offsets.windows(2)) {
            let rows = weights[offsets[0]..offsets[1]].chunks_mut(columns.len() * lanes);
            for (row, weights) in rows.enumerate() {
                let amplitude = amplitude(first + row % channels);
                weights.iter_mut().flat_map(|lanes| &mut lanes.0).for_each(|weight| *weight *= amplitude);
            }
        }
    }
    scaled
}
