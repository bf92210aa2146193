//! Readout delay: estimated steps before the readout of a run is meaningful (Bu et al., CVPR 2025).

use rayon::prelude::*;

use crate::compute::AnnRun;
use crate::convert::SpikingNetwork;
use crate::task::classification::readout_start;

/// Estimated steps until the first spikes reach the output.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadoutDelay {
    /// Steps r_l that the fastest neuron of each layer needs for its first spike; 0 for a layer that is silent in the ANN.
    pub per_layer: Vec<f64>,
    /// t0 = ⌊Σ_l r_l⌋
    pub estimate: usize,
    /// Resulting readout start for a run of T steps: t0 if it leaves at least 4 steps, else T − 4.
    pub start: usize,
}

/// The delay estimate of training-free conversion (`algorithms` 5.4): r_l = min_i (θ_i − v_i(0)) / mean of ReLU(z_i), the
/// mean over the samples of `ann`, v(0) before any correction.
pub fn readout_delay(spiking: &SpikingNetwork, ann: &AnnRun, steps: usize) -> ReadoutDelay {
    let of_layer = |(layer, z): (&crate::convert::SpikingLayer, &Vec<f32>)| {
        let neurons = layer.neurons().max(1);
        let mut sums = vec![0.0f64; neurons];
        for sample in z.chunks(neurons) {
            sums.iter_mut().zip(sample).for_each(|(sum, z)| *sum += f64::from(z.max(0.0)));
        }
        let steps_to_first_spike = |(neuron, sum): (usize, f64)| {
            // The first spike of a group of m fires at θ/m.
            let amplitude = f64::from(layer.amplitude_of(neuron));
            let missing = (amplitude - f64::from(layer.v_init_of(neuron))).max(0.0);
            (amplitude > 0.0 && sum > 0.0).then(|| missing * ann.samples as f64 / sum)
        };
        sums.into_iter().enumerate().filter_map(steps_to_first_spike).reduce(f64::min).unwrap_or(0.0)
    };
    let layers: Vec<_> = spiking.layers.iter().zip(&ann.pre_activations).collect();
    let per_layer: Vec<f64> = layers.into_par_iter().map(of_layer).collect();
    // Truncated; the tolerance keeps f64 rounding from adding or losing a step.
    let estimate = (per_layer.iter().sum::<f64>() + 1e-6) as usize;
    ReadoutDelay { per_layer, estimate, start: readout_start(estimate, steps) }
}
