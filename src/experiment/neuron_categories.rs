//! Which neurons of a layer are wrong, and how, for one sample: those worth looking at first.

use super::run::Run;
use crate::convert::{SpikingLayer, expected_spikes_of};
use crate::measure::{Categories, NeuronRef};

/// The neurons of one layer for one sample by the kind of their count, C0 to C4 ([`Categories`]), on their own mean input.
/// In each kind those stand first whose answer φ is farthest from the ANN's a, and of equals the more active: an error
/// that cancels, or one at the empty rim of a picture, explains little.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NeuronCategories([Vec<usize>; 5]);

impl NeuronCategories {
    /// Of `layer` after `steps` steps from its neurons' pre-activations `z`, mean inputs and counts, `[F]` each.
    pub fn of(layer: &SpikingLayer, z: &[f32], mean_input: &[f32], counts: &[u32], steps: usize) -> Self {
        let mut kinds = <[Vec<usize>; 5]>::default();
        for neuron in 0..layer.neurons().min(counts.len()).min(mean_input.len()) {
            let due = expected_spikes_of(layer, neuron, mean_input[neuron], steps);
            kinds[Categories::index(counts[neuron], due)].push(neuron);
        }
        let error = |neuron: usize| {
            let phi = layer.amplitude_of(neuron) * counts[neuron] as f32 / steps.max(1) as f32;
            (phi - layer.activation.apply(z[neuron])).abs()
        };
        for kind in &mut kinds[1..] {
            kind.sort_by(|&a, &b| error(b).total_cmp(&error(a)).then(z[b].total_cmp(&z[a])).then(a.cmp(&b)));
        }
        Self(kinds)
    }

    /// Of spiking layer `layer` of `run` for `sample`, after all steps.
    pub fn of_run(run: &Run, layer: usize, sample: usize) -> Option<Self> {
        let (spiking, record) = (run.spiking.layers.get(layer)?, run.recording.layers.get(layer)?);
        let here = sample * spiking.neurons()..(sample + 1) * spiking.neurons();
        let (z, means) = (run.ann.pre_activations.get(layer)?.get(here.clone())?, record.mean_input.get(here)?);
        let mut counts = vec![0; spiking.neurons()];
        record.spikes.add_counts(run.steps(), sample, &mut counts);
        Some(Self::of(spiking, z, means, &counts, run.steps()))
    }

    /// The neurons of kind `category`, the most telling first.
    pub fn neurons(&self, category: usize) -> &[usize] {
        self.0.get(category).map(Vec::as_slice).unwrap_or_default()
    }

    /// The neuron of kind `category` that comes after `neuron`, in a circle; the first for one that is of another kind.
    pub fn after(&self, category: usize, neuron: usize) -> Option<usize> {
        let all = self.neurons(category);
        let next = all.iter().position(|&one| one == neuron).map_or(0, |at| (at + 1) % all.len());
        all.get(next).copied()
    }

    /// The kind of `neuron` and its place in it, where it is a wrong one.
    pub fn position(&self, neuron: usize) -> Option<(usize, usize)> {
        (1..5).find_map(|kind| Some((kind, self.0[kind].iter().position(|&one| one == neuron)?)))
    }
}

/// Where looking is worth while: in a sample that only the SNN gets wrong, the first layer in which neurons fire too often
/// (else wrongly in another way), and of those the one that is farthest off.
pub fn example_to_focus(run: &Run) -> Option<NeuronRef> {
    let (t, samples) = (run.steps(), run.recording.samples);
    let mistaken = |&sample: &usize| run.differs(t, sample);
    let right =
        |sample: usize| run.labels.get(sample).is_none_or(|&label| usize::from(label) == run.ann.prediction(sample));
    let sample = (0..samples).filter(|&s| right(s)).find(mistaken).or_else(|| (0..samples).find(mistaken)).unwrap_or(0);
    let layers = run.spiking.layers.len();
    let in_order = |kinds: [usize; 4]| {
        (0..layers).find_map(|layer| {
            let all = NeuronCategories::of_run(run, layer, sample)?;
            let neuron = kinds.into_iter().find_map(|kind| all.neurons(kind).first().copied())?;
            Some(NeuronRef { layer, sample, neuron })
        })
    };
    // Where nothing is wrong, one that fires.
    in_order([2, 1, 3, 4]).or_else(|| run.report.layers.first().and_then(|layer| layer.examples[0]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Settings;
    use crate::lab::Lab;

    #[test]
    fn the_kinds_are_those_of_the_report_and_the_worst_stand_first() {
        let lab = Lab::open(Settings { samples: 0..6, calibrate: 0..32, ..Settings::demo() }).unwrap();
        let run = lab.run.as_ref().unwrap();
        for (index, layer) in run.report.layers.iter().enumerate() {
            let each: Vec<NeuronCategories> =
                (0..6).map(|sample| NeuronCategories::of_run(run, index, sample).unwrap()).collect();
            for kind in 1..5 {
                let count: usize = each.iter().map(|kinds| kinds.neurons(kind).len()).sum();
                assert_eq!(count as u64, layer.same_input.as_array()[kind], "{} C{kind}", layer.name);
            }
        }
        let at = example_to_focus(run).unwrap();
        let kinds = NeuronCategories::of_run(run, at.layer, at.sample).unwrap();
        let (kind, place) = kinds.position(at.neuron).unwrap();
        assert_eq!(place, 0);
        // Round and back again.
        let all = kinds.neurons(kind).len();
        assert_eq!((0..all).fold(at.neuron, |neuron, _| kinds.after(kind, neuron).unwrap()), at.neuron);
        let snapshot = lab.snapshot.as_ref().unwrap();
        assert_eq!(
            (snapshot.focus.layer, snapshot.focus.sample, snapshot.focus.neuron),
            (at.layer, at.sample, at.neuron)
        );
        assert_eq!(snapshot.categories, kinds, "what is looked at is what was computed at the last step");
    }
}
