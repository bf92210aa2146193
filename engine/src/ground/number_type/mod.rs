//! Number types of weight files, and the conversion of their numbers to f32.

mod float16;

pub(crate) use self::float16::{bf16, f16};

/// The type of the numbers of a tensor, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberType {
    F16,
    Bf16,
    F32,
    F64,
    /// Float of 8 bits with the mantissa's width in bits and the form of its special values.
    F8(Float8),
    /// Signed integer of this size in bytes.
    Int(u8),
    /// Unsigned integer of this size in bytes.
    Uint(u8),
    Bool,
    /// Complex number of this size in bytes.
    Complex(u8),
    /// Quantized number (`qint8`, `quint8`, `qint32`) of this size in bytes.
    Quantized(u8),
    /// A type that no layer reads, with the size of its numbers in bytes.
    Other(u8),
}

/// The forms of 8-bit floats. `Fn`: no infinities, all ones is NaN. `Fnuz`: also no negative zero, which is NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Float8 {
    E4M3Fn,
    E4M3Fnuz,
    E5M2,
    E5M2Fnuz,
}

impl NumberType {
    /// Size of one number in bytes.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::F8(_) | Self::Bool => 1,
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
            Self::Int(size) | Self::Uint(size) | Self::Complex(size) | Self::Quantized(size) | Self::Other(size) => {
                usize::from(size)
            }
        }
    }

    /// Whether weights are usually of this type.
    pub(crate) fn is_float(self) -> bool {
        matches!(self, Self::F16 | Self::Bf16 | Self::F32 | Self::F64 | Self::F8(_))
    }

    /// Whether the numbers are whole.
    pub(crate) fn is_whole(self) -> bool {
        matches!(self, Self::Int(_) | Self::Uint(_) | Self::Bool)
    }

    /// Name of the type, as PyTorch and NumPy write it.
    pub(crate) fn name(self) -> String {
        match self {
            Self::F16 => "float16".into(),
            Self::Bf16 => "bfloat16".into(),
            Self::F32 => "float32".into(),
            Self::F64 => "float64".into(),
            Self::F8(_) => "float8".into(),
            Self::Int(size) => format!("int{}", 8 * u32::from(size)),
            Self::Uint(size) => format!("uint{}", 8 * u32::from(size)),
            Self::Bool => "bool".into(),
            Self::Complex(size) => format!("complex{}", 8 * u32::from(size)),
            Self::Quantized(size) => format!("qint{}", 8 * u32::from(size)),
            Self::Other(_) => "another type".into(),
        }
    }

    /// The number in `bytes`, of length [`size`](Self::size); NaN for types that are not real numbers.
    pub(crate) fn read(self, bytes: &[u8]) -> f32 {
        match (self, bytes) {
            (Self::F16, &[a, b]) => f16(u16::from_le_bytes([a, b])),
            (Self::Bf16, &[a, b]) => bf16(u16::from_le_bytes([a, b])),
            (Self::F32, &[a, b, c, d]) => f32::from_le_bytes([a, b, c, d]),
            (Self::F64, bytes) => bytes.try_into().map_or(f32::NAN, |bytes| f64::from_le_bytes(bytes) as f32),
            (Self::F8(form), &[byte]) => form.value(byte),
            (Self::Bool, &[byte]) => f32::from(u8::from(byte != 0)),
            (Self::Int(_), bytes) => {
                let sign = if bytes.last().is_some_and(|&byte| byte >= 0x80) { u64::MAX } else { 0 };
                bytes.iter().rev().fold(sign, |value, &byte| value << 8 | u64::from(byte)) as i64 as f32
            }
            (Self::Uint(_), bytes) => bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte)) as f32,
            _ => f32::NAN,
        }
    }

    /// All numbers in `bytes`; a rest shorter than one number is left out.
    pub(crate) fn read_all(self, bytes: &[u8]) -> Vec<f32> {
        bytes.chunks_exact(self.size().max(1)).map(|number| self.read(number)).collect()
    }
}

impl Float8 {
    fn value(self, byte: u8) -> f32 {
        let (bits, bias) = match self {
            Self::E4M3Fn => (3, 7),
            Self::E4M3Fnuz => (3, 8),
            Self::E5M2 => (2, 15),
            Self::E5M2Fnuz => (2, 16),
        };
        let is_nan = match self {
            Self::E4M3Fn => byte & 0x7f == 0x7f,
            Self::E5M2 => byte & 0x7f > 0x7c,
            Self::E4M3Fnuz | Self::E5M2Fnuz => byte == 0x80,
        };
        let sign = if byte & 0x80 == 0 { 1.0 } else { -1.0 };
        let exponent = i32::from(byte & 0x7f) >> bits;
        let fraction = f32::from(byte & ((1 << bits) - 1)) / f32::from(1u8 << bits);
        match exponent {
            _ if is_nan => f32::NAN,
            31 if self == Self::E5M2 => sign * f32::INFINITY,
            0 => sign * fraction * 2f32.powi(1 - bias),
            _ => sign * (1.0 + fraction) * 2f32.powi(exponent - bias),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_of_every_size_keep_their_sign() {
        assert_eq!(NumberType::Int(1).read(&[0xff]), -1.0);
        assert_eq!(NumberType::Uint(1).read(&[0xff]), 255.0);
        assert_eq!(NumberType::Int(2).read(&(-300i16).to_le_bytes()), -300.0);
        assert_eq!(NumberType::Int(4).read(&(-70_000i32).to_le_bytes()), -70_000.0);
        assert_eq!(NumberType::Int(8).read(&(-3i64).to_le_bytes()), -3.0);
        assert_eq!(NumberType::Uint(8).read(&(1u64 << 63).to_le_bytes()), 2f32.powi(63));
        assert_eq!(NumberType::Bool.read_all(&[0, 1, 7]), [0.0, 1.0, 1.0]);
    }

    #[test]
    fn floats_of_eight_bits_are_those_of_pytorch() {
        // Largest, smallest and one, from `torch.tensor(bits, dtype=torch.uint8).view(torch.float8_…)`.
        let read = |form: Float8, bytes: [u8; 3]| bytes.map(|byte| NumberType::F8(form).read(&[byte]));
        assert_eq!(read(Float8::E4M3Fn, [0x7e, 0x01, 0x38]), [448.0, 2f32.powi(-9), 1.0]);
        assert_eq!(read(Float8::E5M2, [0x7b, 0x01, 0x3c]), [57344.0, 2f32.powi(-16), 1.0]);
        assert_eq!(read(Float8::E4M3Fnuz, [0x7f, 0x01, 0x40]), [240.0, 2f32.powi(-10), 1.0]);
        assert_eq!(read(Float8::E5M2Fnuz, [0x7f, 0x01, 0x40]), [57344.0, 2f32.powi(-17), 1.0]);
        assert!(Float8::E4M3Fn.value(0xff).is_nan() && Float8::E4M3Fnuz.value(0x80).is_nan());
        assert_eq!(Float8::E5M2.value(0xfc), f32::NEG_INFINITY);
    }
}
