//! What the initial potential does to the error: OPI's expectation over the calibration activations, beside its theory and
//! beside what a run really made (Bu et al., AAAI 2022). Errors are φ − clip(z, 0, θ) over activations in (0, θ), in
//! activation units: zeros and what is clipped have no share in the question. For relatives of the plain neuron v(0) is
//! counted in their units u (θ/m for a group of m), which take the place of θ, and the most that they can answer ends the
//! range.

use rayon::prelude::*;

use super::run_data::RunData;
use crate::convert::threshold_error::sample_quantiles;
use crate::convert::{ActivationQuantiles, ActivationStatistics, SpikingLayer, expected_spikes};
use crate::simulate::LayerRecording;
use crate::simulate::neuron::Dynamics;

/// Fractions v(0)/θ that are looked at lie 1/50 apart.
const FRACTIONS: usize = 50;
/// Fractions that a sample's input is replayed for lie 1/20 apart.
const REPLAYED: usize = 20;
/// Single steps that replaying may take; of larger layers every k-th neuron is replayed.
const REPLAY_STEPS: usize = 1 << 23;
/// Activations looked at in all, shared between the channels where each has its threshold.
const QUANTILES: usize = 8192;

/// Error and squared error of some activations, on average.
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
    /// For activations spread evenly over (0, θ).
    pub theory: Errors,
    /// For the calibration activations, with inputs that arrive evenly.
    pub measured: Errors,
}

/// One layer's errors against v(0)/θ, after t steps.
#[derive(Clone, Debug, PartialEq)]
pub struct InitialPotentialErrors {
    /// The step t that the errors are for.
    pub steps: usize,
    /// p = 0, 0.02 .. 1; empty when no calibration activation lies in (0, θ).
    pub curve: Vec<Expected>,
    /// Share of the calibration activations that lie in (0, θ).
    pub inside: f64,
    /// v(0)/θ in the run; the mean over the neurons in `run` where they differ.
    pub p: f64,
    /// The run's own errors over neurons × samples with z in (0, θ): inputs as they came, errors carried in. `None` when
    /// there are none.
    pub run: Option<Errors>,
    /// The same over all neurons × samples, with what is at or below zero and above θ.
    pub run_all: Option<Errors>,
    /// The errors of one sample at p = 0, 0.05 .. 1 with the layer's input as it came in the run.
    pub replayed: Vec<(f64, Errors)>,
}

/// Sums of errors, with weights.
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
    /// The view of spiking layer `index` after `steps` steps. `currents` are the layer's input currents for `sample`,
    /// `[T, F]`.
    pub fn of(
        subject: &RunData<'_>,
        statistics: &ActivationStatistics,
        index: usize,
        sample: usize,
        currents: &[f32],
        steps: usize,
    ) -> Self {
        let (layer, record) = (&subject.spiking.layers[index], &subject.recording.layers[index]);
        let groups = groups(statistics, layer);
        let per_step = layer.neuron.max_spikes_per_step();
        let inside: usize = groups.iter().map(|(sorted, unit)| below(sorted, unit * per_step as f32).len()).sum();
        let own = of_run(subject, index, steps);
        let span = sample * layer.neurons()..(sample + 1) * layer.neurons();
        let z = &subject.ann.pre_activations[index][span];
        Self {
            steps,
            curve: expected(&groups, per_step, steps),
            inside: inside as f64 / statistics.layer.len().max(1) as f64,
            p: own.p.unwrap_or(f64::from(layer.v_init)),
            run: own.inside,
            run_all: own.all,
            replayed: replayed(layer, record, sample, currents, z, steps),
        }
    }

    /// The p at which `E[e²]` of the calibration activations is least; of equals the one nearest one half.
    pub fn best(&self) -> Option<f64> {
        least(self.curve.iter().map(|point| (point.p, point.measured)))
    }

    /// The p at which `E[e]` of the calibration activations vanishes, between two points of the curve.
    pub fn unbiased(&self) -> Option<f64> {
        // Counts grow with p, so the mean error does.
        let above = self.curve.iter().position(|point| point.measured.mean >= 0.0)?;
        let high = self.curve[above];
        let Some(low) = above.checked_sub(1).map(|low| self.curve[low]) else { return Some(high.p) };
        let share = -low.measured.mean / (high.measured.mean - low.measured.mean);
        Some(low.p + (high.p - low.p) * share)
    }

    /// The p at which `E[e²]` is least with the input as it came.
    pub fn best_replayed(&self) -> Option<f64> {
        least(self.replayed.iter().copied())
    }

    /// The curve's point nearest to `p`.
    pub fn at(&self, p: f64) -> Option<Expected> {
        self.curve.get((p.clamp(0.0, 1.0) * FRACTIONS as f64).round() as usize).copied()
    }
}

fn least(points: impl Iterator<Item = (f64, Errors)>) -> Option<f64> {
    let off = |p: f64| (p - 0.5).abs();
    points.min_by(|a, b| a.1.square.total_cmp(&b.1.square).then(off(a.0).total_cmp(&off(b.0)))).map(|(p, _)| p)
}

/// OPI's expectation for z uniform in (0, θ) and v(0) = pθ after `steps` steps of even input (Bu et al., AAAI 2022):
/// `E[e]` = (θ/T)(p − ½), `E[e²]` = (θ/T)²((p − ½)² + 1/12).
pub fn theory(theta: f64, steps: usize, p: f64) -> Errors {
    let (unit, off) = (theta / steps as f64, p - 0.5);
    Errors { mean: unit * off, square: unit * unit * (off * off + 1.0 / 12.0) }
}

/// The activations that share a threshold, with the neuron's unit there: the layer's, or those of each channel.
pub fn groups<'a>(statistics: &'a ActivationStatistics, layer: &SpikingLayer) -> Vec<(&'a ActivationQuantiles, f32)> {
    match layer.theta[..] {
        [theta] => vec![(&statistics.layer, layer.neuron.amplitude(theta))],
        _ => statistics.channels.iter().zip(layer.theta.iter().map(|&theta| layer.neuron.amplitude(theta))).collect(),
    }
}

/// The activations in (0, ceiling), ascending.
fn below(sorted: &ActivationQuantiles, ceiling: f32) -> &[f32] {
    &sorted.positive[..sorted.positive.partition_point(|&z| z < ceiling)]
}

/// Theory and measurement at p = 0, 0.02 .. 1 over all `groups` of activations with their units, for neurons of at most
/// `max_spikes_per_step` counts a step; empty when nothing lies below the ceiling. At most `QUANTILES` representative activations are
/// looked at.
pub fn expected(groups: &[(&ActivationQuantiles, f32)], per_step: usize, steps: usize) -> Vec<Expected> {
    let groups = picked(groups, per_step);
    let at = |k: usize| expected_at(&groups, per_step, steps, k as f64 / FRACTIONS as f64);
    (0..=FRACTIONS).into_par_iter().filter_map(at).collect()
}

/// Representative activations of one group below its ceiling.
struct Picked {
    values: Vec<f32>,
    /// Activations that each value stands for.
    weight: f64,
    unit: f32,
}

fn picked(groups: &[(&ActivationQuantiles, f32)], per_step: usize) -> Vec<Picked> {
    let most = (QUANTILES / groups.len().max(1)).max(64);
    let pick = |&(sorted, unit): &(&ActivationQuantiles, f32)| {
        let inside = below(sorted, unit * per_step as f32);
        let values = sample_quantiles(inside, most);
        Picked { weight: inside.len() as f64 / values.len().max(1) as f64, values, unit }
    };
    groups.iter().map(pick).collect()
}

fn expected_at(groups: &[Picked], per_step: usize, steps: usize, p: f64) -> Option<Expected> {
    let (mut even, mut measured) = (ErrorSums::default(), ErrorSums::default());
    for Picked { values, weight, unit } in groups {
        let all = weight * values.len() as f64;
        let Errors { mean, square } = theory(f64::from(*unit), steps, p);
        even = even.merge(ErrorSums { weight: all, sum: all * mean, squares: all * square });
        for &z in values {
            let count = f64::from(expected_spikes(z, *unit, steps, per_step, p));
            measured.add(f64::from(*unit) / steps as f64 * count - f64::from(z), *weight);
        }
    }
    Some(Expected { p, theory: even.errors()?, measured: measured.errors()? })
}

/// The errors of one layer in a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OfRun {
    /// Over neurons × samples with z in (0, ceiling).
    pub inside: Option<Errors>,
    /// Over all.
    pub all: Option<Errors>,
    /// Mean v(0) of those inside, in units of the neuron.
    pub p: Option<f64>,
}

/// Errors φ − clip(z, 0, ceiling) of spiking layer `index` in the run after `steps` steps.
pub fn of_run(subject: &RunData<'_>, index: usize, steps: usize) -> OfRun {
    let (layer, record) = (&subject.spiking.layers[index], &subject.recording.layers[index]);
    let units = layer.amplitudes();
    let one = |sample: usize| {
        let z = &subject.ann.pre_activations[index][sample * units.len()..(sample + 1) * units.len()];
        let mut counts = vec![0; units.len()];
        record.spikes.add_counts(steps, sample, &mut counts);
        let mut tallies = [ErrorSums::default(); 3];
        for (neuron, ((&z, &n), &unit)) in z.iter().zip(&counts).zip(&units).enumerate() {
            let ceiling = unit * layer.neuron.max_spikes_per_step() as f32;
            let phi = f64::from(unit) * f64::from(n) / steps as f64;
            let error = phi - f64::from(z.clamp(0.0, ceiling.max(0.0)));
            tallies[1].add(error, 1.0);
            if 0.0 < z && z < ceiling {
                tallies[0].add(error, 1.0);
                tallies[2].add(f64::from(record.start_of(layer, sample, neuron)) / f64::from(unit), 1.0);
            }
        }
        tallies
    };
    // Merged in order, so that the sums do not depend on threads.
    let parts: Vec<[ErrorSums; 3]> = (0..subject.recording.samples).into_par_iter().map(one).collect();
    let sum = |k: usize| parts.iter().map(|part| part[k]).fold(ErrorSums::default(), ErrorSums::merge).errors();
    let same = layer.v_init_values.is_none() && record.v_init.is_none();
    let p = if same { Some(f64::from(layer.v_init)) } else { sum(2).map(|starts| starts.mean) };
    OfRun { inside: sum(0), all: sum(1), p }
}

/// Errors of the neurons of `sample` with z in (0, ceiling) at p = 0, 0.05 .. 1, when the layer's input comes as in
/// `currents` (`[T, F]`, at least `steps` steps) and everything before the layer stays as it was. Empty when there is no
/// such neuron.
pub fn replayed(
    layer: &SpikingLayer,
    record: &LayerRecording,
    sample: usize,
    currents: &[f32],
    z: &[f32],
    steps: usize,
) -> Vec<(f64, Errors)> {
    let neurons = layer.neurons();
    let stride = (neurons * steps * (REPLAYED + 1)).div_ceil(REPLAY_STEPS).max(1);
    let dynamics = Dynamics { neuron: layer.neuron, reset: layer.reset, tie: layer.tie };
    let p = |k: usize| k as f64 / REPLAYED as f64;
    let mut tallies = [ErrorSums::default(); REPLAYED + 1];
    for neuron in (0..neurons).step_by(stride) {
        let (theta, unit, z) = (layer.theta_of(neuron), layer.amplitude_of(neuron), z[neuron]);
        // What a correction holds back stays silent whatever v(0) is.
        if !(0.0 < z && z < layer.saturation_of(neuron)) || record.silenced(sample, neuron) {
            continue;
        }
        let mut v: [f32; REPLAYED + 1] = std::array::from_fn(|k| p(k) as f32 * unit);
        let mut counts = [0i32; REPLAYED + 1];
        for &current in currents.iter().skip(neuron).step_by(neurons.max(1)).take(steps) {
            for (v, n) in v.iter_mut().zip(&mut counts) {
                let (sent, after) = dynamics.step(*v + layer.bias_shift * theta, current, theta, *n);
                *v = after;
                *n += sent;
            }
        }
        for (tally, n) in tallies.iter_mut().zip(counts) {
            tally.add(f64::from(unit) * f64::from(n) / steps as f64 - f64::from(z), 1.0);
        }
    }
    tallies.iter().enumerate().filter_map(|(k, tally)| Some((p(k), tally.errors()?))).collect()
}

#[cfg(test)]
mod tests;
