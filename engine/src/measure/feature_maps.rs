//! Feature maps of one layer and sample: ANN and SNN activation, spike counts and offset spikes per neuron.

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
    /// Offset spikes ψ = expected − n, end to end.
    pub offset: Vec<i32>,
}

/// The maps of spiking layer `layer` for `sample` after `steps` steps.
pub fn feature_maps(data: &RunData<'_>, layer: usize, sample: usize, steps: usize) -> FeatureMaps {
    let spiking = &data.spiking.layers[layer];
    let neurons = spiking.neurons();
    let z = &data.ann.pre_activations[layer][sample * neurons..(sample + 1) * neurons];
    let mut counts = vec![0; neurons];
    data.recording.layers[layer].spikes.add_counts(steps, sample, &mut counts);
    let amplitudes = spiking.amplitudes();
    let ann: Vec<f32> = z.iter().map(|&z| spiking.activation.apply(z)).collect();
    let snn: Vec<f32> = counts.iter().zip(&amplitudes).map(|(&n, u)| u * n as f32 / steps.max(1) as f32).collect();
    let difference = snn.iter().zip(&ann).map(|(s, a)| s - a).collect();
    let offset_of =
        |(neuron, &n): (usize, &u32)| expected_spikes_of(spiking, neuron, z[neuron], steps) as i32 - n as i32;
    let offset = counts.iter().enumerate().map(offset_of).collect();
    FeatureMaps { shape: spiking.shape.clone(), ann, snn, difference, counts, offset }
}
