//! One layer of a run for one sample, with all that its neurons are measured against.

use crate::convert::{NeuronModel, Reset, SpikingLayer};
use crate::measure::quantization_bound::half_level;
use crate::measure::run_data::RunData;
use crate::simulate::LayerRecording;

/// One layer for one sample.
pub(crate) struct LayerSample<'a> {
    pub layer: &'a SpikingLayer,
    pub record: &'a LayerRecording,
    pub index: usize,
    pub sample: usize,
    pub steps: usize,
    pub per_step: usize,
    /// Neurons of one channel.
    pub plane: usize,
    /// z and ẑ, `[F]`.
    pub z: &'a [f32],
    pub zin: &'a [f32],
    pub counts: Vec<u32>,
    /// Spikes of either sign, where they differ from the counts.
    pub events: Option<Vec<u32>>,
    pub fan_out: Option<&'a [f64]>,
    /// v(0) as a correction left it.
    pub corrected: Option<&'a [f32]>,
    /// Whether constant input reaches its target: from v(0) = half a unit, with nothing added or thrown away.
    pub half: bool,
    /// Half a level of the ANN's own activation.
    pub half_level: f64,
}

impl<'a> LayerSample<'a> {
    #[inline(always)]
    pub fn of(subject: &RunData<'a>, index: usize, steps: usize, sample: usize) -> Self {
        let layer: &SpikingLayer = &subject.spiking.layers[index];
        let neurons = layer.neurons();
        let span = sample * neurons..(sample + 1) * neurons;
        let record = &subject.recording.layers[index];
        let mut counts = vec![0; neurons];
        record.spikes.add_counts(steps, sample, &mut counts);
        // A negative spike costs what a positive one does.
        let events = (layer.neuron == NeuronModel::Signed).then(|| {
            let mut events = vec![0u32; neurons];
            (0..steps).for_each(|t| record.spikes.for_each_bit(t, sample, |neuron, _| events[neuron] += 1));
            events
        });
        Self {
            layer,
            record,
            index,
            sample,
            steps,
            per_step: layer.neuron.max_spikes_per_step(),
            plane: layer.neurons_per_channel(),
            z: &subject.ann.pre_activations[index][span.clone()],
            zin: &subject.mean_inputs[index][span.clone()],
            counts,
            events,
            fan_out: subject.fan_outs.get(index).map(Vec::as_slice),
            corrected: record.v_init.as_ref().map(|start| &start[span]),
            half: layer.v_init_values.is_none()
                && layer.v_init == 0.5
                && layer.bias_shift == 0.0
                && layer.reset == Reset::Soft,
            half_level: half_level(layer.activation),
        }
    }
    /// The most counts a neuron may have.
    #[inline(always)]
    pub fn most(&self) -> usize {
        self.steps * self.per_step
    }
}
