//! Options that turn events into frames: frame timing, polarity channels, sensor size, unit and columns.

use std::fmt;

use super::columns::ColumnOrder;
use super::time::TimeUnit;

/// Default number of frames per recording.
pub const DEFAULT_FRAMES: usize = 32;
/// Maximum number of frames per recording.
pub const MAX_FRAMES: usize = 4096;
pub(super) const NS_PER_US: u64 = 1000;

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
    /// Whether rows are counted from the bottom of the sensor.
    pub upward: bool,
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

impl Binning {
    /// The names of the options that generated recordings take; their sensor is known.
    pub const GENERATED_KEYS: [&str; 4] = ["frames", "us", "polarity", "tonic"];
    /// The names of the options.
    pub const KEYS: [&str; 8] = ["frames", "us", "polarity", "sensor", "unit", "order", "y", "tonic"];

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
            "y" => {
                self.upward = match value {
                    "down" => false,
                    "up" => true,
                    _ => return Err(format!("Cannot use y={value}: use down or up.")),
                };
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

    /// Length of a frame in nanoseconds, of a recording of duration and resolution `span` in nanoseconds.
    pub(super) fn frame_length(&self, [span, tick]: [u64; 2]) -> f64 {
        match (self.time, self.tonic) {
            (FrameTiming::Span { us, .. }, _) => us as f64 * NS_PER_US as f64,
            (FrameTiming::Frames(frames), false) => span as f64 / frames as f64,
            (FrameTiming::Frames(frames), true) => {
                (span.saturating_sub(tick) / tick.max(1) / frames as u64 * tick) as f64
            }
        }
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
        if self.upward {
            f.write_str(",y=up")?;
        }
        if self.tonic { f.write_str(",tonic=1") } else { Ok(()) }
    }
}

/// As options after the files; defaults are omitted.
impl fmt::Display for Binning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_options(f, &Self::default())
    }
}
