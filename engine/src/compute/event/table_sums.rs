//! Sums of input columns from lookup tables ([`super::lookup_table`]): a row for every pattern of eight channels.
#![expect(clippy::needless_range_loop, reason = "registers and lanes are indexed by constants once loops are unrolled")]

use super::row_input::Tap;
use super::row_kernel::{ColumnSums, GroupRows, add_row, group_rows};
use crate::compute::simd::isa::Isa;
use crate::compute::simd::lanes::Lanes;

/// Patterns of eight channels.
pub const PATTERNS: usize = 256;

/// Rows from one table of sums to the next: some more than patterns, or the same pattern of all tables would share the few
/// lines that a cache has for one address (2 to 4 % of the time on Zen 3).
pub const TABLE_ROWS: usize = PATTERNS + 8;

/// Kernel rows of [`ColumnTables`].
pub const COLUMN_ROWS: usize = 3;

/// Precomputed sums of one block for all patterns of eight channels.
pub struct TableSums<'a> {
    /// `[column group][kernel row][octet][TABLE_ROWS][kernel column][lanes]`, a row for each pattern.
    pub tables: &'a [Lanes],
    /// First entry of each column group in `tables`.
    pub groups: &'a [usize],
    /// `[tap][input column][octet]`
    pub patterns: &'a [u8],
    /// The bits that are set in any tap, `[input column][octet]`.
    pub any: &'a [u8],
    pub taps: &'a [Tap],
    /// Columns of the input.
    pub width: usize,
    /// The weight of one spike.
    pub count: f32,
}

/// [`TableSums`] of O octets.
pub struct Tables<'a, const O: usize>(pub TableSums<'a>);

impl<const O: usize, const N: usize> ColumnSums<N> for Tables<'_, O> {
    #[inline(always)]
    fn rows<const K: usize>(&self, group: usize) -> &GroupRows<K, N> {
        group_rows(self.0.tables, self.0.groups, group)
    }
    #[inline(always)]
    fn sums<I: Isa, const K: usize>(&self, rows: &GroupRows<K, N>, x: usize) -> [[I::V; N]; K] {
        let tables = rows.as_chunks::<TABLE_ROWS>().0.as_chunks::<O>().0;
        let patterns = self.0.patterns.as_chunks::<O>().0;
        let mut sums = [[I::splat(0.0); N]; K];
        // Where nothing fires, as around the object of an event camera.
        if self.0.any.as_chunks::<O>().0[x] == [0; O] {
            return sums;
        }
        for (k, tap) in self.0.taps.iter().enumerate() {
            let patterns = &patterns[k * self.0.width + x];
            let tables = &tables[tap.kernel_row];
            for octet in 0..O {
                add_row::<I, K, N>(&mut sums, &tables[octet][usize::from(patterns[octet])]);
            }
        }
        sums
    }
    #[inline(always)]
    fn onto<I: Isa>(&self, sum: I::V, base: I::V) -> I::V {
        counted::<I>(sum, self.0.count, base)
    }
}

/// [`TableSums`] for three kernel rows that read O octets each: their patterns lie in one word, and their tables at
/// constant distances: one load finds all of them.
pub struct ColumnTables<'a, const O: usize> {
    /// As those of [`TableSums`].
    pub tables: &'a [Lanes],
    pub groups: &'a [usize],
    /// Of each input column, a byte for every octet of every kernel row: [`super::row_input::write_columns`].
    pub columns: &'a [u64],
    pub count: f32,
}

impl<const O: usize, const N: usize> ColumnSums<N> for ColumnTables<'_, O> {
    #[inline(always)]
    fn rows<const K: usize>(&self, group: usize) -> &GroupRows<K, N> {
        group_rows(self.tables, self.groups, group)
    }
    #[inline(always)]
    fn sums<I: Isa, const K: usize>(&self, rows: &GroupRows<K, N>, x: usize) -> [[I::V; N]; K] {
        let mut sums = [[I::splat(0.0); N]; K];
        let patterns = self.columns[x];
        let tables = rows.as_chunks::<TABLE_ROWS>().0.as_chunks::<O>().0;
        let Some(tables) = tables.first_chunk::<COLUMN_ROWS>().filter(|_| patterns != 0) else { return sums };
        for row in 0..COLUMN_ROWS {
            for octet in 0..O {
                let pattern = patterns >> (8 * (row * O + octet)) & 255;
                let added = &tables[row][octet][pattern as usize];
                if row + octet == 0 {
                    sums = load_row::<I, K, N>(added);
                } else {
                    add_row::<I, K, N>(&mut sums, added);
                }
            }
        }
        sums
    }
    #[inline(always)]
    fn onto<I: Isa>(&self, sum: I::V, base: I::V) -> I::V {
        counted::<I>(sum, self.count, base)
    }
}

/// `base` plus `count` times a sum.
#[inline(always)]
fn counted<I: Isa>(sum: I::V, count: f32, base: I::V) -> I::V {
    if count == 1.0 { I::add(base, sum) } else { I::mul_then_add(sum, I::splat(count), base) }
}

#[inline(always)]
fn load_row<I: Isa, const K: usize, const N: usize>(row: &[[Lanes; N]; K]) -> [[I::V; N]; K] {
    let mut sums = [[I::splat(0.0); N]; K];
    for k in 0..K {
        for n in 0..N {
            sums[k][n] = I::load(&row[k][n]);
        }
    }
    sums
}
