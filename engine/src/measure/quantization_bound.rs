//! Largest deviation of a neuron from its ANN activation that quantization alone explains.

use crate::network::Activation;

/// Tolerance for f32 rounding, as a fraction of the bound and of z.
pub(crate) const SLACK: f64 = 1e-4;

/// Parameters of one neuron and step count that determine the bound.
#[derive(Clone, Copy)]
pub(crate) struct QuantizationBound {
    /// Amplitude of one spike, in activation units.
    pub amplitude: f32,
    /// v(0) before any correction.
    pub v_init: f32,
    /// Constant that each step adds to the potential besides the input (bias shift).
    pub charge: f32,
    pub steps: usize,
}

impl QuantizationBound {
    /// Phase of the staircase in amplitudes: v(0) plus what the steps add besides the input.
    #[inline(always)]
    pub(super) fn phase(self) -> f64 {
        f64::from(self.v_init + self.charge * self.steps as f32) / f64::from(self.amplitude)
    }

    /// The largest error: that of quantization, plus `half_level` if the ANN itself has levels.
    #[inline(always)]
    pub fn bound(self, half_level: f64) -> f64 {
        let step = f64::from(self.amplitude) / self.steps as f64;
        half_level + if step > 0.0 { step * max_offset(self.phase()) } else { 0.0 }
    }

    /// φ − a of `n` spikes against the activation `a` of `z`, and whether it exceeds what quantization explains: θ/2t for
    /// v(0) = θ/2, plus `half_level` if the ANN itself has levels.
    #[inline(always)]
    pub fn excess(self, half_level: f64, n: u32, z: f32, a: f32) -> (f64, bool) {
        let step = f64::from(self.amplitude) / self.steps as f64;
        let bound = self.bound(half_level);
        let error = step * f64::from(n) - f64::from(a);
        (error, error.abs() > bound + SLACK * (bound + f64::from(z.abs())))
    }
}

/// Counts on constant input lie between p − 1 and p amplitudes from it: the larger of both.
#[inline(always)]
fn max_offset(p: f64) -> f64 {
    p.clamp(0.0, 1.0).max(1.0 - p.clamp(0.0, 1.0))
}

/// Half a quantization level of the ANN's activation, in activation units; 0 if it has none.
pub(crate) fn half_level(activation: Activation) -> f64 {
    match activation {
        Activation::Qcfs { lambda, levels, shift } => {
            f64::from(lambda) / f64::from(levels.max(1)) * max_offset(f64::from(shift))
        }
        Activation::Relu | Activation::Clip { .. } => 0.0,
    }
}
