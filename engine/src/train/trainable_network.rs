//! A network during training: a forward pass with gradients over weights that are Burn parameters.
//!
//! Everything except activations and BatchNorm uses the same tensor functions as the network in use.

mod parameters;

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};

use self::parameters::{Layer, params};
pub(super) use self::parameters::{Layers, Pass};
use super::activation::learned_threshold;
use super::batch_norm::{Statistics, normalize};
use super::fusion::{self, Group, Step};
use super::norm::After;
use super::spiking::Spiking;
use crate::attack::snn::neurons::Neurons;
use crate::attack::snn::through_time::through_time;
use crate::compute::convolution::Geometry;
use crate::compute::dense::{NodeParams, apply_node, tensor_to_vec};
use crate::compute::gradient::activation::activation as activation_of;
use crate::compute::gradient::resample::Resize;
use crate::compute::gradient::rule::Rule;
use crate::compute::gradient::{convolution, transposed};
use crate::compute::input_gradient::same_rows;
use crate::compute::program::Program;
use crate::network::{Activation, Network, NodeId, Op};

/// Minimum λ; the optimizer's result is clamped to it.
const MIN_LAMBDA: f32 = 1e-3;

/// A network during training.
pub(super) struct TrainableNetwork {
    network: Arc<Network>,
    /// The node of the logits: the output, or the input of a final softmax.
    logits: NodeId,
    pub(super) layers: Layers,
    /// Running statistics of the nodes that are trained as BatchNorm.
    pub(super) running: Vec<Option<Statistics>>,
    /// How every node is computed.
    steps: Vec<Step>,
    device: Device,
    /// Neurons in place of the activations.
    spiking: Option<Spiking>,
}

impl TrainableNetwork {
    /// Moves the weights of `network` to `device` (an autodiff device).
    ///
    /// A scale-and-shift directly after a convolution becomes a BatchNorm. Its statistics start as those of `first`,
    /// scaled input `[N, F]` of some samples. If it is not the identity, it was trained before; its gain and offset are
    /// then chosen to preserve its function.
    pub(super) fn new(
        network: Arc<Network>,
        device: Device,
        (first, rows): (Vec<f32>, usize),
        spiking: Option<Spiking>,
    ) -> Self {
        let running = statistics(&network, first, rows);
        let layers = network
            .nodes
            .iter()
            .zip(&running)
            .map(|(node, running)| Layer::of(&node.op, running.as_ref(), spiking.is_some(), &device));
        let layers = layers.collect();
        let logits = logits_node(&network);
        let steps = fusion::steps(&network, |id| running[id].is_some());
        Self { network, logits, layers, running, steps, device, spiking }
    }

    /// The network as it is, for [`Pass::Use`] alone: scales and shifts stay what they are.
    pub(super) fn frozen(network: Arc<Network>, device: Device, spiking: Option<Spiking>) -> Self {
        let layers = network.nodes.iter().map(|node| Layer::of(&node.op, None, spiking.is_some(), &device)).collect();
        let (logits, running) = (logits_node(&network), vec![None; network.nodes.len()]);
        let steps = fusion::steps(&network, |_| false);
        Self { network, logits, layers, running, steps, device, spiking }
    }

    /// T of a spiking network.
    pub(super) fn steps_of_time(&self) -> Option<usize> {
        self.spiking.map(|spiking| spiking.steps)
    }

    /// The network's name.
    pub(super) fn name(&self) -> &str {
        &self.network.name
    }

    /// A leaf of input `values` `[rows, F]`, or `[T, rows, F]`.
    pub(super) fn input(&self, values: Vec<f32>) -> Tensor<2> {
        let columns = self.network.nodes[0].len().max(1);
        let rows = values.len() / columns;
        Tensor::from_data(TensorData::new(values, [rows, columns]), &self.device)
    }

    /// Logits `[rows, classes]` for `input` `[rows, F]`, or `[T·rows, F]` if it changes over time, with the gradient graph.
    /// Spiking networks answer by the mean over time.
    pub(super) fn forward(&mut self, input: Tensor<2>, rows: usize, pass: Pass) -> Tensor<2> {
        let mut done: Vec<Option<Tensor<2>>> = vec![Some(input)];
        for id in 1..=self.logits {
            let value = match self.steps[id] {
                Step::Absorbed => None,
                Step::Group(group) => Some(self.group(group, &done, (rows, pass))),
                Step::Single => Some(self.single(id, &done, (rows, pass))),
            };
            done.push(value);
        }
        let output = value_of(&done, self.logits);
        let [all, classes] = output.dims();
        if all == rows {
            return output;
        }
        output.reshape([all / rows, rows * classes]).mean_dim(0).reshape([rows, classes])
    }

    /// The value of node `id`, computed by itself.
    fn single(&self, id: NodeId, done: &[Option<Tensor<2>>], (rows, pass): (usize, Pass)) -> Tensor<2> {
        let node = &self.network.nodes[id];
        let inputs = same_rows(node.inputs.iter().map(|&input| value_of(done, input)).collect());
        match (&self.layers[id], &node.op) {
            (_, Op::Activation(activation)) if self.spiking.is_some() => {
                self.fire(*activation, value_of(done, node.inputs[0]), rows)
            }
            (Some(Layer::Threshold(layer)), Op::Activation(activation)) => {
                learned_threshold(*activation, value_of(done, node.inputs[0]), pass.value(&layer.lambda))
            }
            (Some(Layer::Conv(layer)), op) => {
                let shape = &self.network.nodes[node.inputs[0]].shape;
                let bias = layer.bias.as_ref().map(|bias| pass.value(bias));
                let (x, weight) = (|| value_of(done, node.inputs[0]), pass.value(&layer.weight));
                if let Some(geometry) = Geometry::of(op, shape).filter(convolution::is_supported) {
                    convolution::convolution(x(), weight, bias, geometry)
                } else if let Some(geometry) = transposed::reversed(op, shape, &node.shape) {
                    transposed::transposed_convolution(x(), weight, bias, geometry)
                } else {
                    apply_node(&self.network, node, &params(self.layers[id].as_ref(), pass), inputs)
                }
            }
            (None, op) => match Resize::of(&self.network, node) {
                Some(resize) => resize.resample(value_of(done, node.inputs[0])),
                None => apply_node(&self.network, node, &NodeParams::of(op, &self.device), inputs),
            },
            (layer, _) => apply_node(&self.network, node, &params(layer.as_ref(), pass), inputs),
        }
    }

    /// The value at the end of `group`.
    fn group(&mut self, group: Group, done: &[Option<Tensor<2>>], (rows, pass): (usize, Pass)) -> Tensor<2> {
        let Group { norm, addend, activation } = group;
        let lambda = activation.and_then(|id| match &self.layers[id] {
            Some(Layer::Threshold(layer)) => Some(pass.value(&layer.lambda)),
            _ => None,
        });
        let function = activation.and_then(|id| match self.network.nodes[id].op {
            Op::Activation(activation) => Some(activation),
            _ => None,
        });
        let spikes = function.filter(|_| self.spiking.is_some());
        let rule = function.filter(|_| spikes.is_none()).map_or(Rule::Identity, Rule::from);
        let mut both = vec![value_of(done, self.network.nodes[norm].inputs[0])];
        both.extend(addend.map(|id| value_of(done, id)));
        let mut both = same_rows(both).into_iter();
        let x = both.next().unwrap_or_else(|| unreachable!("one value stays one value"));
        let after = After { addend: both.next(), rule, lambda };
        let (Some(Layer::Affine(layer)), Some(running)) = (&self.layers[norm], &mut self.running[norm]) else {
            unreachable!("a group without its normalization")
        };
        let (scale, shift) = (pass.value(&layer.scale), pass.value(&layer.shift));
        let z = match pass {
            Pass::Learn { updates: true } => normalize(x, scale, shift, running, after),
            Pass::Learn { updates: false } | Pass::Look => normalize(x, scale, shift, &mut running.clone(), after),
            Pass::Use => {
                let host = |values: Tensor<1>| tensor_to_vec(values.detach().unsqueeze::<2>());
                let (scale, shift) = running.fold(&host(scale), &host(shift));
                let vector = |values: Vec<f32>| {
                    let count = values.len();
                    Tensor::<1>::from_data(TensorData::new(values, [count]), &self.device)
                };
                let params = NodeParams::Affine { scale: vector(scale), shift: vector(shift) };
                let y = apply_node(&self.network, &self.network.nodes[norm], &params, vec![x]);
                let z = after.addend.map_or(y.clone(), |addend| y + addend);
                activation_of(z, after.lambda, after.rule)
            }
        };
        match spikes {
            Some(function) => self.fire(function, z, rows),
            None => z,
        }
    }

    /// The spikes over time of neurons in place of `activation` for currents `z`, of threshold λ or 1.
    fn fire(&self, activation: Activation, z: Tensor<2>, rows: usize) -> Tensor<2> {
        let Some(Spiking { steps, decay, reset, surrogate }) = self.spiking else { return z };
        let (width, theta) = (z.dims()[1], activation.lambda().unwrap_or(1.0));
        through_time(z, &Neurons::trained([rows, width], theta, steps, (decay, reset), surrogate))
    }

    /// Clamps every λ above zero; called after each step of the optimizer.
    pub(super) fn clamp_thresholds(&mut self) {
        for layer in self.layers.iter_mut().flatten() {
            if let Layer::Threshold(threshold) = layer {
                let lambda_param = threshold.lambda.clone();
                threshold.lambda =
                    lambda_param.map(|lambda| Tensor::from_inner(lambda.inner().clamp_min(MIN_LAMBDA)).require_grad());
            }
        }
    }

    /// The network with the current weights, BatchNorm as scale and shift from the running statistics.
    pub(super) fn to_network(&self) -> Network {
        let mut network = (*self.network).clone();
        for ((node, layer), running) in network.nodes.iter_mut().zip(&self.layers).zip(&self.running) {
            let Some(layer) = layer else { continue };
            layer.write_to(&mut node.op, running.as_ref());
        }
        network
    }
}

/// The value of a node that is not inside a group.
fn value_of(done: &[Option<Tensor<2>>], id: NodeId) -> Tensor<2> {
    done[id].clone().unwrap_or_else(|| unreachable!("a value inside a group is read from outside"))
}

/// The node of the logits of `network`: its output, or the input of a final softmax or sigmoid.
pub(super) fn logits_node(network: &Network) -> NodeId {
    let end = network.last_layer();
    match (&network.nodes[end].op, network.nodes[end].inputs.as_slice()) {
        (Op::Softmax { .. } | Op::Sigmoid, &[input]) => input,
        _ => network.output,
    }
}

/// Statistics at the input of every node that is trained as BatchNorm, over `rows` samples.
fn statistics(network: &Arc<Network>, values: Vec<f32>, rows: usize) -> Vec<Option<Statistics>> {
    let mut running = vec![None; network.nodes.len()];
    // The input's value is observed before the node runs, so nodes are found by the index of their input.
    let norms: Vec<(NodeId, NodeId, usize)> = network
        .nodes
        .iter()
        .enumerate()
        .filter_map(|(id, node)| match &node.op {
            Op::Affine { scale, .. } if matches!(network.nodes[node.inputs[0]].op, Op::Conv2d { .. }) => {
                (scale.len() == node.shape[0]).then_some((node.inputs[0], id, scale.len()))
            }
            _ => None,
        })
        .collect();
    if norms.is_empty() {
        return running;
    }
    let program = Program::new(network.clone(), &Device::flex());
    program.run(program.tensor(values, rows), |id, value| {
        for &(_, norm, channels) in norms.iter().filter(|(input, ..)| *input == id) {
            running[norm] = Some(Statistics::from_values(value, channels));
        }
    });
    running
}
