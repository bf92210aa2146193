//! What a network is trained for: its targets, its loss, and the score that chooses the best weights.

use burn::tensor::{Tensor, TensorData};

pub use super::batches::Batch;
use crate::data::Samples;
use crate::error::format_shape;
use crate::network::Network;
use crate::{Error, Result};

/// The score of outputs, `(index of the sample, [F])` one after the other, of a network on samples: higher is better.
pub type Score<'a> = dyn Fn(&mut dyn Iterator<Item = (usize, Vec<f32>)>, &Samples) -> Result<f32> + Sync + 'a;

/// What a network is trained for.
pub trait Objective: Sync {
    /// Refuses samples without the targets or of another form than `network` gives.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the reason.
    fn check(&self, network: &Network, samples: &Samples) -> Result<()>;

    /// Whether [`Objective::loss`] reads the values of the batch, which are otherwise gone.
    fn reads_input(&self) -> bool {
        false
    }

    /// Class names that are stored with the network; none if the samples have none.
    fn class_names<'a>(&self, samples: &'a Samples) -> &'a [String];

    /// The loss of the outputs `[N, F]` for `batch`.
    fn loss(&self, output: &Tensor<2>, batch: &Batch) -> Loss;

    /// The score of `outputs`, those of the samples held out, one after the other.
    ///
    /// # Errors
    /// Those of the score.
    fn score(&self, outputs: &mut dyn Iterator<Item = (usize, Vec<f32>)>, samples: &Samples) -> Result<f32>;
}

/// The loss of a batch.
pub struct Loss {
    pub value: f32,
    /// A value with the loss's gradient; not necessarily the loss.
    pub tensor: Tensor<1>,
    /// Predictions that are correct, and all that count: samples or pixels. Zero where the loss has none.
    pub hits: [usize; 2],
}

impl Loss {
    /// From the loss and its gradient toward `output`, `[N, F]`.
    pub(super) fn with_gradient(output: &Tensor<2>, value: f32, gradient: Vec<f32>, hits: [usize; 2]) -> Self {
        let slopes = Tensor::<2>::from_data(TensorData::new(gradient, output.dims()), &output.device());
        Self { value, tensor: (output.clone() * slopes).sum(), hits }
    }
}

/// Refuses samples that `network` does not take.
pub(super) fn check_input(network: &Network, samples: &Samples) -> Result<()> {
    if samples.is_empty() {
        return Err(refusal(samples, "no samples"));
    }
    if samples.sample_len() != network.nodes[0].len() {
        let reason = format!(
            "the samples are {}, but the network '{}' takes {}",
            format_shape(&samples.shape),
            network.name,
            format_shape(network.input_shape())
        );
        return Err(refusal(samples, reason));
    }
    Ok(())
}

/// The error for samples that cannot be trained on.
pub(super) fn refusal(samples: &Samples, reason: impl std::fmt::Display) -> Error {
    Error::Invalid(format!("Cannot train on {}: {reason}.", samples.source))
}
