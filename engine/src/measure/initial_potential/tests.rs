//! Worked examples of the initial-potential errors.

use super::*;
use crate::convert::{NeuronModel, Reset, TieRule};
use crate::network::Activation;
use crate::simulate::SpikeTrain;

fn sorted(positive: Vec<f32>) -> ActivationQuantiles {
    ActivationQuantiles::from_sorted(1000, positive)
}

fn uniform() -> ActivationQuantiles {
    sorted((0..40_000).map(|k| (k as f32 + 0.5) / 40_000.0).collect())
}

fn view(curve: Vec<Expected>) -> InitialPotentialErrors {
    InitialPotentialErrors { steps: 4, curve, inside: 1.0, p: 0.5, run: None, run_all: None, replayed: Vec::new() }
}

fn layer(neurons: usize) -> SpikingLayer {
    SpikingLayer {
        node: 1,
        name: "act".into(),
        shape: vec![neurons],
        theta: vec![1.0],
        activation: Activation::Relu,
        neuron: NeuronModel::If,
        v_init: 0.5,
        v_init_values: None,
        bias: Vec::new(),
        bias_shift: 0.0,
        reset: Reset::Soft,
        tie: TieRule::Ge,
    }
}

const PLAIN: Dynamics = Dynamics { neuron: NeuronModel::If, reset: Reset::Soft, tie: TieRule::Ge };

#[test]
fn theory_matches_measurement_for_uniform_activations() {
    let all = uniform();
    for (steps, p, mean, square) in
        [(2, 0.0, -0.25, 1.0 / 12.0), (2, 0.5, 0.0, 1.0 / 48.0), (4, 0.25, -0.0625, 0.009_114_6)]
    {
        let at = expected_at(&pick_representatives(&[(&all, 1.0)], 1), PLAIN, steps, p).unwrap();
        assert!((at.theory.mean - mean).abs() < 1e-12 && (at.theory.square - square).abs() < 1e-7);
        assert!((at.measured.mean - mean).abs() < 1e-4 && (at.measured.square - square).abs() < 1e-4, "{at:?}");
    }
}

#[test]
fn uniform_activations_have_the_smallest_error_at_one_half() {
    let all = uniform();
    let view = view(expected(&[(&all, 1.0)], PLAIN, 4));
    assert_eq!((view.curve.len(), view.best()), (51, Some(0.5)));
    assert!((view.unbiased().unwrap() - 0.5).abs() < 1e-3);
}

#[test]
fn small_activations_keep_the_least_square_at_one_half_and_shift_the_unbiased_p() {
    // Exponential with mean 0.1: rounding to the nearest is best for each, but most of them round down.
    let values = (0..20_000).map(|k| -0.1 * (1.0 - (k as f32 + 0.5) / 20_000.0).ln());
    let all = sorted(values.collect());
    let view = view(expected(&[(&all, 1.0)], PLAIN, 4));
    assert_eq!(view.best(), Some(0.5));
    // With k = 2.5, θ/T in units of the mean: E[e] = (θ/T)(1/(2 sinh(k/2)) − 1/k) at ½, and it is zero at
    // p = 1 + ln((1 − exp(−k))/k)/k.
    assert!((view.at(0.5).unwrap().measured.mean + 0.021_95).abs() < 1e-3);
    assert!((view.unbiased().unwrap() - 0.599_2).abs() < 0.01);
}

#[test]
fn zero_and_clipped_activations_are_excluded() {
    let all = sorted(vec![0.5, 1.0, 3.0]);
    let at = view(expected(&[(&all, 1.0)], PLAIN, 1)).at(0.0).unwrap();
    assert_eq!(at.measured, Errors { mean: -0.5, square: 0.25 });
    assert!(expected(&[(&sorted(Vec::new()), 1.0)], PLAIN, 4).is_empty());
    assert!(expected(&[(&all, 0.0)], PLAIN, 4).is_empty());
}

#[test]
fn channels_are_weighted_by_their_number_of_activations() {
    let (small, large) = (sorted(vec![0.5; 300]), sorted(vec![2.0; 100]));
    let at = view(expected(&[(&small, 1.0), (&large, 4.0)], PLAIN, 1)).at(0.0).unwrap();
    assert!((at.measured.mean - (-0.5 * 0.75 - 2.0 * 0.25)).abs() < 1e-12);
    assert!((at.theory.mean - (-0.5 * 0.75 - 2.0 * 0.25)).abs() < 1e-12);
}

#[test]
fn leaks_and_hard_resets_lose_charge_at_every_v_init() {
    let all = uniform();
    let at = |dynamics: Dynamics| view(expected(&[(&all, 1.0)], dynamics, 6)).at(0.5).unwrap().measured.mean;
    let (plain, strict) = (at(PLAIN), at(Dynamics { tie: TieRule::Gt, ..PLAIN }));
    assert!(plain.abs() < 1e-3 && strict <= plain);
    let leaky = Dynamics { neuron: NeuronModel::Lif(500), ..PLAIN };
    assert!(at(Dynamics { reset: Reset::Hard, ..PLAIN }) < -0.05 && at(leaky) < -0.2);
}

#[test]
fn a_group_of_four_equals_four_times_the_steps() {
    let all = uniform();
    let group = expected(&[(&all, 0.25)], Dynamics { neuron: NeuronModel::Group(4), ..PLAIN }, 2);
    let plain = expected(&[(&all, 1.0)], PLAIN, 8);
    let same = |(a, b): (&Expected, &Expected)| (a.measured.square - b.measured.square).abs() < 1e-9;
    assert!(group.iter().zip(&plain).all(same));
}

#[test]
fn replayed_constant_input_gives_the_expectation() {
    // Dyadic inputs: no rounding. Neuron 1 is silent and neuron 2 clipped; both are excluded.
    let z = [0.28125, -1.0, 1.5, 0.71875];
    let currents: Vec<f32> = (0..8).flat_map(|_| z).collect();
    let record = LayerRecording {
        spikes: SpikeTrain::new(1, 4),
        mean_input: z.to_vec().into(),
        potential: vec![0.0; 4].into(),
        v_init: None,
        silenced: None,
    };
    let replayed = replayed(&layer(4), &record, 0, &currents, &z, 8);
    assert_eq!(replayed.len(), 21);
    for (p, errors) in replayed.into_iter().step_by(5) {
        let error = |z: f32| f64::from(expected_spikes(z, 1.0, 8, 1, p)) / 8.0 - f64::from(z);
        let (a, b) = (error(z[0]), error(z[3]));
        assert!((errors.mean - (a + b) / 2.0).abs() < 1e-9, "{p}");
        assert!((errors.square - (a * a + b * b) / 2.0).abs() < 1e-9, "{p}");
    }
}
