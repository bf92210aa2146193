//! Keys of cached results: the settings that each of them depends on.

use std::ops::Range;

use crate::compute::backend::Backend;
use crate::convert::{BalancingOptions, Granularity, MaxPoolRule, Recipe};
use crate::data::{InputForm, Scaling};
use crate::experiment::settings::Settings;
use crate::network::left_open::InputSizes;

/// Key of a loaded data set.
#[derive(Clone, Debug, PartialEq)]
pub struct SamplesKey {
    pub spec: String,
    /// The network's input, to which samples are fitted.
    pub input: InputForm,
    /// The network's classes, against which labels and folder names are checked.
    pub classes: usize,
    pub class_names: Vec<String>,
    /// Whether the outputs are class scores whatever the labels are.
    pub is_classifier: bool,
}

/// Key of an opened network: its source, the chosen output and input shape, backend, and max-pool rule.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelKey {
    pub source: String,
    /// The chosen output; `None` for the default.
    pub output: Option<String>,
    /// The chosen description of a detector's head.
    pub head: Option<String>,
    pub input: InputSizes,
    /// The stated duration of a time step.
    pub dt: Option<f64>,
    pub backend: Backend,
    pub pooling: MaxPoolRule,
}

/// Key of a calibration.
#[derive(Clone, Debug, PartialEq)]
pub struct CalibrationKey {
    pub(super) model: String,
    output: Option<String>,
    head: Option<String>,
    input: Vec<usize>,
    dt: Option<f64>,
    backend: Backend,
    pooling: MaxPoolRule,
    pub(super) data: String,
    scaling: Scaling,
    range: Range<usize>,
}

/// Key of the ANN's values on the samples of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct AnnKey {
    pub(super) model: String,
    output: Option<String>,
    head: Option<String>,
    /// As stated; without a statement the data determine it.
    input: Option<Vec<usize>>,
    dt: Option<f64>,
    backend: Backend,
    pooling: MaxPoolRule,
    pub(super) data: String,
    scaling: Scaling,
    range: Range<usize>,
}

impl CalibrationKey {
    /// The part of `settings` that a calibration depends on, with the input shape of their network.
    pub fn new(settings: &Settings, input: &[usize]) -> Self {
        let data = settings.calibration_data.as_ref().unwrap_or(&settings.data).clone();
        Self {
            model: settings.model.clone(),
            output: settings.output.clone(),
            head: settings.head.clone(),
            input: input.to_vec(),
            dt: settings.dt,
            backend: settings.backend,
            pooling: settings.recipe.pooling,
            data,
            scaling: settings.scaling.clone(),
            range: settings.calibrate.clone(),
        }
    }
}

impl AnnKey {
    /// The part of `settings` that the ANN's values depend on.
    pub fn new(settings: &Settings) -> Self {
        Self {
            model: settings.model.clone(),
            output: settings.output.clone(),
            head: settings.head.clone(),
            input: settings.input.clone(),
            dt: settings.dt,
            backend: settings.backend,
            pooling: settings.recipe.pooling,
            data: settings.data.clone(),
            scaling: settings.scaling.clone(),
            range: settings.samples.clone(),
        }
    }
    /// Whether `self` has the samples of `other` and more after them, and is otherwise equal.
    pub(super) fn extends(&self, other: &Self) -> bool {
        self.range.start == other.range.start
            && self.range.end > other.range.end
            && Self { range: other.range.clone(), ..self.clone() } == *other
    }
}

/// Key of balanced thresholds.
pub type BalanceKey = (CalibrationKey, BalancingOptions, Granularity);
/// Key of a network with light calibration: its biases and initial potentials.
pub type TuneKey = (CalibrationKey, Recipe);
