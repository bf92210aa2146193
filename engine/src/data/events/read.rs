//! Reads event recordings as samples: frames for the spiking network, their mean for the ANN.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::binner::Binner;
use super::binning::Binning;
use super::binning_stats::BinningStats;
use super::formats::{Recording, read_recordings};
use crate::data::bounded_read::checked_len;
use crate::data::files::listing::{FileFilter, Listing};
use crate::data::samples::event_source::{Event, EventSource, RecordingInfo};
use crate::data::{FrameSequence, LabelSource, Layout, Note, Samples, cifar};
use crate::{Error, Result};

/// Width and height in pixels of the sensor that recorded N-MNIST.
const NMNIST_SIDE: usize = 34;

const NO_FILE: &str = "Cannot open events: no file named.";

/// Recordings, as folders of them are read.
pub(in crate::data) const RECORDINGS: FileFilter = FileFilter {
    name: "event recording",
    endings: &["npy", "npz", "dat", "raw", "evt", "aedat4", "aedat", "es", "bin"],
    accepts: is_recording,
};

/// Whether the file at `path` looks like a recording: a NumPy file, a recording of a camera, or a `.bin` whose size is a multiple
/// of an event's 5 bytes and that is no batch of CIFAR.
pub fn is_recording(path: &Path) -> bool {
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    match ending.as_str() {
        "npy" | "dat" | "raw" | "evt" | "aedat4" | "aedat" | "es" => true,
        "npz" => super::formats::holds_events(path),
        "bin" => {
            let has_events = std::fs::metadata(path).is_ok_and(|m| m.len() > 0 && m.len().is_multiple_of(5));
            has_events && cifar::binary_batch(path).is_none()
        }
        _ => false,
    }
}

/// Reads the recordings at `paths` (files, or one folder with a subfolder per class) as samples `[P, H, W]`, binned by
/// `binning`. `fit` is the network's input: two polarities `[2, H, W]`, or one plane `[1, H, W]`.
///
/// # Errors
/// [`Error::File`] for invalid files and for events outside the sensor or, if no sensor is stated, outside `fit`;
/// [`Error::Invalid`] for a network whose input is no event frame and for binnings that do not fit it.
pub fn read(paths: &[PathBuf], binning: &Binning, fit: Option<&[usize]>) -> Result<Samples> {
    let Listing { files, labels, class_names, notes: left_out } = RECORDINGS.list(paths)?;
    let (recordings, mut notes) = recordings_of(&files, binning, &mut |_| Ok(()))?;
    notes.extend(left_out);
    let Some(first) = files.first() else { return Err(Error::Invalid(NO_FILE.into())) };
    let nmnist = files.iter().all(|path| path.extension().is_some_and(|e| e == "bin"));
    let min_side = if nmnist { NMNIST_SIDE } else { 1 };
    let seen = || {
        let extents = recordings.iter().map(|recording| recording.extent);
        extents.fold([min_side; 2], |[width, height], [w, h]| [width.max(w), height.max(h)])
    };
    // The sensor of N-MNIST is known; other files of this format come from larger sensors.
    let known = nmnist && binning.sensor.is_none() && seen() == [NMNIST_SIDE; 2];
    let stated = binning;
    let binning = &if known { Binning { sensor: Some([NMNIST_SIDE; 2]), ..*stated } } else { *stated };
    let plan = binning.plan(fit, seen)?;
    let count = binning
        .frames(recordings.iter().map(|r| r.span()))
        .map_err(|reason| Error::file(first, "all recordings", reason))?;
    let len: usize = plan.shape.iter().product();
    checked_len(first, "all frames", &[files.len(), count, len])?;
    let (mut frames, mut values) = (vec![0.0; files.len() * count * len], vec![0.0; files.len() * len]);
    let stats = bin_all((&mut frames, &mut values), [count, len], |index, counts| {
        let (path, recording) = (&files[index], &recordings[index]);
        let mut binner = Binner::new(binning, path, (recording.span(), recording.extent), &plan, counts);
        recording.for_each(&mut |index, event| binner.add(index, event))?;
        Ok(binner.stats)
    })?;
    notes.extend(stats.notes(binning, &plan).into_iter().map(Note::from));
    let events = Recordings { all: recordings, sensor: plan.sensor, binning: *binning };
    let named = paths.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(",");
    Ok(Samples {
        source: format!("events:{named}{stated}"),
        shape: plan.shape.to_vec(),
        layout: Some(Layout::ChannelsFirst),
        values: Arc::new(values),
        labels: Arc::new(labels),
        label_source: if class_names.is_empty() { LabelSource::Indices } else { LabelSource::Names },
        class_names,
        frames: Some(FrameSequence { count, values: Arc::new(frames), events: Some(Arc::new(events)) }),
        notes,
        ..Samples::default()
    })
}

/// The recordings of samples.
#[derive(Debug)]
struct Recordings {
    all: Vec<Recording>,
    /// Width and height of the sensor in pixels.
    sensor: [usize; 2],
    binning: Binning,
}

impl EventSource for Recordings {
    fn info(&self, index: usize) -> Option<RecordingInfo> {
        let recording = self.all.get(index)?;
        Some(RecordingInfo {
            name: recording.path().file_name().unwrap_or_default().to_string_lossy().into_owned(),
            events: recording.count,
            on: recording.on,
            sensor: self.sensor,
            span: recording.span()[0],
            frame: self.binning.frame_length(recording.span()),
        })
    }
    fn for_each(&self, index: usize, visit: &mut dyn FnMut(Event) -> Result<()>) -> Result<()> {
        self.all.get(index).map_or(Ok(()), |recording| recording.for_each(&mut |_, event| visit(event)))
    }
}

/// The recordings at `paths`, as [`read`] takes them, without their frames. `each` as for [`read_recordings`].
///
/// # Errors
/// As [`read_recordings`].
pub fn recordings(
    paths: &[PathBuf],
    binning: &Binning,
    each: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<(Vec<Recording>, Vec<Note>)> {
    recordings_of(&RECORDINGS.list(paths)?.files, binning, each)
}

fn recordings_of(
    files: &[PathBuf],
    binning: &Binning,
    each: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<(Vec<Recording>, Vec<Note>)> {
    if files.is_empty() {
        return Err(Error::Invalid(NO_FILE.into()));
    }
    let paths: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    read_recordings(&paths, binning, each)
}

/// Bins recordings in parallel: `bin(index, [frames, sums])` adds the events of one to its part of `frames`, `count` frames
/// of `len` values for each recording, and to their sums in `means`, which become means over time.
///
/// # Errors
/// That of `bin` for the first recording that has one.
pub(super) fn bin_all(
    (frames, means): (&mut [f32], &mut [f32]),
    [count, len]: [usize; 2],
    bin: impl Fn(usize, [&mut [f32]; 2]) -> Result<BinningStats> + Sync,
) -> Result<BinningStats> {
    use rayon::prelude::*;
    let parts = frames.par_chunks_mut((count * len).max(1)).zip(means.par_chunks_mut(len.max(1)));
    let one = |(index, (frames, sums)): (usize, (&mut [f32], &mut [f32]))| {
        // Fresh pages that are read before they are written cost two faults each.
        frames.fill(0.0);
        let stats = bin(index, [frames, &mut *sums]);
        sums.iter_mut().for_each(|sum| *sum /= count as f32);
        stats
    };
    let all: Vec<Result<BinningStats>> = parts.enumerate().map(one).collect();
    let mut stats = BinningStats::new(count);
    all.into_iter().try_for_each(|one| one.map(|one| stats.merge(&one)))?;
    Ok(stats)
}

#[cfg(test)]
mod tests {
    use super::super::events;
    use super::*;
    use crate::data::DataSpec;
    use crate::data::bounded_read::tests::{shared, write};

    fn record(x: i16, y: i16, t: i64, p: u8) -> Vec<u8> {
        [&x.to_le_bytes()[..], &y.to_le_bytes(), &t.to_le_bytes(), &[p]].concat()
    }

    fn array(fields: &str, count: &str, records: &[Vec<u8>]) -> Vec<u8> {
        let text = format!("{{'descr': {fields}, 'fortran_order': False, 'shape': ({count},), }}\n");
        let mut out = b"\x93NUMPY\x01\x00".to_vec();
        out.extend((text.len() as u16).to_le_bytes());
        out.extend(text.as_bytes());
        out.extend(records.concat());
        out
    }

    const XYTP: &str = "[('x', '<i2'), ('y', '<i2'), ('t', '<i8'), ('p', '|b1')]";

    #[test]
    fn events_become_frames_and_their_mean() {
        let dir = tempfile::tempdir().unwrap();
        let records = [record(1, 0, 1000, 1), record(1, 0, 1001, 1), record(0, 2, 33_000, 0)];
        let path = write(&dir, "a.npy", &array(XYTP, "3", &records));
        let spec = DataSpec::detect(&path).unwrap();
        let samples = spec.load().unwrap();
        assert_eq!(samples.shape, [2, 3, 2]);
        let frames = samples.frames.as_ref().unwrap();
        let at = |frame: usize, p: usize, y: usize, x: usize| frames.values[((frame * 2 + p) * 3 + y) * 2 + x];
        assert_eq!((at(0, 1, 0, 1), at(31, 0, 2, 0), frames.values.iter().sum::<f32>()), (2.0, 1.0, 3.0));
        assert_eq!(samples.raw(0)[6 + 1], 2.0 / 32.0);
        // Both polarities in one channel, in a larger image.
        let one = spec.load_resized(&[1, 4, 4]).unwrap();
        assert_eq!((one.shape.as_slice(), one.raw(0)[1]), ([1, 4, 4].as_slice(), 2.0 / 32.0));
        let beyond = spec.load_resized(&[1, 2, 2]).unwrap_err().to_string();
        assert!(beyond.contains("event 2") && beyond.contains("sensor=2x3"), "{beyond}");
        assert!(spec.load_resized(&[12]).is_err());
    }

    /// Two recordings of known events, read with the binning `options`.
    fn binned(options: &str, fit: Option<&[usize]>) -> Result<Samples> {
        let dir = tempfile::tempdir().unwrap();
        let first = [record(0, 0, 0, 1), record(3, 1, 10, 0), record(3, 1, 11, 0), record(2, 0, 99, 1)];
        let second = [record(1, 1, 500, 1), record(1, 1, 539, 1)];
        let (a, b) =
            (write(&dir, "a.npy", &array(XYTP, "4", &first)), write(&dir, "b.npy", &array(XYTP, "2", &second)));
        let spec = DataSpec::parse(&format!("events:{},{}{options}", a.display(), b.display())).unwrap();
        fit.map_or_else(|| spec.load(), |shape| spec.load_resized(shape))
    }

    /// Indices `[sample, frame, channel, y, x]` of nonzero values, and these values.
    fn nonzero(samples: &Samples) -> Vec<([usize; 5], f32)> {
        let frames = samples.frames.as_ref().unwrap();
        let [p, h, w] = samples.shape[..] else { panic!() };
        let at = |i: usize| {
            [i / (frames.count * p * h * w), i / (p * h * w) % frames.count, i / (h * w) % p, i / w % h, i % w]
        };
        frames.values.iter().enumerate().filter(|(_, v)| **v != 0.0).map(|(i, v)| (at(i), *v)).collect()
    }

    #[test]
    fn frames_have_a_given_number_or_a_given_length() {
        let four = binned(",frames=4", None).unwrap();
        assert_eq!(four.shape, [2, 2, 4]);
        let known = [
            ([0, 0, 0, 1, 3], 2.0),
            ([0, 0, 1, 0, 0], 1.0),
            ([0, 3, 1, 0, 2], 1.0),
            // The second recording is shorter, and so are its frames: its first and last event are in its first and last frame.
            ([1, 0, 1, 1, 1], 1.0),
            ([1, 3, 1, 1, 1], 1.0),
        ];
        assert_eq!(nonzero(&four), known);
        assert_eq!(four.raw(1)[8 + 5], 2.0 / 4.0, "the mean over frames");
        assert!(four.notes[0].text.contains("are taken as microseconds"), "{:?}", four.notes);
        let note = &four.notes[1].text;
        assert!(note.contains("4 frames of 10.0 to 25.0 µs") && note.contains("16.7 % of the 6 events"), "{note}");
        assert!(note.contains("up to 2 in one"), "{note}");
        // By length: as many frames as the longest recording needs; empty frames after the shorter one.
        let long = binned(",us=20", None).unwrap();
        assert_eq!(long.frames.as_ref().unwrap().count, 5);
        let frames: Vec<usize> = nonzero(&long).iter().map(|(at, _)| at[1]).collect();
        assert_eq!(frames, [0, 0, 4, 0, 1]);
        // Fewer frames than that: later events are discarded, and a note says so.
        let cut = binned(",us=20,frames=2", None).unwrap();
        assert_eq!(nonzero(&cut).iter().map(|(_, n)| *n).sum::<f32>(), 5.0);
        assert!(
            cut.notes.iter().any(|note| note.text.contains("16.7 % of the events are after the last of 2 frames")),
            "{:?}",
            cut.notes
        );
        let far = binned(",us=1", None).map(|samples| samples.frames.unwrap().count);
        assert_eq!(far.unwrap(), 100);
    }

    #[test]
    fn polarity_and_sensor_options_apply() {
        let on = binned(",frames=1,polarity=on", None).unwrap();
        assert_eq!(on.shape, [1, 2, 4]);
        assert_eq!(nonzero(&on), [([0, 0, 0, 0, 0], 1.0), ([0, 0, 0, 0, 2], 1.0), ([1, 0, 0, 1, 1], 2.0)]);
        assert!(
            on.notes.iter().any(|note| note.text.contains("33.3 % of the events, those of the other polarity")),
            "{:?}",
            on.notes
        );
        let off = binned(",frames=1,polarity=off", None).unwrap();
        assert_eq!(nonzero(&off), [([0, 0, 0, 1, 3], 2.0)]);
        let sum = binned(",frames=1,polarity=sum", None).unwrap();
        assert_eq!(nonzero(&sum).iter().map(|(_, n)| n).sum::<f32>(), 6.0);
        // A sensor larger than the network's input: blocks of pixels are summed.
        let small = binned(",frames=1,sensor=8x4", Some(&[2, 2, 4])).unwrap();
        assert_eq!(nonzero(&small)[..2], [([0, 0, 0, 0, 1], 2.0), ([0, 0, 1, 0, 0], 1.0)]);
        assert!(small.notes.iter().any(|note| note.text.contains("8x4 pixels are summed")), "{:?}", small.notes);
        assert_eq!(binned(",frames=1,sensor=8x4", None).unwrap().shape, [2, 4, 8]);
        let beyond = binned(",sensor=2x2", Some(&[2, 8, 8])).unwrap_err().to_string();
        assert!(beyond.contains("event 1") && beyond.contains("size of 2x2"), "{beyond}");
        let odd = binned(",polarity=split", Some(&[1, 4, 4])).unwrap_err().to_string();
        assert!(odd.contains("polarity=split") && odd.contains("1"), "{odd}");
        assert_eq!(binned("", Some(&[1, 4, 4])).unwrap().shape, [1, 4, 4]);
    }

    #[test]
    fn broken_recordings_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let refused = |bytes: &[u8]| events(&write(&dir, "a.npy", bytes)).unwrap_err().to_string();
        assert!(refused(&array(XYTP, "99", &[record(0, 0, 0, 0)])).contains("99 events"));
        assert!(refused(&array(XYTP, "1", &[record(-1, 0, 0, 0)])).contains("event 0"));
        assert!(refused(&array("[('x', '<i2'), ('y', '<i2')]", "1", &[vec![0; 4]])).contains("'t'"));
        assert!(refused(&array("[('x', '|O')]", "1", &[vec![0; 8]])).contains("type |O"));
        assert!(refused(&array("'<f4'", "1", &[vec![0; 4]])).contains("not events"));
        assert!(refused(&[1, 2, 3]).contains("neither") && refused(b"").contains("empty"));
        let bytes = |bytes: &[u8]| events(&write(&dir, "a.bin", bytes)).unwrap_err().to_string();
        assert!(bytes(&[1, 2, 3]).contains("3 bytes") && bytes(b"").contains("no event"));
        // Another format of five bytes per event is not mistaken for N-MNIST.
        assert!(events(&write(&dir, "a.bs1", &[0; 10])).unwrap_err().to_string().contains("a.bs1"));
    }

    #[test]
    fn n_mnist_recording_is_read() {
        let Some(path) = shared("events/nmnist_sample.bin") else { return };
        let spec = DataSpec::detect(&path).unwrap();
        let samples = spec.load().unwrap();
        assert_eq!(samples.shape, [2, 34, 34]);
        // Its sensor is known: a network of another size can read it too, and a note says so.
        let small = spec.load_resized(&[1, 28, 28]).unwrap();
        assert!(small.notes.iter().any(|note| note.text.contains("34x34 pixels are summed")), "{:?}", small.notes);
        let events = events(&path).unwrap();
        assert!(events.windows(2).all(|w| w[0].t <= w[1].t), "time runs forward");
        assert_eq!(samples.frames.unwrap().values.iter().sum::<f32>(), events.len() as f32);
    }
}
