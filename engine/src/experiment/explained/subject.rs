//! What an attribution runs on: the network and samples of the settings as the network reads them.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use burn::tensor::Device;

use super::asked::{Explanation, ExplanationRequest, MethodMaps, TargetChoice};
use crate::attack::snn::GradientRule;
use crate::attack::snn::prefix_memory::PrefixMemory;
use crate::attack::{AnnTarget, ImageForm, PixelSpace, SnnTarget};
use crate::compute::AnnRun;
use crate::compute::program::Program;
use crate::convert::{Readout, SpikingNetwork};
use crate::data::scaling::ValueForm;
use crate::data::{Layout, Samples, Scaling};
use crate::error::format_shape;
use crate::experiment::attacked::Attacked;
use crate::experiment::attacked::readout::steps_of;
use crate::experiment::attacked::subject::{check_simulation, load_sources, on_processor};
use crate::experiment::cache::Cache;
use crate::experiment::prepare::converted;
use crate::experiment::run::{PreparedNetwork, Run};
use crate::experiment::settings::Settings;
use crate::explain::backward::node_maps::logits_of;
use crate::explain::{Explained, Request, explain};
use crate::measure::readout_delay::readout_delay;
use crate::network::{Network, outputs};
use crate::progress::JobControl;
use crate::task::classification::Classes;
use crate::{Error, Result};

/// A network with samples to explain it on.
pub struct ExplainSubject {
    /// Up to its logits; rewritten for the conversion if it is the spiking network that is explained.
    program: Program,
    spiking: Option<Arc<SpikingNetwork>>,
    /// Time steps and readout of the spiking network.
    steps: usize,
    readout: Readout,
    delay: usize,
    /// Simulations that other numbers of steps share.
    pub(super) memory: Option<PrefixMemory>,
    space: PixelSpace,
    layout: Layout,
    /// From the values of the data's file to those that the network reads.
    scaling: Scaling,
    full_scale: f32,
    max: f32,
    /// Whether outputs are classes, among which one is the answer.
    are_classes: bool,
    /// Shape of a sample.
    pub shape: Vec<usize>,
    /// Frames of event recordings, of which the mean over time is explained.
    pub frames: Option<usize>,
    /// `[N, F]`, as the network reads it.
    pub input: Vec<f32>,
    /// `[N]`, or empty without labels.
    pub labels: Vec<u16>,
    /// Index of the first sample in its data set: draws belong to it.
    pub first: usize,
}

impl ExplainSubject {
    /// Loads what `settings` name, through the cache; converts the network if it is the spiking one.
    ///
    /// # Errors
    /// Those of loading and converting.
    pub fn load(settings: &Settings, on: Attacked, cache: &mut Cache, control: &JobControl) -> Result<Self> {
        let (model, samples) = load_sources(settings, cache, control)?;
        Self::prepare(&model, &samples, settings, on, cache, control)
    }

    /// The network `model`, which no cache knows, on `samples`.
    ///
    /// # Errors
    /// As [`ExplainSubject::load`].
    pub fn of_network(
        model: &PreparedNetwork,
        samples: &Arc<Samples>,
        settings: &Settings,
        on: Attacked,
        control: &JobControl,
    ) -> Result<Self> {
        Self::prepare(model, samples, settings, on, &mut Cache::for_one_run(), control)
    }

    fn prepare(
        model: &PreparedNetwork,
        samples: &Arc<Samples>,
        settings: &Settings,
        on: Attacked,
        cache: &mut Cache,
        control: &JobControl,
    ) -> Result<Self> {
        let spiking = match on {
            Attacked::Ann => None,
            Attacked::Snn => Some(converted(settings, model, samples, cache, control)?),
        };
        let mut subject = Self::new(&model.original, &model.program, spiking, settings, samples)?;
        if let Some(spiking) = &subject.spiking {
            check_simulation("explain", (&subject.program, spiking), subject.len(), subject.steps)?;
            if subject.readout == Readout::Delayed(None) {
                let ann = AnnRun::compute(&subject.program, &subject.input, subject.len(), control)?;
                subject.delay = readout_delay(spiking, &ann, subject.steps).estimate;
            }
        }
        Ok(subject)
    }

    /// Samples `range` of `run`, counted within it, after `steps` steps of the spiking network.
    ///
    /// # Errors
    /// [`Error::Invalid`] for samples whose values the run no longer has.
    pub fn of_run(run: &Run, on: Attacked, range: Range<usize>, steps: usize) -> Result<Self> {
        let first = run.settings.samples.start;
        let mut settings = Settings { samples: first + range.start..first + range.end, ..run.settings.clone() };
        settings.recipe.steps = steps;
        let spiking = (on == Attacked::Snn).then(|| run.spiking.clone());
        let (model, samples) = (&run.network, &run.samples);
        let mut subject = Self::new(&model.original, &model.program, spiking, &settings, samples)?;
        subject.delay = run.report.predictions.delay.unwrap_or(0);
        Ok(subject)
    }

    fn new(
        original: &Arc<Network>,
        rewritten: &Program,
        spiking: Option<Arc<SpikingNetwork>>,
        settings: &Settings,
        samples: &Samples,
    ) -> Result<Self> {
        let range = settings.samples.clone();
        if samples.len() < range.end {
            return Err(Error::Invalid(format!(
                "Cannot explain {}: its values are no longer in memory. Open the data again.",
                samples.source
            )));
        }
        let program = match spiking {
            Some(_) => on_processor(rewritten),
            None => Program::new(logits_of(original), &Device::flex()),
        };
        Ok(Self {
            program,
            spiking,
            steps: settings.recipe.steps,
            readout: settings.recipe.readout,
            delay: 0,
            memory: None,
            space: PixelSpace::of_input(&samples.shape, samples.channels()),
            layout: samples.channels(),
            scaling: settings.scaling.clone(),
            full_scale: samples.full_scale,
            max: samples.max,
            are_classes: Classes::of(original, &samples.labels).are(),
            shape: samples.shape.clone(),
            frames: samples.frames.as_ref().map(|frames| frames.count),
            input: samples.scaled(range.clone(), &settings.scaling),
            labels: samples.labels.get(range.clone()).map(<[u16]>::to_vec).unwrap_or_default(),
            first: range.start,
        })
    }

    /// The ANN `network` on samples of `shape` given as it reads them, `[N, F]`.
    pub fn ann(network: &Arc<Network>, shape: &[usize], layout: Layout, input: Vec<f32>) -> Self {
        Self {
            program: Program::new(logits_of(network), &Device::flex()),
            spiking: None,
            steps: 1,
            readout: Readout::Sum,
            delay: 0,
            memory: None,
            space: PixelSpace::of_input(shape, layout),
            layout,
            scaling: Scaling::Unit,
            full_scale: 1.0,
            max: 1.0,
            are_classes: Classes::of(network, &[]).are(),
            shape: shape.to_vec(),
            frames: None,
            input,
            labels: Vec::new(),
            first: 0,
        }
    }

    /// The same network on other samples of the same shape, `[N, F]`, as it reads them.
    ///
    /// # Errors
    /// [`Error::Invalid`] for values that are no whole samples.
    pub fn with_samples(mut self, input: Vec<f32>, labels: Vec<u16>) -> Result<Self> {
        self.set_samples(input, labels)?;
        Ok(self)
    }

    /// Puts other samples of the same shape in place of its own, `[N, F]`, as the network reads them.
    ///
    /// # Errors
    /// [`Error::Invalid`] for values that are no whole samples.
    pub fn set_samples(&mut self, input: Vec<f32>, labels: Vec<u16>) -> Result<()> {
        let width = self.form().len().max(1);
        if input.is_empty() || !input.len().is_multiple_of(width) {
            let text = format!("Cannot explain {} values: a sample is {}.", input.len(), format_shape(&self.shape));
            return Err(Error::Invalid(text));
        }
        (self.input, self.labels, self.first) = (input, labels, 0);
        Ok(())
    }

    /// The subject with one simulation for all numbers of steps `at`, of which each is a prefix of the longest
    /// ([`is_prefix`](crate::experiment::preview::is_prefix)).
    pub fn sharing(self, at: &[usize]) -> Self {
        Self { memory: Some(PrefixMemory::new(at.to_vec())), ..self }
    }

    /// Explains the spiking network after `steps` steps from here on.
    pub fn set_steps(&mut self, steps: usize) {
        self.steps = steps;
    }

    /// Forgets shared simulations: other samples come.
    pub fn forget(&self) {
        if let Some(memory) = &self.memory {
            memory.clear();
        }
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.input.len() / self.form().len().max(1)
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the channels, rows and columns of a sample are.
    pub fn form(&self) -> ImageForm {
        self.space.form()
    }

    /// Scales `values` `[N, F]` from the units of the data's file, as the samples are.
    pub fn scaled(&self, mut values: Vec<f32>) -> Vec<f32> {
        let (shape, layout) = (self.shape.as_slice(), self.layout);
        self.scaling.apply(&mut values, &ValueForm { shape, layout, full_scale: self.full_scale, max: self.max });
        values
    }

    /// Whether the outputs are classes, among which one is the answer.
    pub fn are_classes(&self) -> bool {
        self.are_classes
    }

    /// Time steps of the spiking network; `None` for the ANN.
    pub fn steps(&self) -> Option<usize> {
        self.spiking.as_ref().map(|_| self.steps)
    }

    /// The network's graph, as it is explained.
    pub fn network(&self) -> &Arc<Network> {
        self.program.network()
    }

    /// Calls `go` with the network, with gradients by `rule` if it is the spiking one.
    ///
    /// # Errors
    /// That of `go`; [`Error::Invalid`] if the network has no gradient by `rule`.
    pub fn with_network<T>(&self, rule: GradientRule, go: impl FnOnce(&Explained<'_>) -> Result<T>) -> Result<T> {
        let network = self.program.network().clone();
        match &self.spiking {
            None => go(&Explained::ann(&AnnTarget::new(&self.program, &self.space), network)),
            Some(spiking) => {
                let read = steps_of(self.readout, self.delay);
                let target = SnnTarget::new(&self.program, spiking, &self.space, self.steps, rule, &read)?;
                go(&Explained::snn(&target.with_memory(self.memory.as_ref()), network))
            }
        }
    }

    /// The maps of all methods; `finished` hears of each. After cancelling, those that are done.
    ///
    /// # Errors
    /// [`Error::Cancelled`] if nothing is done yet; [`Error::Invalid`] for a target, options or methods that do not fit; those
    /// of the network.
    pub fn explain(
        &self,
        asked: &ExplanationRequest,
        control: &JobControl,
        finished: &mut dyn FnMut(&MethodMaps),
    ) -> Result<Explanation> {
        self.with_network(asked.rule, |network| {
            let logits = network.target().logits(&self.input, &control.without_events())?;
            let rows = || logits.chunks_exact(network.classes().max(1));
            let answers: Vec<usize> = rows().map(outputs::argmax).collect();
            let targets = self.targets(asked.target, &answers, network.classes())?;
            let logits = rows().zip(&targets).map(|(row, &target)| row[target]).collect();
            let maps = self.maps(network, asked, &targets, control, finished)?;
            let stopped = maps.len() < asked.methods.len();
            Ok(Explanation { targets, answers, logits, maps, stopped })
        })
    }

    /// The maps of all methods for outputs that are given, `[N]`.
    ///
    /// # Errors
    /// As [`ExplainSubject::explain`].
    pub fn explain_targets(
        &self,
        asked: &ExplanationRequest,
        targets: &[usize],
        control: &JobControl,
    ) -> Result<Vec<MethodMaps>> {
        self.with_network(asked.rule, |network| self.maps(network, asked, targets, control, &mut |_| ()))
    }

    fn maps(
        &self,
        network: &Explained<'_>,
        asked: &ExplanationRequest,
        targets: &[usize],
        control: &JobControl,
        finished: &mut dyn FnMut(&MethodMaps),
    ) -> Result<Vec<MethodMaps>> {
        let zero = vec![0.0; self.form().len()];
        let request = Request {
            input: &self.input,
            targets,
            form: self.form(),
            baselines: asked.baselines.as_deref().unwrap_or(&zero),
            first: self.first,
        };
        let mut maps: Vec<MethodMaps> = Vec::new();
        for &method in &asked.methods {
            let begun = Instant::now();
            match explain(method, network, &request, &asked.options, control) {
                Ok(of_method) => {
                    let seconds = begun.elapsed().as_secs_f64();
                    maps.push(MethodMaps { method, maps: of_method, seconds });
                    finished(&maps[maps.len() - 1]);
                }
                // What the methods before found stays.
                Err(Error::Cancelled) if !maps.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        Ok(maps)
    }

    /// The explained output of every sample.
    pub(super) fn targets(&self, choice: TargetChoice, answers: &[usize], classes: usize) -> Result<Vec<usize>> {
        let invalid = |text: &str| Err(Error::Invalid(text.into()));
        match choice {
            TargetChoice::Output(target) if target >= classes => Err(Error::Invalid(format!(
                "Cannot explain target {target}: the network has {classes} outputs. Use a number from 0 to {}.",
                classes.saturating_sub(1)
            ))),
            TargetChoice::Output(target) => Ok(vec![target; answers.len()]),
            _ if !self.are_classes => invalid(
                "Cannot explain the answer of this network: its outputs are not classes. Choose the number of an output \
                 value as target (--target N).",
            ),
            TargetChoice::Answer => Ok(answers.to_vec()),
            TargetChoice::Label if self.labels.len() < answers.len() => {
                invalid("Cannot explain the label: the samples have none. Use --target answer, or a number.")
            }
            // A single value is the score of class 1.
            TargetChoice::Label => Ok(self.labels.iter().map(|&label| usize::from(label).min(classes - 1)).collect()),
        }
    }
}
