//! Generated event recordings: drawn digits under a camera that moves in three saccades.
//!
//! The camera follows N-MNIST (Orchard et al. 2015): 34x34 pixels, three saccades of 100 ms along a triangle. A pixel emits
//! an event when the logarithm of its brightness has moved by its threshold since its last event, as in the model of
//! ESIM (Rebecq et al. 2018): interpolated crossing times, thresholds that differ between pixels, a refractory time, and
//! noise of its own.

use std::f32::consts::TAU;
use std::path::Path;
use std::sync::Arc;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::binner::Binner;
use super::binning::{Binning, FrameTiming};
use super::binning_stats::BinningStats;
use crate::data::bounded_read::checked_len;
use crate::data::digits::{self, render};
use crate::data::samples::event_source::{Event, EventSource, RecordingInfo};
use crate::data::{FrameSequence, Layout, Note, Samples};
use crate::{Error, Result};

/// Width and height of the sensor in pixels, that of N-MNIST.
pub const SENSOR_SIDE: usize = 34;
/// Frames per recording where none are stated.
pub const DEFAULT_FRAMES: usize = 10;
/// Width of the border around the digit, in pixels.
const BORDER: f32 = (SENSOR_SIDE - render::SIDE) as f32 / 2.0;
/// Duration of one saccade and of the steps it is computed in, in microseconds.
const SACCADE_US: u64 = 100_000;
const STEP_US: u64 = 1_000;
const SACCADES: usize = 3;
/// Corners of the camera's path in pixels: a triangle, as in N-MNIST.
const PATH: [[f32; 2]; SACCADES + 1] = [[-1.6, -1.6], [0.0, 1.6], [1.6, -1.6], [-1.6, -1.6]];
/// Brightness of the black ground, where a white stroke has 1 more.
const AMBIENT: f32 = 0.12;
/// Contrast threshold in units of log brightness, and the deviation of a pixel's own from it.
const THRESHOLD: f32 = 0.3;
const THRESHOLD_DEVIATION: f32 = 0.1;
/// A pixel emits no event for this long after one, in microseconds.
const REFRACTORY_US: u64 = 1_000;
/// Noise events per pixel and second.
const NOISE_HZ: f32 = 0.8;

/// The test or the training set of generated recordings; the two share no random stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventSplit {
    /// 1,000 recordings for testing.
    Test,
    /// 4,000 recordings for training.
    Train,
}

impl EventSplit {
    /// The split called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Test, Self::Train].into_iter().find(|split| split.name() == name)
    }
    /// `events-digits` or `events-digits-train`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Test => "events-digits",
            Self::Train => "events-digits-train",
        }
    }
    /// Number of recordings.
    pub fn count(self) -> usize {
        match self {
            Self::Test => 1_000,
            Self::Train => 4_000,
        }
    }
    fn seed(self) -> u64 {
        match self {
            Self::Test => 0xe7e57,
            Self::Train => 0xe7121,
        }
    }
}

impl Binning {
    /// The binning of generated recordings where nothing is stated.
    pub fn of_digits() -> Self {
        Self { time: FrameTiming::Frames(DEFAULT_FRAMES), ..Self::default() }
    }
}

/// All recordings of `split` in frames `[P, 34, 34]` by `binning`, labels 0 to 9; `fit` is the network's input.
///
/// # Errors
/// [`Error::Invalid`] for a network whose input is no event frame, and for binnings that do not fit it.
pub fn generate(split: EventSplit, binning: &Binning, seed: u32, fit: Option<&[usize]>) -> Result<Samples> {
    generate_some(split, split.count(), binning, seed, fit)
}

/// The first `count` recordings of `split`, as [`generate`]. Sample `i` does not depend on `count`.
///
/// # Errors
/// As [`generate`].
pub fn generate_some(
    split: EventSplit,
    count: usize,
    binning: &Binning,
    seed: u32,
    fit: Option<&[usize]>,
) -> Result<Samples> {
    let name = format!("builtin:{}", split.name());
    let path = Path::new(&name);
    let binning = &Binning { sensor: Some([SENSOR_SIDE; 2]), ..*binning };
    let plan = binning.plan(fit, || [SENSOR_SIDE; 2])?;
    let stream = split.seed() ^ (u64::from(seed) << 32);
    let digits = digits::generate_some(count, stream);
    let recordings: Vec<Vec<Event>> = (0..count)
        .into_par_iter()
        .map(|index| {
            let mut rng = ChaCha8Rng::seed_from_u64(stream ^ 0x5acc_ade5);
            rng.set_stream(index as u64);
            record(digits.raw(index), &mut rng)
        })
        .collect();
    let frames = binning
        .frames(recordings.iter().map(|events| span(events)))
        .map_err(|reason| Error::Invalid(format!("Cannot bin {name}: {reason}")))?;
    let len: usize = plan.shape.iter().product();
    checked_len(path, "all frames", &[count, frames, len])?;
    let mut stats = BinningStats::new(frames);
    let mut values = Vec::with_capacity(count * frames * len);
    for recording in &recordings {
        let mut binner = Binner::new(binning, path, (span(recording), [SENSOR_SIDE; 2]), &plan, &mut stats);
        recording.iter().zip(0..).try_for_each(|(event, index)| binner.add(index, *event))?;
        values.append(&mut binner.counts);
    }
    let means = super::read::frame_means(&values, frames, len);
    let events = Generated { split, seed, count, binning: *binning };
    Ok(Samples {
        shape: plan.shape.to_vec(),
        values: Arc::new(means),
        frames: Some(FrameSequence { count: frames, values: Arc::new(values), events: Some(Arc::new(events)) }),
        layout: Some(Layout::ChannelsFirst),
        full_scale: 1.0,
        max: 1.0,
        source: name,
        notes: stats.notes(binning, &plan).into_iter().map(Note::from).collect(),
        ..digits
    })
}

/// Recording `index` of `split`: its events in order of time, with the label of the digit.
pub fn recording(split: EventSplit, seed: u32, index: usize) -> (Vec<Event>, u16) {
    let stream = split.seed() ^ (u64::from(seed) << 32);
    let digits = digits::generate_some(index + 1, stream);
    let mut rng = ChaCha8Rng::seed_from_u64(stream ^ 0x5acc_ade5);
    rng.set_stream(index as u64);
    (record(digits.raw(index), &mut rng), digits.label(index).unwrap_or(0))
}

/// Generated recordings, made again when someone looks at their events.
#[derive(Debug)]
struct Generated {
    split: EventSplit,
    seed: u32,
    count: usize,
    binning: Binning,
}

impl EventSource for Generated {
    fn info(&self, index: usize) -> Option<RecordingInfo> {
        let (events, _) = (index < self.count).then(|| recording(self.split, self.seed, index))?;
        Some(RecordingInfo {
            name: format!("{} {index}", self.split.name()),
            events: events.len() as u64,
            on: events.iter().map(|event| u64::from(event.p)).sum(),
            sensor: [SENSOR_SIDE; 2],
            span: span(&events)[0],
            frame: self.binning.frame_length(span(&events)),
        })
    }
    fn for_each(&self, index: usize, visit: &mut dyn FnMut(Event) -> Result<()>) -> Result<()> {
        recording(self.split, self.seed, index).0.into_iter().try_for_each(visit)
    }
}

/// What a pixel keeps between its events.
#[derive(Clone, Copy)]
struct Pixel {
    /// Log brightness at its last event and at the last step.
    reference: f32,
    last: f32,
    threshold: f32,
    /// First microsecond at which it may emit again.
    ready: f32,
}

/// Records `digit` `[28, 28]` (0..255): events in order of time, in nanoseconds.
fn record(digit: &[f32], rng: &mut ChaCha8Rng) -> Vec<Event> {
    let scene = log_brightness(digit);
    // Small differences between recordings: where the path begins, how far it goes and how fast each saccade starts.
    let origin: [f32; 2] = [rng.random_range(-0.5..0.5), rng.random_range(-0.5..0.5)];
    let reach: f32 = rng.random_range(0.85..1.15);
    let sway: f32 = rng.random_range(0.0..TAU);
    let offset = |us: u64| {
        let leg = ((us / SACCADE_US) as usize).min(SACCADES - 1);
        let along = (us - leg as u64 * SACCADE_US) as f32 / SACCADE_US as f32;
        // A saccade speeds up and slows down.
        let eased = along * along * (3.0 - 2.0 * along);
        let tremor = 0.05 * (TAU * 3.0 * along + sway).sin();
        [0, 1].map(|k| {
            let (from, to) = (PATH[leg][k], PATH[leg + 1][k]);
            origin[k] + reach * (from + (to - from) * eased) + tremor
        })
    };
    let mut pixels = Vec::with_capacity(SENSOR_SIDE * SENSOR_SIDE);
    let start = offset(0);
    for place in 0..SENSOR_SIDE * SENSOR_SIDE {
        let value = scene_at(&scene, place, start);
        let spread = rng.random_range(-1.0..1.0f32) + rng.random_range(-1.0..1.0f32);
        let threshold = THRESHOLD * (1.0 + THRESHOLD_DEVIATION * spread);
        // A random fraction of the threshold is already reached.
        let reference = value + threshold * rng.random_range(-0.5..0.5f32);
        pixels.push(Pixel { reference, last: value, threshold, ready: 0.0 });
    }
    let noise = NOISE_HZ * STEP_US as f32 * 1e-6;
    let mut events = Vec::new();
    for step in 1..=SACCADES as u64 * SACCADE_US / STEP_US {
        let (from, now) = (((step - 1) * STEP_US) as f32, offset(step * STEP_US));
        for (place, pixel) in pixels.iter_mut().enumerate() {
            let value = scene_at(&scene, place, now);
            let (x, y) = ((place % SENSOR_SIDE) as u16, (place / SENSOR_SIDE) as u16);
            let mut emit = |us: f32, p: u8| events.push(Event { x, y, t: us as u64 * 1000, p });
            let rise = value - pixel.last;
            loop {
                let (target, p) = match value - pixel.reference {
                    above if above >= pixel.threshold => (pixel.reference + pixel.threshold, 1),
                    below if below <= -pixel.threshold => (pixel.reference - pixel.threshold, 0),
                    _ => break,
                };
                pixel.reference = target;
                let part = if rise == 0.0 { 1.0 } else { ((target - pixel.last) / rise).clamp(0.0, 1.0) };
                let us = from + part * (STEP_US - 1) as f32;
                if us >= pixel.ready {
                    emit(us, p);
                    pixel.ready = us + REFRACTORY_US as f32;
                }
            }
            pixel.last = value;
            if rng.random::<f32>() < noise {
                let us = from + rng.random_range(0.0..(STEP_US - 1) as f32);
                let p = rng.random_range(0..2u8);
                if us >= pixel.ready {
                    emit(us, p);
                    pixel.ready = us + REFRACTORY_US as f32;
                }
            }
        }
    }
    events.sort_by_key(|event| (event.t, event.y, event.x));
    events
}

/// Duration and resolution of a recording in nanoseconds.
fn span(events: &[Event]) -> [u64; 2] {
    [events.last().map_or(0, |event| event.t) + 1000, 1000]
}

/// Side of the scene: the digit with a ground around it that the camera never leaves.
const SCENE_SIDE: usize = render::SIDE + 2;

/// Log brightness `[30, 30]` of a digit, smoothed by the lens (1, 2, 1 in both directions).
fn log_brightness(digit: &[f32]) -> Vec<f32> {
    let side = render::SIDE as isize;
    let pixel = |x: isize, y: isize| match (0..side).contains(&x) && (0..side).contains(&y) {
        true => digit[(y * side + x) as usize] / 255.0,
        false => 0.0,
    };
    let smooth = |x: isize, y: isize| {
        let row = |y: isize| pixel(x - 1, y) + 2.0 * pixel(x, y) + pixel(x + 1, y);
        (row(y - 1) + 2.0 * row(y) + row(y + 1)) / 16.0
    };
    let places = 0..SCENE_SIDE as isize;
    places
        .clone()
        .flat_map(|y| places.clone().map(move |x| (x - 1, y - 1)))
        .map(|(x, y)| (AMBIENT + smooth(x, y)).ln())
        .collect()
}

/// Log brightness that pixel `place` of the sensor sees when the digit is moved by `offset`, bilinear.
fn scene_at(scene: &[f32], place: usize, offset: [f32; 2]) -> f32 {
    let (x, y) = ((place % SENSOR_SIDE) as f32, (place / SENSOR_SIDE) as f32);
    let [x, y] = [x - BORDER - offset[0] + 1.0, y - BORDER - offset[1] + 1.0];
    let [x, y] = [x, y].map(|v| v.clamp(0.0, (SCENE_SIDE - 1) as f32 - 1e-3));
    let (left, top) = (x as usize, y as usize);
    let (fx, fy) = (x - left as f32, y - top as f32);
    let row = |at: usize| scene[at] + (scene[at + 1] - scene[at]) * fx;
    let (upper, lower) = (row(top * SCENE_SIDE + left), row((top + 1) * SCENE_SIDE + left));
    upper + (lower - upper) * fy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recordings_have_the_form_of_n_mnist() {
        let (mut counts, mut on) = (Vec::new(), 0);
        for index in 0..8 {
            let (events, label) = recording(EventSplit::Test, 0, index);
            assert!(label < 10);
            assert!(events.windows(2).all(|pair| pair[0].t <= pair[1].t), "in order of time");
            assert!(events.iter().all(|e| usize::from(e.x.max(e.y)) < SENSOR_SIDE && e.p < 2));
            assert!(events.iter().all(|e| e.t < 300_000_000 && e.t.is_multiple_of(1000)), "within 300 ms, in µs");
            // Refractory time of a pixel.
            let mut last = vec![None; SENSOR_SIDE * SENSOR_SIDE];
            for event in &events {
                let before = &mut last[usize::from(event.y) * SENSOR_SIDE + usize::from(event.x)];
                assert!(before.is_none_or(|t| event.t - t >= (REFRACTORY_US - 1) * 1000));
                *before = Some(event.t);
            }
            on += events.iter().filter(|e| e.p == 1).count();
            counts.push(events.len());
        }
        let mean = counts.iter().sum::<usize>() / counts.len();
        // N-MNIST has about 4,200 events a recording, half of them ON.
        assert!((2_500..6_500).contains(&mean), "{counts:?}");
        let share = on as f64 / counts.iter().sum::<usize>() as f64;
        assert!((0.4..0.6).contains(&share), "{share}");
    }

    #[test]
    fn frames_are_whole_counts_that_depend_on_the_seed_and_not_on_the_number() {
        let binning = Binning::of_digits();
        let some = |count, seed| generate_some(EventSplit::Train, count, &binning, seed, None).unwrap();
        let (few, more) = (some(2, 0), some(3, 0));
        assert_eq!(few.shape, [2, SENSOR_SIDE, SENSOR_SIDE]);
        let frames = few.frames.unwrap();
        assert_eq!(frames.count, DEFAULT_FRAMES);
        assert!(frames.values.iter().all(|v| v.fract() == 0.0 && *v >= 0.0));
        assert_eq!(frames.values[..], more.frames.unwrap().values[..frames.values.len()]);
        assert_ne!(some(2, 1).frames.unwrap().values, frames.values);
        let one = generate_some(EventSplit::Test, 1, &binning, 0, Some(&[1, SENSOR_SIDE, SENSOR_SIDE])).unwrap();
        assert_eq!(one.shape, [1, SENSOR_SIDE, SENSOR_SIDE]);
        assert_eq!(recording(EventSplit::Test, 0, 0).0.len() as f32, one.frames.unwrap().values.iter().sum::<f32>());
    }
}
