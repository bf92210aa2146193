//! What a first pass over a recording finds: times, extent and count, without keeping an event.

use super::time::{MIN_COARSE, MIN_UNIX_NANOSECONDS, THOUSANDTH_ERROR, TimeUnit};

/// A time as a file stores it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum RawTime {
    Integer(i128),
    Float(f64),
}

/// An event as a file stores it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct RawEvent {
    pub x: u16,
    pub y: u16,
    /// Brighter (1) or darker (0).
    pub p: u8,
    pub t: RawTime,
}

/// What the numbers of the times mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum TimeKind {
    /// Microseconds, as the format defines.
    #[default]
    Microseconds,
    /// A unit that the type states, in nanoseconds.
    InUnit(u64),
    Integers,
    Floats,
}

/// The times and the extent of one recording.
#[derive(Clone, Debug)]
pub(super) struct Summary {
    pub kind: TimeKind,
    pub count: u64,
    /// How many of them are brighter (ON).
    pub on: u64,
    /// How many times are before that of the event before, and the first event with such a time.
    pub backwards: [u64; 2],
    /// Width and height that the events cover, or that the file states if it is larger.
    pub extent: [usize; 2],
    /// First and last of integer times.
    integers: [i128; 2],
    /// First and last of float times.
    floats: [f64; 2],
    pub has_fractions: bool,
    /// Whether float times are whole thousandths.
    pub in_thousandths: bool,
    has_nan: bool,
    last: Option<RawTime>,
}

impl Summary {
    /// A summary of no event.
    pub fn new(kind: TimeKind) -> Self {
        Self {
            kind,
            count: 0,
            on: 0,
            backwards: [0; 2],
            extent: [1; 2],
            integers: [i128::MAX, i128::MIN],
            floats: [f64::INFINITY, f64::NEG_INFINITY],
            has_fractions: false,
            in_thousandths: true,
            has_nan: false,
            last: None,
        }
    }

    /// Adds `event`.
    #[inline]
    pub fn add(&mut self, event: RawEvent) {
        self.count += 1;
        self.on += u64::from(event.p);
        let is_before = match (event.t, self.last) {
            (RawTime::Integer(t), Some(RawTime::Integer(last))) => t < last,
            (RawTime::Float(t), Some(RawTime::Float(last))) => t < last,
            _ => false,
        };
        if is_before {
            self.backwards =
                if self.backwards[0] == 0 { [1, self.count - 1] } else { [self.backwards[0] + 1, self.backwards[1]] };
        }
        self.last = Some(event.t);
        self.extent[0] = self.extent[0].max(usize::from(event.x) + 1);
        self.extent[1] = self.extent[1].max(usize::from(event.y) + 1);
        match event.t {
            RawTime::Integer(t) => self.integers = [self.integers[0].min(t), self.integers[1].max(t)],
            RawTime::Float(t) => {
                self.floats = [self.floats[0].min(t), self.floats[1].max(t)];
                self.has_fractions |= t.fract() != 0.0;
                self.in_thousandths &= (t * 1000.0 - (t * 1000.0).round()).abs() < THOUSANDTH_ERROR;
                self.has_nan |= !t.is_finite();
            }
        }
    }

    /// From the first time to the last, in the file's numbers.
    pub fn length(&self) -> Option<f64> {
        match self.kind {
            _ if self.count == 0 => None,
            TimeKind::Floats => Some(self.floats[1] - self.floats[0]),
            _ => Some(self.integers[1] as f64 - self.integers[0] as f64),
        }
    }

    /// Whether integer times are as large as nanoseconds since 1970.
    pub fn looks_like_unix_nanoseconds(&self) -> bool {
        self.kind == TimeKind::Integers && self.integers[1] >= MIN_UNIX_NANOSECONDS
    }

    /// How times become nanoseconds since the first event, by `unit` where the file does not tell it. `None` if they are
    /// not numbers, last longer than 584 years, or exceed 64 bits in microseconds.
    pub fn clock(&self, unit: TimeUnit) -> Option<Clock> {
        let unit = match self.kind {
            TimeKind::Microseconds => TimeUnit::Microseconds.nanoseconds(),
            TimeKind::InUnit(unit) => unit,
            TimeKind::Integers | TimeKind::Floats => unit.nanoseconds(),
        };
        let mut clock = Clock { first: self.integers[0], start: 0.0, unit, tick: unit, span: 0 };
        let last = if self.kind == TimeKind::Floats {
            clock.first = 0;
            let rounded = |t: f64| (t * unit as f64).round();
            clock.tick = if rounded(self.floats[1]) - rounded(self.floats[0]) >= MIN_COARSE { 1000 } else { 1 };
            clock.start = clock.ticks(self.floats[0]);
            let ticks = clock.ticks(self.floats[1]) - clock.start;
            let fits = !self.has_nan && ticks.is_finite() && ticks < (u64::MAX / clock.tick / 2) as f64;
            fits.then_some(ticks as u64)?.checked_mul(clock.tick)?
        } else {
            let elapsed = self.integers[1].checked_sub(self.integers[0])?.checked_mul(i128::from(unit))?;
            u64::try_from(elapsed).ok()?
        };
        clock.span = last.saturating_add(clock.tick).max(1);
        let first = clock.first_ns()?;
        let fits = |nanoseconds: i128| i64::try_from(nanoseconds.div_euclid(1000) + 1).is_ok();
        (fits(first) && fits(first + i128::from(clock.span))).then_some(clock)
    }
}

/// Turns the times of one recording into nanoseconds since its first event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Clock {
    first: i128,
    start: f64,
    /// Nanoseconds of one unit.
    unit: u64,
    /// Resolution in nanoseconds.
    pub tick: u64,
    /// Duration from the first event to the last one, inclusive, in nanoseconds.
    pub span: u64,
}

impl Clock {
    /// Time `t` in ticks, rounded to the nearest.
    fn ticks(&self, t: f64) -> f64 {
        ((t * self.unit as f64).round() / self.tick as f64).round()
    }
    /// The earliest time in nanoseconds, as the file counts them; `None` beyond 128 bits.
    fn first_ns(&self) -> Option<i128> {
        if self.start.abs() >= 1e30 {
            return None;
        }
        // One of both is 0.
        self.first.checked_mul(self.unit.into())?.checked_add(self.start as i128 * i128::from(self.tick))
    }
    /// `elapsed` nanoseconds since the first event in microseconds, as the file counts them, rounded to the nearest.
    pub fn microseconds(&self, elapsed: u64) -> i64 {
        let nanoseconds = self.first_ns().unwrap_or(0) + i128::from(elapsed);
        i64::try_from((nanoseconds + 500).div_euclid(1000)).unwrap_or(i64::MAX)
    }
    /// Nanoseconds since the first event.
    #[inline]
    pub fn elapsed(&self, t: RawTime) -> u64 {
        match t {
            RawTime::Integer(t) => u64::try_from((t - self.first) * i128::from(self.unit)).unwrap_or(u64::MAX),
            RawTime::Float(t) => (self.ticks(t) - self.start) as u64 * self.tick,
        }
    }
}
