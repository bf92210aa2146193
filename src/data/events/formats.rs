//! Parsers of event recordings: N-MNIST files of five bytes per event, and NumPy record arrays.

use std::path::Path;

use crate::data::bounded_read::open;
use crate::data::npy;
use crate::{Error, Result};

/// The `y` of an N-MNIST record that marks an overflow of the sensor's clock; the sensor has no such row.
const OVERFLOW_ROW: u8 = 240;
/// Time added per overflow record, in microseconds.
const OVERFLOW: u64 = 1 << 13;
/// Maximum number of events in one recording.
const MAX_EVENTS: usize = 1 << 26;
/// Upper limit of coordinates (exclusive).
const MAX_SIDE: usize = 4096;

/// Reads the events of one recording, in file order.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read; [`Error::File`] for other formats, invalid records and empty recordings.
pub fn events(path: &Path) -> Result<Vec<Event>> {
    let size = open(path)?.metadata().map_err(|e| Error::io(path, e))?.len();
    if size > (MAX_EVENTS * 16) as u64 {
        return Err(Error::file(path, "", format!("has more than {MAX_EVENTS} events")));
    }
    let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    let events = match extension.as_str() {
        _ if bytes.starts_with(b"\x93NUMPY") => parse_records(path, &bytes)?,
        "bin" => parse_nmnist(path, &bytes)?,
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

/// Parses five bytes per event: x, y, and three bytes of polarity (1 bit) and microseconds (23 bits, big endian).
fn parse_nmnist(path: &Path, bytes: &[u8]) -> Result<Vec<Event>> {
    if !bytes.len().is_multiple_of(5) {
        return Err(Error::file(
            path,
            "",
            format!("has {} bytes, not a multiple of the five bytes of an event", bytes.len()),
        ));
    }
    let mut overflow_time = 0;
    let mut events = Vec::with_capacity(bytes.len() / 5);
    for b in bytes.chunks_exact(5) {
        if b[1] == OVERFLOW_ROW {
            overflow_time += OVERFLOW;
            continue;
        }
        let t = u64::from(u32::from_be_bytes([0, b[2] & 0x7f, b[3], b[4]])) + overflow_time;
        events.push(Event { x: b[0].into(), y: b[1].into(), t, p: b[2] >> 7 });
    }
    Ok(events)
}

/// A field of a record: byte offset and NumPy type string.
struct Field {
    at: usize,
    kind: String,
}

/// Parses a NumPy array of records with fields `x`, `y`, `t` and `p`.
fn parse_records(path: &Path, bytes: &[u8]) -> Result<Vec<Event>> {
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
    if count > MAX_EVENTS || count.checked_mul(size) != Some(rest.len()) {
        return Err(fail(format!("announces {count} events of {size} bytes, but {} bytes follow", rest.len())));
    }
    let field = |names: [&str; 2]| {
        let found = names.iter().find_map(|name| known.get(*name));
        found.ok_or_else(|| fail(format!("has no field '{}'", names[0])))
    };
    let (x, y, t, p) = (field(["x", "X"])?, field(["y", "Y"])?, field(["t", "timestamp"])?, field(["p", "polarity"])?);
    let parse_event = |(index, record): (usize, &[u8])| {
        let (px, py, time, polarity) =
            (field_value(record, x), field_value(record, y), field_value(record, t), field_value(record, p));
        let side = |v: i64| u16::try_from(v).ok().filter(|&v| usize::from(v) < MAX_SIDE);
        match (side(px), side(py), u64::try_from(time)) {
            (Some(x), Some(y), Ok(t)) => Ok(Event { x, y, t, p: u8::from(polarity > 0) }),
            _ => Err(Error::file(path, format!("event {index}"), format!("x {px}, y {py}, t {time} are invalid"))),
        }
    };
    rest.chunks_exact(size.max(1)).enumerate().map(parse_event).collect()
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

/// The value of a field as an integer; -1 if it lies outside the record.
fn field_value(record: &[u8], field: &Field) -> i64 {
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

/// One event of an event camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    pub x: u16,
    pub y: u16,
    /// Time in the unit of the file, usually microseconds.
    pub t: u64,
    /// Polarity: brighter (ON, 1) or darker (OFF, 0).
    pub p: u8,
}
