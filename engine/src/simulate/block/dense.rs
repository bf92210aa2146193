//! Dense values of a block: all steps of a node at once, or a few steps at a time.

use std::ops::Range;

use burn::tensor::Tensor;
use rayon::prelude::*;

use super::decode::decode;
use super::{BlockContext, BlockState};
use crate::compute::dense::tensor_to_vec;
use crate::network::{NodeId, Op};
use crate::simulate::execution_form::steps_at_once;
use crate::simulate::signal::{Signal, apply_signal, input_signal};
use crate::{Error, Result};

impl BlockState<'_, '_> {
    /// The dense value of node `target` at every step, `[T·B, F]`, computed for a few steps at a time.
    pub(super) fn dense_steps(&self, target: NodeId) -> Result<Vec<f32>> {
        let BlockContext { plan, parts, .. } = self.shared;
        let network = plan.program.network();
        let nodes = plan.program.nodes_between_spikes(target);
        let at_once = steps_at_once(network, &nodes, self.block.rows, self.steps, parts);
        let row = self.block.rows * network.nodes[target].len();
        let mut values = vec![0.0; self.steps * row];
        let part = |(k, values): (usize, &mut [f32])| -> Result<()> {
            let first = k * at_once;
            let value = self.dense_part(&nodes, first..(first + at_once).min(self.steps))?;
            values.copy_from_slice(&tensor_to_vec(value));
            Ok(())
        };
        let size = (at_once * row).max(1);
        if parts > 1 {
            values.par_chunks_mut(size).enumerate().try_for_each(part)?;
        } else {
            values.chunks_mut(size).enumerate().try_for_each(part)?;
        }
        Ok(values)
    }

    /// The dense value of the last of `nodes`, which are all that it needs, at `steps`: `[steps·B, F]`.
    fn dense_part(&self, nodes: &[NodeId], steps: Range<usize>) -> Result<Tensor<2>> {
        let BlockContext { plan, reuse, .. } = self.shared;
        let network = plan.program.network();
        let count = steps.len();
        let mut values: Vec<Option<Signal>> = vec![None; nodes.len()];
        for (at, &id) in nodes.iter().enumerate() {
            let node = &network.nodes[id];
            let index = plan.spiking.layers.iter().position(|layer| layer.node == id);
            let value = match (&node.op, index) {
                (Op::Input, _) => {
                    let (of, shown) = ((self.block.first, self.block.rows), (reuse.from_step + steps.start, count));
                    input_signal(plan.program, plan.input, plan.samples, of, shown)
                }
                (Op::Activation(_), Some(index)) => {
                    let (rows, first) = self.spikes(index);
                    let spikes = decode(&plan.spiking.layers[index], rows, steps.clone(), first, self.block.rows);
                    Signal::Sequence(plan.program.tensor(spikes, count * self.block.rows))
                }
                (Op::Activation(_), None) => return Err(without_neurons(&node.name)),
                _ => {
                    let mut inputs = Vec::with_capacity(node.inputs.len());
                    for (k, input) in node.inputs.iter().enumerate() {
                        let place = nodes[..at].iter().position(|id| id == input);
                        // Moved out at the last reading, so that it can be overwritten.
                        let again = node.inputs[k + 1..].contains(input)
                            || nodes[at + 1..].iter().any(|&later| network.nodes[later].inputs.contains(input));
                        let value = place.and_then(|place| match again {
                            true => values[place].clone(),
                            false => values[place].take(),
                        });
                        let missing = || Error::Internal(format!("'{}' has no value", network.nodes[*input].name));
                        inputs.push(value.ok_or_else(missing)?);
                    }
                    apply_signal(plan.program, id, inputs, count, plan.spiking.pooling)
                }
            };
            values[at] = Some(value);
        }
        let last = values.pop().flatten().ok_or_else(|| Error::Internal("no dense value".into()))?;
        Ok(last.sequence(count))
    }

    /// Computes the dense values that node `target` needs and that are not known.
    pub(super) fn compute_dense(&mut self, target: NodeId) -> Result<()> {
        let plan = self.shared.plan;
        for id in plan.program.nodes_between_spikes(target) {
            let index = plan.spiking.layers.iter().position(|layer| layer.node == id);
            if self.values[id].is_none() {
                self.values[id] = Some(self.dense_value(id, index)?);
            }
        }
        Ok(())
    }

    /// The dense value of node `id`; `index` is its index among the spiking layers.
    pub(super) fn dense_value(&mut self, id: NodeId, index: Option<usize>) -> Result<Signal> {
        let BlockContext { plan, reuse, .. } = self.shared;
        let network = plan.program.network();
        let node = &network.nodes[id];
        Ok(match (&node.op, index) {
            (Op::Input, _) => {
                let (of, steps) = ((self.block.first, self.block.rows), (reuse.from_step, self.steps));
                input_signal(plan.program, plan.input, plan.samples, of, steps)
            }
            (Op::Activation(_), Some(index)) => {
                let layer = &plan.spiking.layers[index];
                let (rows, first) = self.spikes(index);
                let spikes = decode(layer, rows, 0..self.steps, first, self.block.rows);
                Signal::Sequence(plan.program.tensor(spikes, self.steps * self.block.rows))
            }
            (Op::Activation(_), None) => {
                return Err(without_neurons(&node.name));
            }
            _ => {
                // A node can read one value several times; it is moved out at the last.
                let last = |k: usize| !node.inputs[k + 1..].contains(&node.inputs[k]);
                let inputs: Result<Vec<Signal>> = node
                    .inputs
                    .iter()
                    .enumerate()
                    .map(|(k, &input)| self.value(input, last(k).then_some(id)))
                    .collect();
                apply_signal(plan.program, id, inputs?, self.steps, plan.spiking.pooling)
            }
        })
    }

    /// The dense value of `id`; moved out if `reader` is the last node that reads it.
    pub(super) fn value(&mut self, id: NodeId, reader: Option<NodeId>) -> Result<Signal> {
        let value = &mut self.values[id];
        let is_last = reader == Some(self.shared.plan.program.last_reader(id));
        let value = if is_last { value.take() } else { value.clone() };
        value.ok_or_else(|| {
            Error::Internal(format!("'{}' has no value", self.shared.plan.program.network().nodes[id].name))
        })
    }
}

fn without_neurons(activation: &str) -> Error {
    Error::Internal(format!("activation '{activation}' has no neurons"))
}
