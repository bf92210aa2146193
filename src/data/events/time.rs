//! Times of event recordings: their unit, recognized from type and range, and recordings in nanoseconds.

use std::ops::Range;

/// Spans of floats with fractions below this are seconds: longer recordings of event cameras are rare.
const MAX_SECONDS: f64 = 1000.0;
/// From this on, floats in whole thousandths are milliseconds with the resolution of microseconds.
const MIN_THOUSANDTHS: f64 = 60.0;
/// Deviation of a single-precision number from whole thousandths.
const THOUSANDTH_ERROR: f64 = 0.05;
/// Spans of floats with fractions below this are milliseconds.
const MAX_MILLISECONDS: f64 = 1e6;
/// Spans of whole floats below this are milliseconds, as in tonic's DVSGesture; in microseconds they would be 0.1 s.
const MAX_WHOLE_MILLISECONDS: f64 = 1e5;
/// Integers from this on are nanoseconds since 1970; microseconds since then are below.
const MIN_UNIX_NANOSECONDS: i128 = 100_000_000_000_000_000;
/// Recordings in floats that last longer than this are cut to microseconds, the resolution of event cameras.
const MIN_COARSE: f64 = 1e6;

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeUnit {
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
}

impl TimeUnit {
    /// All units, from the longest.
    pub const ALL: [Self; 4] = [Self::Seconds, Self::Milliseconds, Self::Microseconds, Self::Nanoseconds];

    /// The word in a specification.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Milliseconds => "ms",
            Self::Microseconds => "us",
            Self::Nanoseconds => "ns",
        }
    }
    /// The unit's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Milliseconds => "milliseconds",
            Self::Microseconds => "microseconds",
            Self::Nanoseconds => "nanoseconds",
        }
    }
    fn nanoseconds(self) -> u64 {
        match self {
            Self::Seconds => 1_000_000_000,
            Self::Milliseconds => 1_000_000,
            Self::Microseconds => 1_000,
            Self::Nanoseconds => 1,
        }
    }
}

/// Times as a file stores them.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Times {
    /// In microseconds, as the format defines.
    Microseconds(Vec<i128>),
    /// In a unit that the type states, in nanoseconds.
    InUnit(Vec<i128>, u64),
    Integers(Vec<i128>),
    Floats(Vec<f64>),
}

impl Times {
    pub fn len(&self) -> usize {
        match self {
            Self::Microseconds(times) | Self::InUnit(times, _) | Self::Integers(times) => times.len(),
            Self::Floats(times) => times.len(),
        }
    }
    /// First and last time, if there are any.
    fn range(&self) -> Option<Range<f64>> {
        let of = |times: &mut dyn Iterator<Item = f64>| {
            times.fold(None, |range: Option<Range<f64>>, t| {
                Some(range.map_or(t..t, |range| range.start.min(t)..range.end.max(t)))
            })
        };
        match self {
            Self::Microseconds(times) | Self::InUnit(times, _) | Self::Integers(times) => {
                of(&mut times.iter().map(|t| *t as f64))
            }
            Self::Floats(times) => of(&mut times.iter().copied()),
        }
    }

    /// Times in nanoseconds from the first on, and the resolution, both by `unit` where the file does not tell it.
    /// `None` if they exceed 584 years.
    pub fn since_first(&self, unit: TimeUnit) -> Option<(Vec<u64>, u64)> {
        let integers = |times: &[i128], unit: u64| {
            let first = times.iter().min().copied().unwrap_or(0);
            let elapsed = |t: &i128| u64::try_from(t.checked_sub(first)?.checked_mul(i128::from(unit))?).ok();
            Some((times.iter().map(elapsed).collect::<Option<_>>()?, unit))
        };
        match self {
            Self::Microseconds(times) => integers(times, TimeUnit::Microseconds.nanoseconds()),
            Self::InUnit(times, unit) => integers(times, *unit),
            Self::Integers(times) => integers(times, unit.nanoseconds()),
            Self::Floats(times) => {
                let first = times.iter().copied().fold(f64::INFINITY, f64::min);
                // Rounded to nanoseconds before it is cut, so that 0.29 s is not 289,999 µs.
                let rounded = |t: f64| (t * unit.nanoseconds() as f64).round();
                let last = times.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let tick = if rounded(last) - rounded(first) >= MIN_COARSE { 1000 } else { 1 };
                let cut = |t: f64| (rounded(t) / tick as f64).floor();
                let elapsed = |t: &f64| {
                    let ticks = cut(*t) - cut(first);
                    (ticks.is_finite() && ticks < (u64::MAX / tick / 2) as f64).then(|| ticks as u64 * tick)
                };
                Some((times.iter().map(elapsed).collect::<Option<_>>()?, tick))
            }
        }
    }
}

/// The unit of `recordings`, and what to tell the user: how it was recognized and the other likely unit.
pub(super) fn recognize(recordings: &[&Times]) -> (TimeUnit, Option<(String, TimeUnit)>) {
    let spans = || recordings.iter().filter_map(|times| times.range()).map(|range| range.end - range.start);
    let longest = spans().fold(0.0, f64::max);
    let any = |test: &dyn Fn(&Times) -> bool| recordings.iter().any(|times| test(times));
    if any(&|times| matches!(times, Times::Floats(_))) {
        let fraction = |times: &Times| matches!(times, Times::Floats(times) if times.iter().any(|t| t.fract() != 0.0));
        let has_fractions = any(&fraction);
        let thousandths = |t: &f64| (t * 1000.0 - (t * 1000.0).round()).abs() < THOUSANDTH_ERROR;
        let in_thousandths = !any(&|times| matches!(times, Times::Floats(times) if !times.iter().all(thousandths)));
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
    let unix =
        |times: &Times| matches!(times, Times::Integers(times) if times.iter().any(|t| *t >= MIN_UNIX_NANOSECONDS));
    if any(&unix) {
        let text = "times are integers of the size of nanoseconds since 1970 and are taken as nanoseconds";
        return (TimeUnit::Nanoseconds, Some((text.into(), TimeUnit::Microseconds)));
    }
    let text = || {
        let text = format!("times are integers, up to {longest} from first to last, and are taken as microseconds");
        (text, if longest < MAX_WHOLE_MILLISECONDS { TimeUnit::Milliseconds } else { TimeUnit::Nanoseconds })
    };
    (TimeUnit::Microseconds, any(&|times| matches!(times, Times::Integers(_))).then(text))
}

/// A number with three decimals below 100.
fn short(number: f64) -> String {
    if number < 100.0 && number.fract() != 0.0 { format!("{number:.3}") } else { format!("{number:.0}") }
}

/// One event of an event camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    pub x: u16,
    pub y: u16,
    /// Nanoseconds since the first event of the recording.
    pub t: u64,
    /// Polarity: brighter (ON, 1) or darker (OFF, 0).
    pub p: u8,
}

/// The events of one file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Recording {
    pub events: Vec<Event>,
    /// Resolution of the times, in nanoseconds.
    pub tick: u64,
}

impl Recording {
    /// Duration from the first event to the last one, inclusive, in nanoseconds.
    pub fn span(&self) -> u64 {
        self.events.iter().map(|event| event.t).max().unwrap_or(0).saturating_add(self.tick).max(1)
    }
    /// Width and height that the events cover.
    pub fn extent(&self) -> [usize; 2] {
        let side = |of: fn(&Event) -> u16| self.events.iter().map(|e| usize::from(of(e)) + 1).max().unwrap_or(1);
        [side(|e| e.x), side(|e| e.y)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(times: Times) -> TimeUnit {
        recognize(&[&times]).0
    }

    #[test]
    fn units_are_recognized_by_type_and_range() {
        let floats = |step: f64| Times::Floats((0..100).map(|k| f64::from(k) * step).collect());
        assert_eq!(unit(floats(0.003)), TimeUnit::Seconds);
        assert_eq!(unit(floats(70.1)), TimeUnit::Milliseconds);
        assert_eq!(unit(floats(7.001)), TimeUnit::Milliseconds);
        assert_eq!(unit(floats(7.001003)), TimeUnit::Seconds);
        assert_eq!(unit(floats(70.0)), TimeUnit::Milliseconds);
        assert_eq!(unit(floats(70_000.0)), TimeUnit::Microseconds);
        assert_eq!(unit(Times::Integers(vec![0, 99])), TimeUnit::Microseconds);
        assert_eq!(unit(Times::Integers(vec![1_700_000_000_000_000_000])), TimeUnit::Nanoseconds);
        assert_eq!(recognize(&[&Times::Microseconds(vec![1])]), (TimeUnit::Microseconds, None));
    }

    #[test]
    fn times_keep_their_order_in_every_unit() {
        let seconds = Times::Floats((0..100).map(|k| f64::from(k) / 100.0).collect());
        let (times, tick) = seconds.since_first(TimeUnit::Seconds).unwrap();
        assert_eq!((times[29], times[99], tick), (290_000_000, 990_000_000, 1000));
        let negative = Times::Integers(vec![-5, 0, 7]);
        assert_eq!(negative.since_first(TimeUnit::Milliseconds), Some((vec![0, 5_000_000, 12_000_000], 1_000_000)));
        // Short recordings keep their fractions.
        assert_eq!(Times::Floats(vec![1.5, 2.25]).since_first(TimeUnit::Microseconds), Some((vec![0, 750], 1)));
        assert_eq!(Times::InUnit(vec![3, 4], 7).since_first(TimeUnit::Seconds), Some((vec![0, 7], 7)));
        assert_eq!(Times::Integers(vec![0, i128::from(u64::MAX)]).since_first(TimeUnit::Seconds), None);
        assert_eq!(Times::Floats(vec![0.0, 1e300]).since_first(TimeUnit::Seconds), None);
        assert_eq!(Times::Floats(vec![0.0, f64::NAN]).since_first(TimeUnit::Seconds), None);
    }
}
