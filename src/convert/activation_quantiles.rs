//! Sorted activations: exact quantiles for threshold rules and histograms.

use crate::Result;
use crate::progress::JobControl;

/// A sorted set of activations; zeros are stored as a count.
#[derive(Clone, Debug, Default)]
pub struct ActivationQuantiles {
    pub zeros: usize,
    /// The values above zero, ascending.
    pub positive: Vec<f32>,
}

impl ActivationQuantiles {
    /// Sorts ReLU(z) of all pre-activations in `parts`.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`] once `control` is cancelled.
    pub fn from_pre_activations<'a>(parts: impl Iterator<Item = &'a [f32]>, control: &JobControl) -> Result<Self> {
        let (mut zeros, mut positive) = (0, Vec::new());
        for part in parts {
            control.check()?;
            let before = positive.len();
            positive.extend(part.iter().copied().filter(|&z| z > 0.0));
            zeros += part.len() - (positive.len() - before);
        }
        Ok(Self { zeros, positive: sort_ascending(positive, control)? })
    }
    /// Number of values, zeros included.
    pub fn len(&self) -> usize {
        self.zeros + self.positive.len()
    }
    /// True when nothing was collected.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The largest value.
    pub fn max(&self) -> f32 {
        self.positive.last().copied().unwrap_or(0.0)
    }
    /// The `p`-th percentile, 0 to 100, zeros included, linear between order statistics.
    pub fn percentile(&self, p: f64) -> f32 {
        if self.is_empty() {
            return 0.0;
        }
        let at = |rank: usize| rank.checked_sub(self.zeros).map_or(0.0, |i| f64::from(self.positive[i]));
        let position = p / 100.0 * (self.len() - 1) as f64;
        let (low, high) = (position.floor() as usize, position.ceil() as usize);
        let (a, b) = (at(low), at(high));
        (a + (b - a) * (position - low as f64)) as f32
    }
    /// The mean of `min(z, limit) / limit`, zeros included, from 64 evenly spaced order statistics: fast enough for a
    /// slider.
    pub fn mean_clipped(&self, limit: f32) -> f64 {
        const POINTS: usize = 64;
        if self.positive.is_empty() || limit <= 0.0 {
            return 0.0;
        }
        let at = |k: usize| self.positive[(2 * k + 1) * self.positive.len() / (2 * POINTS)];
        let sum: f64 = (0..POINTS).map(|k| f64::from(at(k).min(limit) / limit)).sum();
        sum / POINTS as f64 * self.positive.len() as f64 / self.len() as f64
    }
    /// Fraction of all values (zeros included) above `limit`.
    pub fn fraction_above(&self, limit: f32) -> f64 {
        let above = self.positive.len() - self.positive.partition_point(|&z| z <= limit);
        above as f64 / self.len().max(1) as f64
    }
    /// Counts of the values above zero in `bins` equal bins over `0..=extent`; values beyond fall in the last bin.
    pub fn histogram(&self, bins: usize, extent: f32) -> Vec<u64> {
        let mut edges = (0..=bins).map(|k| self.positive.partition_point(|&z| z <= extent * k as f32 / bins as f32));
        let mut low = edges.next().map_or(0, |_| 0);
        let mut counts: Vec<u64> = edges.map(|high| (high - std::mem::replace(&mut low, high)) as u64).collect();
        if let Some(last) = counts.last_mut() {
            *last += (self.positive.len() - low) as u64;
        }
        counts
    }
}

/// Fewer values than this are sorted by comparison, more by radix sort.
const RADIX_SORT_MIN: usize = 1 << 12;
/// Values between two checks of the cancel flag.
const CANCEL_CHECK_INTERVAL: usize = 1 << 16;
/// Bits of a digit. Three digits hold the 31 bits of a number above zero.
const DIGIT_BITS: u32 = 11;

/// Values above zero in ascending order.
///
/// Their bits, read as integers, have the same order as the values. They are therefore sorted digit by digit from the
/// last to the first (least significant digit radix sort): a few nanoseconds a value, where comparing takes tens. The
/// sort can be cancelled.
fn sort_ascending(mut values: Vec<f32>, control: &JobControl) -> Result<Vec<f32>> {
    if values.len() < RADIX_SORT_MIN {
        values.sort_unstable_by(f32::total_cmp);
        return Ok(values);
    }
    let digit = |value: f32, pass: u32| (value.to_bits() >> (DIGIT_BITS * pass)) as usize & ((1 << DIGIT_BITS) - 1);
    let mut sorted = vec![0.0; values.len()];
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
    Ok(values)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The sorted set of `values`.
    fn sorted(values: &[f32]) -> ActivationQuantiles {
        ActivationQuantiles::from_pre_activations(std::iter::once(values), &JobControl::default()).unwrap()
    }

    #[test]
    fn percentiles_count_zeros_and_interpolate_between_order_statistics() {
        let set = sorted(&[3.0, -1.0, 1.0, 0.0, 2.0]);
        assert_eq!((set.zeros, set.len()), (2, 5));
        assert_eq!(set.percentile(0.0), 0.0);
        assert_eq!(set.percentile(50.0), 1.0);
        assert_eq!(set.percentile(62.5), 1.5);
        assert_eq!(set.percentile(100.0), 3.0);
        assert_eq!(sorted(&[0.0; 4]).percentile(99.9), 0.0);
    }

    #[test]
    fn histograms_count_every_positive_value() {
        let set = sorted(&[0.0, 0.1, 0.9, 1.5, 2.0, 7.0]);
        assert_eq!(set.histogram(2, 2.0), vec![2, 3]);
        assert_eq!(set.fraction_above(1.5), 2.0 / 6.0);
    }

    #[test]
    fn cancelling_stops_the_sort() {
        let control = JobControl::default();
        control.cancel();
        let values = vec![1.0; 2 * RADIX_SORT_MIN];
        assert!(sort_ascending(values.clone(), &control).is_err());
        assert!(ActivationQuantiles::from_pre_activations(std::iter::once(values.as_slice()), &control).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn radix_sort_equals_comparison_sort(
            values in prop::collection::vec(prop_oneof![0f32..3.0, 1e-40f32..1e-30, 1e30f32..3e38, Just(f32::INFINITY)], 1..300),
            copies in 1usize..60,
        ) {
            // Scaled copies, so that both sorts are tested.
            let all: Vec<f32> = (0..copies).flat_map(|k| values.iter().map(move |v| v / (k + 1) as f32)).collect();
            let mut wanted: Vec<f32> = all.iter().copied().filter(|&v| v > 0.0).collect();
            wanted.sort_by(f32::total_cmp);
            prop_assert_eq!(sorted(&all).positive, wanted);
        }
    }
}
