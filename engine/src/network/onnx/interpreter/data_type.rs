//! Data types of ONNX values, and rounding of numbers held as f64 to them.

/// The type of the elements of a value. Elements are held as f64; [`DataType::round`] gives the number that is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataType {
    F16,
    Bf16,
    F32,
    F64,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    Bool,
}

impl DataType {
    /// The type of a code of `TensorProto.DataType`; `None` for text, complex numbers and types of 8 bits and less.
    pub fn from_code(code: i64) -> Option<Self> {
        Some(match code {
            1 => Self::F32,
            2 => Self::U8,
            3 => Self::I8,
            4 => Self::U16,
            5 => Self::I16,
            6 => Self::I32,
            7 => Self::I64,
            9 => Self::Bool,
            10 => Self::F16,
            11 => Self::F64,
            12 => Self::U32,
            13 => Self::U64,
            16 => Self::Bf16,
            _ => return None,
        })
    }

    pub fn is_float(self) -> bool {
        matches!(self, Self::F16 | Self::Bf16 | Self::F32 | Self::F64)
    }

    /// Bytes of one element in raw data.
    pub fn width(self) -> usize {
        match self {
            Self::Bool | Self::I8 | Self::U8 => 1,
            Self::F16 | Self::Bf16 | Self::I16 | Self::U16 => 2,
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::F64 | Self::I64 | Self::U64 => 8,
        }
    }

    /// The lowest and the highest number of the type.
    pub fn limits(self) -> (f64, f64) {
        match self {
            Self::F16 => (-65504.0, 65504.0),
            Self::Bf16 => (-bf16_max(), bf16_max()),
            Self::F32 => (f64::from(f32::MIN), f64::from(f32::MAX)),
            Self::F64 => (f64::MIN, f64::MAX),
            Self::I8 => (-128.0, 127.0),
            Self::I16 => (-32768.0, 32767.0),
            Self::I32 => (f64::from(i32::MIN), f64::from(i32::MAX)),
            Self::I64 => (i64::MIN as f64, i64::MAX as f64),
            Self::U8 => (0.0, 255.0),
            Self::U16 => (0.0, 65535.0),
            Self::U32 => (0.0, f64::from(u32::MAX)),
            Self::U64 => (0.0, u64::MAX as f64),
            Self::Bool => (0.0, 1.0),
        }
    }

    /// The number of this type nearest to `v`, ties to even; integers lose their fraction and wrap around.
    pub fn round(self, v: f64) -> f64 {
        let whole = || v as i128;
        match self {
            Self::F64 => v,
            Self::F32 => f64::from(v as f32),
            Self::F16 => round_to(v, 10, -14, 65504.0),
            Self::Bf16 => round_to(v, 7, -126, bf16_max()),
            Self::I8 => f64::from(whole() as i8),
            Self::I16 => f64::from(whole() as i16),
            Self::I32 => f64::from(whole() as i32),
            Self::I64 => v.trunc().clamp(i64::MIN as f64, i64::MAX as f64),
            Self::U8 => f64::from(whole() as u8),
            Self::U16 => f64::from(whole() as u16),
            Self::U32 => f64::from(whole() as u32),
            Self::U64 => v.trunc().clamp(0.0, u64::MAX as f64),
            Self::Bool => f64::from(u8::from(v != 0.0)),
        }
    }
}

fn bf16_max() -> f64 {
    f64::from(f32::from_bits(0x7F7F_0000))
}

/// `v` rounded to a binary format of `fraction` bits, whose smallest exponent is `smallest` and largest number `max`.
fn round_to(v: f64, fraction: i32, smallest: i32, max: f64) -> f64 {
    if !v.is_finite() || v == 0.0 {
        return v;
    }
    let exponent = ((v.to_bits() >> 52 & 0x7FF) as i32 - 1023).max(smallest);
    let quantum = 2f64.powi(exponent - fraction);
    let rounded = (v / quantum).round_ties_even() * quantum;
    if rounded.abs() > max { f64::INFINITY.copysign(v) } else { rounded }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::number_type::{bf16, f16};

    #[test]
    fn numbers_of_sixteen_bits_round_to_themselves_and_ties_to_even() {
        for bits in 0..=u16::MAX {
            for (kind, v) in [(DataType::F16, f16(bits)), (DataType::Bf16, bf16(bits))] {
                let v = f64::from(v);
                assert!(kind.round(v) == v || v.is_nan(), "{kind:?} {v}");
            }
        }
        assert_eq!(
            [2049.0, 2051.0, 65519.0, 65520.0].map(|v| DataType::F16.round(v)),
            [2048.0, 2052.0, 65504.0, f64::INFINITY]
        );
        assert_eq!(DataType::F16.round(2f64.powi(-25)), 0.0);
    }

    #[test]
    fn integers_wrap_and_lose_their_fraction() {
        assert_eq!(DataType::U8.round(257.0), 1.0);
        assert_eq!(DataType::I8.round(-129.0), 127.0);
        assert_eq!(DataType::I32.round(-2.7), -2.0);
        assert_eq!(DataType::I64.round(i64::MAX as f64) as i64, i64::MAX);
        assert_eq!(DataType::Bool.round(-0.5), 1.0);
    }
}
