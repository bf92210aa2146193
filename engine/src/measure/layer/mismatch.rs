//! Mean mismatch |φ − a| of one layer for one sample, as soon as its counts are known.

use crate::compute::simd::dispatch;
use crate::compute::simd::isa::{Isa, Kernel};
use crate::compute::simd::lanes::LANES;
use crate::convert::SpikingLayer;
use crate::network::Activation;

/// Mean |φ − a| over the neurons of one sample after `steps` steps, from its counts `[F]` and pre-activations, at least `[F]`.
pub fn mean_mismatch(layer: &SpikingLayer, counts: &[u32], z: &[f32], steps: usize) -> f64 {
    // Neurons of a channel, or of the layer, have the same amplitude.
    let width = if layer.theta.len() == 1 { counts.len() } else { layer.neurons_per_channel() }.max(1);
    let parts = counts.chunks(width).zip(z.chunks(width)).enumerate();
    let sums = parts.map(|(k, (counts, z))| {
        let step = f64::from(layer.amplitude_of(k * width)) / steps as f64;
        dispatch(SumOfMismatch { counts, z, step, activation: layer.activation })
    });
    sums.sum::<f64>() / counts.len().max(1) as f64
}

/// Sum of |φ − a| of neurons of one amplitude; `step` is the output of one spike, u/T.
struct SumOfMismatch<'a> {
    counts: &'a [u32],
    z: &'a [f32],
    step: f64,
    activation: Activation,
}

impl Kernel for SumOfMismatch<'_> {
    type Output = f64;
    #[inline(always)]
    fn run<I: Isa>(self) -> f64 {
        // One loop per activation, so that no iteration branches on it.
        match self.activation {
            Activation::Relu => self.sum(|z| Activation::Relu.apply(z)),
            other => self.sum(|z| other.apply(z)),
        }
    }
}

impl SumOfMismatch<'_> {
    #[inline(always)]
    fn sum(self, apply: impl Fn(f32) -> f32) -> f64 {
        // Counts are below 2^31; the conversion of signed numbers is one instruction.
        let one = |n: u32, z: f32| (self.step * f64::from(n as i32) - f64::from(apply(z))).abs();
        let mut sums = [0.0; LANES];
        let (counts, last) = self.counts.as_chunks::<LANES>();
        let (z, last_z) = self.z[..self.counts.len()].as_chunks::<LANES>();
        for (counts, z) in counts.iter().zip(z) {
            for lane in 0..LANES {
                sums[lane] += one(counts[lane], z[lane]);
            }
        }
        let rest: f64 = last.iter().zip(last_z).map(|(&n, &z)| one(n, z)).sum();
        sums.iter().sum::<f64>() + rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::{NeuronModel, Reset, TieRule};

    #[test]
    fn the_mismatch_is_that_of_every_neuron() {
        for (activation, theta) in [(Activation::Relu, vec![0.5, 2.0]), (Activation::Clip { lambda: 0.8 }, vec![0.7])] {
            let layer = SpikingLayer {
                node: 1,
                name: "act".into(),
                shape: vec![2, 3, 7],
                theta,
                activation,
                neuron: NeuronModel::If,
                v_init: 0.5,
                v_init_values: None,
                bias: Vec::new(),
                bias_shift: 0.0,
                reset: Reset::Soft,
                tie: TieRule::Ge,
            };
            let counts: Vec<u32> = (0..42).map(|k| k * 5 % 9).collect();
            // Those of the next sample follow.
            let z: Vec<f32> = (0..84).map(|k| (k % 13) as f32 * 0.2 - 0.6).collect();
            let one = |k: usize| {
                let phi = f64::from(layer.amplitude_of(k)) / 8.0 * f64::from(counts[k]);
                (phi - f64::from(activation.apply(z[k]))).abs()
            };
            let wanted = (0..42).map(one).sum::<f64>() / 42.0;
            assert!((mean_mismatch(&layer, &counts, &z, 8) - wanted).abs() < 1e-12);
        }
    }
}
