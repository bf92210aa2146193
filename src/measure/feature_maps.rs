//! One layer for one sample, neuron by neuron: what the feature-map and raster views draw.

use super::run_data::RunData;
use crate::convert::expected_spikes_of;

/// One layer for one sample after t steps, `[F]` each, in activation units.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureMaps {
    /// `[C, H, W]` or `[F]`
    pub shape: Vec<usize>,
    /// ANN activation a.
    pub ann: Vec<f32>,
    /// SNN activation φ = θn/t (θ/m for a group of m).
    pub snn: Vec<f32>,
    /// φ − a
    pub difference: Vec<f32>,
    /// Spike counts n.
    pub counts: Vec<u32>,
    /// Offset spikes ψ = target − n, end to end.
    pub offset: Vec<i32>,
}

/// The maps of spiking layer `layer` for `sample` after `steps` steps.
pub fn feature_maps(subject: &RunData<'_>, layer: usize, sample: usize, steps: usize) -> FeatureMaps {
    let spiking = &subject.spiking.layers[layer];
    let neurons = spiking.neurons();
    let z = &subject.ann.pre_activations[layer][sample * neurons..(sample + 1) * neurons];
    let mut counts = vec![0; neurons];
    subject.recording.layers[layer].spikes.add_counts(steps, sample, &mut counts);
    let units = spiking.amplitudes();
    let ann: Vec<f32> = z.iter().map(|&z| spiking.activation.apply(z)).collect();
    let snn: Vec<f32> = counts.iter().zip(&units).map(|(&n, u)| u * n as f32 / steps.max(1) as f32).collect();
    let difference = snn.iter().zip(&ann).map(|(s, a)| s - a).collect();
    let target = |(neuron, &n): (usize, &u32)| expected_spikes_of(spiking, neuron, z[neuron], steps) as i32 - n as i32;
    let offset = counts.iter().enumerate().map(target).collect();
    FeatureMaps { shape: spiking.shape.clone(), ann, snn, difference, counts, offset }
}
