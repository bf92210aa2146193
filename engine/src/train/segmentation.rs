//! Training for masks: cross-entropy of every pixel, void pixels left out.

use burn::tensor::Tensor;
use rayon::prelude::*;

use super::objective::{Batch, Loss, Objective, Score, check_input, refusal};
use crate::compute::cross_entropy::cross_entropy_and_slope;
use crate::compute::dense::tensor_to_vec;
use crate::data::Samples;
use crate::data::samples::targets::VOID;
use crate::error::format_shape;
use crate::network::Network;
use crate::{Error, Result};

/// A class for every pixel.
pub struct Segmentation<'a> {
    /// Weight of each class in the loss; empty for equal ones.
    pub class_weights: Vec<f32>,
    pub score: Box<Score<'a>>,
}

impl Objective for Segmentation<'_> {
    fn check(&self, network: &Network, samples: &Samples) -> Result<()> {
        check_input(network, samples)?;
        let Some(masks) = samples.targets.masks() else {
            return Err(refusal(samples, "the samples have no masks. Use masks: or builtin:scenes-train"));
        };
        let shape = &network.nodes[network.output].shape;
        let fits = matches!(shape[..], [classes, h, w] if classes >= masks.class_names.len() && [h, w] == [masks.height, masks.width]);
        if !fits {
            let reason = format!(
                "the output of the network '{}' is {}, but masks need a logit for each of {} classes and of {}x{} \
                 pixels",
                network.name,
                format_shape(shape),
                masks.class_names.len(),
                masks.height,
                masks.width
            );
            return Err(refusal(samples, reason));
        }
        let classes = shape[0];
        if let Some(class) = masks.classes.iter().find(|&&class| class != VOID && usize::from(class) >= classes) {
            let reason = format!("class {class} in a mask, but the network '{}' has {classes} classes", network.name);
            return Err(refusal(samples, reason));
        }
        let are_weights = self.class_weights.iter().all(|weight| weight.is_finite() && *weight > 0.0);
        if !(self.class_weights.is_empty() || self.class_weights.len() == classes && are_weights) {
            return Err(Error::Invalid(format!(
                "Cannot use {} class weights: {classes} numbers above 0 are needed, one for each class.",
                self.class_weights.len()
            )));
        }
        Ok(())
    }

    fn class_names<'a>(&self, samples: &'a Samples) -> &'a [String] {
        samples.targets.masks().map_or(&[], |masks| &masks.class_names)
    }

    fn loss(&self, output: &Tensor<2>, batch: &Batch) -> Loss {
        let logits = tensor_to_vec(output.clone().detach());
        let plane = batch.masks.len() / batch.rows.max(1);
        let PixelLoss { value, gradient, hits } = pixel_cross_entropy(logits, &batch.masks, plane, &self.class_weights);
        Loss::with_gradient(output, value, gradient, hits)
    }

    fn score(&self, outputs: &mut dyn Iterator<Item = (usize, Vec<f32>)>, samples: &Samples) -> Result<f32> {
        (self.score)(outputs, samples)
    }
}

/// Loss and gradient of class maps.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PixelLoss {
    /// Weighted mean over the pixels that count, in nats; 0 if none does.
    pub value: f32,
    /// Toward the logits, `[N, C, plane]`.
    pub gradient: Vec<f32>,
    /// Pixels predicted correctly, and pixels that count.
    pub hits: [usize; 2],
}

/// Cross-entropy of `logits` `[N, C, plane]` for the classes `masks` `[N, plane]`: Σ w·(−log p) / Σ w over the pixels that
/// are not void, w the weight of the true class (as PyTorch's cross_entropy with weight and ignore_index).
pub(super) fn pixel_cross_entropy(logits: Vec<f32>, masks: &[u8], plane: usize, weights: &[f32]) -> PixelLoss {
    let rows = masks.len() / plane.max(1);
    let len = logits.len() / rows.max(1);
    let classes = len / plane.max(1);
    let weight = |class: u8| weights.get(usize::from(class)).copied().unwrap_or(1.0);
    let mut gradient = logits;
    // Of one sample: Σ w·(−log p), Σ w, hits and pixels that count. Logits become w·(p − 1[true class]).
    let one = |(logits, mask): (&mut [f32], &[u8])| {
        let (mut loss, mut sum, mut hits, mut counted) = (0.0f64, 0.0f64, 0, 0);
        let (mut scores, mut slopes) = (vec![0.0f32; classes], vec![0.0; classes]);
        for (at, &class) in mask.iter().enumerate() {
            if class == VOID {
                (0..classes).for_each(|c| logits[c * plane + at] = 0.0);
                continue;
            }
            scores.iter_mut().enumerate().for_each(|(c, score)| *score = logits[c * plane + at]);
            let max = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            hits += usize::from(scores.iter().position(|score| *score == max) == Some(usize::from(class)));
            counted += 1;
            let weight = weight(class);
            loss += f64::from(weight) * cross_entropy_and_slope(&scores, usize::from(class), &mut slopes);
            sum += f64::from(weight);
            slopes.iter().enumerate().for_each(|(c, slope)| logits[c * plane + at] = weight * slope);
        }
        (loss, sum, [hits, counted])
    };
    let parts = gradient.par_chunks_mut(len.max(1)).zip(masks.par_chunks(plane.max(1)));
    let sums: Vec<(f64, f64, [usize; 2])> = parts.map(one).collect();
    let mut total = (0.0, 0.0, [0, 0]);
    for (loss, sum, [hits, counted]) in sums {
        total.0 += loss;
        total.1 += sum;
        total.2[0] += hits;
        total.2[1] += counted;
    }
    let (loss, sum, hits) = total;
    let scale = if sum > 0.0 { 1.0 / sum } else { 0.0 };
    gradient.par_iter_mut().for_each(|value| *value *= scale as f32);
    PixelLoss { value: (loss * scale) as f32, gradient, hits }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three classes, two samples of two pixels; one pixel is void.
    const LOGITS: [f32; 12] = [2.0, -1.0, 0.5, 0.25, -0.5, 3.0, 0.0, 1.0, 1.5, -2.0, 0.75, 0.125];
    const MASKS: [u8; 4] = [0, 2, VOID, 1];

    #[test]
    fn loss_and_slopes_are_those_of_pytorch() {
        // torch.nn.functional.cross_entropy(logits, masks, weight, ignore_index=255)
        let plain = pixel_cross_entropy(LOGITS.to_vec(), &MASKS, 2, &[]);
        let weighted = pixel_cross_entropy(LOGITS.to_vec(), &MASKS, 2, &[1.0, 2.0, 0.5]);
        assert!(
            (plain.value - 1.242_794_8).abs() < 1e-6 && (weighted.value - 2.020_527_6).abs() < 1e-6,
            "{plain:?} {weighted:?}"
        );
        assert_eq!((plain.hits, weighted.hits), ([2, 3], [2, 3]));
        let plain_slopes =
            [-0.077948, 0.005641, 0.056984, 0.01969, 0.020963, -0.025331, 0.0, 0.227275, 0.0, -0.322018, 0.0, 0.094743];
        let weighted_slopes = [
            -0.066812, 0.002418, 0.048844, 0.008439, 0.017969, -0.010856, 0.0, 0.389615, 0.0, -0.552031, 0.0, 0.162416,
        ];
        for (found, expected) in [(plain.gradient, plain_slopes), (weighted.gradient, weighted_slopes)] {
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}");
        }
    }

    #[test]
    fn certain_pixels_keep_their_loss_and_slope() {
        // Two pixels of two classes, both right; e^-25 of p is beyond the last digit of 1.
        let PixelLoss { value, gradient, .. } = pixel_cross_entropy(vec![25.0, 3.0, 0.0, 28.0], &[0, 1], 2, &[]);
        let rest = (-25.0f32).exp();
        assert!((value / rest - 1.0).abs() < 1e-5, "{value}");
        let expected = [-rest, rest, rest, -rest].map(|slope| slope / 2.0);
        assert!(gradient.iter().zip(expected).all(|(own, v)| (own / v - 1.0).abs() < 1e-5), "{gradient:?}");
    }

    #[test]
    fn a_single_class_has_nothing_to_learn() {
        let loss = pixel_cross_entropy(vec![2.0, -1.0], &[0, 0], 2, &[]);
        assert!(loss.value == 0.0 && loss.hits == [2, 2] && loss.gradient.iter().all(|g| *g == 0.0), "{loss:?}");
    }

    #[test]
    fn masks_of_void_have_no_loss() {
        let loss = pixel_cross_entropy(LOGITS.to_vec(), &[VOID; 4], 2, &[]);
        assert_eq!((loss.value, loss.hits, loss.gradient), (0.0, [0, 0], vec![0.0; 12]));
    }
}
