//! Rules by which a spiking network, which has no gradient, gets one.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The slope of a spike at potential m, with u = (m − θ)/θ, in units of 1/θ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Surrogate {
    /// max(0, 1 − |u|)
    Triangle,
    /// 4σ(4u)(1 − σ(4u))
    Sigmoid,
    /// 1/(1 + (πu)²)
    Arctan,
}

impl Surrogate {
    /// The slope at `u`.
    pub fn slope(self, u: f32) -> f32 {
        match self {
            Self::Triangle => (1.0 - u.abs()).max(0.0),
            Self::Sigmoid => {
                let share = 1.0 / (1.0 + (-4.0 * u).exp());
                4.0 * share * (1.0 - share)
            }
            Self::Arctan => 1.0 / (1.0 + (std::f32::consts::PI * u).powi(2)),
        }
    }
}

/// One rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GradientRule {
    /// Each neuron is the ramp under its staircase, at its mean input: slope 1 from 0 to saturation. After a hard reset
    /// slope ½ from 0 to 2θ, as the sparse-gradient authors' BPTR.
    Rate,
    /// Every neuron passes the gradient unchanged.
    StraightThrough,
    /// Back through all time steps and resets, with a surrogate for the spike.
    ThroughTime(Surrogate),
    /// The gradient of the ANN at the same image: a transferred attack.
    Ann,
}

impl GradientRule {
    /// The word in results.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::StraightThrough => "straight-through",
            Self::ThroughTime(Surrogate::Triangle) => "surrogate triangle",
            Self::ThroughTime(Surrogate::Sigmoid) => "surrogate sigmoid",
            Self::ThroughTime(Surrogate::Arctan) => "surrogate arctan",
            Self::Ann => "ann",
        }
    }
}

/// The rules by which an attack is run; a sample is robust only if all of them fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GradientChoice {
    #[default]
    Rate,
    /// Triangle, sigmoid and arctan, one after the other.
    Surrogate,
    StraightThrough,
    Ann,
    /// All rules.
    Worst,
}

impl GradientChoice {
    /// All choices with their words.
    pub const ALL: [(&'static str, Self); 5] = [
        ("rate", Self::Rate),
        ("surrogate", Self::Surrogate),
        ("straight-through", Self::StraightThrough),
        ("ann", Self::Ann),
        ("worst", Self::Worst),
    ];

    /// The word on the command line.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, choice)| *choice == self).map_or("", |(word, _)| word)
    }

    /// The rules of the choice.
    pub fn rules(self) -> Vec<GradientRule> {
        let surrogates = [Surrogate::Triangle, Surrogate::Sigmoid, Surrogate::Arctan].map(GradientRule::ThroughTime);
        match self {
            Self::Rate => vec![GradientRule::Rate],
            Self::Surrogate => surrogates.to_vec(),
            Self::StraightThrough => vec![GradientRule::StraightThrough],
            Self::Ann => vec![GradientRule::Ann],
            Self::Worst => {
                let rest = [GradientRule::Ann, GradientRule::Rate, GradientRule::StraightThrough];
                rest.into_iter().chain(surrogates).collect()
            }
        }
    }

    /// Parses the word of the command line.
    ///
    /// # Errors
    /// [`Error::Invalid`] for other text.
    pub fn parse(text: &str) -> Result<Self> {
        Self::ALL.iter().find(|(word, _)| *word == text.trim()).map(|(_, choice)| *choice).ok_or_else(|| {
            let words: Vec<&str> = Self::ALL.iter().map(|(word, _)| *word).collect();
            Error::Invalid(format!("Cannot use gradient '{text}': unknown word. Use one of {}.", words.join(", ")))
        })
    }
}
