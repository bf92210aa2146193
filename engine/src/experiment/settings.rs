//! Settings of a run: network, data, ranges, scaling, recipe, backend.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::compute::backend::Backend;
use crate::convert::{Recipe, ThresholdRule};
use crate::data::digits::Drawing;
use crate::data::{DataSpec, Scaling};
use crate::network::open::{BUILTIN_PREFIX, split_source};

/// All settings that determine the results of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// A file, or `builtin:NAME`.
    pub model: String,
    /// The output that answers, by its name; `None` means the default of a network with several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// Description of a detector's head, a file; `None` means that of a bundled detector or the one beside the network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// Shape of a sample for a network whose file leaves sizes open; `None` means that of the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Vec<usize>>,
    /// Duration of a time step of a NIR file; `None` means what its metadata say, else its convention.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dt: Option<f64>,
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
    /// Steps at which boxes are scored; none means the powers of two and T.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub score_at: Vec<usize>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            model: "builtin:digits-cnn".into(),
            output: None,
            head: None,
            input: None,
            dt: None,
            data: "builtin:digits".into(),
            calibration_data: None,
            scaling: Scaling::Unit,
            samples: 256..356,
            calibrate: 0..256,
            recipe: Recipe::default(),
            backend: Backend::Flex,
            score_at: Vec::new(),
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
    /// The same settings with absolute paths, so that they mean the same from any folder.
    pub fn with_absolute_paths(&self) -> Self {
        Self {
            model: absolute_model(&self.model),
            head: self.head.as_ref().map(|head| absolute(Path::new(head)).display().to_string()),
            data: absolute_data(&self.data),
            calibration_data: self.calibration_data.as_deref().map(absolute_data),
            ..self.clone()
        }
    }
    /// Whether the network or the data differ from those of `other`. A drawing does not count as data.
    pub fn has_other_sources(&self, other: &Self) -> bool {
        let drawn = Drawing::is_drawing_spec(&self.data) || Drawing::is_drawing_spec(&other.data);
        self.model != other.model || self.data != other.data && !drawn
    }
    /// Replaces the network; what was chosen for the one before does not apply to it.
    pub fn set_model(&mut self, model: String) {
        (self.model, self.output, self.head, self.input, self.dt) = (model, None, None, None, None);
        self.recipe.manual_thresholds.clear();
    }
}

/// The network source `model` with absolute paths; bundled networks stay.
pub fn absolute_model(model: &str) -> String {
    if model.starts_with(BUILTIN_PREFIX) {
        return model.to_owned();
    }
    let (file, architecture) = split_source(model);
    let file = absolute(file).display().to_string();
    architecture.map_or(file.clone(), |architecture| format!("{file}@{}", absolute(architecture).display()))
}

/// The data specification `data` with absolute paths; invalid text stays.
pub fn absolute_data(data: &str) -> String {
    match DataSpec::parse(data) {
        Ok(spec) if spec.paths().iter().any(|path| path.is_relative()) => spec.map_paths(absolute).to_string(),
        _ => data.to_owned(),
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_absolute_and_bundled_names_stay() {
        let settings = Settings {
            model: "models/a.pt@models/a.arch.toml".into(),
            data: "idx:x,y,layout=nhwc".into(),
            calibration_data: Some("npz:/c.npz".into()),
            ..Settings::default()
        };
        let here = std::env::current_dir().unwrap().display().to_string();
        let absolute = settings.with_absolute_paths();
        assert_eq!(absolute.model, format!("{here}/models/a.pt@{here}/models/a.arch.toml"));
        assert_eq!(absolute.data, format!("idx:{here}/x,{here}/y,layout=nhwc"));
        assert_eq!(absolute.calibration_data, settings.calibration_data);
        assert_eq!(absolute.with_absolute_paths(), absolute);
        assert_eq!(Settings::demo().with_absolute_paths(), Settings::demo());
    }
}
