//! Gradient of a convolution with respect to its weights: tiles of taps and output channels over all places.
//!
//! Per image the gradient of the output is transposed to `[place][channel]` and the input is padded with zeros. A tile
//! holds the sums of some taps for sixteen or 32 output channels in registers: at every place, each tap multiplies one
//! input value with a vector of the output's gradient. Images with few places share a tile.
#![expect(clippy::needless_range_loop, reason = "registers and lanes are indexed by constants once loops are unrolled")]

use crate::compute::convolution::Geometry;
use crate::compute::simd::dispatch;
use crate::compute::simd::isa::{Isa, Kernel};
use crate::compute::simd::lanes::{LANES, Lanes};

/// Places that a tile should have: loading and storing its sums is then a small part of the work.
const PLACES: usize = 128;
/// Buffered values of the images of one tile at most, 256 KiB.
const MAX_BUFFERED: usize = 1 << 16;

/// The layout of the weight gradient of one convolution.
#[derive(Clone, Debug)]
pub struct WeightGradient {
    geometry: Geometry,
    /// Images that share a tile.
    images: usize,
    /// Rows and columns of a padded plane.
    padded: [usize; 2],
    /// Offset of every run of taps from the first channel of its group, in padded planes.
    runs: Vec<usize>,
    /// Taps in a run: neighbors in a row of the kernel.
    run: usize,
    /// Vectors of output channels of a group.
    vectors: usize,
}

/// Sums over some images, and the buffers to add more.
pub struct WeightSums<'a> {
    of: &'a WeightGradient,
    /// `[group][tap][vector]`
    sums: Vec<Lanes>,
    /// `[image][C, H, W]`, padded.
    input: Vec<f32>,
    /// `[image][place][vector]` of one group.
    gradient: Vec<Lanes>,
}

impl WeightGradient {
    /// The layout for `geometry`.
    pub fn new(geometry: Geometry) -> Self {
        let [_, height, width] = geometry.input;
        let [top, left, bottom, right] = geometry.padding;
        let padded = [height + top + bottom, width + left + right];
        let [rows, columns] = geometry.kernel;
        let run = if columns == 3 && geometry.dilation[1] == 1 { 3 } else { 1 };
        let mut runs = Vec::new();
        for c in 0..geometry.group_channels() {
            for ky in 0..rows {
                for kx in (0..columns).step_by(run) {
                    let row = c * padded[0] + ky * geometry.dilation[0];
                    runs.push(row * padded[1] + kx * geometry.dilation[1]);
                }
            }
        }
        let vectors = geometry.group_outputs().div_ceil(LANES);
        let [_, out_height, out_width] = geometry.output();
        let places = out_height * out_width;
        let buffered = geometry.input[0] * padded[0] * padded[1] + places * vectors * LANES;
        let images = PLACES.div_ceil(places.max(1)).min(MAX_BUFFERED / buffered.max(1)).max(1);
        Self { geometry, images, padded, runs, run, vectors }
    }

    /// Images that are best added at once.
    pub fn images(&self) -> usize {
        self.images
    }

    /// Sums of zero.
    pub fn start(&self) -> WeightSums<'_> {
        let taps = self.geometry.groups * self.geometry.taps() * self.vectors;
        let [_, height, width] = self.geometry.output();
        let (planes, places) = (self.geometry.input[0] * self.padded[0] * self.padded[1], height * width);
        WeightSums {
            of: self,
            sums: vec![Lanes::ZERO; taps],
            input: if self.is_padded() { vec![0.0; self.images * planes] } else { Vec::new() },
            gradient: vec![Lanes::ZERO; self.images * places * self.vectors],
        }
    }

    fn is_padded(&self) -> bool {
        self.geometry.padding != [0; 4]
    }

    /// The sum of `parts` in their order, `[C_out, C/groups, kH, kW]`.
    pub fn finish(&self, parts: Vec<WeightSums<'_>>) -> Vec<f32> {
        let (taps, outputs) = (self.geometry.taps(), self.geometry.group_outputs());
        let mut parts = parts.into_iter().map(|part| part.sums);
        let mut sums = parts.next().unwrap_or_default();
        for part in parts {
            dispatch(AddLanes(&mut sums, &part));
        }
        let mut out = vec![0.0; self.geometry.out_channels * taps];
        for (to, from) in out.chunks_exact_mut(outputs * taps).zip(sums.chunks_exact(taps * self.vectors)) {
            for (tap, from) in from.chunks_exact(self.vectors).enumerate() {
                let to = to[tap..].iter_mut().step_by(taps);
                to.zip(from.iter().flat_map(|lanes| &lanes.0)).for_each(|(to, from)| *to = *from);
            }
        }
        out
    }
}

struct AddLanes<'a>(&'a mut [Lanes], &'a [Lanes]);

impl Kernel for AddLanes<'_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        self.0.iter_mut().zip(self.1).for_each(|(to, from)| I::store(I::add(I::load(to), I::load(from)), to));
    }
}

impl WeightSums<'_> {
    /// Adds images: `input` `[images][C, H, W]`, `gradient` `[images][C_out, H_out, W_out]`.
    pub fn add(&mut self, input: &[f32], gradient: &[f32]) {
        let Self { of, sums, input: padded, gradient: transposed } = self;
        let geometry = &of.geometry;
        let (input_len, output_len) = (geometry.input_len(), geometry.output_len());
        if output_len == 0 || input_len == 0 {
            return;
        }
        let places = output_len / geometry.out_channels;
        let (group_outputs, group_taps) = (geometry.group_outputs(), geometry.taps() * of.vectors);
        let plane = of.padded[0] * of.padded[1];
        for (input, gradient) in input.chunks(of.images * input_len).zip(gradient.chunks(of.images * output_len)) {
            let input = match of.is_padded() {
                true => {
                    dispatch(PadPlanes { of, input, padded });
                    padded.as_slice()
                }
                false => input,
            };
            let images = gradient.len() / output_len;
            for (group, sums) in sums.chunks_exact_mut(group_taps).enumerate() {
                for (image, to) in transposed.chunks_exact_mut(places * of.vectors).enumerate().take(images) {
                    let from = &gradient[image * output_len + group * group_outputs * places..];
                    let from = &from[..group_outputs * places];
                    dispatch(Transpose { from, to, places, vectors: of.vectors });
                }
                let input = &input[group * geometry.group_channels() * plane..];
                dispatch(Tiles { of, input, gradient: transposed, sums, images });
            }
        }
    }
}

/// Copies planes into the middle of padded ones, whose edges are zero already.
struct PadPlanes<'a> {
    of: &'a WeightGradient,
    input: &'a [f32],
    padded: &'a mut [f32],
}

impl Kernel for PadPlanes<'_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let [_, height, width] = self.of.geometry.input;
        let [top, left, ..] = self.of.geometry.padding;
        let [rows, columns] = self.of.padded;
        let planes = self.input.chunks_exact(height * width).zip(self.padded.chunks_exact_mut(rows * columns));
        for (from, to) in planes {
            let to = to[top * columns + left..].chunks_mut(columns);
            for (from, to) in from.chunks_exact(width).zip(to) {
                let to = to[..width].chunks_mut(LANES);
                from.chunks(LANES).zip(to).for_each(|(from, to)| I::store_part(I::load_part(from), to));
            }
        }
    }
}

/// `[channel][place]` to `[place][vector]`; channels beyond the last are zero.
struct Transpose<'a> {
    from: &'a [f32],
    to: &'a mut [Lanes],
    places: usize,
    vectors: usize,
}

impl Kernel for Transpose<'_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { from, to, places, vectors } = self;
        for (vector, channels) in from.chunks(LANES * places).enumerate() {
            let mut place = 0;
            while place < places {
                // The last block begins earlier, where there are enough places.
                let first = if place + LANES > places { places.saturating_sub(LANES) } else { place };
                let mut rows = [I::splat(0.0); LANES];
                for (row, channel) in rows.iter_mut().zip(channels.chunks_exact(places)) {
                    *row = I::load_part(&channel[first..]);
                }
                let rows = I::transpose(rows);
                let to = to[first * vectors + vector..].iter_mut().step_by(vectors);
                to.zip(rows).for_each(|(to, row)| I::store(row, to));
                place = first + LANES;
            }
        }
    }
}

/// Adds the products of some images to the sums of one group.
struct Tiles<'a> {
    of: &'a WeightGradient,
    /// From the first channel of the group on.
    input: &'a [f32],
    gradient: &'a [Lanes],
    /// `[tap][vector]`
    sums: &'a mut [Lanes],
    images: usize,
}

impl Kernel for Tiles<'_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(mut self) {
        // As many sums as the registers hold, besides the vectors of the gradient and one input value.
        match (I::REGISTERS >= 32, self.of.run, self.of.vectors) {
            (true, 3, 1) => self.walk::<I, 6, 3, 1>(),
            (true, 3, _) => self.walk::<I, 3, 3, 2>(),
            (true, _, 1) => self.walk::<I, 16, 1, 1>(),
            (true, _, _) => self.walk::<I, 8, 1, 2>(),
            (false, 3, _) => self.walk::<I, 2, 3, 1>(),
            (false, _, _) => self.walk::<I, 6, 1, 1>(),
        }
    }
}

impl Tiles<'_> {
    /// Tiles of `R` runs of `K` taps and `V` vectors.
    #[inline(always)]
    fn walk<I: Isa, const R: usize, const K: usize, const V: usize>(&mut self) {
        let vectors = self.of.vectors;
        let (tiles, rest) = self.of.runs.as_chunks::<R>();
        for (tile, runs) in tiles.iter().enumerate() {
            self.row::<I, R, K, V>(runs, tile * R);
        }
        for (run, offset) in rest.iter().enumerate() {
            self.row::<I, 1, K, V>(&[*offset], tiles.len() * R + run);
        }
        debug_assert_eq!(self.sums.len(), self.of.runs.len() * K * vectors);
    }

    /// All vectors of the runs from `first` on.
    #[inline(always)]
    fn row<I: Isa, const R: usize, const K: usize, const V: usize>(&mut self, runs: &[usize; R], first: usize) {
        let vectors = self.of.vectors;
        let mut vector = 0;
        while vector < vectors {
            if vector + V <= vectors {
                self.tile::<I, R, K, V>(runs, first, vector);
                vector += V;
            } else {
                self.tile::<I, R, K, 1>(runs, first, vector);
                vector += 1;
            }
        }
    }

    #[inline(always)]
    fn tile<I: Isa, const R: usize, const K: usize, const V: usize>(
        &mut self,
        runs: &[usize; R],
        first: usize,
        vector: usize,
    ) {
        let WeightGradient { geometry, padded: [padded_rows, pitch], vectors, .. } = self.of;
        let (pitch, vectors) = (*pitch, *vectors);
        let [_, height, width] = geometry.output();
        let [stride_rows, stride] = geometry.stride;
        let image_len = geometry.input[0] * padded_rows * pitch;
        // Input values from the first to the last that one output row reads.
        let span = (width - 1) * stride + K;
        let mut sums = [[[I::splat(0.0); V]; K]; R];
        for image in 0..self.images {
            let input = &self.input[image * image_len..];
            for y in 0..height {
                let lines: [&[f32]; R] = std::array::from_fn(|r| &input[runs[r] + y * stride_rows * pitch..][..span]);
                let gradient = &self.gradient[(image * height + y) * width * vectors..][..width * vectors];
                for (x, gradient) in gradient.chunks_exact(vectors).enumerate() {
                    let gradient: [I::V; V] = std::array::from_fn(|v| I::load(&gradient[vector + v]));
                    for r in 0..R {
                        for k in 0..K {
                            let value = I::splat(lines[r][x * stride + k]);
                            for v in 0..V {
                                sums[r][k][v] = I::mul_add(value, gradient[v], sums[r][k][v]);
                            }
                        }
                    }
                }
            }
        }
        for r in 0..R {
            for k in 0..K {
                for v in 0..V {
                    let to = &mut self.sums[((first + r) * K + k) * vectors + vector + v];
                    I::store(I::add(I::load(to), sums[r][k][v]), to);
                }
            }
        }
    }
}
