//! Computes currents one row of places after the other: base values, synaptic terms, pools.

use std::ops::Range;

use super::currents::{Current, CurrentTask, Currents, Fire, Piece, PieceCurrents, TakeCurrents};
use super::event_currents::{EventCurrents, PreparedInput, RowRequest, RowSpikes};
use super::membranes::FireRow;
use crate::Result;
use crate::compute::event::row_kernel::RowSink;
use crate::compute::event::shortcut::BlockShortcut;
use crate::compute::event::spike_source::SpikeSource;
use crate::compute::event::synapse_plan::SlidingWindow;
use crate::compute::simd::dispatch;
use crate::compute::simd::isa::{Isa, Kernel};
use crate::compute::simd::lanes::{LANES, Lanes};
use crate::convert::MaxPoolRule;
use crate::progress::JobControl;

/// Bytes of columns that one weight tile is used for.
const TILED_COLUMN_BYTES: usize = 128 << 10;
/// Maximum number of these columns.
const MAX_TILED_COLUMNS: usize = 16;

impl Currents<'_> {
    /// Computes the currents of one task and gives them to `taker`.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`] once `control` is cancelled.
    pub fn run<const N: usize>(
        &self,
        task: &CurrentTask,
        control: &JobControl,
        taker: &mut dyn TakeCurrents<N>,
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
        let mut run = RowRun::new(self);
        if self.blocks_outside() {
            let inputs: Vec<_> = task.samples.clone().map(inputs).collect();
            for block in task.blocks.clone() {
                for sample in task.samples.clone() {
                    control.check()?;
                    let inputs = &inputs[sample - task.samples.start];
                    task.rows.clone().for_each(|y| run.row([sample, y, block], &blocks[block], inputs, taker));
                }
            }
            return Ok(());
        }
        for sample in task.samples.clone() {
            control.check()?;
            let inputs = inputs(sample);
            for y in task.rows.clone() {
                task.blocks.clone().for_each(|block| run.row([sample, y, block], &blocks[block], &inputs, taker));
            }
        }
        Ok(())
    }

    /// Computes a task block by block, several places at once.
    fn run_tiled<const N: usize>(
        &self,
        blocks: &[Range<usize>],
        task: &CurrentTask,
        control: &JobControl,
        taker: &mut dyn TakeCurrents<N>,
    ) -> Result<()> {
        use rayon::prelude::*;
        let Current::Events(events) = &self.current else { return Ok(()) };
        let inputs = |sample: usize| control.check().map(|()| events.inputs(sample, self.steps));
        let inputs: Vec<Vec<PreparedInput>> =
            task.samples.clone().into_par_iter().map(inputs).collect::<Result<_>>()?;
        let column = vec![[Lanes::ZERO; N]; self.steps];
        let group = (TILED_COLUMN_BYTES / size_of_val(column.as_slice()).max(1)).clamp(1, MAX_TILED_COLUMNS);
        let mut columns = vec![column; group];
        let width = self.grid.width;
        let places = task.rows.start * width..task.rows.end * width;
        let all = task.samples.clone().flat_map(|sample| places.clone().map(move |place| (sample, place)));
        let all: Vec<(usize, usize)> = all.collect();
        let mut run = RowRun::<N>::new(self);
        for block in task.blocks.clone() {
            for group in all.chunks(group) {
                control.check()?;
                let at = |&(sample, place): &(usize, usize)| {
                    let inputs: &[PreparedInput] = &inputs[sample - task.samples.start];
                    ([sample, place / width, place % width], inputs)
                };
                let at: Vec<_> = group.iter().map(at).collect();
                let columns = &mut columns[..];
                run.start_columns(events, block, &at, columns);
                events.add_tiled(block, &at, columns);
                for (&(sample, place), column) in group.iter().zip(&*columns) {
                    let piece = Piece { sample, places: place..place + 1, channels: blocks[block].clone() };
                    let currents = PieceCurrents { values: column, strides: [1, 1] };
                    taker.begin(&piece);
                    taker.take(&piece, 0..self.steps, currents);
                    taker.end(&piece);
                }
            }
        }
        Ok(())
    }
}

/// Places that a column belongs to: sample, row and column, and the sample's inputs.
pub type ColumnPlace<'a> = ([usize; 3], &'a [PreparedInput]);

/// One thread's work on the rows of a layer.
pub struct RowRun<'a, 'b, const N: usize> {
    currents: &'a Currents<'b>,
    /// The only term with weights and the shortcut beside it, if complete sums can be passed on.
    single: Option<(usize, Option<usize>)>,
    /// That shortcut for each block; made on first use.
    shortcuts: Vec<Option<BlockShortcut<'a, N>>>,
    spikes: RowSpikes,
    /// What a row starts from.
    base: Vec<[Lanes; N]>,
    row: Vec<[Lanes; N]>,
    /// For a pool: the sums of one row, the sums so far of each row in a window, and the largest of the last step.
    sums: Vec<[Lanes; N]>,
    windows: Vec<Vec<[Lanes; N]>>,
    largest: Vec<[Lanes; N]>,
}

impl<'a, 'b, const N: usize> RowRun<'a, 'b, N> {
    /// Prepares work on `currents`.
    pub fn new(currents: &'a Currents<'b>) -> Self {
        let (mut single, mut shortcuts) = (None, Vec::new());
        if let Current::Events(events) = &currents.current {
            single = events.single_term();
            let shortcut = |block: usize| events.shortcut::<N>(single?.1?, block);
            shortcuts = (0..events.plan.blocks.len()).map(shortcut).collect();
        }
        let (spikes, base, row, sums, windows, largest) = Default::default();
        Self { currents, single, shortcuts, spikes, base, row, sums, windows, largest }
    }

    /// Gives the currents of one row of places to `taker`, for one block of `channels`.
    pub fn row(
        &mut self,
        [sample, y, block]: [usize; 3],
        channels: &Range<usize>,
        inputs: &[PreparedInput],
        taker: &mut dyn TakeCurrents<N>,
    ) {
        let currents = self.currents;
        let (width, steps) = (currents.grid.width, currents.steps);
        let piece = &Piece { sample, places: y * width..(y + 1) * width, channels: channels.clone() };
        taker.begin(piece);
        let events = match &currents.current {
            Current::Constant(values) => {
                currents.read_dense(&values[sample * currents.grid.len()..], piece, &mut self.row);
                taker.take(piece, 0..steps, PieceCurrents { values: &self.row, strides: [0, 1] });
                return taker.end(piece);
            }
            Current::Events(events) => Some(events),
            Current::Steps(_) => None,
        };
        if let Some(events) = events.filter(|events| events.plan.pool.is_none()) {
            self.base.resize(width, [Lanes::ZERO; N]);
            events.write_base(sample, y, block, currents.bias, &mut self.base);
        }
        if let Some(events) = events.filter(|events| events.is_frames())
            && let Some(fire) = taker.fire(piece)
        {
            self.row.clone_from(&self.base);
            let request = RowRequest { sample, y, t: 0, block, inputs };
            dispatch(FrameRow { events, request, base: &self.base, row: &mut self.row, fire });
            return taker.end(piece);
        }
        let passing = events.zip(self.single).and_then(|(events, single)| Some((events, single, taker.fire(piece)?)));
        if let Some((events, (term, beside), fire)) = passing {
            let shortcut = beside.and_then(|k| Some((self.shortcuts[block].as_ref()?, k)));
            let request = RowRequest { sample, y, t: 0, block, inputs };
            let (base, spikes) = (&self.base, &mut self.spikes);
            dispatch(RollRow { events, term, shortcut, request, base, spikes, fire });
            return taker.end(piece);
        }
        let all_steps = taker.takes_all_steps();
        let mut all = if all_steps { vec![[Lanes::ZERO; N]; width * steps] } else { Vec::new() };
        self.windows.iter_mut().for_each(Vec::clear);
        self.largest.clear();
        for t in 0..steps {
            match &currents.current {
                Current::Events(events) => self.event_row(events, RowRequest { sample, y, t, block, inputs }, channels),
                Current::Steps(values) | Current::Constant(values) => {
                    let at = (t * currents.samples + sample) * currents.grid.len();
                    currents.read_dense(&values[at..], piece, &mut self.row);
                }
            }
            if all_steps {
                all[t * width..(t + 1) * width].copy_from_slice(&self.row);
            } else {
                taker.take(piece, t..t + 1, PieceCurrents { values: &self.row, strides: [width, 1] });
            }
        }
        if all_steps {
            taker.take(piece, 0..steps, PieceCurrents { values: &all, strides: [width, 1] });
        }
        taker.end(piece);
    }

    /// Writes the currents of one row at one step to `row`.
    fn event_row(&mut self, events: &EventCurrents<'_>, request: RowRequest<'_>, channels: &Range<usize>) {
        let mut row = std::mem::take(&mut self.row);
        row.resize(self.currents.grid.width, [Lanes::ZERO; N]);
        match events.plan.pool {
            Some(windows) => self.pooled_row(events, request, windows, channels, &mut row),
            None => {
                row.copy_from_slice(&self.base);
                dispatch(AddTerms { events, request, spikes: &mut self.spikes, row: &mut row });
            }
        }
        self.row = row;
    }

    /// The sums of one row of the plan's inner grid.
    fn whole_row(&mut self, events: &EventCurrents<'_>, request: RowRequest<'_>, bias: &[f32], row: &mut [[Lanes; N]]) {
        events.write_base(request.sample, request.y, request.block, bias, row);
        dispatch(AddTerms { events, request, spikes: &mut self.spikes, row });
    }

    /// The maximum over windows: of the step's sums, or the increase of that of all sums so far (lateral).
    fn pooled_row(
        &mut self,
        events: &EventCurrents<'_>,
        request: RowRequest<'_>,
        windows: SlidingWindow,
        channels: &Range<usize>,
        out: &mut [[Lanes; N]],
    ) {
        let (inner, lateral) = (events.plan.sum, events.pooling == MaxPoolRule::Lateral);
        out.fill([Lanes([f32::NEG_INFINITY; LANES]); N]);
        self.windows.resize_with(windows.kernel[0].max(self.windows.len()), Vec::new);
        let mut sums = std::mem::take(&mut self.sums);
        sums.resize(inner.width, [Lanes::ZERO; N]);
        for k in 0..windows.kernel[0] {
            let y = (request.y * windows.stride[0] + k * windows.dilation[0]).checked_sub(windows.padding[0]);
            let Some(y) = y.filter(|&y| y < inner.height) else { continue };
            self.whole_row(events, RowRequest { y, ..request }, &[], &mut sums);
            if lateral {
                self.windows[k].resize(inner.width, [Lanes::ZERO; N]);
                let all = self.windows[k].as_flattened_mut().iter_mut().zip(sums.as_flattened_mut());
                for (so_far, sum) in all {
                    so_far.0.iter_mut().zip(sum.0).for_each(|(so_far, sum)| *so_far += sum);
                    *sum = *so_far;
                }
            }
            for (x, out) in out.iter_mut().enumerate() {
                for at in 0..windows.kernel[1] {
                    let column = (x * windows.stride[1] + at * windows.dilation[1]).checked_sub(windows.padding[1]);
                    let Some(sum) = column.and_then(|column| sums.get(column)) else { continue };
                    for (out, sum) in out.iter_mut().zip(sum) {
                        out.0.iter_mut().zip(sum.0).for_each(|(out, sum)| *out = out.max(sum));
                    }
                }
            }
        }
        self.sums = sums;
        if lateral {
            // Each step emits the increase of the largest sum.
            self.largest.resize(out.len(), [Lanes::ZERO; N]);
            for (out, largest) in out.as_flattened_mut().iter_mut().zip(self.largest.as_flattened_mut()) {
                let now = *out;
                out.0.iter_mut().zip(largest.0).for_each(|(out, largest)| *out -= largest);
                *largest = now;
            }
        }
        for (lane, c) in channels.clone().enumerate().filter(|_| !self.currents.bias.is_empty()) {
            out.iter_mut().for_each(|out| out[lane / LANES].0[lane % LANES] += self.currents.bias[c]);
        }
    }

    /// Writes what columns of one block have besides their tiled terms.
    pub fn start_columns(
        &mut self,
        events: &EventCurrents<'_>,
        block: usize,
        at: &[ColumnPlace<'_>],
        columns: &mut [Vec<[Lanes; N]>],
    ) {
        let mut row = std::mem::take(&mut self.row);
        row.resize(events.plan.sum.width, [Lanes::ZERO; N]);
        let mut columns = columns.iter_mut();
        for places in at.chunk_by(|([sample, y, _], _), ([next, below, _], _)| (sample, y) == (next, below)) {
            let &([sample, y, _], inputs) = &places[0];
            let mut columns: Vec<(usize, &mut Vec<[Lanes; N]>)> =
                places.iter().map(|([.., x], _)| *x).zip(columns.by_ref()).collect();
            if events.plan.terms.len() == 1 {
                events.write_base(sample, y, block, self.currents.bias, &mut row);
                columns.iter_mut().for_each(|(x, column)| column.fill(row[*x]));
                continue;
            }
            for t in 0..self.currents.steps {
                let request = RowRequest { sample, y, t, block, inputs };
                self.whole_row(events, request, self.currents.bias, &mut row);
                columns.iter_mut().for_each(|(x, column)| column[t] = row[*x]);
            }
        }
        self.row = row;
    }
}

/// Adds all terms to a row.
struct AddTerms<'a, 'b, const N: usize> {
    events: &'a EventCurrents<'b>,
    request: RowRequest<'a>,
    spikes: &'a mut RowSpikes,
    row: &'a mut [[Lanes; N]],
}

impl<const N: usize> Kernel for AddTerms<'_, '_, N> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        self.events.add_terms::<I, N>(&self.request, self.spikes, self.row);
    }
}

/// Computes a row of frames of events step by step: what no event reaches is integrated as it is.
struct FrameRow<'a, 'b, const N: usize> {
    events: &'a EventCurrents<'b>,
    request: RowRequest<'a>,
    base: &'a [[Lanes; N]],
    /// Equal to the base between steps.
    row: &'a mut [[Lanes; N]],
    fire: Fire<'a, N>,
}

impl<const N: usize> Kernel for FrameRow<'_, '_, N> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { events, request, base, row, fire } = self;
        let Fire { membranes, rows, first, channels } = fire;
        for (t, words) in rows.into_iter().enumerate() {
            let request = RowRequest { t, ..request };
            events.add_frame::<I, N>(0, &request, row);
            let mut sink = FireRow::<I, N>::new(membranes, row, (words, first, channels), None);
            for x in 0..row.len() {
                let sum = RowSink::<I, N>::base(&sink, x);
                sink.put(x, sum);
            }
            events.reset_frame(&request, base, row);
        }
    }
}

/// Computes a row step by step and integrates every sum as soon as it is complete.
struct RollRow<'a, 'b, const N: usize> {
    events: &'a EventCurrents<'b>,
    term: usize,
    /// The shortcut beside the term, and its index.
    shortcut: Option<(&'a BlockShortcut<'a, N>, usize)>,
    request: RowRequest<'a>,
    base: &'a [[Lanes; N]],
    spikes: &'a mut RowSpikes,
    fire: Fire<'a, N>,
}

impl<const N: usize> Kernel for RollRow<'_, '_, N> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { events, term, shortcut, request, base, spikes, fire } = self;
        let Fire { membranes, rows, first, channels } = fire;
        let beside = shortcut.map(|(shortcut, k)| (shortcut, events.spikes(k, request.sample)));
        for (t, words) in rows.into_iter().enumerate() {
            let shortcut = beside.as_ref().map(|(shortcut, spikes)| (*shortcut, spikes.plane(t, 0), request.y));
            let mut sink = FireRow::<I, N>::new(membranes, base, (words, first, channels), shortcut);
            events.roll_term::<I, N>(term, &RowRequest { t, ..request }, spikes, &mut sink);
        }
    }
}
