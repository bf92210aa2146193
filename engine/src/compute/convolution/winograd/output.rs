//! Outputs of Winograd's form: Aᵀ m A of every tile, the epilogue, and channels returned to their planes.
#![expect(clippy::needless_range_loop, reason = "registers are indexed by constants once loops are unrolled")]

use super::tiling::{Rows, TILE, blocks, tile_step, tiles};
use crate::compute::convolution::buffer::Windows;
use crate::compute::convolution::epilogue::Epilogue;
use crate::compute::convolution::geometry::Geometry;
use crate::compute::simd::isa::{Isa, Kernel};
use crate::compute::simd::lanes::LANES;

/// Aᵀ m A of some rows of tiles, and the epilogue but for [`Epilogue::steps`].
pub struct TransformSums<'a> {
    pub geometry: &'a Geometry,
    /// `[tile][block of channels][position][16]`, tiles [`tile_step`] apart.
    pub sums: &'a [f32],
    /// `[tile]`
    pub windows: &'a [Windows],
    pub rows: Rows,
    /// [`room_len`] values.
    pub room: &'a mut [f32],
    pub epilogue: &'a Epilogue<'a>,
    /// `[images][C_out, H_out, W_out]`
    pub out: &'a mut [f32],
}

/// Values in the room of [`TransformSums`]: the pixels of a block, `[row][column][16]`, and those behind the last one; then
/// the same as planes, `[16][row][column]`.
pub fn room_len(geometry: &Geometry, rows: usize) -> usize {
    let pixels = 2 * rows * geometry.output()[2];
    by_pixel_len(pixels) + LANES * channel_step(pixels)
}

fn by_pixel_len(pixels: usize) -> usize {
    (pixels + LANES) * LANES
}

/// Distance of the planes of a room: an odd number of cache lines, so that not all planes share a few of them.
fn channel_step(pixels: usize) -> usize {
    (pixels.div_ceil(LANES) | 1) * LANES
}

impl Kernel for TransformSums<'_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { geometry, sums, windows, rows, room, epilogue, out } = self;
        let ([channels, height, width], [_, across], [_, outputs]) =
            (geometry.output(), tiles(geometry), blocks(geometry));
        let step = tile_step(outputs);
        let first = 2 * rows.rows.start * width;
        let pixels = (2 * rows.rows.end).min(height) * width - first;
        let image = rows.image * channels * height * width;
        let by_pixel = by_pixel_len(pixels);
        let (floor, ceiling) = epilogue.limits();
        let limits = [I::splat(floor), I::splat(ceiling)];
        for block in 0..outputs {
            let windows = windows[rows.first_tile..].iter();
            let mut tiles = sums[rows.first_tile * step..].chunks_exact(step).zip(windows);
            for row in 0..rows.rows.len() {
                for column in 0..across {
                    let Some((tile, windows)) = tiles.next() else { return };
                    let Some(tile) = tile.as_chunks::<TILE>().0.get(block) else { return };
                    let to = &mut room[2 * (row * width + column) * LANES..];
                    transform::<I>(tile, windows, to, width * LANES, 2 * column + 1 < width);
                }
            }
            let (by_pixel, planes) = room.split_at_mut(by_pixel);
            let step = channel_step(pixels);
            separate::<I>(by_pixel, pixels, planes, step);
            let bias = epilogue.bias.get(block * LANES..).unwrap_or_default();
            for (c, sums) in planes.chunks_exact(step).enumerate().take(channels - block * LANES) {
                let place = image + (block * LANES + c) * height * width + first;
                let bias = I::splat(bias.get(c).copied().unwrap_or(0.0));
                let residual = epilogue.residual.and_then(|residual| residual.get(place..place + pixels));
                if let Some(out) = out.get_mut(place..place + pixels) {
                    store::<I>(sums, bias, residual, limits, out);
                }
            }
        }
    }
}

/// Aᵀ m A of one tile, to two rows of `out` that are `step` values apart; with an odd width the last tile has one column.
#[inline(always)]
fn transform<I: Isa>(tile: &[f32; TILE], windows: &Windows, out: &mut [f32], step: usize, has_both: bool) {
    let m = tile.as_chunks::<LANES>().0;
    let (mut upper, mut lower) = ([I::splat(0.0); 2], [I::splat(0.0); 2]);
    for j in 0..4 {
        let (a, b) = (I::load_slice(&m[j]), I::load_slice(&m[4 + j]));
        let (c, d) = (I::load_slice(&m[8 + j]), I::load_slice(&m[12 + j]));
        upper = combine::<I>(upper, I::add(I::add(a, b), c), j);
        lower = combine::<I>(lower, I::sub(I::sub(b, c), d), j);
    }
    if *windows != [true; 4] {
        for x in 0..2 {
            upper[x] = if windows[x] { upper[x] } else { I::splat(0.0) };
            lower[x] = if windows[2 + x] { lower[x] } else { I::splat(0.0) };
        }
    }
    put::<I>(upper, out, has_both);
    if let Some(out) = out.get_mut(step..) {
        put::<I>(lower, out, has_both);
    }
}

/// Adds column `j` of the product with A to the outputs of one row.
#[inline(always)]
fn combine<I: Isa>(row: [I::V; 2], value: I::V, j: usize) -> [I::V; 2] {
    match j {
        0 => [value, row[1]],
        1 => [I::add(row[0], value), value],
        2 => [I::add(row[0], value), I::sub(row[1], value)],
        _ => [row[0], I::sub(row[1], value)],
    }
}

#[inline(always)]
fn put<I: Isa>(row: [I::V; 2], out: &mut [f32], has_both: bool) {
    let Some(out) = out.first_chunk_mut::<{ 2 * LANES }>() else { return };
    let [first, second] = out.as_chunks_mut::<LANES>().0 else { return };
    I::store_slice(row[0], first);
    if has_both {
        I::store_slice(row[1], second);
    }
}

/// Returns the lanes of `count` pixels to planes that are `step` values apart.
#[inline(always)]
fn separate<I: Isa>(pixels: &[f32], count: usize, planes: &mut [f32], step: usize) {
    for (k, pixels) in pixels.as_chunks::<LANES>().0.as_chunks::<LANES>().0.iter().enumerate() {
        if k * LANES >= count {
            return;
        }
        let mut vectors = [I::splat(0.0); LANES];
        for (vector, pixel) in vectors.iter_mut().zip(pixels) {
            *vector = I::load_slice(pixel);
        }
        let channels = I::transpose(vectors);
        for c in 0..LANES {
            if let Some(to) = planes.get_mut(c * step + k * LANES..).and_then(|to| to.first_chunk_mut()) {
                I::store_slice(channels[c], to);
            }
        }
    }
}

/// Adds bias and residual, clamps to the limits and stores outputs of one channel.
#[inline(always)]
fn store<I: Isa>(sums: &[f32], bias: I::V, residual: Option<&[f32]>, limits: [I::V; 2], out: &mut [f32]) {
    let whole = out.len() / LANES * LANES;
    let (out, rest) = out.split_at_mut(whole);
    let clamp = |sum| I::min(limits[1], I::max(limits[0], sum));
    let out = out.as_chunks_mut::<LANES>().0;
    let (from, last) = sums.split_at(whole);
    let from = from.as_chunks::<LANES>().0;
    match residual {
        None => {
            for (from, out) in from.iter().zip(out) {
                I::store_slice(clamp(I::add(I::load_slice(from), bias)), out);
            }
        }
        Some(residual) => {
            for ((from, residual), out) in from.iter().zip(residual.as_chunks().0).zip(out) {
                I::store_slice(clamp(I::add(I::add(I::load_slice(from), bias), I::load_slice(residual))), out);
            }
        }
    }
    if !rest.is_empty() {
        let mut sum = I::add(I::load_part(last), bias);
        if let Some(residual) = residual {
            sum = I::add(sum, I::load_part(&residual[whole..]));
        }
        I::store_part(clamp(sum), rest);
    }
}
