//! Layout of the packed input of a convolution, and the blocks in which it is computed.
//!
//! For every channel the packed input holds kW shifted copies of the zero-padded plane,
//! `[channel][kx][row class][row][image][x_out]`. A row class is a remainder of the padded row by the stride. So every
//! tap (c, ky, kx) is one offset: `out[co][p] = Σ_t weight[co][t] · packed[offset[t] + p]` for p over the flat output
//! plane `[row][image][x_out]`.
//!
//! Where output rows are as long as input rows, a multiple of sixteen, one copy is enough: rows with a margin of sixteen
//! zeros before each, which is the padding on the right of the row before too. No vector of places crosses a row there.
//! The place behind p is then `p + p / width · 16`.
//!
//! Channels are taken in blocks, output rows in bands, so that packed values stay in the L2 cache and the weights of
//! one tile in the L1 cache. The order of additions is that of the taps whatever the blocks and bands are.

use std::ops::Range;

use super::columns::Columns;
use super::geometry::Geometry;
use super::tile::MAX_TILE;
use crate::compute::simd::lanes::LANES;

/// Maximum number of packed values, 512 KiB: half of a common L2 cache.
const MAX_PACKED: usize = 128 * 1024;
/// Maximum number of taps of one block unless one channel has more. Their weights for eight output channels are 20 KiB.
const MAX_TAPS: usize = 640;

/// Layout and blocks of a convolution for a number of images side by side.
#[derive(Clone, Debug)]
pub struct Plan {
    pub geometry: Geometry,
    /// Images side by side.
    pub images: usize,
    /// Output rows computed together; the last band may have fewer.
    pub band: usize,
    pub blocks: Vec<Block>,
    /// Remainders by the stride of the padded rows that the kernel reads.
    pub row_classes: Vec<usize>,
    /// What each of the kW shifted copies takes from a row.
    pub columns: Vec<Columns>,
    /// Packed rows of one row class.
    pub rows: usize,
    /// Zeros before each packed row, and after the last: 16 or none.
    pub margin: usize,
    /// Offset of every tap of one group in the channels of one block, from the group's first packed channel.
    pub offsets: Vec<u32>,
}

/// Input channels that are packed together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Groups of the convolution; more than one only if the block has all their channels.
    pub groups: Range<usize>,
    /// Channels of each group.
    pub channels: Range<usize>,
}

impl Plan {
    /// The plan of `geometry` for `images` images at once.
    pub fn new(geometry: Geometry, images: usize) -> Self {
        let [_, height, width] = geometry.output();
        let [kernel_rows, kernel_columns] = geometry.kernel;
        let (stride, dilation) = (geometry.stride[0], geometry.dilation[0]);
        let mut row_classes: Vec<usize> = (0..kernel_rows).map(|ky| ky * dilation % stride).collect();
        row_classes.sort_unstable();
        row_classes.dedup();
        let reach = (kernel_rows.max(1) - 1) * dilation / stride;
        let margin = if images == 1 && has_margins(&geometry) { LANES } else { 0 };
        let copies = if margin > 0 { 1 } else { kernel_columns };
        let step = images * width + margin;
        let plane = |band: usize| (band + reach) * step + margin;
        let size = |channels: usize, band: usize| channels * copies * row_classes.len() * plane(band);

        let (group_channels, taps) = (geometry.group_channels(), kernel_rows * kernel_columns);
        let most = (MAX_TAPS / taps.max(1)).max(1);
        // As many channels as their taps allow, in equal parts; then as many rows as fit.
        let parts = group_channels.div_ceil(most).max(1);
        let channels = group_channels.div_ceil(parts).max(1);
        let fits = |band: &usize| size(channels, *band) <= MAX_PACKED;
        let bands = (1..=height.max(1)).find(|bands| fits(&height.div_ceil(*bands))).unwrap_or(height.max(1));
        let band = height.div_ceil(bands).max(1);
        let blocks = if parts == 1 {
            let groups = (MAX_PACKED / size(channels, band).max(1)).clamp(1, geometry.groups.max(1));
            let block = |first| Block { groups: first..(first + groups).min(geometry.groups), channels: 0..channels };
            (0..geometry.groups).step_by(groups).map(block).collect()
        } else {
            let range = move |first: usize| first..(first + channels).min(group_channels);
            let of = |group: usize| {
                let blocks = (0..group_channels).step_by(channels).map(range);
                blocks.map(move |channels| Block { groups: group..group + 1, channels })
            };
            (0..geometry.groups).flat_map(of).collect()
        };
        let columns = (0..copies).map(|kx| {
            let shift = (kx * geometry.dilation[1]) as isize - geometry.padding[1] as isize;
            Columns::new(shift, geometry.stride[1], geometry.input[2], width)
        });
        let columns = columns.collect();
        let mut plan = Self {
            geometry,
            images,
            band,
            blocks,
            row_classes,
            columns,
            rows: band + reach,
            margin,
            offsets: Vec::new(),
        };
        let offset = |c: usize, ky: usize, kx: usize| {
            let class = plan.row_classes.iter().position(|class| *class == ky * dilation % stride).unwrap_or(0);
            let (copy, shift) = match margin {
                0 => (kx, 0),
                margin => (0, margin + kx * geometry.dilation[1] - geometry.padding[1]),
            };
            let plane = (c * copies + copy) * plan.row_classes.len() + class;
            (plane * plan.plane_len() + ky * dilation / stride * step + shift) as u32
        };
        let each = |c: usize| (0..kernel_rows).flat_map(move |ky| (0..kernel_columns).map(move |kx| (c, ky, kx)));
        plan.offsets = (0..channels).flat_map(each).map(|(c, ky, kx)| offset(c, ky, kx)).collect();
        plan
    }
    /// Values of one row of the flat output plane.
    pub fn row(&self) -> usize {
        self.images * self.geometry.output()[2]
    }
    /// Distance of packed rows.
    pub fn step(&self) -> usize {
        self.row() + self.margin
    }
    /// Packed values of one row class of one copy.
    pub fn plane_len(&self) -> usize {
        self.rows * self.step() + self.margin
    }
    /// Packed values of one channel.
    pub fn channel_len(&self) -> usize {
        self.columns.len() * self.row_classes.len() * self.plane_len()
    }
    /// Packed values of one block, with the room that tiles read beyond the last plane.
    pub fn packed_len(&self) -> usize {
        let channels = self.blocks.iter().map(|block| block.groups.len() * block.channels.len()).max().unwrap_or(0);
        channels * self.channel_len() + MAX_TILE / LANES * (self.margin + LANES)
    }
    /// Bands of output rows.
    pub fn bands(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        let height = self.geometry.output()[1];
        (0..height).step_by(self.band).map(move |start| start..(start + self.band).min(height))
    }
}

/// Whether margins can stand for the padding of rows.
fn has_margins(geometry: &Geometry) -> bool {
    let (width, reach) = (geometry.output()[2], (geometry.kernel[1].max(1) - 1) * geometry.dilation[1]);
    let left = geometry.padding[1];
    geometry.kernel[1] > 1
        && geometry.stride[1] == 1
        && width == geometry.input[2]
        && width % LANES == 0
        && left <= LANES
        && reach.saturating_sub(left) <= LANES
}
