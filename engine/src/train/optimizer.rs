//! Optimizers with a state that can be stored, and the learning-rate schedule of training.

use burn::backend::Flex;
use burn::module::{Module, ModuleMapper, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::adam::{Slot, adam_step, sgd_step};
use super::trainable_network::Layers;
use crate::compute::storage::{Values, as_slice_of};
use crate::{Error, Result};

/// Update rule for the weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Optimizer {
    /// Adam (Kingma & Ba 2015) with β = 0.9, 0.999.
    #[default]
    Adam,
    /// Stochastic gradient descent with momentum 0.9.
    Sgd,
}

impl Optimizer {
    /// Parses `adam` or `sgd`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for any other word.
    pub fn parse(text: &str) -> Result<Self> {
        match text {
            "adam" => Ok(Self::Adam),
            "sgd" => Ok(Self::Sgd),
            _ => Err(Error::Invalid(format!("Cannot use optimizer '{text}': unknown name. Use adam or sgd."))),
        }
    }

    /// The default learning rate, suitable for small networks.
    pub fn default_learning_rate(self) -> f64 {
        match self {
            Self::Adam => 2e-3,
            Self::Sgd => 0.05,
        }
    }

    /// The optimizer, with an L2 penalty of `weight_decay` on every parameter (as Bu et al. 2022 train, λ included).
    pub(super) fn init(self, weight_decay: f32) -> OptimizerState {
        OptimizerState { rule: self, weight_decay, slots: Vec::new() }
    }
}

/// An optimizer and what it remembers of every parameter, in the order of the module.
#[derive(Debug)]
pub(super) struct OptimizerState {
    rule: Optimizer,
    weight_decay: f32,
    pub slots: Vec<Slot>,
}

impl OptimizerState {
    /// `layers` after one step along `gradients`.
    pub(super) fn step(&mut self, rate: f64, layers: Layers, gradients: GradientsParams) -> Layers {
        layers.map(&mut Update { state: self, rate: rate as f32, gradients, next: 0 })
    }
}

/// Steps one parameter after the other.
struct Update<'a> {
    state: &'a mut OptimizerState,
    rate: f32,
    gradients: GradientsParams,
    next: usize,
}

impl ModuleMapper for Update<'_> {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, tensor, mapper) = parameter.consume();
        let index = self.next;
        self.next += 1;
        if self.state.slots.len() <= index {
            self.state.slots.resize_with(index + 1, Slot::default);
        }
        let Some(gradient) = self.gradients.remove::<D>(id) else {
            return Param::from_mapped_value(id, tensor, mapper);
        };
        let (mut values, gradient) = (storage(tensor.inner()), storage(gradient));
        let (slot, decay) = (&mut self.state.slots[index], self.state.weight_decay);
        let (to, gradient) = (values.storage_mut::<f32>(), as_slice_of(&gradient));
        match self.state.rule {
            Optimizer::Adam => adam_step(to, gradient, slot, self.rate, decay),
            Optimizer::Sgd => sgd_step(to, gradient, slot, self.rate, decay),
        }
        let tensor = Tensor::<D>::from_inner(Tensor::from_primitive::<Flex>(values)).require_grad();
        Param::from_mapped_value(id, tensor, mapper)
    }
}

/// The contiguous values of a parameter or of its gradient.
fn storage<const D: usize>(tensor: Tensor<D>) -> Values {
    match tensor.try_into_primitive::<Flex>() {
        Ok(values) => values.to_contiguous(),
        Err(error) => unreachable!("training runs on burn-flex: {error:?}"),
    }
}

/// The learning rate at `step` of `steps`: from `rate` to 0 along half a cosine (Loshchilov & Hutter 2017, no restarts).
pub(super) fn cosine(rate: f64, step: usize, steps: usize) -> f64 {
    let phase = step as f64 / steps.max(1) as f64;
    rate * 0.5 * (1.0 + (std::f64::consts::PI * phase).cos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_falls_from_its_start_to_zero() {
        assert_eq!(cosine(0.1, 0, 10), 0.1);
        assert!((cosine(0.1, 5, 10) - 0.05).abs() < 1e-12);
        assert!(cosine(0.1, 10, 10).abs() < 1e-12);
    }

    #[test]
    fn unknown_optimizers_are_refused() {
        assert_eq!(Optimizer::parse("sgd").unwrap(), Optimizer::Sgd);
        assert!(Optimizer::parse("lbfgs").is_err());
    }
}
