//! Finds the event form of a node: walks back over sums, convolutions, fully connected layers and shortcuts to the spikes.

use super::packing;
use super::synapse_plan::{Grid, ShortcutMap, SlidingWindow, SourcePool, SynapsePlan};
use super::upstream::{UnpackedTerm, UpstreamLayer, reads_spikes, upstream_layers};
use super::weight_tiles::{MIN_SPIKES, MIN_TILED_BYTES};
use crate::compute::simd::lanes::{LANES, MAX_LANES};
use crate::network::{Network, NodeId, Op};

/// Bytes of one block's weights that should stay in a core's own cache while a layer runs.
const BLOCK_BYTES: usize = 768 << 10;

/// The event form of node `target`, if it has one: its value as a constant and linear maps of spikes, then perhaps a
/// maximum. `None` sends the caller to the dense form.
pub fn compile(network: &Network, target: NodeId) -> Option<SynapsePlan> {
    let reads = reads_spikes(network);
    let node = &network.nodes[target];
    let (inner, pool) = match &node.op {
        Op::MaxPool2d { kernel, stride, padding, dilation } => {
            let padding = [padding[0], padding[1]];
            (node.inputs[0], Some(SlidingWindow { kernel: *kernel, stride: *stride, padding, dilation: *dilation }))
        }
        _ => (target, None),
    };
    let sum = Grid::of(&network.nodes[inner].shape)?;
    let mut drafts = Vec::new();
    collect(network, &reads, inner, vec![1.0], &mut drafts)?;
    if drafts.is_empty() {
        return None;
    }
    let groups = groups(network, &drafts)?;
    let lanes = lanes(network, &drafts, sum.channels / groups);
    let width = lanes * LANES;
    let per_group = sum.channels / groups;
    let blocks = (0..groups).flat_map(|g| {
        let end = (g + 1) * per_group;
        (g * per_group..end).step_by(width).map(move |first| first..(first + width).min(end))
    });
    let blocks: Vec<_> = blocks.collect();
    let terms = drafts.into_iter().map(|draft| packing::pack_term(network, draft, &blocks, lanes)).collect();
    let grid = Grid::of(&node.shape)?;
    Some(SynapsePlan { inner, sum, pool, grid, blocks, lanes, terms, depends_on_input: analog(network, inner) })
}

/// Collects the maps that add up to node `id`, each times `scale` (one factor, or one per channel of `id`).
fn collect(network: &Network, reads: &[bool], id: NodeId, scale: Vec<f32>, out: &mut Vec<UnpackedTerm>) -> Option<()> {
    if !reads[id] {
        return Some(());
    }
    let node = &network.nodes[id];
    match &node.op {
        Op::Add => node.inputs.iter().try_for_each(|&input| collect(network, reads, input, scale.clone(), out)),
        Op::Affine { scale: own, .. } => {
            let pick = |v: &[f32], c: usize| if v.len() == 1 { v[0] } else { v[c] };
            let both = (0..own.len().max(scale.len())).map(|c| pick(own, c) * pick(&scale, c)).collect();
            collect(network, reads, node.inputs[0], both, out)
        }
        Op::Conv2d { .. } => {
            let views = upstream_layers(network, reads, node.inputs[0])?;
            out.extend(views.into_iter().map(|view| UnpackedTerm::Weights {
                node: id,
                view,
                order: None,
                scale: scale.clone(),
            }));
            Some(())
        }
        Op::Linear { .. } => {
            let (base, order) = flattened(network, node.inputs[0])?;
            for view in upstream_layers(network, reads, base)? {
                if view.pad != [0, 0] {
                    return None;
                }
                out.push(UnpackedTerm::Weights { node: id, view, order: Some(order.clone()), scale: scale.clone() });
            }
            Some(())
        }
        Op::Reshape if node.shape.len() == 1 => {
            let before = &network.nodes[node.inputs[0]].shape;
            let point = before.len() == 3 && before[1] * before[2] == 1;
            if point { collect(network, reads, node.inputs[0], scale, out) } else { None }
        }
        _ => {
            out.push(shortcut(network, reads, id, &scale)?);
            Some(())
        }
    }
}

/// The node whose `[C, H, W]` value a fully connected layer reads, and for each of its inputs the index in that value.
fn flattened(network: &Network, id: NodeId) -> Option<(NodeId, Vec<usize>)> {
    let node = &network.nodes[id];
    match &node.op {
        Op::Reshape => flattened(network, node.inputs[0]),
        Op::Transpose { perm } => {
            let (base, order) = flattened(network, node.inputs[0])?;
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

/// A shortcut without weights: spikes themselves, cut, padded, averaged or scaled.
fn shortcut(network: &Network, reads: &[bool], id: NodeId, scale: &[f32]) -> Option<UnpackedTerm> {
    let node = &network.nodes[id];
    let here = Grid::of(&node.shape)?;
    let deeper = |k: usize| match shortcut(network, reads, node.inputs[k], &[1.0])? {
        UnpackedTerm::Direct { view, direct } => Some((view, direct)),
        UnpackedTerm::Weights { .. } => None,
    };
    let (view, mut direct) = match &node.op {
        Op::Slice { axis, start, end: _, step } if *axis > 0 => {
            let (view, mut direct) = deeper(0)?;
            let (axis, length) = (axis - 1, [here.height, here.width][axis - 1]);
            let inside = |at: &usize| direct.valid[axis].contains(&(start + at * step));
            let valid: Vec<usize> = (0..length).filter(inside).collect();
            direct.valid[axis] = valid.first().copied().unwrap_or(0)..valid.last().map_or(0, |last| last + 1);
            direct.offset[axis] += (start * direct.stride[axis]) as isize;
            direct.stride[axis] *= step;
            (view, direct)
        }
        Op::Pad { before, .. } if before.len() == 3 => {
            let (view, mut direct) = deeper(0)?;
            direct.channel += before[0];
            for axis in [0, 1] {
                let by = before[axis + 1];
                direct.offset[axis] -= (by * direct.stride[axis]) as isize;
                direct.valid[axis] = direct.valid[axis].start + by..direct.valid[axis].end + by;
            }
            (view, direct)
        }
        _ => {
            let [view] = <[UpstreamLayer; 1]>::try_from(upstream_layers(network, reads, id)?).ok()?;
            // A lateral pool remembers what it has sent; shortcuts read bits and remember nothing.
            let lateral = matches!(view.pool, Some(SourcePool::Lateral(_)));
            if lateral || view.channel != 0 || view.pad != [0, 0] {
                return None;
            }
            let valid = [0..view.grid.height, 0..view.grid.width];
            let direct = ShortcutMap { channel: 0, stride: [1, 1], offset: [0, 0], valid, scale: view.scale.clone() };
            (view, direct)
        }
    };
    // `scale` is of this node's channels, the map's own of its inputs.
    let pick = |v: &[f32], c: usize| if v.len() == 1 { v[0] } else { v.get(c).copied().unwrap_or(0.0) };
    if scale.len() > 1 || direct.scale.len() > 1 || scale[0] != 1.0 {
        let both = (0..view.grid.channels).map(|c| pick(&direct.scale, c) * pick(scale, c + direct.channel));
        direct.scale = both.collect();
    }
    Some(UnpackedTerm::Direct { view, direct })
}

/// The number of groups of output channels, the same for all maps that have groups.
fn groups(network: &Network, drafts: &[UnpackedTerm]) -> Option<usize> {
    let of = |draft: &UnpackedTerm| match draft {
        UnpackedTerm::Weights { node, view, .. } => match &network.nodes[*node].op {
            // A part of a concatenation need not hold whole groups.
            Op::Conv2d { groups, .. } if *groups > 1 => (view.channel == 0).then_some(*groups),
            _ => Some(1),
        },
        UnpackedTerm::Direct { .. } => Some(1),
    };
    let all: Vec<usize> = drafts.iter().map(of).collect::<Option<_>>()?;
    let most = all.iter().copied().max().unwrap_or(1);
    all.iter().all(|&groups| groups == 1 || groups == most).then_some(most)
}

/// Lanes of a block: as many as there are channels, up to [`MAX_LANES`], as long as the block's weights stay in the cache or are
/// taken in stretches that do.
fn lanes(network: &Network, drafts: &[UnpackedTerm], channels: usize) -> usize {
    let rows = |draft: &UnpackedTerm| match draft {
        UnpackedTerm::Weights { node, view, .. } => match &network.nodes[*node].op {
            Op::Conv2d { weight, .. } => weight.shape[1..].iter().product(),
            _ => view.grid.len(),
        },
        UnpackedTerm::Direct { .. } => 0,
    };
    let rows: usize = drafts.iter().map(rows).max().unwrap_or(0);
    let wide =
        |draft: &UnpackedTerm| matches!(draft, UnpackedTerm::Weights { view, .. } if view.grid.channels >= MIN_SPIKES);
    let cut = drafts.iter().any(wide) && rows * channels * 4 > MIN_TILED_BYTES;
    let mut lanes = 1;
    while lanes < MAX_LANES && lanes * LANES < channels && (cut || rows * lanes * 2 * LANES * 4 <= BLOCK_BYTES) {
        lanes *= 2;
    }
    lanes
}

/// Whether some way leads from the input to `id` past all neurons.
fn analog(network: &Network, id: NodeId) -> bool {
    let node = &network.nodes[id];
    match node.op {
        Op::Input => true,
        Op::Activation(_) => false,
        _ => node.inputs.iter().any(|&input| analog(network, input)),
    }
}
