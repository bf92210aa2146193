//! What the initial potential does to the error: OPI's expectation over the calibration activations, beside its theory and
//! beside what a run really made (Bu et al., AAAI 2022). Errors are φ − clip(z, 0, θ) over activations in (0, θ), in
//! activation units: zeros and what is clipped have no share in the question.

use rayon::prelude::*;

use super::predict::representatives;
use super::run_report::Subject;
use crate::convert::{LayerStatistics, Sorted, SpikingLayer};
use crate::simulate::neuron::{step, target_count};

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
    /// E[e], in activation units.
    pub mean: f64,
    /// E[e²], in activation units squared.
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
pub struct InitialView {
    /// The step t that the errors are for.
    pub steps: usize,
    /// p = 0, 0.02 .. 1; empty when no calibration activation lies in (0, θ).
    pub curve: Vec<Expected>,
    /// Share of the calibration activations that lie in (0, θ).
    pub inside: f64,
    /// v(0)/θ in the run.
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
struct Tally {
    weight: f64,
    sum: f64,
    squares: f64,
}

impl Tally {
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

impl InitialView {
    /// The view of spiking layer `index` after `steps` steps. `currents` are the layer's input currents for `sample`,
    /// `[T, F]`.
    pub fn of(
        subject: &Subject<'_>,
        statistics: &LayerStatistics,
        index: usize,
        sample: usize,
        currents: &[f32],
        steps: usize,
    ) -> Self {
        let layer = &subject.spiking.layers[index];
        let groups = groups(statistics, layer);
        let inside: usize = groups.iter().map(|(sorted, theta)| below(sorted, *theta).len()).sum();
        let (run, run_all) = of_run(subject, index, steps);
        let span = sample * layer.neurons()..(sample + 1) * layer.neurons();
        Self {
            steps,
            curve: expected(&groups, steps),
            inside: inside as f64 / statistics.layer.len().max(1) as f64,
            p: f64::from(layer.v_init),
            run,
            run_all,
            replayed: replayed(layer, currents, &subject.ann.pre_activations[index][span], steps),
        }
    }

    /// The p at which E[e²] of the calibration activations is least; of equals the one nearest one half.
    pub fn best(&self) -> Option<f64> {
        least(self.curve.iter().map(|point| (point.p, point.measured)))
    }

    /// The p at which E[e] of the calibration activations vanishes, between two points of the curve.
    pub fn unbiased(&self) -> Option<f64> {
        // Counts grow with p, so the mean error does.
        let above = self.curve.iter().position(|point| point.measured.mean >= 0.0)?;
        let high = self.curve[above];
        let Some(low) = above.checked_sub(1).map(|low| self.curve[low]) else { return Some(high.p) };
        let share = -low.measured.mean / (high.measured.mean - low.measured.mean);
        Some(low.p + (high.p - low.p) * share)
    }

    /// The p at which E[e²] is least with the input as it came.
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
/// E[e] = (θ/T)(p − ½), E[e²] = (θ/T)²((p − ½)² + 1/12).
pub fn theory(theta: f64, steps: usize, p: f64) -> Errors {
    let (unit, off) = (theta / steps as f64, p - 0.5);
    Errors { mean: unit * off, square: unit * unit * (off * off + 1.0 / 12.0) }
}

/// The activations that share a threshold, with it: the layer's, or those of each channel.
pub fn groups<'a>(statistics: &'a LayerStatistics, layer: &SpikingLayer) -> Vec<(&'a Sorted, f32)> {
    match layer.theta[..] {
        [theta] => vec![(&statistics.layer, theta)],
        _ => statistics.channels.iter().zip(layer.theta.iter().copied()).collect(),
    }
}

/// The activations in (0, θ), ascending.
fn below(sorted: &Sorted, theta: f32) -> &[f32] {
    &sorted.positive[..sorted.positive.partition_point(|&z| z < theta)]
}

/// Theory and measurement at p = 0, 0.02 .. 1 over all `groups`; empty when nothing lies in (0, θ). At most `QUANTILES`
/// representative activations are looked at.
pub fn expected(groups: &[(&Sorted, f32)], steps: usize) -> Vec<Expected> {
    let groups = picked(groups);
    (0..=FRACTIONS).filter_map(|k| expected_at(&groups, steps, k as f64 / FRACTIONS as f64)).collect()
}

/// Representative activations in (0, θ) of one group.
struct Picked {
    values: Vec<f32>,
    /// Activations that each value stands for.
    weight: f64,
    theta: f32,
}

fn picked(groups: &[(&Sorted, f32)]) -> Vec<Picked> {
    let most = (QUANTILES / groups.len().max(1)).max(64);
    let pick = |&(sorted, theta): &(&Sorted, f32)| {
        let inside = below(sorted, theta);
        let values = representatives(inside, most);
        Picked { weight: inside.len() as f64 / values.len().max(1) as f64, values, theta }
    };
    groups.iter().map(pick).collect()
}

fn expected_at(groups: &[Picked], steps: usize, p: f64) -> Option<Expected> {
    let (mut even, mut measured) = (Tally::default(), Tally::default());
    for Picked { values, weight, theta } in groups {
        let unit = f64::from(*theta) / steps as f64;
        let all = weight * values.len() as f64;
        let Errors { mean, square } = theory(f64::from(*theta), steps, p);
        even = even.merge(Tally { weight: all, sum: all * mean, squares: all * square });
        for &z in values {
            measured.add(unit * f64::from(target_count(z, *theta, steps, p)) - f64::from(z), *weight);
        }
    }
    Some(Expected { p, theory: even.errors()?, measured: measured.errors()? })
}

/// Errors φ − clip(z, 0, θ) of spiking layer `index` in the run after `steps` steps: over neurons × samples with z in
/// (0, θ), and over all.
pub fn of_run(subject: &Subject<'_>, index: usize, steps: usize) -> (Option<Errors>, Option<Errors>) {
    let layer = &subject.spiking.layers[index];
    let theta = layer.theta_per_neuron();
    let one = |sample: usize| {
        let z = &subject.ann.pre_activations[index][sample * theta.len()..(sample + 1) * theta.len()];
        let mut counts = vec![0; theta.len()];
        subject.recording.layers[index].spikes.add_counts(steps, sample, &mut counts);
        let (mut inside, mut all) = (Tally::default(), Tally::default());
        for ((&z, &n), &theta) in z.iter().zip(&counts).zip(&theta) {
            let phi = f64::from(theta) * f64::from(n) / steps as f64;
            let error = phi - f64::from(z.clamp(0.0, theta.max(0.0)));
            all.add(error, 1.0);
            if 0.0 < z && z < theta {
                inside.add(error, 1.0);
            }
        }
        (inside, all)
    };
    // Merged in order, so that the sums do not depend on threads.
    let parts: Vec<(Tally, Tally)> = (0..subject.recording.samples).into_par_iter().map(one).collect();
    let sum = |part: fn(&(Tally, Tally)) -> Tally| parts.iter().map(part).fold(Tally::default(), Tally::merge);
    (sum(|p| p.0).errors(), sum(|p| p.1).errors())
}

/// Errors of one sample's neurons with z in (0, θ) at p = 0, 0.05 .. 1, when the layer's input comes as in `currents`
/// (`[T, F]`, at least `steps` steps) and everything before the layer stays as it was. Empty when there is no such neuron.
pub fn replayed(layer: &SpikingLayer, currents: &[f32], z: &[f32], steps: usize) -> Vec<(f64, Errors)> {
    let neurons = layer.neurons();
    let stride = (neurons * steps * (REPLAYED + 1)).div_ceil(REPLAY_STEPS).max(1);
    let p = |k: usize| k as f64 / REPLAYED as f64;
    let mut tallies = [Tally::default(); REPLAYED + 1];
    for neuron in (0..neurons).step_by(stride) {
        let (theta, z) = (layer.theta_of(neuron), z[neuron]);
        if !(0.0 < z && z < theta) {
            continue;
        }
        let mut v: [f32; REPLAYED + 1] = std::array::from_fn(|k| p(k) as f32 * theta);
        let mut counts = [0u32; REPLAYED + 1];
        for &current in currents.iter().skip(neuron).step_by(neurons.max(1)).take(steps) {
            for (v, n) in v.iter_mut().zip(&mut counts) {
                let (spike, after) = step(*v, current, theta, layer.reset, layer.tie);
                *v = after;
                *n += u32::from(spike);
            }
        }
        for (tally, n) in tallies.iter_mut().zip(counts) {
            tally.add(f64::from(theta) * f64::from(n) / steps as f64 - f64::from(z), 1.0);
        }
    }
    tallies.iter().enumerate().filter_map(|(k, tally)| Some((p(k), tally.errors()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::{Reset, Tie};
    use crate::network::Activation;

    fn sorted(positive: Vec<f32>) -> Sorted {
        Sorted { zeros: 1000, positive }
    }

    fn uniform() -> Sorted {
        sorted((0..40_000).map(|k| (k as f32 + 0.5) / 40_000.0).collect())
    }

    fn view(curve: Vec<Expected>) -> InitialView {
        InitialView { steps: 4, curve, inside: 1.0, p: 0.5, run: None, run_all: None, replayed: Vec::new() }
    }

    fn layer(neurons: usize) -> SpikingLayer {
        SpikingLayer {
            node: 1,
            name: "act".into(),
            shape: vec![neurons],
            theta: vec![1.0],
            activation: Activation::Relu,
            v_init: 0.5,
            reset: Reset::Soft,
            tie: Tie::Ge,
        }
    }

    #[test]
    fn the_worked_examples_of_theory_and_of_even_activations() {
        let all = uniform();
        for (steps, p, mean, square) in
            [(2, 0.0, -0.25, 1.0 / 12.0), (2, 0.5, 0.0, 1.0 / 48.0), (4, 0.25, -0.0625, 0.009_114_6)]
        {
            let at = expected_at(&picked(&[(&all, 1.0)]), steps, p).unwrap();
            assert!((at.theory.mean - mean).abs() < 1e-12 && (at.theory.square - square).abs() < 1e-7);
            assert!((at.measured.mean - mean).abs() < 1e-4 && (at.measured.square - square).abs() < 1e-4, "{at:?}");
        }
    }

    #[test]
    fn even_activations_are_served_best_by_one_half() {
        let all = uniform();
        let view = view(expected(&[(&all, 1.0)], 4));
        assert_eq!((view.curve.len(), view.best()), (51, Some(0.5)));
        assert!((view.unbiased().unwrap() - 0.5).abs() < 1e-3);
    }

    #[test]
    fn activations_near_zero_leave_the_least_square_at_one_half_and_move_the_mean() {
        // Exponential with mean 0.1: rounding to the nearest is best for each, but most of them round down.
        let values = (0..20_000).map(|k| -0.1 * (1.0 - (k as f32 + 0.5) / 20_000.0).ln());
        let all = sorted(values.collect());
        let view = view(expected(&[(&all, 1.0)], 4));
        assert_eq!(view.best(), Some(0.5));
        // With k = 2.5 means to a step θ/T: E[e] = (θ/T)(1/(2 sinh(k/2)) − 1/k) at ½, and it vanishes at
        // p = 1 + ln((1 − exp(−k))/k)/k.
        assert!((view.at(0.5).unwrap().measured.mean + 0.021_95).abs() < 1e-3);
        assert!((view.unbiased().unwrap() - 0.599_2).abs() < 0.01);
    }

    #[test]
    fn zeros_and_clipped_activations_have_no_share() {
        let all = sorted(vec![0.5, 1.0, 3.0]);
        let at = view(expected(&[(&all, 1.0)], 1)).at(0.0).unwrap();
        assert_eq!(at.measured, Errors { mean: -0.5, square: 0.25 });
        assert!(expected(&[(&sorted(Vec::new()), 1.0)], 4).is_empty());
        assert!(expected(&[(&all, 0.0)], 4).is_empty());
    }

    #[test]
    fn channels_count_by_their_activations() {
        let (small, large) = (sorted(vec![0.5; 300]), sorted(vec![2.0; 100]));
        let at = view(expected(&[(&small, 1.0), (&large, 4.0)], 1)).at(0.0).unwrap();
        assert!((at.measured.mean - (-0.5 * 0.75 - 2.0 * 0.25)).abs() < 1e-12);
        assert!((at.theory.mean - (-0.5 * 0.75 - 2.0 * 0.25)).abs() < 1e-12);
    }

    #[test]
    fn even_input_replayed_is_the_expectation_itself() {
        // Dyadic inputs: no rounding. Neuron 1 is silent and neuron 2 clipped; both are left out.
        let z = [0.28125, -1.0, 1.5, 0.71875];
        let currents: Vec<f32> = (0..8).flat_map(|_| z).collect();
        let replayed = replayed(&layer(4), &currents, &z, 8);
        assert_eq!(replayed.len(), 21);
        for (p, errors) in replayed.into_iter().step_by(5) {
            let error = |z: f32| f64::from(target_count(z, 1.0, 8, p)) / 8.0 - f64::from(z);
            let (a, b) = (error(z[0]), error(z[3]));
            assert!((errors.mean - (a + b) / 2.0).abs() < 1e-9, "{p}");
            assert!((errors.square - (a * a + b * b) / 2.0).abs() < 1e-9, "{p}");
        }
    }
}
