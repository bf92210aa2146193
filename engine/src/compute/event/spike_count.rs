//! Spike counts of every neuron, added up over time 256 neurons at a time.
//!
//! The counts are held as planes of bits: plane p has bit p of every count. Eight steps are added to the planes by seven
//! full adders on words, however many neurons spike.
#![expect(clippy::needless_range_loop, reason = "words are indexed by constants once loops are unrolled")]

use std::ops::Range;

use super::spike_source::SpikeSource;
use crate::compute::simd::dispatch;
use crate::compute::simd::isa::{Isa, Kernel, WORD};
use crate::compute::simd::lanes::{LANES, Lanes};

/// Words that are counted together: half a cache line of each step.
const WORDS_PER_GROUP: usize = 4;
/// Bits of a count; counts of more steps would not be exact as `f32` either.
const PLANES: usize = 25;

/// Counts in bit order that stay in the L1 cache.
const MAX_ROOM: usize = 4096;

/// A bit of each neuron of a group.
type Words = [u64; WORDS_PER_GROUP];

/// Adds the spikes of each neuron of `spikes` in steps `0..steps` to `counts`, in the order of the bits. `counts` has
/// room for whole words. Exact up to 2^24.
pub fn count_spikes(spikes: &impl SpikeSource, steps: usize, counts: &mut [f32]) {
    dispatch(Count { spikes, steps, first: 0, counts });
}

/// Adds the spikes of each neuron of `spikes` in steps `0..steps` to `counts`, of neurons `[C, places]`. Exact for at most 4096
/// steps of at most 255 spikes.
pub fn count_in_neuron_order(
    spikes: &impl SpikeSource,
    steps: usize,
    (channels, places): (usize, usize),
    counts: &mut [u32],
) {
    dispatch(CountInNeuronOrder { spikes, steps, channels, places, counts });
}

struct CountInNeuronOrder<'a, S> {
    spikes: &'a S,
    steps: usize,
    channels: usize,
    places: usize,
    counts: &'a mut [u32],
}

impl<S: SpikeSource> Kernel for CountInNeuronOrder<'_, S> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { spikes, steps, channels, places, counts } = self;
        // Places whose bits fill whole words, and whose counts in bit order stay in the cache; all of them if bits of two
        // places always share a word.
        let few = (MAX_ROOM / channels.max(1) / LANES * LANES).max(LANES);
        let at_once = if (LANES * channels).is_multiple_of(WORD) { few.min(places) } else { places };
        let mut room = vec![0.0; (at_once * channels).next_multiple_of(WORD)];
        for first in (0..places).step_by(at_once.max(1)) {
            let part = first..(first + at_once).min(places);
            let by_bit = &mut room[..(part.len() * channels).next_multiple_of(WORD)];
            by_bit.fill(0.0);
            Count { spikes, steps, first: first * channels / WORD, counts: &mut *by_bit }.run::<I>();
            add_in_neuron_order::<I>(by_bit, (channels, places), part, counts);
        }
    }
}

struct Count<'a, S> {
    spikes: &'a S,
    steps: usize,
    /// The word of the first count.
    first: usize,
    counts: &'a mut [f32],
}

impl<S: SpikeSource> Kernel for Count<'_, S> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { spikes, steps, first: start, counts } = self;
        let used = ((usize::BITS - steps.leading_zeros()) as usize).min(PLANES);
        for (plane, &weight) in spikes.weights().iter().enumerate() {
            for (group, counts) in counts.chunks_mut(WORD * WORDS_PER_GROUP).enumerate() {
                let (first, length) = (start + group * WORDS_PER_GROUP, counts.len() / WORD);
                let mut planes = [[0; WORDS_PER_GROUP]; PLANES];
                let whole = steps - steps % 8;
                for t in (0..whole).step_by(8) {
                    let mut eight = [[0; WORDS_PER_GROUP]; 8];
                    for k in 0..8 {
                        eight[k] = first_words(&spikes.plane(t + k, plane)[first..first + length]);
                    }
                    add_eight(&mut planes, used, &eight);
                }
                for t in whole..steps {
                    add_at(&mut planes[..used], first_words(&spikes.plane(t, plane)[first..first + length]));
                }
                for (k, counts) in counts.chunks_exact_mut(LANES).enumerate() {
                    let (word, shift) = (k * LANES / WORD, k * LANES % WORD);
                    let mut sum = I::splat(0.0);
                    for (p, plane) in planes[..used].iter().enumerate() {
                        let value = I::splat(weight as f32 * (1u32 << p) as f32);
                        sum = I::add(sum, I::select((plane[word] >> shift) as u16, value, I::splat(0.0)));
                    }
                    let mut lanes = Lanes::ZERO;
                    I::store(sum, &mut lanes);
                    counts.iter_mut().zip(lanes.0).for_each(|(count, more)| *count += more);
                }
            }
        }
    }
}

/// Adds `by_bit`, whole numbers `[places of part, C]` below 2^22, to the places `part` of `counts`, `[C, places]`.
#[inline(always)]
fn add_in_neuron_order<I: Isa>(
    by_bit: &[f32],
    (channels, places): (usize, usize),
    part: Range<usize>,
    counts: &mut [u32],
) {
    for place in part.clone().step_by(LANES) {
        for channel in (0..channels).step_by(LANES) {
            let (width, height) = ((part.end - place).min(LANES), (channels - channel).min(LANES));
            let mut rows = [I::splat(0.0); LANES];
            for k in 0..width {
                rows[k] = I::load_part(&by_bit[(place - part.start + k) * channels + channel..][..height]);
            }
            let columns = I::transpose(rows);
            for k in 0..height {
                let mut values = [0.0; LANES];
                I::store_slice(columns[k], &mut values);
                let counts = &mut counts[(channel + k) * places + place..][..width];
                counts.iter_mut().zip(values).for_each(|(count, more)| *count = count.wrapping_add(whole(more)));
            }
        }
    }
}

/// A whole number below 2^22 as an integer in two's complement. A conversion that takes care of any number takes six
/// instructions more.
#[inline(always)]
fn whole(value: f32) -> u32 {
    // 1.5 · 2^23: added to it, a whole number stands in the last bits.
    const SHIFT: f32 = 12_582_912.0;
    (value + SHIFT).to_bits().wrapping_sub(SHIFT.to_bits())
}

/// The first words of `from`, zeros behind its end.
#[inline(always)]
fn first_words(from: &[u64]) -> Words {
    match from.first_chunk() {
        Some(words) => *words,
        None => {
            let mut words = [0; WORDS_PER_GROUP];
            words[..from.len()].copy_from_slice(from);
            words
        }
    }
}

/// Adds the bits of eight steps to the lowest of the planes, and the carries to the `used` ones.
#[inline(always)]
fn add_eight(planes: &mut [Words; PLANES], used: usize, [a, b, c, d, e, f, g, h]: &[Words; 8]) {
    let [ones, twos, fours, rest @ ..] = planes;
    let two_a = full_add(ones, *a, *b);
    let two_b = full_add(ones, *c, *d);
    let four_a = full_add(twos, two_a, two_b);
    let two_a = full_add(ones, *e, *f);
    let two_b = full_add(ones, *g, *h);
    let four_b = full_add(twos, two_a, two_b);
    let eight = full_add(fours, four_a, four_b);
    add_at(&mut rest[..used.saturating_sub(3)], eight);
}

/// Adds three bits of each neuron: leaves the sum's lowest bit in `sum`, and returns the carry.
#[inline(always)]
fn full_add(sum: &mut Words, b: Words, c: Words) -> Words {
    let mut carry = [0; WORDS_PER_GROUP];
    for k in 0..WORDS_PER_GROUP {
        let (a, either) = (sum[k], b[k] ^ c[k]);
        carry[k] = b[k] & c[k] | a & either;
        sum[k] = a ^ either;
    }
    carry
}

/// Adds a bit of each neuron to the lowest of `planes`, and its carries to those behind.
#[inline(always)]
fn add_at(planes: &mut [Words], bits: Words) {
    let mut carry = bits;
    for plane in planes {
        for k in 0..WORDS_PER_GROUP {
            let before = plane[k];
            plane[k] = before ^ carry[k];
            carry[k] &= before;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Planes of bits, `[step][plane][word]`.
    struct Bits(Vec<Vec<Vec<u64>>>, Vec<i32>);

    impl SpikeSource for Bits {
        fn plane(&self, t: usize, plane: usize) -> &[u64] {
            &self.0[t][plane]
        }
        fn weights(&self) -> &[i32] {
            &self.1
        }
    }

    proptest! {
        #[test]
        fn counts_in_neuron_order_equal_those_of_single_neurons(
            channels in 1usize..70,
            places in 1usize..600,
            steps in 0usize..20,
            seed in any::<u64>(),
        ) {
            let mut state = seed | 1;
            let mut next = || {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                state ^ state >> 31
            };
            let words = (channels * places).div_ceil(WORD);
            let weights = vec![1, -3];
            let bits = (0..steps).map(|_| weights.iter().map(|_| (0..words).map(|_| next()).collect()).collect());
            let spikes = Bits(bits.collect(), weights);
            let mut counts = vec![100; channels * places];
            count_in_neuron_order(&spikes, steps, (channels, places), &mut counts);
            for c in 0..channels {
                for p in 0..places {
                    let at = p * channels + c;
                    let bit = |step: &Vec<Vec<u64>>, plane: usize| (step[plane][at / WORD] >> (at % WORD) & 1) as i32;
                    let sum: i32 = spikes.0.iter().map(|step| bit(step, 0) - 3 * bit(step, 1)).sum();
                    prop_assert_eq!(counts[c * places + p], 100u32.wrapping_add_signed(sum));
                }
            }
        }

        #[test]
        fn counts_equal_those_of_single_neurons(
            words in 1usize..10,
            steps in 0usize..40,
            dense in any::<bool>(),
            seed in any::<u64>(),
        ) {
            let mut state = seed | 1;
            let mut next = || {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                if dense { !(state ^ state >> 29) | state << 7 } else { (state ^ state >> 31) & state << 11 }
            };
            let weights = vec![1, -1, 4];
            let bits = (0..steps).map(|_| weights.iter().map(|_| (0..words).map(|_| next()).collect()).collect());
            let spikes = Bits(bits.collect(), weights);
            let mut counts = vec![2.0; words * WORD];
            count_spikes(&spikes, steps, &mut counts);
            for (neuron, &count) in counts.iter().enumerate() {
                let bit = |step: &Vec<Vec<u64>>, plane: usize| (step[plane][neuron / WORD] >> (neuron % WORD) & 1) as i32;
                let one = |step: &Vec<Vec<u64>>| spikes.1.iter().enumerate().map(|(p, w)| w * bit(step, p)).sum::<i32>();
                prop_assert_eq!(count, 2.0 + spikes.0.iter().map(one).sum::<i32>() as f32);
            }
        }
    }
}
