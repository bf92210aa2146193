//! Units of the times of event recordings, and limits that tell them apart.

/// Deviation of a single-precision number from whole thousandths.
pub(super) const THOUSANDTH_ERROR: f64 = 0.05;
/// Integers from this on are nanoseconds since 1970; microseconds since then are below.
pub(super) const MIN_UNIX_NANOSECONDS: i128 = 100_000_000_000_000_000;
/// Recordings in floats that last longer than this are rounded to microseconds, the resolution of event cameras.
pub(super) const MIN_COARSE: f64 = 1e6;

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
    /// Nanoseconds of one unit.
    pub(super) fn nanoseconds(self) -> u64 {
        match self {
            Self::Seconds => 1_000_000_000,
            Self::Milliseconds => 1_000_000,
            Self::Microseconds => 1_000,
            Self::Nanoseconds => 1,
        }
    }
}
