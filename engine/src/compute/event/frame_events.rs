//! Frames of events as lists of places with events, and the rows of outputs that they add to.
//!
//! A recording of N-MNIST at T = 100 has some 40 events in a frame of 2,312 values: what is empty is read once, when the
//! lists are made, and never again.

use std::ops::Range;

use super::synapse_plan::{Grid, PackedWeights, SourcePool, Term};
use crate::compute::simd::isa::Isa;
use crate::compute::simd::lanes::Lanes;

/// Values that are looked at together while lists are made.
const SCANNED: usize = 64;

/// Events of one pixel and channel in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrameEvent {
    /// Column of the pixel.
    pub x: u16,
    pub channel: u16,
    /// Number of events: a whole number from 1 to 255.
    pub count: f32,
}

/// The events of one sample's frames.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameEvents {
    frames: usize,
    /// First event of each row of places in each frame, and one past the last, `[row][frame]`.
    starts: Vec<u32>,
    /// By row, frame, channel and column.
    events: Vec<FrameEvent>,
}

/// Whether `value` is a whole number from 0 to 255, as events in a frame are.
pub fn is_count(value: f32) -> bool {
    f32::from(value as u8) == value
}

impl FrameEvents {
    /// The events of `frames`, `[frames, C, H, W]` of `grid`. `None` if a value is no whole number from 0 to 255, or the
    /// grid has more than 2^16 columns or channels.
    pub fn new(frames: &[f32], grid: Grid) -> Option<Self> {
        let count = frames.len().checked_div(grid.len())?;
        if grid.width.max(grid.channels) > 1 << 16 || u32::try_from(frames.len()).is_err() {
            return None;
        }
        let mut found: Vec<(u32, FrameEvent)> = Vec::new();
        for (frame, values) in frames.chunks_exact(grid.len()).enumerate() {
            for (k, chunk) in values.chunks(SCANNED).enumerate() {
                // A loop without an exit in it is vectorized.
                if chunk.iter().fold(0, |any, value| any | value.to_bits()) == 0 {
                    continue;
                }
                for (at, &count_here) in (k * SCANNED..).zip(chunk).filter(|(_, value)| **value != 0.0) {
                    if !is_count(count_here) {
                        return None;
                    }
                    let (channel, place) = (at / grid.places(), at % grid.places());
                    let row = place / grid.width;
                    let event =
                        FrameEvent { x: (place % grid.width) as u16, channel: channel as u16, count: count_here };
                    found.push(((row * count + frame) as u32, event));
                }
            }
        }
        let mut starts = vec![0u32; grid.height * count + 1];
        found.iter().for_each(|(key, _)| starts[*key as usize + 1] += 1);
        for k in 1..starts.len() {
            starts[k] += starts[k - 1];
        }
        let mut next = starts.clone();
        let mut events = vec![FrameEvent { x: 0, channel: 0, count: 0.0 }; found.len()];
        for (key, event) in found {
            let at = &mut next[key as usize];
            events[*at as usize] = event;
            *at += 1;
        }
        Some(Self { frames: count, starts, events })
    }

    /// Frames of the sample.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// The events of row `row` in frame `frame`.
    #[inline(always)]
    pub fn of(&self, row: usize, frame: usize) -> &[FrameEvent] {
        let at = row * self.frames + frame;
        &self.events[self.starts[at] as usize..self.starts[at + 1] as usize]
    }
}

/// Where the events of frames go under one map of weights.
#[derive(Debug)]
pub struct FrameMap {
    /// For each row of outputs the rows of the source that its windows read, each with its kernel row.
    rows: Vec<Vec<(usize, usize)>>,
    /// For each column of the source the outputs of a row that read it.
    columns: Vec<Vec<Target>>,
    /// Input channels of one group.
    channels: usize,
}

/// One output of a row that reads a column of the source.
#[derive(Clone, Copy, Debug)]
struct Target {
    out: usize,
    /// Weight of the first channel in the first kernel row, and weights between two channels, in [`Lanes`].
    start: usize,
    step: usize,
}

impl FrameMap {
    /// The map `map` of `term`, whose blocks span `lanes`, for `height` rows of `width` outputs.
    pub fn new(term: &Term, map: &PackedWeights, lanes: usize, [height, width]: [usize; 2]) -> Self {
        let windows = &map.windows;
        // Places of the source that the k-th place of window `at` reads, along one axis.
        let sources = |axis: usize, at: usize, k: usize| {
            let (input, from) = ([map.input.height, map.input.width][axis], [term.from.height, term.from.width][axis]);
            let place = (at * windows.stride[axis] + k * windows.dilation[axis]).checked_sub(windows.padding[axis]);
            let place = place.filter(|&place| place < input);
            let pooled = move |place: usize| match term.pool {
                Some(SourcePool::Mean(pool)) => {
                    let behind = |k: usize| {
                        let at = place * pool.stride[axis] + k * pool.dilation[axis];
                        at.checked_sub(pool.padding[axis]).filter(|&at| at < from)
                    };
                    (0..pool.kernel[axis]).filter_map(behind).collect()
                }
                _ => vec![place],
            };
            place.map(pooled).unwrap_or_default()
        };
        let row = |y: usize| {
            let taps = |ky: usize| sources(0, y, ky).into_iter().map(move |row| (row, ky));
            (0..windows.kernel[0]).flat_map(taps).collect()
        };
        let mut columns = vec![Vec::new(); term.from.width];
        for (group, first) in map.columns.iter().zip(map.group_offsets(lanes)) {
            for (k, &kx) in group.iter().enumerate() {
                for out in 0..width {
                    let target = Target { out, start: first + k * lanes, step: group.len() * lanes };
                    sources(1, out, kx).into_iter().for_each(|column| columns[column].push(target));
                }
            }
        }
        Self { rows: (0..height).map(row).collect(), columns, channels: map.input.channels / map.groups.max(1) }
    }

    /// Adds what the events of `frame` add to row `y` of outputs: `weights` are those of one block, which reads the
    /// channels from `first` on. The order of additions is kernel row, channel, column.
    #[inline(always)]
    pub fn add_row<I: Isa, const N: usize>(
        &self,
        events: &FrameEvents,
        (y, frame): (usize, usize),
        (weights, first): (&[Lanes], usize),
        row: &mut [[Lanes; N]],
    ) {
        let weights = weights.as_chunks::<N>().0;
        for &(source, ky) in &self.rows[y] {
            for event in events.of(source, frame) {
                let Some(channel) = usize::from(event.channel).checked_sub(first).filter(|&c| c < self.channels) else {
                    continue;
                };
                let (at, count) = (ky * self.channels + channel, I::splat(event.count));
                for target in &self.columns[usize::from(event.x)] {
                    let weights = &weights[(target.start + at * target.step) / N];
                    let out = &mut row[target.out];
                    for n in 0..N {
                        let sum = I::mul_then_add(I::load(&weights[n]), count, I::load(&out[n]));
                        I::store(sum, &mut out[n]);
                    }
                }
            }
        }
    }

    /// The outputs of row `y` that [`Self::add_row`] adds to, and the same again where it adds twice.
    #[inline(always)]
    pub fn for_each_output(&self, events: &FrameEvents, (y, frame): (usize, usize), mut visit: impl FnMut(usize)) {
        for &(source, _) in &self.rows[y] {
            for event in events.of(source, frame) {
                self.columns[usize::from(event.x)].iter().for_each(|target| visit(target.out));
            }
        }
    }
}

/// The input channels that a block reads: those of its convolution group.
pub fn first_channel(map: &PackedWeights, group: usize) -> usize {
    group * (map.input.channels / map.groups.max(1))
}

/// One block's weights of `map`, `lanes` wide.
pub fn block_weights(map: &PackedWeights, block: usize, lanes: usize) -> &[Lanes] {
    let size = map.rows * lanes;
    let span: Range<usize> = block * size..(block + 1) * size;
    &map.weights[span]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_have_what_is_not_zero_by_row_and_frame() {
        let grid = Grid { channels: 2, height: 3, width: 40 };
        // Two frames.
        let mut frames = vec![0.0; 2 * grid.len()];
        for (at, value) in [(41, 2.0), (120 + 40, 1.0), (240 + 119, 255.0)] {
            frames[at] = value;
        }
        let events = FrameEvents::new(&frames, grid).unwrap();
        let event = |x, channel, count| FrameEvent { x, channel, count };
        assert_eq!(events.frames(), 2);
        assert_eq!(events.of(1, 0), [event(1, 0, 2.0), event(0, 1, 1.0)]);
        assert_eq!(events.of(2, 1), [event(39, 0, 255.0)]);
        assert!((0..3).all(|row| events.of(row, 1).len() + events.of(0, 0).len() <= 1));
    }

    #[test]
    fn other_numbers_are_no_counts() {
        let grid = Grid { channels: 1, height: 1, width: 2 };
        for value in [0.5, -1.0, 256.0, f32::NAN, f32::INFINITY] {
            assert!(FrameEvents::new(&[0.0, value], grid).is_none(), "{value}");
        }
        assert!(FrameEvents::new(&[-0.0, 0.0], grid).is_some());
    }
}
