//! Selection convolutions: slices, zero padding and channel joins as convolutions with weights 0 and 1.
//!
//! NIR has convolutions but no nodes for these. A strided identity whose channels are padded with zeros (the option-A
//! shortcut of He et al., CVPR 2016, section 4.2) is a 1×1 convolution with a stride. Exact: every output is one input or 0.

use crate::network::nir::NirOp;
use crate::network::{Op, Weights};

/// Maximum number of weights of a written kernel.
const MAX_WEIGHTS: usize = 1 << 24;

/// Source positions of the values `[C, H, W]` of an image in another image.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelSelection {
    /// Shape of the source image.
    from: [usize; 3],
    /// Source channel of every channel; `None` for zeros.
    channels: Vec<Option<usize>>,
    rows: AxisSelection,
    columns: AxisSelection,
}

/// Positions along one axis: value i is that at `start + i·step`, or zero outside the source.
#[derive(Clone, Copy, Debug, PartialEq)]
struct AxisSelection {
    start: i64,
    step: usize,
    count: usize,
}

impl ChannelSelection {
    /// The identity on an image of shape `from`.
    pub fn all(from: [usize; 3]) -> Self {
        let [channels, height, width] = from;
        let axis_selection = |count| AxisSelection { start: 0, step: 1, count };
        Self {
            from,
            channels: (0..channels).map(Some).collect(),
            rows: axis_selection(height),
            columns: axis_selection(width),
        }
    }

    /// The selection followed by `op`; `None` if both together are not one selection.
    pub fn then(&self, op: &Op) -> Option<Self> {
        let mut selection = self.clone();
        match op {
            Op::Slice { axis: 0, start, end, step } => {
                selection.channels = self.channels.get(*start..*end)?.iter().step_by(*step).copied().collect();
            }
            Op::Slice { axis, start, end, step } => {
                let axis_selection = if *axis == 1 { &mut selection.rows } else { &mut selection.columns };
                axis_selection.start += (*start * axis_selection.step) as i64;
                axis_selection.count = (end.saturating_sub(*start)).div_ceil(*step);
                axis_selection.step *= step;
            }
            Op::Pad { before, after } => {
                let [(first, above, left), (last, below, right)] =
                    [before, after].map(|side| (side[0], side[1], side[2]));
                let zeros = |n| std::iter::repeat_n(None, n);
                selection.channels = zeros(first).chain(self.channels.iter().copied()).chain(zeros(last)).collect();
                selection.rows = self.rows.padded(above, below, self.from[1])?;
                selection.columns = self.columns.padded(left, right, self.from[2])?;
            }
            _ => return None,
        }
        Some(selection)
    }

    /// Places the channels at position `at` among `of` channels; the others are zeros.
    pub fn into_channels(mut self, at: usize, of: usize) -> Self {
        let after = of.saturating_sub(at + self.channels.len());
        self.channels =
            std::iter::repeat_n(None, at).chain(self.channels).chain(std::iter::repeat_n(None, after)).collect();
        self
    }

    /// The convolution of the selection, with every input channel multiplied by its scale.
    ///
    /// # Errors
    /// The reason why there is none, as text.
    pub fn convolution(&self, channel_scales: &[f32]) -> Result<NirOp, String> {
        let [channels, height, width] = self.from;
        let (rows, columns) = (self.rows.kernel_for(height), self.columns.kernel_for(width));
        let (kh, kw) = (rows.kernel, columns.kernel);
        let size = self.channels.len().saturating_mul(channels).saturating_mul(kh * kw);
        if size > MAX_WEIGHTS {
            return Err(format!("as a convolution it would have {size} weights"));
        }
        let mut weight = vec![0.0; size];
        for (out, from) in self.channels.iter().enumerate() {
            if let Some(from) = from {
                weight[((out * channels + from) * kh + rows.tap) * kw + columns.tap] = channel_scales[*from];
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

/// Kernel with a single 1 that selects the positions of an [`AxisSelection`].
struct AxisKernel {
    kernel: usize,
    /// Index of the 1 in the kernel.
    tap: usize,
    /// Zeros on both sides.
    padding: usize,
}

impl AxisSelection {
    /// Adds zeros on both sides; `None` if sliced-off values would appear in their place.
    fn padded(self, before: usize, after: usize, size: usize) -> Option<Self> {
        if before == 0 && after == 0 {
            return Some(self);
        }
        let step = self.step as i64;
        let (first, last) = (self.start - step, self.start + self.count as i64 * step);
        let empty = |position: i64| position < 0 || position >= size as i64;
        if (before > 0 && !empty(first)) || (after > 0 && !empty(last)) {
            return None;
        }
        Some(Self { start: self.start - before as i64 * step, step: self.step, count: self.count + before + after })
    }

    /// The kernel for an axis of `size` values that gives exactly `count` values.
    fn kernel_for(self, size: usize) -> AxisKernel {
        let mut padding = usize::try_from(-self.start).unwrap_or(0);
        let mut tap = usize::try_from(self.start + padding as i64).unwrap_or(0);
        let reach = self.count.saturating_sub(1) * self.step;
        // Padding is equal on both sides: a longer kernel cuts off what only one side needs.
        while size + 2 * padding < reach + tap + 1 {
            (padding, tap) = (padding + 1, tap + 1);
        }
        let kernel = (size + 2 * padding - reach).saturating_sub(self.step - 1).max(tap + 1);
        AxisKernel { kernel, tap, padding }
    }
}

/// Replaces unequal padding `[top, left, bottom, right]` by equal padding and a kernel that begins or ends with zeros, so
/// that `weight` `[C_out, C_in, kH, kW]` becomes larger. `None` if the dilation does not divide the difference.
pub fn equalize_padding(weight: &Weights, padding: [usize; 4], dilation: [usize; 2]) -> Option<(Weights, [usize; 2])> {
    let [top, left, bottom, right] = padding;
    let &[out, inputs, kh, kw] = weight.shape.as_slice() else { return None };
    let side = |before: usize, after: usize, dilation: usize| {
        let difference = before.abs_diff(after);
        // Zeros at the start of the kernel undo excess padding before, zeros at its end undo excess padding after.
        difference.is_multiple_of(dilation).then_some((before.max(after), difference / dilation, before < after))
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

    /// Applies the convolution `kind` to an image, as a reader computes it.
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

    /// Returns the value at a position.
    type Pick<'a> = Box<dyn Fn([usize; 3]) -> f32 + 'a>;

    /// Applies `op` to an image.
    fn applied(op: &Op, shape: &[usize], x: &[f32]) -> (Vec<usize>, Vec<f32>) {
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
    fn consecutive_slices_and_pads_are_one_convolution() {
        let slice = |axis, start, end, step| Op::Slice { axis, start, end, step };
        let pad = |before: [usize; 3], after: [usize; 3]| Op::Pad { before: before.to_vec(), after: after.to_vec() };
        let chains: Vec<Vec<Op>> = vec![
            // Option A: every second pixel, channels padded on both sides.
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
                (shape, values) = applied(op, &shape, &values);
                all = all.then(op).unwrap_or_else(|| panic!("{op:?}"));
            }
            assert_eq!(convolved(&all.convolution(&[1.0; 3]).unwrap(), from, &x), (shape, values), "{chain:?}");
        }
        // Sliced-off values must not appear as padding.
        let cut = ChannelSelection::all(from).then(&slice(1, 2, 5, 1)).unwrap();
        assert_eq!(cut.then(&pad([0, 1, 0], [0, 0, 0])), None);
    }

    #[test]
    fn unequal_padding_equals_equal_padding_with_a_larger_kernel() {
        let from = [1, 5, 6];
        let x: Vec<f32> = (0..30).map(|k| (k * 7 % 11) as f32).collect();
        let weight = Weights::new(vec![1, 1, 3, 2], (1..7).map(|w| w as f32).collect());
        for padding in [[0, 0, 1, 1], [2, 0, 0, 1], [1, 3, 0, 0]] {
            let (weight2, even) = equalize_padding(&weight, padding, [1, 1]).unwrap();
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
            let (shape, padded) = applied(&pad, &from, &x);
            let plain = convolved(&conv(&weight, [0, 0]), [1, shape[1], shape[2]], &padded);
            assert_eq!(convolved(&conv(&weight2, even), from, &x), plain, "{padding:?}");
        }
    }
}
