//! The doctor's round: everything that [`crate::convert::findings`] can say about a network, its data and a recipe, before
//! (and without) a run.

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
use crate::convert::{Calibration, SpikingNetwork, unclipped_thresholds};
use crate::data::{Samples, Scaling};
use crate::measure::ties::ties;
use crate::network::argmax;
use crate::progress::JobControl;
use crate::simulate::SimulationPlan;
use crate::{Error, Result, simulate};

/// Samples of a set that its range is told by.
const LOOKED_AT: usize = 64;
/// Samples and steps of the short simulation that counts ties.
const TIED_SAMPLES: usize = 4;
const TIED_STEPS: usize = 16;

/// What is looked at.
pub(super) struct DiagnosisInput<'a> {
    pub settings: &'a Settings,
    pub model: &'a Arc<PreparedNetwork>,
    pub samples: &'a Arc<Samples>,
    /// What the ANN answers to the samples of the run, where it has answered.
    pub ann: Option<&'a AnnRun>,
}

/// Examines what `settings` name without running it, but for a few steps on a few samples.
///
/// # Errors
/// What opening the network or the data gives, and settings that make no sense. What is wrong with the conversion itself is
/// no error but a finding.
pub fn diagnose(settings: &Settings, cache: &mut Cache, control: &JobControl) -> Result<Vec<Finding>> {
    settings.recipe.validate()?;
    let model = load::load_network(settings, cache, control)?;
    let samples = load::load_samples(&settings.data, &model.original, cache, control)?;
    check_ranges(settings, &model, &samples)?;
    let patient = DiagnosisInput { settings, model: &model, samples: &samples, ann: None };
    let calibration = load_or_compute_calibration(settings, &model, &samples, cache, control)?;
    let silent = findings::silent_layers(model.program.network(), &calibration, &settings.recipe);
    if silent.iter().any(|finding| finding.severity == Severity::Error) {
        return patient.findings(&calibration, None, cache, control);
    }
    let spiking = load_or_compute_balanced(settings, &model, &samples, cache, control).and_then(|balanced| {
        load_or_compute_spiking(settings, &model, &samples, &calibration, balanced.as_deref(), cache, control)
    });
    let (spiking, refused) = match spiking {
        Ok(spiking) => (Some(spiking), None),
        Err(Error::Network { node, reason }) => {
            (None, Some(Finding::new("no threshold", Severity::Error, Some(&node), reason)))
        }
        Err(other) => return Err(other),
    };
    let mut found = patient.findings(&calibration, spiking.as_deref(), cache, control)?;
    found.extend(refused);
    if let Some(spiking) = &spiking {
        found.extend(patient.find_ties(spiking, control)?);
    }
    findings::sort(&mut found);
    Ok(found)
}

impl DiagnosisInput<'_> {
    /// What can be said from the calibration and, where the conversion came about, its thresholds.
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
        let first_of = |range: &std::ops::Range<usize>| range.start..range.end.min(range.start + LOOKED_AT);
        let calibrated = set.scaled(first_of(&settings.calibrate), &settings.scaling);
        let run = self.samples.scaled(first_of(&settings.samples), &settings.scaling);
        // Other findings are often what follows from it.
        let mut found: Vec<Finding> = self.scaling(cache, control)?.into_iter().collect();
        found.extend(findings::far_input(&calibrated, &run));
        found.extend(findings::check_samples(self.samples, recipe.steps));
        found.extend(
            crate::task::Detector::unsupported_reason(&self.model.original)
                .map(|why| Finding::note("outputs", None, why)),
        );
        if settings.calibration_data.as_ref().is_none_or(|data| *data == settings.data) {
            found.extend(findings::calibrated_on(&settings.calibrate, &settings.samples, self.samples.len()));
        }
        found.extend(self.stated_scaling());
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

    /// The network's file states another scaling than the one in use.
    fn stated_scaling(&self) -> Option<Finding> {
        let (stated, used) = (self.model.original.scaling.as_ref()?, &self.settings.scaling);
        let text = format!("the network's file states the input scaling {stated}, but {used} is used");
        (stated != used)
            .then(|| Finding::warning("input scaling", None, text).with_fix(findings::Fix::Scaling(stated.clone())))
    }

    /// The ANN's own accuracy under this and the usual scalings, where there are labels.
    fn scaling(&self, cache: &mut Cache, control: &JobControl) -> Result<Option<Finding>> {
        let network = &self.model.original;
        if self.samples.labels.is_empty() || !network.is_classifier() {
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
        let shape = self.model.original.input_shape();
        let usual = [
            "mean=.485,.456,.406;std=.229,.224,.225",
            "mean=.4914,.4822,.4465;std=.2023,.1994,.2010",
            "mean=.1307;std=.3081",
            "mean=.5;std=.5",
        ];
        let usual = usual.iter().filter_map(|text| Scaling::parse(text).ok());
        let present = match self.ann {
            Some(ann) => self.share_right(|sample| Ok(ann.prediction(sample)))?,
            None => self.accuracy(&self.settings.scaling, control)?,
        };
        let Some(present) = present.filter(|&present| present <= 0.8) else { return Ok(None) };
        let chance =
            || findings::at_chance(present, self.settings.samples.len().min(LOOKED_AT), self.model.original.classes());
        if self.model.original.scaling.is_some() {
            // Its own scaling is known, and another in use is said elsewhere.
            return Ok(chance());
        }
        let others = [Scaling::Unit, Scaling::Bytes].into_iter().chain(usual);
        // One number for three channels is not what color networks are trained with, but for one half.
        let color = shape.len() == 3 && shape[0] == 3;
        let gray =
            |scaling: &Scaling| matches!(scaling, Scaling::MeanStd { mean, .. } if mean.len() == 1 && mean[0] != 0.5);
        let fitting = others.filter(|scaling| scaling.check(shape).is_ok() && !(color && gray(scaling)));
        let fitting: Vec<Scaling> = fitting.collect();
        let mut others = Vec::new();
        for (k, scaling) in fitting.iter().enumerate() {
            control.progress("trying other input scalings", k as f32 / fitting.len() as f32);
            others.extend(self.accuracy(scaling, control)?.map(|accuracy| (scaling.clone(), accuracy)));
        }
        Ok(findings::other_scaling(&self.settings.scaling, present, &others).or_else(chance))
    }

    /// Share of the first samples that are answered rightly under `scaling`; `None` without labels.
    fn accuracy(&self, scaling: &Scaling, control: &JobControl) -> Result<Option<f64>> {
        let (program, start) = (&self.model.program, self.settings.samples.start);
        self.share_right(|sample| {
            control.check()?;
            let input = program.tensor(self.samples.scaled(start + sample..start + sample + 1, scaling), 1);
            Ok(argmax(&tensor_to_vec(program.run(input, |_, _| {}))))
        })
    }

    /// Share of the first samples that `prediction` gets right; `None` without labels.
    fn share_right(&self, answer: impl Fn(usize) -> Result<usize> + Sync) -> Result<Option<f64>> {
        let range = &self.settings.samples;
        let Some(labels) = self.samples.labels.get(range.start..range.end.min(range.start + LOOKED_AT)) else {
            return Ok(None);
        };
        let one = |(sample, label): (usize, &u16)| Ok(usize::from(answer(sample)? == usize::from(*label)));
        let right = labels.par_iter().enumerate().map(one).sum::<Result<usize>>()?;
        Ok((!labels.is_empty()).then(|| right as f64 / labels.len() as f64))
    }

    /// Ties in a few steps on a few samples.
    fn find_ties(&self, spiking: &SpikingNetwork, control: &JobControl) -> Result<Vec<Finding>> {
        let range = &self.settings.samples;
        let samples = range.len().min(TIED_SAMPLES);
        let input = self.samples.scaled(range.start..range.start + samples, &self.settings.scaling);
        let steps = self.settings.recipe.steps.min(TIED_STEPS);
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

    fn kinds(change: impl FnOnce(&mut Settings)) -> Vec<Finding> {
        let mut settings =
            Settings { model: "builtin:digits-cnn".into(), samples: 256..288, calibrate: 0..64, ..Settings::default() };
        settings.recipe.steps = 8;
        change(&mut settings);
        diagnose(&settings, &mut Cache::default(), &JobControl::default()).unwrap_or_else(|e| panic!("{e}"))
    }

    #[test]
    fn a_sound_network_has_no_warnings_and_a_wrong_scaling_is_named_with_the_right_one() {
        let sound = kinds(|_| {});
        let alarms = ["input scaling", "input range", "never active", "threshold out of reach", "verification"];
        assert!(!sound.iter().any(|finding| alarms.contains(&finding.kind)), "{sound:?}");
        // The bundled network states its scaling; another one is told before anything else.
        let wrong = kinds(|s| s.scaling = Scaling::parse("mean=.9;std=.1").unwrap());
        let mend =
            wrong.iter().find(|finding| finding.kind == "input scaling").and_then(|finding| finding.mend.clone());
        assert_eq!(mend, Some(Fix::Scaling(Scaling::Unit)), "{wrong:?}");
    }

    #[test]
    fn thresholds_by_hand_are_looked_at_and_given_back() {
        let found = kinds(|s| {
            s.recipe.manual_thresholds.insert("nowhere".into(), 1.0);
        });
        let stray = found.iter().find(|finding| finding.kind == "threshold of no layer").expect("it is found");
        assert_eq!(stray.mend, Some(Fix::LayerThreshold { layer: "nowhere".into(), theta: None }));
        assert!(found[0].severity >= found[found.len() - 1].severity, "the most serious first");
    }
}
