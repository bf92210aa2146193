//! Floating-point formats of 4 to 16 bits: exact decoding, and rounding to the nearest value.

/// A format of sign, exponent and fraction bits.
#[derive(Clone, Copy, Debug)]
pub struct SmallFloat {
    exponent_bits: u32,
    fraction_bits: u32,
    bias: i32,
    specials: Specials,
}

/// The bit patterns that are no ordinary numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Specials {
    /// The largest exponent is infinity (fraction 0) or not a number, as in IEEE 754.
    Ieee,
    /// All bits set is not a number; there is no infinity.
    AllOnes,
    /// Minus zero is not a number; there is no infinity.
    MinusZero,
    /// Every pattern is a number.
    None,
}

const fn format(exponent_bits: u32, fraction_bits: u32, bias: i32, specials: Specials) -> SmallFloat {
    SmallFloat { exponent_bits, fraction_bits, bias, specials }
}

pub const FLOAT16: SmallFloat = format(5, 10, 15, Specials::Ieee);
pub const BFLOAT16: SmallFloat = format(8, 7, 127, Specials::Ieee);
pub const FLOAT8_E4M3_FN: SmallFloat = format(4, 3, 7, Specials::AllOnes);
pub const FLOAT8_E4M3_FNUZ: SmallFloat = format(4, 3, 8, Specials::MinusZero);
pub const FLOAT8_E5M2: SmallFloat = format(5, 2, 15, Specials::Ieee);
pub const FLOAT8_E5M2_FNUZ: SmallFloat = format(5, 2, 16, Specials::MinusZero);
pub const FLOAT4_E2M1: SmallFloat = format(2, 1, 1, Specials::None);

impl SmallFloat {
    /// The value of `bits`, exactly.
    pub fn value(self, bits: u32) -> f32 {
        let fraction = bits & ((1 << self.fraction_bits) - 1);
        let exponent = bits >> self.fraction_bits & ((1 << self.exponent_bits) - 1);
        let is_negative = bits >> (self.fraction_bits + self.exponent_bits) & 1 == 1;
        let (last_exponent, last_fraction) = ((1 << self.exponent_bits) - 1, (1 << self.fraction_bits) - 1);
        let is_special = match self.specials {
            Specials::Ieee => exponent == last_exponent,
            Specials::AllOnes => exponent == last_exponent && fraction == last_fraction,
            Specials::MinusZero => is_negative && exponent == 0 && fraction == 0,
            Specials::None => false,
        };
        let magnitude = match (is_special, exponent) {
            (true, _) if self.specials == Specials::Ieee && fraction == 0 => f64::INFINITY,
            (true, _) => f64::NAN,
            (false, 0) => f64::from(fraction) * self.unit(self.smallest_exponent()),
            (false, _) => {
                let significand = f64::from(fraction + (1 << self.fraction_bits));
                significand * self.unit(exponent as i32 - self.bias)
            }
        };
        (if is_negative { -magnitude } else { magnitude }) as f32
    }

    /// `x` rounded to the nearest value, halves to even. Beyond the largest one comes infinity, or not-a-number in formats
    /// without infinity; with `saturate` the largest value itself.
    pub fn rounded(self, x: f64, saturate: bool) -> f32 {
        if x == 0.0 || x.is_nan() {
            return x as f32;
        }
        let largest = self.largest();
        // The exponent field of a 64-bit float; values below its normal range are far below all formats here.
        let exponent = ((x.abs().to_bits() >> 52) as i32 - 1023).max(self.smallest_exponent());
        let unit = self.unit(exponent);
        let rounded = if x.is_finite() { (x / unit).round_ties_even() * unit } else { x };
        if rounded.abs() <= largest {
            return rounded as f32;
        }
        let beyond = match self.specials {
            _ if saturate => largest,
            Specials::Ieee => f64::INFINITY,
            Specials::None => largest,
            Specials::AllOnes | Specials::MinusZero => f64::NAN,
        };
        beyond.copysign(x) as f32
    }

    fn smallest_exponent(self) -> i32 {
        1 - self.bias
    }
    /// The distance of neighbors at `exponent`.
    fn unit(self, exponent: i32) -> f64 {
        2f64.powi(exponent - self.fraction_bits as i32)
    }
    fn largest(self) -> f64 {
        let bits = 1u32 << (self.exponent_bits + self.fraction_bits);
        let bits = match self.specials {
            Specials::Ieee => bits - (1 << self.fraction_bits) - 1,
            Specials::AllOnes => bits - 2,
            Specials::MinusZero | Specials::None => bits - 1,
        };
        f64::from(self.value(bits))
    }
}

/// The values of half-precision `bits`, exactly, at the speed of memory.
pub fn float16(bits: u16) -> f32 {
    let magnitude = u32::from(bits & 0x7FFF);
    let sign = u32::from(bits & 0x8000) << 16;
    // Moved to the fields of f32, the exponent is too small by 112; the product is exact for subnormal values too.
    let scaled = f32::from_bits(magnitude << 13) * f32::from_bits(0x7780_0000);
    let value = if magnitude >= 0x7C00 { f32::from_bits(0x7F80_0000 | magnitude << 13) } else { scaled };
    f32::from_bits(value.to_bits() | sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_is_its_own_nearest_value() {
        let formats = [FLOAT16, BFLOAT16, FLOAT8_E4M3_FN, FLOAT8_E4M3_FNUZ, FLOAT8_E5M2, FLOAT8_E5M2_FNUZ, FLOAT4_E2M1];
        for format in formats {
            let patterns = 1u32 << (1 + format.exponent_bits + format.fraction_bits);
            for bits in 0..patterns {
                let value = format.value(bits);
                let rounded = format.rounded(f64::from(value), false);
                assert!(rounded == value || value.is_nan(), "{format:?} {bits:#x}: {value} {rounded}");
            }
        }
        for bits in 0..=u16::MAX {
            let (fast, slow) = (float16(bits), FLOAT16.value(u32::from(bits)));
            assert!(fast == slow || (fast.is_nan() && slow.is_nan()), "{bits:#x}: {fast} {slow}");
        }
    }

    #[test]
    fn known_values_are_decoded_and_rounded() {
        assert_eq!(
            [0x3C00, 0xC000, 0x3555, 0x0001].map(|b| FLOAT16.value(b)),
            [1.0, -2.0, 0.333_251_95, 5.960_464_5e-8]
        );
        assert_eq!((FLOAT8_E4M3_FN.value(0x7E), FLOAT8_E5M2.value(0x7B)), (448.0, 57_344.0));
        assert_eq!((FLOAT8_E4M3_FNUZ.value(0x7F), FLOAT8_E5M2_FNUZ.value(0x7F)), (240.0, 57_344.0));
        assert_eq!([0, 1, 2, 3, 4, 5, 6, 7].map(|b| FLOAT4_E2M1.value(b)), [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0]);
        assert_eq!((FLOAT16.rounded(65_519.0, false), FLOAT16.rounded(65_520.0, false)), (65_504.0, f32::INFINITY));
        assert_eq!(FLOAT8_E4M3_FN.rounded(1e6, true), 448.0);
        assert!(FLOAT8_E4M3_FN.rounded(1e6, false).is_nan());
        // Halves go to the even neighbor.
        assert_eq!((FLOAT16.rounded(2049.0, false), FLOAT16.rounded(2051.0, false)), (2048.0, 2052.0));
    }
}
