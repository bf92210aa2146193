//! NumPy recordings: arrays of records, arrays `[N, 4]` and archives of both or of four arrays, read as streams.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use zip::ZipArchive;

use super::super::columns::{ColumnOrder, ColumnStatistics};
use super::super::summary::{RawEvent, RawTime, TimeKind};
use super::{MAX_SIDE, Sink};
use crate::data::bounded_read::{checked_len, open, read_to_len};
use crate::data::npy::{Content, DType, Field, Header, Kind, read_header};
use crate::error::format_shape;
use crate::{Error, Result};

/// Names of the fields of a record, in lower case.
const X: &[&str] = &["x"];
const Y: &[&str] = &["y"];
const T: &[&str] = &["t", "ts", "timestamp", "timestamps", "time", "times"];
const P: &[&str] = &["p", "pol", "polarity", "polarities", "on"];
/// Bytes that are read at once.
const CHUNK: usize = 1 << 16;
/// Where errors of a header lie.
const HEADER: &str = "the array header";

/// Where the values of an event lie in a record.
#[derive(Clone, Copy)]
struct Places([(usize, DType); 4]);

/// Polarities of two values, checked as they come.
#[derive(Default)]
struct Polarities {
    known: Option<[f64; 2]>,
}

impl Polarities {
    /// Whether `value` is the brighter polarity; `None` for a third value, and for two without a dark one.
    fn read(&mut self, value: f64) -> Option<u8> {
        let [low, high] = self.known.unwrap_or([value; 2]);
        let known = [low.min(value), high.max(value)];
        let third = value != low && value != high && low != high;
        if third || value.is_nan() || (known[0] > 0.0 && known[0] < known[1]) {
            return None;
        }
        self.known = Some(known);
        Some(u8::from(value > 0.0))
    }
}

/// An array of a file or an archive.
enum Input {
    File(BufReader<File>),
    /// The archive and the name of the member.
    Archive(Box<ZipArchive<BufReader<File>>>, String),
}

/// The arrays of events in a file: one with all values, or four with x, y, t and p.
fn inputs(path: &Path) -> Result<Vec<Input>> {
    if !super::starts_with(path, b"PK") {
        return Ok(vec![Input::File(BufReader::new(open(path)?))]);
    }
    let fail = |reason: String| Error::file(path, "archive", reason);
    let archive = || {
        let archive = ZipArchive::new(BufReader::new(open(path)?));
        archive.map(Box::new).map_err(|e| fail(format!("is not a readable npz file ({e})")))
    };
    let first = archive()?;
    let names: Vec<String> = first.file_names().map(str::to_owned).collect();
    let stem = |name: &str| name.strip_suffix(".npy").unwrap_or(name).to_lowercase();
    let named = |known: &[&str]| known.iter().find_map(|k| names.iter().find(|name| stem(name) == *k)).cloned();
    if let (Some(x), Some(y), Some(t), Some(p)) = (named(X), named(Y), named(T), named(P)) {
        return [x, y, t, p].into_iter().map(|name| Ok(Input::Archive(archive()?, name))).collect();
    }
    let known = named(&["events", "event", "data", "arr_0"]);
    let Some(name) = known.or_else(|| names.first().cloned().filter(|_| names.len() == 1)) else {
        let list = names.join(", ");
        return Err(fail(format!(
            "has neither arrays x, y, t and p nor an array 'events'; its arrays are {list}. Save one of these"
        )));
    };
    Ok(vec![Input::Archive(first, name)])
}

impl Input {
    fn with<R>(&mut self, path: &Path, work: impl FnOnce(&mut dyn Read) -> Result<R>) -> Result<R> {
        match self {
            Self::File(reader) => work(reader),
            Self::Archive(archive, name) => {
                let member = archive.by_name(name);
                work(&mut BufReader::new(
                    member.map_err(|e| Error::file(path, &*name, format!("cannot be read ({e})")))?,
                ))
            }
        }
    }
}

/// Statistics of the columns if the file is an array `[N, 4]`; `None` for records and archives of four arrays.
pub(super) fn column_statistics(path: &Path) -> Result<Option<ColumnStatistics>> {
    let mut inputs = inputs(path)?;
    let [input] = inputs.as_mut_slice() else { return Ok(None) };
    input.with(path, |reader| {
        let header = header_of(path, reader)?;
        let Some(dtype) = columns(&header) else { return Ok(None) };
        let mut statistics = ColumnStatistics::default();
        for_each_row(path, reader, &header, dtype, &mut |_, row| {
            statistics.add(row);
            Ok(())
        })?;
        Ok(Some(statistics))
    })
}

/// Whether the header is of records, or of four columns.
pub(super) fn is_records(path: &Path) -> Option<bool> {
    let mut inputs = inputs(path).ok()?;
    if inputs.len() == 4 {
        return Some(true);
    }
    let header = inputs.first_mut()?.with(path, |reader| header_of(path, reader)).ok()?;
    match header.content {
        Content::Records { .. } => Some(true),
        Content::Plain(_) => columns(&header).map(|_| false),
    }
}

fn header_of(path: &Path, reader: &mut dyn Read) -> Result<Header> {
    read_header(reader).map_err(|reason| Error::file(path, HEADER, reason))
}

/// The type of an array `[N, 4]`.
fn columns(header: &Header) -> Option<DType> {
    match header.content {
        Content::Plain(dtype) if dtype.is_number() && matches!(*header.shape.as_slice(), [_, 4]) => Some(dtype),
        _ => None,
    }
}

/// Reads every event; `order` is that of the columns of an array `[N, 4]`. Returns what the times mean.
///
/// # Errors
/// [`Error::File`] for other arrays, and for invalid or missing events.
pub(super) fn scan(path: &Path, order: Option<ColumnOrder>, sink: Sink<'_>) -> Result<TimeKind> {
    let mut inputs = inputs(path)?;
    if inputs.len() == 4 {
        return scan_four(path, &mut inputs, sink);
    }
    let Some(input) = inputs.first_mut() else { return Ok(TimeKind::Integers) };
    input.with(path, |reader| {
        let header = header_of(path, reader)?;
        let fail = |reason: String| Error::file(path, HEADER, reason);
        let mut polarities = Polarities::default();
        if let Some(dtype) = columns(&header) {
            let order = order.ok_or_else(|| Error::Internal("event columns without an order".into()))?;
            let [x, y, t, p] = ['x', 'y', 't', 'p'].map(|letter| order.column(letter));
            let kind = if dtype.kind == Kind::Float { TimeKind::Floats } else { TimeKind::Integers };
            for_each_row(path, reader, &header, dtype, &mut |index, row| {
                let time =
                    if kind == TimeKind::Floats { RawTime::Float(row[t]) } else { RawTime::Integer(row[t] as i128) };
                sink(checked(path, index, [row[x], row[y], row[p]], time, &mut polarities)?)
            })?;
            return Ok(kind);
        }
        let shape = format_shape(&header.shape);
        let Content::Records { fields, size } = header.content else {
            return Err(fail(format!("has shape {shape}: not events (records with x, y, t and p, or Nx4 numbers)")));
        };
        let count = header.shape.iter().try_fold(1usize, |product, &d| product.checked_mul(d));
        // A list, perhaps as one row or column.
        let is_list = header.shape.iter().filter(|&&d| d != 1).count() <= 1 && !header.shape.is_empty();
        let count = count.filter(|_| is_list);
        let count = count.ok_or_else(|| fail(format!("events are a list, but this has shape {shape}")))?;
        let places = places(path, &fields)?;
        let kind = time_kind(places.0[2].1);
        for_each_chunk(path, reader, count, size, &mut |index, record| {
            let at = |k: usize| places.0[k].1.decode(value(record, places.0[k]));
            let time = time_of(places.0[2].1, value(record, places.0[2]));
            sink(checked(path, index, [at(0), at(1), at(3)], time, &mut polarities)?)
        })?;
        Ok(kind)
    })
}

/// Reads four arrays of equal length side by side.
fn scan_four(path: &Path, inputs: &mut [Input], sink: Sink<'_>) -> Result<TimeKind> {
    let mut readers: Vec<(BufReader<zip::read::ZipFile<'_, BufReader<File>>>, DType)> = Vec::new();
    let mut count = None;
    for input in inputs {
        let Input::Archive(archive, name) = input else { continue };
        let fail = |reason: String| Error::file(path, name.clone(), reason);
        let member = archive.by_name(name).map_err(|e| fail(format!("cannot be read ({e})")))?;
        let mut reader = BufReader::new(member);
        let header = read_header(&mut reader).map_err(fail)?;
        let length: usize = checked_len(path, name, &header.shape)?;
        let Content::Plain(dtype) = header.content else { return Err(fail("is an array of records".into())) };
        if header.shape.len() != 1 || *count.get_or_insert(length) != length {
            let reason = format!("has shape {}; x, y, t and p are lists of one length", format_shape(&header.shape));
            return Err(fail(reason));
        }
        readers.push((reader, dtype));
    }
    let (mut polarities, mut bytes) = (Polarities::default(), [0u8; 64]);
    let kind = readers.get(2).map_or(TimeKind::Integers, |(_, dtype)| time_kind(*dtype));
    for index in 0..count.unwrap_or(0) {
        let (mut values, mut time) = ([0.0; 4], RawTime::Integer(0));
        for (k, (reader, dtype)) in readers.iter_mut().enumerate() {
            let bytes = &mut bytes[..dtype.size.min(64)];
            reader.read_exact(bytes).map_err(|e| {
                Error::file(path, format!("event {index}"), format!("cannot be read ({e}). The file may be truncated."))
            })?;
            values[k] = dtype.decode(bytes);
            if k == 2 {
                time = time_of(*dtype, bytes);
            }
        }
        sink(checked(path, index, [values[0], values[1], values[3]], time, &mut polarities)?)?;
    }
    Ok(kind)
}

fn value(record: &[u8], (at, dtype): (usize, DType)) -> &[u8] {
    record.get(at..at + dtype.size).unwrap_or_default()
}

fn time_kind(dtype: DType) -> TimeKind {
    match dtype.kind {
        Kind::Time { unit } => TimeKind::InUnit(unit),
        Kind::Float => TimeKind::Floats,
        _ => TimeKind::Integers,
    }
}

fn time_of(dtype: DType, bytes: &[u8]) -> RawTime {
    dtype.decode_integer(bytes).map_or_else(|| RawTime::Float(dtype.decode(bytes)), RawTime::Integer)
}

/// An event if x, y and p are a pixel and a polarity.
fn checked(path: &Path, index: usize, [x, y, p]: [f64; 3], t: RawTime, seen: &mut Polarities) -> Result<RawEvent> {
    let side = |v: f64| (v.fract() == 0.0 && (0.0..MAX_SIDE as f64).contains(&v)).then_some(v as u16);
    let fail = |reason: String| Error::file(path, format!("event {index}"), reason);
    let (x, y) = side(x).zip(side(y)).ok_or_else(|| fail(format!("x {x}, y {y} are no pixel")))?;
    let p = seen.read(p).ok_or_else(|| fail(format!("has polarity {p}; polarities are 0 and 1, or -1 and 1")))?;
    Ok(RawEvent { x, y, p, t })
}

/// Where the values of an event lie in a record of `fields`.
fn places(path: &Path, fields: &[Field]) -> Result<Places> {
    let field = |names: &[&str]| {
        let of = |name: &&str| fields.iter().find(|field| field.names.iter().any(|own| own.to_lowercase() == **name));
        let found = names.iter().find_map(of);
        let usable = found.and_then(|field| Some((field.at, field.dtype?)));
        usable.ok_or_else(|| {
            let known = fields.iter().filter_map(|field| field.names.first()).cloned().collect::<Vec<_>>().join(", ");
            let reason = format!("has no field '{}' ({}); its fields are {known}", names[0], names.join(", "));
            Error::file(path, HEADER, reason)
        })
    };
    Ok(Places([field(X)?, field(Y)?, field(T)?, field(P)?]))
}

/// Calls `visit` with the rows of an array `[N, 4]`. Column-major arrays are held in memory.
fn for_each_row(
    path: &Path,
    reader: &mut dyn Read,
    header: &Header,
    dtype: DType,
    visit: &mut dyn FnMut(usize, [f64; 4]) -> Result<()>,
) -> Result<()> {
    let (count, size) = (header.shape[0], dtype.size);
    if !header.fortran {
        let record = size.saturating_mul(4);
        return for_each_chunk(path, reader, count, record, &mut |index, bytes| {
            let mut row = [0.0; 4];
            row.iter_mut().zip(bytes.chunks_exact(size.max(1))).for_each(|(v, bytes)| *v = dtype.decode(bytes));
            visit(index, row)
        });
    }
    let bytes = read_to_len(path, "array", reader, checked_len(path, "array", &header.shape)?.saturating_mul(size))?;
    let at = |column: usize, index: usize| dtype.decode(&bytes[(column * count + index) * size..][..size]);
    (0..count).try_for_each(|index| visit(index, [0, 1, 2, 3].map(|column| at(column, index))))
}

/// Calls `visit` with `count` records of `size` bytes, behind which the reader must end.
fn for_each_chunk(
    path: &Path,
    reader: &mut dyn Read,
    count: usize,
    size: usize,
    visit: &mut dyn FnMut(usize, &[u8]) -> Result<()>,
) -> Result<()> {
    let whole = count.checked_mul(size).filter(|_| size > 0);
    let fail = |found: u64| {
        let reason = format!("announces {count} events of {size} bytes, but {found} bytes follow");
        Error::file(path, HEADER, reason)
    };
    let Some(mut left) = whole else { return Err(fail(0)) };
    let (mut buffer, mut index, mut seen) = (vec![0u8; (CHUNK / size.max(1)).max(1) * size], 0, 0u64);
    while left > 0 {
        let wanted = buffer.len().min(left);
        let mut filled = 0;
        while filled < wanted {
            match reader.read(&mut buffer[filled..wanted]) {
                Ok(0) => return Err(fail(seen + filled as u64)),
                Ok(read) => filled += read,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(Error::file(path, format!("event {index}"), format!("cannot be read ({e})"))),
            }
        }
        for record in buffer[..wanted].chunks_exact(size) {
            visit(index, record)?;
            index += 1;
        }
        (left, seen) = (left - wanted, seen + wanted as u64);
    }
    match reader.read(&mut [0u8; 1]) {
        Ok(1) => Err(fail(seen + 1)),
        _ => Ok(()),
    }
}
