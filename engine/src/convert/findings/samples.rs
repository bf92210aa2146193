//! Findings about how samples were read, and about event recordings that a run covers in part.

use std::ops::Range;

use super::reading::notes_on;
use super::{Finding, Fix};
use crate::data::{Samples, Scaling};

/// Minimum number of other samples for which calibrating on them is suggested.
const MIN_SUGGESTED: usize = 32;

/// What the reader did or assumed in `samples`, and a T that does not fit event recordings: a run of `steps` time steps
/// reads one frame a step, while the ANN gets the mean of all frames.
pub fn check_samples(samples: &Samples, scaling: &Scaling, steps: usize) -> Vec<Finding> {
    let mut found = notes_on(samples, scaling, false);
    let Some(frames) = samples.frames.as_ref().map(|frames| frames.count) else { return found };
    if steps < frames {
        let text = format!(
            "T = {steps} steps use the first {steps} of {frames} frames of a recording, but the ANN gets the mean of \
             all: their inputs differ"
        );
        found.push(Finding::warning("frames", None, text).with_fix(Fix::Steps(frames)));
    } else if !steps.is_multiple_of(frames) {
        let text = format!(
            "T = {steps} is not a multiple of the {frames} frames of a recording: the first {} are used once more than \
             the others",
            steps % frames
        );
        found.push(Finding::note("frames", None, text).with_fix(Fix::Steps(steps / frames * frames)));
    }
    found
}

/// Ranges that were fitted to the `count` samples of a small data set.
pub fn fitted_ranges(count: usize, calibrated: &Range<usize>, run: &Range<usize>) -> Finding {
    let text = format!(
        "the data have {count} samples, too few for the ranges that are usual: samples {}..{} are calibrated on and \
         {}..{} are run",
        calibrated.start, calibrated.end, run.start, run.end
    );
    Finding::note("ranges", None, text)
}

/// Samples that are both run and calibrated on: thresholds fit those better than new ones. `calibrated` and `run` are
/// ranges of one set of `count` samples.
pub fn calibrated_on(calibrated: &Range<usize>, run: &Range<usize>, count: usize) -> Option<Finding> {
    let both = run.end.min(calibrated.end).saturating_sub(run.start.max(calibrated.start));
    if both == 0 || count < 2 {
        return None;
    }
    let text = format!(
        "{both} of the {} samples that are run are also calibration samples ({}..{}): thresholds fit them better than \
         new samples, so accuracy and errors look better than they are",
        run.len(),
        calibrated.start,
        calibrated.end
    );
    let found = Finding::note("calibrated on", None, text);
    // Suggests the longer of the two ranges beside those that are run.
    let (before, after) = (run.start.min(count), count.saturating_sub(run.end));
    let (first, free) = if before >= after { (0, before) } else { (run.end, after) };
    let suggested = calibrated.len().min(free);
    Some(if suggested >= MIN_SUGGESTED.min(calibrated.len()) {
        found.with_fix(Fix::Calibrate { first, count: suggested })
    } else {
        found
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::data::FrameSequence;

    #[test]
    fn samples_that_are_also_calibration_samples_are_found() {
        assert_eq!(calibrated_on(&(0..256), &(256..356), 1000), None);
        let found = calibrated_on(&(0..256), &(0..300), 2000).unwrap();
        assert!(found.text.starts_with("256 of the 300 samples"), "{}", found.text);
        assert_eq!(found.fix, Some(Fix::Calibrate { first: 300, count: 256 }));
        let fix = |calibrated, run, count| calibrated_on(&calibrated, &run, count).unwrap().fix;
        assert_eq!(fix(90..200, 100..200, 200), Some(Fix::Calibrate { first: 0, count: 100 }));
        assert_eq!(fix(0..100, 0..100, 110), None, "ten are too few");
        assert_eq!(calibrated_on(&(0..1), &(0..1), 1), None, "a lone sample has no other");
    }

    #[test]
    fn steps_that_use_only_some_frames_are_found() {
        let frames = FrameSequence { count: 4, values: Arc::new(vec![0.0; 4]), events: None };
        let samples = Samples {
            values: Arc::new(vec![0.0]),
            frames: Some(frames),
            notes: vec!["cut".into()],
            ..Samples::default()
        };
        let check = |steps| check_samples(&samples, &Scaling::Unit, steps);
        let fixes = |steps| check(steps).into_iter().filter_map(|f| f.fix).collect::<Vec<_>>();
        assert_eq!((fixes(3), fixes(4), fixes(8)), (vec![Fix::Steps(4)], vec![], vec![]));
        assert_eq!(fixes(9), [Fix::Steps(8)]);
        assert_eq!(check(4), [Finding::note("samples", None, "cut")]);
    }
}
