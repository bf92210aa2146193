//! Generated event recordings: drawn digits before the camera of `digit_camera`, as samples and one by one.

use std::path::Path;
use std::sync::Arc;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::binner::Binner;
use super::binning::{Binning, FrameTiming};
pub use super::digit_camera::SENSOR_SIDE;
use super::digit_camera::record;
use super::read::bin_all;
use crate::data::bounded_read::checked_len;
use crate::data::samples::event_source::{Event, EventSource, RecordingInfo};
use crate::data::{FrameSequence, Layout, Note, Samples, digits};
use crate::{Error, Result};

/// Frames per recording where none are stated.
pub const DEFAULT_FRAMES: usize = 10;

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
    let (mut values, mut means) = (vec![0.0; count * frames * len], vec![0.0; count * len]);
    let stats = bin_all((&mut values, &mut means), [frames, len], |index, counts| {
        let recording = &recordings[index];
        let mut binner = Binner::new(binning, path, (span(recording), [SENSOR_SIDE; 2]), &plan, counts);
        recording.iter().zip(0..).try_for_each(|(event, index)| binner.add(index, *event))?;
        Ok(binner.stats)
    })?;
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

/// All recordings of `split`, one after the other as they are asked for, with the labels of the digits.
pub fn recordings(split: EventSplit, seed: u32) -> impl Iterator<Item = (Vec<Event>, u16)> {
    let stream = split.seed() ^ (u64::from(seed) << 32);
    let digits = digits::generate_some(split.count(), stream);
    (0..split.count()).map(move |index| {
        let mut rng = ChaCha8Rng::seed_from_u64(stream ^ 0x5acc_ade5);
        rng.set_stream(index as u64);
        (record(digits.raw(index), &mut rng), digits.label(index).unwrap_or(0))
    })
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

/// Duration and resolution of a recording in nanoseconds.
fn span(events: &[Event]) -> [u64; 2] {
    [events.last().map_or(0, |event| event.t) + 1000, 1000]
}

#[cfg(test)]
mod tests {
    use super::super::digit_camera::REFRACTORY_US;
    use super::*;

    #[test]
    fn recordings_have_the_form_of_n_mnist() {
        let (mut counts, mut on) = (Vec::new(), 0);
        for index in 0..8 {
            let (events, label) = recording(EventSplit::Test, 0, index);
            assert!(label < 10);
            assert_eq!((events.clone(), label), recordings(EventSplit::Test, 0).nth(index).unwrap());
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
