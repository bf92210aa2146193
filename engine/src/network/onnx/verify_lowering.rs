//! Verification of a lowered graph: random samples of its values against the interpreter of the raw graph.
//!
//! Values of earlier layers are assumed, the same on both sides, so that the cost does not depend on the depth: every layer
//! is compared by itself, on a few of its values. What is not recognized exactly can so never pass in silence.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::interpreter::Interpreter;
use super::lower::{LoweredValue, Lowering};
use super::proto::GraphProto;
use crate::network::node_elements::{Element, element};
use crate::network::{Node, NodeId, Op};
use crate::{Error, Result};

/// Ranges of the assumed values: bends of an activation lie in one of them.
const RANGES: [f64; 4] = [1.0, 20.0, 0.05, 400.0];
/// A value with more inputs than this is compared at two places only.
const MANY_INPUTS: usize = 256;
/// Integers of the input are below this, so that every type holds them.
const LARGEST_INTEGER: f64 = 128.0;
/// A difference above this fraction of the summed terms is more than rounding.
const ROUNDING: f64 = 3e-5;

/// A lowered graph beside its raw one.
pub(super) struct Lowered<'a> {
    pub nodes: &'a [Node],
    pub values: &'a HashMap<String, LoweredValue>,
    /// Nodes of elementwise functions, by value name.
    pub recognized: &'a HashMap<String, NodeId>,
    /// The name of the graph's input, and whether it takes integers.
    pub input: &'a str,
    pub takes_integers: bool,
    pub batch: usize,
}

/// A raw value to compare: its name, the raw node that produces it, and the lowered node that stands for it.
struct Target<'a> {
    value: &'a str,
    place: String,
    node: NodeId,
    base: NodeId,
}

/// What a comparison takes from those before it.
struct Known<'a> {
    /// Nodes whose values are assumed.
    frontier: HashSet<NodeId>,
    /// Raw values that were found equal to their nodes.
    equal: &'a HashSet<&'a str>,
}

/// The values of an earlier raw value: assumed ones, or those of a node that was found equal to it. So a long chain of nodes
/// that pass their input on is not followed to its start for each of them.
#[derive(Clone, Copy)]
enum GivenAs {
    Assumed(NodeId),
    Lowered(NodeId),
}

impl Lowering<'_> {
    /// Compares the lowered graph with the raw one. The result is a sentence about nodes that could not be compared.
    ///
    /// # Errors
    /// [`Error::File`] at the first node whose value differs.
    pub fn verify(&self, graph: &GraphProto, order: &[usize]) -> Result<Option<String>> {
        let is_constant = |name: &String| matches!(self.values.get(name), Some(LoweredValue::Constant(_)));
        let Some(input) = graph.input.iter().find(|input| !is_constant(&input.name)) else { return Ok(None) };
        let Some(LoweredValue::Layer(id)) = self.values.get(&input.name) else { return Ok(None) };
        let external = |name: &str| match self.values.get(name) {
            Some(LoweredValue::Constant(constant)) => Some(constant.floats()),
            _ => None,
        };
        let interpreter = Interpreter::new(graph, order, self.opset, self.path, &self.full_shape(*id), &external);
        let lowered = Lowered {
            nodes: &self.nodes,
            values: &self.values,
            recognized: &self.recognized,
            input: &input.name,
            takes_integers: self.integers.contains(&0),
            batch: self.batch,
        };
        let nodes = order.iter().map(|&index| &graph.node[index]);
        let produced: Vec<(&str, String)> = nodes
            .flat_map(|node| {
                let name = if node.name.is_empty() { node.output.first() } else { Some(&node.name) };
                let place = format!("node '{}' ({})", name.map_or("", String::as_str), node.op_type);
                node.output.iter().map(move |output| (output.as_str(), place.clone()))
            })
            .collect();
        lowered.verify(&produced, &interpreter, self.path)
    }
}

impl Lowered<'_> {
    /// Compares every raw value that became a layer. `produced` are the outputs of the raw nodes in topological order, with
    /// the place of each in errors. The result is a sentence about nodes that could not be compared, if there are any.
    ///
    /// # Errors
    /// [`Error::File`] at the first node whose value differs.
    pub fn verify(
        &self,
        produced: &[(&str, String)],
        interpreter: &Interpreter,
        path: &Path,
    ) -> Result<Option<String>> {
        let mut bases: HashSet<NodeId> = HashSet::from([0]);
        let mut not_compared = Vec::new();
        let mut equal: HashSet<&str> = HashSet::new();
        for &(value, ref place) in produced {
            let Some(node) = self.node_of(value) else { continue };
            let target = Target { value, place: place.clone(), node, base: self.base(node) };
            match self.compare(&target, &bases, &equal, interpreter) {
                Ok(None) => {
                    equal.insert(value);
                }
                Ok(Some(difference)) => return Err(Error::file(path, target.place, difference)),
                Err(reason) => not_compared.push(format!("{place}: {reason}")),
            }
            bases.insert(target.base);
        }
        let first = not_compared.first().map(|first| {
            format!(
                "{} of {} nodes could not be compared with the ONNX standard while opening; the first is {first}",
                not_compared.len(),
                produced.len()
            )
        });
        Ok(first)
    }

    /// The lowered node of a raw value, if it became one.
    fn node_of(&self, value: &str) -> Option<NodeId> {
        match self.values.get(value)? {
            LoweredValue::Layer(id) => Some(*id),
            LoweredValue::Function { .. } => self.recognized.get(value).copied(),
            LoweredValue::Constant(_) => None,
        }
    }

    /// The node whose values `node` only reorders.
    fn base(&self, mut node: NodeId) -> NodeId {
        while matches!(self.nodes[node].op, Op::Reshape | Op::Transpose { .. }) {
            node = self.nodes[node].inputs[0];
        }
        node
    }

    /// The base of `node` and its flat index of value `index` of `node`.
    fn source(&self, node: NodeId, index: usize) -> (NodeId, usize) {
        let mut at = (node, index);
        while matches!(self.nodes[at.0].op, Op::Reshape | Op::Transpose { .. }) {
            let (node, input) = (&self.nodes[at.0], self.nodes[at.0].inputs[0]);
            let mut from = 0;
            element(node, &[&self.nodes[input].shape], at.1, &mut |_, i| {
                from = i;
                Element::default()
            });
            at = (input, from);
        }
        at
    }

    /// The bases from which the value of `base` is computed, each of a raw value before it.
    fn frontier(&self, base: NodeId, bases: &HashSet<NodeId>) -> HashSet<NodeId> {
        let (mut found, mut seen) = (HashSet::new(), HashSet::new());
        let mut open: Vec<NodeId> = if base == 0 { vec![0] } else { self.nodes[base].inputs.clone() };
        while let Some(node) = open.pop() {
            let node = self.base(node);
            if node == 0 || (node != base && bases.contains(&node)) {
                found.insert(node);
            } else if seen.insert(node) {
                open.extend(&self.nodes[node].inputs);
            }
        }
        found
    }

    /// Compares some values; a difference is a sentence, and `Err` the reason why nothing can be compared.
    fn compare(
        &self,
        target: &Target,
        bases: &HashSet<NodeId>,
        equal: &HashSet<&str>,
        interpreter: &Interpreter,
    ) -> std::result::Result<Option<String>, String> {
        let len = self.nodes[target.node].len();
        let shape = interpreter.shape(target.value).map_err(|unknown| unknown.to_string())?;
        if shape.iter().product::<usize>() != len * self.batch {
            return Ok(Some(format!(
                "its shape is {}, but was read as {} values per sample: this network would be converted wrongly. Please report it",
                crate::error::format_shape(shape),
                len
            )));
        }
        let frontier = self.frontier(target.base, bases);
        let known = Known { frontier, equal };
        let (ranges, count) = self.samples(target.base, &known.frontier);
        let mut random = Random(target.base as u64 ^ 0x9e37_79b9_7f4a_7c15);
        for range in ranges {
            let indices: Vec<usize> =
                (0..count).map(|_| (random.next() % (len * self.batch) as u64) as usize).collect();
            let assumed = Assumed { seed: random.next(), range, nudge: 1.0, takes_integers: self.takes_integers };
            let differences = self.differences(target, &known, interpreter, &indices, &assumed)?;
            let Some((at, ours, due)) = differences.first().copied() else { continue };
            // A step of the function within rounding of this input: inputs beside it decide.
            let nudged = |nudge| {
                let assumed = Assumed { nudge, ..assumed };
                self.differences(target, &known, interpreter, &[at], &assumed).map(|found| !found.is_empty())
            };
            if nudged(1.0 + 1e-4)? && nudged(1.0 - 1e-4)? {
                return Ok(Some(format!(
                    "it was read as a layer that gives {ours:.6} where the ONNX standard means {due:.6}: this network would be \
                     converted wrongly. Please report it"
                )));
            }
        }
        Ok(None)
    }

    /// The ranges of assumed values and the number of values compared in each.
    fn samples(&self, base: NodeId, frontier: &HashSet<NodeId>) -> (Vec<f64>, usize) {
        let mut ranges = RANGES.to_vec();
        let (mut inputs, mut open, mut seen) = (1usize, vec![base], HashSet::new());
        let mut activations = 0;
        while let Some(id) = open.pop() {
            if (frontier.contains(&id) && id != base) || !seen.insert(id) {
                continue;
            }
            let node = &self.nodes[id];
            if let Op::Activation(activation) = &node.op {
                activations += 1;
                ranges.extend(activation.lambda().map(|lambda| 1.5 * f64::from(lambda)));
            }
            if let (Op::Affine { shift, .. }, true) = (&node.op, activations > 0) {
                ranges.extend(shift.first().map(|shift| 2.0 * f64::from(shift.abs())).filter(|range| *range > 0.0));
            }
            inputs = inputs.saturating_mul(match &node.op {
                Op::Conv2d { weight, .. } | Op::ConvTranspose2d { weight, .. } | Op::Linear { weight, .. } => {
                    weight.data.len() / weight.shape[0].max(1)
                }
                Op::MaxPool2d { kernel, .. } | Op::AvgPool2d { kernel, .. } => kernel[0] * kernel[1],
                Op::Mean { .. } | Op::Softmax { .. } => 64,
                _ => 1,
            });
            open.extend(&node.inputs);
        }
        // An activation has bends to be met; any other layer is the same in every range, and one with many inputs shows a
        // wrong weight or place in a single value.
        match (activations > 0, inputs < MANY_INPUTS) {
            (true, true) => (with_zero(ranges), 6),
            (true, false) => (with_zero(ranges), 2),
            (false, true) => (vec![1.0], 6),
            (false, false) => (vec![1.0], 2),
        }
    }

    /// Those of `indices` (batch first) at which the values differ by more than rounding, with the lowered and the raw value.
    fn differences(
        &self,
        target: &Target,
        known: &Known,
        interpreter: &Interpreter,
        indices: &[usize],
        assumed: &Assumed,
    ) -> std::result::Result<Vec<(usize, f64, f64)>, String> {
        let frontier = &known.frontier;
        let given_as = |name: &str| -> Option<GivenAs> {
            let node = self.node_of(name)?;
            let base = self.base(node);
            if name == self.input || (base != target.base && frontier.contains(&base)) {
                return Some(GivenAs::Assumed(node));
            }
            (base == target.base && known.equal.contains(name)).then_some(GivenAs::Lowered(node))
        };
        // Elements of one value are asked for one after another.
        let recent: RefCell<(String, Option<GivenAs>)> = RefCell::default();
        let given = |name: &str, index: usize| -> Option<f32> {
            if recent.borrow().0 != name {
                *recent.borrow_mut() = (name.to_owned(), given_as(name));
            }
            let given_as = recent.borrow().1?;
            let (GivenAs::Assumed(node) | GivenAs::Lowered(node)) = given_as;
            let len = self.nodes[node].len();
            let (base, at) = self.source(node, index % len);
            Some(match given_as {
                GivenAs::Assumed(_) => assumed.value(base, index / len * self.nodes[base].len() + at),
                GivenAs::Lowered(_) => self.lowered(base, at, index / len, frontier, assumed, true).value as f32,
            })
        };
        let raw = interpreter.elements(target.value, indices, &given).map_err(|unknown| unknown.to_string())?;
        let len = self.nodes[target.node].len();
        let compared = indices.iter().zip(raw).map(|(&index, due)| {
            let (base, at) = self.source(target.node, index % len);
            let ours = self.lowered(base, at, index / len, frontier, assumed, true);
            let close = (ours.value - due).abs() <= ROUNDING * ours.magnitude + 1e-6 * due.abs() + 1e-30;
            (!(close || ours.value == due)).then_some((index, ours.value, due))
        });
        Ok(compared.flatten().collect())
    }

    /// Value `index` of node `id` in `sample`, from the assumed values of the frontier.
    fn lowered(
        &self,
        id: NodeId,
        index: usize,
        sample: usize,
        frontier: &HashSet<NodeId>,
        assumed: &Assumed,
        is_target: bool,
    ) -> Element {
        let node = &self.nodes[id];
        if id == 0 || (!is_target && frontier.contains(&id)) {
            return Element::given(f64::from(assumed.value(id, sample * node.len() + index)));
        }
        let shapes: Vec<&[usize]> = node.inputs.iter().map(|&input| self.nodes[input].shape.as_slice()).collect();
        element(node, &shapes, index, &mut |k, i| self.lowered(node.inputs[k], i, sample, frontier, assumed, false))
    }
}

/// `ranges`, and values that are all 0, as those of silent layers are.
fn with_zero(mut ranges: Vec<f64>) -> Vec<f64> {
    ranges.push(0.0);
    ranges
}

/// Assumed values: random numbers that depend on node and index alone.
#[derive(Clone, Copy)]
struct Assumed {
    seed: u64,
    /// Values are within ± this.
    range: f64,
    /// A factor near 1.
    nudge: f64,
    /// Whether the values of the input are whole numbers.
    takes_integers: bool,
}

impl Assumed {
    fn value(&self, node: NodeId, index: usize) -> f32 {
        let mut random = Random(self.seed ^ (node as u64) << 40 ^ index as u64);
        random.next();
        let unit = (random.next() >> 11) as f64 / (1u64 << 53) as f64;
        if node == 0 && self.takes_integers {
            return (unit * LARGEST_INTEGER).floor() as f32;
        }
        ((2.0 * unit - 1.0) * self.range * self.nudge) as f32
    }
}

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
