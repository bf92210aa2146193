//! CIFAR-10 and CIFAR-100: batches of images `[3, 32, 32]`, as records of bytes or pickled by Python.
//!
//! Krizhevsky, "Learning Multiple Layers of Features from Tiny Images" (2009). Knows one format.

mod batch;
mod detect;
mod set;

use std::path::PathBuf;
use std::sync::Arc;

pub(super) use self::detect::{binary_batch, pickled_batch, test_batch};
pub use self::set::Cifar;
use self::set::PIXELS;
use super::bounded_read::checked_len;
use super::{Layout, Samples};
use crate::{Error, Result};

/// Reads one or several batch files, in order, as one set of samples `[3, 32, 32]` in 0..255. Of CIFAR-100 the fine labels.
///
/// # Errors
/// [`Error::Io`] or [`Error::File`] for a file that is no batch of `set`; [`Error::Invalid`] without files.
pub fn read(files: &[PathBuf], set: Cifar) -> Result<Samples> {
    let (mut values, mut labels) = (Vec::new(), Vec::new());
    for path in files {
        let batch = batch::read(path, set)?;
        checked_len(path, "file", &[batch.labels.len() + labels.len(), PIXELS])?;
        values.reserve_exact(batch.labels.len() * PIXELS);
        batch.images().for_each(|pixels| values.extend(pixels.iter().map(|&v| f32::from(v))));
        labels.extend(batch.labels);
    }
    if labels.is_empty() {
        return Err(Error::Invalid(format!("Cannot open {}: no file named.", set.word())));
    }
    let names = files.iter().map(|f| f.display().to_string()).collect::<Vec<_>>();
    Ok(Samples {
        source: format!("{}:{}", set.word(), names.join(",")),
        shape: vec![3, 32, 32],
        layout: Some(Layout::ChannelsFirst),
        values: Arc::new(values),
        labels: Arc::new(labels),
        class_names: set.class_names().iter().map(|&name| name.to_owned()).collect(),
        full_scale: 255.0,
        max: 255.0,
        ..Samples::default()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::bounded_read::tests::{shared, write};
    use super::*;

    const RECORD: usize = 1 + PIXELS;

    #[test]
    fn reads_several_files_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let mut record = vec![9u8; RECORD];
        let a = write(&dir, "a.bin", &record);
        record[0] = 2;
        let b = write(&dir, "b.bin", &record.repeat(2));
        let samples = read(&[a, b], Cifar::Ten).unwrap();
        assert_eq!(*samples.labels, [9, 2, 2]);
        assert_eq!((samples.len(), samples.class_names.len()), (3, 10));
    }

    #[test]
    fn hostile_files_are_errors() {
        let dir = tempfile::tempdir().unwrap();
        for (bytes, says) in [
            (vec![], "is empty"),
            (vec![0; RECORD - 1], "3072 bytes"),
            (vec![10; RECORD], "record 0"),
            ([vec![1; RECORD], vec![200; RECORD]].concat(), "record 1 (byte 3073)"),
        ] {
            let text = read(&[write(&dir, "bad.bin", &bytes)], Cifar::Ten).unwrap_err().to_string();
            assert!(text.contains(says), "{text}");
        }
        assert!(read(&[], Cifar::Ten).is_err());
        assert!(read(&[dir.path().to_owned()], Cifar::Ten).is_err());
    }

    #[test]
    fn the_fine_labels_of_cifar_100_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let mut record = vec![7u8; 2 + PIXELS];
        record[..2].copy_from_slice(&[19, 99]);
        let file = write(&dir, "test.bin", &record.repeat(5));
        assert_eq!(
            (binary_batch(&file), test_batch(dir.path())),
            (Some(Cifar::Hundred), Some((Cifar::Hundred, file.clone())))
        );
        let samples = read(std::slice::from_ref(&file), Cifar::Hundred).unwrap();
        assert_eq!((samples.len(), samples.labels[0], samples.raw(4)[0]), (5, 99, 7.0));
        assert_eq!(samples.class_names[99], "worm");
        assert!(read(&[file], Cifar::Ten).unwrap_err().to_string().contains("not a multiple of the 3073 bytes"));
        // The labels of a recording that has the size of a batch are out of range.
        let recording = write(&dir, "events.bin", &vec![200; 5 * RECORD]);
        assert_eq!(binary_batch(&recording), None);
    }

    /// A dictionary as Python 2 pickles it (protocol 2): `data` of `rows` rows, and a list `name` of `labels`.
    fn pickled(name: &str, rows: usize, labels: &[u8]) -> Vec<u8> {
        let text = |text: &str| [&[b'U', text.len() as u8], text.as_bytes()].concat();
        let mut bytes = [b"\x80\x02}(".to_vec(), text(name), b"](".to_vec()].concat();
        labels.iter().for_each(|label| bytes.extend([b'K', *label]));
        bytes.extend(
            [b"e".to_vec(), text("data"), b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85".to_vec()]
                .concat(),
        );
        bytes.extend(
            [text("b"), b"\x87R(K\x01K".to_vec(), vec![rows as u8], b"M\0\x0c\x86cnumpy\ndtype\n".to_vec()].concat(),
        );
        bytes.extend(
            [
                text("u1"),
                b"K\0K\x01\x87R(K\x03".to_vec(),
                text("|"),
                b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89T".to_vec(),
            ]
            .concat(),
        );
        bytes.extend(((rows * PIXELS) as u32).to_le_bytes());
        bytes.extend((0..rows * PIXELS).map(|i| 200 + (i / PIXELS) as u8));
        bytes.extend(b"tbu.");
        bytes
    }

    #[test]
    fn batches_for_python_are_read_without_python() {
        let dir = tempfile::tempdir().unwrap();
        let file = write(&dir, "test_batch", &pickled("labels", 2, &[3, 9]));
        assert_eq!(pickled_batch(&file), Some(Cifar::Ten));
        let samples = read(std::slice::from_ref(&file), Cifar::Ten).unwrap();
        assert_eq!((samples.labels.as_slice(), samples.raw(1)[0]), ([3, 9].as_slice(), 201.0));
        let hundred = write(&dir, "test", &pickled("fine_labels", 1, &[42]));
        assert_eq!(
            (pickled_batch(&hundred), read(std::slice::from_ref(&hundred), Cifar::Hundred).unwrap().labels[0]),
            (Some(Cifar::Hundred), 42)
        );
        let refused = |bytes: &[u8], set| read(&[write(&dir, "bad", bytes)], set).unwrap_err().to_string();
        for (bytes, set, says) in [
            (pickled("fine_labels", 1, &[42]), Cifar::Ten, "Use cifar100:"),
            (pickled("labels", 2, &[1]), Cifar::Ten, "labels: are 1 for 2 images"),
            (pickled("labels", 1, &[10]), Cifar::Ten, "labels[0]: has label 10; CIFAR-10 has 0 to 9"),
            (pickled("names", 1, &[1]), Cifar::Ten, "has no labels; a batch of CIFAR"),
            (vec![0x1f, 0x8b, 8, 0], Cifar::Ten, "is compressed with gzip"),
            (b"(dp1\nS'data'".to_vec(), Cifar::Ten, "is a pickle of protocol 0 or 1"),
            (vec![], Cifar::Ten, "is empty"),
            (b"\x80\x02}.".to_vec(), Cifar::Hundred, "has no fine_labels"),
        ] {
            let text = refused(&bytes, set);
            assert!(text.contains(says), "{text}");
        }
        let whole = pickled("labels", 1, &[1]);
        for cut in (2..whole.len()).step_by(61) {
            refused(&whole[..cut], Cifar::Ten);
        }
    }

    #[test]
    fn cifar_as_published() {
        let Some(path) = shared("cifar10/test_batch_first500.bin") else { return };
        let samples = read(&[path], Cifar::Ten).unwrap();
        assert_eq!((samples.len(), samples.shape.as_slice()), (500, [3, 32, 32].as_slice()));
        assert_eq!(samples.labels[..5], [3, 8, 8, 0, 6]);
    }

    proptest! {
        #[test]
        fn damaged_files_never_panic(label: u8, cut in 0usize..2 * RECORD) {
            let dir = tempfile::tempdir().unwrap();
            let mut bytes = vec![label; 2 * RECORD];
            bytes.truncate(cut);
            let file = write(&dir, "x.bin", &bytes);
            let _ = (read(std::slice::from_ref(&file), Cifar::Ten), read(&[file], Cifar::Hundred));
        }
    }
}
