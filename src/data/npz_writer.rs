//! Writes numpy archives. Knows arrays, not what they mean.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::npy;
use crate::files::write_atomic_with;
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
    /// What numpy calls their type.
    pub fn descr(&self) -> &'static str {
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
    write_npz_with(path, |out| {
        arrays.iter().try_for_each(|(name, shape, data)| {
            out.begin(name, shape, data.descr())?;
            out.values(*data)
        })
    })
}

/// [`write_npz`] for arrays that come in pieces, so that they need not be at hand at once, and whose writing can be stopped.
///
/// # Errors
/// What `write` gives; [`Error::Io`] when the operating system refuses.
pub fn write_npz_with(path: &Path, write: impl FnOnce(&mut NpzWriter<'_>) -> Result<()>) -> Result<()> {
    write_atomic_with(path, |file| {
        let zip = ZipWriter::new(BufWriter::new(file));
        let mut out = NpzWriter { path, zip, name: String::new(), left: 0 };
        write(&mut out)?;
        out.all_written()?;
        let whole = out.zip.finish().map_err(io::Error::from).and_then(|mut file| file.flush());
        whole.map_err(|error| Error::io(path, error))
    })
}

/// An archive on its way to a file.
pub struct NpzWriter<'a> {
    path: &'a Path,
    zip: ZipWriter<BufWriter<&'a mut File>>,
    /// The array that is being written, and how many values it still wants.
    name: String,
    left: usize,
}

impl NpzWriter<'_> {
    /// Begins an array of `shape` and numpy's type `descr`; its values follow.
    ///
    /// # Errors
    /// [`Error::Internal`] when the array before has too few values; [`Error::Io`] when the operating system refuses.
    pub fn begin(&mut self, name: &str, shape: &[usize], descr: &str) -> Result<()> {
        self.all_written()?;
        let count = shape.iter().try_fold(1usize, |p, &d| p.checked_mul(d));
        self.left = count.ok_or_else(|| Error::Internal(format!("array {name} is too large")))?;
        self.name = name.to_owned();
        let options = SimpleFileOptions::default().large_file(self.left >= 1 << 28);
        let begun = self.zip.start_file(format!("{name}.npy"), options).map_err(io::Error::from);
        let begun = begun.and_then(|()| self.zip.write_all(&npy::header_bytes(descr, shape)));
        begun.map_err(|error| Error::io(self.path, error))
    }

    /// The next values of the array, of its type.
    ///
    /// # Errors
    /// [`Error::Internal`] when there are too many; [`Error::Io`] when the operating system refuses.
    pub fn values(&mut self, data: NpzData<'_>) -> Result<()> {
        let left = self.left.checked_sub(data.len());
        self.left = left.ok_or_else(|| Error::Internal(format!("array {}: more values than places", self.name)))?;
        data.write_to(&mut self.zip).map_err(|error| Error::io(self.path, error))
    }

    fn all_written(&self) -> Result<()> {
        match self.left {
            0 => Ok(()),
            left => Err(Error::Internal(format!("array {}: {left} values are missing", self.name))),
        }
    }
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
