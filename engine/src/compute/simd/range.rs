//! Whether values are finite and small.

use super::isa::{Isa, Kernel};

/// Whether the magnitudes of all values are at most `limit`: false with a NaN among them.
pub struct IsBelow<'a> {
    pub values: &'a [f32],
    pub limit: f32,
}

impl Kernel for IsBelow<'_> {
    type Output = bool;
    #[inline(always)]
    fn run<I: Isa>(self) -> bool {
        // Magnitudes are ordered as their bits are, NaNs above all.
        let mut largest = 0;
        for value in self.values {
            largest = largest.max(value.abs().to_bits());
        }
        largest <= self.limit.to_bits()
    }
}
