//! Activations with a learned threshold λ: value and straight-through gradients for autodiff.
//!
//! Both activations are `λ·clip(·, 0, 1)` of `z/λ`, so the gradients follow from the chain rule (Bu et al. 2022 for
//! QCFS; Ho & Chang 2021, TCL, for the clip). With a = the activation's value:
//!
//! | | ∂a/∂z | ∂a/∂λ |
//! |---|---|---|
//! | below the window | 0 | 0 |
//! | in the window | 1 | (a − z)/λ |
//! | above the window | 0 | 1 |
//!
//! The window of the clip is `0 ≤ z ≤ λ`. The window of QCFS is where the floored value is in range (floor, then
//! clamp): with shift ½, `−λ/2L ≤ z < λ + λ/2L`.

use burn::tensor::Tensor;

use crate::compute::gradient::activation::activation as apply;
use crate::network::Activation;

/// The activation of `z` `[N, F]` with the learned threshold `lambda` `[1]` in place of the one in `activation`;
/// `activation` must have one.
pub(super) fn learned_threshold(activation: Activation, z: Tensor<2>, lambda: Tensor<1>) -> Tensor<2> {
    apply(z, Some(lambda), activation.into())
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::compute::dense::tensor_to_vec;

    /// (a, ∂a/∂z, ∂a/∂λ) for one z.
    fn gradients(activation: Activation, lambda: f32, z: f32) -> [f32; 3] {
        let device = Device::flex().autodiff();
        let z = Tensor::<2>::from_data(TensorData::new(vec![z], [1, 1]), &device).require_grad();
        let lambda = Tensor::<1>::from_data(TensorData::new(vec![lambda], [1]), &device).require_grad();
        let a = learned_threshold(activation, z.clone(), lambda.clone());
        let grads = a.clone().sum().backward();
        let dz = z.grad(&grads).map_or(f32::NAN, |g| tensor_to_vec(g)[0]);
        let dl = lambda.grad(&grads).map_or(f32::NAN, |g| tensor_to_vec(g.reshape([1, 1]))[0]);
        [tensor_to_vec(a)[0], dz, dl]
    }

    #[track_caller]
    fn assert_close(got: [f32; 3], want: [f32; 3]) {
        assert!(got.iter().zip(want).all(|(g, w)| (g - w).abs() < 2e-6), "{got:?} is not {want:?}");
    }

    #[test]
    fn qcfs_gradients_are_those_of_floor_then_clamp() {
        let qcfs = Activation::Qcfs { lambda: 1.0, levels: 4, shift: 0.5 };
        assert_close(gradients(qcfs, 1.0, 0.30), [0.25, 1.0, -0.05]);
        assert_close(gradients(qcfs, 1.0, -0.1), [0.0, 1.0, 0.1]);
        assert_close(gradients(qcfs, 1.0, 1.05), [1.0, 1.0, -0.05]);
        assert_close(gradients(qcfs, 1.0, 1.2), [1.0, 0.0, 1.0]);
        assert_close(gradients(qcfs, 1.0, -0.2), [0.0, 0.0, 0.0]);
        // The limits of the window: −λ/2L is inside, λ + λ/2L is not.
        assert_close(gradients(qcfs, 1.0, -0.125), [0.0, 1.0, 0.125]);
        assert_close(gradients(qcfs, 1.0, 1.125), [1.0, 0.0, 1.0]);
    }

    #[test]
    fn qcfs_gradients_scale_with_lambda() {
        // λ = 2, L = 4: z = 0.6 is in the step of a = 0.5, and ∂a/∂λ = (0.5 − 0.6)/2.
        let qcfs = Activation::Qcfs { lambda: 2.0, levels: 4, shift: 0.5 };
        assert_close(gradients(qcfs, 2.0, 0.6), [0.5, 1.0, -0.05]);
        assert_close(gradients(qcfs, 2.0, 2.3), [2.0, 0.0, 1.0]);
    }

    #[test]
    fn clip_threshold_has_a_gradient_only_from_values_above() {
        let clip = Activation::Clip { lambda: 4.0 };
        assert_close(gradients(clip, 4.0, 3.0), [3.0, 1.0, 0.0]);
        assert_close(gradients(clip, 4.0, 5.0), [4.0, 0.0, 1.0]);
        assert_close(gradients(clip, 4.0, -1.0), [0.0, 0.0, 0.0]);
    }

    #[test]
    fn the_value_equals_that_of_the_network() {
        for activation in [Activation::Qcfs { lambda: 1.7, levels: 8, shift: 0.5 }, Activation::Clip { lambda: 1.7 }] {
            for z in (-40..120).map(|i| i as f32 * 0.0237) {
                let [a, ..] = gradients(activation, 1.7, z);
                assert!((a - activation.apply(z)).abs() < 1e-6, "{activation:?} at {z}: {a}");
            }
        }
    }
}
