//! COS correction: shifts v(0) so that the first ρ steps give exactly one spike less or more.
//!
//! Source: Hao et al., "Bridging the Gap between ANNs and SNNs by Calibrating Offset Spikes", ICLR 2023.
//!
//! Over ρ steps, with m(t) the charged potential before reset and ε = 0.001 θ:
//! too many (v(ρ) < 0, n ≥ 1): `v0 ← v0 − max(θ, min over spikes of (m − θ) + ε)`;
//! too few (v(ρ) ≥ θ, n < ρ): `v0 ← v0 + max(θ, min over silent steps of (θ − m) + ε)`.
//!
//! Each pass changes the count by one; passes repeat until no neuron needs a shift. From the second pass on v(ρ)
//! contains the shift of the first, so a corrected neuron may be moved past its target. [`CosRule::Exact`] subtracts
//! the shift again.

use crate::compute::simd::lanes::{LANES, Lanes};
use crate::convert::{CosRule, Reset, TieRule};
use crate::simulate::neuron::step;

/// The published program's substitute for the potential at a silent step if there is none, in θ.
const SENTINEL: f32 = -1000.0;

/// Constants of the correction.
#[derive(Clone, Copy, Debug)]
pub struct CosShift {
    /// ρ, at most the number of steps of the current.
    pub steps: usize,
    pub passes: usize,
    pub rule: CosRule,
    pub tie: TieRule,
}

/// Statistics of ρ steps of one neuron.
#[derive(Clone, Copy)]
struct StepStatistics {
    v: f32,
    spikes: usize,
    /// The charge from the ρ steps.
    charge: f32,
    /// The smallest m − θ over the steps with a spike.
    min_above: f32,
    /// The smallest θ − m over the steps without.
    min_below: f32,
}

impl CosShift {
    /// Shifts the potentials `v` of neurons with thresholds `theta` before their first step, by the first ρ steps of
    /// their currents: `current(t)` is that of step `t` (0-based).
    pub fn calibrate_lanes<'a, const N: usize>(
        &self,
        v: &mut [Lanes; N],
        theta: &[Lanes; N],
        shift: f32,
        current: impl Fn(usize) -> &'a [Lanes; N],
    ) {
        let flat = |lanes: &[Lanes; N]| lanes.iter().flat_map(|lanes| lanes.0).collect::<Vec<f32>>();
        let rows: Vec<Vec<f32>> = (0..self.steps).map(|t| flat(current(t))).collect();
        let mut start = flat(v);
        self.calibrate(&mut start, &flat(theta), shift, |t| &rows[t]);
        for (lanes, start) in v.iter_mut().zip(start.chunks(LANES)) {
            lanes.0.copy_from_slice(start);
        }
    }

    /// Shifts `start` (`[F]`, v(0) of one sample's neurons) by the first ρ steps of `current`: `current(t)` is that
    /// sample's row at step `t` (0-based), `[F]`. `shift` is the current that each step adds to the input current, in
    /// θ.
    pub fn calibrate<'a>(&self, start: &mut [f32], theta: &[f32], shift: f32, current: impl Fn(usize) -> &'a [f32]) {
        let first = if self.rule == CosRule::Exact { start.to_vec() } else { Vec::new() };
        for _ in 0..self.passes {
            let statistics = self.statistics(start, theta, shift, &current);
            let mut moved = false;
            for (k, ((v0, &theta), mut statistics)) in start.iter_mut().zip(theta).zip(statistics).enumerate() {
                if let Some(first) = first.get(k) {
                    // v(ρ) as it would be without the shift. Computed from the charge, not as v(ρ) minus the shift: a
                    // shift ends in ε, which rounds.
                    statistics.v = first + statistics.charge - theta * statistics.spikes as f32;
                }
                let by = self.shift_of(statistics, theta);
                *v0 += by;
                moved |= by != 0.0;
            }
            if !moved {
                break;
            }
        }
    }

    fn statistics<'a>(
        &self,
        start: &[f32],
        theta: &[f32],
        shift: f32,
        current: &impl Fn(usize) -> &'a [f32],
    ) -> Vec<StepStatistics> {
        let fresh =
            |&v: &f32| StepStatistics { v, spikes: 0, charge: 0.0, min_above: f32::INFINITY, min_below: f32::INFINITY };
        let mut statistics: Vec<StepStatistics> = start.iter().map(fresh).collect();
        for t in 0..self.steps {
            for ((statistics, &current), &theta) in statistics.iter_mut().zip(current(t)).zip(theta) {
                let v = statistics.v + shift * theta;
                let m = v + current;
                statistics.charge += shift * theta + current;
                let (spike, after) = step(v, current, theta, Reset::Soft, self.tie);
                if spike {
                    statistics.spikes += 1;
                    statistics.min_above = statistics.min_above.min(m - theta);
                } else {
                    statistics.min_below = statistics.min_below.min(theta - m);
                }
                statistics.v = after;
            }
        }
        statistics
    }

    /// The shift of v(0); 0 for a neuron whose residual potential is in range.
    fn shift_of(&self, statistics: StepStatistics, theta: f32) -> f32 {
        let epsilon = 1e-3 * theta;
        if statistics.v < 0.0 && statistics.spikes > 0 {
            -theta.max(statistics.min_above + epsilon)
        } else if statistics.v >= theta && theta > 0.0 {
            match (statistics.spikes < self.steps, self.rule) {
                (true, _) => theta.max(statistics.min_below + epsilon),
                (false, CosRule::Published) => (1.0 - SENTINEL) * theta + epsilon,
                (false, _) => 0.0,
            }
        } else {
            0.0
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEEP_SATURATED: CosRule = CosRule::KeepSaturated;

    /// The shift of one neuron with θ = 1, v(0) = ½ after `passes`.
    fn shift(input: &[f32], passes: usize, rule: CosRule) -> f32 {
        let rows: Vec<[f32; 1]> = input.iter().map(|&i| [i]).collect();
        let mut start = [0.5];
        let cos = CosShift { steps: input.len(), passes, rule, tie: TieRule::Ge };
        cos.calibrate(&mut start, &[1.0], 0.0, |t| &rows[t]);
        start[0] - 0.5
    }

    /// Spikes and v(T) from `v0`.
    fn run(input: &[f32], v0: f32) -> (Vec<u8>, f32) {
        let mut v = v0;
        let spikes = input
            .iter()
            .map(|&i| {
                let (s, after) = step(v, i, 1.0, Reset::Soft, TieRule::Ge);
                v = after;
                u8::from(s)
            })
            .collect();
        (spikes, v)
    }

    #[test]
    fn shifts_follow_the_worked_examples() {
        let one_too_many = [1.2, -1.4, 0.0, 0.0];
        assert_eq!(shift(&one_too_many, 1, KEEP_SATURATED), -1.0);
        assert_eq!(run(&one_too_many, -0.5).0, [0, 0, 0, 0]);
        let two_too_many = [1.5, 1.5, -2.0, -2.0];
        assert!((shift(&two_too_many, 1, KEEP_SATURATED) + 1.001).abs() < 1e-6);
        assert_eq!(run(&two_too_many, -0.501).0, [0, 1, 0, 0]);
        assert_eq!(run(&two_too_many, 0.5 + shift(&two_too_many, 2, KEEP_SATURATED)).0, [0, 0, 0, 0]);
        let one_too_few = [-2.0, -2.0, 2.0, 2.0, 2.0];
        assert_eq!(shift(&one_too_few, 1, KEEP_SATURATED), 1.0);
        assert_eq!(run(&one_too_few, 1.5).0.iter().sum::<u8>(), 2);
    }

    #[test]
    fn saturated_neurons_shift_only_under_the_published_rule() {
        assert_eq!(shift(&[2.0; 4], 1, KEEP_SATURATED), 0.0);
        assert!((shift(&[2.0; 4], 1, CosRule::Published) - 1001.001).abs() < 1e-3);
    }

    #[test]
    fn a_sum_exactly_at_the_target_reaches_it() {
        // Σ = 4.5 and v(0) = ½ give exactly five.
        let input = [-50, 27, 60, -29, 48, 8, -55, 63].map(|i: i32| i as f32 / 16.0);
        let spikes = run(&input, 0.5 + shift(&input, 32, CosRule::Exact)).0;
        assert_eq!(spikes.iter().map(|&s| u32::from(s)).sum::<u32>(), 5);
    }

    proptest! {
        /// One pass changes the count by exactly one spike, in the missing direction.
        #[test]
        fn one_pass_changes_the_count_by_one(input in prop::collection::vec(-64i32..64, 1..17)) {
            let input: Vec<f32> = input.iter().map(|&i| i as f32 / 16.0).collect();
            let count = |v0: f32| run(&input, v0).0.iter().map(|&s| i32::from(s)).sum::<i32>();
            let (n, v) = (count(0.5), run(&input, 0.5).1);
            let moved = count(0.5 + shift(&input, 1, KEEP_SATURATED)) - n;
            let wanted = if v < 0.0 && n > 0 { -1 } else if v >= 1.0 && (n as usize) < input.len() { 1 } else { 0 };
            prop_assert_eq!(moved, wanted);
        }

        /// With enough passes that subtract their own shift the count is the QCFS integer at L = ρ.
        #[test]
        fn enough_passes_reach_the_expected_spikes(input in prop::collection::vec(-64i32..64, 1..17)) {
            let input: Vec<f32> = input.iter().map(|&i| i as f32 / 16.0).collect();
            let q = (input.iter().sum::<f32>() + 0.5).floor().clamp(0.0, input.len() as f32) as u8;
            let n: u8 = run(&input, 0.5 + shift(&input, 32, CosRule::Exact)).0.iter().sum();
            prop_assert_eq!(n, q);
        }

        /// ψ ≥ k ⇔ v(ρ) ≥ kθ (given n + k ≤ ρ); ψ ≤ −k ⇔ v(ρ) < (1 − k)θ (given n ≥ k).
        #[test]
        fn residual_potential_determines_the_number_of_offset_spikes(input in prop::collection::vec(-64i32..64, 1..17), k in 1i32..4) {
            let input: Vec<f32> = input.iter().map(|&i| i as f32 / 16.0).collect();
            let (spikes, v) = run(&input, 0.5);
            let n: i32 = spikes.iter().map(|&s| i32::from(s)).sum();
            let rho = input.len() as i32;
            let q = (input.iter().sum::<f32>() + 0.5).floor().clamp(0.0, rho as f32) as i32;
            if n + k <= rho {
                prop_assert_eq!(q - n >= k, v >= k as f32);
            }
            if n >= k {
                prop_assert_eq!(q - n <= -k, v < (1 - k) as f32);
            }
        }
    }
}
