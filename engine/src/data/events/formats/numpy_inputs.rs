//! The arrays of a NumPy file or archive that hold events, opened as streams.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use zip::ZipArchive;

use super::detect::starts_with;
use crate::data::bounded_read::open;
use crate::data::npy::{Header, read_header};
use crate::{Error, Result};

/// Names of the fields of an event, in lower case.
pub(super) const X: &[&str] = &["x"];
pub(super) const Y: &[&str] = &["y"];
pub(super) const T: &[&str] = &["t", "ts", "timestamp", "timestamps", "time", "times"];
pub(super) const P: &[&str] = &["p", "pol", "polarity", "polarities", "on"];
/// Names of an array of all events in an archive.
const ALL: &[&str] = &["events", "event", "data", "arr_0"];
/// Where errors of a header lie.
pub(super) const HEADER: &str = "the array header";

/// An array of a file or an archive.
pub(super) enum Input {
    File(BufReader<File>),
    /// The archive and the name of the member.
    Archive(Box<ZipArchive<BufReader<File>>>, String),
}

impl Input {
    /// The array from its first byte, and the name of its place.
    pub fn reader(&mut self, path: &Path) -> Result<(Box<dyn Read + '_>, String)> {
        match self {
            Self::File(reader) => Ok((Box::new(reader), HEADER.to_owned())),
            Self::Archive(archive, name) => {
                let member = archive.by_name(name);
                let member = member.map_err(|e| Error::file(path, &*name, format!("cannot be read ({e})")))?;
                Ok((Box::new(BufReader::new(member)), name.clone()))
            }
        }
    }
}

/// The arrays of events in a file: one with all values, or four with x, y, t and p.
///
/// # Errors
/// [`Error::File`] for archives without such arrays, with the names of theirs.
pub(super) fn inputs(path: &Path) -> Result<Vec<Input>> {
    if !starts_with(path, b"PK") {
        return Ok(vec![Input::File(BufReader::new(open(path)?))]);
    }
    let fail = |reason: String| Error::file(path, "archive", reason);
    let archive = || {
        let archive = ZipArchive::new(BufReader::new(open(path)?));
        archive.map(Box::new).map_err(|e| fail(format!("is not a readable npz file ({e})")))
    };
    let first = archive()?;
    let names: Vec<String> = first.file_names().map(str::to_owned).collect();
    let stem = |name: &str| name.strip_suffix(".npy").unwrap_or(name).to_lowercase();
    let named = |known: &[&str]| known.iter().find_map(|k| names.iter().find(|name| stem(name) == *k)).cloned();
    if let (Some(x), Some(y), Some(t), Some(p)) = (named(X), named(Y), named(T), named(P)) {
        return [x, y, t, p].into_iter().map(|name| Ok(Input::Archive(archive()?, name))).collect();
    }
    let Some(name) = named(ALL).or_else(|| names.first().cloned().filter(|_| names.len() == 1)) else {
        let list = names.join(", ");
        return Err(fail(format!(
            "has neither arrays x, y, t and p nor an array 'events'; its arrays are {list}. Save one of these"
        )));
    };
    // np.savez without names: each array would be a recording.
    let numbered = names.iter().filter(|name| stem(name).starts_with("arr_")).count();
    if stem(&name) == "arr_0" && numbered > 1 {
        return Err(fail(format!(
            "has {numbered} arrays without names (arr_0, arr_1, …), and a file is one recording. Save each of them as a file \
             of its own, or give one the name 'events'"
        )));
    }
    Ok(vec![Input::Archive(first, name)])
}

/// The header of the array of `reader`, which is then at the first value.
pub(super) fn header_of(path: &Path, place: &str, reader: &mut dyn Read) -> Result<Header> {
    read_header(reader).map_err(|reason| Error::file(path, place, reason))
}
