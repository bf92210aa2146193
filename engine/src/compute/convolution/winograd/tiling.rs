//! Tiles of 4x4 inputs and 2x2 outputs: how many there are, how their values lie in memory, and the bands that are computed
//! together.

use std::ops::Range;

use crate::compute::convolution::geometry::Geometry;
use crate::compute::simd::lanes::LANES;

/// Positions of a tile of 4x4 inputs.
pub const POSITIONS: usize = 16;
/// Values of a tile for sixteen channels.
pub const TILE: usize = POSITIONS * LANES;
/// Consecutive rows of tiles of one image.
#[derive(Clone, Debug)]
pub struct Rows {
    pub image: usize,
    pub rows: Range<usize>,
    /// Number of rows of the band before that end where these begin; 0 for the first rows of an image.
    pub before: usize,
    /// Index of the first tile in the band.
    pub first_tile: usize,
}

/// The rows of every image in a band of rows of all images.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Tiles of a column, and of a row.
    pub down: usize,
    pub across: usize,
    /// Rows of a whole band.
    pub most: usize,
    /// Rows of all images, one image after the other.
    pub band: Range<usize>,
    /// Tiles before the band's start.
    pub first_tile: usize,
}

impl Iterator for Parts {
    type Item = Rows;
    fn next(&mut self) -> Option<Rows> {
        if self.band.is_empty() {
            return None;
        }
        let (image, row) = (self.band.start / self.down, self.band.start % self.down);
        let count = self.band.len().min(self.down - row);
        let rows = Rows { image, rows: row..row + count, before: row.min(self.most), first_tile: self.first_tile };
        self.band.start += count;
        self.first_tile += count * self.across;
        Some(rows)
    }
}

/// Blocks of sixteen input channels, and of output channels.
pub fn blocks(geometry: &Geometry) -> [usize; 2] {
    [geometry.input[0].div_ceil(LANES), geometry.out_channels.div_ceil(LANES)]
}

/// Tiles of a column, and of a row.
pub fn tiles(geometry: &Geometry) -> [usize; 2] {
    let [_, height, width] = geometry.output();
    [height.div_ceil(2), width.div_ceil(2)]
}

/// Distance of tiles with `blocks` blocks of channels: a cache line more than these, or the same position of all tiles
/// would share the few lines that a cache has for one address.
pub fn tile_step(blocks: usize) -> usize {
    blocks * TILE + LANES
}
