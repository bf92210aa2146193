//! Lays weights out as rows of output channels, one row for each input of a window, column by column.

use std::ops::Range;

use super::synapse_plan::{Grid, LinearMap, PackedWeights, SlidingWindow, Term};
use super::upstream::{UnpackedTerm, UpstreamLayer};
use crate::compute::simd::lanes::{LANES, Lanes};
use crate::network::{Network, Op};

/// The term of a draft, for output channels in `blocks`.
pub(super) fn pack_term(network: &Network, draft: UnpackedTerm, blocks: &[Range<usize>], lanes: usize) -> Term {
    match draft {
        UnpackedTerm::Direct { view, direct } => {
            Term { source: view.source, from: view.from, pool: view.pool, map: LinearMap::Shortcut(direct) }
        }
        UnpackedTerm::Weights { node, view, order, scale } => {
            let rows = match &network.nodes[node].op {
                Op::Conv2d { weight, stride, padding, dilation, groups, .. } => {
                    let [kh, kw] = [weight.shape[2], weight.shape[3]];
                    let padding = [padding[0] + view.pad[0], padding[1] + view.pad[1]];
                    let windows = SlidingWindow { kernel: [kh, kw], stride: *stride, padding, dilation: *dilation };
                    // A part of a concatenation starts in the middle of the kernel's input channels.
                    let first = if *groups == 1 { view.channel } else { 0 };
                    let per_group = weight.shape[1];
                    let value = |o: usize, k: usize, c: usize| {
                        weight.data[(o * per_group + first + c) * kh * kw + k] * pick(&scale, o)
                    };
                    lay_out(&view, windows, *groups, blocks, lanes, value)
                }
                Op::Linear { weight, .. } => {
                    let inputs = weight.shape[1];
                    let order = order.unwrap_or_default();
                    // Where each value of the flattened input stands in the matrix.
                    let mut column = vec![0; order.len()];
                    order.iter().enumerate().for_each(|(at, &index)| column[index] = at);
                    let places = view.grid.places();
                    let value = |o: usize, k: usize, c: usize| {
                        weight.data[o * inputs + column[(view.channel + c) * places + k]] * pick(&scale, o)
                    };
                    lay_out(&view, SlidingWindow::whole(view.grid), 1, blocks, lanes, value)
                }
                _ => unreachable!("a map with weights that is neither convolution nor fully connected"),
            };
            Term { source: view.source, from: view.from, pool: view.pool, map: LinearMap::Weights(rows) }
        }
    }
}

fn pick(scale: &[f32], c: usize) -> f32 {
    if scale.len() == 1 { scale[0] } else { scale[c] }
}

/// `value(o, k, c)` is the weight of output channel `o` for place `k` of the window and channel `c` of its group.
fn lay_out(
    view: &UpstreamLayer,
    windows: SlidingWindow,
    groups: usize,
    blocks: &[Range<usize>],
    lanes: usize,
    value: impl Fn(usize, usize, usize) -> f32,
) -> PackedWeights {
    let input: Grid = view.grid;
    let channels = input.channels / groups;
    let places = windows.kernel[0] * windows.kernel[1];
    let rows = places * channels;
    let outputs = blocks.last().map_or(0, |block| block.end);
    let mut weights = vec![Lanes::ZERO; blocks.len() * rows * lanes];
    for (block, packed) in blocks.iter().zip(weights.chunks_mut(rows * lanes)) {
        let group = block.start * groups / outputs.max(1);
        for (row, packed) in packed.chunks_mut(lanes).enumerate() {
            // Column by column, as the events of a window come.
            let (at, c) = (row / channels, row % channels);
            let k = at % windows.kernel[0] * windows.kernel[1] + at / windows.kernel[0];
            let factor = view.scale_of(group * channels + c);
            for (lane, o) in block.clone().enumerate() {
                packed[lane / LANES].0[lane % LANES] = value(o, k, c) * factor;
            }
        }
    }
    PackedWeights { input, windows, groups, rows, weights }
}
