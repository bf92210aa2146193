//! The value of a plan in each form that it has: lists of events, tables, tiles, in registers and in memory.

use super::draw;
use crate::compute::event::row_geometry::RowGeometry;
use crate::compute::event::row_input::{ColumnEvents, row_taps, write_columns, write_patterns};
use crate::compute::event::row_kernel::{AddToRow, ColumnSums, EventSums, roll, scatter};
use crate::compute::event::shortcut::BlockShortcut;
use crate::compute::event::spike_source::SpikeSource;
use crate::compute::event::synapse_plan::{LinearMap, PackedWeights};
use crate::compute::event::table_sums::{ColumnTables, TableSums, Tables};
use crate::compute::event::weight_tiles::{TiledEvents, WeightTile};
use crate::compute::event::{Grid, SynapsePlan, lookup_table};
use crate::compute::simd::dispatch;
use crate::compute::simd::isa::{Isa, Kernel};
use crate::compute::simd::lanes::{LANES, Lanes};

/// Spikes of one sample, `[T][plane][word]`.
pub struct Field {
    pub words: usize,
    pub planes: Vec<Vec<u64>>,
    pub weights: &'static [i32],
}

impl SpikeSource for &Field {
    fn plane(&self, t: usize, plane: usize) -> &[u64] {
        &self.planes[t * self.weights.len() + plane][..self.words]
    }
    fn weights(&self) -> &[i32] {
        self.weights
    }
}

pub fn field(grid: Grid, steps: usize, percent: u64, weights: &'static [i32], seed: &mut u64) -> Field {
    let words = grid.len().div_ceil(64);
    let plane = |_| {
        let mut plane = vec![0u64; words];
        (0..grid.len()).for_each(|bit| plane[bit / 64] |= u64::from(draw(seed, 100) < percent) << (bit % 64));
        plane
    };
    Field { words, planes: (0..steps * weights.len()).map(plane).collect(), weights }
}

/// The counts of one step as the activation's dense value, `[C, H, W]` flattened, each times its channel's amplitude.
pub fn dense(field: &Field, grid: Grid, t: usize, amplitudes: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; grid.len()];
    for (plane, &weight) in field.weights.iter().enumerate() {
        for bit in 0..grid.len() {
            if field.plane(t, plane)[bit / 64] >> (bit % 64) & 1 == 1 {
                let (p, c) = (bit / grid.channels, bit % grid.channels);
                let amplitude = amplitudes[if amplitudes.len() == 1 { 0 } else { c }];
                out[c * grid.places() + p] += weight as f32 * amplitude;
            }
        }
    }
    out
}

/// A row of sums of one block at one step: adds each term in every form that it has, which must agree to the last bit.
struct Row<'a, const N: usize> {
    plan: &'a SynapsePlan,
    field: &'a Field,
    amplitudes: &'a [f32],
    /// Step, row of outputs and block.
    at: [usize; 3],
    row: Vec<[Lanes; N]>,
}

impl<const N: usize> Row<'_, N> {
    fn add_sums<I: Isa>(row: &[[Lanes; N]], map: &PackedWeights, sums: &impl ColumnSums<N>) -> Vec<[Lanes; N]> {
        let geometry = RowGeometry::new(map, row.len());
        let mut scattered = row.to_vec();
        scatter::<I, N>(sums, &geometry, &mut scattered);
        if geometry.rolls() {
            let mut rolled = row.to_vec();
            roll::<I, N>(sums, &geometry, &mut AddToRow(&mut rolled));
            assert_eq!(rolled, scattered, "in registers and in memory");
        }
        scattered
    }
}

impl<const N: usize> Kernel for Row<'_, N> {
    type Output = Vec<[Lanes; N]>;
    #[inline(always)]
    fn run<I: Isa>(self) -> Self::Output {
        let Self { plan, field, amplitudes, at: [t, y, block], mut row } = self;
        for term in &plan.terms {
            let amplitudes: Vec<f32> = amplitudes.iter().map(|amplitude| amplitude * term.gain).collect();
            let map = match &term.map {
                LinearMap::Weights(map) => map,
                LinearMap::Shortcut(map) => {
                    let channels = &plan.blocks[block];
                    let part = (channels.start, channels.len());
                    if let Some(shortcut) = BlockShortcut::<N>::new((map, term.from, term.pool), part, &amplitudes) {
                        shortcut.add_row::<I>(&field, t, y, &mut row);
                    }
                    continue;
                }
            };
            let (group, width) = (plan.group_of(map, block), map.input.width);
            let amplitude = |c: usize| amplitudes[c % amplitudes.len()];
            let scaled = lookup_table::scale(map, N, |block| plan.group_of(map, block), amplitude);
            let groups = map.group_offsets(N);
            let (size, channels) = (map.rows * N, map.input.channels / map.groups);
            let (mut taps, mut events) = (Vec::new(), ColumnEvents::default());
            row_taps(term, map, y, &mut taps);
            let before = row.clone();
            for (plane, &count) in field.weights.iter().enumerate() {
                events.list::<I>((&field).plane(t, plane), term.from, (group * channels, channels), width, &taps);
                let weights = &scaled[block * size..(block + 1) * size];
                let sums = EventSums { weights, groups: &groups, events: &events, amplitude: count as f32 };
                row = Self::add_sums::<I>(&row, map, &sums);
            }
            if lookup_table::is_applicable(term, N) {
                let (mut looked_up, mut patterns) = (before.clone(), <[Vec<u8>; 2]>::default());
                let (mut by_column, mut columns) = (before, Vec::new());
                let (tables, groups) = (lookup_table::build(map, N, amplitude), lookup_table::group_offsets(map, N));
                let size = tables.len() / plan.blocks.len();
                let tables = &tables[block * size..(block + 1) * size];
                for (plane, &count) in field.weights.iter().enumerate() {
                    write_patterns((&field).plane(t, plane), term.from, width, &taps, &mut patterns);
                    let (groups, count) = (&groups, count as f32);
                    let [patterns, any] = &patterns;
                    let sums = TableSums { tables, groups, patterns, any, taps: &taps, width, count };
                    looked_up = match lookup_table::octets(map) {
                        1 => Self::add_sums::<I>(&looked_up, map, &Tables::<1>(sums)),
                        _ => Self::add_sums::<I>(&looked_up, map, &Tables::<2>(sums)),
                    };
                    if lookup_table::fit_words(term, map) {
                        write_columns((&field).plane(t, plane), term.from, width, &taps, &mut columns);
                        let columns = &columns;
                        by_column = match lookup_table::octets(map) {
                            1 => Self::add_sums::<I>(
                                &by_column,
                                map,
                                &ColumnTables::<1> { tables, groups, columns, count },
                            ),
                            _ => Self::add_sums::<I>(
                                &by_column,
                                map,
                                &ColumnTables::<2> { tables, groups, columns, count },
                            ),
                        };
                    }
                }
                assert_eq!(row, looked_up, "the table and the list of events");
                if lookup_table::fit_words(term, map) {
                    assert_eq!(row, by_column, "the tables of words and the list of events");
                }
            }
        }
        row
    }
}

/// The value of a plan without pools in front, `[T][F]`, computed by the kernels.
pub fn by_events<const N: usize>(
    plan: &SynapsePlan,
    constant: &[f32],
    field: &Field,
    amplitudes: &[f32],
    steps: usize,
) -> Vec<Vec<f32>> {
    let mut out = vec![vec![0.0; plan.sum.len()]; steps];
    let (width, all) = (plan.sum.width, plan.sum.channels);
    for (block, channels) in plan.blocks.iter().enumerate() {
        for (t, y) in (0..steps).flat_map(|t| (0..plan.sum.height).map(move |y| (t, y))) {
            let row = vec![[Lanes::ZERO; N]; width];
            let row = dispatch(Row { plan, field, amplitudes, at: [t, y, block], row });
            for (x, lanes) in row.iter().enumerate() {
                let place = y * width + x;
                for (lane, c) in channels.clone().enumerate() {
                    out[t][c * plan.sum.places() + place] =
                        lanes[lane / LANES].0[lane % LANES] + constant[place * all + c];
                }
            }
        }
    }
    if let Some(tiled) = by_tiles::<N>(plan, constant, field, amplitudes, steps) {
        assert_eq!(out, tiled, "all rows at once and tile by tile");
    }
    out
}

/// The same by tiles of weights, if the plan's only term is read in tiles.
fn by_tiles<const N: usize>(
    plan: &SynapsePlan,
    constant: &[f32],
    field: &Field,
    amplitudes: &[f32],
    steps: usize,
) -> Option<Vec<Vec<f32>>> {
    let [term] = plan.terms.as_slice() else { return None };
    let LinearMap::Weights(map) = &term.map else { return None };
    if !map.tiled || amplitudes.len() > 1 {
        return None;
    }
    let mut out = vec![vec![0.0; plan.sum.len()]; steps];
    let planes = TiledEvents::new(term, map, &field, steps);
    let size = map.rows * N;
    for (block, channels) in plan.blocks.iter().enumerate() {
        for place in 0..plan.sum.places() {
            let mut column = vec![[Lanes::ZERO; N]; steps];
            let at = [place / plan.sum.width, place % plan.sum.width];
            for tile in WeightTile::all(map, &map.weights[block * size..(block + 1) * size]) {
                planes.iter().for_each(|events| tile.add(map, events, at, amplitudes[0] * term.gain, &mut column));
            }
            for (t, lanes) in column.iter().enumerate() {
                for (lane, c) in channels.clone().enumerate() {
                    out[t][c * plan.sum.places() + place] =
                        lanes[lane / LANES].0[lane % LANES] + constant[place * plan.sum.channels + c];
                }
            }
        }
    }
    Some(out)
}
