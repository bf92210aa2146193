//! Methods from gradients of the target's logit: saliency, input × gradient, integrated gradients, gradient SHAP.

use rand::Rng;
use rayon::prelude::*;

use super::draws::{Purpose, stream};
use super::network::Explained;
use super::quadrature::Quadrature;
use crate::Result;
use crate::progress::JobControl;

/// Values of one block of points.
const MAX_VALUES: usize = 1 << 20;

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
    /// `weight(sample, point, value)` is the factor of the gradient there.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`], and those of the network.
    fn sums(
        &self,
        count: usize,
        write: impl Fn(usize, usize, &mut [f32]) + Sync,
        factor: impl Fn(usize, usize, usize) -> f32 + Sync,
    ) -> Result<Vec<f32>> {
        let (width, total) = (self.width(), self.targets.len() * count);
        let block = (MAX_VALUES / width.max(1)).clamp(1, 1 << 12);
        let mut maps = vec![0.0; self.input.len()];
        let mut points = vec![0.0; block.min(total) * width];
        let quiet = self.control.without_events();
        for first in (0..total).step_by(block) {
            self.control.check()?;
            self.control.progress(self.stage, first as f32 / total as f32);
            let rows = block.min(total - first);
            let points = &mut points[..rows * width];
            let each = points.par_chunks_mut(width).enumerate();
            each.for_each(|(k, point)| write((first + k) / count, (first + k) % count, point));
            let slope = |row: usize, _: &[f32], slopes: &mut [f32]| {
                slopes.fill(0.0);
                slopes[self.targets[(first + row) / count]] = 1.0;
            };
            let gradient = self.network.target().gradient_of(points, &slope, &quiet)?.gradient;
            for (k, gradient) in gradient.chunks_exact(width).enumerate() {
                let (sample, point) = ((first + k) / count, (first + k) % count);
                let map = maps[sample * width..][..width].iter_mut().zip(gradient).enumerate();
                map.for_each(|(value, (sum, gradient))| *sum += gradient * factor(sample, point, value));
            }
        }
        Ok(maps)
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
