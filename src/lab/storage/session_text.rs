//! A session as one line of text, to be sent and pasted: packed and with a check sum, so that a line that lost a part is
//! refused and not half understood.

use std::io::{Read, Write};

use base64::DecodeError;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use super::session::Session;
use crate::{Error, Result};

/// What every such line begins with.
pub const MARK: &str = "spikescope:";
/// A line that unpacks to more than this is no session.
const LARGEST: u64 = 4 << 20;

/// `from_text` as a line.
///
/// # Errors
/// Never for sessions of this program.
pub fn to_text(session: &Session) -> Result<String> {
    let text = serde_json::to_vec(session).map_err(|e| Error::Internal(e.to_string()))?;
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    let packed = packer.write_all(&text).and_then(|()| packer.finish());
    let packed = packed.map_err(|e| Error::Internal(e.to_string()))?;
    Ok(format!("{MARK}{}", BASE64_URL_SAFE_NO_PAD.encode(packed)))
}

/// The session that `text` holds; space and line breaks count for nothing.
///
/// # Errors
/// [`Error::Invalid`] for what is no such line, or one that is not whole, or of a newer version.
pub fn from_text(text: &str) -> Result<Session> {
    let bad = |why: &str| Error::Invalid(format!("Cannot open the text as a session: {why}."));
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let letters = text.strip_prefix(MARK).ok_or_else(|| bad(&format!("it does not begin with '{MARK}'")))?;
    let not_whole = || bad("a part of it is missing or changed");
    let packed = BASE64_URL_SAFE_NO_PAD.decode(letters).map_err(|error| match error {
        DecodeError::InvalidByte(place, _) => bad(&format!("character {} after '{MARK}' is invalid", place + 1)),
        _ => not_whole(),
    })?;
    let mut plain = Vec::new();
    GzDecoder::new(&packed[..]).take(LARGEST).read_to_end(&mut plain).map_err(|_| not_whole())?;
    Session::parse(&plain).map_err(|(place, reason)| bad(&format!("{place}: {reason}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Settings;
    use crate::lab::Lab;

    #[test]
    fn a_session_survives_its_line_and_a_broken_line_is_refused() {
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
