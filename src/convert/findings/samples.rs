//! Findings about how samples were read, and about event recordings that a run covers in part.

use std::ops::Range;

use super::{Finding, Fix, Severity};
use crate::data::{DataSpec, Note, OtherChoice, Samples, Scaling};

/// Minimum number of other samples for which calibrating on them is suggested.
const MIN_SUGGESTED: usize = 32;
/// Minimum gain in accuracy for which another order of classes is suggested.
const MIN_GAIN: f64 = 0.2;

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

/// What the reader did or assumed in separate calibration samples.
pub fn check_calibration_samples(samples: &Samples, scaling: &Scaling) -> Vec<Finding> {
    notes_on(samples, scaling, true)
}

fn notes_on(samples: &Samples, scaling: &Scaling, for_calibration: bool) -> Vec<Finding> {
    let relevant = samples.notes.iter().filter(|note| applies(note, scaling));
    let finding = |note: &Note| {
        let severity = if note.is_warning { Severity::Warning } else { Severity::Note };
        let text = if for_calibration { format!("calibration data: {}", note.text) } else { note.text.clone() };
        let found = Finding::new("samples", severity, None, text);
        match note.other.as_ref().and_then(|other| fix(samples, other, for_calibration)) {
            Some(fix) => found.with_fix(fix),
            None => found,
        }
    };
    relevant.map(finding).collect()
}

/// Whether a note on the scale of values is true under `scaling`.
fn applies(note: &Note, scaling: &Scaling) -> bool {
    let about_scale = matches!(note.other, Some(OtherChoice::Scaling(_)));
    !about_scale || !matches!(scaling, Scaling::Bytes | Scaling::Divide(_))
}

/// The change of the settings that makes the other choice.
fn fix(samples: &Samples, other: &OtherChoice, for_calibration: bool) -> Option<Fix> {
    match other {
        OtherChoice::Scaling(scaling) => Some(Fix::Scaling(scaling.clone())),
        OtherChoice::Option { key, value } => read_with(samples, key, value, for_calibration),
    }
}

/// Reading `samples` with another option.
fn read_with(samples: &Samples, key: &str, value: &str, for_calibration: bool) -> Option<Fix> {
    let data = DataSpec::parse(&samples.source).and_then(|spec| spec.with_option(key, value)).ok()?.to_string();
    Some(Fix::Data { data, option: format!("{key}={value}"), for_calibration })
}

/// Another order of the class names under which the ANN's predictions are far better. `predictions` are pairs of sample
/// index and class.
pub fn other_class_order(samples: &Samples, predictions: &[(usize, usize)]) -> Option<Finding> {
    let other = samples.other_labels.as_ref()?;
    let accuracy = |labels: &[u16]| {
        let correct =
            predictions.iter().filter(|(sample, class)| labels.get(*sample).is_some_and(|l| usize::from(*l) == *class));
        correct.count() as f64 / predictions.len().max(1) as f64
    };
    let (present, changed) = (accuracy(&samples.labels), accuracy(&other.labels));
    if changed < present + MIN_GAIN {
        return None;
    }
    let text = format!(
        "the ANN has an accuracy of only {:.0} % with this order of class names, and of {:.0} % with class names {}: \
         the network was probably trained with that order",
        present * 100.0,
        changed * 100.0,
        other.order
    );
    let (key, value) = other.option;
    let found = Finding::warning("order of classes", None, text);
    Some(match read_with(samples, key, value, false) {
        Some(fix) => found.with_fix(fix),
        None => found,
    })
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
    use crate::data::{FrameSequence, OtherLabels};

    #[test]
    fn samples_that_are_also_calibration_samples_are_found() {
        assert_eq!(calibrated_on(&(0..256), &(256..356), 1000), None);
        let found = calibrated_on(&(0..256), &(0..300), 2000).unwrap();
        assert!(found.text.starts_with("256 of the 300 samples"), "{}", found.text);
        assert_eq!(found.mend, Some(Fix::Calibrate { first: 300, count: 256 }));
        let mend = |calibrated, run, count| calibrated_on(&calibrated, &run, count).unwrap().mend;
        assert_eq!(mend(90..200, 100..200, 200), Some(Fix::Calibrate { first: 0, count: 100 }));
        assert_eq!(mend(0..100, 0..100, 110), None, "ten are too few");
        assert_eq!(calibrated_on(&(0..1), &(0..1), 1), None, "a lone sample has no other");
    }

    #[test]
    fn steps_that_use_only_some_frames_are_found() {
        let frames = FrameSequence { count: 4, values: Arc::new(vec![0.0; 4]) };
        let samples = Samples {
            values: Arc::new(vec![0.0]),
            frames: Some(frames),
            notes: vec!["cut".into()],
            ..Samples::default()
        };
        let check = |steps| check_samples(&samples, &Scaling::Unit, steps);
        let mends = |steps| check(steps).into_iter().filter_map(|f| f.mend).collect::<Vec<_>>();
        assert_eq!((mends(3), mends(4), mends(8)), (vec![Fix::Steps(4)], vec![], vec![]));
        assert_eq!(mends(9), [Fix::Steps(8)]);
        assert_eq!(check(4), [Finding::note("samples", None, "cut")]);
    }

    #[test]
    fn assumptions_have_the_other_choice_as_their_fix() {
        let notes = vec![
            Note::new("turned").or_option("layout", "nhwc"),
            Note::new("bytes").warning().or_scaling(Scaling::Bytes),
        ];
        let samples = Samples { source: "npz:a.npz,split=test".into(), notes, ..Samples::default() };
        let found = check_samples(&samples, &Scaling::Unit, 8);
        let options: Vec<String> = found.iter().map(|f| f.mend.as_ref().unwrap().cli_options()).collect();
        assert_eq!(options, ["--data \"npz:a.npz,layout=nhwc,split=test\"", "--scale \"0..255\""]);
        assert_eq!(found[0].mend.as_ref().unwrap().label(), "Read with layout=nhwc");
        assert_eq!((found[0].severity, found[1].severity), (Severity::Note, Severity::Warning));
        assert_eq!(check_samples(&samples, &Scaling::Divide(2.0), 8).len(), 1);
        let calibration = check_calibration_samples(&samples, &Scaling::Bytes);
        assert!(calibration[0].mend.as_ref().unwrap().cli_options().starts_with("--calibrate-data"));
    }

    #[test]
    fn a_far_better_order_of_classes_is_found() {
        let other = OtherLabels {
            labels: Arc::new(vec![0, 2, 1, 3]),
            option: ("classes", "text"),
            order: "in the order of text",
        };
        let samples = Samples {
            source: "images:a".into(),
            labels: Arc::new(vec![0, 1, 2, 3]),
            other_labels: Some(other),
            ..Samples::default()
        };
        let found = other_class_order(&samples, &[(0, 0), (1, 2), (2, 1), (3, 0)]).unwrap();
        assert!(found.text.contains("25 %") && found.text.contains("75 %"), "{}", found.text);
        assert_eq!(found.mend.unwrap().cli_options(), "--data \"images:a,classes=text\"");
        assert_eq!(other_class_order(&samples, &[(0, 0), (1, 1), (2, 1), (3, 0)]), None);
    }
}
