//! Recordings of event cameras as tonic stores them: N-MNIST `.bin` files and numpy arrays of events (`x`, `y`, `t`, `p`).
//! They are spikes over time: each is binned into frames, and a spiking network sees one frame a step, over and over. Their
//! mean is what an ANN sees.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::source::{count_values, open};
use super::{Frames, Samples, folder, npy};
use crate::{Error, Result};

/// Frames that a recording is binned into.
pub const FRAMES: usize = 32;
/// Side of the sensor that N-MNIST was recorded with.
const NMNIST_SIDE: usize = 34;
/// A row that N-MNIST's sensor does not have: the clock went round.
const OVERFLOW_ROW: u8 = 240;
/// By how much the clock goes on then, in microseconds.
const OVERFLOW: u64 = 1 << 13;
/// The most events of one recording.
const MOST_EVENTS: usize = 1 << 26;
/// The largest coordinate that is read.
const LARGEST_SIDE: usize = 4096;

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    pub x: u16,
    pub y: u16,
    /// In the file's unit of time, usually microseconds.
    pub t: u64,
    /// Brighter (1) or darker (0).
    pub p: u8,
}

/// Whether the file at `path` looks like a recording: an array of events, or a `.bin` whose size fits events and no
/// CIFAR-10 record.
pub fn is_recording(path: &Path) -> bool {
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    match ending.as_str() {
        "npy" => true,
        "bin" => std::fs::metadata(path)
            .is_ok_and(|m| m.len() > 0 && m.len().is_multiple_of(5) && !m.len().is_multiple_of(3073)),
        _ => false,
    }
}

/// Reads the recordings at `paths` (files, or one folder with a folder per class) as samples `[P, H, W]`. `fit` is the
/// network's input: two polarities `[2, H, W]`, or both together `[1, H, W]`; events beyond its sides are refused.
pub fn read(paths: &[PathBuf], fit: Option<&[usize]>) -> Result<Samples> {
    let (files, labels, class_names) = folder::list_of(paths, is_recording)?;
    let Some(first) = files.first() else { return Err(Error::Invalid("events: no file is named".into())) };
    let recordings = files.iter().map(|path| events(path)).collect::<Result<Vec<_>>>()?;
    let shape = match fit {
        Some(&[polarities @ (1 | 2), height, width]) => [polarities, height, width],
        Some(other) => {
            return Err(Error::Invalid(format!(
                "events are seen by networks with input 2×H×W or 1×H×W, not {}",
                crate::error::dims(other)
            )));
        }
        None => {
            let side =
                |of: fn(&Event) -> u16| recordings.iter().flatten().map(|e| usize::from(of(e)) + 1).max().unwrap_or(1);
            let nmnist = files.iter().all(|path| path.extension().is_some_and(|e| e == "bin"));
            let least = if nmnist { NMNIST_SIDE } else { 1 };
            [2, side(|e| e.y).max(least), side(|e| e.x).max(least)]
        }
    };
    let len: usize = shape.iter().product();
    count_values(first, "all frames", &[files.len(), FRAMES, len])?;
    let mut frames = Vec::with_capacity(files.len() * FRAMES * len);
    for (path, events) in files.iter().zip(&recordings) {
        frames.extend(binned(path, events, shape)?);
    }
    let mean = |recording: &[f32]| {
        (0..len).map(|i| recording.iter().skip(i).step_by(len).sum::<f32>() / FRAMES as f32).collect::<Vec<_>>()
    };
    let values = frames.chunks_exact(FRAMES * len).flat_map(mean).collect();
    let named = paths.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(",");
    Ok(Samples {
        source: format!("events:{named}"),
        shape: shape.to_vec(),
        values: Arc::new(values),
        labels: Arc::new(labels),
        class_names,
        full_scale: 1.0,
        frames: Some(Frames { count: FRAMES, values: Arc::new(frames) }),
    })
}

/// Counts of events in equal spans of time, `[FRAMES, P, H, W]`.
fn binned(path: &Path, events: &[Event], [polarities, height, width]: [usize; 3]) -> Result<Vec<f32>> {
    let mut frames = vec![0.0; FRAMES * polarities * height * width];
    let first = events.iter().map(|e| e.t).min().unwrap_or(0);
    let span = events.iter().map(|e| e.t).max().unwrap_or(0) - first + 1;
    for (index, event) in events.iter().enumerate() {
        let (x, y) = (usize::from(event.x), usize::from(event.y));
        if x >= width || y >= height {
            let reason = format!("lies at {x}, {y}, beyond the {width}×{height} that the network sees");
            return Err(Error::file(path, format!("event {index}"), reason));
        }
        let frame = (u128::from(event.t - first) * FRAMES as u128 / u128::from(span)) as usize;
        let plane = if polarities == 2 { usize::from(event.p.min(1)) } else { 0 };
        frames[((frame * polarities + plane) * height + y) * width + x] += 1.0;
    }
    Ok(frames)
}

/// The events of one recording.
pub fn events(path: &Path) -> Result<Vec<Event>> {
    let size = open(path)?.metadata().map_err(|e| Error::io(path, e))?.len();
    if size > (MOST_EVENTS * 16) as u64 {
        return Err(Error::file(path, "the whole file", format!("has more than {MOST_EVENTS} events")));
    }
    let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
    let events = if bytes.starts_with(b"\x93NUMPY") { structured(path, &bytes)? } else { nmnist(path, &bytes)? };
    match events.is_empty() {
        true => Err(Error::file(path, "the whole file", "holds no event")),
        false => Ok(events),
    }
}

/// Five bytes an event: x, y, and in three bytes the polarity and 23 bits of microseconds.
fn nmnist(path: &Path, bytes: &[u8]) -> Result<Vec<Event>> {
    if !bytes.len().is_multiple_of(5) {
        return Err(Error::file(
            path,
            "the whole file",
            format!("has {} bytes, no whole number of five-byte events", bytes.len()),
        ));
    }
    let mut late = 0;
    let mut events = Vec::with_capacity(bytes.len() / 5);
    for b in bytes.chunks_exact(5) {
        if b[1] == OVERFLOW_ROW {
            late += OVERFLOW;
            continue;
        }
        let t = u64::from(u32::from_be_bytes([0, b[2] & 0x7f, b[3], b[4]])) + late;
        events.push(Event { x: b[0].into(), y: b[1].into(), t, p: b[2] >> 7 });
    }
    Ok(events)
}

/// A field of a record: where it is and how it is read.
struct Field {
    at: usize,
    kind: String,
}

/// A numpy array of records with fields `x`, `y`, `t` and `p`.
fn structured(path: &Path, bytes: &[u8]) -> Result<Vec<Event>> {
    let fail = |reason: String| Error::file(path, "the array header", reason);
    let mut rest = bytes;
    let (fields, shape) = npy::read_records(&mut rest).map_err(fail)?;
    let mut size = 0;
    let mut known = std::collections::HashMap::new();
    for (name, kind) in fields {
        let width =
            width_of(&kind).ok_or_else(|| fail(format!("field '{name}' has type {kind}, which is not read")))?;
        known.insert(name, Field { at: size, kind });
        size += width;
    }
    let [count] = shape[..] else { return Err(fail(format!("events are a list, and this is {shape:?}"))) };
    if count > MOST_EVENTS || count.checked_mul(size) != Some(rest.len()) {
        return Err(fail(format!("claims {count} events of {size} bytes, and {} bytes follow", rest.len())));
    }
    let field = |names: [&str; 2]| {
        let found = names.iter().find_map(|name| known.get(*name));
        found.ok_or_else(|| fail(format!("has no field '{}'", names[0])))
    };
    let (x, y, t, p) = (field(["x", "X"])?, field(["y", "Y"])?, field(["t", "timestamp"])?, field(["p", "polarity"])?);
    let one = |(index, record): (usize, &[u8])| {
        let (px, py, time, polarity) = (number(record, x), number(record, y), number(record, t), number(record, p));
        let side = |v: i64| u16::try_from(v).ok().filter(|&v| usize::from(v) < LARGEST_SIDE);
        match (side(px), side(py), u64::try_from(time)) {
            (Some(x), Some(y), Ok(t)) => Ok(Event { x, y, t, p: u8::from(polarity > 0) }),
            _ => Err(Error::file(path, format!("event {index}"), format!("x {px}, y {py}, t {time} make no sense"))),
        }
    };
    rest.chunks_exact(size.max(1)).enumerate().map(one).collect()
}

fn width_of(kind: &str) -> Option<usize> {
    Some(match kind {
        "|b1" | "|u1" | "|i1" => 1,
        "<i2" | "<u2" => 2,
        "<i4" | "<u4" | "<f4" => 4,
        "<i8" | "<u8" | "<f8" => 8,
        _ => return None,
    })
}

/// A number of a record, whole.
fn number(record: &[u8], field: &Field) -> i64 {
    let mut wide = [0u8; 8];
    let width = width_of(&field.kind).unwrap_or(0);
    let Some(bytes) = record.get(field.at..field.at + width) else { return -1 };
    wide[..width].copy_from_slice(bytes);
    match field.kind.as_str() {
        "|i1" => i64::from(bytes[0] as i8),
        "<i2" => i64::from(i16::from_le_bytes([wide[0], wide[1]])),
        "<i4" => i64::from(i32::from_le_bytes([wide[0], wide[1], wide[2], wide[3]])),
        "<f4" => f32::from_le_bytes([wide[0], wide[1], wide[2], wide[3]]) as i64,
        "<f8" => f64::from_le_bytes(wide) as i64,
        _ => i64::from_le_bytes(wide),
    }
}

#[cfg(test)]
mod tests {
    use super::super::DataSpec;
    use super::super::source::tests::{shared, write};
    use super::*;

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
        let spec = DataSpec::guess(&path).unwrap();
        let samples = spec.load().unwrap();
        assert_eq!(samples.shape, [2, 3, 2]);
        let frames = samples.frames.as_ref().unwrap();
        let at = |frame: usize, p: usize, y: usize, x: usize| frames.values[((frame * 2 + p) * 3 + y) * 2 + x];
        assert_eq!((at(0, 1, 0, 1), at(31, 0, 2, 0), frames.values.iter().sum::<f32>()), (2.0, 1.0, 3.0));
        assert_eq!(samples.raw(0)[6 + 1], 2.0 / 32.0);
        // Both polarities together, in a larger picture.
        let one = spec.load_resized(&[1, 4, 4]).unwrap();
        assert_eq!((one.shape.as_slice(), one.raw(0)[1]), ([1, 4, 4].as_slice(), 2.0 / 32.0));
        assert!(spec.load_resized(&[1, 2, 2]).unwrap_err().to_string().contains("event 2"));
        assert!(spec.load_resized(&[12]).is_err());
    }

    #[test]
    fn broken_recordings_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let refused = |bytes: &[u8]| events(&write(&dir, "a.npy", bytes)).unwrap_err().to_string();
        assert!(refused(&array(XYTP, "99", &[record(0, 0, 0, 0)])).contains("99 events"));
        assert!(refused(&array(XYTP, "1", &[record(-1, 0, 0, 0)])).contains("event 0"));
        assert!(refused(&array("[('x', '<i2'), ('y', '<i2')]", "1", &[vec![0; 4]])).contains("'t'"));
        assert!(refused(&array("[('x', '|O')]", "1", &[vec![0; 8]])).contains("type |O"));
        assert!(refused(&array("'<f4'", "1", &[vec![0; 4]])).contains("no events"));
        assert!(refused(&[1, 2, 3]).contains("3 bytes") && refused(b"").contains("no event"));
    }

    #[test]
    fn a_recording_of_n_mnist_is_read() {
        let Some(path) = shared("events/nmnist_sample.bin") else { return };
        let spec = DataSpec::guess(&path).unwrap();
        let samples = spec.load().unwrap();
        assert_eq!(samples.shape, [2, 34, 34]);
        let events = events(&path).unwrap();
        assert!(events.windows(2).all(|w| w[0].t <= w[1].t), "time runs forward");
        assert_eq!(samples.frames.unwrap().values.iter().sum::<f32>(), events.len() as f32);
    }
}
