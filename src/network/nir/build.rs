//! Builds the project's graph from the nodes of a NIR file, node type by node type.

use hdf5_pure::Group;

use super::items::{FileNode, NodeReader};
use super::nested::IDENTITY;
use super::time_step::TimeStep;
use crate::Result;
use crate::error::format_shape;
use crate::network::shape_inference::infer_shape;
use crate::network::{Node, NodeId, Op, Weights};

/// A graph under construction; nodes are added in topological order.
pub(super) struct GraphBuilder<'a> {
    pub(super) reader: &'a NodeReader<'a>,
    items: &'a [FileNode],
    /// For every node of the file, the nodes that read it.
    consumers: Vec<Vec<usize>>,
    pub(super) time_step: TimeStep,
    pub(super) nodes: Vec<Node>,
    placed: Vec<Option<NodeId>>,
    output: Option<NodeId>,
    pub(super) notes: Vec<String>,
}

impl<'a> GraphBuilder<'a> {
    /// An empty graph of the file nodes `items`.
    pub(super) fn new(reader: &'a NodeReader<'a>, items: &'a [FileNode], time_step: TimeStep) -> Self {
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
        let mut shape = reader.read_usizes(&item.group, &item.name, "shape")?;
        if shape.len() == 4 && shape[0] == 1 {
            self.notes
                .push(format!("the input has shape {}; the first 1 is taken for the batch", format_shape(&shape)));
            shape.remove(0);
        }
        if !matches!(shape.len(), 1..=3) {
            return Err(
                reader.fail(&item.name, format!("has shape {}; CxHxW, HxW and F are supported", format_shape(&shape)))
            );
        }
        self.placed[index] = Some(self.push(&item.name, Op::Input, Vec::new(), &shape)?);
        Ok(())
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
    fn flat(&mut self, name: &str, source: NodeId) -> Result<NodeId> {
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

    fn add_conv2d(&mut self, name: &str, group: &Group, source: NodeId) -> Result<NodeId> {
        let reader = self.reader;
        let weight = reader.read_floats(group, name, "weight")?;
        let dilation = reader.read_pair(group, name, "dilation")?;
        let stride = reader.read_pair(group, name, "stride")?;
        let kernel = [2, 3].map(|axis| weight.shape.get(axis).copied().unwrap_or(1));
        let padding = self.padding(group, name, kernel, stride, dilation)?;
        let groups = reader.read_usizes(group, name, "groups")?.first().copied().unwrap_or(1);
        let bias = Some(flattened(reader.read_floats(group, name, "bias")?));
        self.push(name, Op::Conv2d { weight, bias, stride, padding, dilation, groups }, vec![source], &[])
    }

    /// Adds a 1-D convolution as a 2-D one over images of one row.
    fn add_conv1d(&mut self, name: &str, group: &Group, source: NodeId) -> Result<NodeId> {
        let reader = self.reader;
        let weight = reader.read_floats(group, name, "weight")?;
        let (&[out, per_group, taps], &[channels, length]) =
            (weight.shape.as_slice(), self.nodes[source].shape.as_slice())
        else {
            let reason = format!(
                "has weights {} for an input of {}; a 1-D convolution takes CxL",
                format_shape(&weight.shape),
                format_shape(&self.nodes[source].shape)
            );
            return Err(reader.fail(name, reason));
        };
        let single = |field: &str| reader.read_usizes(group, name, field).map(|v| v.first().copied().unwrap_or(1));
        let (stride, dilation) = ([1, single("stride")?], [1, single("dilation")?]);
        let [_, left, _, right] = self.padding(group, name, [1, taps], stride, dilation)?;
        let groups = single("groups")?;
        let weight = Weights { shape: vec![out, per_group, 1, taps], data: weight.data };
        let bias = Some(flattened(reader.read_floats(group, name, "bias")?));
        let row = self.push(&format!("{name}.row"), Op::Reshape, vec![source], &[channels, 1, length])?;
        let op = Op::Conv2d { weight, bias, stride, padding: [0, left, 0, right], dilation, groups };
        let conv = self.push(name, op, vec![row], &[])?;
        let shape = [out, self.nodes[conv].shape.get(2).copied().unwrap_or(1)];
        self.push(&format!("{name}.line"), Op::Reshape, vec![conv], &shape)
    }

    fn add_pool(&mut self, name: &str, group: &Group, source: NodeId, is_sum: bool) -> Result<NodeId> {
        let kernel = self.reader.read_pair(group, name, "kernel_size")?;
        let [down, right] = self.reader.read_pair(group, name, "padding")?;
        let stride = self.reader.read_pair(group, name, "stride")?;
        let op = Op::AvgPool2d { kernel, stride, padding: [down, right, down, right], count_include_pad: true };
        let mean = self.push(name, op, vec![source], &[])?;
        if !is_sum {
            return Ok(mean);
        }
        // A sum pool is a mean times the window size.
        let scale = vec![(kernel[0] * kernel[1]) as f32];
        self.push(&format!("{name}.sum_of_window"), Op::Affine { scale, shift: vec![0.0] }, vec![mean], &[])
    }

    /// Adds a Flatten of dimensions `start_dim` to `end_dim` of the shape without the batch.
    fn add_flatten(&mut self, index: usize, source: NodeId) -> Result<NodeId> {
        let (reader, FileNode { name, group, .. }) = (self.reader, &self.items[index]);
        let shape = self.nodes[source].shape.clone();
        if shape.len() == 1 {
            return Ok(source);
        }
        let dimension = |field: &str| -> Result<usize> {
            let stated = reader.read_integers(group, name, field)?.first().copied().unwrap_or(0);
            let at = if stated < 0 { stated + shape.len() as i64 } else { stated };
            usize::try_from(at).ok().filter(|&at| at < shape.len()).ok_or_else(|| {
                reader.fail(name, format!("its '{field}' is {stated} for an input of {}", format_shape(&shape)))
            })
        };
        let all: usize = shape.iter().product();
        // Some packages count the batch as PyTorch does; then the layer behind reads all values at once.
        let takes_all = |&at: &usize| {
            let FileNode { name, kind, group, .. } = &self.items[at];
            matches!(kind.as_str(), "Affine" | "Linear")
                && reader.read_floats(group, name, "weight").is_ok_and(|w| w.shape.get(1) == Some(&all))
        };
        let consumers = &self.consumers[index];
        let (start, end) = (dimension("start_dim"), dimension("end_dim"));
        let is_exact = matches!((&start, &end), (Ok(0), Ok(end)) if *end + 1 == shape.len());
        if !is_exact && !consumers.is_empty() && consumers.iter().all(takes_all) {
            self.notes.push(format!(
                "'{name}' flattens all dimensions of {}: its start_dim is taken to count the batch, because the next layer \
                 reads {all} values",
                format_shape(&shape)
            ));
            return self.flat(name, source);
        }
        let (start, end) = (start?, end?);
        if start > end {
            return Err(reader.fail(name, format!("its start_dim {start} is after its end_dim {end}")));
        }
        let mut flattened = shape[..start].to_vec();
        flattened.push(shape[start..=end].iter().product());
        flattened.extend(&shape[end + 1..]);
        if flattened == shape { Ok(source) } else { self.push(name, Op::Reshape, vec![source], &flattened) }
    }

    /// `[top, left, bottom, right]` of a convolution whose padding is a number, a pair, "same" or "valid".
    fn padding(
        &self,
        group: &Group,
        name: &str,
        kernel: [usize; 2],
        stride: [usize; 2],
        dilation: [usize; 2],
    ) -> Result<[usize; 4]> {
        let word =
            group.dataset("padding").and_then(|data| data.read_string()).ok().and_then(|text| text.into_iter().next());
        match word.as_deref() {
            Some("valid") => Ok([0; 4]),
            Some("same") => {
                let mut padding = [0; 4];
                for i in 0..2 {
                    let span = (kernel[i].max(1) - 1).saturating_mul(dilation[i]);
                    if stride[i] != 1 {
                        return Err(self.reader.fail(name, "padding 'same' needs a stride of 1"));
                    }
                    (padding[i], padding[i + 2]) = (span / 2, span - span / 2);
                }
                Ok(padding)
            }
            _ => self.reader.read_pair(group, name, "padding").map(|[down, right]| [down, right, down, right]),
        }
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
fn flattened(weights: Weights) -> Weights {
    Weights { shape: vec![weights.data.len()], data: weights.data }
}
