//! One of several outputs: which one answers by default, and the network of it alone.
//!
//! Reading and comparison with stored outputs work on all outputs. A run has one output, so that the others cost nothing
//! and cannot prevent it.

use super::outputs::{NetworkOutput, OutputFunction, has_class_shape};
use super::{Network, Node, NodeId, Op};
use crate::{Error, Result};

impl Network {
    /// Index of the output that answers unless the user chooses another: the first with the shape of class scores.
    ///
    /// A softmax of another output counts as that output. Outputs that cannot be converted alone are skipped, and so are
    /// intermediate values: outputs from which another one with class scores is computed by layers with weights. Two
    /// classes from a single value count if it has a sigmoid. `None` for one output, and if no output qualifies.
    pub fn default_output(&self) -> Option<usize> {
        let outputs = self.outputs();
        if outputs.len() < 2 {
            return None;
        }
        let scores: Vec<NodeId> = outputs.iter().map(|output| self.before_softmax(output)).collect();
        let is_binary = |k: usize| outputs[k].range.len() == 1;
        let has_classes = |k: usize| has_class_shape(&outputs[k].shape) || is_binary(k);
        let candidates: Vec<usize> =
            (0..outputs.len()).filter(|&k| has_classes(k) && self.with_output(k).is_convertible()).collect();
        let feeds_scores = |k: usize| {
            let mut others = candidates.iter().filter(|&&other| other != k);
            others.any(|&other| self.feeds_through_weights(scores[k], scores[other]))
        };
        let is_fed = |k: usize| (0..outputs.len()).any(|j| j != k && self.feeds_through_weights(scores[j], scores[k]));
        let first =
            |wanted: &dyn Fn(usize) -> bool| candidates.iter().copied().find(|&k| wanted(k) && !feeds_scores(k));
        let several = first(&|k| !is_binary(k));
        // A lone value is a class score if it says so, or if it is what the class-shaped outputs are features of.
        let chosen = several
            .or_else(|| first(&|k| is_binary(k) && (outputs[k].end == Some(OutputFunction::Sigmoid) || is_fed(k))))?;
        // Scores rather than their softmax, if both are outputs.
        Some((0..outputs.len()).find(|&k| outputs[k].node == scores[chosen]).unwrap_or(chosen))
    }

    /// Index of the output called `name`.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the names of all outputs.
    pub fn output_named(&self, name: &str) -> Result<usize> {
        let outputs = self.outputs();
        outputs.iter().position(|output| output.name == name).ok_or_else(|| {
            let names: Vec<String> = outputs.iter().map(|output| format!("'{}'", output.name)).collect();
            Error::Invalid(format!(
                "Cannot use output '{name}': the network '{}' has no such output. Use {}.",
                self.name,
                names.join(" or ")
            ))
        })
    }

    /// The network with output `index` of [`Network::outputs`] alone, and the nodes that it depends on.
    pub fn with_output(&self, index: usize) -> Self {
        let Some(output) = self.outputs().into_iter().nth(index) else { return self.clone() };
        let mut nodes = self.nodes.clone();
        // A vector needs no node that flattens it, unless another shape would be seen behind it.
        let ends_clearly = output.shape.len() == 1 && !is_seen_through(&nodes, output.node);
        let end = if ends_clearly { output.node } else { output.flat };
        if end != output.flat && nodes[end].name == format!("{}{VALUE_SUFFIX}", output.name) {
            nodes[end].name = output.name;
        }
        let (nodes, output) = reachable(nodes, end);
        Self { nodes, output, ..self.clone() }
    }

    /// Whether neurons can replace an activation of this network and no softmax or sigmoid is inside it.
    fn is_convertible(&self) -> bool {
        self.activation_nodes().next().is_some() && self.inner_output_function().is_none()
    }

    /// The node of an output before its softmax.
    fn before_softmax(&self, output: &NetworkOutput) -> NodeId {
        match output.end {
            Some(OutputFunction::Softmax { .. }) => self.nodes[self.before_moves(output.node).0].inputs[0],
            _ => output.node,
        }
    }

    /// Whether `to` is computed from `from` by at least one layer with weights.
    fn feeds_through_weights(&self, from: NodeId, to: NodeId) -> bool {
        // Of each node: whether it depends on `from`, and whether through weights.
        let mut reached = vec![(false, false); self.nodes.len()];
        reached[from] = (true, false);
        for (id, node) in self.nodes.iter().enumerate().take(to + 1).skip(from + 1) {
            let depends = node.inputs.iter().any(|&input| reached[input].0);
            let has_weights = matches!(node.op, Op::Linear { .. } | Op::Conv2d { .. } | Op::ConvTranspose2d { .. });
            reached[id] = (depends, depends && (has_weights || node.inputs.iter().any(|&input| reached[input].1)));
        }
        reached[to].1
    }
}

/// End of the name of a layer that has the same name as an output.
pub(super) const VALUE_SUFFIX: &str = ".value";

/// Whether [`Network::outputs`] would see another shape, or several outputs, behind the flat node `id` at the end.
pub(super) fn is_seen_through(nodes: &[Node], id: NodeId) -> bool {
    let is_flat = |id: NodeId| matches!(nodes[id].op, Op::Reshape) && nodes[id].shape.len() == 1;
    match (&nodes[id].op, nodes[id].inputs.as_slice()) {
        // The rows of a softmax stay rows: its largest value is not that of the values before it.
        (Op::Reshape, &[input]) if matches!(nodes[input].op, Op::Softmax { .. }) => false,
        (Op::Reshape, &[input]) => has_class_shape(&nodes[id].shape) && !has_class_shape(&nodes[input].shape),
        (Op::Concat { axis: 0 }, inputs) => inputs.iter().all(|&input| is_flat(input)),
        _ => false,
    }
}

/// The nodes that `output` depends on and the input, renumbered, and the new index of `output`.
pub(super) fn reachable(nodes: Vec<Node>, output: NodeId) -> (Vec<Node>, NodeId) {
    let mut kept = vec![false; nodes.len()];
    kept[0] = true;
    let mut pending = vec![output];
    while let Some(id) = pending.pop() {
        if !std::mem::replace(&mut kept[id], true) {
            pending.extend(&nodes[id].inputs);
        }
    }
    let mut new_index = Vec::with_capacity(kept.len());
    let mut count = 0;
    for &kept in &kept {
        new_index.push(count);
        count += usize::from(kept);
    }
    let nodes = nodes.into_iter().zip(&kept).filter(|(_, kept)| **kept).map(|(mut node, _)| {
        node.inputs.iter_mut().for_each(|input| *input = new_index[*input]);
        node
    });
    (nodes.collect(), new_index[output])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Activation, Weights};

    fn node(name: &str, op: Op, inputs: &[NodeId], shape: &[usize]) -> Node {
        Node { name: name.into(), op, inputs: inputs.to_vec(), shape: shape.to_vec() }
    }

    fn linear(out: usize, input: usize) -> Op {
        Op::Linear { weight: Weights::new(vec![out, input], vec![0.5; out * input]), bias: None }
    }

    /// x `[4]` → fc → relu, then `rest`, whose nodes of index `outputs` are the outputs, by their names.
    fn network(rest: Vec<Node>, outputs: &[(&str, NodeId)]) -> Network {
        let mut nodes = vec![
            node("x", Op::Input, &[], &[4]),
            node("fc", linear(6, 4), &[0], &[6]),
            node("act", Op::Activation(Activation::Relu), &[1], &[6]),
        ];
        nodes.extend(rest);
        let ids: Vec<NodeId> = outputs
            .iter()
            .map(|&(name, id)| {
                let len = nodes[id].len();
                nodes.push(node(name, Op::Reshape, &[id], &[len]));
                nodes.len() - 1
            })
            .collect();
        let len = ids.iter().map(|&id| nodes[id].len()).sum();
        nodes.push(node("outputs", Op::Concat { axis: 0 }, &ids, &[len]));
        Network { name: "n".into(), output: nodes.len() - 1, nodes, scaling: None, class_names: vec![], neurons: None }
    }

    fn default_name(network: &Network) -> Option<String> {
        network.default_output().map(|k| network.outputs()[k].name.clone())
    }

    #[test]
    fn the_first_class_scores_answer_and_their_softmax_counts_as_them() {
        let head =
            || vec![node("y.value", linear(3, 6), &[2], &[3]), node("soft", Op::Softmax { log: false }, &[3], &[3])];
        assert_eq!(default_name(&network(head(), &[("y", 3), ("p", 4)])).as_deref(), Some("y"));
        assert_eq!(default_name(&network(head(), &[("p", 4), ("y", 3)])).as_deref(), Some("y"));
        assert_eq!(default_name(&network(head(), &[("p", 4), ("features", 2)])).as_deref(), Some("p"));
        let both = network(head(), &[("y", 3), ("p", 4)]);
        let y = both.with_output(0);
        let names: Vec<&str> = y.nodes.iter().map(|node| node.name.as_str()).collect();
        assert_eq!((names, y.output), (vec!["x", "fc", "act", "y"], 3));
        assert_eq!(both.with_output(1).outputs()[0].end, Some(OutputFunction::Softmax { log: false }));
        assert!(y.is_classifier() && !both.is_classifier());
        let error = both.output_named("z").unwrap_err().to_string();
        assert!(error.contains("'y' or 'p'"), "{error}");
    }

    #[test]
    fn intermediate_values_and_outputs_without_neurons_do_not_answer() {
        let head = || {
            vec![
                node("skip", linear(5, 4), &[0], &[5]),
                node("y", linear(3, 6), &[2], &[3]),
                node("wide", Op::Reshape, &[2], &[2, 3]),
            ]
        };
        assert_eq!(default_name(&network(head(), &[("features", 2), ("logits", 4)])).as_deref(), Some("logits"));
        assert_eq!(default_name(&network(head(), &[("linear", 3), ("logits", 4)])).as_deref(), Some("logits"));
        assert_eq!(default_name(&network(head(), &[("map", 5), ("logits", 4)])).as_deref(), Some("logits"));
        assert_eq!(default_name(&network(head(), &[("map", 5), ("again", 5)])), None);
        assert_eq!(network(head(), &[("logits", 4)]).default_output(), None);
    }

    #[test]
    fn a_single_value_answers_behind_a_sigmoid_or_its_features() {
        let head = || vec![node("v", linear(1, 6), &[2], &[1]), node("s", Op::Sigmoid, &[3], &[1])];
        assert_eq!(default_name(&network(head(), &[("features", 2), ("v", 3)])).as_deref(), Some("v"));
        assert_eq!(default_name(&network(head(), &[("v", 3), ("p", 4)])).as_deref(), Some("p"));
    }

    #[test]
    fn a_flattened_vector_is_one_output_of_its_own_length() {
        // Flatten of [2, 3] to six scores, and a Concat of two flattened parts.
        let rest = vec![
            node("wide", Op::Reshape, &[2], &[2, 3]),
            node("scores.value", Op::Reshape, &[3], &[6]),
            node("joined", Op::Concat { axis: 0 }, &[4, 4], &[12]),
        ];
        let network = network(rest, &[("scores", 4), ("more", 5)]);
        for (k, len) in [(0, 6), (1, 12)] {
            let alone = network.with_output(k);
            assert!(alone.is_classifier() && alone.classes() == len, "{:?}", alone.outputs());
        }
    }
}
