//! Builds the project's graph from the nodes of a NIR file, node type by node type.

use super::items::{FileNode, NodeReader};
use super::nested::IDENTITY;
use crate::Result;
use crate::error::format_shape;
use crate::network::left_open::TimeStep;
use crate::network::shape_inference::infer_shape;
use crate::network::{Node, NodeId, Op, Weights};

/// A graph under construction; nodes are added in topological order.
pub(super) struct GraphBuilder<'a> {
    pub(super) reader: &'a NodeReader<'a>,
    items: &'a [FileNode],
    /// For every node of the file, the nodes that read it.
    pub(super) consumers: Vec<Vec<usize>>,
    pub(super) time_step: Option<TimeStep>,
    pub(super) nodes: Vec<Node>,
    placed: Vec<Option<NodeId>>,
    output: Option<NodeId>,
    pub(super) notes: Vec<String>,
}

impl<'a> GraphBuilder<'a> {
    /// An empty graph of the file nodes `items`.
    pub(super) fn new(reader: &'a NodeReader<'a>, items: &'a [FileNode], time_step: Option<TimeStep>) -> Self {
        let mut consumers = vec![Vec::new(); items.len()];
        for (to, item) in items.iter().enumerate() {
            item.inputs.iter().for_each(|&from| consumers[from].push(to));
        }
        let placed = vec![None; items.len()];
        Self { reader, items, consumers, time_step, nodes: Vec::new(), placed, output: None, notes: Vec::new() }
    }

    pub(super) fn push(&mut self, name: &str, op: Op, inputs: Vec<NodeId>, stated: &[usize]) -> Result<NodeId> {
        let shapes: Vec<&[usize]> = inputs.iter().map(|&input| self.nodes[input].shape.as_slice()).collect();
        let shape = infer_shape(&op, &shapes, stated).map_err(|reason| self.reader.fail(name, reason))?;
        let mut name = name.to_owned();
        while self.nodes.iter().any(|node| node.name == name) {
            name.push('\'');
        }
        self.nodes.push(Node { name, op, inputs, shape });
        Ok(self.nodes.len() - 1)
    }

    /// Adds the input of the graph.
    ///
    /// # Errors
    /// [`crate::Error::File`] for several inputs, for one of an unsupported shape, and for a graph without one whose first
    /// node does not tell the shape.
    pub(super) fn add_input(&mut self) -> Result<()> {
        let (reader, items) = (self.reader, self.items);
        let mut inputs = items.iter().enumerate().filter(|(_, item)| item.kind == "Input");
        let first = inputs.next();
        if let Some((_, second)) = inputs.next() {
            return Err(reader.fail(&second.name, "is a second input; networks with one input are supported"));
        }
        let Some((index, item)) = first else { return self.add_missing_input() };
        if !item.inputs.is_empty() {
            return Err(reader.fail(&item.name, "is an input and follows another node"));
        }
        let stated = reader.read_usizes(&item.group, &item.name, "shape")?;
        let batch = self.batch_dimensions(index, &stated);
        let shape = stated[batch..].to_vec();
        if batch > 0 {
            let what = if batch == 1 { "dimension is" } else { "dimensions are" };
            self.notes.push(format!(
                "the input has shape {}, of which {} are one sample; the {what} left out before it, as batch or time",
                format_shape(&stated),
                format_shape(&shape)
            ));
        }
        if !matches!(shape.len(), 1..=3) {
            let found =
                if shape.is_empty() { "an empty shape".into() } else { format!("shape {}", format_shape(&shape)) };
            return Err(reader.fail(&item.name, format!("has {found}; CxHxW, HxW and F are supported")));
        }
        self.placed[index] = Some(self.push(&item.name, Op::Input, Vec::new(), &shape)?);
        Ok(())
    }

    /// Number of leading dimensions of an input of `shape`, node `index` of the file, that are batch and time: packages write
    /// the shape of their example, and the layers that read it tell what one sample is.
    fn batch_dimensions(&self, index: usize, shape: &[usize]) -> usize {
        let axes = shape.len();
        // Per layer that reads the input: what is in front, if it is a whole number of dimensions.
        let (mut next, mut flattens, mut left) = (self.consumers[index].clone(), false, self.items.len());
        let mut found = usize::from(axes == 4 && shape[0] == 1);
        while let Some(at) = next.pop() {
            let FileNode { name, kind, group, .. } = self.item(at);
            let weight = || self.reader.read_floats(group, name, "weight").ok().map(|weight| weight.shape);
            let front = match kind.as_str() {
                IDENTITY | "Flatten" if left > 0 => {
                    left -= 1;
                    flattens |= kind == "Flatten";
                    next.extend(&self.consumers[at]);
                    continue;
                }
                "Affine" | "Linear" => weight().and_then(|weight| {
                    let inputs = *weight.get(1)?;
                    let first = if flattens { 0 } else { axes.saturating_sub(1) };
                    (first..axes).find(|&front| shape[front..].iter().product::<usize>() == inputs)
                }),
                "Conv1d" => axes.checked_sub(2),
                "Conv2d" | "SumPool2d" | "AvgPool2d" => axes.checked_sub(3),
                _ => None,
            };
            found = found.max(front.unwrap_or(0));
        }
        found
    }

    /// Adds an input before the only node that reads nothing.
    fn add_missing_input(&mut self) -> Result<()> {
        let (reader, items) = (self.reader, self.items);
        let fail = |reason: &str| crate::Error::file(reader.path, "the graph", reason);
        let mut roots = (0..items.len()).filter(|&at| items[at].inputs.is_empty());
        let (Some(root), None) = (roots.next(), roots.next()) else {
            return Err(fail("has no Input node, and not one node that reads nothing"));
        };
        let FileNode { name, kind, group, .. } = &items[root];
        let shape = match kind.as_str() {
            "Affine" | "Linear" => reader.read_floats(group, name, "weight")?.shape.get(1).map(|&inputs| vec![inputs]),
            "IF" | "LIF" | "I" => Some(reader.read_numbers(group, name, "r")?.shape),
            "Scale" => Some(reader.read_floats(group, name, "scale")?.shape),
            "Conv2d" => {
                let weight = reader.read_floats(group, name, "weight")?;
                let groups = reader.read_usizes(group, name, "groups")?.first().copied().unwrap_or(1);
                let sides = reader.read_pair(group, name, "input_shape")?;
                weight.shape.get(1).map(|&channels| vec![channels.saturating_mul(groups), sides[0], sides[1]])
            }
            _ => None,
        };
        let shape = shape.filter(|shape| matches!(shape.len(), 1..=3)).ok_or_else(|| {
            fail("has no Input node, and its first node does not tell the shape of the input. Add nir.Input(shape)")
        })?;
        self.notes.push(format!(
            "the graph has no Input node; its input has shape {}, which node '{name}' takes",
            format_shape(&shape)
        ));
        self.push("input", Op::Input, Vec::new(), &shape)?;
        Ok(())
    }

    /// The output of the graph: that of its Output node, else of the only node that nothing reads.
    ///
    /// # Errors
    /// [`crate::Error::File`] if there is none.
    pub(super) fn output(&mut self) -> Result<NodeId> {
        if let Some(output) = self.output {
            return Ok(output);
        }
        let mut leaves = (0..self.items.len()).filter(|&at| self.consumers[at].is_empty());
        let placed = match (leaves.next(), leaves.next()) {
            (Some(leaf), None) => self.placed[leaf].map(|id| (leaf, id)),
            _ => None,
        };
        let (leaf, id) = placed.ok_or_else(|| {
            crate::Error::file(self.reader.path, "the graph", "has no Output node, and not one node that nothing reads")
        })?;
        self.notes.push(format!("the graph has no Output node; node '{}' is its output", self.items[leaf].name));
        self.flat("output", id)
    }

    /// `source` as a vector.
    pub(super) fn flat(&mut self, name: &str, source: NodeId) -> Result<NodeId> {
        let len: usize = self.nodes[source].shape.iter().product();
        if self.nodes[source].shape.len() == 1 {
            return Ok(source);
        }
        self.push(name, Op::Reshape, vec![source], &[len])
    }

    /// Node `index` of the file.
    pub(super) fn item(&self, index: usize) -> &'a FileNode {
        &self.items[index]
    }

    /// Whether only outputs read node `index` of the file, directly or through identities.
    pub(super) fn is_readout(&self, index: usize) -> bool {
        let mut next = self.consumers[index].clone();
        let mut left = self.items.len();
        while let Some(at) = next.pop() {
            match self.items[at].kind.as_str() {
                "Output" => {}
                IDENTITY | "Flatten" if left > 0 => {
                    left -= 1;
                    next.extend(&self.consumers[at]);
                }
                _ => return false,
            }
        }
        true
    }

    /// Adds one node of the file.
    ///
    /// # Errors
    /// [`crate::Error::File`] with the node, for unsupported types and values that do not match.
    pub(super) fn add_node(&mut self, index: usize) -> Result<()> {
        let (reader, items) = (self.reader, self.items);
        let FileNode { name, kind, group, inputs, .. } = &items[index];
        if kind == "Input" {
            return Ok(());
        }
        let known: Option<Vec<NodeId>> = inputs.iter().map(|&input| self.placed[input]).collect();
        let is_first = inputs.is_empty() && !items.iter().any(|item| item.kind == "Input");
        let sources = if is_first { Some(vec![0]) } else { known.filter(|sources| !sources.is_empty()) };
        let Some(sources) = sources else {
            return Err(reader.fail(name, "reads nothing; every node must depend on the input"));
        };
        // The values of several edges into one node are summed.
        let source = match sources[..] {
            [only] => only,
            _ => self.push(&format!("{name}.sum"), Op::Add, sources, &[])?,
        };
        let weights = |field: &str| reader.read_floats(group, name, field);
        let id = match kind.as_str() {
            "Output" => {
                if self.output.is_some() {
                    return Err(reader.fail(name, "is a second output; networks with one output are supported"));
                }
                let id = self.flat(name, source)?;
                self.output = Some(id);
                id
            }
            IDENTITY => source,
            "Affine" => self.push(
                name,
                Op::Linear { weight: weights("weight")?, bias: Some(flattened(weights("bias")?)) },
                vec![source],
                &[],
            )?,
            "Linear" => self.push(name, Op::Linear { weight: weights("weight")?, bias: None }, vec![source], &[])?,
            "Conv2d" => self.add_conv2d(name, group, source)?,
            "Conv1d" => self.add_conv1d(name, group, source)?,
            "SumPool2d" | "AvgPool2d" => self.add_pool(name, group, source, kind == "SumPool2d")?,
            "Flatten" => self.add_flatten(index, source)?,
            "Scale" => {
                let scale = weights("scale")?;
                self.add_scale(name, "scale", &scale, source)?
            }
            "IF" | "LIF" | "I" => self.add_neurons(index, source)?,
            "Delay" if weights("delay")?.data.iter().all(|&delay| delay == 0.0) => source,
            other => return Err(reader.fail(name, refusal(other))),
        };
        self.placed[index] = Some(id);
        Ok(())
    }
}

/// Why nodes of this type are refused.
fn refusal(kind: &str) -> String {
    let reason = match kind {
        "LI" | "CubaLI" => "integrates with a leak, which no layer of a converted network does",
        "CubaLIF" => "has neurons with a synaptic current and a leak; only IF neurons (without leak) are supported",
        "Threshold" => "fires from its present input alone, without a potential; only IF neurons are supported",
        "Delay" => "delays its input; delays are not simulated",
        _ => "is of a type that is not supported",
    };
    format!("({kind}) {reason}")
}

/// A bias of any shape, as a vector.
pub(super) fn flattened(weights: Weights) -> Weights {
    Weights { shape: vec![weights.data.len()], data: weights.data }
}
