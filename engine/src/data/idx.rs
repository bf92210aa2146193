//! IDX files (the MNIST format): images and labels, plain or gzip-compressed.
//!
//! Layout: two zero bytes, a type byte (8 = u8), the rank, one big-endian u32 per dimension, the values row-major
//! (LeCun, Cortes and Burges, "The MNIST database of handwritten digits"). Knows one format.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use super::bounded_read::{checked_len, open_decompressed, read_to_len};
use super::{Layout, Samples};
use crate::{Error, Result};

/// Reads u8 images of rank 2 `[N, F]`, 3 `[N, H, W]` (one channel is added) or 4 `[N, C, H, W]`, and their labels `[N]`.
///
/// # Errors
/// [`Error::Io`] when a file cannot be read; [`Error::File`] for other formats, types and ranks, for damaged files and
/// for a number of labels that differs from the number of images.
pub fn read(images: &Path, labels: Option<&Path>) -> Result<Samples> {
    let (dims, bytes) = read_u8(images)?;
    let (count, shape) = match *dims.as_slice() {
        [n, f] => (n, vec![f]),
        [n, h, w] => (n, vec![1, h, w]),
        [n, c, h, w] => (n, vec![c, h, w]),
        _ => {
            let reason = format!("has {} dimension(s); images have 2, 3 or 4", dims.len());
            return Err(Error::file(images, "byte 3", reason));
        }
    };
    if bytes.is_empty() {
        return Err(Error::file(images, "header", "contains no image values"));
    }
    let label_values = match labels {
        None => Vec::new(),
        Some(path) => {
            let (dims, bytes) = read_u8(path)?;
            if dims.len() != 1 {
                let reason = format!("has {} dimensions; labels have 1 (were images and labels swapped?)", dims.len());
                return Err(Error::file(path, "byte 3", reason));
            }
            if bytes.len() != count {
                let reason = format!("{} labels for the {count} images of {}", bytes.len(), images.display());
                return Err(Error::file(path, "byte 4", reason));
            }
            bytes.into_iter().map(u16::from).collect()
        }
    };
    let source = match labels {
        Some(labels) => format!("idx:{},{}", images.display(), labels.display()),
        None => format!("idx:{}", images.display()),
    };
    Ok(Samples {
        source,
        // Files of rank 3 have one channel; others do not tell where theirs is.
        layout: (dims.len() == 3).then_some(Layout::ChannelsFirst),
        shape,
        values: Arc::new(bytes.into_iter().map(f32::from).collect()),
        labels: Arc::new(label_values),
        full_scale: 255.0,
        max: 255.0,
        ..Samples::default()
    })
}

/// Reads the dimensions and values of one u8 IDX file.
fn read_u8(path: &Path) -> Result<(Vec<usize>, Vec<u8>)> {
    let mut reader = open_decompressed(path)?;
    let truncated = |e: std::io::Error| Error::file(path, "header", format!("is truncated or damaged ({e})"));
    let mut magic = [0u8; 4];
    reader.read_exact(&mut magic).map_err(truncated)?;
    let [0, 0, kind, rank] = magic else {
        return Err(Error::file(path, "byte 0", "does not begin with two zero bytes: not an IDX file"));
    };
    if kind != 8 {
        return Err(Error::file(
            path,
            "byte 2",
            format!("has value type 0x{kind:02x}; only bytes (0x08) are supported"),
        ));
    }
    if !(1..=4).contains(&rank) {
        return Err(Error::file(path, "byte 3", format!("has {rank} dimensions; 1 to 4 are supported")));
    }
    let mut dims = Vec::with_capacity(usize::from(rank));
    for _ in 0..rank {
        let mut size = [0u8; 4];
        reader.read_exact(&mut size).map_err(truncated)?;
        dims.push(u32::from_be_bytes(size) as usize);
    }
    let len = checked_len(path, "header", &dims)?;
    let bytes = read_to_len(path, "values", &mut reader, len)?;
    Ok((dims, bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::bounded_read::tests::{shared, write};
    use super::*;

    fn file(dims: &[u32], values: &[u8]) -> Vec<u8> {
        let mut out = vec![0, 0, 8, dims.len() as u8];
        dims.iter().for_each(|d| out.extend(d.to_be_bytes()));
        out.extend(values);
        out
    }

    #[test]
    fn reads_every_rank_plain_and_gzip() {
        let dir = tempfile::tempdir().unwrap();
        let labels = write(&dir, "l", &file(&[2], &[3, 1]));
        for (dims, shape) in [(vec![2, 4], vec![4]), (vec![2, 2, 2], vec![1, 2, 2]), (vec![2, 1, 2, 2], vec![1, 2, 2])]
        {
            let plain = file(&dims, &[0, 1, 2, 3, 4, 5, 6, 255]);
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::Write::write_all(&mut packer, &plain).unwrap();
            for bytes in [plain, packer.finish().unwrap()] {
                let samples = read(&write(&dir, "i", &bytes), Some(&labels)).unwrap();
                assert_eq!(samples.shape, shape);
                assert_eq!(samples.raw(1), [4.0, 5.0, 6.0, 255.0]);
                assert_eq!(*samples.labels, [3, 1]);
            }
        }
        assert_eq!(read(&write(&dir, "one", &file(&[1, 1, 1], &[9])), None).unwrap().shape, [1, 1, 1]);
    }

    #[test]
    fn hostile_files_are_errors_that_say_why() {
        let dir = tempfile::tempdir().unwrap();
        let huge = file(&[60000, 20000, 20000], &[1]);
        for (bytes, says) in [
            (vec![], "truncated"),
            (b"PNG and more".to_vec(), "not an IDX file"),
            (vec![0, 0, 0x0d, 3], "0x0d"),
            (file(&[2, 2, 2], &[0; 7]), "truncated"),
            (file(&[2, 2, 2], &[0; 9]), "continues"),
            (huge, "more than the limit"),
            (file(&[u32::MAX, u32::MAX, u32::MAX, u32::MAX], &[]), "more than the limit"),
            (file(&[1, 20000, 20000], &[1]), "truncated"),
            (file(&[3], &[1, 2, 3]), "dimension"),
            (file(&[0, 28, 28], &[]), "no image"),
            (vec![0x1f, 0x8b, 8, 0], "header"),
        ] {
            let text = read(&write(&dir, "bad", &bytes), None).unwrap_err().to_string();
            assert!(text.contains(says) && text.contains("bad"), "{text}");
        }
        let images = write(&dir, "i", &file(&[1, 1, 1], &[9]));
        let labels = write(&dir, "l", &file(&[2], &[0, 0]));
        assert!(read(&images, Some(&labels)).unwrap_err().to_string().contains("2 labels for the 1"));
        assert!(read(&images, Some(&images)).unwrap_err().to_string().contains("swapped"));
        assert!(read(dir.path(), None).is_err());
        assert!(read(&dir.path().join("absent"), None).is_err());
    }

    #[test]
    fn mnist_and_fashion_as_published() {
        for (set, first) in [("mnist", [7, 2, 1, 0, 4]), ("fashion-mnist", [9, 2, 1, 1, 6])] {
            let Some(dir) = shared(set) else { return };
            let images = dir.join("t10k-images-idx3-ubyte.gz");
            let samples = read(&images, Some(&dir.join("t10k-labels-idx1-ubyte.gz"))).unwrap();
            assert_eq!((samples.len(), samples.shape.as_slice()), (10_000, [1, 28, 28].as_slice()));
            assert_eq!(samples.labels[..5], first);
        }
    }

    proptest! {
        #[test]
        fn damaged_files_never_panic(at in 0usize..24, value: u8, cut in 0usize..25) {
            let mut bytes = file(&[2, 2, 2], &[7; 8]);
            bytes[at] = value;
            bytes.truncate(cut);
            let dir = tempfile::tempdir().unwrap();
            let path = write(&dir, "i", &bytes);
            let _ = read(&path, Some(&path));
            let _ = read(&path, None);
        }
    }
}
