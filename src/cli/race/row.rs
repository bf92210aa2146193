//! One recipe of a race: its runs, and the figures of its table row.

use serde::Serialize;

use crate::convert::{NamedRecipe, Recipe, unclipped_thresholds};
use crate::experiment::cache::Cache;
use crate::experiment::{Run, Settings, pipeline};
use crate::progress::JobControl;
use crate::task::OutputKind;
use crate::{Error, Result};

/// One row of the table.
#[derive(Debug, Serialize)]
pub struct Row {
    pub name: String,
    /// Differences from the base recipe, as texts.
    pub changes: Vec<String>,
    pub recipe: Recipe,
    pub presteps: usize,
    pub hardware_presteps: usize,
    /// Accuracy (agreement with the ANN without labels) at each t.
    pub accuracy: Vec<f64>,
    /// Mean over layers of (mean |φ − a| / mean activation of the layer), at T.
    pub mismatch: f64,
    pub synops_per_sample: f64,
    pub recording_bytes: usize,
    /// Time for the simulation at the largest T and for calibration that the recipe itself needs.
    pub seconds: f64,
}

/// The result of one recipe.
pub struct RaceResult {
    pub row: Row,
    /// Accuracy of the ANN; `None` without labels.
    pub ann: Option<f64>,
    /// Kind of outputs that are no classes.
    pub outputs: Option<OutputKind>,
    /// Whether its thresholds ignore the learned clipping of the ANN.
    pub unclipped: bool,
}

/// Runs the recipe of `entry` over the T of `settings`, with accuracies at each t of `at`.
///
/// # Errors
/// Those of the run, with the recipe's name; [`Error::Cancelled`] when `control` is cancelled.
pub fn row(
    entry: &NamedRecipe,
    settings: &Settings,
    at: &[usize],
    cache: &mut Cache,
    control: &JobControl,
) -> Result<RaceResult> {
    let run_over = |steps: usize, cache: &mut Cache| {
        let mut run_settings = settings.clone();
        run_settings.recipe = Recipe { steps, ..entry.recipe.clone() };
        pipeline::run(&run_settings, cache, control).map_err(|error| match error {
            error @ (Error::Cancelled | Error::Internal(_)) => error,
            other => Error::Invalid(format!("{}: {other}", entry.name)),
        })
    };
    let run = run_over(settings.recipe.steps, cache)?;
    let accuracy_at = |run: &Run, t: usize| {
        let point = &run.report.curve[t - 1];
        point.accuracy.unwrap_or(point.agreement)
    };
    let mut accuracy = Vec::new();
    for &t in at {
        let shorter = entry.recipe.depends_on_steps() && t != run.steps();
        accuracy.push(if shorter { accuracy_at(&*run_over(t, cache)?, t) } else { accuracy_at(&run, t) });
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
    let outputs = run.output_agreement.as_ref().map(|agreement| agreement.of);
    Ok(RaceResult { row, ann: run.report.ann_accuracy, outputs, unclipped })
}
