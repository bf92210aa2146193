//! Weights of single nodes in the NIR writer, in one group and scaled.

use crate::convert::SpikingLayer;
use crate::network::Weights;

/// Whether neurons of `layer` have a current beside that of their inputs.
pub(super) fn has_current(layer: &SpikingLayer) -> bool {
    layer.bias_shift != 0.0 || layer.bias.iter().any(|&b| b != 0.0)
}

/// Weights in one group, with every input channel multiplied by its scale. Groups are expanded with zeros, because readers
/// ignore groups in their shape inference.
pub(super) fn ungrouped_scaled(weight: &Weights, groups: usize, scales: &[f32]) -> Weights {
    let &[out, per_group, kh, kw] = weight.shape.as_slice() else { return weight.clone() };
    let (taps, wide) = (kh * kw, per_group * groups);
    let mut data = vec![0.0; out * wide * taps];
    for (i, &w) in weight.data.iter().enumerate() {
        let (o, c, tap) = (i / (per_group * taps), i / taps % per_group, i % taps);
        let channel = o / (out / groups) * per_group + c;
        data[(o * wide + channel) * taps + tap] = w * scales[channel];
    }
    Weights::new(vec![out, wide, kh, kw], data)
}
