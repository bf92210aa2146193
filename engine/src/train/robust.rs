//! Robust training: the sparse-gradient penalty, and adversarial images in place of the clean ones.
//!
//! Both move pixels: values before the network's own scaling, whose slopes turn a step of a pixel into one of the input.

mod density;

use burn::tensor::activation::sigmoid;
use burn::tensor::{Tensor, TensorData};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub use self::density::InputGradient;
use super::trainable_network::{Pass, TrainableNetwork};
use crate::attack::norm::sign;
use crate::attack::{Norm, PixelSpace, ValueRange};
use crate::compute::dense::tensor_to_vec;
use crate::data::{Samples, Scaling};
use crate::{Error, Result};

/// How the finite difference of the two-class probability is penalized.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SparseNorm {
    /// Squared, as in the authors' program: ‖∇f‖₁².
    #[default]
    Squared,
    /// Its magnitude, as in the paper: ‖∇f‖₁.
    L1,
}

/// The sparse-gradient regularizer (Liu et al. 2024): λ · mean of ((f(x + h·sign ∇f) − f(x))/h)², where f = σ(z_y − z_r)
/// is the probability of the label against the runner-up r.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SparseGradient {
    pub lambda: f32,
    /// h, in pixel units.
    pub step: f32,
    pub norm: SparseNorm,
}

impl SparseGradient {
    /// The regularizer of weight `lambda` with h = 0.01.
    pub fn new(lambda: f32) -> Self {
        Self { lambda, step: 0.01, norm: SparseNorm::Squared }
    }
}

/// Adversarial training: every batch is moved by FGSM (one step) or PGD before the loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adversarial {
    /// Radius of the ℓ∞ ball in pixel units.
    pub eps: f32,
    /// Steps of PGD, each 2.55/8 of ε from a random start; `None` is FGSM.
    pub pgd_steps: Option<usize>,
}

/// Step of PGD per ε (2.55/255 at 8/255, the sparse-gradient authors').
const ALPHA: f32 = 2.55 / 8.0;

/// Refuses numbers out of range; `counts` where the samples are counts of events, which have no upper limit.
///
/// # Errors
/// [`Error::Invalid`] with what to use instead.
pub(super) fn validate(sparse: Option<&SparseGradient>, adversarial: Option<&Adversarial>, counts: bool) -> Result<()> {
    let refuse = |reason: String| Err(Error::Invalid(reason));
    if let Some(sparse) = sparse {
        if !(sparse.lambda.is_finite() && sparse.lambda >= 0.0) {
            return refuse(format!("Cannot use sparse-gradient {}: the weight must be 0 or more.", sparse.lambda));
        }
        if !(sparse.step > 0.0 && sparse.step <= 1.0) {
            return refuse(format!("Cannot use a difference over {}: use a step above 0, such as 0.01.", sparse.step));
        }
    }
    if let Some(Adversarial { eps, pgd_steps }) = adversarial {
        let range = if counts { ValueRange::Open } else { ValueRange::Pixels(None) };
        range.check_change("eps", *eps, Norm::Linf)?;
        if *pgd_steps == Some(0) {
            return refuse("Cannot train against pgd with 0 steps: use 1 or more.".into());
        }
    }
    Ok(())
}

/// Pixels of a data set as the network's input: what a pixel's step is there, and its limits.
pub(super) struct PixelSteps {
    /// What the input rises by from pixel 0 to pixel 1, `[F]`.
    slopes: Vec<f32>,
    /// The smallest and the largest input of a pixel, `[F]`; counts of events have no largest.
    limits: Vec<[f32; 2]>,
}

impl PixelSteps {
    /// The steps of `samples`; `keeps_range` where moved pixels must stay in it.
    ///
    /// # Errors
    /// Those of [`PixelSpace::new`]; [`Error::Invalid`] for pixels outside [0, 1] that must stay in their range.
    pub(super) fn new(samples: &Samples, scaling: &Scaling, keeps_range: bool) -> Result<Self> {
        let space = PixelSpace::new(samples, scaling)?;
        if keeps_range {
            for sample in 0..samples.len() {
                space.pixels(samples, sample..sample + 1)?;
            }
        }
        let (black, white) = (space.scaled(&vec![0.0; space.len()]), space.scaled(&vec![1.0; space.len()]));
        let slopes = white.iter().zip(&black).map(|(white, black)| white - black).collect();
        // Counts of a frame have no upper limit.
        let open = samples.frames.is_some();
        let limits = black.iter().zip(&white).map(|(&black, &white)| match (black < white, open) {
            (true, true) => [black, f32::INFINITY],
            (true, false) => [black, white],
            (false, _) => [white, black],
        });
        Ok(Self { limits: limits.collect(), slopes })
    }

    /// `values + by·sign(gradient in pixels)`, in units of pixels; where `around` is given, within `eps` of it and in range.
    fn moved(&self, values: &[f32], gradient: &[f32], by: f32, around: Option<(&[f32], f32)>) -> Vec<f32> {
        let width = self.slopes.len().max(1);
        let mut out = Vec::with_capacity(values.len());
        for (i, (&x, &g)) in values.iter().zip(gradient).enumerate() {
            let slope = self.slopes[i % width];
            let y = x + by * slope * sign(g * slope);
            out.push(match around {
                Some((clean, eps)) => self.limited(i, y, clean[i], eps),
                None => y,
            });
        }
        out
    }

    fn limited(&self, i: usize, y: f32, clean: f32, eps: f32) -> f32 {
        let k = i % self.slopes.len().max(1);
        let (radius, [low, high]) = (eps * self.slopes[k].abs(), self.limits[k]);
        y.clamp(clean - radius, clean + radius).clamp(low.min(clean), high.max(clean))
    }
}

impl TrainableNetwork {
    /// The gradient, with respect to input `values`, of the sum of what `of` makes of the logits.
    pub(super) fn input_gradient(
        &mut self,
        values: &[f32],
        rows: usize,
        pass: Pass,
        of: impl FnOnce(Tensor<2>) -> Tensor<1>,
    ) -> Vec<f32> {
        let x = self.input(values.to_vec()).require_grad();
        let logits = self.forward(x.clone(), rows, pass);
        let gradients = of(logits).backward();
        x.grad(&gradients).map_or_else(|| vec![0.0; values.len()], tensor_to_vec)
    }
}

impl Adversarial {
    /// `values` (`[rows, F]`, scaled) moved away from `labels`; `seed` decides PGD's start.
    pub(super) fn attack(
        &self,
        trainee: &mut TrainableNetwork,
        pixels: &PixelSteps,
        (values, rows): (&[f32], usize),
        labels: &[u16],
        seed: u64,
    ) -> Vec<f32> {
        let mut loss = |values: &[f32]| {
            trainee.input_gradient(values, rows, Pass::Use, |logits| super::classification::against(&logits, labels))
        };
        let around = Some((values, self.eps));
        let Some(steps) = self.pgd_steps else {
            return pixels.moved(values, &loss(values), self.eps, around);
        };
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let width = pixels.slopes.len().max(1);
        let start = values.iter().enumerate().map(|(i, &x)| {
            let y = x + pixels.slopes[i % width] * self.eps * rng.random_range(-1.0f32..=1.0);
            pixels.limited(i, y, x, self.eps)
        });
        let mut moved: Vec<f32> = start.collect();
        for _ in 0..steps {
            let gradient = loss(&moved);
            moved = pixels.moved(&moved, &gradient, ALPHA * self.eps, around);
        }
        moved
    }
}

/// Label and runner-up of every row.
struct Pairs {
    /// 1 at the label, −1 at the runner-up, `[rows, classes]`.
    signs: Tensor<2>,
}

impl Pairs {
    /// The pairs of `logits` and `labels`.
    fn of(logits: &Tensor<2>, labels: &[u16]) -> Self {
        let [rows, classes] = logits.dims();
        let mut signs = tensor_to_vec(logits.clone().detach());
        for (row, &label) in signs.chunks_exact_mut(classes.max(1)).zip(labels) {
            let label = usize::from(label);
            let others = row.iter().enumerate().filter(|(k, _)| *k != label);
            let runner_up = others.max_by(|a, b| a.1.total_cmp(b.1)).map(|(k, _)| k);
            row.fill(0.0);
            if let (Some(runner_up), true) = (runner_up, label < classes) {
                (row[label], row[runner_up]) = (1.0, -1.0);
            }
        }
        Self { signs: Tensor::from_data(TensorData::new(signs, [rows, classes]), &logits.device()) }
    }

    /// z_y − z_r of every row, `[rows, 1]`.
    fn margin(&self, logits: Tensor<2>) -> Tensor<2> {
        (logits * self.signs.clone()).sum_dim(1)
    }

    /// f = σ(z_y − z_r) of every row, `[rows, 1]`.
    fn probability(&self, logits: Tensor<2>) -> Tensor<2> {
        sigmoid(self.margin(logits))
    }
}

impl SparseGradient {
    /// The penalty, `[1]`, for the logits of `values`.
    pub(super) fn penalty(
        &self,
        trainee: &mut TrainableNetwork,
        pixels: &PixelSteps,
        (values, rows): (&[f32], usize),
        logits: &Tensor<2>,
        labels: &[u16],
    ) -> Tensor<1> {
        let scores = super::classification::scores(logits);
        let pairs = Pairs::of(&scores, labels);
        let of = |logits: Tensor<2>| pairs.probability(super::classification::scores(&logits)).sum();
        let gradient = trainee.input_gradient(values, rows, Pass::Look, of);
        let moved = trainee.input(pixels.moved(values, &gradient, self.step, None));
        let after = trainee.forward(moved, rows, Pass::Learn { updates: false });
        let after = pairs.probability(super::classification::scores(&after));
        self.of(pairs.probability(scores), after)
    }

    /// The penalty of f before and after the step.
    fn of(&self, before: Tensor<2>, after: Tensor<2>) -> Tensor<1> {
        let slope = (after - before) / self.step;
        let each = match self.norm {
            SparseNorm::Squared => slope.clone() * slope,
            SparseNorm::L1 => slope.abs(),
        };
        each.mean() * self.lambda
    }
}

#[cfg(test)]
#[path = "robust/tests.rs"]
mod tests;
