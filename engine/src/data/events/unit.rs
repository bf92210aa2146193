//! The unit of times in recordings that do not state it, recognized from type and range.

use super::summary::{Summary, TimeKind};
use super::time::TimeUnit;

/// Spans of floats with fractions below this are seconds: longer recordings of event cameras are rare.
const MAX_SECONDS: f64 = 1000.0;
/// From this on, floats in whole thousandths are milliseconds with the resolution of microseconds.
const MIN_THOUSANDTHS: f64 = 60.0;
/// Spans of floats with fractions below this are milliseconds.
const MAX_MILLISECONDS: f64 = 1e6;
/// Spans of whole floats below this are milliseconds, as in tonic's DVSGesture; in microseconds they would be 0.1 s.
const MAX_WHOLE_MILLISECONDS: f64 = 1e5;

/// The unit of `recordings`, and what to tell the user: how it was recognized and the other likely unit.
pub(super) fn recognize(recordings: &[Summary]) -> (TimeUnit, Option<(String, TimeUnit)>) {
    let longest = recordings.iter().filter_map(Summary::length).fold(0.0, f64::max);
    let of_kind = |kind: TimeKind| recordings.iter().filter(move |recording| recording.kind == kind);
    if of_kind(TimeKind::Floats).next().is_some() {
        let has_fractions = of_kind(TimeKind::Floats).any(|recording| recording.has_fractions);
        let in_thousandths = of_kind(TimeKind::Floats).all(|recording| recording.in_thousandths);
        let seconds = longest < MIN_THOUSANDTHS || longest < MAX_SECONDS && !in_thousandths;
        let (unit, other) = match has_fractions {
            true if seconds => (TimeUnit::Seconds, TimeUnit::Milliseconds),
            true if longest < MAX_MILLISECONDS => (TimeUnit::Milliseconds, TimeUnit::Microseconds),
            false if longest < MAX_WHOLE_MILLISECONDS => (TimeUnit::Milliseconds, TimeUnit::Microseconds),
            _ => (TimeUnit::Microseconds, TimeUnit::Milliseconds),
        };
        let kind = if has_fractions { "floats with fractions" } else { "whole floats" };
        let text =
            format!("times are {kind}, up to {} from first to last, and are taken as {}", short(longest), unit.name());
        return (unit, Some((text, other)));
    }
    if recordings.iter().any(Summary::looks_like_unix_nanoseconds) {
        let text = "times are integers of the size of nanoseconds since 1970 and are taken as nanoseconds";
        return (TimeUnit::Nanoseconds, Some((text.into(), TimeUnit::Microseconds)));
    }
    let text = || {
        let text = format!("times are integers, up to {longest} from first to last, and are taken as microseconds");
        (text, if longest < MAX_WHOLE_MILLISECONDS { TimeUnit::Milliseconds } else { TimeUnit::Nanoseconds })
    };
    (TimeUnit::Microseconds, of_kind(TimeKind::Integers).next().is_some().then(text))
}

/// A number with three decimals below 100.
fn short(number: f64) -> String {
    if number < 100.0 && number.fract() != 0.0 { format!("{number:.3}") } else { format!("{number:.0}") }
}

#[cfg(test)]
mod tests {
    use super::super::summary::{RawEvent, RawTime};
    use super::*;

    fn summary(kind: TimeKind, times: impl IntoIterator<Item = RawTime>) -> Summary {
        let mut summary = Summary::new(kind);
        times.into_iter().for_each(|t| summary.add(RawEvent { x: 0, y: 0, p: 0, t }));
        summary
    }
    fn floats(times: impl IntoIterator<Item = f64>) -> Summary {
        summary(TimeKind::Floats, times.into_iter().map(RawTime::Float))
    }
    fn integers(kind: TimeKind, times: &[i128]) -> Summary {
        summary(kind, times.iter().copied().map(RawTime::Integer))
    }
    fn unit(times: Summary) -> TimeUnit {
        recognize(&[times]).0
    }

    #[test]
    fn units_are_recognized_by_type_and_range() {
        let steps = |step: f64| floats((0..100).map(|k| f64::from(k) * step));
        assert_eq!(unit(steps(0.003)), TimeUnit::Seconds);
        assert_eq!(unit(steps(70.1)), TimeUnit::Milliseconds);
        assert_eq!(unit(steps(7.001)), TimeUnit::Milliseconds);
        assert_eq!(unit(steps(7.001003)), TimeUnit::Seconds);
        assert_eq!(unit(steps(70.0)), TimeUnit::Milliseconds);
        assert_eq!(unit(steps(70_000.0)), TimeUnit::Microseconds);
        assert_eq!(unit(integers(TimeKind::Integers, &[0, 99])), TimeUnit::Microseconds);
        assert_eq!(unit(integers(TimeKind::Integers, &[1_700_000_000_000_000_000])), TimeUnit::Nanoseconds);
        assert_eq!(recognize(&[integers(TimeKind::Microseconds, &[1])]), (TimeUnit::Microseconds, None));
    }

    #[test]
    fn times_keep_their_order_in_every_unit() {
        let hundredths: Vec<f64> = (0..100).map(|k| f64::from(k) / 100.0).collect();
        let clock = floats(hundredths.clone()).clock(TimeUnit::Seconds).unwrap();
        let times: Vec<u64> = hundredths.iter().map(|&t| clock.elapsed(RawTime::Float(t))).collect();
        assert_eq!((times[29], times[99], clock.tick), (290_000_000, 990_000_000, 1000));
        let clock = integers(TimeKind::Integers, &[-5, 0, 7]).clock(TimeUnit::Milliseconds).unwrap();
        assert_eq!([-5, 0, 7].map(|t| clock.elapsed(RawTime::Integer(t))), [0, 5_000_000, 12_000_000]);
        assert_eq!((clock.tick, clock.span), (1_000_000, 13_000_000));
        // Short recordings keep their fractions.
        let clock = floats([1.5, 2.25]).clock(TimeUnit::Microseconds).unwrap();
        assert_eq!((clock.elapsed(RawTime::Float(2.25)), clock.tick), (750, 1));
        let stated = integers(TimeKind::InUnit(7), &[3, 4]).clock(TimeUnit::Seconds).unwrap();
        assert_eq!((stated.elapsed(RawTime::Integer(4)), stated.tick), (7, 7));
        assert_eq!(integers(TimeKind::Integers, &[0, i128::from(u64::MAX)]).clock(TimeUnit::Seconds), None);
        assert_eq!(floats([0.0, 1e300]).clock(TimeUnit::Seconds), None);
        assert_eq!(floats([0.0, f64::NAN]).clock(TimeUnit::Seconds), None);
    }
}
