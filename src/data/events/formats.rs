//! The two kinds of files that recordings come in: N-MNIST's five bytes an event, and numpy arrays of records.

use std::path::Path;

use crate::data::bounded_read::open;
use crate::data::npy;
use crate::{Error, Result};

/// A row that N-MNIST's sensor does not have: the clock went round.
const OVERFLOW_ROW: u8 = 240;
/// By how much the clock goes on then, in microseconds.
const OVERFLOW: u64 = 1 << 13;
/// The most events of one recording.
const MOST_EVENTS: usize = 1 << 26;
/// The largest coordinate that is read.
const LARGEST_SIDE: usize = 4096;

/// The events of one recording.
pub fn events(path: &Path) -> Result<Vec<Event>> {
    let size = open(path)?.metadata().map_err(|e| Error::io(path, e))?.len();
    if size > (MOST_EVENTS * 16) as u64 {
        return Err(Error::file(path, "", format!("has more than {MOST_EVENTS} events")));
    }
    let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    let events = match ending.as_str() {
        _ if bytes.starts_with(b"\x93NUMPY") => structured(path, &bytes)?,
        "bin" => nmnist(path, &bytes)?,
        _ => {
            let reason = "is neither a NumPy array of events (.npy with x, y, t, p) nor an N-MNIST file with five bytes per \
                 event (.bin)";
            return Err(Error::file(path, "", reason));
        }
    };
    match events.is_empty() {
        true => Err(Error::file(path, "", "contains no event")),
        false => Ok(events),
    }
}

/// Five bytes an event: x, y, and in three bytes the polarity and 23 bits of microseconds.
fn nmnist(path: &Path, bytes: &[u8]) -> Result<Vec<Event>> {
    if !bytes.len().is_multiple_of(5) {
        return Err(Error::file(
            path,
            "",
            format!("has {} bytes, not a multiple of the five bytes of an event", bytes.len()),
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
            width_of(&kind).ok_or_else(|| fail(format!("field '{name}' has type {kind}, which is not supported")))?;
        known.insert(name, Field { at: size, kind });
        size += width;
    }
    let [count] = shape[..] else {
        return Err(fail(format!("events are a list, but this has shape {}", crate::error::format_shape(&shape))));
    };
    if count > MOST_EVENTS || count.checked_mul(size) != Some(rest.len()) {
        return Err(fail(format!("announces {count} events of {size} bytes, but {} bytes follow", rest.len())));
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
            _ => Err(Error::file(path, format!("event {index}"), format!("x {px}, y {py}, t {time} are invalid"))),
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
