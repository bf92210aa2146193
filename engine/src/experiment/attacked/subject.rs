//! What an attack runs on: the network and samples of the settings in pixel space, and the spiking network's readout.

use std::ops::Range;
use std::sync::Arc;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::readout::steps_of;
use crate::attack::gradient_path::check_gradient_path;
use crate::attack::snn::target::missing_gradient;
use crate::attack::{
    AnnTarget, Attack, AttackKind, Given, GradientChoice, GradientRule, Images, Outcome, PixelSpace, SnnTarget, Target,
    Vulnerability, attack, vulnerability,
};
use crate::compute::AnnRun;
use crate::compute::program::Program;
use crate::convert::{Readout, SpikingNetwork};
use crate::data::{Samples, Scaling};
use crate::experiment::cache::Cache;
use crate::experiment::prepare::{check_ranges, converted};
use crate::experiment::run::{PreparedNetwork, Run};
use crate::experiment::settings::Settings;
use crate::experiment::{load, memory};
use crate::measure::readout_delay::readout_delay;
use crate::progress::JobControl;
use crate::simulate::{SimulationPlan, estimate_bytes};
use crate::task::classification::Classes;
use crate::{Error, Result};

/// Samples on which the vulnerability is measured.
const MEASURED: usize = 64;
/// Samples of an attack whose gradients are looked at before it starts.
const LOOKED_AT: usize = 32;

/// Which of the two networks is attacked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attacked {
    #[default]
    Ann,
    Snn,
}

/// A network with images to attack it by.
pub struct AttackSubject {
    pub settings: Settings,
    pub model: Arc<PreparedNetwork>,
    /// The converted network, if it is attacked.
    pub spiking: Option<Arc<SpikingNetwork>>,
    pub pixels: PixelSpace,
    /// `[N, F]`, values in [0, 1].
    pub images: Vec<f32>,
    /// `[N]`
    pub labels: Vec<u16>,
    /// The network on the processor, where gradients are taken.
    program: Program,
    /// Estimated delay of a readout that asks for one.
    delay: usize,
}

/// What one gradient rule reached.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RuleResult {
    pub rule: &'static str,
    pub robust_accuracy: f64,
}

impl AttackSubject {
    /// Loads what `settings` name, through the cache; converts the network if it is the spiking one that is attacked.
    ///
    /// # Errors
    /// Those of loading and converting; [`Error::Invalid`] for samples without labels, outputs that are not classes, and
    /// images outside [0, 1].
    pub fn load(settings: &Settings, on: Attacked, cache: &mut Cache, control: &JobControl) -> Result<Self> {
        let (model, samples) = load_sources(settings, cache, control)?;
        check_kind(&model, &samples)?;
        let range = settings.samples.clone();
        let Some(labels) = samples.labels.get(range.clone()) else {
            return Err(Error::Invalid(format!(
                "Cannot attack sample {} of {}: it has no label, and an attack moves away from the label. Use data \
                 with labels.",
                range.start.max(samples.labels.len()),
                samples.source
            )));
        };
        let pixels = space(&samples, &settings.scaling, on)?;
        let images = pixels.pixels(&samples, range)?;
        let labels = labels.to_vec();
        let program = on_processor(&model.program);
        let mut subject =
            Self { settings: settings.clone(), model, spiking: None, pixels, images, labels, program, delay: 0 };
        if on == Attacked::Snn {
            let spiking = converted(settings, &subject.model, &samples, cache, control)?;
            if settings.recipe.readout == Readout::Delayed(None) {
                let input = subject.pixels.ann_input(&subject.images);
                let ann = AnnRun::compute(&subject.program, &input, subject.labels.len(), control)?;
                subject.delay = readout_delay(&spiking, &ann, settings.recipe.steps).estimate;
            }
            let network = (&subject.program, spiking.as_ref());
            check_simulation("attack", network, subject.labels.len(), settings.recipe.steps)?;
            subject.spiking = Some(spiking);
        }
        Ok(subject)
    }

    /// Samples `range` of `run`, counted within it. Without labels the ANN's answers take their place.
    ///
    /// # Errors
    /// [`Error::Invalid`] for outputs that are not classes, and images outside [0, 1].
    pub fn of_run(run: &Run, on: Attacked, range: Range<usize>) -> Result<Self> {
        let (model, samples) = (run.network.clone(), &run.samples);
        check_kind(&model, samples)?;
        let pixels = space(samples, &run.settings.scaling, on)?;
        let first = run.settings.samples.start;
        let settings = Settings { samples: first + range.start..first + range.end, ..run.settings.clone() };
        let images = pixels.pixels(samples, settings.samples.clone())?;
        let labels = range.map(|k| run.labels.get(k).copied().unwrap_or(run.ann.prediction(k) as u16)).collect();
        let program = on_processor(&model.program);
        let spiking = (on == Attacked::Snn).then(|| run.spiking.clone());
        let delay = run.report.predictions.delay.unwrap_or(0);
        Ok(Self { settings, model, spiking, pixels, images, labels, program, delay })
    }

    /// Calls `go` with the attacked network as a target, with gradients by `rule` if it is the spiking one.
    ///
    /// # Errors
    /// That of `go`; [`Error::Invalid`] if the network has no gradient by `rule`.
    pub fn with_target<T>(&self, rule: GradientRule, go: impl FnOnce(&dyn Target) -> Result<T>) -> Result<T> {
        self.with_target_after(self.settings.recipe.steps, rule, go)
    }

    /// As [`Self::with_target`], with the answers of the spiking network after `steps` steps.
    ///
    /// # Errors
    /// As [`Self::with_target`].
    pub fn with_target_after<T>(
        &self,
        steps: usize,
        rule: GradientRule,
        go: impl FnOnce(&dyn Target) -> Result<T>,
    ) -> Result<T> {
        match &self.spiking {
            None => go(&self.ann()),
            Some(spiking) => {
                let read = steps_of(self.settings.recipe.readout, self.delay);
                go(&SnnTarget::new(&self.program, spiking, &self.pixels, steps, rule, &read)?)
            }
        }
    }

    /// The images with their labels.
    pub fn images(&self) -> Images<'_> {
        Images {
            pixels: &self.images,
            labels: &self.labels,
            width: self.pixels.len(),
            form: self.pixels.form(),
            first: self.settings.samples.start,
        }
    }

    /// The ANN as a target.
    pub fn ann(&self) -> AnnTarget<'_> {
        AnnTarget::new(&self.program, &self.pixels)
    }

    /// Runs `attack` by every rule of `choice`; a sample is robust only if all fail. On the ANN and without gradients there
    /// is one attack. After cancelling, the outcome has the samples that are finished.
    ///
    /// # Errors
    /// As [`attack`]; [`Error::Network`] where no gradient reaches the input.
    pub fn attack(
        &self,
        options: &Attack,
        choice: GradientChoice,
        given: Given<'_>,
        control: &JobControl,
    ) -> Result<(Outcome, Vec<RuleResult>)> {
        options.validate(self.pixels.form().range())?;
        if options.kind.needs_gradient() {
            let looked_at = self.labels.len().min(LOOKED_AT) * self.pixels.len();
            check_gradient_path(&self.program, &self.pixels.ann_input(&self.images[..looked_at]), control)?;
        }
        let images = self.images();
        if self.spiking.is_none() {
            let outcome = attack(options, &images, given, &self.ann(), control)?;
            return Ok((outcome, Vec::new()));
        }
        let mut rules = if options.kind.needs_gradient() { choice.rules() } else { vec![GradientRule::Rate] };
        if choice == GradientChoice::Worst {
            self.keep_defined(&mut rules);
        }
        let (mut joined, mut results): (Option<Outcome>, _) = (None, Vec::new());
        for rule in &rules {
            let outcome = match self.with_target(*rule, |target| attack(options, &images, given, target, control)) {
                Ok(outcome) => outcome,
                // What the rules before found stays.
                Err(Error::Cancelled) if joined.is_some() => break,
                Err(error) => return Err(error),
            };
            if outcome.samples.len() == images.labels.len() {
                results.push(RuleResult { rule: rule.as_str(), robust_accuracy: outcome.robust_accuracy() });
            }
            match &mut joined {
                Some(joined) => joined.join(&outcome),
                None => joined = Some(outcome),
            }
            if control.is_cancelled() {
                break;
            }
        }
        if !options.kind.needs_gradient() {
            results.clear();
        }
        joined.map(|joined| (joined, results)).ok_or(Error::Cancelled)
    }

    /// Keeps of `rules` those by which the attacked network has a gradient.
    pub fn keep_defined(&self, rules: &mut Vec<GradientRule>) {
        if let Some(spiking) = &self.spiking {
            rules.retain(|rule| missing_gradient(spiking, *rule).is_none());
        }
    }

    /// The logits that the attacked network gives for `pixels` `[N, F]`, `[N, classes]`.
    ///
    /// # Errors
    /// [`Error::Cancelled`], and those of the simulation.
    pub fn logits(&self, pixels: &[f32], control: &JobControl) -> Result<Vec<f32>> {
        self.with_target(GradientRule::Rate, |target| target.logits(pixels, control))
    }

    /// How much more malice moves the attacked network than chance, on its first samples.
    ///
    /// # Errors
    /// Those of the target.
    pub fn vulnerability(
        &self,
        rule: GradientRule,
        eps: f32,
        seed: u64,
        control: &JobControl,
    ) -> Result<Vulnerability> {
        let images = self.images();
        let count = images.labels.len().min(MEASURED);
        self.with_target(rule, |target| vulnerability(target, &images.block(0, count), eps, seed, control))
    }
}

/// Network and samples of `settings`, through the cache, with ranges that the samples have.
///
/// # Errors
/// Those of loading; [`Error::Invalid`] for a recipe or ranges that do not fit.
pub(in crate::experiment) fn load_sources(
    settings: &Settings,
    cache: &mut Cache,
    control: &JobControl,
) -> Result<(Arc<PreparedNetwork>, Arc<Samples>)> {
    settings.recipe.validate()?;
    control.progress("opening", 0.0);
    let model = load::load_network(settings, cache, control)?;
    let samples = load::load_samples(&settings.data, &model.original, cache, control)?;
    check_ranges(settings, &samples)?;
    Ok((model, samples))
}

/// The memory that a simulation of `samples` samples at once takes, checked for `what` is done.
///
/// # Errors
/// [`Error::Invalid`] where it does not fit.
pub(in crate::experiment) fn check_simulation(
    what: &'static str,
    (program, spiking): (&Program, &SpikingNetwork),
    samples: usize,
    steps: usize,
) -> Result<()> {
    let samples = samples.min(64);
    let plan = SimulationPlan { program, spiking, input: &[], samples, steps, previous: None, unchanged_layers: 0 };
    memory::check_memory(what, estimate_bytes(&plan), "Use fewer time-steps")
}

/// Whether `kind` reads gradients of the spiking network, so that a choice of rules matters.
pub fn takes_a_rule(kind: AttackKind, on: Attacked) -> bool {
    on == Attacked::Snn && kind.needs_gradient()
}

/// The pixels that `on` reads: of event recordings the ANN their mean over time, the spiking network one frame a step.
fn space(samples: &Samples, scaling: &Scaling, on: Attacked) -> Result<PixelSpace> {
    match on {
        Attacked::Ann => PixelSpace::new(samples, scaling),
        Attacked::Snn => PixelSpace::over_time(samples, scaling),
    }
}

/// Checks that samples of this kind can be attacked in this network.
fn check_kind(model: &PreparedNetwork, samples: &Samples) -> Result<()> {
    if !Classes::of(&model.original, &samples.labels).are() {
        return Err(Error::Invalid(format!(
            "Cannot attack network '{}': its outputs are not classes. Use a classifier.",
            model.original.name
        )));
    }
    Ok(())
}

/// The program on burn-flex, where gradients are taken.
pub(in crate::experiment) fn on_processor(program: &Program) -> Program {
    match program.runs_on_slices() {
        true => program.clone(),
        false => Program::new(program.network().clone(), &Device::flex()),
    }
}
