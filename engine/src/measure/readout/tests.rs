//! Readout windows, delay and early exit on small examples worked by hand.

use super::*;
use crate::convert::{Correction, MaxPoolRule, NeuronModel, Readout, Reset, SpikingLayer, SpikingNetwork, TieRule};
use crate::network::Activation;
use crate::task::classification::{Predictions, readout_start};

/// A recording from the logits of each step, `[T][N][classes]`.
fn recording(steps: &[&[[f32; 2]]]) -> Recording {
    let samples = steps[0].len();
    let mut sums = vec![[0.0; 2]; samples];
    let mut readout = Vec::new();
    for step in steps {
        for (sum, logits) in sums.iter_mut().zip(*step) {
            sum.iter_mut().zip(logits).for_each(|(sum, logit)| *sum += logit);
            readout.extend(*sum);
        }
    }
    Recording { steps: steps.len(), samples, classes: 2, layers: Vec::new(), readout }
}

fn ann(logits: &[[f32; 2]]) -> AnnRun {
    AnnRun { samples: logits.len(), classes: 2, logits: logits.concat(), pre_activations: Vec::new() }
}

/// Two samples over three steps. The first is wrong at step 1 and right later, the second right from the start.
fn late_recording() -> Recording {
    recording(&[&[[4.0, 0.0], [0.0, 1.0]], &[[0.0, 1.0], [0.0, 1.0]], &[[0.0, 2.0], [0.0, 1.0]]])
}

#[test]
fn a_later_start_skips_the_first_steps() {
    let matrix = start_by_end(&late_recording(), &[1, 1]);
    assert_eq!(matrix.bounds, vec![0, 1, 2, 3]);
    // Ends 1; 2; 3, starts from 0.
    assert_eq!(matrix.accuracy, vec![0.5, 0.5, 1.0, 0.5, 1.0, 1.0]);
    assert_eq!(matrix.get(1, 3), Some(1.0));
    assert_eq!((matrix.get(2, 2), matrix.get(3, 1)), (None, None));
    assert_eq!(matrix.best_at_end(), Some((1, 1.0)));
}

#[test]
fn windows_from_step_zero_equal_the_accuracy_curve() {
    let (recording, labels) = (late_recording(), [1, 1]);
    let ann = ann(&[[0.0, 1.0], [0.0, 1.0]]);
    let matrix = start_by_end(&recording, &[1, 1]);
    for point in crate::measure::accuracy_curve(
        &Predictions::decode(&recording, Readout::Sum, 0),
        recording.steps,
        &ann,
        &labels,
    ) {
        assert_eq!(matrix.get(0, point.t).map(f64::from), point.accuracy);
    }
}

#[test]
fn long_runs_get_64_window_bounds() {
    let row: &[[f32; 2]] = &[[1.0, 0.0]];
    let matrix = start_by_end(&recording(&vec![row; 200]), &[0]);
    assert_eq!((matrix.bounds.len(), matrix.bounds[0], matrix.bounds[64]), (65, 0, 200));
    assert!(matrix.bounds.windows(2).all(|pair| pair[0] < pair[1]));
    assert_eq!(matrix.accuracy.len(), 64 * 65 / 2);
    assert_eq!(matrix.get(63, 64), Some(1.0));
    assert_eq!(start_by_end(&recording(&[row]), &[0]).bounds, vec![0, 1]);
}

fn layer(theta: f32, neurons: usize) -> SpikingLayer {
    SpikingLayer {
        node: 1,
        name: "layer".into(),
        shape: vec![neurons],
        theta: vec![theta],
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

fn spiking(layers: Vec<SpikingLayer>) -> SpikingNetwork {
    SpikingNetwork { layers, correction: Correction::None, pooling: MaxPoolRule::PreNeuron, dense_nodes: Vec::new() }
}

#[test]
fn delay_is_the_sum_of_first_spike_times_of_the_fastest_neurons() {
    // `algorithms` 5.4: θ = (1, 2), v(0) = θ/2, largest mean activations (0.25, 0.5): 2 + 2 steps.
    let spiking = spiking(vec![layer(1.0, 2), layer(2.0, 3)]);
    let mut ann = ann(&[[0.0; 2]; 2]);
    // Two samples each; negative pre-activations count as 0 in the mean.
    ann.pre_activations = vec![vec![0.5, 0.1, -7.0, 0.1], vec![0.2, 0.4, -1.0, 0.2, 0.6, -1.0]];
    let delay = readout_delay(&spiking, &ann, 16);
    assert!(delay.per_layer.iter().all(|r| (r - 2.0).abs() < 1e-6), "{:?}", delay.per_layer);
    assert_eq!((delay.estimate, delay.start), (4, 4));
}

#[test]
fn delay_is_truncated_and_silent_layers_add_zero() {
    let spiking = spiking(vec![layer(1.0, 1), layer(2.0, 1), layer(1.0, 1)]);
    let mut ann = ann(&[[0.0; 2]]);
    ann.pre_activations = vec![vec![0.25], vec![0.5], vec![-1.0]];
    assert_eq!(
        readout_delay(&spiking, &ann, 16),
        ReadoutDelay { per_layer: vec![2.0, 2.0, 0.0], estimate: 4, start: 4 }
    );
    ann.pre_activations[1] = vec![0.4];
    assert_eq!(readout_delay(&spiking, &ann, 16).estimate, 4);
}

#[test]
fn delayed_readout_leaves_four_steps() {
    assert_eq!([8, 9, 7, 4, 2].map(|steps| readout_start(4, steps)), [4, 4, 3, 0, 0]);
}

#[test]
fn samples_exit_at_the_first_confident_step() {
    // Margins of the mean logits: the first sample ±4, 1.5, 1/3; the second always 1.
    let recording = late_recording();
    let ann = ann(&[[0.0, 1.0], [0.0, 1.0]]);
    let sigmoid = |margin: f32| 1.0 / (1.0 + (-margin).exp());
    assert!((confidence(&[4.0, 0.0], 1) - sigmoid(4.0)).abs() < 1e-6);
    assert!((confidence(&[4.0, 1.0], 2) - sigmoid(1.5)).abs() < 1e-6);
    // The first is confident at once and wrong; the second never reaches the confidence.
    let exit = early_exit(&recording, &[1, 1], &ann, sigmoid(2.0));
    assert_eq!((exit.mean_steps, exit.accuracy, exit.agreement), (2.0, Some(0.5), 0.5));
    assert_eq!((exit.histogram, exit.unsure), (vec![1, 0, 1], 1));
    // Confidence 0 is reached at once; more than 1 is never reached.
    assert_eq!(early_exit(&recording, &[1, 1], &ann, 0.0).histogram, vec![2, 0, 0]);
    let never = early_exit(&recording, &[1, 1], &ann, 1.5);
    assert_eq!((never.mean_steps, never.unsure), (3.0, 2));
}

#[test]
fn without_labels_the_ann_prediction_is_the_reference() {
    let recording = late_recording();
    let ann = ann(&[[1.0, 0.0], [0.0, 1.0]]);
    let exit = early_exit(&recording, &[], &ann, 0.0);
    assert_eq!((exit.accuracy, exit.agreement), (None, 1.0));
    assert_eq!(reference_classes(&[], &ann), (vec![0, 1], false));
    assert_eq!(reference_classes(&[1, 0], &ann), (vec![1, 0], true));
}

#[test]
fn higher_confidence_takes_no_fewer_steps() {
    let recording = late_recording();
    let exits = ExitTable::new(&recording, &[1, 1], &ann(&[[0.0, 1.0]; 2]));
    let steps: Vec<f64> = (0..=20).map(|k| exits.at(k as f32 / 20.0).mean_steps).collect();
    assert!(steps.windows(2).all(|pair| pair[0] <= pair[1]));
}

#[test]
fn non_finite_logits_have_confidence_zero() {
    assert_eq!(confidence(&[f32::NAN, f32::NAN], 1), 0.0);
    assert_eq!(confidence(&[f32::INFINITY, 0.0], 1), 0.0);
}
