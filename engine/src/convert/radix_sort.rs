//! Sorts the bits of numbers above zero, by digits, so that it can be cancelled.

use crate::Result;
use crate::progress::JobControl;

/// Fewer values than this are sorted by comparison, more by radix sort.
pub(super) const RADIX_SORT_MIN: usize = 1 << 12;
/// Values between two checks of the cancel flag.
const CANCEL_CHECK_INTERVAL: usize = 1 << 16;
/// Bits of a digit. Three digits hold the 31 bits of a number above zero.
const DIGIT_BITS: u32 = 11;

/// Values above zero in ascending order, from their bits.
///
/// Their bits, read as integers, have the same order as the values. They are therefore sorted digit by digit from the
/// last to the first (least significant digit radix sort): a few nanoseconds a value, where comparing takes tens. The
/// sort can be cancelled.
pub(super) fn sort_ascending(mut values: Vec<i32>, control: &JobControl) -> Result<Vec<f32>> {
    if values.len() < RADIX_SORT_MIN {
        values.sort_unstable();
        return Ok(from_bits(values));
    }
    let digit = |bits: i32, pass: u32| (bits >> (DIGIT_BITS * pass)) as usize & ((1 << DIGIT_BITS) - 1);
    let mut sorted = vec![0; values.len()];
    for pass in 0..3 {
        let mut place = vec![0usize; 1 << DIGIT_BITS];
        for part in values.chunks(CANCEL_CHECK_INTERVAL) {
            control.check()?;
            part.iter().for_each(|&value| place[digit(value, pass)] += 1);
        }
        let mut before = 0;
        place.iter_mut().for_each(|count| before += std::mem::replace(count, before));
        for part in values.chunks(CANCEL_CHECK_INTERVAL) {
            control.check()?;
            for &value in part {
                let to = &mut place[digit(value, pass)];
                sorted[*to] = value;
                *to += 1;
            }
        }
        std::mem::swap(&mut values, &mut sorted);
    }
    Ok(from_bits(values))
}

/// The numbers of these bits.
fn from_bits(bits: Vec<i32>) -> Vec<f32> {
    bits.into_iter().map(|bits| f32::from_bits(bits as u32)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cancelling_stops_the_sort() {
        let control = JobControl::default();
        control.cancel();
        assert!(sort_ascending(vec![1; 2 * RADIX_SORT_MIN], &control).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn radix_sort_equals_comparison_sort(
            values in prop::collection::vec(prop_oneof![1e-3f32..3.0, 1e-40f32..1e-30, 1e30f32..3e38], 1..300),
            copies in 1usize..60,
        ) {
            // Scaled copies, so that both sorts are tested.
            let all = (0..copies).flat_map(|k| values.iter().map(move |v| v / (k + 1) as f32)).filter(|&v| v > 0.0);
            let mut wanted: Vec<f32> = all.collect();
            let bits = wanted.iter().map(|v| v.to_bits() as i32).collect();
            wanted.sort_by(f32::total_cmp);
            prop_assert_eq!(sort_ascending(bits, &JobControl::default()).unwrap(), wanted);
        }
    }
}
