//! Compiles the event form of a node into a [`SynapsePlan`].
//!
//! Walks back over sums, convolutions, fully connected layers and shortcuts to the spiking layers upstream.

use super::packing;
use super::row_input::MAX_ROWS;
use super::synapse_plan::{Grid, ShortcutMap, SlidingWindow, SourcePool, SynapsePlan};
use super::upstream::{UnpackedTerm, UpstreamLayer, reads_spikes, upstream_layers};
use super::weight_tiles::{MIN_SPIKES, MIN_TILED_BYTES};
use crate::compute::simd::lanes::{LANES, MAX_LANES};
use crate::network::{Network, NodeId, Op};

/// Bytes of one block's weights that should stay in a core's own cache while a layer runs.
const BLOCK_BYTES: usize = 768 << 10;

/// The event form of node `target`, if it has one: its value as a constant plus linear maps of spikes, optionally
/// followed by a maximum. With `None` the caller uses the dense form.
pub fn compile(network: &Network, target: NodeId) -> Option<SynapsePlan> {
    compile_with(network, target, false)
}

/// As [`compile`] where the input is events too: frames with whole-number counts of spikes, one frame a step.
pub fn compile_frames(network: &Network, target: NodeId) -> Option<SynapsePlan> {
    compile_with(network, target, true)
}

fn compile_with(network: &Network, target: NodeId, frames: bool) -> Option<SynapsePlan> {
    let reads = reads_spikes(network, frames);
    let node = &network.nodes[target];
    let (inner, pool) = match &node.op {
        Op::MaxPool2d { kernel, stride, padding, dilation } => {
            let padding = [padding[0], padding[1]];
            (node.inputs[0], Some(SlidingWindow { kernel: *kernel, stride: *stride, padding, dilation: *dilation }))
        }
        _ => (target, None),
    };
    let sum = Grid::of(&network.nodes[inner].shape)?;
    let mut unpacked_terms = Vec::new();
    collect_terms(network, &reads, inner, vec![1.0], &mut unpacked_terms)?;
    if unpacked_terms.is_empty() {
        return None;
    }
    let groups = groups(network, &unpacked_terms)?;
    if unpacked_terms.iter().any(|unpacked| column_rows(network, unpacked) > MAX_ROWS) {
        return None;
    }
    let lanes = lanes(network, &unpacked_terms, sum.channels / groups);
    let width = lanes * LANES;
    let per_group = sum.channels / groups;
    let blocks = (0..groups).flat_map(|g| {
        let end = (g + 1) * per_group;
        (g * per_group..end).step_by(width).map(move |first| first..(first + width).min(end))
    });
    let blocks: Vec<_> = blocks.collect();
    let terms = unpacked_terms
        .into_iter()
        .map(|unpacked| {
            // Frames of events are lists of their own.
            let untiled = pool.is_some() || matches!(network.nodes[unpacked.source()].op, Op::Input);
            packing::pack_term(network, unpacked, &blocks, lanes, untiled)
        })
        .collect();
    let grid = Grid::of(&node.shape)?;
    Some(SynapsePlan {
        inner,
        sum,
        pool,
        grid,
        blocks,
        lanes,
        terms,
        depends_on_input: !frames && depends_on_input(network, inner),
        frames,
    })
}

/// Collects the linear maps that add up to node `id`, each times `scale` (one factor, or one per channel of `id`).
fn collect_terms(
    network: &Network,
    reads: &[bool],
    id: NodeId,
    scale: Vec<f32>,
    out: &mut Vec<UnpackedTerm>,
) -> Option<()> {
    if !reads[id] {
        return Some(());
    }
    let node = &network.nodes[id];
    match &node.op {
        Op::Add => node.inputs.iter().try_for_each(|&input| collect_terms(network, reads, input, scale.clone(), out)),
        Op::Affine { scale: own, .. } => {
            let pick = |v: &[f32], c: usize| if v.len() == 1 { v[0] } else { v[c] };
            let both = (0..own.len().max(scale.len())).map(|c| pick(own, c) * pick(&scale, c)).collect();
            collect_terms(network, reads, node.inputs[0], both, out)
        }
        Op::Conv2d { .. } => {
            let layers = upstream_layers(network, reads, node.inputs[0])?;
            out.extend(layers.into_iter().map(|layer| UnpackedTerm::Weights {
                node: id,
                layer,
                order: None,
                scale: scale.clone(),
            }));
            Some(())
        }
        Op::Linear { .. } => {
            let (base, order) = flattened_input(network, node.inputs[0])?;
            for layer in upstream_layers(network, reads, base)? {
                if layer.pad != [0, 0] {
                    return None;
                }
                out.push(UnpackedTerm::Weights { node: id, layer, order: Some(order.clone()), scale: scale.clone() });
            }
            Some(())
        }
        Op::Reshape if node.shape.len() == 1 => {
            let before = &network.nodes[node.inputs[0]].shape;
            let point = before.len() == 3 && before[1] * before[2] == 1;
            if point { collect_terms(network, reads, node.inputs[0], scale, out) } else { None }
        }
        _ => {
            out.push(shortcut(network, reads, id, &scale)?);
            Some(())
        }
    }
}

/// The node whose `[C, H, W]` value a fully connected layer reads, and the index in that value for each of its inputs.
fn flattened_input(network: &Network, id: NodeId) -> Option<(NodeId, Vec<usize>)> {
    let node = &network.nodes[id];
    match &node.op {
        Op::Reshape => flattened_input(network, node.inputs[0]),
        Op::Transpose { perm } => {
            let (base, order) = flattened_input(network, node.inputs[0])?;
            let before = &network.nodes[node.inputs[0]].shape;
            let strides: Vec<usize> = (0..before.len()).map(|k| before[k + 1..].iter().product()).collect();
            let source = |mut at: usize| {
                // From the last dimension of the transposed shape to the first.
                let mut index = 0;
                for (&length, &axis) in node.shape.iter().zip(perm).rev() {
                    index += at % length * strides[axis];
                    at /= length;
                }
                order[index]
            };
            Some((base, (0..node.len()).map(source).collect()))
        }
        _ => {
            Grid::of(&node.shape)?;
            Some((id, (0..node.len()).collect()))
        }
    }
}

/// A shortcut without weights: the spikes themselves, sliced, padded, averaged or scaled.
fn shortcut(network: &Network, reads: &[bool], id: NodeId, scale: &[f32]) -> Option<UnpackedTerm> {
    let node = &network.nodes[id];
    let here = Grid::of(&node.shape)?;
    let upstream_shortcut = |k: usize| match shortcut(network, reads, node.inputs[k], &[1.0])? {
        UnpackedTerm::Shortcut { layer, map } => Some((layer, map)),
        UnpackedTerm::Weights { .. } => None,
    };
    let (layer, mut map) = match &node.op {
        Op::Slice { axis, start, end: _, step } if *axis > 0 => {
            let (layer, mut map) = upstream_shortcut(0)?;
            let (axis, length) = (axis - 1, [here.height, here.width][axis - 1]);
            let inside = |at: &usize| map.valid[axis].contains(&(start + at * step));
            let valid: Vec<usize> = (0..length).filter(inside).collect();
            map.valid[axis] = valid.first().copied().unwrap_or(0)..valid.last().map_or(0, |last| last + 1);
            map.offset[axis] += (start * map.stride[axis]) as isize;
            map.stride[axis] *= step;
            (layer, map)
        }
        Op::Pad { before, .. } if before.len() == 3 => {
            let (layer, mut map) = upstream_shortcut(0)?;
            map.channel += before[0];
            for axis in [0, 1] {
                let by = before[axis + 1];
                map.offset[axis] -= (by * map.stride[axis]) as isize;
                map.valid[axis] = map.valid[axis].start + by..map.valid[axis].end + by;
            }
            (layer, map)
        }
        _ => {
            let [layer] = <[UpstreamLayer; 1]>::try_from(upstream_layers(network, reads, id)?).ok()?;
            // A lateral pool is stateful, a shortcut is not: it reads single bits.
            let lateral = matches!(layer.pool, Some(SourcePool::Lateral(_)));
            if lateral || layer.channel != 0 || layer.pad != [0, 0] {
                return None;
            }
            let valid = [0..layer.grid.height, 0..layer.grid.width];
            let map = ShortcutMap { channel: 0, stride: [1, 1], offset: [0, 0], valid, scale: layer.scale.clone() };
            (layer, map)
        }
    };
    // `scale` is indexed by this node's channels, the map's own scale by its input channels.
    let pick = |v: &[f32], c: usize| if v.len() == 1 { v[0] } else { v.get(c).copied().unwrap_or(0.0) };
    if scale.len() > 1 || map.scale.len() > 1 || scale[0] != 1.0 {
        let both = (0..layer.grid.channels).map(|c| pick(&map.scale, c) * pick(scale, c + map.channel));
        map.scale = both.collect();
    }
    Some(UnpackedTerm::Shortcut { layer, map })
}

/// Rows of weights of one kernel column.
fn column_rows(network: &Network, unpacked: &UnpackedTerm) -> usize {
    match unpacked {
        UnpackedTerm::Weights { node, layer, .. } => match &network.nodes[*node].op {
            Op::Conv2d { weight, .. } => weight.shape[1] * weight.shape[2],
            _ => layer.grid.channels * layer.grid.height,
        },
        UnpackedTerm::Shortcut { .. } => 0,
    }
}

/// The number of groups of output channels, the same for all maps that have groups.
fn groups(network: &Network, unpacked_terms: &[UnpackedTerm]) -> Option<usize> {
    let of = |unpacked: &UnpackedTerm| match unpacked {
        UnpackedTerm::Weights { node, layer, .. } => match &network.nodes[*node].op {
            // One part of a concatenation may contain partial groups.
            Op::Conv2d { groups, .. } if *groups > 1 => (layer.channel == 0).then_some(*groups),
            _ => Some(1),
        },
        UnpackedTerm::Shortcut { .. } => Some(1),
    };
    let all: Vec<usize> = unpacked_terms.iter().map(of).collect::<Option<_>>()?;
    let max_groups = all.iter().copied().max().unwrap_or(1);
    all.iter().all(|&groups| groups == 1 || groups == max_groups).then_some(max_groups)
}

/// Lanes of a block: as many as there are channels, up to [`MAX_LANES`], as long as the block's weights stay in the
/// cache or are read in tiles that do.
fn lanes(network: &Network, unpacked_terms: &[UnpackedTerm], channels: usize) -> usize {
    let rows = |unpacked: &UnpackedTerm| match unpacked {
        UnpackedTerm::Weights { node, layer, .. } => match &network.nodes[*node].op {
            Op::Conv2d { weight, .. } => weight.shape[1..].iter().product(),
            _ => layer.grid.len(),
        },
        UnpackedTerm::Shortcut { .. } => 0,
    };
    let rows: usize = unpacked_terms.iter().map(rows).max().unwrap_or(0);
    let wide = |unpacked: &UnpackedTerm| matches!(unpacked, UnpackedTerm::Weights { layer, .. } if layer.grid.channels >= MIN_SPIKES);
    let tiled = unpacked_terms.iter().any(wide) && rows * channels * 4 > MIN_TILED_BYTES;
    let mut lanes = 1;
    while lanes < MAX_LANES && lanes * LANES < channels && (tiled || rows * lanes * 2 * LANES * 4 <= BLOCK_BYTES) {
        lanes *= 2;
    }
    lanes
}

/// Whether some path leads from the input to `id` without passing neurons.
pub fn depends_on_input(network: &Network, id: NodeId) -> bool {
    let node = &network.nodes[id];
    match node.op {
        Op::Input => true,
        Op::Activation(_) => false,
        _ => node.inputs.iter().any(|&input| depends_on_input(network, input)),
    }
}
