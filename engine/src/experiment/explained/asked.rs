//! What is to be explained by which methods, and the maps that come of it.

use serde::{Deserialize, Serialize};

use crate::attack::GradientRule;
use crate::explain::{ExplainOptions, Method};
use crate::{Error, Result};

/// The output whose logit is explained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetChoice {
    /// What the explained network answers for the sample.
    #[default]
    Answer,
    /// The label in the data.
    Label,
    /// The same for all samples.
    Output(usize),
}

impl TargetChoice {
    /// Parses `answer`, `label` or a number.
    ///
    /// # Errors
    /// [`Error::Invalid`] for other text.
    pub fn parse(text: &str) -> Result<Self> {
        match text.trim() {
            "answer" => Ok(Self::Answer),
            "label" => Ok(Self::Label),
            number => number.parse().map(Self::Output).map_err(|_| {
                Error::Invalid(format!("Cannot explain target '{text}'. Use answer, label or the number of a class."))
            }),
        }
    }
}

/// What to explain, and how.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExplanationRequest {
    pub methods: Vec<Method>,
    pub target: TargetChoice,
    /// Gradient of a spiking network.
    pub rule: GradientRule,
    pub options: ExplainOptions,
    /// Samples that stand for nothing, `[B, F]`, scaled; `None`: one of zeros.
    pub baselines: Option<Vec<f32>>,
}

impl ExplanationRequest {
    /// `methods` for the answer, by their default numbers.
    pub fn of(methods: Vec<Method>) -> Self {
        Self {
            methods,
            target: TargetChoice::Answer,
            rule: GradientRule::Rate,
            options: ExplainOptions::default(),
            baselines: None,
        }
    }
}

/// The map of one method for every sample.
#[derive(Clone, Debug, PartialEq)]
pub struct MethodMaps {
    pub method: Method,
    /// `[N, F]`
    pub maps: Vec<f32>,
    pub seconds: f64,
}

/// Maps of several methods.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Explanation {
    /// The explained output of every sample, `[N]`.
    pub targets: Vec<usize>,
    /// What the network answers, `[N]`.
    pub answers: Vec<usize>,
    /// The logit of the target, `[N]`.
    pub logits: Vec<f32>,
    pub maps: Vec<MethodMaps>,
    /// Whether it was cancelled before all methods were done.
    pub stopped: bool,
}
