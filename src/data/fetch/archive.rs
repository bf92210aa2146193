//! Files out of a packed tape archive (ustar), each put in place whole.

use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use tar::Archive;

use crate::files::write_bytes;
use crate::{Error, Result};

/// A member larger than this is none of a data set that is fetched here.
const LARGEST: u64 = 1 << 28;

/// Unpacks those members of the archive at `path` whose last component is among `wanted` into `folder`.
pub(super) fn unpack(path: &Path, wanted: &[&str], folder: &Path) -> Result<()> {
    let file = std::fs::File::open(path).map_err(|e| Error::io(path, e))?;
    let mut archive = Archive::new(GzDecoder::new(std::io::BufReader::new(file)));
    let broken = |e: std::io::Error| Error::file(path, "archive", format!("cannot be decompressed ({e})"));
    let mut missing: Vec<&str> = wanted.to_vec();
    for member in archive.entries().map_err(broken)? {
        let mut member = member.map_err(broken)?;
        let (name, size) = (String::from_utf8_lossy(&member.path_bytes()).into_owned(), member.size());
        if size > LARGEST {
            return Err(Error::file(path, format!("member '{name}'"), "has an invalid size"));
        }
        let last = name.rsplit('/').next().unwrap_or_default();
        let plain = member.header().entry_type().is_file();
        let Some(at) = missing.iter().position(|wanted| plain && *wanted == last) else { continue };
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).map_err(broken)?;
        if bytes.len() as u64 != size {
            return Err(Error::file(path, format!("member '{name}'"), "is truncated"));
        }
        write_bytes(&folder.join(last), &bytes)?;
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
