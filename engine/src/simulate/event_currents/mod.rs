//! Currents from events: sums a layer's synaptic terms over the spikes of earlier layers, row by row.

mod spike_input;

pub use self::spike_input::SpikeInput;
use super::spike_train::SampleSpikes;
use crate::compute::event::frame_events::{block_weights, first_channel};
use crate::compute::event::lateral_pool::{PooledStep, SIDES, lateral};
use crate::compute::event::lookup_table;
use crate::compute::event::row_geometry::RowGeometry;
use crate::compute::event::row_input::{ColumnEvents, Tap, row_taps, write_columns, write_patterns};
use crate::compute::event::row_kernel::{AddToRow, ColumnSums, EventSums, RowSink, roll, scatter};
use crate::compute::event::shortcut::BlockShortcut;
use crate::compute::event::spike_source::SpikeSource;
use crate::compute::event::synapse_plan::{LinearMap, SourcePool, SynapsePlan, Term};
use crate::compute::event::table_sums::{ColumnTables, TableSums, Tables};
use crate::compute::event::weight_tiles::{TiledEvents, WeightTile};
use crate::compute::simd::isa::Isa;
use crate::compute::simd::lanes::{LANES, Lanes};
use crate::convert::MaxPoolRule;

/// A current computed from events.
pub struct EventCurrents<'a> {
    pub plan: &'a SynapsePlan,
    /// One per term.
    pub sources: Vec<SpikeInput<'a>>,
    /// The current without any spike, `[1 or B][places][channels]`.
    pub constant: Vec<f32>,
    pub pooling: MaxPoolRule,
}

/// What is prepared of one sample's spikes for one term before its rows are read.
pub enum PreparedInput {
    /// Nothing: rows read the bits.
    Bits,
    /// What a lateral pool emits, `[group][side]`.
    Lateral(Vec<[Vec<PooledStep>; 2]>),
    /// Events tile by tile, one for each plane.
    Tiles(Vec<TiledEvents>),
}

/// One row of sums: a block of channels in one row of the plan's inner grid, at one step of one sample.
#[derive(Clone, Copy)]
pub struct RowRequest<'a> {
    pub sample: usize,
    pub y: usize,
    pub t: usize,
    pub block: usize,
    /// The sample's inputs, one for each term.
    pub inputs: &'a [PreparedInput],
}

/// Buffers for the spikes under one row.
#[derive(Default)]
pub struct RowSpikes {
    taps: Vec<Tap>,
    /// Term, sample and row that the taps belong to.
    key: Option<(usize, usize, usize)>,
    patterns: [Vec<u8>; 2],
    columns: Vec<u64>,
    events: ColumnEvents,
}

/// What is done with the sums of a row's input columns.
trait UseSums<I: Isa, const N: usize> {
    fn run(self, sums: &impl ColumnSums<N>);
}

/// Adds to a row of any geometry.
struct AddTo<'a, const N: usize> {
    geometry: &'a RowGeometry<'a>,
    row: &'a mut [[Lanes; N]],
}

impl<I: Isa, const N: usize> UseSums<I, N> for AddTo<'_, N> {
    #[inline(always)]
    fn run(self, sums: &impl ColumnSums<N>) {
        if self.geometry.rolls() {
            roll::<I, N>(sums, self.geometry, &mut AddToRow(self.row));
        } else {
            scatter::<I, N>(sums, self.geometry, self.row);
        }
    }
}

/// Passes complete sums on.
struct RollInto<'a, S> {
    geometry: &'a RowGeometry<'a>,
    sink: &'a mut S,
}

impl<I: Isa, S: RowSink<I, N>, const N: usize> UseSums<I, N> for RollInto<'_, S> {
    #[inline(always)]
    fn run(self, sums: &impl ColumnSums<N>) {
        roll::<I, N>(sums, self.geometry, self.sink);
    }
}

impl EventCurrents<'_> {
    /// Prepares one sample's spikes over `steps`, one input per term.
    pub fn inputs(&self, sample: usize, steps: usize) -> Vec<PreparedInput> {
        let input = |(term, source): (&Term, &SpikeInput<'_>)| {
            let LinearMap::Weights(map) = &term.map else { return PreparedInput::Bits };
            let spikes = source.spikes(sample);
            if map.tiled {
                return PreparedInput::Tiles(TiledEvents::new(term, map, &spikes, steps));
            }
            let Some(SourcePool::Lateral(windows)) = term.pool else { return PreparedInput::Bits };
            let channels = term.from.channels / map.groups;
            let group =
                |g: usize| lateral(term.from, map.input, windows, g * channels..(g + 1) * channels, &spikes, steps);
            PreparedInput::Lateral((0..map.groups).map(group).collect())
        };
        self.plan.terms.iter().zip(&self.sources).map(input).collect()
    }

    /// Whether some term is read in tiles ([`EventCurrents::add_tiled`]).
    pub fn is_tiled(&self) -> bool {
        self.plan.terms.iter().any(|term| matches!(&term.map, LinearMap::Weights(map) if map.tiled))
    }

    /// The term with weights, if it is the only one, has one plane of spikes and a geometry that rolls, and the shortcut
    /// beside it, if there is at most one and it is plain: the form in which complete sums are passed on.
    pub fn single_term(&self) -> Option<(usize, Option<usize>)> {
        let is_shortcut = |k: &usize| matches!(self.plan.terms[*k].map, LinearMap::Shortcut(_));
        let (shortcuts, weights): (Vec<usize>, Vec<usize>) = (0..self.plan.terms.len()).partition(is_shortcut);
        let (&[term], true, None) = (weights.as_slice(), shortcuts.len() < 2, self.plan.pool) else { return None };
        if self.sources.iter().any(|source| source.frames.is_some()) {
            return None;
        }
        let planes = |k: usize| self.sources[k].spikes(0).weights().len();
        let lateral = matches!(self.plan.terms[term].pool, Some(SourcePool::Lateral(_)));
        let LinearMap::Weights(map) = &self.plan.terms[term].map else { return None };
        let plain = shortcuts.iter().all(|&k| self.plan.terms[k].pool.is_none() && planes(k) == 1);
        let rolls = RowGeometry::new(map, self.plan.sum.width).rolls();
        (planes(term) == 1 && !lateral && !map.tiled && rolls && plain).then(|| (term, shortcuts.first().copied()))
    }

    /// The shortcut of term `k` for one block.
    pub fn shortcut<const N: usize>(&self, k: usize, block: usize) -> Option<BlockShortcut<'_, N>> {
        let (term, channels) = (&self.plan.terms[k], &self.plan.blocks[block]);
        let LinearMap::Shortcut(map) = &term.map else { return None };
        BlockShortcut::new((map, term.from, term.pool), (channels.start, channels.len()), &self.sources[k].amplitudes)
    }

    /// The spikes that term `k` reads.
    pub fn spikes(&self, k: usize, sample: usize) -> SampleSpikes<'_> {
        self.sources[k].spikes(sample)
    }

    /// Writes the current without spikes of a block of channels in row `y` to `row`, plus `bias` (one per channel of the
    /// grid; empty if there is none).
    pub fn write_base<const N: usize>(
        &self,
        sample: usize,
        y: usize,
        block: usize,
        bias: &[f32],
        row: &mut [[Lanes; N]],
    ) {
        let (grid, channels) = (self.plan.sum, self.plan.blocks[block].clone());
        let start = if self.plan.depends_on_input { sample * grid.len() } else { 0 } + y * grid.width * grid.channels;
        for (place, out) in row.iter_mut().enumerate() {
            let first = start + place * grid.channels;
            let values = &self.constant[first + channels.start..first + channels.end];
            for (out, values) in out.iter_mut().zip(values.chunks(LANES)) {
                out.0[..values.len()].copy_from_slice(values);
            }
            for (lane, c) in channels.clone().enumerate().filter(|_| !bias.is_empty()) {
                out[lane / LANES].0[lane % LANES] += bias[c];
            }
        }
    }

    /// Adds all terms to `row`: first those with weights, then the shortcuts. Tiled terms are excluded.
    #[inline(always)]
    pub fn add_terms<I: Isa, const N: usize>(
        &self,
        request: &RowRequest<'_>,
        spikes: &mut RowSpikes,
        row: &mut [[Lanes; N]],
    ) {
        for (k, term) in self.plan.terms.iter().enumerate() {
            let LinearMap::Weights(map) = &term.map else { continue };
            if map.tiled {
                continue;
            }
            if self.sources[k].frames.is_some() {
                self.add_frame::<I, N>(k, request, row);
                continue;
            }
            let geometry = RowGeometry::new(map, self.plan.sum.width);
            let planes = match request.inputs[k] {
                PreparedInput::Lateral(_) => SIDES.len(),
                _ => self.spikes(k, request.sample).weights().len(),
            };
            for plane in 0..planes {
                self.with_sums::<I, N>(k, plane, request, spikes, AddTo { geometry: &geometry, row: &mut *row });
            }
        }
        for (k, term) in self.plan.terms.iter().enumerate() {
            if matches!(term.map, LinearMap::Shortcut(_))
                && let Some(shortcut) = self.shortcut::<N>(k, request.block)
            {
                shortcut.add_row::<I>(&self.spikes(k, request.sample), request.t, request.y, row);
            }
        }
    }

    /// Whether frames of events are all that the current reads, so that most of its rows are the base alone.
    pub fn is_frames(&self) -> bool {
        self.plan.pool.is_none() && matches!(self.sources.as_slice(), [SpikeInput { frames: Some(_), .. }])
    }

    /// Adds what the frame of a step adds to `row` by term `k`, frames of events with weights.
    #[inline(always)]
    pub fn add_frame<I: Isa, const N: usize>(&self, k: usize, request: &RowRequest<'_>, row: &mut [[Lanes; N]]) {
        let (LinearMap::Weights(map), Some(frames)) = (&self.plan.terms[k].map, &self.sources[k].frames) else {
            return;
        };
        let events = &frames.samples[request.sample];
        let first = first_channel(map, self.plan.group_of(map, request.block));
        let weights = block_weights(map, request.block, self.plan.lanes);
        let at = (request.y, (frames.first + request.t) % events.frames().max(1));
        frames.map.add_row::<I, N>(events, at, (weights, first), row);
    }

    /// Sets the outputs of `row` that [`Self::add_frame`] adds to by term 0 back to `base`.
    #[inline(always)]
    pub fn reset_frame<const N: usize>(&self, request: &RowRequest<'_>, base: &[[Lanes; N]], row: &mut [[Lanes; N]]) {
        let Some(frames) = &self.sources[0].frames else { return };
        let events = &frames.samples[request.sample];
        let at = (request.y, (frames.first + request.t) % events.frames().max(1));
        frames.map.for_each_output(events, at, |out| row[out] = base[out]);
    }

    /// Passes the sums of term `k` (see [`EventCurrents::single_term`]) to `sink`.
    #[inline(always)]
    pub fn roll_term<I: Isa, const N: usize>(
        &self,
        k: usize,
        request: &RowRequest<'_>,
        spikes: &mut RowSpikes,
        sink: &mut impl RowSink<I, N>,
    ) {
        let LinearMap::Weights(map) = &self.plan.terms[k].map else { return };
        let geometry = RowGeometry::new(map, self.plan.sum.width);
        self.with_sums::<I, N>(k, 0, request, spikes, RollInto { geometry: &geometry, sink });
    }

    /// Reads one plane of the spikes under a row for term `k`, and calls `work` with the sums of its input columns.
    #[inline(always)]
    fn with_sums<I: Isa, const N: usize>(
        &self,
        k: usize,
        plane: usize,
        request: &RowRequest<'_>,
        buffers: &mut RowSpikes,
        work: impl UseSums<I, N>,
    ) {
        let (term, source) = (&self.plan.terms[k], &self.sources[k]);
        let LinearMap::Weights(map) = &term.map else { return };
        let RowRequest { sample, y, t, block, inputs } = *request;
        let RowSpikes { taps, key, patterns, columns, events } = buffers;
        if *key != Some((k, sample, y)) {
            row_taps(term, map, y, taps);
            *key = Some((k, sample, y));
        }
        let (weights, groups, width) = (source.weights(map, block), source.groups.as_slice(), map.input.width);
        if let PreparedInput::Lateral(pooled) = &inputs[k] {
            let channels = map.input.channels / map.groups;
            events.list_pooled(&pooled[self.plan.group_of(map, block)][plane][t], channels, width, taps);
            let amplitude = source.amplitude() * SIDES[plane] as f32;
            return work.run(&EventSums { weights, groups, events, amplitude });
        }
        let spikes = source.spikes(sample);
        let (words, count) = (spikes.plane(t, plane), spikes.weights()[plane] as f32);
        if source.tables && lookup_table::fit_words(term, map) {
            write_columns(words, term.from, width, taps, columns);
            match lookup_table::octets(map) {
                1 => work.run(&ColumnTables::<1> { tables: weights, groups, columns, count }),
                _ => work.run(&ColumnTables::<2> { tables: weights, groups, columns, count }),
            }
            return;
        }
        if source.tables {
            write_patterns(words, term.from, width, taps, patterns);
            let [patterns, any] = patterns;
            let sums = TableSums { tables: weights, groups, patterns, any, taps, width, count };
            match lookup_table::octets(map) {
                1 => work.run(&Tables::<1>(sums)),
                _ => work.run(&Tables::<2>(sums)),
            }
            return;
        }
        let channels = map.input.channels / map.groups;
        let first = self.plan.group_of(map, block) * channels;
        events.list::<I>(words, term.from, (first, channels), width, taps);
        work.run(&EventSums { weights, groups, events, amplitude: source.amplitude() * count });
    }

    /// Adds the tiled terms at several places of one block; `columns` has their sums at every step, and `places` are
    /// sample, row and column of each with the sample's inputs.
    pub fn add_tiled<const N: usize>(
        &self,
        block: usize,
        places: &[([usize; 3], &[PreparedInput])],
        columns: &mut [Vec<[Lanes; N]>],
    ) {
        for (k, (term, source)) in self.plan.terms.iter().zip(&self.sources).enumerate() {
            let LinearMap::Weights(map) = &term.map else { continue };
            if !map.tiled {
                continue;
            }
            for tile in WeightTile::all(map, source.weights(map, block)) {
                for (([_, y, x], inputs), column) in places.iter().zip(&mut *columns) {
                    let PreparedInput::Tiles(planes) = &inputs[k] else { continue };
                    for events in planes {
                        tile.add::<N>(map, events, [*y, *x], source.amplitude(), column);
                    }
                }
            }
        }
    }
}
