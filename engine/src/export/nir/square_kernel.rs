//! Square kernels: convolutions whose kernel is widened with zeros until both sides are equal.
//!
//! The type check of nir 1.0.8 takes the height of a kernel for its width, so that it refuses graphs with other kernels.

use crate::network::Weights;
use crate::network::nir::NirOp;

/// Maximum number of weights of a widened kernel.
const MAX_WEIGHTS: usize = 1 << 25;

/// One axis of a convolution: positions, kernel and steps.
#[derive(Clone, Copy, Debug)]
struct Axis {
    size: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    dilation: usize,
}

/// A widened axis.
#[derive(Clone, Copy, Debug)]
struct WideAxis {
    /// Zeros before the first tap.
    before: usize,
    stride: usize,
    padding: usize,
}

impl Axis {
    fn count(self) -> Option<usize> {
        let span = self.dilation * self.kernel.checked_sub(1)? + 1;
        Some((self.size + 2 * self.padding).checked_sub(span)? / self.stride + 1)
    }

    /// The axis with a kernel of `wide` taps, which computes the same values; `None` if there is none.
    fn widened(self, wide: usize) -> Option<WideAxis> {
        let more = wide.checked_sub(self.kernel)?;
        let count = self.count()?;
        // The first window must begin at the same value: every tap of zeros before it is a step of padding.
        (0..=more).find_map(|before| {
            let padding = self.padding + before * self.dilation;
            let axis = Self { kernel: wide, padding, ..self };
            if axis.count() == Some(count) {
                return Some(WideAxis { before, stride: self.stride, padding });
            }
            // A single value needs no second window: any stride will do.
            let stride = self.size + 2 * padding;
            let is_single = count == 1 && Self { stride, ..axis }.count() == Some(1);
            is_single.then_some(WideAxis { before, stride, padding })
        })
    }
}

/// Whether the kernel of `kind` is not square.
pub(super) fn is_oblong(kind: &NirOp) -> bool {
    matches!(kind, NirOp::Conv2d { weight, .. } if weight.shape[2] != weight.shape[3])
}

/// The convolution `kind` with a square kernel and equal results. `None` if no square kernel with equal pads on both sides
/// exists: an even side beside an odd one, at stride 1.
pub(super) fn square(kind: &NirOp) -> Option<NirOp> {
    let NirOp::Conv2d { input_shape: Some(sides), weight, bias, stride, padding, dilation, groups } = kind else {
        return None;
    };
    let &[out, inputs, kh, kw] = weight.shape.as_slice() else { return None };
    let axes = [0, 1].map(|k| Axis {
        size: sides[k],
        kernel: [kh, kw][k],
        stride: stride[k],
        padding: padding[k],
        dilation: dilation[k],
    });
    let largest = kh.max(kw);
    let (side, rows, columns) =
        (largest..=largest + 2).find_map(|side| Some((side, axes[0].widened(side)?, axes[1].widened(side)?)))?;
    if out.saturating_mul(inputs).saturating_mul(side * side) > MAX_WEIGHTS {
        return None;
    }
    let mut data = vec![0.0; out * inputs * side * side];
    for (i, &w) in weight.data.iter().enumerate() {
        let (plane, row, column) = (i / (kh * kw), i / kw % kh, i % kw);
        data[(plane * side + rows.before + row) * side + columns.before + column] = w;
    }
    Some(NirOp::Conv2d {
        input_shape: Some(*sides),
        weight: Weights::new(vec![out, inputs, side, side], data),
        bias: bias.clone(),
        stride: [rows.stride, columns.stride],
        padding: [rows.padding, columns.padding],
        dilation: *dilation,
        groups: *groups,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All values of one axis of a convolution of 1, 2, 3, …
    fn values(axis: Axis, taps: &[f32]) -> Vec<f32> {
        let at = |i: usize| i.checked_sub(axis.padding).filter(|&i| i < axis.size).map_or(0.0, |i| i as f32 + 1.0);
        let window =
            |row: usize| taps.iter().enumerate().map(|(k, w)| w * at(row * axis.stride + k * axis.dilation)).sum();
        (0..axis.count().unwrap_or(0)).map(window).collect()
    }

    proptest! {
        #[test]
        fn widened_axes_compute_the_same_values(
            size in 1usize..12, kernel in 1usize..5, stride in 1usize..4, padding in 0usize..3, dilation in 1usize..3, more in 0usize..5,
        ) {
            let axis = Axis { size, kernel, stride, padding, dilation };
            prop_assume!(axis.count().is_some());
            let taps: Vec<f32> = (0..kernel).map(|k| k as f32 - 1.5).collect();
            let Some(wide) = axis.widened(kernel + more) else {
                prop_assert!(more % 2 == 1 || stride > 1);
                return Ok(());
            };
            let mut padded = vec![0.0; kernel + more];
            padded[wide.before..wide.before + kernel].copy_from_slice(&taps);
            let widened = Axis { kernel: kernel + more, stride: wide.stride, padding: wide.padding, ..axis };
            prop_assert_eq!(values(widened, &padded), values(axis, &taps));
        }
    }

    #[test]
    fn rows_columns_and_text_kernels_become_square_and_mixed_parities_stay() {
        let conv = |kernel: [usize; 2], sides: [usize; 2]| NirOp::Conv2d {
            input_shape: Some(sides),
            weight: Weights::new(vec![1, 1, kernel[0], kernel[1]], vec![1.0; kernel[0] * kernel[1]]),
            bias: Weights::new(vec![1], vec![0.0]),
            stride: [1, 1],
            padding: [0, 0],
            dilation: [1, 1],
            groups: 1,
        };
        for (kernel, sides) in [([1, 3], [8, 8]), ([7, 1], [8, 8]), ([3, 50], [20, 50])] {
            assert!(!is_oblong(&square(&conv(kernel, sides)).unwrap()), "{kernel:?}");
        }
        assert_eq!(square(&conv([2, 3], [8, 8])), None);
    }
}
