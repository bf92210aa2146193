//! Element types of ONNX tensors: codes, names, sizes, and rounding to them.

use super::small_float::{self, SmallFloat};

/// A type of tensor elements that has numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementType {
    Float,
    Uint8,
    Int8,
    Uint16,
    Int16,
    Int32,
    Int64,
    Bool,
    Float16,
    Double,
    Uint32,
    Uint64,
    Bfloat16,
    Float8E4M3Fn,
    Float8E4M3Fnuz,
    Float8E5M2,
    Float8E5M2Fnuz,
    Uint4,
    Int4,
    Float4E2M1,
    Float8E8M0,
    Uint2,
    Int2,
}

use ElementType::*;

/// Code in `onnx.proto`, name, type.
const TYPES: &[(i64, &str, ElementType)] = &[
    (1, "float", Float),
    (2, "uint8", Uint8),
    (3, "int8", Int8),
    (4, "uint16", Uint16),
    (5, "int16", Int16),
    (6, "int32", Int32),
    (7, "int64", Int64),
    (9, "bool", Bool),
    (10, "float16", Float16),
    (11, "double", Double),
    (12, "uint32", Uint32),
    (13, "uint64", Uint64),
    (16, "bfloat16", Bfloat16),
    (17, "float8e4m3fn", Float8E4M3Fn),
    (18, "float8e4m3fnuz", Float8E4M3Fnuz),
    (19, "float8e5m2", Float8E5M2),
    (20, "float8e5m2fnuz", Float8E5M2Fnuz),
    (21, "uint4", Uint4),
    (22, "int4", Int4),
    (23, "float4e2m1", Float4E2M1),
    (24, "float8e8m0", Float8E8M0),
    (25, "uint2", Uint2),
    (26, "int2", Int2),
];

impl ElementType {
    /// The type of code `code` in `onnx.proto`.
    ///
    /// # Errors
    /// The reason why tensors of this type have no numbers that can be used.
    pub fn of(code: i64) -> Result<Self, String> {
        if let Some((.., found)) = TYPES.iter().find(|(known, ..)| *known == code) {
            return Ok(*found);
        }
        let name = match code {
            0 => "undefined",
            8 => {
                return Err(
                    "values of type string are not numbers. Remove the text processing from the network.".into()
                );
            }
            14 => "complex64",
            15 => "complex128",
            _ => return Err(format!("values of type {code}, which ONNX did not define when this reader was written")),
        };
        Err(format!("values of type {name} are not supported. Export with 32-bit floats."))
    }
    /// The name in the ONNX standard: "float8e4m3fn".
    pub fn name(self) -> &'static str {
        TYPES.iter().find(|(.., known)| *known == self).map_or("", |(_, name, _)| name)
    }
    /// Bits of one stored value.
    pub fn bits(self) -> usize {
        match self {
            Uint2 | Int2 => 2,
            Uint4 | Int4 | Float4E2M1 => 4,
            Uint8 | Int8 | Bool | Float8E4M3Fn | Float8E4M3Fnuz | Float8E5M2 | Float8E5M2Fnuz | Float8E8M0 => 8,
            Uint16 | Int16 | Float16 | Bfloat16 => 16,
            Float | Int32 | Uint32 => 32,
            Int64 | Double | Uint64 => 64,
        }
    }
    /// Whether values are integers or truth values.
    pub fn is_integer(self) -> bool {
        self.range().is_some()
    }
    /// Smallest and largest value of an integer type, as far as 64-bit signed integers reach.
    pub fn range(self) -> Option<(i64, i64)> {
        Some(match self {
            Bool => (0, 1),
            Uint2 => (0, 3),
            Int2 => (-2, 1),
            Uint4 => (0, 15),
            Int4 => (-8, 7),
            Uint8 => (0, 255),
            Int8 => (-128, 127),
            Uint16 => (0, 65_535),
            Int16 => (-32_768, 32_767),
            Uint32 => (0, i64::from(u32::MAX)),
            Int32 => (i64::from(i32::MIN), i64::from(i32::MAX)),
            Uint64 => (0, i64::MAX),
            Int64 => (i64::MIN, i64::MAX),
            _ => return None,
        })
    }
    /// `value` with the bits that this integer type keeps, as arithmetic of that width gives it.
    pub fn wrapped(self, value: i64) -> i64 {
        let (low, high) = self.range().unwrap_or((i64::MIN, i64::MAX));
        match self {
            Bool => i64::from(value != 0),
            Int64 | Uint64 => value,
            _ if (low..=high).contains(&value) => value,
            _ => {
                // The width is a power of two: the low bits are kept.
                let size = high - low + 1;
                let low_bits = value & (size - 1);
                if low_bits > high { low_bits - size } else { low_bits }
            }
        }
    }
    /// The format of a float type of fewer than 32 bits.
    pub fn small_float(self) -> Option<SmallFloat> {
        Some(match self {
            Float16 => small_float::FLOAT16,
            Bfloat16 => small_float::BFLOAT16,
            Float8E4M3Fn => small_float::FLOAT8_E4M3_FN,
            Float8E4M3Fnuz => small_float::FLOAT8_E4M3_FNUZ,
            Float8E5M2 => small_float::FLOAT8_E5M2,
            Float8E5M2Fnuz => small_float::FLOAT8_E5M2_FNUZ,
            Float4E2M1 => small_float::FLOAT4_E2M1,
            _ => return None,
        })
    }
    /// `value` rounded to this float type, with the values beyond it as infinities; other types leave it.
    pub fn rounded(self, value: f64) -> f32 {
        match self.small_float() {
            Some(format) => format.rounded(value, false),
            None => value as f32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_wrap_at_their_width() {
        assert_eq!(
            [Int8.wrapped(200), Uint8.wrapped(-1), Int4.wrapped(8), Int32.wrapped(1 << 31)],
            [-56, 255, -8, -(1 << 31)]
        );
        assert_eq!((Bool.wrapped(-3), Int64.wrapped(i64::MIN)), (1, i64::MIN));
    }

    #[test]
    fn types_have_the_names_of_the_standard() {
        assert_eq!(ElementType::of(17).map(ElementType::name), Ok("float8e4m3fn"));
        assert!(ElementType::of(8).unwrap_err().contains("string"));
        assert!(ElementType::of(99).unwrap_err().contains("99"));
    }
}
