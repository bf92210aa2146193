//! Recipe files: a name, an optional note and a recipe, as TOML.
//!
//! Users save, compare and share them. The `recipe` table may omit fields, which then have their defaults.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{BalancingOptions, Correction, InitialPotential, MaxPoolRule, NeuronModel, Recipe, ThresholdRule};
use crate::files::write_bytes;
use crate::{Error, Result};

/// A recipe with its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NamedRecipe {
    pub name: String,
    /// A note by its author.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    #[serde(default)]
    pub recipe: Recipe,
}

impl NamedRecipe {
    /// A recipe with a name and no note.
    pub fn new(name: impl Into<String>, recipe: Recipe) -> Self {
        Self { name: name.into(), note: String::new(), recipe }
    }

    /// Reads a recipe file.
    ///
    /// # Errors
    /// [`Error::Io`] or an error with file and line if it cannot be read; an error if the recipe is not valid.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
        let named: Self = toml::from_str(&text).map_err(|e| Error::toml(path, &text, &e))?;
        named.recipe.validate().map_err(|e| Error::file(path, "recipe", e.to_string()))?;
        Ok(named)
    }

    /// Writes a recipe file atomically.
    ///
    /// # Errors
    /// An error with the path if the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let text = toml::to_string_pretty(self).map_err(|e| Error::Internal(e.to_string()))?;
        write_bytes(path, text.as_bytes())
    }
}

impl Recipe {
    /// The published conversion methods with the thresholds of `base`, each as its authors use it, with `steps`
    /// pre-steps for those that need them.
    pub fn published_methods(base: &Recipe, steps: usize) -> Vec<NamedRecipe> {
        let plain = Recipe {
            correction: Correction::None,
            neuron: NeuronModel::If,
            initial: InitialPotential::Constant,
            v_init: 0.5,
            reset: super::Reset::Soft,
            bias_shift: None,
            bias_correction: false,
            pooling: MaxPoolRule::PreNeuron,
            ..base.clone()
        };
        let balance = ThresholdRule::Balance(BalancingOptions::default());
        let of = |name: &str, recipe: Recipe| NamedRecipe::new(name, recipe);
        let srp = Correction::Srp { steps, rule: Default::default() };
        let cos = |passes| Correction::Cos { steps, passes, rule: Default::default() };
        vec![
            of("v(0) = 0", Recipe { v_init: 0.0, ..plain.clone() }),
            of("plain", plain.clone()),
            of("SRP", Recipe { correction: srp, ..plain.clone() }),
            of("COS", Recipe { correction: cos(1), ..plain.clone() }),
            of("COS x3", Recipe { correction: cos(3), ..plain.clone() }),
            of(
                "max-norm",
                Recipe { threshold: ThresholdRule::Max, manual_thresholds: Default::default(), ..plain.clone() },
            ),
            of(
                "percentile 99.9",
                Recipe {
                    threshold: ThresholdRule::Percentile(99.9),
                    manual_thresholds: Default::default(),
                    ..plain.clone()
                },
            ),
            of(
                "least MSE",
                Recipe { threshold: ThresholdRule::Mse, manual_thresholds: Default::default(), ..plain.clone() },
            ),
            of(
                "balanced",
                Recipe {
                    threshold: balance,
                    granularity: super::Granularity::Channel,
                    tie: super::TieRule::Gt,
                    manual_thresholds: Default::default(),
                    ..plain.clone()
                },
            ),
            of("bias corrected", Recipe { bias_correction: true, ..plain.clone() }),
            of("v(0) calibrated", Recipe { initial: InitialPotential::Calibrated, ..plain.clone() }),
            of("RTS shift", Recipe { v_init: 0.0, bias_shift: Some(32), ..plain.clone() }),
            of("hard reset", Recipe { reset: super::Reset::Hard, ..plain.clone() }),
            of("signed", Recipe { v_init: 0.0, neuron: NeuronModel::Signed, ..plain.clone() }),
            of("group of 4", Recipe { neuron: NeuronModel::Group(4), ..plain.clone() }),
            of("lateral pooling", Recipe { pooling: MaxPoolRule::Lateral, ..plain.clone() }),
            of(
                "burst + LIPooling",
                Recipe { v_init: 0.0, neuron: NeuronModel::Burst(5), pooling: MaxPoolRule::Lateral, ..plain },
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_published_method_is_valid_and_round_trips_through_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("recipe.toml");
        for method in Recipe::published_methods(&Recipe::default(), 4) {
            method.recipe.validate().unwrap();
            method.save(&path).unwrap();
            assert_eq!(NamedRecipe::load(&path).unwrap(), method);
        }
    }

    #[test]
    fn example_recipes_load() {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join("examples/recipes");
        let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 3);
        files.iter().for_each(|file| _ = NamedRecipe::load(file).unwrap());
    }

    #[test]
    fn errors_name_the_file_and_the_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("recipe.toml");
        std::fs::write(&path, "name = 'x'\n[recipe]\ncorrection = 'fix'\n").unwrap();
        let text = NamedRecipe::load(&path).unwrap_err().to_string();
        assert!(text.contains("recipe.toml") && text.contains("line 3"), "{text}");
        std::fs::write(&path, "name = 'x'\n[recipe]\ncorrection = 'srp:4'\nreset = 'hard'\n").unwrap();
        assert!(NamedRecipe::load(&path).unwrap_err().to_string().contains("SRP with a hard reset"));
    }
}
