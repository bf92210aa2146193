//! Activations of a layer or channel over the calibration: exact quantiles, counts and histograms.
//!
//! Counts and the largest values are known from the calibration's pass. What lies further down is computed when it is first
//! asked for, by another pass over the samples.

use std::sync::{Arc, PoisonError, RwLock};

use super::calibration_source::{CalibrationSource, SortedValues};
use crate::Result;
use crate::network::Activation;
use crate::progress::JobControl;

/// Order statistics of the activations ReLU(z) of a layer or channel.
#[derive(Clone, Debug, Default)]
pub struct ActivationQuantiles {
    /// Values that are zero.
    pub zeros: usize,
    positive: usize,
    max: f32,
    /// The largest of the values above zero, ascending.
    largest: Arc<RwLock<SortedValues>>,
    /// Some of the values, zeros included, ascending.
    representatives: Arc<Vec<f32>>,
    /// Where all values come from; `None` if the largest are all.
    source: Option<ValueSource>,
}

/// A layer or channel of a calibration.
#[derive(Clone, Debug)]
pub(super) struct ValueSource {
    pub calibration: Arc<CalibrationSource>,
    pub layer: usize,
    pub channel: Option<usize>,
}

impl ActivationQuantiles {
    /// Of `zeros` values that are zero, and those above zero, which are ascending.
    pub fn from_sorted(zeros: usize, positive: Vec<f32>) -> Self {
        let representatives = std::iter::repeat_n(0.0, zeros).chain(positive.iter().copied()).collect();
        Self {
            zeros,
            positive: positive.len(),
            max: positive.last().copied().unwrap_or(0.0),
            largest: Arc::new(RwLock::new(SortedValues::from_sorted(positive))),
            representatives: Arc::new(representatives),
            source: None,
        }
    }
    /// Of `count` values, of which `positive` are above zero.
    pub(super) fn from_counts(
        count: usize,
        positive: usize,
        max: f32,
        representatives: Vec<f32>,
        source: ValueSource,
    ) -> Self {
        let (largest, representatives, source) = (Arc::default(), Arc::new(representatives), Some(source));
        Self { zeros: count - positive, positive, max, largest, representatives, source }
    }
    /// Stores the largest values.
    pub(super) fn set_largest(&self, values: SortedValues) {
        *self.largest.write().unwrap_or_else(PoisonError::into_inner) = values;
    }
    fn largest(&self) -> SortedValues {
        self.largest.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
    /// Bytes of the largest values.
    pub(super) fn bytes(&self) -> usize {
        self.largest().len() * 4
    }

    /// Number of values, zeros included.
    pub fn len(&self) -> usize {
        self.zeros + self.positive
    }
    /// True when nothing was collected.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Number of values above zero.
    pub fn positive(&self) -> usize {
        self.positive
    }
    /// Whether no value is above zero.
    pub fn is_silent(&self) -> bool {
        self.positive == 0
    }
    /// The largest value.
    pub fn max(&self) -> f32 {
        self.max
    }

    /// All values above zero, ascending; they are computed again if the calibration did not keep them.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`] once `control` is cancelled.
    pub fn sorted(&self, control: &JobControl) -> Result<SortedValues> {
        let largest = self.largest();
        match &self.source {
            Some(source) if largest.len() < self.positive => {
                let sets = source.calibration.sorted(source.layer, source.channel.is_some(), control)?;
                Ok(SortedValues::new(&sets, source.channel.unwrap_or(0)))
            }
            _ => Ok(largest),
        }
    }
    /// The same, whatever it takes.
    fn all(&self) -> SortedValues {
        self.sorted(&JobControl::default()).unwrap_or_default()
    }

    /// Order statistics below and above the `p`-th percentile, and its position between them.
    fn position(&self, p: f64) -> (usize, usize, f64) {
        let position = p / 100.0 * (self.len() - 1) as f64;
        let (low, high) = (position.floor() as usize, position.ceil() as usize);
        (low, high, position - low as f64)
    }
    /// Whether the `p`-th percentile is known without another pass over the samples.
    pub(super) fn has_percentile(&self, p: f64) -> bool {
        let known = self.largest().len();
        self.is_empty() || known == self.positive || self.position(p).0.max(self.zeros) >= self.len() - known
    }
    /// The `p`-th percentile, 0 to 100, zeros included, linear between order statistics.
    pub fn percentile(&self, p: f64) -> f32 {
        self.percentile_of(p, Activation::Relu)
    }
    /// The same of the values of `activation`, a clip or ReLU.
    pub fn percentile_of(&self, p: f64, activation: Activation) -> f32 {
        if self.is_empty() {
            return 0.0;
        }
        let (low, high, fraction) = self.position(p);
        if high < self.zeros {
            return 0.0;
        }
        let known = if self.has_percentile(p) { self.largest() } else { self.all() };
        let below = self.len() - known.len();
        let at = |rank: usize| rank.checked_sub(below).and_then(|i| known.get(i)).map_or(0.0, |&value| value);
        let activated = |rank: usize| f64::from(activation.apply(at(rank)));
        let (a, b) = (activated(low), activated(high));
        (a + (b - a) * fraction) as f32
    }
    /// The mean of `min(z, limit) / limit`, zeros included, from some representative values.
    pub fn mean_clipped(&self, limit: f32) -> f64 {
        if limit <= 0.0 {
            return 0.0;
        }
        let sum: f64 = self.representatives.iter().map(|z| f64::from(z.min(limit) / limit)).sum();
        sum / self.representatives.len().max(1) as f64
    }
    /// Fraction of all values (zeros included) above `limit`.
    pub fn fraction_above(&self, limit: f32) -> f64 {
        let mut known = self.largest();
        if limit < self.max && known.len() < self.positive && known.first().is_none_or(|&least| limit < least) {
            known = self.all();
        }
        let above = known.len() - known.partition_point(|&z| z <= limit);
        above as f64 / self.len().max(1) as f64
    }
    /// Counts of the values above zero in `bins` equal bins over `0..=extent`; values beyond fall in the last bin.
    pub fn histogram(&self, bins: usize, extent: f32) -> Vec<u64> {
        let positive = self.all();
        let mut edges = (0..=bins).map(|k| positive.partition_point(|&z| z <= extent * k as f32 / bins as f32));
        let mut low = edges.next().map_or(0, |_| 0);
        let mut counts: Vec<u64> = edges.map(|high| (high - std::mem::replace(&mut low, high)) as u64).collect();
        if let Some(last) = counts.last_mut() {
            *last += (positive.len() - low) as u64;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The set of ReLU of `values`.
    fn set(values: &[f32]) -> ActivationQuantiles {
        let mut positive: Vec<f32> = values.iter().copied().filter(|&v| v > 0.0).collect();
        positive.sort_by(f32::total_cmp);
        ActivationQuantiles::from_sorted(values.len() - positive.len(), positive)
    }

    #[test]
    fn percentiles_count_zeros_and_interpolate_between_order_statistics() {
        let set_of_five = set(&[3.0, -1.0, 1.0, 0.0, 2.0]);
        assert_eq!((set_of_five.zeros, set_of_five.len()), (2, 5));
        for (p, value) in [(0.0, 0.0), (37.5, 0.5), (50.0, 1.0), (62.5, 1.5), (100.0, 3.0)] {
            assert_eq!(set_of_five.percentile(p), value, "{p}");
        }
        assert_eq!(set(&[0.0; 4]).percentile(99.9), 0.0);
    }

    #[test]
    fn histograms_count_every_positive_value() {
        let set = set(&[0.0, 0.1, 0.9, 1.5, 2.0, 7.0]);
        assert_eq!(set.histogram(2, 2.0), vec![2, 3]);
        assert_eq!(set.fraction_above(1.5), 2.0 / 6.0);
        assert!((set.mean_clipped(2.0) - (0.05 + 0.45 + 0.75 + 1.0 + 1.0) / 6.0).abs() < 1e-6);
    }
}
