//! The converted network as a target: the event engine answers, a rule gives the gradient.

use std::sync::{Arc, OnceLock};

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
use crate::simulate::{Recording, SimulationPlan, simulate};
use crate::{Error, Result};

/// Values of all layers over all steps that one batch of gradients may hold.
const MAX_VALUES: usize = 1 << 24;
/// Samples that are simulated at once.
const MAX_SAMPLES: usize = 64;

/// The logits of one sample of a recording after some of its steps, by the recipe's readout.
pub type ReadLogits<'a> = dyn Fn(&Recording, usize, usize) -> Vec<f32> + Sync + 'a;

/// What the neurons of one layer do in the mean over time.
#[derive(Clone, Debug)]
pub struct LayerRates {
    /// The activation that they stand in for.
    pub node: NodeId,
    /// Mean output θ·count/T, `[N, F]`.
    pub rates: Vec<f32>,
    /// Where they pass a gradient of their mean input.
    pub window: Window,
}

/// The spiking network.
pub struct SnnTarget<'a> {
    program: &'a Program,
    spiking: &'a SpikingNetwork,
    pixels: &'a PixelSpace,
    steps: usize,
    rule: GradientRule,
    read: &'a ReadLogits<'a>,
    ann: AnnTarget<'a>,
    gradients: OnceLock<InputGradients>,
    memory: Option<&'a PrefixMemory>,
}

impl<'a> SnnTarget<'a> {
    /// `spiking` over `steps` steps for images of `pixels`; `read` decodes its recordings.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the network has no gradient by `rule`.
    pub fn new(
        program: &'a Program,
        spiking: &'a SpikingNetwork,
        pixels: &'a PixelSpace,
        steps: usize,
        rule: GradientRule,
        read: &'a ReadLogits<'a>,
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

    /// A recording of `input` (`[rows, F]`, scaled) over the steps or more.
    fn record(&self, input: &[f32], rows: usize, control: &JobControl) -> Result<Arc<Recording>> {
        let shared = self.memory.and_then(|memory| Some((memory, memory.longest(self.steps)?)));
        let Some((memory, longest)) = shared else {
            return Ok(Arc::new(self.simulated(input, rows, self.steps, control)?));
        };
        if let Some(known) = memory.recording(input) {
            return Ok(known);
        }
        let bits: usize = self.spiking.layers.iter().map(|layer| layer.neurons() * (longest + 64)).sum();
        if !memory.has_room(rows * bits / 8) {
            return Ok(Arc::new(self.simulated(input, rows, self.steps, control)?));
        }
        let recording = Arc::new(self.simulated(input, rows, longest, control)?);
        memory.keep_recording(input, recording.clone());
        Ok(recording)
    }

    /// The logits for `input` (`[rows, F]`, scaled).
    fn answers(&self, input: &[f32], rows: usize, control: &JobControl) -> Result<Vec<f32>> {
        let shared = self.memory.and_then(|memory| Some((memory, memory.longest(self.steps)?)));
        let Some((memory, longest)) = shared else {
            return Ok(self.read_all(&self.simulated(input, rows, self.steps, control)?, self.steps));
        };
        if let Some(known) = memory.answers(input, self.steps) {
            return Ok(known);
        }
        let recording = match memory.recording(input) {
            Some(known) => known,
            None => Arc::new(self.simulated(input, rows, longest, control)?),
        };
        for &steps in memory.at() {
            memory.keep_answers(input, steps, self.read_all(&recording, steps));
        }
        Ok(self.read_all(&recording, self.steps))
    }

    /// Simulates `input` (`[rows, F]`, scaled).
    fn simulated(&self, input: &[f32], rows: usize, steps: usize, control: &JobControl) -> Result<Recording> {
        let plan = SimulationPlan {
            program: self.program,
            spiking: self.spiking,
            input,
            samples: rows,
            steps,
            previous: None,
            unchanged_layers: 0,
        };
        simulate(&plan, control)
    }

    fn read_all(&self, recording: &Recording, steps: usize) -> Vec<f32> {
        (0..recording.samples).flat_map(|sample| (self.read)(recording, sample, steps)).collect()
    }

    /// The neurons in place of activation `node` for samples `first..first + rows` of `recording`.
    fn neurons(&self, node: NodeId, z: Tensor<2>, recording: &Recording, first: usize, rows: usize) -> Tensor<2> {
        let Some(index) = self.spiking.layers.iter().position(|layer| layer.node == node) else { return z };
        let (layer, record) = (&self.spiking.layers[index], &recording.layers[index]);
        let samples = first..first + rows;
        if let GradientRule::ThroughTime(surrogate) = self.rule {
            let start = samples.clone().flat_map(|sample| match &record.v_init {
                Some(start) => start[sample * layer.neurons()..(sample + 1) * layer.neurons()].to_vec(),
                None => layer.v_init_all(),
            });
            let start = start.collect();
            let silenced = match &record.silenced {
                Some(_) => samples
                    .flat_map(|sample| (0..layer.neurons()).map(move |neuron| record.silenced(sample, neuron)))
                    .collect(),
                None => Vec::new(),
            };
            return through_time(z, &Neurons::new(layer, start, silenced, self.steps, surrogate));
        }
        let rates = samples.flat_map(|sample| self.rates_of(recording, index, sample));
        rate(z, rates.collect(), self.window_of(layer))
    }

    /// The mean output of every neuron of layer `index` for one sample, `[F]`.
    fn rates_of(&self, recording: &Recording, index: usize, sample: usize) -> Vec<f32> {
        let (layer, record) = (&self.spiking.layers[index], &recording.layers[index]);
        let mut counts = vec![0u32; layer.neurons()];
        record.spikes.add_counts(self.steps, sample, &mut counts);
        let each = counts.into_iter().zip(layer.amplitudes());
        // A signed neuron's count is a difference that is never below 0.
        each.map(|(count, amplitude)| count as i32 as f32 * amplitude / self.steps as f32).collect()
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
                let rates = (0..recording.samples).flat_map(|sample| self.rates_of(&recording, index, sample));
                match all.get_mut(index) {
                    Some(known) => known.rates.extend(rates),
                    None => {
                        let (node, window) = (layer.node, self.window_of(layer));
                        all.push(LayerRates { node, rates: rates.collect(), window });
                    }
                }
            }
        }
        Ok(all)
    }

    /// The gradient for samples `first..first + rows` of `recording`.
    fn batch(&self, recording: &Recording, input: &[f32], first: usize, slopes: &[f32]) -> Vec<f32> {
        let (gradients, pixels) = (self.gradients(), self.pixels);
        let (classes, rows) = (self.classes().max(1), slopes.len() / self.classes().max(1));
        let neurons = |node: NodeId, z: Tensor<2>| self.neurons(node, z, recording, first, rows);
        let through_time = matches!(self.rule, GradientRule::ThroughTime(_)) && pixels.frames() > 1;
        // Frames are read one a step, by rates their mean.
        let (shown, shown_rows) = match through_time {
            true => (pixels.by_step(input, self.steps), rows * self.steps),
            false => (pixels.mean(input, self.steps), rows),
        };
        let gradient = gradients.through(&shown, shown_rows, &neurons, |_, out| {
            // Each step has its share of the mean; an output without spikes before it is the same at every step.
            let times = (out.len() / slopes.len().max(1)).max(1);
            let share = 1.0 / times as f32;
            for step in out.chunks_exact_mut(rows * classes) {
                step.iter_mut().zip(slopes).for_each(|(out, slope)| *out = slope * share);
            }
        });
        if through_time { pixels.of_steps(&gradient, rows) } else { pixels.of_mean(gradient, self.steps) }
    }

    fn gradients(&self) -> &InputGradients {
        self.gradients.get_or_init(|| InputGradients::for_neurons(self.program.network().clone()))
    }

    /// Samples in one batch of gradients.
    fn batch_rows(&self) -> usize {
        match self.rule {
            GradientRule::ThroughTime(_) => {
                let values: usize = self.spiking.layers.iter().map(SpikingLayer::neurons).sum();
                (MAX_VALUES / (values * self.steps).max(1)).clamp(1, self.gradients().rows())
            }
            _ => self.gradients().rows(),
        }
    }
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
        let (width, classes) = (self.pixels.len().max(1), self.classes().max(1));
        let (mut gradient, mut logits) = (Vec::with_capacity(pixels.len()), Vec::new());
        for (index, block) in pixels.chunks(MAX_SAMPLES * width).enumerate() {
            let input = self.pixels.scaled(block);
            let recording = self.record(&input, block.len() / width, control)?;
            let own = self.read_all(&recording, self.steps);
            let mut slopes = vec![0.0; own.len()];
            let each = slopes.chunks_exact_mut(classes).zip(own.chunks_exact(classes)).enumerate();
            each.for_each(|(k, (slopes, logits))| slope(index * MAX_SAMPLES + k, logits, slopes));
            let rows = self.batch_rows();
            let batches = input.par_chunks(rows * width).zip(slopes.par_chunks(rows * classes)).enumerate();
            let parts: Vec<Vec<f32>> = batches
                .map(|(k, (input, slopes))| {
                    control.check()?;
                    Ok(self.batch(&recording, input, k * rows, slopes))
                })
                .collect::<Result<_>>()?;
            gradient.extend(parts.into_iter().flatten());
            logits.extend(own);
        }
        self.pixels.to_pixels(&mut gradient);
        Ok(Slopes { gradient, logits })
    }
}
