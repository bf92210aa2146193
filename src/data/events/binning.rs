//! Binning of events into frames: frame timing, polarity channels, sensor size and statistics.

use std::fmt;
use std::path::Path;

use super::columns::ColumnOrder;
use super::time::{Event, TimeUnit};
use crate::error::format_shape;
use crate::{Error, Result};

/// Default number of frames per recording.
pub const DEFAULT_FRAMES: usize = 32;
/// Maximum number of frames per recording.
pub const MAX_FRAMES: usize = 4096;
const NS_PER_US: u64 = 1000;

/// Options that turn recordings into frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Binning {
    pub time: FrameTiming,
    pub polarity: Polarity,
    /// Width and height of the sensor in pixels, which the files do not contain; `None` for those of the network's input.
    pub sensor: Option<[usize; 2]>,
    /// Unit of the times in NumPy files; `None` to recognize it.
    pub unit: Option<TimeUnit>,
    /// Columns of plain NumPy arrays; `None` to recognize them.
    pub order: Option<ColumnOrder>,
    /// Frames as tonic 1.7.0 makes them: whole ticks long, without the remainder at the end and the last event.
    pub tonic: bool,
}

/// Division of time into frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FrameTiming {
    /// This number of frames of equal length, from the first event of a recording to its last.
    Frames(usize),
    /// Frames of `us` microseconds, from the first event on: `frames` of them, or as many as the longest recording needs.
    /// Later events are discarded.
    Span { us: u64, frames: Option<usize> },
}

/// Channels for the two polarities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Polarity {
    /// As the network's input: two channels, or both polarities summed in one.
    #[default]
    AsNetwork,
    /// Channel 0 for darker (OFF), channel 1 for brighter (ON).
    Split,
    /// Both summed in one channel.
    Sum,
    /// ON events only.
    On,
    /// OFF events only.
    Off,
}

impl Default for FrameTiming {
    fn default() -> Self {
        Self::Frames(DEFAULT_FRAMES)
    }
}

impl Polarity {
    /// All variants, each with its word in a specification.
    pub const ALL: [(Self, &str); 5] = [
        (Self::AsNetwork, "network"),
        (Self::Split, "split"),
        (Self::Sum, "sum"),
        (Self::On, "on"),
        (Self::Off, "off"),
    ];
}

/// Target of the events: the shape `[P, H, W]` of a frame, and the sensor's `[width, height]`.
pub(super) struct FramePlan {
    pub shape: [usize; 3],
    sensor: [usize; 2],
    polarity: Polarity,
}

impl Binning {
    /// The names of the options that generated recordings take; their sensor is known.
    pub const GENERATED_KEYS: [&str; 4] = ["frames", "us", "polarity", "tonic"];
    /// The names of the options.
    pub const KEYS: [&str; 7] = ["frames", "us", "polarity", "sensor", "unit", "order", "tonic"];

    /// Sets option `key`. Returns whether there is an option of this name. A number of frames that follows a length is
    /// their maximum.
    ///
    /// # Errors
    /// The reason why `value` is invalid, in a sentence.
    pub fn set_option(&mut self, key: &str, value: &str) -> Result<bool, String> {
        let value = value.trim();
        let number = |max: u64| {
            let number = value.parse::<u64>().ok().filter(|n| (1..=max).contains(n));
            number.ok_or_else(|| format!("Cannot use {key}={value}: it must be an integer from 1 to {max}."))
        };
        match key {
            "frames" => {
                let number = number(MAX_FRAMES as u64)? as usize;
                self.time = match self.time {
                    FrameTiming::Span { us, .. } => FrameTiming::Span { us, frames: Some(number) },
                    FrameTiming::Frames(_) => FrameTiming::Frames(number),
                };
            }
            "us" => self.time = FrameTiming::Span { us: number(u64::MAX / 2000)?, frames: None },
            "polarity" => {
                let known = Polarity::ALL.iter().find(|(_, word)| *word == value);
                self.polarity = known
                    .ok_or_else(|| {
                        format!("Cannot use polarity={value}: unknown word. Use network, split, sum, on or off.")
                    })?
                    .0;
            }
            "sensor" => {
                let sides = value.split_once('x').map(|(w, h)| [w, h].map(|side| side.trim().parse::<usize>()));
                let sides = sides.and_then(|[w, h]| Some([w.ok()?, h.ok()?]));
                let sides = sides.filter(|sides| sides.iter().all(|side| (1..=4096).contains(side)));
                self.sensor = Some(sides.ok_or_else(|| {
                    format!("Cannot use sensor={value}: not a size. Use WIDTHxHEIGHT, such as 128x128.")
                })?);
            }
            "unit" => {
                let unit = TimeUnit::ALL.into_iter().find(|unit| unit.as_str() == value);
                self.unit =
                    Some(unit.ok_or_else(|| format!("Cannot use unit={value}: unknown word. Use s, ms, us or ns."))?);
            }
            "order" => {
                self.order = Some(ColumnOrder::parse(value).ok_or_else(|| {
                    format!("Cannot use order={value}: not the letters x, y, t and p, each once, such as xytp.")
                })?);
            }
            "tonic" => {
                self.tonic = match value {
                    "0" => false,
                    "1" => true,
                    _ => return Err(format!("Cannot use tonic={value}: use 0 or 1.")),
                };
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Frame shape and sensor for a network's input `fit`; `seen` returns the width and height that the events cover.
    pub(super) fn plan(&self, fit: Option<&[usize]>, seen: impl Fn() -> [usize; 2]) -> Result<FramePlan> {
        let (channels, [height, width]) = match fit {
            Some(&[channels @ (1 | 2), height, width]) => (Some(channels), [height, width]),
            Some(other) => {
                return Err(Error::Invalid(format!(
                    "Cannot use event data: the network's input is {}, not 2xHxW or 1xHxW. Open another network.",
                    format_shape(other)
                )));
            }
            None => {
                let [width, height] = self.sensor.unwrap_or_else(seen);
                (None, [height, width])
            }
        };
        let polarity = match (self.polarity, channels) {
            (Polarity::AsNetwork, Some(1)) => Polarity::Sum,
            (Polarity::AsNetwork, _) => Polarity::Split,
            (stated, _) => stated,
        };
        let planes = if polarity == Polarity::Split { 2 } else { 1 };
        if let Some(channels) = channels.filter(|&channels| channels != planes) {
            let word = Polarity::ALL.iter().find(|(known, _)| *known == polarity).map_or("", |known| known.1);
            return Err(Error::Invalid(format!(
                "Cannot use polarity={word}: it gives {planes} channel(s), but the network has {channels}. Omit it, or \
                 open another network."
            )));
        }
        Ok(FramePlan { shape: [planes, height, width], sensor: self.sensor.unwrap_or([width, height]), polarity })
    }

    /// Number of frames per recording; `spans` are duration and resolution of each, in nanoseconds.
    pub(super) fn frames(&self, spans: impl Iterator<Item = [u64; 2]>) -> Result<usize, String> {
        match self.time {
            FrameTiming::Frames(frames) | FrameTiming::Span { frames: Some(frames), .. } => Ok(frames),
            FrameTiming::Span { us, frames: None } => {
                let length = us.saturating_mul(NS_PER_US);
                let [longest, tick] = spans.max().unwrap_or([1, 1]);
                let frames = match self.tonic {
                    true => (longest.saturating_sub(tick) / length).max(1),
                    false => longest.div_ceil(length),
                };
                usize::try_from(frames).ok().filter(|&frames| frames <= MAX_FRAMES).ok_or_else(|| {
                    format!(
                        "the longest takes {} µs, which are {frames} frames of {us} µs, more than {MAX_FRAMES}. Use \
                         longer frames or set their number (frames=N). If the times are in another unit, state it \
                         (unit=s, ms, us or ns).",
                        longest / NS_PER_US
                    )
                })
            }
        }
    }
}

/// Bins the events of one recording.
pub(super) struct Binner<'a> {
    binning: &'a Binning,
    path: &'a Path,
    plan: &'a FramePlan,
    /// Counts binned, summed and discarded events.
    stats: &'a mut BinningStats,
    /// Width and height that the events cover.
    extent: [usize; 2],
    /// Duration in nanoseconds.
    span: u64,
    /// Length of a frame in nanoseconds and the number of frames that are filled, if their length is whole.
    whole: Option<[u64; 2]>,
    /// Event counts `[frames, P, H, W]`.
    pub counts: Vec<f32>,
}

impl<'a> Binner<'a> {
    /// A binner for a recording of duration and resolution `span` in nanoseconds, whose events cover `extent`.
    pub fn new(
        binning: &'a Binning,
        path: &'a Path,
        (span, extent): ([u64; 2], [usize; 2]),
        plan: &'a FramePlan,
        stats: &'a mut BinningStats,
    ) -> Self {
        let [planes, height, width] = plan.shape;
        let counts = vec![0.0; stats.frames * planes * height * width];
        stats.begin(span[0]);
        let duration = span[0].saturating_sub(span[1]);
        let whole = match binning.time {
            FrameTiming::Frames(frames) => {
                // In whole ticks, so that the remainder of the division is left over at the end.
                let ticks = duration / span[1].max(1) / frames as u64;
                binning.tonic.then_some([ticks * span[1], frames as u64])
            }
            FrameTiming::Span { us, .. } => {
                let length = us.saturating_mul(NS_PER_US);
                Some([length, if binning.tonic { (duration / length).max(1) } else { u64::MAX }])
            }
        };
        Self { binning, path, plan, stats, extent, span: span[0], whole, counts }
    }

    /// Adds event `index` of the recording.
    ///
    /// # Errors
    /// [`Error::File`] for an event outside the sensor.
    #[inline]
    pub fn add(&mut self, index: u64, event: Event) -> Result<()> {
        let [planes, height, width] = self.plan.shape;
        let [sensor_width, sensor_height] = self.plan.sensor;
        let (x, y) = (usize::from(event.x), usize::from(event.y));
        if x >= sensor_width || y >= sensor_height {
            let reason = self.out_of_range_reason([x, y]);
            return Err(Error::file(self.path, format!("event {index}"), reason));
        }
        let frame = match (self.whole, self.binning.time) {
            (Some([0, _]), _) => u64::MAX,
            (Some([length, frames]), _) => Some(event.t / length).filter(|frame| *frame < frames).unwrap_or(u64::MAX),
            (None, FrameTiming::Frames(frames)) => {
                (u128::from(event.t) * frames as u128 / u128::from(self.span)) as u64
            }
            (None, FrameTiming::Span { .. }) => u64::MAX,
        };
        let plane = match (self.plan.polarity, event.p.min(1)) {
            (Polarity::Split, p) => usize::from(p),
            (Polarity::On, 0) | (Polarity::Off, 1) => {
                self.stats.other_polarity += 1;
                return Ok(());
            }
            _ => 0,
        };
        let Some(frame) = usize::try_from(frame).ok().filter(|&frame| frame < self.stats.frames) else {
            self.stats.discarded_late += 1;
            return Ok(());
        };
        let (column, row) = (x * width / sensor_width, y * height / sensor_height);
        let count = &mut self.counts[((frame * planes + plane) * height + row) * width + column];
        *count += 1.0;
        self.stats.add(*count);
        Ok(())
    }

    /// The reason why an event at `x`, `y` is out of range, with advice.
    fn out_of_range_reason(&self, [x, y]: [usize; 2]) -> String {
        let [_, height, width] = self.plan.shape;
        let [sensor_width, sensor_height] = self.plan.sensor;
        if self.binning.sensor.is_some() {
            return format!("is at {x}, {y}, outside the stated sensor size of {sensor_width}x{sensor_height}");
        }
        let [wide, high] = self.extent;
        format!(
            "is at {x}, {y}, outside the network's input of {width}x{height}. Set the sensor size (at least \
             sensor={wide}x{high}) to sum its pixels, or open another network."
        )
    }
}

/// Statistics of the events of all recordings.
pub(super) struct BinningStats {
    frames: usize,
    recordings: usize,
    /// Durations of the shortest and the longest recording, in nanoseconds.
    spans: [u64; 2],
    binned: u64,
    /// Events in the same frame, channel and pixel as an earlier one.
    shared: u64,
    max_count: f32,
    discarded_late: u64,
    other_polarity: u64,
}

impl BinningStats {
    pub fn new(frames: usize) -> Self {
        let (spans, max_count) = ([u64::MAX, 0], 0.0);
        Self { frames, recordings: 0, spans, binned: 0, shared: 0, max_count, discarded_late: 0, other_polarity: 0 }
    }
    fn begin(&mut self, span: u64) {
        self.recordings += 1;
        self.spans = [self.spans[0].min(span), self.spans[1].max(span)];
    }
    fn add(&mut self, pixel_count: f32) {
        self.binned += 1;
        self.shared += u64::from(pixel_count > 1.0);
        self.max_count = self.max_count.max(pixel_count);
    }

    /// Notes on the frames for the user, in sentences.
    pub fn notes(&self, binning: &Binning, plan: &FramePlan) -> Vec<String> {
        let percent =
            |n: u64| n as f64 / (self.binned + self.discarded_late + self.other_polarity).max(1) as f64 * 100.0;
        let format_us = |length: f64| if length < 100.0 { format!("{length:.1}") } else { format!("{length:.0}") };
        let frame_length = match binning.time {
            FrameTiming::Span { us, .. } => format!("{us} µs"),
            FrameTiming::Frames(frames) => {
                let [a, b] = self.spans.map(|span| format_us(span as f64 / NS_PER_US as f64 / frames as f64));
                if a == b { format!("{a} µs") } else { format!("{a} to {b} µs") }
            }
        };
        let mut notes = vec![format!(
            "{} recording(s) are divided into {} frames of {frame_length} each, one per time-step, repeated from the first; \
             the ANN gets their mean. {:.1} % of the {} events share frame and pixel with an earlier one and are \
             summed (up to {} in one)",
            self.recordings,
            self.frames,
            self.shared as f64 / self.binned.max(1) as f64 * 100.0,
            self.binned,
            self.max_count
        )];
        let [_, height, width] = plan.shape;
        if plan.sensor != [width, height] {
            let [sensor_width, sensor_height] = plan.sensor;
            notes.push(format!(
                "the sensor's {sensor_width}x{sensor_height} pixels are summed to the network's input of {width}x{height}"
            ));
        }
        match plan.polarity {
            Polarity::Sum => notes.push("ON and OFF events are summed in one channel".into()),
            Polarity::On | Polarity::Off => {
                notes.push(format!(
                    "{:.1} % of the events, those of the other polarity, are ignored",
                    percent(self.other_polarity)
                ));
            }
            _ => {}
        }
        if self.discarded_late > 0 {
            notes.push(format!(
                "{:.1} % of the events are after the last of {} frames and are discarded{}",
                percent(self.discarded_late),
                self.frames,
                if binning.tonic {
                    ", as tonic does: frames are whole ticks long, and the last event is in none"
                } else {
                    ""
                }
            ));
        }
        notes
    }
}

impl Binning {
    /// Writes the options that differ from those of `usual`, as they stand after the files.
    pub(in crate::data) fn write_options(&self, f: &mut fmt::Formatter<'_>, usual: &Self) -> fmt::Result {
        match self.time {
            time if time == usual.time => {}
            FrameTiming::Frames(frames) => write!(f, ",frames={frames}")?,
            FrameTiming::Span { us, frames } => {
                write!(f, ",us={us}")?;
                frames.map_or(Ok(()), |frames| write!(f, ",frames={frames}"))?;
            }
        }
        if self.polarity != usual.polarity {
            let word = Polarity::ALL.iter().find(|(known, _)| *known == self.polarity).map_or("", |known| known.1);
            write!(f, ",polarity={word}")?;
        }
        self.sensor.map_or(Ok(()), |[width, height]| write!(f, ",sensor={width}x{height}"))?;
        self.unit.map_or(Ok(()), |unit| write!(f, ",unit={}", unit.as_str()))?;
        self.order.map_or(Ok(()), |order| write!(f, ",order={order}"))?;
        if self.tonic { f.write_str(",tonic=1") } else { Ok(()) }
    }
}

/// As options after the files; defaults are omitted.
impl fmt::Display for Binning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_options(f, &Self::default())
    }
}
