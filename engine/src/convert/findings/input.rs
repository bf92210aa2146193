//! Findings about input that differs from what the network was trained or calibrated on.

use super::{Finding, Fix};
use crate::data::Scaling;

/// Minimum number of samples for a statement about accuracy.
const MIN_SAMPLES: usize = 16;

/// Share of the samples by which another scaling must be better to be found.
pub const MIN_SCALING_GAIN: f64 = 0.02;
/// Share by which it is so much better that no more samples are needed.
pub const FAR_SCALING_GAIN: f64 = 0.2;

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

/// What the ANN makes of the first samples under another input scaling.
#[derive(Clone, Debug)]
pub struct ScalingTrial {
    pub scaling: Scaling,
    /// Number of samples classified correctly.
    pub correct: usize,
    /// Those of them that are not under the present scaling.
    pub gained: usize,
    /// Samples classified correctly under the present scaling alone.
    pub lost: usize,
}

impl ScalingTrial {
    /// Whether it is better by at least `share` of all `samples`.
    pub fn is_better_by(&self, share: f64, samples: usize) -> bool {
        self.gained as f64 - self.lost as f64 >= share * samples as f64
    }

    /// Whether it is better, by a one-sided sign test of the samples that differ (95 %, normal approximation).
    fn is_beyond_chance(&self) -> bool {
        let differing = (self.gained + self.lost) as f64;
        self.gained as f64 - self.lost as f64 >= 1.645 * differing.sqrt() && differing > 0.0
    }
}

/// Another input scaling that fits better. `correct` of the first `samples` samples of the run are classified correctly under
/// the `present` scaling; `others` are tried on the same. Found if another is better by at least [`MIN_SCALING_GAIN`] and by
/// more than chance explains; a warning if by a fifth of all samples.
pub fn other_scaling(present: &Scaling, correct: usize, samples: usize, others: &[ScalingTrial]) -> Option<Finding> {
    let others = || others.iter().filter(|trial| trial.scaling != *present);
    // The first of equals: the scalings are sorted from usual to unusual.
    let best = others().reduce(|best, other| if other.correct > best.correct { other } else { best })?;
    if !best.is_better_by(MIN_SCALING_GAIN, samples) || !best.is_beyond_chance() {
        return None;
    }
    let is_far = best.is_better_by(FAR_SCALING_GAIN, samples);
    let percent = |count: usize| 100.0 * count as f64 / samples as f64;
    let text = format!(
        "the ANN has an accuracy of {}{:.0} % on the first {samples} samples of the run with input scaling {present}, and of \
         {:.0} % on the same samples with {}: the scaling {} differs from that of its training{}",
        if is_far { "only " } else { "" },
        percent(correct),
        percent(best.correct),
        best.scaling,
        if is_far { "probably" } else { "possibly" },
        match others().filter(|other| other.correct == best.correct).count() {
            1 => String::new(),
            equals => format!(" ({equals} scalings are equally good on these samples)"),
        }
    );
    let of = if is_far { Finding::warning } else { Finding::note };
    Some(of("input scaling", None, text).with_fix(Fix::Scaling(best.scaling.clone())))
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
    use crate::convert::findings::Severity;

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
    }

    #[test]
    fn a_scaling_that_is_better_by_two_points_and_by_more_than_chance_is_found() {
        let trial = |scaling, correct, gained, lost| ScalingTrial { scaling, correct, gained, lost };
        let found = |others: &[ScalingTrial], correct| other_scaling(&Scaling::Unit, correct, 256, others);
        let far = found(&[trial(Scaling::Unit, 25, 0, 0), trial(Scaling::Bytes, 230, 210, 5)], 25).unwrap();
        assert_eq!((far.fix, far.severity), (Some(Fix::Scaling(Scaling::Bytes)), Severity::Warning));
        assert!(far.text.contains("only 10 % on the first 256 samples of the run"), "{}", far.text);
        let near = found(&[trial(Scaling::Bytes, 236, 8, 2)], 230).unwrap();
        assert!(near.severity == Severity::Note && near.text.contains("of 90 % on") && near.text.contains("of 92 %"));
        assert_eq!(found(&[trial(Scaling::Bytes, 235, 7, 2)], 230), None, "less than two points");
        assert_eq!(found(&[trial(Scaling::Bytes, 236, 26, 20)], 230), None, "chance");
        assert_eq!(found(&[trial(Scaling::Bytes, 20, 0, 210)], 230), None);
        assert_eq!(found(&[trial(Scaling::Unit, 230, 0, 0)], 230), None);
    }

    #[test]
    fn accuracy_at_chance_level_is_found() {
        assert!(at_chance(0.13, 64, 10).is_some_and(|found| found.text.contains("13 % on the first 64 samples")));
        assert_eq!((at_chance(0.3, 64, 10), at_chance(0.0, 8, 10)), (None, None));
    }
}
