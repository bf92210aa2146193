//! Columns of the input that one shifted copy of a plane takes from a row.

use std::ops::Range;

use crate::compute::simd::lanes::LANES;

/// What one shifted copy takes from a row of the input.
#[derive(Clone, Debug)]
pub struct Columns {
    /// Column of the input behind the first output column; negative in the padding.
    pub shift: isize,
    /// Number of output columns.
    pub width: usize,
    /// Those whose source lies in the input.
    pub inside: Range<usize>,
    /// Bits of `inside` for every sixteen columns.
    pub masks: Vec<u16>,
}

impl Columns {
    /// Columns `shift + stride · x` of a row of `width` for all x of `out_width`.
    pub fn new(shift: isize, stride: usize, width: usize, out_width: usize) -> Self {
        let start = (-shift).max(0).unsigned_abs().div_ceil(stride).min(out_width);
        let end = (width as isize - shift).max(0).unsigned_abs().div_ceil(stride).clamp(start, out_width);
        let inside = start..end;
        let bit = |x: usize| u16::from(inside.contains(&x));
        let mask = |first: usize| (0..LANES).fold(0, |mask, lane| mask | bit(first + lane) << lane);
        let masks = (0..out_width).step_by(LANES).map(mask).collect();
        Self { shift, width: out_width, inside, masks }
    }
}
