//! No step overwrites a value that another sample still reads.

use proptest::prelude::*;

use super::*;
use crate::network::{Node, Weights};

/// A node: what it is (a layer, an addition, an activation), which earlier nodes it reads, its length, whether it is computed for
/// several samples at once, and whether it is observed.
type Plan = (u8, [usize; 2], usize, bool, bool);

fn network(plans: &[Plan]) -> Network {
    let node = |op, inputs: Vec<NodeId>, len| Node { name: "n".into(), op, inputs, shape: vec![len] };
    let mut nodes = vec![node(Op::Input, vec![], 3)];
    for &(kind, [first, second], len, ..) in plans {
        let first = first % nodes.len();
        let own = nodes[first].len();
        let equal: Vec<NodeId> = (0..nodes.len()).filter(|&id| nodes[id].len() == own).collect();
        let layer = || {
            let weight = Weights::new(vec![len, own], vec![0.0; len * own]);
            node(Op::Linear { weight, bias: None }, vec![first], len)
        };
        nodes.push(match kind {
            0 | 1 => layer(),
            2 => node(Op::Add, vec![first, equal[second % equal.len()]], own),
            3 => node(Op::Affine { scale: vec![1.0], shift: vec![0.0] }, vec![first], own),
            _ => node(Op::Activation(Activation::Relu), vec![first], own),
        });
    }
    let output = nodes.len() - 1;
    Network { name: "n".into(), nodes, output, scaling: None, class_names: vec![], neurons: None }
}

proptest! {
    #[test]
    fn every_step_reads_what_was_computed_for_its_sample(
        plans in prop::collection::vec((0u8..5, any::<[usize; 2]>(), 1usize..7, any::<bool>(), any::<bool>()), 1..24),
        samples in 2usize..5,
    ) {
        let network = network(&plans);
        let of = |id: NodeId| id.checked_sub(1).map(|k| &plans[k]);
        let targets = (1..network.nodes.len()).filter(|&id| of(id).is_some_and(|plan| plan.4)).collect();
        let images = |id: NodeId| if of(id).is_some_and(|plan| plan.3) { samples } else { 1 };
        let schedule = Schedule::new(&network, &targets, samples, images);
        // Of every place in memory the node and the sample that it holds a value of.
        let size = |buffer: &BufferSize| buffer.len * if buffer.grouped { schedule.group } else { 1 };
        let mut memory: Vec<Vec<Option<(NodeId, usize)>>> =
            schedule.buffers.iter().map(|buffer| vec![None; size(buffer)]).collect();
        for Segment { grouped, steps } in &schedule.segments {
            let (parts, width) = if *grouped { (1, schedule.group) } else { (schedule.group, 1) };
            for (part, step) in (0..parts).flat_map(|part| steps.iter().map(move |step| (part, step))) {
                let place = |value: &Value, sample: usize| {
                    let first = if value.grouped { sample } else { sample - part * width };
                    first * value.len..(first + 1) * value.len
                };
                let inputs = &network.nodes[step.node].inputs;
                let other = step.residual.as_ref().map(|value| {
                    let of_sum = &network.nodes[step.before_activation].inputs;
                    (*of_sum.iter().find(|&&id| id != step.node).unwrap_or(&step.node), value)
                });
                for sample in part * width..(part + 1) * width {
                    for (id, value) in inputs.iter().copied().zip(&step.inputs).chain(other) {
                        let Some(buffer) = value.buffer else { continue };
                        let held = &memory[buffer][place(value, sample)];
                        prop_assert!(held.iter().all(|held| *held == Some((id, sample))), "node {id}, sample {sample}: {held:?}");
                    }
                }
                let id = step.activation.map_or(step.before_activation, |(id, _)| id);
                let Some(buffer) = step.output.buffer else { continue };
                for sample in part * width..(part + 1) * width {
                    memory[buffer][place(&step.output, sample)].fill(Some((id, sample)));
                }
            }
        }
        // The output is read at the end, of all samples.
    }
}
