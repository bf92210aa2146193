//! SRP (Hao et al., "Reducing ANN-SNN Conversion Error through Residual Membrane Potential", AAAI 2023): after τ pre-steps
//! of the whole network, neurons whose residual potential says that they fire too much are silenced for the run.
//!
//! `k = 0` if `v(τ) ≤ 0.001 θ` (the authors' program) or `v(τ) < 0` (the theory); output `θ·s(t)·k`. The neuron itself goes
//! on integrating and firing. It mends over-firing only, all or nothing.

use crate::convert::SrpRule;

/// Whether a neuron with residual potential `v` after the pre-steps is silenced.
#[inline]
pub fn silences(v: f32, theta: f32, rule: SrpRule) -> bool {
    match rule {
        SrpRule::Code => v <= 1e-3 * theta,
        SrpRule::Theory => v < 0.0,
    }
}

/// The bits of the silenced neurons, `[rows][word]`, from potentials `[rows, F]`.
pub fn mask(potential: &[f32], theta: &[f32], rule: SrpRule) -> Vec<u64> {
    let words = theta.len().div_ceil(64);
    let mut bits = vec![0u64; potential.len() / theta.len().max(1) * words];
    for (row, bits) in potential.chunks(theta.len().max(1)).zip(bits.chunks_mut(words.max(1))) {
        for (k, (&v, &theta)) in row.iter().zip(theta).enumerate() {
            bits[k / 64] |= u64::from(silences(v, theta, rule)) << (k % 64);
        }
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::{Reset, Tie};
    use crate::simulate::neuron::{step, target_count};
    use proptest::prelude::*;

    #[test]
    fn the_two_rules_differ_at_zero() {
        assert!(silences(0.0, 1.0, SrpRule::Code) && !silences(0.0, 1.0, SrpRule::Theory));
        assert!(silences(-0.1, 1.0, SrpRule::Theory) && !silences(0.002, 1.0, SrpRule::Code));
        assert_eq!(mask(&[0.5, -0.7, 0.0, 1.5], &[1.0, 1.0], SrpRule::Theory), [0b10, 0]);
    }

    fn run(input: &[f32]) -> (u32, f32) {
        input.iter().fold((0, 0.5), |(n, v), &i| {
            let (spike, v) = step(v, i, 1.0, Reset::Soft, Tie::Ge);
            (n + u32::from(spike), v)
        })
    }

    #[test]
    fn the_worked_category_one_neuron_has_a_negative_residual() {
        let (n, v) = run(&[1.2, -1.4, 0.0, 0.0]);
        assert_eq!((n, target_count(-0.05, 1.0, 4, 1, 0.5)), (1, 0));
        assert!(silences(v, 1.0, SrpRule::Code) && (v + 0.7).abs() < 1e-6);
    }

    proptest! {
        /// With v(0) = θ/2 and the same mean input: φ > a ⇔ v(T) < 0 and n ≥ 1; φ < a ⇔ v(T) ≥ θ and n < T.
        #[test]
        fn the_residual_tells_over_and_under_firing(input in prop::collection::vec(-64i32..64, 1..33)) {
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
