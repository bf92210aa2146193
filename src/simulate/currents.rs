//! Input currents of one layer, column by column, from events or from dense tensors.
//!
//! The readout and membrane traces read the same columns as a run, so their rounding is the same.

use std::ops::Range;

use super::event_currents::{ColumnPosition, ColumnRequest, EventCurrents, PreparedInput, Scratch};
use crate::Result;
use crate::compute::event::gather::Column;
use crate::compute::event::synapse_plan::{Grid, SynapsePlan};
use crate::compute::event::weight_tiles::CACHED_BYTES;
use crate::compute::simd::lanes::{LANES, Lanes, MAX_LANES};
use crate::progress::JobControl;

/// Bytes of columns that one weight tile is used for.
const TILED_COLUMN_BYTES: usize = 128 << 10;
/// Maximum number of these columns.
const MAX_TILED_COLUMNS: usize = 16;

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

/// Everything needed to compute the columns of one layer.
pub struct Currents<'a> {
    pub current: Current<'a>,
    /// The grid of the layer.
    pub grid: Grid,
    pub samples: usize,
    pub steps: usize,
    /// Whether columns have a single step that represents all: a constant current is computed once.
    pub single_step: bool,
    /// Added at every step, one per channel; empty if there is none.
    pub bias: &'a [f32],
    /// Parts that one sample is split into for other threads.
    pub parts: usize,
}

/// Columns that one task computes.
pub struct ColumnTask {
    pub samples: Range<usize>,
    pub places: Range<usize>,
    blocks: Range<usize>,
    /// Whether the task covers all blocks of channels.
    pub all_channels: bool,
}

impl Currents<'_> {
    /// The synapse plan, if the currents come from events.
    fn plan(&self) -> Option<&SynapsePlan> {
        match &self.current {
            Current::Events(events) => Some(events.plan),
            _ => None,
        }
    }

    /// Lanes of one block of channels.
    fn block_lanes(&self) -> usize {
        match &self.current {
            Current::Events(events) => events.plan.lanes,
            _ => self.grid.channels.div_ceil(LANES).next_power_of_two().min(MAX_LANES),
        }
    }

    /// Places that share a column: as many as fill it, if one place does not.
    fn places_per_column(&self) -> usize {
        let lanes = self.block_lanes();
        let (pooled, groups) = match &self.current {
            Current::Events(events) => (events.plan.pool.is_some(), events.plan.blocks.len() > 1),
            _ => (false, false),
        };
        // Lanes without a channel between two places would leave gaps in the bits.
        if self.grid.channels == lanes * LANES && !pooled && !groups { MAX_LANES / lanes } else { 1 }
    }

    /// Lanes of a column.
    pub fn lanes(&self) -> usize {
        self.block_lanes() * self.places_per_column()
    }

    fn blocks(&self) -> Vec<Range<usize>> {
        match &self.current {
            Current::Events(events) => events.plan.blocks.clone(),
            _ => {
                let channels = self.grid.channels;
                let width = self.lanes() * LANES;
                (0..channels).step_by(width).map(|first| first..(first + width).min(channels)).collect()
            }
        }
    }

    /// Calls `work` for every task: `work(task, columns)` calls `columns` once with a visitor of each column (sample,
    /// place, channels, currents). Tasks run on several threads if there are several parts.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`] once `control` is cancelled, and the errors of `work`.
    pub fn for_each_column<const N: usize, R: Send>(
        &self,
        control: &JobControl,
        work: impl Fn(&ColumnTask, &dyn Fn(&mut Visit<'_, N>) -> Result<()>) -> Result<R> + Sync,
    ) -> Result<Vec<R>> {
        use rayon::prelude::*;
        let blocks = self.blocks();
        let (places, all) = (self.grid.places(), 0..blocks.len());
        let blocks_outside = self.is_tiled() || self.plan().is_some_and(exceeds_cache);
        let run = |task: ColumnTask, inputs: &[Vec<PreparedInput<'_>>]| {
            let columns =
                |visit: &mut Visit<'_, N>| self.columns(&blocks, &task, inputs, blocks_outside, control, visit);
            work(&task, &columns)
        };
        let split = |length: usize, parts: usize, unit: usize| {
            let size = length.div_ceil(parts.clamp(1, length.max(1))).next_multiple_of(unit);
            (0..length).step_by(size.max(1)).map(move |first| first..(first + size).min(length))
        };
        if blocks_outside {
            let inputs = |sample| control.check().map(|()| self.inputs(sample, true));
            let inputs = (0..self.samples).into_par_iter().map(inputs).collect::<Result<Vec<_>>>()?;
            let blocks: Vec<_> = split(blocks.len(), self.parts, 1).collect();
            let places: Vec<_> = split(places, self.parts.div_ceil(blocks.len()), self.places_per_column()).collect();
            let tasks =
                blocks.iter().flat_map(|block| places.iter().map(move |places| (block.clone(), places.clone())));
            let tasks: Vec<_> = tasks.collect();
            let task = |(blocks, places)| {
                run(ColumnTask { samples: 0..self.samples, places, all_channels: blocks == all, blocks }, &inputs)
            };
            return tasks.into_par_iter().map(task).collect();
        }
        let mut all_results = Vec::new();
        for sample in 0..self.samples {
            control.check()?;
            let inputs = [self.inputs(sample, false)];
            let task = |places| {
                let (samples, blocks) = (sample..sample + 1, all.clone());
                run(ColumnTask { samples, places, blocks, all_channels: true }, &inputs)
            };
            if self.parts < 2 {
                all_results.push(task(0..places)?);
            } else {
                let tasks: Vec<_> = split(places, self.parts, self.places_per_column()).collect();
                let results: Result<Vec<R>> = tasks.into_par_iter().map(task).collect();
                all_results.extend(results?);
            }
        }
        Ok(all_results)
    }

    /// The spikes of one sample, one input per term; with `ahead`, all rows of events are listed at once.
    fn inputs(&self, sample: usize, ahead: bool) -> Vec<PreparedInput<'_>> {
        match &self.current {
            Current::Events(events) => events.inputs(sample, self.steps, ahead),
            _ => Vec::new(),
        }
    }

    /// Visits the columns of one task; `inputs` are those of its samples.
    fn columns<const N: usize>(
        &self,
        blocks: &[Range<usize>],
        task: &ColumnTask,
        inputs: &[Vec<PreparedInput<'_>>],
        blocks_outside: bool,
        control: &JobControl,
        visit: &mut Visit<'_, N>,
    ) -> Result<()> {
        let mut scratch = Scratch::new(if self.single_step { 1 } else { self.steps }, self.plan());
        let places_per_column = self.places_per_column();
        let (places, channels) = (task.places.len(), task.blocks.clone().map(|block| blocks[block].len()));
        control.add_computed(task.samples.len() * places * channels.sum::<usize>() * self.steps);
        if self.is_tiled() {
            let mut blocks_of_task = task.blocks.clone();
            return blocks_of_task
                .try_for_each(|block| self.tiled_columns(blocks, block, task, inputs, control, visit));
        }
        let mut visit_one = |sample: usize, place: usize, block: usize| {
            let places = places_per_column.min(task.places.end - place);
            let at = ColumnPosition { sample, place, places, channels: blocks[block].clone() };
            self.column(&ColumnRequest { at: &at, block, inputs: &inputs[sample - task.samples.start] }, &mut scratch);
            visit(&at, &mut scratch.column);
        };
        let places = || task.places.clone().step_by(places_per_column);
        if blocks_outside {
            for block in task.blocks.clone() {
                for sample in task.samples.clone() {
                    control.check()?;
                    places().for_each(|place| visit_one(sample, place, block));
                }
            }
        } else {
            for sample in task.samples.clone() {
                for place in places() {
                    if place % 64 == 0 {
                        control.check()?;
                    }
                    task.blocks.clone().for_each(|block| visit_one(sample, place, block));
                }
            }
        }
        Ok(())
    }

    /// Computes one column: the currents at one position for every step.
    fn column<const N: usize>(&self, request: &ColumnRequest<'_>, scratch: &mut Scratch<N>) {
        let at = request.at;
        let pick = |row: &[f32]| {
            let mut lanes = [Lanes::ZERO; N];
            for (lane, (place, c)) in at.neurons().enumerate() {
                lanes[lane / LANES].0[lane % LANES] = row[c * self.grid.places() + place];
            }
            lanes
        };
        match &self.current {
            Current::Constant(values) => scratch.column.fill(pick(&values[at.sample * self.grid.len()..])),
            Current::Steps(values) => {
                for (t, out) in scratch.column.iter_mut().enumerate() {
                    *out = pick(&values[(t * self.samples + at.sample) * self.grid.len()..]);
                }
            }
            Current::Events(events) => match events.plan.pool {
                None => events.sum(request, &mut scratch.row_cache, &mut scratch.column),
                Some(windows) => events.pooled(windows, self.grid, request, scratch),
            },
        }
        self.add_bias(at, &mut scratch.column);
    }

    fn add_bias<const N: usize>(&self, at: &ColumnPosition, column: &mut Column<N>) {
        if !self.bias.is_empty() {
            for (lane, (_, c)) in at.neurons().enumerate() {
                let bias = self.bias[c];
                column.iter_mut().for_each(|out| out[lane / LANES].0[lane % LANES] += bias);
            }
        }
    }

    /// Whether weight tiles are used for several columns at once.
    fn is_tiled(&self) -> bool {
        matches!(&self.current, Current::Events(events) if events.sources.iter().any(|source| source.tiled))
    }

    /// Visits the columns of one block, several at once.
    fn tiled_columns<const N: usize>(
        &self,
        blocks: &[Range<usize>],
        block: usize,
        task: &ColumnTask,
        inputs: &[Vec<PreparedInput<'_>>],
        control: &JobControl,
        visit: &mut Visit<'_, N>,
    ) -> Result<()> {
        let Current::Events(events) = &self.current else { return Ok(()) };
        let mut scratch = Scratch::<N>::new(self.steps, self.plan());
        let group = (TILED_COLUMN_BYTES / size_of_val(scratch.column.as_slice()).max(1)).clamp(1, MAX_TILED_COLUMNS);
        let mut columns = vec![scratch.column.clone(); group];
        let at =
            |sample: usize, place: usize| ColumnPosition { sample, place, places: 1, channels: blocks[block].clone() };
        let all = task.samples.clone().flat_map(|sample| task.places.clone().map(move |place| (sample, place)));
        let all: Vec<ColumnPosition> = all.map(|(sample, place)| at(sample, place)).collect();
        for group in all.chunks(group) {
            control.check()?;
            let request = |at| ColumnRequest { at, block, inputs: &inputs[at.sample - task.samples.start] };
            let requests: Vec<ColumnRequest<'_>> = group.iter().map(request).collect();
            for (request, column) in requests.iter().zip(&mut columns) {
                events.sum(request, &mut scratch.row_cache, column);
            }
            events.add_tiled(block, &requests, &mut columns);
            for (at, column) in group.iter().zip(&mut columns) {
                self.add_bias(at, column);
                visit(at, column);
            }
        }
        Ok(())
    }
}

/// Visitor of one column.
pub type Visit<'a, const N: usize> = dyn FnMut(&ColumnPosition, &mut Column<N>) + 'a;
