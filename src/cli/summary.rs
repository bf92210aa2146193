//! The form of `summary.json`: fixed fields with what was found, and beside them what was run.

use std::collections::BTreeMap;

use serde::Serialize;

use super::range_text;
use crate::compute::Backend;
use crate::convert::Recipe;
use crate::experiment::{Run, Timings};
use crate::measure::{Categories, LayerReport, Ledger, Residual, Silenced};
use crate::task::output_agreement::{BoxCounts, OutputAgreement, OutputKind};

/// How many samples' ANN logits the summary shows.
const FIRST_LOGITS: usize = 8;

/// What a run found, as it is written.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// Of the program.
    pub version: &'static str,
    /// As `--model` has it.
    pub model: String,
    /// As `--data` has it.
    pub data: String,
    /// As `--samples` has it.
    pub samples: String,
    /// As `--calibrate-data` has it, or the data themselves.
    pub calibrate_data: String,
    /// As `--calibrate` has it.
    pub calibrate: String,
    /// As `--scale` has it.
    pub scale: String,
    pub backend: Backend,
    /// The recipe, whole, as in a recipe file.
    pub recipe: Recipe,
    /// Steps at the start that the answer at T leaves out, where the recipe reads after a delay: its own or the estimate.
    pub readout_delay: Option<usize>,
    pub ann_accuracy: Option<f64>,
    /// One per step.
    pub snn_accuracy: Vec<Option<f64>>,
    /// Share of samples where SNN and ANN agree, one per step.
    pub agreement: Vec<f64>,
    /// What both networks answer, where that is no class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Outputs>,
    pub steps: usize,
    /// Steps spent before the first counted one (τ of SRP, ρ of COS), as the papers count.
    pub presteps: usize,
    /// The same as event-driven hardware would need them: COS calibrates layer after layer.
    pub hardware_presteps: usize,
    /// Mean over the samples of the steps that the answer takes: T unless samples exit early.
    pub mean_steps: f64,
    pub layers: Vec<LayerSummary>,
    /// ANN logits of the first samples.
    pub ann_logits_first: Vec<Vec<f32>>,
    pub seconds: Timings,
}

/// Answers that are no classes, one number per step.
#[derive(Debug, Serialize)]
pub struct Outputs {
    /// Mean over the samples of |SNN − ANN| / |ANN|.
    pub error: Vec<f64>,
    /// Boxes in all samples, of a detector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boxes: Option<Vec<BoxCounts>>,
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
    /// Against ReLU(z).
    pub ledger: Ledger,
    /// Against the ANN's own activation, where that is a clip or QCFS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger_activation: Option<Ledger>,
    pub carried_in: f64,
    pub residual: Residual,
    pub residual_end_to_end: Residual,
    pub silenced: Silenced,
    pub synops: f64,
}

/// The summary of a finished run.
pub fn summary(run: &Run) -> Summary {
    let report = &run.report;
    let settings = &run.settings;
    Summary {
        version: env!("CARGO_PKG_VERSION"),
        model: settings.model.clone(),
        data: settings.data.clone(),
        samples: range_text(&settings.samples),
        calibrate_data: settings.calibration_data.as_ref().unwrap_or(&settings.data).clone(),
        calibrate: range_text(&settings.calibrate),
        scale: settings.scaling.to_string(),
        backend: settings.backend,
        recipe: settings.recipe.clone(),
        readout_delay: report.predictions.delay,
        ann_accuracy: report.ann_accuracy,
        snn_accuracy: report.curve.iter().map(|point| point.accuracy).collect(),
        agreement: report.curve.iter().map(|point| point.agreement).collect(),
        outputs: report.output_agreement.as_deref().map(outputs),
        steps: run.steps(),
        presteps: settings.recipe.correction.presteps(),
        hardware_presteps: settings.recipe.correction.hardware_presteps(run.spiking.layers.len()),
        mean_steps: report.predictions.mean_steps,
        layers: report.layers.iter().map(layer).collect(),
        ann_logits_first: (0..run.ann.samples.min(FIRST_LOGITS)).map(|s| run.ann.logits_of(s).to_vec()).collect(),
        seconds: run.seconds,
    }
}

fn outputs(likeness: &OutputAgreement) -> Outputs {
    let boxes = (1..=likeness.steps).map(|t| likeness.boxes(t));
    Outputs {
        error: (1..=likeness.steps).map(|t| likeness.error(t)).collect(),
        boxes: (likeness.of == OutputKind::Boxes).then(|| boxes.collect()),
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
        ledger_activation: layer.ledger_activation,
        carried_in: layer.propagated_by_rerun,
        residual: layer.residual,
        residual_end_to_end: layer.residual_end_to_end,
        silenced: layer.silenced,
        synops: layer.synops,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::{Readout, ThresholdRule};
    use crate::experiment::cache::Cache;
    use crate::experiment::{Settings, pipeline};
    use crate::progress::JobControl;

    #[test]
    fn a_summary_says_what_was_run() {
        let mut settings = Settings {
            model: "builtin:digits-resnet".into(),
            samples: 256..264,
            calibrate: 0..32,
            ..Settings::default()
        };
        settings.recipe.steps = 6;
        settings.recipe.threshold = ThresholdRule::Learned;
        settings.recipe.readout = Readout::Delayed(Some(2));
        let run = pipeline::run(&settings, &mut Cache::default(), &JobControl::default()).unwrap();
        let json = serde_json::to_value(summary(&run)).unwrap();
        for (field, value) in [
            ("version", env!("CARGO_PKG_VERSION")),
            ("model", "builtin:digits-resnet"),
            ("data", "builtin:digits"),
            ("samples", "256..264"),
            ("calibrate_data", "builtin:digits"),
            ("calibrate", "0..32"),
            ("scale", "0..1"),
            ("backend", "flex"),
        ] {
            assert_eq!(json[field], value, "{field}");
        }
        assert_eq!((&json["readout_delay"], &json["recipe"]["threshold"]), (&2.into(), &"learned".into()));
        let recipe: Recipe = serde_json::from_value(json["recipe"].clone()).unwrap();
        assert_eq!(recipe, settings.recipe);
        for layer in json["layers"].as_array().unwrap() {
            for ledger in ["ledger", "ledger_activation"] {
                let part = |name: &str| layer[ledger][name].as_f64().unwrap();
                let sum = part("propagated") + part("clipping") + part("quantization") + part("unevenness");
                assert!((sum - part("total")).abs() < 1e-9, "{ledger}: {layer}");
            }
        }
    }
}
