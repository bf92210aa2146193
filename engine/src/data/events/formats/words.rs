//! Words of a binary recording, read one after another with their place in the file.

use std::io::{BufRead, Read};
use std::path::Path;

use super::super::summary::RawEvent;
use crate::{Error, Result};

/// Upper limit of coordinates (exclusive).
pub(super) const MAX_SIDE: usize = 4096;

/// What takes events one by one.
pub(super) type Sink<'a> = &'a mut dyn FnMut(RawEvent) -> Result<()>;

/// Words of a binary file, with the byte where the last one began.
pub(super) struct Words<'a, R> {
    path: &'a Path,
    reader: &'a mut R,
    /// Byte behind the last word.
    at: usize,
    /// Byte where the last word began.
    start: usize,
}

impl<'a, R: BufRead> Words<'a, R> {
    /// The words of `reader`, which is at byte `at` of the file.
    pub fn new(path: &'a Path, reader: &'a mut R, at: usize) -> Self {
        Self { path, reader, at, start: at }
    }
    /// Byte behind the last word.
    pub fn at(&self) -> usize {
        self.at
    }
    /// The next word of N bytes; `None` at the end of the file. `what` it is stands in the error if the file ends within it.
    #[inline]
    pub fn next<const N: usize>(&mut self, what: &str) -> Result<Option<[u8; N]>> {
        self.start = self.at;
        let buffer = self.reader.fill_buf().map_err(|e| Error::io(self.path, e))?;
        if let Some(word) = buffer.first_chunk::<N>() {
            let word = *word;
            self.reader.consume(N);
            self.at += N;
            return Ok(Some(word));
        }
        self.next_across(what)
    }
    /// A word that the buffer holds only in part.
    #[cold]
    fn next_across<const N: usize>(&mut self, what: &str) -> Result<Option<[u8; N]>> {
        let (mut word, mut filled) = ([0; N], 0);
        while filled < N {
            match self.reader.read(&mut word[filled..]) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => {
                    return Err(self.error(format!("has {filled} bytes, fewer than {what}: the file is truncated")));
                }
                Ok(read) => filled += read,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(Error::io(self.path, e)),
            }
        }
        self.at += N;
        Ok(Some(word))
    }
    /// The bytes that follow, as many as are at hand.
    pub fn peek(&mut self) -> Result<&[u8]> {
        self.reader.fill_buf().map_err(|e| Error::io(self.path, e))
    }
    /// The next `length` bytes, at most `limit`.
    pub fn bytes(&mut self, length: usize, limit: usize, what: &str) -> Result<Vec<u8>> {
        self.start = self.at;
        if length > limit {
            return Err(self.error(format!("is {what} of {length} bytes, more than {limit}")));
        }
        let mut bytes = Vec::new();
        self.reader.by_ref().take(length as u64).read_to_end(&mut bytes).map_err(|e| Error::io(self.path, e))?;
        if bytes.len() < length {
            return Err(
                self.error(format!("is {what} of {length} bytes, but {} follow: the file is truncated", bytes.len()))
            );
        }
        self.at += length;
        Ok(bytes)
    }
    /// An error at the last word.
    pub fn error(&self, reason: String) -> Error {
        Error::file(self.path, format!("byte {}", self.start), reason)
    }
    /// Refuses coordinates that no sensor has.
    #[inline]
    pub fn check_side(&self, side: u32) -> Result<()> {
        if side as usize >= MAX_SIDE {
            Err(self.error(format!("is an event at {side}, which is no pixel")))
        } else {
            Ok(())
        }
    }
}
