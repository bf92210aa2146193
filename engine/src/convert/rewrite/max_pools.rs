//! Moves max pools before the neurons whose values they read.

use super::builder::Builder;
use crate::convert::findings::{Finding, Fix};
use crate::convert::recipe_options::MaxPoolRule;
use crate::network::{Network, Node, NodeId, Op};

/// The max pool of concatenated channels becomes the concatenation of the max pools of each, as in Inception and SqueezeNet,
/// where pools alone read the concatenation: each pool then follows the activation of its own branch.
pub(super) fn pools_before_concats(network: &Network) -> Network {
    let channels_of_spikes = |id: NodeId| {
        let node = &network.nodes[id];
        matches!(node.op, Op::Concat { axis: 0 })
            && node.shape.len() == 3
            && only_pools_read(network, id)
            && reads_spikes(network, id)
    };
    let mut builder = Builder::new(network);
    for (id, node) in network.nodes.iter().enumerate() {
        match (&node.op, node.inputs.first()) {
            (Op::MaxPool2d { .. }, Some(&concat)) if channels_of_spikes(concat) => {
                let branches = network.nodes[concat].inputs.iter().enumerate().map(|(k, branch)| {
                    let channels = network.nodes[*branch].shape[0];
                    let shape = [&[channels], &node.shape[1..]].concat();
                    let inputs = vec![builder.map[branch]];
                    builder.push(Node { name: format!("{}.{k}", node.name), op: node.op.clone(), inputs, shape })
                });
                let inputs = branches.collect();
                let whole = builder.push(Node { inputs, op: Op::Concat { axis: 0 }, ..node.clone() });
                builder.map.insert(id, whole);
            }
            // A concatenation that only pools read is created behind them.
            _ if channels_of_spikes(id) => {}
            _ => builder.copy(id),
        }
    }
    builder.finish()
}

/// Conv → activation → max pool becomes conv → max pool → activation. For the ANN both are the same, since activations
/// never decrease. In the SNN the pool then reads currents instead of spikes.
pub(super) fn pools_before_neurons(network: &Network, notes: &mut Vec<Finding>) -> Network {
    let readers = network.consumers();
    let mut builder = Builder::new(network);
    for (id, node) in network.nodes.iter().enumerate() {
        let after_activation = |&input: &NodeId| matches!(network.nodes[input].op, Op::Activation(_));
        match (&node.op, node.inputs.first().filter(|input| after_activation(input))) {
            (Op::MaxPool2d { .. }, Some(&activation)) => {
                let neuron = &network.nodes[activation];
                let pool = builder.push(Node { inputs: vec![builder.map[&neuron.inputs[0]]], ..node.clone() });
                let shared = readers[activation] > 1;
                let name = if shared { format!("{}.pooled", neuron.name) } else { neuron.name.clone() };
                let moved = Node { name, op: neuron.op.clone(), inputs: vec![pool], shape: node.shape.clone() };
                let moved = builder.push(moved);
                builder.map.insert(id, moved);
                let text = format!(
                    "max pooling was moved before the neurons of '{}' and takes the largest current at each step; the \
                     mean of maxima is at least the maximum of means, so this layer overestimates when its input \
                     fluctuates",
                    neuron.name
                );
                let fix = Fix::Pooling(MaxPoolRule::Lateral);
                notes.push(Finding::note("max pool", Some(&node.name), text).with_fix(fix));
            }
            // An activation that only a pool reads is created at the pool.
            (Op::Activation(_), _) if only_pools_read(network, id) => {}
            (Op::MaxPool2d { .. }, None) if reads_spikes(network, id) => {
                let text = "this max pool does not directly follow an activation and stays in place: it takes the \
                            largest value at each step, which overestimates when spikes arrive at different times";
                let fix = Fix::Pooling(MaxPoolRule::Lateral);
                notes.push(Finding::warning("max pool", Some(&node.name), text).with_fix(fix));
                builder.copy(id);
            }
            _ => builder.copy(id),
        }
    }
    builder.finish()
}

/// Whether every reader of `id` is a max pool, so that its own value is never needed.
fn only_pools_read(network: &Network, id: NodeId) -> bool {
    let mut readers = network.nodes.iter().filter(|node| node.inputs.contains(&id)).peekable();
    id != network.output && readers.peek().is_some() && readers.all(|node| matches!(node.op, Op::MaxPool2d { .. }))
}

/// Whether some activation lies upstream of `id`.
fn reads_spikes(network: &Network, id: NodeId) -> bool {
    let mut open = network.nodes[id].inputs.clone();
    while let Some(id) = open.pop() {
        if matches!(network.nodes[id].op, Op::Activation(_)) {
            return true;
        }
        open.extend(&network.nodes[id].inputs);
    }
    false
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::convert::rewrite::rewrite_for_conversion;
    use crate::network::Activation;

    #[test]
    fn a_max_pool_of_concatenated_branches_moves_before_the_neurons_of_each() {
        let node = |name: &str, op: Op, inputs: &[NodeId], shape: &[usize]| Node {
            name: name.into(),
            op,
            inputs: inputs.to_vec(),
            shape: shape.to_vec(),
        };
        let affine = |by: f32| Op::Affine { scale: vec![by], shift: vec![0.0] };
        let pool = Op::MaxPool2d { kernel: [2, 2], stride: [2, 2], padding: [0; 4], dilation: [1, 1] };
        let network = |last: Op| {
            let nodes = vec![
                node("x", Op::Input, &[], &[2, 4, 4]),
                node("a", affine(1.0), &[0], &[2, 4, 4]),
                node("relu a", Op::Activation(Activation::Relu), &[1], &[2, 4, 4]),
                node("b", affine(-1.0), &[0], &[2, 4, 4]),
                node("relu b", Op::Activation(Activation::Relu), &[3], &[2, 4, 4]),
                node("both", Op::Concat { axis: 0 }, &[2, 4], &[4, 4, 4]),
                node("pool", pool.clone(), &[5], &[4, 2, 2]),
                node("y", last, &[6], &[16]),
            ];
            Network { name: "n".into(), output: 7, nodes, scaling: None, class_names: vec![], neurons: None }
        };
        let original = network(Op::Reshape);
        let (rewritten, notes) = rewrite_for_conversion(&original, MaxPoolRule::PreNeuron).unwrap();
        let kinds: Vec<_> = rewritten.nodes.iter().map(|node| (node.name.as_str(), node.kind_name())).collect();
        let kind = |name: &str| kinds.iter().find(|(of, _)| *of == name).map(|(_, kind)| *kind);
        assert_eq!(kind("both"), None, "{kinds:?}");
        assert_eq!(kind("pool"), kind("pool").filter(|kind| *kind == original.nodes[5].kind_name()), "{kinds:?}");
        for relu in ["relu a", "relu b"] {
            let at = rewritten.nodes.iter().position(|node| node.name == relu).unwrap();
            assert_eq!(rewritten.nodes[at].shape, [2, 2, 2]);
            let before = &rewritten.nodes[rewritten.nodes[at].inputs[0]];
            assert!(matches!(before.op, Op::MaxPool2d { .. }), "{before:?}");
        }
        assert_eq!(notes.iter().filter(|note| note.text.contains("moved before the neurons")).count(), 2);
        let run = |network: Network| {
            let x: Vec<f32> = (0..32).map(|k| ((k * 7) % 13) as f32 - 6.0).collect();
            let program = crate::compute::program::Program::new(Arc::new(network), &burn::tensor::Device::flex());
            program.outputs(&x, &crate::progress::JobControl::default()).unwrap()
        };
        assert_eq!(run(rewritten), run(original));
        // With lateral pooling the pool of the spikes stays.
        let (kept, _) = rewrite_for_conversion(&network(Op::Reshape), MaxPoolRule::Lateral).unwrap();
        assert_eq!(kept.nodes.len(), 8);
    }
}
