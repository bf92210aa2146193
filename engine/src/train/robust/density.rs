//! How dense the gradient of the input is while a network learns.

use super::{Pairs, PixelSteps};
use crate::attack::vulnerability::rise;
use crate::compute::dense::tensor_to_vec;
use crate::data::{Samples, Scaling};
use crate::train::augment::Change;
use crate::train::batches::gather_steps;
use crate::train::classification::scores;
use crate::train::trainable_network::{Pass, TrainableNetwork};

/// Samples that are looked at after every epoch.
const MEASURED: usize = 32;

/// The gradient of f = σ(z_y − z_r), the probability of the label against the runner-up, in pixel units; means over samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InputGradient {
    /// ‖∇f‖₁²/‖∇f‖₂² as a share of all pixels: that of equal pixels with these norms. 1 where all are equal.
    pub density: f32,
    /// ‖∇f‖₁
    pub l1: f32,
}

impl InputGradient {
    /// Measures the first samples of `indices`, as the network is in use; `None` without labels.
    pub(in crate::train) fn measure(
        trainee: &mut TrainableNetwork,
        pixels: &PixelSteps,
        samples: &Samples,
        scaling: &Scaling,
        indices: &[usize],
    ) -> Option<Self> {
        let chosen = &indices[..indices.len().min(MEASURED)];
        let steps = trainee.steps_of_time();
        let batch = gather_steps(samples, scaling, chosen, steps, Change::default);
        if batch.rows == 0 || batch.labels.len() != batch.rows {
            return None;
        }
        let labels = &batch.labels;
        // ∇f is that of the margin times f(1 − f), which in 32 bits is 0 where f rounds to 1.
        let mut rises = Vec::new();
        let gradient = trainee.input_gradient(&batch.values, batch.rows, Pass::Use, |logits| {
            let logits = scores(&logits);
            let margin = Pairs::of(&logits, labels).margin(logits);
            rises = tensor_to_vec(margin.clone().detach()).into_iter().map(|margin| rise(margin.into())).collect();
            margin.sum()
        });
        let width = pixels.slopes.len().max(1);
        let mut sums = vec![(0.0f64, 0.0f64); batch.rows];
        // Of frames, one row per step and sample.
        for (row, values) in gradient.chunks_exact(width).enumerate() {
            let (sum, square) = &mut sums[row % batch.rows];
            for (g, slope) in values.iter().zip(&pixels.slopes) {
                let g = f64::from(g * slope);
                *sum += g.abs();
                *square += g * g;
            }
        }
        let each = (gradient.len() / batch.rows).max(1) as f64;
        let density = |&(sum, square): &(f64, f64)| if square > 0.0 { sum * sum / square / each } else { 0.0 };
        let count = sums.len() as f64;
        let l1 = sums.iter().zip(&rises).map(|((sum, _), rise): (_, &f64)| sum * rise).sum::<f64>() / count;
        Some(Self { density: (sums.iter().map(density).sum::<f64>() / count) as f32, l1: l1 as f32 })
    }
}
