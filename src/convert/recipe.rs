//! The recipe: everything a person can turn about a conversion. One plain struct, small enough to read aloud.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The longest simulation that is offered, in time-steps.
pub const MAX_STEPS: usize = 4096;

/// How an ANN becomes an SNN and for how long that runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Recipe {
    /// Time-steps T.
    pub steps: usize,
    /// Where thresholds come from.
    pub threshold: ThresholdRule,
    /// One threshold per layer, or per channel.
    pub granularity: Granularity,
    /// v(0) as a fraction of θ, 0 to 1. One half is optimal under uniform activations (OPI, Bu et al. AAAI 2022).
    pub v_init: f32,
    /// What a spike does to the potential.
    pub reset: Reset,
    /// Whether a potential exactly at θ fires.
    pub tie: Tie,
    /// Layers whose threshold was set by hand: name -> θ of the whole layer.
    pub by_hand: BTreeMap<String, f32>,
}

/// Where thresholds come from.
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
}

/// How many thresholds a layer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Granularity {
    Layer,
    Channel,
}

/// What a spike does to the membrane potential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reset {
    /// Subtract θ; the rest stays (reset by subtraction).
    Soft,
    /// Back to zero; the rest is lost.
    Hard,
}

/// Whether a potential exactly at the threshold fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tie {
    /// `m >= θ` fires (QCFS, SRP, COS, SpikingJelly).
    Ge,
    /// `m > θ` fires (training-free balancing, NIR, Norse, snnTorch).
    Gt,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            steps: 32,
            threshold: ThresholdRule::Percentile(99.9),
            granularity: Granularity::Layer,
            v_init: 0.5,
            reset: Reset::Soft,
            tie: Tie::Ge,
            by_hand: BTreeMap::new(),
        }
    }
}

impl Recipe {
    /// Refuses values that make no sense, with the reason.
    pub fn check(&self) -> Result<()> {
        let refuse = |reason: String| Err(Error::Invalid(reason));
        if self.steps == 0 || self.steps > MAX_STEPS {
            return refuse(format!("steps is {}; it must be 1 to {MAX_STEPS}", self.steps));
        }
        if !(0.0..=1.0).contains(&self.v_init) {
            return refuse(format!("v-init is {}; it is a fraction of the threshold, 0 to 1", self.v_init));
        }
        if let ThresholdRule::Percentile(p) = self.threshold
            && !(0.0..=100.0).contains(&p)
        {
            return refuse(format!("percentile is {p}; it must be 0 to 100"));
        }
        match self.by_hand.iter().find(|(_, theta)| !theta.is_finite() || **theta <= 0.0) {
            Some((layer, theta)) => refuse(format!("the threshold of layer '{layer}' is {theta}; it must be above 0")),
            None => Ok(()),
        }
    }
}

impl ThresholdRule {
    /// Reads `percentile:99.9` (also `percentile:99.9%`), `max` or `learned`.
    pub fn parse(text: &str) -> Result<Self> {
        match text.trim() {
            "max" => return Ok(Self::Max),
            "learned" => return Ok(Self::Learned),
            _ => {}
        }
        let percentile = text.trim().strip_prefix("percentile:").map(|p| p.trim_end_matches('%').trim().parse::<f64>());
        match percentile {
            Some(Ok(p)) if (0.0..=100.0).contains(&p) => Ok(Self::Percentile(p)),
            Some(_) => {
                Err(Error::Invalid(format!("threshold '{text}': the percentile must be a number from 0 to 100")))
            }
            None => Err(Error::Invalid(format!("threshold '{text}' is not known; use percentile:P, max or learned"))),
        }
    }
}

impl std::fmt::Display for ThresholdRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Max => f.write_str("max"),
            Self::Percentile(p) => write!(f, "percentile:{p}"),
            Self::Learned => f.write_str("learned"),
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
    fn a_recipe_survives_toml() {
        let mut recipe = Recipe { threshold: ThresholdRule::Percentile(99.5), tie: Tie::Gt, ..Recipe::default() };
        recipe.by_hand.insert("layer1.act".into(), 1.25);
        let text = toml::to_string(&recipe).unwrap();
        assert_eq!(toml::from_str::<Recipe>(&text).unwrap(), recipe);
    }

    #[test]
    fn senseless_values_are_refused_with_the_reason() {
        for (recipe, word) in [
            (Recipe { steps: 0, ..Recipe::default() }, "steps"),
            (Recipe { v_init: 1.5, ..Recipe::default() }, "v-init"),
            (Recipe { v_init: f32::NAN, ..Recipe::default() }, "v-init"),
            (Recipe { threshold: ThresholdRule::Percentile(101.0), ..Recipe::default() }, "percentile"),
        ] {
            assert!(recipe.check().unwrap_err().to_string().contains(word));
        }
        assert!(ThresholdRule::parse("percentile:abc").is_err());
        assert_eq!(ThresholdRule::parse("percentile:99.9%").unwrap(), ThresholdRule::Percentile(99.9));
    }
}
