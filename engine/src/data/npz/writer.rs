//! Writes NumPy archives (`.npz`), whole or array by array.
//!
//! `npyz` writes the arrays and `zip` the archive: the archive support of `npyz` depends on an old `zip` with compressors
//! in C. Knows arrays, not what they mean.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use npyz::{AutoSerialize, NpyWriter, WriteOptions, WriterBuilder};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::archive::Archive;
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

/// Writes named arrays `(name, shape, values)` to `path`, compressed. The write is atomic: a reader never sees a partial
/// archive, and on failure an existing file stays unchanged.
///
/// # Errors
/// [`Error::Io`] when the operating system refuses or the number of values does not match the shape.
pub fn write_npz(path: &Path, arrays: &[(&str, &[usize], NpzData<'_>)]) -> Result<()> {
    write_npz_with(path, |out| {
        arrays.iter().try_for_each(|(name, shape, data)| match data {
            NpzData::U8(values) => out.array(name, shape, values),
            NpzData::I16(values) => out.array(name, shape, values),
            NpzData::I32(values) => out.array(name, shape, values),
            NpzData::F32(values) => out.array(name, shape, values),
        })
    })
}

/// [`write_npz`] for arrays that are produced in pieces; `write` can fail, for instance because it is cancelled.
///
/// # Errors
/// The error of `write`; [`Error::Io`] when the operating system refuses.
pub fn write_npz_with(path: &Path, write: impl FnOnce(&mut NpzWriter<'_>) -> Result<()>) -> Result<()> {
    write_atomic_with(path, |file| {
        let mut out = NpzWriter { path, zip: ZipWriter::new(BufWriter::new(Archive::new(file))) };
        write(&mut out)?;
        let finished = out.zip.finish().map_err(io::Error::from).and_then(|mut file| file.flush());
        finished.map_err(|error| Error::io(path, error))
    })
}

type Zip<'a> = ZipWriter<BufWriter<Archive<&'a mut File>>>;

/// A NumPy archive that is being written.
pub struct NpzWriter<'a> {
    path: &'a Path,
    zip: Zip<'a>,
}

impl<'a> NpzWriter<'a> {
    /// Begins an array of `shape`; write its values to the result.
    ///
    /// # Errors
    /// [`Error::Internal`] for a shape whose size overflows; [`Error::Io`] when the operating system refuses.
    pub fn begin<T: AutoSerialize>(&mut self, name: &str, shape: &[usize]) -> Result<NpzArray<'_, 'a, T>> {
        let count = shape.iter().try_fold(1usize, |p, &d| p.checked_mul(d));
        let count = count.ok_or_else(|| Error::Internal(format!("array {name} is too large")))?;
        let options = SimpleFileOptions::default().large_file(count >= 1 << 28);
        let shape: Vec<u64> = shape.iter().map(|&d| d as u64).collect();
        let begun = self.zip.start_file(format!("{name}.npy"), options).map_err(io::Error::from);
        let values = begun.and_then(|()| {
            let out = BufWriter::new(&mut self.zip);
            WriteOptions::new().default_dtype().shape(&shape).writer(out).begin_nd()
        });
        Ok(NpzArray { path: self.path, values: values.map_err(|error| Error::io(self.path, error))? })
    }

    /// Writes a whole array.
    ///
    /// # Errors
    /// As [`begin`](Self::begin) and [`NpzArray::end`].
    pub fn array<T: AutoSerialize + Copy>(&mut self, name: &str, shape: &[usize], values: &[T]) -> Result<()> {
        let mut array = self.begin(name, shape)?;
        array.values(values)?;
        array.end()
    }
}

/// An array of the archive that is being written.
pub struct NpzArray<'w, 'a, T: AutoSerialize> {
    path: &'w Path,
    values: NpyWriter<T, BufWriter<&'w mut Zip<'a>>>,
}

impl<T: AutoSerialize + Copy> NpzArray<'_, '_, T> {
    /// Writes the next values, row-major.
    ///
    /// # Errors
    /// [`Error::Io`] when the operating system refuses.
    pub fn values(&mut self, values: &[T]) -> Result<()> {
        self.values.extend(values.iter().copied()).map_err(|error| Error::io(self.path, error))
    }

    /// Finishes the array.
    ///
    /// # Errors
    /// [`Error::Io`] when the number of values does not match the shape, or when the operating system refuses.
    pub fn end(self) -> Result<()> {
        self.values.finish().map_err(|error| Error::io(self.path, error))
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
