//! Reference cases: an independent float64 simulation of three networks on MNIST.
//!
//! Limits: spike counts equal for at least 99.8 % of the neurons of every layer; thresholds within 1e-5 relative;
//! accuracies within one point; rates, mismatches and ledger terms within 1 % of the layer's mean activation.

mod common;

use std::path::Path;

use serde_json::Value;
use spikescope::compute::Backend;
use spikescope::convert::{BalancingOptions, Correction, Granularity, SrpRule, ThresholdRule, TieRule};
use spikescope::experiment::cache::Cache;
use spikescope::experiment::{Run, Settings, pipeline};
use spikescope::measure::{Categories, Ledger};
use spikescope::progress::JobControl;

/// The settings of a case, or `None` for a case with unknown options.
fn settings_of(case: &Value, golden: &Path, mnist: &Path) -> Option<Settings> {
    let recipe = &case["recipe"];
    let mut settings = Settings {
        model: golden.join(case["model"].as_str()?).display().to_string(),
        data: format!(
            "idx:{},{}",
            mnist.join("t10k-images-idx3-ubyte.gz").display(),
            mnist.join("t10k-labels-idx1-ubyte.gz").display()
        ),
        calibrate: 0..256,
        samples: 8000..8200,
        ..Settings::default()
    };
    settings.recipe.steps = case["T"].as_u64()? as usize;
    settings.recipe.v_init = recipe["v_init"].as_f64()? as f32;
    settings.recipe.threshold = match recipe["threshold"].as_str()? {
        "learned" => ThresholdRule::Learned,
        "max" => ThresholdRule::Max,
        // "balance: 8 batches of 32, step 1.0, theta starts at 0, update first and clip with the new theta"
        text if text.starts_with("balance") => {
            let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok());
            ThresholdRule::Balance(BalancingOptions {
                batches: numbers.next()?,
                size: numbers.next()?,
                ..BalancingOptions::default()
            })
        }
        text => match text.trim_start_matches("percentile").trim().parse() {
            Ok(p) => ThresholdRule::Percentile(p),
            Err(_) => return None,
        },
    };
    settings.recipe.granularity =
        if recipe["granularity"] == "channel" { Granularity::Channel } else { Granularity::Layer };
    let correction = &recipe["correction"];
    let steps = |name: &str| correction[name].as_u64().map(|n| n as usize);
    settings.recipe.correction = match correction["kind"].as_str() {
        None => Correction::None,
        Some("srp") => Correction::Srp { steps: steps("tau")?, rule: SrpRule::Code },
        Some("cos") => {
            Correction::Cos { steps: steps("rho")?, passes: steps("passes").unwrap_or(1), rule: Default::default() }
        }
        Some(_) => return None,
    };
    settings.recipe.tie = if recipe["tie"] == ">" { TieRule::Gt } else { TieRule::Ge };
    Some(settings)
}

/// The values of a case that are outside the limits, as text.
fn differences(name: &str, case: &Value, run: &Run, counts: &Path) -> Vec<String> {
    let mut wrong = Vec::new();
    let number = |v: &Value| v.as_f64().unwrap_or(f64::NAN);
    let mut near = |what: String, ours: f64, theirs: f64, tolerance: f64| {
        let close = (ours - theirs).abs() <= tolerance;
        if !close {
            wrong.push(format!("{what}: {ours} against {theirs}"));
        }
    };
    near("ANN accuracy".into(), run.report.ann_accuracy.unwrap(), number(&case["acc_ann"]), 0.0101);
    for (point, theirs) in run.report.curve.iter().zip(case["acc_snn"].as_array().unwrap()) {
        near(format!("accuracy at t = {}", point.t), point.accuracy.unwrap(), number(theirs), 0.0101);
    }
    let layers = case["layers"].as_array().unwrap();
    near("layers".into(), run.report.layers.len() as f64, layers.len() as f64, 0.0);
    for (k, (ours, theirs)) in run.report.layers.iter().zip(layers).enumerate() {
        let at = |what: &str| format!("layer {k} {what}");
        for (a, b) in ours.theta.iter().zip(case["theta"][k].as_array().unwrap()) {
            near(at("theta"), f64::from(*a), number(b), 1e-5 * number(b).abs());
        }
        let total = ours.same_input.total() as f64;
        let scale = 0.01 * ours.mean_activation;
        near(at("spikes"), ours.spikes as f64, number(&theirs["spikes"]), 0.002 * total.max(number(&theirs["spikes"])));
        let mean_theta = ours.theta.iter().map(|t| f64::from(*t)).sum::<f64>() / ours.theta.len() as f64;
        near(at("rate"), ours.rate * mean_theta, number(&theirs["rate"]) * mean_theta, scale);
        near(at("mismatch"), ours.mean_abs_mismatch, number(&theirs["mean_abs_mismatch"]), scale);
        let Ledger { propagated, clipping, quantization, unevenness, pooling, total: sum } = ours.ledger;
        // The reference has one part for what earlier layers and the layer's own max pool add.
        let propagated = propagated + pooling;
        let parts = [("propagated", propagated), ("clipping", clipping), ("quantization", quantization)];
        for (part, value) in parts.into_iter().chain([("unevenness", unevenness), ("total", sum)]) {
            near(at(part), value, number(&theirs["ledger"][part]), scale);
        }
        near(at("ledger sum"), ours.ledger.parts().iter().sum(), sum, 1e-9);
        for (kind, ours) in [("same_input", ours.same_input), ("end_to_end", ours.end_to_end)] {
            let Categories { c0, c1, c2, c3, c4 } = ours;
            for (c, ours) in ["C0", "C1", "C2", "C3", "C4"].into_iter().zip([c0, c1, c2, c3, c4]) {
                near(at(&format!("{kind} {c}")), ours as f64, number(&theirs[kind][c]), 0.002 * total);
            }
        }
        for (psi, count) in theirs["offset_spikes"].as_object().unwrap() {
            let ours = ours.offset_spikes.get(&psi.parse().unwrap()).copied().unwrap_or(0);
            near(at(&format!("psi {psi}")), ours as f64, number(count), 0.002 * total);
        }
    }
    wrong.extend(count_differences(name, run, counts));
    wrong
}

/// Layers whose spike counts of the first eight samples differ in more than 0.2 % of the neurons.
fn count_differences(name: &str, run: &Run, counts: &Path) -> Vec<String> {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(counts).unwrap()).unwrap();
    let mut wrong = Vec::new();
    for (k, layer) in run.recording.layers.iter().enumerate() {
        let Ok(file) = archive.by_name(&format!("{name}/layer{k}.npy")) else {
            wrong.push(format!("layer {k}: no reference counts"));
            continue;
        };
        let theirs: Vec<i16> = npyz::NpyFile::new(file).unwrap().into_vec().unwrap();
        let ours = layer.spikes.counts(run.recording.steps);
        let equal = ours.iter().zip(&theirs).filter(|(a, b)| **a == **b as u32).count();
        if (equal as f64) < 0.998 * theirs.len() as f64 {
            wrong.push(format!("layer {k}: {equal} of {} counts equal", theirs.len()));
        }
    }
    wrong
}

fn check_all(backend: Backend) {
    let (Some(golden), Some(mnist)) = (common::shared("golden"), common::shared("data/mnist")) else { return };
    let text = std::fs::read_to_string(golden.join("cases.json")).unwrap();
    let cases: serde_json::Map<String, Value> = serde_json::from_str(&text).unwrap();
    let mut cache = Cache::default();
    let (mut hold, mut all, mut failures) = (0, 0, Vec::new());
    for (name, case) in &cases {
        let Some(settings) = settings_of(case, &golden, &mnist) else {
            failures.push(format!("{name}: says something unknown"));
            continue;
        };
        let run = pipeline::run(&Settings { backend, ..settings }, &mut cache, &JobControl::default()).unwrap();
        let wrong = differences(name, case, &run, &golden.join("counts_first8.npz"));
        all += 1;
        hold += usize::from(wrong.is_empty());
        failures.extend(wrong.iter().map(|w| format!("{name}: {w}")));
    }
    println!("reference cases that hold on {backend:?}: {hold} of {all}");
    assert!(all > 0 && failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_reference_case_is_reproduced() {
    check_all(Backend::Flex);
}

#[test]
fn every_reference_case_is_reproduced_on_the_other_backend() {
    check_all(Backend::Ndarray);
}
