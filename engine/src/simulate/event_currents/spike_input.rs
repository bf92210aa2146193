//! What the event kernels read of the spiking layer behind one term: its spikes, tables or weights, and amplitudes.

use std::sync::Arc;

use crate::compute::event::frame_events::{FrameEvents, FrameMap};
use crate::compute::event::lookup_table::{self, TableCache};
use crate::compute::event::synapse_plan::{LinearMap, PackedWeights, SynapsePlan, Term};
use crate::compute::simd::lanes::Lanes;
use crate::simulate::spike_train::{SampleSpikes, SpikeRows};

/// The spiking layer behind one term.
pub struct SpikeInput<'a> {
    /// Its spikes; sample 0 of the current is sample `sample`.
    pub(super) rows: SpikeRows<'a>,
    pub(super) sample: usize,
    /// The amplitude of one count: one value, or one per channel.
    pub(super) amplitudes: Vec<f32>,
    /// Precomputed sums, if the term uses lookup tables, or weights times amplitudes, if the channels' amplitudes differ.
    pub(super) made: Option<Arc<Vec<Lanes>>>,
    /// Whether `made` has lookup tables.
    pub(super) tables: bool,
    /// First entry of each column group in one block's tables or weights, and one past the last.
    pub(super) groups: Vec<usize>,
    /// The lists of events, if the source is frames of events and the term has weights.
    pub(super) frames: Option<FrameLists<'a>>,
}

/// Frames of events behind one term: sample 0 of the current is the first list, and step t shows frame `first + t`, modulo
/// their number.
pub(super) struct FrameLists<'a> {
    pub(super) samples: &'a [FrameEvents],
    pub(super) first: usize,
    pub(super) map: FrameMap,
}

impl<'a> SpikeInput<'a> {
    /// The spikes `rows`, from sample `sample` on, as the input of `term`, a term of `plan`; `amplitudes` are those of one
    /// count of the neurons (one value, or one per channel), `cache` has the term's lookup tables.
    pub fn new(
        amplitudes: Vec<f32>,
        (rows, sample): (SpikeRows<'a>, usize),
        term: &Term,
        plan: &SynapsePlan,
        cache: &TableCache,
    ) -> Self {
        let amplitudes: Vec<f32> = amplitudes.into_iter().map(|amplitude| amplitude * term.gain).collect();
        let (mut groups, mut made, mut tables) = (Vec::new(), None, false);
        if let LinearMap::Weights(map) = &term.map {
            let amplitude = |c: usize| amplitudes[c % amplitudes.len()];
            tables = lookup_table::is_applicable(term, plan.lanes);
            if tables {
                groups = lookup_table::group_offsets(map, plan.lanes);
                made = Some(cache.get_or_build(&amplitudes, || lookup_table::build(map, plan.lanes, amplitude)));
            } else {
                groups = map.group_offsets(plan.lanes);
                if amplitudes.len() > 1 {
                    let scale = || lookup_table::scale(map, plan.lanes, |block| plan.group_of(map, block), amplitude);
                    made = Some(cache.get_or_build(&amplitudes, scale));
                }
            }
        }
        Self { rows, sample, amplitudes, made, tables, groups, frames: None }
    }

    /// Frames of events as the input of `term`, a term of `plan`: `lists` has one for each sample, the first step shows
    /// frame `first`. Terms without weights read the bits of `rows`.
    pub fn of_frames(
        (lists, first): (&'a [FrameEvents], usize),
        rows: SpikeRows<'a>,
        term: &Term,
        plan: &SynapsePlan,
    ) -> Self {
        let frames = match &term.map {
            LinearMap::Weights(map) => {
                let map = FrameMap::new(term, map, plan.lanes, [plan.sum.height, plan.sum.width]);
                Some(FrameLists { samples: lists, first, map })
            }
            LinearMap::Shortcut(_) => None,
        };
        let (made, tables, groups) = (None, false, Vec::new());
        Self { rows, sample: 0, amplitudes: vec![1.0], made, tables, groups, frames }
    }

    pub(super) fn spikes(&self, sample: usize) -> SampleSpikes<'a> {
        SampleSpikes { rows: self.rows, sample: self.sample + sample }
    }

    /// Tables or weights of one block.
    pub(super) fn weights<'b>(&'b self, map: &'b PackedWeights, block: usize) -> &'b [Lanes] {
        let size = self.groups.last().copied().unwrap_or(0);
        let all = self.made.as_ref().map_or(map.weights.as_slice(), |made| made.as_slice());
        &all[block * size..(block + 1) * size]
    }

    /// The value of one count in units of [`SpikeInput::weights`].
    pub(super) fn amplitude(&self) -> f32 {
        if self.made.is_some() { 1.0 } else { self.amplitudes[0] }
    }
}
