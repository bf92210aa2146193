//! Pooling of one sample on slices: maxima and means over windows, means over axes.

use crate::compute::simd::dispatch;
use crate::compute::simd::isa::{Isa, Kernel};
use crate::network::{Op, Weights};

/// Planes of which one window each is reduced at once.
const PLANES: usize = 16;

/// Windows over the planes of one sample.
struct Windows {
    kernel: [usize; 2],
    stride: [usize; 2],
    /// `[top, left]`
    padding: [usize; 2],
    dilation: [usize; 2],
    input: [usize; 2],
    output: [usize; 2],
}

impl Windows {
    fn new(op: &Op, shape: &[usize], out_shape: &[usize]) -> Self {
        let (kernel, stride, padding, dilation) = match op {
            Op::MaxPool2d { kernel, stride, padding, dilation } => (*kernel, *stride, *padding, *dilation),
            Op::AvgPool2d { kernel, stride, padding, .. } => (*kernel, *stride, *padding, [1, 1]),
            _ => ([1; 2], [1; 2], [0; 4], [1; 2]),
        };
        let size = |shape: &[usize]| [shape[1], shape[2]];
        let (input, output) = (size(shape), size(out_shape));
        Self { kernel, stride, padding: [padding[0], padding[1]], dilation, input, output }
    }
    /// Whether windows of 2x2 cover every plane without overlap.
    fn are_quarters(&self) -> bool {
        (self.kernel, self.stride, self.padding, self.dilation) == ([2, 2], [2, 2], [0, 0], [1, 1])
            && self.input == self.output.map(|size| 2 * size)
    }
    /// Whether every plane is one window.
    fn are_planes(&self) -> bool {
        (self.kernel, self.padding, self.dilation) == (self.input, [0, 0], [1, 1]) && self.output == [1, 1]
    }
    /// The outputs along `axis` whose tap `k` lies in the input, and the source of the first of them.
    fn inside(&self, axis: usize, k: usize) -> (std::ops::Range<usize>, usize) {
        let (tap, stride) = (k * self.dilation[axis], self.stride[axis]);
        let start = self.padding[axis].saturating_sub(tap).div_ceil(stride).min(self.output[axis]);
        let end = (self.input[axis] + self.padding[axis]).saturating_sub(tap).div_ceil(stride);
        let end = end.clamp(start, self.output[axis]);
        (start..end, (start * stride + tap).saturating_sub(self.padding[axis]))
    }
    /// By how many values along `axis` each output of the average pool `op` is divided.
    fn counts(&self, op: &Op, axis: usize) -> Vec<usize> {
        let padded = matches!(op, Op::AvgPool2d { count_include_pad: true, .. });
        let taps = 0..self.kernel[axis];
        let inside = |place: usize| taps.clone().filter(|&k| self.inside(axis, k).0.contains(&place)).count();
        (0..self.output[axis]).map(|place| if padded { self.kernel[axis] } else { inside(place) }).collect()
    }
}

/// An average pool as two matrices of shares, `[H_out, H]` and `[W_out, W]`: its output is rows · x · columnsᵀ for every plane.
/// `None` for other operations.
pub fn average_matrices(op: &Op, shape: &[usize], out_shape: &[usize]) -> Option<[Weights; 2]> {
    if !matches!(op, Op::AvgPool2d { .. }) {
        return None;
    }
    let windows = Windows::new(op, shape, out_shape);
    Some([0, 1].map(|axis| {
        let (from, counts) = (windows.input[axis], windows.counts(op, axis));
        let mut shares = vec![0.0; counts.len() * from];
        for k in 0..windows.kernel[axis] {
            let (outputs, first) = windows.inside(axis, k);
            for (n, out) in outputs.enumerate() {
                shares[out * from + first + n * windows.stride[axis]] += 1.0 / counts[out] as f32;
            }
        }
        Weights::new(vec![counts.len(), from], shares)
    }))
}

/// The maximum over windows of every plane of `x`; a NaN in a window stays.
pub fn max_pool(op: &Op, shape: &[usize], x: &[f32], out_shape: &[usize], out: &mut [f32]) {
    let windows = Windows::new(op, shape, out_shape);
    out.fill(f32::NEG_INFINITY);
    dispatch(Reduce {
        windows: &windows,
        x,
        out,
        take: |most: f32, x: f32| if x > most || x.is_nan() { x } else { most },
    });
}

/// The mean over windows of every plane of `x`.
pub fn average_pool(op: &Op, shape: &[usize], x: &[f32], out_shape: &[usize], out: &mut [f32]) {
    let windows = Windows::new(op, shape, out_shape);
    out.fill(0.0);
    dispatch(Reduce { windows: &windows, x, out: &mut *out, take: |sum: f32, x: f32| sum + x });
    if windows.are_quarters() {
        return out.iter_mut().for_each(|sum| *sum /= 4.0);
    }
    let [rows, columns] = windows.output;
    let [row_counts, column_counts] = [0, 1].map(|axis| windows.counts(op, axis));
    for (k, row) in out.chunks_mut(columns.max(1)).enumerate() {
        let count = row_counts[k % rows];
        row.iter_mut().zip(&column_counts).for_each(|(sum, columns)| *sum /= (count * columns) as f32);
    }
}

/// The means of `x` `[shape]` over `axes`, one axis after the other.
pub fn mean(axes: &[usize], shape: &[usize], x: &[f32], out: &mut [f32]) {
    let mut shape = shape.to_vec();
    let mut values = x.to_vec();
    for &axis in axes {
        let (count, inner) = (shape[axis].max(1), shape[axis + 1..].iter().product::<usize>().max(1));
        let sums = values.chunks(count * inner).flat_map(|part| {
            let mut sums = part[..inner].to_vec();
            for row in part[inner..].chunks(inner) {
                sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
            }
            sums.iter_mut().for_each(|sum| *sum /= count as f32);
            sums
        });
        values = sums.collect();
        shape[axis] = 1;
    }
    out.copy_from_slice(&values);
}

/// Takes every value of a window into its output, tap by tap.
struct Reduce<'a, F> {
    windows: &'a Windows,
    x: &'a [f32],
    out: &'a mut [f32],
    take: F,
}

impl<F: Fn(f32, f32) -> f32> Kernel for Reduce<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { windows, x, out, take } = self;
        let ([height, width], [rows, columns]) = (windows.input, windows.output);
        if windows.are_quarters() {
            // All planes together: every two rows of the input give one of the output.
            let pairs = x.chunks_exact((2 * width).max(1)).zip(out.chunks_exact_mut(columns.max(1)));
            for (pair, out) in pairs {
                let (upper, lower) = pair.split_at(width);
                let (upper, lower) = (upper.as_chunks::<2>().0, lower.as_chunks::<2>().0);
                for ((to, upper), lower) in out.iter_mut().zip(upper).zip(lower) {
                    *to = take(take(take(take(*to, upper[0]), upper[1]), lower[0]), lower[1]);
                }
            }
            return;
        }
        if windows.are_planes() {
            // Some planes at once, so that an addition does not wait for the one before.
            let len = (height * width).max(1);
            for (x, out) in x.chunks(PLANES * len).zip(out.chunks_mut(PLANES)) {
                for k in 0..len {
                    for (plane, to) in out.iter_mut().enumerate() {
                        *to = take(*to, x[plane * len + k]);
                    }
                }
            }
            return;
        }
        let (x, out) = (x.chunks((height * width).max(1)), out.chunks_mut((rows * columns).max(1)));
        for (plane, out) in x.zip(out) {
            for ky in 0..windows.kernel[0] {
                let (inside, first) = windows.inside(0, ky);
                for (k, out) in out.chunks_mut(columns.max(1)).skip(inside.start).take(inside.len()).enumerate() {
                    let row = &plane[(first + k * windows.stride[0]) * width..][..width];
                    for kx in 0..windows.kernel[1] {
                        let (inside, first) = windows.inside(1, kx);
                        let (out, row) = (&mut out[inside], row.get(first..).unwrap_or_default());
                        match windows.stride[1] {
                            1 => out.iter_mut().zip(row).for_each(|(to, x)| *to = take(*to, *x)),
                            2 => out.iter_mut().zip(row.chunks(2)).for_each(|(to, x)| *to = take(*to, x[0])),
                            stride => {
                                out.iter_mut().zip(row.iter().step_by(stride)).for_each(|(to, x)| *to = take(*to, *x))
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_without_overlap_give_what_windows_in_general_give() {
        let (shape, out_shape) = ([3, 8, 12], [3, 4, 6]);
        let x: Vec<f32> = (0..288).map(|k| ((k * 7919) % 1009) as f32 / 504.5 - 1.0).collect();
        let (kernel, stride) = ([2, 2], [2, 2]);
        let ops = [
            Op::MaxPool2d { kernel, stride, padding: [0; 4], dilation: [1, 1] },
            Op::AvgPool2d { kernel, stride, padding: [0; 4], count_include_pad: true },
        ];
        for op in ops {
            let mut out = vec![0.0; 72];
            match op {
                Op::MaxPool2d { .. } => max_pool(&op, &shape, &x, &out_shape, &mut out),
                _ => average_pool(&op, &shape, &x, &out_shape, &mut out),
            }
            for (k, got) in out.iter().enumerate() {
                let [c, y, column] = [k / 24, k / 6 % 4, k % 6];
                let at = |dy: usize, dx: usize| x[(c * 8 + 2 * y + dy) * 12 + 2 * column + dx];
                let window = [at(0, 0), at(0, 1), at(1, 0), at(1, 1)];
                let want = match op {
                    Op::MaxPool2d { .. } => window.into_iter().fold(f32::NEG_INFINITY, f32::max),
                    _ => window.into_iter().fold(0.0, |sum, x| sum + x) / 4.0,
                };
                assert_eq!(*got, want, "{op:?}, {k}");
            }
        }
    }

    #[test]
    fn windows_of_whole_planes_are_summed_in_the_order_of_the_pixels() {
        let (planes, kernel) = (37, [5, 7]);
        let x: Vec<f32> = (0..planes * 35).map(|k| ((k * 7919) % 1009) as f32 / 504.5 - 1.0).collect();
        let op = Op::AvgPool2d { kernel, stride: kernel, padding: [0; 4], count_include_pad: true };
        let mut out = vec![0.0; planes];
        average_pool(&op, &[planes, 5, 7], &x, &[planes, 1, 1], &mut out);
        let want: Vec<f32> = x.chunks(35).map(|plane| plane.iter().fold(0.0, |sum, x| sum + x) / 35.0).collect();
        assert_eq!(out, want);
    }
}
