//! Synapse plan of a node: a constant plus one linear map per presynaptic layer.
//!
//! A max-pooling node then takes the maximum over windows of that sum.

use std::ops::Range;

use crate::compute::simd::lanes::{LANES, Lanes};
use crate::network::NodeId;

/// Shape of a layer as `[C, H, W]`, or `[F]` as F channels at one place. A *place* is a spatial position, index `y·W +
/// x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
}

/// Sliding windows over a grid (convolution or pooling); padding is `[top, left]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlidingWindow {
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub padding: [usize; 2],
    pub dilation: [usize; 2],
}

/// How the value of one node is computed from the spikes upstream.
#[derive(Debug)]
pub struct SynapsePlan {
    /// The node whose value the terms and the constant add up to.
    pub inner: NodeId,
    /// The grid of `inner`.
    pub sum: Grid,
    /// The maximum over windows of the sum, if the node is a max pool.
    pub pool: Option<SlidingWindow>,
    /// The grid of the node itself.
    pub grid: Grid,
    /// Output channels in blocks of up to `lanes · 16`.
    pub blocks: Vec<Range<usize>>,
    /// Lanes in one block: 1, 2 or 4.
    pub lanes: usize,
    pub terms: Vec<Term>,
    /// Whether the constant part differs from sample to sample: some path leads from the input past all spikes.
    pub depends_on_input: bool,
    /// Whether the input is a source of spikes: frames with whole-number counts.
    pub frames: bool,
}

/// The contribution of one spiking layer.
#[derive(Debug)]
pub struct Term {
    /// The activation node.
    pub source: NodeId,
    /// The grid of its neurons.
    pub from: Grid,
    /// A pool between the neurons and the map.
    pub pool: Option<SourcePool>,
    /// Factor of the amplitude of the neurons' spikes.
    pub gain: f32,
    pub map: LinearMap,
}

/// A pool between spikes and weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SourcePool {
    /// A mean over windows; spikes stay events, the weights contain the factor.
    Mean(SlidingWindow),
    /// LIPooling: emits the increase of the largest count in the window.
    Lateral(SlidingWindow),
}

/// A linear map of one layer's events.
#[derive(Debug)]
pub enum LinearMap {
    /// Convolution or fully connected layer: rows of weights.
    Weights(PackedWeights),
    /// Shortcut: each output is a scaled input or zero.
    Shortcut(ShortcutMap),
}

/// Weights as rows of output channels. The rows of kernel columns that read the same input columns lie side by side
/// ([`super::row_kernel`]).
#[derive(Debug)]
pub struct PackedWeights {
    /// What the kernel slides over: the source's grid, or that of the pool behind it.
    pub input: Grid,
    pub windows: SlidingWindow,
    pub groups: usize,
    /// Rows in one block: `kH · kW · C_in / groups`.
    pub rows: usize,
    /// Groups of kernel columns.
    pub columns: Vec<Vec<usize>>,
    /// Whether rows are read in tiles for many columns of outputs at once ([`super::weight_tiles`]). Each kernel column
    /// is then a group of its own.
    pub tiled: bool,
    /// `[block][column group][kernel row][input channel][kernel column of the group][lanes]`
    pub weights: Vec<Lanes>,
}

impl PackedWeights {
    /// First entry of each column group in one block's weights, and one past the last; blocks span `lanes`.
    pub fn group_offsets(&self, lanes: usize) -> Vec<usize> {
        self.offsets_of(self.input.channels / self.groups * lanes)
    }
    /// The same if each place of the window has `size` entries.
    pub(super) fn offsets_of(&self, size: usize) -> Vec<usize> {
        let mut at = 0;
        let ends = self.columns.iter().map(|columns| {
            at += columns.len() * self.windows.kernel[0] * size;
            at
        });
        std::iter::once(0).chain(ends).collect()
    }
}

/// Output `(c, y, x)` is input `(c − channel, y·stride + offset, …)` times `scale`, zero outside `valid`.
#[derive(Debug)]
pub struct ShortcutMap {
    /// The first output channel that has an input.
    pub channel: usize,
    pub stride: [usize; 2],
    pub offset: [isize; 2],
    /// Rows and columns of the output that have an input.
    pub valid: [Range<usize>; 2],
    /// One, or one per input channel.
    pub scale: Vec<f32>,
}

impl ShortcutMap {
    /// Whether each output is the input of the same place and channel, over the whole of both grids.
    pub fn is_identity(&self, from: Grid, to: Grid) -> bool {
        let whole = self.valid == [0..to.height, 0..to.width];
        from == to && whole && self.channel == 0 && self.stride == [1, 1] && self.offset == [0, 0]
    }
}

impl Grid {
    /// The grid of a node's shape; `None` for shapes that are neither vectors nor images.
    pub fn of(shape: &[usize]) -> Option<Self> {
        match *shape {
            [channels] => Some(Self { channels, height: 1, width: 1 }),
            [channels, height, width] => Some(Self { channels, height, width }),
            _ => None,
        }
    }
    /// The grid of any shape: its first dimension as channels, the others as places in one row.
    pub fn from_any_shape(shape: &[usize]) -> Self {
        let rest = shape.iter().skip(1).product();
        Self::of(shape).unwrap_or(Self { channels: shape.first().copied().unwrap_or(1), height: 1, width: rest })
    }
    /// Places in one channel.
    pub fn places(self) -> usize {
        self.height * self.width
    }
    /// Values of one sample.
    pub fn len(self) -> usize {
        self.channels * self.places()
    }
    /// Whether it has no values (never so in a valid network).
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

impl SlidingWindow {
    /// A 1×1 window.
    pub const POINT: Self = Self { kernel: [1, 1], stride: [1, 1], padding: [0, 0], dilation: [1, 1] };

    /// The places of `grid` in the window of output `(y, x)`, in order.
    pub fn places(self, grid: Grid, y: usize, x: usize) -> impl Iterator<Item = usize> {
        let along = move |axis: usize, at: usize, k: usize, length: usize| {
            let place = at * self.stride[axis] + k * self.dilation[axis];
            place.checked_sub(self.padding[axis]).filter(|&place| place < length)
        };
        (0..self.kernel[0]).flat_map(move |ky| {
            let row = along(0, y, ky, grid.height);
            let column = move |kx| Some(row? * grid.width + along(1, x, kx, grid.width)?);
            (0..self.kernel[1]).filter_map(column)
        })
    }
    /// One window over the whole of `grid`.
    pub fn whole(grid: Grid) -> Self {
        Self { kernel: [grid.height, grid.width], ..Self::POINT }
    }
    /// The number of windows along both axes over `grid` with padding `[bottom, right]` = `after`; `None` if the kernel
    /// does not fit.
    pub fn count(self, grid: Grid, after: [usize; 2]) -> Option<[usize; 2]> {
        let along = |axis: usize, length: usize| {
            let span = self.dilation[axis] * (self.kernel[axis] - 1) + 1;
            Some((length + self.padding[axis] + after[axis]).checked_sub(span)? / self.stride[axis] + 1)
        };
        Some([along(0, grid.height)?, along(1, grid.width)?])
    }
}

impl SynapsePlan {
    /// Bytes of packed weights in one block of the largest term.
    pub fn block_bytes(&self) -> usize {
        let bytes = |term: &Term| match &term.map {
            LinearMap::Weights(rows) => rows.rows * self.lanes * LANES * 4,
            LinearMap::Shortcut(_) => 0,
        };
        self.terms.iter().map(bytes).max().unwrap_or(0)
    }
    /// The convolution group of `map`, one of the plan's, that block `block` belongs to.
    pub fn group_of(&self, map: &PackedWeights, block: usize) -> usize {
        self.blocks[block].start * map.groups / self.sum.channels.max(1)
    }
    /// Bytes of all packed weights.
    pub fn weight_bytes(&self) -> usize {
        let bytes = |term: &Term| match &term.map {
            LinearMap::Weights(rows) => rows.weights.len() * LANES * 4,
            LinearMap::Shortcut(map) => map.scale.len() * 4,
        };
        self.terms.iter().map(bytes).sum()
    }
    /// Whether a pool of spikes needs lateral pooling: with another pooling rule the node has no event form.
    pub fn needs_lateral(&self) -> bool {
        self.terms.iter().any(|term| matches!(term.pool, Some(SourcePool::Lateral(_))))
    }
}
