//! Spikes under one row of outputs at one step: patterns of eight channels, or lists of events.

use super::spike_source::bits_at;
use super::lateral_pool::PooledStep;
use super::synapse_plan::{Grid, PackedWeights, SourcePool, Term};
use crate::compute::simd::isa::{Isa, WORD};
use crate::compute::simd::lanes::LANES;

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

/// Patterns of eight channels of all input channels, `[tap][input column][octet]`.
#[inline(always)]
pub fn write_patterns(words: &[u64], from: Grid, width: usize, taps: &[Tap], out: &mut Vec<u8>) {
    let (channels, octets) = (from.channels, from.channels.div_ceil(PATTERN_CHANNELS));
    let size = width * octets;
    out.resize(taps.len() * size, 0);
    for (tap, out) in taps.iter().zip(out.chunks_exact_mut(size.max(1))) {
        if tap.is_direct() && channels % PATTERN_CHANNELS == 0 {
            let start = tap.row * width * channels;
            if start % WORD == 0 {
                let words = &words[start / WORD..];
                out.chunks_mut(8).zip(words).for_each(|(out, word)| out.copy_from_slice(&word.to_le_bytes()[..out.len()]));
            } else {
                for (k, out) in out.chunks_mut(8).enumerate() {
                    out.copy_from_slice(&bits_at(words, start + k * WORD, WORD).to_le_bytes()[..out.len()]);
                }
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
    events: Vec<u32>,
}

impl ColumnEvents {
    /// The events of input column `x`.
    #[inline(always)]
    pub fn of(&self, x: usize) -> &[u32] {
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
        let room = width * taps.len() * channels + WORD;
        if self.events.len() < room {
            self.events.resize(room, 0);
        }
        self.starts.resize(width + 1, 0);
        let mut length = 0;
        for x in 0..width {
            self.starts[x] = length as u32;
            for tap in taps {
                let Some(place) = tap.place(from, x) else { continue };
                let (start, base) = (place * from.channels + first, (tap.kernel_row * channels) as u32);
                length += push_bits::<I>(words, start, channels, base, &mut self.events[length..]);
            }
        }
        self.starts[width] = length as u32;
    }

    /// Lists what a lateral pool emits at one step, `step`, for `width` input columns.
    pub fn list_pooled(&mut self, step: &PooledStep, channels: usize, width: usize, taps: &[Tap]) {
        self.events.clear();
        self.starts.clear();
        for x in 0..width {
            self.starts.push(self.events.len() as u32);
            for tap in taps {
                let base = (tap.kernel_row * channels) as u32;
                self.events.extend(step.of(tap.row * width + x).iter().map(|channel| base + channel));
            }
        }
        self.starts.push(self.events.len() as u32);
    }
}

/// Writes an event for every set bit of `words` in `from..from + length` to `out`; bit `from` is event `base`. No branch
/// depends on a bit. Returns how many there are.
#[inline(always)]
fn push_bits<I: Isa>(words: &[u64], from: usize, length: usize, base: u32, out: &mut [u32]) -> usize {
    let mut count = 0;
    for first in (0..length).step_by(WORD) {
        let wide = (length - first).min(WORD);
        let (word, shift) = ((from + first) / WORD, (from + first) % WORD);
        let mut bits = if shift + wide <= WORD { words[word] >> shift } else { bits_at(words, from + first, wide) };
        if wide < WORD {
            bits &= (1 << wide) - 1;
        }
        let (out, base) = (&mut out[count..], base + first as u32);
        if wide <= LANES {
            if let Some(out) = out.first_chunk_mut() {
                count += I::positions(bits as u16, base, out);
            }
        } else if let Some(out) = out.first_chunk_mut() {
            count += I::positions_of_word(bits, base, out);
        }
    }
    count
}
