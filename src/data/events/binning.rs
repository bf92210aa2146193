//! How events become frames: how time is cut, what polarities become, how large the sensor was; and what was cut away or
//! summed on the way.

use std::fmt;
use std::path::Path;

use super::Event;
use crate::error::format_shape;
use crate::{Error, Result};

/// Frames of a recording where nobody says otherwise.
pub const DEFAULT_FRAMES: usize = 32;
/// The most frames of a recording.
pub const MAX_FRAMES: usize = 4096;

/// How recordings become frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Binning {
    pub time: FrameTiming,
    pub polarity: Polarity,
    /// Width and height of the sensor, where the files do not say; the network's own when `None`.
    pub sensor: Option<[usize; 2]>,
}

/// How time is cut into frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FrameTiming {
    /// So many frames of equal length, from the first event of a recording to its last.
    Frames(usize),
    /// Frames of `us` microseconds (the file's unit of time), from the first event on: as many as the longest recording
    /// needs, or `frames`, and what comes later is cut away.
    Span { us: u64, frames: Option<usize> },
}

/// What the two polarities become.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Polarity {
    /// What the network has: two channels, or both in one.
    #[default]
    AsNetwork,
    /// A channel for darker (0) and one for brighter (1).
    Split,
    /// Both in one channel.
    Sum,
    /// Brighter ones only.
    On,
    /// Darker ones only.
    Off,
}

impl Default for FrameTiming {
    fn default() -> Self {
        Self::Frames(DEFAULT_FRAMES)
    }
}

impl Polarity {
    /// All of them with the word for each.
    pub const ALL: [(Self, &str); 5] = [
        (Self::AsNetwork, "network"),
        (Self::Split, "split"),
        (Self::Sum, "sum"),
        (Self::On, "on"),
        (Self::Off, "off"),
    ];
}

/// Where events go: the shape `[P, H, W]` of a frame, and the sensor's `[width, height]`.
pub(super) struct FramePlan {
    pub shape: [usize; 3],
    sensor: [usize; 2],
    polarity: Polarity,
}

impl Binning {
    /// Whether `part` of a specification is an option and no file.
    pub fn is_option(part: &str) -> bool {
        part.trim().split_once('=').is_some_and(|(key, _)| ["frames", "us", "polarity", "sensor"].contains(&key))
    }

    /// Takes the options `frames=`, `us=`, `polarity=` and `sensor=` off the end of a list of files; what is left, and they.
    ///
    /// # Errors
    /// What is wrong with an option, in words.
    pub fn parse_options(parts: &mut Vec<&str>) -> Result<Self, String> {
        let mut binning = Self::default();
        let (mut frames, mut us) = (None, None);
        while let Some((key, value)) = parts.last().and_then(|part| part.trim().split_once('=')) {
            let number = |most: u64| {
                let number = value.trim().parse::<u64>().ok().filter(|n| (1..=most).contains(n));
                number.ok_or_else(|| format!("Cannot use {key}={value}: it must be an integer from 1 to {most}."))
            };
            match key {
                "frames" => frames = Some(number(MAX_FRAMES as u64)? as usize),
                "us" => us = Some(number(u64::MAX >> 1)?),
                "polarity" => {
                    let known = Polarity::ALL.iter().find(|(_, word)| *word == value.trim());
                    binning.polarity = known
                        .ok_or_else(|| {
                            format!("Cannot use polarity={value}: unknown word. Use network, split, sum, on or off.")
                        })?
                        .0;
                }
                "sensor" => {
                    let sides = value.split_once('x').map(|(w, h)| [w, h].map(|side| side.trim().parse::<usize>()));
                    let sides = sides.and_then(|[w, h]| Some([w.ok()?, h.ok()?]));
                    let sides = sides.filter(|sides| sides.iter().all(|side| (1..=4096).contains(side)));
                    binning.sensor = Some(sides.ok_or_else(|| {
                        format!("Cannot use sensor={value}: not a size. Use WIDTHxHEIGHT, such as 128x128.")
                    })?);
                }
                _ => break,
            }
            parts.pop();
        }
        binning.time = match (us, frames) {
            (Some(us), frames) => FrameTiming::Span { us, frames },
            (None, Some(frames)) => FrameTiming::Frames(frames),
            (None, None) => FrameTiming::default(),
        };
        Ok(binning)
    }

    /// Shape and sensor for a network's input `fit`; `seen` gives the sides that the files themselves show.
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

    /// How many frames each of `recordings` becomes.
    pub(super) fn frames(&self, recordings: &[Vec<Event>]) -> Result<usize, String> {
        match self.time {
            FrameTiming::Frames(frames) | FrameTiming::Span { frames: Some(frames), .. } => Ok(frames),
            FrameTiming::Span { us, frames: None } => {
                let longest = recordings.iter().map(|events| span(events).1).max().unwrap_or(1);
                let frames = longest.div_ceil(us);
                usize::try_from(frames).ok().filter(|&frames| frames <= MAX_FRAMES).ok_or_else(|| {
                    format!(
                        "the longest takes {longest} µs, which are {frames} frames of {us} µs, more than \
                         {MAX_FRAMES}. Use longer frames or set their number (frames=N)."
                    )
                })
            }
        }
    }

    /// Counts of events `[frames, P, H, W]`; `tally` remembers what became of them.
    pub(super) fn bin(
        &self,
        path: &Path,
        events: &[Event],
        plan: &FramePlan,
        tally: &mut BinningStats,
    ) -> Result<Vec<f32>> {
        let [planes, height, width] = plan.shape;
        let [across, down] = plan.sensor;
        let mut frames = vec![0.0; tally.frames * planes * height * width];
        let (first, span) = span(events);
        tally.begin(span);
        for (index, event) in events.iter().enumerate() {
            let (x, y) = (usize::from(event.x), usize::from(event.y));
            if x >= across || y >= down {
                let reason = self.beyond(events, [x, y], plan);
                return Err(Error::file(path, format!("event {index}"), reason));
            }
            let late = event.t - first;
            let frame = match self.time {
                FrameTiming::Frames(frames) => (u128::from(late) * frames as u128 / u128::from(span)) as usize,
                FrameTiming::Span { us, .. } => usize::try_from(late / us).unwrap_or(usize::MAX),
            };
            let plane = match (plan.polarity, event.p.min(1)) {
                (Polarity::Split, p) => usize::from(p),
                (Polarity::On, 0) | (Polarity::Off, 1) => {
                    tally.other_polarity += 1;
                    continue;
                }
                _ => 0,
            };
            if frame >= tally.frames {
                tally.late += 1;
                continue;
            }
            let (column, row) = (x * width / across, y * height / down);
            let count = &mut frames[((frame * planes + plane) * height + row) * width + column];
            *count += 1.0;
            tally.counted(*count);
        }
        Ok(frames)
    }

    /// Why an event at `x`, `y` has no place, and what gives it one.
    fn beyond(&self, events: &[Event], [x, y]: [usize; 2], plan: &FramePlan) -> String {
        let [_, height, width] = plan.shape;
        let [across, down] = plan.sensor;
        if self.sensor.is_some() {
            return format!("is at {x}, {y}, outside the stated sensor size of {across}x{down}");
        }
        let side = |of: fn(&Event) -> u16| events.iter().map(|e| usize::from(of(e)) + 1).max().unwrap_or(1);
        format!(
            "is at {x}, {y}, outside the network's input of {width}x{height}. Set the sensor size (at least \
             sensor={}x{}) to sum its pixels, or open another network.",
            side(|e| e.x),
            side(|e| e.y)
        )
    }
}

/// The time of the first event, and how long the recording is from it to the last, that one included.
fn span(events: &[Event]) -> (u64, u64) {
    let first = events.iter().map(|e| e.t).min().unwrap_or(0);
    (first, events.iter().map(|e| e.t).max().unwrap_or(0) - first + 1)
}

/// What became of the events of all recordings.
pub(super) struct BinningStats {
    frames: usize,
    recordings: usize,
    /// The shortest and the longest recording.
    spans: [u64; 2],
    binned: u64,
    /// Events that share frame, channel and pixel with an earlier one.
    shared: u64,
    most: f32,
    late: u64,
    other_polarity: u64,
}

impl BinningStats {
    pub fn new(frames: usize) -> Self {
        let (spans, most) = ([u64::MAX, 0], 0.0);
        Self { frames, recordings: 0, spans, binned: 0, shared: 0, most, late: 0, other_polarity: 0 }
    }
    fn begin(&mut self, span: u64) {
        self.recordings += 1;
        self.spans = [self.spans[0].min(span), self.spans[1].max(span)];
    }
    fn counted(&mut self, there: f32) {
        self.binned += 1;
        self.shared += u64::from(there > 1.0);
        self.most = self.most.max(there);
    }

    /// What has to be known of the frames, in sentences.
    pub fn notes(&self, binning: &Binning, plan: &FramePlan) -> Vec<String> {
        let share = |n: u64| n as f64 / (self.binned + self.late + self.other_polarity).max(1) as f64 * 100.0;
        let of = |length: f64| if length < 100.0 { format!("{length:.1}") } else { format!("{length:.0}") };
        let each = match binning.time {
            FrameTiming::Span { us, .. } => format!("{us} µs"),
            FrameTiming::Frames(frames) => {
                let [a, b] = self.spans.map(|span| of(span as f64 / frames as f64));
                if a == b { format!("{a} µs") } else { format!("{a} to {b} µs") }
            }
        };
        let mut notes = vec![format!(
            "{} recording(s) are divided into {} frames of {each} each, one per time-step, repeated from the first; \
             the ANN gets their mean. {:.1} % of the {} events share frame and pixel with an earlier one and are \
             summed (up to {} in one)",
            self.recordings,
            self.frames,
            self.shared as f64 / self.binned.max(1) as f64 * 100.0,
            self.binned,
            self.most
        )];
        let [_, height, width] = plan.shape;
        if plan.sensor != [width, height] {
            let [across, down] = plan.sensor;
            notes.push(format!(
                "the sensor's {across}x{down} pixels are summed to the network's input of {width}x{height}"
            ));
        }
        match plan.polarity {
            Polarity::Sum => notes.push("ON and OFF events are summed in one channel".into()),
            Polarity::On | Polarity::Off => {
                notes.push(format!(
                    "{:.1} % of the events, those of the other polarity, are ignored",
                    share(self.other_polarity)
                ));
            }
            _ => {}
        }
        if self.late > 0 {
            notes.push(format!(
                "{:.1} % of the events are after the last of {} frames and are discarded",
                share(self.late),
                self.frames
            ));
        }
        notes
    }
}

/// As options behind the files; nothing for what is left as it is.
impl fmt::Display for Binning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.time {
            FrameTiming::Frames(DEFAULT_FRAMES) => {}
            FrameTiming::Frames(frames) => write!(f, ",frames={frames}")?,
            FrameTiming::Span { us, frames } => {
                write!(f, ",us={us}")?;
                frames.map_or(Ok(()), |frames| write!(f, ",frames={frames}"))?;
            }
        }
        if self.polarity != Polarity::default() {
            let word = Polarity::ALL.iter().find(|(known, _)| *known == self.polarity).map_or("", |known| known.1);
            write!(f, ",polarity={word}")?;
        }
        self.sensor.map_or(Ok(()), |[width, height]| write!(f, ",sensor={width}x{height}"))
    }
}
