//! The neurons of a spiking network in training.

use crate::attack::snn::Surrogate;
use crate::convert::recipe::MAX_STEPS;
use crate::convert::{NeuronModel, Reset};
use crate::network::{Activation, Network, Op, TrainedNeurons};
use crate::{Error, Result};

/// Integrate-and-fire neurons in place of the activations, learned by surrogate gradients through time.
///
/// θ = 1, v(0) = 0, `m = τv + I`, a spike where `m ≥ θ`; the reset is not detached (algorithm of the sparse-gradient
/// paper). The answer is the mean of the logits over time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spiking {
    /// T
    pub steps: usize,
    /// τ: 1 for IF neurons, below for leaky ones.
    pub decay: f32,
    pub reset: Reset,
    pub surrogate: Surrogate,
}

impl Default for Spiking {
    fn default() -> Self {
        Self { steps: 8, decay: 1.0, reset: Reset::Hard, surrogate: Surrogate::Triangle }
    }
}

impl Spiking {
    /// The neurons that `network` was trained with.
    pub fn of(network: &Network) -> Option<Self> {
        let TrainedNeurons { steps, decay, hard_reset } = network.neurons?;
        let reset = if hard_reset { Reset::Hard } else { Reset::Soft };
        Some(Self { steps, decay: NeuronModel::with_decay(decay).decay(), reset, ..Self::default() })
    }

    /// What a file says of these neurons.
    pub fn record(&self) -> TrainedNeurons {
        let decay = (self.decay * 1000.0).round().clamp(1.0, 1000.0) as u16;
        TrainedNeurons { steps: self.steps, decay, hard_reset: self.reset == Reset::Hard }
    }

    /// `network` with thresholds of 1 in place of its activations, which thereby become these neurons.
    pub fn prepare(&self, network: &mut Network) {
        for node in &mut network.nodes {
            if let Op::Activation(activation) = &mut node.op {
                let lambda = activation.lambda().filter(|_| network.neurons.is_some()).unwrap_or(1.0);
                *activation = Activation::Clip { lambda };
            }
        }
        network.neurons = Some(self.record());
    }

    /// # Errors
    /// [`Error::Invalid`] for a number out of range.
    pub fn validate(&self) -> Result<()> {
        if !(1..=MAX_STEPS).contains(&self.steps) {
            return Err(Error::Invalid(format!("Cannot train for T = {} steps: use 1 to {MAX_STEPS}.", self.steps)));
        }
        if !(self.decay > 0.0 && self.decay <= 1.0) {
            let reason = format!("Cannot use decay {}: it must be above 0 and at most 1.", self.decay);
            return Err(Error::Invalid(reason));
        }
        Ok(())
    }
}
