//! Neurons over a column of currents: one place, up to 64 channels, all steps. The same rules as [`super::neuron`], in the
//! form that kernels work on.

use super::neuron::Dynamics;
use crate::convert::{Neuron, Reset, Tie};
use crate::network::event::gather::Column;
use crate::network::event::lanes::{LANES, Lanes};
use crate::network::event::simd::{Isa, Kernel, dispatch};

/// The most planes that a neuron's counts need ([`Neuron::weights`]).
pub const PLANES: usize = 7;

/// The neurons of one block of channels at one place.
#[derive(Clone, Debug)]
pub struct Neurons<const N: usize> {
    pub dynamics: Dynamics,
    /// θ of each lane; infinite where the block has no channel, so that nothing fires there.
    pub theta: [Lanes; N],
    /// Charge that each step adds beside the current, in θ.
    pub shift: f32,
    /// The potential.
    pub v: [Lanes; N],
    /// The sum of the currents taken.
    pub charge: [Lanes; N],
    /// Counts sent so far; not kept for the plain neuron, which does not ask.
    pub sent: [[i32; LANES]; N],
}

impl<const N: usize> Neurons<N> {
    /// Takes the steps of `column`; `masks` gets the bits of each plane, `[T][plane]`.
    pub fn advance(&mut self, column: &Column<N>, masks: &mut [u64]) {
        dispatch(Advance { neurons: self, currents: column.iter(), masks });
    }
    /// Takes as many steps as `masks` has room for, all with the same `current`.
    pub fn advance_held(&mut self, current: &[Lanes; N], masks: &mut [u64]) {
        dispatch(Advance { neurons: self, currents: std::iter::repeat(current), masks });
    }
}

struct Advance<'a, C, const N: usize> {
    neurons: &'a mut Neurons<N>,
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
            // The rules are constants inside each loop, so that it vectorises.
            (Neuron::If, Reset::Soft, Tie::Ge) => plain::<I, N>(neurons, currents, masks, Reset::Soft, Tie::Ge),
            (Neuron::If, Reset::Soft, Tie::Gt) => plain::<I, N>(neurons, currents, masks, Reset::Soft, Tie::Gt),
            (Neuron::If, Reset::Hard, Tie::Ge) => plain::<I, N>(neurons, currents, masks, Reset::Hard, Tie::Ge),
            (Neuron::If, Reset::Hard, Tie::Gt) => plain::<I, N>(neurons, currents, masks, Reset::Hard, Tie::Gt),
            _ => counting(neurons, currents, masks),
        }
    }
}

/// The plain neuron: `m = v + I`, a spike where `m ≥ θ` (or `>`), then `v = m − θ` (or 0).
#[inline(always)]
fn plain<'a, I: Isa, const N: usize>(
    neurons: &mut Neurons<N>,
    currents: impl Iterator<Item = &'a [Lanes; N]>,
    masks: &mut [u64],
    reset: Reset,
    tie: Tie,
) {
    let theta = neurons.theta.each_ref().map(I::load);
    let shift = neurons.theta.map(|theta| I::load(&Lanes(theta.0.map(|theta| neurons.shift * theta))));
    let mut v = neurons.v.each_ref().map(I::load);
    let mut charge = neurons.charge.each_ref().map(I::load);
    for (mask, currents) in masks.iter_mut().zip(currents) {
        *mask = 0;
        for n in 0..N {
            let current = I::load(&currents[n]);
            charge[n] = I::add(charge[n], current);
            let before = if neurons.shift == 0.0 { v[n] } else { I::add(v[n], shift[n]) };
            let m = I::add(before, current);
            let fired = match tie {
                Tie::Ge => I::ge(m, theta[n]),
                Tie::Gt => I::gt(m, theta[n]),
            };
            let after = match reset {
                Reset::Soft => I::sub(m, theta[n]),
                Reset::Hard => I::splat(0.0),
            };
            v[n] = I::select(fired, after, m);
            *mask |= u64::from(fired) << (n * LANES);
        }
    }
    for n in 0..N {
        I::store(v[n], &mut neurons.v[n]);
        I::store(charge[n], &mut neurons.charge[n]);
    }
}

#[inline(always)]
fn counting<'a, const N: usize>(
    neurons: &mut Neurons<N>,
    currents: impl Iterator<Item = &'a [Lanes; N]>,
    masks: &mut [u64],
) {
    let (dynamics, shift) = (neurons.dynamics, neurons.shift);
    let weights = dynamics.neuron.weights();
    masks.fill(0);
    for (masks, currents) in masks.chunks_mut(weights.len()).zip(currents) {
        for (n, current) in currents.iter().enumerate() {
            for lane in 0..LANES {
                let theta = neurons.theta[n].0[lane];
                let (v, sent) = (&mut neurons.v[n].0[lane], &mut neurons.sent[n][lane]);
                neurons.charge[n].0[lane] += current.0[lane];
                let charged = if shift == 0.0 { *v } else { *v + shift * theta };
                let (count, after) = dynamics.step(charged, current.0[lane], theta, *sent);
                *v = after;
                *sent += count;
                for (mask, weight) in masks.iter_mut().zip(weights) {
                    let set = if *weight < 0 { count < 0 } else { count > 0 && count & weight != 0 };
                    *mask |= u64::from(set) << (n * LANES + lane);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dynamics() -> impl Strategy<Value = Dynamics> {
        let neuron =
            prop_oneof![Just(Neuron::If), Just(Neuron::Signed), Just(Neuron::Group(5)), Just(Neuron::Burst(3))];
        (neuron, any::<bool>(), any::<bool>()).prop_map(|(neuron, hard, gt)| {
            let reset = if hard && neuron == Neuron::If { Reset::Hard } else { Reset::Soft };
            Dynamics { neuron, reset, tie: if gt { Tie::Gt } else { Tie::Ge } }
        })
    }

    proptest! {
        /// The column kernel is the single neuron, lane by lane and step by step.
        #[test]
        fn a_column_does_what_its_neurons_do(
            dynamics in dynamics(),
            input in prop::collection::vec(-2f32..2.0, 32..200),
            shift in prop_oneof![Just(0.0f32), Just(0.125)],
        ) {
            let column: Vec<[Lanes; 2]> = input
                .chunks_exact(32)
                .map(|row| [0, 1].map(|n| Lanes(std::array::from_fn(|lane| row[n * LANES + lane]))))
                .collect();
            let theta = [0, 1].map(|n| Lanes(std::array::from_fn(|lane| 0.4 + (n * LANES + lane) as f32 / 30.0)));
            let (charge, sent) = ([Lanes::ZERO; 2], [[0; LANES]; 2]);
            let start = Neurons { dynamics, theta, shift, v: [Lanes([0.3; LANES]); 2], charge, sent };
            let planes = dynamics.neuron.weights().len();
            let mut masks = vec![0; column.len() * planes];
            let mut after = start.clone();
            after.advance(&column, &mut masks);
            for k in 0..32 {
                let (n, lane) = (k / LANES, k % LANES);
                let (mut v, mut sent) = (start.v[n].0[lane], 0);
                for (t, currents) in column.iter().enumerate() {
                    if shift != 0.0 {
                        v += shift * theta[n].0[lane];
                    }
                    let (count, next) = dynamics.step(v, currents[n].0[lane], theta[n].0[lane], sent);
                    (v, sent) = (next, sent + count);
                    let bit = |(plane, weight): (usize, &i32)| weight * (masks[t * planes + plane] >> k & 1) as i32;
                    prop_assert_eq!(dynamics.neuron.weights().iter().enumerate().map(bit).sum::<i32>(), count);
                }
                prop_assert_eq!(v, after.v[n].0[lane]);
            }
        }
    }
}
