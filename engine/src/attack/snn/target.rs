//! The converted network as a target: the event engine answers, a rule gives the gradient.

use std::ops::Range;
use std::sync::OnceLock;

use burn::tensor::Tensor;
use rayon::prelude::*;

use super::neurons::Neurons;
use super::prefix_memory::PrefixMemory;
use super::rate::{Window, rate};
use super::rule::GradientRule;
use super::through_time::through_time;
use crate::attack::pixels::PixelSpace;
use crate::attack::target::{AnnTarget, Slope, Slopes, Target};
use crate::compute::input_gradient::InputGradients;
use crate::compute::program::Program;
use crate::convert::{MaxPoolRule, Reset, SpikingLayer, SpikingNetwork};
use crate::network::NodeId;
use crate::progress::JobControl;
use crate::simulate::{LayerRecording, Recording};
use crate::{Error, Result};

/// Values of all layers over all steps that one batch of gradients may hold.
const MAX_VALUES: usize = 1 << 24;
/// Samples that are simulated at once.
const MAX_SAMPLES: usize = 64;

/// The steps whose mean readout are the logits of one sample of a recording after some of its steps, by the recipe's readout.
pub type ReadoutSteps<'a> = dyn Fn(&Recording, usize, usize) -> Range<usize> + Sync + 'a;

/// What the neurons of one layer do in the mean over time.
#[derive(Clone, Debug)]
pub struct LayerRates {
    /// The activation that they stand in for.
    pub node: NodeId,
    /// Mean output θ·count/T, `[N, F]`.
    pub rates: Vec<f32>,
    /// Where they pass a gradient of their mean input.
    pub window: Window,
    /// Which of them a correction silences, `[N, F]`, so that they pass none; empty without such a correction.
    pub silenced: Vec<bool>,
}

/// The spiking network.
pub struct SnnTarget<'a> {
    pub(super) program: &'a Program,
    pub(super) spiking: &'a SpikingNetwork,
    pub(super) pixels: &'a PixelSpace,
    pub(super) steps: usize,
    rule: GradientRule,
    pub(super) read: &'a ReadoutSteps<'a>,
    ann: AnnTarget<'a>,
    gradients: OnceLock<InputGradients>,
    pub(super) memory: Option<&'a PrefixMemory>,
}

impl<'a> SnnTarget<'a> {
    /// `spiking` over `steps` steps for images of `pixels`; `read` tells which
    /// steps of its recordings answer.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the network has no gradient by `rule`.
    pub fn new(
        program: &'a Program,
        spiking: &'a SpikingNetwork,
        pixels: &'a PixelSpace,
        steps: usize,
        rule: GradientRule,
        read: &'a ReadoutSteps<'a>,
    ) -> Result<Self> {
        if let Some(reason) = missing_gradient(spiking, rule) {
            return Err(Error::Invalid(format!(
                "Cannot take a surrogate gradient through time: {reason}, and it is defined for integrate-and-fire \
                 neurons alone. Use gradient rate, straight-through or ann."
            )));
        }
        let ann = AnnTarget::new(program, pixels);
        Ok(Self { program, spiking, pixels, steps, rule, read, ann, gradients: OnceLock::new(), memory: None })
    }

    /// Shares simulations with targets of the same network after other numbers of steps.
    pub fn with_memory(self, memory: Option<&'a PrefixMemory>) -> Self {
        Self { memory, ..self }
    }

    pub(super) fn read_all(&self, recording: &Recording, steps: usize) -> Vec<f32> {
        let of_sample = |sample: usize| {
            let Range { start, end } = (self.read)(recording, sample, steps);
            let mut sums = recording.readout_at(end, sample).to_vec();
            if start > 0 {
                sums.iter_mut().zip(recording.readout_at(start, sample)).for_each(|(sum, before)| *sum -= before);
            }
            sums.iter_mut().for_each(|sum| *sum /= (end - start) as f32);
            sums
        };
        (0..recording.samples).flat_map(of_sample).collect()
    }

    /// The neurons in place of activation `node` for samples `first..first + rows` of `recording`.
    fn neurons(
        &self,
        node: NodeId,
        z: Tensor<2>,
        (recording, steps): (&Recording, usize),
        first: usize,
        rows: usize,
    ) -> Tensor<2> {
        let Some(index) = self.spiking.layers.iter().position(|layer| layer.node == node) else { return z };
        let (layer, record) = (&self.spiking.layers[index], &recording.layers[index]);
        let samples = first..first + rows;
        if let GradientRule::ThroughTime(surrogate) = self.rule {
            let start = samples.clone().flat_map(|sample| match &record.v_init {
                Some(start) => start[sample * layer.neurons()..(sample + 1) * layer.neurons()].to_vec(),
                None => layer.v_init_all(),
            });
            let start = start.collect();
            let silenced = silenced(record, samples);
            return through_time(z, &Neurons::new(layer, start, silenced, steps, surrogate));
        }
        let rates = samples.clone().flat_map(|sample| self.rates_of((recording, steps), index, sample));
        rate(z, rates.collect(), self.window_of(layer), silenced(record, samples))
    }

    /// The mean output of every neuron of layer `index` over `steps` steps for one sample, `[F]`.
    fn rates_of(&self, (recording, steps): (&Recording, usize), index: usize, sample: usize) -> Vec<f32> {
        let (layer, record) = (&self.spiking.layers[index], &recording.layers[index]);
        let mut counts = vec![0u32; layer.neurons()];
        record.spikes.add_counts(steps, sample, &mut counts);
        let each = counts.into_iter().zip(layer.amplitudes());
        // A signed neuron's count is a difference that is never below 0.
        each.map(|(count, amplitude)| count as i32 as f32 * amplitude / steps as f32).collect()
    }

    fn window_of(&self, layer: &SpikingLayer) -> Window {
        match self.rule {
            GradientRule::StraightThrough => Window::All,
            _ => window(layer),
        }
    }

    /// The mean outputs of all spiking layers for `input` (`[N, F]`, scaled), and where their neurons pass a gradient.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`], and those of the simulation.
    pub fn layer_rates(&self, input: &[f32], control: &JobControl) -> Result<Vec<LayerRates>> {
        let mut all: Vec<LayerRates> = Vec::new();
        for block in input.chunks(MAX_SAMPLES * self.pixels.len().max(1)) {
            let recording = self.record(block, block.len() / self.pixels.len().max(1), control)?;
            for (index, layer) in self.spiking.layers.iter().enumerate() {
                let rates =
                    (0..recording.samples).flat_map(|sample| self.rates_of((&recording, self.steps), index, sample));
                let silenced = silenced(&recording.layers[index], 0..recording.samples);
                match all.get_mut(index) {
                    Some(known) => {
                        known.rates.extend(rates);
                        known.silenced.extend(silenced);
                    }
                    None => {
                        let (node, window) = (layer.node, self.window_of(layer));
                        all.push(LayerRates { node, rates: rates.collect(), window, silenced });
                    }
                }
            }
        }
        Ok(all)
    }

    /// The gradient for samples `first..first + rows` of `recording` after `steps` steps.
    fn batch(&self, (recording, steps): (&Recording, usize), input: &[f32], first: usize, slopes: &[f32]) -> Vec<f32> {
        let (gradients, pixels) = (self.gradients(), self.pixels);
        let (classes, rows) = (self.classes().max(1), slopes.len() / self.classes().max(1));
        let neurons = |node: NodeId, z: Tensor<2>| self.neurons(node, z, (recording, steps), first, rows);
        let through_time = matches!(self.rule, GradientRule::ThroughTime(_)) && pixels.frames() > 1;
        // Frames are read one a step, by rates their mean.
        let (shown, shown_rows) = match through_time {
            true => (pixels.by_step(input, steps), rows * steps),
            false => (pixels.mean(input, steps), rows),
        };
        let gradient = gradients.through(&shown, shown_rows, &neurons, |_, out| {
            if out.len() == slopes.len() {
                // By rates, or an output without spikes before it, which is the same at every step.
                return out.copy_from_slice(slopes);
            }
            // Each step that answers has its share of the mean.
            let read: Vec<Range<usize>> =
                (first..first + rows).map(|sample| (self.read)(recording, sample, steps)).collect();
            for (t, step) in out.chunks_exact_mut(rows * classes).enumerate() {
                let each = step.chunks_exact_mut(classes).zip(slopes.chunks_exact(classes)).zip(&read);
                for ((out, slopes), read) in each {
                    let share = if read.contains(&t) { 1.0 / read.len() as f32 } else { 0.0 };
                    out.iter_mut().zip(slopes).for_each(|(out, slope)| *out = slope * share);
                }
            }
        });
        if through_time { pixels.of_steps(&gradient, rows) } else { pixels.of_mean(gradient, steps) }
    }

    /// The gradient and the logits of `recording` of `input` (`[rows, F]`, scaled) after `steps` steps; `slope` counts rows
    /// from `first`.
    pub(super) fn slopes(
        &self,
        (recording, steps): (&Recording, usize),
        input: &[f32],
        (first, slope): (usize, &Slope<'_>),
        control: &JobControl,
    ) -> Result<Slopes> {
        let (width, classes) = (self.pixels.len().max(1), self.classes().max(1));
        let logits = self.read_all(recording, steps);
        let slopes = slopes_of(&logits, classes, first, slope);
        let rows = self.batch_rows(steps);
        let batches = input.par_chunks(rows * width).zip(slopes.par_chunks(rows * classes)).enumerate();
        let of_batch = |(k, (input, slopes)): (usize, (&[f32], &[f32]))| {
            control.check()?;
            Ok(self.batch((recording, steps), input, k * rows, slopes))
        };
        let parts = batches.map(of_batch).collect::<Result<Vec<Vec<f32>>>>()?;
        Ok(Slopes { gradient: parts.concat(), logits })
    }

    fn gradients(&self) -> &InputGradients {
        self.gradients.get_or_init(|| InputGradients::for_neurons(self.program.network().clone()))
    }

    /// Samples in one batch of gradients.
    fn batch_rows(&self, steps: usize) -> usize {
        match self.rule {
            GradientRule::ThroughTime(_) => {
                let values: usize = self.spiking.layers.iter().map(SpikingLayer::neurons).sum();
                (MAX_VALUES / (values * steps).max(1)).clamp(1, self.gradients().rows())
            }
            _ => self.gradients().rows(),
        }
    }
}

/// The slopes of all rows of `logits`, which `slope` counts from `first`.
pub(super) fn slopes_of(logits: &[f32], classes: usize, first: usize, slope: &Slope<'_>) -> Vec<f32> {
    let mut slopes = vec![0.0; logits.len()];
    let each = slopes.chunks_exact_mut(classes).zip(logits.chunks_exact(classes)).enumerate();
    each.for_each(|(k, (slopes, logits))| slope(first + k, logits, slopes));
    slopes
}

/// Why `spiking` has no gradient by `rule`; `None` if it has one.
pub fn missing_gradient(spiking: &SpikingNetwork, rule: GradientRule) -> Option<String> {
    let GradientRule::ThroughTime(_) = rule else { return None };
    match (spiking.layers.iter().find(|layer| !layer.neuron.integrates_and_fires()), spiking.pooling) {
        (Some(layer), _) => Some(format!("layer '{}' has neurons '{}'", layer.name, layer.neuron)),
        (None, MaxPoolRule::Lateral) => Some("lateral max pools have a state of their own".into()),
        (None, MaxPoolRule::PreNeuron) => None,
    }
}

/// Whether a correction silences each neuron, `[samples, F]`; empty without one.
fn silenced(record: &LayerRecording, samples: Range<usize>) -> Vec<bool> {
    if record.silenced.is_none() {
        return Vec::new();
    }
    let neurons = record.spikes.neurons();
    samples.flat_map(|sample| (0..neurons).map(move |neuron| record.silenced(sample, neuron))).collect()
}

/// Where the neurons of `layer` pass the gradient of their mean input.
fn window(layer: &SpikingLayer) -> Window {
    let hard = layer.reset == Reset::Hard;
    let upper = (0..layer.neurons()).map(|i| layer.saturation_of(i) * if hard { 2.0 } else { 1.0 });
    let added = (0..layer.neurons()).map(|i| layer.bias_of(i) + layer.bias_shift * layer.theta_of(i));
    Window::Ramp { upper: upper.collect(), added: added.collect(), share: if hard { 0.5 } else { 1.0 } }
}

impl Target for SnnTarget<'_> {
    fn classes(&self) -> usize {
        self.program.network().classes()
    }

    fn logits(&self, pixels: &[f32], control: &JobControl) -> Result<Vec<f32>> {
        let width = self.pixels.len().max(1);
        let mut logits = Vec::with_capacity(pixels.len() / width * self.classes());
        for block in pixels.chunks(MAX_SAMPLES * width) {
            logits.extend(self.answers(&self.pixels.scaled(block), block.len() / width, control)?);
        }
        Ok(logits)
    }

    fn gradient_of(&self, pixels: &[f32], slope: &Slope<'_>, control: &JobControl) -> Result<Slopes> {
        if self.rule == GradientRule::Ann {
            // The ANN's gradient with the spiking network's answers.
            let slopes = self.ann.gradient_of(pixels, slope, control)?;
            return Ok(Slopes { logits: self.logits(pixels, control)?, ..slopes });
        }
        let width = self.pixels.len().max(1);
        let (mut gradient, mut logits) = (Vec::with_capacity(pixels.len()), Vec::new());
        for (index, block) in pixels.chunks(MAX_SAMPLES * width).enumerate() {
            let input = self.pixels.scaled(block);
            let of_block = self.shared_slopes(&input, (index * MAX_SAMPLES, slope), control)?;
            gradient.extend(of_block.gradient);
            logits.extend(of_block.logits);
        }
        self.pixels.to_pixels(&mut gradient);
        Ok(Slopes { gradient, logits })
    }
}
