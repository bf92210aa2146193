//! The input currents of one layer, column by column: from events where the layer has an event form, from dense tensors
//! where it has none. The readout and the trace of a neuron read the same columns as a run, so they round alike.

use std::ops::Range;

use super::Control;
use super::recording::{SampleSpikes, SpikeTrain};
use crate::Result;
use crate::convert::{Pooling, SpikingLayer};
use crate::network::event::feed::{Feed, Grid, Map, Windows};
use crate::network::event::gather::{Column, Run, Shortcut, gather, runs};
use crate::network::event::lanes::{LANES, Lanes, MOST};
use crate::network::event::list::Lists;

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
}

impl<'a> Source<'a> {
    /// The spikes of `layer` in `train` as the input of `map`.
    pub fn new(layer: &SpikingLayer, train: &'a SpikeTrain, sample: usize, first: usize, map: &Map) -> Self {
        let amplitudes: Vec<f32> = layer.theta.iter().map(|&theta| layer.neuron.unit(theta)).collect();
        let factors = match map {
            Map::Rows(rows) if amplitudes.len() > 1 => {
                let channels = rows.input.channels / rows.groups;
                (0..rows.groups * rows.rows).map(|i| amplitudes[i / rows.rows * channels + i % channels]).collect()
            }
            _ => Vec::new(),
        };
        Self { train, sample, first, amplitudes, factors }
    }
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
    /// Lanes of a block.
    pub fn lanes(&self) -> usize {
        match &self.current {
            Current::Events(events) => events.feed.lanes,
            _ => self.grid.channels.div_ceil(LANES).next_power_of_two().min(MOST),
        }
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
        let run = |task: Task, lists: &[Vec<Lists>]| {
            let columns = |visit: &mut Visit<'_, N>| self.columns(&blocks, &task, lists, many, control, visit);
            work(&task, &columns)
        };
        let cut = |length: usize, parts: usize| {
            let size = length.div_ceil(parts.clamp(1, length.max(1)));
            (0..length).step_by(size.max(1)).map(move |first| first..(first + size).min(length))
        };
        if many {
            let lists = |sample| control.check().map(|()| self.lists(sample));
            let lists = (0..self.samples).map(lists).collect::<Result<Vec<_>>>()?;
            let tasks: Vec<_> = cut(blocks.len(), self.parts).collect();
            let task = |blocks| run(Task { samples: 0..self.samples, places: 0..places, blocks }, &lists);
            return tasks.into_par_iter().map(task).collect();
        }
        let mut all_results = Vec::new();
        for sample in 0..self.samples {
            control.check()?;
            let lists = [self.lists(sample)];
            let task = |places| run(Task { samples: sample..sample + 1, places, blocks: all.clone() }, &lists);
            if self.parts < 2 {
                all_results.push(task(0..places)?);
            } else {
                let tasks: Vec<_> = cut(places, self.parts).collect();
                let results: Result<Vec<R>> = tasks.into_par_iter().map(task).collect();
                all_results.extend(results?);
            }
        }
        Ok(all_results)
    }

    /// The events of one sample, one for each term.
    fn lists(&self, sample: usize) -> Vec<Lists> {
        let Current::Events(events) = &self.current else { return Vec::new() };
        let list = |(term, source): (_, &Source<'_>)| Lists::of(term, &source.spikes(sample), self.steps);
        events.feed.terms.iter().zip(&events.sources).map(list).collect()
    }

    /// The columns of one task; `lists` are of its samples.
    fn columns<const N: usize>(
        &self,
        blocks: &[Range<usize>],
        task: &Task,
        lists: &[Vec<Lists>],
        blocks_outside: bool,
        control: &Control,
        visit: &mut Visit<'_, N>,
    ) -> Result<()> {
        let mut desk = Desk { column: vec![[Lanes::ZERO; N]; self.steps], other: Vec::new(), runs: Vec::new() };
        let mut one = |sample: usize, place: usize, block: usize| {
            let lists = &lists[sample - task.samples.start];
            self.column(&Spot { sample, place, block, channels: &blocks[block], lists }, &mut desk);
            visit(sample, place, &blocks[block], &mut desk.column);
        };
        if blocks_outside {
            for block in task.blocks.clone() {
                for sample in task.samples.clone() {
                    control.check()?;
                    task.places.clone().for_each(|place| one(sample, place, block));
                }
            }
        } else {
            for sample in task.samples.clone() {
                for place in task.places.clone() {
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
    fn column<const N: usize>(&self, spot: &Spot<'_>, desk: &mut Desk<N>) {
        let Spot { sample, place, channels, .. } = *spot;
        match &self.current {
            Current::Held(values) => {
                let row = &values[sample * self.grid.len()..];
                let mut held = [Lanes::ZERO; N];
                for (lane, c) in channels.clone().enumerate() {
                    held[lane / LANES].0[lane % LANES] = row[c * self.grid.places() + place];
                }
                desk.column.fill(held);
            }
            Current::Steps(values) => {
                for (t, out) in desk.column.iter_mut().enumerate() {
                    let row = &values[(t * self.samples + sample) * self.grid.len()..];
                    for (lane, c) in channels.clone().enumerate() {
                        out[lane / LANES].0[lane % LANES] = row[c * self.grid.places() + place];
                    }
                }
            }
            Current::Events(events) => match events.feed.pool {
                None => events.sum(spot, &mut desk.runs, &mut desk.column),
                Some(windows) => events.pooled(windows, self.grid, spot, desk),
            },
        }
        if !self.bias.is_empty() {
            for (lane, c) in channels.clone().enumerate() {
                let bias = self.bias[c];
                desk.column.iter_mut().for_each(|out| out[lane / LANES].0[lane % LANES] += bias);
            }
        }
    }
}

/// What is done with one column: sample, place, channels, currents.
pub type Visit<'a, const N: usize> = dyn FnMut(usize, usize, &Range<usize>, &mut Column<N>) + 'a;

/// Where a column stands: one block of channels at one place of one sample.
#[derive(Clone, Copy)]
struct Spot<'a> {
    sample: usize,
    place: usize,
    block: usize,
    channels: &'a Range<usize>,
    /// The sample's events, one for each term.
    lists: &'a [Lists],
}

/// Room for the columns that one task works on.
struct Desk<const N: usize> {
    column: Vec<[Lanes; N]>,
    other: Vec<[Lanes; N]>,
    runs: Vec<Run>,
}

impl Source<'_> {
    fn spikes(&self, sample: usize) -> SampleSpikes<'_> {
        SampleSpikes { train: self.train, sample: self.sample + sample, first: self.first }
    }
}

impl Events<'_> {
    /// The sum of constant and terms at one spot of the feed's inner grid.
    fn sum<const N: usize>(&self, spot: &Spot<'_>, stretches: &mut Vec<Run>, column: &mut Column<N>) {
        let Spot { sample, place, block, channels, lists } = *spot;
        let grid = self.feed.sum;
        let row = if self.feed.analogue { sample * grid.len() } else { 0 } + place * grid.channels;
        let mut constant = [Lanes::ZERO; N];
        for (lane, c) in channels.clone().enumerate() {
            constant[lane / LANES].0[lane % LANES] = self.constant[row + c];
        }
        column.fill(constant);
        let (y, x) = (place / grid.width, place % grid.width);
        for ((term, source), lists) in self.feed.terms.iter().zip(&self.sources).zip(lists) {
            match &term.map {
                Map::Rows(rows) => {
                    runs(rows, y, x, stretches);
                    let size = rows.rows * N;
                    let group = channels.start * rows.groups / grid.channels;
                    let weights = &rows.weights[block * size..(block + 1) * size];
                    let factors = match source.factors.as_slice() {
                        [] => None,
                        factors => Some(&factors[group * rows.rows..(group + 1) * rows.rows]),
                    };
                    let amplitude = if factors.is_some() { 1.0 } else { source.amplitudes[0] };
                    for list in &lists.0[group] {
                        gather(weights, factors, list, stretches, amplitude, column);
                    }
                }
                Map::Direct(direct) => {
                    let spikes = source.spikes(sample);
                    let (from, pool, amplitudes) = (term.from, term.pool, source.amplitudes.as_slice());
                    let shortcut = Shortcut { direct, from, pool, spikes: &spikes, amplitudes };
                    shortcut.add([y, x], channels.start, channels.len(), column);
                }
            }
        }
    }

    /// The maximum over the window of one output place: of each step's currents, or of their sums so far (lateral).
    fn pooled<const N: usize>(&self, windows: Windows, grid: Grid, spot: &Spot<'_>, desk: &mut Desk<N>) {
        let Desk { column, other, runs } = desk;
        other.resize(column.len(), [Lanes::ZERO; N]);
        column.fill([Lanes([f32::NEG_INFINITY; LANES]); N]);
        let lateral = self.pooling == Pooling::Lateral;
        for place in windows.places(self.feed.sum, spot.place / grid.width, spot.place % grid.width) {
            self.sum(&Spot { place, ..*spot }, runs, other);
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
