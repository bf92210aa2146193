//! Outputs of a network: their names, shapes, ranges and final functions (softmax, sigmoid).
//!
//! The network's output is one flat list of numbers. Here it is split into the outputs that the network's file names.
//! [`predicted_class`] is the one rule by which class scores become a class.

use std::ops::Range;

use super::{Network, Node, NodeId, Op};

/// One output of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkOutput {
    pub name: String,
    /// Shape for one sample.
    pub shape: Vec<usize>,
    /// Range of its values in the network's output.
    pub range: Range<usize>,
    /// Its final function, which a spiking readout omits.
    pub end: Option<OutputFunction>,
    /// The node of its value, in its own shape.
    pub node: NodeId,
    /// The node of its value as a flat vector; `node` itself where no node flattens it.
    pub flat: NodeId,
}

/// The final function of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputFunction {
    /// Softmax, or its logarithm, over the last dimension.
    Softmax {
        log: bool,
    },
    Sigmoid,
}

impl OutputFunction {
    /// The function of `op`, if it is an output function.
    pub fn of(op: &Op) -> Option<Self> {
        match op {
            Op::Softmax { log } => Some(Self::Softmax { log: *log }),
            Op::Sigmoid => Some(Self::Sigmoid),
            _ => None,
        }
    }
    /// Applies the function in place to `values`, whose last dimension has size `last`.
    pub fn apply(self, values: &mut [f32], last: usize) {
        match self {
            Self::Sigmoid => values.iter_mut().for_each(|v| *v = 1.0 / (1.0 + (-*v).exp())),
            Self::Softmax { log } => {
                for row in values.chunks_mut(last.max(1)) {
                    let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                    let sum = row.iter().map(|v| (v - max).exp()).sum::<f32>();
                    row.iter_mut().for_each(|v| {
                        *v = if log { *v - max - sum.ln() } else { (*v - max).exp() / sum };
                    });
                }
            }
        }
    }
}

impl NetworkOutput {
    /// Whether it has the shape of class scores: exactly one dimension above 1.
    pub fn has_class_scores(&self) -> bool {
        has_class_shape(&self.shape)
    }
}

/// The beginning of the note on output `name` of a file that a reader leaves out; its reason follows.
pub fn ignored_output(name: &str) -> String {
    format!("Output '{name}' is ignored. ")
}

/// Whether `shape` is that of class scores: exactly one dimension above 1.
pub(super) fn has_class_shape(shape: &[usize]) -> bool {
    shape.iter().filter(|&&side| side > 1).count() == 1
}

impl Network {
    /// The outputs in the order of the file.
    pub fn outputs(&self) -> Vec<NetworkOutput> {
        let flat = |id: NodeId| matches!(self.nodes[id].op, Op::Reshape) && self.nodes[id].shape.len() == 1;
        let output = &self.nodes[self.output];
        let joined = matches!(output.op, Op::Concat { axis: 0 }) && output.inputs.iter().all(|&input| flat(input));
        let ids = if joined { output.inputs.clone() } else { vec![self.output] };
        let mut start = 0;
        let to_output = |id: NodeId| {
            // The name is that of the flattened node, the shape that of its input.
            let unflattened = if flat(id) { self.nodes[id].inputs[0] } else { id };
            let range = start..start + self.nodes[id].len();
            start = range.end;
            let (name, shape) = (self.nodes[id].name.clone(), self.nodes[unflattened].shape.clone());
            NetworkOutput { name, shape, range, end: self.final_function(unflattened), node: unflattened, flat: id }
        };
        ids.into_iter().map(to_output).collect()
    }

    /// Whether [`predicted_class`] applies to the output: one output with the shape of class scores, or a single value
    /// behind a sigmoid.
    pub fn is_classifier(&self) -> bool {
        match self.outputs().as_slice() {
            [one] if one.range.len() == 1 => one.end == Some(OutputFunction::Sigmoid),
            // Values of several softmaxes in one row: the largest is not that of the values before them.
            [one] => {
                let source = &self.nodes[self.last_layer()].op;
                one.has_class_scores() && (one.end.is_some() || OutputFunction::of(source).is_none())
            }
            _ => false,
        }
    }

    /// Number of classes that [`predicted_class`] tells apart: one per output value, two for a single value.
    pub fn class_count(&self) -> usize {
        if self.classes() == 1 { 2 } else { self.classes() }
    }

    /// The softmax or sigmoid whose values node `id` has, perhaps moved.
    fn final_function(&self, id: NodeId) -> Option<OutputFunction> {
        let (source, was_turned) = self.before_moves(id);
        let source = &self.nodes[source];
        let without_ones = |shape: &[usize]| shape.iter().copied().filter(|&side| side > 1).collect::<Vec<_>>();
        match OutputFunction::of(&source.op)? {
            OutputFunction::Sigmoid => Some(OutputFunction::Sigmoid),
            // A softmax belongs to its rows, which must still be the rows.
            softmax => {
                let has_same_rows = without_ones(&source.shape) == without_ones(&self.nodes[id].shape);
                (has_same_rows && !was_turned).then_some(softmax)
            }
        }
    }

    /// The node whose values `id` has in another shape or order (`id` itself unless it moves them), and whether the order
    /// may differ.
    pub(super) fn before_moves(&self, mut id: NodeId) -> (NodeId, bool) {
        let mut was_turned = false;
        while let (Op::Reshape | Op::Transpose { .. }, &[input]) =
            (&self.nodes[id].op, self.nodes[id].inputs.as_slice())
        {
            // With one dimension above 1, every order is the same.
            was_turned |= matches!(self.nodes[id].op, Op::Transpose { .. }) && !has_class_shape(&self.nodes[id].shape);
            id = input;
        }
        (id, was_turned)
    }

    /// The node that computes the output's values, behind which they only move.
    pub fn last_layer(&self) -> NodeId {
        self.before_moves(self.output).0
    }

    /// Softmax and sigmoid nodes at the end of an output, which a readout may omit. Behind them values only move, and
    /// several outputs are joined.
    pub fn output_functions(&self) -> Vec<NodeId> {
        let joins = matches!(self.nodes[self.output].op, Op::Concat { axis: 0 });
        let mut at_end = vec![false; self.nodes.len()];
        for id in (0..self.nodes.len()).rev() {
            let is_flat = matches!(self.nodes[id].op, Op::Reshape);
            let moves = |reader: NodeId| match self.nodes[reader].op {
                Op::Reshape | Op::Transpose { .. } => at_end[reader],
                _ => joins && reader == self.output && is_flat,
            };
            let mut readers = (id + 1..self.nodes.len()).filter(|&r| self.nodes[r].inputs.contains(&id)).peekable();
            at_end[id] = id == self.output || (readers.peek().is_some() && readers.all(moves));
        }
        (0..self.nodes.len()).filter(|&id| at_end[id] && OutputFunction::of(&self.nodes[id].op).is_some()).collect()
    }

    /// The first softmax or sigmoid that is not at the end of an output; spiking neurons cannot compute it.
    pub fn inner_output_function(&self) -> Option<&Node> {
        let ends = self.output_functions();
        let is_inner = |(id, node): &(usize, &Node)| OutputFunction::of(&node.op).is_some() && !ends.contains(id);
        self.nodes.iter().enumerate().find(is_inner).map(|(_, node)| node)
    }
}

/// The class that class scores predict: the largest of several, the first of equals. A single value is the score of
/// class 1 against 0, from before its sigmoid: class 1 if it is above 0, where the sigmoid is above one half.
pub fn predicted_class(scores: &[f32]) -> usize {
    match scores {
        [score] => usize::from(*score > 0.0),
        _ => argmax(scores),
    }
}

/// Index of the largest value; the first of equal ones, 0 for an empty slice.
pub fn argmax(values: &[f32]) -> usize {
    let mut best = 0;
    for (i, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = i;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, op: Op, inputs: &[NodeId], shape: &[usize]) -> Node {
        Node { name: name.into(), op, inputs: inputs.to_vec(), shape: shape.to_vec() }
    }

    #[test]
    fn joined_outputs_are_split_again() {
        let nodes = vec![
            node("x", Op::Input, &[], &[2, 2]),
            node("soft", Op::Softmax { log: false }, &[0], &[2, 2]),
            node("scores", Op::Reshape, &[1], &[4]),
            node("boxes", Op::Reshape, &[0], &[4]),
            node("outputs", Op::Concat { axis: 0 }, &[2, 3], &[8]),
        ];
        let mut network =
            Network { name: "n".into(), nodes, output: 4, scaling: None, class_names: vec![], neurons: None };
        let outputs = network.outputs();
        assert_eq!(outputs[0].end, Some(OutputFunction::Softmax { log: false }));
        assert_eq!(
            (outputs[1].name.as_str(), &outputs[1].shape, outputs[1].range.clone()),
            ("boxes", &vec![2, 2], 4..8)
        );
        assert!(network.output_functions() == [1] && network.inner_output_function().is_none());
        // A softmax with another consumer is not at the end.
        network.nodes[3].inputs = vec![1];
        network.nodes.insert(2, node("mean", Op::Mean { axes: vec![1] }, &[1], &[2]));
        network.output = 2;
        assert_eq!(network.inner_output_function().unwrap().name, "soft");
    }

    #[test]
    fn reshapes_may_follow_an_output_function_and_layers_may_not() {
        let network = |nodes: Vec<Node>| Network {
            name: "n".into(),
            output: nodes.len() - 1,
            nodes,
            scaling: None,
            class_names: vec![],
            neurons: None,
        };
        let squeezed = network(vec![
            node("x", Op::Input, &[], &[1]),
            node("s", Op::Sigmoid, &[0], &[1]),
            node("squeeze", Op::Reshape, &[1], &[]),
            node("y", Op::Reshape, &[2], &[1]),
        ]);
        assert_eq!((squeezed.output_functions(), squeezed.is_classifier()), (vec![1], true));
        let rows = network(vec![
            node("x", Op::Input, &[], &[2, 2]),
            node("soft", Op::Softmax { log: false }, &[0], &[2, 2]),
            node("y", Op::Reshape, &[1], &[1, 4]),
            node("flat", Op::Reshape, &[2], &[4]),
        ]);
        assert_eq!((rows.output_functions(), rows.outputs()[0].end), (vec![1], None), "no softmax of four");
        assert!(!rows.is_classifier());
        let mean = network(vec![
            node("x", Op::Input, &[], &[2, 2]),
            node("soft", Op::Softmax { log: false }, &[0], &[2, 2]),
            node("mean", Op::Mean { axes: vec![1] }, &[1], &[2]),
        ]);
        assert_eq!(
            mean.inner_output_function().map(|node| node.name.as_str()),
            Some("soft"),
            "the last node is a layer"
        );
    }

    #[test]
    fn a_single_value_tells_two_classes_apart_at_zero() {
        assert_eq!([-0.1, 0.0, 0.1, f32::NAN].map(|score| predicted_class(&[score])), [0, 0, 1, 0]);
        assert_eq!((predicted_class(&[1.0, 3.0, 3.0]), predicted_class(&[])), (1, 0));
        let nodes = vec![node("x", Op::Input, &[], &[1]), node("s", Op::Sigmoid, &[0], &[1])];
        let mut network =
            Network { name: "n".into(), nodes, output: 1, scaling: None, class_names: vec![], neurons: None };
        assert_eq!((network.is_classifier(), network.classes(), network.class_count()), (true, 1, 2));
        network.output = 0;
        assert!(!network.is_classifier(), "a bare value may be anything");
    }

    #[test]
    fn output_functions_apply_over_the_last_dimension() {
        let mut values = [0.0, 0.0, 1.0, 1.0];
        OutputFunction::Softmax { log: false }.apply(&mut values, 2);
        assert_eq!(values, [0.5; 4]);
        OutputFunction::Sigmoid.apply(&mut values[..1], 1);
        assert!((values[0] - 0.622_459).abs() < 1e-6);
    }
}
