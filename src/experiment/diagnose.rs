//! Diagnosis before a run: collects all findings about network, data and recipe.
//!
//! The checks are in [`crate::convert::findings`].

use std::sync::Arc;

use rayon::prelude::*;

use super::cache::{AnnKey, Cache};
use super::load;
use super::prepare::{check_ranges, load_or_compute_balanced, load_or_compute_calibration, load_or_compute_spiking};
use super::run::PreparedNetwork;
use super::settings::Settings;
use crate::compute::AnnRun;
use crate::compute::dense::tensor_to_vec;
use crate::convert::findings::{self, Finding, Severity};
use crate::convert::{Calibration, Recipe, SpikingNetwork, ThresholdRule, unclipped_thresholds};
use crate::data::{Layout, Samples, Scaling};
use crate::measure::ties::ties;
use crate::network::predicted_class;
use crate::progress::JobControl;
use crate::simulate::SimulationPlan;
use crate::task::classification::Classes;
use crate::{Error, Result, simulate};

/// Number of samples that the checks of input range and scaling read.
const MAX_CHECKED_SAMPLES: usize = 64;
/// Samples and steps of the short simulation that counts ties.
const MAX_TIE_SAMPLES: usize = 4;
const MAX_TIE_STEPS: usize = 16;

/// Input of a diagnosis.
pub(super) struct DiagnosisInput<'a> {
    pub settings: &'a Settings,
    pub model: &'a Arc<PreparedNetwork>,
    pub samples: &'a Arc<Samples>,
    /// ANN values on the samples of the run, if they are known.
    pub ann: Option<&'a AnnRun>,
}

/// Diagnoses `settings` without a run, except for a few steps on a few samples that count ties.
///
/// # Errors
/// Errors of opening the network or the data, invalid settings, and [`Error::Cancelled`]. A problem of the conversion itself
/// is not an error but a finding.
pub fn diagnose(settings: &Settings, cache: &mut Cache, control: &JobControl) -> Result<Vec<Finding>> {
    settings.recipe.validate()?;
    let model = load::load_network(settings, cache, control)?;
    let samples = load::load_samples(&settings.data, &model.original, cache, control)?;
    check_ranges(settings, &samples)?;
    let diagnosis = DiagnosisInput { settings, model: &model, samples: &samples, ann: None };
    let calibration = load_or_compute_calibration(settings, &model, &samples, cache, control)?;
    let spiking = load_or_compute_balanced(settings, &model, &samples, cache, control).and_then(|balanced| {
        load_or_compute_spiking(settings, &model, &samples, &calibration, balanced.as_deref(), cache, control)
    });
    let (spiking, conversion_error) = match spiking {
        Ok(spiking) => (Some(spiking), None),
        Err(Error::Network { node, reason }) => {
            let finding = Finding::new("no threshold", Severity::Error, Some(&node), reason);
            let rule = match settings.recipe.threshold {
                ThresholdRule::Learned => Recipe::default().threshold,
                _ => ThresholdRule::Max,
            };
            (None, Some(finding.with_fix(findings::Fix::Threshold(rule))))
        }
        Err(other) => return Err(other),
    };
    let mut found = diagnosis.findings(&calibration, spiking.as_deref(), cache, control)?;
    found.extend(conversion_error);
    if let Some(spiking) = &spiking {
        found.extend(diagnosis.find_ties(spiking, control)?);
    }
    findings::sort(&mut found);
    Ok(found)
}

impl DiagnosisInput<'_> {
    /// Findings from the calibration and, if the conversion succeeded, its thresholds.
    pub fn findings(
        &self,
        calibration: &Calibration,
        spiking: Option<&SpikingNetwork>,
        cache: &mut Cache,
        control: &JobControl,
    ) -> Result<Vec<Finding>> {
        let (settings, network) = (self.settings, self.model.program.network());
        let recipe = &settings.recipe;
        let set = match &settings.calibration_data {
            Some(spec) => load::load_samples(spec, &self.model.original, cache, control)?,
            None => self.samples.clone(),
        };
        let first_of = |range: &std::ops::Range<usize>| range.start..range.end.min(range.start + MAX_CHECKED_SAMPLES);
        let calibrated = set.scaled(first_of(&settings.calibrate), &settings.scaling);
        let run = self.samples.scaled(first_of(&settings.samples), &settings.scaling);
        // The scaling comes first: other findings often follow from it.
        let mut found: Vec<Finding> = self.class_order(control)?.into_iter().collect();
        if found.is_empty() {
            found.extend(self.scaling(cache, control)?);
        }
        found.extend(findings::far_input(&calibrated, &run));
        found.extend(findings::check_samples(self.samples, &settings.scaling, recipe.steps));
        if settings.calibration_data.is_some() {
            found.extend(findings::check_calibration_samples(&set, &settings.scaling));
        }
        found.extend(self.small_set(cache));
        let (original, labels) = (&self.model.original, &self.samples.labels);
        found.extend(Classes::of(original, labels).finding(original, labels));
        if settings.calibration_data.as_ref().is_none_or(|data| *data == settings.data) {
            found.extend(findings::calibrated_on(&settings.calibrate, &settings.samples, self.samples.len()));
        }
        found.extend(self.stated_scaling());
        found.extend(self.ann.and_then(|ann| findings::not_finite(network, ann)));
        found.extend(findings::silent_layers(network, calibration, recipe));
        found.extend(findings::too_few_values(network, calibration, recipe, settings.calibrate.start, set.len()));
        if let Some(spiking) = spiking {
            found.extend(unclipped_thresholds(spiking, recipe));
            found.extend(findings::check_thresholds(calibration, spiking));
            found.extend(findings::branch_scales(network, spiking));
        }
        found.extend(findings::check_network(network, recipe));
        found.extend(self.model.notes.iter().cloned());
        findings::sort(&mut found);
        Ok(found)
    }

    /// A finding if the network's file states another scaling than the one in use.
    fn stated_scaling(&self) -> Option<Finding> {
        let (stated, used) = (self.model.original.scaling.as_ref()?, &self.settings.scaling);
        let text = format!("the network's file states the input scaling {stated}, but {used} is used");
        (stated != used)
            .then(|| Finding::warning("input scaling", None, text).with_fix(findings::Fix::Scaling(stated.clone())))
    }

    /// A finding if the ranges were fitted to a data set that is too small for others.
    fn small_set(&self, cache: &mut Cache) -> Option<Finding> {
        let (calibrate, run) = cache.fitted_ranges.get(&self.settings.data)?;
        let is_used = (&calibrate, &run) == (&self.settings.calibrate, &self.settings.samples);
        is_used.then(|| findings::fitted_ranges(self.samples.len(), &calibrate, &run))
    }

    /// A finding if the ANN's accuracy is far higher under the other order of class names.
    fn class_order(&self, control: &JobControl) -> Result<Option<Finding>> {
        if self.samples.other_labels.is_none() || !self.model.original.is_classifier() {
            return Ok(None);
        }
        let range = &self.settings.samples;
        let predictions: Result<Vec<(usize, usize)>> = match self.ann {
            Some(ann) => Ok(range.clone().enumerate().map(|(k, sample)| (sample, ann.prediction(k))).collect()),
            None => {
                // From all parts of the range: folders are read class by class.
                let count = range.len().min(MAX_CHECKED_SAMPLES);
                let spread = (0..count).into_par_iter().map(|k| range.start + k * range.len() / count.max(1));
                spread.map(|sample| Ok((sample, self.predict(sample, &self.settings.scaling, control)?))).collect()
            }
        };
        Ok(findings::other_class_order(self.samples, &predictions?))
    }

    /// The ANN's prediction for `sample` of the data set under `scaling`.
    fn predict(&self, sample: usize, scaling: &Scaling, control: &JobControl) -> Result<usize> {
        control.check()?;
        let program = &self.model.program;
        let input = program.tensor(self.samples.scaled(sample..sample + 1, scaling), 1);
        Ok(predicted_class(&tensor_to_vec(program.run(input, |_, _| {}))))
    }

    /// A finding if the ANN's accuracy is low under this scaling and higher under a usual one. Needs labels.
    fn scaling(&self, cache: &mut Cache, control: &JobControl) -> Result<Option<Finding>> {
        let network = &self.model.original;
        if self.samples.labels.is_empty() || !Classes::of(network, &self.samples.labels).are() {
            return Ok(None);
        }
        let key = AnnKey::new(self.settings);
        if let Some(known) = cache.scalings.get(&key) {
            return Ok(known);
        }
        let finding = self.suggest_scaling(control)?;
        cache.scalings.insert(key, finding.clone());
        Ok(finding)
    }

    fn suggest_scaling(&self, control: &JobControl) -> Result<Option<Finding>> {
        let usual = [
            "mean=.485,.456,.406;std=.229,.224,.225",
            "mean=.4914,.4822,.4465;std=.2023,.1994,.2010",
            "mean=.1307;std=.3081",
            "mean=.5;std=.5",
        ];
        let usual = usual.iter().filter_map(|text| Scaling::parse(text).ok());
        let present = match self.ann {
            Some(ann) => self.accuracy_of(|sample| Ok(ann.prediction(sample)))?,
            None => self.accuracy(&self.settings.scaling, control)?,
        };
        let Some(present) = present.filter(|&present| present <= 0.8) else { return Ok(None) };
        let chance = || {
            findings::at_chance(
                present,
                self.settings.samples.len().min(MAX_CHECKED_SAMPLES),
                self.model.original.class_count(),
            )
        };
        if self.model.original.scaling.is_some() {
            // The stated scaling is known; `stated_scaling` reports a different one in use.
            return Ok(chance());
        }
        // Values beyond 1 that are no bytes may be pixels that were never divided.
        let divided = (self.samples.max > self.samples.full_scale).then_some(Scaling::Divide(255.0));
        let others = [Scaling::Unit, Scaling::Bytes].into_iter().chain(divided).chain(usual);
        // Color networks are not trained with one mean for three channels, except for one half.
        let color = matches!(
            (self.samples.shape.as_slice(), self.samples.channels()),
            ([3, _, _], Layout::ChannelsFirst) | ([_, _, 3], Layout::ChannelsLast)
        );
        let gray =
            |scaling: &Scaling| matches!(scaling, Scaling::MeanStd { mean, .. } if mean.len() == 1 && mean[0] != 0.5);
        let fitting = others.filter(|scaling| self.samples.check_scaling(scaling).is_ok() && !(color && gray(scaling)));
        let fitting: Vec<Scaling> = fitting.collect();
        let mut others = Vec::new();
        for (k, scaling) in fitting.iter().enumerate() {
            control.progress("trying other input scalings", k as f32 / fitting.len() as f32);
            others.extend(self.accuracy(scaling, control)?.map(|accuracy| (scaling.clone(), accuracy)));
        }
        Ok(findings::other_scaling(&self.settings.scaling, present, &others).or_else(chance))
    }

    /// ANN accuracy on the first samples under `scaling`; `None` without labels.
    fn accuracy(&self, scaling: &Scaling, control: &JobControl) -> Result<Option<f64>> {
        let start = self.settings.samples.start;
        self.accuracy_of(|sample| self.predict(start + sample, scaling, control))
    }

    /// Fraction of the first samples for which `predict` returns the label; `None` without labels.
    fn accuracy_of(&self, predict: impl Fn(usize) -> Result<usize> + Sync) -> Result<Option<f64>> {
        let range = &self.settings.samples;
        let Some(labels) = self.samples.labels.get(range.start..range.end.min(range.start + MAX_CHECKED_SAMPLES))
        else {
            return Ok(None);
        };
        let one = |(sample, label): (usize, &u16)| Ok(usize::from(predict(sample)? == usize::from(*label)));
        let correct = labels.par_iter().enumerate().map(one).sum::<Result<usize>>()?;
        Ok((!labels.is_empty()).then(|| correct as f64 / labels.len() as f64))
    }

    /// Findings about ties, from a few steps on a few samples.
    fn find_ties(&self, spiking: &SpikingNetwork, control: &JobControl) -> Result<Vec<Finding>> {
        let range = &self.settings.samples;
        let samples = range.len().min(MAX_TIE_SAMPLES);
        let input = self.samples.scaled(range.start..range.start + samples, &self.settings.scaling);
        let steps = self.settings.recipe.steps.min(MAX_TIE_STEPS);
        let program = &self.model.program;
        let plan =
            SimulationPlan { program, spiking, input: &input, samples, steps, previous: None, unchanged_layers: 0 };
        let recording = simulate::simulate(&plan, control)?;
        Ok(ties(program, spiking, &input, &recording).iter().filter_map(crate::measure::ties::Ties::finding).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::Fix;

    fn diagnose_with(change: impl FnOnce(&mut Settings)) -> Vec<Finding> {
        let mut settings =
            Settings { model: "builtin:digits-cnn".into(), samples: 256..288, calibrate: 0..64, ..Settings::default() };
        settings.recipe.steps = 8;
        change(&mut settings);
        diagnose(&settings, &mut Cache::default(), &JobControl::default()).unwrap_or_else(|e| panic!("{e}"))
    }

    #[test]
    fn a_correct_network_has_no_warnings_and_a_wrong_scaling_is_found_with_its_fix() {
        let sound = diagnose_with(|_| {});
        let alarms = ["input scaling", "input range", "never active", "threshold out of reach", "verification"];
        assert!(!sound.iter().any(|finding| alarms.contains(&finding.kind)), "{sound:?}");
        // The bundled network states its scaling; another one is the first finding.
        let wrong = diagnose_with(|s| s.scaling = Scaling::parse("mean=.9;std=.1").unwrap());
        let mend =
            wrong.iter().find(|finding| finding.kind == "input scaling").and_then(|finding| finding.mend.clone());
        assert_eq!(mend, Some(Fix::Scaling(Scaling::Unit)), "{wrong:?}");
    }

    #[test]
    fn a_manual_threshold_of_no_layer_is_found_with_its_fix() {
        let found = diagnose_with(|s| {
            s.recipe.manual_thresholds.insert("nowhere".into(), 1.0);
        });
        let stray = found.iter().find(|finding| finding.kind == "threshold of no layer").expect("it is found");
        assert_eq!(stray.mend, Some(Fix::LayerThreshold { layer: "nowhere".into(), theta: None }));
        assert!(found[0].severity >= found[found.len() - 1].severity, "the most serious first");
    }
}
