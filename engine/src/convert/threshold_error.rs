//! Predicted clipping and quantization error of a threshold, from calibration activations.
//!
//! Nothing is simulated.

use rayon::prelude::*;

use super::expected_spikes;
use crate::convert::ActivationQuantiles;
use crate::network::Activation;
use crate::progress::JobControl;

/// Predicted error of one layer at one threshold: means over all activations of the calibration set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ThresholdError {
    pub theta: f32,
    /// Mean squared error from clipping, at the SNN's maximum θ or at the ANN's own clip.
    pub clipping: f64,
    /// Mean squared error from θ/T steps, without clipping.
    pub quantization: f64,
    /// Fraction of activations above θ.
    pub clipped: f64,
}

impl ThresholdError {
    /// The total predicted mean squared error.
    pub fn total(&self) -> f64 {
        self.clipping + self.quantization
    }
}

/// Predicted error of the staircase against `reference` for each of `thetas`, at T = `steps` and v(0) = `v_init`·θ,
/// with evenly arriving input. Only the positive part of the pre-activations counts. At most `QUANTILES` values are
/// evaluated, so that the result follows a dragged threshold.
pub fn threshold_errors(
    activations: &ActivationQuantiles,
    reference: Activation,
    thetas: &[f32],
    steps: usize,
    v_init: f32,
) -> Vec<ThresholdError> {
    const QUANTILES: usize = 2048;
    let positive = activations.sorted(&JobControl::default()).unwrap_or_default();
    let sample = sample_quantiles(&positive, QUANTILES);
    let count = activations.len().max(1);
    let weight = positive.len() as f64 / (count * sample.len().max(1)) as f64;
    let lambda = reference.lambda().unwrap_or(f32::INFINITY);
    let one = |&theta: &f32| {
        let (mut clipping, mut quantization) = (0.0, 0.0);
        for &z in &sample {
            let a = f64::from(reference.apply(z));
            let count = expected_spikes(z, theta, steps, 1, f64::from(v_init));
            let phi = if z > theta { f64::from(theta) } else { f64::from(theta) / steps as f64 * f64::from(count) };
            let part = if z > theta.min(lambda) { &mut clipping } else { &mut quantization };
            *part += (phi - a).powi(2);
        }
        ThresholdError {
            theta,
            clipping: clipping * weight,
            quantization: quantization * weight,
            clipped: (positive.len() - positive.partition_point(|&z| z <= theta)) as f64 / count as f64,
        }
    };
    thetas.par_iter().map(one).collect()
}

/// At most `max_count` quantiles of the sorted `values`, each representing equally many of them.
pub fn sample_quantiles(values: &[f32], max_count: usize) -> Vec<f32> {
    let picks = values.len().min(max_count);
    (0..picks).map(|k| values[(2 * k + 1) * values.len() / (2 * picks)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn low_thresholds_clip_and_high_ones_quantize() {
        let activations = ActivationQuantiles::from_sorted(0, (1..=1000).map(|k| k as f32 / 1000.0).collect());
        let [low, high] = threshold_errors(&activations, Activation::Relu, &[0.25, 1.0], 4, 0.5)[..] else { panic!() };
        assert!(low.clipping > high.clipping && low.quantization < high.quantization);
        // Uniform in (0, 1) with T = 4 and v(0) = ½: E[e²] = 1/(12·16).
        assert!((high.quantization - 1.0 / 192.0).abs() < 1e-4);
        assert!((low.clipped - 0.75).abs() < 1e-9);
    }

    #[test]
    fn a_clipping_network_has_no_error_at_its_own_threshold() {
        let activations = ActivationQuantiles::from_sorted(0, (1..=2000).map(|k| k as f32 / 1000.0).collect());
        let qcfs = Activation::Qcfs { lambda: 1.0, levels: 4, shift: 0.5 };
        let [low, own, high] = threshold_errors(&activations, qcfs, &[0.5, 1.0, 2.0], 4, 0.5)[..] else { panic!() };
        assert!(own.total() < 1e-9 && low.clipping > 0.01 && high.clipping > 0.01);
    }
}
