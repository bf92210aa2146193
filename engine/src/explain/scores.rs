//! How well a map finds a known mask: mean L1 distance and Pearson correlation.
//!
//! Both are those of Casper et al. (SaTML 2024): the distance of the first version of their benchmark, the correlation of
//! the final one. Maps of several channels are merged first ([`merged`]).

use serde::Serialize;

use crate::ground::median::median;

/// Σ over channels of |map|: `map` is `[channels, area]`, the result `[area]`.
pub fn merged(map: &[f32], area: usize) -> Vec<f32> {
    let mut sum = vec![0.0; area];
    for channel in map.chunks_exact(area.max(1)) {
        sum.iter_mut().zip(channel).for_each(|(sum, value)| *sum += value.abs());
    }
    sum
}

/// mean |A / max|A| − M| of a map A and a mask M of the same length; a map of zeros stays one.
///
/// A map of zeros scores the share of the mask, which is what a blank guess reaches.
pub fn l1(map: &[f32], mask: &[f32]) -> f64 {
    let most = map.iter().fold(0.0f32, |most, value| most.max(value.abs()));
    let scale = if most > 0.0 { 1.0 / f64::from(most) } else { 0.0 };
    let sum: f64 = map.iter().zip(mask).map(|(a, m)| (f64::from(*a) * scale - f64::from(*m)).abs()).sum();
    sum / map.len().max(1) as f64
}

/// The Pearson correlation of a map and a mask of the same length; 0 if one of them is constant.
pub fn correlation(map: &[f32], mask: &[f32]) -> f64 {
    let count = map.len().max(1) as f64;
    let mean = |values: &[f32]| values.iter().map(|v| f64::from(*v)).sum::<f64>() / count;
    let (a, b) = (mean(map), mean(mask));
    let (mut both, mut first, mut second) = (0.0, 0.0, 0.0);
    for (x, y) in map.iter().zip(mask) {
        let (x, y) = (f64::from(*x) - a, f64::from(*y) - b);
        both += x * y;
        first += x * x;
        second += y * y;
    }
    // Rounding alone leaves this much of a constant map.
    let is_flat = |squares: f64, mean: f64| squares <= 1e-14 * (count * mean * mean).max(f64::MIN_POSITIVE);
    if is_flat(first, a) || is_flat(second, b) { 0.0 } else { both / (first * second).sqrt() }
}

/// Scores of the maps of one method, sample by sample.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Scores {
    /// [`l1`] of every sample; smaller is better.
    pub l1: Vec<f64>,
    /// [`correlation`] of every sample; larger is better.
    pub correlation: Vec<f64>,
    pub median: Medians,
}

/// The median of each score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Medians {
    pub l1: f64,
    pub correlation: f64,
}

impl Scores {
    /// The scores of `maps` `[N, channels, area]` against `masks` `[N, area]`, or `[1, area]` for all samples.
    pub fn of(maps: &[f32], channels: usize, masks: &[f32], area: usize) -> Self {
        let each = maps.chunks_exact((channels * area).max(1)).zip(masks.chunks_exact(area.max(1)).cycle());
        let (mut distances, mut correlations) = (Vec::new(), Vec::new());
        for (map, mask) in each {
            let map = merged(map, area);
            distances.push(l1(&map, mask));
            correlations.push(correlation(&map, mask));
        }
        let median = Medians { l1: median(&distances), correlation: median(&correlations) };
        Self { l1: distances, correlation: correlations, median }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rules() {
        let mask = [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let map = [0.9, 0.7, 0.1, 0.1, 0.2, 0.0, 0.0, 0.0];
        assert!((correlation(&map, &mask) - 0.96850).abs() < 1e-5);
        // Normalized by 0.9: (0 + 2/9 + 1/9 + 1/9 + 2/9) / 8.
        assert!((l1(&map, &mask) - 6.0 / 9.0 / 8.0).abs() < 1e-6);
        assert_eq!((l1(&[0.0; 8], &mask), correlation(&[0.0; 8], &mask)), (0.25, 0.0));
        assert_eq!(correlation(&[0.3; 8], &mask), 0.0);
    }

    #[test]
    fn channels_are_merged_by_size_and_one_mask_serves_all() {
        assert_eq!(merged(&[1.0, -2.0, -3.0, 0.5], 2), [4.0, 2.5]);
        let scores = Scores::of(&[0.0, 1.0, 1.0, 0.0], 1, &[0.0, 1.0], 2);
        assert_eq!((scores.l1, scores.correlation), (vec![0.0, 1.0], vec![1.0, -1.0]));
    }
}
