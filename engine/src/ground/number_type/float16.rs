//! Conversion of 16-bit floating-point formats (half precision, bfloat16) to f32.

/// The value of IEEE 754 half-precision `bits`, exactly.
pub(crate) fn f16(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    sign * match exponent {
        0 => fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f32.powi(exponent - 15),
    }
}

/// The value of bfloat16 `bits`: the upper half of an f32.
pub(crate) fn bf16(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bit_formats_convert_exactly() {
        assert_eq!(
            [0x3C00, 0xC000, 0x3555, 0x0001, 0x7BFF].map(f16),
            [1.0, -2.0, 0.333_251_95, 5.960_464_5e-8, 65504.0]
        );
        assert!(f16(0x7E00).is_nan() && f16(0x7C00).is_infinite());
        assert_eq!(bf16(0x3F80), 1.0);
    }
}
