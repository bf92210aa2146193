//! Membranes of one row of places and one block of channels, integrated step by step in vector form.
//!
//! The rules are those of [`super::neuron`].
#![expect(clippy::needless_range_loop, reason = "registers and lanes are indexed by constants once loops are unrolled")]

mod fire_row;

pub use self::fire_row::{FireRow, or_bits};
use super::neuron::Dynamics;
use crate::compute::simd::isa::{Isa, load_all};
use crate::compute::simd::lanes::{LANES, Lanes};
use crate::convert::{NeuronModel, Reset, TieRule};

/// The neurons of one block of channels at several places.
#[derive(Clone, Debug)]
pub struct Membranes<const N: usize> {
    pub dynamics: Dynamics,
    /// θ of each lane; infinite where the block has no channel, so that nothing fires there.
    pub theta: [Lanes; N],
    /// Current that each step adds to the input current, in θ.
    pub shift: f32,
    /// The membrane potentials, one entry a place.
    pub v: Vec<[Lanes; N]>,
    /// The sums of the input currents so far; empty if they are not needed.
    pub charge: Vec<[Lanes; N]>,
    /// Counts emitted so far, below 2^24; empty except for the signed neuron, which alone needs them.
    pub emitted: Vec<[Lanes; N]>,
}

impl<const N: usize> Membranes<N> {
    /// Whether sums can be integrated as soon as they are complete ([`FireRow`]).
    pub fn fires_in_passing(&self) -> bool {
        self.dynamics.neuron == NeuronModel::If
            && self.dynamics.reset == Reset::Soft
            && self.shift == 0.0
            && self.charge.is_empty()
    }

    /// Places whose neurons fill a word together, if the channels fill their lanes and neurons are integrate-and-fire
    /// ones ([`Membranes::advance_held`]).
    pub fn places_per_word(&self, channels: usize) -> Option<usize> {
        let fills = channels == N * LANES && self.dynamics.neuron == NeuronModel::If && self.charge.is_empty();
        fills.then_some(64 / channels)
    }

    /// Integrates `steps` steps with the same `currents`, for the places from `place` on that fill a word, and calls
    /// `write(t, word)` with the neurons that spike.
    #[inline(always)]
    pub fn advance_held<I: Isa>(
        &mut self,
        currents: &[[Lanes; N]],
        place: usize,
        steps: usize,
        mut write: impl FnMut(usize, u64),
    ) {
        /// Vectors in a word.
        const VECTORS: usize = 64 / LANES;
        let zero = I::splat(0.0);
        let (mut v, mut current, mut theta, mut shift) =
            ([zero; VECTORS], [zero; VECTORS], [zero; VECTORS], [zero; VECTORS]);
        let shifts = self.shift::<I>();
        let used = (self.v.len() - place).min(VECTORS / N) * N;
        for k in 0..used {
            v[k] = I::load(&self.v[place + k / N][k % N]);
            current[k] = I::load(&currents[place + k / N][k % N]);
            theta[k] = I::load(&self.theta[k % N]);
            shift[k] = shifts[k % N];
        }
        for k in used..VECTORS {
            theta[k] = I::splat(f32::INFINITY);
        }
        let (shifted, strict) = (self.shift != 0.0, self.dynamics.tie == TieRule::Gt);
        let soft = self.dynamics.reset == Reset::Soft;
        for t in 0..steps {
            let mut word = 0;
            for k in 0..VECTORS {
                let before = if shifted { I::add(v[k], shift[k]) } else { v[k] };
                let m = I::add(before, current[k]);
                let (fired, after) = I::fire(m, theta[k], strict);
                v[k] = if soft { after } else { I::select(fired, zero, m) };
                word |= u64::from(fired) << (k * LANES);
            }
            write(t, word);
        }
        for k in 0..used {
            I::store(v[k], &mut self.v[place + k / N][k % N]);
        }
    }

    /// Integrates one step: `currents(place)` is the input of each place. Writes the lanes that spike to `masks`,
    /// `[place][plane]`.
    #[inline(always)]
    pub fn advance<'a, I: Isa>(&mut self, currents: impl Fn(usize) -> &'a [Lanes; N], masks: &mut [u64]) {
        for place in 0..self.charge.len() {
            let (charge, current) = (&mut self.charge[place], currents(place));
            for n in 0..N {
                I::store(I::add(I::load(&charge[n]), I::load(&current[n])), &mut charge[n]);
            }
        }
        match (self.dynamics.neuron, self.dynamics.reset) {
            // The rules are constants inside each loop, so that it vectorizes.
            (NeuronModel::If | NeuronModel::Lif(_), Reset::Soft) => {
                self.integrate_and_fire::<I, true>(&currents, masks)
            }
            (NeuronModel::If | NeuronModel::Lif(_), Reset::Hard) => {
                self.integrate_and_fire::<I, false>(&currents, masks)
            }
            (NeuronModel::Signed, _) => self.signed::<I>(&currents, masks),
            _ => self.multi_spike::<I>(&currents, masks),
        }
    }

    /// The current that each step adds to the input current.
    #[inline(always)]
    fn shift<I: Isa>(&self) -> [I::V; N] {
        load_all::<I, N>(&self.theta.map(|theta| Lanes(theta.0.map(|theta| self.shift * theta))))
    }

    /// The integrate-and-fire neuron: `m = v + I`, a spike where `m ≥ θ` (or `>`), then `v = m − θ` (or 0).
    #[inline(always)]
    fn integrate_and_fire<'a, I: Isa, const SOFT: bool>(
        &mut self,
        currents: &impl Fn(usize) -> &'a [Lanes; N],
        masks: &mut [u64],
    ) {
        let (theta, shift, zero) = (load_all::<I, N>(&self.theta), self.shift::<I>(), I::splat(0.0));
        let (shifts, strict) = (self.shift != 0.0, self.dynamics.tie == TieRule::Gt);
        let (leaks, decay) = (self.dynamics.neuron != NeuronModel::If, I::splat(self.dynamics.neuron.decay()));
        for place in 0..self.v.len() {
            let (v, current, mask) = (&mut self.v[place], currents(place), &mut masks[place]);
            *mask = 0;
            for n in 0..N {
                let before = I::load(&v[n]);
                let before = if leaks { I::mul(decay, before) } else { before };
                let before = if shifts { I::add(before, shift[n]) } else { before };
                let m = I::add(before, I::load(&current[n]));
                let (fired, after) = I::fire(m, theta[n], strict);
                I::store(if SOFT { after } else { I::select(fired, zero, m) }, &mut v[n]);
                *mask |= u64::from(fired) << (n * LANES);
            }
        }
    }

    /// The signed neuron ([`super::neuron::signed`]): besides the spike of θ one of −θ, while the sum of emitted spikes
    /// is above zero.
    #[inline(always)]
    fn signed<'a, I: Isa>(&mut self, currents: &impl Fn(usize) -> &'a [Lanes; N], masks: &mut [u64]) {
        let (zero, one) = (I::splat(0.0), I::splat(1.0));
        let (theta, shift) = (load_all::<I, N>(&self.theta), self.shift::<I>());
        let mut negative = theta;
        for n in 0..N {
            negative[n] = I::sub(zero, theta[n]);
        }
        let (shifts, strict) = (self.shift != 0.0, self.dynamics.tie == TieRule::Gt);
        for place in 0..self.v.len() {
            let (v, emitted, current) = (&mut self.v[place], &mut self.emitted[place], currents(place));
            let masks = &mut masks[2 * place..2 * place + 2];
            masks.fill(0);
            for n in 0..N {
                let before = I::load(&v[n]);
                let before = if shifts { I::add(before, shift[n]) } else { before };
                let m = I::add(before, I::load(&current[n]));
                let (up, down) = if strict {
                    (I::gt(m, theta[n]), I::gt(negative[n], m))
                } else {
                    (I::ge(m, theta[n]), I::ge(negative[n], m))
                };
                let sent = I::load(&emitted[n]);
                let down = down & !up & I::gt(sent, zero);
                let after = I::select(up, I::sub(m, theta[n]), I::select(down, I::add(m, theta[n]), m));
                I::store(after, &mut v[n]);
                let count = I::sub(I::select(up, one, zero), I::select(down, one, zero));
                I::store(I::add(sent, count), &mut emitted[n]);
                masks[0] |= u64::from(up) << (n * LANES);
                masks[1] |= u64::from(down) << (n * LANES);
            }
        }
    }

    /// Neurons that emit several spikes a step ([`super::neuron::multi_spike`]).
    #[inline(always)]
    fn multi_spike<'a, I: Isa>(&mut self, currents: &impl Fn(usize) -> &'a [Lanes; N], masks: &mut [u64]) {
        let neuron = self.dynamics.neuron;
        let (weights, most) = (neuron.plane_weights(), I::splat(neuron.max_spikes_per_step() as f32));
        let (zero, one) = (I::splat(0.0), I::splat(1.0));
        let amplitude = self.theta.map(|theta| Lanes(theta.0.map(|theta| neuron.amplitude(theta))));
        let amplitude = load_all::<I, N>(&amplitude);
        let shift = self.shift::<I>();
        let (shifts, strict) = (self.shift != 0.0, self.dynamics.tie == TieRule::Gt);
        for place in 0..self.v.len() {
            let (v, current) = (&mut self.v[place], currents(place));
            let masks = &mut masks[place * weights.len()..(place + 1) * weights.len()];
            masks.fill(0);
            for n in 0..N {
                let before = I::load(&v[n]);
                let before = if shifts { I::add(before, shift[n]) } else { before };
                let m = I::add(before, I::load(&current[n]));
                let reached = I::div(m, amplitude[n]);
                let count = if strict {
                    // The next integer strictly below.
                    I::sub(I::sub(zero, I::floor(I::sub(zero, reached))), one)
                } else {
                    I::floor(reached)
                };
                // NaN counts as 0.
                let count = I::select(I::ge(count, zero), count, zero);
                let count = I::select(I::gt(count, most), most, count);
                I::store(I::mul_then_add(count, I::sub(zero, amplitude[n]), m), &mut v[n]);
                let mut rest = count;
                for (mask, &weight) in masks.iter_mut().zip(weights).rev() {
                    let weight = I::splat(weight as f32);
                    let set = I::ge(rest, weight);
                    rest = I::select(set, I::sub(rest, weight), rest);
                    *mask |= u64::from(set) << (n * LANES);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::compute::event::row_kernel::RowSink;
    use crate::compute::simd::dispatch;
    use crate::compute::simd::isa::Kernel;

    fn dynamics() -> impl Strategy<Value = Dynamics> {
        let neuron = prop_oneof![
            Just(NeuronModel::If),
            Just(NeuronModel::Lif(900)),
            Just(NeuronModel::Signed),
            Just(NeuronModel::Group(5)),
            Just(NeuronModel::Burst(3))
        ];
        (neuron, any::<bool>(), any::<bool>()).prop_map(|(neuron, hard, gt)| {
            let reset = if hard && neuron.integrates_and_fires() { Reset::Hard } else { Reset::Soft };
            Dynamics { neuron, reset, tie: if gt { TieRule::Gt } else { TieRule::Ge } }
        })
    }

    /// Steps of one place, `[T][plane]`.
    struct Steps<'a>(&'a mut Membranes<2>, &'a [[Lanes; 2]], &'a mut [u64]);

    impl Kernel for Steps<'_> {
        type Output = ();
        #[inline(always)]
        fn run<I: Isa>(self) {
            let planes = self.2.len() / self.1.len();
            for (currents, masks) in self.1.iter().zip(self.2.chunks_mut(planes)) {
                self.0.advance::<I>(|_| currents, masks);
            }
        }
    }

    /// The same with an input that does not change.
    struct Held<'a>(&'a mut Membranes<2>, &'a [[Lanes; 2]], &'a mut [u64]);

    impl Kernel for Held<'_> {
        type Output = ();
        #[inline(always)]
        fn run<I: Isa>(self) {
            self.0.advance_held::<I>(self.1, 0, self.2.len(), |t, word| self.2[t] = word);
        }
    }

    /// The same with sums that fire in passing.
    struct InPassing<'a>(&'a mut Membranes<2>, &'a [[Lanes; 2]], &'a mut [u64]);

    impl Kernel for InPassing<'_> {
        type Output = ();
        #[inline(always)]
        fn run<I: Isa>(self) {
            for (currents, mask) in self.1.iter().zip(self.2.chunks_mut(1)) {
                mask[0] = 0;
                let base = [[Lanes::ZERO; 2]];
                let mut sink = FireRow::<I, 2>::new(self.0, &base, (mask, 0, 32), None);
                sink.put(0, currents.each_ref().map(I::load));
            }
        }
    }

    proptest! {
        /// The vector form equals the single neuron, lane by lane and step by step.
        #[test]
        fn membranes_equal_their_single_neurons(
            dynamics in dynamics(),
            // Multiples of 1/8 reach thresholds exactly.
            input in prop::collection::vec(prop_oneof![-2f32..2.0, (-16i32..16).prop_map(|k| k as f32 / 8.0)], 32..200),
            shift in prop_oneof![Just(0.0f32), Just(0.125)],
        ) {
            // Recipes refuse a shift of leaky neurons.
            let shift = if dynamics.neuron.decay() < 1.0 { 0.0 } else { shift };
            let column: Vec<[Lanes; 2]> = input
                .chunks_exact(32)
                .map(|row| [0, 1].map(|n| Lanes(std::array::from_fn(|lane| row[n * LANES + lane]))))
                .collect();
            let theta = [0, 1].map(|n| Lanes(std::array::from_fn(|lane| 0.5 + (n * LANES + lane) as f32 / 32.0)));
            let (charge, emitted) = (Vec::new(), vec![[Lanes::ZERO; 2]]);
            let start = Membranes { dynamics, theta, shift, v: vec![[Lanes([0.25; LANES]); 2]], charge, emitted };
            let planes = dynamics.neuron.plane_weights().len();
            let mut masks = vec![0; column.len() * planes];
            let mut after = start.clone();
            dispatch(Steps(&mut after, &column, &mut masks));
            // A held input, in words and step by step.
            let held = vec![column[0]; column.len()];
            let (mut stepped, mut steps_bits) = (start.clone(), vec![0; held.len() * planes]);
            dispatch(Steps(&mut stepped, &held, &mut steps_bits));
            if let Some(places) = start.places_per_word(32) {
                prop_assert_eq!(places, 2);
                let (mut in_words, mut bits) = (start.clone(), vec![0; held.len()]);
                dispatch(Held(&mut in_words, &held[..1], &mut bits));
                prop_assert_eq!((&bits, &in_words.v), (&steps_bits, &stepped.v));
            }
            if start.fires_in_passing() {
                let (mut in_passing, mut bits) = (start.clone(), vec![0; column.len()]);
                dispatch(InPassing(&mut in_passing, &column, &mut bits));
                prop_assert_eq!((&bits, &in_passing.v), (&masks, &after.v));
            }
            for k in 0..32 {
                let (n, lane) = (k / LANES, k % LANES);
                let (mut v, mut emitted) = (start.v[0][n].0[lane], 0);
                for (t, currents) in column.iter().enumerate() {
                    if shift != 0.0 {
                        v += shift * theta[n].0[lane];
                    }
                    let (count, next) = dynamics.step(v, currents[n].0[lane], theta[n].0[lane], emitted);
                    (v, emitted) = (next, emitted + count);
                    let bit = |(plane, weight): (usize, &i32)| weight * (masks[t * planes + plane] >> k & 1) as i32;
                    prop_assert_eq!(dynamics.neuron.plane_weights().iter().enumerate().map(bit).sum::<i32>(), count);
                }
                prop_assert_eq!(v, after.v[0][n].0[lane]);
            }
        }

        #[test]
        fn bits_land_where_they_belong(start in 0usize..130, mask: u64) {
            let mut words = [0u64; 4];
            or_bits(&mut words, start, mask);
            for bit in 0..64 {
                let at = start + bit;
                prop_assert_eq!(words[at / 64] >> (at % 64) & 1, mask >> bit & 1);
            }
        }
    }
}
