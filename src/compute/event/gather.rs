//! Event kernels: add the weight rows of a window's events to one block of output channels.
//!
//! Each call covers one place and all time steps.

use super::event_list::{EventList, SpikeSource, bits_at};
use super::synapse_plan::{Grid, PackedWeights, ShortcutMap, SourcePool};
use crate::compute::simd::dispatch;
use crate::compute::simd::isa::{Isa, Kernel};
use crate::compute::simd::lanes::{LANES, Lanes};

/// Values of up to 64 adjacent neurons, `[T][lane]`: one block of channels at one place, or all channels at several
/// places.
pub type Column<const N: usize> = [[Lanes; N]];

/// Sets every step of `column` to `value`.
pub fn fill<const M: usize>(value: &[Lanes; M], column: &mut Column<M>) {
    dispatch(Fill { value, column });
}

struct Fill<'a, const M: usize> {
    value: &'a [Lanes; M],
    column: &'a mut Column<M>,
}

impl<const M: usize> Kernel for Fill<'_, M> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        // Copied from registers: a call for each step would cost more than the copy.
        let value = self.value.each_ref().map(I::load);
        for out in self.column {
            out.iter_mut().zip(value).for_each(|(out, value)| I::store(value, out));
        }
    }
}

/// Adjacent input columns that one contiguous range of weight rows belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColumnSpan {
    from: usize,
    to: usize,
    /// Event index of the range's row 0 (wrapping).
    base: u32,
}

/// The ranges of input columns in the windows of outputs in column `x`.
pub fn column_spans(rows: &PackedWeights, x: usize, out: &mut Vec<ColumnSpan>) {
    out.clear();
    let PackedWeights { input, windows, groups, .. } = rows;
    let size = (windows.kernel[0] * (input.channels / groups)) as i64;
    let left = (x * windows.stride[1]) as i64 - windows.padding[1] as i64;
    let inside = 0..input.width as i64;
    if windows.dilation[1] == 1 {
        let (from, to) = (left.max(0), (left + windows.kernel[1] as i64).min(inside.end));
        if from < to {
            out.push(ColumnSpan { from: from as usize, to: to as usize, base: (left * size) as u32 });
        }
        return;
    }
    for kx in 0..windows.kernel[1] as i64 {
        let at = left + kx * windows.dilation[1] as i64;
        if inside.contains(&at) {
            out.push(ColumnSpan { from: at as usize, to: at as usize + 1, base: ((at - kx) * size) as u32 });
        }
    }
}

/// Adds `amplitude · count · Σ rows of events` to each step of `column`, in its `part`-th block of `N`. `rows` are one
/// block's. With `factors`, one per row, each row is multiplied by its factor.
pub fn gather<const N: usize, const M: usize>(
    rows: &[Lanes],
    factors: Option<&[f32]>,
    list: &EventList,
    spans: &[ColumnSpan],
    amplitude: f32,
    part: usize,
    column: &mut Column<M>,
) {
    dispatch(Gather::<N, M> { rows, factors, list, spans, amplitude, part, column });
}

struct Gather<'a, const N: usize, const M: usize> {
    rows: &'a [Lanes],
    factors: Option<&'a [f32]>,
    list: &'a EventList,
    spans: &'a [ColumnSpan],
    amplitude: f32,
    part: usize,
    column: &'a mut Column<M>,
}

impl<const N: usize, const M: usize> Kernel for Gather<'_, N, M> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        // Several partial sums hide the latency of one addition; the register count sets how many.
        match (self.factors, N) {
            (Some(factors), _) => self.sum_scaled::<I>(factors),
            (None, 1) => self.sum::<I, 8>(),
            (None, 2) => self.sum::<I, 4>(),
            _ => self.sum::<I, 2>(),
        }
    }
}

impl<const N: usize, const M: usize> Gather<'_, N, M> {
    /// Distributes the events of a span over `K` partial sums in turn and adds them at the end: the order depends on
    /// the events alone.
    #[inline(always)]
    fn sum<I: Isa, const K: usize>(self) {
        let (rows, _) = self.rows.as_chunks::<N>();
        let amplitude = I::splat(self.amplitude * self.list.count);
        for (t, out) in self.column.iter_mut().enumerate() {
            let mut sums = [[I::splat(0.0); N]; K];
            for span in self.spans {
                let (groups, rest) = self.list.in_columns(t, span.from, span.to).as_chunks::<K>();
                for events in groups {
                    for k in 0..K {
                        add_row::<I, N>(&mut sums[k], &rows[events[k].wrapping_sub(span.base) as usize]);
                    }
                }
                for (sum, event) in sums.iter_mut().zip(rest) {
                    add_row::<I, N>(sum, &rows[event.wrapping_sub(span.base) as usize]);
                }
            }
            let out = &mut out.as_chunks_mut::<N>().0[self.part];
            for n in 0..N {
                let mut sum = sums[0][n];
                for other in &sums[1..] {
                    sum = I::add(sum, other[n]);
                }
                I::store(I::mul_then_add(sum, amplitude, I::load(&out[n])), &mut out[n]);
            }
        }
    }

    #[inline(always)]
    fn sum_scaled<I: Isa>(self, factors: &[f32]) {
        let (rows, _) = self.rows.as_chunks::<N>();
        let amplitude = I::splat(self.amplitude * self.list.count);
        for (t, out) in self.column.iter_mut().enumerate() {
            let mut sum = [I::splat(0.0); N];
            for span in self.spans {
                for event in self.list.in_columns(t, span.from, span.to) {
                    let row = event.wrapping_sub(span.base) as usize;
                    let factor = I::splat(factors[row]);
                    for n in 0..N {
                        sum[n] = I::mul_then_add(I::load(&rows[row][n]), factor, sum[n]);
                    }
                }
            }
            let out = &mut out.as_chunks_mut::<N>().0[self.part];
            for n in 0..N {
                I::store(I::mul_then_add(sum[n], amplitude, I::load(&out[n])), &mut out[n]);
            }
        }
    }
}

#[inline(always)]
fn add_row<I: Isa, const N: usize>(sum: &mut [I::V; N], row: &[Lanes; N]) {
    for n in 0..N {
        sum[n] = I::add(sum[n], I::load(&row[n]));
    }
}

/// A shortcut at one place for one block of output channels.
pub struct ShortcutInput<'a, S> {
    pub map: &'a ShortcutMap,
    /// The source's grid.
    pub from: Grid,
    pub pool: Option<SourcePool>,
    pub spikes: &'a S,
    /// The amplitude of a count of each input channel: one value, or one per channel.
    pub amplitudes: &'a [f32],
}

impl<S: SpikeSource> ShortcutInput<'_, S> {
    /// Adds the shortcut's value at output `(y, x)`, channels `first..first + length`, to the steps of `column` from
    /// lane `lane` on.
    pub fn add<const N: usize>(
        &self,
        [y, x]: [usize; 2],
        first: usize,
        length: usize,
        lane: usize,
        column: &mut Column<N>,
    ) {
        let map = self.map;
        if !map.valid[0].contains(&y) || !map.valid[1].contains(&x) {
            return;
        }
        // The block's channels that have an input.
        let start = first.max(map.channel);
        let end = (first + length).min(map.channel + self.from.channels);
        if start >= end {
            return;
        }
        let value_at = |v: &[f32], c: usize| if v.len() == 1 { v[0] } else { v[c] };
        let mut amplitude = [Lanes::ZERO; N];
        for c in start..end {
            let (lane, input) = (lane + c - first, c - map.channel);
            amplitude[lane / LANES].0[lane % LANES] = value_at(&map.scale, input) * value_at(self.amplitudes, input);
        }
        let along = |axis: usize, at: usize| (at * map.stride[axis]) as isize + map.offset[axis];
        let (y, x) = (along(0, y) as usize, along(1, x) as usize);
        let places: Vec<usize> = match self.pool {
            Some(SourcePool::Mean(windows)) => windows.places(self.from, y, x).collect(),
            _ => vec![y * self.from.width + x],
        };
        let bits = SourceBits { spikes: self.spikes, channels: self.from.channels, first: start - map.channel };
        let (length, shift) = (end - start, lane + start - first);
        for (plane, &count) in self.spikes.weights().iter().enumerate() {
            let amplitude = amplitude.map(|lanes| Lanes(lanes.0.map(|amplitude| amplitude * count as f32)));
            for &place in &places {
                dispatch(AddBits { bits: &bits, plane, place, length, shift, amplitude: &amplitude, column });
            }
        }
    }

    /// Adds the value of an identity shortcut (see [`ShortcutMap::is_identity`]) at `places` places from `place` on,
    /// all channels.
    pub fn add_places<const N: usize>(&self, place: usize, places: usize, column: &mut Column<N>) {
        let value_at = |v: &[f32], c: usize| if v.len() == 1 { v[0] } else { v[c] };
        let channels = self.from.channels;
        let mut amplitude = [Lanes::ZERO; N];
        for lane in 0..places * channels {
            let c = lane % channels;
            amplitude[lane / LANES].0[lane % LANES] = value_at(&self.map.scale, c) * value_at(self.amplitudes, c);
        }
        let bits = SourceBits { spikes: self.spikes, channels, first: 0 };
        for (plane, &count) in self.spikes.weights().iter().enumerate() {
            let amplitude = amplitude.map(|lanes| Lanes(lanes.0.map(|amplitude| amplitude * count as f32)));
            dispatch(AddBits {
                bits: &bits,
                plane,
                place,
                length: places * channels,
                shift: 0,
                amplitude: &amplitude,
                column,
            });
        }
    }
}

/// Position of a shortcut's bits.
struct SourceBits<'a, S> {
    spikes: &'a S,
    channels: usize,
    /// First input channel of the block.
    first: usize,
}

/// Adds `amplitude` where a bit of one plane at one place is set, at every step.
struct AddBits<'a, S, const N: usize> {
    bits: &'a SourceBits<'a, S>,
    plane: usize,
    place: usize,
    length: usize,
    /// Lanes before the first one with an input.
    shift: usize,
    amplitude: &'a [Lanes; N],
    column: &'a mut Column<N>,
}

impl<S: SpikeSource, const N: usize> Kernel for AddBits<'_, S, N> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let SourceBits { spikes, channels, first } = *self.bits;
        for (t, out) in self.column.iter_mut().enumerate() {
            let words = spikes.plane(t, self.plane);
            let bits = bits_at(words, self.place * channels + first, self.length) << self.shift;
            if bits == 0 {
                continue;
            }
            for (n, (out, amplitude)) in out.iter_mut().zip(self.amplitude).enumerate() {
                let add = I::select((bits >> (n * LANES)) as u16, I::load(amplitude), I::splat(0.0));
                I::store(I::add(I::load(out), add), out);
            }
        }
    }
}
