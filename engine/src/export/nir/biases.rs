//! Biases in the NIR writer: those of the network with the additional currents of layers.

use super::node_weights::has_current;
use super::writer::Writer;
use crate::convert::SpikingLayer;
use crate::network::{NodeId, Op, Weights};

impl Writer<'_> {
    /// The bias of node `id`, plus the additional currents of a layer that is its only consumer.
    pub(super) fn bias(&mut self, id: NodeId, bias: Option<&Weights>, channels: usize) -> Weights {
        let mut data = bias.map_or_else(|| vec![0.0; channels], |bias| bias.data.to_vec());
        let mut consumers = (0..self.network.nodes.len()).filter(|&r| self.network.nodes[r].inputs.contains(&id));
        if let (Some(consumer), None) = (consumers.next(), consumers.next())
            && let Some(layer) = self.layer_behind(consumer)
            && has_current(layer)
            && !self.layers_in_bias.contains(&layer.node)
        {
            for (c, value) in data.iter_mut().enumerate() {
                let neuron = c * layer.neurons_per_channel();
                *value += layer.bias_of(neuron) + layer.bias_shift * layer.theta_of(neuron);
            }
            self.layers_in_bias.push(layer.node);
        }
        Weights::new(vec![channels], data)
    }

    /// The layer at node `consumer`, or the only layer that reads its sum.
    fn layer_behind(&self, consumer: NodeId) -> Option<&SpikingLayer> {
        let layer_at = |node: NodeId| self.spiking.layers.iter().find(|layer| layer.node == node);
        match self.network.nodes[consumer].op {
            Op::Activation(_) => layer_at(consumer),
            Op::Add => {
                let mut consumers =
                    (0..self.network.nodes.len()).filter(|&r| self.network.nodes[r].inputs.contains(&consumer));
                consumers.next().filter(|_| consumers.next().is_none()).and_then(layer_at)
            }
            _ => None,
        }
    }
}
