//! The kernels: what the events of a window add to one block of output channels at one place, for all steps at once.

use super::feed::{Direct, Grid, Rows, SourcePool};
use super::lanes::{BITS, LANES, Lanes};
use super::list::{List, Spikes, bits_at};
use super::simd::{Kernel, dispatch};

/// Values of one block of channels at one place: `[T][lane]`.
pub type Column<const N: usize> = [[Lanes; N]];

/// Places next to each other that one stretch of weight rows belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    from: usize,
    to: usize,
    /// Event index of the stretch's row 0 (wrapping).
    base: u32,
}

/// The stretches of input places in the window of output `(y, x)`.
pub fn runs(rows: &Rows, y: usize, x: usize, out: &mut Vec<Run>) {
    out.clear();
    let Rows { input, windows, groups, .. } = rows;
    let channels = (input.channels / groups) as i64;
    let [kh, kw] = windows.kernel;
    let left = (x * windows.stride[1]) as i64 - windows.padding[1] as i64;
    let mut push = |row: usize, from: i64, to: i64, first: i64, k: usize| {
        let place = |x: i64| row * input.width + x as usize;
        let base = ((row * input.width) as i64 + first) * channels - k as i64 * channels;
        let run = Run { from: place(from), to: place(to), base: base as u32 };
        match out.last_mut() {
            Some(last) if last.to == run.from && last.base == run.base => last.to = run.to,
            _ => out.push(run),
        }
    };
    for ky in 0..kh {
        let row = (y * windows.stride[0] + ky * windows.dilation[0]).checked_sub(windows.padding[0]);
        let Some(row) = row.filter(|&row| row < input.height) else { continue };
        if windows.dilation[1] == 1 {
            let (from, to) = (left.max(0), (left + kw as i64).min(input.width as i64));
            if from < to {
                push(row, from, to, left, ky * kw);
            }
        } else {
            for kx in 0..kw {
                let at = left + (kx * windows.dilation[1]) as i64;
                if (0..input.width as i64).contains(&at) {
                    push(row, at, at + 1, at, ky * kw + kx);
                }
            }
        }
    }
}

/// Adds `amplitude · count · Σ rows of events` to each step of `column`. `rows` are one block's. With `factors`, one per
/// row, each row counts that much.
pub fn gather<const N: usize>(
    rows: &[Lanes],
    factors: Option<&[f32]>,
    list: &List,
    runs: &[Run],
    amplitude: f32,
    column: &mut Column<N>,
) {
    dispatch(Gather { rows, factors, list, runs, amplitude, column });
}

struct Gather<'a, const N: usize> {
    rows: &'a [Lanes],
    factors: Option<&'a [f32]>,
    list: &'a List,
    runs: &'a [Run],
    amplitude: f32,
    column: &'a mut Column<N>,
}

impl<const N: usize> Kernel for Gather<'_, N> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Self { rows, factors, list, runs, amplitude, column } = self;
        let (rows, _) = rows.as_chunks::<N>();
        let amplitude = amplitude * list.count;
        match factors {
            Some(factors) => sum_scaled(rows, factors, list, runs, amplitude, column),
            // Several sums at a time hide the time that one addition takes; how many is a matter of registers.
            None if N == 1 => sum::<N, 4>(rows, list, runs, amplitude, column),
            None if N == 2 => sum::<N, 2>(rows, list, runs, amplitude, column),
            None => sum::<N, 1>(rows, list, runs, amplitude, column),
        }
    }
}

#[inline(always)]
fn add<const N: usize>(sum: &mut [Lanes; N], row: &[Lanes; N]) {
    for (sum, row) in sum.iter_mut().zip(row) {
        for lane in 0..LANES {
            sum.0[lane] += row.0[lane];
        }
    }
}

/// Events of a run go to `K` sums in turn, which are added up in the end: the order depends on the events alone.
#[inline(always)]
fn sum<const N: usize, const K: usize>(
    rows: &[[Lanes; N]],
    list: &List,
    runs: &[Run],
    amplitude: f32,
    column: &mut Column<N>,
) {
    for (out, step) in column.iter_mut().zip(&list.steps) {
        let mut sums = [[Lanes::ZERO; N]; K];
        for run in runs {
            let (turns, rest) = step.between(run.from, run.to).as_chunks::<K>();
            for events in turns {
                for (sum, event) in sums.iter_mut().zip(events) {
                    add(sum, &rows[event.wrapping_sub(run.base) as usize]);
                }
            }
            for (sum, event) in sums.iter_mut().zip(rest) {
                add(sum, &rows[event.wrapping_sub(run.base) as usize]);
            }
        }
        let (first, others) = sums.split_at_mut(1);
        others.iter().for_each(|other| add(&mut first[0], other));
        scale_into(out, &first[0], amplitude);
    }
}

#[inline(always)]
fn sum_scaled<const N: usize>(
    rows: &[[Lanes; N]],
    factors: &[f32],
    list: &List,
    runs: &[Run],
    amplitude: f32,
    column: &mut Column<N>,
) {
    for (out, step) in column.iter_mut().zip(&list.steps) {
        let mut sum = [Lanes::ZERO; N];
        for run in runs {
            for event in step.between(run.from, run.to) {
                let row = event.wrapping_sub(run.base) as usize;
                scale_into(&mut sum, &rows[row], factors[row]);
            }
        }
        scale_into(out, &sum, amplitude);
    }
}

/// `out += row · factor`, rounded twice on every machine.
#[inline(always)]
fn scale_into<const N: usize>(out: &mut [Lanes; N], row: &[Lanes; N], factor: f32) {
    for (out, row) in out.iter_mut().zip(row) {
        for lane in 0..LANES {
            out.0[lane] += row.0[lane] * factor;
        }
    }
}

/// A shortcut at one place for one block of output channels.
pub struct Shortcut<'a, S> {
    pub direct: &'a Direct,
    /// The source's grid, and what the shortcut reads (the same without a pool).
    pub from: Grid,
    pub input: Grid,
    pub pool: Option<SourcePool>,
    pub spikes: &'a S,
    /// What a count of each input channel is worth: one, or one per channel.
    pub amplitudes: &'a [f32],
}

impl<S: Spikes> Shortcut<'_, S> {
    /// Adds the shortcut's value at output `(y, x)`, channels `first..first + length`, to steps of `column`.
    pub fn add<const N: usize>(&self, [y, x]: [usize; 2], first: usize, length: usize, column: &mut Column<N>) {
        let direct = self.direct;
        if !direct.valid[0].contains(&y) || !direct.valid[1].contains(&x) {
            return;
        }
        // The block's channels that have an input.
        let start = first.max(direct.channel);
        let end = (first + length).min(direct.channel + self.input.channels);
        if start >= end {
            return;
        }
        let pick = |v: &[f32], c: usize| if v.len() == 1 { v[0] } else { v[c] };
        let mut worth = [Lanes::ZERO; N];
        for c in start..end {
            let (lane, input) = (c - first, c - direct.channel);
            worth[lane / LANES].0[lane % LANES] = pick(&direct.scale, input) * pick(self.amplitudes, input);
        }
        let along = |axis: usize, at: usize| (at * direct.stride[axis]) as isize + direct.offset[axis];
        let (y, x) = (along(0, y) as usize, along(1, x) as usize);
        let places: Vec<usize> = match self.pool {
            Some(SourcePool::Mean(windows)) => windows.places(self.from, y, x).collect(),
            _ => vec![y * self.from.width + x],
        };
        let bits = SourceBits { spikes: self.spikes, channels: self.from.channels, first: start - direct.channel };
        let (length, shift) = (end - start, start - first);
        for (plane, &count) in self.spikes.weights().iter().enumerate() {
            let worth = worth.map(|lanes| Lanes(lanes.0.map(|worth| worth * count as f32)));
            for &place in &places {
                dispatch(Spread { bits: &bits, plane, place, length, shift, worth: &worth, column });
            }
        }
    }
}

/// Where a shortcut's bits lie.
struct SourceBits<'a, S> {
    spikes: &'a S,
    channels: usize,
    /// First input channel of the block.
    first: usize,
}

/// Adds `worth` where a bit of one plane at one place is set, at every step.
struct Spread<'a, S, const N: usize> {
    bits: &'a SourceBits<'a, S>,
    plane: usize,
    place: usize,
    length: usize,
    /// Lanes before the first with an input.
    shift: usize,
    worth: &'a [Lanes; N],
    column: &'a mut Column<N>,
}

impl<S: Spikes, const N: usize> Kernel for Spread<'_, S, N> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let SourceBits { spikes, channels, first } = *self.bits;
        for (t, out) in self.column.iter_mut().enumerate() {
            let words = spikes.plane(t, self.plane);
            let bits = bits_at(words, self.place * channels + first, self.length) << self.shift;
            if bits == 0 {
                continue;
            }
            for (n, (out, worth)) in out.iter_mut().zip(self.worth).enumerate() {
                let bits = (bits >> (n * LANES)) as u32;
                let mut add = [0.0; LANES];
                for lane in 0..LANES {
                    add[lane] = if bits & BITS[lane] != 0 { worth.0[lane] } else { 0.0 };
                }
                for lane in 0..LANES {
                    out.0[lane] += add[lane];
                }
            }
        }
    }
}
