//! Bytes as letters, six bits each (RFC 4648): the standard letters for data addresses, and those without a meaning in
//! addresses for lines that people send.

/// The letters of data addresses; padded.
pub const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// The letters of addresses; not padded.
pub const PLAIN: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// `bytes` in `letters`, without padding.
pub fn encode(bytes: &[u8], letters: &[u8; 64]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let word = (0..3).fold(0u32, |word, k| word << 8 | u32::from(three.get(k).copied().unwrap_or(0)));
        for k in 0..=three.len() {
            text.push(char::from(letters[(word >> (18 - 6 * k)) as usize & 63]));
        }
    }
    text
}

/// The same, padded to a multiple of four.
pub fn encode_padded(bytes: &[u8], letters: &[u8; 64]) -> String {
    let mut text = encode(bytes, letters);
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

/// The bytes of unpadded `text`; `Err` with the place of the first letter that is none of `letters`, counted from 1.
pub fn decode(text: &str, letters: &[u8; 64]) -> Result<Vec<u8>, usize> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for (k, four) in text.as_bytes().chunks(4).enumerate() {
        let mut word = 0u32;
        for (j, letter) in four.iter().enumerate() {
            let value = letters.iter().position(|known| known == letter).ok_or(4 * k + j + 1)?;
            word |= (value as u32) << (18 - 6 * j);
        }
        bytes.extend(&word.to_be_bytes()[1..four.len()]);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standards_own_examples() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(encode_padded(plain.as_bytes(), STANDARD), coded);
            assert_eq!(decode(coded.trim_end_matches('='), STANDARD).unwrap(), plain.as_bytes());
        }
        assert_eq!(decode("AA?A", PLAIN), Err(3));
    }
}
