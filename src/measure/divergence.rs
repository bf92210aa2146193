//! Where a sample first leaves the ANN: the first layer with a neuron that is off by more than quantisation explains, the
//! neuron of it that leaves first, and why. Decided from counts and mean inputs alone.

use std::fmt;

use rayon::prelude::*;

use super::report::NeuronRef;
use super::run_report::Subject;
use crate::convert::{Reset, SpikingLayer};
use crate::network::Activation;
use crate::simulate::SpikeTrain;
use crate::simulate::neuron::{step, target_count};

/// What rounding in f32 may add to the bound, as a share of it and of z.
const SLACK: f64 = 1e-4;

/// The first neuron of a sample that leaves the ANN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Divergence {
    pub neuron: NeuronRef,
    /// The step (1-based) from which on it is off: the one after the last step at which its running count is that of the
    /// same neuron on the constant current z.
    pub step: usize,
    /// φ = θn/t after all t steps, in activation units.
    pub phi: f32,
    /// ANN activation a.
    pub a: f32,
    pub cause: Cause,
}

/// Why a neuron is off by more than quantisation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cause {
    /// z is above θ and it fires at every step; θ = 0 where the channel was silent in calibration.
    Clipped { z: f32, theta: f32 },
    /// The mean input ẑ asks for as many spikes as z does, but they did not come out: `residual` is v(t)/θ, negative when
    /// it fired too early, 1 or more when it fired too late (Hao et al., AAAI 2023).
    InputOrder { residual: f64 },
    /// The count is that of a hard-reset neuron on constant input: each spike throws away what exceeds θ.
    HardReset { due: u32, fired: u32 },
    /// The mean input ẑ asks for another count than z does: the layers before, each within its quantisation, add up.
    CarriedIn { mean_input: f32, z: f32 },
    /// The count is right, but the ANN's own levels are not the SNN's.
    OtherLevels { ann: Activation, steps: usize, theta: f32 },
}

/// How many samples first leave the ANN in each layer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FirstLayers {
    /// One count per spiking layer, in network order.
    pub layers: Vec<usize>,
    /// Samples that stay within quantisation in all layers.
    pub never: usize,
}

/// One layer for one sample after t steps.
struct Sight<'a> {
    layer: &'a SpikingLayer,
    spikes: &'a SpikeTrain,
    z: &'a [f32],
    sample: usize,
    steps: usize,
}

impl<'a> Sight<'a> {
    fn of(subject: &Subject<'a>, index: usize, sample: usize, steps: usize) -> Self {
        let layer = &subject.spiking.layers[index];
        let neurons = layer.neurons();
        let z = &subject.ann.pre_activations[index][sample * neurons..(sample + 1) * neurons];
        Self { layer, spikes: &subject.recording.layers[index].spikes, z, sample, steps }
    }

    fn counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.z.len()];
        self.spikes.add_counts(self.steps, self.sample, &mut counts);
        counts
    }

    /// φ − a of `neuron` with `n` spikes in `steps` steps, when that is more than quantisation explains: θ/2t for
    /// v(0) = θ/2, and half a level where the ANN itself has levels.
    fn excess(&self, neuron: usize, n: u32, steps: usize) -> Option<f64> {
        let theta = f64::from(self.layer.theta_of(neuron));
        let unit = theta / steps as f64;
        // Counts of constant input lie between p − 1 and p units from it.
        let half = |p: f32| f64::from(p.max(1.0 - p));
        let own = match self.layer.activation {
            Activation::Qcfs { lambda, levels, shift } => f64::from(lambda) / f64::from(levels.max(1)) * half(shift),
            Activation::Relu | Activation::Clip { .. } => 0.0,
        };
        let z = self.z[neuron];
        let bound = unit * half(self.layer.v_init) + own;
        let off = unit * f64::from(n) - f64::from(self.layer.activation.apply(z));
        (off.abs() > bound + SLACK * (bound + f64::from(z.abs()))).then_some(off)
    }

    /// The step from which on `neuron` is off, 1..=t.
    fn leaves_at(&self, neuron: usize) -> usize {
        let theta = self.layer.theta_of(neuron);
        let (mut v, mut even, mut n) = (self.layer.v_init * theta, 0u32, 0u32);
        let (mut last_equal, mut last_within) = (0, 0);
        for t in 1..=self.steps {
            let (spike, after) = step(v, self.z[neuron], theta, self.layer.reset, self.layer.tie);
            v = after;
            even += u32::from(spike);
            n += u32::from(self.spikes.fired(t - 1, self.sample, neuron));
            if even == n {
                last_equal = t;
            }
            if self.excess(neuron, n, t).is_none() {
                last_within = t;
            }
        }
        // With the count of constant input to the end (clipped, other levels) the ANN's value is what it leaves.
        let last = if last_equal == self.steps { last_within } else { last_equal };
        (last + 1).min(self.steps)
    }
}

/// Where `sample` first leaves the ANN within `steps` steps (`1..=recording.steps`); `None` when it never does.
/// `subject.mean_inputs` must be of the same steps.
pub fn first_divergence(subject: &Subject<'_>, sample: usize, steps: usize) -> Option<Divergence> {
    (0..subject.spiking.layers.len()).find_map(|index| {
        let sight = Sight::of(subject, index, sample, steps);
        let counts = sight.counts();
        let off = counts.iter().enumerate().filter_map(|(neuron, &n)| {
            let off = sight.excess(neuron, n, steps)?;
            Some((sight.leaves_at(neuron), -off.abs(), neuron))
        });
        let first = off.min_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        first.map(|(step, _, neuron)| {
            let zin = subject.mean_inputs[index][sample * sight.z.len() + neuron];
            let n = counts[neuron];
            Divergence {
                neuron: NeuronRef { layer: index, sample, neuron },
                step,
                phi: sight.layer.theta_of(neuron) * n as f32 / steps as f32,
                a: sight.layer.activation.apply(sight.z[neuron]),
                cause: Cause::of(sight.layer, neuron, n, sight.z[neuron], zin, steps),
            }
        })
    })
}

/// How many samples first leave the ANN in each layer within `steps` steps.
pub fn first_layers(subject: &Subject<'_>, steps: usize) -> FirstLayers {
    let all = subject.spiking.layers.len();
    let first = |sample: usize| {
        (0..all).position(|index| {
            let sight = Sight::of(subject, index, sample, steps);
            sight.counts().into_iter().enumerate().any(|(neuron, n)| sight.excess(neuron, n, steps).is_some())
        })
    };
    let firsts: Vec<Option<usize>> = (0..subject.recording.samples).into_par_iter().map(first).collect();
    let mut counted = FirstLayers { layers: vec![0; all], never: 0 };
    firsts.into_iter().for_each(|first| match first {
        Some(index) => counted.layers[index] += 1,
        None => counted.never += 1,
    });
    counted
}

impl Cause {
    /// Why `neuron` is off that fired `n` times in `steps` steps, with z in the ANN and ẑ = `zin` on average here.
    fn of(layer: &SpikingLayer, neuron: usize, n: u32, z: f32, zin: f32, steps: usize) -> Self {
        let theta = layer.theta_of(neuron);
        if theta <= 0.0 || z > theta && n as usize >= steps && layer.activation.apply(z) > theta {
            return Self::Clipped { z, theta };
        }
        let p = f64::from(layer.v_init);
        let (due, due_same) = (target_count(z, theta, steps, p), target_count(zin, theta, steps, p));
        if due != due_same {
            return Self::CarriedIn { mean_input: zin, z };
        }
        if n == due {
            return Self::OtherLevels { ann: layer.activation, steps, theta };
        }
        if layer.reset == Reset::Hard && n == count_on_constant(layer, theta, zin, steps) {
            return Self::HardReset { due, fired: n };
        }
        // v(t) = v(0) + charge in − θn
        Self::InputOrder { residual: p + f64::from(zin) * steps as f64 / f64::from(theta) - f64::from(n) }
    }
}

/// Spikes of a neuron of `layer` in `steps` steps of constant input.
fn count_on_constant(layer: &SpikingLayer, theta: f32, input: f32, steps: usize) -> u32 {
    let mut v = layer.v_init * theta;
    let mut fire = || {
        let (spike, after) = step(v, input, theta, layer.reset, layer.tie);
        v = after;
        u32::from(spike)
    };
    (0..steps).map(|_| fire()).sum()
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, phi, a, cause, .. } = self;
        write!(f, "From step {step} on the neuron answers {} where the ANN has {}: {cause}.", short(*phi), short(*a))
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Clipped { theta, .. } if theta <= 0.0 => {
                f.write_str("clipped at θ = 0, because its channel was never active in calibration")
            }
            Self::Clipped { z, theta } => {
                write!(f, "clipped at θ = {}; its z = {} asks for more than a spike a step", short(theta), short(z))
            }
            Self::InputOrder { residual } if residual < 0.0 => {
                write!(f, "input order, negative residual −{:.2} θ, fired too early", -residual)
            }
            Self::InputOrder { residual } => write!(f, "input order, residual {residual:.2} θ, fired too late"),
            Self::HardReset { due, fired } => {
                write!(f, "hard reset, {fired} spikes instead of {due} because what exceeds θ is lost")
            }
            Self::CarriedIn { mean_input, z } => {
                write!(f, "carried in, its mean input is {} where the ANN has {}", short(mean_input), short(z))
            }
            Self::OtherLevels { ann, steps, theta } => write!(
                f,
                "other levels, the ANN has {} and the SNN {steps} steps up to θ = {}",
                ann.describe(),
                short(theta)
            ),
        }
    }
}

/// A value with three significant digits.
fn short(value: f32) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if !(1e-4..1e5).contains(&size) => format!("{value:.2e}"),
        size => format!("{value:.*}", (2 - size.log10().floor() as i32).clamp(0, 6) as usize),
    }
}

#[cfg(test)]
mod tests;
