//! Reads NIR files into the project's own graph. An integrate-and-fire node answers, over many steps, clip(z/θ, 0, 1) of its
//! mean input z: it becomes a scale of 1/θ (folded into the weights before it) and a clip at 1, whose learned threshold is
//! then the neuron's own.

use std::collections::HashMap;
use std::path::Path;

use hdf5_pure::{File, Group};

use crate::network::shape::{output_shape, validate};
use crate::network::{Activation, Network, Node, NodeId, Op, Opened, Weights};
use crate::{Error, Result};

/// Files larger than this are not read.
const MOST_BYTES: u64 = 1 << 30;
/// More values than this in one array are not read.
const MOST_VALUES: u64 = 1 << 28;
/// The most nodes a graph may have.
const MOST_NODES: usize = 1 << 14;

/// Reads the network in the NIR file at `path`, and what has to be known about it.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read, [`Error::File`] with the node when it is no graph that this program runs.
pub fn read(path: &Path) -> Result<Opened> {
    let size = std::fs::metadata(path).map_err(|e| Error::io(path, e))?;
    if size.len() > MOST_BYTES {
        return Err(Error::file(path, "the whole file", "larger than 1 GiB"));
    }
    from_bytes(std::fs::read(path).map_err(|e| Error::io(path, e))?, path)
}

/// Reads a network from the bytes of a file; `path` names it in errors.
///
/// # Errors
/// As [`read`].
pub fn from_bytes(bytes: Vec<u8>, path: &Path) -> Result<Opened> {
    let broken = |e: hdf5_pure::Error| Error::file(path, "the whole file", format!("no readable HDF5 file ({e})"));
    // The reader is young and its input may come from anywhere.
    let read = std::panic::AssertUnwindSafe(|| -> Result<Opened> {
        let file = File::from_bytes(bytes).map_err(broken)?;
        let root = file.group("node").map_err(|_| Error::file(path, "the group 'node'", "is missing: no NIR graph"))?;
        Reader { path }.graph(&root)
    });
    std::panic::catch_unwind(read)
        .unwrap_or_else(|_| Err(Error::file(path, "the whole file", "is damaged: its HDF5 structure makes no sense")))
}

struct Reader<'a> {
    path: &'a Path,
}

/// A node of the file before it is placed.
struct Item {
    name: String,
    word: String,
    group: Group,
    inputs: Vec<usize>,
}

impl Reader<'_> {
    fn fail(&self, node: &str, reason: impl Into<String>) -> Error {
        Error::file(self.path, format!("node '{node}'"), reason)
    }

    fn graph(&self, root: &Group) -> Result<Opened> {
        if self.text(root, "the graph", "type")? != "NIRGraph" {
            return Err(Error::file(self.path, "the graph", "is no NIRGraph"));
        }
        let missing = |what: &str| Error::file(self.path, "the graph", format!("has no {what}"));
        let nodes = root.group("nodes").map_err(|_| missing("nodes"))?;
        let names = nodes.groups().map_err(|_| missing("readable nodes"))?;
        if names.len() > MOST_NODES {
            return Err(Error::file(self.path, "the graph", format!("has more than {MOST_NODES} nodes")));
        }
        let mut items = Vec::new();
        for name in names {
            let group = nodes.group(&name).map_err(|e| self.fail(&name, e.to_string()))?;
            let word = self.text(&group, &name, "type")?;
            items.push(Item { name, word, group, inputs: Vec::new() });
        }
        let places: HashMap<String, usize> = items.iter().enumerate().map(|(i, item)| (item.name.clone(), i)).collect();
        for (from, to) in self.edges(root)? {
            let place = |name: &str| {
                places.get(name).copied().ok_or_else(|| {
                    Error::file(self.path, "the edges", format!("name a node '{name}' that is not there"))
                })
            };
            let (from, to) = (place(&from)?, place(&to)?);
            items[to].inputs.push(from);
        }
        let order = self.order(&items)?;
        let mut build = Build { reader: self, nodes: Vec::new(), placed: vec![None; items.len()], notes: Vec::new() };
        let mut output = None;
        for index in order {
            if let Some(id) = build.place(&items, index)? {
                output = Some(id);
            }
        }
        let output = output.ok_or_else(|| Error::file(self.path, "the graph", "has no Output node"))?;
        let name = self.path.file_stem().map_or_else(|| "network".into(), |s| s.to_string_lossy().into_owned());
        let network = Network { name, nodes: build.nodes, output, scaling: None, class_names: Vec::new() };
        validate(&network).map_err(|e| Error::file(self.path, "the graph", e.to_string()))?;
        let mut notes = build.notes;
        if let Ok(metadata) = root.group("metadata") {
            let known = ["T", "v_init", "tie", "reset", "grade"];
            let said =
                known.iter().filter_map(|key| Some(format!("{key} = {}", self.text(&metadata, "metadata", key).ok()?)));
            let said: Vec<String> = said.collect();
            if !said.is_empty() {
                notes.push(format!(
                    "the file was written for {}; set the recipe alike to run it alike",
                    said.join(", ")
                ));
            }
        }
        Ok(Opened { network, notes })
    }

    fn edges(&self, root: &Group) -> Result<Vec<(String, String)>> {
        let broken = |e: String| Error::file(self.path, "the edges", e);
        let edges = root.dataset("edges").map_err(|e| broken(e.to_string()))?;
        let shape = edges.shape().map_err(|e| broken(e.to_string()))?;
        if shape.len() != 2 || shape[1] != 2 || shape[0] > MOST_VALUES {
            return Err(broken(format!("have shape {shape:?}, not [E, 2]")));
        }
        let ends = edges.read_string().map_err(|e| broken(e.to_string()))?;
        Ok(ends.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect())
    }

    /// Every node after all that it reads.
    fn order(&self, items: &[Item]) -> Result<Vec<usize>> {
        let mut waiting: Vec<usize> = items.iter().map(|item| item.inputs.len()).collect();
        let mut readers = vec![Vec::new(); items.len()];
        for (to, item) in items.iter().enumerate() {
            item.inputs.iter().for_each(|&from| readers[from].push(to));
        }
        let mut ready: Vec<usize> = (0..items.len()).filter(|&i| waiting[i] == 0).collect();
        let mut order = Vec::new();
        while let Some(next) = ready.pop() {
            order.push(next);
            for &reader in &readers[next] {
                waiting[reader] -= 1;
                if waiting[reader] == 0 {
                    ready.push(reader);
                }
            }
        }
        match waiting.iter().position(|&n| n > 0) {
            Some(item) => Err(self.fail(&items[item].name, "is part of a loop; recurrent networks are not read")),
            None => Ok(order),
        }
    }

    fn text(&self, group: &Group, node: &str, field: &str) -> Result<String> {
        let text = group.dataset(field).and_then(|data| data.read_string());
        let text = text.map_err(|e| self.fail(node, format!("its '{field}' cannot be read ({e})")))?;
        text.into_iter().next().ok_or_else(|| self.fail(node, format!("its '{field}' is empty")))
    }

    /// Numbers of a field with their shape.
    fn numbers(&self, group: &Group, node: &str, field: &str) -> Result<Weights> {
        let broken = |e: String| self.fail(node, format!("its '{field}' cannot be read ({e})"));
        let data = group.dataset(field).map_err(|e| broken(e.to_string()))?;
        let shape = data.shape().map_err(|e| broken(e.to_string()))?;
        let count = shape.iter().try_fold(1u64, |n, &d| n.checked_mul(d)).filter(|&n| n <= MOST_VALUES);
        let count = count.ok_or_else(|| broken(format!("claims {shape:?} values")))?;
        let values = data.read_f32().map_err(|e| broken(e.to_string()))?;
        if values.len() as u64 != count {
            return Err(broken(format!("{} values for shape {shape:?}", values.len())));
        }
        if let Some(at) = values.iter().position(|v| !v.is_finite()) {
            return Err(broken(format!("value {at} is {}, not a finite number", values[at])));
        }
        Ok(Weights::new(shape.iter().map(|&d| d as usize).collect(), values))
    }

    fn whole(&self, group: &Group, node: &str, field: &str) -> Result<Vec<usize>> {
        let values = self.numbers(group, node, field)?;
        let one = |&v: &f32| (v.fract() == 0.0 && (0.0..1e7).contains(&v)).then_some(v as usize);
        let all: Option<Vec<usize>> = values.data.iter().map(one).collect();
        all.ok_or_else(|| {
            self.fail(node, format!("its '{field}' is {:?}, no whole numbers of at least 0", values.data))
        })
    }

    /// One number for both sides of a picture, or one for each.
    fn pair(&self, group: &Group, node: &str, field: &str) -> Result<[usize; 2]> {
        match self.whole(group, node, field)?[..] {
            [both] => Ok([both; 2]),
            [a, b] => Ok([a, b]),
            ref other => {
                Err(self.fail(node, format!("its '{field}' has {} numbers; one or two are read", other.len())))
            }
        }
    }
}

struct Build<'a> {
    reader: &'a Reader<'a>,
    nodes: Vec<Node>,
    placed: Vec<Option<NodeId>>,
    notes: Vec<String>,
}

impl Build<'_> {
    fn push(&mut self, name: &str, op: Op, inputs: Vec<NodeId>, stated: &[usize]) -> Result<NodeId> {
        let shapes: Vec<&[usize]> = inputs.iter().map(|&input| self.nodes[input].shape.as_slice()).collect();
        let shape = output_shape(&op, &shapes, stated).map_err(|reason| self.reader.fail(name, reason))?;
        self.nodes.push(Node { name: name.to_owned(), op, inputs, shape });
        Ok(self.nodes.len() - 1)
    }

    /// Places one node; returns its id when it is the output.
    fn place(&mut self, items: &[Item], index: usize) -> Result<Option<NodeId>> {
        let Item { name, word, group, inputs } = &items[index];
        let reader = self.reader;
        if word == "Input" {
            if !self.nodes.is_empty() {
                return Err(
                    reader.fail(name, "is a second input, or stands behind another node; networks with one are read")
                );
            }
            let shape = reader.whole(group, name, "shape")?;
            if !matches!(shape.len(), 1 | 3) {
                return Err(reader.fail(name, format!("has shape {shape:?}; [C, H, W] and [F] are read")));
            }
            self.placed[index] = Some(self.push(name, Op::Input, Vec::new(), &shape)?);
            return Ok(None);
        }
        let known: Option<Vec<NodeId>> = inputs.iter().map(|&input| self.placed[input]).collect();
        let Some(sources) = known.filter(|sources| !sources.is_empty()) else {
            return Err(reader.fail(name, "reads nothing; every node must lie behind the one input"));
        };
        // Edges into one node add up.
        let source = match sources[..] {
            [only] => only,
            _ => self.push(&format!("{name}.sum"), Op::Add, sources, &[])?,
        };
        let weights = |field: &str| reader.numbers(group, name, field);
        let id = match word.as_str() {
            "Output" => {
                let shape = self.nodes[source].shape.clone();
                let flat = shape.len() == 1;
                let id =
                    if flat { source } else { self.push(name, Op::Reshape, vec![source], &[shape.iter().product()])? };
                self.placed[index] = Some(id);
                return Ok(Some(id));
            }
            "Affine" => self.push(
                name,
                Op::Linear { weight: weights("weight")?, bias: Some(flat(weights("bias")?)) },
                vec![source],
                &[],
            )?,
            "Linear" => self.push(name, Op::Linear { weight: weights("weight")?, bias: None }, vec![source], &[])?,
            "Conv2d" => {
                let weight = weights("weight")?;
                let dilation = reader.pair(group, name, "dilation")?;
                let stride = reader.pair(group, name, "stride")?;
                let padding = self.padding(group, name, &weight, stride, dilation, source)?;
                let groups = reader.whole(group, name, "groups")?.first().copied().unwrap_or(1);
                let op = Op::Conv2d { weight, bias: Some(flat(weights("bias")?)), stride, padding, dilation, groups };
                self.push(name, op, vec![source], &[])?
            }
            "SumPool2d" | "AvgPool2d" => {
                let kernel = reader.pair(group, name, "kernel_size")?;
                let [down, right] = reader.pair(group, name, "padding")?;
                let stride = reader.pair(group, name, "stride")?;
                let op = Op::AvgPool2d { kernel, stride, padding: [down, right, down, right], count_include_pad: true };
                let mean = self.push(name, op, vec![source], &[])?;
                match word.as_str() {
                    // A sum is the mean times the size of the window.
                    "SumPool2d" => {
                        let scale = vec![(kernel[0] * kernel[1]) as f32];
                        self.push(
                            &format!("{name}.sum_of_window"),
                            Op::Affine { scale, shift: vec![0.0] },
                            vec![mean],
                            &[],
                        )?
                    }
                    _ => mean,
                }
            }
            "Flatten" => {
                let shape = self.nodes[source].shape.clone();
                let len: usize = shape.iter().product();
                if shape.len() == 1 { source } else { self.push(name, Op::Reshape, vec![source], &[len])? }
            }
            "Scale" => {
                let scale = weights("scale")?;
                let scale = self.per_channel(name, "scale", &scale, source)?;
                let shift = vec![0.0; scale.len()];
                self.push(name, Op::Affine { scale, shift }, vec![source], &[])?
            }
            "IF" => self.neurons(name, group, source)?,
            "LIF" | "LI" | "CubaLIF" | "CubaLI" => {
                return Err(reader.fail(
                    name,
                    format!("{word} neurons leak; only IF neurons (without leak) are what this program runs"),
                ));
            }
            other => return Err(reader.fail(name, format!("nodes of kind '{other}' are not read"))),
        };
        self.placed[index] = Some(id);
        Ok(None)
    }

    /// Scale 1/θ and a clip at 1.
    fn neurons(&mut self, name: &str, group: &Group, source: NodeId) -> Result<NodeId> {
        let reader = self.reader;
        let threshold = self.per_channel(name, "v_threshold", &reader.numbers(group, name, "v_threshold")?, source)?;
        let r = self.per_channel(name, "r", &reader.numbers(group, name, "r")?, source)?;
        if let Some(theta) = threshold.iter().find(|theta| **theta <= 0.0) {
            return Err(reader.fail(name, format!("a threshold is {theta}; it must be above 0")));
        }
        if let Ok(reset) = reader.numbers(group, name, "v_reset")
            && reset.data.iter().any(|&v| v != 0.0)
        {
            return Err(reader.fail(name, "resets to another potential than 0, which is not run here"));
        }
        let pick = |v: &[f32], c: usize| if v.len() == 1 { v[0] } else { v[c] };
        let scale: Vec<f32> = (0..threshold.len().max(r.len())).map(|c| pick(&r, c) / pick(&threshold, c)).collect();
        let shift = vec![0.0; scale.len()];
        let scaled = match scale.iter().all(|&s| s == 1.0) {
            true => source,
            false => self.push(&format!("{name}.scale"), Op::Affine { scale, shift }, vec![source], &[])?,
        };
        self.push(name, Op::Activation(Activation::Clip { lambda: 1.0 }), vec![scaled], &[])
    }

    /// One number, or one per channel of the value of `source`, out of one per neuron.
    fn per_channel(&self, name: &str, field: &str, values: &Weights, source: NodeId) -> Result<Vec<f32>> {
        let shape = &self.nodes[source].shape;
        let (channels, all) = (shape[0], self.nodes[source].len());
        if values.data.len() == 1 {
            return Ok(values.data.to_vec());
        }
        if values.data.len() == channels {
            return Ok(values.data.to_vec());
        }
        if values.data.len() != all {
            return Err(self
                .reader
                .fail(name, format!("its '{field}' has {} values for {all} neurons", values.data.len())));
        }
        let planes: Vec<&[f32]> = values.data.chunks(all / channels).collect();
        if planes.iter().any(|plane| plane.iter().any(|&v| v != plane[0])) {
            return Err(self
                .reader
                .fail(name, format!("its '{field}' differs within a channel; one per channel is run here")));
        }
        let first: Vec<f32> = planes.iter().map(|plane| plane[0]).collect();
        Ok(if first.iter().all(|&v| v == first[0]) { vec![first[0]] } else { first })
    }

    fn padding(
        &self,
        group: &Group,
        name: &str,
        weight: &Weights,
        stride: [usize; 2],
        dilation: [usize; 2],
        source: NodeId,
    ) -> Result<[usize; 4]> {
        let word =
            group.dataset("padding").and_then(|data| data.read_string()).ok().and_then(|text| text.into_iter().next());
        match word.as_deref() {
            Some("valid") => Ok([0; 4]),
            Some("same") => {
                let mut padding = [0; 4];
                for i in 0..2 {
                    let span = (weight.shape.get(i + 2).copied().unwrap_or(1).max(1) - 1) * dilation[i];
                    if stride[i] != 1 || self.nodes[source].shape.len() != 3 {
                        return Err(self.reader.fail(name, "padding 'same' goes with a stride of 1"));
                    }
                    (padding[i], padding[i + 2]) = (span / 2, span - span / 2);
                }
                Ok(padding)
            }
            _ => self.reader.pair(group, name, "padding").map(|[down, right]| [down, right, down, right]),
        }
    }
}

/// A bias in whatever shape as a list.
fn flat(weights: Weights) -> Weights {
    Weights { shape: vec![weights.data.len()], data: weights.data }
}
