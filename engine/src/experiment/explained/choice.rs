//! What the *Attribution* pane shows: methods, target, pictures, sign and opacity.

use serde::{Deserialize, Serialize};

use super::asked::TargetChoice;
use crate::attack::GradientRule;
use crate::experiment::attacked::Attacked;
use crate::explain::Method;

/// Which part of a signed map is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MapSign {
    #[default]
    Both,
    /// What speaks for the target.
    Positive,
    /// What speaks against it.
    Negative,
}

impl MapSign {
    /// The part of `value` that is drawn.
    pub fn part(self, value: f32) -> f32 {
        match self {
            Self::Both => value,
            Self::Positive => value.max(0.0),
            Self::Negative => value.min(0.0),
        }
    }
}

/// What the pane shows; saved with the view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct AttributionChoice {
    /// The methods whose maps are shown, in this order.
    pub methods: Vec<Method>,
    pub target: TargetChoice,
    /// Gradient of the spiking network.
    pub rule: GradientRule,
    /// The trojan whose test pictures are explained in place of the run's samples, by its name.
    pub trojan: Option<String>,
    pub sign: MapSign,
    /// Opacity of a map over its picture, 0 to 1.
    pub opacity: f32,
    /// Whether maps are made while the pane is hidden, for facts of a lesson.
    pub always: bool,
}

impl Default for AttributionChoice {
    fn default() -> Self {
        Self {
            methods: vec![Method::Saliency, Method::Lrp, Method::Occlusion, Method::SpikeCount],
            target: TargetChoice::Answer,
            rule: GradientRule::Rate,
            trojan: None,
            sign: MapSign::Both,
            opacity: 0.8,
            always: false,
        }
    }
}

/// One of the two networks: the ANN, or the spiking network after some steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Side {
    pub on: Attacked,
    /// Time steps; 0 for the ANN.
    pub steps: usize,
}

impl Side {
    /// The ANN.
    pub const ANN: Self = Self { on: Attacked::Ann, steps: 0 };

    /// The spiking network after `steps` steps.
    pub fn snn(steps: usize) -> Self {
        Self { on: Attacked::Snn, steps }
    }
}

/// What all maps of a page have in common; a run, beside it, has many pages.
#[derive(Clone, Debug, PartialEq)]
pub struct PageKey {
    /// Index of the sample within the run, or of the picture with the trigger.
    pub sample: usize,
    pub target: TargetChoice,
    pub rule: GradientRule,
    pub trojan: Option<String>,
}

impl AttributionChoice {
    /// The page of sample `sample`.
    pub fn page(&self, sample: usize) -> PageKey {
        PageKey { sample, target: self.target, rule: self.rule, trojan: self.trojan.clone() }
    }
}
