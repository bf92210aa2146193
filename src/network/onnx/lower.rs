//! Lowering: converts ONNX nodes to the project's graph, one node at a time.
//!
//! Intermediate values are constants, layers, or elementwise functions of a layer that are not matched yet.

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use super::constant::Constant;
use super::elementwise::expression::Expression;
use super::proto::{GraphProto, NodeProto};
use super::{constant_folding, node_names};
use crate::network::shape_inference::infer_shape;
use crate::network::{Node, NodeId, Op};
use crate::{Error, Result};

/// The value of a name of the file.
#[derive(Clone)]
pub(super) enum LoweredValue {
    Constant(Rc<Constant>),
    /// A node of the project's graph, whose shape is that of one sample.
    Layer(NodeId),
    /// An elementwise function `f` of node `root`, with the name of its first operation.
    Function {
        root: NodeId,
        f: Rc<Expression>,
        name: String,
    },
}

/// State of the conversion of one graph.
pub(super) struct Lowering<'a> {
    pub path: &'a Path,
    pub nodes: Vec<Node>,
    /// The batch size of the file; 1 if it is dynamic.
    pub batch: usize,
    /// The operator set version of the file.
    pub opset: i64,
    pub values: HashMap<String, LoweredValue>,
    /// Nodes of functions that are already matched, by value name.
    pub recognized: HashMap<String, NodeId>,
    /// The same by layer and function: a function that two nodes read is one layer.
    pub functions: Vec<(NodeId, Expression, NodeId)>,
    pub outputs: Vec<String>,
}

impl<'a> Lowering<'a> {
    /// Reads the constants and the input of `graph`.
    ///
    /// # Errors
    /// [`Error::File`] unless the graph has one input of fixed sample size and at least one output.
    pub fn new(graph: &GraphProto, opset: i64, path: &'a Path) -> Result<Self> {
        let mut values = HashMap::new();
        for tensor in &graph.initializer {
            values.insert(tensor.name.clone(), LoweredValue::Constant(Rc::new(Constant::read(tensor, path)?)));
        }
        let inputs: Vec<_> = graph.input.iter().filter(|input| !values.contains_key(&input.name)).collect();
        let [input] = inputs[..] else {
            let names: Vec<_> = inputs.iter().map(|i| format!("'{}'", i.name)).collect();
            let reason = format!(
                "the network has {} inputs ({}); networks with one input are supported",
                inputs.len(),
                names.join(", ")
            );
            return Err(Error::file(path, "the inputs", reason));
        };
        let outputs: Vec<String> = graph.output.iter().map(|output| output.name.clone()).collect();
        if outputs.is_empty() {
            return Err(Error::file(path, "the outputs", "the network has no output"));
        }
        let place = || format!("input '{}'", input.name);
        let shape = input.r#type.as_ref().and_then(|t| t.tensor_type.as_ref()).and_then(|t| t.shape.as_ref());
        let dims: Vec<Option<i64>> =
            shape.map(|s| s.dim.iter().map(|d| d.dim_value.filter(|&v| v > 0)).collect()).unwrap_or_default();
        let Some((batch, sample)) = dims.split_first() else {
            return Err(Error::file(path, place(), "its shape is missing. Export with an example input."));
        };
        let sample: Option<Vec<usize>> = sample.iter().map(|d| d.and_then(|d| usize::try_from(d).ok())).collect();
        let Some(sample) = sample.filter(|s| matches!(s.len(), 1 | 3)) else {
            let known: Vec<String> = dims.iter().map(|d| d.map_or("?".into(), |d| d.to_string())).collect();
            let reason =
                format!("its shape is {}; images NxCxHxW and vectors NxF of fixed size are supported", known.join("x"));
            return Err(Error::file(path, place(), reason));
        };
        let is_channels_last = channels_last(&sample, graph);
        let shape = if is_channels_last { vec![sample[2], sample[0], sample[1]] } else { sample };
        let node = Node { name: input.name.clone(), op: Op::Input, inputs: Vec::new(), shape };
        infer_shape(&node.op, &[], &node.shape).map_err(|reason| Error::file(path, place(), reason))?;
        values.insert(input.name.clone(), LoweredValue::Layer(0));
        let batch = batch.and_then(|b| usize::try_from(b).ok()).unwrap_or(1);
        let mut lowering = Self { path, nodes: vec![node], batch, opset, values, recognized: HashMap::new(), functions: Vec::new(), outputs };
        if is_channels_last {
            // Samples are channels-first; a transpose restores the layout of the file.
            let place = NodeProto { name: input.name.clone(), op_type: "input".into(), ..NodeProto::default() };
            let transposed = lowering.with_layout(&place, format!("{}.channels_last", input.name), 0, vec![1, 2, 0])?;
            lowering.values.insert(input.name.clone(), LoweredValue::Layer(transposed));
        }
        Ok(lowering)
    }

    /// Lowers one node, whose inputs are already lowered.
    ///
    /// # Errors
    /// [`Error::File`] with the node, for unsupported operations and shapes that do not match.
    pub fn node(&mut self, node: &NodeProto) -> Result<()> {
        if !matches!(node.domain.as_str(), "" | "ai.onnx") {
            return Err(self.node_error(node, format!("operations of domain '{}' are not supported", node.domain)));
        }
        if node.op_type == "Constant" {
            let constant = self.constant(node)?;
            return self.bind(node, LoweredValue::Constant(Rc::new(constant)));
        }
        if let Some(constant) = self.folded(node)? {
            return self.bind(node, LoweredValue::Constant(Rc::new(constant)));
        }
        if node.op_type == "Split" {
            return self.split(node);
        }
        let value = match self.elementwise(node)? {
            Some(value) => value,
            None => self.layer(node)?,
        };
        self.bind(node, value)
    }

    /// Stores `value` under the name of the node's first output.
    fn bind(&mut self, node: &NodeProto, value: LoweredValue) -> Result<()> {
        let Some(output) = node.output.first() else {
            return Err(self.node_error(node, "has no output"));
        };
        self.values.insert(output.clone(), value);
        Ok(())
    }

    fn constant(&self, node: &NodeProto) -> Result<Constant> {
        use super::constant::Numbers;
        if let Some(tensor) = node.tensor("value") {
            return Constant::read(tensor, self.path);
        }
        if node.has("value_float") {
            return Ok(Constant { dims: vec![], numbers: Numbers::Float(vec![node.float("value_float", 0.0)]) });
        }
        if node.has("value_int") {
            return Ok(Constant { dims: vec![], numbers: Numbers::Int(vec![node.int("value_int", 0)]) });
        }
        if let Some(values) = node.floats("value_floats").filter(|v| !v.is_empty()) {
            return Ok(Constant { dims: vec![values.len()], numbers: Numbers::Float(values.to_vec()) });
        }
        match node.ints("value_ints") {
            Some(values) => Ok(Constant::ints(values.to_vec())),
            None => Err(self.node_error(node, "a constant without numbers")),
        }
    }

    /// The node's value as a constant, if all inputs are constant or the node is a `Shape`.
    fn folded(&mut self, node: &NodeProto) -> Result<Option<Constant>> {
        if node.op_type == "Shape" {
            let dims = match self.value(node, 0)? {
                LoweredValue::Constant(constant) => constant.dims.clone(),
                LoweredValue::Layer(id) | LoweredValue::Function { root: id, .. } => self.full_shape(id),
            };
            let all = Constant::ints(dims.iter().map(|&d| d as i64).collect());
            let rank = dims.len() as i64;
            let clamp = |i: i64| (if i < 0 { i.saturating_add(rank) } else { i }).clamp(0, rank) as usize;
            let (start, end) = (clamp(node.int("start", 0)), clamp(node.int("end", rank)));
            let selected = all.as_ints().and_then(|v| v.get(start..end).map(<[i64]>::to_vec));
            return Ok(Some(Constant::ints(selected.unwrap_or_default())));
        }
        let mut constants = Vec::new();
        for name in &node.input {
            match self.values.get(name) {
                Some(LoweredValue::Constant(constant)) => constants.push(Some(constant.clone())),
                None if name.is_empty() => constants.push(None),
                _ => return Ok(None),
            }
        }
        let constants: Vec<Option<&Constant>> = constants.iter().map(|c| c.as_deref()).collect();
        constant_folding::fold(node, &constants).map_err(|reason| self.node_error(node, reason))
    }

    /// The shape of a layer's value with the batch dimension first.
    pub fn full_shape(&self, id: NodeId) -> Vec<usize> {
        std::iter::once(self.batch).chain(self.nodes[id].shape.iter().copied()).collect()
    }

    /// Input `k` of `node`.
    pub fn value(&self, node: &NodeProto, k: usize) -> Result<LoweredValue> {
        let name = node.input.get(k).filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| self.node_error(node, format!("input {k} is missing")))?;
        self.values
            .get(name)
            .cloned()
            .ok_or_else(|| self.node_error(node, format!("reads '{name}', which no node produces")))
    }

    /// Input `k` of `node` as a constant; `None` when absent or not constant.
    pub fn constant_input(&self, node: &NodeProto, k: usize) -> Option<Rc<Constant>> {
        match self.values.get(node.input.get(k)?) {
            Some(LoweredValue::Constant(constant)) => Some(constant.clone()),
            _ => None,
        }
    }

    /// The integers of constant input `k`, or of attribute `name` in older operator sets.
    pub fn ints_of(&self, node: &NodeProto, k: usize, name: &str) -> Option<Vec<i64>> {
        let input = self.constant_input(node, k).and_then(|c| c.as_ints());
        input.or_else(|| node.ints(name).map(<[i64]>::to_vec))
    }

    /// Input `k` of `node` as a layer; a pending function is matched now.
    pub fn layer_input(&mut self, node: &NodeProto, k: usize) -> Result<NodeId> {
        match self.value(node, k)? {
            LoweredValue::Layer(id) => Ok(id),
            LoweredValue::Function { root, f, name } => self.recognize(&node.input[k], root, &f, &name),
            LoweredValue::Constant(_) => {
                Err(self.node_error(node, format!("input {k} is a constant where a layer is expected")))
            }
        }
    }

    /// Adds a node to the graph. Its shape is inferred; for reshapes and means it is `stated`.
    pub fn push(
        &mut self,
        node: &NodeProto,
        name: String,
        op: Op,
        inputs: Vec<NodeId>,
        stated: &[usize],
    ) -> Result<NodeId> {
        let shapes: Vec<&[usize]> = inputs.iter().map(|&input| self.nodes[input].shape.as_slice()).collect();
        let shape = infer_shape(&op, &shapes, stated).map_err(|reason| self.node_error(node, reason))?;
        let name = self.unique(name);
        self.nodes.push(Node { name, op, inputs, shape });
        Ok(self.nodes.len() - 1)
    }

    /// `name`, with a number if a node already has this name.
    pub fn unique(&self, name: String) -> String {
        let name = if name.is_empty() { "layer".to_owned() } else { name };
        let taken = |name: &str| self.nodes.iter().any(|node| node.name == name);
        if !taken(&name) {
            return name;
        }
        (2..).map(|k| format!("{name}.{k}")).find(|name| !taken(name)).unwrap_or(name)
    }

    /// An error about `node`.
    pub fn node_error(&self, node: &NodeProto, reason: impl Into<String>) -> Error {
        let name =
            if node.name.is_empty() { node.output.first().cloned().unwrap_or_default() } else { node.name.clone() };
        Error::file(self.path, format!("node '{name}' ({})", node.op_type), reason)
    }

    /// The name of the layer `node`, whose weights are input `weight`.
    pub fn layer_name(&self, node: &NodeProto, weight: usize) -> String {
        node_names::of_layer(node, node.input.get(weight).map(String::as_str))
    }
}

/// Whether the input images are `[H, W, C]`: few channels in the last dimension, and a transpose to channels-first.
fn channels_last(sample: &[usize], graph: &GraphProto) -> bool {
    let few = |n: usize| matches!(n, 1 | 3 | 4);
    let has_transpose = || {
        let mut perms = graph.node.iter().filter(|n| n.op_type == "Transpose").filter_map(|n| n.ints("perm"));
        perms.any(|perm| perm == [0, 3, 1, 2])
    };
    matches!(*sample, [h, _, c] if few(c) && !few(h)) && has_transpose()
}
