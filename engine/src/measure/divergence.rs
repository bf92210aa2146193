//! First divergence of a sample from the ANN: layer, neuron, step and cause.
//!
//! A neuron diverges if its error exceeds what quantization explains ([`super::quantization_bound`]). The result names the
//! first layer with such a neuron, and in it the neuron that diverges first. It needs spike counts and mean inputs only.

use std::fmt;
use std::sync::Arc;

use super::quantization_bound::{QuantizationBound, half_level};
use super::run_data::{NeuronRef, RunData};
use crate::convert::{Reset, SpikingLayer, expected_spikes};
use crate::network::Activation;
use crate::simulate::LayerRecording;
use crate::simulate::neuron::Dynamics;

/// The first neuron of a sample that diverges from the ANN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Divergence {
    pub neuron: NeuronRef,
    /// The step (1-based) from which on it diverges: the one after the last step at which its running count equals that of
    /// the same neuron on the constant current z.
    pub step: usize,
    /// φ = θn/t after all t steps, in activation units.
    pub phi: f32,
    /// ANN activation a.
    pub a: f32,
    pub cause: DivergenceCause,
}

/// Why a neuron's error exceeds quantization.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DivergenceCause {
    /// z exceeds the largest output of the neuron, `times` θ, and it fires at every step. θ = 0 if the channel was silent in
    /// calibration.
    Clipped { z: f32, theta: f32, times: usize },
    /// The mean input ẑ has the expected spikes of z, but the neuron fired another count. `residual` is v(t)/θ (θ/m for a
    /// group of m): negative if it fired too early, 1 or more if it fired too late (Hao et al., AAAI 2023).
    InputOrder { residual: f64 },
    /// The count is that of a hard-reset neuron on constant input: each spike discards the potential above θ.
    HardReset { expected: u32, fired: u32 },
    /// The mean input ẑ has other expected spikes than z: the quantization errors of earlier layers add up.
    Propagated { mean_input: f32, z: f32 },
    /// The max pool before the neuron takes the largest of fluctuating currents at each step, `mean_input` in the mean;
    /// of their means it would take `pooled`, nearer to z.
    Pooled { mean_input: f32, pooled: f32 },
    /// A correction silenced the neuron (SRP).
    Silenced { expected: u32 },
    /// A correction (COS) shifted v(0) by this many θ, and thereby the count.
    InitialPotentialShifted { by: f64 },
    /// The count is the expected one, but the ANN's own quantization levels differ from the SNN's.
    LevelMismatch { ann: Activation, steps: usize, theta: f32 },
}

/// Number of samples that first diverge in each layer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FirstLayers {
    /// One count per spiking layer, in network order.
    pub layers: Vec<usize>,
    /// Samples whose errors stay within quantization in all layers.
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
    fn new(data: &RunData<'a>, index: usize, sample: usize, steps: usize) -> Self {
        let layer = &data.spiking.layers[index];
        let neurons = layer.neurons();
        let z = &data.ann.pre_activations[index][sample * neurons..(sample + 1) * neurons];
        Self { layer, record: &data.recording.layers[index], z, sample, steps }
    }

    fn counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.z.len()];
        self.record.spikes.add_counts(self.steps, self.sample, &mut counts);
        counts
    }

    fn bound(&self, neuron: usize, steps: usize) -> QuantizationBound {
        let Self { layer, .. } = self;
        let charge = layer.bias_shift * layer.theta_of(neuron);
        QuantizationBound { amplitude: layer.amplitude_of(neuron), v_init: layer.v_init_of(neuron), charge, steps }
    }

    /// φ − a of `neuron` with `n` spikes in `steps` steps, if that exceeds what quantization explains.
    fn excess_error(&self, neuron: usize, n: u32, steps: usize) -> Option<f64> {
        let (activation, z) = (self.layer.activation, self.z[neuron]);
        let (error, exceeds) = self.bound(neuron, steps).excess(half_level(activation), n, z, activation.apply(z));
        exceeds.then_some(error)
    }

    /// The running count of `neuron` on the constant current `input`, from v(0) before any correction.
    fn constant(&self, neuron: usize, input: f32) -> impl Iterator<Item = u32> + use<> {
        let Self { layer, .. } = self;
        let (theta, shift) = (layer.theta_of(neuron), layer.bias_shift);
        let dynamics = Dynamics::of(layer);
        let (mut v, mut emitted) = (layer.v_init_of(neuron), 0i32);
        std::iter::repeat_with(move || {
            let (count, after) = dynamics.step(v + shift * theta, input, theta, emitted);
            v = after;
            emitted += count;
            emitted.max(0) as u32
        })
        .take(self.steps)
    }

    /// The step from which on `neuron` diverges, 1..=t.
    fn diverges_at(&self, neuron: usize) -> usize {
        let mut n = 0u32;
        let (mut last_equal, mut last_within) = (0, 0);
        for (t, constant) in (1..).zip(self.constant(neuron, self.z[neuron])) {
            n = n.saturating_add_signed(self.record.spikes.value(t - 1, self.sample, neuron));
            if constant == n {
                last_equal = t;
            }
            if self.excess_error(neuron, n, t).is_none() {
                last_within = t;
            }
        }
        // If the count equals that of constant input to the end (clipped, other levels), compare with the ANN's value instead.
        let last = if last_equal == self.steps { last_within } else { last_equal };
        (last + 1).min(self.steps)
    }

    /// Why `neuron`, with `n` spikes and the mean input ẑ = `zin`, diverges; `pooled` is z* behind a max pool.
    fn cause(&self, neuron: usize, n: u32, zin: f32, pooled: Option<f32>) -> DivergenceCause {
        let Self { layer, steps, .. } = *self;
        let (z, theta, amplitude) = (self.z[neuron], layer.theta_of(neuron), layer.amplitude_of(neuron));
        let (saturation, per_step) = (layer.saturation_of(neuron), layer.neuron.max_spikes_per_step());
        let times = if theta > 0.0 { (saturation / theta).round() as usize } else { 1 };
        let saturated = n as usize >= steps * per_step;
        if theta <= 0.0 || z > saturation && saturated && layer.activation.apply(z) > saturation {
            return DivergenceCause::Clipped { z, theta, times };
        }
        let p = self.bound(neuron, steps).phase();
        let expected = expected_spikes(z, amplitude, steps, per_step, p);
        if self.record.silenced(self.sample, neuron) {
            return DivergenceCause::Silenced { expected };
        }
        if expected != expected_spikes(zin, amplitude, steps, per_step, p) {
            let a = |z: f32| layer.activation.apply(z);
            return match pooled {
                Some(pooled) if (a(zin) - a(pooled)).abs() > (a(pooled) - a(z)).abs() => {
                    DivergenceCause::Pooled { mean_input: zin, pooled }
                }
                _ => DivergenceCause::Propagated { mean_input: zin, z },
            };
        }
        if n == expected {
            return DivergenceCause::LevelMismatch { ann: layer.activation, steps, theta };
        }
        if layer.reset == Reset::Hard && self.constant(neuron, zin).last() == Some(n) {
            return DivergenceCause::HardReset { expected, fired: n };
        }
        // v(t) = v(0) + ẑt − θn, with v(0) after any correction.
        let v_init = f64::from(self.record.start_of(layer, self.sample, neuron));
        let by = (v_init - f64::from(layer.v_init_of(neuron))) / f64::from(amplitude);
        let residual = p + by + f64::from(zin) * steps as f64 / f64::from(amplitude) - f64::from(n);
        if by != 0.0 && (0.0..1.0).contains(&residual) {
            DivergenceCause::InitialPotentialShifted { by }
        } else {
            DivergenceCause::InputOrder { residual }
        }
    }
}

/// The first divergence of `sample` within `steps` steps (`1..=recording.steps`); `None` if it never diverges.
/// `mean_input(layer, neuron)` returns the neuron's mean input current over these steps; it is called at most once.
pub fn first_divergence(
    data: &RunData<'_>,
    sample: usize,
    steps: usize,
    mean_input: impl Fn(usize, usize) -> f32,
) -> Option<Divergence> {
    (0..data.spiking.layers.len()).find_map(|index| {
        let run = LayerRun::new(data, index, sample, steps);
        let counts = run.counts();
        let diverging = counts.iter().enumerate().filter_map(|(neuron, &n)| {
            let error = run.excess_error(neuron, n, steps)?;
            Some((run.diverges_at(neuron), -error.abs(), neuron))
        });
        let first = diverging.min_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        first.map(|(step, _, neuron)| {
            let zin = mean_input(index, neuron);
            let n = counts[neuron];
            let pooled = data
                .pooled_means
                .get(index)
                .and_then(|m| m.get((sample - data.first_mean) * counts.len() + neuron))
                .copied();
            Divergence {
                neuron: NeuronRef { layer: index, sample, neuron },
                step,
                phi: run.layer.amplitude_of(neuron) * n as f32 / steps as f32,
                a: run.layer.activation.apply(run.z[neuron]),
                cause: run.cause(neuron, n, zin, pooled),
            }
        })
    })
}

impl FirstLayers {
    /// Counts over `samples` samples. `diverging` holds those that diverge in each layer, in ascending order.
    pub(super) fn from_diverging(diverging: &[Arc<Vec<usize>>], samples: usize) -> Self {
        let mut counted = Self { layers: vec![0; diverging.len()], never: 0 };
        for sample in 0..samples {
            match diverging.iter().position(|samples| samples.binary_search(&sample).is_ok()) {
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
        let (phi, a) = (format_short(*phi), format_short(*a));
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
                write!(f, "clipped at {times}θ, θ = {}; its z = {} is larger", format_short(theta), format_short(z))
            }
            Self::InputOrder { residual } if residual < 0.0 => {
                write!(f, "unevenness, residual potential −{:.2} θ, fired too early", -residual)
            }
            Self::InputOrder { residual } => {
                write!(f, "unevenness, residual potential {residual:.2} θ, fired too late")
            }
            Self::HardReset { expected, fired } => {
                write!(f, "hard reset, {fired} spikes instead of {expected} because the remainder above θ is lost")
            }
            Self::Propagated { mean_input, z } => {
                write!(
                    f,
                    "propagated error, its mean input is {} where the ANN has {}",
                    format_short(mean_input),
                    format_short(z)
                )
            }
            Self::Pooled { mean_input, pooled } => write!(
                f,
                "max pooling, the pool takes the largest of fluctuating currents at each step, {} in the mean, where the \
                 largest mean current is {}",
                format_short(mean_input),
                format_short(pooled)
            ),
            Self::Silenced { expected } => {
                write!(f, "silenced by SRP, which suppresses the {expected} expected spikes")
            }
            Self::InitialPotentialShifted { by } => write!(f, "overcorrected, COS shifted its v(0) by {by:+.2} θ"),
            Self::LevelMismatch { ann, steps, theta } => write!(
                f,
                "other levels, the ANN has {} and the SNN {steps} steps up to θ = {}",
                ann.describe(),
                format_short(theta)
            ),
        }
    }
}

/// A value with three significant digits.
fn format_short(value: f32) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if !(1e-4..1e5).contains(&size) => format!("{value:.2e}"),
        size => format!("{value:.*}", (2 - size.log10().floor() as i32).clamp(0, 6) as usize),
    }
}

#[cfg(test)]
mod tests;
