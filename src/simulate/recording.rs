//! Recording of a run: spikes as bits, mean inputs, final potentials, readout at every step.

use std::sync::Arc;

use super::spike_train::SpikeTrain;
use crate::convert::{Correction, SpikingLayer, SpikingNetwork};
use crate::network::predicted_class;

/// One spiking layer's part of a recording.
#[derive(Clone, Debug)]
pub struct LayerRecording {
    pub spikes: SpikeTrain,
    /// Mean input current ẑ over the T steps, `[N, F]`, in units of the ANN's pre-activation; empty if the final state
    /// was discarded ([`Recording::without_final_state`]).
    pub mean_input: Arc<Vec<f32>>,
    /// Membrane potential after the last step v(T), `[N, F]`; empty likewise.
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
    /// Whether the output of `neuron` is silenced for `sample`.
    pub fn silenced(&self, sample: usize, neuron: usize) -> bool {
        self.silenced.as_ref().is_some_and(|bits| bits.fired(0, sample, neuron))
    }
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
    /// Bytes that the recording of `samples` samples of `spiking` over `steps` steps will hold.
    pub fn predict_bytes(spiking: &SpikingNetwork, steps: usize, samples: usize, classes: usize) -> usize {
        let layer = |layer: &SpikingLayer| {
            let neurons = layer.neurons();
            let words = neurons.div_ceil(64) * 8;
            let corrections = match spiking.correction {
                Correction::None => 0,
                Correction::Srp { .. } => words,
                Correction::Cos { .. } => neurons * 4,
            };
            steps * words * layer.neuron.plane_weights().len() + neurons * 8 + corrections
        };
        samples * (spiking.layers.iter().map(layer).sum::<usize>() + steps * classes * 4)
    }
}
