//! Row kernel: sums the weight rows of one row of outputs at one step, in registers along x.
//!
//! Each input column adds to the outputs of all kernel columns at once: their weights lie side by side. An output is
//! complete when the last of its input columns was added. An output's numbers are therefore always added in the same
//! order: the base value, then input column by input column, within a column kernel row by kernel row.
#![expect(clippy::needless_range_loop, reason = "registers and lanes are indexed by constants once loops are unrolled")]

use super::row_geometry::{Form, RowGeometry};
use super::row_input::ColumnEvents;
use crate::compute::simd::isa::{Isa, load_all};
use crate::compute::simd::lanes::Lanes;

/// Vectors of sums that sixteen narrow registers hold beside what is added to them.
const MOST_SUMS: usize = 6;

/// Partial sums of narrow rows.
const PARTS: usize = 4;

/// Rows of one group of K kernel columns, `[row][kernel column][lanes]`.
pub type GroupRows<const K: usize, const N: usize> = [[[Lanes; N]; K]];

/// Sums of the weights that one input column adds to the outputs of each kernel column.
pub trait ColumnSums<const N: usize> {
    /// The rows of column group `group`, which has K kernel columns.
    fn rows<const K: usize>(&self, group: usize) -> &GroupRows<K, N>;
    /// The sums of input column `x` for each of the K kernel columns of the group with rows `rows`.
    fn sums<I: Isa, const K: usize>(&self, rows: &GroupRows<K, N>, x: usize) -> [[I::V; N]; K];
    /// `base` plus a sum, in units of the base.
    fn onto<I: Isa>(&self, sum: I::V, base: I::V) -> I::V;
}

/// Where complete sums of outputs go, and what they start from.
pub trait RowSink<I: Isa, const N: usize> {
    /// What output `x` has before the spikes.
    fn base(&self, x: usize) -> [I::V; N];
    /// Takes the complete sum of output `x`. Outputs come in order.
    fn put(&mut self, x: usize, sum: [I::V; N]);
}

/// Weight rows of one block and the events that add them.
pub struct EventSums<'a> {
    /// `[column group][kernel row][input channel][kernel column][lanes]`
    pub weights: &'a [Lanes],
    /// First entry of each column group in `weights`.
    pub groups: &'a [usize],
    pub events: &'a ColumnEvents,
    /// The value of one spike in units of the weights.
    pub amplitude: f32,
}

impl<const N: usize> ColumnSums<N> for EventSums<'_> {
    #[inline(always)]
    fn rows<const K: usize>(&self, group: usize) -> &GroupRows<K, N> {
        group_rows(self.weights, self.groups, group)
    }
    #[inline(always)]
    fn sums<I: Isa, const K: usize>(&self, rows: &GroupRows<K, N>, x: usize) -> [[I::V; N]; K] {
        if K * N > 2 {
            let mut sums = [[I::splat(0.0); N]; K];
            if K * N > MOST_SUMS && I::REGISTERS < 32 {
                sum_pair::<I, K, N, 0>(self.events.of(x), rows, &mut sums);
                sum_pair::<I, K, N, 2>(self.events.of(x), rows, &mut sums);
                return sums;
            }
            for &event in self.events.of(x) {
                add_row::<I, K, N>(&mut sums, &rows[usize::from(event)]);
            }
            return sums;
        }
        // Partial sums, so that no addition waits for the one before: the order depends on the events alone.
        let mut parts = [[[I::splat(0.0); N]; K]; PARTS];
        let (groups, rest) = self.events.of(x).as_chunks::<PARTS>();
        for events in groups {
            for part in 0..PARTS {
                add_row::<I, K, N>(&mut parts[part], &rows[usize::from(events[part])]);
            }
        }
        for part in 0..rest.len() {
            add_row::<I, K, N>(&mut parts[part], &rows[usize::from(rest[part])]);
        }
        let mut sums = parts[0];
        for k in 0..K {
            for n in 0..N {
                for part in 1..PARTS {
                    sums[k][n] = I::add(sums[k][n], parts[part][k][n]);
                }
            }
        }
        sums
    }
    #[inline(always)]
    fn onto<I: Isa>(&self, sum: I::V, base: I::V) -> I::V {
        I::mul_then_add(sum, I::splat(self.amplitude), base)
    }
}

/// The sums of lanes `FIRST` and `FIRST + 1`, where the registers do not hold those of all lanes at once.
#[inline(always)]
fn sum_pair<I: Isa, const K: usize, const N: usize, const FIRST: usize>(
    events: &[u16],
    rows: &GroupRows<K, N>,
    sums: &mut [[I::V; N]; K],
) {
    let mut pair = [[I::splat(0.0); 2]; K];
    for &event in events {
        let row = &rows[usize::from(event)];
        for k in 0..K {
            for n in 0..2 {
                if FIRST + n < N {
                    pair[k][n] = I::add(pair[k][n], I::load(&row[k][FIRST + n]));
                }
            }
        }
    }
    for k in 0..K {
        for n in 0..2 {
            if FIRST + n < N {
                sums[k][FIRST + n] = pair[k][n];
            }
        }
    }
}

/// The rows of column group `group` in `values`; `groups` has the first entry of each group, and one past the last.
#[inline(always)]
pub(super) fn group_rows<'a, const K: usize, const N: usize>(
    values: &'a [Lanes],
    groups: &[usize],
    group: usize,
) -> &'a GroupRows<K, N> {
    values[groups[group]..groups[group + 1]].as_chunks::<N>().0.as_chunks().0
}

#[inline(always)]
pub(super) fn add_row<I: Isa, const K: usize, const N: usize>(sums: &mut [[I::V; N]; K], row: &[[Lanes; N]; K]) {
    for k in 0..K {
        for n in 0..N {
            sums[k][n] = I::add(sums[k][n], I::load(&row[k][n]));
        }
    }
}

/// Computes one row of outputs whose geometry rolls ([`RowGeometry::rolls`]): `sink` gets every output once.
#[inline(always)]
pub fn roll<I: Isa, const N: usize>(
    sums: &impl ColumnSums<N>,
    geometry: &RowGeometry<'_>,
    sink: &mut impl RowSink<I, N>,
) {
    match geometry.form() {
        Form::Three => roll_three::<I, N>(sums, geometry, sink),
        Form::ThreeByTwo => roll_three_by_two::<I, N>(sums, geometry, sink),
        _ => roll_single::<I, N>(sums, geometry, sink),
    }
}

#[inline(always)]
fn onto<I: Isa, const N: usize>(sums: &impl ColumnSums<N>, sum: &[I::V; N], mut base: [I::V; N]) -> [I::V; N] {
    for n in 0..N {
        base[n] = sums.onto::<I>(sum[n], base[n]);
    }
    base
}

/// Three kernel columns at stride 1: two outputs are unfinished at any time.
#[inline(always)]
fn roll_three<I: Isa, const N: usize>(
    sums: &impl ColumnSums<N>,
    geometry: &RowGeometry<'_>,
    sink: &mut impl RowSink<I, N>,
) {
    let rows = sums.rows::<3>(0);
    let zero = [I::splat(0.0); N];
    // Outputs `column − 2` and `column − 1`.
    let (mut first, mut second) = (zero, zero);
    for column in 0..geometry.outputs + 2 {
        let base = if column < geometry.outputs { sink.base(column) } else { zero };
        let (done, next, new) = match geometry.input(column) {
            Some(x) => {
                let added = sums.sums::<I, 3>(rows, x);
                (
                    onto::<I, N>(sums, &added[2], first),
                    onto::<I, N>(sums, &added[1], second),
                    onto::<I, N>(sums, &added[0], base),
                )
            }
            None => (first, second, base),
        };
        if column >= 2 {
            sink.put(column - 2, done);
        }
        (first, second) = (next, new);
    }
}

/// Three kernel columns at stride 2: one output is unfinished at any time.
#[inline(always)]
fn roll_three_by_two<I: Isa, const N: usize>(
    sums: &impl ColumnSums<N>,
    geometry: &RowGeometry<'_>,
    sink: &mut impl RowSink<I, N>,
) {
    let (outer, inner) = (sums.rows::<2>(0), sums.rows::<1>(1));
    let zero = [I::splat(0.0); N];
    let mut open = zero;
    for x in 0..=geometry.outputs {
        let base = if x < geometry.outputs { sink.base(x) } else { zero };
        let (done, new) = match geometry.input(2 * x) {
            Some(column) => {
                let added = sums.sums::<I, 2>(outer, column);
                (onto::<I, N>(sums, &added[1], open), onto::<I, N>(sums, &added[0], base))
            }
            None => (open, base),
        };
        if x > 0 {
            sink.put(x - 1, done);
        }
        open = match geometry.input(2 * x + 1).filter(|_| x < geometry.outputs) {
            Some(column) => onto::<I, N>(sums, &sums.sums::<I, 1>(inner, column)[0], new),
            None => new,
        };
    }
}

/// One kernel column at any stride.
#[inline(always)]
fn roll_single<I: Isa, const N: usize>(
    sums: &impl ColumnSums<N>,
    geometry: &RowGeometry<'_>,
    sink: &mut impl RowSink<I, N>,
) {
    let rows = sums.rows::<1>(0);
    for x in 0..geometry.outputs {
        let base = sink.base(x);
        let sum = match geometry.input(x * geometry.stride) {
            Some(column) => onto::<I, N>(sums, &sums.sums::<I, 1>(rows, column)[0], base),
            None => base,
        };
        sink.put(x, sum);
    }
}

/// Adds to a row of outputs of any geometry; `row` has the base values. The order of additions is that of [`roll`].
#[inline(always)]
pub fn scatter<I: Isa, const N: usize>(sums: &impl ColumnSums<N>, geometry: &RowGeometry<'_>, row: &mut [[Lanes; N]]) {
    for x in 0..geometry.inputs {
        for (group, columns) in geometry.columns.iter().enumerate() {
            match columns.len() {
                1 => scatter_column::<I, 1, N>(sums, geometry, group, x, row),
                2 => scatter_column::<I, 2, N>(sums, geometry, group, x, row),
                _ => scatter_column::<I, 3, N>(sums, geometry, group, x, row),
            }
        }
    }
}

#[inline(always)]
fn scatter_column<I: Isa, const K: usize, const N: usize>(
    sums: &impl ColumnSums<N>,
    geometry: &RowGeometry<'_>,
    group: usize,
    x: usize,
    row: &mut [[Lanes; N]],
) {
    let output = |column: usize| {
        let at = (x + geometry.padding).checked_sub(column * geometry.dilation)?;
        let output = at / geometry.stride;
        (at % geometry.stride == 0 && output < geometry.outputs).then_some(output)
    };
    let columns = &geometry.columns[group];
    if !columns.iter().any(|&column| output(column).is_some()) {
        return;
    }
    let added = sums.sums::<I, K>(sums.rows::<K>(group), x);
    for k in 0..K {
        let Some(out) = output(columns[k]) else { continue };
        let out = &mut row[out];
        for n in 0..N {
            I::store(sums.onto::<I>(added[k][n], I::load(&out[n])), &mut out[n]);
        }
    }
}

/// A sink that adds to a row in memory.
pub struct AddToRow<'a, const N: usize>(pub &'a mut [[Lanes; N]]);

impl<I: Isa, const N: usize> RowSink<I, N> for AddToRow<'_, N> {
    #[inline(always)]
    fn base(&self, x: usize) -> [I::V; N] {
        load_all::<I, N>(&self.0[x])
    }
    #[inline(always)]
    fn put(&mut self, x: usize, sum: [I::V; N]) {
        for n in 0..N {
            I::store(sum[n], &mut self.0[x][n]);
        }
    }
}
