//! Session as one line of text, to copy and paste: JSON, compressed and base64-encoded.
//!
//! The checksum of gzip detects an incomplete line.

use std::io::{Read, Write};

use base64::DecodeError;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use super::session::Session;
use crate::{Error, Result};

/// Prefix of every session text.
pub const MARK: &str = "spikescope:";
/// Maximum decompressed size, in bytes.
const MAX_BYTES: u64 = 4 << 20;

/// Encodes `session` as one line of text.
///
/// # Errors
/// [`Error::Internal`] if serialization or compression fails.
pub fn to_text(session: &Session) -> Result<String> {
    let text = serde_json::to_vec(session).map_err(|e| Error::Internal(e.to_string()))?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let compressed = encoder.write_all(&text).and_then(|()| encoder.finish());
    let compressed = compressed.map_err(|e| Error::Internal(e.to_string()))?;
    Ok(format!("{MARK}{}", BASE64_URL_SAFE_NO_PAD.encode(compressed)))
}

/// Decodes a session from `text`; whitespace is ignored.
///
/// # Errors
/// [`Error::Invalid`] if the text is not a session, incomplete, or of a newer version.
pub fn from_text(text: &str) -> Result<Session> {
    let bad = |why: &str| Error::Invalid(format!("Cannot open the text as a session: {why}."));
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let encoded = text.strip_prefix(MARK).ok_or_else(|| bad(&format!("it does not begin with '{MARK}'")))?;
    let incomplete = || bad("a part of it is missing or changed");
    let compressed = BASE64_URL_SAFE_NO_PAD.decode(encoded).map_err(|error| match error {
        DecodeError::InvalidByte(place, _) => bad(&format!("character {} after '{MARK}' is invalid", place + 1)),
        _ => incomplete(),
    })?;
    let mut json = Vec::new();
    GzDecoder::new(&compressed[..]).take(MAX_BYTES).read_to_end(&mut json).map_err(|_| incomplete())?;
    Session::parse(&json).map_err(|(place, reason)| bad(&format!("{place}: {reason}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Settings;
    use crate::lab::Lab;

    #[test]
    fn a_session_text_decodes_equal_and_a_damaged_one_is_an_error() {
        for steps in 1..8 {
            let mut session = Lab::default().session();
            session.settings = Settings { samples: 0..steps, ..Settings::demo() };
            let line = to_text(&session).unwrap();
            assert_eq!(super::from_text(&line).unwrap(), session);
            let (a, b) = line.split_at(20);
            assert_eq!(super::from_text(&format!(" {a}\n{b} ")).unwrap(), session, "mails break lines");
            let short = super::from_text(&line[..line.len() - 5]).unwrap_err().to_string();
            assert!(short.contains("missing"), "{short}");
            let other = line.replacen(&line[40..41], if &line[40..41] == "A" { "B" } else { "A" }, 1);
            assert!(super::from_text(&other).is_err());
        }
        for bad in ["", "hello", "spikescope:", "spikescope:!!", "spikescope:A"] {
            assert!(from_text(bad).is_err(), "{bad}");
        }
    }
}
