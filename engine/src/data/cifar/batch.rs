//! Batches of CIFAR as pixels and labels: the binary version and the version for Python.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::set::{Cifar, PIXELS};
use crate::data::bounded_read::{checked_len, open, read_to_len};
use crate::ground::number_type::NumberType;
use crate::pickle::unpickler;
use crate::pickle::value::PickleValue;
use crate::{Error, Result};

/// Pixels `[N, 3, 32, 32]` and labels of one file.
#[derive(Debug)]
pub(super) struct Batch {
    pub pixels: Vec<u8>,
    pub labels: Vec<u16>,
}

/// Reads one batch, of either version.
///
/// # Errors
/// [`Error::Io`] or [`Error::File`] with the place for a file that is no batch of `set`.
pub(super) fn read(path: &Path, set: Cifar) -> Result<Batch> {
    let mut file = open(path)?;
    let len = file.metadata().map_err(|e| Error::io(path, e))?.len();
    if is_pickle(&mut file).map_err(|e| Error::io(path, e))? {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        checked_len(path, "size", &[len])?;
        return read_pickle(path, &read_to_len(path, "pickle", &mut file, len)?, set);
    }
    let record = set.record();
    let records = usize::try_from(len / record as u64).unwrap_or(usize::MAX);
    if len == 0 || len % record as u64 != 0 {
        let reason = format!("has {len} bytes, not a multiple of the {record} bytes of a {} record", set.name());
        return Err(Error::file(path, "size", reason));
    }
    checked_len(path, "size", &[records, record])?;
    let bytes = read_to_len(path, "records", &mut file, records * record)?;
    let mut batch = Batch { pixels: Vec::with_capacity(records * PIXELS), labels: Vec::with_capacity(records) };
    for (index, record_bytes) in bytes.chunks_exact(record).enumerate() {
        let (head, pixels) = record_bytes.split_at(record - PIXELS);
        // Of two labels the second is the fine one.
        let label = head.last().copied().map_or(0, u16::from);
        check(path, set, label.into(), || format!("record {index} (byte {})", index * record))?;
        batch.labels.push(label);
        batch.pixels.extend_from_slice(pixels);
    }
    Ok(batch)
}

/// Whether the file begins as a pickle of Python does. Leaves the file at its start.
fn is_pickle(file: &mut File) -> std::io::Result<bool> {
    let mut head = Vec::new();
    file.by_ref().take(2).read_to_end(&mut head)?;
    file.seek(SeekFrom::Start(0))?;
    // A record of the binary version begins with a label.
    Ok(matches!(head[..], [0x80, 2..=5]))
}

/// A pickled dictionary with `data`, an array `[N, 3072]` of bytes, and `labels` or `fine_labels`, a list of N numbers.
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
    let array = pickle.array_parts(data).filter(|array| {
        let is_bytes = array.number_type == NumberType::Uint(1) && !array.is_fortran;
        is_bytes && matches!(array.shape[..], [n, PIXELS] if n.checked_mul(PIXELS) == Some(array.bytes.len()))
    });
    let array = array.ok_or_else(|| fail("data", format!("is no array of bytes with {PIXELS} in each row")))?;
    checked_len(path, "data", &array.shape)?;
    let numbers = pickle.items(labels);
    if numbers.len() != array.shape[0] {
        return Err(fail(wanted, format!("are {} for {} images", numbers.len(), array.shape[0])));
    }
    let label = |(index, value): (usize, &PickleValue<'_>)| {
        let place = || format!("{wanted}[{index}]");
        match *value {
            PickleValue::Int(label) => check(path, set, label, place),
            other => Err(fail(&place(), format!("is {}; labels are whole numbers", other.kind()))),
        }
    };
    let labels = numbers.iter().enumerate().map(label).collect::<Result<Vec<u16>>>()?;
    Ok(Batch { pixels: array.bytes.to_vec(), labels })
}

/// The label, if `set` has it.
fn check(path: &Path, set: Cifar, label: i64, place: impl Fn() -> String) -> Result<u16> {
    let classes = set.class_names().len();
    let valid = u16::try_from(label).ok().filter(|label| usize::from(*label) < classes);
    valid.ok_or_else(|| {
        Error::file(path, place(), format!("has label {label}; {} has 0 to {}", set.name(), classes - 1))
    })
}
