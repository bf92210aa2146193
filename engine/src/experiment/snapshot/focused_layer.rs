//! Figures of the focused layer and neuron of a snapshot.

use std::sync::Arc;

use super::focus::Focus;
use super::threshold_view::statistics;
use crate::Result;
use crate::experiment::neuron_categories::NeuronCategories;
use crate::experiment::run::Run;
use crate::measure::InitialPotentialErrors;
use crate::measure::feature_maps::FeatureMaps;
use crate::progress::JobControl;
use crate::simulate::membrane_trace::layer_currents;
use crate::simulate::prefix::pooled_means;

/// Mean input current of one neuron over all steps; recomputed if the run has no final state.
pub(super) fn mean_input_of(run: &Run, layer: usize, sample: usize, neuron: usize) -> f32 {
    let spiking = &run.spiking.layers[layer];
    let (neurons, recorded) = (spiking.neurons(), run.recording.layers[layer].mean_input_of(spiking, sample, neuron));
    recorded.unwrap_or_else(|| {
        let currents = layer_currents(&run.network.program, &run.spiking, &run.input, &run.recording, layer, sample);
        let currents_of_neuron = currents.iter().skip(neuron).step_by(neurons.max(1));
        currents_of_neuron.sum::<f32>() / run.steps() as f32
    })
}

/// Neurons of the focused layer by error category, from its `currents`, `[T, F]`.
pub(super) fn categories_of(run: &Run, focus: &Focus, currents: &[f32], maps: &FeatureMaps) -> NeuronCategories {
    let layer = &run.spiking.layers[focus.layer];
    let neurons = layer.neurons();
    let z = &run.ann.pre_activations[focus.layer][focus.sample * neurons..(focus.sample + 1) * neurons];
    let record = &run.recording.layers[focus.layer];
    let whole = focus.steps == run.steps();
    let recorded = whole.then(|| record.mean_inputs(layer, focus.sample)).flatten();
    let mean_input = if let Some(recorded) = recorded {
        recorded
    } else {
        let mut sums = vec![0.0f64; neurons];
        for step in currents.chunks(neurons.max(1)).take(focus.steps) {
            sums.iter_mut().zip(step).for_each(|(sum, current)| *sum += f64::from(*current));
        }
        sums.into_iter().map(|sum| (sum / focus.steps as f64) as f32).collect()
    };
    NeuronCategories::new(layer, z, &mean_input, &maps.counts, focus.steps)
}

/// Errors of the focused layer against v(0).
pub(super) fn initial_potential_errors(
    run: &Run,
    focus: &Focus,
    currents: &[f32],
    control: &JobControl,
) -> Result<Arc<InitialPotentialErrors>> {
    let statistics = statistics(run, focus.layer)?;
    let data = run.run_data(&[]);
    let (layer, sample) = (focus.layer, focus.sample);
    InitialPotentialErrors::new(&data, statistics, layer, sample, currents, focus.steps, control).map(Arc::new)
}

/// z* of the focused neuron, if a max pool stands before it.
pub(super) fn pooled_mean(run: &Run, focus: &Focus, control: &JobControl) -> Result<Option<f32>> {
    let neurons = run.spiking.layers[focus.layer].neurons();
    let of = |means: &[Vec<f32>], sample: usize| means.get(focus.layer)?.get(sample * neurons + focus.neuron).copied();
    let whole = of(&run.pooled_means, focus.sample);
    if whole.is_none() || focus.steps == run.steps() {
        return Ok(whole);
    }
    let (sample, width) = (focus.sample, run.input.len() / run.recording.samples.max(1));
    let recording = run.recording.part(sample..sample + 1);
    let input = &run.input[sample * width..(sample + 1) * width];
    let means = pooled_means(&run.network.program, &run.spiking, input, &recording, focus.steps, control)?;
    Ok(of(&means, 0))
}
