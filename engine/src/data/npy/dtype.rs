//! NumPy's number and text types: parsed from type strings, decoded from bytes of either order.

/// What the bytes of a value mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Bool,
    /// Signed integers.
    Int,
    Unsigned,
    Float,
    /// Bytes of text, padded with zeros.
    Bytes,
    /// UTF-32 text, padded with zeros.
    Unicode,
    /// Integers in a unit of time, in nanoseconds.
    Time {
        unit: u64,
    },
    /// Padding or an unknown structure.
    Void,
}

/// The type of a value in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DType {
    pub kind: Kind,
    /// Bytes per value.
    pub size: usize,
    big_endian: bool,
}

impl DType {
    /// Parses a type string such as `<f4`, `|b1` or `>i2`.
    ///
    /// # Errors
    /// The reason why the type is not supported.
    pub fn parse(text: &str) -> Result<Self, String> {
        let unsupported = || {
            let why = match text.trim_start_matches(['<', '>', '|', '=']) {
                "O" => ", Python objects, which only Python reads. Save it as numbers or text",
                rest if rest.starts_with('c') => ", complex numbers",
                _ => "",
            };
            format!(
                "has type {text}{why}; bool, int8 to int64, uint8 to uint64, float16 to float64 and text are supported"
            )
        };
        let mut rest = text;
        let big_endian = match text.chars().next() {
            Some('>') => true,
            Some('<' | '|') => false,
            Some('=') => cfg!(target_endian = "big"),
            _ => {
                rest = "";
                false
            }
        };
        // A type string without its order.
        let rest = if rest.is_empty() { text } else { &text[1..] };
        let mut chars = rest.chars();
        let (letter, size) = (chars.next().ok_or_else(unsupported)?, chars.as_str());
        if let 'M' | 'm' = letter {
            let unit = size.strip_prefix('8').and_then(|unit| unit.strip_prefix('[')?.strip_suffix(']'));
            let unit = match unit {
                Some("s") => 1_000_000_000,
                Some("ms") => 1_000_000,
                Some("us" | "µs") => 1_000,
                Some("ns") => 1,
                _ => return Err(unsupported()),
            };
            return Ok(Self { kind: Kind::Time { unit }, size: 8, big_endian });
        }
        if (letter, size) == ('?', "") {
            return Ok(Self { kind: Kind::Bool, size: 1, big_endian });
        }
        let size: usize = size.parse().map_err(|_| unsupported())?;
        let (kind, size) = match (letter, size) {
            ('b', 1) => (Kind::Bool, 1),
            ('i', 1 | 2 | 4 | 8) => (Kind::Int, size),
            ('u', 1 | 2 | 4 | 8) => (Kind::Unsigned, size),
            ('f', 2 | 4 | 8) => (Kind::Float, size),
            ('S' | 'a', 1..=4096) => (Kind::Bytes, size),
            ('U', 1..=4096) => (Kind::Unicode, 4 * size),
            ('V', 1..=4096) => (Kind::Void, size),
            _ => return Err(unsupported()),
        };
        Ok(Self { kind, size, big_endian })
    }

    /// Whether values are numbers.
    pub fn is_number(self) -> bool {
        matches!(self.kind, Kind::Bool | Kind::Int | Kind::Unsigned | Kind::Float)
    }

    /// The eight bytes of the integer in `bytes`, with its sign.
    fn integer(self, bytes: &[u8]) -> i128 {
        let mut wide = [0u8; 8];
        let fill = |wide: &mut [u8; 8], bytes: &mut dyn Iterator<Item = &u8>| {
            wide.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        };
        if self.big_endian {
            fill(&mut wide, &mut bytes.iter().rev())
        } else {
            fill(&mut wide, &mut bytes.iter())
        }
        let value = u64::from_le_bytes(wide);
        if matches!(self.kind, Kind::Int | Kind::Time { .. }) && self.size > 0 && self.size <= 8 {
            let unused = 64 - 8 * self.size as u32;
            return i128::from(((value << unused) as i64) >> unused);
        }
        i128::from(value)
    }

    /// The integer in `bytes`, `size` of them; `None` for other types.
    pub fn decode_integer(self, bytes: &[u8]) -> Option<i128> {
        matches!(self.kind, Kind::Bool | Kind::Int | Kind::Unsigned | Kind::Time { .. }).then(|| self.integer(bytes))
    }

    /// The number in `bytes`, `size` of them; NaN for types that are no numbers.
    pub fn decode(self, bytes: &[u8]) -> f64 {
        match self.kind {
            Kind::Bool | Kind::Int | Kind::Unsigned | Kind::Time { .. } => self.integer(bytes) as f64,
            Kind::Float => {
                // Without a sign, the bits of the number.
                let bits = self.integer(bytes) as u64;
                match self.size {
                    2 => half(bits as u16),
                    4 => f64::from(f32::from_bits(bits as u32)),
                    _ => f64::from_bits(bits),
                }
            }
            _ => f64::NAN,
        }
    }

    /// The text in `bytes` without padding; `None` for other types and invalid text.
    pub fn decode_text(self, bytes: &[u8]) -> Option<String> {
        let text: String = match self.kind {
            Kind::Bytes => String::from_utf8(bytes.to_vec()).ok()?,
            Kind::Unicode => {
                let character = |four: &[u8]| {
                    let four: [u8; 4] = four.try_into().ok()?;
                    char::from_u32(if self.big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) })
                };
                bytes.chunks_exact(4).map(character).collect::<Option<_>>()?
            }
            _ => return None,
        };
        Some(text.trim_end_matches('\0').to_owned())
    }
}

/// The value of an IEEE 754 half-precision number.
fn half(bits: u16) -> f64 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    sign * match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_type_and_order() {
        for (text, bytes, value) in [
            ("|b1", vec![1], 1.0),
            ("?", vec![1], 1.0),
            ("|i1", vec![0xff], -1.0),
            ("|u1", vec![0xff], 255.0),
            ("<i2", vec![0xfe, 0xff], -2.0),
            (">i2", vec![0xff, 0xfe], -2.0),
            ("<u2", vec![1, 2], 513.0),
            (">u4", vec![0, 0, 1, 0], 256.0),
            ("<i8", vec![0xff; 8], -1.0),
            ("<f2", vec![0, 0x3e], 1.5),
            (">f2", vec![0xbe, 0], -1.5),
            ("<f4", 0.5f32.to_le_bytes().to_vec(), 0.5),
            (">f8", (-0.1f64).to_be_bytes().to_vec(), -0.1),
        ] {
            let dtype = DType::parse(text).unwrap();
            assert_eq!((dtype.size, dtype.decode(&bytes)), (bytes.len(), value), "{text}");
        }
        assert_eq!((half(1), half(0x7bff), half(0x7c00)), (2f64.powi(-24), 65504.0, f64::INFINITY));
        assert_eq!(DType::parse("<u8").unwrap().decode_integer(&[0xff; 8]), Some(i128::from(u64::MAX)));
    }

    #[test]
    fn text_and_times() {
        assert_eq!(DType::parse("|S3").unwrap().decode_text(b"ab\0").as_deref(), Some("ab"));
        let text: Vec<u8> = "hé".chars().chain(['\0']).flat_map(|c| (c as u32).to_be_bytes()).collect();
        assert_eq!(DType::parse(">U3").unwrap().decode_text(&text).as_deref(), Some("hé"));
        assert_eq!(DType::parse("<m8[us]").unwrap().kind, Kind::Time { unit: 1000 });
        for text in ["", "|O", "<c8", "<f16", "<i3", "<M8", "f", "é", "<V0", "<U999999999999999999999"] {
            assert!(DType::parse(text).is_err(), "{text}");
        }
        assert!(DType::parse("|O").unwrap_err().contains("type |O, Python objects"));
    }
}
