//! CIFAR-10 binary files: records of one label byte and 3072 bytes `[3, 32, 32]`.
//!
//! Layout: Krizhevsky, "Learning Multiple Layers of Features from Tiny Images" (2009), binary version. Knows one format.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::bounded_read::{checked_len, open, read_to_len};
use super::{Layout, Samples};
use crate::{Error, Result};

const PIXELS: usize = 3 * 32 * 32;
const RECORD: usize = 1 + PIXELS;
const CLASSES: [&str; 10] = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// Reads one or several batch files, in order, as one set of samples `[3, 32, 32]` in 0..255.
///
/// # Errors
/// [`Error::Io`] or [`Error::File`] for a file that is no batch; [`Error::Invalid`] without files.
pub fn read(files: &[PathBuf]) -> Result<Samples> {
    let (mut values, mut labels) = (Vec::new(), Vec::new());
    for path in files {
        let (bytes, records) = read_batch(path)?;
        checked_len(path, "file", &[records + labels.len(), PIXELS])?;
        values.reserve_exact(records * PIXELS);
        for (index, record) in bytes.chunks_exact(RECORD).enumerate() {
            let Some((&label, pixels)) = record.split_first() else { continue };
            if usize::from(label) >= CLASSES.len() {
                let place = format!("record {index} (byte {})", index * RECORD);
                return Err(Error::file(path, place, format!("has label {label}; CIFAR-10 has 0 to 9")));
            }
            labels.push(u16::from(label));
            values.extend(pixels.iter().map(|&v| f32::from(v)));
        }
    }
    if labels.is_empty() {
        return Err(Error::Invalid("Cannot open cifar10: no file named.".into()));
    }
    let names = files.iter().map(|f| f.display().to_string()).collect::<Vec<_>>();
    Ok(Samples {
        source: format!("cifar10:{}", names.join(",")),
        shape: vec![3, 32, 32],
        layout: Some(Layout::ChannelsFirst),
        values: Arc::new(values),
        labels: Arc::new(labels),
        class_names: CLASSES.map(String::from).to_vec(),
        full_scale: 255.0,
        max: 255.0,
        ..Samples::default()
    })
}

/// The bytes of one batch and its number of records.
fn read_batch(path: &Path) -> Result<(Vec<u8>, usize)> {
    let mut file = open(path)?;
    let len = file.metadata().map_err(|e| Error::io(path, e))?.len();
    let records = usize::try_from(len / RECORD as u64).unwrap_or(usize::MAX);
    if len == 0 || len % RECORD as u64 != 0 {
        let reason = format!("has {len} bytes, not a multiple of the {RECORD} bytes of a CIFAR-10 record");
        return Err(Error::file(path, "size", reason));
    }
    checked_len(path, "size", &[records, RECORD])?;
    Ok((read_to_len(path, "records", &mut file, records * RECORD)?, records))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::bounded_read::tests::{shared, write};
    use super::*;

    #[test]
    fn reads_several_files_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let mut record = vec![9u8; RECORD];
        let a = write(&dir, "a.bin", &record);
        record[0] = 2;
        let b = write(&dir, "b.bin", &record.repeat(2));
        let samples = read(&[a, b]).unwrap();
        assert_eq!(*samples.labels, [9, 2, 2]);
        assert_eq!((samples.len(), samples.class_names.len()), (3, 10));
    }

    #[test]
    fn hostile_files_are_errors() {
        let dir = tempfile::tempdir().unwrap();
        for (bytes, says) in [
            (vec![], "0 bytes"),
            (vec![0; RECORD - 1], "3072 bytes"),
            (vec![10; RECORD], "record 0"),
            ([vec![1; RECORD], vec![200; RECORD]].concat(), "record 1 (byte 3073)"),
        ] {
            let text = read(&[write(&dir, "bad.bin", &bytes)]).unwrap_err().to_string();
            assert!(text.contains(says), "{text}");
        }
        assert!(read(&[]).is_err());
        assert!(read(&[dir.path().to_owned()]).is_err());
    }

    #[test]
    fn cifar_as_published() {
        let Some(path) = shared("cifar10/test_batch_first500.bin") else { return };
        let samples = read(&[path]).unwrap();
        assert_eq!((samples.len(), samples.shape.as_slice()), (500, [3, 32, 32].as_slice()));
        assert_eq!(samples.labels[..5], [3, 8, 8, 0, 6]);
    }

    proptest! {
        #[test]
        fn damaged_files_never_panic(label: u8, cut in 0usize..2 * RECORD) {
            let dir = tempfile::tempdir().unwrap();
            let mut bytes = vec![label; 2 * RECORD];
            bytes.truncate(cut);
            let _ = read(&[write(&dir, "x.bin", &bytes)]);
        }
    }
}
