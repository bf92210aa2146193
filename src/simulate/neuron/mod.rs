//! The integrate-and-fire neuron: charge, compare, subtract; at most one spike a step. Its relatives that send negative
//! spikes or several at once are in [`signed`] and [`levels`].
//!
//! `m(t) = v(t−1) + I(t)`; `s(t) = [m ≥ θ]` (or `>`); `v(t) = m − θs` (soft) or `(1−s)m` (hard); output `θs`.

pub mod levels;
pub mod signed;

use crate::convert::{Neuron, Reset, SpikingLayer, Tie};

/// One step of one neuron: the spike and the potential after it.
#[inline]
pub fn step(v: f32, current: f32, theta: f32, reset: Reset, tie: Tie) -> (bool, f32) {
    let m = v + current;
    let fires = match tie {
        Tie::Ge => m >= theta,
        Tie::Gt => m > theta,
    };
    let after = match (fires, reset) {
        (false, _) => m,
        (true, Reset::Soft) => m - theta,
        (true, Reset::Hard) => 0.0,
    };
    (fires, after)
}

/// One step of a row of neurons, in place: `current` becomes the output θs, `v` the potential after the step, `bits` the
/// spikes (64 to a word). All slices but `bits` have one entry per neuron.
pub fn step_row(v: &mut [f32], current: &mut [f32], theta: &[f32], bits: &mut [u64], reset: Reset, tie: Tie) {
    // The rules are constants inside each loop, so that it vectorises.
    match (reset, tie) {
        (Reset::Soft, Tie::Ge) => row(v, current, theta, bits, |v, i, t| step(v, i, t, Reset::Soft, Tie::Ge)),
        (Reset::Soft, Tie::Gt) => row(v, current, theta, bits, |v, i, t| step(v, i, t, Reset::Soft, Tie::Gt)),
        (Reset::Hard, Tie::Ge) => row(v, current, theta, bits, |v, i, t| step(v, i, t, Reset::Hard, Tie::Ge)),
        (Reset::Hard, Tie::Gt) => row(v, current, theta, bits, |v, i, t| step(v, i, t, Reset::Hard, Tie::Gt)),
    }
}

#[inline(always)]
fn row(
    v: &mut [f32],
    current: &mut [f32],
    theta: &[f32],
    bits: &mut [u64],
    rule: impl Fn(f32, f32, f32) -> (bool, f32),
) {
    let groups = v.chunks_mut(64).zip(current.chunks_mut(64)).zip(theta.chunks(64)).zip(bits);
    for (((v, current), theta), word) in groups {
        let mut fired = [0u8; 64];
        for k in 0..v.len().min(current.len()).min(theta.len()) {
            let (spike, after) = rule(v[k], current[k], theta[k]);
            v[k] = after;
            current[k] = if spike { theta[k] } else { 0.0 };
            fired[k] = u8::from(spike);
        }
        *word = fired.iter().rev().fold(0, |word, &s| word << 1 | u64::from(s));
    }
}

/// How a layer's neurons work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dynamics {
    pub neuron: Neuron,
    pub reset: Reset,
    pub tie: Tie,
}

impl Dynamics {
    /// One step of one neuron: its count in units ([`Neuron::unit`]) and the potential after it. `sent` is the count so far.
    #[inline]
    pub fn step(self, v: f32, current: f32, theta: f32, sent: i32) -> (i32, f32) {
        match self.neuron {
            Neuron::If => {
                let (spike, after) = step(v, current, theta, self.reset, self.tie);
                (i32::from(spike), after)
            }
            Neuron::Signed => signed::step(v, current, theta, sent, self.tie),
            other => levels::step(v, current, other.unit(theta), other.per_step(), self.tie),
        }
    }

    /// One step of a row of neurons, in place: `current` becomes the output, `v` the potential after the step, `sent` grows
    /// by the counts, `bits` are the planes of [`Neuron::weights`], one after the other. `sent` is used by relatives of the
    /// plain neuron only and may be empty for it.
    pub fn step_row(self, v: &mut [f32], current: &mut [f32], theta: &[f32], sent: &mut [i32], bits: &mut [u64]) {
        if self.neuron == Neuron::If {
            return step_row(v, current, theta, bits, self.reset, self.tie);
        }
        let words = v.len().div_ceil(64);
        bits.fill(0);
        for k in 0..v.len() {
            let (count, after) = self.step(v[k], current[k], theta[k], sent[k]);
            v[k] = after;
            sent[k] += count;
            current[k] = count as f32 * self.neuron.unit(theta[k]);
            for (plane, weight) in self.neuron.weights().iter().enumerate() {
                let set = if *weight < 0 { count < 0 } else { count > 0 && count & weight != 0 };
                bits[plane * words + k / 64] |= u64::from(set) << (k % 64);
            }
        }
    }
}

/// The target count q = clip(⌊(x·T + p·u)/u⌋, 0, kT) that constant input of mean `x` gives from v(0) = pu, u being the
/// neuron's unit and k its most counts a step (QCFS at L = T for p = ½, u = θ, k = 1: Bu et al. ICLR 2022). Where u is zero
/// (a channel that was silent in calibration) any positive input saturates.
#[inline]
pub fn target_count(x: f32, unit: f32, steps: usize, per_step: usize, p: f64) -> u32 {
    let most = steps * per_step;
    if unit <= 0.0 {
        return if x > 0.0 { most as u32 } else { 0 };
    }
    let q = (f64::from(x) * steps as f64 / f64::from(unit) + p).floor();
    q.clamp(0.0, most as f64) as u32
}

/// [`target_count`] of neuron `index` of `layer` from v(0) = ½ unit: what its mean input `x` over `steps` steps asks for.
pub fn target_of(layer: &SpikingLayer, index: usize, x: f32, steps: usize) -> u32 {
    target_count(x, layer.unit_of(index), steps, layer.neuron.per_step(), 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Runs one soft-reset neuron over `input` and returns (spikes, m before reset, v(T)).
    fn run(theta: f32, v0: f32, input: &[f32]) -> (Vec<u32>, Vec<f32>, f32) {
        let mut v = v0;
        let mut m = Vec::new();
        let spikes = input
            .iter()
            .map(|&i| {
                m.push(v + i);
                let (s, after) = step(v, i, theta, Reset::Soft, Tie::Ge);
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
    fn constant_input_clips_and_quantises() {
        let (spikes, ..) = run(1.0, 0.5, &[1.3; 4]);
        assert_eq!(spikes.iter().sum::<u32>(), 4);
        assert_eq!(target_count(0.33, 1.0, 4, 1, 0.5), 1);
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
    fn levels_and_steps_that_differ_give_the_worked_pairs() {
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
        assert_eq!(step(0.5, 0.5, 1.0, Reset::Soft, Tie::Ge), (true, 0.0));
        assert_eq!(step(0.5, 0.5, 1.0, Reset::Soft, Tie::Gt), (false, 1.0));
        assert_eq!(step(0.5, 1.25, 1.0, Reset::Hard, Tie::Ge), (true, 0.0));
    }

    #[test]
    fn half_a_threshold_makes_the_expected_error_vanish() {
        // OPI (Bu et al., AAAI 2022): E[e] = (θ/T)(p − ½), E[e²] = (θ/T)²((p − ½)² + 1/12) for z uniform in (0, θ).
        for (steps, p, mean, square) in
            [(2, 0.0, -0.25, 1.0 / 12.0), (2, 0.5, 0.0, 1.0 / 48.0), (4, 0.25, -0.0625, 0.0091146)]
        {
            let n = 40_000;
            let errors = (0..n).map(|k| {
                let z = (k as f32 + 0.5) / n as f32;
                f64::from(target_count(z, 1.0, steps, 1, p)) / steps as f64 - f64::from(z)
            });
            let (sum, squares) = errors.fold((0.0, 0.0), |(s, q), e| (s + e, q + e * e));
            assert!((sum / f64::from(n) - mean).abs() < 1e-4 && (squares / f64::from(n) - square).abs() < 1e-4);
        }
    }

    proptest! {
        /// nθ = charge in + v(0) − v(T), exactly in dyadic numbers.
        #[test]
        fn spikes_times_threshold_equal_charge_in_minus_charge_left(input in prop::collection::vec(-64i32..64, 1..40)) {
            let input: Vec<f32> = input.iter().map(|&i| i as f32 / 16.0).collect();
            let (spikes, _, v) = run(1.0, 0.5, &input);
            prop_assert_eq!(spikes.iter().sum::<u32>() as f32, input.iter().sum::<f32>() + 0.5 - v);
        }

        /// With constant input and v(0) = θ/2 the count is the QCFS integer at L = T.
        #[test]
        fn constant_input_reaches_its_target(z in -32i32..48, steps in 1usize..33) {
            let z = z as f32 / 32.0;
            prop_assert_eq!(run(1.0, 0.5, &vec![z; steps]).0.iter().sum::<u32>(), target_count(z, 1.0, steps, 1, 0.5));
        }

        /// The row kernel is the single step, neuron by neuron.
        #[test]
        fn rows_do_what_single_steps_do(v in prop::collection::vec(-2f32..2.0, 1..200), soft: bool, ge: bool) {
            let reset = if soft { Reset::Soft } else { Reset::Hard };
            let tie = if ge { Tie::Ge } else { Tie::Gt };
            let theta: Vec<f32> = (0..v.len()).map(|k| 0.5 + k as f32 / 100.0).collect();
            let mut current: Vec<f32> = v.iter().map(|v| v * 0.5 + 0.3).collect();
            let want: Vec<_> = v.iter().zip(&current).zip(&theta).map(|((&v, &i), &t)| step(v, i, t, reset, tie)).collect();
            let (mut after, mut bits) = (v.clone(), vec![0; v.len().div_ceil(64)]);
            step_row(&mut after, &mut current, &theta, &mut bits, reset, tie);
            for (k, (spike, potential)) in want.into_iter().enumerate() {
                prop_assert_eq!(bits[k / 64] >> (k % 64) & 1 == 1, spike);
                prop_assert_eq!(after[k], potential);
                prop_assert_eq!(current[k], if spike { theta[k] } else { 0.0 });
            }
        }
    }
}
