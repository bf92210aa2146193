//! The nodes of a graph, one after the other: what each node of the network is in NIR, and what one unit of its values stands for.

use std::collections::HashSet;

use super::selection_conv::{ChannelSelection, even_pads};
use crate::convert::{MaxPoolRule, SpikingLayer, SpikingNetwork};
use crate::network;
use crate::network::nir::{NirGraph, NirNode, NirOp};
use crate::network::{Network, NodeId, Op, Weights};

/// What a value of the network is in the graph.
#[derive(Clone)]
pub(super) struct WrittenValue {
    /// Nodes of the graph that add up to it.
    pub(super) sources: Vec<String>,
    /// What one unit of it stands for, per entry of its first dimension (of what the sources send, where that is still to
    /// be moved).
    pub(super) units: Vec<f32>,
    /// How it is moved out of the sources, where no node has been written for that yet.
    pub(super) moved: Option<ChannelSelection>,
}

/// A graph in the making.
pub(super) struct Writer<'a> {
    network: &'a Network,
    spiking: &'a SpikingNetwork,
    pools: PoolExport,
    graph: NirGraph,
    /// Names of the network's own nodes in the graph.
    own: Vec<String>,
    names: HashSet<String>,
    /// Layers whose own currents have found a bias to go into.
    bias_left: Vec<NodeId>,
}

impl<'a> Writer<'a> {
    /// An empty graph of `network`, whose nodes are called `own` in it.
    pub(super) fn new(network: &'a Network, spiking: &'a SpikingNetwork, pools: PoolExport, own: Vec<String>) -> Self {
        let names = own.iter().cloned().collect();
        Self { network, spiking, pools, graph: NirGraph::default(), own, names, bias_left: Vec::new() }
    }

    /// What was written.
    pub(super) fn into_graph(self) -> NirGraph {
        self.graph
    }
}

impl Writer<'_> {
    /// Adds a node beside those of the network that reads `from`; its name in the graph.
    pub(super) fn add(
        &mut self,
        name: &str,
        kind: NirOp,
        from: &WrittenValue,
        metadata: Vec<(String, String)>,
    ) -> String {
        let name = unique(name, &mut self.names);
        self.put(name, kind, from, metadata)
    }

    /// Adds what node `id` of the network is; its name in the graph.
    fn add_node(&mut self, id: NodeId, kind: NirOp, from: &WrittenValue) -> String {
        // Version 1.0.4 of the package, which sinabs asks for, knows metadata of few kinds of nodes.
        let metadata = match kind {
            NirOp::If { .. } | NirOp::Affine { .. } => vec![("layer".to_owned(), self.network.nodes[id].name.clone())],
            _ => Vec::new(),
        };
        self.put(self.own[id].clone(), kind, from, metadata)
    }

    fn put(&mut self, unique: String, kind: NirOp, from: &WrittenValue, metadata: Vec<(String, String)>) -> String {
        self.graph.edges.extend(from.sources.iter().map(|source| (source.clone(), unique.clone())));
        self.graph.nodes.push((unique.clone(), NirNode { kind, metadata }));
        unique
    }

    /// `value` with units of 1: through a `Scale` where it has others.
    pub(super) fn remove_scale(&mut self, value: WrittenValue, shape: &[usize], name: &str) -> WrittenValue {
        if value.units.iter().all(|&unit| unit == 1.0) {
            return value;
        }
        let plane = shape.iter().skip(1).product::<usize>();
        let all = value.units.iter().flat_map(|&unit| std::iter::repeat_n(unit, plane)).collect();
        let kind = NirOp::Scale { scale: Weights::new(shape.to_vec(), all) };
        let name = self.add(&format!("{name}_scale"), kind, &value, Vec::new());
        WrittenValue { sources: vec![name], units: vec![1.0; value.units.len()], moved: None }
    }

    /// `value` with a node for what is still to be moved.
    pub(super) fn materialize(&mut self, value: WrittenValue, name: &str) -> Result<WrittenValue, String> {
        let Some(moved) = &value.moved else { return Ok(value) };
        let kind = moved.convolution(&value.units)?;
        let NirOp::Conv2d { weight, .. } = &kind else { return Err("is not a convolution".into()) };
        let channels = weight.shape[0];
        let name = self.add(&format!("{name}_moved"), kind, &value, Vec::new());
        Ok(WrittenValue { sources: vec![name], units: vec![1.0; channels], moved: None })
    }

    /// What the sources of input `k` of `node` send, as it is.
    fn input(
        &mut self,
        node: &network::Node,
        k: usize,
        values: &[Option<WrittenValue>],
    ) -> Result<WrittenValue, String> {
        let value = values[node.inputs[k]].clone().ok_or("reads a node that was not written")?;
        let name = format!("{}_{k}", node.name);
        self.materialize(value, &name)
    }

    /// A picture's slice or padding, kept for the node that reads it.
    fn moved(&mut self, id: NodeId, value: WrittenValue) -> Result<WrittenValue, String> {
        let network = self.network;
        let node = &network.nodes[id];
        let from = |shape: &[usize]| {
            <[usize; 3]>::try_from(shape).map_err(|_| "moves values that are not an image".to_owned())
        };
        let so_far = value.moved.clone();
        let further = so_far.and_then(|moved| moved.then(&node.op));
        if let Some(moved) = further {
            return Ok(WrittenValue { moved: Some(moved), ..value });
        }
        let shape = from(&network.nodes[node.inputs[0]].shape)?;
        let value = self.materialize(value, &node.name)?;
        let moved = ChannelSelection::all(shape)
            .then(&node.op)
            .ok_or_else(|| format!("NIR has no node for '{}'", node.kind_name()))?;
        Ok(WrittenValue { moved: Some(moved), ..value })
    }

    /// Pictures side by side, each by its own convolution to its place among the channels.
    fn joined(&mut self, id: NodeId, values: &[Option<WrittenValue>]) -> Result<WrittenValue, String> {
        let network = self.network;
        let node = &network.nodes[id];
        let (mut sources, mut at) = (Vec::new(), 0);
        for k in 0..node.inputs.len() {
            let shape = network.nodes[node.inputs[k]].shape.as_slice();
            let Ok(from) = <[usize; 3]>::try_from(shape) else { return Err("NIR has no node that joins lists".into()) };
            let part = self.input(node, k, values)?;
            let moved = Some(ChannelSelection::all(from).into_channels(at, node.shape[0]));
            at += from[0];
            let part = self.materialize(WrittenValue { moved, ..part }, &format!("{}_{k}", node.name))?;
            sources.extend(part.sources);
        }
        Ok(WrittenValue { sources, units: vec![1.0; node.shape[0]], moved: None })
    }

    /// Writes node `id`, whose inputs stand in `values`.
    pub(super) fn write(&mut self, id: NodeId, values: &[Option<WrittenValue>]) -> Result<WrittenValue, String> {
        let network = self.network;
        let node = &network.nodes[id];
        let ones = vec![1.0; node.shape[0]];
        let plain = |name: String| WrittenValue { sources: vec![name], units: ones.clone(), moved: None };
        let nothing = WrittenValue { sources: Vec::new(), units: Vec::new(), moved: None };
        let before = |k: usize| network.nodes[node.inputs[k]].shape.as_slice();
        match &node.op {
            Op::Input => Ok(plain(self.add_node(id, NirOp::Input { shape: node.shape.clone() }, &nothing))),
            Op::Linear { weight, bias } => {
                let from = self.input(node, 0, values)?;
                let wide = weight.shape[1];
                let data = weight.data.iter().enumerate().map(|(i, w)| w * from.units[i % wide]).collect();
                let weight = Weights::new(weight.shape.clone(), data);
                let bias = self.bias(id, bias.as_ref(), weight.shape[0]);
                Ok(plain(self.add_node(id, NirOp::Affine { weight, bias }, &from)))
            }
            Op::Conv2d { weight, bias, stride, padding, dilation, groups } => {
                let [top, left, bottom, right] = *padding;
                let from = self.input(node, 0, values)?;
                let weight = dense(weight, *groups, &from.units);
                let (weight, padding) = match (top, left) == (bottom, right) {
                    true => (weight, [top, left]),
                    false => even_pads(&weight, *padding, *dilation)
                        .ok_or("NIR's convolution pads both sides equally, but this dilated one does not")?,
                };
                let bias = self.bias(id, bias.as_ref(), weight.shape[0]);
                let [_, height, width] = *before(0) else { return Err("does not read an image".into()) };
                let kind = NirOp::Conv2d {
                    input_shape: Some([height, width]),
                    weight,
                    bias,
                    stride: *stride,
                    padding,
                    dilation: *dilation,
                    groups: 1,
                };
                Ok(plain(self.add_node(id, kind, &from)))
            }
            Op::Activation(_) => {
                let layer = self.spiking.layers.iter().find(|layer| layer.node == id).ok_or("has no neurons")?;
                if has_current(layer) && !self.bias_left.contains(&id) {
                    return Err("its neurons have an additional current (bias correction or shift) that no weights \
                         before them can include"
                        .into());
                }
                let from = self.input(node, 0, values)?;
                let from = self.remove_scale(from, &node.shape, &node.name);
                let of = |v: f32| Weights::new(node.shape.clone(), vec![v; node.len()]);
                let theta = layer.theta_per_neuron();
                if theta.iter().any(|&theta| theta <= 0.0) {
                    return Err(
                        "a channel was never active and its threshold is 0, which readers do not support. Use \
                         one threshold per layer"
                            .into(),
                    );
                }
                let kind = NirOp::If { r: of(1.0), threshold: Weights::new(node.shape.clone(), theta), reset: of(0.0) };
                let name = self.add_node(id, kind, &from);
                let units = (0..node.shape[0]).map(|c| layer.theta_of(c * layer.neurons_per_channel())).collect();
                Ok(WrittenValue { sources: vec![name], units, moved: None })
            }
            Op::Add => {
                let mut sum = WrittenValue { sources: Vec::new(), units: ones, moved: None };
                for k in 0..node.inputs.len() {
                    let part = self.input(node, k, values)?;
                    let part = self.remove_scale(part, &node.shape, &format!("{}_{k}", node.name));
                    // An edge can be there but once: a value added to itself goes through a node of its own.
                    if part.sources.iter().any(|source| sum.sources.contains(source)) {
                        return Err("adds a value to itself, which NIR's edges cannot express".into());
                    }
                    sum.sources.extend(part.sources);
                }
                Ok(sum)
            }
            Op::AvgPool2d { kernel, stride, padding, count_include_pad } => {
                let [top, left, bottom, right] = *padding;
                if (top, left) != (bottom, right) || (!count_include_pad && *padding != [0; 4]) {
                    return Err("NIR's pools count padding and pad both sides equally; this one does not".into());
                }
                let from = self.input(node, 0, values)?;
                Ok(self.pool(id, from, *kernel, *stride, [top, left]))
            }
            Op::Mean { axes } if axes == &[1, 2] => {
                let &[channels, height, width] = before(0) else {
                    return Err("takes the mean of something that is not \
                     an image"
                        .into());
                };
                let from = self.input(node, 0, values)?;
                let pooled = self.pool(id, from, [height, width], [height, width], [0, 0]);
                match node.shape.len() {
                    1 => Ok(self.flat(&node.name, pooled, &[channels, 1, 1])),
                    _ => Ok(pooled),
                }
            }
            Op::Reshape if node.shape.len() == 1 => {
                let shape = before(0).to_vec();
                let from = self.input(node, 0, values)?;
                Ok(self.flat(&node.name, from, &shape))
            }
            Op::Affine { scale, shift } if shift.iter().all(|&v| v == 0.0) => {
                let from = self.input(node, 0, values)?;
                let pick = |c: usize| if scale.len() == 1 { scale[0] } else { scale[c] };
                let units = from.units.iter().enumerate().map(|(c, unit)| unit * pick(c)).collect();
                Ok(WrittenValue { units, ..from })
            }
            Op::Affine { .. } => {
                Err("a constant current in addition to spikes (a BatchNorm after neurons) has no node in NIR".into())
            }
            Op::Slice { .. } | Op::Pad { .. } => {
                let value = values[node.inputs[0]].clone().ok_or("reads a node that was not written")?;
                self.moved(id, value)
            }
            Op::Concat { axis: 0 } => self.joined(id, values),
            Op::MaxPool2d { .. } => Err(match self.spiking.pooling {
                MaxPoolRule::PreNeuron => "NIR has no max pooling".into(),
                MaxPoolRule::Lateral => "NIR has no max pooling and no lateral inhibition".into(),
            }),
            _ => Err(format!("NIR has no node for '{}'", node.kind_name())),
        }
    }

    fn pool(
        &mut self,
        id: NodeId,
        from: WrittenValue,
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> WrittenValue {
        let share = 1.0 / (kernel[0] * kernel[1]) as f32;
        let (kind, factor) = match self.pools {
            PoolExport::Average => (NirOp::AvgPool2d { kernel, stride, padding }, 1.0),
            PoolExport::Sum => (NirOp::SumPool2d { kernel, stride, padding }, share),
        };
        let pooled = self.add_node(id, kind, &from);
        let units = from.units.iter().map(|unit| unit * factor).collect();
        WrittenValue { sources: vec![pooled], units, moved: None }
    }

    fn flat(&mut self, name: &str, from: WrittenValue, shape: &[usize]) -> WrittenValue {
        if shape.len() == 1 {
            return from;
        }
        let plane = shape.iter().skip(1).product::<usize>();
        let units = from.units.iter().flat_map(|&unit| std::iter::repeat_n(unit, plane)).collect();
        // Counted from the end, so that it is right with and without a batch in front.
        let kind = NirOp::Flatten { input: shape.to_vec(), start: -(shape.len() as i64), end: -1 };
        WrittenValue {
            sources: vec![self.add(&format!("{name}_flatten"), kind, &from, Vec::new())],
            units,
            moved: None,
        }
    }

    /// The bias of node `id`, with the currents of the neurons that alone read it.
    fn bias(&mut self, id: NodeId, bias: Option<&Weights>, channels: usize) -> Weights {
        let mut data = bias.map_or_else(|| vec![0.0; channels], |bias| bias.data.to_vec());
        let mut readers = (0..self.network.nodes.len()).filter(|&r| self.network.nodes[r].inputs.contains(&id));
        if let (Some(reader), None) = (readers.next(), readers.next())
            && let Some(layer) = self.reading_layer(reader)
            && has_current(layer)
            && !self.bias_left.contains(&layer.node)
        {
            for (c, value) in data.iter_mut().enumerate() {
                let neuron = c * layer.neurons_per_channel();
                *value += layer.bias_of(neuron) + layer.bias_shift * layer.theta_of(neuron);
            }
            self.bias_left.push(layer.node);
        }
        Weights::new(vec![channels], data)
    }

    /// The neurons that node `reader` is, or the only ones that its sum goes to.
    fn reading_layer(&self, reader: NodeId) -> Option<&SpikingLayer> {
        let own = |node: NodeId| self.spiking.layers.iter().find(|layer| layer.node == node);
        match self.network.nodes[reader].op {
            Op::Activation(_) => own(reader),
            Op::Add => {
                let mut readers =
                    (0..self.network.nodes.len()).filter(|&r| self.network.nodes[r].inputs.contains(&reader));
                readers.next().filter(|_| readers.next().is_none()).and_then(own)
            }
            _ => None,
        }
    }
}

fn has_current(layer: &SpikingLayer) -> bool {
    layer.bias_shift != 0.0 || layer.bias.iter().any(|&b| b != 0.0)
}

/// Weights in one group, every input channel times its unit. Groups are written out with zeros: the shapes that readers infer
/// know of no groups.
fn dense(weight: &Weights, groups: usize, units: &[f32]) -> Weights {
    let &[out, per_group, kh, kw] = weight.shape.as_slice() else { return weight.clone() };
    let (taps, wide) = (kh * kw, per_group * groups);
    let mut data = vec![0.0; out * wide * taps];
    for (i, &w) in weight.data.iter().enumerate() {
        let (o, c, tap) = (i / (per_group * taps), i / taps % per_group, i % taps);
        let channel = o / (out / groups) * per_group + c;
        data[(o * wide + channel) * taps + tap] = w * units[channel];
    }
    Weights::new(vec![out, wide, kh, kw], data)
}

/// How average pools are written: readers know one or the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PoolExport {
    /// `AvgPool2d` (snnTorch, SpikingJelly).
    #[default]
    Average,
    /// `SumPool2d` with the size of the window taken out of the weights that follow (sinabs).
    Sum,
}

/// The name that every node of `network` has in its graph.
pub fn node_names(network: &Network) -> Vec<String> {
    let mut taken = HashSet::new();
    network
        .nodes
        .iter()
        .map(|node| unique(if matches!(node.op, Op::Input) { "input" } else { &node.name }, &mut taken))
        .collect()
}

/// `name` as HDF5 and torch allow it (slashes are paths to one, dots are modules to the other), another for each call.
pub(super) fn unique(name: &str, taken: &mut HashSet<String>) -> String {
    let plain: String = name.chars().map(|c| if c.is_alphanumeric() || c == '_' { c } else { '_' }).collect();
    let plain = if plain.is_empty() { "node".to_owned() } else { plain };
    let mut unique = plain.clone();
    let mut k = 2;
    while !taken.insert(unique.clone()) {
        unique = format!("{plain}_{k}");
        k += 1;
    }
    unique
}
