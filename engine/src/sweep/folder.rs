//! Results folder of sweeps: one file a row, by its address.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::row_file::{RowFault, RowFile};
use crate::files::TEMP_PREFIX;
use crate::{Error, Result};

/// Folder of the row files.
const ROWS: &str = "rows";
/// Leading digits of an address that name its folder: few files a folder, also with a million rows.
const FOLDER_DIGITS: usize = 2;

/// What a results folder holds.
#[derive(Debug, Default)]
pub struct Listing {
    /// Addresses of finished rows.
    pub finished: HashSet<String>,
    /// Files that are no finished rows, and why.
    pub faults: Vec<(PathBuf, RowFault)>,
    /// Files with names that no row has.
    pub unknown: Vec<PathBuf>,
    /// Unfinished files of processes that were killed; they can be deleted.
    pub temporary: usize,
}

/// The file of the row `address` in the results folder `out`.
pub fn row_path(out: &Path, address: &str) -> PathBuf {
    out.join(ROWS).join(&address[..FOLDER_DIGITS.min(address.len())]).join(format!("{address}.json"))
}

/// Reads the row `address`; `None` if there is no file.
///
/// # Errors
/// [`Error::Io`]; [`Error::File`] for a file that is no finished row.
pub fn read_row(out: &Path, address: &str) -> Result<Option<RowFile>> {
    let path = row_path(out, address);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io(&path, error)),
    };
    RowFile::read(&bytes, address).map(Some).map_err(|fault| Error::file(&path, "", fault_text(&fault)))
}

/// What is wrong, in words.
pub fn fault_text(fault: &RowFault) -> String {
    match fault {
        RowFault::Torn(why) => format!("incomplete or damaged ({why}); the row runs again"),
        RowFault::Future(format) => format!("written by a later version of the program (format {format})"),
        RowFault::Misnamed => "it is the result of another row, renamed".into(),
    }
}

/// The names of the files in a results folder; what is in them is not read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Addresses that have a file, sorted.
    pub rows: Vec<String>,
    /// Files with names that no row has, sorted.
    pub unknown: Vec<PathBuf>,
    /// Unfinished files of processes.
    pub temporary: usize,
}

/// Lists the names in the results folder `out`; one that does not exist is empty.
///
/// # Errors
/// [`Error::Io`] for a folder that cannot be read.
pub fn names(out: &Path) -> Result<Names> {
    let mut names = Names::default();
    for folder in entries(&out.join(ROWS))? {
        if !folder.is_dir() {
            names.unknown.push(folder);
            continue;
        }
        for file in entries(&folder)? {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with(TEMP_PREFIX) {
                names.temporary += 1;
                continue;
            }
            match address_of(&file).filter(|address| row_path(out, address) == file) {
                Some(address) => names.rows.push(address.to_owned()),
                None => names.unknown.push(file),
            }
        }
    }
    names.rows.sort();
    names.unknown.sort();
    Ok(names)
}

/// Reads all rows of the results folder `out`; one that does not exist is empty.
///
/// # Errors
/// [`Error::Io`] for a folder that cannot be read.
pub fn list(out: &Path) -> Result<Listing> {
    let Names { rows, unknown, temporary } = names(out)?;
    let mut listing = Listing { unknown, temporary, ..Listing::default() };
    let read = |address: String| {
        let path = row_path(out, &address);
        let bytes = std::fs::read(&path).map_err(|error| Error::io(&path, error))?;
        Ok((RowFile::read(&bytes, &address).map(|_| address), path))
    };
    let all: Vec<(Result<String, RowFault>, PathBuf)> = rows.into_par_iter().map(read).collect::<Result<_>>()?;
    for (row, path) in all {
        match row {
            Ok(address) => {
                listing.finished.insert(address);
            }
            Err(fault) => listing.faults.push((path, fault)),
        }
    }
    Ok(listing)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    match std::fs::read_dir(folder) {
        Ok(entries) => entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<std::io::Result<_>>()
            .map_err(|error| Error::io(folder, error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Error::io(folder, error)),
    }
}

fn address_of(file: &Path) -> Option<&str> {
    let address = file.file_name()?.to_str()?.strip_suffix(".json")?;
    address.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(address)
}
