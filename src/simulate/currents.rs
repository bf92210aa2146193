//! Input currents of one layer, row by row, from events or from dense tensors.
//!
//! The readout and membrane traces read the same rows as a run, so their rounding is the same.

use std::ops::Range;

use super::event_currents::{EventCurrents, PreparedInput, RowRequest, RowSpikes};
use super::membranes::{FireRow, Membranes};
use crate::Result;
use crate::compute::event::shortcut::BlockShortcut;
use crate::compute::event::spike_source::SpikeSource;
use crate::compute::event::synapse_plan::{Grid, SlidingWindow, SynapsePlan};
use crate::compute::event::weight_tiles::CACHED_BYTES;
use crate::compute::simd::dispatch;
use crate::compute::simd::isa::{Isa, Kernel};
use crate::compute::simd::lanes::{LANES, Lanes, MAX_LANES};
use crate::convert::MaxPoolRule;
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
    values: &'a [[Lanes; N]],
    /// Entries between one step and the next, and between one place and the next.
    strides: [usize; 2],
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

/// Takes the currents of pieces. Several pieces can be open at a time, each in a slot.
pub trait TakeCurrents<const N: usize> {
    /// Whether a piece is taken with all steps at once.
    const ALL_STEPS: bool;
    /// Opens a piece.
    fn begin(&mut self, slot: usize, piece: &Piece);
    /// Takes the currents of `steps`, the steps after those taken before.
    fn take<I: Isa>(&mut self, slot: usize, piece: &Piece, steps: Range<usize>, currents: PieceCurrents<'_, N>);
    /// The membranes that integrate complete sums in passing, and the bits of step `t` with the first bit of the piece
    /// and the number of bits of a place; `None` if currents are taken instead.
    fn fire(&mut self, slot: usize, piece: &Piece, t: usize) -> Option<(&mut Membranes<N>, FireBits<'_>)>;
    /// Closes a piece after its last step.
    fn end(&mut self, slot: usize, piece: &Piece);
}

/// The bits of one step, the first bit of a piece and the number of bits of a place.
pub type FireBits<'a> = (&'a mut [u64], usize, usize);

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

    /// The channels of the blocks of `task`.
    pub fn channels(&self, task: &CurrentTask) -> Range<usize> {
        let blocks = self.blocks();
        blocks[task.blocks.start].start..blocks[task.blocks.end - 1].end
    }

    /// Whether weights are read block by block for all samples.
    fn blocks_outside(&self) -> bool {
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
        let samples: Vec<Range<usize>> =
            if self.parts < 2 { vec![0..self.samples] } else { split(self.samples, self.samples.div_ceil(samples)).collect() };
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

    /// Computes the currents of one task and gives them to `taker`.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`] once `control` is cancelled.
    pub fn run<const N: usize>(
        &self,
        task: &CurrentTask,
        control: &JobControl,
        taker: &mut impl TakeCurrents<N>,
    ) -> Result<()> {
        let blocks = self.blocks();
        let channels: usize = blocks[task.blocks.clone()].iter().map(Range::len).sum();
        let places = task.rows.len() * self.grid.width;
        control.add_computed(task.samples.len() * places * channels * self.steps);
        if self.is_tiled() {
            return self.run_tiled(&blocks, task, control, taker);
        }
        let inputs = |sample: usize| match &self.current {
            Current::Events(events) => events.inputs(sample, self.steps),
            _ => Vec::new(),
        };
        let mut buffers = Buffers::new();
        let single = match &self.current {
            Current::Events(events) => events.single_term(),
            _ => None,
        };
        let shortcut = |block: usize| match &self.current {
            Current::Events(events) => events.shortcut::<N>(single?.1?, block),
            _ => None,
        };
        let shortcuts: Vec<Option<BlockShortcut<'_, N>>> = (0..blocks.len()).map(shortcut).collect();
        let mut row = |sample: usize, y: usize, which: Range<usize>, inputs: &[PreparedInput], taker: &mut _| {
            let pieces = which.clone().map(|block| Piece {
                sample,
                places: y * self.grid.width..(y + 1) * self.grid.width,
                channels: blocks[block].clone(),
            });
            let pieces: Vec<Piece> = pieces.collect();
            let (first_block, shortcuts) = (which.start, &shortcuts[which]);
            let passing = Passing { single, shortcuts };
            let buffers = &mut buffers;
            dispatch(RunRow { currents: self, first_block, pieces: &pieces, y, inputs, passing, buffers, taker });
        };
        if self.blocks_outside() {
            let inputs: Vec<_> = task.samples.clone().map(inputs).collect();
            for block in task.blocks.clone() {
                for sample in task.samples.clone() {
                    control.check()?;
                    let inputs = &inputs[sample - task.samples.start];
                    task.rows.clone().for_each(|y| row(sample, y, block..block + 1, inputs, taker));
                }
            }
            return Ok(());
        }
        for sample in task.samples.clone() {
            control.check()?;
            let inputs = inputs(sample);
            task.rows.clone().for_each(|y| row(sample, y, task.blocks.clone(), &inputs, taker));
        }
        Ok(())
    }

    /// Whether weight tiles are used for several places at once.
    fn is_tiled(&self) -> bool {
        matches!(&self.current, Current::Events(events) if events.is_tiled())
    }

    /// Computes a task block by block, several places at once.
    fn run_tiled<const N: usize>(
        &self,
        blocks: &[Range<usize>],
        task: &CurrentTask,
        control: &JobControl,
        taker: &mut impl TakeCurrents<N>,
    ) -> Result<()> {
        use rayon::prelude::*;
        let Current::Events(events) = &self.current else { return Ok(()) };
        let inputs = |sample: usize| control.check().map(|()| events.inputs(sample, self.steps));
        let inputs: Vec<Vec<PreparedInput>> = task.samples.clone().into_par_iter().map(inputs).collect::<Result<_>>()?;
        let column = vec![[Lanes::ZERO; N]; self.steps];
        let group = (TILED_COLUMN_BYTES / size_of_val(column.as_slice()).max(1)).clamp(1, MAX_TILED_COLUMNS);
        let mut columns = vec![column; group];
        let width = self.grid.width;
        let places = task.rows.start * width..task.rows.end * width;
        let all = task.samples.clone().flat_map(|sample| places.clone().map(move |place| (sample, place)));
        let all: Vec<(usize, usize)> = all.collect();
        let mut buffers = Buffers::<N>::new();
        for block in task.blocks.clone() {
            for group in all.chunks(group) {
                control.check()?;
                let at = |&(sample, place): &(usize, usize)| {
                    let inputs: &[PreparedInput] = &inputs[sample - task.samples.start];
                    ([sample, place / width, place % width], inputs)
                };
                let at: Vec<_> = group.iter().map(at).collect();
                let (bias, steps, buffers, columns) = (self.bias, self.steps, &mut buffers, &mut columns[..]);
                dispatch(StartColumns { events, block, at: &at, bias, steps, buffers, columns });
                events.add_tiled(block, &at, columns);
                for (&(sample, place), column) in group.iter().zip(&*columns) {
                    let piece = Piece { sample, places: place..place + 1, channels: blocks[block].clone() };
                    let currents = PieceCurrents { values: column, strides: [1, 1] };
                    dispatch(TakeSteps { piece: &piece, steps: 0..self.steps, currents, taker });
                }
            }
        }
        Ok(())
    }
}

/// Buffers of one thread for rows of sums.
struct Buffers<const N: usize> {
    spikes: RowSpikes,
    /// What the rows of each piece start from.
    base: Vec<Vec<[Lanes; N]>>,
    row: Vec<[Lanes; N]>,
    /// For a pool: sums of the rows in a window so far, and the largest one of the last step (lateral).
    windows: Vec<Vec<[Lanes; N]>>,
    largest: Vec<[Lanes; N]>,
}

impl<const N: usize> Buffers<N> {
    fn new() -> Self {
        let (base, row, windows, largest) = Default::default();
        Self { spikes: RowSpikes::default(), base, row, windows, largest }
    }
}

/// How complete sums are passed on, if they are ([`EventCurrents::single_term`]).
#[derive(Clone, Copy)]
struct Passing<'a, const N: usize> {
    single: Option<(usize, Option<usize>)>,
    /// The shortcut beside the term, one for each block.
    shortcuts: &'a [Option<BlockShortcut<'a, N>>],
}

/// Computes one row of places for several blocks.
struct RunRow<'a, 'b, T, const N: usize> {
    currents: &'a Currents<'b>,
    first_block: usize,
    /// One for each block.
    pieces: &'a [Piece],
    y: usize,
    inputs: &'a [PreparedInput],
    passing: Passing<'a, N>,
    buffers: &'a mut Buffers<N>,
    taker: &'a mut T,
}

impl<T: TakeCurrents<N>, const N: usize> Kernel for RunRow<'_, '_, T, N> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { currents, first_block, pieces, y, inputs, passing, buffers, taker } = self;
        let (width, steps) = (currents.grid.width, currents.steps);
        pieces.iter().enumerate().for_each(|(slot, piece)| taker.begin(slot, piece));
        match &currents.current {
            Current::Constant(values) => {
                for (slot, piece) in pieces.iter().enumerate() {
                    let row = &mut buffers.row;
                    currents.read_dense(&values[piece.sample * currents.grid.len()..], piece, row);
                    let currents = PieceCurrents { values: row, strides: [0, 1] };
                    taker.take::<I>(slot, piece, 0..steps, currents);
                }
            }
            Current::Steps(values) => {
                for (slot, piece) in pieces.iter().enumerate() {
                    let at = |t: usize| (t * currents.samples + piece.sample) * currents.grid.len();
                    if T::ALL_STEPS {
                        let mut all = vec![[Lanes::ZERO; N]; steps * width];
                        for (t, row) in all.chunks_mut(width.max(1)).enumerate() {
                            currents.read_dense(&values[at(t)..], piece, &mut buffers.row);
                            row.copy_from_slice(&buffers.row);
                        }
                        taker.take::<I>(slot, piece, 0..steps, PieceCurrents { values: &all, strides: [width, 1] });
                        continue;
                    }
                    for t in 0..steps {
                        currents.read_dense(&values[at(t)..], piece, &mut buffers.row);
                        let values = PieceCurrents { values: &buffers.row, strides: [width, 1] };
                        taker.take::<I>(slot, piece, t..t + 1, values);
                    }
                }
            }
            Current::Events(events) => {
                let row = EventRow { currents, events, first_block, pieces, y, inputs };
                match (events.plan.pool, T::ALL_STEPS) {
                    (None, false) => row.run::<I, N>(passing, buffers, taker),
                    (pool, _) => row.run_whole::<I, T, N>(pool, buffers, taker),
                }
            }
        }
        pieces.iter().enumerate().for_each(|(slot, piece)| taker.end(slot, piece));
    }
}

/// One row of places of a layer that reads events.
struct EventRow<'a, 'b> {
    currents: &'a Currents<'b>,
    events: &'a EventCurrents<'b>,
    first_block: usize,
    pieces: &'a [Piece],
    y: usize,
    inputs: &'a [PreparedInput],
}

impl EventRow<'_, '_> {
    #[inline(always)]
    fn request(&self, slot: usize, y: usize, t: usize) -> RowRequest<'_> {
        let (sample, block) = (self.pieces[slot].sample, self.first_block + slot);
        RowRequest { sample, y, t, block, inputs: self.inputs }
    }

    /// Step by step.
    #[inline(always)]
    fn run<I: Isa, const N: usize>(
        &self,
        passing: Passing<'_, N>,
        buffers: &mut Buffers<N>,
        taker: &mut impl TakeCurrents<N>,
    ) {
        let Self { currents, events, first_block, pieces, y, .. } = *self;
        let Buffers { spikes, base, row, .. } = buffers;
        let width = currents.grid.width;
        base.resize_with(pieces.len().max(base.len()), Vec::new);
        for (slot, (piece, base)) in pieces.iter().zip(&mut *base).enumerate() {
            base.resize(width, [Lanes::ZERO; N]);
            events.write_base(piece.sample, y, first_block + slot, currents.bias, base);
        }
        row.resize(width, [Lanes::ZERO; N]);
        for t in 0..currents.steps {
            for (slot, (piece, base)) in pieces.iter().zip(&*base).enumerate() {
                let request = self.request(slot, y, t);
                if let Some((term, beside)) = passing.single
                    && let Some((membranes, bits)) = taker.fire(slot, piece, t)
                {
                    let source = beside.map(|k| events.spikes(k, piece.sample));
                    let shortcut = passing.shortcuts[slot].as_ref().zip(source.as_ref());
                    let shortcut = shortcut.map(|(shortcut, spikes)| (shortcut, spikes.plane(t, 0), y));
                    let mut sink = FireRow::<I, N>::new(membranes, base, bits, shortcut);
                    events.roll_term::<I, N>(term, &request, spikes, &mut sink);
                    continue;
                }
                row.copy_from_slice(base);
                events.add_terms::<I, N>(&request, spikes, row);
                taker.take::<I>(slot, piece, t..t + 1, PieceCurrents { values: row, strides: [width, 1] });
            }
        }
    }

    /// All steps at once, or the maximum over windows of a pool.
    #[inline(always)]
    fn run_whole<I: Isa, T: TakeCurrents<N>, const N: usize>(
        &self,
        pool: Option<SlidingWindow>,
        buffers: &mut Buffers<N>,
        taker: &mut T,
    ) {
        let Self { currents, pieces, .. } = *self;
        let (width, steps) = (currents.grid.width, currents.steps);
        let mut all = vec![[Lanes::ZERO; N]; width * if T::ALL_STEPS { steps } else { 1 }];
        for (slot, piece) in pieces.iter().enumerate() {
            let lateral = self.events.pooling == MaxPoolRule::Lateral;
            buffers.windows.iter_mut().for_each(Vec::clear);
            buffers.largest.clear();
            for t in 0..steps {
                let row = if T::ALL_STEPS { &mut all[t * width..(t + 1) * width] } else { &mut all[..] };
                match pool {
                    Some(windows) => self.pooled_row::<I, N>(slot, t, windows, lateral, buffers, row),
                    None => self.whole_row::<I, N>(slot, self.y, t, buffers, row),
                }
                if !T::ALL_STEPS {
                    taker.take::<I>(slot, piece, t..t + 1, PieceCurrents { values: row, strides: [width, 1] });
                }
            }
            if T::ALL_STEPS {
                taker.take::<I>(slot, piece, 0..steps, PieceCurrents { values: &all, strides: [width, 1] });
            }
        }
    }

    /// The sums of row `y` of the plan's inner grid at step `t`.
    #[inline(always)]
    fn whole_row<I: Isa, const N: usize>(
        &self,
        slot: usize,
        y: usize,
        t: usize,
        buffers: &mut Buffers<N>,
        row: &mut [[Lanes; N]],
    ) {
        let bias = if self.events.plan.pool.is_none() { self.currents.bias } else { &[] };
        row.fill([Lanes::ZERO; N]);
        self.events.write_base(self.pieces[slot].sample, y, self.first_block + slot, bias, row);
        self.events.add_terms::<I, N>(&self.request(slot, y, t), &mut buffers.spikes, row);
    }

    /// The maximum over windows at step `t`: of the step's sums, or the increase of that of all sums so far (lateral).
    #[inline(always)]
    fn pooled_row<I: Isa, const N: usize>(
        &self,
        slot: usize,
        t: usize,
        windows: SlidingWindow,
        lateral: bool,
        buffers: &mut Buffers<N>,
        out: &mut [[Lanes; N]],
    ) {
        let inner = self.events.plan.sum;
        out.fill([Lanes([f32::NEG_INFINITY; LANES]); N]);
        let mut sums = vec![[Lanes::ZERO; N]; inner.width];
        buffers.windows.resize_with(windows.kernel[0].max(buffers.windows.len()), Vec::new);
        for k in 0..windows.kernel[0] {
            let row = (self.y * windows.stride[0] + k * windows.dilation[0]).checked_sub(windows.padding[0]);
            let Some(row) = row.filter(|&row| row < inner.height) else { continue };
            self.whole_row::<I, N>(slot, row, t, buffers, &mut sums);
            if lateral {
                let so_far = &mut buffers.windows[k];
                so_far.resize(inner.width, [Lanes::ZERO; N]);
                for x in 0..sums.len() {
                    for n in 0..N {
                        I::store(I::add(I::load(&so_far[x][n]), I::load(&sums[x][n])), &mut so_far[x][n]);
                    }
                    sums[x] = so_far[x];
                }
            }
            for (x, out) in out.iter_mut().enumerate() {
                for at in 0..windows.kernel[1] {
                    let column = (x * windows.stride[1] + at * windows.dilation[1]).checked_sub(windows.padding[1]);
                    let Some(sum) = column.and_then(|column| sums.get(column)) else { continue };
                    for n in 0..N {
                        let (best, new) = (I::load(&out[n]), I::load(&sum[n]));
                        I::store(I::select(I::gt(new, best), new, best), &mut out[n]);
                    }
                }
            }
        }
        if lateral {
            // Each step emits the increase of the largest sum.
            buffers.largest.resize(out.len(), [Lanes::ZERO; N]);
            for (out, largest) in out.iter_mut().zip(&mut buffers.largest) {
                let now = *out;
                for n in 0..N {
                    I::store(I::sub(I::load(&now[n]), I::load(&largest[n])), &mut out[n]);
                }
                *largest = now;
            }
        }
        for (lane, c) in self.pieces[slot].channels.clone().enumerate().filter(|_| !self.currents.bias.is_empty()) {
            out.iter_mut().for_each(|out| out[lane / LANES].0[lane % LANES] += self.currents.bias[c]);
        }
    }
}

impl Currents<'_> {
    /// Reads the currents of `piece`, places in rows, from `values`, one step of one sample, plus the bias.
    fn read_dense<const N: usize>(&self, values: &[f32], piece: &Piece, row: &mut Vec<[Lanes; N]>) {
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

/// Writes what columns have besides their tiled terms.
struct StartColumns<'a, 'b, const N: usize> {
    events: &'a EventCurrents<'b>,
    block: usize,
    at: &'a [([usize; 3], &'a [PreparedInput])],
    bias: &'a [f32],
    steps: usize,
    buffers: &'a mut Buffers<N>,
    columns: &'a mut [Vec<[Lanes; N]>],
}

impl<const N: usize> Kernel for StartColumns<'_, '_, N> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { events, block, at, bias, steps, buffers, columns } = self;
        let (row, spikes) = (&mut buffers.row, &mut buffers.spikes);
        row.resize(events.plan.sum.width, [Lanes::ZERO; N]);
        let mut columns = columns.iter_mut();
        for places in at.chunk_by(|([sample, y, _], _), ([next, below, _], _)| (sample, y) == (next, below)) {
            let &([sample, y, _], inputs) = &places[0];
            let mut columns: Vec<(usize, &mut Vec<[Lanes; N]>)> =
                places.iter().map(|([.., x], _)| *x).zip(columns.by_ref()).collect();
            events.write_base(sample, y, block, bias, row);
            if events.plan.terms.len() == 1 {
                columns.iter_mut().for_each(|(x, column)| column.fill(row[*x]));
                continue;
            }
            let base = row.clone();
            for t in 0..steps {
                row.copy_from_slice(&base);
                events.add_terms::<I, N>(&RowRequest { sample, y, t, block, inputs }, spikes, row);
                columns.iter_mut().for_each(|(x, column)| column[t] = row[*x]);
            }
        }
    }
}

/// Opens a piece, gives all its steps, and closes it.
struct TakeSteps<'a, T, const N: usize> {
    piece: &'a Piece,
    steps: Range<usize>,
    currents: PieceCurrents<'a, N>,
    taker: &'a mut T,
}

impl<T: TakeCurrents<N>, const N: usize> Kernel for TakeSteps<'_, T, N> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        self.taker.begin(0, self.piece);
        self.taker.take::<I>(0, self.piece, self.steps, self.currents);
        self.taker.end(0, self.piece);
    }
}
