//! Batches of CIFAR as pixels and labels: the binary version and the version for Python.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::set::{Cifar, PIXELS};
use crate::data::bounded_read::{checked_len, open, read_to_len};
use crate::ground::number_type::NumberType;
use crate::pickle::numpy_array::row_major;
use crate::pickle::unpickler;
use crate::pickle::value::{Pickle, PickleValue};
use crate::{Error, Result};

/// Images and labels of one file.
#[derive(Debug)]
pub(super) struct Batch {
    /// Records, each of which ends with the pixels of an image.
    bytes: Vec<u8>,
    /// Bytes of a record.
    record: usize,
    pub labels: Vec<u16>,
}

impl Batch {
    /// The pixels `[3, 32, 32]` of each image.
    pub fn images(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes.chunks_exact(self.record).map(|record| &record[self.record - PIXELS..])
    }
}

/// Reads one batch, of either version.
///
/// # Errors
/// [`Error::Io`] or [`Error::File`] with the place for a file that is no batch of `set`.
pub(super) fn read(path: &Path, set: Cifar) -> Result<Batch> {
    let mut file = open(path)?;
    let len = file.metadata().map_err(|e| Error::io(path, e))?.len();
    let head = head_of(&mut file).map_err(|e| Error::io(path, e))?;
    // A record of the binary version begins with a label.
    if let [0x80, 2..=5, ..] = head[..] {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        checked_len(path, "size", &[len])?;
        return read_pickle(path, &read_to_len(path, "pickle", &mut file, len)?, set);
    }
    if let Some(reason) = foreign(&head) {
        return Err(Error::file(path, "", reason));
    }
    let record = set.record();
    let records = usize::try_from(len / record as u64).unwrap_or(usize::MAX);
    if len % record as u64 != 0 {
        let reason = format!("has {len} bytes, not a multiple of the {record} bytes of a {} record", set.name());
        return Err(Error::file(path, "size", reason));
    }
    checked_len(path, "size", &[records, record])?;
    let bytes = read_to_len(path, "records", &mut file, records * record)?;
    let label = |(index, bytes): (usize, &[u8])| {
        // Of two labels the second is the fine one.
        let label = i64::from(bytes[record - PIXELS - 1]);
        check(path, set, label, || format!("record {index} (byte {})", index * record))
    };
    let labels = bytes.chunks_exact(record).enumerate().map(label).collect::<Result<Vec<u16>>>()?;
    Ok(Batch { bytes, record, labels })
}

/// The first four bytes, or as many as there are. Leaves the file at its start.
fn head_of(file: &mut File) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    file.by_ref().take(4).read_to_end(&mut head)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(head)
}

/// What the file is, if it is none of both versions and its first bytes say so.
fn foreign(head: &[u8]) -> Option<&'static str> {
    match head[..] {
        [] => Some("is empty"),
        [0x1f, 0x8b, ..] => Some("is compressed with gzip. Unpack it, and name a batch in it"),
        [b'P', b'K', 3, 4] => Some("is a zip archive, not a batch. Unpack it, and name a batch in it"),
        [b'(', b'd' | b'l', b'p', _] => Some("is a pickle of protocol 0 or 1. Save it with protocol 2 or later"),
        _ => None,
    }
}

/// A pickled dictionary with `data`, an array of bytes `[N, 3072]` or `[N, 3, 32, 32]`, and `labels` or `fine_labels`, a list
/// or an array of N numbers.
fn read_pickle(path: &Path, bytes: &[u8], set: Cifar) -> Result<Batch> {
    let fail = |place: &str, reason: String| Error::file(path, place, reason);
    let (pickle, _) = unpickler::run(bytes).map_err(|reason| fail("pickle", reason))?;
    let entry = |name: &str| {
        let found = pickle.entries(pickle.root).iter().find(|(key, _)| pickle.key(*key).as_deref() == Some(name));
        found.map(|(_, value)| *value)
    };
    let [wanted, other] = match set {
        Cifar::Ten => ["labels", "fine_labels"],
        Cifar::Hundred => ["fine_labels", "labels"],
    };
    let what = "a batch of CIFAR is a dictionary with data and labels (CIFAR-10) or fine_labels (CIFAR-100)";
    let absent = |name: &str| match entry(other) {
        Some(_) if name == wanted => {
            let form = if set == Cifar::Ten { "cifar100" } else { "cifar10" };
            fail("labels", format!("are those of the other set. Use {form}:{}", path.display()))
        }
        _ => fail("pickle", format!("has no {name}; {what}")),
    };
    let labels = entry(wanted).ok_or_else(|| absent(wanted))?;
    let data = entry("data").ok_or_else(|| absent("data"))?;
    let array = pickle.array_parts(data);
    let array = array.ok_or_else(|| fail("data", format!("is {}, no array of bytes", pickle.describe(data))))?;
    let rows = array.shape.first().copied().unwrap_or(0);
    let is_batch = matches!(array.shape[..], [_, PIXELS] | [_, 3, 32, 32]) && array.number_type == NumberType::Uint(1);
    if !is_batch || rows.checked_mul(PIXELS) != Some(array.bytes.len()) {
        let (shape, name) = (crate::error::format_shape(&array.shape), array.number_type.name());
        return Err(fail("data", format!("is {name} of {shape}; bytes (uint8) of Nx{PIXELS} or Nx3x32x32 are read")));
    }
    if rows == 0 {
        return Err(fail("data", "has no images".into()));
    }
    checked_len(path, "data", &array.shape)?;
    let bytes = if array.is_fortran { row_major(array.bytes, &array.shape) } else { array.bytes.to_vec() };
    let numbers = numbers_of(&pickle, labels).map_err(|(place, reason)| fail(&format!("{wanted}{place}"), reason))?;
    if numbers.len() != rows {
        return Err(fail(wanted, format!("are {} for {rows} images", numbers.len())));
    }
    let label = |(index, &label): (usize, &i64)| check(path, set, label, || format!("{wanted}[{index}]"));
    let labels = numbers.iter().enumerate().map(label).collect::<Result<Vec<u16>>>()?;
    Ok(Batch { bytes, record: PIXELS, labels })
}

/// Labels, as a list or an array of whole numbers.
///
/// # Errors
/// Place and reason.
fn numbers_of<'a>(pickle: &Pickle<'a>, labels: PickleValue<'a>) -> Result<Vec<i64>, (String, String)> {
    if let Some(array) = pickle.array_parts(labels) {
        if !array.number_type.is_whole() || array.is_big_endian && array.number_type.size() > 1 {
            let name = array.number_type.name();
            return Err((String::new(), format!("are {name}; labels are whole numbers, little-endian")));
        }
        // Exact: labels are far below 2^24.
        return Ok(array.number_type.read_all(array.bytes).into_iter().map(|label| label as i64).collect());
    }
    let number = |(index, value): (usize, &PickleValue<'a>)| match *value {
        PickleValue::Int(label) => Ok(label),
        other => Err((format!("[{index}]"), format!("is {}; labels are whole numbers", pickle.describe(other)))),
    };
    pickle.items(labels).iter().enumerate().map(number).collect()
}

/// The label, if `set` has it.
fn check(path: &Path, set: Cifar, label: i64, place: impl Fn() -> String) -> Result<u16> {
    let classes = set.class_names().len();
    let valid = u16::try_from(label).ok().filter(|label| usize::from(*label) < classes);
    valid.ok_or_else(|| {
        Error::file(path, place(), format!("has label {label}; {} has 0 to {}", set.name(), classes - 1))
    })
}
