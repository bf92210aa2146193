//! The input currents of one layer, column by column: from events where the layer has an event form, from dense tensors
//! where it has none. The readout and the trace of a neuron read the same columns as a run, so they round alike.

use std::ops::Range;

use super::event_currents::{ColumnPosition, ColumnRequest, EventCurrents, PreparedInput, Scratch};
use crate::Result;
use crate::compute::event::gather::Column;
use crate::compute::event::synapse_plan::{Grid, SynapsePlan};
use crate::compute::event::weight_tiles::CACHED_BYTES;
use crate::compute::simd::lanes::{LANES, Lanes, MAX_LANES};
use crate::progress::JobControl;

/// Bytes of columns that one stretch of weights is taken for.
const GROUP_BYTES: usize = 128 << 10;
/// The most of them.
const GROUP: usize = 16;

/// Whether a layer's weights are taken block by block for all samples, as they do not stay in the cache.
pub fn exceeds_cache(feed: &SynapsePlan) -> bool {
    feed.weight_bytes() > CACHED_BYTES
}

/// The current of one layer for B samples.
pub enum Current<'a> {
    /// The same at every step, `[B, F]`.
    Constant(Vec<f32>),
    /// Step by step, `[T·B, F]`, time outermost.
    Steps(Vec<f32>),
    Events(EventCurrents<'a>),
}

/// All that is needed to give the columns of one layer.
pub struct Currents<'a> {
    pub current: Current<'a>,
    /// The grid of the layer.
    pub grid: Grid,
    pub samples: usize,
    pub steps: usize,
    /// Whether columns have a single step, which stands for all: what is the same at every step is given once.
    pub once: bool,
    /// Added at every step, one per channel, or empty.
    pub bias: &'a [f32],
    /// Parts that one sample is cut into, for other threads to take.
    pub parts: usize,
}

/// Columns that one task gives.
pub struct ColumnTask {
    pub samples: Range<usize>,
    pub places: Range<usize>,
    blocks: Range<usize>,
    /// Whether these are all blocks of channels.
    pub all_channels: bool,
}

impl Currents<'_> {
    /// What the events are added up by, where there are any.
    fn feed(&self) -> Option<&SynapsePlan> {
        match &self.current {
            Current::Events(events) => Some(events.feed),
            _ => None,
        }
    }

    /// Lanes of one block of channels.
    fn block_lanes(&self) -> usize {
        match &self.current {
            Current::Events(events) => events.feed.lanes,
            _ => self.grid.channels.div_ceil(LANES).next_power_of_two().min(MAX_LANES),
        }
    }

    /// Places that share a column: as many as fill it, where a place does not.
    fn together(&self) -> usize {
        let lanes = self.block_lanes();
        let (pooled, groups) = match &self.current {
            Current::Events(events) => (events.feed.pool.is_some(), events.feed.blocks.len() > 1),
            _ => (false, false),
        };
        // Lanes without a channel between two places would be lanes without a bit.
        if self.grid.channels == lanes * LANES && !pooled && !groups { MAX_LANES / lanes } else { 1 }
    }

    /// Lanes of a column.
    pub fn lanes(&self) -> usize {
        self.block_lanes() * self.together()
    }

    fn blocks(&self) -> Vec<Range<usize>> {
        match &self.current {
            Current::Events(events) => events.feed.blocks.clone(),
            _ => {
                let channels = self.grid.channels;
                let width = self.lanes() * LANES;
                (0..channels).step_by(width).map(|first| first..(first + width).min(channels)).collect()
            }
        }
    }

    /// Gives every column to `work`, task by task: `work(task, columns)` calls `columns` once with what is to be done with
    /// each column (sample, place, channels, currents). Tasks run on several threads where there are several parts.
    pub fn for_each_column<const N: usize, R: Send>(
        &self,
        control: &JobControl,
        work: impl Fn(&ColumnTask, &dyn Fn(&mut Visit<'_, N>) -> Result<()>) -> Result<R> + Sync,
    ) -> Result<Vec<R>> {
        use rayon::prelude::*;
        let blocks = self.blocks();
        let (places, all) = (self.grid.places(), 0..blocks.len());
        let many = self.cut() || self.feed().is_some_and(exceeds_cache);
        let run = |task: ColumnTask, inputs: &[Vec<PreparedInput<'_>>]| {
            let columns = |visit: &mut Visit<'_, N>| self.columns(&blocks, &task, inputs, many, control, visit);
            work(&task, &columns)
        };
        let cut = |length: usize, parts: usize, unit: usize| {
            let size = length.div_ceil(parts.clamp(1, length.max(1))).next_multiple_of(unit);
            (0..length).step_by(size.max(1)).map(move |first| first..(first + size).min(length))
        };
        if many {
            let inputs = |sample| control.check().map(|()| self.inputs(sample, true));
            let inputs = (0..self.samples).into_par_iter().map(inputs).collect::<Result<Vec<_>>>()?;
            let blocks: Vec<_> = cut(blocks.len(), self.parts, 1).collect();
            let places: Vec<_> = cut(places, self.parts.div_ceil(blocks.len()), self.together()).collect();
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
                let tasks: Vec<_> = cut(places, self.parts, self.together()).collect();
                let results: Result<Vec<R>> = tasks.into_par_iter().map(task).collect();
                all_results.extend(results?);
            }
        }
        Ok(all_results)
    }

    /// The spikes of one sample, one for each term; with `ahead`, all rows of events are listed at once.
    fn inputs(&self, sample: usize, ahead: bool) -> Vec<PreparedInput<'_>> {
        match &self.current {
            Current::Events(events) => events.inputs(sample, self.steps, ahead),
            _ => Vec::new(),
        }
    }

    /// The columns of one task; `inputs` are of its samples.
    fn columns<const N: usize>(
        &self,
        blocks: &[Range<usize>],
        task: &ColumnTask,
        inputs: &[Vec<PreparedInput<'_>>],
        blocks_outside: bool,
        control: &JobControl,
        visit: &mut Visit<'_, N>,
    ) -> Result<()> {
        let mut desk = Scratch::new(if self.once { 1 } else { self.steps }, self.feed());
        let together = self.together();
        let (places, channels) = (task.places.len(), task.blocks.clone().map(|block| blocks[block].len()));
        control.add_computed(task.samples.len() * places * channels.sum::<usize>() * self.steps);
        if self.cut() {
            let mut blocks_of_task = task.blocks.clone();
            return blocks_of_task.try_for_each(|block| self.cut_columns(blocks, block, task, inputs, control, visit));
        }
        let mut one = |sample: usize, place: usize, block: usize| {
            let places = together.min(task.places.end - place);
            let at = ColumnPosition { sample, place, places, channels: blocks[block].clone() };
            self.column(&ColumnRequest { at: &at, block, inputs: &inputs[sample - task.samples.start] }, &mut desk);
            visit(&at, &mut desk.column);
        };
        let places = || task.places.clone().step_by(together);
        if blocks_outside {
            for block in task.blocks.clone() {
                for sample in task.samples.clone() {
                    control.check()?;
                    places().for_each(|place| one(sample, place, block));
                }
            }
        } else {
            for sample in task.samples.clone() {
                for place in places() {
                    if place % 64 == 0 {
                        control.check()?;
                    }
                    task.blocks.clone().for_each(|block| one(sample, place, block));
                }
            }
        }
        Ok(())
    }

    /// One column: the currents of one spot at every step.
    fn column<const N: usize>(&self, spot: &ColumnRequest<'_>, desk: &mut Scratch<N>) {
        let at = spot.at;
        let pick = |row: &[f32]| {
            let mut lanes = [Lanes::ZERO; N];
            for (lane, (place, c)) in at.neurons().enumerate() {
                lanes[lane / LANES].0[lane % LANES] = row[c * self.grid.places() + place];
            }
            lanes
        };
        match &self.current {
            Current::Constant(values) => desk.column.fill(pick(&values[at.sample * self.grid.len()..])),
            Current::Steps(values) => {
                for (t, out) in desk.column.iter_mut().enumerate() {
                    *out = pick(&values[(t * self.samples + at.sample) * self.grid.len()..]);
                }
            }
            Current::Events(events) => match events.feed.pool {
                None => events.sum(spot, &mut desk.shelf, &mut desk.column),
                Some(windows) => events.pooled(windows, self.grid, spot, desk),
            },
        }
        self.add_bias(at, &mut desk.column);
    }

    fn add_bias<const N: usize>(&self, at: &ColumnPosition, column: &mut Column<N>) {
        if !self.bias.is_empty() {
            for (lane, (_, c)) in at.neurons().enumerate() {
                let bias = self.bias[c];
                column.iter_mut().for_each(|out| out[lane / LANES].0[lane % LANES] += bias);
            }
        }
    }

    /// Whether stretches of weights are taken for several columns at once.
    fn cut(&self) -> bool {
        matches!(&self.current, Current::Events(events) if events.sources.iter().any(|source| source.cut))
    }

    /// The columns of one block, several at once.
    fn cut_columns<const N: usize>(
        &self,
        blocks: &[Range<usize>],
        block: usize,
        task: &ColumnTask,
        inputs: &[Vec<PreparedInput<'_>>],
        control: &JobControl,
        visit: &mut Visit<'_, N>,
    ) -> Result<()> {
        let Current::Events(events) = &self.current else { return Ok(()) };
        let mut desk = Scratch::<N>::new(self.steps, self.feed());
        let group = (GROUP_BYTES / size_of_val(desk.column.as_slice()).max(1)).clamp(1, GROUP);
        let mut columns = vec![desk.column.clone(); group];
        let at =
            |sample: usize, place: usize| ColumnPosition { sample, place, places: 1, channels: blocks[block].clone() };
        let all = task.samples.clone().flat_map(|sample| task.places.clone().map(move |place| (sample, place)));
        let all: Vec<ColumnPosition> = all.map(|(sample, place)| at(sample, place)).collect();
        for group in all.chunks(group) {
            control.check()?;
            let spot = |at| ColumnRequest { at, block, inputs: &inputs[at.sample - task.samples.start] };
            let spots: Vec<ColumnRequest<'_>> = group.iter().map(spot).collect();
            for (spot, column) in spots.iter().zip(&mut columns) {
                events.sum(spot, &mut desk.shelf, column);
            }
            events.add_cut(block, &spots, &mut columns);
            for (at, column) in group.iter().zip(&mut columns) {
                self.add_bias(at, column);
                visit(at, column);
            }
        }
        Ok(())
    }
}

/// What is done with one column.
pub type Visit<'a, const N: usize> = dyn FnMut(&ColumnPosition, &mut Column<N>) + 'a;
