//! Lowering: converts ONNX nodes to the project's graph, one node at a time.
//!
//! Intermediate values are constants, layers, or elementwise functions of a layer that are not matched yet.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::rc::Rc;

use super::constant::{Constant, Numbers};
use super::expression::Expression;
use super::folding::{Budget, Folding};
use super::functions::is_standard;
use super::operators::refusals::{self, Neighbors};
use super::operators::table;
use super::proto::NodeProto;
use super::{node_names, shapes};
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
    /// The batch size of the file; 1 if it is open.
    pub batch: usize,
    /// Whether the file leaves the batch size open, so that nothing may combine samples.
    pub has_open_batch: bool,
    /// The operator set version of the file.
    pub opset: i64,
    pub values: HashMap<String, LoweredValue>,
    /// Nodes of functions that are already matched, by value name.
    pub recognized: HashMap<String, NodeId>,
    /// The same by layer and function: a function that two nodes read is one layer.
    pub functions: Vec<(NodeId, Expression, NodeId)>,
    pub outputs: Vec<String>,
    /// Why values cannot be read, by their names; only of networks with several outputs.
    pub failed: HashMap<String, Rc<Error>>,
    /// What is assumed or ignored, in sentences.
    pub notes: Vec<String>,
    /// Number of nodes and outputs that read each name.
    pub readers: HashMap<&'a str, usize>,
    /// Nodes whose shape is all of the dimensions in the file: the batch of 1 was squeezed or moved.
    pub unbatched: HashSet<NodeId>,
    /// Nodes with integers of the network's input, until they are cast to floats.
    pub integers: HashSet<NodeId>,
    pub budget: &'a Budget,
    pub neighbors: &'a Neighbors<'a>,
}

impl Lowering<'_> {
    /// Lowers one node, whose inputs are already lowered.
    ///
    /// # Errors
    /// [`Error::File`] with the node, for unsupported operations, attributes and shapes that do not match.
    pub fn node(&mut self, node: &NodeProto) -> Result<()> {
        if !is_standard(&node.domain) {
            return Err(self.node_error(node, refusals::of_domain(node)));
        }
        table::check(node).map_err(|reason| self.node_error(node, reason))?;
        match node.op_type.as_str() {
            "Constant" => {
                let constant = self.constant(node)?;
                return self.bind(node, LoweredValue::Constant(Rc::new(constant)));
            }
            "If" => return self.branch(node),
            _ => {}
        }
        if let Some(constants) = self.folded(node)? {
            for (name, constant) in node.output.iter().zip(constants) {
                self.values.insert(name.clone(), LoweredValue::Constant(Rc::new(constant)));
            }
            return Ok(());
        }
        if node.op_type == "Split" {
            return self.split(node);
        }
        self.check_outputs(node)?;
        self.check_integers(node)?;
        let is_scaled = node.op_type == "Mul" && (0..2).any(|k| self.constant_input(node, k).is_some());
        if let Some(name) = self.neighbors.activation(node).filter(|_| !is_scaled) {
            return Err(self.node_error(node, refusals::of_activation(name)));
        }
        let adapted = self.with_equal_shapes(node)?;
        let node = adapted.as_ref();
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
        if let Some(tensor) = node.tensor("value") {
            return Constant::read(tensor, self.path);
        }
        if node.has("value_float") {
            return Ok(Constant::of_scalar(Numbers::floats(vec![node.float("value_float", 0.0)])));
        }
        if node.has("value_int") {
            return Ok(Constant::of_scalar(Numbers::ints(vec![node.int("value_int", 0)])));
        }
        match (node.floats("value_floats"), node.ints("value_ints")) {
            (Some(values), _) => Ok(Constant { dims: vec![values.len()], numbers: Numbers::floats(values.to_vec()) }),
            (_, Some(values)) => Ok(Constant::ints(values.to_vec())),
            _ => Err(self.node_error(node, "a constant without numbers")),
        }
    }

    /// Lowers the branch of an `If` whose condition is constant.
    fn branch(&mut self, node: &NodeProto) -> Result<()> {
        let Some(condition) = self.constant_input(node, 0).and_then(|c| c.scalar()) else {
            return Err(self.node_error(node, refusals::of_layer(node)));
        };
        let name = if condition != 0.0 { "then_branch" } else { "else_branch" };
        let graph = node.graph(name).ok_or_else(|| self.node_error(node, format!("{name} is missing")))?;
        for tensor in &graph.initializer {
            let constant = Constant::read(tensor, self.path)?;
            self.values.insert(tensor.name.clone(), LoweredValue::Constant(Rc::new(constant)));
        }
        graph.node.iter().try_for_each(|inner| self.node(inner))?;
        for (outer, inner) in node.output.iter().zip(&graph.output) {
            let value = self.values.get(&inner.name).cloned();
            let value = value.ok_or_else(|| self.node_error(node, format!("no node produces '{}'", inner.name)))?;
            self.values.insert(outer.clone(), value);
        }
        Ok(())
    }

    /// The node's values as constants, if all inputs are constant or only their shape is read.
    fn folded(&mut self, node: &NodeProto) -> Result<Option<Vec<Constant>>> {
        if matches!(node.op_type.as_str(), "Shape" | "Size") {
            let dims = match self.value(node, 0)? {
                LoweredValue::Constant(constant) => constant.dims.clone(),
                LoweredValue::Layer(id) | LoweredValue::Function { root: id, .. } => self.full_shape(id),
            };
            if node.op_type == "Size" {
                let count = shapes::count(&dims).unwrap_or(usize::MAX) as i64;
                return Ok(Some(vec![Constant::of_scalar(Numbers::ints(vec![count]))]));
            }
            let rank = dims.len() as i64;
            let clamp = |i: i64| (if i < 0 { i.saturating_add(rank) } else { i }).clamp(0, rank) as usize;
            let (start, end) = (clamp(node.int("start", 0)), clamp(node.int("end", rank)));
            let selected = dims.get(start..end).unwrap_or_default();
            return Ok(Some(vec![Constant::ints(shapes::as_ints(selected))]));
        }
        let mut constants = Vec::new();
        for name in &node.input {
            match self.values.get(name) {
                Some(LoweredValue::Constant(constant)) => constants.push(Some(constant.clone())),
                None if name.is_empty() => constants.push(None),
                // `CastLike` reads only the type of a layer, which is that of this program.
                Some(_) if node.op_type == "CastLike" && constants.len() == 1 => {
                    let float = Constant::of_scalar(Numbers::floats(vec![0.0]));
                    constants.push(Some(Rc::new(float)));
                }
                _ => return Ok(None),
            }
        }
        let inputs: Vec<Option<&Constant>> = constants.iter().map(|c| c.as_deref()).collect();
        if inputs.iter().all(Option::is_none) {
            return Ok(None);
        }
        let folding = Folding { node, inputs: &inputs, path: self.path, budget: self.budget };
        match folding.fold().map_err(|reason| self.node_error(node, reason))? {
            Some(constants) => {
                self.check_outputs_from(node, constants.len())?;
                Ok(Some(constants))
            }
            None => Err(self.node_error(node, refusals::of_constants(&node.op_type))),
        }
    }

    /// Refuses a node of which more than the first output is used.
    fn check_outputs(&self, node: &NodeProto) -> Result<()> {
        self.check_outputs_from(node, 1)
    }

    fn check_outputs_from(&self, node: &NodeProto, understood: usize) -> Result<()> {
        let is_used = |name: &&String| self.readers.contains_key(name.as_str());
        match node.output.iter().skip(understood).find(is_used) {
            Some(name) => {
                let what = match node.op_type.as_str() {
                    "MaxPool" => "the indices of the maxima",
                    "Dropout" => "the mask",
                    "BatchNormalization" => "the running statistics",
                    _ => "an output beyond the first",
                };
                Err(self.node_error(
                    node,
                    format!("another node or output reads {what} ('{name}'), which is not supported"),
                ))
            }
            None => Ok(()),
        }
    }

    /// Refuses arithmetic on integers of the input, which would differ from that on floats.
    fn check_integers(&self, node: &NodeProto) -> Result<()> {
        let is_integer = |name: &String| match self.values.get(name) {
            Some(LoweredValue::Layer(id) | LoweredValue::Function { root: id, .. }) => self.integers.contains(id),
            _ => false,
        };
        let moves_only = [
            "Identity",
            "Cast",
            "CastLike",
            "Reshape",
            "Flatten",
            "Squeeze",
            "Unsqueeze",
            "Transpose",
            "Slice",
            "Gather",
            "Concat",
            "Expand",
            "Tile",
            "Pad",
            "DepthToSpace",
            "SpaceToDepth",
        ];
        match node.input.iter().any(is_integer) && !moves_only.contains(&node.op_type.as_str()) {
            true => Err(self.node_error(node, "computes with integers. Cast the input to floats first.")),
            false => Ok(()),
        }
    }

    /// The shape of a layer's value in the file: with the batch dimension first, unless that was squeezed or moved.
    pub fn full_shape(&self, id: NodeId) -> Vec<usize> {
        let batch = (!self.unbatched.contains(&id)).then_some(self.batch);
        batch.into_iter().chain(self.nodes[id].shape.iter().copied()).collect()
    }

    /// Whether dimensions may be moved in front of the batch: it is 1, in the file or because samples run one by one.
    pub fn may_move_batch(&self) -> bool {
        self.batch == 1
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

    /// The integers of input `k`, or of attribute `name` in older operator sets; `None` if both are absent.
    ///
    /// # Errors
    /// [`Error::File`] with the node if the input is no list of constant integers.
    pub fn ints_of(&self, node: &NodeProto, k: usize, name: &str) -> Result<Option<Vec<i64>>> {
        if node.input.get(k).is_none_or(String::is_empty) {
            return Ok(node.ints(name).map(<[i64]>::to_vec));
        }
        let ints = self.constant_input(node, k).and_then(|c| c.as_ints());
        let reason = || format!("its {name} ('{}') depend on the input. Export with fixed shapes.", node.input[k]);
        ints.map(Some).ok_or_else(|| self.node_error(node, reason()))
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

    /// Adds a node to the graph. Its shape is inferred; for reshapes and means it is `stated`. It has the batch dimension
    /// if one of its inputs has.
    pub fn push(
        &mut self,
        node: &NodeProto,
        name: String,
        op: Op,
        inputs: Vec<NodeId>,
        stated: &[usize],
    ) -> Result<NodeId> {
        // Neurons of one-dimensional convolutions keep the layout of images.
        if matches!(op, Op::Activation(_) | Op::Affine { .. } | Op::Add)
            && let Some((sources, shape)) = self.line_sources(&inputs)
        {
            let id = self.push(node, name.clone(), op, sources, stated)?;
            return self.push(node, format!("{name}.line"), Op::Reshape, vec![id], &shape);
        }
        let inferred: Vec<&[usize]> = inputs.iter().map(|&input| self.nodes[input].shape.as_slice()).collect();
        let shape = infer_shape(&op, &inferred, stated).map_err(|reason| self.node_error(node, reason))?;
        let name = self.unique(name);
        let id = self.nodes.len();
        if !inputs.is_empty() && inputs.iter().all(|input| self.unbatched.contains(input)) {
            self.unbatched.insert(id);
        }
        if inputs.iter().any(|input| self.integers.contains(input)) {
            self.integers.insert(id);
        }
        self.nodes.push(Node { name, op, inputs, shape });
        Ok(id)
    }

    /// If all of `ids` are images `[C, 1, L]` reshaped to `[C, L]`: those images, and that shape.
    fn line_sources(&self, ids: &[NodeId]) -> Option<(Vec<NodeId>, Vec<usize>)> {
        let source = |&id: &NodeId| {
            let node = &self.nodes[id];
            let source = *node.inputs.first()?;
            let is_line = matches!(node.op, Op::Reshape)
                && matches!(*node.shape.as_slice(), [c, l] if self.nodes[source].shape == [c, 1, l])
                && !self.unbatched.contains(&id)
                && !self.unbatched.contains(&source);
            is_line.then_some(source)
        };
        let sources = ids.iter().map(source).collect::<Option<Vec<_>>>()?;
        Some((sources, self.nodes[*ids.first()?].shape.clone()))
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

    /// Adds a sentence to the notes, once.
    pub fn note(&mut self, text: String) {
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
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
