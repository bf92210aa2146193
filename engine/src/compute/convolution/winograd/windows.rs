//! Outputs whose window holds zeros alone: their sum is zero in the direct form, and made zero in Winograd's, where it would
//! be what rounding leaves.

use crate::compute::convolution::buffer::Windows;

/// Marks which outputs of every tile, `[rows][across]`, see a pixel that is `used`; its rows have `width` pixels.
#[inline(always)]
pub fn mark(used: &[bool], width: usize, across: usize, windows: &mut [Windows]) {
    for (row, windows) in windows.chunks_exact_mut(across).enumerate() {
        let lines = |k: usize| used[(2 * row + k) * width..][..width].as_chunks::<2>().0;
        let [a, b, c, d] = [lines(0), lines(1), lines(2), lines(3)];
        for (column, windows) in windows.iter_mut().enumerate() {
            let [mut upper, mut lower] = [[false; 4]; 2];
            for half in 0..2 {
                for x in 0..2 {
                    let k = column + half;
                    let shared = b[k][x] | c[k][x];
                    upper[2 * half + x] = a[k][x] | shared;
                    lower[2 * half + x] = shared | d[k][x];
                }
            }
            let three = |line: [bool; 4], x: usize| line[x] | line[x + 1] | line[x + 2];
            *windows = [three(upper, 0), three(upper, 1), three(lower, 0), three(lower, 1)];
        }
    }
}
