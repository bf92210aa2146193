//! The fixed form of `summary.json`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::convert::Recipe;
use crate::lab::{Run, Seconds};
use crate::measure::{Categories, LayerReport, Ledger, Residual, Silenced};

/// How many samples' ANN logits the summary shows.
const FIRST_LOGITS: usize = 8;

/// What a run found, as it is written.
#[derive(Debug, Serialize)]
pub struct Summary {
    pub ann_accuracy: Option<f64>,
    /// One per step.
    pub snn_accuracy: Vec<Option<f64>>,
    /// Share of samples where SNN and ANN agree, one per step.
    pub agreement: Vec<f64>,
    pub steps: usize,
    /// Steps spent before the first counted one (τ of SRP, ρ of COS), as the papers count.
    pub presteps: usize,
    /// The same as event-driven hardware would need them: COS calibrates layer after layer.
    pub hardware_presteps: usize,
    /// Mean over the samples of the steps that the answer takes: T unless samples exit early.
    pub mean_steps: f64,
    /// The recipe, as in a recipe file.
    pub recipe: Recipe,
    pub layers: Vec<LayerSummary>,
    /// ANN logits of the first samples.
    pub ann_logits_first: Vec<Vec<f32>>,
    pub seconds: Seconds,
}

/// One spiking layer, as it is written.
#[derive(Debug, Serialize)]
pub struct LayerSummary {
    pub name: String,
    pub shape: Vec<usize>,
    pub theta: Vec<f32>,
    pub spikes: u64,
    pub rate: f64,
    pub mean_activation: f64,
    pub mean_abs_mismatch: f64,
    pub same_input: Categories,
    pub end_to_end: Categories,
    pub offset_spikes: BTreeMap<i32, u64>,
    pub ledger: Ledger,
    pub carried_in: f64,
    pub residual: Residual,
    pub residual_end_to_end: Residual,
    pub silenced: Silenced,
    pub synops: f64,
}

/// The summary of a finished run.
pub fn summary(run: &Run) -> Summary {
    let report = &run.report;
    Summary {
        ann_accuracy: report.ann_accuracy,
        snn_accuracy: report.curve.iter().map(|point| point.accuracy).collect(),
        agreement: report.curve.iter().map(|point| point.agreement).collect(),
        steps: run.steps(),
        presteps: run.settings.recipe.correction.presteps(),
        hardware_presteps: run.settings.recipe.correction.hardware_presteps(run.spiking.layers.len()),
        mean_steps: report.answers.mean_steps,
        recipe: run.settings.recipe.clone(),
        layers: report.layers.iter().map(layer).collect(),
        ann_logits_first: (0..run.ann.samples.min(FIRST_LOGITS)).map(|s| run.ann.logits_of(s).to_vec()).collect(),
        seconds: run.seconds,
    }
}

fn layer(layer: &LayerReport) -> LayerSummary {
    LayerSummary {
        name: layer.name.clone(),
        shape: layer.shape.clone(),
        theta: layer.theta.clone(),
        spikes: layer.spikes,
        rate: layer.rate,
        mean_activation: layer.mean_activation,
        mean_abs_mismatch: layer.mean_abs_mismatch,
        same_input: layer.same_input,
        end_to_end: layer.end_to_end,
        offset_spikes: layer.offset_spikes.clone(),
        ledger: layer.ledger,
        carried_in: layer.carried_in,
        residual: layer.residual,
        residual_end_to_end: layer.residual_end_to_end,
        silenced: layer.silenced,
        synops: layer.synops,
    }
}

/// The run in one sentence.
pub fn sentence(run: &Run) -> String {
    let last = run.report.curve.last();
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let agreement = last.map_or(0.0, |point| point.agreement);
    let accuracy = match (run.report.ann_accuracy, last.and_then(|point| point.accuracy)) {
        (Some(ann), Some(snn)) => format!("ANN {}, SNN {} at T = {}", percent(ann), percent(snn), run.steps()),
        _ => format!("no labels; T = {}", run.steps()),
    };
    format!(
        "{}: {accuracy}; they agree on {} of {} samples",
        run.model.original.name,
        percent(agreement),
        run.ann.samples
    )
}
