//! The unit that kernels work on: 16 numbers side by side, added up by plain loops. [`super::simd`] compiles the loops for
//! each instruction set, so that every machine adds the same numbers in the same order.

/// Numbers in [`Lanes`].
pub const LANES: usize = 16;

/// Sixteen numbers in one cache line.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(align(64))]
pub struct Lanes(pub [f32; LANES]);

impl Lanes {
    /// All zero.
    pub const ZERO: Self = Self([0.0; LANES]);
}

/// The largest number of lanes that a block of output channels spans.
pub const MOST: usize = 4;

/// The bits of 64 flags (0 or 1), flag 0 in the lowest bit.
#[inline(always)]
pub fn bits_of(flags: &[u8; 64]) -> u64 {
    let (eights, _) = flags.as_chunks::<8>();
    // The product of eight flags with this number has flag k in bit 56 + k.
    let byte = |eight: &[u8; 8]| u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    eights.iter().rev().fold(0, |bits, eight| bits << 8 | byte(eight))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_become_bits() {
        let mut flags = [0; 64];
        for k in [0, 3, 8, 40, 63] {
            flags[k] = 1;
        }
        assert_eq!(bits_of(&flags), 1 | 1 << 3 | 1 << 8 | 1 << 40 | 1 << 63);
    }
}
