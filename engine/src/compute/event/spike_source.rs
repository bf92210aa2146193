//! Where kernels read spikes from: words of bits, channels innermost.

use std::ops::Range;

/// Spikes of one sample.
pub trait SpikeSource: Sync {
    /// The words of one plane at step `t`; bit `p·C + c` is channel c at place p.
    fn plane(&self, t: usize, plane: usize) -> &[u64];
    /// The weight of a bit of each plane.
    fn weights(&self) -> &[i32];
}

/// Calls `visit` with the index, relative to `range`, of every set bit in it.
#[inline(always)]
pub fn for_each_bit(words: &[u64], range: Range<usize>, mut visit: impl FnMut(usize)) {
    let mut at = range.start;
    while at < range.end {
        let length = (64 - at % 64).min(range.end - at);
        let mut remaining = words[at / 64] >> (at % 64);
        if length < 64 {
            remaining &= (1 << length) - 1;
        }
        while remaining != 0 {
            visit(at - range.start + remaining.trailing_zeros() as usize);
            remaining &= remaining - 1;
        }
        at += length;
    }
}

/// Up to 64 bits of `words` from bit `start` on, the first in the lowest position; bits past the end are zero.
#[inline(always)]
pub fn bits_at(words: &[u64], start: usize, length: usize) -> u64 {
    let low = words.get(start / 64).copied().unwrap_or(0) >> (start % 64);
    let high = match start % 64 {
        0 => 0,
        used => words.get(start / 64 + 1).copied().unwrap_or(0) << (64 - used),
    };
    let bits = low | high;
    if length < 64 { bits & ((1 << length) - 1) } else { bits }
}
