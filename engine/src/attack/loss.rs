//! Cross entropy and margin of the logits of one sample, and the slope of the former.
//!
//! A network with a single score says class 1 above 0; its loss is that of the logits (0, score).

use crate::compute::input_gradient::cross_entropy_slope;

/// `−log softmax(logits)[label]`.
pub fn cross_entropy(logits: &[f32], label: usize) -> f32 {
    if let [score] = logits {
        return log_of_exponentials(&[0.0, *score]) - if label == 1 { *score } else { 0.0 };
    }
    log_of_exponentials(logits) - logits.get(label).copied().unwrap_or(f32::NAN)
}

/// Writes the gradient of [`cross_entropy`] with respect to the logits.
pub fn slope(logits: &[f32], label: usize, out: &mut [f32]) {
    if let ([score], [out]) = (logits, &mut *out) {
        *out = 1.0 / (1.0 + (-score).exp()) - if label == 1 { 1.0 } else { 0.0 };
        return;
    }
    cross_entropy_slope(logits, label, out);
}

/// How far the label's score lies above the largest other one; 0 or less: the sample is fooled, or tied.
pub fn margin(logits: &[f32], label: usize) -> f32 {
    if let [score] = logits {
        return if label == 1 { *score } else { -score };
    }
    let own = logits.get(label).copied().unwrap_or(f32::NAN);
    own - logits.iter().enumerate().filter(|(k, _)| *k != label).map(|(_, z)| *z).fold(f32::NEG_INFINITY, f32::max)
}

/// log Σ exp(v), without overflow.
fn log_of_exponentials(values: &[f32]) -> f32 {
    let largest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    largest + values.iter().map(|v| (v - largest).exp()).sum::<f32>().ln()
}
