//! Text of files as UTF-8, and what to do with text of another encoding.

use std::path::Path;

use crate::{Error, Result};

/// The text of `bytes`, without the byte order mark that editors on Windows write.
///
/// # Errors
/// [`Error::File`] with the line of the first byte that is not UTF-8.
pub(in crate::data) fn utf8<'a>(path: &Path, bytes: &'a [u8]) -> Result<&'a str> {
    check_utf8(path, bytes)?;
    let text = std::str::from_utf8(bytes).map_err(|e| Error::file(path, "", e.to_string()))?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Checks that `bytes` are UTF-8.
///
/// # Errors
/// [`Error::File`] as of [`utf8`].
pub(in crate::data) fn check_utf8(path: &Path, bytes: &[u8]) -> Result<()> {
    // Every second byte of Western text in UTF-16 is 0, also without a mark at its beginning.
    let is_wide = [b"\xff\xfe", b"\xfe\xff"].iter().any(|mark| bytes.starts_with(*mark))
        || matches!(bytes, &[first, second, ..] if (first == 0) != (second == 0));
    if is_wide {
        return Err(Error::file(path, "", "is UTF-16 text. Save it again as UTF-8"));
    }
    let Err(error) = std::str::from_utf8(bytes) else { return Ok(()) };
    let at = error.valid_up_to();
    let line = bytes.iter().take(at).filter(|byte| **byte == b'\n').count() + 1;
    let byte = bytes.get(at).copied().unwrap_or_default();
    let reason = format!(
        "is not UTF-8 text (byte 0x{byte:02X}); files in Latin-1, Windows-1252 or GBK have such bytes. Save it again as UTF-8"
    );
    Err(Error::file(path, format!("line {line}"), reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_encodings_are_named_with_the_line() {
        let refused = |bytes: &[u8]| utf8(Path::new("a.txt"), bytes).unwrap_err().to_string();
        assert_eq!(utf8(Path::new("a.txt"), "\u{feff}é\n".as_bytes()).unwrap(), "é\n");
        let latin = refused(b"a\nM\xfcller");
        assert!(latin.contains("a.txt: line 2: is not UTF-8 text (byte 0xFC); files in Latin-1"), "{latin}");
        for wide in [&b"\xff\xfea\0"[..], b"\xfe\xff\0a", b"a\0b\0", b"\0a\0b"] {
            assert!(refused(wide).contains("is UTF-16 text. Save it again as UTF-8"));
        }
        assert_eq!(utf8(Path::new("a.txt"), b"").unwrap(), "");
    }
}
