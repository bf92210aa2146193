//! Training for classes: cross-entropy of the label, scored by accuracy.

use burn::tensor::loss::cross_entropy_with_logits;
use burn::tensor::{Device, Tensor, TensorData};

use super::objective::{Batch, Loss, Objective, check_input, refusal};
use crate::Result;
use crate::compute::cross_entropy::slope_of_odds;
use crate::compute::dense::tensor_to_vec;
use crate::data::Samples;
use crate::network::{Network, predicted_class};

/// One class a sample.
#[derive(Clone, Copy, Debug)]
pub struct Classification;

impl Objective for Classification {
    fn check(&self, network: &Network, samples: &Samples) -> Result<()> {
        if samples.is_empty() {
            return Err(refusal(samples, "no samples"));
        }
        if samples.labels.len() != samples.len() {
            return Err(refusal(samples, "the samples have no labels, which training and accuracy need"));
        }
        check_input(network, samples)?;
        // A single value without a sigmoid may be the score of class 1 as well; the labels say so.
        if !network.is_classifier() && (network.classes() != 1 || network.outputs().len() != 1) {
            let reason = format!("the outputs of the network '{}' are not class scores", network.name);
            return Err(refusal(samples, reason));
        }
        let classes = network.class_count();
        if let Some(label) = samples.labels.iter().find(|&&label| usize::from(label) >= classes) {
            let reason = format!("label {label}, but the network '{}' has {classes} classes", network.name);
            return Err(refusal(samples, reason));
        }
        Ok(())
    }

    fn class_names<'a>(&self, samples: &'a Samples) -> &'a [String] {
        &samples.class_names
    }

    fn loss(&self, logits: &Tensor<2>, batch: &Batch) -> Loss {
        let tensor = mean_cross_entropy(logits, &batch.labels);
        let value = tensor.clone().into_scalar::<f32>();
        let classes = logits.dims()[1];
        let rows = tensor_to_vec(logits.clone().detach());
        let is_hit = |(row, label): &(&[f32], &u16)| predicted_class(row) == usize::from(**label);
        let hits = rows.chunks_exact(classes).zip(&batch.labels).filter(is_hit).count();
        Loss { value, tensor, hits: [hits, batch.rows] }
    }

    fn score(&self, outputs: &mut dyn Iterator<Item = (usize, Vec<f32>)>, samples: &Samples) -> Result<f32> {
        let (mut hits, mut count) = (0, 0);
        for (index, logits) in outputs {
            count += 1;
            hits += usize::from(samples.label(index).map(usize::from) == Some(predicted_class(&logits)));
        }
        Ok(hits as f32 / count.max(1) as f32)
    }
}

/// `[N, classes]`, 1 at each label.
fn one_hot(labels: &[u16], classes: usize, device: &Device) -> Tensor<2> {
    let mut values = vec![0.0f32; labels.len() * classes];
    values.chunks_exact_mut(classes).zip(labels).for_each(|(row, label)| row[usize::from(*label)] = 1.0);
    Tensor::from_data(TensorData::new(values, [labels.len(), classes]), device)
}

/// The logits of every class: a single value is the logit of class 1 against 0.
pub(super) fn scores(logits: &Tensor<2>) -> Tensor<2> {
    match logits.dims() {
        [rows, 1] => Tensor::cat(vec![Tensor::zeros([rows, 1], &logits.device()), logits.clone()], 1),
        _ => logits.clone(),
    }
}

/// Cross entropy of the labels, mean over the rows, for the gradient of the weights. Burn takes p − 1 at the label in 32 bits: of
/// a sample that is answered with certainty this rounds to 0, beside which a batch has larger gradients.
pub(super) fn mean_cross_entropy(logits: &Tensor<2>, labels: &[u16]) -> Tensor<1> {
    let scores = scores(logits);
    let target = one_hot(labels, scores.dims()[1], &scores.device());
    cross_entropy_with_logits(scores, target)
}

/// A value whose gradient is that of the log-odds against the labels, summed over the rows. For every row it has the direction of
/// the gradient of the cross entropy, also where the answer is certain.
pub(super) fn against(logits: &Tensor<2>, labels: &[u16]) -> Tensor<1> {
    let classes = logits.dims()[1];
    let rows = tensor_to_vec(logits.clone().detach());
    let mut slopes = vec![0.0; rows.len()];
    let each = rows.chunks_exact(classes).zip(slopes.chunks_exact_mut(classes)).zip(labels);
    each.for_each(|((row, slopes), label)| slope_of_odds(row, usize::from(*label), slopes));
    Loss::with_gradient(logits, 0.0, slopes, [0, 0]).tensor
}
