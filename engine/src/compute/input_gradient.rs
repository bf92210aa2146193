//! Gradient of a loss with respect to a network's input, by Burn autodiff over the whole network.
//!
//! Attacks and attributions stand on it. Weights get no gradients. On burn-flex, a convolution with the scale, sum and
//! activation behind it is one operation ([`super::gradient::fixed`]); other backends use Burn's own operations. Spiking
//! neurons can stand in for the activations ([`InputGradients::through`]).

use std::ops::Range;
use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;

use super::convolution::Geometry;
use super::dense::{NodeParams, apply_node, tensor_to_vec};
use super::gradient::activation::activation;
use super::gradient::fixed::FixedConvolution;
use super::gradient::moved_values::MovedValues;
use super::gradient::resample::Resize;
use super::program::Program;
use crate::network::{Activation, Network, Node, NodeId, Op};
use crate::progress::JobControl;
use crate::{Error, Result};

/// Multiplications of one batch forward: some milliseconds, so that cancelling takes effect soon.
const MAX_MULTIPLICATIONS: usize = 1 << 28;
/// Maximum number of rows in one batch.
const MAX_ROWS: usize = 32;

/// A network ready for gradients of its input; made once, used for many inputs.
#[derive(Debug)]
pub struct InputGradients {
    network: Arc<Network>,
    steps: Vec<Step>,
    device: Device,
    /// Rows in one batch at most. It depends on the network alone: the values do not depend on the number of threads.
    rows: usize,
}

/// How a node is computed.
#[derive(Debug)]
enum Step {
    /// Inside a later step, or it is the input.
    Absorbed,
    /// At the end of a convolution's group.
    Convolution { of: Arc<FixedConvolution>, input: NodeId, addend: Option<NodeId> },
    /// An activation with a straight-through gradient.
    Activation(Activation),
    /// A resize or an average pool.
    Resize(Resize),
    /// A slice, a pad or a transposition.
    Moved(MovedValues),
    /// By Burn's operations.
    Node(Box<NodeParams>),
}

impl InputGradients {
    /// Prepares the network of `program`, on its device.
    pub fn new(program: &Program) -> Self {
        Self::prepare(program.network().clone(), program.device(), true)
    }

    /// Prepares `network` on burn-flex, so that others can stand in for its activations.
    pub fn for_neurons(network: Arc<Network>) -> Self {
        Self::prepare(network, &Device::flex(), false)
    }

    /// `fused`: activations belong to the convolution before them.
    fn prepare(network: Arc<Network>, device: &Device, fused: bool) -> Self {
        let own = *device == Device::flex();
        let device = device.clone().autodiff();
        let mut steps: Vec<Option<Step>> = network.nodes.iter().map(|_| None).collect();
        if own {
            for id in 0..network.nodes.len() {
                group(&network, id, &mut steps, fused);
            }
        }
        let step = |(node, step): (&Node, Option<Step>)| match (step, &node.op) {
            (Some(step), _) => step,
            (None, Op::Input) => Step::Absorbed,
            (None, Op::Activation(activation)) if own => Step::Activation(*activation),
            (None, op) => {
                let resize = own.then(|| Resize::of(&network, node)).flatten();
                let moved = own.then(|| MovedValues::of(&network, node)).flatten();
                match (resize, moved) {
                    (Some(resize), _) => Step::Resize(resize),
                    (None, Some(moved)) => Step::Moved(moved),
                    (None, None) => Step::Node(Box::new(NodeParams::of(op, &device))),
                }
            }
        };
        let steps = network.nodes.iter().zip(steps).map(step).collect();
        let multiplications: usize = network.nodes.iter().map(|node| multiplications(&network, node)).sum();
        let rows = (MAX_MULTIPLICATIONS / multiplications.max(1)).clamp(1, MAX_ROWS);
        Self { network, steps, device, rows }
    }

    /// The gradients for `input` (`[N, F]`, scaled), of the same shape.
    ///
    /// `slope(rows, outputs, slopes)` gets the network's outputs for some rows, `[rows, classes]`, and writes the
    /// gradient of the loss with respect to them. Batches run in parallel.
    ///
    /// # Errors
    /// [`Error::Cancelled`] once `control` is cancelled, [`Error::Invalid`] if `input` has no whole number of rows.
    pub fn compute(
        &self,
        input: &[f32],
        slope: impl Fn(Range<usize>, &[f32], &mut [f32]) + Sync,
        control: &JobControl,
    ) -> Result<Vec<f32>> {
        let width = self.network.nodes[0].len();
        if width == 0 || !input.len().is_multiple_of(width) {
            let reason = format!("Cannot take a gradient: {} values are no rows of {width}.", input.len());
            return Err(Error::Invalid(reason));
        }
        let mut gradient = vec![0.0; input.len()];
        // Batches of about the same size, so that no thread waits for another.
        let count = input.len() / width;
        let rows = count.div_ceil(count.div_ceil(self.rows).max(1)).max(1);
        let block = rows * width;
        let batches = gradient.par_chunks_mut(block).zip(input.par_chunks(block)).enumerate();
        batches.try_for_each(|(k, (gradient, input))| {
            control.check()?;
            let first = k * rows;
            self.batch(input, input.len() / width, gradient, |outputs, slopes| {
                slope(first..first + input.len() / width, outputs, slopes);
            });
            Ok(())
        })?;
        Ok(gradient)
    }

    /// Rows that are computed together.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The gradient for `rows` rows of `input` (`[rows, F]`, scaled) with `neurons(node, input)` in place of each
    /// activation. They may return more rows than they get, `steps` times as many: those of every time step, after the
    /// other; what has `rows` rows is the same at every step.
    ///
    /// `slope(outputs, slopes)` is that of [`compute`](Self::compute), for all rows that the output has. Only for networks
    /// [prepared for it](Self::for_neurons).
    pub fn through(
        &self,
        input: &[f32],
        rows: usize,
        neurons: &dyn Fn(NodeId, Tensor<2>) -> Tensor<2>,
        slope: impl FnOnce(&[f32], &mut [f32]),
    ) -> Vec<f32> {
        let mut gradient = vec![0.0; input.len()];
        self.batch_with(input, rows, &mut gradient, Some(neurons), slope);
        gradient
    }

    fn batch(&self, input: &[f32], rows: usize, gradient: &mut [f32], slope: impl FnOnce(&[f32], &mut [f32])) {
        self.batch_with(input, rows, gradient, None, slope);
    }

    fn batch_with(
        &self,
        input: &[f32],
        rows: usize,
        gradient: &mut [f32],
        neurons: Option<&dyn Fn(NodeId, Tensor<2>) -> Tensor<2>>,
        slope: impl FnOnce(&[f32], &mut [f32]),
    ) {
        let tensor = |values: Vec<f32>, rows: usize| {
            let columns = values.len() / rows.max(1);
            Tensor::<2>::from_data(TensorData::new(values, [rows, columns]), &self.device)
        };
        let x = tensor(input.to_vec(), rows).require_grad();
        let mut values: Vec<Option<Tensor<2>>> = vec![None; self.network.nodes.len()];
        for (id, (node, step)) in self.network.nodes.iter().zip(&self.steps).enumerate() {
            let of = |id: &NodeId| values[*id].clone();
            values[id] = match (step, &node.op) {
                (_, Op::Input) => Some(x.clone()),
                (Step::Absorbed, _) => None,
                (Step::Convolution { of: convolution, input, addend }, _) => of(input).map(|x| {
                    let mut both = vec![x];
                    both.extend(addend.as_ref().and_then(of));
                    let mut both = same_rows(both).into_iter();
                    let x = both.next().unwrap_or_else(|| unreachable!("one value stays one value"));
                    convolution.apply(x, both.next())
                }),
                (_, Op::Activation(_)) if neurons.is_some() => {
                    of(&node.inputs[0]).zip(neurons).map(|(z, neurons)| neurons(id, z))
                }
                (Step::Activation(rule), _) => of(&node.inputs[0]).map(|z| activation(z, None, (*rule).into())),
                (Step::Resize(resize), _) => of(&node.inputs[0]).map(|x| resize.resample(x)),
                (Step::Moved(moved), _) => of(&node.inputs[0]).map(|x| moved.apply(x)),
                (Step::Node(params), _) => {
                    let inputs = same_rows(node.inputs.iter().filter_map(of).collect());
                    Some(apply_node(&self.network, node, params, inputs))
                }
            };
        }
        let Some(output) = values[self.network.output].take() else { return };
        let outputs = tensor_to_vec(output.clone().detach());
        let mut slopes = vec![0.0; outputs.len()];
        slope(&outputs, &mut slopes);
        let rows = output.dims()[0];
        let grads = (output * tensor(slopes, rows)).sum().backward();
        if let Some(of_input) = x.grad(&grads) {
            gradient.copy_from_slice(&tensor_to_vec(of_input));
        }
    }
}

/// Multiplications of a node for one row.
fn multiplications(network: &Network, node: &Node) -> usize {
    match &node.op {
        Op::Linear { weight, .. } => weight.data.len(),
        op => node
            .inputs
            .first()
            .and_then(|&input| Geometry::of(op, &network.nodes[input].shape))
            .map_or(node.len(), |geometry| geometry.multiplications()),
    }
}

/// Repeats what is the same at every time step where it meets what is not.
pub fn same_rows(values: Vec<Tensor<2>>) -> Vec<Tensor<2>> {
    let most = values.iter().map(|value| value.dims()[0]).max().unwrap_or(0);
    let repeat = |value: Tensor<2>| match most / value.dims()[0].max(1) {
        0 | 1 => value,
        times => value.repeat_dim(0, times),
    };
    values.into_iter().map(repeat).collect()
}

/// Makes the group of convolution `id`: the scale behind it, a sum with another value, and, if `fused`, the activation.
fn group(network: &Network, id: NodeId, steps: &mut [Option<Step>], fused: bool) {
    let Op::Conv2d { weight, bias, .. } = &network.nodes[id].op else { return };
    let input = network.nodes[id].inputs[0];
    let Some(geometry) = Geometry::of(&network.nodes[id].op, &network.nodes[input].shape) else { return };
    let mut weights = weight.data.to_vec();
    let mut biases = bias.as_ref().map_or_else(Vec::new, |bias| bias.data.to_vec());
    let readers = |id: NodeId| network.nodes.iter().enumerate().filter(move |(_, node)| node.inputs.contains(&id));
    // The only reader of a value, if no other group has it.
    let next = |id: NodeId, steps: &[Option<Step>]| {
        let mut all = readers(id);
        let (reader, node) = all.next().filter(|_| id != network.output)?;
        (all.next().is_none() && steps[reader].is_none()).then_some((reader, node))
    };
    let (mut end, mut inside) = (id, Vec::new());
    if let Some((affine, Node { op: Op::Affine { scale, shift }, .. })) = next(end, steps) {
        let of = |values: &[f32], c: usize| values[c % values.len()];
        biases.resize(geometry.out_channels, 0.0);
        for (c, weights) in weights.chunks_exact_mut(geometry.taps().max(1)).enumerate() {
            weights.iter_mut().for_each(|weight| *weight *= of(scale, c));
            biases[c] = biases[c] * of(scale, c) + of(shift, c);
        }
        inside.push(std::mem::replace(&mut end, affine));
    }
    let mut addend = None;
    if let Some((sum, Node { op: Op::Add, inputs, .. })) = next(end, steps)
        && let [a, b] = inputs[..]
        && a != b
    {
        addend = Some(if a == end { b } else { a });
        inside.push(std::mem::replace(&mut end, sum));
    }
    let mut rule = None;
    if fused
        && let Some((after, Node { op: Op::Activation(found), .. })) = next(end, steps)
        && !matches!(found, Activation::Qcfs { .. })
    {
        rule = Some(*found);
        inside.push(std::mem::replace(&mut end, after));
    }
    if let Some(of) = FixedConvolution::new(geometry, &weights, biases, rule) {
        inside.into_iter().for_each(|id| steps[id] = Some(Step::Absorbed));
        steps[end] = Some(Step::Convolution { of: Arc::new(of), input, addend });
    }
}

#[cfg(test)]
mod tests;
