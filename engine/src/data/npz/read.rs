//! Reads samples and labels from NumPy archives (`.npz`) and arrays (`.npy`).

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zip::ZipArchive;

use super::labels::{self, Labels};
use super::names;
use crate::data::bounded_read::open;
use crate::data::npy::{Array, Kind};
use crate::data::options::ReadOptions;
use crate::data::{Note, Samples, Scaling};
use crate::error::format_shape;
use crate::{Error, Result};

/// Values up to this are not suspected of another scale.
const USUAL_MAX: f32 = 10.0;
const BYTE: f32 = 255.0;

/// Reads the samples of an archive and, if present, their labels; arrays are found by their names (`names.rs`).
///
/// # Errors
/// [`Error::Io`] when the file cannot be read; [`Error::File`] for an archive without samples, for unsupported types,
/// values that are not finite and labels that are not classes.
pub fn read(path: &Path) -> Result<Samples> {
    read_with(path, &ReadOptions::default())
}

/// [`read`] with the arrays that `options` name.
///
/// # Errors
/// As [`read`].
pub fn read_with(path: &Path, options: &ReadOptions) -> Result<Samples> {
    let mut archive = archive(path)?;
    let arrays = array_names(&archive);
    let chosen = names::choose(&arrays, options).map_err(|reason| Error::file(path, "archive", reason))?;
    let x = read_array(path, &chosen.samples, &mut archive)?;
    let mut samples = samples_from(path, &chosen.samples, &x)?;
    samples.notes.splice(0..0, chosen.notes);
    drop(x);
    if let Some(name) = &chosen.labels {
        let y = read_array(path, name, &mut archive)?;
        let count = samples.len();
        put_labels(&mut samples, labels::from_array(path, &file_name(name), &y, count)?);
    }
    samples.source = format!("npz:{}{options}", path.display());
    Ok(samples)
}

/// Reads the samples in a `.npy` file and the labels in another one. Without a stated one, labels beside the samples are
/// read: `NAME_labels.npy`, or `y.npy` beside `x.npy`.
///
/// # Errors
/// As [`read`].
pub fn read_npy_samples(path: &Path, labels: Option<&Path>) -> Result<Samples> {
    let mut samples = samples_from(path, "array", &read_array_file(path)?)?;
    let found = if labels.is_none() { labels_beside(path) } else { None };
    if let Some(found) = &found {
        let name = found.file_name().unwrap_or_default().to_string_lossy().into_owned();
        samples.notes.push(Note::new(format!("the labels are those of {name} beside the samples")));
    }
    if let Some(file) = labels.or(found.as_deref()) {
        let count = samples.len();
        put_labels(&mut samples, labels::from_array(file, "array", &read_array_file(file)?, count)?);
    }
    samples.source = match labels {
        Some(labels) => format!("npy:{},{}", path.display(), labels.display()),
        None => format!("npy:{}", path.display()),
    };
    Ok(samples)
}

/// The file of labels that belongs to the samples at `path` by its name.
pub fn labels_beside(path: &Path) -> Option<PathBuf> {
    let stem = path.file_stem()?.to_str()?;
    let swaps = [
        ("images", "labels"),
        ("data", "labels"),
        ("samples", "labels"),
        ("data", "target"),
        ("x", "y"),
        ("X", "y"),
        ("X", "Y"),
    ];
    let word_swapped = swaps.iter().filter_map(|(from, to)| {
        let words: Vec<&str> = stem.split('_').collect();
        let swapped: Vec<&str> = words.iter().map(|word| if word == from { *to } else { *word }).collect();
        (swapped != words).then(|| swapped.join("_"))
    });
    let names = [format!("{stem}_labels"), format!("{stem}_y")].into_iter().chain(word_swapped);
    names.map(|name| path.with_file_name(format!("{name}.npy"))).find(|file| file.is_file() && file != path)
}

/// Reads labels of `count` samples from a separate archive: the array `y`, `y_test`, `labels`, `arr_1` or `arr_0`.
///
/// # Errors
/// As [`read`], and [`Error::File`] for another number of labels.
pub fn read_labels(path: &Path, samples: &mut Samples) -> Result<()> {
    let mut archive = archive(path)?;
    let arrays = array_names(&archive);
    let name = names::labels_of(&arrays).ok_or_else(|| {
        let contained = arrays.iter().take(12).cloned().collect::<Vec<_>>().join(", ");
        Error::file(path, "archive", format!("contains no labels such as y, labels or arr_0; it contains {contained}"))
    })?;
    let y = read_array(path, &name, &mut archive)?;
    let count = samples.len();
    put_labels(samples, labels::from_array(path, &file_name(&name), &y, count)?);
    Ok(())
}

fn put_labels(samples: &mut Samples, labels: Labels) {
    samples.labels = Arc::new(labels.indices);
    samples.class_names = labels.class_names;
    samples.label_source = labels.source;
    samples.notes.extend(labels.notes);
}

/// Shape and values of the first array of `names` in the archive; `None` if it contains none of them.
///
/// # Errors
/// [`Error::Io`] or [`Error::File`] when the archive or the array cannot be read.
pub fn find_array(path: &Path, names: &[&str]) -> Result<Option<(Vec<usize>, Vec<f32>)>> {
    let mut archive = archive(path)?;
    let arrays = array_names(&archive);
    let Some(name) = names.iter().find(|name| arrays.iter().any(|known| known == *name)) else { return Ok(None) };
    let array = read_array(path, name, &mut archive)?;
    numbers(path, name, &array).map(|values| Some((array.shape, values)))
}

/// Shape and values of the array in a `.npy` file.
///
/// # Errors
/// [`Error::Io`] or [`Error::File`] when the array cannot be read.
pub fn read_npy(path: &Path) -> Result<(Vec<usize>, Vec<f32>)> {
    let array = read_array_file(path)?;
    numbers(path, "array", &array).map(|values| (array.shape, values))
}

fn read_array_file(path: &Path) -> Result<Array> {
    Array::read(path, "array", &mut BufReader::new(open(path)?))
}

fn numbers(path: &Path, name: &str, array: &Array) -> Result<Vec<f32>> {
    if !array.dtype.is_number() {
        return Err(Error::file(path, file_name(name), "contains text or times; samples are numbers"));
    }
    Ok(array.numbers().map(|v| v as f32).collect())
}

pub(super) fn archive(path: &Path) -> Result<ZipArchive<BufReader<File>>> {
    ZipArchive::new(BufReader::new(open(path)?))
        .map_err(|e| Error::file(path, "archive", format!("is not a readable npz file ({e})")))
}

/// Names of the arrays, without their ending.
pub(super) fn array_names(archive: &ZipArchive<BufReader<File>>) -> Vec<String> {
    archive.file_names().filter_map(|name| name.strip_suffix(".npy")).map(str::to_owned).collect()
}

/// The file of an array in its archive.
pub(super) fn file_name(array: &str) -> String {
    if array == "array" { array.to_owned() } else { format!("{array}.npy") }
}

/// Samples `[N, …]` in their own shape, with notes on the scale of their values.
fn samples_from(path: &Path, name: &str, x: &Array) -> Result<Samples> {
    let place = file_name(name);
    let (count, shape) = match x.shape.split_first() {
        Some((&count, shape)) if !shape.is_empty() && x.len() > 0 => (count, shape.to_vec()),
        _ => {
            let reason = format!("has shape {}; samples are Nx… and not empty", format_shape(&x.shape));
            return Err(Error::file(path, place, reason));
        }
    };
    let values = numbers(path, name, x)?;
    if let Some(at) = values.iter().position(|v| !v.is_finite()) {
        let sample = at / (values.len() / count).max(1);
        return Err(Error::file(path, place, format!("sample {sample} contains a value that is not finite")));
    }
    let (min, max) = values.iter().fold((0.0f32, 0.0f32), |(min, max), v| (min.min(*v), max.max(*v)));
    let is_bytes = x.dtype.kind == Kind::Unsigned && x.dtype.size == 1;
    let full_scale = if is_bytes { BYTE } else { 1.0 };
    let whole = values.iter().all(|v| v.fract() == 0.0);
    Ok(Samples {
        shape,
        values: Arc::new(values),
        full_scale,
        max: max.max(full_scale),
        min,
        notes: scale_note(x.dtype.kind, is_bytes, whole, min, max).into_iter().collect(),
        ..Samples::default()
    })
}

/// A note on the scale of values from `min` to `max`.
fn scale_note(kind: Kind, is_bytes: bool, whole: bool, min: f32, max: f32) -> Option<Note> {
    if is_bytes {
        let note = Note::new("the values are bytes and are divided by 255").or_scaling(Scaling::Bytes);
        let small = format!("the values are bytes and are divided by 255, but the largest is only {max}");
        return Some(if max <= 1.0 { Note::new(small).warning().or_scaling(Scaling::Bytes) } else { note });
    }
    if max <= 1.0 || !whole && max <= USUAL_MAX {
        return None;
    }
    let words = if kind == Kind::Float { "floats" } else { "integers" };
    let note = Note::new(format!(
        "the values are {words} from {min} to {max} and are taken as they are; an input scaling /D divides them by D"
    ));
    // Pixels of 8 or 16 bits.
    let divisor = [BYTE, 65535.0].into_iter().find(|&full| max <= full && max > full / 16.0);
    Some(match divisor.filter(|_| min >= 0.0) {
        Some(divisor) => note.or_scaling(Scaling::Divide(divisor)),
        None => note,
    })
}

/// Reads one array of the archive.
pub(super) fn read_array(path: &Path, name: &str, archive: &mut ZipArchive<BufReader<File>>) -> Result<Array> {
    let place = file_name(name);
    let mut entry =
        archive.by_name(&place).map_err(|e| Error::file(path, &*place, format!("cannot be decompressed ({e})")))?;
    Array::read(path, &place, &mut entry as &mut dyn Read)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;
    use crate::data::OtherChoice;
    use crate::data::bounded_read::tests::write;
    use crate::data::npy::header_bytes;

    fn npz(arrays: &[(&str, &str, &[usize], Vec<u8>)]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, descr, shape, values) in arrays {
            zip.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(&header_bytes(descr, shape)).unwrap();
            zip.write_all(values).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }
    fn floats(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|v| v.to_le_bytes()).collect()
    }

    #[test]
    fn arrays_keep_their_shape_and_one_hot_labels_are_converted() {
        let dir = tempfile::tempdir().unwrap();
        let bytes = npz(&[
            ("x_test", "|u1", &[1, 2, 2, 3], (0..12).collect()),
            ("y_test", "<f4", &[1, 3], floats(&[0.0, 1.0, 0.0])),
        ]);
        let samples = read(&write(&dir, "a.npz", &bytes)).unwrap();
        assert_eq!((samples.shape.as_slice(), samples.raw(0)[1]), (&[2, 2, 3][..], 1.0));
        assert_eq!((samples.labels.to_vec(), samples.full_scale), (vec![1], 255.0));
        let unit = npz(&[("arr_0", "<f4", &[2, 1], floats(&[0.25, 1.0]))]);
        let samples = read(&write(&dir, "b.npz", &unit)).unwrap();
        assert_eq!((samples.shape.as_slice(), samples.full_scale), ([1].as_slice(), 1.0));
        assert!(samples.notes.is_empty(), "{:?}", samples.notes);
    }

    #[test]
    fn only_bytes_have_a_full_scale_and_every_guess_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let read = |descr: &str, bytes: Vec<u8>| {
            let samples = read(&write(&dir, "a.npz", &npz(&[("x", descr, &[2, 1], bytes)]))).unwrap();
            let note = samples.notes.first().cloned();
            (samples.full_scale, note.as_ref().map(|n| n.is_warning), note.and_then(|note| note.other))
        };
        let or = |scaling| Some(OtherChoice::Scaling(scaling));
        assert_eq!(read("|u1", vec![9, 200]), (255.0, Some(false), or(Scaling::Bytes)));
        assert_eq!(read("|u1", vec![0, 1]), (255.0, Some(true), or(Scaling::Bytes)));
        assert_eq!(read("<f4", floats(&[0.0, 6.0])), (1.0, Some(false), None));
        assert_eq!(read("<f4", floats(&[0.0, 255.0])), (1.0, Some(false), or(Scaling::Divide(255.0))));
        assert_eq!(read("<f4", floats(&[-2.1, 2.6])), (1.0, None, None));
        assert_eq!(read(">u2", vec![0, 0, 0xff, 0xff]), (1.0, Some(false), or(Scaling::Divide(65535.0))));
        assert_eq!(read("|b1", vec![0, 1]), (1.0, None, None));
    }

    #[test]
    fn single_arrays_find_their_labels() {
        let dir = tempfile::tempdir().unwrap();
        let array = |descr, shape: &[usize], values: &[u8]| [header_bytes(descr, shape), values.to_vec()].concat();
        let x = write(&dir, "x_test.npy", &array("<f4", &[2, 3], &floats(&[0.5; 6])));
        assert!(read_npy_samples(&x, None).unwrap().labels.is_empty());
        let y = write(&dir, "y_test.npy", &array("|S1", &[2], b"ba"));
        let found = read_npy_samples(&x, None).unwrap();
        assert_eq!((found.labels.as_slice(), found.class_names.len(), found.notes.len()), (&[1, 0][..], 2, 1));
        assert!(read_npy_samples(&x, Some(&y)).unwrap().notes.is_empty());
        assert!(read_npy_samples(&y, None).unwrap_err().to_string().contains("samples are"));
    }

    #[test]
    fn invalid_archives_are_errors() {
        let dir = tempfile::tempdir().unwrap();
        for (bytes, says) in [
            (b"no zip".to_vec(), "not a readable npz"),
            (npz(&[("z", "|u1", &[1, 1], vec![0])]), "it contains z."),
            (npz(&[("x", "<f4", &[2, 1], floats(&[0.0, f32::NAN]))]), "sample 1"),
            (npz(&[("x", "<f4", &[2, 2], floats(&[0.0]))]), "truncated"),
            (npz(&[("x", "|u1", &[1 << 40, 1 << 40], vec![0])]), "more than the limit"),
            (npz(&[("x", "|u1", &[1, 20000, 20000], vec![0])]), "truncated"),
            (npz(&[("x", "|O", &[1, 1], vec![0])]), "type |O"),
            (npz(&[("x", "|u1", &[0, 4], vec![])]), "not empty"),
            (npz(&[("x", "|u1", &[2, 1], vec![0, 1]), ("y", "|u1", &[3], vec![0; 3])]), "for 2 samples"),
            (npz(&[("x", "|u1", &[1, 1], vec![0]), ("y", "<i4", &[1], vec![255; 4])]), "-1"),
            (npz(&[("x", "|u1", &[1, 1], vec![0]), ("y", "|u1", &[1, 2], vec![1, 1])]), "one-hot"),
            (npz(&[("x", "|u1", &[1, 1], vec![0]), ("y", "|u1", &[1, 0], vec![])]), "no labels"),
        ] {
            let text = read(&write(&dir, "bad.npz", &bytes)).unwrap_err().to_string();
            assert!(text.contains(says), "{text}");
        }
        assert!(read(dir.path()).is_err());
    }

    proptest! {
        #[test]
        fn damaged_archives_never_panic(at: prop::sample::Index, value: u8, cut: prop::sample::Index) {
            let mut bytes = npz(&[("x", "|u1", &[2, 2, 2], vec![1; 8]), ("y", "|u1", &[2], vec![0, 1])]);
            let len = bytes.len();
            bytes[at.index(len)] = value;
            let dir = tempfile::tempdir().unwrap();
            let _ = read(&write(&dir, "x.npz", &bytes));
            bytes.truncate(cut.index(len));
            let _ = read(&write(&dir, "x.npz", &bytes));
        }
    }
}
