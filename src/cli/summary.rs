//! Format of `summary.json`: the settings of a run and its results, in fixed fields.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use super::scenes::{self, DetectionSummary, SegmentationSummary};
use crate::compute::Backend;
use crate::convert::{Readout, Recipe};
use crate::experiment::options::range_text;
use crate::experiment::{Run, Timings};
use crate::measure::energy::{EnergyConstants, macs};
use crate::measure::{Categories, LayerReport, Ledger, Residual, Silenced};
use crate::task::output_agreement::{BoxCounts, OutputAgreement, OutputKind};

/// Number of samples whose ANN logits are in the summary.
const FIRST_LOGITS: usize = 8;

/// Settings and results of a run, as serialized.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// Version of the program.
    pub version: &'static str,
    /// As for `--model`.
    pub model: String,
    /// The output that answers, as for `--output`; only for networks with several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// As for `--head`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// Shape of a sample, as for `--input`; only for networks that leave it open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Vec<usize>>,
    /// Duration of a time step, as for `--dt`; only for NIR files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dt: Option<f64>,
    /// As for `--data`.
    pub data: String,
    /// As for `--samples`.
    pub samples: String,
    /// As for `--calibrate-data`; without it, as `data`.
    pub calibrate_data: String,
    /// As for `--calibrate`.
    pub calibrate: String,
    /// As for `--scale`.
    pub scale: String,
    pub backend: Backend,
    /// The complete recipe, as in a recipe file.
    pub recipe: Recipe,
    /// Initial time steps that the readout at T excludes, if the recipe has a delayed readout: stated or estimated.
    pub readout_delay: Option<usize>,
    pub ann_accuracy: Option<f64>,
    /// Accuracy per time step, `[T]`.
    pub snn_accuracy: Vec<Option<f64>>,
    /// Fraction of samples where SNN and ANN agree, per time step, `[T]`.
    pub agreement: Vec<f64>,
    /// Agreement of the outputs, for networks that are not classifiers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Outputs>,
    /// Scores of class maps, for segmentation networks on samples with masks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segmentation: Option<SegmentationSummary>,
    /// Scores of boxes, for detectors on samples with boxes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detection: Option<DetectionSummary>,
    pub steps: usize,
    /// Time steps before the first counted one (τ of SRP, ρ of COS), as the papers count them.
    pub presteps: usize,
    /// Pre-steps that event-driven hardware needs: COS calibrates layer after layer.
    pub hardware_presteps: usize,
    /// Mean number of time steps until the prediction: T unless samples exit early.
    pub mean_steps: f64,
    pub layers: Vec<LayerSummary>,
    /// Operations and energy of one sample.
    pub energy: EnergySummary,
    /// ANN logits of the first samples, `[samples][classes]`.
    pub ann_logits_first: Vec<Vec<f32>>,
    pub seconds: Timings,
}

/// Agreement of outputs that are not classes, one number per time step.
#[derive(Debug, Serialize)]
pub struct Outputs {
    /// Mean over the samples of |SNN − ANN| / |ANN|, `[T]`.
    pub error: Vec<f64>,
    /// Box counts over all samples, `[T]`; detectors only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boxes: Option<Vec<BoxCounts>>,
}

/// Mean operations of one sample over all steps, and their energy by the bundled constants.
#[derive(Debug, Serialize)]
pub struct EnergySummary {
    pub ann_macs: f64,
    /// MACs of the SNN for its analog input and for weights that read currents.
    pub snn_macs: f64,
    pub snn_synops: f64,
    pub joules: Vec<Joules>,
}

/// Energy of one sample, in joules.
#[derive(Debug, Serialize)]
pub struct Joules {
    /// Source of the energy of one operation.
    pub constants: Cow<'static, str>,
    pub ann: f64,
    pub snn: f64,
}

/// One spiking layer, as serialized.
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
    /// Errors against ReLU(z).
    pub ledger: Ledger,
    /// Errors against the ANN's own activation, if that is a clip or QCFS.
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
        output: run.network.answers.and_then(|output| run.network.outputs.get(output).cloned()),
        head: settings.head.clone(),
        input: run.network.stated_input.clone(),
        dt: run.network.time_step.map(|step| step.dt),
        data: settings.data.clone(),
        samples: range_text(&settings.samples),
        calibrate_data: settings.calibration_data.as_ref().unwrap_or(&settings.data).clone(),
        calibrate: range_text(&settings.calibrate),
        scale: settings.scaling.to_string(),
        backend: settings.backend,
        recipe: settings.recipe.clone(),
        readout_delay: match (&run.scene, settings.recipe.readout) {
            (Some(_), Readout::Delayed(_)) => Some(run.window.start(run.steps())),
            _ => report.predictions.delay,
        },
        ann_accuracy: report.ann_accuracy,
        snn_accuracy: report.curve.iter().map(|point| point.accuracy).collect(),
        agreement: report.curve.iter().map(|point| point.agreement).collect(),
        outputs: report.output_agreement.as_deref().map(outputs),
        segmentation: scenes::segmentation(run),
        detection: scenes::detection(run),
        steps: run.steps(),
        presteps: settings.recipe.correction.presteps(),
        hardware_presteps: settings.recipe.correction.hardware_presteps(run.spiking.layers.len()),
        mean_steps: report.predictions.mean_steps,
        layers: report.layers.iter().map(layer).collect(),
        energy: energy(run),
        ann_logits_first: (0..run.ann.samples.min(FIRST_LOGITS)).map(|s| run.ann.logits_of(s).to_vec()).collect(),
        seconds: run.seconds,
    }
}

fn outputs(agreement: &OutputAgreement) -> Outputs {
    let boxes = (1..=agreement.steps).map(|t| agreement.boxes(t));
    Outputs {
        error: (1..=agreement.steps).map(|t| agreement.error(t)).collect(),
        boxes: (agreement.of == OutputKind::Boxes).then(|| boxes.collect()),
    }
}

/// Energy of the recorded steps.
fn energy(run: &Run) -> EnergySummary {
    let macs = macs(run.network.program.network());
    let samples = run.settings.samples.len().max(1) as f64;
    let synops = run.report.layers.iter().map(|layer| layer.synops).sum::<f64>() / samples;
    let joules = EnergyConstants::PRESETS.map(|constants| Joules {
        ann: constants.per_mac * macs.total,
        snn: constants.per_mac * macs.snn(run.steps(), &constants) + constants.per_synop * synops,
        constants: constants.name,
    });
    let snn_macs = macs.snn(run.steps(), &EnergyConstants::default());
    EnergySummary { ann_macs: macs.total, snn_macs, snn_synops: synops, joules: joules.into() }
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
    use crate::convert::ThresholdRule;
    use crate::experiment::cache::Cache;
    use crate::experiment::{Settings, pipeline};
    use crate::progress::JobControl;

    #[test]
    fn summary_contains_the_settings_of_the_run() {
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
        let mut energy = json["energy"].clone();
        let spikes =
            crate::measure::energy::operations(run.network.program.network(), &run.network.fan_outs, &run.recording);
        for constants in EnergyConstants::PRESETS.iter().rev() {
            let due = crate::measure::energy::energy(&spikes, constants);
            let stated = energy["joules"].as_array_mut().unwrap().pop().unwrap();
            let close = |name: &str, due: f64| (stated[name].as_f64().unwrap() / due - 1.0).abs() < 1e-9;
            assert!(close("ann", due.ann_joules) && close("snn", due.snn_joules[5]), "{stated} {due:?}");
        }
        for layer in json["layers"].as_array().unwrap() {
            for ledger in ["ledger", "ledger_activation"] {
                let part = |name: &str| layer[ledger][name].as_f64().unwrap();
                let sum = part("propagated") + part("clipping") + part("quantization") + part("unevenness");
                assert!((sum - part("total")).abs() < 1e-9, "{ledger}: {layer}");
            }
        }
    }
}
