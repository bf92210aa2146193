//! Input currents of one layer, row by row, from events or from dense tensors.
//!
//! The readout and membrane traces read the same rows as a run, so their rounding is the same.

use std::ops::Range;

use super::event_currents::EventCurrents;
use super::membranes::Membranes;
use crate::compute::event::synapse_plan::{Grid, SynapsePlan};
use crate::compute::event::weight_tiles::CACHED_BYTES;
use crate::compute::simd::lanes::{LANES, Lanes, MAX_LANES};

/// Whether a layer's weights exceed the cache, so that they are read block by block for all samples.
pub fn exceeds_cache(plan: &SynapsePlan) -> bool {
    plan.weight_bytes() > CACHED_BYTES
}

/// The current of one layer for B samples.
pub enum Current<'a> {
    /// The same at every step, `[B, F]`.
    Constant(Vec<f32>),
    /// Step by step, `[T·B, F]`, time outermost.
    Steps(Vec<f32>),
    Events(EventCurrents<'a>),
}

/// Everything needed to compute the currents of one layer.
pub struct Currents<'a> {
    pub current: Current<'a>,
    /// The grid of the layer.
    pub grid: Grid,
    pub samples: usize,
    pub steps: usize,
    /// Added at every step, one per channel; empty if there is none.
    pub bias: &'a [f32],
    /// Parts that one sample is split into for other threads.
    pub parts: usize,
}

/// A part of a layer that one thread computes.
#[derive(Clone, Debug)]
pub struct CurrentTask {
    pub samples: Range<usize>,
    /// Rows of places.
    pub rows: Range<usize>,
    pub blocks: Range<usize>,
}

/// Places of one sample and a block of channels, for which currents are computed together.
#[derive(Clone, Debug)]
pub struct Piece {
    pub sample: usize,
    pub places: Range<usize>,
    pub channels: Range<usize>,
}

/// Currents of the places of a piece at some steps.
#[derive(Clone, Copy)]
pub struct PieceCurrents<'a, const N: usize> {
    pub values: &'a [[Lanes; N]],
    /// Entries between one step and the next, and between one place and the next.
    pub strides: [usize; 2],
}

impl<'a, const N: usize> PieceCurrents<'a, N> {
    /// The currents of all places, if they are the same at every step and places lie side by side.
    pub fn held(&self) -> Option<&'a [[Lanes; N]]> {
        (self.strides == [0, 1]).then_some(self.values)
    }
    /// The current of the `k`-th step at the `place`-th place.
    #[inline(always)]
    pub fn at(&self, k: usize, place: usize) -> &'a [Lanes; N] {
        &self.values[k * self.strides[0] + place * self.strides[1]]
    }
}

/// Takes the currents of pieces.
pub trait TakeCurrents<const N: usize> {
    /// Whether a piece is taken with all steps at once.
    fn takes_all_steps(&self) -> bool {
        false
    }
    /// Opens a piece.
    fn begin(&mut self, _piece: &Piece) {}
    /// Takes the currents of `steps`, the steps after those taken before.
    fn take(&mut self, piece: &Piece, steps: Range<usize>, currents: PieceCurrents<'_, N>);
    /// What integrates the sums of the piece as soon as they are complete; `None` if currents are taken instead.
    fn fire(&mut self, _piece: &Piece) -> Option<Fire<'_, N>> {
        None
    }
    /// Closes a piece after its last step.
    fn end(&mut self, _piece: &Piece) {}
}

/// Membranes that integrate sums in passing, and where their spikes go.
pub struct Fire<'a, const N: usize> {
    pub membranes: &'a mut Membranes<N>,
    /// The bits of each step.
    pub rows: Vec<&'a mut [u64]>,
    /// First bit of the piece, and bits of a place.
    pub first: usize,
    pub channels: usize,
}

impl Currents<'_> {
    /// The synapse plan, if the currents come from events.
    fn plan(&self) -> Option<&SynapsePlan> {
        match &self.current {
            Current::Events(events) => Some(events.plan),
            _ => None,
        }
    }

    /// Lanes of a block of channels.
    pub fn lanes(&self) -> usize {
        match &self.current {
            Current::Events(events) => events.plan.lanes,
            _ => self.grid.channels.div_ceil(LANES).next_power_of_two().min(MAX_LANES),
        }
    }

    pub(super) fn blocks(&self) -> Vec<Range<usize>> {
        match &self.current {
            Current::Events(events) => events.plan.blocks.clone(),
            _ => {
                let channels = self.grid.channels;
                let width = self.lanes() * LANES;
                (0..channels).step_by(width).map(|first| first..(first + width).min(channels)).collect()
            }
        }
    }

    /// The channels of the blocks of `task`.
    pub fn channels(&self, task: &CurrentTask) -> Range<usize> {
        let blocks = self.blocks();
        blocks[task.blocks.start].start..blocks[task.blocks.end - 1].end
    }

    /// Whether weights are read block by block for all samples.
    pub(super) fn blocks_outside(&self) -> bool {
        self.is_tiled() || self.plan().is_some_and(exceeds_cache)
    }

    /// The tasks that the layer is split into, one for each thread.
    pub fn tasks(&self) -> Vec<CurrentTask> {
        let split = |length: usize, parts: usize| {
            let size = length.div_ceil(parts.clamp(1, length.max(1))).max(1);
            (0..length).step_by(size).map(move |first| first..(first + size).min(length))
        };
        let blocks = self.blocks().len();
        let mut tasks = Vec::new();
        let (samples, block_parts) = if self.blocks_outside() { (self.samples, self.parts) } else { (1, 1) };
        let samples: Vec<Range<usize>> = if self.parts < 2 {
            split(self.samples, 1).collect()
        } else {
            split(self.samples, self.samples.div_ceil(samples)).collect()
        };
        for samples in samples {
            let blocks: Vec<_> = split(blocks, block_parts).collect();
            let row_parts = self.parts.div_ceil(blocks.len().max(1));
            for blocks in blocks {
                let rows = split(self.grid.height, row_parts);
                tasks.extend(rows.map(|rows| CurrentTask { samples: samples.clone(), rows, blocks: blocks.clone() }));
            }
        }
        tasks
    }

    /// Whether weight tiles are used for several places at once.
    pub(super) fn is_tiled(&self) -> bool {
        matches!(&self.current, Current::Events(events) if events.is_tiled())
    }
}

impl Currents<'_> {
    /// Reads the currents of `piece`, places in rows, from `values`, one step of one sample, plus the bias.
    pub(super) fn read_dense<const N: usize>(&self, values: &[f32], piece: &Piece, row: &mut Vec<[Lanes; N]>) {
        row.clear();
        row.resize(piece.places.len(), [Lanes::ZERO; N]);
        let places = self.grid.places();
        for (lane, c) in piece.channels.clone().enumerate() {
            let bias = self.bias.get(c).copied();
            let values = &values[c * places + piece.places.start..c * places + piece.places.end];
            for (out, &value) in row.iter_mut().zip(values) {
                out[lane / LANES].0[lane % LANES] = bias.map_or(value, |bias| value + bias);
            }
        }
    }
}
