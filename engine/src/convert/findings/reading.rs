//! Findings about what the readers assumed, and other readings under which the ANN is far better.

use super::{Finding, Fix, Severity};
use crate::data::{DataSpec, Note, OtherChoice, Samples, Scaling};

/// Minimum gain in accuracy for which another reading is suggested.
const MIN_GAIN: f64 = 0.2;

/// What the reader did or assumed in separate calibration samples.
pub fn check_calibration_samples(samples: &Samples, scaling: &Scaling) -> Vec<Finding> {
    notes_on(samples, scaling, true)
}

/// The reader's notes on `samples` that are true under `scaling`, as findings.
pub(super) fn notes_on(samples: &Samples, scaling: &Scaling, for_calibration: bool) -> Vec<Finding> {
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
        "the ANN has an accuracy of only {:.0} % on {} samples of the run with this order of class names, and of {:.0} % \
         with class names {}: the network was probably trained with that order",
        present * 100.0,
        predictions.len(),
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

/// Another option of the data under which the ANN is far better: `present` and `accuracy` (0 to 1) without and with it.
///
/// Both were measured on the first `count` samples of the run.
pub fn other_reading(
    samples: &Samples,
    [present, accuracy]: [f64; 2],
    count: usize,
    key: &str,
    value: &str,
) -> Option<Finding> {
    if accuracy < present + MIN_GAIN {
        return None;
    }
    let text = format!(
        "the ANN has an accuracy of only {:.0} % on the first {count} samples of the run, and of {:.0} % if the data are read with \
         {key}={value}",
        present * 100.0,
        accuracy * 100.0
    );
    let found = Finding::warning("reading of samples", None, text);
    Some(match read_with(samples, key, value, false) {
        Some(fix) => found.with_fix(fix),
        None => found,
    })
}

/// The options of the data that were assumed, `(key, value)` of the other choice.
pub fn other_options(samples: &Samples) -> Vec<(&'static str, String)> {
    let option = |note: &Note| match &note.other {
        Some(OtherChoice::Option { key, value }) => Some((*key, value.clone())),
        _ => None,
    };
    samples.notes.iter().filter_map(option).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::data::OtherLabels;

    #[test]
    fn assumptions_have_the_other_choice_as_their_fix() {
        let notes = vec![
            Note::new("turned").or_option("layout", "nhwc"),
            Note::new("bytes").warning().or_scaling(Scaling::Bytes),
        ];
        let samples = Samples { source: "npz:a.npz,split=test".into(), notes, ..Samples::default() };
        let found = notes_on(&samples, &Scaling::Unit, false);
        let options: Vec<String> = found.iter().map(|f| f.fix.as_ref().unwrap().cli_options()).collect();
        assert_eq!(options, ["--data \"npz:a.npz,layout=nhwc,split=test\"", "--scale \"0..255\""]);
        assert_eq!(found[0].fix.as_ref().unwrap().label(), "Read with layout=nhwc");
        assert_eq!((found[0].severity, found[1].severity), (Severity::Note, Severity::Warning));
        assert_eq!(notes_on(&samples, &Scaling::Divide(2.0), false).len(), 1);
        assert_eq!(other_options(&samples), [("layout", "nhwc".to_owned())]);
        let better = other_reading(&samples, [0.2, 0.9], 64, "layout", "nhwc").unwrap();
        assert_eq!(better.fix, found[0].fix);
        assert_eq!(other_reading(&samples, [0.8, 0.9], 64, "layout", "nhwc"), None);
        let calibration = check_calibration_samples(&samples, &Scaling::Bytes);
        assert!(calibration[0].fix.as_ref().unwrap().cli_options().starts_with("--calibrate-data"));
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
        assert_eq!(found.fix.unwrap().cli_options(), "--data \"images:a,classes=text\"");
        assert_eq!(other_class_order(&samples, &[(0, 0), (1, 1), (2, 1), (3, 0)]), None);
    }
}
