//! A convolution ready to run, on one image or several at once.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::buffer::{Scratch, with_scratch};
use super::epilogue::Epilogue;
use super::geometry::Geometry;
use super::pack::Pack;
use super::plan::{Block, Plan};
use super::side_by_side::Separate;
use super::tile::Tiles;
use super::weights::PackedWeights;
pub use super::winograd::MAX_INPUT;
use super::winograd::Winograd;
use crate::compute::simd::dispatch;

/// A convolution with its weights in the order in which tiles read them.
#[derive(Clone, Debug)]
pub struct Convolution {
    plan: Arc<Plan>,
    weights: Arc<PackedWeights>,
    winograd: Option<Arc<Winograd>>,
}

impl Convolution {
    /// Packs `weights` `[C_out, C/groups, kH, kW]`. Sums have the direct form: each is one chain over the taps.
    pub fn new(geometry: Geometry, weights: &[f32]) -> Self {
        Self::with_plan(Self::plan_for(geometry), weights)
    }
    /// As [`Convolution::new`], but in [Winograd's form](super::winograd) where that is faster: other rounding, and not
    /// exactly zero for inputs that cancel.
    pub fn fastest(geometry: Geometry, weights: &[f32]) -> Self {
        let winograd = Winograd::new(&geometry, weights).map(Arc::new);
        Self { winograd, ..Self::new(geometry, weights) }
    }
    /// The same in the direct form.
    pub fn direct(&self) -> Self {
        Self { winograd: None, ..self.clone() }
    }
    /// The plan for as many images at once as are best for `geometry`; it can be shared by convolutions of its sizes.
    pub fn plan_for(geometry: Geometry) -> Arc<Plan> {
        Arc::new(Plan::new(geometry, geometry.best_images()))
    }
    /// Packs `weights` `[C_out, C/groups, kH, kW]` for a plan.
    pub fn with_plan(plan: Arc<Plan>, weights: &[f32]) -> Self {
        Self { weights: Arc::new(PackedWeights::new(&plan.geometry, weights)), plan, winograd: None }
    }
    /// Its sizes.
    pub fn geometry(&self) -> &Geometry {
        &self.plan.geometry
    }
    /// Number of images that are best computed together.
    pub fn images(&self) -> usize {
        self.plan.images
    }

    /// Convolves `images` images `[C, H, W]` to `out` `[images][C_out, H_out, W_out]` on this thread. The residual of
    /// `epilogue` has the layout of `out`.
    ///
    /// # Panics
    /// If a slice is shorter than that.
    pub fn forward(&self, input: &[f32], images: usize, epilogue: Epilogue, out: &mut [f32]) {
        self.forward_known(input, images, false, epilogue, out);
    }
    /// The same; with `is_small` all of `input` is known to be numbers of at most [`MAX_INPUT`], which is not checked then.
    pub fn forward_known(&self, input: &[f32], images: usize, is_small: bool, epilogue: Epilogue, out: &mut [f32]) {
        let (input_len, output_len) = (self.geometry().input_len(), self.geometry().output_len());
        with_scratch(|scratch| {
            for first in (0..images).step_by(self.images()) {
                let count = (images - first).min(self.images());
                let part = first * output_len..(first + count) * output_len;
                let input = &input[first * input_len..(first + count) * input_len];
                self.run(input, count, is_small, &epilogue.from_channel(0, part.start), &mut out[part], scratch);
            }
        });
    }

    /// Like [`Convolution::forward`], with all threads. The values are the same.
    pub fn forward_parallel(&self, input: &[f32], images: usize, epilogue: Epilogue, out: &mut [f32]) {
        let (input_len, output_len) = (self.geometry().input_len(), self.geometry().output_len());
        // Fewer at once if that leaves threads without work.
        let count = images.div_ceil(rayon::current_num_threads().max(1)).clamp(1, self.images());
        let parts = out[..images * output_len].par_chunks_mut((count * output_len).max(1)).enumerate();
        parts.for_each(|(k, out)| {
            let first = k * count;
            let images = out.len() / output_len.max(1);
            let input = &input[first * input_len..(first + images) * input_len];
            let epilogue = epilogue.from_channel(0, first * output_len);
            with_scratch(|scratch| self.run(input, images, false, &epilogue, out, scratch));
        });
    }

    /// At most [`Self::images`] images.
    fn run(
        &self,
        input: &[f32],
        images: usize,
        is_small: bool,
        epilogue: &Epilogue,
        out: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let Some(winograd) = &self.winograd else { return self.run_direct(input, images, epilogue, out, scratch) };
        if is_small || Winograd::is_possible(input) {
            return winograd.run(input, images, epilogue, out, scratch);
        }
        let (input_len, output_len) = (self.geometry().input_len(), self.geometry().output_len());
        for (image, (input, out)) in input.chunks_exact(input_len).zip(out.chunks_exact_mut(output_len)).enumerate() {
            let epilogue = epilogue.from_channel(0, image * output_len);
            match Winograd::is_possible(input) {
                true => winograd.run(input, 1, &epilogue, out, scratch),
                false => self.run_direct(input, 1, &epilogue, out, scratch),
            }
        }
    }

    fn run_direct(&self, input: &[f32], images: usize, epilogue: &Epilogue, out: &mut [f32], scratch: &mut Scratch) {
        let other;
        let plan = if images == self.plan.images {
            &*self.plan
        } else {
            other = Plan::new(self.plan.geometry, images);
            &other
        };
        let Scratch { packed, sums, .. } = scratch;
        let packed = packed.get(plan.packed_len());
        let [channels, height, width] = plan.geometry.output();
        for band in plan.bands() {
            if plan.images == 1 {
                let target = Target { out, step: height * width, start: band.start * width, epilogue: Some(epilogue) };
                self.run_band(plan, band, input, packed, target);
            } else {
                let places = band.len() * plan.row();
                let sums = sums.get(channels * places);
                let target = Target { out: &mut *sums, step: places, start: 0, epilogue: None };
                self.run_band(plan, band.clone(), input, packed, target);
                dispatch(Separate { plan, band, sums, epilogue: *epilogue, out });
            }
        }
    }

    fn run_band(&self, plan: &Plan, band: Range<usize>, input: &[f32], packed: &mut [f32], target: Target) {
        let geometry = &plan.geometry;
        let taps = geometry.kernel[0] * geometry.kernel[1];
        let Target { out, step, start, epilogue } = target;
        for block in &plan.blocks {
            dispatch(Pack { plan, block, band: band.clone(), input, packed });
            let Block { groups, channels } = block;
            // The taps of earlier blocks are in the sums already; after the last block the sums are complete.
            let epilogue = epilogue.filter(|_| channels.end == geometry.group_channels());
            for (k, group) in groups.clone().enumerate() {
                for row in self.weights.rows() {
                    let channel = group * geometry.group_outputs() + row.first;
                    let start = channel * step + start;
                    dispatch(Tiles {
                        row,
                        weights: self.weights.of(group, row, channels.start * taps),
                        offsets: &plan.offsets[..channels.len() * taps],
                        packed: &packed[k * channels.len() * plan.channel_len()..],
                        places: band.len() * plan.row(),
                        rows: [plan.row(), plan.margin],
                        sums: &mut out[start..],
                        step,
                        continued: channels.start > 0,
                        epilogue: epilogue.map(|all| all.from_channel(channel, start)).unwrap_or_default(),
                    });
                }
            }
        }
    }
}

/// Where sums are stored.
struct Target<'a> {
    out: &'a mut [f32],
    /// Distance of channels.
    step: usize,
    /// Place of the first sum of the first channel.
    start: usize,
    epilogue: Option<&'a Epilogue<'a>>,
}
