//! Training for the input itself: mean squared error of an autoencoder.

use burn::tensor::Tensor;

use super::objective::{Batch, Loss, Objective, check_input, refusal};
use crate::Result;
use crate::compute::dense::tensor_to_vec;
use crate::data::{Samples, Scaling};
use crate::network::Network;

/// The input as the target, for values scaled to [0, 1]. The score is the negative mean squared error.
#[derive(Clone, Copy, Debug)]
pub struct Reconstruction;

impl Objective for Reconstruction {
    fn check(&self, network: &Network, samples: &Samples) -> Result<()> {
        check_input(network, samples)?;
        if network.classes() == samples.sample_len() {
            return Ok(());
        }
        Err(refusal(samples, format!("the output of the network '{}' is no sample", network.name)))
    }

    fn reads_input(&self) -> bool {
        true
    }

    fn class_names<'a>(&self, _: &'a Samples) -> &'a [String] {
        &[]
    }

    fn loss(&self, output: &Tensor<2>, batch: &Batch) -> Loss {
        let values = tensor_to_vec(output.clone().detach());
        let count = values.len().max(1) as f32;
        let errors = || values.iter().zip(&batch.values).map(|(y, x)| y - x);
        let value = errors().map(|error| error * error).sum::<f32>() / count;
        // The gradient of the sum over values and the mean over rows: rates are then those of other losses.
        let gradient = errors().map(|error| 2.0 * error / batch.rows.max(1) as f32).collect();
        Loss::with_gradient(output, value, gradient, [0, 0])
    }

    fn score(&self, outputs: &mut dyn Iterator<Item = (usize, Vec<f32>)>, samples: &Samples) -> Result<f32> {
        let (mut sum, mut count) = (0.0f64, 0usize);
        for (index, output) in outputs {
            let input = samples.scaled(index..index + 1, &Scaling::Unit);
            sum += output.iter().zip(&input).map(|(y, x)| f64::from((y - x) * (y - x))).sum::<f64>();
            count += output.len();
        }
        Ok(-(sum / count.max(1) as f64) as f32)
    }
}
