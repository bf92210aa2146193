//! The input currents of one layer, column by column: from events where the layer has an event form, from dense tensors
//! where it has none. The readout and the trace of a neuron read the same columns as a run, so they round alike.

use std::ops::Range;

use super::Control;
use super::recording::{SampleSpikes, SpikeTrain};
use crate::Result;
use crate::convert::{Pooling, SpikingLayer};
use crate::network::event::feed::{Feed, Grid, Map, Term, Windows};
use crate::network::event::gather::{Column, Run, Shortcut, gather, runs};
use crate::network::event::lanes::{LANES, Lanes, MOST};
use crate::network::event::list::{Reader, RowEvents};
use crate::network::event::table::{self, Patterns, Table, look_up};

/// Bytes of weights up to which all blocks of a layer are taken at a place before the next place; beyond, all places for
/// one block.
const SMALL_WEIGHTS: usize = 1 << 20;

/// Whether a layer's weights are taken block by block for all samples, as they do not stay in the cache.
pub fn many_weights(feed: &Feed) -> bool {
    feed.weight_bytes() > SMALL_WEIGHTS
}

/// The current of one layer for B samples.
pub enum Current<'a> {
    /// The same at every step, `[B, F]`.
    Held(Vec<f32>),
    /// Step by step, `[T·B, F]`, time outermost.
    Steps(Vec<f32>),
    Events(Events<'a>),
}

/// A current made of events.
pub struct Events<'a> {
    pub feed: &'a Feed,
    /// One per term.
    pub sources: Vec<Source<'a>>,
    /// What the feed gives without any spike, `[1 or B][places][channels]`.
    pub constant: Vec<f32>,
    pub pooling: Pooling,
}

/// The spiking layer behind one term.
pub struct Source<'a> {
    /// Its spikes; sample 0 of the current is sample `sample`, step 0 is step `first`.
    pub train: &'a SpikeTrain,
    pub sample: usize,
    pub first: usize,
    /// What one count is worth: one number, or one per channel.
    amplitudes: Vec<f32>,
    /// The same for each row of weights, `[group][row]`, where channels differ.
    factors: Vec<f32>,
    /// Sums worked out beforehand, where the term is read so.
    table: Option<Table>,
}

impl<'a> Source<'a> {
    /// The spikes of `layer` in `train` as the input of `term`, whose blocks span `lanes`.
    pub fn new(
        layer: &SpikingLayer,
        train: &'a SpikeTrain,
        sample: usize,
        first: usize,
        term: &Term,
        lanes: usize,
    ) -> Self {
        let amplitudes: Vec<f32> = layer.theta.iter().map(|&theta| layer.neuron.unit(theta)).collect();
        let (mut factors, mut table) = (Vec::new(), None);
        if let Map::Rows(rows) = &term.map {
            let channels = rows.input.channels / rows.groups;
            if table::suits(term, lanes) {
                table = Some(Table::new(rows, lanes, |c| amplitudes[c % amplitudes.len()]));
            } else if amplitudes.len() > 1 {
                let factor = |i: usize| amplitudes[i / rows.rows * channels + i % channels];
                factors = (0..rows.groups * rows.rows).map(factor).collect();
            }
        }
        Self { train, sample, first, amplitudes, factors, table }
    }
}

/// The spikes of one sample for one term, in the form that the term is read in; shortcuts read the bits themselves.
enum Input<'a> {
    Bits,
    Patterns(Vec<Patterns>),
    /// Rows of events are listed when they are needed.
    Reader(Reader<'a, SampleSpikes<'a>>),
    /// They are listed already.
    Rows(Vec<RowEvents>),
}

/// All that is needed to give the columns of one layer.
pub struct Currents<'a> {
    pub current: Current<'a>,
    /// The grid of the layer.
    pub grid: Grid,
    pub samples: usize,
    pub steps: usize,
    /// Added at every step, one per channel, or empty.
    pub bias: &'a [f32],
    /// Parts that one sample is cut into, for other threads to take.
    pub parts: usize,
}

/// Columns that one task gives.
pub struct Task {
    pub samples: Range<usize>,
    pub places: Range<usize>,
    blocks: Range<usize>,
}

impl Currents<'_> {
    /// Lanes of one block of channels.
    fn block_lanes(&self) -> usize {
        match &self.current {
            Current::Events(events) => events.feed.lanes,
            _ => self.grid.channels.div_ceil(LANES).next_power_of_two().min(MOST),
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
        if self.grid.channels == lanes * LANES && !pooled && !groups { MOST / lanes } else { 1 }
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
    pub fn each<const N: usize, R: Send>(
        &self,
        control: &Control,
        work: impl Fn(&Task, &dyn Fn(&mut Visit<'_, N>) -> Result<()>) -> Result<R> + Sync,
    ) -> Result<Vec<R>> {
        use rayon::prelude::*;
        let blocks = self.blocks();
        let (places, all) = (self.grid.places(), 0..blocks.len());
        let many = matches!(&self.current, Current::Events(events) if many_weights(events.feed));
        let run = |task: Task, inputs: &[Vec<Input<'_>>]| {
            let columns = |visit: &mut Visit<'_, N>| self.columns(&blocks, &task, inputs, many, control, visit);
            work(&task, &columns)
        };
        let cut = |length: usize, parts: usize, unit: usize| {
            let size = length.div_ceil(parts.clamp(1, length.max(1))).next_multiple_of(unit);
            (0..length).step_by(size.max(1)).map(move |first| first..(first + size).min(length))
        };
        if many {
            let inputs = |sample| control.check().map(|()| self.inputs(sample, true));
            let inputs = (0..self.samples).map(inputs).collect::<Result<Vec<_>>>()?;
            let tasks: Vec<_> = cut(blocks.len(), self.parts, 1).collect();
            let task = |blocks| run(Task { samples: 0..self.samples, places: 0..places, blocks }, &inputs);
            return tasks.into_par_iter().map(task).collect();
        }
        let mut all_results = Vec::new();
        for sample in 0..self.samples {
            control.check()?;
            let inputs = [self.inputs(sample, false)];
            let task = |places| run(Task { samples: sample..sample + 1, places, blocks: all.clone() }, &inputs);
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
    fn inputs(&self, sample: usize, ahead: bool) -> Vec<Input<'_>> {
        use rayon::prelude::*;
        let Current::Events(events) = &self.current else { return Vec::new() };
        let input = |k: usize| {
            let (term, source) = (&events.feed.terms[k], &events.sources[k]);
            let spikes = source.spikes(sample);
            if source.table.is_some() {
                return Input::Patterns(Patterns::of(term.from, &spikes, self.steps));
            }
            let Some(reader) = Reader::new(term, spikes, self.steps) else { return Input::Bits };
            if !ahead {
                return Input::Reader(reader);
            }
            let row = |y: usize| {
                let mut row = RowEvents::default();
                reader.row(y, &mut row);
                row
            };
            Input::Rows((0..events.feed.sum.height).into_par_iter().map(row).collect())
        };
        (0..events.sources.len()).map(input).collect()
    }

    /// The columns of one task; `inputs` are of its samples.
    fn columns<const N: usize>(
        &self,
        blocks: &[Range<usize>],
        task: &Task,
        inputs: &[Vec<Input<'_>>],
        blocks_outside: bool,
        control: &Control,
        visit: &mut Visit<'_, N>,
    ) -> Result<()> {
        let mut desk = Desk { column: vec![[Lanes::ZERO; N]; self.steps], other: Vec::new(), shelf: self.shelf() };
        let together = self.together();
        let (places, channels) = (task.places.len(), task.blocks.clone().map(|block| blocks[block].len()));
        control.count(task.samples.len() * places * channels.sum::<usize>() * self.steps);
        let mut one = |sample: usize, place: usize, block: usize| {
            let places = together.min(task.places.end - place);
            let at = At { sample, place, places, channels: blocks[block].clone() };
            self.column(&Spot { at: &at, block, inputs: &inputs[sample - task.samples.start] }, &mut desk);
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

    /// Room for the rows of events that one column is made of.
    fn shelf(&self) -> Shelf {
        let (terms, rows) = match &self.current {
            Current::Events(Events { feed, .. }) => (feed.terms.len(), feed.pool.map_or(1, |pool| pool.kernel[0])),
            _ => (0, 0),
        };
        // A column of several places may lie in two rows.
        let slots = || (0..rows.max(2)).map(|_| Slot::default()).collect();
        Shelf { runs: Vec::new(), slots: (0..terms).map(|_| slots()).collect() }
    }

    /// One column: the currents of one spot at every step.
    fn column<const N: usize>(&self, spot: &Spot<'_>, desk: &mut Desk<N>) {
        let at = spot.at;
        let pick = |row: &[f32]| {
            let mut lanes = [Lanes::ZERO; N];
            for (lane, (place, c)) in at.neurons().enumerate() {
                lanes[lane / LANES].0[lane % LANES] = row[c * self.grid.places() + place];
            }
            lanes
        };
        match &self.current {
            Current::Held(values) => desk.column.fill(pick(&values[at.sample * self.grid.len()..])),
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
        if !self.bias.is_empty() {
            for (lane, (_, c)) in at.neurons().enumerate() {
                let bias = self.bias[c];
                desk.column.iter_mut().for_each(|out| out[lane / LANES].0[lane % LANES] += bias);
            }
        }
    }
}

/// What is done with one column.
pub type Visit<'a, const N: usize> = dyn FnMut(&At, &mut Column<N>) + 'a;

/// Where a column stands: a block of channels at one place of one sample, or all channels at several places. Its neurons'
/// bits lie next to each other.
#[derive(Clone, Debug)]
pub struct At {
    pub sample: usize,
    /// The first place.
    pub place: usize,
    pub places: usize,
    pub channels: Range<usize>,
}

impl At {
    /// Lanes that have a neuron.
    pub fn lanes(&self) -> usize {
        self.places * self.channels.len()
    }
    /// Place and channel of every lane that has a neuron.
    pub fn neurons(&self) -> impl Iterator<Item = (usize, usize)> {
        let places = self.place..self.place + self.places;
        places.flat_map(|place| self.channels.clone().map(move |c| (place, c)))
    }
}

/// A column that is to be made.
#[derive(Clone, Copy)]
struct Spot<'a> {
    at: &'a At,
    block: usize,
    /// The sample's spikes, one for each term.
    inputs: &'a [Input<'a>],
}

/// Room for the columns that one task works on.
struct Desk<const N: usize> {
    column: Vec<[Lanes; N]>,
    other: Vec<[Lanes; N]>,
    shelf: Shelf,
}

/// Rows of events that were listed last: the next column needs mostly the same.
struct Shelf {
    runs: Vec<Run>,
    /// `[term][row modulo their number]`
    slots: Vec<Vec<Slot>>,
}

#[derive(Default)]
struct Slot {
    /// Sample and row of outputs.
    of: Option<(usize, usize)>,
    events: RowEvents,
}

impl Source<'_> {
    fn spikes(&self, sample: usize) -> SampleSpikes<'_> {
        SampleSpikes { train: self.train, sample: self.sample + sample, first: self.first }
    }
}

impl Events<'_> {
    /// The sum of constant and terms at one spot of the feed's inner grid.
    fn sum<const M: usize>(&self, spot: &Spot<'_>, shelf: &mut Shelf, column: &mut Column<M>) {
        let At { sample, place, places, ref channels } = *spot.at;
        let grid = self.feed.sum;
        let row = if self.feed.analogue { sample * grid.len() } else { 0 } + place * grid.channels;
        let mut constant = [Lanes::ZERO; M];
        let first = row + channels.start;
        for (lane, value) in self.constant[first..first + spot.at.lanes()].iter().enumerate() {
            constant[lane / LANES].0[lane % LANES] = *value;
        }
        column.fill(constant);
        for (k, (term, source)) in self.feed.terms.iter().zip(&self.sources).enumerate() {
            if let Map::Direct(direct) = &term.map {
                let spikes = source.spikes(sample);
                let (from, pool, amplitudes) = (term.from, term.pool, source.amplitudes.as_slice());
                let shortcut = Shortcut { direct, from, pool, spikes: &spikes, amplitudes };
                if places > 1 && pool.is_none() && direct.is_identity(from, grid) {
                    shortcut.add_places(place, places, column);
                } else {
                    for part in 0..places {
                        let at = [(place + part) / grid.width, (place + part) % grid.width];
                        shortcut.add(at, channels.start, channels.len(), part * channels.len(), column);
                    }
                }
                continue;
            }
            let Shelf { runs, slots } = &mut *shelf;
            for part in 0..places {
                let at = [(place + part) / grid.width, (place + part) % grid.width];
                let events = row_of_events(&spot.inputs[k], &mut slots[k], sample, at[0]);
                let patterns = match &spot.inputs[k] {
                    Input::Patterns(patterns) => patterns.as_slice(),
                    _ => &[],
                };
                let rows = Rows { term, source, patterns, events, block: spot.block, first: channels.start, at, part };
                // Blocks are no wider than columns.
                match (self.feed.lanes, M) {
                    (1, _) => rows.add::<1, M>(grid, runs, column),
                    (2, 2 | 4) => rows.add::<2, M>(grid, runs, column),
                    _ => rows.add::<M, M>(grid, runs, column),
                }
            }
        }
    }

    /// The maximum over the window of one output place: of each step's currents, or of their sums so far (lateral).
    fn pooled<const N: usize>(&self, windows: Windows, grid: Grid, spot: &Spot<'_>, desk: &mut Desk<N>) {
        let Desk { column, other, shelf } = desk;
        other.resize(column.len(), [Lanes::ZERO; N]);
        column.fill([Lanes([f32::NEG_INFINITY; LANES]); N]);
        let lateral = self.pooling == Pooling::Lateral;
        let here = spot.at.place;
        for place in windows.places(self.feed.sum, here / grid.width, here % grid.width) {
            self.sum(&Spot { at: &At { place, ..spot.at.clone() }, ..*spot }, shelf, other);
            if lateral {
                accumulate(other);
            }
            for (out, other) in column.iter_mut().zip(other.iter()) {
                for (out, other) in out.iter_mut().zip(other) {
                    out.0.iter_mut().zip(other.0).for_each(|(out, other)| *out = out.max(other));
                }
            }
        }
        if lateral {
            // What is sent is the increase of the largest sum.
            for t in (1..column.len()).rev() {
                let before = column[t - 1];
                subtract(&mut column[t], &before);
            }
        }
    }
}

/// The events for outputs in row `y`; `None` where the term is read in another form.
fn row_of_events<'b>(input: &'b Input<'_>, slots: &'b mut [Slot], sample: usize, y: usize) -> Option<&'b RowEvents> {
    match input {
        Input::Rows(rows) => rows.get(y),
        Input::Reader(reader) => {
            let slot = &mut slots[y % slots.len()];
            if slot.of != Some((sample, y)) {
                reader.row(y, &mut slot.events);
                slot.of = Some((sample, y));
            }
            Some(&slot.events)
        }
        _ => None,
    }
}

/// A term with weights at one place, for one block of output channels.
struct Rows<'a> {
    term: &'a Term,
    source: &'a Source<'a>,
    patterns: &'a [Patterns],
    events: Option<&'a RowEvents>,
    block: usize,
    /// The block's first channel.
    first: usize,
    at: [usize; 2],
    /// Which of the column's places it is.
    part: usize,
}

impl Rows<'_> {
    fn add<const N: usize, const M: usize>(&self, grid: Grid, stretches: &mut Vec<Run>, column: &mut Column<M>) {
        let Self { source, block, at, part, .. } = *self;
        let Map::Rows(rows) = &self.term.map else { return };
        if let Some(table) = &source.table {
            for patterns in self.patterns {
                look_up::<N, M>(table, (self.term, rows), patterns, block, at, part, column);
            }
        }
        let Some(events) = self.events else { return };
        runs(rows, at[1], stretches);
        let size = rows.rows * N;
        let group = self.first * rows.groups / grid.channels;
        let weights = &rows.weights[block * size..(block + 1) * size];
        let factors = match source.factors.as_slice() {
            [] => None,
            factors => Some(&factors[group * rows.rows..(group + 1) * rows.rows]),
        };
        let amplitude = if factors.is_some() { 1.0 } else { source.amplitudes[0] };
        for list in &events.lists[group] {
            gather::<N, M>(weights, factors, list, stretches, amplitude, part, column);
        }
    }
}

/// Sums over the steps so far.
fn accumulate<const N: usize>(column: &mut Column<N>) {
    for t in 1..column.len() {
        let before = column[t - 1];
        for (out, before) in column[t].iter_mut().zip(&before) {
            out.0.iter_mut().zip(before.0).for_each(|(out, before)| *out += before);
        }
    }
}

fn subtract<const N: usize>(out: &mut [Lanes; N], by: &[Lanes; N]) {
    for (out, by) in out.iter_mut().zip(by) {
        out.0.iter_mut().zip(by.0).for_each(|(out, by)| *out -= by);
    }
}
