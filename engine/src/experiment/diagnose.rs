//! Diagnosis before a run: collects all findings about network, data and recipe.
//!
//! The checks are in [`crate::convert::findings`].

use std::sync::Arc;

use super::attacked::Attacked;
use super::cache::Cache;
use super::load;
use super::prepare::{
    check_ranges, converted, load_or_compute_balanced, load_or_compute_calibration, load_or_compute_spiking,
};
use super::run::PreparedNetwork;
use super::settings::Settings;
use super::suggest::AccuracyCheck;
use crate::compute::AnnRun;
use crate::convert::findings::{self, Finding, Severity};
use crate::convert::{Calibration, Recipe, SpikingNetwork, ThresholdRule, unclipped_thresholds};
use crate::data::Samples;
use crate::measure::ties::ties;
use crate::progress::JobControl;
use crate::simulate::SimulationPlan;
use crate::task::classification::Classes;
use crate::task::scene_scores::scene_findings;
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

/// What a run of `settings` finds about network, data and, if the spiking network is used, its conversion, without a simulation:
/// for attacks and explanations, which have loaded them through `cache`.
///
/// # Errors
/// Those of loading and converting; [`Error::Cancelled`].
pub fn findings_of_use(
    settings: &Settings,
    on: Attacked,
    cache: &mut Cache,
    control: &JobControl,
) -> Result<Vec<Finding>> {
    let control = &control.without_events();
    let model = load::load_network(settings, cache, control)?;
    let samples = load::load_samples(&settings.data, &model.original, cache, control)?;
    let diagnosis = DiagnosisInput { settings, model: &model, samples: &samples, ann: None };
    if on == Attacked::Snn {
        let calibration = load_or_compute_calibration(settings, &model, &samples, cache, control)?;
        let spiking = converted(settings, &model, &samples, cache, control)?;
        return diagnosis.findings(&calibration, Some(&spiking), cache, control);
    }
    let mut found = diagnosis.findings_of_sources(cache, control)?;
    found.extend(model.notes.iter().cloned());
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
        let mut found = self.findings_of_sources(cache, control)?;
        found.extend(findings::far_input(&calibrated, &run));
        if settings.calibration_data.is_some() {
            found.extend(findings::check_calibration_samples(&set, &settings.scaling));
        }
        if settings.calibration_data.as_ref().is_none_or(|data| *data == settings.data) {
            found.extend(findings::calibrated_on(&settings.calibrate, &settings.samples, self.samples.len()));
        }
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

    /// Findings about the samples and their scaling, which need no conversion; without the notes on the network's file.
    fn findings_of_sources(&self, cache: &mut Cache, control: &JobControl) -> Result<Vec<Finding>> {
        let settings = self.settings;
        // The scaling comes first: other findings often follow from it.
        let check = AccuracyCheck { settings, model: self.model, samples: self.samples, ann: self.ann };
        let mut found: Vec<Finding> = check.class_order(control)?.into_iter().collect();
        if found.is_empty() {
            found.extend(check.scaling(cache, control)?);
        }
        found.extend(findings::check_samples(self.samples, &settings.scaling, settings.recipe.steps));
        found.extend(self.small_set(cache));
        let (original, labels) = (&self.model.original, &self.samples.labels);
        found.extend(Classes::of(original, labels).finding(original, labels));
        let (detector, targets) = (self.model.detector.as_deref(), &self.samples.targets);
        found.extend(scene_findings(original, detector, targets, settings.samples.clone()));
        found.extend(self.stated_scaling());
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
    use crate::data::Scaling;

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
        let fix = wrong.iter().find(|finding| finding.kind == "input scaling").and_then(|finding| finding.fix.clone());
        assert_eq!(fix, Some(Fix::Scaling(Scaling::Unit)), "{wrong:?}");
    }

    #[test]
    fn attacks_and_explanations_hear_of_data_and_recipe() {
        let mut settings = Settings { samples: 256..288, calibrate: 0..64, ..Settings::default() };
        settings.recipe.steps = 8;
        settings.recipe.manual_thresholds.insert("nowhere".into(), 1.0);
        settings.scaling = Scaling::parse("mean=.9;std=.1").unwrap();
        let kinds = |on| {
            let control = JobControl::default();
            let found = findings_of_use(&settings, on, &mut Cache::default(), &control).unwrap();
            found.iter().map(|finding| finding.kind).collect::<Vec<_>>()
        };
        let (ann, snn) = (kinds(Attacked::Ann), kinds(Attacked::Snn));
        assert!(ann.contains(&"input scaling") && snn.contains(&"input scaling"), "{ann:?} {snn:?}");
        assert!(snn.contains(&"threshold of no layer"), "{snn:?}");
        assert!(!ann.contains(&"threshold of no layer"), "the ANN has no thresholds: {ann:?}");
    }

    #[test]
    fn a_manual_threshold_of_no_layer_is_found_with_its_fix() {
        let found = diagnose_with(|s| {
            s.recipe.manual_thresholds.insert("nowhere".into(), 1.0);
        });
        let stray = found.iter().find(|finding| finding.kind == "threshold of no layer").expect("it is found");
        assert_eq!(stray.fix, Some(Fix::LayerThreshold { layer: "nowhere".into(), theta: None }));
        assert!(found[0].severity >= found[found.len() - 1].severity, "the most serious first");
    }
}
