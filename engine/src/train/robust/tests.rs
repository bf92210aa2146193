//! Tests of the penalty by the worked example, and of gradients by differences.

use std::sync::Arc;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

use super::*;
use crate::attack::snn::Surrogate;
use crate::convert::Reset;
use crate::network::zoo::ZooArchitecture;
use crate::network::{Activation, Network, Node, Op, Weights};
use crate::train::Spiking;

/// The logits (w·x, 0) of three pixels, w = (2, −1, 0).
fn linear() -> TrainableNetwork {
    steep(1.0)
}

/// The logits of [`linear`] times `factor`.
fn steep(factor: f32) -> TrainableNetwork {
    let weight = Weights::new(vec![2, 3], vec![2.0 * factor, -factor, 0.0, 0.0, 0.0, 0.0]);
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
fn training_attacks_follow_the_gradient_of_certain_answers() {
    // The margins 34 and 340: p − 1 is 0 in 32 bits, the other probability 1.7e-15, and 0.
    for factor in [20.0, 200.0] {
        let clean = [0.9, 0.1, 0.3];
        for pgd_steps in [None, Some(7)] {
            let attack = Adversarial { eps: 0.05, pgd_steps };
            let moved = attack.attack(&mut steep(factor), &pixels(3), (&clean, 1), &[0], 1);
            let expected = [clean[0] - 0.05, clean[1] + 0.05];
            assert!(moved.iter().zip(expected).all(|(x, e)| (x - e).abs() < 1e-6), "{factor} {pgd_steps:?}: {moved:?}");
        }
    }
}

#[test]
fn training_attacks_follow_a_single_score() {
    for (label, score) in [(1u16, 30.0f32), (0, -30.0)] {
        let logits =
            Tensor::<2>::from_data(TensorData::new(vec![score], [1, 1]), &Device::flex().autodiff()).require_grad();
        let gradients = crate::train::classification::against(&logits, &[label]).backward();
        let slope = tensor_to_vec(logits.grad(&gradients).unwrap());
        assert_eq!(slope, [if label == 1 { -1.0 } else { 1.0 }]);
    }
}

#[test]
fn the_density_of_certain_answers_is_that_of_their_margin() {
    // ‖w‖₁²/‖w‖₂² = 9/5 of 3 pixels; f(1 − f) = e^-34.
    let samples = Samples {
        shape: vec![3],
        values: Arc::new(vec![0.9, 0.1, 0.3]),
        labels: Arc::new(vec![0]),
        full_scale: 1.0,
        max: 1.0,
        ..Samples::default()
    };
    let found = InputGradient::measure(&mut steep(20.0), &pixels(3), &samples, &Scaling::Unit, &[0]).unwrap();
    assert!((found.density - 0.6).abs() < 1e-6, "{found:?}");
    assert!((found.l1 / (60.0 * (-34.0f32).exp()) - 1.0).abs() < 1e-4, "{found:?}");
}

#[test]
fn numbers_out_of_range_are_refused() {
    for eps in [-0.1, 1.5, f32::NAN] {
        let error = validate(None, Some(&Adversarial { eps, pgd_steps: None }), false).unwrap_err().to_string();
        assert!(error.contains("eps") && error.contains("0 to 1"), "{error}");
    }
    let counts = |eps| validate(None, Some(&Adversarial { eps, pgd_steps: None }), true);
    assert!(counts(2.0).is_ok() && counts(-1.0).is_err() && counts(f32::NAN).is_err());
    assert!(validate(Some(&SparseGradient::new(-1.0)), None, false).is_err());
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
            let of = |logits: Tensor<2>| crate::train::classification::mean_cross_entropy(&logits, &[0, 1]);
            let gradient = trainee.input_gradient(&x, 2, pass, of);
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

/// Gradients and values of all parameters, one after the other.
struct Slopes<'a> {
    of: &'a GradientsParams,
    slopes: Vec<f32>,
}

impl ModuleVisitor for Slopes<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let count = parameter.val().shape().num_elements();
        let gradient = self.of.get::<D>(parameter.id);
        self.slopes.extend(gradient.map_or(vec![0.0; count], |g| g.into_data().try_to_vec::<f32>().unwrap()));
    }
}

/// Adds `by` to parameter number `at`.
struct Nudge {
    at: usize,
    by: f32,
}

impl ModuleMapper for Nudge {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, tensor, mapper) = parameter.consume();
        let (dims, device) = (tensor.dims(), tensor.device());
        let mut values = tensor.into_data().try_to_vec::<f32>().unwrap();
        if let Some(value) = values.get_mut(self.at) {
            *value += self.by;
        }
        self.at = self.at.wrapping_sub(values.len());
        Param::from_mapped_value(id, Tensor::from_data(TensorData::new(values, dims), &device).require_grad(), mapper)
    }
}

/// The smooth parts: linear layers, ReLU away from its kink, the cross entropy, and both values of f in the penalty. Its
/// direction is a sign, which the differences leave as it is.
#[test]
fn gradients_of_loss_and_penalty_are_those_of_differences() {
    let network = ZooArchitecture::Mlp.build(&[1, 3, 3], 3, Activation::Relu, 4).unwrap();
    let x: Vec<f32> = (0..18).map(|i| ((i * 29) % 17) as f32 / 17.0).collect();
    let device = Device::flex().autodiff();
    let mut trainee = TrainableNetwork::new(Arc::new(network), device, (x.clone(), 2), None);
    let labels = [0u16, 2];
    for sparse in [None, Some(SparseNorm::Squared), Some(SparseNorm::L1)] {
        let sparse = sparse.map(|norm| SparseGradient { norm, ..SparseGradient::new(0.5) });
        let loss = |trainee: &mut TrainableNetwork| {
            let input = trainee.input(x.clone());
            let logits = trainee.forward(input, 2, Pass::Learn { updates: false });
            let own = crate::train::classification::mean_cross_entropy(&logits, &labels) * 2.0;
            match sparse {
                Some(sparse) => own + sparse.penalty(trainee, &pixels(9), (&x, 2), &logits, &labels),
                None => own,
            }
        };
        let tensor = loss(&mut trainee);
        let gradients = GradientsParams::from_grads(tensor.sum().backward(), &trainee.layers);
        let mut found = Slopes { of: &gradients, slopes: Vec::new() };
        trainee.layers.visit(&mut found);
        let slopes = found.slopes;
        let largest = slopes.iter().fold(0.0f32, |most, g| most.max(g.abs()));
        let step = 1e-3;
        let (mut checked, mut kinks) = (0, 0);
        for at in (0..slopes.len()).step_by(37) {
            let mut value = |by: f32| {
                trainee.layers = std::mem::take(&mut trainee.layers).map(&mut Nudge { at, by });
                loss(&mut trainee).sum().into_scalar::<f32>()
            };
            let (up, down) = (value(step), value(-2.0 * step));
            value(step);
            let difference = (up - down) / (2.0 * step);
            // A difference across the kink of a ReLU is no slope.
            kinks += usize::from((difference - slopes[at]).abs() > 0.02 * largest);
            checked += 1;
        }
        assert!(checked > 200 && largest > 0.0 && 100 * kinks <= checked, "{sparse:?}: {kinks} of {checked}");
    }
}
