//! Tests of the penalty by the worked example, and of gradients by differences.

use std::sync::Arc;

use burn::tensor::Device;

use super::*;
use crate::attack::snn::Surrogate;
use crate::convert::Reset;
use crate::network::zoo::ZooArchitecture;
use crate::network::{Activation, Network, Node, Op, Weights};
use crate::train::Spiking;

/// The logits (w·x, 0) of three pixels.
fn linear() -> TrainableNetwork {
    let weight = Weights::new(vec![2, 3], vec![2.0, -1.0, 0.0, 0.0, 0.0, 0.0]);
    let input = Node { name: "input".into(), op: Op::Input, inputs: vec![], shape: vec![3] };
    let fc = Node { name: "fc".into(), op: Op::Linear { weight, bias: None }, inputs: vec![0], shape: vec![2] };
    let network = Network {
        name: "n".into(),
        nodes: vec![input, fc],
        output: 1,
        scaling: None,
        class_names: vec![],
        neurons: None,
    };
    TrainableNetwork::new(Arc::new(network), Device::flex().autodiff(), (vec![0.0; 3], 1), None)
}

fn pixels(count: usize) -> PixelSteps {
    PixelSteps { slopes: vec![1.0; count], limits: vec![[0.0, 1.0]; count] }
}

#[test]
fn the_penalty_of_the_worked_example() {
    // σ(w·x), w = (2, −1, 0), x = 0: f₂ = 0.50749944, (f₂ − f)/h = 0.749944.
    let mut network = linear();
    let mut penalty = |norm| {
        let sparse = SparseGradient { norm, ..SparseGradient::new(1.0) };
        let input = network.input(vec![0.0; 3]);
        let logits = network.forward(input, 1, Pass::Learn { updates: true });
        sparse.penalty(&mut network, &pixels(3), (&[0.0; 3], 1), &logits, &[0]).into_scalar::<f32>()
    };
    assert!((penalty(SparseNorm::Squared) - 0.562_415_7).abs() < 2e-4);
    assert!((penalty(SparseNorm::L1) - 0.749_944).abs() < 2e-4);
}

#[test]
fn fgsm_moves_every_pixel_against_the_label_and_stays_in_range() {
    let mut network = linear();
    let attack = Adversarial { eps: 0.25, pgd_steps: None };
    let moved = attack.attack(&mut network, &pixels(3), (&[0.5, 0.9, 0.3], 1), &[0], 1);
    assert_eq!(moved, [0.25, 1.0, 0.3]);
    let attack = Adversarial { eps: 0.25, pgd_steps: Some(7) };
    let moved = attack.attack(&mut network, &pixels(3), (&[0.5, 0.9, 0.3], 1), &[0], 1);
    assert_eq!(moved[..2], [0.25, 1.0]);
    assert!((moved[2] - 0.3).abs() <= 0.25);
}

#[test]
fn numbers_out_of_range_are_refused() {
    for eps in [-0.1, 1.5, f32::NAN] {
        let error = validate(None, Some(&Adversarial { eps, pgd_steps: None })).unwrap_err().to_string();
        assert!(error.contains("eps") && error.contains("0 to 1"), "{error}");
    }
    assert!(validate(Some(&SparseGradient::new(-1.0)), None).is_err());
}

/// A small spiking network with BatchNorm and its input.
fn spiking(reset: Reset, decay: f32) -> (TrainableNetwork, Vec<f32>) {
    let mut network = ZooArchitecture::Resnet.build(&[1, 6, 6], 3, Activation::Relu, 2).unwrap();
    let neurons = Spiking { steps: 3, decay, reset, surrogate: Surrogate::Sigmoid };
    neurons.prepare(&mut network);
    let x: Vec<f32> = (0..72).map(|i| ((i * 37) % 23) as f32 / 11.0 - 0.4).collect();
    let trainee = TrainableNetwork::new(Arc::new(network), Device::flex().autodiff(), (x.clone(), 2), Some(neurons));
    (trainee, x)
}

#[test]
fn the_gradient_reaches_weights_and_input_through_time() {
    for (reset, decay) in [(Reset::Hard, 1.0), (Reset::Soft, 1.0), (Reset::Hard, 0.9)] {
        let (mut trainee, x) = spiking(reset, decay);
        for pass in [Pass::Look, Pass::Use] {
            let gradient = trainee
                .input_gradient(&x, 2, pass, |logits| crate::train::classification::cross_entropy(&logits, &[0, 1]));
            assert!(gradient.iter().any(|g| *g != 0.0) && gradient.iter().all(|g| g.is_finite()), "{reset:?} {pass:?}");
        }
    }
}

#[test]
fn the_answer_in_use_is_that_of_the_stored_network() {
    let (mut trainee, x) = spiking(Reset::Hard, 0.9);
    let input = trainee.input(x.clone());
    let ours = tensor_to_vec(trainee.forward(input, 2, Pass::Use).detach());
    let network = trainee.to_network();
    let neurons = Spiking::of(&network);
    let mut frozen = TrainableNetwork::frozen(Arc::new(network), Device::flex().autodiff(), neurons);
    let input = frozen.input(x);
    let stored = tensor_to_vec(frozen.forward(input, 2, Pass::Use).detach());
    assert!(ours.iter().zip(&stored).all(|(a, b)| (a - b).abs() < 1e-4), "{ours:?} {stored:?}");
}
