//! Neuron dynamics of a layer: model, reset and tie rule, and one step of it.

use super::integrate_and_fire::step;
use crate::convert::staircase::{expected_spikes, to_u32};
use crate::convert::{NeuronModel, Reset, SpikingLayer, TieRule};

/// Neuron model, reset and tie rule of a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dynamics {
    pub neuron: NeuronModel,
    pub reset: Reset,
    pub tie: TieRule,
}

impl Dynamics {
    /// The dynamics of the neurons of `layer`.
    pub fn of(layer: &SpikingLayer) -> Self {
        Self { neuron: layer.neuron, reset: layer.reset, tie: layer.tie }
    }

    /// Whether the potential is v(0) + input − output at all times: soft reset, no leak.
    pub fn keeps_charge(self) -> bool {
        self.reset == Reset::Soft && self.neuron.decay() == 1.0
    }

    /// The potential before the reset, m(t), of a neuron at `v` that receives `current`.
    #[inline]
    pub fn before_reset(self, v: f32, current: f32) -> f32 {
        v * self.neuron.decay() + current
    }

    /// The count of a neuron after `steps` steps of the constant input `current`, from v(0) = `start`.
    pub fn count_on_constant(self, current: f32, theta: f32, start: f32, steps: usize) -> u32 {
        let (amplitude, per_step) = (self.neuron.amplitude(theta), self.neuron.max_spikes_per_step());
        let p = f64::from(start) / f64::from(amplitude);
        match (self.reset, self.tie) {
            _ if theta <= 0.0 => expected_spikes(current, amplitude, steps, per_step, p),
            (Reset::Soft, TieRule::Ge) if self.keeps_charge() => {
                expected_spikes(current, amplitude, steps, per_step, p)
            }
            (Reset::Soft, TieRule::Gt) if self.keeps_charge() => {
                // The staircase whose steps belong to the lower count.
                let q = (f64::from(current) * steps as f64 / f64::from(amplitude) + p).ceil() - 1.0;
                to_u32(q.clamp(0.0, (steps * per_step) as f64))
            }
            (Reset::Hard, TieRule::Ge) if self.neuron.decay() == 1.0 => {
                // The first spike after ⌈(θ − v0)/I⌉ steps, each further one after ⌈θ/I⌉.
                let after = |charge: f32| ((f64::from(charge) / f64::from(current)).ceil() as usize).max(1);
                let first = if current > 0.0 { after(theta - start) } else { usize::MAX };
                if first > steps { 0 } else { 1 + ((steps - first) / after(theta)) as u32 }
            }
            _ => {
                let (mut v, mut emitted) = (start, 0);
                for _ in 0..steps {
                    let (count, after) = self.step(v, current, theta, emitted);
                    v = after;
                    emitted += count;
                }
                emitted.max(0) as u32
            }
        }
    }

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

    proptest! {
        #[test]
        fn counts_on_constant_input_are_those_of_the_steps(
            current in -8i32..24, theta in 1i32..12, start in 0i32..8, steps in 1usize..40,
            hard: bool, strict: bool, decay in 1u16..5,
        ) {
            // Sixteenths, so that nothing rounds.
            let [current, theta, start] = [current, theta, start].map(|value| value as f32 / 16.0);
            let reset = if hard { Reset::Hard } else { Reset::Soft };
            let tie = if strict { TieRule::Gt } else { TieRule::Ge };
            let neuron = if decay == 4 { NeuronModel::If } else { NeuronModel::Lif(250 * decay.min(3)) };
            // A spike a step at most: no more charge than that at the start.
            prop_assume!(start <= theta);
            let dynamics = Dynamics { neuron, reset, tie };
            let (mut v, mut count) = (start, 0);
            for _ in 0..steps {
                let (spike, after) = dynamics.step(v, current, theta, count);
                (v, count) = (after, count + spike);
            }
            prop_assert_eq!(dynamics.count_on_constant(current, theta, start, steps), count as u32);
        }
    }

    #[test]
    fn a_leak_comes_before_the_input() {
        let dynamics = Dynamics { neuron: NeuronModel::Lif(500), reset: Reset::Soft, tie: TieRule::Ge };
        assert_eq!(dynamics.before_reset(0.5, 0.5), 0.75);
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
