//! Reads NumPy archives (`.npz`) with an array of samples and an optional array of labels.
//!
//! Knows the array names that Keras, snn_toolbox and NumPy use.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use zip::ZipArchive;

use super::bounded_read::{checked_len, open, read_to_len};
use super::{Samples, npy};
use crate::{Error, Result};

const SAMPLES: [&str; 5] = ["x", "x_test", "images", "data", "arr_0"];
const LABELS: [&str; 4] = ["y", "y_test", "labels", "arr_1"];

/// One array as read: shape, values, and whether the values were stored as bytes.
struct Array {
    shape: Vec<usize>,
    values: Vec<f64>,
    bytes: bool,
}

/// Reads `x` (also `x_test`, `images`, `data`, `arr_0`) and, if present, `y` (`y_test`, `labels`, `arr_1`).
///
/// Channels-last samples `[N, H, W, C]` become channels-first if C is 1 or 3 and H is neither; `[N, H, W]` gains one
/// channel; one-hot labels become indices.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read; [`Error::File`] for an archive without samples, for unsupported types,
/// values that are not finite and labels that are not class indices.
pub fn read(path: &Path) -> Result<Samples> {
    let mut archive = archive(path)?;
    let Some(name) = find(&SAMPLES, &archive) else {
        let contained = archive.file_names().take(12).collect::<Vec<_>>().join(", ");
        let reason = format!("contains none of {} (it contains: {contained})", SAMPLES.join(", "));
        return Err(Error::file(path, "archive", reason));
    };
    let x = read_array(path, &name, &mut archive)?;
    if x.shape.len() < 2 || x.values.is_empty() {
        let reason = format!("has shape {}; samples are Nx… and not empty", crate::error::format_shape(&x.shape));
        return Err(Error::file(path, &*name, reason));
    }
    let count = x.shape[0];
    if let Some(at) = x.values.iter().position(|v| !(*v as f32).is_finite()) {
        let sample = at / (x.values.len() / count);
        return Err(Error::file(path, &*name, format!("sample {sample} contains a value that is not finite")));
    }
    let integers = x.values.iter().all(|v| v.fract() == 0.0);
    let max_value = x.values.iter().fold(0.0f64, |m, v| m.max(*v));
    let full_scale = if x.bytes || (integers && max_value > 1.5) { 255.0 } else { 1.0 };
    let (shape, values) = channels_first(&x);
    let labels = match find(&LABELS, &archive).filter(|label| *label != name) {
        Some(label_name) => {
            let y = read_array(path, &label_name, &mut archive)?;
            to_labels(path, &label_name, &y, count)?
        }
        None => Vec::new(),
    };
    Ok(Samples {
        source: format!("npz:{}", path.display()),
        shape,
        values: Arc::new(values),
        labels: Arc::new(labels),
        class_names: Vec::new(),
        full_scale,
        frames: None,
        notes: Vec::new(),
    })
}

/// Reads labels `[count]` from a separate archive: the array `y`, `y_test`, `labels`, `arr_1` or `arr_0`.
///
/// # Errors
/// As [`read`], and [`Error::File`] for another number of labels.
pub fn read_labels(path: &Path, count: usize) -> Result<Vec<u16>> {
    let mut archive = archive(path)?;
    let names: Vec<&str> = LABELS.into_iter().chain(["arr_0"]).collect();
    let contained = || archive.file_names().take(12).collect::<Vec<_>>().join(", ");
    let name = find(&names, &archive).ok_or_else(|| {
        Error::file(
            path,
            "archive",
            format!("contains no labels (expected one of {}; it contains: {})", names.join(", "), contained()),
        )
    })?;
    let y = read_array(path, &name, &mut archive)?;
    to_labels(path, &name, &y, count)
}

/// Shape and values of the first array of `names` in the archive; `None` if it contains none of them.
///
/// # Errors
/// [`Error::Io`] or [`Error::File`] when the archive or the array cannot be read.
pub fn find_array(path: &Path, names: &[&str]) -> Result<Option<(Vec<usize>, Vec<f32>)>> {
    let mut archive = archive(path)?;
    let Some(name) = find(names, &archive) else { return Ok(None) };
    let array = read_array(path, &name, &mut archive)?;
    Ok(Some((array.shape, array.values.iter().map(|&v| v as f32).collect())))
}

/// Shape and values of the array in a `.npy` file.
///
/// # Errors
/// [`Error::Io`] or [`Error::File`] when the array cannot be read.
pub fn read_npy(path: &Path) -> Result<(Vec<usize>, Vec<f32>)> {
    let array = array_from(path, "array", &mut BufReader::new(open(path)?))?;
    Ok((array.shape, array.values.iter().map(|&v| v as f32).collect()))
}

fn archive(path: &Path) -> Result<ZipArchive<BufReader<File>>> {
    ZipArchive::new(BufReader::new(open(path)?))
        .map_err(|e| Error::file(path, "archive", format!("is not a readable npz file ({e})")))
}

/// The file name of the first of `names` in the archive.
fn find(names: &[&str], archive: &ZipArchive<BufReader<File>>) -> Option<String> {
    names.iter().map(|n| format!("{n}.npy")).find(|n| archive.index_for_name(n).is_some())
}

/// Shape of one sample, channels-first, and all values in that order.
fn channels_first(x: &Array) -> (Vec<usize>, Vec<f32>) {
    let as_is = || x.values.iter().map(|v| *v as f32).collect();
    match *x.shape.as_slice() {
        [_, h, w] => (vec![1, h, w], as_is()),
        [_, h, w, c @ (1 | 3)] if h != 1 && h != 3 => {
            let plane = h * w;
            let mut out = Vec::with_capacity(x.values.len());
            for sample in x.values.chunks_exact(plane * c) {
                for channel in 0..c {
                    out.extend(sample.iter().skip(channel).step_by(c).map(|v| *v as f32));
                }
            }
            (vec![c, h, w], out)
        }
        _ => (x.shape[1..].to_vec(), as_is()),
    }
}

/// Class indices from `[N]`, `[N, 1]` or one-hot `[N, K]`.
fn to_labels(path: &Path, name: &str, y: &Array, count: usize) -> Result<Vec<u16>> {
    if y.shape.first() != Some(&count) {
        let reason = format!("has shape {} for {count} samples", crate::error::format_shape(&y.shape));
        return Err(Error::file(path, name, reason));
    }
    let width = y.values.len() / count;
    let label_of_row = |(index, row): (usize, &[f64])| {
        let value = if width == 1 {
            row[0]
        } else {
            let ones = row.iter().filter(|v| **v == 1.0).count();
            if ones != 1 || row.iter().any(|v| *v != 0.0 && *v != 1.0) {
                return Err(Error::file(path, name, format!("row {index} is not one-hot")));
            }
            row.iter().position(|v| *v == 1.0).unwrap_or(0) as f64
        };
        if value.fract() != 0.0 || !(0.0..=f64::from(u16::MAX)).contains(&value) {
            return Err(Error::file(path, name, format!("label {index} is {value}, which is not a class index")));
        }
        Ok(value as u16)
    };
    if width == 0 {
        return Err(Error::file(path, name, "contains no labels"));
    }
    y.values.chunks_exact(width).enumerate().map(label_of_row).collect()
}

/// Reads one array of the archive. Memory grows with the values present, not with the header's claim.
fn read_array(path: &Path, name: &str, archive: &mut ZipArchive<BufReader<File>>) -> Result<Array> {
    let mut entry =
        archive.by_name(name).map_err(|e| Error::file(path, name, format!("cannot be decompressed ({e})")))?;
    array_from(path, name, &mut entry)
}

/// Reads one array, header and values, from `reader` to its end.
fn array_from(path: &Path, name: &str, reader: &mut dyn Read) -> Result<Array> {
    let header = npy::read_header(reader).map_err(|reason| Error::file(path, name, reason))?;
    if header.fortran && header.shape.len() > 1 {
        let reason = "is stored in Fortran order. Save it with numpy.ascontiguousarray.";
        return Err(Error::file(path, name, reason));
    }
    let (size, convert): (usize, fn(&[u8]) -> f64) = match header.descr.as_str() {
        "|u1" | "|b1" => (1, |b| f64::from(b[0])),
        "|i1" => (1, |b| f64::from(b[0] as i8)),
        "<f4" => (4, |b| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]]))),
        "<i4" => (4, |b| f64::from(i32::from_le_bytes([b[0], b[1], b[2], b[3]]))),
        "<f8" => (8, |b| f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]])),
        "<i8" => (8, |b| i64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]) as f64),
        other => {
            let reason = format!("has type {other}; uint8, int32, int64, float32 and float64 are supported");
            return Err(Error::file(path, name, reason));
        }
    };
    let count = checked_len(path, name, &header.shape)?;
    let bytes = read_to_len(path, name, reader, count * size)?;
    let values = bytes.chunks_exact(size).map(convert).collect();
    Ok(Array { shape: header.shape, values, bytes: header.descr == "|u1" })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::super::bounded_read::tests::write;
    use super::*;

    fn npz(arrays: &[(&str, &str, &[usize], Vec<u8>)]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, descr, shape, values) in arrays {
            zip.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(&npy::header_bytes(descr, shape)).unwrap();
            zip.write_all(values).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }
    fn floats(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|v| v.to_le_bytes()).collect()
    }

    #[test]
    fn channels_last_and_one_hot_are_converted() {
        let dir = tempfile::tempdir().unwrap();
        let bytes = npz(&[
            ("x_test", "|u1", &[1, 2, 2, 3], (0..12).collect()),
            ("y_test", "<f4", &[1, 3], floats(&[0.0, 1.0, 0.0])),
        ]);
        let samples = read(&write(&dir, "a.npz", &bytes)).unwrap();
        assert_eq!(samples.shape, [3, 2, 2]);
        assert_eq!(samples.raw(0)[..4], [0.0, 3.0, 6.0, 9.0]);
        assert_eq!((samples.labels.to_vec(), samples.full_scale), (vec![1], 255.0));
        let unit = npz(&[("arr_0", "<f4", &[2, 1], floats(&[0.25, 1.0]))]);
        let samples = read(&write(&dir, "b.npz", &unit)).unwrap();
        assert_eq!((samples.shape.as_slice(), samples.full_scale), ([1].as_slice(), 1.0));
    }

    #[test]
    fn invalid_archives_are_errors() {
        let dir = tempfile::tempdir().unwrap();
        for (bytes, says) in [
            (b"no zip".to_vec(), "not a readable npz"),
            (npz(&[("z", "|u1", &[1, 1], vec![0])]), "z.npy"),
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
