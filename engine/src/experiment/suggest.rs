//! Suggestions by the ANN's accuracy: another order of classes, another reading of the data, another input scaling.

use rayon::prelude::*;

use super::cache::{AnnKey, Cache};
use super::load;
use super::run::PreparedNetwork;
use super::settings::Settings;
use crate::compute::AnnRun;
use crate::convert::findings::{self, FAR_SCALING_GAIN, Finding, ScalingTrial};
use crate::data::{DataSpec, Layout, Samples, Scaling};
use crate::network::predicted_class;
use crate::progress::JobControl;
use crate::task::classification::Classes;
use crate::{Error, Result};

/// Number of samples whose predictions are compared with their labels.
const MAX_CHECKED_SAMPLES: usize = 64;
/// Accuracy of the ANN up to which other readings of the data are tried.
const MAX_LOW: f64 = 0.8;
/// Samples after which scalings that are no better are given up, and the most that are tried.
const SCALING_STAGES: [usize; 3] = [16, MAX_CHECKED_SAMPLES, 256];
/// Options of the data whose other choice is tried.
const TRIED_OPTIONS: [&str; 3] = ["layout", "ground", "order"];

/// What the ANN is tried on.
pub(super) struct AccuracyCheck<'a> {
    pub settings: &'a Settings,
    pub model: &'a PreparedNetwork,
    pub samples: &'a Samples,
    /// ANN values on the samples of the run, if they are known.
    pub ann: Option<&'a AnnRun>,
}

impl AccuracyCheck<'_> {
    /// A finding if the ANN's accuracy is far higher under the other order of class names.
    pub fn class_order(&self, control: &JobControl) -> Result<Option<Finding>> {
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
                spread
                    .map(|sample| Ok((sample, self.predict(self.samples, sample, &self.settings.scaling, control)?)))
                    .collect()
            }
        };
        Ok(findings::other_class_order(self.samples, &predictions?))
    }

    /// The ANN's prediction for `sample` of a data set under `scaling`.
    fn predict(&self, samples: &Samples, sample: usize, scaling: &Scaling, control: &JobControl) -> Result<usize> {
        let input = samples.scaled(sample..sample + 1, scaling);
        Ok(predicted_class(&self.model.program.outputs(&input, control)?))
    }

    /// A finding if the ANN's accuracy is higher under another usual scaling or another reading of the data. Needs labels.
    pub fn scaling(&self, cache: &mut Cache, control: &JobControl) -> Result<Option<Finding>> {
        let network = &self.model.original;
        if self.samples.labels.is_empty() || !Classes::of(network, &self.samples.labels).are() {
            return Ok(None);
        }
        let key = AnnKey::new(self.settings);
        if let Some(known) = cache.scalings.get(&key) {
            return Ok(known);
        }
        let finding = match self.suggest_option(cache, control)? {
            Some(finding) => Some(finding),
            None => self.suggest_scaling(control)?,
        };
        cache.scalings.insert(key, finding.clone());
        Ok(finding)
    }

    /// Reads the data with the other choice of what was assumed, if the ANN's accuracy is low.
    fn suggest_option(&self, cache: &mut Cache, control: &JobControl) -> Result<Option<Finding>> {
        // Order of classes and parts of a set are no matter of accuracy here.
        let options = findings::other_options(self.samples);
        let options = options.into_iter().filter(|(key, _)| TRIED_OPTIONS.contains(key)).collect::<Vec<_>>();
        if options.is_empty() {
            return Ok(None);
        }
        let Some(present) = self.present_accuracy(control)?.filter(|&present| present <= MAX_LOW) else {
            return Ok(None);
        };
        for (key, value) in options {
            let Ok(spec) = DataSpec::parse(&self.samples.source).and_then(|spec| spec.with_option(key, &value)) else {
                continue;
            };
            let other = match load::load_samples(&spec.to_string(), &self.model.original, cache, control) {
                Ok(other) if other.len() == self.samples.len() => other,
                Err(Error::Cancelled) => return Err(Error::Cancelled),
                _ => continue,
            };
            let start = self.settings.samples.start;
            let predict = |sample| self.predict(&other, start + sample, &self.settings.scaling, control);
            if let Some(accuracy) = self.accuracy_of(predict)?
                && let Some(found) =
                    findings::other_reading(self.samples, [present, accuracy], self.checked(), key, &value)
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Number of samples that accuracies here are measured on: the first of the run.
    fn checked(&self) -> usize {
        self.settings.samples.len().min(MAX_CHECKED_SAMPLES)
    }

    /// ANN accuracy on the first samples of the run; `None` without labels.
    fn present_accuracy(&self, control: &JobControl) -> Result<Option<f64>> {
        match self.ann {
            Some(ann) => self.accuracy_of(|sample| Ok(ann.prediction(sample))),
            None => self.accuracy(&self.settings.scaling, control),
        }
    }

    fn suggest_scaling(&self, control: &JobControl) -> Result<Option<Finding>> {
        let usual = [
            "mean=.485,.456,.406;std=.229,.224,.225",
            "mean=.4914,.4822,.4465;std=.2023,.1994,.2010",
            "mean=.1307;std=.3081",
            "mean=.5;std=.5",
        ];
        let usual = usual.iter().filter_map(|text| Scaling::parse(text).ok());
        let Some(present) = self.present_accuracy(control)? else { return Ok(None) };
        let chance = || findings::at_chance(present, self.checked(), self.model.original.class_count());
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
        Ok(self.better_scaling(fitting, control)?.or_else(chance))
    }

    /// Tries `scalings` on more and more of the first samples of the run, as long as any may be better than the present one.
    fn better_scaling(&self, scalings: Vec<Scaling>, control: &JobControl) -> Result<Option<Finding>> {
        let present = &self.settings.scaling;
        let others = scalings.into_iter().filter(|scaling| scaling != present);
        let mut others: Vec<(Scaling, Vec<bool>)> = others.map(|scaling| (scaling, Vec::new())).collect();
        let (mut known, mut found) = (Vec::new(), None);
        for (stage, most) in SCALING_STAGES.into_iter().enumerate() {
            let samples = self.settings.samples.len().min(most);
            control.progress("trying other input scalings", stage as f32 / SCALING_STAGES.len() as f32);
            self.try_more(present, &mut known, samples, control)?;
            for (scaling, correct) in &mut others {
                self.try_more(scaling, correct, samples, control)?;
            }
            let trial = |(scaling, correct): &(Scaling, Vec<bool>)| {
                let count = |of: [bool; 2]| correct.iter().zip(&known).filter(|&(&a, &b)| [a, b] == of).count();
                let (gained, lost) = (count([true, false]), count([false, true]));
                ScalingTrial { scaling: scaling.clone(), correct: gained + count([true, true]), gained, lost }
            };
            let trials: Vec<ScalingTrial> = others.iter().map(trial).collect();
            let correct = known.iter().filter(|correct| **correct).count();
            found = findings::other_scaling(present, correct, samples, &trials);
            let is_far = trials.iter().any(|trial| trial.is_better_by(FAR_SCALING_GAIN, samples));
            if samples < most || is_far && samples >= MAX_CHECKED_SAMPLES {
                break;
            }
            // A single sample may mislead at first.
            let slack = usize::from(stage == 0);
            let mut hopeful = trials.iter().map(|trial| trial.gained + slack > trial.lost);
            others.retain(|_| hopeful.next().unwrap_or(false));
            if others.is_empty() {
                break;
            }
        }
        Ok(found)
    }

    /// Appends to `correct`, for the first samples of the run, whether the ANN classifies them correctly under `scaling`, up to
    /// `samples` in total.
    fn try_more(&self, scaling: &Scaling, correct: &mut Vec<bool>, samples: usize, control: &JobControl) -> Result<()> {
        let start = self.settings.samples.start;
        let is_present = *scaling == self.settings.scaling;
        let one = |k: usize| {
            let predicted = match self.ann.filter(|ann| is_present && k < ann.samples) {
                Some(ann) => ann.prediction(k),
                None => self.predict(self.samples, start + k, scaling, control)?,
            };
            Ok(self.samples.labels.get(start + k).is_some_and(|&label| predicted == usize::from(label)))
        };
        let more: Vec<bool> = (correct.len()..samples).into_par_iter().map(one).collect::<Result<_>>()?;
        correct.extend(more);
        Ok(())
    }

    /// ANN accuracy on the first samples under `scaling`; `None` without labels.
    fn accuracy(&self, scaling: &Scaling, control: &JobControl) -> Result<Option<f64>> {
        let start = self.settings.samples.start;
        self.accuracy_of(|sample| self.predict(self.samples, start + sample, scaling, control))
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
}
