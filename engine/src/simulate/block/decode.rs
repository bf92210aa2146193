//! Spikes as the amplitudes that they carry.

use std::ops::Range;

use crate::convert::SpikingLayer;
use crate::simulate::spike_train::{SampleSpikes, SpikeRows, for_each_bit};

/// Outputs of `steps` as amplitudes, `[T·B, F]`.
pub(in crate::simulate) fn decode(
    layer: &SpikingLayer,
    spikes: SpikeRows<'_>,
    steps: Range<usize>,
    first: usize,
    rows: usize,
) -> Vec<f32> {
    let units = layer.amplitudes();
    let mut out = vec![0.0; steps.len() * rows * units.len()];
    for (i, row) in out.chunks_mut(units.len().max(1)).enumerate() {
        let sample = SampleSpikes { rows: spikes, sample: first + i % rows };
        for_each_bit(&sample, spikes.shape(), steps.start + i / rows, |neuron, weight| {
            row[neuron] += weight as f32 * units[neuron];
        });
    }
    out
}
