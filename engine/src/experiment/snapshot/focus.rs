//! Focus of a snapshot: time cursor, layer, sample, neuron, and the requested parts.

use std::ops::Range;
use std::sync::Arc;

use super::parts::{SnapshotPart, SnapshotParts};
use crate::experiment::attacked::AttackView;
use crate::experiment::run::Run;
use crate::measure::NeuronRef;

/// Time cursor, focused layer, sample and neuron, and requested parts of a snapshot.
#[derive(Clone, Debug)]
pub struct Focus {
    /// Step t of the time cursor, 1..=T.
    pub steps: usize,
    pub layer: usize,
    pub sample: usize,
    pub neuron: usize,
    pub pinned: Vec<NeuronRef>,
    /// Finished runs of the race lanes, in lane order.
    pub lanes: Vec<Option<Arc<Run>>>,
    /// The requested optional parts.
    pub parts: SnapshotParts,
    /// The attack that is shown.
    pub attack: AttackView,
}

impl Focus {
    /// Whether a snapshot with this focus contains everything that one with `other` would.
    pub fn covers(&self, other: &Self) -> bool {
        let position = |f: &Self| (f.steps, f.layer, f.sample, f.neuron);
        let same = |(a, b): (&Option<Arc<Run>>, &Option<Arc<Run>>)| match (a, b) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        let lanes = || self.lanes.len() == other.lanes.len() && self.lanes.iter().zip(&other.lanes).all(same);
        position(self) == position(other)
            && self.pinned == other.pinned
            && self.parts.has_all(other.parts)
            && (!other.parts.has(SnapshotPart::Lanes) || lanes())
            && (!other.parts.has(SnapshotPart::Robustness) || self.attack == other.attack)
    }

    /// The focus with all indices clamped to the ranges of `run`.
    pub fn clamped_to(mut self, run: &Run) -> Self {
        let last = |n: usize| n.saturating_sub(1);
        self.steps = self.steps.clamp(1, run.steps());
        self.layer = self.layer.min(last(run.spiking.layers.len()));
        self.sample = self.sample.min(last(run.recording.samples));
        self.neuron = self.neuron.min(last(run.spiking.layers[self.layer].neurons()));
        self.pinned.retain(|p| {
            p.sample < run.recording.samples && run.spiking.layers.get(p.layer).is_some_and(|l| p.neuron < l.neurons())
        });
        self
    }

    /// The focus in a run of only the samples `range`: pinned neurons of other samples are left out.
    pub fn within(&self, range: Range<usize>) -> Self {
        let mut focus = self.clone();
        focus.sample = self.sample.clamp(range.start, range.end.saturating_sub(1).max(range.start)) - range.start;
        focus.pinned.retain(|pin| range.contains(&pin.sample));
        focus.pinned.iter_mut().for_each(|pin| pin.sample -= range.start);
        focus.lanes.iter_mut().for_each(|lane| *lane = None);
        focus
    }
}
