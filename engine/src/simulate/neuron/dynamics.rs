//! Neuron dynamics of a layer: model, reset and tie rule, and one step of it.

use super::integrate_and_fire::step;
use crate::convert::{NeuronModel, Reset, TieRule};

/// Neuron model, reset and tie rule of a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dynamics {
    pub neuron: NeuronModel,
    pub reset: Reset,
    pub tie: TieRule,
}

impl Dynamics {
    /// One step of one neuron: its count in units of [`NeuronModel::amplitude`] and the potential after it. `emitted`
    /// is the count so far.
    #[inline]
    pub fn step(self, v: f32, current: f32, theta: f32, emitted: i32) -> (i32, f32) {
        match self.neuron {
            NeuronModel::If | NeuronModel::Lif(_) => {
                let (spike, after) = step(v * self.neuron.decay(), current, theta, self.reset, self.tie);
                (i32::from(spike), after)
            }
            NeuronModel::Signed => super::signed::step(v, current, theta, emitted, self.tie),
            other => {
                super::multi_spike::step(v, current, other.amplitude(theta), other.max_spikes_per_step(), self.tie)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::convert::staircase::expected_spikes;

    /// Runs one soft-reset neuron over `input` and returns (spikes, m before reset, v(T)).
    fn run(theta: f32, v0: f32, input: &[f32]) -> (Vec<u32>, Vec<f32>, f32) {
        let mut v = v0;
        let mut m = Vec::new();
        let spikes = input
            .iter()
            .map(|&i| {
                m.push(v + i);
                let (s, after) = step(v, i, theta, Reset::Soft, TieRule::Ge);
                v = after;
                u32::from(s)
            })
            .collect();
        (spikes, m, v)
    }

    /// Two unit trains through weights +2 and −2, five steps, times from 1.
    fn opposed(plus: &[usize], minus: &[usize]) -> Vec<f32> {
        (1..=5).map(|t| 2.0 * f32::from(plus.contains(&t) as u8) - 2.0 * f32::from(minus.contains(&t) as u8)).collect()
    }

    #[test]
    fn constant_input_clips_and_quantizes() {
        let (spikes, ..) = run(1.0, 0.5, &[1.3; 4]);
        assert_eq!(spikes.iter().sum::<u32>(), 4);
        assert_eq!(expected_spikes(0.33, 1.0, 4, 1, 0.5), 1);
        assert_eq!(run(1.0, 0.5, &[0.33; 4]).0.iter().sum::<u32>(), 1);
    }

    #[test]
    fn the_same_charge_in_another_order_gives_another_count() {
        let (spikes, _, v) = run(1.0, 0.5, &opposed(&[1, 3, 5], &[2, 4]));
        assert_eq!((spikes, v), (vec![1, 0, 1, 0, 0], 0.5));
        let (spikes, m, v) = run(1.0, 0.5, &opposed(&[1, 2, 3], &[4, 5]));
        assert_eq!((spikes, v), (vec![1, 1, 1, 1, 0], -1.5));
        assert_eq!(m, vec![2.5, 3.5, 4.5, 1.5, -1.5]);
        let (spikes, _, v) = run(1.0, 0.5, &opposed(&[3, 4, 5], &[1, 2]));
        assert_eq!((spikes, v), (vec![0, 0, 0, 0, 1], 1.5));
    }

    #[test]
    fn different_levels_and_steps_give_the_worked_pairs() {
        for (z, ann, snn) in
            [(0.125, 0.25, 0.0), (0.25, 0.25, 0.5), (0.375, 0.5, 0.5), (0.75, 0.75, 1.0), (0.9, 1.0, 1.0)]
        {
            let qcfs = crate::network::Activation::Qcfs { lambda: 1.0, levels: 4, shift: 0.5 };
            assert_eq!(qcfs.apply(z), ann);
            assert_eq!(run(1.0, 0.5, &[z; 2]).0.iter().sum::<u32>() as f32 / 2.0, snn);
        }
    }

    #[test]
    fn the_tie_rule_decides_at_the_threshold() {
        assert_eq!(step(0.5, 0.5, 1.0, Reset::Soft, TieRule::Ge), (true, 0.0));
        assert_eq!(step(0.5, 0.5, 1.0, Reset::Soft, TieRule::Gt), (false, 1.0));
        assert_eq!(step(0.5, 1.25, 1.0, Reset::Hard, TieRule::Ge), (true, 0.0));
    }

    #[test]
    fn half_a_threshold_makes_the_expected_error_zero() {
        // OPI (Bu et al., AAAI 2022): E[e] = (θ/T)(p − ½), E[e²] = (θ/T)²((p − ½)² + 1/12) for z uniform in (0, θ).
        for (steps, p, mean, square) in
            [(2, 0.0, -0.25, 1.0 / 12.0), (2, 0.5, 0.0, 1.0 / 48.0), (4, 0.25, -0.0625, 0.0091146)]
        {
            let n = 40_000;
            let errors = (0..n).map(|k| {
                let z = (k as f32 + 0.5) / n as f32;
                f64::from(expected_spikes(z, 1.0, steps, 1, p)) / steps as f64 - f64::from(z)
            });
            let (sum, squares) = errors.fold((0.0, 0.0), |(s, q), e| (s + e, q + e * e));
            assert!((sum / f64::from(n) - mean).abs() < 1e-4 && (squares / f64::from(n) - square).abs() < 1e-4);
        }
    }

    proptest! {
        /// nθ = charge in + v(0) − v(T), exactly in dyadic numbers.
        #[test]
        fn spikes_times_threshold_equal_charge_in_minus_residual(input in prop::collection::vec(-64i32..64, 1..40)) {
            let input: Vec<f32> = input.iter().map(|&i| i as f32 / 16.0).collect();
            let (spikes, _, v) = run(1.0, 0.5, &input);
            prop_assert_eq!(spikes.iter().sum::<u32>() as f32, input.iter().sum::<f32>() + 0.5 - v);
        }

        /// With constant input and v(0) = θ/2 the count is the QCFS integer at L = T.
        #[test]
        fn constant_input_reaches_the_expected_spikes(z in -32i32..48, steps in 1usize..33) {
            let z = z as f32 / 32.0;
            prop_assert_eq!(run(1.0, 0.5, &vec![z; steps]).0.iter().sum::<u32>(), expected_spikes(z, 1.0, steps, 1, 0.5));
        }
    }
}
