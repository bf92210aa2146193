//! SRP correction: silences neurons whose residual potential after τ pre-steps shows over-firing.
//!
//! Source: Hao et al., "Reducing ANN-SNN Conversion Error through Residual Membrane Potential", AAAI 2023. The
//! pre-steps run the whole network; silencing lasts for the run.
//!
//! `k = 0` if `v(τ) ≤ 0.001 θ` (the authors' program) or `v(τ) < 0` (the theory); output `θ·s(t)·k`. The neuron itself
//! continues to integrate and fire. The method corrects over-firing only, and only by removing all spikes.

use crate::convert::{SpikingLayer, SrpRule};
use crate::simulate::SpikeTrain;

/// Whether a neuron with residual potential `v` after the pre-steps is silenced.
#[inline]
pub fn is_silenced(v: f32, theta: f32, rule: SrpRule) -> bool {
    match rule {
        SrpRule::Code => v <= 1e-3 * theta,
        SrpRule::Theory => v < 0.0,
    }
}

/// The silenced neurons of `layer`, one step of bits, from potentials `[rows, F]` in the order of the bits.
pub fn silence_mask(layer: &SpikingLayer, potential: &[f32], rule: SrpRule) -> SpikeTrain {
    let (neurons, channels) = (layer.neurons().max(1), layer.shape[0].max(1));
    let mut bits = SpikeTrain::flags_for(potential.len() / neurons, layer);
    bits.resize(1);
    for (sample, potential) in potential.chunks(neurons).enumerate() {
        let row = bits.row_mut(0, sample);
        for (bit, &v) in potential.iter().enumerate() {
            let theta = layer.theta[bit % channels % layer.theta.len()];
            row[bit / 64] |= u64::from(is_silenced(v, theta, rule)) << (bit % 64);
        }
    }
    bits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::convert::{Reset, TieRule, expected_spikes};
    use crate::simulate::neuron::step;

    #[test]
    fn code_and_theory_rules_differ_at_zero() {
        assert!(is_silenced(0.0, 1.0, SrpRule::Code) && !is_silenced(0.0, 1.0, SrpRule::Theory));
        assert!(is_silenced(-0.1, 1.0, SrpRule::Theory) && !is_silenced(0.002, 1.0, SrpRule::Code));
    }

    fn run(input: &[f32]) -> (u32, f32) {
        input.iter().fold((0, 0.5), |(n, v), &i| {
            let (spike, v) = step(v, i, 1.0, Reset::Soft, TieRule::Ge);
            (n + u32::from(spike), v)
        })
    }

    #[test]
    fn the_worked_over_firing_neuron_has_a_negative_residual() {
        let (n, v) = run(&[1.2, -1.4, 0.0, 0.0]);
        assert_eq!((n, expected_spikes(-0.05, 1.0, 4, 1, 0.5)), (1, 0));
        assert!(is_silenced(v, 1.0, SrpRule::Code) && (v + 0.7).abs() < 1e-6);
    }

    proptest! {
        /// With v(0) = θ/2 and the same mean input: φ > a ⇔ v(T) < 0 and n ≥ 1; φ < a ⇔ v(T) ≥ θ and n < T.
        #[test]
        fn residual_potential_determines_over_and_under_firing(input in prop::collection::vec(-64i32..64, 1..33)) {
            let input: Vec<f32> = input.iter().map(|&i| i as f32 / 32.0).collect();
            let (n, v) = run(&input);
            let steps = input.len();
            // Exact in dyadic numbers: q = clip(⌊Σ + ½⌋, 0, T).
            let q = (input.iter().sum::<f32>() + 0.5).floor().clamp(0.0, steps as f32) as u32;
            prop_assert_eq!(n > q, v < 0.0 && n >= 1);
            prop_assert_eq!(n < q, v >= 1.0 && (n as usize) < steps);
        }
    }
}
