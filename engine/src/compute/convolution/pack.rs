//! Packs input planes: shifted copies of the zero-padded plane, so that every tap is one offset.

use std::ops::Range;

use super::columns::Columns;
use super::plan::{Block, Plan};
use crate::compute::simd::isa::{Isa, Kernel};
use crate::compute::simd::lanes::LANES;

/// Packs the channels of a block for a band of output rows.
pub struct Pack<'a> {
    pub plan: &'a Plan,
    pub block: &'a Block,
    /// Output rows.
    pub band: Range<usize>,
    /// `[images][C, H, W]`
    pub input: &'a [f32],
    /// At least [`Plan::packed_len`] values.
    pub packed: &'a mut [f32],
}

impl Kernel for Pack<'_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        if self.plan.margin > 0 {
            return self.pack_with_margins::<I>();
        }
        match (self.plan.geometry.stride[1], self.plan.geometry.output()[2].div_ceil(LANES)) {
            (1, 1) => self.pack::<I, 1, 1>(),
            (1, 2) => self.pack::<I, 1, 2>(),
            (1, _) => self.pack::<I, 1, 0>(),
            (2, 1) => self.pack::<I, 2, 1>(),
            (2, _) => self.pack::<I, 2, 0>(),
            _ => self.pack::<I, 0, 0>(),
        }
    }
}

impl Pack<'_> {
    /// Packs rows with zeros before each.
    #[inline(always)]
    fn pack_with_margins<I: Isa>(self) {
        let Self { plan, block, band, input, packed } = self;
        let geometry = &plan.geometry;
        let [_, height, width] = geometry.input;
        let stride = geometry.stride[0];
        let rows = plan.rows - (plan.band - band.len());
        let channels = block.groups.clone().flat_map(|group| {
            let first = group * geometry.group_channels();
            block.channels.clone().map(move |c| first + c)
        });
        let planes = channels.flat_map(|c| plan.row_classes.iter().map(move |class| (c, class)));
        for ((c, class), packed) in planes.zip(packed.chunks_exact_mut(plan.plane_len())) {
            let plane = &input[c * height * width..][..height * width];
            let start = (band.start * stride + class) as isize - geometry.padding[0] as isize;
            let (lines, last) = packed.split_at_mut(plan.rows * plan.step());
            for (r, line) in lines.chunks_exact_mut(plan.step()).take(rows).enumerate() {
                let (margin, line) = line.split_at_mut(LANES);
                clear_vectors(margin);
                let y = usize::try_from(start + (r * stride) as isize).ok().filter(|y| *y < height);
                match y {
                    Some(y) => {
                        let source = plane[y * width..][..width].as_chunks::<LANES>().0;
                        for (source, to) in source.iter().zip(line.as_chunks_mut::<LANES>().0) {
                            I::store_slice(I::load_slice(source), to);
                        }
                    }
                    None => clear_vectors(line),
                }
            }
            // Behind the last row of the band, which is the last but one of a plane or fewer in the last band.
            let behind = if rows < plan.rows { &mut lines[rows * plan.step()..][..LANES] } else { last };
            clear_vectors(behind);
        }
    }

    /// `STRIDE` is that of the columns, `VECTORS` the number of vectors of a row; 0 stands for any.
    #[inline(always)]
    fn pack<I: Isa, const STRIDE: usize, const VECTORS: usize>(self) {
        let Self { plan, block, band, input, packed } = self;
        let geometry = &plan.geometry;
        let [_, height, width] = geometry.input;
        let (image_len, plane_len) = (geometry.input_len(), height * width);
        let (out_width, row, images) = (geometry.output()[2], plan.row(), plan.images);
        let stride = geometry.stride;
        let rows = plan.rows - (plan.band - band.len());
        let classes = plan.row_classes.iter().map(|class| {
            let start = (band.start * stride[0] + class) as isize - geometry.padding[0] as isize;
            // The rows whose source lies in the input.
            let above = (-start).max(0).unsigned_abs().div_ceil(stride[0]).min(rows);
            let end = (height as isize - start).max(0).unsigned_abs().div_ceil(stride[0]).clamp(above, rows);
            (start, above..end)
        });
        let classes: Vec<(isize, Range<usize>)> = classes.collect();
        let mut at = 0;
        for group in block.groups.clone() {
            for c in block.channels.clone() {
                let first = (group * geometry.group_channels() + c) * plane_len;
                for columns in &plan.columns {
                    for (start, inside) in &classes {
                        clear(packed, at, inside.start * row);
                        let from = first as isize + (start + (inside.start * stride[0]) as isize) * width as isize;
                        let mut lines = Rows {
                            from: from + columns.shift,
                            from_step: stride[0] * width,
                            to: at + inside.start * row,
                            to_step: row,
                            count: inside.len(),
                        };
                        if images == 1 {
                            copy_rows::<I, STRIDE, VECTORS>(input, packed, &lines, columns, stride[1]);
                        } else {
                            // In ascending order: each row overwrites the beginning of the next.
                            let (next, step) = (lines.from_step as isize, lines.to_step);
                            (lines.from_step, lines.to_step, lines.count) = (image_len, out_width, images);
                            for _ in inside.clone() {
                                copy_rows::<I, STRIDE, VECTORS>(input, packed, &lines, columns, stride[1]);
                                lines.from += next;
                                lines.to += step;
                            }
                        }
                        clear(packed, at + inside.end * row, (rows - inside.end) * row);
                        at += plan.plane_len();
                    }
                }
            }
        }
    }
}

/// Rows to copy.
struct Rows {
    /// The source of the first column of the first row; may lie in the padding.
    from: isize,
    from_step: usize,
    to: usize,
    to_step: usize,
    count: usize,
}

/// Copies rows, sixteen columns at once. It may write up to fifteen values beyond each row.
#[inline(always)]
fn copy_rows<I: Isa, const STRIDE: usize, const VECTORS: usize>(
    input: &[f32],
    packed: &mut [f32],
    rows: &Rows,
    columns: &Columns,
    stride: usize,
) {
    let vectors = if VECTORS > 0 { VECTORS } else { columns.masks.len() };
    let masks = &columns.masks[..vectors];
    let (mut from, mut to) = (rows.from, rows.to);
    for _ in 0..rows.count {
        let source = usize::try_from(from).ok().and_then(|from| input.get(from..from + vectors * STRIDE * LANES));
        match (source, packed.get_mut(to..to + vectors * LANES)) {
            (Some(source), Some(target)) if STRIDE == 1 => {
                let pairs = source.as_chunks::<LANES>().0.iter().zip(target.as_chunks_mut::<LANES>().0);
                for ((source, target), &mask) in pairs.zip(masks) {
                    I::store_slice(I::select(mask, I::load_slice(source), I::splat(0.0)), target);
                }
            }
            (Some(source), Some(target)) if STRIDE == 2 => {
                let pairs = source.as_chunks::<{ 2 * LANES }>().0.iter().zip(target.as_chunks_mut::<LANES>().0);
                for ((source, target), &mask) in pairs.zip(masks) {
                    I::store_slice(I::select(mask, I::load_even(source), I::splat(0.0)), target);
                }
            }
            _ => copy_row(input, from, packed, to, columns, stride),
        }
        from += rows.from_step as isize;
        to += rows.to_step;
    }
}

/// Copies one row value by value: at the ends of the input, and for other strides.
#[inline(never)]
fn copy_row(input: &[f32], from: isize, packed: &mut [f32], to: usize, columns: &Columns, stride: usize) {
    for x in 0..columns.width {
        let at = (from + (x * stride) as isize).unsigned_abs();
        let value = if columns.inside.contains(&x) { input.get(at).copied().unwrap_or(0.0) } else { 0.0 };
        if let Some(to) = packed.get_mut(to + x) {
            *to = value;
        }
    }
}

/// Clears `count` values from `at` on, and up to fifteen more.
#[inline(always)]
fn clear(packed: &mut [f32], at: usize, count: usize) {
    for k in (0..count).step_by(LANES) {
        if let Some(to) = packed.get_mut(at + k..).and_then(|to| to.first_chunk_mut::<LANES>()) {
            *to = [0.0; LANES];
        }
    }
}

/// Clears whole vectors.
#[inline(always)]
fn clear_vectors(values: &mut [f32]) {
    values.as_chunks_mut::<LANES>().0.iter_mut().for_each(|values| *values = [0.0; LANES]);
}
