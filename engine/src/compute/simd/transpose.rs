//! Transposes matrices, sixteen rows and columns at a time.

use super::dispatch;
use super::isa::{Isa, Kernel};
use super::lanes::LANES;

/// Writes the columns of `from`, `[rows, columns]`, as rows of `to`, `[columns, rows]`.
pub fn transpose(from: &[f32], [rows, columns]: [usize; 2], to: &mut [f32]) {
    if rows == 1 || columns == 1 {
        to.copy_from_slice(from);
    } else {
        dispatch(Transpose { from, rows, columns, to });
    }
}

struct Transpose<'a> {
    from: &'a [f32],
    rows: usize,
    columns: usize,
    to: &'a mut [f32],
}

impl Kernel for Transpose<'_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { from, rows, columns, to } = self;
        for row in (0..rows).step_by(LANES) {
            for column in (0..columns).step_by(LANES) {
                let (height, width) = ((rows - row).min(LANES), (columns - column).min(LANES));
                let mut vectors = [I::splat(0.0); LANES];
                for (k, vector) in vectors.iter_mut().enumerate().take(height) {
                    *vector = I::load_part(&from[(row + k) * columns + column..][..width]);
                }
                let turned = I::transpose(vectors);
                for (k, vector) in turned.into_iter().enumerate().take(width) {
                    I::store_part(vector, &mut to[(column + k) * rows + row..][..height]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_moves_to_its_place() {
        for [rows, columns] in [[1, 5], [5, 1], [16, 16], [17, 3], [40, 33], [3, 64]] {
            let from: Vec<f32> = (0..rows * columns).map(|i| i as f32).collect();
            let mut to = vec![-1.0; from.len()];
            transpose(&from, [rows, columns], &mut to);
            for (i, value) in to.into_iter().enumerate() {
                assert_eq!(value, from[i % rows * columns + i / rows], "{rows}x{columns}, {i}");
            }
        }
    }
}
