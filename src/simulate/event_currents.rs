//! Currents that are made of events: the sums of a layer's terms over the spikes of the layers before it, for one column.

use std::ops::Range;
use std::sync::Arc;

use super::spike_train::{SampleSpikes, SpikeTrain};
use crate::compute::event::event_list::{EventReader, RowEvents};
use crate::compute::event::gather::{Column, ColumnSpan, ShortcutInput, column_spans, fill, gather};
use crate::compute::event::lookup_table::{PatternTable, SpikePatterns, TableCache, look_up};
use crate::compute::event::synapse_plan::{Grid, LinearMap, SlidingWindow, SynapsePlan, Term};
use crate::compute::event::weight_tiles::{MIN_TILED_BYTES, TiledEvents, WeightTile};
use crate::compute::event::{lookup_table, weight_tiles};
use crate::compute::simd::lanes::{LANES, Lanes};
use crate::convert::{MaxPoolRule, SpikingLayer};

/// A current made of events.
pub struct EventCurrents<'a> {
    pub feed: &'a SynapsePlan,
    /// One per term.
    pub sources: Vec<SpikeInput<'a>>,
    /// What the feed gives without any spike, `[1 or B][places][channels]`.
    pub constant: Vec<f32>,
    pub pooling: MaxPoolRule,
}

/// The spiking layer behind one term.
pub struct SpikeInput<'a> {
    /// Its spikes; sample 0 of the current is sample `sample`, step 0 is step `first`.
    pub train: &'a SpikeTrain,
    pub sample: usize,
    pub first: usize,
    /// What one count is worth: one number, or one per channel.
    amplitudes: Vec<f32>,
    /// The same for each row of weights, `[group][row]`, where channels differ.
    factors: Vec<f32>,
    /// Sums worked out beforehand, where the term is read so.
    table: Option<Arc<PatternTable>>,
    /// Whether its rows are taken in stretches for many columns at once ([`EventCurrents::add_cut`]).
    pub cut: bool,
}

impl<'a> SpikeInput<'a> {
    /// The spikes of `layer` in `train` as the input of `term`, one of those of `feed`; `tables` caches its lookup table.
    pub fn new(
        layer: &SpikingLayer,
        train: &'a SpikeTrain,
        sample: usize,
        first: usize,
        term: &Term,
        feed: &SynapsePlan,
        tables: &TableCache,
    ) -> Self {
        let amplitudes: Vec<f32> = layer.theta.iter().map(|&theta| layer.neuron.amplitude(theta)).collect();
        let (mut factors, mut table) = (Vec::new(), None);
        if let LinearMap::Weights(rows) = &term.map {
            let channels = rows.input.channels / rows.groups;
            if lookup_table::is_applicable(term, feed.lanes) {
                let worth = |c: usize| amplitudes[c % amplitudes.len()];
                let make = || PatternTable::new((term, rows), feed.sum, feed.lanes, worth);
                table = Some(tables.get_or_build(&amplitudes, make));
            } else if amplitudes.len() > 1 {
                let factor = |i: usize| amplitudes[i / rows.rows * channels + i % channels];
                factors = (0..rows.groups * rows.rows).map(factor).collect();
            }
        }
        let cut = table.is_none()
            && factors.is_empty()
            && feed.weight_bytes() > MIN_TILED_BYTES
            && weight_tiles::is_applicable_to_term(term, feed);
        Self { train, sample, first, amplitudes, factors, table, cut }
    }
}

/// The spikes of one sample for one term, in the form that the term is read in; shortcuts read the bits themselves.
pub enum PreparedInput<'a> {
    Bits,
    Patterns(Vec<SpikePatterns>),
    /// Rows of events are listed when they are needed.
    Reader(EventReader<'a, SampleSpikes<'a>>),
    /// They are listed already.
    Rows(Vec<RowEvents>),
    /// Stretch by stretch, one for each plane.
    Cut(Vec<TiledEvents>),
}

/// Where a column stands: a block of channels at one place of one sample, or all channels at several places. Its neurons'
/// bits lie next to each other.
#[derive(Clone, Debug)]
pub struct ColumnPosition {
    pub sample: usize,
    /// The first place.
    pub place: usize,
    pub places: usize,
    pub channels: Range<usize>,
}

impl ColumnPosition {
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
pub struct ColumnRequest<'a> {
    pub at: &'a ColumnPosition,
    pub block: usize,
    /// The sample's spikes, one for each term.
    pub inputs: &'a [PreparedInput<'a>],
}

/// Room for the columns that one task works on.
pub struct Scratch<const N: usize> {
    pub column: Vec<[Lanes; N]>,
    /// For the sums that a pool looks at.
    other: Vec<[Lanes; N]>,
    pub shelf: RowCache,
}

/// Rows of events that were listed last: the next column needs mostly the same.
pub struct RowCache {
    runs: Vec<ColumnSpan>,
    /// `[term][row modulo their number]`
    slots: Vec<Vec<CachedRow>>,
}

#[derive(Default)]
struct CachedRow {
    /// Sample and row of outputs.
    of: Option<(usize, usize)>,
    events: RowEvents,
}

impl<const N: usize> Scratch<N> {
    /// Room for columns of `steps` steps made by `feed`.
    pub fn new(steps: usize, feed: Option<&SynapsePlan>) -> Self {
        let terms = feed.map_or(0, |feed| feed.terms.len());
        let rows = feed.and_then(|feed| feed.pool).map_or(1, |pool| pool.kernel[0]);
        // A column of several places may lie in two rows.
        let slots = || (0..rows.max(2)).map(|_| CachedRow::default()).collect();
        let shelf = RowCache { runs: Vec::new(), slots: (0..terms).map(|_| slots()).collect() };
        Self { column: vec![[Lanes::ZERO; N]; steps], other: Vec::new(), shelf }
    }
}

impl SpikeInput<'_> {
    fn spikes(&self, sample: usize) -> SampleSpikes<'_> {
        SampleSpikes { train: self.train, sample: self.sample + sample, first: self.first }
    }
}

impl EventCurrents<'_> {
    /// The spikes of one sample, one for each term; with `ahead`, all rows of events are listed at once.
    pub fn inputs(&self, sample: usize, steps: usize, ahead: bool) -> Vec<PreparedInput<'_>> {
        use rayon::prelude::*;
        let input = |k: usize| {
            let (term, source) = (&self.feed.terms[k], &self.sources[k]);
            let spikes = source.spikes(sample);
            if source.table.is_some() {
                return PreparedInput::Patterns(SpikePatterns::of(term.from, &spikes, steps));
            }
            if let (true, LinearMap::Weights(rows)) = (source.cut, &term.map) {
                return PreparedInput::Cut(TiledEvents::of(term, rows, &spikes, steps));
            }
            let Some(reader) = EventReader::new(term, spikes, steps) else { return PreparedInput::Bits };
            if !ahead {
                return PreparedInput::Reader(reader);
            }
            let row = |y: usize| {
                let mut row = RowEvents::default();
                reader.row(y, &mut row);
                row
            };
            PreparedInput::Rows((0..self.feed.sum.height).into_par_iter().map(row).collect())
        };
        (0..self.sources.len()).map(input).collect()
    }

    /// The sum of constant and terms at one spot of the feed's inner grid; terms that are taken in stretches apart.
    pub fn sum<const M: usize>(&self, spot: &ColumnRequest<'_>, shelf: &mut RowCache, column: &mut Column<M>) {
        let ColumnPosition { sample, place, places, ref channels } = *spot.at;
        let grid = self.feed.sum;
        let row = if self.feed.depends_on_input { sample * grid.len() } else { 0 } + place * grid.channels;
        let mut constant = [Lanes::ZERO; M];
        let first = row + channels.start;
        for (lane, value) in self.constant[first..first + spot.at.lanes()].iter().enumerate() {
            constant[lane / LANES].0[lane % LANES] = *value;
        }
        fill(&constant, column);
        for (k, (term, source)) in self.feed.terms.iter().zip(&self.sources).enumerate() {
            if let LinearMap::Shortcut(direct) = &term.map {
                let spikes = source.spikes(sample);
                let (from, pool, amplitudes) = (term.from, term.pool, source.amplitudes.as_slice());
                let shortcut = ShortcutInput { direct, from, pool, spikes: &spikes, amplitudes };
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
            if source.cut {
                continue;
            }
            let RowCache { runs, slots } = &mut *shelf;
            for part in 0..places {
                let at = [(place + part) / grid.width, (place + part) % grid.width];
                let events = row_of_events(&spot.inputs[k], &mut slots[k], sample, at[0]);
                let patterns = match &spot.inputs[k] {
                    PreparedInput::Patterns(patterns) => patterns.as_slice(),
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

    /// Adds the terms that are taken in stretches at several spots of one block, whose columns are `columns`.
    pub fn add_cut<const N: usize>(&self, block: usize, spots: &[ColumnRequest<'_>], columns: &mut [Vec<[Lanes; N]>]) {
        for (k, (term, source)) in self.feed.terms.iter().zip(&self.sources).enumerate() {
            let LinearMap::Weights(rows) = &term.map else { continue };
            if !source.cut {
                continue;
            }
            let size = rows.rows * N;
            let weights = &rows.weights[block * size..(block + 1) * size];
            for stretch in WeightTile::all(rows, weights) {
                for (spot, column) in spots.iter().zip(&mut *columns) {
                    let at = [spot.at.place / self.feed.sum.width, spot.at.place % self.feed.sum.width];
                    let PreparedInput::Cut(planes) = &spot.inputs[k] else { continue };
                    for events in planes {
                        stretch.add::<N>(rows, events, at, source.amplitudes[0], column);
                    }
                }
            }
        }
    }

    /// The maximum over the window of one output place: of each step's currents, or of their sums so far (lateral).
    pub fn pooled<const N: usize>(
        &self,
        windows: SlidingWindow,
        grid: Grid,
        spot: &ColumnRequest<'_>,
        desk: &mut Scratch<N>,
    ) {
        let Scratch { column, other, shelf } = desk;
        other.resize(column.len(), [Lanes::ZERO; N]);
        column.fill([Lanes([f32::NEG_INFINITY; LANES]); N]);
        let lateral = self.pooling == MaxPoolRule::Lateral;
        let here = spot.at.place;
        for place in windows.places(self.feed.sum, here / grid.width, here % grid.width) {
            self.sum(&ColumnRequest { at: &ColumnPosition { place, ..spot.at.clone() }, ..*spot }, shelf, other);
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
fn row_of_events<'b>(
    input: &'b PreparedInput<'_>,
    slots: &'b mut [CachedRow],
    sample: usize,
    y: usize,
) -> Option<&'b RowEvents> {
    match input {
        PreparedInput::Rows(rows) => rows.get(y),
        PreparedInput::Reader(reader) => {
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
    source: &'a SpikeInput<'a>,
    patterns: &'a [SpikePatterns],
    events: Option<&'a RowEvents>,
    block: usize,
    /// The block's first channel.
    first: usize,
    at: [usize; 2],
    /// Which of the column's places it is.
    part: usize,
}

impl Rows<'_> {
    fn add<const N: usize, const M: usize>(&self, grid: Grid, stretches: &mut Vec<ColumnSpan>, column: &mut Column<M>) {
        let Self { source, block, at, part, .. } = *self;
        let LinearMap::Weights(rows) = &self.term.map else { return };
        if let Some(table) = &source.table {
            for patterns in self.patterns {
                look_up::<N, M>(table, patterns, block, at[0] * grid.width + at[1], part, column);
            }
        }
        let Some(events) = self.events else { return };
        column_spans(rows, at[1], stretches);
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
