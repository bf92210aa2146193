use proptest::prelude::*;

use super::*;
use crate::convert::thresholds::min_mse_threshold;
use crate::network::{Activation, Network, Node, Op};

/// The set of these values, which are above zero.
fn sorted(values: impl Iterator<Item = f32>) -> ActivationQuantiles {
    let mut values: Vec<f32> = values.filter(|&v| v > 0.0).collect();
    values.sort_by(f32::total_cmp);
    ActivationQuantiles::from_sorted(0, values)
}

#[test]
fn min_mse_threshold_is_below_the_maximum_with_an_outlier() {
    let spread = sorted((1..=1000).map(|k| k as f32 / 1000.0).chain([4.0]));
    let theta = min_mse_threshold(&spread, Activation::Relu, 4, 0.5);
    assert!((0.9..1.3).contains(&theta), "{theta}");
    assert_eq!(min_mse_threshold(&sorted([0.0; 3].into_iter()), Activation::Relu, 4, 0.5), 0.0);
}

/// Thresholds of a clip are those of its own values: in values of 0.01 to 4, λ = 1 leaves none above 1.
#[test]
fn thresholds_of_a_clip_are_those_of_its_own_values() {
    let values: Vec<f32> = (1..=400).map(|k| k as f32 / 100.0).collect();
    let thresholds = |activation: Activation, threshold: ThresholdRule| {
        let (program, input) = (identity(activation, 1, 1), Arc::new(values.clone()));
        let (recipe, control) = (Recipe { threshold, ..Recipe::default() }, JobControl::default());
        let calibration = calibrate_for(&program, Box::new(move || input.clone()), 400, &recipe, &control).unwrap();
        crate::convert::thresholds::thresholds(&program, &calibration.layers[0], &recipe).unwrap()[0]
    };
    let clip = |lambda| Activation::Clip { lambda };
    for rule in [ThresholdRule::Percentile(99.0), ThresholdRule::Max] {
        assert_eq!(thresholds(clip(1.0), rule), 1.0, "{rule}");
        // Above all values: as ReLU.
        assert_eq!(thresholds(clip(6.0), rule), thresholds(Activation::Relu, rule), "{rule}");
    }
    // Below λ the percentile, linear between a value that is clipped and one that is not.
    assert_eq!(thresholds(clip(1.0), ThresholdRule::Percentile(20.0)), of_sorted_copy(&values, 20.0));
    let across = thresholds(clip(1.0), ThresholdRule::Percentile(100.0 * 99.5 / 399.0));
    assert_eq!(across, 1.0);
    let across = thresholds(clip(1.005), ThresholdRule::Percentile(100.0 * 99.5 / 399.0));
    assert!((across - 1.0025).abs() < 1e-6, "{across}");
    // Three quarters lie at λ: no threshold between fits them as well as λ.
    let mse = thresholds(clip(1.0), ThresholdRule::Mse);
    assert!((0.95..=1.0).contains(&mse), "{mse}");
    assert!(thresholds(Activation::Relu, ThresholdRule::Mse) > 3.0);
}

/// A network whose only layer, an activation, reads the input unchanged: `[channels, plane]`.
fn identity(activation: Activation, channels: usize, plane: usize) -> Program {
    let shape = vec![channels, plane];
    let node = |name: &str, op: Op, inputs: &[usize]| Node {
        name: name.into(),
        op,
        inputs: inputs.to_vec(),
        shape: shape.clone(),
    };
    let nodes = vec![node("x", Op::Input, &[]), node("relu", Op::Activation(activation), &[0])];
    let network = Network { name: "n".into(), output: 1, nodes, scaling: None, class_names: vec![], neurons: None };
    Program::new(Arc::new(network), &burn::tensor::Device::flex())
}

/// The percentile of a sorted copy, as the sets define it.
fn of_sorted_copy(values: &[f32], p: f64) -> f32 {
    let mut values: Vec<f32> = values.iter().map(|v| v.max(0.0)).collect();
    values.sort_by(f32::total_cmp);
    let position = p / 100.0 * (values.len() - 1) as f64;
    let at = |rank: f64| f64::from(values[rank as usize]);
    let (low, high) = (at(position.floor()), at(position.ceil()));
    (low + (high - low) * (position - position.floor())) as f32
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Percentiles, zeros, maxima and fractions equal those of a sorted copy, whatever was kept in the first pass.
    #[test]
    fn statistics_equal_those_of_a_sorted_copy(
        values in prop::collection::vec(prop_oneof![-1f32..1.0, Just(0.0), Just(0.5), 1e-38f32..1e-30], 6 * 40),
        first in prop_oneof![Just(100.0), Just(99.9), Just(95.0), Just(50.0)],
        asked in prop::collection::vec(0f64..=100.0, 4),
        by_channel in any::<bool>(),
        limit in -0.5f32..1.5,
    ) {
        let (channels, plane, rows) = (2, 3, 40);
        let program = identity(Activation::Relu, channels, plane);
        let granularity = if by_channel { Granularity::Channel } else { Granularity::Layer };
        let recipe = |p| Recipe { threshold: ThresholdRule::Percentile(p), granularity, ..Recipe::default() };
        let input = Arc::new(values.clone());
        let control = JobControl::default();
        let calibration =
            calibrate_for(&program, Box::new(move || input.clone()), rows, &recipe(first), &control).unwrap();
        let layer = &calibration.layers[0];
        let channel = |c: usize| -> Vec<f32> {
            values.chunks(channels * plane).flat_map(|row| row[c * plane..(c + 1) * plane].iter().copied()).collect()
        };
        let sets = [(&layer.layer, values.clone()), (&layer.channels[0], channel(0)), (&layer.channels[1], channel(1))];
        prop_assert!(layer.sets(by_channel).iter().all(|set| set.has_percentile(first)));
        for (k, p) in asked.into_iter().chain([first]).enumerate() {
            // Asked for at once, or after preparing.
            if k % 2 == 0 {
                calibration.prepare(&recipe(p), &control).unwrap();
            }
            for (set, values) in &sets {
                prop_assert_eq!(set.percentile(p).to_bits(), of_sorted_copy(values, p).to_bits(), "{}", p);
                prop_assert_eq!(set.zeros, values.iter().filter(|&&v| v <= 0.0).count());
                prop_assert_eq!(set.max(), values.iter().copied().fold(0.0, f32::max));
                let above = values.iter().filter(|&&v| v.max(0.0) > limit.max(0.0)).count();
                prop_assert_eq!(set.fraction_above(limit.max(0.0)), above as f64 / values.len() as f64);
                let mut positive: Vec<f32> = values.iter().copied().filter(|&v| v > 0.0).collect();
                positive.sort_by(f32::total_cmp);
                prop_assert_eq!(&set.sorted(&control).unwrap()[..], &positive[..]);
            }
        }
        // All values represent so small a layer.
        let mean: f64 = values.iter().map(|v| f64::from(v.clamp(0.0, 0.5) / 0.5)).sum::<f64>() / values.len() as f64;
        prop_assert!((layer.layer.mean_clipped(0.5) - mean).abs() < 1.0);
    }
}

#[test]
fn cancelling_stops_a_calibration_and_what_it_computes_later() {
    let program = identity(Activation::Relu, 1, 4);
    let values: Vec<f32> = (0..4 * 4000).map(|k| (k % 977) as f32).collect();
    let calibration = calibrate(&program, &values, 4000, &JobControl::default()).unwrap();
    let cancelled = JobControl::default();
    cancelled.cancel();
    assert!(matches!(calibrate(&program, &values, 4000, &cancelled), Err(Error::Cancelled)));
    assert!(matches!(calibration.layers[0].layer.sorted(&cancelled), Err(Error::Cancelled)));
    let wide = Recipe { threshold: ThresholdRule::Percentile(92.0), ..Recipe::default() };
    assert!(matches!(calibration.prepare(&wide, &cancelled), Err(Error::Cancelled)));
}

#[test]
fn the_first_layer_with_values_that_are_not_finite_is_named_with_its_sample() {
    let program = identity(Activation::Relu, 1, 4);
    let mut values = vec![0.5; 4 * 100];
    values[4 * 7 + 2] = f32::INFINITY;
    values[4 * 60] = f32::NAN;
    let error = calibrate(&program, &values, 100, &JobControl::default()).unwrap_err().to_string();
    assert!(error.contains("'relu'") && error.contains("inf on 2") && error.contains("first on number 7"), "{error}");
}
