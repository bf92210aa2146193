//! Finding about balanced thresholds that still rise after the last batch.

use super::{Finding, Fix};
use crate::convert::{BalancedThresholds, BalancingOptions, ThresholdRule};

/// Rise of a layer's mean threshold over the last quarter of the batches above which more batches are worth it.
const MAX_RISE: f32 = 0.02;

/// A warning if thresholds that were balanced by `rule` have not settled, with more batches as the fix.
pub fn unsettled_balancing(balanced: &BalancedThresholds, rule: BalancingOptions) -> Option<Finding> {
    let count = balanced.history.len();
    let last = balanced.history.last()?;
    let before = balanced.history.get(count.checked_sub(count / 4 + 1)?.checked_sub(1)?)?;
    let rise = before.iter().zip(last).map(|(a, b)| (b - a) / b.max(f32::MIN_POSITIVE)).fold(0.0, f32::max);
    if rise <= MAX_RISE {
        return None;
    }
    let more = BalancingOptions { batches: (2 * count).max(BalancingOptions::default().batches), ..rule };
    let text = format!(
        "thresholds still rise at batch {count} of {count}, by up to {:.0} % in the last {}; run {}",
        rise * 100.0,
        count / 4 + 1,
        more.batches
    );
    Some(Finding::warning("balancing", None, text).with_fix(Fix::Threshold(ThresholdRule::Balance(more))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rising_thresholds_are_found_and_settled_ones_are_not() {
        let of = |history: Vec<Vec<f32>>| {
            let rule = BalancingOptions { batches: history.len(), ..BalancingOptions::default() };
            unsettled_balancing(&BalancedThresholds { theta: Vec::new(), history }, rule)
        };
        let found = of((1..=8).map(|k| vec![1.0, k as f32]).collect()).unwrap();
        assert!(found.text.contains("batch 8 of 8") && found.text.contains("run 64"), "{}", found.text);
        assert!(matches!(found.fix, Some(Fix::Threshold(ThresholdRule::Balance(more))) if more.batches == 64));
        assert!(of(vec![vec![1.0]; 8]).is_none() && of(vec![vec![1.0]]).is_none() && of(Vec::new()).is_none());
    }
}
