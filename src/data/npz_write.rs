//! Writes numpy archives. Knows arrays, not what they mean.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::npy;
use crate::files::write_whole;
use crate::{Error, Result};

/// The values of one array, row-major.
#[derive(Clone, Copy, Debug)]
pub enum NpzData<'a> {
    U8(&'a [u8]),
    I16(&'a [i16]),
    I32(&'a [i32]),
    F32(&'a [f32]),
}

impl NpzData<'_> {
    fn len(&self) -> usize {
        match self {
            Self::U8(v) => v.len(),
            Self::I16(v) => v.len(),
            Self::I32(v) => v.len(),
            Self::F32(v) => v.len(),
        }
    }
    fn descr(&self) -> &'static str {
        match self {
            Self::U8(_) => "|u1",
            Self::I16(_) => "<i2",
            Self::I32(_) => "<i4",
            Self::F32(_) => "<f4",
        }
    }
    /// Little-endian bytes, in pieces, so that no second copy of a large array is made.
    fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        fn pieces<T: Copy, const N: usize>(values: &[T], out: &mut dyn Write, le: fn(T) -> [u8; N]) -> io::Result<()> {
            values.chunks(1 << 14).try_for_each(|c| out.write_all(&c.iter().flat_map(|v| le(*v)).collect::<Vec<_>>()))
        }
        match self {
            Self::U8(v) => out.write_all(v),
            Self::I16(v) => pieces(v, out, i16::to_le_bytes),
            Self::I32(v) => pieces(v, out, i32::to_le_bytes),
            Self::F32(v) => pieces(v, out, f32::to_le_bytes),
        }
    }
}

/// Writes named arrays `(name, shape, values)` to `path`, compressed. The archive is written beside its place and
/// renamed when whole, so a reader never sees half of it and a failure leaves an older file as it was.
pub fn write_npz(path: &Path, arrays: &[(&str, &[usize], NpzData<'_>)]) -> Result<()> {
    for (name, shape, data) in arrays {
        if shape.iter().try_fold(1usize, |p, &d| p.checked_mul(d)) != Some(data.len()) {
            let shape = crate::error::dims(shape);
            return Err(Error::Internal(format!("array {name}: {} values for shape [{shape}]", data.len())));
        }
    }
    write_whole(path, |file| {
        let mut zip = ZipWriter::new(BufWriter::new(file));
        for (name, shape, data) in arrays {
            let large = data.len() >= 1 << 28;
            zip.start_file(format!("{name}.npy"), SimpleFileOptions::default().large_file(large))?;
            zip.write_all(&npy::header_bytes(data.descr(), shape))?;
            data.write_to(&mut zip)?;
        }
        zip.finish()?.flush()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_archives_are_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("counts.npz");
        let x = [0.5f32, 1.0, 0.0, 0.25];
        write_npz(&path, &[("x", &[2, 2], NpzData::F32(&x)), ("y", &[2], NpzData::I32(&[1, 0]))]).unwrap();
        let samples = crate::data::npz::read(&path).unwrap();
        assert_eq!((samples.values.as_slice(), samples.labels.as_slice()), (x.as_slice(), [1, 0].as_slice()));
        write_npz(&path, &[("c", &[3], NpzData::I16(&[1, -2, 3]))]).unwrap();
        let mut zip = zip::ZipArchive::new(std::fs::File::open(&path).unwrap()).unwrap();
        let entry = npyz::NpyFile::new(zip.by_name("c.npy").unwrap()).unwrap();
        assert_eq!(entry.into_vec::<i16>().unwrap(), [1, -2, 3]);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn wrong_shapes_and_places_are_errors() {
        let dir = tempfile::tempdir().unwrap();
        assert!(write_npz(&dir.path().join("a.npz"), &[("a", &[3], NpzData::U8(&[1]))]).is_err());
        assert!(write_npz(&dir.path().join("no/a.npz"), &[]).is_err());
    }
}
