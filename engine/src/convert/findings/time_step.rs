//! Finding about the time step of a NIR file that does not state it.

use super::{Finding, Fix};
use crate::network::left_open::{StepSource, TimeStep};

/// What the time step of the network's file is and where it is from. A guess is a finding with the other reading as its fix.
pub fn check_time_step(step: TimeStep) -> Option<Finding> {
    let text = step.note()?;
    let kind = "time step";
    Some(match (step.source, step.rates) {
        (StepSource::Inverse, _) => Finding::note(kind, None, text).with_fix(Fix::TimeStep(1.0)),
        (StepSource::Assumed, Some([min, max])) if min == max && min > 0.0 => {
            Finding::warning(kind, None, text).with_fix(Fix::TimeStep(1.0 / f64::from(min)))
        }
        (StepSource::Assumed, _) => Finding::warning(kind, None, text),
        _ => Finding::note(kind, None, text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::Severity;

    #[test]
    fn guesses_are_found_with_the_other_reading_and_statements_are_notes() {
        let found = |source, rates: [f32; 2]| check_time_step(TimeStep { dt: 1e-4, source, rates: Some(rates) });
        let inverse = found(StepSource::Inverse, [1e4; 2]).unwrap();
        assert_eq!((inverse.severity, inverse.fix), (Severity::Note, Some(Fix::TimeStep(1.0))));
        let assumed = found(StepSource::Assumed, [2.0; 2]).unwrap();
        assert_eq!((assumed.severity, assumed.fix), (Severity::Warning, Some(Fix::TimeStep(0.5))));
        assert_eq!(found(StepSource::Assumed, [2.0, 3.0]).unwrap().fix, None);
        assert_eq!(found(StepSource::Unit, [1.0; 2]), None);
        assert!(found(StepSource::User, [2.0; 2]).unwrap().text.contains("dt = 0.0001 is stated by the user"));
    }
}
