//! Files out of a packed tape archive (ustar), each put in place whole.

use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;

use crate::files::write_bytes;
use crate::{Error, Result};

const BLOCK: usize = 512;
/// A member larger than this is none of a data set that is fetched here.
const LARGEST: u64 = 1 << 28;

/// Unpacks those members of the archive at `path` whose last component is among `wanted` into `folder`.
pub(super) fn unpack(path: &Path, wanted: &[&str], folder: &Path) -> Result<()> {
    let file = std::fs::File::open(path).map_err(|e| Error::io(path, e))?;
    let mut stream = GzDecoder::new(std::io::BufReader::new(file));
    let broken = |e: std::io::Error| Error::file(path, "archive", format!("cannot be unpacked ({e})"));
    let mut missing: Vec<&str> = wanted.to_vec();
    let mut header = [0u8; BLOCK];
    while !missing.is_empty() {
        stream.read_exact(&mut header).map_err(broken)?;
        if header.iter().all(|&b| b == 0) {
            break;
        }
        let text = |range: std::ops::Range<usize>| {
            let field = &header[range];
            String::from_utf8_lossy(field.split(|&b| b == 0).next().unwrap_or_default()).trim().to_owned()
        };
        let (name, size) = (text(0..100), u64::from_str_radix(&text(124..136), 8));
        let size = size.ok().filter(|&n| n <= LARGEST);
        let size = size.ok_or_else(|| Error::file(path, format!("member '{name}'"), "has no size that makes sense"))?;
        let last = name.rsplit('/').next().unwrap_or_default();
        let padded = size.next_multiple_of(BLOCK as u64);
        let plain = matches!(header[156], 0 | b'0');
        match missing.iter().position(|wanted| plain && *wanted == last) {
            Some(at) => {
                let mut bytes = Vec::new();
                (&mut stream).take(padded).read_to_end(&mut bytes).map_err(broken)?;
                if bytes.len() as u64 != padded {
                    return Err(Error::file(path, format!("member '{name}'"), "is cut short"));
                }
                bytes.truncate(size as usize);
                write_bytes(&folder.join(last), &bytes)?;
                missing.remove(at);
            }
            None => {
                std::io::copy(&mut (&mut stream).take(padded), &mut std::io::sink()).map_err(broken)?;
            }
        }
    }
    match missing.first() {
        Some(name) => Err(Error::file(path, "archive", format!("does not hold '{name}'"))),
        None => Ok(()),
    }
}
