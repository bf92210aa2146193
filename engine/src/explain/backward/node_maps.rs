//! A network as functions of its nodes, each with its transposed one, on slices.
//!
//! Everything runs on the thread that calls it: whoever has many samples runs several batches at once.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};

use super::max_pool::{MaxPool, put, take};
use crate::compute::convolution::{Convolution, Epilogue, Geometry};
use crate::compute::dense::{NodeParams, apply_node, tensor_to_vec};
use crate::compute::gradient::input::InputGradient;
use crate::compute::linear::Linear;
use crate::network::{Activation, Network, NodeId, Op, Weights};

/// Values of one node for one batch: a few stay in the cache.
const MAX_VALUES: usize = 1 << 18;
/// Maximum number of rows in one batch.
const MAX_ROWS: usize = 16;

/// A network up to its logits, node by node.
#[derive(Debug)]
pub struct NodeMaps {
    network: Arc<Network>,
    maps: Vec<NodeMap>,
    device: Device,
    tracked: Device,
    rows: usize,
}

/// How a node is computed.
#[derive(Debug)]
enum NodeMap {
    Input,
    Activation(Activation),
    MaxPool(MaxPool),
    /// The same values in another shape.
    Same,
    Sum,
    Convolution(Box<(Convolution, InputGradient, Vec<f32>)>),
    /// Forward and transposed.
    Linear(Box<(Linear, Linear)>),
    /// By Burn's operations: without and with gradients.
    Tensor(Box<(NodeParams, NodeParams)>),
}

impl NodeMaps {
    /// Prepares `network`, which must end at its logits ([`logits_of`]).
    pub fn new(network: Arc<Network>) -> Self {
        let device = Device::flex();
        let tracked = device.clone().autodiff();
        let maps = (0..network.nodes.len()).map(|id| map(&network, id, &device, &tracked)).collect();
        let most = network.nodes.iter().map(|node| node.len()).max().unwrap_or(1);
        let rows = (MAX_VALUES / most.max(1)).clamp(1, MAX_ROWS);
        Self { network, maps, device, tracked, rows }
    }

    /// The network.
    pub fn network(&self) -> &Arc<Network> {
        &self.network
    }

    /// Rows of one batch.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The value of node `id` for its inputs, `[rows, F]`.
    pub fn apply(&self, id: NodeId, inputs: &[&[f32]], rows: usize) -> Vec<f32> {
        let node = &self.network.nodes[id];
        match &self.maps[id] {
            NodeMap::Input | NodeMap::Same => inputs.first().map(|x| x.to_vec()).unwrap_or_default(),
            NodeMap::Activation(activation) => inputs[0].iter().map(|&z| activation.apply(z)).collect(),
            NodeMap::MaxPool(pool) => take(inputs[0], &pool.winners(inputs[0])),
            NodeMap::Sum => {
                let mut sum = inputs[0].to_vec();
                inputs[1..].iter().for_each(|more| sum.iter_mut().zip(*more).for_each(|(sum, x)| *sum += x));
                sum
            }
            NodeMap::Convolution(of) => {
                let mut out = vec![0.0; rows * node.len()];
                of.0.forward(inputs[0], rows, Epilogue { bias: &of.2, ..Epilogue::default() }, &mut out);
                out
            }
            NodeMap::Linear(of) => {
                let mut out = vec![0.0; rows * node.len()];
                of.0.forward(inputs[0], rows, &mut Vec::new(), &mut out);
                out
            }
            NodeMap::Tensor(params) => {
                let inputs = inputs.iter().map(|x| tensor(x, rows, &self.device)).collect();
                tensor_to_vec(apply_node(&self.network, node, &params.0, inputs))
            }
        }
    }

    /// The transposed function of node `id`: for `gradient` `[rows, F]` of its value, that of each of its inputs. Activations
    /// have none of their own: their gradient passes unchanged. `inputs` decide which values a max pool took.
    pub fn transposed(&self, id: NodeId, inputs: &[&[f32]], gradient: &[f32], rows: usize) -> Vec<Vec<f32>> {
        let node = &self.network.nodes[id];
        let width = |k: usize| self.network.nodes[node.inputs[k]].len();
        match &self.maps[id] {
            NodeMap::Input => Vec::new(),
            NodeMap::Activation(_) | NodeMap::Same => vec![gradient.to_vec()],
            NodeMap::MaxPool(pool) => {
                let mut of_input = vec![0.0; inputs[0].len()];
                put(gradient.iter().copied(), &pool.winners(inputs[0]), &mut of_input);
                vec![of_input]
            }
            NodeMap::Sum => vec![gradient.to_vec(); node.inputs.len()],
            NodeMap::Convolution(of) => {
                let mut of_input = vec![0.0; rows * width(0)];
                of.1.run(gradient, rows, &mut of_input, &mut Vec::new());
                vec![of_input]
            }
            NodeMap::Linear(of) => {
                let mut of_input = vec![0.0; rows * width(0)];
                of.1.forward(gradient, rows, &mut Vec::new(), &mut of_input);
                vec![of_input]
            }
            NodeMap::Tensor(params) => {
                let leaf = |x: &&[f32]| tensor(x, rows, &self.tracked).require_grad();
                let leaves: Vec<Tensor<2>> = inputs.iter().map(leaf).collect();
                let out = apply_node(&self.network, node, &params.1, leaves.clone());
                let grads = (out * tensor(gradient, rows, &self.tracked)).sum().backward();
                let of = |(k, leaf): (usize, &Tensor<2>)| match leaf.grad(&grads) {
                    Some(of_leaf) => tensor_to_vec(of_leaf),
                    None => vec![0.0; rows * width(k)],
                };
                leaves.iter().enumerate().map(of).collect()
            }
        }
    }

    /// The windows of node `id`, if it is a max pool.
    pub fn max_pool(&self, id: NodeId) -> Option<&MaxPool> {
        match &self.maps[id] {
            NodeMap::MaxPool(pool) => Some(pool),
            _ => None,
        }
    }

    /// The activation of node `id`, if it is one.
    pub fn activation(&self, id: NodeId) -> Option<Activation> {
        match self.maps[id] {
            NodeMap::Activation(activation) => Some(activation),
            _ => None,
        }
    }
}

fn tensor(values: &[f32], rows: usize, device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values.to_vec(), [rows, values.len() / rows.max(1)]), device)
}

fn map(network: &Network, id: NodeId, device: &Device, tracked: &Device) -> NodeMap {
    let node = &network.nodes[id];
    let shape = |k: usize| network.nodes[node.inputs[k]].shape.as_slice();
    let by_tensor = || NodeMap::Tensor(Box::new((NodeParams::of(&node.op, device), NodeParams::of(&node.op, tracked))));
    match &node.op {
        Op::Input => NodeMap::Input,
        Op::Activation(activation) => NodeMap::Activation(*activation),
        Op::Reshape => NodeMap::Same,
        Op::Add => NodeMap::Sum,
        Op::MaxPool2d { .. } => MaxPool::of(&node.op, shape(0), &node.shape).map_or_else(by_tensor, NodeMap::MaxPool),
        Op::Conv2d { weight, bias, .. } => {
            let packed = || {
                let geometry = Geometry::of(&node.op, shape(0))?;
                let back = InputGradient::new(geometry, &weight.data)?;
                let bias = bias.as_ref().map_or_else(Vec::new, |bias| bias.data.to_vec());
                InputGradient::is_possible(&geometry).then(|| (Convolution::new(geometry, &weight.data), back, bias))
            };
            packed().map_or_else(by_tensor, |of| NodeMap::Convolution(Box::new(of)))
        }
        Op::Linear { weight, bias } => {
            let [outputs, inputs] = [weight.shape[0], weight.shape[1]];
            let forward = Linear::new(&weight.data, bias.as_ref().map(|bias| bias.data.as_slice()), inputs);
            let mut turned = vec![0.0; weight.data.len()];
            for (row, weights) in weight.data.chunks_exact(inputs.max(1)).enumerate() {
                turned[row..].iter_mut().step_by(outputs).zip(weights).for_each(|(to, weight)| *to = *weight);
            }
            NodeMap::Linear(Box::new((forward, Linear::new(&turned, None, outputs))))
        }
        _ => by_tensor(),
    }
}

/// `network` up to its logits: without the softmax or sigmoid at its end.
pub fn logits_of(network: &Arc<Network>) -> Arc<Network> {
    let ends = network.output_functions();
    let Some(&end) = ends.first() else { return network.clone() };
    if ends.len() > 1 || network.nodes[end].len() != network.classes() {
        return network.clone();
    }
    let output = network.nodes[end].inputs[0];
    let nodes = network.nodes[..=output].to_vec();
    Arc::new(Network { nodes, output, ..Network::clone(network) })
}

/// `network` with `change` applied to the weights (not the biases) of convolutions and fully connected layers.
pub fn with_weights(network: &Network, change: impl Fn(NodeId, &[f32]) -> Vec<f32>) -> Network {
    let mut changed = network.clone();
    for (id, node) in changed.nodes.iter_mut().enumerate() {
        if let Op::Conv2d { weight, .. } | Op::ConvTranspose2d { weight, .. } | Op::Linear { weight, .. } = &mut node.op
        {
            *weight = Weights::new(weight.shape.clone(), change(id, &weight.data));
        }
    }
    changed
}
