//! Transformed inputs: sixteen channels of a pixel in a vector, then Bᵀ d B of every tile.
#![expect(clippy::needless_range_loop, reason = "registers are indexed by constants once loops are unrolled")]

use std::ops::Range;

use super::tiling::{Rows, TILE, blocks, tile_step, tiles};
use super::windows::mark;
use crate::compute::convolution::buffer::Windows;
use crate::compute::convolution::geometry::Geometry;
use crate::compute::simd::isa::{Isa, Kernel};
use crate::compute::simd::lanes::LANES;

/// Bᵀ d B of some rows of tiles.
pub struct TransformInput<'a> {
    pub geometry: &'a Geometry,
    /// `[images][C, H, W]`
    pub input: &'a [f32],
    pub rows: Rows,
    /// [`room_len`] values; for rows behind others of the same image as those left them.
    pub room: &'a mut [f32],
    /// Whether a padded pixel, `[row][column]`, has a channel that is not zero; as many as pixels, and kept like the room.
    pub used: &'a mut [bool],
    /// `[tile][block of channels][position][16]`, tiles [`tile_step`] apart.
    pub out: &'a mut [f32],
    /// `[tile]`
    pub windows: &'a mut [Windows],
}

/// Padded rows and columns that `rows` rows of tiles read.
fn padded(geometry: &Geometry, rows: usize) -> [usize; 2] {
    [2 * rows + 2, 2 * tiles(geometry)[1] + 2]
}

/// Padded pixels that `rows` rows of tiles read.
pub fn pixels(geometry: &Geometry, rows: usize) -> usize {
    padded(geometry, rows).iter().product()
}

/// Values in the room of [`TransformInput`]: padded pixels, `[block of channels][row][column][16]`.
pub fn room_len(geometry: &Geometry, rows: usize) -> usize {
    blocks(geometry)[0] * pixels(geometry, rows) * LANES
}

/// Rows of the input among `height` padded rows from `first` on.
fn real_rows(geometry: &Geometry, first: usize, height: usize) -> Range<usize> {
    let ([_, rows, _], top) = (geometry.input, geometry.padding[0]);
    let start = first.saturating_sub(top).min(rows);
    start..(first + height).saturating_sub(top).clamp(start, rows)
}

impl Kernel for TransformInput<'_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { geometry, input, rows, room, used, out, windows } = self;
        let (count, [_, across], [inputs, _]) = (rows.rows.len(), tiles(geometry), blocks(geometry));
        let [height, width] = padded(geometry, count);
        let block_len = room.len() / inputs;
        let image = &input[rows.image * geometry.input_len()..][..geometry.input_len()];
        // The rows before read the first two already.
        let kept = if rows.before > 0 { 2 } else { 0 };
        used.copy_within(2 * rows.before * width..(2 * rows.before + kept) * width, 0);
        let used = &mut used[..height * width];
        used[kept * width..].fill(false);
        for (block, room) in room.chunks_exact_mut(block_len).enumerate() {
            room.copy_within(2 * rows.before * width * LANES..(2 * rows.before + kept) * width * LANES, 0);
            let (room, used) = (&mut room[kept * width * LANES..height * width * LANES], &mut used[kept * width..]);
            Gather { geometry, image, block, first: 2 * rows.rows.start + kept, width, room, used }.run::<I>();
        }
        let windows = &mut windows[rows.first_tile..][..count * across];
        let pixels = real_rows(geometry, 2 * rows.rows.start, height).len() * geometry.input[2];
        // No window lies in the padding alone, so each sees one of these pixels.
        let sees_pixels = geometry.padding.iter().all(|&padding| padding < 3);
        if sees_pixels && used.iter().map(|&used| usize::from(used)).sum::<usize>() == pixels {
            windows.fill([true; 4]);
        } else {
            mark(used, width, across, windows);
        }
        let step = tile_step(inputs);
        let mut tiles = out[rows.first_tile * step..].chunks_exact_mut(step);
        for row in 0..count {
            for column in 0..across {
                let Some(tile) = tiles.next() else { return };
                let start = 2 * (row * width + column) * LANES;
                for (block, out) in tile.as_chunks_mut::<TILE>().0.iter_mut().enumerate() {
                    transform::<I>(&room[block * block_len + start..], width * LANES, out);
                }
            }
        }
    }
}

/// Moves the channels of a block to the lanes of padded pixels: whole rows of `width` pixels, from padded row `first` on.
struct Gather<'a> {
    geometry: &'a Geometry,
    image: &'a [f32],
    block: usize,
    first: usize,
    width: usize,
    room: &'a mut [f32],
    used: &'a mut [bool],
}

impl Gather<'_> {
    #[inline(always)]
    fn run<I: Isa>(mut self) {
        let ([channels, rows, columns], [top, left, ..]) = (self.geometry.input, self.geometry.padding);
        let height = self.used.len() / self.width;
        // Rows of the input, and padded rows before the first of them.
        let Range { start, end } = real_rows(self.geometry, self.first, height);
        let above = top.saturating_sub(self.first).min(height);
        for (y, row) in self.room.chunks_exact_mut(self.width * LANES).enumerate() {
            if y < above || y >= above + (end - start) {
                row.fill(0.0);
            } else {
                row[..left * LANES].fill(0.0);
                row[(left + columns) * LANES..].fill(0.0);
            }
        }
        let present = (channels - self.block * LANES).min(LANES);
        let planes = &self.image[self.block * LANES * rows * columns..];
        let (mut x, mut to) = (0, above * self.width + left);
        for pixel in (start * columns..end * columns).step_by(LANES) {
            let count = (end * columns - pixel).min(LANES);
            let vectors = if count == LANES && present == LANES {
                load_planes::<I>(&planes[pixel..], rows * columns)
            } else {
                let mut vectors = [I::splat(0.0); LANES];
                for c in 0..present {
                    vectors[c] = I::load_part(&planes[c * rows * columns + pixel..][..count]);
                }
                vectors
            };
            let used = used_lanes::<I>(&vectors);
            let pixels = I::transpose(vectors);
            // Pixels up to the end of the row, those of the next row, and so on.
            let mut k = 0;
            while k < count {
                let part = (count - k).min(columns - x);
                self.store::<I>(&pixels, used, k, part, to);
                (x, to, k) = (x + part, to + part, k + part);
                if x == columns {
                    (x, to) = (0, to + (self.width - columns));
                }
            }
        }
    }

    /// Stores `count` of sixteen pixels from `first` on at padded pixel `to`.
    #[inline(always)]
    fn store<I: Isa>(&mut self, pixels: &[I::V; LANES], used: u16, first: usize, count: usize, to: usize) {
        let room = &mut self.room[to * LANES..][..count * LANES];
        let flags = &mut self.used[to..][..count];
        if let (Some(room), Some(flags)) = (room.first_chunk_mut::<TILE>(), flags.first_chunk_mut::<LANES>()) {
            let room = room.as_chunks_mut::<LANES>().0;
            for k in 0..LANES {
                I::store_slice(pixels[k], &mut room[k]);
            }
            if used == u16::MAX {
                *flags = [true; LANES];
            } else {
                set(flags, used);
            }
            return;
        }
        for (pixel, room) in pixels[first..].iter().zip(room.as_chunks_mut().0) {
            I::store_slice(*pixel, room);
        }
        set(flags, used >> first);
    }
}

/// Sets the flags whose bit is set.
#[inline(always)]
fn set(flags: &mut [bool], bits: u16) {
    for (k, flag) in flags.iter_mut().enumerate() {
        *flag |= bits >> k & 1 == 1;
    }
}

/// Sixteen values of each of sixteen planes that are `step` values apart.
#[inline(always)]
fn load_planes<I: Isa>(planes: &[f32], step: usize) -> [I::V; LANES] {
    let mut vectors = [I::splat(0.0); LANES];
    for c in 0..LANES {
        if let Some(from) = planes.get(c * step..).and_then(|plane| plane.first_chunk()) {
            vectors[c] = I::load_slice(from);
        }
    }
    vectors
}

/// Bits of the lanes that are not zero in all vectors.
#[inline(always)]
fn used_lanes<I: Isa>(vectors: &[I::V; LANES]) -> u16 {
    let zero = I::splat(0.0);
    let mut largest = zero;
    for c in 0..LANES {
        largest = I::max(largest, vectors[c]);
    }
    let positive = I::gt(largest, zero);
    if positive == u16::MAX {
        return positive;
    }
    let mut least = zero;
    for c in 0..LANES {
        least = I::min(least, vectors[c]);
    }
    positive | I::gt(zero, least)
}

/// Bᵀ d B of the tile of 4x4 pixels at the beginning of `pixels`, whose rows are `step` values apart.
#[inline(always)]
fn transform<I: Isa>(pixels: &[f32], step: usize, out: &mut [f32; TILE]) {
    let (Some(a), Some(b)) = (line(pixels, 0), line(pixels, step)) else { return };
    let (Some(c), Some(d)) = (line(pixels, 2 * step), line(pixels, 3 * step)) else { return };
    let [first, second, third, fourth] = out.as_chunks_mut::<{ 4 * LANES }>().0 else { return };
    columns::<I>(combine::<I, true>(a, c), first);
    columns::<I>(combine::<I, false>(b, c), second);
    columns::<I>(combine::<I, true>(c, b), third);
    columns::<I>(combine::<I, true>(b, d), fourth);
}

/// Four pixels.
type Line = [f32; 4 * LANES];

#[inline(always)]
fn line(pixels: &[f32], start: usize) -> Option<&Line> {
    pixels.get(start..).and_then(|pixels| pixels.first_chunk())
}

/// `a − b` or `a + b`.
#[inline(always)]
fn combine<I: Isa, const MINUS: bool>(a: &Line, b: &Line) -> [I::V; 4] {
    let (a, b) = (a.as_chunks::<LANES>().0, b.as_chunks::<LANES>().0);
    let mut values = [I::splat(0.0); 4];
    for j in 0..4 {
        let (a, b) = (I::load_slice(&a[j]), I::load_slice(&b[j]));
        values[j] = if MINUS { I::sub(a, b) } else { I::add(a, b) };
    }
    values
}

/// The product with B of one row.
#[inline(always)]
fn columns<I: Isa>(d: [I::V; 4], out: &mut Line) {
    let out = out.as_chunks_mut::<LANES>().0;
    I::store_slice(I::sub(d[0], d[2]), &mut out[0]);
    I::store_slice(I::add(d[1], d[2]), &mut out[1]);
    I::store_slice(I::sub(d[2], d[1]), &mut out[2]);
    I::store_slice(I::sub(d[1], d[3]), &mut out[3]);
}
