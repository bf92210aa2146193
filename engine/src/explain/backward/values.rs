//! The values of all nodes for some samples, of the ANN or of the spiking network's mean over time.

use super::node_maps::NodeMaps;
use crate::attack::snn::rate::Window;
use crate::attack::snn::target::LayerRates;
use crate::network::{Activation, NodeId};

/// Values of every node, and how steep its activations are there.
pub struct Values<'a> {
    pub maps: &'a NodeMaps,
    pub rows: usize,
    /// `[rows, F]` of every node.
    pub of: Vec<Vec<f32>>,
    /// Of every node that spiking neurons stand in for, with those of them that are silenced.
    windows: Vec<Option<(&'a Window, &'a [bool])>>,
}

impl<'a> Values<'a> {
    /// The values for `rows` rows of `input` `[rows, F]`. `rates` are the mean outputs of the spiking layers for these rows
    /// and more; they begin at row `first`.
    pub fn new(maps: &'a NodeMaps, input: &[f32], rows: usize, rates: &'a [LayerRates], first: usize) -> Self {
        let network = maps.network();
        let mut of: Vec<Vec<f32>> = Vec::with_capacity(network.nodes.len());
        let mut windows = vec![None; network.nodes.len()];
        for (id, node) in network.nodes.iter().enumerate() {
            let layer = rates.iter().find(|layer| layer.node == id);
            let value = match (layer, node.inputs.is_empty()) {
                (_, true) => input.to_vec(),
                (Some(layer), false) => {
                    let span = first * node.len()..(first + rows) * node.len();
                    windows[id] = Some((&layer.window, layer.silenced.get(span.clone()).unwrap_or_default()));
                    layer.rates[span].to_vec()
                }
                (None, false) => {
                    let inputs: Vec<&[f32]> = node.inputs.iter().map(|&input| of[input].as_slice()).collect();
                    maps.apply(id, &inputs, rows)
                }
            };
            of.push(value);
        }
        Self { maps, rows, of, windows }
    }

    /// The values that node `id` reads.
    pub fn inputs(&self, id: NodeId) -> Vec<&[f32]> {
        self.maps.network().nodes[id].inputs.iter().map(|&input| self.of[input].as_slice()).collect()
    }

    /// The network's outputs, `[rows, classes]`.
    pub fn outputs(&self) -> &[f32] {
        &self.of[self.maps.network().output]
    }

    /// The slope of activation `id` at each of its inputs, `[rows, F]`; `None` for other nodes.
    pub fn slopes(&self, id: NodeId) -> Option<Vec<f32>> {
        let activation = self.maps.activation(id)?;
        let z = &self.of[self.maps.network().nodes[id].inputs[0]];
        match self.windows[id] {
            Some((window, silenced)) => {
                let mut slopes = window.slopes(z);
                slopes.iter_mut().zip(silenced).filter(|(_, silenced)| **silenced).for_each(|(slope, _)| *slope = 0.0);
                Some(slopes)
            }
            None => Some(z.iter().map(|&z| slope(activation, z)).collect()),
        }
    }
}

/// The slope of an activation at `z`; that of stairs is the ramp's under them.
fn slope(activation: Activation, z: f32) -> f32 {
    let passes = match activation {
        Activation::Relu => z > 0.0,
        Activation::Clip { lambda } => z > 0.0 && z < lambda,
        Activation::Qcfs { lambda, levels, shift } => {
            (0.0..levels as f32 + 1.0).contains(&(z * levels as f32 / lambda + shift))
        }
    };
    f32::from(u8::from(passes))
}
