//! Winograd's form of 3x3 convolutions with stride 1: 16 multiplications for 2x2 outputs where the direct form has 36.
//!
//! F(2x2, 3x3) of Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks" (CVPR 2016), section 4:
//! Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A for tiles d of 4x4 inputs, every two rows and columns. For each of the 16 positions of a
//! tile the sum over the input channels is a matrix product. A vector holds sixteen channels of one position, so it is full
//! for any width and height.
//!
//! [`input`] moves channels to the lanes and transforms tiles; [`product`] sums over channels; [`output`] transforms sums
//! back, applies the epilogue and returns the lanes to planes; [`windows`] finds sums that are exactly zero.
//!
//! Sums differ from those of the direct form by rounding, a few times 1e-6 of their usual size: an output's error is that of
//! the largest value in its tile. Infinite and undefined values would spread over a tile, so images that have one take the
//! direct form.

pub mod input;
pub mod output;
pub mod product;
#[cfg(test)]
mod tests;
pub mod tiling;
pub mod windows;

use input::TransformInput;
use output::TransformSums;
use product::Products;
use tiling::{POSITIONS, Parts, blocks, tile_step, tiles};

use super::buffer::Scratch;
use super::epilogue::{ActivateInPlace, Epilogue};
use super::geometry::Geometry;
use crate::compute::simd::dispatch;
use crate::compute::simd::lanes::LANES;
use crate::compute::simd::range::IsBelow;

/// Transformed inputs and sums of a band, 128 KiB: a quarter of a common L2 cache.
const MAX_BAND: usize = 32 * 1024;
/// Transformed weights beyond a common L2 cache, 1 MiB, are read for as many tiles as [`MANY_TILES`] at once.
const MAX_RESIDENT: usize = 1 << 18;
const MANY_TILES: usize = 64;
/// Transformed weights beyond 4 MiB are worth reading for half as many tiles in an image, up to 16 MiB.
const MAX_CACHED: usize = 1 << 20;
const MAX_WEIGHTS: usize = 1 << 22;
/// What both transforms of a value take, in multiplications (measured with AVX2).
const TRANSFORM: usize = 8;
/// Tiles of an image from which on products are worth reading the weights for.
const MIN_TILES: usize = 4;
/// Magnitudes up to which no sum overflows, of inputs and of weights.
pub const MAX_INPUT: f32 = 1e24;
const MAX_WEIGHT: f32 = 1e8;

/// A convolution in Winograd's form, with its transformed weights.
#[derive(Clone, Debug)]
pub struct Winograd {
    geometry: Geometry,
    /// `[position][block of 16 output channels][input channel][16]`, zeros for channels that fill a block.
    weights: Vec<f32>,
    /// Tile rows of a band.
    band: usize,
}

impl Winograd {
    /// For `weights` `[C_out, C, 3, 3]`; `None` where the direct form is as fast or the only one.
    pub fn new(geometry: &Geometry, weights: &[f32]) -> Option<Self> {
        if !is_worth_it(geometry) || !dispatch(IsBelow { values: weights, limit: MAX_WEIGHT }) {
            return None;
        }
        let [inputs, outputs] = blocks(geometry);
        let channels = geometry.input[0];
        let padded = inputs * LANES;
        let mut transformed = vec![0.0; POSITIONS * outputs * padded * LANES];
        for (k, kernel) in weights.as_chunks::<9>().0.iter().enumerate() {
            let (o, c) = (k / channels, k % channels);
            for (position, value) in transform_weights(kernel).into_iter().enumerate() {
                transformed[((position * outputs + o / LANES) * padded + c) * LANES + o % LANES] = value;
            }
        }
        let [_, across] = tiles(geometry);
        let least = if transformed.len() > MAX_RESIDENT { MANY_TILES.div_ceil(across) } else { 1 };
        let band = (MAX_BAND / (across * (tile_step(inputs) + tile_step(outputs)))).max(least);
        Some(Self { geometry: *geometry, weights: transformed, band })
    }

    /// Whether every value of `input` is a number small enough for sums that do not overflow.
    pub fn is_possible(input: &[f32]) -> bool {
        dispatch(IsBelow { values: input, limit: MAX_INPUT })
    }

    /// Convolves `images` images `[C, H, W]` to `out` `[images][C_out, H_out, W_out]`.
    pub fn run(&self, input: &[f32], images: usize, epilogue: &Epilogue, out: &mut [f32], scratch: &mut Scratch) {
        let geometry = &self.geometry;
        let [inputs, outputs] = blocks(geometry);
        let [down, across] = tiles(geometry);
        let all = images * down;
        let band = self.band.min(all);
        let tiles = band * across;
        let Scratch { packed, sums, used, windows } = scratch;
        let transformed_len = tiles * tile_step(inputs);
        let rows = band.min(down);
        let (input_room, output_room) = (input::room_len(geometry, rows), output::room_len(geometry, rows));
        let (transformed, room) = packed.get(transformed_len + input_room + output_room).split_at_mut(transformed_len);
        let (input_room, output_room) = room.split_at_mut(input_room);
        let sums = sums.get(tiles * tile_step(outputs));
        used.resize(used.len().max(input::pixels(geometry, rows)), false);
        windows.resize(windows.len().max(tiles), [false; 4]);
        for first in (0..all).step_by(band) {
            let part = first..(first + band).min(all);
            let parts = Parts { down, across, most: band, band: part.clone(), first_tile: 0 };
            for rows in parts.clone() {
                let room = &mut *input_room;
                dispatch(TransformInput { geometry, input, rows, room, used, out: transformed, windows });
            }
            let tiles = part.len() * across;
            dispatch(Products { weights: &self.weights, blocks: [inputs, outputs], transformed, tiles, sums });
            for rows in parts {
                dispatch(TransformSums { geometry, sums, windows, rows, room: output_room, epilogue, out });
            }
        }
        if let Some(activation) = epilogue.steps() {
            dispatch(ActivateInPlace { activation, values: &mut out[..images * geometry.output_len()] });
        }
    }
}

/// Whether Winograd's form is possible and faster.
fn is_worth_it(geometry: &Geometry) -> bool {
    let [inputs, outputs] = blocks(geometry);
    let [down, across] = tiles(geometry);
    let [c, o] = [inputs * LANES, outputs * LANES];
    let per_tile = POSITIONS * (c * o + TRANSFORM * (c + o));
    geometry.kernel == [3, 3]
        && geometry.stride == [1, 1]
        && geometry.dilation == [1, 1]
        && geometry.groups == 1
        && POSITIONS * c * o <= if 2 * down * across >= MANY_TILES { MAX_WEIGHTS } else { MAX_CACHED }
        && down * across >= MIN_TILES
        && down * across * per_tile < geometry.multiplications()
}

/// G g Gᵀ of a kernel g, `[3, 3]`; computed in f64.
fn transform_weights(kernel: &[f32; 9]) -> [f32; POSITIONS] {
    let by_rows = |a: f64, b: f64, c: f64| [a, (a + b + c) / 2.0, (a - b + c) / 2.0, c];
    let at = |y: usize, x: usize| f64::from(kernel[3 * y + x]);
    let columns: [[f64; 4]; 3] = std::array::from_fn(|x| by_rows(at(0, x), at(1, x), at(2, x)));
    let mut out = [0.0; POSITIONS];
    for (i, out) in out.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        *out = by_rows(columns[0][i], columns[1][i], columns[2][i]).map(|value| value as f32);
    }
    out
}
