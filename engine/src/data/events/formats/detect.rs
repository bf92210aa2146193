//! The format of a recording, by its first bytes.

use std::io::Read;
use std::path::Path;

use super::text_header::TextHeader;
use super::{aedat4, camera};
use crate::data::bounded_read::open;
use crate::{Error, Result};

const NUMPY: &[u8] = b"\x93NUMPY";
/// Bytes in which the text before the events ends.
const MAX_TEXT: u64 = 1 << 16;

/// The format of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// `.npy` or `.npz`
    Numpy,
    Nmnist,
    Dat,
    Evt2,
    Evt3,
    Aedat4,
    EventStream,
}

impl Format {
    /// The name of the format.
    pub fn name(self) -> &'static str {
        match self {
            Self::Numpy => "NumPy",
            Self::Nmnist => "N-MNIST",
            Self::Dat => "DAT",
            Self::Evt2 => "EVT2",
            Self::Evt3 => "EVT3",
            Self::Aedat4 => "AEDAT 4",
            Self::EventStream => "Event Stream",
        }
    }
}

/// The first bytes of a file, at most `length`.
fn head(path: &Path, length: u64) -> Result<Vec<u8>> {
    let mut head = Vec::new();
    open(path)?.take(length).read_to_end(&mut head).map_err(|e| Error::io(path, e))?;
    Ok(head)
}

/// Whether the file at `path` begins with `signature`.
pub(super) fn starts_with(path: &Path, signature: &[u8]) -> bool {
    head(path, signature.len() as u64).is_ok_and(|head| head == signature)
}

/// The text at the beginning of the file at `path`.
pub(super) fn text_header(path: &Path) -> Result<TextHeader> {
    Ok(TextHeader::parse(&head(path, MAX_TEXT)?))
}

/// The format of the file at `path`, by its first bytes; N-MNIST's files, which have none, by their ending.
///
/// # Errors
/// [`Error::File`] for other formats, which are named where they are known.
pub(super) fn format_of(path: &Path) -> Result<Format> {
    let head = head(path, MAX_TEXT)?;
    let fail = |reason: String| Err(Error::file(path, "", reason));
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    if head.is_empty() {
        return fail("is empty: it contains no event".into());
    }
    if head.starts_with(NUMPY) || head.starts_with(b"PK") {
        return Ok(Format::Numpy);
    }
    if head.starts_with(aedat4::SIGNATURE) {
        return Ok(Format::Aedat4);
    }
    if head.starts_with(camera::ES_SIGNATURE) {
        return Ok(Format::EventStream);
    }
    if head.starts_with(b"#!AER-DAT") {
        let version = String::from_utf8_lossy(&head[9..head.len().min(12)]).into_owned();
        if version.starts_with('4') {
            return fail(
                "begins as AEDAT 4, but its first line is not '#!AER-DAT4.0': it is truncated or of another version. Save it again \
                 with DV, or convert it to a NumPy array."
                    .into(),
            );
        }
        return fail(format!("is AEDAT {version}, which is not read. Convert it to AEDAT 4 or to a NumPy array."));
    }
    if head.starts_with(b"\x89HDF") {
        return fail("is an HDF5 file, whose events are not read. Save them as a NumPy array.".into());
    }
    let text = TextHeader::parse(&head);
    match text.evt().as_deref() {
        Some("2.0" | "2") => return Ok(Format::Evt2),
        Some("3.0" | "3") => return Ok(Format::Evt3),
        Some(other) => {
            return fail(format!("is EVT {other}; EVT 2.0 and 3.0 are read. Convert it to one of these, or to DAT."));
        }
        None => {}
    }
    match extension.as_str() {
        "bin" => Ok(Format::Nmnist),
        "dat" => Ok(Format::Dat),
        _ if text.len > 0 && !matches!(extension.as_str(), "raw" | "evt") => Ok(Format::Dat),
        "raw" | "evt" => {
            fail("has no header that names its format (evt 2.0 or evt 3.0). Convert it to a NumPy array.".into())
        }
        _ => fail(
            "is neither a NumPy array of events (.npy, .npz with x, y, t, p), an N-MNIST file (.bin), DAT, EVT2, EVT3 \
             (.raw), AEDAT 4 nor Event Stream (.es)"
                .into(),
        ),
    }
}
