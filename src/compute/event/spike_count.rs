//! Spike counts of every neuron, added up over time 64 neurons at a time.

use super::spike_source::SpikeSource;
use crate::compute::simd::dispatch;
use crate::compute::simd::isa::{Isa, Kernel};
use crate::compute::simd::lanes::{LANES, Lanes, MAX_LANES};

/// Neurons in one word.
const WORD: usize = 64;
/// Words that are counted together: half a cache line of each step.
const WORDS_PER_GROUP: usize = 4;

/// Adds the spikes of each neuron of `spikes` in steps `0..steps` to `counts`, in the order of the bits. `counts` has
/// room for whole words. Exact up to 2^24.
pub fn count_spikes(spikes: &impl SpikeSource, steps: usize, counts: &mut [f32]) {
    dispatch(Count { spikes, steps, counts });
}

struct Count<'a, S> {
    spikes: &'a S,
    steps: usize,
    counts: &'a mut [f32],
}

impl<S: SpikeSource> Kernel for Count<'_, S> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { spikes, steps, counts } = self;
        for (plane, &weight) in spikes.weights().iter().enumerate() {
            let (zero, plane_weight) = (I::splat(0.0), I::splat(weight as f32));
            for (group, counts) in counts.chunks_mut(WORD * WORDS_PER_GROUP).enumerate() {
                let (first, length) = (group * WORDS_PER_GROUP, counts.len() / WORD);
                let mut sums = [[zero; MAX_LANES]; WORDS_PER_GROUP];
                for t in 0..steps {
                    let words = &spikes.plane(t, plane)[first..first + length];
                    for (sums, &word) in sums.iter_mut().zip(words) {
                        for (n, sum) in sums.iter_mut().enumerate() {
                            let bits = (word >> (n * LANES)) as u16;
                            *sum = I::add(*sum, I::select(bits, plane_weight, zero));
                        }
                    }
                }
                for (counts, sum) in counts.chunks_exact_mut(LANES).zip(sums.iter().flatten()) {
                    let mut lanes = Lanes::ZERO;
                    I::store(*sum, &mut lanes);
                    counts.iter_mut().zip(lanes.0).for_each(|(count, more)| *count += more);
                }
            }
        }
    }
}
