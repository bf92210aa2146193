//! Where a sample first leaves the ANN: the first layer with a neuron that is off by more than quantization explains, the
//! neuron of it that leaves first, and why. Decided from counts and mean inputs alone.

use std::fmt;
use std::sync::Arc;

use super::quantization_bound::{QuantizationBound, half_level};
use super::run_data::{NeuronRef, RunData};
use crate::convert::{Reset, SpikingLayer, expected_spikes};
use crate::network::Activation;
use crate::simulate::LayerRecording;
use crate::simulate::neuron::Dynamics;

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
    pub cause: DivergenceCause,
}

/// Why a neuron is off by more than quantization.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DivergenceCause {
    /// z is above the most that the neuron can answer, `times` θ, and it fires at every step. θ = 0 where the channel was
    /// silent in calibration.
    Clipped { z: f32, theta: f32, times: usize },
    /// The mean input ẑ asks for as many spikes as z does, but they did not come out: `residual` is v(t)/θ (θ/m for a group
    /// of m), negative when it fired too early, 1 or more when it fired too late (Hao et al., AAAI 2023).
    InputOrder { residual: f64 },
    /// The count is that of a hard-reset neuron on constant input: each spike throws away what exceeds θ.
    HardReset { due: u32, fired: u32 },
    /// The mean input ẑ asks for another count than z does: the layers before, each within its quantization, add up.
    Propagated { mean_input: f32, z: f32 },
    /// A correction silenced the neuron (SRP).
    Silenced { due: u32 },
    /// A correction moved v(0) by this many θ, and by that the count (COS).
    InitialPotentialShifted { by: f64 },
    /// The count is right, but the ANN's own levels are not the SNN's.
    LevelMismatch { ann: Activation, steps: usize, theta: f32 },
}

/// How many samples first leave the ANN in each layer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FirstLayers {
    /// One count per spiking layer, in network order.
    pub layers: Vec<usize>,
    /// Samples that stay within quantization in all layers.
    pub never: usize,
}

/// One layer for one sample after t steps.
struct LayerRun<'a> {
    layer: &'a SpikingLayer,
    record: &'a LayerRecording,
    z: &'a [f32],
    sample: usize,
    steps: usize,
}

impl<'a> LayerRun<'a> {
    fn of(subject: &RunData<'a>, index: usize, sample: usize, steps: usize) -> Self {
        let layer = &subject.spiking.layers[index];
        let neurons = layer.neurons();
        let z = &subject.ann.pre_activations[index][sample * neurons..(sample + 1) * neurons];
        Self { layer, record: &subject.recording.layers[index], z, sample, steps }
    }

    fn counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.z.len()];
        self.record.spikes.add_counts(self.steps, self.sample, &mut counts);
        counts
    }

    fn place(&self, neuron: usize, steps: usize) -> QuantizationBound {
        let Self { layer, .. } = self;
        let charge = layer.bias_shift * layer.theta_of(neuron);
        QuantizationBound { unit: layer.amplitude_of(neuron), v_init: layer.v_init_of(neuron), charge, steps }
    }

    /// φ − a of `neuron` with `n` spikes in `steps` steps, when that is more than quantization explains.
    fn excess(&self, neuron: usize, n: u32, steps: usize) -> Option<f64> {
        let (activation, z) = (self.layer.activation, self.z[neuron]);
        let (off, more) = self.place(neuron, steps).excess(half_level(activation), n, z, activation.apply(z));
        more.then_some(off)
    }

    /// The running count of `neuron` on the constant current `input`, from v(0) before any correction.
    fn constant(&self, neuron: usize, input: f32) -> impl Iterator<Item = u32> + use<> {
        let Self { layer, .. } = self;
        let (theta, shift) = (layer.theta_of(neuron), layer.bias_shift);
        let dynamics = Dynamics { neuron: layer.neuron, reset: layer.reset, tie: layer.tie };
        let (mut v, mut sent) = (layer.v_init_of(neuron), 0i32);
        std::iter::repeat_with(move || {
            let (count, after) = dynamics.step(v + shift * theta, input, theta, sent);
            v = after;
            sent += count;
            sent.max(0) as u32
        })
        .take(self.steps)
    }

    /// The step from which on `neuron` is off, 1..=t.
    fn leaves_at(&self, neuron: usize) -> usize {
        let mut n = 0u32;
        let (mut last_equal, mut last_within) = (0, 0);
        for (t, even) in (1..).zip(self.constant(neuron, self.z[neuron])) {
            n = n.saturating_add_signed(self.record.spikes.value(t - 1, self.sample, neuron));
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

    /// Why `neuron` is off that fired `n` times, with ẑ = `zin` on average.
    fn cause(&self, neuron: usize, n: u32, zin: f32) -> DivergenceCause {
        let Self { layer, steps, .. } = *self;
        let (z, theta, unit) = (self.z[neuron], layer.theta_of(neuron), layer.amplitude_of(neuron));
        let (ceiling, per_step) = (layer.saturation_of(neuron), layer.neuron.max_spikes_per_step());
        let times = if theta > 0.0 { (ceiling / theta).round() as usize } else { 1 };
        let saturated = n as usize >= steps * per_step;
        if theta <= 0.0 || z > ceiling && saturated && layer.activation.apply(z) > ceiling {
            return DivergenceCause::Clipped { z, theta, times };
        }
        let p = self.place(neuron, steps).phase();
        let due = expected_spikes(z, unit, steps, per_step, p);
        if self.record.silenced(self.sample, neuron) {
            return DivergenceCause::Silenced { due };
        }
        if due != expected_spikes(zin, unit, steps, per_step, p) {
            return DivergenceCause::Propagated { mean_input: zin, z };
        }
        if n == due {
            return DivergenceCause::LevelMismatch { ann: layer.activation, steps, theta };
        }
        if layer.reset == Reset::Hard && self.constant(neuron, zin).last() == Some(n) {
            return DivergenceCause::HardReset { due, fired: n };
        }
        // v(t) = v(0) + charge in − θn, from v(0) as a correction left it.
        let start = f64::from(self.record.start_of(layer, self.sample, neuron));
        let by = (start - f64::from(layer.v_init_of(neuron))) / f64::from(unit);
        let residual = p + by + f64::from(zin) * steps as f64 / f64::from(unit) - f64::from(n);
        if by != 0.0 && (0.0..1.0).contains(&residual) {
            DivergenceCause::InitialPotentialShifted { by }
        } else {
            DivergenceCause::InputOrder { residual }
        }
    }
}

/// Where `sample` first leaves the ANN within `steps` steps (`1..=recording.steps`); `None` when it never does.
/// `mean_input(layer, neuron)` is the neuron's mean input current over these steps; it is asked for once at most.
pub fn first_divergence(
    subject: &RunData<'_>,
    sample: usize,
    steps: usize,
    mean_input: impl Fn(usize, usize) -> f32,
) -> Option<Divergence> {
    (0..subject.spiking.layers.len()).find_map(|index| {
        let sight = LayerRun::of(subject, index, sample, steps);
        let counts = sight.counts();
        let off = counts.iter().enumerate().filter_map(|(neuron, &n)| {
            let off = sight.excess(neuron, n, steps)?;
            Some((sight.leaves_at(neuron), -off.abs(), neuron))
        });
        let first = off.min_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        first.map(|(step, _, neuron)| {
            let zin = mean_input(index, neuron);
            let n = counts[neuron];
            Divergence {
                neuron: NeuronRef { layer: index, sample, neuron },
                step,
                phi: sight.layer.amplitude_of(neuron) * n as f32 / steps as f32,
                a: sight.layer.activation.apply(sight.z[neuron]),
                cause: sight.cause(neuron, n, zin),
            }
        })
    })
}

impl FirstLayers {
    /// From which of `samples` samples leave the ANN in each layer, in ascending order.
    pub(super) fn of(leaving: &[Arc<Vec<usize>>], samples: usize) -> Self {
        let mut counted = Self { layers: vec![0; leaving.len()], never: 0 };
        for sample in 0..samples {
            match leaving.iter().position(|samples| samples.binary_search(&sample).is_ok()) {
                Some(index) => counted.layers[index] += 1,
                None => counted.never += 1,
            }
        }
        counted
    }
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, phi, a, cause, .. } = self;
        let (phi, a) = (short(*phi), short(*a));
        write!(f, "the neuron's output is {phi} where the ANN has {a}: {cause}. It diverges for good at step {step}.")
    }
}

impl fmt::Display for DivergenceCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Clipped { theta, .. } if theta <= 0.0 => {
                f.write_str("clipped at θ = 0, because its channel was never active in calibration")
            }
            Self::Clipped { z, theta, times } => {
                let times = if times > 1 { format!("{times} ") } else { String::new() };
                write!(f, "clipped at {times}θ, θ = {}; its z = {} is larger", short(theta), short(z))
            }
            Self::InputOrder { residual } if residual < 0.0 => {
                write!(f, "unevenness, residual potential −{:.2} θ, fired too early", -residual)
            }
            Self::InputOrder { residual } => {
                write!(f, "unevenness, residual potential {residual:.2} θ, fired too late")
            }
            Self::HardReset { due, fired } => {
                write!(f, "hard reset, {fired} spikes instead of {due} because the remainder above θ is lost")
            }
            Self::Propagated { mean_input, z } => {
                write!(f, "propagated error, its mean input is {} where the ANN has {}", short(mean_input), short(z))
            }
            Self::Silenced { due } => write!(f, "silenced by SRP, which suppresses the {due} expected spikes"),
            Self::InitialPotentialShifted { by } => write!(f, "overcorrected, COS shifted its v(0) by {by:+.2} θ"),
            Self::LevelMismatch { ann, steps, theta } => write!(
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
