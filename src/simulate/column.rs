//! Integrates neurons over one column of currents: up to 64 channels at one place, all steps.
//!
//! The rules are those of [`super::neuron`], in vector form.

use super::neuron::Dynamics;
use crate::compute::event::gather::Column;
use crate::compute::simd::dispatch;
use crate::compute::simd::isa::{Isa, Kernel};
use crate::compute::simd::lanes::{LANES, Lanes};
use crate::convert::{NeuronModel, Reset, TieRule};

/// Maximum number of planes that a neuron's counts need ([`NeuronModel::plane_weights`]).
pub const MAX_PLANES: usize = 7;

/// The neurons of one block of channels at one place.
#[derive(Clone, Debug)]
pub struct NeuronColumn<const N: usize> {
    pub dynamics: Dynamics,
    /// θ of each lane; infinite where the block has no channel, so that nothing fires there.
    pub theta: [Lanes; N],
    /// Current that each step adds to the input current, in θ.
    pub shift: f32,
    /// The membrane potential.
    pub v: [Lanes; N],
    /// The sum of the input currents so far.
    pub charge: [Lanes; N],
    /// Counts emitted so far, below 2^24; tracked only for the signed neuron, which alone needs them.
    pub emitted: [[i32; LANES]; N],
}

impl<const N: usize> NeuronColumn<N> {
    /// Integrates the steps of `column`; writes the bits of each plane to `masks`, `[T][plane]`.
    pub fn advance(&mut self, column: &Column<N>, masks: &mut [u64]) {
        dispatch(Advance { neurons: self, currents: column.iter(), masks });
    }
    /// Integrates as many steps as `masks` has room for, all with the same `current`.
    pub fn advance_constant(&mut self, current: &[Lanes; N], masks: &mut [u64]) {
        dispatch(Advance { neurons: self, currents: std::iter::repeat(current), masks });
    }
}

struct Advance<'a, C, const N: usize> {
    neurons: &'a mut NeuronColumn<N>,
    /// One for each step.
    currents: C,
    masks: &'a mut [u64],
}

impl<'a, C: Iterator<Item = &'a [Lanes; N]>, const N: usize> Kernel for Advance<'a, C, N> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { neurons, currents, masks } = self;
        let Dynamics { neuron, reset, tie } = neurons.dynamics;
        match (neuron, reset, tie) {
            // The rules are constants inside each loop, so that it vectorizes.
            (NeuronModel::If, Reset::Soft, TieRule::Ge) => {
                integrate_and_fire::<I, N>(neurons, currents, masks, Reset::Soft, TieRule::Ge)
            }
            (NeuronModel::If, Reset::Soft, TieRule::Gt) => {
                integrate_and_fire::<I, N>(neurons, currents, masks, Reset::Soft, TieRule::Gt)
            }
            (NeuronModel::If, Reset::Hard, TieRule::Ge) => {
                integrate_and_fire::<I, N>(neurons, currents, masks, Reset::Hard, TieRule::Ge)
            }
            (NeuronModel::If, Reset::Hard, TieRule::Gt) => {
                integrate_and_fire::<I, N>(neurons, currents, masks, Reset::Hard, TieRule::Gt)
            }
            (NeuronModel::Signed, _, tie) => signed::<I, N>(neurons, currents, masks, tie),
            (_, _, tie) => multi_spike::<I, N>(neurons, currents, masks, tie),
        }
    }
}

/// The integrate-and-fire neuron: `m = v + I`, a spike where `m ≥ θ` (or `>`), then `v = m − θ` (or 0).
#[inline(always)]
fn integrate_and_fire<'a, I: Isa, const N: usize>(
    neurons: &mut NeuronColumn<N>,
    currents: impl Iterator<Item = &'a [Lanes; N]>,
    masks: &mut [u64],
    reset: Reset,
    tie: TieRule,
) {
    let theta = neurons.theta.each_ref().map(I::load);
    let Membrane { shift, mut v, mut charge } = Membrane::<I, N>::load(neurons);
    for (mask, currents) in masks.iter_mut().zip(currents) {
        *mask = 0;
        for n in 0..N {
            let current = I::load(&currents[n]);
            charge[n] = I::add(charge[n], current);
            let before = if neurons.shift == 0.0 { v[n] } else { I::add(v[n], shift[n]) };
            let m = I::add(before, current);
            let fired = match tie {
                TieRule::Ge => I::ge(m, theta[n]),
                TieRule::Gt => I::gt(m, theta[n]),
            };
            let after = match reset {
                Reset::Soft => I::sub(m, theta[n]),
                Reset::Hard => I::splat(0.0),
            };
            v[n] = I::select(fired, after, m);
            *mask |= u64::from(fired) << (n * LANES);
        }
    }
    Membrane::<I, N> { shift, v, charge }.store(neurons);
}

/// The signed neuron ([`super::neuron::signed`]): besides the spike of θ one of −θ, while the sum of emitted spikes is
/// above zero.
#[inline(always)]
fn signed<'a, I: Isa, const N: usize>(
    neurons: &mut NeuronColumn<N>,
    currents: impl Iterator<Item = &'a [Lanes; N]>,
    masks: &mut [u64],
    tie: TieRule,
) {
    let (zero, one) = (I::splat(0.0), I::splat(1.0));
    let theta = neurons.theta.each_ref().map(I::load);
    let negative = theta.map(|theta| I::sub(zero, theta));
    let mut emitted = neurons.emitted.map(|emitted| I::load(&Lanes(emitted.map(|n| n as f32))));
    let Membrane { shift, mut v, mut charge } = Membrane::<I, N>::load(neurons);
    for (masks, currents) in masks.chunks_exact_mut(2).zip(currents) {
        masks.fill(0);
        for n in 0..N {
            let current = I::load(&currents[n]);
            charge[n] = I::add(charge[n], current);
            let before = if neurons.shift == 0.0 { v[n] } else { I::add(v[n], shift[n]) };
            let m = I::add(before, current);
            let (up, down) = match tie {
                TieRule::Ge => (I::ge(m, theta[n]), I::ge(negative[n], m)),
                TieRule::Gt => (I::gt(m, theta[n]), I::gt(negative[n], m)),
            };
            let down = down & !up & I::gt(emitted[n], zero);
            v[n] = I::select(up, I::sub(m, theta[n]), I::select(down, I::add(m, theta[n]), m));
            emitted[n] = I::add(emitted[n], I::sub(I::select(up, one, zero), I::select(down, one, zero)));
            masks[0] |= u64::from(up) << (n * LANES);
            masks[1] |= u64::from(down) << (n * LANES);
        }
    }
    for n in 0..N {
        let mut lanes = Lanes::ZERO;
        I::store(emitted[n], &mut lanes);
        neurons.emitted[n] = lanes.0.map(|emitted| emitted as i32);
    }
    Membrane::<I, N> { shift, v, charge }.store(neurons);
}

/// Neurons that emit several spikes a step ([`super::neuron::multi_spike`]).
#[inline(always)]
fn multi_spike<'a, I: Isa, const N: usize>(
    neurons: &mut NeuronColumn<N>,
    currents: impl Iterator<Item = &'a [Lanes; N]>,
    masks: &mut [u64],
    tie: TieRule,
) {
    let neuron = neurons.dynamics.neuron;
    let (weights, most) = (neuron.plane_weights(), I::splat(neuron.max_spikes_per_step() as f32));
    let (zero, one) = (I::splat(0.0), I::splat(1.0));
    let amplitude = neurons.theta.map(|theta| I::load(&Lanes(theta.0.map(|theta| neuron.amplitude(theta)))));
    let Membrane { shift, mut v, mut charge } = Membrane::<I, N>::load(neurons);
    for (masks, currents) in masks.chunks_exact_mut(weights.len()).zip(currents) {
        masks.fill(0);
        for n in 0..N {
            let current = I::load(&currents[n]);
            charge[n] = I::add(charge[n], current);
            let before = if neurons.shift == 0.0 { v[n] } else { I::add(v[n], shift[n]) };
            let m = I::add(before, current);
            let reached = I::div(m, amplitude[n]);
            let count = match tie {
                TieRule::Ge => I::floor(reached),
                // The next integer strictly below.
                TieRule::Gt => I::sub(I::sub(zero, I::floor(I::sub(zero, reached))), one),
            };
            // NaN counts as 0.
            let count = I::select(I::ge(count, zero), count, zero);
            let count = I::select(I::gt(count, most), most, count);
            v[n] = I::mul_then_add(count, I::sub(zero, amplitude[n]), m);
            let mut rest = count;
            for (mask, &weight) in masks.iter_mut().zip(weights).rev() {
                let weight = I::splat(weight as f32);
                let set = I::ge(rest, weight);
                rest = I::select(set, I::sub(rest, weight), rest);
                *mask |= u64::from(set) << (n * LANES);
            }
        }
    }
    Membrane::<I, N> { shift, v, charge }.store(neurons);
}

/// State that every neuron model has, in registers.
struct Membrane<I: Isa, const N: usize> {
    /// Current that each step adds to the input current.
    shift: [I::V; N],
    v: [I::V; N],
    charge: [I::V; N],
}

impl<I: Isa, const N: usize> Membrane<I, N> {
    #[inline(always)]
    fn load(neurons: &NeuronColumn<N>) -> Self {
        Self {
            shift: neurons.theta.map(|theta| I::load(&Lanes(theta.0.map(|theta| neurons.shift * theta)))),
            v: neurons.v.each_ref().map(I::load),
            charge: neurons.charge.each_ref().map(I::load),
        }
    }

    #[inline(always)]
    fn store(self, neurons: &mut NeuronColumn<N>) {
        for n in 0..N {
            I::store(self.v[n], &mut neurons.v[n]);
            I::store(self.charge[n], &mut neurons.charge[n]);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn dynamics() -> impl Strategy<Value = Dynamics> {
        let neuron = prop_oneof![
            Just(NeuronModel::If),
            Just(NeuronModel::Signed),
            Just(NeuronModel::Group(5)),
            Just(NeuronModel::Burst(3))
        ];
        (neuron, any::<bool>(), any::<bool>()).prop_map(|(neuron, hard, gt)| {
            let reset = if hard && neuron == NeuronModel::If { Reset::Hard } else { Reset::Soft };
            Dynamics { neuron, reset, tie: if gt { TieRule::Gt } else { TieRule::Ge } }
        })
    }

    proptest! {
        /// The column kernel equals the single neuron, lane by lane and step by step.
        #[test]
        fn a_column_equals_its_single_neurons(
            dynamics in dynamics(),
            // Multiples of 1/8 reach thresholds exactly.
            input in prop::collection::vec(prop_oneof![-2f32..2.0, (-16i32..16).prop_map(|k| k as f32 / 8.0)], 32..200),
            shift in prop_oneof![Just(0.0f32), Just(0.125)],
        ) {
            let column: Vec<[Lanes; 2]> = input
                .chunks_exact(32)
                .map(|row| [0, 1].map(|n| Lanes(std::array::from_fn(|lane| row[n * LANES + lane]))))
                .collect();
            let theta = [0, 1].map(|n| Lanes(std::array::from_fn(|lane| 0.5 + (n * LANES + lane) as f32 / 32.0)));
            let (charge, emitted) = ([Lanes::ZERO; 2], [[0; LANES]; 2]);
            let start = NeuronColumn { dynamics, theta, shift, v: [Lanes([0.25; LANES]); 2], charge, emitted };
            let planes = dynamics.neuron.plane_weights().len();
            let mut masks = vec![0; column.len() * planes];
            let mut after = start.clone();
            after.advance(&column, &mut masks);
            for k in 0..32 {
                let (n, lane) = (k / LANES, k % LANES);
                let (mut v, mut emitted) = (start.v[n].0[lane], 0);
                for (t, currents) in column.iter().enumerate() {
                    if shift != 0.0 {
                        v += shift * theta[n].0[lane];
                    }
                    let (count, next) = dynamics.step(v, currents[n].0[lane], theta[n].0[lane], emitted);
                    (v, emitted) = (next, emitted + count);
                    let bit = |(plane, weight): (usize, &i32)| weight * (masks[t * planes + plane] >> k & 1) as i32;
                    prop_assert_eq!(dynamics.neuron.plane_weights().iter().enumerate().map(bit).sum::<i32>(), count);
                }
                prop_assert_eq!(v, after.v[n].0[lane]);
            }
        }
    }
}
