//! NIR writer: translates the network node by node and tracks the scale of every value.

use std::collections::HashSet;

use super::node_names::unique;
use super::node_weights::{has_current, ungrouped_scaled};
use super::reader::NirTarget;
use super::selection_conv::{ChannelSelection, equalize_padding};
use crate::convert::{MaxPoolRule, SpikingNetwork};
use crate::error::format_shape;
use crate::network;
use crate::network::nir::{NirGraph, NirNode, NirOp};
use crate::network::{Network, NodeId, Op, Weights};

/// Representation of a value of the network in the graph.
#[derive(Clone)]
pub(super) struct WrittenValue {
    /// Nodes of the graph whose outputs add up to the value.
    pub(super) sources: Vec<String>,
    /// Factor from graph values to network values, per entry of the first dimension (of the sources, if `selection` is
    /// pending).
    pub(super) scales: Vec<f32>,
    /// Pending selection from the sources that has no node yet.
    pub(super) selection: Option<ChannelSelection>,
}

/// A graph under construction.
pub(super) struct Writer<'a> {
    pub(super) network: &'a Network,
    pub(super) spiking: &'a SpikingNetwork,
    pub(super) target: NirTarget,
    graph: NirGraph,
    /// Names of the network's nodes in the graph.
    node_names: Vec<String>,
    names: HashSet<String>,
    /// Layers whose additional currents are already in a bias.
    pub(super) layers_in_bias: Vec<NodeId>,
}

impl<'a> Writer<'a> {
    /// An empty graph of `network`; `node_names` are the names of its nodes in the graph.
    pub(super) fn new(
        network: &'a Network,
        spiking: &'a SpikingNetwork,
        target: NirTarget,
        node_names: Vec<String>,
    ) -> Self {
        let names = node_names.iter().cloned().collect();
        Self { network, spiking, target, graph: NirGraph::default(), node_names, names, layers_in_bias: Vec::new() }
    }

    /// The finished graph.
    pub(super) fn into_graph(self) -> NirGraph {
        self.graph
    }
}

impl Writer<'_> {
    /// Adds a helper node that reads `from`; returns its name in the graph.
    pub(super) fn add(
        &mut self,
        name: &str,
        kind: NirOp,
        from: &WrittenValue,
        metadata: Vec<(String, String)>,
    ) -> String {
        let name = unique(name, &mut self.names);
        self.insert(name, kind, from, metadata)
    }

    /// Adds the translation of node `id` of the network; returns its name in the graph.
    pub(super) fn add_node(&mut self, id: NodeId, kind: NirOp, from: &WrittenValue) -> String {
        // Version 1.0.4 of the nir package, which sinabs requires, accepts metadata only on few kinds of nodes.
        let metadata = match kind {
            NirOp::If { .. } | NirOp::Affine { .. } => vec![("layer".to_owned(), self.network.nodes[id].name.clone())],
            _ => Vec::new(),
        };
        self.insert(self.node_names[id].clone(), kind, from, metadata)
    }

    fn insert(&mut self, unique: String, kind: NirOp, from: &WrittenValue, metadata: Vec<(String, String)>) -> String {
        self.graph.edges.extend(from.sources.iter().map(|source| (source.clone(), unique.clone())));
        self.graph.nodes.push((unique.clone(), NirNode { kind, metadata }));
        unique
    }

    /// `value` with scales of 1, through a `Scale` node if it has others.
    pub(super) fn remove_scale(&mut self, value: WrittenValue, shape: &[usize], name: &str) -> WrittenValue {
        if value.scales.iter().all(|&scale_of_channel| scale_of_channel == 1.0) {
            return value;
        }
        self.add_factor(&value, shape, name)
    }

    /// `value` behind a node with its scales.
    fn add_factor(&mut self, value: &WrittenValue, shape: &[usize], name: &str) -> WrittenValue {
        let plane = shape.iter().skip(1).product::<usize>();
        let all =
            value.scales.iter().flat_map(|&scale_of_channel| std::iter::repeat_n(scale_of_channel, plane)).collect();
        let kind = NirOp::Scale { scale: Weights::new(shape.to_vec(), all) };
        let name = self.add(&format!("{name}_scale"), kind, value, Vec::new());
        WrittenValue { sources: vec![name], scales: vec![1.0; value.scales.len()], selection: None }
    }

    /// Input `k` of `node`, without a pending selection.
    pub(super) fn input(
        &mut self,
        node: &network::Node,
        k: usize,
        values: &[Option<WrittenValue>],
    ) -> Result<WrittenValue, String> {
        let value = values[node.inputs[k]].clone().ok_or("reads a node that was not written")?;
        let name = format!("{}_{k}", node.name);
        self.materialize(value, &name)
    }

    /// Writes node `id`, whose inputs are in `values`.
    ///
    /// # Errors
    /// The reason why NIR cannot represent the node, as text.
    pub(super) fn write(&mut self, id: NodeId, values: &[Option<WrittenValue>]) -> Result<WrittenValue, String> {
        let network = self.network;
        let node = &network.nodes[id];
        let ones = vec![1.0; node.shape[0]];
        let plain = |name: String| WrittenValue { sources: vec![name], scales: ones.clone(), selection: None };
        let no_input = WrittenValue { sources: Vec::new(), scales: Vec::new(), selection: None };
        let before = |k: usize| network.nodes[node.inputs[k]].shape.as_slice();
        match &node.op {
            Op::Input => Ok(plain(self.add_node(id, NirOp::Input { shape: node.shape.clone() }, &no_input))),
            Op::Linear { weight, bias } => {
                let from = self.input(node, 0, values)?;
                let wide = weight.shape[1];
                let data = weight.data.iter().enumerate().map(|(i, w)| w * from.scales[i % wide]).collect();
                let weight = Weights::new(weight.shape.clone(), data);
                let bias = self.bias(id, bias.as_ref(), weight.shape[0]);
                Ok(plain(self.add_node(id, NirOp::Affine { weight, bias }, &from)))
            }
            Op::Conv2d { weight, bias, stride, padding, dilation, groups } => {
                let [top, left, bottom, right] = *padding;
                let from = self.input(node, 0, values)?;
                if self.is_row(node.inputs[0]) {
                    return self.convolution_of_line(id, &from);
                }
                let weight = ungrouped_scaled(weight, *groups, &from.scales);
                let (weight, padding) = match (top, left) == (bottom, right) {
                    true => (weight, [top, left]),
                    false => equalize_padding(&weight, *padding, *dilation)
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
                if has_current(layer) && !self.layers_in_bias.contains(&id) {
                    return Err("its neurons have an additional current (bias correction or shift) that no weights \
                         before them can include"
                        .into());
                }
                let from = self.input(node, 0, values)?;
                let from = self.remove_scale(from, &node.shape, &node.name);
                let of = |v: f32| Weights::new(node.shape.clone(), vec![v; node.len()]);
                let mut theta = layer.theta_per_neuron();
                if let Some(factors) = self.threshold_factors(node.inputs[0]) {
                    theta.iter_mut().zip(factors).for_each(|(theta, factor)| *theta /= factor);
                }
                if theta.iter().any(|&theta| theta <= 0.0) {
                    return Err(
                        "a channel was never active and its threshold is 0, which readers do not support. Use \
                         one threshold per layer"
                            .into(),
                    );
                }
                let kind = NirOp::If {
                    r: of(self.target.reader.r()),
                    threshold: Weights::new(node.shape.clone(), theta),
                    reset: of(0.0),
                };
                let name = self.add_node(id, kind, &from);
                let scales = (0..node.shape[0]).map(|c| layer.theta_of(c * layer.neurons_per_channel())).collect();
                Ok(WrittenValue { sources: vec![name], scales, selection: None })
            }
            Op::Add => {
                let mut sum = WrittenValue { sources: Vec::new(), scales: ones, selection: None };
                for k in 0..node.inputs.len() {
                    let part = self.input(node, k, values)?;
                    let part = self.remove_scale(part, &node.shape, &format!("{}_{k}", node.name));
                    // An edge exists at most once: a value that is added to itself passes a node.
                    let is_repeated = part.sources.iter().any(|source| sum.sources.contains(source));
                    let part = if is_repeated {
                        self.add_factor(&part, &node.shape, &format!("{}_{k}", node.name))
                    } else {
                        part
                    };
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
            // Within a product of single values, which is written at its end.
            Op::Reshape | Op::Affine { .. } if self.is_before_factors(id) => {
                values[node.inputs[0]].clone().ok_or_else(|| "reads a node that was not written".into())
            }
            Op::Reshape if self.factors_at(id).is_some() => {
                let from = self.input(node, 0, values)?;
                match (self.threshold_factors(id), self.factors_at(id)) {
                    (None, Some(factors)) => Ok(self.multiply_values(id, &from, factors)),
                    _ => Ok(from),
                }
            }
            Op::Reshape if self.is_row(id) || self.is_line(id) => self.input(node, 0, values),
            Op::Reshape if node.shape.len() == 1 => {
                let shape = before(0).to_vec();
                let from = self.input(node, 0, values)?;
                Ok(self.flat(&node.name, from, &shape))
            }
            Op::Affine { scale, shift } if shift.iter().all(|&v| v == 0.0) => {
                let from = self.input(node, 0, values)?;
                let pick = |c: usize| if scale.len() == 1 { scale[0] } else { scale[c] };
                let scales =
                    from.scales.iter().enumerate().map(|(c, scale_of_channel)| scale_of_channel * pick(c)).collect();
                Ok(WrittenValue { scales, ..from })
            }
            Op::Affine { .. } => {
                Err("a constant current in addition to spikes (a BatchNorm after neurons) has no node in NIR".into())
            }
            Op::Slice { .. } | Op::Pad { .. } => {
                let value = values[node.inputs[0]].clone().ok_or("reads a node that was not written")?;
                self.add_selection(id, value)
            }
            Op::Concat { axis: 0 } => self.join_channels(id, values),
            Op::MaxPool2d { .. } => Err(match self.spiking.pooling {
                MaxPoolRule::PreNeuron => "NIR has no max pooling".into(),
                MaxPoolRule::Lateral => "NIR has no max pooling and no lateral inhibition".into(),
            }),
            Op::Reshape => Err(format!(
                "reshapes {} to {}, for which NIR has no node; it has nodes that flatten",
                format_shape(before(0)),
                format_shape(&node.shape)
            )),
            _ => Err(format!("NIR has no node for '{}'", node.kind_name())),
        }
    }
}
