//! Spikes under one row of outputs at one step: patterns of eight channels, or lists of events.
#![expect(clippy::needless_range_loop, reason = "registers and lanes are indexed by constants once loops are unrolled")]

use std::ops::Range;

use super::lateral_pool::PooledStep;
use super::spike_source::bits_at;
use super::synapse_plan::{Grid, PackedWeights, SourcePool, Term};
use crate::compute::simd::isa::{Isa, WORD};

/// Channels that one pattern spans.
pub const PATTERN_CHANNELS: usize = 8;

/// A row of source places that the windows of one row of outputs read in one kernel row. Input column x of the map
/// reads source column `x · stride + offset`, if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tap {
    pub kernel_row: usize,
    /// Row of the source.
    row: usize,
    stride: usize,
    offset: isize,
}

impl Tap {
    /// The source place of input column `x`.
    #[inline(always)]
    fn place(&self, from: Grid, x: usize) -> Option<usize> {
        let column = (x * self.stride) as isize + self.offset;
        (0..from.width as isize).contains(&column).then(|| self.row * from.width + column as usize)
    }
    /// Where the bits of channels `first..first + channels` are, for `width` input columns.
    fn bits(&self, from: Grid, first: usize, channels: usize, width: usize) -> TapBits {
        let inside = |x: &usize| self.place(from, *x).is_some();
        let start = (0..width).find(inside).unwrap_or(width);
        let end = (start..width).rev().find(inside).map_or(start, |last| last + 1);
        let place = (self.row * from.width) as isize + self.offset;
        TapBits {
            first: place * from.channels as isize + first as isize,
            step: self.stride * from.channels,
            valid: start..end,
            base: (self.kernel_row * channels) as u16,
        }
    }
    /// Whether input column x reads source column x.
    fn is_direct(&self) -> bool {
        self.stride == 1 && self.offset == 0
    }
}

/// Writes the rows of source places that the windows of output row `y` read to `out`, kernel row by kernel row.
pub fn row_taps(term: &Term, map: &PackedWeights, y: usize, out: &mut Vec<Tap>) {
    out.clear();
    let windows = &map.windows;
    for kernel_row in 0..windows.kernel[0] {
        let row = (y * windows.stride[0] + kernel_row * windows.dilation[0]).checked_sub(windows.padding[0]);
        let Some(row) = row.filter(|&row| row < map.input.height) else { continue };
        let Some(SourcePool::Mean(pool)) = term.pool else {
            out.push(Tap { kernel_row, row, stride: 1, offset: 0 });
            continue;
        };
        for at in 0..pool.kernel[0] {
            let row = (row * pool.stride[0] + at * pool.dilation[0]).checked_sub(pool.padding[0]);
            let Some(row) = row.filter(|&row| row < term.from.height) else { continue };
            let offset = |at: usize| (at * pool.dilation[1]) as isize - pool.padding[1] as isize;
            out.extend((0..pool.kernel[1]).map(|at| Tap {
                kernel_row,
                row,
                stride: pool.stride[1],
                offset: offset(at),
            }));
        }
    }
}

/// Patterns of eight channels of all input channels: `[tap][input column][octet]` in the first buffer, and those of all taps
/// together, `[input column][octet]`, in the second.
#[inline(always)]
pub fn write_patterns(words: &[u64], from: Grid, width: usize, taps: &[Tap], out: &mut [Vec<u8>; 2]) {
    let [out, any] = out;
    write_each(words, from, width, taps, out);
    any.clear();
    any.resize(width * from.channels.div_ceil(PATTERN_CHANNELS), 0);
    for patterns in out.chunks_exact(any.len().max(1)) {
        any.iter_mut().zip(patterns).for_each(|(any, pattern)| *any |= pattern);
    }
}

/// Patterns of eight channels of all input channels, at most sixteen, for up to three kernel rows that each read one row of
/// places: a word for every input column with a byte for every octet of every kernel row.
#[inline(always)]
pub fn write_columns(words: &[u64], from: Grid, width: usize, taps: &[Tap], out: &mut Vec<u64>) {
    out.clear();
    out.resize(width, 0);
    let (channels, octets) = (from.channels, from.channels.div_ceil(PATTERN_CHANNELS));
    for tap in taps {
        let (start, shift) = (tap.row * width * channels, tap.kernel_row * octets * PATTERN_CHANNELS);
        match channels {
            16 if start.is_multiple_of(WORD) => spread::<4>(&words[start / WORD..], shift, out),
            8 if start.is_multiple_of(WORD) => spread::<8>(&words[start / WORD..], shift, out),
            _ => {
                for (x, out) in out.iter_mut().enumerate() {
                    *out |= bits_at(words, start + x * channels, channels) << shift;
                }
            }
        }
    }
}

/// Adds the bits of P places in each word to the words of the places.
#[inline(always)]
fn spread<const P: usize>(words: &[u64], shift: usize, out: &mut [u64]) {
    let bits = WORD / P;
    let (whole, rest) = out.as_chunks_mut::<P>();
    for (&word, out) in words.iter().zip(whole.iter_mut()) {
        for k in 0..P {
            out[k] |= (word >> (k * bits) & ((1 << bits) - 1)) << shift;
        }
    }
    if let Some(&word) = words.get(whole.len()) {
        for (k, out) in rest.iter_mut().enumerate() {
            *out |= (word >> (k * bits) & ((1 << bits) - 1)) << shift;
        }
    }
}

#[inline(always)]
fn write_each(words: &[u64], from: Grid, width: usize, taps: &[Tap], out: &mut Vec<u8>) {
    let (channels, octets) = (from.channels, from.channels.div_ceil(PATTERN_CHANNELS));
    let size = width * octets;
    out.resize(taps.len() * size, 0);
    for (tap, out) in taps.iter().zip(out.chunks_exact_mut(size.max(1))) {
        if tap.is_direct() && channels % PATTERN_CHANNELS == 0 {
            let start = tap.row * width * channels;
            let (whole, rest) = out.as_chunks_mut::<8>();
            if start.is_multiple_of(WORD) {
                let words = &words[start / WORD..][..whole.len()];
                for k in 0..whole.len() {
                    whole[k] = words[k].to_le_bytes();
                }
            } else {
                let whole = whole.iter_mut().enumerate();
                whole.for_each(|(k, out)| *out = bits_at(words, start + k * WORD, WORD).to_le_bytes());
            }
            let end = start + width * channels;
            rest.copy_from_slice(&bits_at(words, end - 8 * rest.len(), WORD).to_le_bytes()[..rest.len()]);
            continue;
        }
        if channels == PATTERN_CHANNELS {
            // Patterns lie in one word each.
            let TapBits { first, step, valid, .. } = tap.bits(from, 0, channels, width);
            out[..valid.start].fill(0);
            out[valid.end..].fill(0);
            let mut at = (first + (valid.start * step) as isize).max(0) as usize;
            for out in &mut out[valid] {
                *out = (words[at / WORD] >> (at % WORD)) as u8;
                at += step;
            }
            continue;
        }
        for (x, out) in out.chunks_exact_mut(octets).enumerate() {
            let bits = tap.place(from, x).map_or(0, |place| bits_at(words, place * channels, channels));
            out.copy_from_slice(&bits.to_le_bytes()[..octets]);
        }
    }
}

/// The events that one row of outputs reads at one step, input column by input column: `ky·C + c` for channel c of a
/// group of C in kernel row ky.
#[derive(Debug, Default)]
pub struct ColumnEvents {
    /// First event of each input column, and one past the last.
    starts: Vec<u32>,
    /// The buffer is longer than its events, since they are written in batches.
    events: Vec<u16>,
    bits: Vec<TapBits>,
}

/// Where a tap's bits are.
#[derive(Clone, Debug)]
struct TapBits {
    /// Bit of the first channel at input column 0, and bits between two columns.
    first: isize,
    step: usize,
    /// Input columns that read a source column.
    valid: Range<usize>,
    /// Event of the first channel.
    base: u16,
}

/// Maximum number of rows in one kernel column that events can number.
pub const MAX_ROWS: usize = 1 << 16;

/// Bits that are listed at once.
const HALF: usize = 32;

impl ColumnEvents {
    /// The events of input column `x`.
    #[inline(always)]
    pub fn of(&self, x: usize) -> &[u16] {
        &self.events[self.starts[x] as usize..self.starts[x + 1] as usize]
    }

    /// Lists the spikes in `words` that `taps` read: `channels` channels of each place of `from` from channel `first` on,
    /// for `width` input columns.
    #[inline(always)]
    pub fn list<I: Isa>(
        &mut self,
        words: &[u64],
        from: Grid,
        (first, channels): (usize, usize),
        width: usize,
        taps: &[Tap],
    ) {
        let room = width * taps.len() * channels + HALF;
        if self.events.len() < room {
            self.events.resize(room, 0);
        }
        self.starts.resize(width + 1, 0);
        self.bits.clear();
        self.bits.extend(taps.iter().map(|tap| tap.bits(from, first, channels, width)));
        let (starts, events, bits) = (&mut self.starts[..width + 1], &mut self.events[..], &self.bits[..]);
        let aligned = [channels, from.channels, first].iter().all(|bits| bits.is_multiple_of(HALF));
        let mut length = 0;
        for x in 0..width {
            starts[x] = length as u32;
            for tap in bits {
                if !tap.valid.contains(&x) {
                    continue;
                }
                let start = (tap.first + (x * tap.step) as isize) as usize;
                if aligned {
                    for k in 0..channels / HALF {
                        let at = start + k * HALF;
                        let half = (words[at / WORD] >> (at % WORD)) as u32;
                        let Some(out) = events[length..].first_chunk_mut() else { continue };
                        length += I::offsets(half, tap.base + (k * HALF) as u16, out);
                    }
                } else {
                    for k in (0..channels).step_by(HALF) {
                        let half = bits_at(words, start + k, (channels - k).min(HALF)) as u32;
                        let Some(out) = events[length..].first_chunk_mut() else { continue };
                        length += I::offsets(half, tap.base + k as u16, out);
                    }
                }
            }
        }
        starts[width] = length as u32;
    }

    /// Lists what a lateral pool emits at one step, `step`, for `width` input columns.
    pub fn list_pooled(&mut self, step: &PooledStep, channels: usize, width: usize, taps: &[Tap]) {
        self.events.clear();
        self.starts.clear();
        for x in 0..width {
            self.starts.push(self.events.len() as u32);
            for tap in taps {
                let base = (tap.kernel_row * channels) as u16;
                self.events.extend(step.of(tap.row * width + x).iter().map(|&channel| base + channel as u16));
            }
        }
        self.starts.push(self.events.len() as u32);
    }
}
