//! Initial potential: error of a layer against v(0), in theory, over calibration activations and in the run.
//!
//! Theory is the expectation of optimal initialization (OPI; Bu et al., AAAI 2022). Errors are φ − clip(z, 0, θ) over
//! activations in (0, θ), in activation units: zero and clipped activations do not depend on v(0). For other neuron models
//! v(0) is in their amplitude u (θ/m for a group of m), which replaces θ; the range ends at their largest output.

use rayon::prelude::*;

use super::run_data::RunData;
use crate::Result;
use crate::convert::calibration_source::SortedValues;
use crate::convert::threshold_error::sample_quantiles;
use crate::convert::{ActivationQuantiles, ActivationStatistics, SpikingLayer, TieRule, expected_spikes};
use crate::progress::JobControl;
use crate::simulate::LayerRecording;
use crate::simulate::neuron::Dynamics;

/// Evaluated fractions v(0)/θ lie 1/50 apart.
const FRACTIONS: usize = 50;
/// Fractions v(0)/θ for which a sample's input is replayed lie 1/20 apart.
const REPLAY_FRACTIONS: usize = 20;
/// Maximum number of neuron steps of a replay; of larger layers every k-th neuron is replayed.
const MAX_REPLAY_STEPS: usize = 1 << 23;
/// Maximum number of evaluated activations, split between the channels if each has its own threshold.
const MAX_ACTIVATIONS: usize = 8192;

/// Mean error and mean squared error over some activations.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Errors {
    /// `E[e]`, in activation units.
    pub mean: f64,
    /// `E[e²]`, in activation units squared.
    pub square: f64,
}

/// Both errors at one initial potential.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expected {
    /// v(0)/θ
    pub p: f64,
    /// For activations uniform in (0, θ).
    pub theory: Errors,
    /// For the calibration activations, with constant input.
    pub measured: Errors,
}

/// One layer's errors against v(0)/θ, after t steps.
#[derive(Clone, Debug, PartialEq)]
pub struct InitialPotentialErrors {
    /// The step t that the errors are for.
    pub steps: usize,
    /// p = 0, 0.02 .. 1; empty if no calibration activation lies in (0, θ).
    pub curve: Vec<Expected>,
    /// Fraction of the calibration activations in (0, θ).
    pub inside: f64,
    /// v(0)/θ in the run; the mean over the neurons in `run` if they differ.
    pub p: f64,
    /// The run's errors over neurons × samples with z in (0, θ), including input order and propagated errors. `None` if
    /// there are none.
    pub run: Option<Errors>,
    /// The same over all neurons × samples, including z at or below zero and above θ.
    pub run_all: Option<Errors>,
    /// The errors of one sample at p = 0, 0.05 .. 1, with the layer's input currents of the run.
    pub replayed: Vec<(f64, Errors)>,
}

/// Weighted sums of errors.
#[derive(Clone, Copy, Default)]
struct ErrorSums {
    weight: f64,
    sum: f64,
    squares: f64,
}

impl ErrorSums {
    fn add(&mut self, error: f64, weight: f64) {
        self.weight += weight;
        self.sum += weight * error;
        self.squares += weight * error * error;
    }
    fn merge(self, other: Self) -> Self {
        Self { weight: self.weight + other.weight, sum: self.sum + other.sum, squares: self.squares + other.squares }
    }
    fn errors(self) -> Option<Errors> {
        (self.weight > 0.0).then(|| Errors { mean: self.sum / self.weight, square: self.squares / self.weight })
    }
}

impl InitialPotentialErrors {
    /// Errors of spiking layer `index` after `steps` steps. `currents` are the layer's input currents for `sample`,
    /// `[T, F]`.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`] once `control` is cancelled.
    pub fn new(
        data: &RunData<'_>,
        statistics: &ActivationStatistics,
        index: usize,
        sample: usize,
        currents: &[f32],
        steps: usize,
        control: &JobControl,
    ) -> Result<Self> {
        let (layer, record) = (&data.spiking.layers[index], &data.recording.layers[index]);
        let groups = groups(statistics, layer);
        let per_step = layer.neuron.max_spikes_per_step();
        // Loads what the calibration did not keep.
        groups.iter().try_for_each(|(set, _)| set.sorted(control).map(drop))?;
        let below = |(set, amplitude): &(&ActivationQuantiles, f32)| {
            below_saturation(&sorted(set), amplitude * per_step as f32).len()
        };
        let inside: usize = groups.iter().map(below).sum();
        let errors_of_run = run_errors(data, index, steps);
        let span = sample * layer.neurons()..(sample + 1) * layer.neurons();
        let z = &data.ann.pre_activations[index][span];
        Ok(Self {
            steps,
            curve: expected(&groups, Dynamics::of(layer), steps),
            inside: inside as f64 / statistics.layer.len().max(1) as f64,
            p: errors_of_run.p.unwrap_or(f64::from(layer.v_init)),
            run: errors_of_run.inside,
            run_all: errors_of_run.all,
            replayed: replayed(layer, record, sample, currents, z, steps),
        })
    }

    /// The p with the smallest `E[e²]` over the calibration activations; of equal ones the nearest to one half.
    pub fn best(&self) -> Option<f64> {
        argmin_square(self.curve.iter().map(|point| (point.p, point.measured)))
    }

    /// The p at which `E[e]` over the calibration activations is zero, interpolated between two points of the curve.
    pub fn unbiased(&self) -> Option<f64> {
        // Counts grow with p, so the mean error grows too.
        let above = self.curve.iter().position(|point| point.measured.mean >= 0.0)?;
        let high = self.curve[above];
        let Some(low) = above.checked_sub(1).map(|low| self.curve[low]) else { return Some(high.p) };
        let share = -low.measured.mean / (high.measured.mean - low.measured.mean);
        Some(low.p + (high.p - low.p) * share)
    }

    /// The p with the smallest `E[e²]` for the input currents of the run.
    pub fn best_replayed(&self) -> Option<f64> {
        argmin_square(self.replayed.iter().copied())
    }

    /// The curve's point nearest to `p`.
    pub fn at(&self, p: f64) -> Option<Expected> {
        self.curve.get((p.clamp(0.0, 1.0) * FRACTIONS as f64).round() as usize).copied()
    }
}

fn argmin_square(points: impl Iterator<Item = (f64, Errors)>) -> Option<f64> {
    let off = |p: f64| (p - 0.5).abs();
    points.min_by(|a, b| a.1.square.total_cmp(&b.1.square).then(off(a.0).total_cmp(&off(b.0)))).map(|(p, _)| p)
}

/// OPI's expectation for z uniform in (0, θ) and v(0) = pθ after `steps` steps of constant input (Bu et al., AAAI 2022):
/// `E[e]` = (θ/T)(p − ½), `E[e²]` = (θ/T)²((p − ½)² + 1/12).
pub fn theory(theta: f64, steps: usize, p: f64) -> Errors {
    let (step, off) = (theta / steps as f64, p - 0.5);
    Errors { mean: step * off, square: step * step * (off * off + 1.0 / 12.0) }
}

/// The activations that share a threshold, with the neuron's amplitude there: the layer's, or those of each channel.
pub fn groups<'a>(statistics: &'a ActivationStatistics, layer: &SpikingLayer) -> Vec<(&'a ActivationQuantiles, f32)> {
    match layer.theta[..] {
        [theta] => vec![(&statistics.layer, layer.neuron.amplitude(theta))],
        _ => statistics.channels.iter().zip(layer.theta.iter().map(|&theta| layer.neuron.amplitude(theta))).collect(),
    }
}

/// The activations in (0, saturation), ascending.
fn below_saturation(sorted: &[f32], saturation: f32) -> &[f32] {
    &sorted[..sorted.partition_point(|&z| z < saturation)]
}

/// The activations of a group above zero, ascending.
fn sorted(set: &ActivationQuantiles) -> SortedValues {
    set.sorted(&JobControl::default()).unwrap_or_default()
}

/// Theory and measurement at p = 0, 0.02 .. 1 over all `groups` of activations with their amplitudes. Empty if no activation lies below saturation. Evaluates at most `MAX_ACTIVATIONS`
/// representative activations.
pub fn expected(groups: &[(&ActivationQuantiles, f32)], dynamics: Dynamics, steps: usize) -> Vec<Expected> {
    let groups = pick_representatives(groups, dynamics.neuron.max_spikes_per_step());
    let at = |k: usize| expected_at(&groups, dynamics, steps, k as f64 / FRACTIONS as f64);
    (0..=FRACTIONS).into_par_iter().filter_map(at).collect()
}

/// Representative activations of one group below saturation.
struct RepresentativeActivations {
    values: Vec<f32>,
    /// Number of activations that each value represents.
    weight: f64,
    amplitude: f32,
}

fn pick_representatives(groups: &[(&ActivationQuantiles, f32)], per_step: usize) -> Vec<RepresentativeActivations> {
    let max_values = (MAX_ACTIVATIONS / groups.len().max(1)).max(64);
    let pick = |&(set, amplitude): &(&ActivationQuantiles, f32)| {
        let sorted = sorted(set);
        let inside = below_saturation(&sorted, amplitude * per_step as f32);
        let values = sample_quantiles(inside, max_values);
        RepresentativeActivations { weight: inside.len() as f64 / values.len().max(1) as f64, values, amplitude }
    };
    groups.iter().map(pick).collect()
}

fn expected_at(groups: &[RepresentativeActivations], dynamics: Dynamics, steps: usize, p: f64) -> Option<Expected> {
    // With all charge kept the count is the staircase itself.
    let is_staircase =
        dynamics.keeps_charge() && dynamics.tie == TieRule::Ge || !dynamics.neuron.integrates_and_fires();
    let count = |z: f32, amplitude: f32| {
        if is_staircase {
            expected_spikes(z, amplitude, steps, dynamics.neuron.max_spikes_per_step(), p)
        } else {
            dynamics.count_on_constant(z, amplitude, p as f32 * amplitude, steps)
        }
    };
    let (mut theoretical, mut measured) = (ErrorSums::default(), ErrorSums::default());
    for RepresentativeActivations { values, weight, amplitude } in groups {
        let all = weight * values.len() as f64;
        let Errors { mean, square } = theory(f64::from(*amplitude), steps, p);
        theoretical = theoretical.merge(ErrorSums { weight: all, sum: all * mean, squares: all * square });
        for &z in values {
            let count = f64::from(count(z, *amplitude));
            measured.add(f64::from(*amplitude) / steps as f64 * count - f64::from(z), *weight);
        }
    }
    Some(Expected { p, theory: theoretical.errors()?, measured: measured.errors()? })
}

/// The errors of one layer in a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunErrors {
    /// Over neurons × samples with z in (0, saturation).
    pub inside: Option<Errors>,
    /// Over all neurons × samples.
    pub all: Option<Errors>,
    /// Mean v(0) of those in the range, in amplitudes of the neuron.
    pub p: Option<f64>,
}

/// Errors φ − clip(z, 0, saturation) of spiking layer `index` in the run after `steps` steps.
pub fn run_errors(data: &RunData<'_>, index: usize, steps: usize) -> RunErrors {
    let (layer, record) = (&data.spiking.layers[index], &data.recording.layers[index]);
    let amplitudes = layer.amplitudes();
    let one = |sample: usize| {
        let z = &data.ann.pre_activations[index][sample * amplitudes.len()..(sample + 1) * amplitudes.len()];
        let mut counts = vec![0; amplitudes.len()];
        record.spikes.add_counts(steps, sample, &mut counts);
        let mut sums = [ErrorSums::default(); 3];
        for (neuron, ((&z, &n), &amplitude)) in z.iter().zip(&counts).zip(&amplitudes).enumerate() {
            let saturation = amplitude * layer.neuron.max_spikes_per_step() as f32;
            let phi = f64::from(amplitude) * f64::from(n) / steps as f64;
            let error = phi - f64::from(z.clamp(0.0, saturation.max(0.0)));
            sums[1].add(error, 1.0);
            if 0.0 < z && z < saturation {
                sums[0].add(error, 1.0);
                sums[2].add(f64::from(record.start_of(layer, sample, neuron)) / f64::from(amplitude), 1.0);
            }
        }
        sums
    };
    // Merged in order, so that the sums do not depend on threads.
    let parts: Vec<[ErrorSums; 3]> = (0..data.recording.samples).into_par_iter().map(one).collect();
    let sum = |k: usize| parts.iter().map(|part| part[k]).fold(ErrorSums::default(), ErrorSums::merge).errors();
    let is_uniform = layer.v_init_values.is_none() && record.v_init.is_none();
    let p = if is_uniform { Some(f64::from(layer.v_init)) } else { sum(2).map(|starts| starts.mean) };
    RunErrors { inside: sum(0), all: sum(1), p }
}

/// Errors of the neurons of `sample` with z in (0, saturation) at p = 0, 0.05 .. 1, for the input currents `currents` of the
/// run (`[T, F]`, at least `steps` steps). Earlier layers stay unchanged. Empty if there is no such neuron.
pub fn replayed(
    layer: &SpikingLayer,
    record: &LayerRecording,
    sample: usize,
    currents: &[f32],
    z: &[f32],
    steps: usize,
) -> Vec<(f64, Errors)> {
    let neurons = layer.neurons();
    let stride = (neurons * steps * (REPLAY_FRACTIONS + 1)).div_ceil(MAX_REPLAY_STEPS).max(1);
    let dynamics = Dynamics::of(layer);
    let p = |k: usize| k as f64 / REPLAY_FRACTIONS as f64;
    let mut sums = [ErrorSums::default(); REPLAY_FRACTIONS + 1];
    for neuron in (0..neurons).step_by(stride) {
        let (theta, amplitude, z) = (layer.theta_of(neuron), layer.amplitude_of(neuron), z[neuron]);
        // A neuron that a correction silences stays silent for every v(0).
        if !(0.0 < z && z < layer.saturation_of(neuron)) || record.silenced(sample, neuron) {
            continue;
        }
        let mut v: [f32; REPLAY_FRACTIONS + 1] = std::array::from_fn(|k| p(k) as f32 * amplitude);
        let mut counts = [0i32; REPLAY_FRACTIONS + 1];
        for &current in currents.iter().skip(neuron).step_by(neurons.max(1)).take(steps) {
            for (v, n) in v.iter_mut().zip(&mut counts) {
                let (emitted, after) = dynamics.step(*v + layer.bias_shift * theta, current, theta, *n);
                *v = after;
                *n += emitted;
            }
        }
        for (sums_at_p, n) in sums.iter_mut().zip(counts) {
            sums_at_p.add(f64::from(amplitude) * f64::from(n) / steps as f64 - f64::from(z), 1.0);
        }
    }
    sums.iter().enumerate().filter_map(|(k, sums_at_p)| Some((p(k), sums_at_p.errors()?))).collect()
}

#[cfg(test)]
mod tests;
