//! Weight tiles: reads weights larger than the cache in tiles, each for many columns.
//!
//! A tile's rows stay in the near caches while all columns of a group use them. The events of a tile are stored
//! together, those of the step with the most events first, so that the processor predicts where the events of a step
//! end.

use rayon::prelude::*;

use super::spike_source::{SpikeSource, bits_at};
use super::synapse_plan::{Grid, PackedWeights, SourcePool, Term};
use crate::compute::simd::dispatch;
use crate::compute::simd::isa::{Isa, Kernel, WORD};
use crate::compute::simd::lanes::{Lanes, MAX_LANES};

/// Bytes of weights up to which all blocks of a layer are computed at a place before the next place; above, all places
/// for one block.
pub const CACHED_BYTES: usize = 1 << 20;
/// Bytes of weights from which on rows are read in tiles.
pub const MIN_TILED_BYTES: usize = 128 << 10;
/// Spikes that a tile can receive in a step from which on tiles are used; with fewer inputs too few events arrive per
/// tile.
pub const MIN_SPIKES: usize = 128;
/// Input channels of one tile: with blocks of 64 outputs, 64 KiB of weights.
pub const TILE_ROWS: usize = 256;
/// Steps that are sorted together.
pub const STEP_CHUNK: usize = 32;
/// Words of one tile.
const WORDS: usize = TILE_ROWS / 64;

/// Whether rows that read `input` are read in tiles when weights exceed [`MIN_TILED_BYTES`]. The shape alone decides, so
/// that sums are the same in every run.
pub fn is_applicable(input: Grid, groups: usize, pool: Option<SourcePool>) -> bool {
    let sources = match pool {
        None => 1,
        Some(SourcePool::Mean(pool)) => pool.kernel[0] * pool.kernel[1],
        Some(SourcePool::Lateral(_)) => return false,
    };
    groups == 1 && input.channels.min(TILE_ROWS) * sources >= MIN_SPIKES
}

/// The events of one sample and plane, tile by tile of every place that the map's windows slide over.
#[derive(Debug, Default)]
pub struct TiledEvents {
    /// The plane's weight of one spike.
    count: f32,
    /// Tiles of one place.
    tiles_per_place: usize,
    /// The first step and the first event of each tile, and one past the last, `[place][tile]`.
    firsts: Vec<[u32; 2]>,
    /// Steps with events, and their number of events.
    steps: Vec<[u16; 2]>,
    /// Rows within the tile. The buffer is longer than its events, since they are written in batches.
    events: Vec<u32>,
}

impl TiledEvents {
    /// The events of `spikes` over `steps` that `map`, the map of `term`, reads; one per plane.
    pub fn new(term: &Term, map: &PackedWeights, spikes: &impl SpikeSource, steps: usize) -> Vec<Self> {
        let plane = |plane: usize| dispatch(ListTiles { term, map, spikes, steps, plane });
        (0..spikes.weights().len()).into_par_iter().map(plane).collect()
    }
}

struct ListTiles<'a, S> {
    term: &'a Term,
    map: &'a PackedWeights,
    spikes: &'a S,
    steps: usize,
    plane: usize,
}

impl<S: SpikeSource> Kernel for ListTiles<'_, S> {
    type Output = TiledEvents;
    #[inline(always)]
    fn run<I: Isa>(self) -> TiledEvents {
        let Self { term, map, spikes, steps, plane } = self;
        let Grid { channels, width, .. } = map.input;
        let tiles_per_place = channels.div_ceil(TILE_ROWS);
        let mut out = TiledEvents { count: spikes.weights()[plane] as f32, tiles_per_place, ..TiledEvents::default() };
        let (mut length, mut sources) = (0, Vec::new());
        for place in 0..map.input.places() {
            sources.clear();
            match term.pool {
                Some(SourcePool::Mean(windows)) => {
                    sources.extend(windows.places(term.from, place / width, place % width))
                }
                _ => sources.push(place),
            }
            for first in (0..channels).step_by(TILE_ROWS) {
                out.firsts.push([out.steps.len() as u32, length as u32]);
                let wide = (channels - first).min(TILE_ROWS);
                for chunk in (0..steps).step_by(STEP_CHUNK) {
                    // The bits of every source at a step, used to sort the steps and then to list events.
                    let bits = |t: usize, source: usize| -> [u64; WORDS] {
                        let words = spikes.plane(t, plane);
                        let start = source * channels + first;
                        std::array::from_fn(|k| match wide.saturating_sub(64 * k) {
                            0 => 0,
                            left => bits_at(words, start + 64 * k, left.min(64)),
                        })
                    };
                    let mut order = [[0u16; 2]; STEP_CHUNK];
                    let order = &mut order[..(steps - chunk).min(STEP_CHUNK)];
                    for (k, order) in order.iter_mut().enumerate() {
                        let ones =
                            |source: &usize| bits(chunk + k, *source).iter().map(|w| w.count_ones()).sum::<u32>();
                        *order = [(chunk + k) as u16, sources.iter().map(ones).sum::<u32>() as u16];
                    }
                    sort_by_descending_count(order);
                    for &[step, number] in order.iter().take_while(|[_, number]| *number > 0) {
                        out.steps.push([step, number]);
                        let room = length + usize::from(number) + WORD;
                        if out.events.len() < room {
                            out.events.resize(room.max(2 * out.events.len()), 0);
                        }
                        for &source in &sources {
                            for (k, word) in bits(usize::from(step), source).into_iter().enumerate() {
                                if let Some(events) = out.events[length..].first_chunk_mut() {
                                    length += I::positions_of_word(word, (WORD * k) as u32, events);
                                }
                            }
                        }
                    }
                }
            }
        }
        out.firsts.push([out.steps.len() as u32, length as u32]);
        out
    }
}

/// Sorts steps by descending number of events; ties keep their order.
#[inline(always)]
fn sort_by_descending_count(steps: &mut [[u16; 2]]) {
    // Insertion sort is fastest for so few.
    for k in 1..steps.len() {
        let (step, mut at) = (steps[k], k);
        while at > 0 && steps[at - 1][1] < step[1] {
            steps[at] = steps[at - 1];
            at -= 1;
        }
        steps[at] = step;
    }
}

/// A tile of rows of one block.
pub struct WeightTile<'a> {
    rows: &'a [Lanes],
    /// Row and column of the kernel.
    kernel: [usize; 2],
    /// Index of the tile within its place.
    tile: usize,
}

impl<'a> WeightTile<'a> {
    /// The tiles of `map`, `weights` being one block's, in the order of the weights.
    pub fn all(map: &'a PackedWeights, weights: &'a [Lanes]) -> impl Iterator<Item = Self> {
        let (channels, [height, width]) = (map.input.channels, map.windows.kernel);
        let tiles_per_place = channels.div_ceil(TILE_ROWS);
        (0..width * height * tiles_per_place).map(move |k| {
            let (place, tile) = (k / tiles_per_place, k % tiles_per_place);
            let span = place * channels + tile * TILE_ROWS..place * channels + channels.min((tile + 1) * TILE_ROWS);
            let rows = &weights[span.start * MAX_LANES..span.end * MAX_LANES];
            Self { rows, kernel: [place % height, place / height], tile }
        })
    }

    /// Adds the tile's rows for `events`, times `amplitude`, to `column`, the sums of output `(y, x)` at every step.
    pub fn add<const N: usize>(
        &self,
        map: &PackedWeights,
        events: &TiledEvents,
        at: [usize; 2],
        amplitude: f32,
        column: &mut [[Lanes; N]],
    ) {
        let windows = &map.windows;
        let along = |axis: usize, length: usize| {
            let place = at[axis] * windows.stride[axis] + self.kernel[axis] * windows.dilation[axis];
            place.checked_sub(windows.padding[axis]).filter(|&place| place < length)
        };
        if let (Some(row), Some(place)) = (along(0, map.input.height), along(1, map.input.width)) {
            let index = (row * map.input.width + place) * events.tiles_per_place + self.tile;
            dispatch(AddTile { rows: self.rows, events, index, amplitude, column });
        }
    }
}

struct AddTile<'a, const N: usize> {
    rows: &'a [Lanes],
    events: &'a TiledEvents,
    index: usize,
    amplitude: f32,
    column: &'a mut [[Lanes; N]],
}

impl<const N: usize> Kernel for AddTile<'_, N> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { rows, events, index, amplitude, column } = self;
        let (rows, _) = rows.as_chunks::<N>();
        let amplitude = I::splat(amplitude * events.count);
        let [[first, mut at], [last, _]] = [events.firsts[index], events.firsts[index + 1]];
        for &[step, number] in &events.steps[first as usize..last as usize] {
            let here = &events.events[at as usize..at as usize + usize::from(number)];
            at += u32::from(number);
            let mut sums = [[I::splat(0.0); N]; 2];
            let (pairs, rest) = here.as_chunks::<2>();
            for pair in pairs {
                for (sum, &event) in sums.iter_mut().zip(pair) {
                    let row = &rows[event as usize];
                    for n in 0..N {
                        sum[n] = I::add(sum[n], I::load(&row[n]));
                    }
                }
            }
            for &event in rest {
                let row = &rows[event as usize];
                for n in 0..N {
                    sums[0][n] = I::add(sums[0][n], I::load(&row[n]));
                }
            }
            for (n, out) in column[usize::from(step)].iter_mut().enumerate() {
                let sum = I::add(sums[0][n], sums[1][n]);
                I::store(I::mul_then_add(sum, amplitude, I::load(out)), out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_with_many_events_come_first() {
        let mut steps = [[0, 2], [1, 0], [2, 5], [3, 2], [4, 7]];
        sort_by_descending_count(&mut steps);
        assert_eq!(steps.map(|[step, _]| step), [4, 2, 0, 3, 1]);
    }
}
