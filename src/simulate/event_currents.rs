//! Currents from events: sums a layer's synaptic terms over the spikes of earlier layers.

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

/// A current computed from events.
pub struct EventCurrents<'a> {
    pub plan: &'a SynapsePlan,
    /// One per term.
    pub sources: Vec<SpikeInput<'a>>,
    /// The current without any spike, `[1 or B][places][channels]`.
    pub constant: Vec<f32>,
    pub pooling: MaxPoolRule,
}

/// The spiking layer behind one term.
pub struct SpikeInput<'a> {
    /// Its spikes; sample 0 of the current is sample `sample`, step 0 is step `first`.
    pub train: &'a SpikeTrain,
    pub sample: usize,
    pub first: usize,
    /// The amplitude of one count: one value, or one per channel.
    amplitudes: Vec<f32>,
    /// The same for each row of weights, `[group][row]`, if channels differ.
    factors: Vec<f32>,
    /// Precomputed sums, if the term uses a lookup table.
    table: Option<Arc<PatternTable>>,
    /// Whether its rows are read in tiles for many columns at once ([`EventCurrents::add_tiled`]).
    pub tiled: bool,
}

impl<'a> SpikeInput<'a> {
    /// The spikes of `layer` in `train` as the input of `term`, a term of `plan`; `tables` caches its lookup table.
    pub fn new(
        layer: &SpikingLayer,
        train: &'a SpikeTrain,
        sample: usize,
        first: usize,
        term: &Term,
        plan: &SynapsePlan,
        tables: &TableCache,
    ) -> Self {
        let amplitudes: Vec<f32> = layer.theta.iter().map(|&theta| layer.neuron.amplitude(theta)).collect();
        let (mut factors, mut table) = (Vec::new(), None);
        if let LinearMap::Weights(rows) = &term.map {
            let channels = rows.input.channels / rows.groups;
            if lookup_table::is_applicable(term, plan.lanes) {
                let amplitude = |c: usize| amplitudes[c % amplitudes.len()];
                let build_table = || PatternTable::new((term, rows), plan.sum, plan.lanes, amplitude);
                table = Some(tables.get_or_build(&amplitudes, build_table));
            } else if amplitudes.len() > 1 {
                let factor = |i: usize| amplitudes[i / rows.rows * channels + i % channels];
                factors = (0..rows.groups * rows.rows).map(factor).collect();
            }
        }
        let tiled = table.is_none()
            && factors.is_empty()
            && plan.weight_bytes() > MIN_TILED_BYTES
            && weight_tiles::is_applicable_to_term(term, plan);
        Self { train, sample, first, amplitudes, factors, table, tiled }
    }
}

/// The spikes of one sample for one term, in the form that the term reads; shortcuts read the bits directly.
pub enum PreparedInput<'a> {
    Bits,
    Patterns(Vec<SpikePatterns>),
    /// Rows of events, listed on demand.
    Reader(EventReader<'a, SampleSpikes<'a>>),
    /// Rows of events, listed beforehand.
    Rows(Vec<RowEvents>),
    /// Events tile by tile, one for each plane.
    Tiles(Vec<TiledEvents>),
}

/// Position of a column: a block of channels at one place of one sample, or all channels at several places. The bits of
/// its neurons are adjacent.
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

/// A request for one column.
#[derive(Clone, Copy)]
pub struct ColumnRequest<'a> {
    pub at: &'a ColumnPosition,
    pub block: usize,
    /// The sample's spikes, one for each term.
    pub inputs: &'a [PreparedInput<'a>],
}

/// Buffers for the columns that one task computes.
pub struct Scratch<const N: usize> {
    pub column: Vec<[Lanes; N]>,
    /// Buffer for the sums that a pool reads.
    other: Vec<[Lanes; N]>,
    pub row_cache: RowCache,
}

/// The last listed rows of events: the next column mostly needs the same.
pub struct RowCache {
    spans: Vec<ColumnSpan>,
    /// `[term][row modulo number of slots]`
    slots: Vec<Vec<CachedRow>>,
}

#[derive(Default)]
struct CachedRow {
    /// Sample and row of outputs.
    key: Option<(usize, usize)>,
    events: RowEvents,
}

impl<const N: usize> Scratch<N> {
    /// Buffers for columns of `steps` steps with the currents of `plan`.
    pub fn new(steps: usize, plan: Option<&SynapsePlan>) -> Self {
        let terms = plan.map_or(0, |plan| plan.terms.len());
        let rows = plan.and_then(|plan| plan.pool).map_or(1, |pool| pool.kernel[0]);
        // A column of several places may span two rows.
        let slots = || (0..rows.max(2)).map(|_| CachedRow::default()).collect();
        let row_cache = RowCache { spans: Vec::new(), slots: (0..terms).map(|_| slots()).collect() };
        Self { column: vec![[Lanes::ZERO; N]; steps], other: Vec::new(), row_cache }
    }
}

impl SpikeInput<'_> {
    fn spikes(&self, sample: usize) -> SampleSpikes<'_> {
        SampleSpikes { train: self.train, sample: self.sample + sample, first: self.first }
    }
}

impl EventCurrents<'_> {
    /// The spikes of one sample, one input per term; with `ahead`, all rows of events are listed at once.
    pub fn inputs(&self, sample: usize, steps: usize, ahead: bool) -> Vec<PreparedInput<'_>> {
        use rayon::prelude::*;
        let input = |k: usize| {
            let (term, source) = (&self.plan.terms[k], &self.sources[k]);
            let spikes = source.spikes(sample);
            if source.table.is_some() {
                return PreparedInput::Patterns(SpikePatterns::new(term.from, &spikes, steps));
            }
            if let (true, LinearMap::Weights(rows)) = (source.tiled, &term.map) {
                return PreparedInput::Tiles(TiledEvents::new(term, rows, &spikes, steps));
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
            PreparedInput::Rows((0..self.plan.sum.height).into_par_iter().map(row).collect())
        };
        (0..self.sources.len()).map(input).collect()
    }

    /// Writes the sum of constant and terms at one position of the plan's inner grid to `column`. Tiled terms are
    /// excluded; [`EventCurrents::add_tiled`] adds them.
    pub fn sum<const M: usize>(&self, request: &ColumnRequest<'_>, row_cache: &mut RowCache, column: &mut Column<M>) {
        let ColumnPosition { sample, place, places, ref channels } = *request.at;
        let grid = self.plan.sum;
        let row = if self.plan.depends_on_input { sample * grid.len() } else { 0 } + place * grid.channels;
        let mut constant = [Lanes::ZERO; M];
        let first = row + channels.start;
        for (lane, value) in self.constant[first..first + request.at.lanes()].iter().enumerate() {
            constant[lane / LANES].0[lane % LANES] = *value;
        }
        fill(&constant, column);
        for (k, (term, source)) in self.plan.terms.iter().zip(&self.sources).enumerate() {
            if let LinearMap::Shortcut(map) = &term.map {
                let spikes = source.spikes(sample);
                let (from, pool, amplitudes) = (term.from, term.pool, source.amplitudes.as_slice());
                let shortcut = ShortcutInput { map, from, pool, spikes: &spikes, amplitudes };
                if places > 1 && pool.is_none() && map.is_identity(from, grid) {
                    shortcut.add_places(place, places, column);
                } else {
                    for part in 0..places {
                        let at = [(place + part) / grid.width, (place + part) % grid.width];
                        shortcut.add(at, channels.start, channels.len(), part * channels.len(), column);
                    }
                }
                continue;
            }
            if source.tiled {
                continue;
            }
            let RowCache { spans, slots } = &mut *row_cache;
            for part in 0..places {
                let at = [(place + part) / grid.width, (place + part) % grid.width];
                let events = row_of_events(&request.inputs[k], &mut slots[k], sample, at[0]);
                let patterns = match &request.inputs[k] {
                    PreparedInput::Patterns(patterns) => patterns.as_slice(),
                    _ => &[],
                };
                let rows =
                    Rows { term, source, patterns, events, block: request.block, first: channels.start, at, part };
                // Blocks are not wider than columns.
                match (self.plan.lanes, M) {
                    (1, _) => rows.add::<1, M>(grid, spans, column),
                    (2, 2 | 4) => rows.add::<2, M>(grid, spans, column),
                    _ => rows.add::<M, M>(grid, spans, column),
                }
            }
        }
    }

    /// Adds the tiled terms at several positions of one block; `columns` are their columns.
    pub fn add_tiled<const N: usize>(
        &self,
        block: usize,
        requests: &[ColumnRequest<'_>],
        columns: &mut [Vec<[Lanes; N]>],
    ) {
        for (k, (term, source)) in self.plan.terms.iter().zip(&self.sources).enumerate() {
            let LinearMap::Weights(rows) = &term.map else { continue };
            if !source.tiled {
                continue;
            }
            let size = rows.rows * N;
            let weights = &rows.weights[block * size..(block + 1) * size];
            for tile in WeightTile::all(rows, weights) {
                for (request, column) in requests.iter().zip(&mut *columns) {
                    let at = [request.at.place / self.plan.sum.width, request.at.place % self.plan.sum.width];
                    let PreparedInput::Tiles(planes) = &request.inputs[k] else { continue };
                    for events in planes {
                        tile.add::<N>(rows, events, at, source.amplitudes[0], column);
                    }
                }
            }
        }
    }

    /// Writes the maximum over the window of one output place: of each step's currents, or of their sums so far
    /// (lateral).
    pub fn pooled<const N: usize>(
        &self,
        windows: SlidingWindow,
        grid: Grid,
        request: &ColumnRequest<'_>,
        scratch: &mut Scratch<N>,
    ) {
        let Scratch { column, other, row_cache } = scratch;
        other.resize(column.len(), [Lanes::ZERO; N]);
        column.fill([Lanes([f32::NEG_INFINITY; LANES]); N]);
        let lateral = self.pooling == MaxPoolRule::Lateral;
        let here = request.at.place;
        for place in windows.places(self.plan.sum, here / grid.width, here % grid.width) {
            self.sum(
                &ColumnRequest { at: &ColumnPosition { place, ..request.at.clone() }, ..*request },
                row_cache,
                other,
            );
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
            // Each step emits the increase of the largest sum.
            for t in (1..column.len()).rev() {
                let before = column[t - 1];
                subtract(&mut column[t], &before);
            }
        }
    }
}

/// The events for outputs in row `y`; `None` if the term is read in another form.
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
            if slot.key != Some((sample, y)) {
                reader.row(y, &mut slot.events);
                slot.key = Some((sample, y));
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
    /// Index of the place within the column.
    part: usize,
}

impl Rows<'_> {
    fn add<const N: usize, const M: usize>(&self, grid: Grid, spans: &mut Vec<ColumnSpan>, column: &mut Column<M>) {
        let Self { source, block, at, part, .. } = *self;
        let LinearMap::Weights(rows) = &self.term.map else { return };
        if let Some(table) = &source.table {
            for patterns in self.patterns {
                look_up::<N, M>(table, patterns, block, at[0] * grid.width + at[1], part, column);
            }
        }
        let Some(events) = self.events else { return };
        column_spans(rows, at[1], spans);
        let size = rows.rows * N;
        let group = self.first * rows.groups / grid.channels;
        let weights = &rows.weights[block * size..(block + 1) * size];
        let factors = match source.factors.as_slice() {
            [] => None,
            factors => Some(&factors[group * rows.rows..(group + 1) * rows.rows]),
        };
        let amplitude = if factors.is_some() { 1.0 } else { source.amplitudes[0] };
        for list in &events.lists[group] {
            gather::<N, M>(weights, factors, list, spans, amplitude, part, column);
        }
    }
}

/// Replaces each step by the sum of all steps so far.
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
