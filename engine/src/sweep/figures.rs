//! Figures of a row, and how those of several numbers of steps follow from one run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::convert::Readout;
use crate::experiment::Run;
use crate::measure::accuracy_curve;
use crate::measure::energy::{EnergyConstants, Macs, macs, snn_joules};
use crate::measure::layer::prefix_sums::{PrefixSums, prefix_sums};
use crate::measure::readout_delay::readout_delay;
use crate::progress::JobControl;
use crate::simulate::Recording;
use crate::task::classification::Predictions;
use crate::task::scene_scores::SceneScores;

/// The figures of a row by name, in alphabetical order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures(pub BTreeMap<String, Figure>);

/// One figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Figure {
    Value(f64),
    /// One value for every step from 1 to T.
    Steps(Vec<f64>),
}

impl Figures {
    pub(super) fn value(&mut self, name: &str, value: impl Into<f64>) {
        self.0.insert(name.to_owned(), Figure::Value(value.into()));
    }
    fn steps(&mut self, name: &str, values: impl Iterator<Item = f64>) {
        self.0.insert(name.to_owned(), Figure::Steps(values.collect()));
    }
}

/// The figures of `run` after each of `steps`, which ascend and do not exceed T.
///
/// They are the same, bit by bit, as those of a run over so many steps, unless its spiking network is another one
/// ([`Recipe::depends_on_steps`](crate::convert::Recipe::depends_on_steps)).
///
/// # Errors
/// [`crate::Error::Cancelled`] if `control` is cancelled.
pub fn figures_at(run: &Run, steps: &[usize], control: &JobControl) -> Result<Vec<Figures>> {
    let sums = prefix_sums(&run.run_data(&[]), steps, control)?;
    let macs = macs(run.network.program.network());
    sums.iter().map(|sums| control.check().map(|()| figures(run, sums, &macs))).collect()
}

/// The figures after as many steps as `sums` are of.
fn figures(run: &Run, sums: &PrefixSums, macs: &Macs) -> Figures {
    let (steps, samples) = (sums.steps, run.recording.samples);
    let per_sample = |sum: f64| sum / samples.max(1) as f64;
    let recipe = &run.settings.recipe;
    let readout = run.recording.readout[..steps * samples * run.recording.classes].to_vec();
    let outputs = Recording { steps, samples, classes: run.recording.classes, layers: Vec::new(), readout };
    let delay = match recipe.readout {
        Readout::Delayed(None) => readout_delay(&run.spiking, &run.ann, steps).estimate,
        _ => 0,
    };
    let predictions = Predictions::decode(&outputs, recipe.readout, delay);
    let curve = accuracy_curve(&predictions, steps, &run.ann, &run.labels);
    let mut figures = Figures::default();
    if let Some(accuracy) = run.report.ann_accuracy {
        figures.value("ann_accuracy", accuracy);
    }
    if curve.iter().all(|point| point.accuracy.is_some()) {
        figures.steps("snn_accuracy", curve.iter().filter_map(|point| point.accuracy));
    }
    match &run.output_agreement {
        Some(outputs) => {
            figures.steps("agreement", (1..=steps).map(|t| outputs.agreement(t)));
            figures.steps("output_error", (1..=steps).map(|t| outputs.error(t)));
        }
        None => figures.steps("agreement", curve.iter().map(|point| point.agreement)),
    }
    match run.scene.as_deref() {
        None => {}
        Some(SceneScores::Masks(scores)) => {
            scores.ann.miou.into_iter().for_each(|miou| figures.value("ann_miou", miou));
            if scores.snn.iter().all(|at| at.miou.is_some()) {
                figures.steps("snn_miou", scores.snn.iter().take(steps).filter_map(|at| at.miou));
            }
        }
        Some(SceneScores::Boxes(scores)) => {
            figures.value("ann_map", scores.ann.stats[0]);
            figures.value("ann_map50", scores.ann.stats[1]);
            if let Some(at) = scores.at.iter().position(|&t| t == steps) {
                figures.value("snn_map", scores.snn[at].stats[0]);
                figures.value("snn_map50", scores.snn[at].stats[1]);
            }
        }
    }
    figures.value("mismatch", sums.mismatch);
    figures.value("spikes", per_sample(sums.spikes));
    figures.value("synops", per_sample(sums.synops));
    let constants = EnergyConstants::default();
    figures.value("ann_energy", constants.per_mac * macs.total);
    figures.value("energy", snn_joules(macs, per_sample(sums.synops), steps, &constants));
    figures.value("mean_steps", predictions.mean_steps);
    figures.value("presteps", recipe.correction.presteps() as f64);
    figures.value("hardware_presteps", recipe.correction.hardware_presteps(run.spiking.layers.len()) as f64);
    figures
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::NeuronModel;
    use crate::experiment::cache::Cache;
    use crate::experiment::{Settings, pipeline};

    #[test]
    fn figures_of_a_prefix_are_those_of_a_run_of_its_own() {
        for change in 0..5 {
            let mut settings = Settings { samples: 256..276, calibrate: 0..40, ..Settings::default() };
            let recipe = &mut settings.recipe;
            match change {
                0 => {}
                1 => recipe.neuron = NeuronModel::Signed,
                2 => recipe.neuron = NeuronModel::Group(4),
                3 => recipe.readout = Readout::Delayed(None),
                _ => recipe.readout = Readout::EarlyExit(0.9),
            }
            recipe.steps = 12;
            let run =
                |settings: &Settings| pipeline::run(settings, &mut Cache::default(), &JobControl::default()).unwrap();
            let long = run(&settings);
            let of_long = figures_at(&long, &[1, 5, 12], &JobControl::default()).unwrap();
            for (steps, of_long) in [1, 5, 12].into_iter().zip(of_long) {
                settings.recipe.steps = steps;
                let own = run(&settings);
                assert_eq!(
                    figures_at(&own, &[steps], &JobControl::default()).unwrap()[0],
                    of_long,
                    "change {change}, t = {steps}"
                );
                let layers = &own.report.layers;
                let relative = layers.iter().map(|l| l.mean_abs_mismatch / l.mean_activation);
                let mismatch = relative.sum::<f64>() / layers.len() as f64;
                let Figure::Value(of_sums) = of_long.0["mismatch"] else { panic!("no value") };
                assert!((of_sums - mismatch).abs() < 1e-9 * mismatch, "{of_sums} {mismatch}");
                let synops = layers.iter().map(|l| l.synops).sum::<f64>() / 20.0;
                let Figure::Value(of_sums) = of_long.0["synops"] else { panic!("no value") };
                assert!((of_sums - synops).abs() <= 1e-6 * synops, "{of_sums} {synops}");
            }
        }
    }
}
