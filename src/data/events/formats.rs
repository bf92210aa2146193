//! Parsers of event recordings: N-MNIST files of five bytes per event, and NumPy arrays of records or of four columns.

use std::path::Path;

use super::columns::ColumnOrder;
use super::time::{Event, Recording, TimeUnit, Times, recognize};
use crate::data::Note;
use crate::data::bounded_read::open;
use crate::data::npy::{Array, Content, DType, Field, Kind, read_header};
use crate::error::format_shape;
use crate::{Error, Result};

/// The `y` of an N-MNIST record that marks an overflow of the sensor's clock; the sensor has no such row.
const OVERFLOW_ROW: u8 = 240;
/// Time added per overflow record, in microseconds.
const OVERFLOW: i128 = 1 << 13;
/// Maximum number of events in one recording.
const MAX_EVENTS: usize = 1 << 26;
/// Upper limit of coordinates (exclusive).
const MAX_SIDE: usize = 4096;
const NUMPY: &[u8] = b"\x93NUMPY";

/// Names of the fields of a record, in lower case.
const X: [&str; 1] = ["x"];
const Y: [&str; 1] = ["y"];
const T: [&str; 6] = ["t", "ts", "timestamp", "timestamps", "time", "times"];
const P: [&str; 5] = ["p", "pol", "polarity", "polarities", "on"];

/// A file before the meaning of columns and times is decided.
enum RawFile {
    Events(RawEvents),
    /// Values `[N, 4]`, and whether they are integers.
    Columns {
        values: Vec<f64>,
        integers: bool,
    },
}

/// Events with times as stored.
struct RawEvents {
    x: Vec<u16>,
    y: Vec<u16>,
    p: Vec<u8>,
    times: Times,
}

/// Reads the events of one recording, in file order.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read; [`Error::File`] for other formats, invalid records and empty recordings.
pub fn events(path: &Path) -> Result<Vec<Event>> {
    let (recordings, _) = read_recordings(&[path], None, None)?;
    Ok(recordings.into_iter().flat_map(|recording| recording.events).collect())
}

/// Reads recordings whose columns and times mean the same in all files: as stated, or as the values of all suggest.
///
/// # Errors
/// As [`events`].
pub(super) fn read_recordings(
    paths: &[&Path],
    unit: Option<TimeUnit>,
    order: Option<ColumnOrder>,
) -> Result<(Vec<Recording>, Vec<Note>)> {
    let files = paths.iter().map(|path| read_raw(path)).collect::<Result<Vec<_>>>()?;
    let mut notes = Vec::new();
    let columns = paths.iter().zip(&files).filter_map(|(path, file)| match file {
        RawFile::Columns { values, .. } => Some((*path, values.as_slice())),
        RawFile::Events(_) => None,
    });
    let columns = columns.collect::<Vec<_>>();
    let useless = |option: &str| {
        let first = paths.first().copied().unwrap_or(Path::new(""));
        Err(Error::file(first, "", format!("tells by itself what {option} states. Omit {option}.")))
    };
    if order.is_some() && columns.is_empty() {
        return useless("order=");
    }
    let order = find_order(&columns, order, &mut notes)?;
    let named = |(path, file): (&&Path, RawFile)| match (file, order) {
        (RawFile::Events(raw), _) => Ok(raw),
        (RawFile::Columns { values, integers }, Some(order)) => from_columns(path, &values, integers, order),
        (RawFile::Columns { .. }, None) => Err(Error::Internal("event columns without an order".into())),
    };
    let raw = paths.iter().zip(files).map(named).collect::<Result<Vec<_>>>()?;
    if unit.is_some() && raw.iter().all(|raw| matches!(raw.times, Times::Microseconds(_) | Times::InUnit(..))) {
        return useless("unit=");
    }
    let (recognized, how) = recognize(&raw.iter().map(|raw| &raw.times).collect::<Vec<_>>());
    if let (None, Some((text, other))) = (unit, how) {
        notes.push(Note::new(text).or_option("unit", other.as_str()));
    }
    let in_nanoseconds = |(path, raw): (&&Path, RawEvents)| {
        let times = raw.times.since_first(unit.unwrap_or(recognized));
        let (times, tick) =
            times.ok_or_else(|| Error::file(path, "times", "are not numbers, or last longer than 584 years"))?;
        let sides = raw.x.into_iter().zip(raw.y);
        let all = sides.zip(raw.p).zip(times).map(|(((x, y), p), t)| Event { x, y, t, p });
        Ok(Recording { events: all.collect(), tick })
    };
    let recordings = paths.iter().zip(raw).map(in_nanoseconds).collect::<Result<Vec<_>>>()?;
    Ok((recordings, notes))
}

/// The order of columns that all `files` fit; `None` without files.
fn find_order(
    files: &[(&Path, &[f64])],
    stated: Option<ColumnOrder>,
    notes: &mut Vec<Note>,
) -> Result<Option<ColumnOrder>> {
    let Some((first, rest)) = files.split_first() else { return Ok(None) };
    if stated.is_some() {
        return Ok(stated);
    }
    let mut fitting = ColumnOrder::fitting(first.1);
    let mut odd = first.0;
    for (path, values) in rest {
        let own = ColumnOrder::fitting(values);
        odd = if fitting.is_empty() { odd } else { path };
        fitting.retain(|order| own.contains(order));
    }
    let Some(&order) = fitting.first() else {
        let reason = "which of the four columns are x, y, time and polarity cannot be told from their values. State their \
                      order, such as order=xytp.";
        return Err(Error::file(odd, "", reason));
    };
    let words: Vec<String> = order.to_string().chars().map(String::from).collect();
    let note = Note::new(format!("the four columns are taken as {} by their values", words.join(", ")));
    notes.push(match fitting.get(1) {
        Some(other) => note.or_option("order", other),
        None => note,
    });
    Ok(Some(order))
}

/// Whether the NumPy file at `path` holds events: records with their fields, or four columns that look like them.
pub fn holds_events(path: &Path) -> bool {
    let file = || std::fs::File::open(path).ok().map(std::io::BufReader::new);
    let header = || read_header(&mut file()?).ok();
    match header() {
        Some(header) => match (header.content, header.shape.as_slice()) {
            (Content::Records { .. }, _) => true,
            (Content::Plain(_), [_, 4]) => {
                let array = file().and_then(|mut file| Array::read(path, "array", &mut file).ok());
                array.is_some_and(|array| !ColumnOrder::fitting(&array.numbers().collect::<Vec<_>>()).is_empty())
            }
            _ => false,
        },
        None => false,
    }
}

fn read_raw(path: &Path) -> Result<RawFile> {
    let size = open(path)?.metadata().map_err(|e| Error::io(path, e))?.len();
    if size > (MAX_EVENTS * 16) as u64 {
        return Err(Error::file(path, "", format!("has more than {MAX_EVENTS} events")));
    }
    let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    let (file, count) = match extension.as_str() {
        _ if bytes.starts_with(NUMPY) => parse_numpy(path, &bytes)?,
        "bin" => {
            let raw = parse_nmnist(path, &bytes)?;
            let count = raw.times.len();
            (RawFile::Events(raw), count)
        }
        _ => {
            let reason = "is neither a NumPy array of events (.npy with x, y, t, p) nor an N-MNIST file with five bytes per \
                 event (.bin)";
            return Err(Error::file(path, "", reason));
        }
    };
    if count == 0 { Err(Error::file(path, "", "contains no event")) } else { Ok(file) }
}

/// Parses five bytes per event: x, y, and three bytes of polarity (1 bit) and microseconds (23 bits, big endian).
fn parse_nmnist(path: &Path, bytes: &[u8]) -> Result<RawEvents> {
    if !bytes.len().is_multiple_of(5) {
        return Err(Error::file(
            path,
            "",
            format!("has {} bytes, not a multiple of the five bytes of an event", bytes.len()),
        ));
    }
    let (mut overflow_time, mut times) = (0, Vec::new());
    let mut raw = RawEvents { x: Vec::new(), y: Vec::new(), p: Vec::new(), times: Times::Microseconds(Vec::new()) };
    for b in bytes.chunks_exact(5) {
        if b[1] == OVERFLOW_ROW {
            overflow_time += OVERFLOW;
            continue;
        }
        times.push(i128::from(u32::from_be_bytes([0, b[2] & 0x7f, b[3], b[4]])) + overflow_time);
        raw.x.push(b[0].into());
        raw.y.push(b[1].into());
        raw.p.push(b[2] >> 7);
    }
    Ok(RawEvents { times: Times::Microseconds(times), ..raw })
}

/// Parses a NumPy array of records, or of four columns, and counts its events.
fn parse_numpy(path: &Path, bytes: &[u8]) -> Result<(RawFile, usize)> {
    let fail = |reason: String| Error::file(path, "the array header", reason);
    let mut rest = bytes;
    let header = read_header(&mut rest).map_err(fail)?;
    let shape = format_shape(&header.shape);
    match header.content {
        Content::Records { fields, size } => {
            let count = header.shape.iter().try_fold(1usize, |product, &d| product.checked_mul(d));
            // A list, perhaps as one row or column.
            let is_list = header.shape.iter().filter(|&&d| d != 1).count() <= 1 && !header.shape.is_empty();
            let Some(count) = count.filter(|_| is_list) else {
                return Err(fail(format!("events are a list, but this has shape {shape}")));
            };
            if count > MAX_EVENTS || count.checked_mul(size) != Some(rest.len()) {
                return Err(fail(format!("announces {count} events of {size} bytes, but {} bytes follow", rest.len())));
            }
            parse_records(path, rest, &fields, size).map(|raw| (RawFile::Events(raw), count))
        }
        Content::Plain(dtype) if dtype.is_number() && matches!(*header.shape.as_slice(), [_, 4]) => {
            let mut whole = bytes;
            let array = Array::read(path, "array", &mut whole)?;
            let file = RawFile::Columns { values: array.numbers().collect(), integers: dtype.kind != Kind::Float };
            Ok((file, array.len() / 4))
        }
        Content::Plain(_) => {
            Err(fail(format!("has shape {shape}: not events (records with x, y, t and p, or Nx4 numbers)")))
        }
    }
}

/// Parses records of `size` bytes.
fn parse_records(path: &Path, bytes: &[u8], fields: &[Field], size: usize) -> Result<RawEvents> {
    let field = |names: &[&str]| {
        let of = |name: &&str| fields.iter().find(|field| field.names.iter().any(|own| own.to_lowercase() == **name));
        let found = names.iter().find_map(of);
        let usable = found.and_then(|field| Some((field.at, field.dtype?)));
        usable.ok_or_else(|| {
            let known = fields.iter().filter_map(|field| field.names.first()).cloned().collect::<Vec<_>>().join(", ");
            Error::file(
                path,
                "the array header",
                format!("has no field '{}' ({}); its fields are {known}", names[0], names.join(", ")),
            )
        })
    };
    let (x, y, t, p) = (field(&X)?, field(&Y)?, field(&T)?, field(&P)?);
    let values = |(at, dtype): (usize, DType)| {
        let value = move |record: &[u8]| record.get(at..at + dtype.size).map_or(f64::NAN, |bytes| dtype.decode(bytes));
        bytes.chunks_exact(size).map(value).collect::<Vec<f64>>()
    };
    let integers = |(at, dtype): (usize, DType)| {
        let value = move |record: &[u8]| dtype.decode_integer(record.get(at..at + dtype.size)?);
        bytes.chunks_exact(size).map(value).collect::<Option<Vec<i128>>>()
    };
    let times = match (t.1.kind, integers(t)) {
        (Kind::Time { unit }, Some(times)) => Times::InUnit(times, unit),
        (_, Some(times)) => Times::Integers(times),
        (_, None) => Times::Floats(values(t)),
    };
    from_values(path, &values(x), &values(y), &values(p), times)
}

/// Events of the columns of `values` `[N, 4]`.
fn from_columns(path: &Path, values: &[f64], integers: bool, order: ColumnOrder) -> Result<RawEvents> {
    let column = |letter: char| values.iter().skip(order.column(letter)).step_by(4).copied().collect::<Vec<f64>>();
    let times = column('t');
    let times =
        if integers { Times::Integers(times.iter().map(|t| *t as i128).collect()) } else { Times::Floats(times) };
    from_values(path, &column('x'), &column('y'), &column('p'), times)
}

/// Checks coordinates and polarities.
fn from_values(path: &Path, x: &[f64], y: &[f64], p: &[f64], times: Times) -> Result<RawEvents> {
    let side = |v: f64| (v.fract() == 0.0 && (0.0..MAX_SIDE as f64).contains(&v)).then_some(v as u16);
    let at = |(index, (&x, &y)): (usize, (&f64, &f64))| {
        let invalid = || Error::file(path, format!("event {index}"), format!("x {x}, y {y} are no pixel"));
        side(x).zip(side(y)).ok_or_else(invalid)
    };
    let (x, y) = x.iter().zip(y).enumerate().map(at).collect::<Result<Vec<_>>>()?.into_iter().unzip();
    let (low, high) = p.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(*v), high.max(*v)));
    let odd = p.iter().position(|v| *v != low && *v != high);
    let odd = odd.or_else(|| (low > 0.0 && low < high).then_some(0));
    if let Some(index) = odd {
        let reason = format!("has polarity {}; polarities are 0 and 1, or -1 and 1", p[index]);
        return Err(Error::file(path, format!("event {index}"), reason));
    }
    Ok(RawEvents { x, y, p: p.iter().map(|v| u8::from(*v > 0.0)).collect(), times })
}

#[cfg(test)]
mod tests;
