//! Findings from the graph alone: unfolded scales and QCFS shifts that differ from v(0).

use super::{Finding, Fix};
use crate::convert::{Recipe, ThresholdRule};
use crate::network::{Activation, Network, NodeId, Op};

/// Findings about `network`, rewritten for conversion, under `recipe`.
pub fn check_network(network: &Network, recipe: &Recipe) -> Vec<Finding> {
    let scales = network.nodes.iter().enumerate().filter_map(|(id, _)| unfolded_scale(network, id));
    scales.chain(staircase_shift(network, recipe)).collect()
}

/// A scale and shift behind neurons, which therefore acts on spikes.
fn unfolded_scale(network: &Network, id: NodeId) -> Option<Finding> {
    let node = &network.nodes[id];
    let Op::Affine { scale, shift } = &node.op else { return None };
    let source = &network.nodes[node.inputs[0]];
    let neurons = match source.op {
        Op::Activation(_) => source,
        // A pool or a reshape of spikes in between makes no difference.
        _ => upstream_neurons(network, node.inputs[0])?,
    };
    let shifted = shift.iter().any(|&v| v != 0.0);
    // Spikes of amplitude 1 behind a threshold of another size, as NIR has them.
    if let (Op::Activation(activation), [scale], false) = (&source.op, scale.as_slice(), shifted)
        && activation.lambda().is_some_and(|lambda| lambda * scale == 1.0)
    {
        return None;
    }
    let current = if shifted { ", and its shift is a constant current at every step" } else { "" };
    let text = format!(
        "this scale and shift of {} channel(s) (a BatchNorm, or a base value of the activation) follows the neurons of \
         '{}' and cannot be folded into the weights before it. It is simulated exactly, on the spikes{current}; for \
         hardware and exchange formats that support only weights, fold it into the next layer",
        scale.len(),
        neurons.name
    );
    Some(Finding::note("unfolded scale", Some(&node.name), text))
}

/// The only neurons whose values reach `id`, through nodes that move or average values.
fn upstream_neurons(network: &Network, id: NodeId) -> Option<&crate::network::Node> {
    let node = &network.nodes[id];
    match (&node.op, node.inputs.as_slice()) {
        (Op::Activation(_), _) => Some(node),
        (Op::Linear { .. } | Op::Conv2d { .. } | Op::Input, _) => None,
        (_, &[input]) => upstream_neurons(network, input),
        _ => None,
    }
}

/// QCFS layers whose staircase shift differs from the neurons' v(0).
fn staircase_shift(network: &Network, recipe: &Recipe) -> Option<Finding> {
    if recipe.threshold != ThresholdRule::Learned {
        return None;
    }
    let shifts: Vec<f32> = network
        .activation_nodes()
        .filter_map(|(_, activation)| match activation {
            Activation::Qcfs { shift, .. } => Some(shift),
            _ => None,
        })
        .collect();
    let &first = shifts.first()?;
    if shifts.iter().any(|&shift| shift != first) || first == recipe.v_init {
        return None;
    }
    let text = format!(
        "the network's QCFS activations are shifted by {first} of a level, which corresponds to v(0) = {first} θ; this \
         recipe has v(0) = {} θ",
        recipe.v_init
    );
    Some(Finding::note("start of the staircase", None, text).with_fix(Fix::VInit(first)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::{MaxPoolRule, rewrite};
    use crate::network::{Node, Weights};

    fn node(name: &str, op: Op, inputs: &[NodeId], shape: &[usize]) -> Node {
        Node { name: name.into(), op, inputs: inputs.to_vec(), shape: shape.to_vec() }
    }

    #[test]
    fn batch_norm_after_neurons_is_reported_and_before_them_is_folded() {
        let weights = || Weights::new(vec![2, 2], vec![1.0, 0.0, 0.0, 1.0]);
        let linear = || Op::Linear { weight: weights(), bias: None };
        let affine = || Op::Affine { scale: vec![2.0, 1.0], shift: vec![0.0, 1.0] };
        let network = |nodes: Vec<Node>| Network {
            name: "n".into(),
            output: nodes.len() - 1,
            nodes,
            scaling: None,
            class_names: vec![],
            neurons: None,
        };
        let qcfs = Activation::Qcfs { lambda: 1.0, levels: 4, shift: 0.25 };
        let behind = network(vec![
            node("x", Op::Input, &[], &[2]),
            node("fc1", linear(), &[0], &[2]),
            node("act", Op::Activation(qcfs), &[1], &[2]),
            node("bn", affine(), &[2], &[2]),
            node("fc2", linear(), &[3], &[2]),
        ]);
        let recipe = Recipe { threshold: ThresholdRule::Learned, ..Recipe::default() };
        let (rewritten, _) = rewrite::rewrite_for_conversion(&behind, MaxPoolRule::PreNeuron).unwrap();
        let found = check_network(&rewritten, &recipe);
        assert_eq!(found[0].layer.as_deref(), Some("bn"));
        assert!(found[0].text.contains("'act'"), "{}", found[0].text);
        assert_eq!(found[1].fix, Some(Fix::VInit(0.25)));
        let before = network(vec![
            node("x", Op::Input, &[], &[2]),
            node("fc1", linear(), &[0], &[2]),
            node("bn", affine(), &[1], &[2]),
            node("act", Op::Activation(Activation::Relu), &[2], &[2]),
            node("fc2", linear(), &[3], &[2]),
        ]);
        let (rewritten, _) = rewrite::rewrite_for_conversion(&before, MaxPoolRule::PreNeuron).unwrap();
        assert_eq!(check_network(&rewritten, &Recipe::default()), []);
    }
}
