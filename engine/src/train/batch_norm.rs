//! BatchNorm for training, and its folding into scale and shift.
//!
//! The forward pass uses batch statistics and updates the running statistics (Ioffe & Szegedy 2015); the network in use
//! gets the equivalent scale and shift.

use burn::tensor::Tensor;

use super::norm::{After, batch_norm};
use crate::compute::dense::tensor_to_vec;

/// Added to the variance, as in PyTorch.
const EPSILON: f32 = 1e-5;
/// The weight of a new batch in the running statistics, as in PyTorch.
const MOMENTUM: f32 = 0.1;

/// Mean and variance per channel.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Statistics {
    pub mean: Vec<f32>,
    pub variance: Vec<f32>,
}

impl Statistics {
    /// Statistics of values `[N, C·plane]`; the variance is unbiased, as in running statistics.
    pub(super) fn from_values(values: &Tensor<2>, channels: usize) -> Self {
        let (mean, variance) = moments(planes(values.clone(), channels));
        let host = |x: Tensor<3>| tensor_to_vec(x.detach().reshape([1, channels]));
        Self::new(host(mean), host(variance), values.dims(), channels)
    }

    /// From the biased variance over `[rows, columns]` values.
    fn new(mean: Vec<f32>, variance: Vec<f32>, [rows, columns]: [usize; 2], channels: usize) -> Self {
        let count = (rows * columns / channels.max(1)) as f32;
        let unbiased = if count > 1.0 { count / (count - 1.0) } else { 1.0 };
        Self { mean, variance: variance.iter().map(|v| v * unbiased).collect() }
    }

    /// Updates the running statistics toward `batch` by [`MOMENTUM`].
    fn update(&mut self, batch: &Self) {
        let step = |old: &mut Vec<f32>, new: &[f32]| {
            old.iter_mut().zip(new).for_each(|(old, new)| *old += MOMENTUM * (new - *old));
        };
        step(&mut self.mean, &batch.mean);
        step(&mut self.variance, &batch.variance);
    }

    /// `(scale, shift)` of the normalization followed by gain `gamma` and offset `beta`.
    pub(super) fn fold(&self, gamma: &[f32], beta: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let scale: Vec<f32> = gamma.iter().zip(&self.variance).map(|(g, v)| g / (v + EPSILON).sqrt()).collect();
        let shift = beta.iter().zip(&self.mean).zip(&scale).map(|((b, m), s)| b - m * s).collect();
        (scale, shift)
    }

    /// `(gamma, beta)` for which [`fold`](Self::fold) returns `scale` and `shift`: training then continues from the
    /// function of a trained network.
    pub(super) fn unfold(&self, scale: &[f32], shift: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let gamma = scale.iter().zip(&self.variance).map(|(s, v)| s * (v + EPSILON).sqrt()).collect();
        let beta = shift.iter().zip(&self.mean).zip(scale).map(|((t, m), s)| t + m * s).collect();
        (gamma, beta)
    }
}

/// Normalizes `x` `[N, C·plane]` by its own statistics, applies gain `gamma` and offset `beta` `[C]` and what comes
/// `after`, and updates `running`.
pub(super) fn normalize(
    x: Tensor<2>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    running: &mut Statistics,
    after: After,
) -> Tensor<2> {
    let (dims, channels) = (x.dims(), gamma.dims()[0]);
    let (y, mean, variance) = batch_norm(x, gamma, beta, EPSILON, after);
    running.update(&Statistics::new(mean, variance, dims, channels));
    y
}

fn planes(x: Tensor<2>, channels: usize) -> Tensor<3> {
    let [rows, _] = x.dims();
    x.reshape([rows as i32, channels as i32, -1])
}

/// Mean and biased variance, `[1, C, 1]` each.
fn moments(x: Tensor<3>) -> (Tensor<3>, Tensor<3>) {
    let over_channel = |x: Tensor<3>| x.mean_dim(2).mean_dim(0);
    let mean = over_channel(x.clone());
    let centered = x - mean.clone();
    (mean, over_channel(centered.clone() * centered))
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::compute::gradient::rule::Rule;

    fn tensor(values: &[f32], rows: usize) -> Tensor<2> {
        let columns = values.len() / rows;
        Tensor::from_data(TensorData::new(values.to_vec(), [rows, columns]), &Device::flex().autodiff())
    }

    #[test]
    fn statistics_are_per_channel_and_unbiased() {
        // Two samples, two channels of two values: channel 0 sees 1 2 3 4, channel 1 sees 10 10 10 14.
        let stats = Statistics::from_values(&tensor(&[1.0, 2.0, 10.0, 10.0, 3.0, 4.0, 10.0, 14.0], 2), 2);
        assert_eq!(stats.mean, [2.5, 11.0]);
        assert!((stats.variance[0] - 5.0 / 3.0).abs() < 1e-6 && (stats.variance[1] - 4.0).abs() < 1e-5);
    }

    #[test]
    fn a_normalized_batch_has_the_requested_gain_and_offset() {
        let mut running = Statistics { mean: vec![0.0], variance: vec![1.0] };
        let one = |v: f32| tensor(&[v], 1).reshape([1]);
        let after = After { addend: None, rule: Rule::Identity, lambda: None };
        let y = normalize(tensor(&[1.0, 2.0, 3.0, 6.0], 4), one(2.0), one(5.0), &mut running, after);
        let y = tensor_to_vec(y.detach());
        let mean = y.iter().sum::<f32>() / 4.0;
        let variance = y.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / 4.0;
        assert!((mean - 5.0).abs() < 1e-5 && (variance - 4.0).abs() < 1e-3, "{y:?}");
        assert!((running.mean[0] - 0.3).abs() < 1e-6);
        assert!((running.variance[0] - (0.9 + 0.1 * 14.0 / 3.0)).abs() < 1e-5);
    }

    #[test]
    fn folding_inverts_unfolding() {
        let stats = Statistics { mean: vec![0.7, -3.0], variance: vec![0.2, 9.0] };
        let (gamma, beta) = stats.unfold(&[1.5, -0.5], &[0.25, 4.0]);
        let (scale, shift) = stats.fold(&gamma, &beta);
        assert!(scale.iter().zip([1.5, -0.5]).all(|(a, b)| (a - b).abs() < 1e-6));
        assert!(shift.iter().zip([0.25, 4.0]).all(|(a, b)| (a - b).abs() < 1e-6));
    }
}
