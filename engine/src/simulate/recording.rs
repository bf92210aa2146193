//! Recording of a run: spikes as bits, mean inputs, final potentials, readout at every step.

use std::ops::Range;
use std::sync::Arc;

use super::spike_train::SpikeTrain;
use crate::compute::simd::dispatch;
use crate::compute::simd::isa::{Isa, Kernel};
use crate::compute::simd::transpose::transpose;
use crate::convert::{Correction, NeuronModel, Reset, SpikingLayer, SpikingNetwork};
use crate::network::predicted_class;

/// One spiking layer's part of a recording.
#[derive(Clone, Debug)]
pub struct LayerRecording {
    pub spikes: SpikeTrain,
    /// Mean input current ẑ over the T steps, `[N, F]` in the order of the bits, in units of the ANN's pre-activation.
    /// Empty if it follows from counts and potentials ([`LayerRecording::mean_inputs`]), and if the final state was
    /// discarded ([`Recording::without_final_state`]).
    pub mean_input: Arc<Vec<f32>>,
    /// Membrane potential after the last step v(T), `[N, F]` in the order of the bits; empty likewise.
    pub potential: Arc<Vec<f32>>,
    /// v(0) per sample, `[N, F]`, where a correction shifted it (COS).
    pub v_init: Option<Vec<f32>>,
    /// Neurons whose output a correction silences (SRP), one step of bits. They integrate, fire and reset nevertheless.
    pub silenced: Option<SpikeTrain>,
}

impl LayerRecording {
    /// v(0) of `neuron` (index in the flattened layer) for `sample`.
    pub fn start_of(&self, layer: &SpikingLayer, sample: usize, neuron: usize) -> f32 {
        self.v_init.as_ref().map_or_else(|| layer.v_init_of(neuron), |start| start[sample * layer.neurons() + neuron])
    }
    /// v(T) of every neuron for `sample`, `[F]`; `None` if the final state was discarded.
    pub fn potentials(&self, sample: usize) -> Option<Vec<f32>> {
        self.in_neuron_order(&self.potential, sample)
    }
    /// v(T) of `neuron` for `sample`; `None` if the final state was discarded.
    pub fn potential_of(&self, sample: usize, neuron: usize) -> Option<f32> {
        self.potential.get(sample * self.spikes.neurons() + self.spikes.bit_index(neuron)).copied()
    }
    /// The mean input current of every neuron over the T steps for `sample`, `[F]`; `None` if the final state was
    /// discarded.
    ///
    /// For the integrate-and-fire neuron with soft reset it is `(v(T) − v(0) + θ·n)/T`, less the shift of the bias, and
    /// thus equal to the sum of the currents over T up to rounding. Where that does not hold it is the sum: after a
    /// hard reset or a correction and for other neurons. An input that never changes is the mean itself.
    pub fn mean_inputs(&self, layer: &SpikingLayer, sample: usize) -> Option<Vec<f32>> {
        let mut counts = vec![0; self.spikes.neurons()];
        self.spikes.add_counts(self.spikes.steps(), sample, &mut counts);
        self.mean_inputs_of_counts(layer, sample, &counts)
    }
    /// Like [`LayerRecording::mean_inputs`], with the counts of every neuron over the T steps.
    pub fn mean_inputs_of_counts(&self, layer: &SpikingLayer, sample: usize, counts: &[u32]) -> Option<Vec<f32>> {
        if !self.mean_input.is_empty() {
            return self.in_neuron_order(&self.mean_input, sample);
        }
        let mut means = self.potentials(sample)?;
        let steps = self.spikes.steps();
        let per_channel = layer.neurons_per_channel().max(1);
        let channels = means.chunks_mut(per_channel).zip(counts.chunks(per_channel));
        for (c, (means, counts)) in channels.enumerate() {
            let first = c * per_channel;
            let theta = layer.theta_of(first);
            if self.v_init.is_none() && layer.v_init_values.is_none() {
                let start = self.start_of(layer, sample, first);
                dispatch(MeanInputs { means, counts, start, theta, steps, shift: layer.bias_shift });
            } else {
                for (k, (mean, &count)) in means.iter_mut().zip(counts).enumerate() {
                    let start = self.start_of(layer, sample, first + k);
                    *mean = mean_input(*mean, start, theta, count, steps, layer.bias_shift);
                }
            }
        }
        Some(means)
    }
    /// The mean input current of `neuron` over the T steps for `sample`; `None` if the final state was discarded.
    pub fn mean_input_of(&self, layer: &SpikingLayer, sample: usize, neuron: usize) -> Option<f32> {
        let index = sample * self.spikes.neurons() + self.spikes.bit_index(neuron);
        if let Some(&mean) = self.mean_input.get(index) {
            return Some(mean);
        }
        let (potential, steps) = (*self.potential.get(index)?, self.spikes.steps());
        let count = (0..steps).map(|t| self.spikes.value(t, sample, neuron)).sum::<i32>() as u32;
        let start = self.start_of(layer, sample, neuron);
        Some(mean_input(potential, start, layer.theta_of(neuron), count, steps, layer.bias_shift))
    }
    /// The values of `sample` in `values`, `[N, F]` in the order of the bits, in the order of the neurons.
    fn in_neuron_order(&self, values: &[f32], sample: usize) -> Option<Vec<f32>> {
        let neurons = self.spikes.neurons();
        let own = values.get(sample * neurons..(sample + 1) * neurons)?;
        let mut out = vec![0.0; neurons];
        let (channels, places) = self.spikes.shape();
        transpose(own, [places, channels], &mut out);
        Some(out)
    }
    /// The samples `range` alone.
    fn part(&self, range: Range<usize>) -> Self {
        let width = self.spikes.neurons();
        let of = |values: &[f32]| match values {
            [] => Vec::new(),
            values => values[range.start * width..range.end * width].to_vec(),
        };
        Self {
            spikes: self.spikes.part(range.clone()),
            mean_input: Arc::new(of(&self.mean_input)),
            potential: Arc::new(of(&self.potential)),
            v_init: self.v_init.as_deref().map(of),
            silenced: self.silenced.as_ref().map(|bits| bits.part(range.clone())),
        }
    }
    /// Whether the output of `neuron` is silenced for `sample`.
    pub fn silenced(&self, sample: usize, neuron: usize) -> bool {
        self.silenced.as_ref().is_some_and(|bits| bits.fired(0, sample, neuron))
    }
}

/// Whether the mean input of `layer` follows from counts and potentials, unless it never changes.
pub fn derives_mean_input(layer: &SpikingLayer, correction: Correction) -> bool {
    layer.neuron == NeuronModel::If && layer.reset == Reset::Soft && matches!(correction, Correction::None)
}

/// Mean inputs in place of the potentials v(T) of neurons that share v(0) and θ.
struct MeanInputs<'a> {
    means: &'a mut [f32],
    counts: &'a [u32],
    start: f32,
    theta: f32,
    steps: usize,
    shift: f32,
}

impl Kernel for MeanInputs<'_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { means, counts, start, theta, steps, shift } = self;
        for (mean, &count) in means.iter_mut().zip(counts) {
            *mean = mean_input(*mean, start, theta, count, steps, shift);
        }
    }
}

/// `(v(T) − v(0) + θ·n)/T − shift·θ`.
#[inline(always)]
fn mean_input(potential: f32, start: f32, theta: f32, count: u32, steps: usize, shift: f32) -> f32 {
    // Counts are below 2^24.
    (potential - start + theta * count as i32 as f32) / steps.max(1) as f32 - shift * theta
}

/// A finished run of T steps over N samples.
#[derive(Clone, Debug)]
pub struct Recording {
    pub steps: usize,
    pub samples: usize,
    pub classes: usize,
    /// One per spiking layer, in network order.
    pub layers: Vec<LayerRecording>,
    /// Readout summed over steps 1..=t, `[T][N][classes]`: arg-max at t is the prediction after t steps.
    pub readout: Vec<f32>,
}

impl Recording {
    /// The readout after `t` steps (1-based) for `sample`: summed logits, `[classes]`.
    pub fn readout_at(&self, t: usize, sample: usize) -> &[f32] {
        let start = ((t - 1) * self.samples + sample) * self.classes;
        &self.readout[start..start + self.classes]
    }
    /// The class that the readout after `t` steps (1-based) predicts.
    pub fn prediction_at(&self, t: usize, sample: usize) -> usize {
        predicted_class(self.readout_at(t, sample))
    }
    /// Whether the state after the last step is stored, so that the run can continue.
    pub fn has_final_state(&self) -> bool {
        self.layers.iter().all(|layer| layer.potential.len() == self.samples * layer.spikes.neurons())
    }
    /// The samples `range` alone.
    pub fn part(&self, range: Range<usize>) -> Self {
        let classes = range.start * self.classes..range.end * self.classes;
        let steps = self.readout.chunks((self.samples * self.classes).max(1));
        Self {
            samples: range.len(),
            layers: self.layers.iter().map(|layer| layer.part(range.clone())).collect(),
            readout: steps.flat_map(|step| &step[classes.clone()]).copied().collect(),
            ..*self
        }
    }
    /// The same without the state after the last step: spikes and readout, one bit for each neuron and step. Everything
    /// else can be computed from them ([`super::membrane_trace`], [`super::prefix`]).
    pub fn without_final_state(&self) -> Self {
        let bare = |layer: &LayerRecording| LayerRecording {
            mean_input: Arc::default(),
            potential: Arc::default(),
            ..layer.clone()
        };
        Self { layers: self.layers.iter().map(bare).collect(), ..self.clone() }
    }
    /// Bytes of the state after the last step.
    pub fn final_state_bytes(&self) -> usize {
        self.layers.iter().map(|layer| (layer.mean_input.len() + layer.potential.len()) * 4).sum()
    }
    /// Its buffers, each as an id that is equal if two recordings share the buffer, and its bytes.
    pub fn shared_buffers(&self) -> impl Iterator<Item = (usize, usize)> {
        let of = |values: &Arc<Vec<f32>>| (Arc::as_ptr(values).addr(), values.len() * 4);
        let layer = move |layer: &LayerRecording| {
            let start = layer.v_init.as_ref().map_or(0, |start| start.len() * 4);
            let silenced = layer.silenced.as_ref().map_or(0, SpikeTrain::bytes);
            let spikes = (layer.spikes.storage_id(), layer.spikes.bytes() + start + silenced);
            [spikes, of(&layer.mean_input), of(&layer.potential)]
        };
        let readout = (self.readout.as_ptr().addr(), self.readout.len() * 4);
        self.layers.iter().flat_map(layer).chain([readout]).filter(|(_, bytes)| *bytes > 0)
    }
    /// Bytes of the recording.
    pub fn bytes(&self) -> usize {
        self.shared_buffers().map(|(_, bytes)| bytes).sum()
    }
    /// Bytes that the recording of `samples` samples of `spiking` over `steps` steps will hold; the input of the layers
    /// `held` never changes.
    pub fn predict_bytes(
        spiking: &SpikingNetwork,
        held: &[bool],
        steps: usize,
        samples: usize,
        classes: usize,
    ) -> usize {
        let layer = |(layer, &held): (&SpikingLayer, &bool)| {
            let neurons = layer.neurons();
            let words = neurons.div_ceil(64) * 8;
            let corrections = match spiking.correction {
                Correction::None => 0,
                Correction::Srp { .. } => words,
                Correction::Cos { .. } => neurons * 4,
            };
            let values = if held || !derives_mean_input(layer, spiking.correction) { 2 } else { 1 };
            steps * words * layer.neuron.plane_weights().len() + neurons * 4 * values + corrections
        };
        samples * (spiking.layers.iter().zip(held).map(layer).sum::<usize>() + steps * classes * 4)
    }
}
