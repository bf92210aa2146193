//! Max pooling with the place of each maximum: the first in row-major order.

use crate::network::Op;

/// The windows of a max pool over planes of some size.
#[derive(Clone, Debug)]
pub struct MaxPool {
    kernel: [usize; 2],
    stride: [usize; 2],
    /// `[top, left]`
    padding: [usize; 2],
    dilation: [usize; 2],
    input: [usize; 2],
    output: [usize; 2],
}

impl MaxPool {
    /// The windows of `op` from `shape` to `out_shape`, both `[C, H, W]`; `None` for other operations.
    pub fn of(op: &Op, shape: &[usize], out_shape: &[usize]) -> Option<Self> {
        let Op::MaxPool2d { kernel, stride, padding, dilation } = op else { return None };
        let (&[_, height, width], &[_, rows, columns]) = (shape, out_shape) else { return None };
        let (input, output) = ([height, width], [rows, columns]);
        let padding = [padding[0], padding[1]];
        Some(Self { kernel: *kernel, stride: *stride, padding, dilation: *dilation, input, output })
    }

    /// For each output of `x` (planes), the index of its maximum in `x`; a window without values has index `u32::MAX`.
    pub fn winners(&self, x: &[f32]) -> Vec<u32> {
        let area = self.input[0] * self.input[1];
        let mut winners = Vec::with_capacity(x.len() / area.max(1) * self.output[0] * self.output[1]);
        for (plane, values) in x.chunks_exact(area.max(1)).enumerate() {
            for row in 0..self.output[0] {
                for column in 0..self.output[1] {
                    let winner = self.winner(values, row, column);
                    winners.push(winner.map_or(u32::MAX, |at| (plane * area + at) as u32));
                }
            }
        }
        winners
    }

    fn winner(&self, plane: &[f32], row: usize, column: usize) -> Option<usize> {
        let place = |axis: usize, at: usize, tap: usize| {
            let place = (at * self.stride[axis] + tap * self.dilation[axis]).checked_sub(self.padding[axis])?;
            (place < self.input[axis]).then_some(place)
        };
        let mut best: Option<(f32, usize)> = None;
        for y in (0..self.kernel[0]).filter_map(|tap| place(0, row, tap)) {
            for x in (0..self.kernel[1]).filter_map(|tap| place(1, column, tap)) {
                let (at, value) = (y * self.input[1] + x, plane[y * self.input[1] + x]);
                if best.is_none_or(|(most, _)| value > most || value.is_nan()) {
                    best = Some((value, at));
                }
            }
        }
        best.map(|(_, at)| at)
    }
}

/// The values at `winners`; −∞ where a window has none.
pub fn take(x: &[f32], winners: &[u32]) -> Vec<f32> {
    winners.iter().map(|&at| x.get(at as usize).copied().unwrap_or(f32::NEG_INFINITY)).collect()
}

/// Adds each value to the place of its winner.
pub fn put(values: impl IntoIterator<Item = f32>, winners: &[u32], to: &mut [f32]) {
    for (value, &at) in values.into_iter().zip(winners) {
        if let Some(place) = to.get_mut(at as usize) {
            *place += value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equal_maxima_wins_and_padding_never_does() {
        let op = Op::MaxPool2d { kernel: [2, 2], stride: [1, 1], padding: [1, 1, 0, 0], dilation: [1, 1] };
        let pool = MaxPool::of(&op, &[1, 2, 2], &[1, 2, 2]).unwrap();
        let x = [-3.0, -1.0, -1.0, -2.0];
        let winners = pool.winners(&x);
        assert_eq!(winners, [0, 1, 2, 1]);
        assert_eq!(take(&x, &winners), [-3.0, -1.0, -1.0, -1.0]);
        let mut to = [0.0; 4];
        put([1.0, 2.0, 3.0, 4.0], &winners, &mut to);
        assert_eq!(to, [1.0, 6.0, 3.0, 0.0]);
    }
}
