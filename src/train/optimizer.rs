//! Optimizers and the learning-rate schedule of training.

use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{ModuleOptimizer, SgdConfig};

use super::adam::Adam;
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
    pub(super) fn init(self, weight_decay: f32) -> ModuleOptimizer {
        match self {
            Self::Adam => Adam { weight_decay }.into(),
            Self::Sgd => {
                let decay = (weight_decay > 0.0).then(|| WeightDecayConfig::new(weight_decay));
                let momentum = MomentumConfig::new().with_momentum(0.9).with_dampening(0.0);
                SgdConfig::new().with_momentum(Some(momentum)).with_weight_decay(decay).init()
            }
        }
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
