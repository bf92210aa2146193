//! Cursor over the bytes of a pickle: bounds-checked readers of opcode arguments.

/// A position in a pickle.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    pub bytes: &'a [u8],
    pub at: usize,
}

impl<'a> Cursor<'a> {
    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let end = self.at.checked_add(count).filter(|&end| end <= self.bytes.len());
        let end = end.ok_or_else(|| format!("the pickle ends early, at byte {}", self.bytes.len()))?;
        let bytes = &self.bytes[self.at..end];
        self.at = end;
        Ok(bytes)
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub fn byte(&mut self) -> Result<u8, String> {
        Ok(self.array::<1>()?[0])
    }

    /// A little-endian length of `width` bytes, then that many bytes.
    pub fn counted(&mut self, width: usize) -> Result<&'a [u8], String> {
        let length = self.take(width)?.iter().rev().fold(0u64, |sum, &byte| sum << 8 | u64::from(byte));
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// [`counted`](Self::counted) bytes as UTF-8 text.
    pub fn text(&mut self, width: usize) -> Result<&'a str, String> {
        let at = self.at;
        std::str::from_utf8(self.counted(width)?).map_err(|_| format!("byte {at}: a string that is not UTF-8"))
    }

    /// The rest of the line.
    pub fn line(&mut self) -> Result<&'a str, String> {
        let at = self.at;
        let rest = &self.bytes[at..];
        let length = rest.iter().position(|&byte| byte == b'\n').ok_or("the pickle ends within a name")?;
        self.at += length + 1;
        std::str::from_utf8(&rest[..length]).map_err(|_| format!("byte {at}: a name that is not UTF-8"))
    }
}

/// The integer in `bytes` (two's complement, little-endian); `None` if it does not fit 64 bits.
pub(crate) fn long(bytes: &[u8]) -> Option<i64> {
    let negative = bytes.last().is_some_and(|&byte| byte >= 0x80);
    let sign_byte = if negative { 0xff } else { 0 };
    let mut wide = [sign_byte; 8];
    if bytes.len() > 8 && bytes[8..].iter().any(|&byte| byte != sign_byte) {
        return None;
    }
    let kept = bytes.len().min(8);
    wide[..kept].copy_from_slice(&bytes[..kept]);
    let value = i64::from_le_bytes(wide);
    ((value < 0) == negative).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::long;

    #[test]
    fn integers_of_any_width_are_read() {
        assert_eq!(long(&[]), Some(0));
        assert_eq!(long(&[0xff]), Some(-1));
        assert_eq!(long(&[0xff, 0]), Some(255));
        assert_eq!(long(&i64::MIN.to_le_bytes()), Some(i64::MIN));
        assert_eq!(long(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0]), None);
        assert_eq!(long(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0]), Some(1));
    }
}
