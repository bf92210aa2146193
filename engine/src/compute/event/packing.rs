//! Packs weights for the event kernels: one row of output channels per input of a window.

use std::ops::Range;

use super::row_geometry::column_groups;
use super::synapse_plan::{Grid, LinearMap, PackedWeights, SlidingWindow, Term};
use super::upstream::{UnpackedTerm, UpstreamLayer};
use super::weight_tiles::{self, MIN_TILED_BYTES};
use crate::compute::simd::lanes::{LANES, Lanes, MAX_LANES};
use crate::network::{Network, Op};

/// Packs the weights of `unpacked` for the output channels in `blocks`.
/// `untiled`: whether rows are never read in tiles, since the node is a maximum over windows of the sum, or the source is
/// frames of events.
pub(super) fn pack_term(
    network: &Network,
    unpacked: UnpackedTerm,
    blocks: &[Range<usize>],
    lanes: usize,
    untiled: bool,
) -> Term {
    match unpacked {
        UnpackedTerm::Shortcut { layer, map } => {
            let UpstreamLayer { source, from, pool, gain, .. } = layer;
            Term { source, from, pool, gain, map: LinearMap::Shortcut(map) }
        }
        UnpackedTerm::Weights { node, layer, order, scale } => {
            let rows = match &network.nodes[node].op {
                Op::Conv2d { weight, stride, padding, dilation, groups, .. } => {
                    let [kh, kw] = [weight.shape[2], weight.shape[3]];
                    let padding = [padding[0] + layer.pad[0], padding[1] + layer.pad[1]];
                    let windows = SlidingWindow { kernel: [kh, kw], stride: *stride, padding, dilation: *dilation };
                    // One part of a concatenation starts in the middle of the kernel's input channels.
                    let first = if *groups == 1 { layer.channel } else { 0 };
                    let per_group = weight.shape[1];
                    let value = |o: usize, k: usize, c: usize| {
                        weight.data[(o * per_group + first + c) * kh * kw + k] * scale_at(&scale, o)
                    };
                    pack_rows(&layer, windows, *groups, (blocks, lanes, untiled), value)
                }
                Op::Linear { weight, .. } => {
                    let inputs = weight.shape[1];
                    let order = order.unwrap_or_default();
                    // Column of each value of the flattened input in the weight matrix.
                    let mut column = vec![0; order.len()];
                    order.iter().enumerate().for_each(|(at, &index)| column[index] = at);
                    let places = layer.grid.places();
                    let value = |o: usize, k: usize, c: usize| {
                        weight.data[o * inputs + column[(layer.channel + c) * places + k]] * scale_at(&scale, o)
                    };
                    pack_rows(&layer, SlidingWindow::whole(layer.grid), 1, (blocks, lanes, untiled), value)
                }
                _ => unreachable!("a map with weights that is neither convolution nor fully connected"),
            };
            let UpstreamLayer { source, from, pool, gain, .. } = layer;
            Term { source, from, pool, gain, map: LinearMap::Weights(rows) }
        }
    }
}

fn scale_at(scale: &[f32], c: usize) -> f32 {
    if scale.len() == 1 { scale[0] } else { scale[c] }
}

/// `value(o, k, c)` is the weight of output channel `o` for place `k` of the window and channel `c` of its group.
fn pack_rows(
    layer: &UpstreamLayer,
    windows: SlidingWindow,
    groups: usize,
    (blocks, lanes, untiled): (&[Range<usize>], usize, bool),
    value: impl Fn(usize, usize, usize) -> f32,
) -> PackedWeights {
    let input: Grid = layer.grid;
    let channels = input.channels / groups;
    let rows = windows.kernel[0] * windows.kernel[1] * channels;
    let outputs = blocks.last().map_or(0, |block| block.end);
    let tiled = lanes == MAX_LANES
        && !untiled
        && blocks.len() * rows * lanes * size_of::<Lanes>() > MIN_TILED_BYTES
        && weight_tiles::is_applicable(input, groups, layer.pool);
    // One window over the width has one column of outputs: each input column belongs to one kernel column.
    let alone = tiled || windows.kernel[1] == input.width && windows.padding[1] == 0;
    let columns = column_groups(windows.kernel[1], windows.stride[1], windows.dilation[1], alone);
    let mut order = Vec::with_capacity(rows);
    for group in &columns {
        for (row, c) in (0..windows.kernel[0]).flat_map(|row| (0..channels).map(move |c| (row, c))) {
            order.extend(group.iter().map(|column| (row * windows.kernel[1] + column, c)));
        }
    }
    let mut weights = vec![Lanes::ZERO; blocks.len() * rows * lanes];
    for (block, packed) in blocks.iter().zip(weights.chunks_mut(rows * lanes)) {
        let group = block.start * groups / outputs.max(1);
        for (&(k, c), packed) in order.iter().zip(packed.chunks_mut(lanes)) {
            let factor = layer.scale_of(group * channels + c);
            for (lane, o) in block.clone().enumerate() {
                packed[lane / LANES].0[lane % LANES] = value(o, k, c) * factor;
            }
        }
    }
    PackedWeights { input, windows, groups, rows, columns, tiled, weights }
}
