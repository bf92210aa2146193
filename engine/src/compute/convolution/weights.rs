//! Weights of a convolution in the order in which tiles read them.

use super::geometry::Geometry;
use crate::compute::simd::vector_registers;

/// Output channels of one tile at most.
pub const MAX_WIDTH: usize = 8;

/// Weights as `[row of tiles][tap][width]`: the weights of one tap for the channels of a tile lie side by side.
#[derive(Clone, Debug)]
pub struct PackedWeights {
    values: Vec<f32>,
    /// Rows of tiles of one group.
    rows: Vec<TileRow>,
    taps: usize,
    group_len: usize,
}

/// Output channels of a group that one tile computes.
#[derive(Clone, Copy, Debug)]
pub struct TileRow {
    /// First output channel in the group.
    pub first: usize,
    /// Number of output channels.
    pub count: usize,
    /// Channels of the tile: 1, 2, 4, 6 or 8; those beyond `count` have weights of zero.
    pub width: usize,
    /// Where its weights begin in those of the group.
    pub start: usize,
}

impl PackedWeights {
    /// Packs `weights` `[C_out, C/groups, kH, kW]`.
    pub fn new(geometry: &Geometry, weights: &[f32]) -> Self {
        let taps = geometry.taps();
        let outputs = geometry.group_outputs();
        let mut rows = Vec::new();
        let mut start = 0;
        let mut first = 0;
        while first < outputs {
            let left = outputs - first;
            let width =
                if vector_registers() >= 32 { left.min(MAX_WIDTH).next_power_of_two() } else { narrow_width(left) };
            let count = left.min(width);
            rows.push(TileRow { first, count, width, start });
            start += width * taps;
            first += count;
        }
        let mut values = vec![0.0; start * geometry.groups];
        for (group, from) in values.chunks_mut(start.max(1)).zip(weights.chunks((outputs * taps).max(1))) {
            for row in &rows {
                let to = &mut group[row.start..][..row.width * taps];
                for (k, from) in from[row.first * taps..].chunks(taps.max(1)).take(row.count).enumerate() {
                    to[k..].iter_mut().step_by(row.width).zip(from).for_each(|(to, from)| *to = *from);
                }
            }
        }
        Self { values, rows, taps, group_len: start }
    }
    /// Rows of tiles of each group.
    pub fn rows(&self) -> &[TileRow] {
        &self.rows
    }
    /// Weights of `row` of `group` from tap `first` on, `[tap][width]`.
    pub fn of(&self, group: usize, row: &TileRow, first: usize) -> &[f32] {
        let start = group * self.group_len + row.start;
        &self.values[start..start + row.width * self.taps][first * row.width..]
    }
}

/// Channels of the next tile of `left` where few registers hold the sums of at most six channels: six, unless that leaves
/// fewer than four.
fn narrow_width(left: usize) -> usize {
    match left {
        1 | 2 => left,
        3 | 4 | 8 => 4,
        _ if left % 6 == 2 => 4,
        _ => 6,
    }
}
