//! Inputs of the measures of one layer for one sample: counts, pre-activations and initial potentials.

use std::borrow::Cow;

use crate::convert::{NeuronModel, SpikingLayer, TieRule};
use crate::measure::quantization_bound::half_level;
use crate::measure::run_data::RunData;
use crate::simulate::LayerRecording;
use crate::simulate::neuron::Dynamics;

/// One layer for one sample.
pub(crate) struct LayerSample<'a> {
    pub layer: &'a SpikingLayer,
    pub record: &'a LayerRecording,
    pub index: usize,
    pub sample: usize,
    /// Index of the sample in the run, if the data are those of a part of its samples.
    pub sample_of_run: usize,
    pub steps: usize,
    pub per_step: usize,
    /// Neurons per channel.
    pub plane: usize,
    /// z and ẑ, `[F]`.
    pub z: &'a [f32],
    pub zin: Cow<'a, [f32]>,
    /// z*, `[F]`, if a max pool stands before the neurons.
    pub pooled: Option<&'a [f32]>,
    pub counts: Cow<'a, [u32]>,
    /// Spikes of either sign, `[F]`, if they differ from the counts.
    pub events: Option<Vec<u32>>,
    pub fan_out: Option<&'a [f64]>,
    /// v(0) after a correction, `[F]`.
    pub corrected: Option<&'a [f32]>,
    /// v(T), `[F]`, of neurons that lose charge by a hard reset or a leak: it does not follow from input and spikes. Empty
    /// where it is not known, as before the last step.
    pub potential: Option<Vec<f32>>,
    /// Whether counts and the recorded v(T) give the sum of the input exactly, where the mean input is rounded.
    pub has_exact_charge: bool,
    /// Whether constant input gives exactly the expected spikes: v(0) is half an amplitude, no bias shift, no charge is lost,
    /// and m = θ fires.
    pub starts_at_half: bool,
    /// Half a quantization level of the ANN's own activation, in activation units.
    pub half_level: f64,
}

impl<'a> LayerSample<'a> {
    #[inline(always)]
    pub fn new(data: &RunData<'a>, index: usize, steps: usize, sample: usize) -> Self {
        let layer: &SpikingLayer = &data.spiking.layers[index];
        let neurons = layer.neurons();
        let span = sample * neurons..(sample + 1) * neurons;
        let means_span = (sample - data.first_mean) * neurons..(sample + 1 - data.first_mean) * neurons;
        let record = &data.recording.layers[index];
        let counts = match data.counts.get(index).filter(|counts| !counts.is_empty()) {
            Some(counts) => Cow::Borrowed(&counts[means_span.clone()]),
            None => {
                let mut counts = vec![0; neurons];
                record.spikes.add_counts(steps, sample, &mut counts);
                Cow::Owned(counts)
            }
        };
        let zin = match data.mean_inputs.get(index) {
            Some(means) => Cow::Borrowed(&means[means_span.clone()]),
            None => {
                let all = steps == record.spikes.steps();
                let recorded = if all {
                    record.mean_inputs_of_counts(layer, sample, &counts)
                } else {
                    record.mean_inputs(layer, sample)
                };
                recorded.map_or(Cow::Borrowed(&data.ann.pre_activations[index][span.clone()]), Cow::Owned)
            }
        };
        // A negative spike costs as much as a positive one.
        let events = (layer.neuron == NeuronModel::Signed).then(|| {
            let mut events = vec![0u32; neurons];
            (0..steps).for_each(|t| record.spikes.for_each_bit(t, sample, |neuron, _| events[neuron] += 1));
            events
        });
        let dynamics = Dynamics::of(layer);
        let recorded = || if steps == record.spikes.steps() { record.potentials(sample) } else { None };
        let potential = (!dynamics.keeps_charge()).then(|| recorded().unwrap_or_default());
        Self {
            layer,
            record,
            index,
            sample,
            sample_of_run: sample,
            steps,
            per_step: layer.neuron.max_spikes_per_step(),
            plane: layer.neurons_per_channel(),
            z: &data.ann.pre_activations[index][span.clone()],
            zin,
            pooled: data.pooled_means.get(index).and_then(|means| means.get(means_span)),
            counts,
            events,
            fan_out: data.fan_outs.get(index).map(Vec::as_slice),
            corrected: record.v_init.as_ref().map(|start| &start[span]),
            potential,
            has_exact_charge: data.mean_inputs.get(index).is_none()
                && steps == record.spikes.steps()
                && record.mean_input.is_empty()
                && dynamics.keeps_charge(),
            starts_at_half: layer.v_init_values.is_none()
                && layer.v_init == 0.5
                && layer.bias_shift == 0.0
                && layer.tie == TieRule::Ge
                && dynamics.keeps_charge(),
            half_level: half_level(layer.activation),
        }
    }
    /// Maximum count of a neuron.
    #[inline(always)]
    pub fn max_count(&self) -> usize {
        self.steps * self.per_step
    }
}
