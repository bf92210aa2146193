//! A spiking layer: neuron model, thresholds and initial potentials.

use std::sync::Arc;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::recipe::{Recipe, Reset, TieRule};
use super::recipe_options::{InitialPotential, NeuronModel};
use crate::network::{Activation, NodeId};

/// A layer of integrate-and-fire neurons.
#[derive(Clone, Debug, PartialEq)]
pub struct SpikingLayer {
    /// The activation node of the rewritten network that these neurons replace.
    pub node: NodeId,
    pub name: String,
    /// Shape for one sample, `[C, H, W]` or `[F]`.
    pub shape: Vec<usize>,
    /// One threshold, or one per channel (first dimension of the shape). A channel that was never active on the
    /// calibration samples has θ = 0; its spikes have no effect.
    pub theta: Vec<f32>,
    /// The activation of the ANN.
    pub activation: Activation,
    pub neuron: NeuronModel,
    /// v(0) as a fraction of the neuron's amplitude (θ, or θ/m for a group of m).
    pub v_init: f32,
    /// v(0) of every neuron in units of the potential, `[F]`, if they differ.
    pub v_init_values: Option<Arc<Vec<f32>>>,
    /// Added to every neuron's current at each step, one per channel (first dimension of the shape), or empty.
    pub bias: Vec<f32>,
    /// Current added at each step, as a fraction of θ.
    pub bias_shift: f32,
    pub reset: Reset,
    pub tie: TieRule,
}

impl SpikingLayer {
    /// Neurons in the layer.
    pub fn neurons(&self) -> usize {
        self.shape.iter().product()
    }
    /// Label of a neuron: `conv1 · channel 3 · row 2, column 5`, or `fc1 · neuron 17`.
    pub fn neuron_label(&self, neuron: usize) -> String {
        match self.shape[..] {
            [_, height, width] if height * width > 0 => {
                let (channel, rest) = (neuron / (height * width), neuron % (height * width));
                format!("{} · channel {channel} · row {}, column {}", self.name, rest / width, rest % width)
            }
            _ => format!("{} · neuron {neuron}", self.name),
        }
    }
    /// Neurons in one channel.
    pub fn neurons_per_channel(&self) -> usize {
        self.neurons() / self.shape[0].max(1)
    }
    /// The threshold of neuron `index` of the flattened layer.
    pub fn theta_of(&self, index: usize) -> f32 {
        if self.theta.len() == 1 { self.theta[0] } else { self.theta[index / self.neurons_per_channel()] }
    }
    /// The threshold of every neuron, `[F]`.
    pub fn theta_per_neuron(&self) -> Vec<f32> {
        (0..self.neurons()).map(|i| self.theta_of(i)).collect()
    }
    /// The amplitude of one count of neuron `index`: θ, or θ/m for a group of m.
    pub fn amplitude_of(&self, index: usize) -> f32 {
        self.neuron.amplitude(self.theta_of(index))
    }
    /// The amplitude of one count of every neuron, `[F]`.
    pub fn amplitudes(&self) -> Vec<f32> {
        (0..self.neurons()).map(|i| self.amplitude_of(i)).collect()
    }
    /// v(0) of neuron `index` before any correction, in units of the potential.
    pub fn v_init_of(&self, index: usize) -> f32 {
        self.v_init_values
            .as_ref()
            .and_then(|start| start.get(index))
            .copied()
            .unwrap_or(self.v_init * self.amplitude_of(index))
    }
    /// v(0) of every neuron before any correction, `[F]`.
    pub fn v_init_all(&self) -> Vec<f32> {
        self.v_init_values
            .as_ref()
            .map_or_else(|| (0..self.neurons()).map(|i| self.v_init_of(i)).collect(), |s| s.to_vec())
    }
    /// The bias correction of neuron `index`.
    pub fn bias_of(&self, index: usize) -> f32 {
        self.bias.get(index / self.neurons_per_channel().max(1)).copied().unwrap_or(0.0)
    }
    /// The largest mean output of neuron `index`: its amplitude times the maximum count of a step.
    pub fn saturation_of(&self, index: usize) -> f32 {
        self.amplitude_of(index) * self.neuron.max_spikes_per_step() as f32
    }
}

/// Reproducible random initial potentials of layer `layer`, as fractions of θ: drawn for every neuron, the same for all
/// samples and in every run with the seed of `recipe`.
pub(super) fn random_v_init(recipe: &Recipe, layer: usize, neurons: usize) -> Option<Vec<f32>> {
    let center = recipe.v_init;
    let mut rng = ChaCha8Rng::seed_from_u64(0x5eed_0000 + layer as u64);
    rng.set_stream(recipe.seed);
    match recipe.initial {
        InitialPotential::Constant | InitialPotential::Calibrated => None,
        InitialPotential::Uniform => Some((0..neurons).map(|_| rng.random::<f32>()).collect()),
        InitialPotential::Gaussian => {
            let normal = || center + 0.25 * rng.sample::<f32, _>(StandardNormal);
            Some(std::iter::repeat_with(normal).take(neurons).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_potentials_follow_the_seed() {
        let draw = |initial, seed| random_v_init(&Recipe { initial, seed, ..Recipe::default() }, 2, 1000);
        for kind in [InitialPotential::Uniform, InitialPotential::Gaussian] {
            let first = draw(kind, 0).unwrap();
            assert_eq!(draw(kind, 0).unwrap(), first);
            let other = draw(kind, 1).unwrap();
            assert!(first.iter().zip(&other).filter(|(a, b)| a == b).count() < 10);
            let mean = other.iter().sum::<f32>() / 1000.0;
            assert!((mean - 0.5).abs() < 0.05, "{mean}");
        }
        assert_eq!(draw(InitialPotential::Constant, 1), None);
    }
}
