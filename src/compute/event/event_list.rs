//! Event lists: which inputs of a linear map spike at each step.
//!
//! The events that the windows of one row of outputs read are listed column by column. The events of one window then
//! lie side by side, in the order of the weights.

use std::ops::Range;

use super::synapse_plan::{Grid, LinearMap, PackedWeights, SlidingWindow, SourcePool, Term};
use crate::compute::simd::dispatch;
use crate::compute::simd::isa::{Isa, Kernel, WORD};
use crate::compute::simd::lanes::LANES;

/// The spikes of one sample of a layer: `[T]` steps of `planes` bit fields, channels innermost.
pub trait SpikeSource: Sync {
    /// The words of one plane at step `t`; bit `p·C + c` is channel c at place p.
    fn plane(&self, t: usize, plane: usize) -> &[u64];
    /// The weight of a bit of each plane.
    fn weights(&self) -> &[i32];
}

/// The events that the windows of one row of outputs read: for each group of input channels, one list per plane.
#[derive(Debug, Default)]
pub struct RowEvents {
    /// `[group][plane]`
    pub lists: Vec<Vec<EventList>>,
}

/// Events of equal weight: `(x·kH + ky)·C + c` for channel c of a group of C, at column x, in kernel row ky.
#[derive(Debug, Default)]
pub struct EventList {
    pub count: f32,
    /// Columns of the input.
    columns: usize,
    /// First event of each column at each step, and one past the step's last: `[T][columns + 1]`.
    offsets: Vec<u32>,
    /// The buffer is longer than its events, since they are written in batches.
    events: Vec<u32>,
    length: usize,
}

impl EventList {
    /// The events of columns `from..to` at step `t`.
    #[inline(always)]
    pub fn in_columns(&self, t: usize, from: usize, to: usize) -> &[u32] {
        let first = t * (self.columns + 1);
        &self.events[self.offsets[first + from] as usize..self.offsets[first + to] as usize]
    }

    fn clear(&mut self, count: i32, columns: usize) {
        (self.count, self.columns, self.length) = (count as f32, columns, 0);
        self.offsets.clear();
    }

    /// Reserves room for `max_events` more events.
    fn writer(&mut self, max_events: usize) -> Writer<'_> {
        let room = self.length + max_events + WORD;
        if self.events.len() < room {
            self.events.resize(room.max(self.events.len() * 2), 0);
        }
        Writer { events: &mut self.events, offsets: &mut self.offsets, length: self.length }
    }
}

/// Appends events to the list.
struct Writer<'a> {
    events: &'a mut [u32],
    offsets: &'a mut Vec<u32>,
    length: usize,
}

impl Writer<'_> {
    /// Marks the start of a column.
    #[inline(always)]
    fn mark(&mut self) {
        self.offsets.push(self.length as u32);
    }

    /// Appends an event for every set bit of `words` in `from..from + length`; bit `from` is event `base`. No branch
    /// depends on a bit.
    #[inline(always)]
    fn bits<I: Isa>(&mut self, words: &[u64], from: usize, length: usize, base: u32) {
        for first in (0..length).step_by(64) {
            let wide = (length - first).min(64);
            let (word, shift) = ((from + first) / 64, (from + first) % 64);
            let mut bits = if shift + wide <= 64 { words[word] >> shift } else { bits_at(words, from + first, wide) };
            if wide < 64 {
                bits &= (1 << wide) - 1;
            }
            let (events, base) = (&mut self.events[self.length..], base + first as u32);
            if wide <= LANES {
                if let Some(out) = events.first_chunk_mut() {
                    self.length += I::positions(bits as u16, base, out);
                }
            } else if let Some(out) = events.first_chunk_mut() {
                self.length += I::positions_of_word(bits, base, out);
            }
        }
    }
}

/// Lists the events of one term for one sample.
pub struct EventReader<'a, S> {
    rows: &'a PackedWeights,
    from: Grid,
    spikes: S,
    steps: usize,
    pool: Pool,
}

struct ListRow<'a, 'b, S> {
    reader: &'a EventReader<'b, S>,
    y: usize,
    out: &'a mut RowEvents,
}

impl<S: SpikeSource> Kernel for ListRow<'_, '_, S> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        self.reader.list_row::<I>(self.y, self.out);
    }
}

/// The pool between the spikes and the map.
enum Pool {
    Nothing,
    /// Source places of each window, and their maximum number.
    Mean {
        inside: Vec<Vec<usize>>,
        max_places: usize,
    },
    /// One window covers everything: the event of every bit, or [`NO_EVENT`] if a mean leaves a place out.
    Whole(Vec<u32>),
    /// What the pool emits, `[group]`: rises and falls.
    Lateral(Vec<[Vec<PooledStep>; 2]>),
}

/// A bit that no window reads.
const NO_EVENT: u32 = u32::MAX;

/// The event of every bit, if there is one window that reads each bit at most once.
fn single_window_events(rows: &PackedWeights, term: &Term) -> Option<Vec<u32>> {
    let Grid { channels, height, width, .. } = rows.input;
    let windows = &rows.windows;
    let all = windows.kernel == [height, width] && windows.padding.iter().all(|&side| side == 0) && rows.groups == 1;
    if !all || windows.dilation != [1, 1] {
        return None;
    }
    let mut events = vec![NO_EVENT; term.from.len()];
    for place in 0..rows.input.places() {
        let base = (place % width * height + place / width) * channels;
        let mut mark = |source: usize| {
            let bits = &mut events[source * channels..(source + 1) * channels];
            let twice = bits.iter().any(|&event| event != NO_EVENT);
            bits.iter_mut().enumerate().for_each(|(c, event)| *event = (base + c) as u32);
            !twice
        };
        let once = match term.pool {
            None => mark(place),
            Some(SourcePool::Mean(pool)) => pool.places(term.from, place / width, place % width).all(mark),
            Some(SourcePool::Lateral(_)) => return None,
        };
        if !once {
            return None;
        }
    }
    Some(events)
}

/// The events of one sample at one step behind a lateral pool: channels within their group.
#[derive(Debug, Default)]
struct PooledStep {
    /// First event of each place, and one past the last.
    offsets: Vec<u32>,
    events: Vec<u32>,
}

impl<'a, S: SpikeSource> EventReader<'a, S> {
    /// Lists the events of `spikes` over `steps` for `term`; `None` for shortcuts, which read the bits directly.
    pub fn new(term: &'a Term, spikes: S, steps: usize) -> Option<Self> {
        let LinearMap::Weights(rows) = &term.map else { return None };
        if let Some(events) = single_window_events(rows, term) {
            return Some(Self { rows, from: term.from, spikes, steps, pool: Pool::Whole(events) });
        }
        let pool = match term.pool {
            None => Pool::Nothing,
            Some(SourcePool::Mean(windows)) => {
                let (places, width) = (0..rows.input.places(), rows.input.width);
                let inside = |place: usize| windows.places(term.from, place / width, place % width).collect();
                let max_places = windows.kernel[0] * windows.kernel[1];
                Pool::Mean { inside: places.map(inside).collect(), max_places }
            }
            Some(SourcePool::Lateral(windows)) => {
                let channels = term.from.channels / rows.groups;
                let group = |g: usize| g * channels..(g + 1) * channels;
                let group = |g| lateral(term.from, rows.input, windows, group(g), &spikes, steps);
                Pool::Lateral((0..rows.groups).map(group).collect())
            }
        };
        Some(Self { rows, from: term.from, spikes, steps, pool })
    }

    /// Writes the events that the windows of output row `y` read to `out`.
    pub fn row(&self, y: usize, out: &mut RowEvents) {
        dispatch(ListRow { reader: self, y, out });
    }

    #[inline(always)]
    fn list_row<I: Isa>(&self, y: usize, out: &mut RowEvents) {
        let (input, windows, groups) = (self.rows.input, self.rows.windows, self.rows.groups);
        let channels = input.channels / groups;
        let counts = if matches!(self.pool, Pool::Lateral(_)) { &[1, -1] } else { self.spikes.weights() };
        // The input row under each kernel row.
        let under = |ky: usize| {
            let row = (y * windows.stride[0] + ky * windows.dilation[0]).checked_sub(windows.padding[0]);
            row.filter(|&row| row < input.height).map(|row| (ky, row))
        };
        let under: Vec<(usize, usize)> = (0..windows.kernel[0]).filter_map(under).collect();
        out.lists.resize_with(groups, Vec::new);
        for (group, lists) in out.lists.iter_mut().enumerate() {
            lists.resize_with(counts.len(), EventList::default);
            for (plane, (list, &count)) in lists.iter_mut().zip(counts).enumerate() {
                list.clear(count, input.width);
                let max_events = input.width * windows.kernel[0] * channels;
                for t in 0..self.steps {
                    self.list_step::<I>([t, group, plane], &under, max_events, list);
                }
            }
        }
    }

    /// Lists one step; `under` has the input row under each kernel row.
    #[inline(always)]
    fn list_step<I: Isa>(
        &self,
        [t, group, plane]: [usize; 3],
        under: &[(usize, usize)],
        max_events: usize,
        list: &mut EventList,
    ) {
        let (width, kernel) = (self.rows.input.width, self.rows.windows.kernel[0]);
        let channels = self.rows.input.channels / self.rows.groups;
        let bit = |place: usize| place * self.from.channels + group * channels;
        let base = |x: usize, ky: usize| ((x * kernel + ky) * channels) as u32;
        match &self.pool {
            Pool::Nothing => {
                let words = self.spikes.plane(t, plane);
                let mut out = list.writer(max_events);
                for x in 0..width {
                    out.mark();
                    for &(ky, row) in under {
                        out.bits::<I>(words, bit(row * width + x), channels, base(x, ky));
                    }
                }
                out.mark();
                list.length = out.length;
            }
            Pool::Mean { inside, max_places } => {
                let words = self.spikes.plane(t, plane);
                let mut out = list.writer(max_events * max_places);
                for x in 0..width {
                    out.mark();
                    for &(ky, row) in under {
                        for &source in &inside[row * width + x] {
                            out.bits::<I>(words, bit(source), channels, base(x, ky));
                        }
                    }
                }
                out.mark();
                list.length = out.length;
            }
            Pool::Whole(events) => {
                let words = self.spikes.plane(t, plane);
                let mut out = list.writer(events.len());
                out.mark();
                for (word, events) in words.iter().zip(events.chunks(64)) {
                    let mut remaining = *word;
                    while remaining != 0 {
                        if let Some(&event) = events.get(remaining.trailing_zeros() as usize)
                            && event != NO_EVENT
                        {
                            out.events[out.length] = event;
                            out.length += 1;
                        }
                        remaining &= remaining - 1;
                    }
                }
                // The window of any column ends after the last column, so it contains all events.
                (0..width).for_each(|_| out.mark());
                list.length = out.length;
            }
            Pool::Lateral(sides) => {
                let step = &sides[group][plane][t];
                // A place may emit more than once.
                let mut out = list.writer(under.len() * step.events.len());
                for x in 0..width {
                    out.mark();
                    for &(ky, row) in under {
                        let place = row * width + x;
                        for channel in &step.events[step.offsets[place] as usize..step.offsets[place + 1] as usize] {
                            out.events[out.length] = base(x, ky) + channel;
                            out.length += 1;
                        }
                    }
                }
                out.mark();
                list.length = out.length;
            }
        }
    }
}

/// LIPooling (Li & Zeng, IJCAI 2022): each place emits the increase of the largest count in its window since the last
/// step. Rises are events of weight 1, falls (after negative spikes) have weight −1.
fn lateral(
    from: Grid,
    to: Grid,
    windows: SlidingWindow,
    channels: Range<usize>,
    spikes: &impl SpikeSource,
    steps: usize,
) -> [Vec<PooledStep>; 2] {
    let mut counts = vec![0i32; from.places() * channels.len()];
    let mut sent = vec![0i32; to.places() * channels.len()];
    let mut sides = [0, 1].map(|_| Vec::with_capacity(steps));
    for t in 0..steps {
        for place in 0..from.places() {
            let first = place * from.channels;
            for (plane, &weight) in spikes.weights().iter().enumerate() {
                for_each_bit(spikes.plane(t, plane), first + channels.start..first + channels.end, |c| {
                    counts[place * channels.len() + c] += weight;
                });
            }
        }
        let mut step = [PooledStep::default(), PooledStep::default()];
        for place in 0..to.places() {
            step.iter_mut().for_each(|step| step.offsets.push(step.events.len() as u32));
            for c in 0..channels.len() {
                let inputs = windows.places(from, place / to.width, place % to.width);
                let largest = inputs.map(|source| counts[source * channels.len() + c]).max().unwrap_or(0);
                let index = place * channels.len() + c;
                let increase = largest - std::mem::replace(&mut sent[index], largest);
                let side = usize::from(increase < 0);
                step[side].events.extend(std::iter::repeat_n(c as u32, increase.unsigned_abs() as usize));
            }
        }
        for (side, mut step) in sides.iter_mut().zip(step) {
            step.offsets.push(step.events.len() as u32);
            side.push(step);
        }
    }
    sides
}

/// Calls `visit` with the index, relative to `range`, of every set bit in it.
#[inline(always)]
pub fn for_each_bit(words: &[u64], range: Range<usize>, mut visit: impl FnMut(usize)) {
    let mut at = range.start;
    while at < range.end {
        let length = (64 - at % 64).min(range.end - at);
        let mut remaining = words[at / 64] >> (at % 64);
        if length < 64 {
            remaining &= (1 << length) - 1;
        }
        while remaining != 0 {
            visit(at - range.start + remaining.trailing_zeros() as usize);
            remaining &= remaining - 1;
        }
        at += length;
    }
}

/// Up to 64 bits of `words` from bit `start` on, the first in the lowest position; bits past the end are zero.
#[inline(always)]
pub fn bits_at(words: &[u64], start: usize, length: usize) -> u64 {
    let low = words.get(start / 64).copied().unwrap_or(0) >> (start % 64);
    let high = match start % 64 {
        0 => 0,
        used => words.get(start / 64 + 1).copied().unwrap_or(0) << (64 - used),
    };
    let bits = low | high;
    if length < 64 { bits & ((1 << length) - 1) } else { bits }
}
