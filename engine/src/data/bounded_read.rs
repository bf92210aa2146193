//! Bounded reading of sample files: opening, decompressing and size checks that trust no header.
//!
//! Shared by all readers; knows no format.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::Samples;
use crate::{Error, Result};

/// Maximum number of values in one set of samples (4 GiB as `f32`). Larger files are refused before they are read.
pub const MAX_VALUES: usize = 1 << 30;

/// Opens a file. A folder is refused with its own message, because the system's message for reading one is unclear.
pub(super) fn open(path: &Path) -> Result<File> {
    let file = File::open(path).map_err(|e| Error::io(path, e))?;
    if file.metadata().map_err(|e| Error::io(path, e))?.is_dir() {
        return Err(Error::file(path, "file", "is a folder. Choose a file in it."));
    }
    Ok(file)
}

/// Opens a file that may be gzip-compressed; the first two bytes decide, not the name.
pub(super) fn open_decompressed(path: &Path) -> Result<Box<dyn Read>> {
    let mut file = open(path)?;
    let mut head = Vec::with_capacity(2);
    file.by_ref().take(2).read_to_end(&mut head).map_err(|e| Error::io(path, e))?;
    let is_gzip = head == [0x1f, 0x8b];
    let whole = std::io::Cursor::new(head).chain(file);
    Ok(if is_gzip { Box::new(MultiGzDecoder::new(BufReader::new(whole))) } else { Box::new(BufReader::new(whole)) })
}

/// Reads exactly `len` bytes, after which `reader` must end. The buffer grows with the bytes that arrive. A wrong
/// `len` (or a gzip bomb) therefore costs no more memory than the stream holds, and never more than `len + 1` bytes.
pub(super) fn read_to_len(path: &Path, place: &str, reader: &mut dyn Read, len: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take((len as u64).saturating_add(1)).read_to_end(&mut bytes).map_err(|e| {
        Error::file(path, place, format!("cannot be decompressed or read ({e}). The file may be truncated."))
    })?;
    match bytes.len() {
        n if n == len => Ok(bytes),
        n if n < len => {
            Err(Error::file(path, place, format!("has {n} bytes instead of the {len} in its header: it is truncated")))
        }
        _ => Err(Error::file(path, place, format!("continues after the {len} bytes in its header"))),
    }
}

/// The product of `shape`; an error if it overflows or exceeds [`MAX_VALUES`].
pub(super) fn checked_len(path: &Path, place: &str, shape: &[usize]) -> Result<usize> {
    let count = shape.iter().try_fold(1usize, |product, &d| product.checked_mul(d));
    count.filter(|&n| n <= MAX_VALUES).ok_or_else(|| {
        let claimed = crate::error::format_shape(shape);
        Error::file(path, place, format!("has {claimed} values, more than the limit of {MAX_VALUES}"))
    })
}

/// Checks that every label is a class of a network with `classes` outputs.
///
/// # Errors
/// [`Error::Invalid`] with the first sample whose label is `classes` or more.
pub fn check_labels(samples: &Samples, classes: usize) -> Result<()> {
    match samples.labels.iter().enumerate().find(|&(_, &label)| usize::from(label) >= classes) {
        Some((index, label)) => Err(Error::Invalid(format!(
            "Cannot run on {}: sample {index} has label {label}, but the network has only {classes} classes (0 to {}).",
            samples.source,
            classes.saturating_sub(1)
        ))),
        None => Ok(()),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;

    /// A file of the shared test data; `None`, after printing why the test is skipped, if it is absent.
    pub fn shared(name: &str) -> Option<PathBuf> {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        let found = root.ancestors().skip(1).map(|up| up.join("shared/data").join(name)).find(|path| path.exists());
        if found.is_none() {
            eprintln!("skipped: no shared/data/{name} beside the project");
        }
        found
    }

    /// Writes `bytes` to a new file in `dir`.
    pub fn write(dir: &tempfile::TempDir, name: &str, bytes: &[u8]) -> PathBuf {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    #[test]
    fn labels_out_of_range_name_the_sample() {
        let samples = Samples { values: Arc::new(vec![0.0; 3]), labels: Arc::new(vec![0, 1, 7]), ..Samples::default() };
        assert!(check_labels(&samples, 8).is_ok());
        assert!(check_labels(&samples, 7).unwrap_err().to_string().contains("sample 2 has label 7"));
        assert!(check_labels(&samples, 0).is_err());
    }

    #[test]
    fn overflowing_counts_and_folders_are_errors() {
        let here = Path::new("x");
        assert!(checked_len(here, "header", &[usize::MAX, 2]).is_err());
        assert!(checked_len(here, "header", &[MAX_VALUES, 2]).is_err());
        assert_eq!(checked_len(here, "header", &[2, 3]).unwrap(), 6);
        let dir = tempfile::tempdir().unwrap();
        assert!(open(dir.path()).is_err());
    }
}
