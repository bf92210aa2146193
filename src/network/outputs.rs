//! Outputs of a network: their names, shapes, ranges and final functions (softmax, sigmoid).
//!
//! The network's output is one flat list of numbers. Here it is split into the outputs that the network's file names.

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
            NetworkOutput { name, shape, range, end: OutputFunction::of(&self.nodes[unflattened].op) }
        };
        ids.into_iter().map(to_output).collect()
    }

    /// Whether the largest output value is the predicted class: one output with exactly one dimension above 1.
    pub fn is_classifier(&self) -> bool {
        match self.outputs().as_slice() {
            [one] => one.shape.iter().filter(|&&side| side > 1).count() == 1,
            _ => false,
        }
    }

    /// Softmax and sigmoid nodes at the end of an output, which a readout may omit. Behind them values only move.
    pub fn output_functions(&self) -> Vec<NodeId> {
        let mut at_end = vec![true; self.nodes.len()];
        for id in (0..self.nodes.len()).rev() {
            let moves = |reader: NodeId| match self.nodes[reader].op {
                Op::Reshape | Op::Transpose { .. } => at_end[reader],
                Op::Concat { axis: 0 } => reader == self.output,
                _ => false,
            };
            let mut readers = (0..self.nodes.len()).filter(|&r| self.nodes[r].inputs.contains(&id)).peekable();
            at_end[id] = id == self.output || (readers.peek().is_some() && readers.all(moves));
        }
        (0..self.nodes.len()).filter(|&id| OutputFunction::of(&self.nodes[id].op).is_some() && at_end[id]).collect()
    }

    /// The first softmax or sigmoid that is not at the end of an output; spiking neurons cannot compute it.
    pub fn inner_output_function(&self) -> Option<&Node> {
        let ends = self.output_functions();
        let is_inner = |(id, node): &(usize, &Node)| OutputFunction::of(&node.op).is_some() && !ends.contains(id);
        self.nodes.iter().enumerate().find(is_inner).map(|(_, node)| node)
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
        let mut network = Network { name: "n".into(), nodes, output: 4, scaling: None, class_names: vec![] };
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
    fn output_functions_apply_over_the_last_dimension() {
        let mut values = [0.0, 0.0, 1.0, 1.0];
        OutputFunction::Softmax { log: false }.apply(&mut values, 2);
        assert_eq!(values, [0.5; 4]);
        OutputFunction::Sigmoid.apply(&mut values[..1], 1);
        assert!((values[0] - 0.622_459).abs() < 1e-6);
    }
}
