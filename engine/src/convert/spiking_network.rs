//! The converted network: spiking layers, correction and pooling rule; converts an ANN by a recipe.

use std::sync::Arc;

use super::calibration::{ActivationStatistics, Calibration};
use super::recipe::{Recipe, ThresholdRule};
use super::recipe_options::{Correction, MaxPoolRule};
use super::spiking_layer::{SpikingLayer, random_v_init};
use super::threshold_balancing::BalancedThresholds;
use crate::compute::program::Program;
use crate::network::{NodeId, Op};
use crate::{Error, Result};

/// The converted network: what is simulated, besides the weights.
#[derive(Clone, Debug, PartialEq)]
pub struct SpikingNetwork {
    /// One per activation, in network order.
    pub layers: Vec<SpikingLayer>,
    pub correction: Correction,
    pub pooling: MaxPoolRule,
    /// Nodes to compute on dense tensors although they have an event form, since many spikes are expected.
    pub dense_nodes: Vec<NodeId>,
}

impl SpikingNetwork {
    /// Converts the rewritten network of `program` by `recipe`, with activation statistics from `calibration`.
    ///
    /// A recipe with threshold balancing takes its thresholds from `balanced`. Calibrated potentials and biases are not
    /// measured here but by [`crate::simulate::light_calibration`].
    ///
    /// # Errors
    /// [`Error::Invalid`] if the recipe is not valid, [`Error::Network`] if the rule has no threshold for a layer.
    pub fn convert(
        program: &Program,
        calibration: &Calibration,
        balanced: Option<&BalancedThresholds>,
        recipe: &Recipe,
    ) -> Result<Self> {
        recipe.validate()?;
        let network = program.network();
        let layer = |(index, statistics): (usize, &ActivationStatistics)| {
            let node = &network.nodes[statistics.node];
            let Op::Activation(activation) = node.op else {
                return Err(Error::Internal(format!("'{}' is not an activation", node.name)));
            };
            let theta = match recipe.manual_thresholds.get(&node.name) {
                Some(&theta) => vec![theta],
                None => match (recipe.threshold, balanced) {
                    (ThresholdRule::Balance(_), Some(balanced)) if balanced.theta[index].iter().any(|&t| t > 0.0) => {
                        balanced.theta[index].clone()
                    }
                    _ => super::thresholds::thresholds(program, statistics, recipe)?,
                },
            };
            let mut layer = SpikingLayer {
                node: statistics.node,
                name: node.name.clone(),
                shape: node.shape.clone(),
                theta,
                activation,
                neuron: recipe.neuron,
                v_init: recipe.v_init,
                v_init_values: None,
                bias: Vec::new(),
                bias_shift: recipe.bias_shift.map_or(0.0, |steps| 0.5 / steps.max(1) as f32),
                reset: recipe.reset,
                tie: recipe.tie,
            };
            layer.v_init_values = random_v_init(recipe, index, layer.neurons()).map(|fractions| {
                Arc::new(fractions.iter().enumerate().map(|(i, p)| p * layer.amplitude_of(i)).collect())
            });
            Ok(layer)
        };
        let layers = calibration.layers.iter().enumerate().map(layer).collect::<Result<Vec<_>>>()?;
        let dense_nodes = super::dense_layers::dense_layers(
            program,
            &layers,
            &super::dense_layers::expected_input_rates(&layers, calibration),
        );
        Ok(Self { layers, correction: recipe.correction, pooling: recipe.pooling, dense_nodes })
    }

    /// The first layer whose dynamics differ from `other`; `None` if all are the same.
    pub fn first_difference(&self, other: &Self) -> Option<usize> {
        let same = self.correction == other.correction && self.pooling == other.pooling;
        if !same || self.layers.len() != other.layers.len() {
            return Some(0);
        }
        self.layers.iter().zip(&other.layers).position(|(a, b)| a != b)
    }
}
