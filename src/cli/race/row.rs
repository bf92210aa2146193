//! One lane of the race: its runs and the figures of its row.

use serde::Serialize;

use crate::convert::{InitialPotential, NamedRecipe, Recipe, ThresholdRule, unclipped_thresholds};
use crate::experiment::cache::Cache;
use crate::experiment::{Run, Settings, pipeline};
use crate::progress::JobControl;
use crate::{Error, Result};

/// One line of the table.
#[derive(Debug, Serialize)]
pub struct Row {
    pub name: String,
    /// What is other than in the base recipe, in words.
    pub changes: Vec<String>,
    pub recipe: Recipe,
    pub presteps: usize,
    pub hardware_presteps: usize,
    /// Accuracy (agreement with the ANN without labels) at each t.
    pub accuracy: Vec<f64>,
    /// Mean over layers of mean |φ − a| over the layer's mean activation, at T.
    pub mismatch: f64,
    pub synops_per_sample: f64,
    pub recording_bytes: usize,
    /// Simulation at the largest T, with calibration that the recipe needs for itself.
    pub seconds: f64,
}

/// A lane that is through.
pub struct Lane {
    pub row: Row,
    /// Accuracy of the ANN; `None` without labels.
    pub ann: Option<f64>,
    /// Its thresholds do not know where the ANN clips.
    pub unclipped: bool,
}

/// Whether another T makes another network of the recipe, so that one run does not give the accuracy at every t.
fn depends_on_steps(recipe: &Recipe) -> bool {
    recipe.threshold == ThresholdRule::Mse || recipe.bias_correction || recipe.initial == InitialPotential::Calibrated
}

/// Runs the recipe of `entry` over the T of `settings`; accuracies at each t of `at`.
pub fn row(
    entry: &NamedRecipe,
    settings: &Settings,
    at: &[usize],
    cache: &mut Cache,
    control: &JobControl,
) -> Result<Lane> {
    let run_over = |steps: usize, cache: &mut Cache| {
        let mut own = settings.clone();
        own.recipe = Recipe { steps, ..entry.recipe.clone() };
        pipeline::run(&own, cache, control).map_err(|error| match error {
            error @ (Error::Cancelled | Error::Internal(_)) => error,
            other => Error::Invalid(format!("{}: {other}", entry.name)),
        })
    };
    let run = run_over(settings.recipe.steps, cache)?;
    let share = |run: &Run, t: usize| {
        let point = &run.report.curve[t - 1];
        point.accuracy.unwrap_or(point.agreement)
    };
    let mut accuracy = Vec::new();
    for &t in at {
        let shorter = depends_on_steps(&entry.recipe) && t != run.steps();
        accuracy.push(if shorter { share(&*run_over(t, cache)?, t) } else { share(&run, t) });
    }
    let layers = &run.report.layers;
    let relative = layers.iter().map(|l| l.mean_abs_mismatch / l.mean_activation.max(f64::MIN_POSITIVE));
    let row = Row {
        name: entry.name.clone(),
        changes: run.settings.recipe.differences_from(&settings.recipe),
        recipe: run.settings.recipe.clone(),
        presteps: entry.recipe.correction.presteps(),
        hardware_presteps: entry.recipe.correction.hardware_presteps(layers.len()),
        accuracy,
        mismatch: relative.sum::<f64>() / layers.len().max(1) as f64,
        synops_per_sample: layers.iter().map(|l| l.synops).sum::<f64>() / run.report.samples.max(1) as f64,
        recording_bytes: run.recording.bytes(),
        seconds: run.seconds.snn + run.seconds.calibrate,
    };
    let unclipped = unclipped_thresholds(&run.spiking, &run.settings.recipe).is_some();
    Ok(Lane { row, ann: run.report.ann_accuracy, unclipped })
}
