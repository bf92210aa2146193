//! Multi-spike neurons: the group neuron and the burst neuron, which differ in amplitude only.
//!
//! Group neuron (Lv et al., "Optimal ANN-SNN Conversion with Group Neurons", 2024): m members share the potential and
//! fire at θ/m, 2θ/m, …, θ, each with amplitude θ/m, so `k = #{i ≤ m : v ≥ iθ/m}`; it equals an IF neuron that runs m
//! times as fast. Burst neuron (Li & Zeng, "Efficient and Accurate Conversion of SNN with Burst Spikes", IJCAI 2022):
//! `k = clip(⌊v/θ⌋, 0, Γ)` spikes of θ. Both subtract what they emit: `v = m − k·unit`.

use crate::convert::TieRule;

/// One step: the count of spikes of amplitude `unit` (θ/m or θ), at most `max_count`, and the potential after them.
#[inline]
pub fn step(v: f32, current: f32, unit: f32, max_count: usize, tie: TieRule) -> (i32, f32) {
    let m = v + current;
    let reached = m / unit;
    let count = match tie {
        TieRule::Ge => reached.floor(),
        TieRule::Gt => reached.ceil() - 1.0,
    };
    // 0/0 of a silent channel is no spike.
    let count = if count.is_nan() { 0.0 } else { count.clamp(0.0, max_count as f32) };
    (count as i32, m - count * unit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::convert::expected_spikes;

    fn run(input: &[f32], v0: f32, unit: f32, max_count: usize) -> (Vec<i32>, f32) {
        let mut v = v0;
        let counts = input
            .iter()
            .map(|&i| {
                let (k, after) = step(v, i, unit, max_count, TieRule::Ge);
                v = after;
                k
            })
            .collect();
        (counts, v)
    }

    #[test]
    fn a_group_of_four_emits_in_one_step_what_one_neuron_emits_in_four() {
        // θ = 1, m = 4, v(0) = θ/2m.
        assert_eq!(run(&[0.6], 0.125, 0.25, 4), (vec![2], 0.6 + 0.125 - 0.5));
        assert_eq!(run(&[3.0], 0.125, 0.25, 4).0, vec![4], "no more than θ a step");
    }

    #[test]
    fn a_burst_emits_the_accumulated_charge() {
        assert_eq!(run(&[2.5, 0.5, -1.0, 9.0], 0.0, 1.0, 5), (vec![2, 1, 0, 5], 3.0));
    }

    proptest! {
        #[test]
        fn charge_is_conserved(input in prop::collection::vec(-64i32..64, 1..40), group in 0u32..4, max_count in 1usize..9) {
            let unit = 1.0 / 2f32.powi(group as i32);
            let input: Vec<f32> = input.iter().map(|&i| i as f32 / 16.0).collect();
            let (counts, v) = run(&input, 0.5, unit, max_count);
            prop_assert_eq!(counts.iter().sum::<i32>() as f32 * unit, input.iter().sum::<f32>() + 0.5 - v);
        }

        /// With constant input the group neuron is the IF neuron with m·T steps.
        #[test]
        fn constant_input_reaches_the_finer_expected_spikes(z in -32i32..48, steps in 1usize..9, power in 0u32..4) {
            let m = 1usize << power;
            let (z, unit) = (z as f32 / 32.0, 1.0 / m as f32);
            let n: i32 = run(&vec![z; steps], unit / 2.0, unit, m).0.iter().sum();
            prop_assert_eq!(n as u32, expected_spikes(z, unit, steps, m, 0.5));
        }
    }
}
