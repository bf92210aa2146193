//! ANN to SNN: the network rewritten for conversion, thresholds from a recipe, initial potentials. Knows no window and no
//! thread.

pub mod balance;
pub mod calibration;
pub mod findings;
mod form;
pub mod method;
pub mod named;
pub mod recipe;
pub mod rewrite;
pub mod sorted;
mod words;

use std::sync::Arc;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use crate::network::forward::Program;
use crate::network::{Activation, NodeId, Op};
use crate::{Error, Result};

pub use balance::{Balance, Balanced, balance};
pub use calibration::{Calibration, LayerStatistics, calibrate};
pub use findings::{Finding, Mend, Severity, unclipped_thresholds};
pub use form::CROSSOVER;
pub use method::{Correction, CosRule, InitialPotential, Neuron, Pooling, Readout, SrpRule};
pub use named::NamedRecipe;
pub use recipe::{Granularity, Recipe, Reset, ThresholdRule, Tie};
pub use sorted::Sorted;

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
    pub neuron: Neuron,
    /// v(0) as a fraction of the neuron's unit (θ, or θ/m for a group of m).
    pub v_init: f32,
    /// v(0) of every neuron in units of the potential, `[F]`, where they differ.
    pub start: Option<Arc<Vec<f32>>>,
    /// Added to every neuron's current at each step, one per channel (first dimension of the shape), or empty.
    pub bias: Vec<f32>,
    /// Charge put on the membrane at each step beside the current, as a fraction of θ.
    pub shift: f32,
    pub reset: Reset,
    pub tie: Tie,
}

impl SpikingLayer {
    /// Neurons in the layer.
    pub fn neurons(&self) -> usize {
        self.shape.iter().product()
    }
    /// A neuron as a person says it: `conv1 · channel 3 · row 2, column 5`, or `fc1 · neuron 17`.
    pub fn place(&self, neuron: usize) -> String {
        match self.shape[..] {
            [_, height, width] if height * width > 0 => {
                let (channel, rest) = (neuron / (height * width), neuron % (height * width));
                format!("{} · channel {channel} · row {}, column {}", self.name, rest / width, rest % width)
            }
            _ => format!("{} · neuron {neuron}", self.name),
        }
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
    /// What one count of neuron `index` is worth: θ, or θ/m for a group of m.
    pub fn unit_of(&self, index: usize) -> f32 {
        self.neuron.unit(self.theta_of(index))
    }
    /// What one count of every neuron is worth, `[F]`.
    pub fn units(&self) -> Vec<f32> {
        (0..self.neurons()).map(|i| self.unit_of(i)).collect()
    }
    /// v(0) of neuron `index` before any correction, in units of the potential.
    pub fn start_of(&self, index: usize) -> f32 {
        self.start.as_ref().and_then(|start| start.get(index)).copied().unwrap_or(self.v_init * self.unit_of(index))
    }
    /// v(0) of every neuron before any correction, `[F]`.
    pub fn starts(&self) -> Vec<f32> {
        self.start.as_ref().map_or_else(|| (0..self.neurons()).map(|i| self.start_of(i)).collect(), |s| s.to_vec())
    }
    /// The correction of neuron `index`'s bias.
    pub fn bias_of(&self, index: usize) -> f32 {
        self.bias.get(index / self.plane().max(1)).copied().unwrap_or(0.0)
    }
    /// The largest mean output of neuron `index`: its unit times the most counts of a step.
    pub fn ceiling_of(&self, index: usize) -> f32 {
        self.unit_of(index) * self.neuron.per_step() as f32
    }
}

/// A reproducible spread of initial potentials, as fractions of θ around `center`: another draw for every neuron of every
/// layer, the same for all samples and in every run.
fn spread(kind: InitialPotential, center: f32, layer: usize, neurons: usize) -> Option<Vec<f32>> {
    let mut rng = ChaCha8Rng::seed_from_u64(0x5eed_0000 + layer as u64);
    match kind {
        InitialPotential::Constant | InitialPotential::Calibrated => None,
        InitialPotential::Uniform => Some((0..neurons).map(|_| rng.random::<f32>()).collect()),
        InitialPotential::Gaussian => {
            let normal = || center + 0.25 * rng.sample::<f32, _>(StandardNormal);
            Some(std::iter::repeat_with(normal).take(neurons).collect())
        }
    }
}

/// The converted network: what to simulate, besides the weights.
#[derive(Clone, Debug, PartialEq)]
pub struct SpikingNetwork {
    /// One per activation, in network order.
    pub layers: Vec<SpikingLayer>,
    pub correction: Correction,
    pub pooling: Pooling,
    /// Nodes to compute on dense tensors though they have an event form: so many spikes are to be expected.
    pub dense: Vec<NodeId>,
}

impl SpikingNetwork {
    /// Converts the rewritten network of `program` by `recipe`, with activation statistics from `calibration`. A recipe
    /// with threshold balancing takes its thresholds from `balanced`. Calibrated potentials and biases are not measured
    /// here but by [`crate::simulate::tune`].
    pub fn convert(
        program: &Program,
        calibration: &Calibration,
        balanced: Option<&Balanced>,
        recipe: &Recipe,
    ) -> Result<Self> {
        recipe.check()?;
        let network = program.network();
        let layer = |(index, statistics): (usize, &LayerStatistics)| {
            let node = &network.nodes[statistics.node];
            let Op::Activation(activation) = node.op else {
                return Err(Error::Internal(format!("'{}' is no activation", node.name)));
            };
            let theta = match recipe.by_hand.get(&node.name) {
                Some(&theta) => vec![theta],
                None => match (recipe.threshold, balanced) {
                    (ThresholdRule::Balance(_), Some(balanced)) => balanced.theta[index].clone(),
                    _ => calibration::thresholds(program, statistics, recipe)?,
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
                start: None,
                bias: Vec::new(),
                shift: recipe.bias_shift.map_or(0.0, |steps| 0.5 / steps.max(1) as f32),
                reset: recipe.reset,
                tie: recipe.tie,
            };
            layer.start = spread(recipe.initial, recipe.v_init, index, layer.neurons())
                .map(|fractions| Arc::new(fractions.iter().enumerate().map(|(i, p)| p * layer.unit_of(i)).collect()));
            Ok(layer)
        };
        let layers = calibration.layers.iter().enumerate().map(layer).collect::<Result<Vec<_>>>()?;
        let dense = form::dense(program, &layers, &form::expected_events(&layers, calibration));
        Ok(Self { layers, correction: recipe.correction, pooling: recipe.pooling, dense })
    }

    /// The first layer whose dynamics differ from `other`; `None` when both are the same.
    pub fn first_difference(&self, other: &Self) -> Option<usize> {
        let same = self.correction == other.correction && self.pooling == other.pooling;
        if !same || self.layers.len() != other.layers.len() {
            return Some(0);
        }
        self.layers.iter().zip(&other.layers).position(|(a, b)| a != b)
    }
}
