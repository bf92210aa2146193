//! Winograd's form against the direct one.

use proptest::prelude::*;

use super::*;
use crate::compute::convolution::Convolution;
use crate::compute::convolution::tests::noise;
use crate::network::Activation;

fn geometry_of(channels: usize, outputs: usize, size: [usize; 2], padding: [usize; 4]) -> Geometry {
    Geometry {
        input: [channels, size[0], size[1]],
        out_channels: outputs,
        kernel: [3, 3],
        stride: [1, 1],
        padding,
        dilation: [1, 1],
        groups: 1,
    }
}

/// Both forms of a convolution: the direct one, and Winograd's.
fn both(geometry: Geometry, weights: &[f32]) -> [Convolution; 2] {
    let fastest = Convolution::fastest(geometry, weights);
    [fastest.direct(), fastest]
}

prop_compose! {
    fn geometry()(
        channels in prop_oneof![15..18usize, 28..34usize, Just(48)],
        outputs in prop_oneof![15..18usize, 28..34usize, Just(48)],
        size in prop::array::uniform2(2..36usize),
        padding in prop::array::uniform4(0..4usize),
    ) -> Geometry {
        geometry_of(channels, outputs, size, padding)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// The values are those of the direct form but for rounding, and the same for any number of images and threads and for
    /// every instruction set with fused operations.
    #[test]
    fn values_are_those_of_the_direct_form(
        geometry in geometry(), images in 1..6usize, seed: u64, activation: bool, bias: bool, residual: bool,
    ) {
        prop_assume!(geometry.output_len() > 0);
        let (input_len, output_len) = (geometry.input_len(), geometry.output_len());
        let weights = noise(geometry.out_channels * geometry.taps(), seed);
        let input = noise(input_len * images, seed ^ 1);
        let bias = noise(if bias { geometry.out_channels } else { 0 }, seed ^ 2);
        let residual = residual.then(|| noise(output_len * images, seed ^ 3));
        let activation = activation.then_some(Activation::Relu);
        let epilogue = Epilogue { bias: &bias, residual: residual.as_deref(), activation };
        let [direct, fastest] = both(geometry, &weights);
        let mut want = vec![f32::NAN; output_len * images];
        direct.forward(&input, images, epilogue, &mut want);
        let mut got = vec![f32::NAN; output_len * images];
        fastest.forward(&input, images, epilogue, &mut got);
        let scale = (geometry.taps() as f32).sqrt();
        for (got, want) in got.iter().zip(&want) {
            prop_assert!((got - want).abs() <= 4e-6 * scale, "{} {}", got, want);
        }
        let mut again = vec![f32::NAN; output_len * images];
        fastest.forward_parallel(&input, images, epilogue, &mut again);
        prop_assert_eq!(&again, &got, "threads");
        for image in 0..images {
            let part = image * output_len..(image + 1) * output_len;
            let input = &input[image * input_len..][..input_len];
            fastest.forward(input, 1, epilogue.from_channel(0, part.start), &mut again[part]);
        }
        prop_assert_eq!(&again, &got, "one by one");
        #[cfg(target_arch = "x86_64")]
        {
            use crate::compute::simd::{forced, simd_name};
            if simd_name() != "portable" {
                forced::with(forced::Set::Avx2, || fastest.forward(&input, images, epilogue, &mut again));
                prop_assert_eq!(&again, &got, "AVX2");
            }
            forced::with(forced::Set::Portable, || fastest.forward(&input, images, epilogue, &mut again));
            for (got, want) in again.iter().zip(&want) {
                prop_assert!((got - want).abs() <= 4e-6 * scale, "portable: {} {}", got, want);
            }
        }
    }

    /// Where the direct form has an exact zero, so has this one: gradients stay as sparse, neurons as dead.
    #[test]
    fn sums_over_zeros_are_exactly_zero(
        geometry in geometry(), seed: u64, used in prop::collection::vec(0..2000usize, 0..6),
    ) {
        prop_assume!(geometry.output_len() > 0);
        let weights = noise(geometry.out_channels * geometry.taps(), seed);
        let mut input = vec![0.0; geometry.input_len()];
        for (k, place) in used.into_iter().enumerate() {
            let place = place % input.len();
            input[place] = [1.0, -0.3][k % 2];
        }
        let values = both(geometry, &weights).map(|of| {
            let mut out = vec![f32::NAN; geometry.output_len()];
            of.forward(&input, 1, Epilogue::default(), &mut out);
            out
        });
        for (direct, winograd) in values[0].iter().zip(&values[1]) {
            prop_assert_eq!(*direct == 0.0, *winograd == 0.0, "{} {}", direct, winograd);
        }
    }
}

/// The usual layers take this form; those that it would slow down do not.
#[test]
fn the_form_is_chosen_where_it_is_faster() {
    let of = |geometry: Geometry| {
        let weights = noise(geometry.out_channels * geometry.taps(), 1);
        Winograd::new(&geometry, &weights).is_some()
    };
    let base = geometry_of(32, 32, [16, 16], [1; 4]);
    assert!(of(base) && of(geometry_of(64, 64, [8, 8], [1; 4])) && of(geometry_of(16, 16, [32, 32], [1; 4])));
    for other in [
        geometry_of(3, 16, [32, 32], [1; 4]),
        geometry_of(17, 17, [32, 32], [1; 4]),
        geometry_of(64, 64, [2, 2], [1; 4]),
        Geometry { stride: [2, 2], ..base },
        Geometry { dilation: [2, 2], ..base },
        Geometry { groups: 2, ..base },
        Geometry { kernel: [1, 1], ..base },
    ] {
        assert!(!of(other), "{other:?}");
    }
    let mut weights = noise(base.out_channels * base.taps(), 1);
    weights[5] = f32::NAN;
    assert!(Winograd::new(&base, &weights).is_none());
}

/// An infinite or undefined value reaches the outputs whose window holds it, and no other.
#[test]
fn values_that_are_no_numbers_do_not_spread() {
    let geometry = geometry_of(32, 32, [16, 16], [1; 4]);
    let weights = noise(geometry.out_channels * geometry.taps(), 1);
    for value in [f32::NAN, f32::INFINITY, f32::MAX] {
        let images = 3;
        let mut input = noise(geometry.input_len() * images, 2);
        input[geometry.input_len() + 37] = value;
        let [direct, fastest] = both(geometry, &weights).map(|of| {
            let mut out = vec![0.0; geometry.output_len() * images];
            of.forward(&input, images, Epilogue::default(), &mut out);
            out
        });
        let middle = geometry.output_len()..2 * geometry.output_len();
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&direct[middle.clone()]), bits(&fastest[middle]), "{value}");
        assert!(fastest[..geometry.output_len()].iter().all(|value| value.is_finite()));
    }
}
