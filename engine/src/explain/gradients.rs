//! Methods from gradients of the target's logit: saliency, input × gradient, integrated gradients, gradient SHAP.

use std::sync::atomic::{AtomicUsize, Ordering};

use rand::Rng;
use rayon::prelude::*;

use super::draws::{Purpose, stream};
use super::network::Explained;
use super::quadrature::Quadrature;
use crate::Result;
use crate::progress::JobControl;

/// Values of one block of points.
const MAX_VALUES: usize = 1 << 20;
/// Points of the ANN that one thread takes.
const GROUP: usize = 32;

/// Points of `width` values in one block.
fn points_at_once(width: usize) -> usize {
    (MAX_VALUES / width.max(1)).clamp(1, 1 << 12)
}

/// Samples with their targets.
#[derive(Clone, Copy)]
pub struct Points<'a> {
    pub network: &'a Explained<'a>,
    /// `[N, F]`
    pub input: &'a [f32],
    /// `[N]`
    pub targets: &'a [usize],
    pub stage: &'static str,
    pub control: &'a JobControl,
}

impl Points<'_> {
    fn width(&self) -> usize {
        self.input.len() / self.targets.len().max(1)
    }

    /// The sum over `count` points of each sample, `[N, F]`: `write(sample, point, values)` writes a point, and
    /// `factor(sample, point, value)` is the factor of the gradient there.
    ///
    /// Gradients of the ANN are taken for several groups of samples side by side; those of the spiking network stand on
    /// simulations, which are cheapest for many points at once.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`], and those of the network.
    fn sums(
        &self,
        count: usize,
        write: impl Fn(usize, usize, &mut [f32]) + Sync,
        factor: impl Fn(usize, usize, usize) -> f32 + Sync,
    ) -> Result<Vec<f32>> {
        let (width, samples) = (self.width().max(1), self.targets.len());
        let together = if self.network.is_spiking() { points_at_once(width) } else { GROUP };
        let in_group = (together / count.max(1)).max(1);
        let mut maps = vec![0.0; self.input.len()];
        let finished = AtomicUsize::new(0);
        let group = |(k, maps): (usize, &mut [f32])| -> Result<()> {
            self.add_group(k * in_group, count, maps, &write, &factor)?;
            let samples_done = finished.fetch_add(maps.len() / width, Ordering::Relaxed) + maps.len() / width;
            self.control.progress(self.stage, samples_done as f32 / samples as f32);
            Ok(())
        };
        match self.network.is_spiking() {
            true => maps.chunks_mut(in_group * width).enumerate().try_for_each(group)?,
            false => maps.par_chunks_mut(in_group * width).enumerate().try_for_each(group)?,
        }
        Ok(maps)
    }

    /// Adds the gradients at the points of the samples from `first` on to their `maps`.
    fn add_group(
        &self,
        first: usize,
        count: usize,
        maps: &mut [f32],
        write: &(impl Fn(usize, usize, &mut [f32]) + Sync),
        factor: &(impl Fn(usize, usize, usize) -> f32 + Sync),
    ) -> Result<()> {
        let width = self.width().max(1);
        let (total, block) = (maps.len() / width * count, points_at_once(width));
        let mut points = vec![0.0; block.min(total) * width];
        let quiet = self.control.without_events();
        for start in (0..total).step_by(block) {
            self.control.check()?;
            let rows = block.min(total - start);
            let place = |row: usize| (first + (start + row) / count, (start + row) % count);
            let points = &mut points[..rows * width];
            points.par_chunks_mut(width).enumerate().for_each(|(row, point)| {
                let (sample, of_sample) = place(row);
                write(sample, of_sample, point);
            });
            let slope = |row: usize, _: &[f32], slopes: &mut [f32]| {
                slopes.fill(0.0);
                slopes[self.targets[place(row).0]] = 1.0;
            };
            let gradient = self.network.target().gradient_of(points, &slope, &quiet)?.gradient;
            for (row, gradient) in gradient.chunks_exact(width).enumerate() {
                let (sample, point) = place(row);
                let map = maps[(sample - first) * width..][..width].iter_mut().zip(gradient).enumerate();
                map.for_each(|(value, (sum, gradient))| *sum += gradient * factor(sample, point, value));
            }
        }
        Ok(())
    }

    /// ∂f/∂x, `[N, F]`.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`], and those of the network.
    pub fn gradient(&self) -> Result<Vec<f32>> {
        let width = self.width();
        self.sums(1, |k, _, point| point.copy_from_slice(&self.input[k * width..][..width]), |_, _, _| 1.0)
    }

    /// |∂f/∂x|, `[N, F]`.
    ///
    /// # Errors
    /// As [`Points::gradient`].
    pub fn saliency(&self) -> Result<Vec<f32>> {
        Ok(self.gradient()?.into_iter().map(f32::abs).collect())
    }

    /// x ⊙ ∂f/∂x, `[N, F]`.
    ///
    /// # Errors
    /// As [`Points::gradient`].
    pub fn input_x_gradient(&self) -> Result<Vec<f32>> {
        Ok(self.gradient()?.iter().zip(self.input).map(|(gradient, x)| gradient * x).collect())
    }

    /// (x − b) ⊙ Σ_k w_k ∂f/∂x at b + α_k(x − b), `[N, F]`, with `count` points of `rule`; `baseline` is one sample.
    ///
    /// # Errors
    /// As [`Points::gradient`].
    pub fn integrated_gradients(&self, baseline: &[f32], rule: Quadrature, count: usize) -> Result<Vec<f32>> {
        let (points, width) = (rule.points(count), self.width());
        let write = |sample: usize, point: usize, values: &mut [f32]| {
            let x = &self.input[sample * width..][..width];
            let each = values.iter_mut().zip(x).zip(baseline);
            each.for_each(|((value, x), b)| *value = b + points[point].0 * (x - b));
        };
        let mut maps = self.sums(points.len(), write, |_, point, _| points[point].1)?;
        for (map, x) in maps.chunks_exact_mut(width.max(1)).zip(self.input.chunks_exact(width.max(1))) {
            map.iter_mut().zip(x).zip(baseline).for_each(|((value, x), b)| *value *= x - b);
        }
        Ok(maps)
    }

    /// The mean of (x' − b) ⊙ ∂f/∂x at λx' + (1 − λ)b over the draws of each sample, `[N, F]`; x' is x with the draw's noise.
    ///
    /// # Errors
    /// As [`Points::gradient`].
    pub fn gradient_shap(&self, baselines: &[f32], draws: &[Vec<PathDraw>]) -> Result<Vec<f32>> {
        let width = self.width();
        let count = draws.first().map_or(1, Vec::len).max(1);
        let x = |sample: usize, draw: &PathDraw, value: usize| {
            self.input[sample * width + value] + draw.noise.get(value).copied().unwrap_or(0.0)
        };
        let base = |draw: &PathDraw, value: usize| baselines[draw.baseline * width + value];
        let write = |sample: usize, point: usize, values: &mut [f32]| {
            let draw = &draws[sample][point];
            for (value, place) in values.iter_mut().enumerate() {
                *place = draw.share * x(sample, draw, value) + (1.0 - draw.share) * base(draw, value);
            }
        };
        let factor = |sample: usize, point: usize, value: usize| {
            let draw = &draws[sample][point];
            (x(sample, draw, value) - base(draw, value)) / count as f32
        };
        self.sums(count, write, factor)
    }
}

/// One random point between a sample and a baseline.
#[derive(Clone, Debug, PartialEq)]
pub struct PathDraw {
    /// Which baseline.
    pub baseline: usize,
    /// λ, the share of the sample.
    pub share: f32,
    /// Added to the sample, `[F]`, or empty.
    pub noise: Vec<f32>,
}

/// `count` draws of one sample without noise, among `baselines` baselines.
pub fn path_draws(count: usize, baselines: usize, sample: usize, seed: u64) -> Vec<PathDraw> {
    let mut rng = stream(seed, sample, Purpose::Path);
    let mut draw =
        |_| PathDraw { baseline: rng.random_range(0..baselines.max(1)), share: rng.random::<f32>(), noise: Vec::new() };
    (0..count).map(&mut draw).collect()
}
