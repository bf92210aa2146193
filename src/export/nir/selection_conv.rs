//! Slices, zero padding and joins of channels as convolutions with weights of 0 and 1, which NIR has: a strided identity
//! whose channels are filled up with zeros (the option-A shortcut of He et al., CVPR 2016, section 4.2) is a convolution of
//! 1×1 with a stride. Exact: every output is one input or nothing.

use crate::network::nir::NirOp;
use crate::network::{Op, Weights};

/// Kernels with more weights than this are not written.
const MOST_WEIGHTS: usize = 1 << 24;

/// Where the values `[C, H, W]` of a picture come from in another one.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelSelection {
    /// Shape of the picture that is read.
    from: [usize; 3],
    /// For every channel the one it is, or none for zeros.
    channels: Vec<Option<usize>>,
    rows: Line,
    columns: Line,
}

/// Places along one side: value i is that at `start + i·step`, and zero where nothing is.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Line {
    start: i64,
    step: usize,
    count: usize,
}

impl ChannelSelection {
    /// All of a picture of shape `from` as it is.
    pub fn all(from: [usize; 3]) -> Self {
        let [channels, height, width] = from;
        let line = |count| Line { start: 0, step: 1, count };
        Self { from, channels: (0..channels).map(Some).collect(), rows: line(height), columns: line(width) }
    }

    /// The same followed by `op`; `None` where both are no one move.
    pub fn then(&self, op: &Op) -> Option<Self> {
        let mut moved = self.clone();
        match op {
            Op::Slice { axis: 0, start, end, step } => {
                moved.channels = self.channels.get(*start..*end)?.iter().step_by(*step).copied().collect();
            }
            Op::Slice { axis, start, end, step } => {
                let line = if *axis == 1 { &mut moved.rows } else { &mut moved.columns };
                line.start += (*start * line.step) as i64;
                line.count = (end.saturating_sub(*start)).div_ceil(*step);
                line.step *= step;
            }
            Op::Pad { before, after } => {
                let [(first, above, left), (last, below, right)] =
                    [before, after].map(|side| (side[0], side[1], side[2]));
                let zeros = |n| std::iter::repeat_n(None, n);
                moved.channels = zeros(first).chain(self.channels.iter().copied()).chain(zeros(last)).collect();
                moved.rows = self.rows.padded(above, below, self.from[1])?;
                moved.columns = self.columns.padded(left, right, self.from[2])?;
            }
            _ => return None,
        }
        Some(moved)
    }

    /// The move of `count` channels to place `at` among `of`.
    pub fn into_channels(mut self, at: usize, of: usize) -> Self {
        let after = of.saturating_sub(at + self.channels.len());
        self.channels =
            std::iter::repeat_n(None, at).chain(self.channels).chain(std::iter::repeat_n(None, after)).collect();
        self
    }

    /// The convolution that does it, every input channel times its unit.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub fn convolution(&self, units: &[f32]) -> Result<NirOp, String> {
        let [channels, height, width] = self.from;
        let (rows, columns) = (self.rows.window(height), self.columns.window(width));
        let (kh, kw) = (rows.kernel, columns.kernel);
        let size = self.channels.len().saturating_mul(channels).saturating_mul(kh * kw);
        if size > MOST_WEIGHTS {
            return Err(format!("as a convolution it would have {size} weights"));
        }
        let mut weight = vec![0.0; size];
        for (out, from) in self.channels.iter().enumerate() {
            if let Some(from) = from {
                weight[((out * channels + from) * kh + rows.tap) * kw + columns.tap] = units[*from];
            }
        }
        let out = self.channels.len();
        Ok(NirOp::Conv2d {
            input_shape: Some([height, width]),
            weight: Weights::new(vec![out, channels, kh, kw], weight),
            bias: Weights::new(vec![out], vec![0.0; out]),
            stride: [self.rows.step, self.columns.step],
            padding: [rows.padding, columns.padding],
            dilation: [1, 1],
            groups: 1,
        })
    }
}

/// How a kernel with a single 1 picks the places of a [`Line`].
struct Picked {
    kernel: usize,
    /// Where the 1 stands in the kernel.
    tap: usize,
    /// Zeros on both sides.
    padding: usize,
}

impl Line {
    /// With zeros around, unless values that were sliced away would come back in their place.
    fn padded(self, before: usize, after: usize, size: usize) -> Option<Self> {
        if before == 0 && after == 0 {
            return Some(self);
        }
        let step = self.step as i64;
        let (first, last) = (self.start - step, self.start + self.count as i64 * step);
        let empty = |place: i64| place < 0 || place >= size as i64;
        if (before > 0 && !empty(first)) || (after > 0 && !empty(last)) {
            return None;
        }
        Some(Self { start: self.start - before as i64 * step, step: self.step, count: self.count + before + after })
    }

    /// The kernel for a side of `size` places: one that gives `count` values, no more.
    fn window(self, size: usize) -> Picked {
        let mut padding = usize::try_from(-self.start).unwrap_or(0);
        let mut tap = usize::try_from(self.start + padding as i64).unwrap_or(0);
        let reach = self.count.saturating_sub(1) * self.step;
        // Zeros on both sides are alike: what one side needs is cut off at the other by a longer kernel.
        while size + 2 * padding < reach + tap + 1 {
            (padding, tap) = (padding + 1, tap + 1);
        }
        let kernel = (size + 2 * padding - reach).saturating_sub(self.step - 1).max(tap + 1);
        Picked { kernel, tap, padding }
    }
}

/// Pads `[top, left, bottom, right]` that differ between sides as pads that do not, with a kernel that begins or ends with
/// zeros: `weight` `[C_out, C_in, kH, kW]` becomes larger. `None` where dilation does not let it.
pub fn even_pads(weight: &Weights, padding: [usize; 4], dilation: [usize; 2]) -> Option<(Weights, [usize; 2])> {
    let [top, left, bottom, right] = padding;
    let &[out, inputs, kh, kw] = weight.shape.as_slice() else { return None };
    let side = |before: usize, after: usize, dilation: usize| {
        let apart = before.abs_diff(after);
        // Zeros in front of the kernel undo what is padded too much before, zeros behind it what is too much after.
        apart.is_multiple_of(dilation).then_some((before.max(after), apart / dilation, before < after))
    };
    let (down, more_rows, rows_first) = side(top, bottom, dilation[0])?;
    let (across, more_columns, columns_first) = side(left, right, dilation[1])?;
    let (high, wide) = (kh + more_rows, kw + more_columns);
    let (y0, x0) = (if rows_first { more_rows } else { 0 }, if columns_first { more_columns } else { 0 });
    let mut data = vec![0.0; out * inputs * high * wide];
    for (i, &w) in weight.data.iter().enumerate() {
        let (plane, y, x) = (i / (kh * kw), i / kw % kh, i % kw);
        data[(plane * high + y + y0) * wide + x + x0] = w;
    }
    Some((Weights::new(vec![out, inputs, high, wide], data), [down, across]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of `kind` applied to a picture, as a reader computes them.
    fn convolved(kind: &NirOp, from: [usize; 3], x: &[f32]) -> (Vec<usize>, Vec<f32>) {
        let NirOp::Conv2d { weight, stride, padding, .. } = kind else { panic!("{kind:?}") };
        let &[out, channels, kh, kw] = weight.shape.as_slice() else { panic!() };
        let [_, h, w] = from;
        let (rows, columns) = ((h + 2 * padding[0] - kh) / stride[0] + 1, (w + 2 * padding[1] - kw) / stride[1] + 1);
        let mut y = Vec::new();
        for (o, row, column) in (0..out).flat_map(|o| (0..rows).flat_map(move |r| (0..columns).map(move |c| (o, r, c))))
        {
            let mut sum = 0.0;
            for (c, i, j) in (0..channels).flat_map(|c| (0..kh).flat_map(move |i| (0..kw).map(move |j| (c, i, j)))) {
                let (at, by) = (row * stride[0] + i, column * stride[1] + j);
                if (padding[0]..padding[0] + h).contains(&at) && (padding[1]..padding[1] + w).contains(&by) {
                    sum += weight.data[((o * channels + c) * kh + i) * kw + j]
                        * x[(c * h + at - padding[0]) * w + by - padding[1]];
                }
            }
            y.push(sum);
        }
        (vec![out, rows, columns], y)
    }

    /// The value at a place.
    type Pick<'a> = Box<dyn Fn([usize; 3]) -> f32 + 'a>;

    /// The values of `op` on a picture.
    fn moved(op: &Op, shape: &[usize], x: &[f32]) -> (Vec<usize>, Vec<f32>) {
        let at = |c: usize, y: usize, z: usize| x[(c * shape[1] + y) * shape[2] + z];
        let (out, pick): (Vec<usize>, Pick<'_>) = match op {
            Op::Slice { axis, start, end, step } => {
                let mut out = shape.to_vec();
                out[*axis] = (end - start).div_ceil(*step);
                (
                    out,
                    Box::new(move |mut i| {
                        i[*axis] = start + i[*axis] * step;
                        at(i[0], i[1], i[2])
                    }),
                )
            }
            Op::Pad { before, after } => {
                let out = (0..3).map(|k| before[k] + shape[k] + after[k]).collect();
                let inside = move |i: [usize; 3]| (0..3).all(|k| (before[k]..before[k] + shape[k]).contains(&i[k]));
                (
                    out,
                    Box::new(
                        move |i| if inside(i) { at(i[0] - before[0], i[1] - before[1], i[2] - before[2]) } else { 0.0 },
                    ),
                )
            }
            _ => panic!(),
        };
        let mut y = Vec::new();
        for c in 0..out[0] {
            for r in 0..out[1] {
                (0..out[2]).for_each(|k| y.push(pick([c, r, k])));
            }
        }
        (out, y)
    }

    #[test]
    fn slices_and_pads_in_a_row_are_one_convolution() {
        let slice = |axis, start, end, step| Op::Slice { axis, start, end, step };
        let pad = |before: [usize; 3], after: [usize; 3]| Op::Pad { before: before.to_vec(), after: after.to_vec() };
        let chains: Vec<Vec<Op>> = vec![
            // Option A: every second pixel, channels filled up on both sides.
            vec![slice(1, 0, 7, 2), slice(2, 0, 6, 2), pad([2, 0, 0], [2, 0, 0])],
            vec![slice(1, 1, 6, 3), slice(2, 2, 5, 1), slice(0, 1, 3, 1)],
            vec![pad([0, 0, 1], [0, 3, 0]), pad([0, 2, 0], [1, 0, 0])],
            vec![slice(0, 0, 3, 2), pad([0, 1, 1], [0, 1, 1])],
            vec![slice(1, 0, 7, 2), pad([0, 1, 0], [0, 1, 0])],
        ];
        let from = [3, 7, 6];
        let x: Vec<f32> = (0..126).map(|k| k as f32 + 1.0).collect();
        for chain in chains {
            let (mut shape, mut values, mut all) = (from.to_vec(), x.clone(), ChannelSelection::all(from));
            for op in &chain {
                (shape, values) = moved(op, &shape, &values);
                all = all.then(op).unwrap_or_else(|| panic!("{op:?}"));
            }
            assert_eq!(convolved(&all.convolution(&[1.0; 3]).unwrap(), from, &x), (shape, values), "{chain:?}");
        }
        // What was cut away must not come back as padding.
        let cut = ChannelSelection::all(from).then(&slice(1, 2, 5, 1)).unwrap();
        assert_eq!(cut.then(&pad([0, 1, 0], [0, 0, 0])), None);
    }

    #[test]
    fn uneven_pads_are_even_ones_with_a_larger_kernel() {
        let from = [1, 5, 6];
        let x: Vec<f32> = (0..30).map(|k| (k * 7 % 11) as f32).collect();
        let weight = Weights::new(vec![1, 1, 3, 2], (1..7).map(|w| w as f32).collect());
        for padding in [[0, 0, 1, 1], [2, 0, 0, 1], [1, 3, 0, 0]] {
            let (weight2, even) = even_pads(&weight, padding, [1, 1]).unwrap();
            let conv = |weight: &Weights, padding| NirOp::Conv2d {
                input_shape: None,
                weight: weight.clone(),
                bias: Weights::new(vec![1], vec![0.0]),
                stride: [2, 1],
                padding,
                dilation: [1, 1],
                groups: 1,
            };
            let pad = Op::Pad { before: vec![0, padding[0], padding[1]], after: vec![0, padding[2], padding[3]] };
            let (shape, padded) = moved(&pad, &from, &x);
            let plain = convolved(&conv(&weight, [0, 0]), [1, shape[1], shape[2]], &padded);
            assert_eq!(convolved(&conv(&weight2, even), from, &x), plain, "{padding:?}");
        }
    }
}
