//! NumPy recordings: arrays of records, arrays `[N, 4]` and archives of both or of four arrays, read as streams.

use std::path::Path;

use super::super::columns::{ColumnOrder, ColumnStatistics};
use super::super::summary::{RawEvent, RawTime, TimeKind};
use super::numpy_inputs::{HEADER, Input, P, T, X, Y, header_of, inputs};
use super::numpy_streams::{SideBySide, VisitRow, for_each_chunk};
use super::words::{MAX_SIDE, Sink};
use crate::data::npy::{Content, DType, Field, Header, Kind};
use crate::error::format_shape;
use crate::{Error, Result};

/// Polarities: 1 is brighter; darker is 0 or -1, the same in all events of a file.
#[derive(Default)]
struct Polarities {
    darker: Option<f64>,
}

impl Polarities {
    /// Whether `value` is the brighter polarity; `None` for a value that is none, or the other darker one.
    #[inline]
    fn read(&mut self, value: f64) -> Option<u8> {
        if value == 1.0 {
            return Some(1);
        }
        let is_darker = value == 0.0 || value == -1.0;
        (is_darker && *self.darker.get_or_insert(value) == value).then_some(0)
    }
}

/// Makes events of the bytes of x, y, time and polarity.
struct Decoder<'a> {
    path: &'a Path,
    /// Types of x, y, time and polarity.
    types: [DType; 4],
    polarities: Polarities,
}

impl<'a> Decoder<'a> {
    fn new(path: &'a Path, types: [DType; 4]) -> Self {
        Self { path, types, polarities: Polarities::default() }
    }
    fn time_kind(&self) -> TimeKind {
        match self.types[2].kind {
            Kind::Time { unit } => TimeKind::InUnit(unit),
            Kind::Float => TimeKind::Floats,
            _ => TimeKind::Integers,
        }
    }
    /// Event `index`, if x, y and p are a pixel and a polarity.
    #[inline]
    fn event(&mut self, index: usize, bytes: [&[u8]; 4]) -> Result<RawEvent> {
        let [x, y, p] = [0, 1, 3].map(|k| self.types[k].decode(bytes[k]));
        let side = |v: f64| (v.fract() == 0.0 && (0.0..MAX_SIDE as f64).contains(&v)).then_some(v as u16);
        let fail = |reason: String| Error::file(self.path, format!("event {index}"), reason);
        let (x, y) = side(x).zip(side(y)).ok_or_else(|| fail(format!("x {x}, y {y} are no pixel")))?;
        let p = self.polarities.read(p);
        let p = p.ok_or_else(|| {
            let p = self.types[3].decode(bytes[3]);
            fail(format!(
                "has polarity {p}; polarities are 0 and 1, or -1 and 1. Save 1 for brighter events, 0 for darker"
            ))
        })?;
        let time = self.types[2];
        let t = time.decode_integer(bytes[2]).map_or_else(|| RawTime::Float(time.decode(bytes[2])), RawTime::Integer);
        if matches!(t, RawTime::Float(t) if !t.is_finite()) {
            return Err(fail("has a time that is no number".into()));
        }
        Ok(RawEvent { x, y, p, t })
    }
}

/// Statistics of the columns if the file is an array `[N, 4]`; `None` for records and archives of four arrays.
///
/// # Errors
/// [`Error::File`] for damaged arrays.
pub(super) fn column_statistics(path: &Path) -> Result<Option<ColumnStatistics>> {
    let mut inputs = inputs(path)?;
    let [input] = inputs.as_mut_slice() else { return Ok(None) };
    let header = header_at(path, input)?;
    let Some(dtype) = columns(&header) else { return Ok(None) };
    let mut statistics = ColumnStatistics::default();
    let mut add = |_, bytes: [&[u8]; 4]| {
        statistics.add(bytes.map(|bytes| dtype.decode(bytes)));
        Ok(())
    };
    for_each_row(path, &header, dtype, [0, 1, 2, 3], &mut add)?;
    Ok(Some(statistics))
}

/// Whether the header is of records, or of four columns.
pub(super) fn is_records(path: &Path) -> Option<bool> {
    let mut inputs = inputs(path).ok()?;
    if inputs.len() == 4 {
        return Some(true);
    }
    let header = header_at(path, inputs.first_mut()?).ok()?;
    match header.content {
        Content::Records { .. } => Some(true),
        Content::Plain(_) => columns(&header).map(|_| false),
    }
}

fn header_at(path: &Path, input: &mut Input) -> Result<Header> {
    let (mut reader, place) = input.reader(path)?;
    header_of(path, &place, &mut reader)
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
        let mut arrays = SideBySide::of_arrays(path, &mut inputs)?;
        let mut decoder = Decoder::new(path, arrays.types());
        arrays.for_each(path, &mut |index, bytes| sink(decoder.event(index, bytes)?))?;
        return Ok(decoder.time_kind());
    }
    let Some(input) = inputs.first_mut() else { return Ok(TimeKind::Integers) };
    let header = header_at(path, input)?;
    let fail = |reason: String| Error::file(path, HEADER, reason);
    if let Some(dtype) = columns(&header) {
        let order = order.ok_or_else(|| Error::Internal("event columns without an order".into()))?;
        let places = ['x', 'y', 't', 'p'].map(|letter| order.column(letter));
        let mut decoder = Decoder::new(path, [dtype; 4]);
        for_each_row(path, &header, dtype, places, &mut |index, bytes| sink(decoder.event(index, bytes)?))?;
        return Ok(decoder.time_kind());
    }
    let shape = format_shape(&header.shape);
    let Content::Records { fields, size } = &header.content else {
        let turned = if header.shape.first() == Some(&4) { ". Turn it (array.T)" } else { "" };
        return Err(fail(format!(
            "has shape {shape}: not events (records with x, y, t and p, or Nx4 numbers){turned}"
        )));
    };
    let count = header.shape.iter().try_fold(1usize, |product, &d| product.checked_mul(d));
    // A list, perhaps as one row or column.
    let is_list = header.shape.iter().filter(|&&d| d != 1).count() <= 1 && !header.shape.is_empty();
    let count = count.filter(|_| is_list);
    let count = count.ok_or_else(|| fail(format!("events are a list, but this has shape {shape}")))?;
    let places = places(path, fields)?;
    let mut decoder = Decoder::new(path, places.map(|(_, dtype)| dtype));
    let mut inputs = self::inputs(path)?;
    let Some(input) = inputs.first_mut() else { return Ok(TimeKind::Integers) };
    let (mut reader, place) = input.reader(path)?;
    header_of(path, &place, &mut reader)?;
    for_each_chunk(path, &mut reader, count, *size, &mut |index, record| {
        sink(decoder.event(index, places.map(|(at, dtype)| record.get(at..at + dtype.size).unwrap_or_default()))?)
    })?;
    Ok(decoder.time_kind())
}

/// Where x, y, time and polarity lie in a record of `fields`, and their types.
fn places(path: &Path, fields: &[Field]) -> Result<[(usize, DType); 4]> {
    let field = |names: &[&str]| {
        let of = |name: &&str| fields.iter().find(|field| field.names.iter().any(|own| own.to_lowercase() == **name));
        let found = names.iter().find_map(of);
        let usable = found.and_then(|field| Some((field.at, field.dtype?)));
        let usable = usable.filter(|(_, dtype)| dtype.is_number() || matches!(dtype.kind, Kind::Time { .. }));
        usable.ok_or_else(|| {
            let known = fields.iter().filter_map(|field| field.names.first()).cloned().collect::<Vec<_>>().join(", ");
            let reason =
                format!("has no field '{}' of numbers ({}); its fields are {known}", names[0], names.join(", "));
            Error::file(path, HEADER, reason)
        })
    };
    Ok([field(X)?, field(Y)?, field(T)?, field(P)?])
}

/// Calls `visit` with the `columns` of every row of an array `[N, 4]`; column-major ones are read at four places.
fn for_each_row(
    path: &Path,
    header: &Header,
    dtype: DType,
    columns: [usize; 4],
    visit: &mut VisitRow<'_>,
) -> Result<()> {
    let (count, size) = (header.shape[0], dtype.size);
    if header.fortran && count > 1 {
        let mut four: Vec<Input> = Vec::new();
        for _ in 0..4 {
            four.extend(inputs(path)?);
        }
        return SideBySide::of_columns(path, &mut four, columns, count, dtype)?.for_each(path, visit);
    }
    let mut inputs = inputs(path)?;
    let Some(input) = inputs.first_mut() else { return Ok(()) };
    let (mut reader, place) = input.reader(path)?;
    header_of(path, &place, &mut reader)?;
    for_each_chunk(path, &mut reader, count, size.saturating_mul(4), &mut |index, row| {
        visit(index, columns.map(|column| row.get(column * size..(column + 1) * size).unwrap_or_default()))
    })
}
