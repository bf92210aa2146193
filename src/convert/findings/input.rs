//! Findings about input that differs from what the network was trained or calibrated on.

use super::{Finding, Fix};
use crate::data::Scaling;

/// Minimum number of samples for a statement about accuracy.
const MIN_SAMPLES: usize = 16;

/// Mean, standard deviation, minimum and maximum of a set of values.
#[derive(Clone, Copy, Debug)]
struct Range {
    mean: f64,
    deviation: f64,
    min: f32,
    max: f32,
}

impl Range {
    fn new(values: &[f32]) -> Option<Self> {
        let n = values.len() as f64;
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let square = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
        let min = values.iter().copied().fold(f32::INFINITY, f32::min);
        let max = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        (!values.is_empty()).then_some(Self { mean, deviation: square.sqrt(), min, max })
    }
}

/// Compares the run's scaled input with that of the calibration: means more than one standard deviation apart, or
/// standard deviations that differ by more than a factor of two.
pub fn far_input(calibrated: &[f32], run: &[f32]) -> Option<Finding> {
    let (calibration, new) = (Range::new(calibrated)?, Range::new(run)?);
    let apart = (calibration.mean - new.mean).abs() > calibration.deviation.max(1e-9);
    let ratio = new.deviation.max(1e-9) / calibration.deviation.max(1e-9);
    if !apart && (0.5..=2.0).contains(&ratio) {
        return None;
    }
    let describe = |r: Range| format!("{:.3} ± {:.3} (from {:.3} to {:.3})", r.mean, r.deviation, r.min, r.max);
    let text = format!(
        "the input of the run is far from that of the calibration: {} against {}, so the thresholds may not fit. \
         Calibrate on samples like those that are run, with the same scaling",
        describe(new),
        describe(calibration)
    );
    Some(Finding::warning("input range", None, text))
}

/// Another input scaling that fits better. `accuracy` (0 to 1) is that of the ANN under the `present` scaling, `others`
/// under other ones. Found if another scaling is better by at least a fifth of all samples.
pub fn other_scaling(present: &Scaling, accuracy: f64, others: &[(Scaling, f64)], samples: usize) -> Option<Finding> {
    let others = || others.iter().filter(|(scaling, _)| scaling != present);
    // The first of equals: the scalings are sorted from usual to unusual.
    let best = others().reduce(|best, other| if other.1 > best.1 { other } else { best })?;
    if best.1 < accuracy + 0.2 {
        return None;
    }
    let text = format!(
        "the ANN has an accuracy of only {:.0} % on the first {samples} samples of the run with input scaling {present}, \
         and of {:.0} % on the same samples with {}: the scaling probably differs from that of its training{}",
        accuracy * 100.0,
        best.1 * 100.0,
        best.0,
        match others().filter(|other| other.1 == best.1).count() {
            1 => String::new(),
            equals => format!(" ({equals} scalings are equally good on these samples)"),
        }
    );
    Some(Finding::warning("input scaling", None, text).with_fix(Fix::Scaling(best.0.clone())))
}

/// An ANN whose `accuracy` on `samples` is at chance level for `classes`, up to two standard deviations above.
pub fn at_chance(accuracy: f64, samples: usize, classes: usize) -> Option<Finding> {
    let chance = 1.0 / classes.max(1) as f64;
    let spread = (chance * (1.0 - chance) / samples.max(1) as f64).sqrt();
    if samples < MIN_SAMPLES || accuracy > chance + 2.0 * spread {
        return None;
    }
    let text = format!(
        "the ANN has an accuracy of {:.0} % on the first {samples} samples of the run, chance level for {classes} classes. Check \
         data, their layout, labels and input scaling",
        accuracy * 100.0
    );
    Some(Finding::warning("answers by chance", None, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_range_and_a_better_scaling_are_found() {
        let unit: Vec<f32> = (0..100).map(|k| k as f32 / 99.0).collect();
        let bytes: Vec<f32> = unit.iter().map(|v| v * 255.0).collect();
        assert_eq!(far_input(&unit, &unit), None);
        let shifted: Vec<f32> = unit.iter().map(|v| v + 0.1).collect();
        assert_eq!(far_input(&unit, &shifted), None);
        assert!(far_input(&unit, &bytes).unwrap().text.contains("255"));
        assert!(far_input(&bytes, &unit).is_some() && far_input(&unit, &vec![0.5; 100]).is_some());
        assert_eq!(far_input(&unit, &[]), None);
        let others = [(Scaling::Unit, 0.1), (Scaling::Bytes, 0.9)];
        let found = other_scaling(&Scaling::Unit, 0.1, &others, 64).unwrap();
        assert_eq!(found.fix, Some(Fix::Scaling(Scaling::Bytes)));
        assert!(found.text.contains("10 % on the first 64 samples of the run"), "{}", found.text);
        assert_eq!(other_scaling(&Scaling::Bytes, 0.9, &others, 64), None);
        assert_eq!(other_scaling(&Scaling::Unit, 0.85, &others, 64), None);
    }

    #[test]
    fn accuracy_at_chance_level_is_found() {
        assert!(at_chance(0.13, 64, 10).is_some_and(|found| found.text.contains("13 % on the first 64 samples")));
        assert_eq!((at_chance(0.3, 64, 10), at_chance(0.0, 8, 10)), (None, None));
    }
}
