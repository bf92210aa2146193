//! Order of the steps of a forward pass: fused nodes, and the memory that each value takes.
//!
//! A convolution, the addition of a residual and an activation become one step if nothing else reads the values
//! between. An activation is part of the step of its pre-activation, which is observed before it is applied.

use std::collections::HashSet;

use crate::network::{Activation, Network, NodeId, Op};

/// The steps of a forward pass for a set of observed nodes.
#[derive(Debug)]
pub struct Schedule {
    pub segments: Vec<Segment>,
    /// Values for one sample that each buffer holds, with the number of samples.
    pub buffers: Vec<BufferSize>,
    /// Samples that are computed together where that is faster.
    pub group: usize,
}

/// Consecutive steps that are all computed sample by sample, or all for a group of samples.
#[derive(Debug)]
pub struct Segment {
    pub grouped: bool,
    pub steps: Vec<Step>,
}

/// One pass over memory.
#[derive(Debug)]
pub struct Step {
    /// The node whose operation is computed.
    pub node: NodeId,
    /// The values that it reads.
    pub inputs: Vec<Value>,
    /// Added to the result: the other input of an addition.
    pub residual: Option<Value>,
    /// The node that has the value before the activation.
    pub before_activation: NodeId,
    /// Applied to the result: the node and its function.
    pub activation: Option<(NodeId, Activation)>,
    pub output: Value,
    /// Whether the first input is replaced by the result.
    pub in_place: bool,
}

/// Where a value is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value {
    /// Index in [`Schedule::buffers`]; `None` for the input of the network.
    pub buffer: Option<usize>,
    /// Number of values of one sample.
    pub len: usize,
    /// Whether the samples of a group lie one behind the other; otherwise there is one sample at a time.
    pub grouped: bool,
}

/// Size of a buffer.
#[derive(Clone, Copy, Debug)]
pub struct BufferSize {
    pub len: usize,
    pub grouped: bool,
}

/// A step before its memory is assigned.
struct Draft {
    node: NodeId,
    inputs: Vec<NodeId>,
    residual: Option<NodeId>,
    before_activation: NodeId,
    activation: Option<(NodeId, Activation)>,
    output: NodeId,
    grouped: bool,
    segment: usize,
}

impl Schedule {
    /// Schedules what the output of `network` and the values of `targets` need. `images(node)` is the number of samples
    /// that are best computed together at a node; groups have at most `max_group`.
    pub fn new(
        network: &Network,
        targets: &HashSet<NodeId>,
        max_group: usize,
        images: impl Fn(NodeId) -> usize,
    ) -> Self {
        let drafts = fuse(network, targets, &images, max_group);
        let group = drafts.iter().filter(|draft| draft.grouped).map(|draft| images(draft.node)).max();
        let group = group.unwrap_or(1).min(max_group).max(1);
        let (steps, buffers) = assign_buffers(network, &drafts);
        let mut segments: Vec<Segment> = Vec::new();
        for (step, draft) in steps.into_iter().zip(&drafts) {
            match segments.get_mut(draft.segment) {
                Some(segment) => segment.steps.push(step),
                None => segments.push(Segment { grouped: draft.grouped, steps: vec![step] }),
            }
        }
        Self { segments, buffers, group }
    }
}

/// The needed nodes in order, those that are computed in one pass put together.
fn fuse(
    network: &Network,
    targets: &HashSet<NodeId>,
    images: &impl Fn(NodeId) -> usize,
    max_group: usize,
) -> Vec<Draft> {
    let mut needed: Vec<bool> = (0..network.nodes.len()).map(|id| targets.contains(&id)).collect();
    needed[network.output] = true;
    // For every node how many needed ones read it, and one of them.
    let mut readers = vec![(0usize, 0); network.nodes.len()];
    readers[network.output].0 = 1;
    for id in (0..network.nodes.len()).rev() {
        if needed[id] {
            for &input in &network.nodes[id].inputs {
                needed[input] = true;
                readers[input] = (readers[input].0 + 1, id);
            }
        }
    }
    let only_reader = |id: NodeId| (readers[id].0 == 1 && id != network.output).then_some(readers[id].1);
    let mut fused = vec![false; network.nodes.len()];
    let mut drafts: Vec<Draft> = Vec::new();
    for (id, node) in network.nodes.iter().enumerate() {
        if !needed[id] || fused[id] || matches!(node.op, Op::Input) {
            continue;
        }
        let mut last = id;
        let mut residual = None;
        if matches!(node.op, Op::Conv2d { .. })
            && !targets.contains(&id)
            && let Some(add) = only_reader(id)
            && matches!(network.nodes[add].op, Op::Add)
            && let [a, b] = network.nodes[add].inputs[..]
        {
            let other = if a == id { b } else { a };
            if other < id {
                (residual, last) = (Some(other), add);
                fused[add] = true;
            }
        }
        let before_activation = last;
        let mut activation = None;
        if !matches!(node.op, Op::Reshape)
            && let Some(next) = only_reader(last)
            && let Op::Activation(function) = network.nodes[next].op
        {
            (activation, last) = (Some((next, function)), next);
            fused[next] = true;
        }
        let grouped = max_group > 1 && images(id) > 1;
        let segment = match drafts.last() {
            Some(draft) => draft.segment + usize::from(draft.grouped != grouped),
            None => 0,
        };
        let inputs = node.inputs.clone();
        drafts.push(Draft {
            node: id,
            inputs,
            residual,
            before_activation,
            activation,
            output: last,
            grouped,
            segment,
        });
    }
    drafts
}

/// Gives every value a buffer: as few as possible, so that they stay in the cache.
fn assign_buffers(network: &Network, drafts: &[Draft]) -> (Vec<Step>, Vec<BufferSize>) {
    let nodes = network.nodes.len();
    // The last step that reads each value, and whether all its readers are in the segment that computes it.
    let (mut last_read, mut producer, mut local) = (vec![0; nodes], vec![usize::MAX; nodes], vec![true; nodes]);
    for (k, draft) in drafts.iter().enumerate() {
        producer[draft.output] = k;
        last_read[draft.output] = k;
        for &input in draft.inputs.iter().chain(&draft.residual) {
            last_read[input] = k;
            local[input] &= drafts.get(producer[input]).is_some_and(|from| from.segment == draft.segment);
        }
    }
    let input = Value { buffer: None, len: network.nodes[0].len(), grouped: true };
    let mut values = vec![input; nodes];
    let mut buffers: Vec<BufferSize> = Vec::new();
    let mut free: Vec<usize> = Vec::new();
    // Free once the segment has run for all samples: where samples are computed one after the other, the next ones still read
    // or write what this one is done with.
    let mut free_later: Vec<usize> = Vec::new();
    let mut steps = Vec::with_capacity(drafts.len());
    for (k, draft) in drafts.iter().enumerate() {
        if k > 0 && drafts[k - 1].segment != draft.segment {
            free.append(&mut free_later);
        }
        let len = network.nodes[draft.output].len();
        let grouped = draft.grouped || !local[draft.output];
        let inputs: Vec<Value> = draft.inputs.iter().map(|&id| values[id]).collect();
        let dies = |id: NodeId| last_read[id] == k && values[id].buffer.is_some();
        // These operations read each value where they write it.
        let in_place =
            matches!(network.nodes[draft.node].op, Op::Activation(_) | Op::Affine { .. } | Op::Add | Op::Reshape)
                && draft.inputs.first().is_some_and(|&first| {
                    let value = values[first];
                    let again = draft.inputs.iter().filter(|id| values[**id].buffer == value.buffer).count() > 1;
                    dies(first) && !again && value.grouped == grouped && value.len == len
                });
        let buffer = if in_place {
            inputs[0].buffer.unwrap_or_default()
        } else {
            // The smallest that is large enough, or else the largest, which grows.
            let fits = free.iter().copied().filter(|&b| buffers[b].grouped == grouped);
            let best = fits.min_by_key(|&b| {
                let size = buffers[b].len;
                if size >= len { (0, size) } else { (1, usize::MAX - size) }
            });
            match best {
                Some(best) => {
                    free.retain(|&b| b != best);
                    buffers[best].len = buffers[best].len.max(len);
                    best
                }
                None => {
                    buffers.push(BufferSize { len, grouped });
                    buffers.len() - 1
                }
            }
        };
        let output = Value { buffer: Some(buffer), len, grouped };
        let read = draft.inputs.iter().chain(&draft.residual);
        let mut done: Vec<usize> = read.filter(|&&id| dies(id)).filter_map(|&id| values[id].buffer).collect();
        if last_read[draft.output] == k {
            done.push(buffer);
        }
        done.retain(|&b| b != buffer || last_read[draft.output] == k);
        done.sort_unstable();
        done.dedup();
        let (of_all, of_one): (Vec<usize>, Vec<usize>) = done.into_iter().partition(|&b| buffers[b].grouped);
        free.extend(of_one);
        if draft.grouped {
            free.extend(of_all)
        } else {
            free_later.extend(of_all)
        }
        values[draft.output] = output;
        steps.push(Step {
            node: draft.node,
            inputs,
            residual: draft.residual.map(|id| values[id]),
            before_activation: draft.before_activation,
            activation: draft.activation,
            output,
            in_place,
        });
    }
    (steps, buffers)
}

#[cfg(test)]
mod tests;
