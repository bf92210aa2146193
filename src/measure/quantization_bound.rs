//! The activation range that quantization alone explains.

use crate::network::Activation;

/// What rounding in f32 may add to the bound, as a share of it and of z.
pub(super) const SLACK: f64 = 1e-4;

/// What of a neuron and a step decides by how much it may be off.
#[derive(Clone, Copy)]
pub(crate) struct QuantizationBound {
    /// What one count is worth, in activation units.
    pub unit: f32,
    /// v(0) before any correction.
    pub v_init: f32,
    /// Charge that each step adds beside the input.
    pub charge: f32,
    pub steps: usize,
}

impl QuantizationBound {
    /// Where the staircase stands, in units: v(0), and what was put on the membrane beside the input.
    #[inline(always)]
    pub(super) fn phase(self) -> f64 {
        f64::from(self.v_init + self.charge * self.steps as f32) / f64::from(self.unit)
    }

    /// φ − a of `n` spikes against the activation `a` of `z`, and whether that is more than quantization explains: θ/2t for
    /// v(0) = θ/2, and `own`, half a level, where the ANN itself has levels.
    #[inline(always)]
    pub fn excess(self, own: f64, n: u32, z: f32, a: f32) -> (f64, bool) {
        let unit = f64::from(self.unit) / self.steps as f64;
        let quantization = if unit > 0.0 { unit * half(self.phase()) } else { 0.0 };
        let bound = quantization + own;
        let off = unit * f64::from(n) - f64::from(a);
        (off, off.abs() > bound + SLACK * (bound + f64::from(z.abs())))
    }
}

/// Counts of constant input lie between p − 1 and p units from it: the larger of both.
#[inline(always)]
fn half(p: f64) -> f64 {
    p.clamp(0.0, 1.0).max(1.0 - p.clamp(0.0, 1.0))
}

/// Half a level of the ANN's own, 0 where it has none.
pub(crate) fn half_level(activation: Activation) -> f64 {
    match activation {
        Activation::Qcfs { lambda, levels, shift } => {
            f64::from(lambda) / f64::from(levels.max(1)) * half(f64::from(shift))
        }
        Activation::Relu | Activation::Clip { .. } => 0.0,
    }
}
