//! Sums of several images side by side, moved to the images' own planes.

use std::ops::Range;

use super::epilogue::{ActivateInPlace, Epilogue};
use super::plan::Plan;
use crate::compute::simd::isa::{Isa, Kernel};

/// Moves sums `[C_out][row][image][x]` of a band to `[image][C_out][row][x]`.
pub struct Separate<'a> {
    pub plan: &'a Plan,
    /// Output rows.
    pub band: Range<usize>,
    pub sums: &'a [f32],
    pub epilogue: Epilogue<'a>,
    /// Whole planes of all images.
    pub out: &'a mut [f32],
}

impl Kernel for Separate<'_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { plan, band, sums, epilogue, out } = self;
        let [channels, height, width] = plan.geometry.output();
        let row = plan.row();
        let (floor, ceiling) = epilogue.limits();
        for channel in 0..channels {
            let bias = epilogue.bias.get(channel).copied().unwrap_or(0.0);
            for image in 0..plan.images {
                let start = ((image * channels + channel) * height + band.start) * width;
                let places = start..start + band.len() * width;
                let from = &sums[channel * band.len() * row + image * width..];
                let values = &mut out[places.clone()];
                for (to, from) in values.chunks_exact_mut(width.max(1)).zip(from.chunks(row.max(1))) {
                    to.iter_mut().zip(from).for_each(|(to, from)| *to = from + bias);
                }
                if let Some(residual) = epilogue.residual {
                    values.iter_mut().zip(&residual[places]).for_each(|(to, from)| *to += from);
                }
                // As `Isa::max` and `Isa::min`: a NaN stays.
                let limit = |z: f32| if floor > z { floor } else { z };
                let limit = |z: f32| if ceiling < limit(z) { ceiling } else { limit(z) };
                values.iter_mut().for_each(|z| *z = limit(*z));
                if let Some(activation) = epilogue.steps() {
                    ActivateInPlace { activation, values }.run::<I>();
                }
            }
        }
    }
}
