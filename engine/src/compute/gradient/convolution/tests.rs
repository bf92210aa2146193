//! Tests of the convolution's gradients against Burn's own, and that threads do not change them.

use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, TensorData};
use proptest::prelude::*;

use super::*;
use crate::compute::dense::tensor_to_vec;

/// Numbers that differ from place to place.
fn noise(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let draw = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    std::iter::repeat_with(draw).take(count).collect()
}

fn leaf<const D: usize>(values: &[f32], shape: [usize; D]) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), &Device::flex().autodiff()).require_grad()
}

/// Output and gradients of input, weights and bias, by our operation or by Burn's.
fn run(geometry: Geometry, images: usize, with_bias: bool, ours: bool) -> [Vec<f32>; 4] {
    let [channels, height, width] = geometry.input;
    let weight_shape = [geometry.out_channels, geometry.group_channels(), geometry.kernel[0], geometry.kernel[1]];
    let x = leaf(&noise(images * geometry.input_len(), 1), [images, geometry.input_len()]);
    let weights = leaf(&noise(geometry.out_channels * geometry.taps(), 2), weight_shape);
    let bias = leaf(&noise(geometry.out_channels, 3), [geometry.out_channels]);
    let used_bias = with_bias.then(|| bias.clone());
    let y = if ours {
        convolution(x.clone(), weights.clone(), used_bias, geometry)
    } else {
        let [top, left, bottom, right] = geometry.padding;
        let pairs = [(top, bottom), (left, right)];
        let options = ConvOptions::new_with_padding(geometry.stride, pairs, geometry.dilation, geometry.groups);
        conv2d(x.clone().reshape([images, channels, height, width]), weights.clone(), used_bias, options)
            .reshape([images, geometry.output_len()])
    };
    let slopes = Tensor::<2>::from_data(
        TensorData::new(noise(images * geometry.output_len(), 4), [images, geometry.output_len()]),
        &y.device(),
    );
    let grads = (y.clone() * slopes).sum().backward();
    let of_bias = bias.grad(&grads).map(|g| tensor_to_vec(g.unsqueeze())).unwrap_or_default();
    let of_weights = weights.grad(&grads).map(|g| tensor_to_vec(g.reshape([1, -1]))).unwrap_or_default();
    [tensor_to_vec(y.detach()), x.grad(&grads).map(tensor_to_vec).unwrap_or_default(), of_weights, of_bias]
}

/// The largest difference, relative to the size of the sums.
fn difference(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    let size = theirs.iter().fold(1.0f32, |size, value| size.max(value.abs()));
    ours.iter().zip(theirs).map(|(a, b)| (a - b).abs() / size).fold(0.0, f32::max)
}

fn geometry() -> impl Strategy<Value = Geometry> {
    let sizes = (1usize..4, 1usize..13, 1usize..13, 1usize..4, 1usize..4, 1usize..20);
    let more = (1usize..4, 1usize..4, 1usize..3, 1usize..3, [0usize..4, 0usize..4, 0usize..4, 0usize..4], 1usize..3);
    (sizes, more).prop_filter_map("the kernel must fit", |(sizes, more)| {
        let (channels, height, width, rows, columns, outputs) = sizes;
        let (stride_rows, stride_columns, dilation_rows, dilation_columns, padding, groups) = more;
        let geometry = Geometry {
            input: [channels * groups, height, width],
            out_channels: outputs * groups,
            kernel: [rows, columns],
            stride: [stride_rows, stride_columns],
            padding,
            dilation: [dilation_rows, dilation_columns],
            groups,
        };
        let fits = |axis: usize| {
            let reach = geometry.dilation[axis] * (geometry.kernel[axis] - 1) + 1;
            geometry.input[axis + 1] + padding[axis] + padding[axis + 2] >= reach
        };
        (fits(0) && fits(1) && is_supported(&geometry)).then_some(geometry)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Any kernel, stride, padding, dilation and number of groups.
    #[test]
    fn the_gradients_are_those_of_burn(geometry in geometry(), images in 1usize..12, with_bias in any::<bool>()) {
        let (ours, theirs) = (run(geometry, images, with_bias, true), run(geometry, images, with_bias, false));
        for (what, (ours, theirs)) in ["y", "∂x", "∂w", "∂b"].into_iter().zip(ours.iter().zip(&theirs)) {
            let off = difference(ours, theirs);
            prop_assert!(off < 1e-5, "{what} is off by {off}");
        }
    }

    /// ⟨conv(x), g⟩ = ⟨x, ∂x(g)⟩ = ⟨w, ∂w(g)⟩, without any other implementation.
    #[test]
    fn the_gradients_are_adjoint(geometry in geometry(), images in 1usize..6) {
        let (x, w) = (noise(images * geometry.input_len(), 1), noise(geometry.out_channels * geometry.taps(), 2));
        let g = noise(images * geometry.output_len(), 4);
        let [y, of_x, of_w, _] = run(geometry, images, false, true);
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
        let size = (g.len() as f64).sqrt() * geometry.taps() as f64;
        let (through_y, through_x, through_w) = (dot(&y, &g), dot(&x, &of_x), dot(&w, &of_w));
        prop_assert!((through_y - through_x).abs() < 1e-5 * size, "{through_y} {through_x}");
        prop_assert!((through_y - through_w).abs() < 1e-5 * size, "{through_y} {through_w}");
    }
}

#[test]
fn typical_layers_have_the_gradients_of_burn() {
    let layer = |channels, size, outputs, kernel: usize, stride| Geometry {
        input: [channels, size, size],
        out_channels: outputs,
        kernel: [kernel; 2],
        stride: [stride; 2],
        padding: [kernel / 2; 4],
        dilation: [1, 1],
        groups: 1,
    };
    for geometry in [layer(3, 16, 16, 3, 1), layer(16, 14, 32, 3, 2), layer(32, 7, 48, 1, 2), layer(4, 15, 24, 7, 2)] {
        let (ours, theirs) = (run(geometry, 20, true, true), run(geometry, 20, true, false));
        let off = ours.iter().zip(&theirs).map(|(ours, theirs)| difference(ours, theirs)).fold(0.0, f32::max);
        assert!(off < 1e-5, "{geometry:?} is off by {off}");
    }
}

#[test]
fn threads_do_not_change_the_gradients() {
    let geometry = Geometry {
        input: [6, 9, 11],
        out_channels: 20,
        kernel: [3, 3],
        stride: [2, 1],
        padding: [1, 1, 1, 1],
        dilation: [1, 1],
        groups: 2,
    };
    let with_threads = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run(geometry, 37, true, true))
    };
    let one = with_threads(1);
    assert!([2, 3, 7].into_iter().all(|threads| with_threads(threads) == one));
}

#[test]
fn padding_beyond_the_kernel_is_not_supported() {
    let geometry = |padding| Geometry {
        input: [1, 5, 5],
        out_channels: 1,
        kernel: [3, 3],
        stride: [1, 1],
        padding: [padding; 4],
        dilation: [1, 1],
        groups: 1,
    };
    assert!(is_supported(&geometry(2)) && !is_supported(&geometry(3)));
}
