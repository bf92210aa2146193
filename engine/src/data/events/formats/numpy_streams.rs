//! Streams of the values of NumPy arrays in constant memory: records in chunks, and four arrays side by side.

use std::io::Read;
use std::path::Path;

use super::numpy_inputs::{HEADER, Input, header_of};
use crate::data::npy::{Content, DType, Kind};
use crate::error::format_shape;
use crate::{Error, Result};

/// Takes the index of an event and the bytes of its four columns.
pub type VisitRow<'a> = dyn FnMut(usize, [&[u8]; 4]) -> Result<()> + 'a;

/// Bytes that are read at once.
const CHUNK: usize = 1 << 16;
/// Names of the four arrays.
const NAMES: [&str; 4] = ["x", "y", "t", "p"];

/// Calls `visit` with `count` records of `size` bytes and their indices, behind which `reader` must end.
///
/// # Errors
/// Those of `visit`; [`Error::File`] for another number of bytes.
pub(super) fn for_each_chunk(
    path: &Path,
    reader: &mut dyn Read,
    count: usize,
    size: usize,
    visit: &mut dyn FnMut(usize, &[u8]) -> Result<()>,
) -> Result<()> {
    let mut chunks = Chunks::new(path, HEADER, reader, count, size)?;
    let mut index = 0;
    while index < count {
        let ready = chunks.ready(count - index)?;
        for record in ready.chunks_exact(size) {
            visit(index, record)?;
            index += 1;
        }
        let read = ready.len();
        chunks.advance(read);
    }
    chunks.end()
}

/// The bytes of one array, a piece at a time.
struct Chunks<'a> {
    path: &'a Path,
    place: &'a str,
    reader: &'a mut dyn Read,
    count: usize,
    size: usize,
    buffer: Vec<u8>,
    /// First byte that was not visited, and the end of what was read.
    at: usize,
    end: usize,
    /// Bytes read in all.
    seen: u64,
}

impl<'a> Chunks<'a> {
    /// # Errors
    /// [`Error::File`] if `count` records of `size` bytes are more than a file can have.
    fn new(path: &'a Path, place: &'a str, reader: &'a mut dyn Read, count: usize, size: usize) -> Result<Self> {
        let buffer = vec![0u8; (CHUNK / size.max(1)).max(1) * size];
        let chunks = Self { path, place, reader, count, size, buffer, at: 0, end: 0, seen: 0 };
        match count.checked_mul(size).filter(|_| size > 0) {
            Some(_) => Ok(chunks),
            None => Err(chunks.wrong_length(0)),
        }
    }
    fn wrong_length(&self, found: u64) -> Error {
        let Self { count, size, .. } = self;
        let reason = format!("announces {count} events of {size} bytes, but {found} bytes follow");
        Error::file(self.path, self.place, reason)
    }
    /// At least one whole record that was not visited, and at most `left` records.
    fn ready(&mut self, left: usize) -> Result<&[u8]> {
        if self.at == self.end {
            let wanted = self.buffer.len().min(left.saturating_mul(self.size));
            (self.at, self.end) = (0, 0);
            while self.end < wanted {
                match self.reader.read(&mut self.buffer[self.end..wanted]) {
                    Ok(0) => return Err(self.wrong_length(self.seen)),
                    Ok(read) => (self.end, self.seen) = (self.end + read, self.seen + read as u64),
                    Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(e) => {
                        let place = format!("event {}", self.seen / self.size.max(1) as u64);
                        return Err(Error::file(self.path, place, format!("cannot be read ({e})")));
                    }
                }
            }
        }
        Ok(&self.buffer[self.at..self.end])
    }
    fn advance(&mut self, bytes: usize) {
        self.at += bytes;
    }
    /// # Errors
    /// [`Error::File`] if bytes follow.
    fn end(self) -> Result<()> {
        match self.reader.read(&mut [0u8; 1]) {
            Ok(1) => Err(self.wrong_length(self.seen + 1)),
            _ => Ok(()),
        }
    }
}

/// Four arrays of one length, or four columns of one array: x, y, time and polarity.
pub(super) struct SideBySide<'a> {
    arrays: Vec<(Box<dyn Read + 'a>, DType, String)>,
    count: usize,
    /// Whether the readers end with the values.
    is_whole: bool,
}

impl<'a> SideBySide<'a> {
    /// Four arrays of an archive.
    ///
    /// # Errors
    /// [`Error::File`] for arrays that are no lists of one length.
    pub fn of_arrays(path: &Path, inputs: &'a mut [Input]) -> Result<Self> {
        let (mut arrays, mut count) = (Vec::new(), None);
        for (k, input) in inputs.iter_mut().enumerate() {
            let (mut reader, name) = input.reader(path)?;
            let header = header_of(path, &name, &mut reader)?;
            let fail = |reason: String| Error::file(path, name.clone(), reason);
            let Content::Plain(dtype) = header.content else { return Err(fail("is an array of records".into())) };
            let is_time = k == 2 && matches!(dtype.kind, Kind::Time { .. });
            if !dtype.is_number() && !is_time {
                return Err(fail("is an array of text, not of numbers".into()));
            }
            let shape = format_shape(&header.shape);
            let length: usize = header.shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).unwrap_or(usize::MAX);
            let is_list = header.shape.iter().filter(|&&d| d != 1).count() <= 1 && !header.shape.is_empty();
            if !is_list || *count.get_or_insert(length) != length {
                return Err(fail(format!("has shape {shape}; x, y, t and p are lists of one length")));
            }
            arrays.push((reader, dtype, name));
        }
        if arrays.len() != NAMES.len() {
            return Err(Error::Internal("not four arrays of events".into()));
        }
        Ok(Self { arrays, count: count.unwrap_or(0), is_whole: true })
    }

    /// The `columns` of a column-major array `[count, 4]`, which each of the four `inputs` reads.
    ///
    /// # Errors
    /// [`Error::File`] for a truncated array.
    pub fn of_columns(
        path: &Path,
        inputs: &'a mut [Input],
        columns: [usize; 4],
        count: usize,
        dtype: DType,
    ) -> Result<Self> {
        let mut arrays = Vec::new();
        for (input, column) in inputs.iter_mut().zip(columns) {
            let (mut reader, name) = input.reader(path)?;
            header_of(path, &name, &mut reader)?;
            let before = count.saturating_mul(dtype.size).saturating_mul(column) as u64;
            let skipped = std::io::copy(&mut reader.by_ref().take(before), &mut std::io::sink());
            if !skipped.as_ref().is_ok_and(|&skipped| skipped == before) {
                let reason = format!("announces {count} events, but ends before column {column}");
                return Err(Error::file(path, name, reason));
            }
            arrays.push((reader, dtype, name));
        }
        Ok(Self { arrays, count, is_whole: false })
    }

    /// Types of x, y, time and polarity.
    pub fn types(&self) -> [DType; 4] {
        [0, 1, 2, 3].map(|k| self.arrays[k].1)
    }

    /// Calls `visit` with the four values of every event.
    ///
    /// # Errors
    /// Those of `visit`; [`Error::File`] for truncated arrays, and for arrays that go on.
    pub fn for_each(&mut self, path: &Path, visit: &mut VisitRow<'_>) -> Result<()> {
        let (count, types) = (self.count, self.types());
        let mut chunks = Vec::new();
        for (reader, dtype, name) in &mut self.arrays {
            chunks.push(Chunks::new(path, name, reader, count, dtype.size)?);
        }
        let mut index = 0;
        while index < count {
            for (chunk, dtype) in chunks.iter_mut().zip(types) {
                if chunk.ready(count - index)?.len() < dtype.size {
                    return Err(chunk.wrong_length(chunk.seen));
                }
            }
            let whole = |k: usize| (chunks[k].end - chunks[k].at) / types[k].size;
            let ready = (0..4).map(whole).min().unwrap_or(0);
            for row in 0..ready {
                let value = |k: usize| {
                    let at = chunks[k].at + row * types[k].size;
                    &chunks[k].buffer[at..at + types[k].size]
                };
                visit(index + row, [0, 1, 2, 3].map(value))?;
            }
            index += ready;
            chunks.iter_mut().zip(types).for_each(|(chunk, dtype)| chunk.advance(ready * dtype.size));
        }
        if self.is_whole {
            chunks.into_iter().try_for_each(Chunks::end)?;
        }
        Ok(())
    }
}
