//! The largest values of a stream, and counts of all others, in bounded memory.
//!
//! Values above zero have the same order as their bits read as integers, so everything here compares integers.

use crate::compute::simd::dispatch;
use crate::compute::simd::isa::{Isa, Kernel};

/// Values that one step of the scan compares together.
const CHUNK: usize = 32;
/// Independent accumulators of the scan.
const BESIDE: usize = 16;
/// Bits of +∞: those of finite values above zero are below.
const INFINITY: i32 = 0x7f80_0000;

/// The largest values above zero of a stream, at least as many as requested.
#[derive(Clone, Debug)]
pub(super) struct LargestValues {
    /// Values to keep.
    wanted: usize,
    /// Bits of the largest value that need not be stored any more; 0 at the beginning.
    limit: i32,
    /// Bits of the stored values, in no order. All values above the limit are among them.
    stored: Vec<i32>,
}

impl LargestValues {
    /// Keeps the `wanted` largest values.
    pub fn new(wanted: usize) -> Self {
        // Nothing exceeds the limit if nothing is wanted.
        Self { wanted, limit: if wanted == 0 { i32::MAX } else { 0 }, stored: Vec::new() }
    }

    /// Discards what is not among the wanted values once twice as many are stored.
    fn discard_surplus(&mut self) {
        if self.stored.len() >= 2 * self.wanted && self.stored.len() > self.wanted {
            self.select();
        }
    }

    /// Keeps exactly the wanted values, if there are more.
    fn select(&mut self) {
        let surplus = self.stored.len() - self.wanted;
        self.stored.select_nth_unstable(surplus);
        self.stored.drain(..surplus);
        // Of values equal to the least kept one, enough are stored.
        self.limit = self.stored.iter().copied().min().unwrap_or(self.limit);
    }

    /// The values of both streams.
    pub fn merge(mut self, mut other: Self) -> Self {
        if self.stored.len() < other.stored.len() {
            std::mem::swap(&mut self.stored, &mut other.stored);
        }
        self.stored.append(&mut other.stored);
        self.discard_surplus();
        self
    }

    /// The bits of the values, in no order: of the wanted ones, or of all above zero if there are fewer.
    pub fn into_bits(mut self) -> Vec<i32> {
        if self.stored.len() > self.wanted {
            self.select();
        }
        self.stored
    }
}

/// What a scan counts besides.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct ScanCounts {
    /// Values above zero.
    pub positive: usize,
    /// Bits of the largest value, 0 if none is above zero.
    pub max: i32,
    /// Whether all values are finite; else `positive` and `max` have no meaning.
    pub is_finite: bool,
}

/// Scans `values`, plane by plane of `plane` values: adds the counts of each plane through `counts`, and stores the values
/// above zero in the set of the plane, or in the only set.
pub(super) fn scan_planes(
    values: &[f32],
    plane: usize,
    sets: &mut [LargestValues],
    counts: impl FnMut(usize, ScanCounts),
) {
    dispatch(ScanPlanes { values, plane: plane.max(1), sets, counts });
}

struct ScanPlanes<'a, F> {
    values: &'a [f32],
    plane: usize,
    sets: &'a mut [LargestValues],
    counts: F,
}

impl<F: FnMut(usize, ScanCounts)> Kernel for ScanPlanes<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(mut self) {
        let last = self.sets.len().saturating_sub(1);
        for (index, plane) in self.values.chunks(self.plane).enumerate() {
            let counts = scan(plane);
            (self.counts)(index, counts);
            if let Some(set) = self.sets.get_mut(index.min(last))
                && counts.max > set.limit
            {
                store_above(plane, set);
            }
        }
    }
}

/// Counts over one plane.
#[inline(always)]
fn scan(values: &[f32]) -> ScanCounts {
    let (mut count, mut max, mut magnitude) = ([0i32; BESIDE], [0i32; BESIDE], [0i32; BESIDE]);
    let (chunks, rest) = values.as_chunks::<BESIDE>();
    for chunk in chunks {
        for lane in 0..BESIDE {
            let bits = chunk[lane].to_bits() as i32;
            count[lane] += i32::from(bits > 0);
            max[lane] = max[lane].max(bits);
            magnitude[lane] = magnitude[lane].max(bits & i32::MAX);
        }
    }
    let (mut positive, mut largest, mut widest) = (0, 0, 0);
    for lane in 0..BESIDE {
        positive += count[lane];
        largest = largest.max(max[lane]);
        widest = widest.max(magnitude[lane]);
    }
    for value in rest {
        let bits = value.to_bits() as i32;
        positive += i32::from(bits > 0);
        largest = largest.max(bits);
        widest = widest.max(bits & i32::MAX);
    }
    ScanCounts { positive: positive as usize, max: largest, is_finite: widest < INFINITY }
}

/// Stores the values of one plane that exceed the limit of `set`.
#[inline(always)]
fn store_above(values: &[f32], set: &mut LargestValues) {
    let (chunks, rest) = values.as_chunks::<CHUNK>();
    for chunk in chunks {
        let mut above = 0;
        for value in chunk {
            above |= i32::from(value.to_bits() as i32 > set.limit);
        }
        if above != 0 {
            append_above(chunk, set);
        }
    }
    append_above(rest, set);
}

/// Appends without a branch for each value: which ones exceed the limit cannot be predicted.
#[inline(always)]
fn append_above(values: &[f32], set: &mut LargestValues) {
    // Room for the value behind the last, and a power of two, so that no division finds the place.
    let mut above = [0; 2 * CHUNK];
    let mut count = 0;
    for value in values {
        let bits = value.to_bits() as i32;
        above[count % (2 * CHUNK)] = bits;
        count += usize::from(bits > set.limit);
    }
    set.stored.extend_from_slice(&above[..count.min(CHUNK)]);
    set.discard_surplus();
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Whatever the planes, parts and instruction set, the kept values are the largest of a sorted copy.
        #[test]
        fn the_kept_values_are_the_largest_of_a_sorted_copy(
            values in prop::collection::vec(prop_oneof![-1f32..3.0, Just(0.0), Just(-0.0), Just(1.5), 1e-40f32..1e-30], 1..900),
            wanted in prop_oneof![Just(0usize), 1usize..40, Just(usize::MAX / 4)],
            plane in 1usize..200,
            cut in 0usize..900,
        ) {
            let (mut positive, mut max) = (0, 0);
            let (first, second) = values.split_at(cut.min(values.len()));
            let part = |values: &[f32], positive: &mut usize, max: &mut i32| {
                let mut sets = [LargestValues::new(wanted)];
                scan_planes(values, plane, &mut sets, |_, counts| {
                    assert!(counts.is_finite);
                    *positive += counts.positive;
                    *max = counts.max.max(*max);
                });
                let [set] = sets;
                set
            };
            let all = part(first, &mut positive, &mut max).merge(part(second, &mut positive, &mut max));
            let mut sorted: Vec<f32> = values.iter().copied().filter(|&v| v > 0.0).collect();
            sorted.sort_by(f32::total_cmp);
            prop_assert_eq!(positive, sorted.len());
            prop_assert_eq!(f32::from_bits(max as u32), sorted.last().copied().unwrap_or(0.0));
            let mut bits = all.into_bits();
            bits.sort_unstable();
            let kept: Vec<f32> = bits.into_iter().map(|bits| f32::from_bits(bits as u32)).collect();
            prop_assert_eq!(kept.as_slice(), &sorted[sorted.len().saturating_sub(wanted)..]);
        }
    }

    #[test]
    fn values_that_are_not_finite_are_noticed() {
        for odd in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for at in [0, 20, 39] {
                let mut values = [0.5; 40];
                values[at] = odd;
                let mut seen = true;
                scan_planes(&values, 40, &mut [], |_, counts| seen = counts.is_finite);
                assert!(!seen, "{odd} at {at}");
            }
        }
    }
}
