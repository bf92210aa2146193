//! Groups of nodes that training computes as one operation: BatchNorm, sum, activation.
//!
//! The values between the nodes of a group are never stored.

use crate::network::{Network, NodeId, Op};

/// How a node is computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step {
    /// By itself.
    Single,
    /// As a part of the group at a later node.
    Absorbed,
    /// As the last node of a group.
    Group(Group),
}

/// A normalization and what follows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Group {
    pub norm: NodeId,
    /// The other summand, if a sum follows.
    pub addend: Option<NodeId>,
    /// The activation, if one follows.
    pub activation: Option<NodeId>,
}

/// The step of every node; `is_norm` says which nodes are trained as BatchNorm.
pub(super) fn steps(network: &Network, is_norm: impl Fn(NodeId) -> bool) -> Vec<Step> {
    let consumers = network.consumers();
    let mut steps = vec![Step::Single; network.nodes.len()];
    // The only reader of a node's value.
    let reader = |id: NodeId| {
        let found = network.nodes.iter().position(|node| node.inputs.contains(&id));
        found.filter(|_| consumers[id] == 1)
    };
    let activation_after =
        |id: NodeId| reader(id).filter(|&reader| matches!(network.nodes[reader].op, Op::Activation(_)));
    for norm in (0..network.nodes.len()).filter(|&id| is_norm(id)) {
        let sum = reader(norm).filter(|&sum| {
            let node = &network.nodes[sum];
            matches!(node.op, Op::Add) && node.inputs.len() == 2 && !is_absorbed_by(&steps, network, sum)
        });
        let addend = sum.and_then(|sum| network.nodes[sum].inputs.iter().copied().find(|&input| input != norm));
        let sum = sum.filter(|_| addend.is_some());
        let activation = activation_after(sum.unwrap_or(norm));
        let end = activation.or(sum).unwrap_or(norm);
        for id in [Some(norm), sum].into_iter().flatten().filter(|&id| id != end) {
            steps[id] = Step::Absorbed;
        }
        steps[end] = Step::Group(Group { norm, addend, activation });
    }
    steps
}

/// Whether the sum `id` belongs to the group of its other summand.
fn is_absorbed_by(steps: &[Step], network: &Network, id: NodeId) -> bool {
    steps[id] != Step::Single || network.nodes[id].inputs.iter().any(|&input| steps[input] == Step::Absorbed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::zoo::{ZooArchitecture, parse_activation};

    #[test]
    fn every_normalization_of_a_residual_network_ends_in_one_group() {
        let network = ZooArchitecture::Resnet.build(&[1, 8, 8], 2, parse_activation("qcfs:8").unwrap(), 1).unwrap();
        let is_norm = |id: NodeId| matches!(network.nodes[id].op, Op::Affine { .. });
        let steps = steps(&network, is_norm);
        let name = |id: NodeId| network.nodes[id].name.as_str();
        let groups: Vec<_> = steps
            .iter()
            .enumerate()
            .filter_map(|(id, step)| match step {
                Step::Group(group) => Some((name(id), name(group.norm), group.addend.map(name))),
                _ => None,
            })
            .collect();
        assert_eq!(
            groups,
            [
                ("stem.act", "stem.bn", None),
                ("layer1.0.act1", "layer1.0.bn1", None),
                ("layer1.0.act2", "layer1.0.bn2", Some("stem.act")),
                ("layer2.0.act1", "layer2.0.bn1", None),
                ("layer2.0.downsample.bn", "layer2.0.downsample.bn", None),
                ("layer2.0.act2", "layer2.0.bn2", Some("layer2.0.downsample.bn")),
                ("layer2.1.act1", "layer2.1.bn1", None),
                ("layer2.1.act2", "layer2.1.bn2", Some("layer2.0.act2")),
            ]
        );
        // Every normalization and every sum of them is computed once.
        let absorbed = steps.iter().filter(|step| **step == Step::Absorbed).count();
        assert_eq!(absorbed, 7 + 3);
    }
}
