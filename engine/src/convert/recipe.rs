//! Conversion recipe: every option of turning an ANN into an SNN, in one plain struct.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::balancing_options::BalancingOptions;
use super::recipe_options::{Correction, InitialPotential, MAX_PRESTEPS, MaxPoolRule, NeuronModel, Readout};
use crate::network::TrainedNeurons;
use crate::{Error, Result};

/// Maximum number of time steps.
pub const MAX_STEPS: usize = 4096;
/// Largest seed, the largest integer of TOML.
pub const MAX_SEED: u64 = i64::MAX as u64;

/// How an ANN is converted to an SNN, and for how many steps it runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Recipe {
    /// Time steps T.
    pub steps: usize,
    /// Rule for thresholds.
    pub threshold: ThresholdRule,
    /// One threshold per layer, or per channel.
    pub granularity: Granularity,
    /// v(0) as a fraction of θ, 0 to 1. One half is optimal under uniform activations (OPI, Bu et al. AAAI 2022).
    pub v_init: f32,
    /// Distribution of v(0) over the neurons.
    pub initial: InitialPotential,
    /// Decides the drawn v(0) of [`InitialPotential::Uniform`] and [`InitialPotential::Gaussian`].
    #[serde(skip_serializing_if = "is_zero")]
    pub seed: u64,
    /// What a neuron can emit in one step.
    pub neuron: NeuronModel,
    /// Effect of a spike on the potential.
    pub reset: Reset,
    /// Whether a potential exactly at θ fires.
    pub tie: TieRule,
    /// Correction of single neurons for each sample.
    pub correction: Correction,
    /// Current added at every step: θ/(2·this), independent of T (RTS, Deng & Gu, ICLR 2021).
    pub bias_shift: Option<usize>,
    /// Whether each channel's bias is corrected by the mean missing activation on calibration samples (Li et al., ICML
    /// 2021).
    pub bias_correction: bool,
    /// Rule for max pooling.
    pub pooling: MaxPoolRule,
    /// Rule for the readout.
    pub readout: Readout,
    /// Layers with a manual threshold: name -> θ of the whole layer.
    #[serde(rename = "by-hand")]
    pub manual_thresholds: BTreeMap<String, f32>,
}

/// Rule for thresholds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum ThresholdRule {
    /// The largest activation over the calibration set (Diehl et al. 2015).
    Max,
    /// The p-th percentile (0 to 100) of the activations, zeros included, linear between order statistics
    /// (Rueckauer et al. 2017).
    Percentile(f64),
    /// The λ that a clip or QCFS activation learned (Bu et al. ICLR 2022).
    Learned,
    /// The θ with the least squared error of the T-level staircase, on a grid of 95 between 6 and 100 % of the maximum
    /// (Li et al., ICML 2021).
    Mse,
    /// Local threshold balancing over calibration batches (Bu et al., CVPR 2025).
    Balance(BalancingOptions),
}

/// Number of thresholds in a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Granularity {
    Layer,
    Channel,
}

/// Effect of a spike on the membrane potential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reset {
    /// Subtract θ; the remainder stays (reset by subtraction).
    Soft,
    /// Set to zero; the remainder is lost.
    Hard,
}

/// Whether a potential exactly at the threshold fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TieRule {
    /// `m >= θ` fires (QCFS, SRP, COS, SpikingJelly).
    Ge,
    /// `m > θ` fires (training-free balancing, NIR, Norse, snnTorch).
    Gt,
}

/// Whether `seed` is the default, which files omit.
fn is_zero(seed: &u64) -> bool {
    *seed == 0
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            steps: 32,
            threshold: ThresholdRule::Percentile(99.9),
            granularity: Granularity::Layer,
            v_init: 0.5,
            initial: InitialPotential::Constant,
            seed: 0,
            neuron: NeuronModel::If,
            reset: Reset::Soft,
            tie: TieRule::Ge,
            correction: Correction::None,
            bias_shift: None,
            bias_correction: false,
            pooling: MaxPoolRule::PreNeuron,
            readout: Readout::Sum,
            manual_thresholds: BTreeMap::new(),
        }
    }
}

impl Recipe {
    /// The recipe by which a network that was trained as a spiking one runs as in its training.
    pub fn of_trained(neurons: TrainedNeurons) -> Self {
        Self {
            steps: neurons.steps,
            threshold: ThresholdRule::Learned,
            v_init: 0.0,
            neuron: NeuronModel::with_decay(neurons.decay),
            reset: if neurons.hard_reset { Reset::Hard } else { Reset::Soft },
            ..Self::default()
        }
    }

    /// Whether the spiking network depends on T, so that the first steps of a long run are not a shorter run.
    pub fn depends_on_steps(&self) -> bool {
        self.threshold == ThresholdRule::Mse || self.bias_correction || self.initial == InitialPotential::Calibrated
    }

    /// Checks every option and their combination.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the reason and what to use instead.
    pub fn validate(&self) -> Result<()> {
        self.check_values()?;
        self.check_combination()
    }

    /// Checks every number alone.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the reason.
    pub fn check_values(&self) -> Result<()> {
        let refuse = |reason: String| Err(Error::Invalid(reason));
        if self.steps == 0 || self.steps > MAX_STEPS {
            return refuse(format!("Cannot run T = {} steps: use 1 to {MAX_STEPS}.", self.steps));
        }
        if !(0.0..=1.0).contains(&self.v_init) {
            return refuse(format!(
                "Cannot use v(0) = {} θ: use a fraction of the threshold from 0 to 1.",
                self.v_init
            ));
        }
        if self.seed > MAX_SEED {
            return refuse(format!("Cannot use seed {}: use 0 to {MAX_SEED}.", self.seed));
        }
        if let ThresholdRule::Percentile(p) = self.threshold
            && !(0.0..=100.0).contains(&p)
        {
            return refuse(format!("Cannot use percentile {p}: use 0 to 100."));
        }
        match self.manual_thresholds.iter().find(|(_, theta)| !theta.is_finite() || **theta <= 0.0) {
            Some((layer, theta)) => {
                refuse(format!("Cannot use threshold {theta} of layer '{layer}': it must be above 0."))
            }
            None => Ok(()),
        }
    }

    /// Checks options that exclude each other.
    fn check_combination(&self) -> Result<()> {
        let refuse = |reason: &str| Err(Error::Invalid(reason.into()));
        let corrected = match self.correction {
            Correction::None => None,
            Correction::Srp { .. } => Some("SRP"),
            Correction::Cos { .. } => Some("COS"),
        };
        if self.correction.presteps() > MAX_PRESTEPS {
            return refuse(&format!(
                "Cannot use {} pre-steps: the maximum is {MAX_PRESTEPS}.",
                self.correction.presteps()
            ));
        }
        if let Some(name) = corrected {
            if self.correction.presteps() == 0 {
                return refuse(&format!(
                    "Cannot use {name} without pre-steps. Give one or more, or use correction none."
                ));
            }
            if self.reset == Reset::Hard {
                return refuse(&format!(
                    "Cannot use {name} with a hard reset: it needs the residual potential, which a hard reset \
                     discards. Use reset soft."
                ));
            }
            if self.neuron.decay() < 1.0 {
                return refuse(&format!(
                    "Cannot use {name} with neuron '{}': it reads the residual potential as charge that came in, and a leak \
                     loses some of it. Use neuron if.",
                    self.neuron
                ));
            }
            if self.neuron != NeuronModel::If {
                return refuse(&format!(
                    "Cannot use {name} with neuron '{}': it is defined for at most one spike per step. Use neuron if.",
                    self.neuron
                ));
            }
        }
        if !self.neuron.integrates_and_fires() && self.reset == Reset::Hard {
            return refuse(&format!(
                "Cannot use neuron '{}' with a hard reset: its reset subtracts what it emits. Use reset soft.",
                self.neuron
            ));
        }
        if self.bias_shift.is_some() && self.neuron.decay() < 1.0 {
            return refuse("Cannot use a bias shift with leaky neurons: it is defined without a leak. Use neuron if.");
        }
        if self.bias_shift == Some(0) {
            return refuse(
                "Cannot use bias-shift 0: it is the number of steps N over which θ/2 is added. Use 1 or more.",
            );
        }
        if let Readout::Delayed(Some(delay)) = self.readout
            && delay >= self.steps
        {
            return refuse(&format!(
                "Cannot use a readout delay of {delay}: no step is left of {}. Use a smaller delay.",
                self.steps
            ));
        }
        match self.threshold {
            ThresholdRule::Balance(balance) => balance.check(),
            _ => Ok(()),
        }
    }
}

impl ThresholdRule {
    /// Parses `percentile:99.9` (also `percentile:99.9%`), `max`, `learned`, `mse` or `balance:8x32`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for any other text.
    pub fn parse(text: &str) -> Result<Self> {
        match text.trim() {
            "max" => return Ok(Self::Max),
            "learned" => return Ok(Self::Learned),
            "mse" => return Ok(Self::Mse),
            _ => {}
        }
        if let Some(rest) = text.trim().strip_prefix("balance:") {
            return BalancingOptions::parse(rest).map(Self::Balance);
        }
        let percentile = text.trim().strip_prefix("percentile:").map(|p| p.trim_end_matches('%').trim().parse::<f64>());
        match percentile {
            Some(Ok(p)) if (0.0..=100.0).contains(&p) => Ok(Self::Percentile(p)),
            Some(_) => Err(Error::Invalid(format!(
                "Cannot use threshold '{text}': the percentile must be a number from 0 to 100."
            ))),
            None => Err(Error::Invalid(format!(
                "Cannot use threshold '{text}': unknown word. Use percentile:P, max, learned, mse or \
                 balance:BATCHESxSIZE."
            ))),
        }
    }
}

impl std::fmt::Display for ThresholdRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Max => f.write_str("max"),
            Self::Percentile(p) => write!(f, "percentile:{p}"),
            Self::Learned => f.write_str("learned"),
            Self::Mse => f.write_str("mse"),
            Self::Balance(balance) => write!(f, "balance:{balance}"),
        }
    }
}

impl From<ThresholdRule> for String {
    fn from(rule: ThresholdRule) -> Self {
        rule.to_string()
    }
}

impl TryFrom<String> for ThresholdRule {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_round_trips_through_toml() {
        let mut recipe = Recipe { threshold: ThresholdRule::Percentile(99.5), tie: TieRule::Gt, ..Recipe::default() };
        recipe.manual_thresholds.insert("layer1.act".into(), 1.25);
        let text = toml::to_string(&recipe).unwrap();
        assert_eq!(toml::from_str::<Recipe>(&text).unwrap(), recipe);
    }

    #[test]
    fn invalid_values_are_refused_with_a_reason() {
        let srp = Correction::Srp { steps: 4, rule: Default::default() };
        for (recipe, word) in [
            (Recipe { steps: 0, ..Recipe::default() }, "steps"),
            (Recipe { v_init: 1.5, ..Recipe::default() }, "v(0)"),
            (Recipe { v_init: f32::NAN, ..Recipe::default() }, "v(0)"),
            (Recipe { threshold: ThresholdRule::Percentile(101.0), ..Recipe::default() }, "percentile"),
            (Recipe { correction: srp, reset: Reset::Hard, ..Recipe::default() }, "SRP with a hard reset"),
            (Recipe { correction: srp, neuron: NeuronModel::Group(4), ..Recipe::default() }, "group:4"),
            (Recipe { neuron: NeuronModel::Burst(5), reset: Reset::Hard, ..Recipe::default() }, "hard reset"),
            (Recipe { readout: Readout::Delayed(Some(32)), ..Recipe::default() }, "delay"),
            (
                Recipe { correction: Correction::Srp { steps: 0, rule: Default::default() }, ..Recipe::default() },
                "SRP without pre-steps",
            ),
        ] {
            assert!(recipe.validate().unwrap_err().to_string().contains(word));
        }
        assert!(ThresholdRule::parse("percentile:abc").is_err());
        assert_eq!(ThresholdRule::parse("percentile:99.9%").unwrap(), ThresholdRule::Percentile(99.9));
    }
}
