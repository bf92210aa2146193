//! ANN to SNN: the network rewritten for conversion, thresholds from a recipe, initial potentials. Knows no window and no
//! thread.

pub mod calibration;
pub mod recipe;
pub mod rewrite;

use crate::network::forward::Program;
use crate::network::{Activation, NodeId, Op};
use crate::{Error, Result};

pub use calibration::{Calibration, LayerStatistics, Sorted, calibrate};
pub use recipe::{Granularity, Recipe, Reset, ThresholdRule, Tie};
pub use rewrite::Note;

/// A layer of integrate-and-fire neurons.
#[derive(Clone, Debug, PartialEq)]
pub struct SpikingLayer {
    /// The activation node of the rewritten network that these neurons replace.
    pub node: NodeId,
    pub name: String,
    /// Shape for one sample, `[C, H, W]` or `[F]`.
    pub shape: Vec<usize>,
    /// One threshold, or one per channel (first dimension of the shape). A channel that was never active on the
    /// calibration samples has 0; its spikes carry nothing.
    pub theta: Vec<f32>,
    /// The activation of the ANN.
    pub activation: Activation,
    /// v(0) as a fraction of θ.
    pub v_init: f32,
    pub reset: Reset,
    pub tie: Tie,
}

impl SpikingLayer {
    /// Neurons in the layer.
    pub fn neurons(&self) -> usize {
        self.shape.iter().product()
    }
    /// Neurons in one channel.
    pub fn plane(&self) -> usize {
        self.neurons() / self.shape[0].max(1)
    }
    /// The threshold of neuron `index` of the flattened layer.
    pub fn theta_of(&self, index: usize) -> f32 {
        if self.theta.len() == 1 { self.theta[0] } else { self.theta[index / self.plane()] }
    }
    /// The threshold of every neuron, `[F]`.
    pub fn theta_per_neuron(&self) -> Vec<f32> {
        (0..self.neurons()).map(|i| self.theta_of(i)).collect()
    }
}

/// The converted network: what to simulate, besides the weights.
#[derive(Clone, Debug, PartialEq)]
pub struct SpikingNetwork {
    /// One per activation, in network order.
    pub layers: Vec<SpikingLayer>,
}

impl SpikingNetwork {
    /// Converts the rewritten network of `program` by `recipe`, with activation statistics from `calibration`.
    pub fn convert(program: &Program, calibration: &Calibration, recipe: &Recipe) -> Result<Self> {
        recipe.check()?;
        let network = program.network();
        let layer = |statistics: &LayerStatistics| {
            let node = &network.nodes[statistics.node];
            let Op::Activation(activation) = node.op else {
                return Err(Error::Internal(format!("'{}' is no activation", node.name)));
            };
            let theta = match recipe.by_hand.get(&node.name) {
                Some(&theta) => vec![theta],
                None => calibration::thresholds(program, statistics, recipe.threshold, recipe.granularity)?,
            };
            Ok(SpikingLayer {
                node: statistics.node,
                name: node.name.clone(),
                shape: node.shape.clone(),
                theta,
                activation,
                v_init: recipe.v_init,
                reset: recipe.reset,
                tie: recipe.tie,
            })
        };
        Ok(Self { layers: calibration.layers.iter().map(layer).collect::<Result<_>>()? })
    }

    /// The first layer whose dynamics differ from `other`; `None` when both are the same.
    pub fn first_difference(&self, other: &Self) -> Option<usize> {
        if self.layers.len() != other.layers.len() {
            return Some(0);
        }
        self.layers.iter().zip(&other.layers).position(|(a, b)| a != b)
    }
}
