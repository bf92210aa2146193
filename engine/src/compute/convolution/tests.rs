//! Tests of convolutions against a naive one and against Burn.

use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, TensorData};
use proptest::prelude::*;

use super::{Convolution, Epilogue, Geometry};
use crate::network::Activation;

/// Pseudorandom numbers between −1 and 1.
pub fn noise(length: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    std::iter::repeat_with(draw).take(length).collect()
}

/// The convolution of one image by its definition, each output one chain of fused additions.
fn naive(geometry: &Geometry, input: &[f32], weights: &[f32]) -> Vec<f32> {
    let [_, height, width] = geometry.input;
    let [channels, rows, columns] = geometry.output();
    let [kernel_rows, kernel_columns] = geometry.kernel;
    let mut out = Vec::new();
    for co in 0..channels {
        let first = co / geometry.group_outputs() * geometry.group_channels();
        for (y, x) in (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))) {
            let mut sum = 0.0f32;
            let mut weights = weights[co * geometry.taps()..].iter();
            for c in first..first + geometry.group_channels() {
                for (ky, kx) in (0..kernel_rows).flat_map(|ky| (0..kernel_columns).map(move |kx| (ky, kx))) {
                    let y = (y * geometry.stride[0] + ky * geometry.dilation[0]).checked_sub(geometry.padding[0]);
                    let x = (x * geometry.stride[1] + kx * geometry.dilation[1]).checked_sub(geometry.padding[1]);
                    let value = match (y.filter(|y| *y < height), x.filter(|x| *x < width)) {
                        (Some(y), Some(x)) => input[(c * height + y) * width + x],
                        _ => 0.0,
                    };
                    sum = weights.next().unwrap().mul_add(value, sum);
                }
            }
            out.push(sum);
        }
    }
    out
}

fn with_epilogue(geometry: &Geometry, sums: &[f32], epilogue: &Epilogue) -> Vec<f32> {
    let [channels, rows, columns] = geometry.output();
    let value = |(k, sum): (usize, &f32)| {
        let bias = epilogue.bias.get(k / (rows * columns) % channels).copied().unwrap_or(0.0);
        let z = sum + bias;
        let z = epilogue.residual.map_or(z, |residual| z + residual[k]);
        match epilogue.activation {
            Some(Activation::Qcfs { lambda, levels, shift }) => {
                let levels = levels as f32;
                (z * (levels / lambda) + shift).floor().clamp(0.0, levels) * (lambda / levels)
            }
            Some(activation) => activation.apply(z),
            None => z,
        }
    };
    sums.iter().enumerate().map(value).collect()
}

prop_compose! {
    fn geometry()(
        groups in prop_oneof![3 => Just(1usize), 1 => 2..4usize, 1 => Just(12)],
        group_channels in prop_oneof![Just(1usize), 2..6usize, Just(90)],
        group_outputs in prop_oneof![Just(1usize), 2..20usize],
        height in 1..40usize, width in prop_oneof![2 => 1..40usize, 1 => (1..4usize).prop_map(|n| 16 * n)],
        mut kernel in prop::array::uniform2(1..6usize),
        mut stride in prop::array::uniform2(1..4usize),
        mut padding in prop::array::uniform4(0..4usize),
        dilation in prop::array::uniform2(1..3usize),
        same: bool,
    ) -> Geometry {
        if same {
            // Rows as long as those of the input.
            (kernel[1], stride[1]) = (2 * (kernel[1] / 2) + 1, 1);
            (padding[1], padding[3]) = (dilation[1] * (kernel[1] / 2), dilation[1] * (kernel[1] / 2));
        }
        let group_channels = if groups == 1 { group_channels } else { group_channels.min(4) };
        let out_channels = groups * if groups == 12 { 1 } else { group_outputs };
        Geometry { input: [groups * group_channels, height, width], out_channels, kernel, stride, padding, dilation, groups }
    }
}

fn activation() -> impl Strategy<Value = Option<Activation>> {
    prop_oneof![
        Just(None),
        Just(Some(Activation::Relu)),
        Just(Some(Activation::Clip { lambda: 0.7 })),
        Just(Some(Activation::Qcfs { lambda: 1.5, levels: 4, shift: 0.5 })),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The value of every output is its chain of fused additions: for all sizes, numbers of images and instruction sets.
    #[test]
    fn every_convolution_equals_the_naive_one(
        geometry in geometry(), images in 1..6usize, seed: u64, activation in activation(), bias: bool, residual: bool,
    ) {
        let (input_len, output_len) = (geometry.input_len(), geometry.output_len());
        let weights = noise(geometry.out_channels * geometry.taps(), seed);
        let input = noise(input_len * images, seed ^ 1);
        let bias = noise(if bias { geometry.out_channels } else { 0 }, seed ^ 2);
        let residual = residual.then(|| noise(output_len * images, seed ^ 3));
        let epilogue = Epilogue { bias: &bias, residual: residual.as_deref(), activation };
        let sums: Vec<f32> = input.chunks(input_len).flat_map(|image| naive(&geometry, image, &weights)).collect();
        let want = with_epilogue(&geometry, &sums, &epilogue);

        let convolution = Convolution::new(geometry, &weights);
        let mut out = vec![f32::NAN; output_len * images];
        convolution.forward_parallel(&input, images, epilogue, &mut out);
        let mut on_one_thread = vec![f32::NAN; output_len * images];
        convolution.forward(&input, images, epilogue, &mut on_one_thread);
        prop_assert_eq!(&on_one_thread, &out, "threads");
        #[cfg(target_arch = "x86_64")]
        {
            use crate::compute::simd::{forced, simd_name};
            if simd_name() != "portable" {
                prop_assert_eq!(&out, &want);
                forced::with(forced::Set::Avx2, || convolution.forward(&input, images, epilogue, &mut out));
                prop_assert_eq!(&out, &want, "AVX2");
            }
            if !matches!(activation, Some(Activation::Qcfs { .. })) {
                forced::with(forced::Set::Portable, || convolution.forward(&input, images, epilogue, &mut out));
                for (got, want) in out.iter().zip(&want) {
                    prop_assert!((got - want).abs() <= 1e-4, "portable: {} {}", got, want);
                }
            }
        }
    }
}

#[test]
fn convolutions_equal_those_of_burn() {
    let base = Geometry {
        input: [8, 13, 11],
        out_channels: 12,
        kernel: [3, 3],
        stride: [1, 1],
        padding: [1, 1, 1, 1],
        dilation: [1, 1],
        groups: 1,
    };
    for geometry in [
        base,
        Geometry { stride: [2, 2], ..base },
        Geometry { kernel: [5, 3], padding: [2, 0, 2, 0], dilation: [1, 2], ..base },
        Geometry { groups: 4, ..base },
        Geometry { out_channels: 8, groups: 8, ..base },
        Geometry { input: [8, 2, 2], ..base },
        // Several bands of rows and several blocks of channels, with and without margins.
        Geometry { input: [90, 37, 64], ..base },
        Geometry { input: [90, 41, 50], ..base },
    ] {
        let images = 5;
        // So that sums are about as large for any number of taps.
        let scale = (geometry.taps() as f32).sqrt();
        let weights = noise(geometry.out_channels * geometry.taps(), 5);
        let weights: Vec<f32> = weights.iter().map(|weight| weight / scale).collect();
        let input = noise(geometry.input_len() * images, 6);
        let bias = noise(geometry.out_channels, 7);
        let device = Device::flex();
        let [c, h, w] = geometry.input;
        let [kernel_rows, kernel_columns] = geometry.kernel;
        let shape = [geometry.out_channels, geometry.group_channels(), kernel_rows, kernel_columns];
        let [top, left, bottom, right] = geometry.padding;
        let options = ConvOptions::new_with_padding(
            geometry.stride,
            [(top, bottom), (left, right)],
            geometry.dilation,
            geometry.groups,
        );
        let want = conv2d(
            Tensor::<4>::from_data(TensorData::new(input.clone(), [images, c, h, w]), &device),
            Tensor::<4>::from_data(TensorData::new(weights.clone(), shape), &device),
            Some(Tensor::<1>::from_data(TensorData::new(bias.clone(), [bias.len()]), &device)),
            options,
        );
        let want = want.into_data().try_into_vec::<f32>().unwrap();
        let mut out = vec![0.0; geometry.output_len() * images];
        let epilogue = Epilogue { bias: &bias, ..Epilogue::default() };
        Convolution::new(geometry, &weights).forward_parallel(&input, images, epilogue, &mut out);
        let error = out.iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(out.len() == want.len() && error < 1e-5, "{geometry:?}: {error}");
    }
}

#[test]
fn nan_in_a_sum_stays_through_the_activation() {
    let geometry = Geometry {
        input: [1, 1, 2],
        out_channels: 1,
        kernel: [1, 1],
        stride: [1, 1],
        padding: [0; 4],
        dilation: [1, 1],
        groups: 1,
    };
    for lambda in [None, Some(1.0)] {
        let activation = lambda.map_or(Activation::Relu, |lambda| Activation::Clip { lambda });
        let mut out = [0.0; 2];
        let epilogue = Epilogue { activation: Some(activation), ..Epilogue::default() };
        Convolution::new(geometry, &[1.0]).forward(&[f32::NAN, 0.5], 1, epilogue, &mut out);
        assert!(out[0].is_nan() && out[1] == 0.5, "{out:?}");
    }
}
