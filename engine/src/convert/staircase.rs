//! Staircase of an integrate-and-fire neuron: its expected spike count for a constant input.

use crate::convert::SpikingLayer;

/// The expected count q = clip(⌊(x·T + p·u)/u⌋, 0, kT) for constant input of mean `x` from v(0) = pu. u is the neuron's
/// amplitude (`unit`), k its maximum count per step. QCFS at L = T for p = ½, u = θ, k = 1 (Bu et al. ICLR 2022). If u
/// is zero (a channel that was silent in calibration), any positive input saturates.
#[inline(always)]
pub fn expected_spikes(x: f32, unit: f32, steps: usize, per_step: usize, p: f64) -> u32 {
    let max_count = steps * per_step;
    if unit <= 0.0 {
        return if x > 0.0 { max_count as u32 } else { 0 };
    }
    let q = (f64::from(x) * steps as f64 / f64::from(unit) + p).floor();
    to_u32(q.clamp(0.0, max_count as f64))
}

/// A whole number between 0 and 2^32 as an integer: with 2^52 added, the lowest bits are the number. Unlike a cast,
/// whose result out of range differs between processors, this is one vector instruction.
#[inline(always)]
pub fn to_u32(x: f64) -> u32 {
    const FIRST_WITHOUT_FRACTION: f64 = (1u64 << 52) as f64;
    (x + FIRST_WITHOUT_FRACTION).to_bits() as u32
}

/// [`expected_spikes`] of neuron `index` of `layer` from v(0) = ½ amplitude, for mean input `x` over `steps` steps.
pub fn expected_spikes_of(layer: &SpikingLayer, index: usize, x: f32, steps: usize) -> u32 {
    expected_spikes(x, layer.amplitude_of(index), steps, layer.neuron.max_spikes_per_step(), 0.5)
}
