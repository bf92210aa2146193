//! Opens the model of an ONNX file: its operator set, constants and input, then its nodes one by one.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::rc::Rc;

use prost::Message;
use prost::bytes::Bytes;

use super::constant::{Constant, DataFiles, ElementType};
use super::ends;
use super::folding::Budget;
use super::functions;
use super::inputs::{GraphInput, is_channels_last};
use super::lower::{LoweredValue, Lowering};
use super::operators::refusals::Neighbors;
use super::proto::{GraphProto, ModelProto, NodeProto};
use super::topological_sort::{LiveNodes, live_nodes, topological_order};
use crate::network::shape_inference::{infer_shape, validate};
use crate::network::{Node, Op, OpenedNetwork};
use crate::{Error, Result};

/// Minimum operator set version: earlier ones have other rules for broadcasting.
const MIN_OPSET: i64 = 7;
/// Maximum batch size that a file may state.
const MAX_BATCH: usize = 1 << 20;

/// Opens the network in the `bytes` of the file at `path`, with `input` as the sample shape where sizes are open.
///
/// # Errors
/// As [`super::read_with`].
pub fn open(bytes: Bytes, path: &Path, input: Option<&[usize]>) -> Result<OpenedNetwork> {
    let size = bytes.len() as u64;
    let mut model = ModelProto::decode(bytes)
        .map_err(|e| Error::file(path, "", format!("not an ONNX file, or truncated ({e})")))?;
    let opset = functions::opset(&model.opset_import).unwrap_or(1);
    let graph = functions::without_functions(&mut model, path)?.filter(|graph| !graph.node.is_empty());
    let mut graph = graph.ok_or_else(|| Error::file(path, "the graph", "the file contains no network"))?;
    if opset < MIN_OPSET {
        let reason = format!("operator set {opset} is too old. Export again with {MIN_OPSET} or newer.");
        return Err(Error::file(path, "the operator set", reason));
    }
    let cut = ends::cut(&mut graph);
    lowered(&graph, cut.clone(), opset, size, path, input).or_else(|error| {
        let Some((note, count)) = ends::split(&mut graph) else { return Err(error) };
        match lowered(&graph, with(cut, note), opset, size, path, input) {
            // All of them, or the file is refused as it is.
            Ok(opened) if opened.network.outputs().len() == count => Ok(opened),
            _ => Err(error),
        }
    })
}

/// The network of `graph`, with `cut` as the first notes. `size` is that of the file in bytes.
fn lowered(
    graph: &GraphProto,
    cut: Vec<String>,
    opset: i64,
    size: u64,
    path: &Path,
    input: Option<&[usize]>,
) -> Result<OpenedNetwork> {
    let order = topological_order(graph, path)?;
    let live = live_nodes(graph, &order);
    let mut files = DataFiles::beside(path);
    let mut constants = HashMap::new();
    let names: HashSet<String> = graph.initializer.iter().map(|tensor| tensor.name.clone()).collect();
    for tensor in &graph.initializer {
        if live.readers.contains_key(tensor.name.as_str()) {
            let constant = Constant::read_with(tensor, &mut files)?;
            constants.insert(tensor.name.clone(), LoweredValue::Constant(Rc::new(constant)));
        }
    }
    let budget = Budget::of_files(size.saturating_add(files.opened_bytes()));
    let neighbors = Neighbors::of(graph);
    let model = Model { graph, cut, live, opset, path, constants, initializers: names, budget, neighbors };
    model.lowered(input)
}

/// A decoded model whose nodes are not converted yet.
struct Model<'a> {
    graph: &'a GraphProto,
    /// Notes on what was left out at the end.
    cut: Vec<String>,
    live: LiveNodes<'a>,
    opset: i64,
    path: &'a Path,
    /// The initializers that are read.
    constants: HashMap<String, LoweredValue>,
    /// Names of all initializers.
    initializers: HashSet<String>,
    budget: Budget,
    neighbors: Neighbors<'a>,
}

impl Model<'_> {
    fn lowered(&self, stated: Option<&[usize]>) -> Result<OpenedNetwork> {
        if self.graph.output.is_empty() {
            return Err(Error::file(self.path, "the outputs", "the network has no output"));
        }
        let (input, notes) = self.input()?;
        let sample = input.fixed_sample(stated, self.path)?;
        if input.dims.len() == 1 {
            let note = format!("Input '{}' has no batch dimension; it is taken for one sample.", input.name);
            return self.with_sample(&input, None, sample, with(notes, note));
        }
        let with_batch = self.with_sample(&input, Some(input.dims[0]), sample, notes.clone());
        let (Err(_), Some(first)) = (&with_batch, input.dims[0]) else { return with_batch };
        // The first dimension may be one of the sample: a network for single samples, without a batch.
        let whole: Option<Vec<usize>> = input.dims.iter().copied().collect();
        let Some(whole) = whole.filter(|whole| first > 1 && whole.len() < 4) else { return with_batch };
        let note = format!(
            "Input '{}' has shape {} and no batch dimension; it is taken for one sample.",
            input.name,
            crate::error::format_shape(&whole)
        );
        self.with_sample(&input, None, whole, with(notes, note)).or(with_batch)
    }

    /// The one input that the network reads, and notes about those it does not read.
    fn input(&self) -> Result<(GraphInput, Vec<String>)> {
        let inputs = self.graph.input.iter().filter(|input| !self.initializers.contains(&input.name));
        let (used, unused): (Vec<_>, Vec<_>) =
            inputs.partition(|input| self.live.readers.contains_key(input.name.as_str()));
        let [input] = used[..] else {
            let names: Vec<_> = used.iter().map(|i| format!("'{}'", i.name)).collect();
            let reason = match used.len() {
                0 => "the outputs of the network depend on no input".to_owned(),
                count => {
                    format!(
                        "the network has {count} inputs ({}); networks with one input are supported",
                        names.join(", ")
                    )
                }
            };
            return Err(Error::file(self.path, "the inputs", reason));
        };
        let unused = unused.iter().map(|i| format!("Input '{}' is ignored: no output depends on it.", i.name));
        let notes = self.cut.iter().cloned().chain(unused).collect();
        Ok((GraphInput::read(input, self.path)?, notes))
    }

    /// The network for samples of shape `sample`; `batch` is the batch size of the file, `None` within if it is open, or
    /// no batch dimension at all.
    fn with_sample(
        &self,
        input: &GraphInput,
        batch: Option<Option<usize>>,
        sample: Vec<usize>,
        notes: Vec<String>,
    ) -> Result<OpenedNetwork> {
        let place = || format!("input '{}'", input.name);
        let mut lowering = Lowering {
            path: self.path,
            nodes: Vec::new(),
            batch: batch.flatten().unwrap_or(1),
            has_open_batch: batch == Some(None),
            opset: self.opset,
            values: self.constants.clone(),
            recognized: HashMap::new(),
            functions: Vec::new(),
            outputs: self.graph.output.iter().map(|output| output.name.clone()).collect(),
            failed: HashMap::new(),
            notes,
            readers: self.live.readers.clone(),
            unbatched: HashSet::new(),
            integers: HashSet::new(),
            budget: &self.budget,
            neighbors: &self.neighbors,
        };
        if lowering.batch > MAX_BATCH {
            let reason = format!("a batch of {} samples; up to {MAX_BATCH} are supported", lowering.batch);
            return Err(Error::file(self.path, place(), reason));
        }
        let is_channels_last = batch.is_some() && is_channels_last(&sample, self.graph);
        // Samples are images [C, H, W] or vectors [F]; tables become images of one channel, and those of one row vectors.
        let shape = match sample[..] {
            [h, w, c] if is_channels_last => vec![c, h, w],
            [1, len] => vec![len],
            [a, b] => vec![1, a, b],
            _ => sample.clone(),
        };
        let node = Node { name: input.name.clone(), op: Op::Input, inputs: Vec::new(), shape };
        infer_shape(&node.op, &[], &node.shape).map_err(|reason| Error::file(self.path, place(), reason))?;
        let is_same = node.shape == sample;
        lowering.nodes.push(node);
        if batch.is_none() {
            lowering.unbatched.insert(0);
        }
        if input.element_type.is_integer() {
            lowering.integers.insert(0);
            lowering.note(format!(
                "Input '{}' takes integers ({}); samples should have the values that the network was trained on.",
                input.name,
                input.element_type.name()
            ));
        } else if input.element_type != ElementType::Float {
            lowering.note_precision(input.element_type);
        }
        let error_node = NodeProto { name: input.name.clone(), op_type: "input".into(), ..NodeProto::default() };
        let id = if is_channels_last {
            // Samples are channels-first; a transpose restores the layout of the file.
            lowering.with_layout(&error_node, format!("{}.channels_last", input.name), 0, vec![1, 2, 0])?
        } else if is_same {
            0
        } else {
            lowering.push(&error_node, format!("{}.table", input.name), Op::Reshape, vec![0], &sample)?
        };
        lowering.values.insert(input.name.clone(), LoweredValue::Layer(id));
        for &index in &self.live.order {
            lowering.node_or_failure(&self.graph.node[index])?;
        }
        let not_compared = lowering.verify(self.graph, &self.live.order)?;
        lowering.notes.extend(not_compared);
        self.note_unused_nodes(&mut lowering);
        let (network, notes) = lowering.finish(self.graph)?;
        validate(&network).map_err(|error| match error {
            Error::Network { node, reason } => Error::file(self.path, format!("node '{node}'"), reason),
            other => Error::file(self.path, "the graph", other.to_string()),
        })?;
        Ok(OpenedNetwork { network, notes, time_step: None })
    }

    /// Says which nodes are ignored because no output depends on them.
    fn note_unused_nodes(&self, lowering: &mut Lowering) {
        let live: HashSet<usize> = self.live.order.iter().copied().collect();
        let nodes = self.graph.node.iter().enumerate();
        let unused: Vec<&NodeProto> =
            nodes.filter(|(index, node)| !live.contains(index) && node.op_type != "Constant").map(|(_, n)| n).collect();
        if let Some(first) = unused.first() {
            let name = std::iter::once(&first.name).chain(&first.output).find(|name| !name.is_empty());
            let first = format!("'{}' ({})", name.map_or("", String::as_str), first.op_type);
            let text = match unused.len() {
                1 => format!("Node {first} is ignored: no output depends on it."),
                count => format!("{count} nodes are ignored, {first} and others: no output depends on them."),
            };
            lowering.note(text);
        }
    }
}

fn with(mut notes: Vec<String>, note: String) -> Vec<String> {
    notes.push(note);
    notes
}
