//! Neurons of one layer and sample by error category C0–C4, largest error first.

use super::run::Run;
use crate::convert::{SpikingLayer, expected_spikes_of};
use crate::measure::{Categories, NeuronRef};

/// Neurons of one layer and sample by category C0 to C4 ([`Categories`]), with expected spikes from their own mean input.
/// Each category is sorted by |φ − a|, largest first, and then by z: an error that cancels, or one at the empty border of an
/// image, explains little.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NeuronCategories([Vec<usize>; 5]);

impl NeuronCategories {
    /// Categories of `layer` after `steps` steps, from its neurons' pre-activations `z`, mean inputs and counts, `[F]` each.
    pub fn new(layer: &SpikingLayer, z: &[f32], mean_input: &[f32], counts: &[u32], steps: usize) -> Self {
        let mut categories = <[Vec<usize>; 5]>::default();
        for neuron in 0..layer.neurons().min(counts.len()).min(mean_input.len()) {
            let expected = expected_spikes_of(layer, neuron, mean_input[neuron], steps);
            categories[Categories::index(counts[neuron], expected)].push(neuron);
        }
        let error = |neuron: usize| {
            let phi = layer.amplitude_of(neuron) * counts[neuron] as f32 / steps.max(1) as f32;
            (phi - layer.activation.apply(z[neuron])).abs()
        };
        for category in &mut categories[1..] {
            category.sort_by(|&a, &b| error(b).total_cmp(&error(a)).then(z[b].total_cmp(&z[a])).then(a.cmp(&b)));
        }
        Self(categories)
    }

    /// Categories of spiking layer `layer` of `run` for `sample`, after all steps; `None` without its mean inputs.
    pub fn from_run(run: &Run, layer: usize, sample: usize) -> Option<Self> {
        let (spiking, record) = (run.spiking.layers.get(layer)?, run.recording.layers.get(layer)?);
        let here = sample * spiking.neurons()..(sample + 1) * spiking.neurons();
        let z = run.ann.pre_activations.get(layer)?.get(here)?;
        let mut counts = vec![0; spiking.neurons()];
        record.spikes.add_counts(run.steps(), sample, &mut counts);
        let mean_input = record.mean_inputs_of_counts(spiking, sample, &counts)?;
        Some(Self::new(spiking, z, &mean_input, &counts, run.steps()))
    }

    /// The neurons of category `category`, largest error first.
    pub fn neurons(&self, category: usize) -> &[usize] {
        self.0.get(category).map(Vec::as_slice).unwrap_or_default()
    }

    /// The neuron of category `category` after `neuron`, cyclically; the first if `neuron` is of another category.
    pub fn after(&self, category: usize, neuron: usize) -> Option<usize> {
        let all = self.neurons(category);
        let next = all.iter().position(|&one| one == neuron).map_or(0, |at| (at + 1) % all.len());
        all.get(next).copied()
    }

    /// The category of `neuron` and its position in it, for C1 to C4.
    pub fn position(&self, neuron: usize) -> Option<(usize, usize)> {
        (1..5).find_map(|category| Some((category, self.0[category].iter().position(|&one| one == neuron)?)))
    }
}

/// The neuron to focus on first: in a sample that only the SNN misclassifies, in the first layer with over-firing neurons
/// (else with another category of error), the one with the largest error.
pub fn example_to_focus(run: &Run) -> Option<NeuronRef> {
    let (t, samples) = (run.steps(), run.recording.samples);
    let snn_differs = |&sample: &usize| run.differs(t, sample);
    let ann_is_correct =
        |sample: usize| run.labels.get(sample).is_none_or(|&label| usize::from(label) == run.ann.prediction(sample));
    let sample = (0..samples)
        .filter(|&s| ann_is_correct(s))
        .find(snn_differs)
        .or_else(|| (0..samples).find(snn_differs))
        .unwrap_or(0);
    let layers = run.spiking.layers.len();
    let in_order = |categories: [usize; 4]| {
        (0..layers).find_map(|layer| {
            let all = NeuronCategories::from_run(run, layer, sample)?;
            let neuron = categories.into_iter().find_map(|category| all.neurons(category).first().copied())?;
            Some(NeuronRef { layer, sample, neuron })
        })
    };
    // Without errors: a neuron that fires.
    in_order([2, 1, 3, 4]).or_else(|| run.report.layers.first().and_then(|layer| layer.examples[0]))
}
