//! Extracts named files from a gzip-compressed tar archive, each written atomically.

use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use tar::Archive;

use crate::files::write_bytes;
use crate::{Error, Result};

/// Maximum size of a member: larger than any file of the data sets fetched here.
const MAX_MEMBER_BYTES: u64 = 1 << 28;

/// Extracts the members of the archive at `path` whose file name is in `wanted` into `folder`.
///
/// # Errors
/// [`Error::File`] for a damaged archive or a missing member; [`Error::Io`] when a file cannot be read or written.
pub(super) fn unpack(path: &Path, wanted: &[&str], folder: &Path) -> Result<()> {
    let file = std::fs::File::open(path).map_err(|e| Error::io(path, e))?;
    let mut archive = Archive::new(GzDecoder::new(std::io::BufReader::new(file)));
    let damaged = |e: std::io::Error| Error::file(path, "archive", format!("cannot be decompressed ({e})"));
    let mut missing: Vec<&str> = wanted.to_vec();
    for member in archive.entries().map_err(damaged)? {
        let mut member = member.map_err(damaged)?;
        let (name, size) = (String::from_utf8_lossy(&member.path_bytes()).into_owned(), member.size());
        if size > MAX_MEMBER_BYTES {
            return Err(Error::file(path, format!("member '{name}'"), "has an invalid size"));
        }
        let file_name = name.rsplit('/').next().unwrap_or_default();
        let is_file = member.header().entry_type().is_file();
        let Some(at) = missing.iter().position(|wanted| is_file && *wanted == file_name) else { continue };
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).map_err(damaged)?;
        if bytes.len() as u64 != size {
            return Err(Error::file(path, format!("member '{name}'"), "is truncated"));
        }
        write_bytes(&folder.join(file_name), &bytes)?;
        missing.remove(at);
        if missing.is_empty() {
            break;
        }
    }
    match missing.first() {
        Some(name) => Err(Error::file(path, "archive", format!("does not contain '{name}'"))),
        None => Ok(()),
    }
}
