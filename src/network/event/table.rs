//! Maps of few input channels. The sums for all 16 patterns of four channels are worked out beforehand; a step then adds one
//! row for every four channels of a window, whether they spike or not. That is no more work than finding out which ones do,
//! and there is no loop whose end the processor could guess wrong.

use super::feed::{Grid, Map, Rows, Term};
use super::gather::Column;
use super::lanes::Lanes;
use super::list::{Spikes, bits_at};
use super::simd::{Isa, Kernel, dispatch};

/// Channels that one pattern spans.
const FOUR: usize = 4;
/// Patterns of four channels.
const PATTERNS: usize = 1 << FOUR;
/// Input channels up to which patterns are kept: the bits of one number.
const MOST_CHANNELS: usize = 16;
/// Bytes of one block's sums that the cache next to the core takes without pushing everything else out.
const MOST_BYTES: usize = 80 << 10;
/// Places of a window up to which their patterns are found without a list.
const MOST_TAPS: usize = 25;

/// The sums of one term for every pattern of four input channels, with the amplitude of the spikes in them.
pub struct Table {
    /// Groups of four channels.
    fours: usize,
    /// Rows of sums in one block.
    rows: usize,
    /// `[block][place of the window][four][pattern][lanes]`
    sums: Vec<Lanes>,
}

/// The spikes of one sample and plane as patterns of each place's channels, `[place][T]`; one silent place at the end.
pub struct Patterns {
    steps: usize,
    bits: Vec<u16>,
    /// What a spike counts.
    count: f32,
}

/// Whether a term is read through a table: its shape alone decides, so that sums are the same in every run.
pub fn suits(term: &Term, lanes: usize) -> bool {
    let Map::Rows(rows) = &term.map else { return false };
    let taps = taps(rows);
    let bytes = taps * rows.input.channels.div_ceil(FOUR) * PATTERNS * size_of::<Lanes>() * lanes;
    let few = rows.groups == 1 && rows.input.channels <= MOST_CHANNELS && taps <= MOST_TAPS && bytes <= MOST_BYTES;
    few && term.pool.is_none()
}

fn taps(rows: &Rows) -> usize {
    rows.windows.kernel[0] * rows.windows.kernel[1]
}

impl Table {
    /// The sums of `rows`, whose blocks span `lanes`. `amplitude(c)` is what a spike of input channel `c` is worth.
    pub fn new(rows: &Rows, lanes: usize, amplitude: impl Fn(usize) -> f32) -> Self {
        let channels = rows.input.channels;
        let fours = channels.div_ceil(FOUR);
        let size = taps(rows) * fours * PATTERNS;
        let blocks = rows.weights.len() / (rows.rows * lanes).max(1);
        let mut sums = Vec::with_capacity(blocks * size * lanes);
        for row in (0..blocks * taps(rows)).map(|tap| tap * channels) {
            for first in (0..channels).step_by(FOUR) {
                let start = sums.len();
                sums.resize(start + lanes, Lanes::ZERO);
                for pattern in 1..PATTERNS {
                    // The pattern without its highest spike stands before it already.
                    let highest = pattern.ilog2() as usize;
                    let (c, before) = (first + highest, start + (pattern & !(1 << highest)) * lanes);
                    for lane in 0..lanes {
                        let mut sum = sums[before + lane];
                        if c < channels {
                            let (weights, amplitude) = (&rows.weights[(row + c) * lanes + lane], amplitude(c));
                            sum.0.iter_mut().zip(weights.0).for_each(|(sum, weight)| *sum += weight * amplitude);
                        }
                        sums.push(sum);
                    }
                }
            }
        }
        Self { fours, rows: size, sums }
    }
}

impl Patterns {
    /// The patterns of `spikes` over `steps`, one for each plane.
    pub fn of(from: Grid, spikes: &impl Spikes, steps: usize) -> Vec<Self> {
        /// Places that are written together: a cache line of bits of each step, a few lines of patterns.
        const TOGETHER: usize = 32;
        let (places, channels) = (from.places(), from.channels);
        let plane = |(plane, &count): (usize, &i32)| {
            let mut bits = vec![0u16; (places + 1) * steps];
            for first in (0..places).step_by(TOGETHER) {
                let last = (first + TOGETHER).min(places);
                for t in 0..steps {
                    let words = spikes.plane(t, plane);
                    for place in first..last {
                        bits[place * steps + t] = bits_at(words, place * channels, channels) as u16;
                    }
                }
            }
            Self { steps, bits, count: count as f32 }
        };
        spikes.weights().iter().enumerate().map(plane).collect()
    }

    fn place(&self, place: usize) -> &[u16] {
        &self.bits[place * self.steps..(place + 1) * self.steps]
    }
}

/// Adds the sums of block `block` for the window of output `(y, x)` to each step of `column`, from lane block `part` on,
/// in blocks of `N`.
pub fn look_up<const N: usize, const M: usize>(
    table: &Table,
    rows: &Rows,
    patterns: &Patterns,
    block: usize,
    [y, x]: [usize; 2],
    part: usize,
    column: &mut Column<M>,
) {
    let silent = patterns.place(rows.input.places());
    let mut windows = [silent; MOST_TAPS];
    let mut taps = 0;
    let along = |axis: usize, at: usize, k: usize, length: usize| {
        let windows = &rows.windows;
        let place = at * windows.stride[axis] + k * windows.dilation[axis];
        place.checked_sub(windows.padding[axis]).filter(|&place| place < length)
    };
    for ky in 0..rows.windows.kernel[0] {
        let row = along(0, y, ky, rows.input.height);
        for kx in 0..rows.windows.kernel[1] {
            if let (Some(row), Some(at)) = (row, along(1, x, kx, rows.input.width)) {
                windows[taps] = patterns.place(row * rows.input.width + at);
            }
            taps += 1;
        }
    }
    let size = table.rows * N;
    let sums = &table.sums[block * size..(block + 1) * size];
    dispatch(LookUp::<N, M> { sums, fours: table.fours, windows: &windows[..taps], count: patterns.count, part, column });
}

struct LookUp<'a, const N: usize, const M: usize> {
    sums: &'a [Lanes],
    fours: usize,
    windows: &'a [&'a [u16]],
    count: f32,
    part: usize,
    column: &'a mut Column<M>,
}

impl<const N: usize, const M: usize> Kernel for LookUp<'_, N, M> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        match self.fours {
            1 => self.sum::<I, 1>(),
            2 => self.sum::<I, 2>(),
            3 => self.sum::<I, 3>(),
            _ => self.sum::<I, 4>(),
        }
    }
}

impl<const N: usize, const M: usize> LookUp<'_, N, M> {
    /// Each of `Q` groups of four channels has a sum of its own, so that the additions need not wait for each other.
    #[inline(always)]
    fn sum<I: Isa, const Q: usize>(self) {
        let (rows, _) = self.sums.as_chunks::<N>();
        let (fours, _) = rows.as_chunks::<PATTERNS>();
        let (tables, _) = fours.as_chunks::<Q>();
        let count = I::splat(self.count);
        for (t, out) in self.column.iter_mut().enumerate() {
            let mut sums = [[I::splat(0.0); N]; Q];
            for (table, bits) in tables.iter().zip(self.windows) {
                let pattern = usize::from(bits[t]);
                for q in 0..Q {
                    let row = &table[q][pattern >> (FOUR * q) & (PATTERNS - 1)];
                    for n in 0..N {
                        sums[q][n] = I::add(sums[q][n], I::load(&row[n]));
                    }
                }
            }
            let out = &mut out.as_chunks_mut::<N>().0[self.part];
            for n in 0..N {
                let mut sum = sums[0][n];
                for other in &sums[1..] {
                    sum = I::add(sum, other[n]);
                }
                I::store(I::mul_then_add(sum, count, I::load(&out[n])), &mut out[n]);
            }
        }
    }
}
