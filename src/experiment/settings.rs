//! Settings of a run: network, data, ranges, scaling, recipe, backend.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::compute::backend::Backend;
use crate::convert::{Recipe, ThresholdRule};
use crate::data::Scaling;
use crate::data::digits::Drawing;

/// All settings that determine the results of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// A file, or `builtin:NAME`.
    pub model: String,
    /// The output that answers, by its name; `None` means the default of a network with several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// Shape of a sample for a network whose file leaves sizes open; `None` means that of the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Vec<usize>>,
    /// A data specification: `idx:…`, `cifar10:…`, `images:…`, `npz:…`, `builtin:…`.
    pub data: String,
    /// Separate data set for calibration; `None` means `data`.
    pub calibration_data: Option<String>,
    pub scaling: Scaling,
    /// Samples of the run, by their index in the data set.
    pub samples: Range<usize>,
    /// Samples on which the thresholds are calibrated.
    pub calibrate: Range<usize>,
    pub recipe: Recipe,
    pub backend: Backend,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            model: "builtin:digits-cnn".into(),
            output: None,
            input: None,
            data: "builtin:digits".into(),
            calibration_data: None,
            scaling: Scaling::Unit,
            samples: 256..356,
            calibrate: 0..256,
            recipe: Recipe::default(),
            backend: Backend::Flex,
        }
    }
}

impl Settings {
    /// The same settings with another recipe and the same T.
    pub fn with_recipe(&self, recipe: Recipe) -> Self {
        let steps = self.recipe.steps;
        Self { recipe: Recipe { steps, ..recipe }, ..self.clone() }
    }
    /// Settings of the first start: the bundled network with large conversion errors at few steps.
    pub fn demo() -> Self {
        let recipe = Recipe { steps: 16, threshold: ThresholdRule::Learned, ..Recipe::default() };
        Self { model: "builtin:digits-resnet".into(), recipe, ..Self::default() }
    }
    /// Whether the network or the data differ from those of `other`. A drawing does not count as data.
    pub fn has_other_sources(&self, other: &Self) -> bool {
        let drawn = Drawing::is_drawing_spec(&self.data) || Drawing::is_drawing_spec(&other.data);
        self.model != other.model || self.data != other.data && !drawn
    }
    /// Replaces the network; what was chosen for the one before does not apply to it.
    pub fn set_model(&mut self, model: String) {
        (self.model, self.output, self.input) = (model, None, None);
        self.recipe.manual_thresholds.clear();
    }
}
