//! The text of a description of a head, with the places of errors.

use std::ops::Range;
use std::path::PathBuf;

use crate::Error;

/// The text of a description and the file that it is from, for the places of errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadText {
    pub path: PathBuf,
    pub text: String,
}

impl HeadText {
    /// An error at the bytes `at` of the text.
    pub fn error(&self, at: Range<usize>, reason: impl Into<String>) -> Error {
        let line = self.text.get(..at.start).unwrap_or(&self.text).matches('\n').count() + 1;
        Error::file(&self.path, format!("line {line}"), reason)
    }

    /// Where the key `key` is first assigned, else the beginning.
    pub(super) fn place_of(&self, key: &str) -> Range<usize> {
        let mut start = 0;
        for line in self.text.split_inclusive('\n') {
            if line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('=')) {
                return start..start;
            }
            start += line.len();
        }
        0..0
    }
}
