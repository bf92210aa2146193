//! A layer of [`Neurons`] over all time steps as one operation with a gradient; parts of the batch run in parallel.

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::{Autodiff, Flex};
use burn::tensor::Tensor;
use rayon::prelude::*;

use super::neurons::{Back, Fire, Neurons};
use crate::compute::simd::dispatch;
use crate::compute::storage::{as_slice_of, from_vec, into_vec, shape_of, tracked};

#[derive(Debug)]
struct TimeBackward;

impl Backward<Flex, 1> for TimeBackward {
    /// The neurons, the potentials before the reset `[T·N, F]`, and the rows of the input.
    type State = (Arc<Neurons>, Vec<f32>, usize);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let mut gradient = into_vec(grads.consume::<Flex>(&ops.node));
        let (neurons, potentials, rows) = ops.state;
        let [parent] = ops.parents;
        let Some(parent) = parent else { return };
        let width = neurons.theta.len();
        let parts = neurons.parts(&mut gradient).into_par_iter().enumerate();
        parts.for_each(|(k, gradient)| {
            let first = k * neurons.part();
            dispatch(Back { neurons: &neurons, potentials: &potentials, first, gradient });
        });
        if rows * width < gradient.len() {
            // The input is the same at every step.
            let (first, rest) = gradient.split_at_mut(rows * width);
            for step in rest.chunks_exact(first.len().max(1)) {
                first.iter_mut().zip(step).for_each(|(sum, g)| *sum += g);
            }
            gradient.truncate(rows * width);
        }
        grads.register::<Flex>(parent.id, from_vec(gradient, [rows, width]));
    }
}

/// The outputs θs of `neurons` for the currents `z`, `[T·N, F]`, or `[N, F]` if they are the same at every step; on burn-flex.
pub fn through_time(z: Tensor<2>, neurons: &Arc<Neurons>) -> Tensor<2> {
    let z = tracked(z);
    let node = z.node();
    let z = z.into_primitive().to_contiguous();
    let [rows, width] = shape_of(&z);
    let currents = as_slice_of(&z);
    let mut potentials = vec![0.0; neurons.step() * neurons.steps];
    let mut out = vec![0.0; potentials.len()];
    let parts = neurons.parts(&mut potentials).into_par_iter().zip(neurons.parts(&mut out)).enumerate();
    parts.for_each(|(k, (potentials, out))| {
        dispatch(Fire { neurons, currents, first: k * neurons.part(), potentials, out });
    });
    let out = from_vec(out, [neurons.step() * neurons.steps / width.max(1), width]);
    let state = (neurons.clone(), potentials, rows);
    let out = match Backward::<Flex, 1>::prepare::<NoCheckpointing>(TimeBackward, [node]).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(state, out),
        OpsKind::UnTracked(prep) => prep.finish(out),
    };
    Tensor::from_primitive::<Autodiff<Flex>>(out)
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::attack::snn::Surrogate;
    use crate::compute::dense::tensor_to_vec;
    use crate::convert::{Reset, SpikingLayer, TieRule};
    use crate::network::Activation;

    fn layer(reset: Reset) -> SpikingLayer {
        SpikingLayer {
            node: 1,
            name: "a".into(),
            shape: vec![1],
            theta: vec![1.0],
            activation: Activation::Relu,
            neuron: Default::default(),
            v_init: 0.5,
            v_init_values: None,
            bias: Vec::new(),
            bias_shift: 0.0,
            reset,
            tie: TieRule::Ge,
        }
    }

    fn run(reset: Reset, z: &[f32], surrogate: Surrogate) -> (Vec<f32>, Vec<f32>) {
        let neurons = Neurons::new(&layer(reset), vec![0.5], Vec::new(), 2, surrogate);
        let z = Tensor::<2>::from_data(TensorData::new(z.to_vec(), [z.len(), 1]), &Device::flex().autodiff());
        let z = z.require_grad();
        let out = through_time(z.clone(), &neurons);
        let grads = out.clone().sum().backward();
        (tensor_to_vec(out.detach()), tensor_to_vec(z.grad(&grads).unwrap()))
    }

    #[test]
    fn two_steps_by_hand() {
        // m = 0.7, 1.3 after soft reset of neither, then one: u = −0.3, 0.3; triangle slopes 0.7, 0.7.
        let (out, gradient) = run(Reset::Soft, &[0.2, 0.6], Surrogate::Triangle);
        assert_eq!(out, [0.0, 1.0]);
        // Step 2: 0.7. Step 1: carried 0.7 + (1 − 0.7)·0.7 = 0.91.
        assert!((gradient[1] - 0.7).abs() < 1e-5 && (gradient[0] - 0.91).abs() < 1e-5, "{gradient:?}");
        // Hard: m = 1.2 fires and clears; m = 0.3: slope 0.3. Step 1: 0 + (1 − 0.3·1.2)·0.8 = 0.512.
        let (out, gradient) = run(Reset::Hard, &[0.7, 0.3], Surrogate::Triangle);
        assert_eq!(out, [1.0, 0.0]);
        assert!((gradient[1] - 0.3).abs() < 1e-5 && (gradient[0] - 0.512).abs() < 1e-5, "{gradient:?}");
    }

    #[test]
    fn an_input_that_never_changes_gets_the_sum_of_all_steps() {
        for surrogate in [Surrogate::Triangle, Surrogate::Sigmoid, Surrogate::Arctan] {
            let (held_out, held) = run(Reset::Soft, &[0.4], surrogate);
            let (out, each) = run(Reset::Soft, &[0.4, 0.4], surrogate);
            assert_eq!(held_out, out);
            assert!((held[0] - each[0] - each[1]).abs() < 1e-6);
        }
    }

    #[test]
    fn slopes_are_those_of_the_paper() {
        let near = |a: f32, b: f32| (a - b).abs() < 1e-5;
        assert!(near(Surrogate::Triangle.slope(0.25), 0.75) && near(Surrogate::Triangle.slope(-2.0), 0.0));
        assert!(near(Surrogate::Sigmoid.slope(0.0), 1.0) && near(Surrogate::Sigmoid.slope(0.5), 0.41997));
        assert!(near(Surrogate::Arctan.slope(0.0), 1.0) && near(Surrogate::Arctan.slope(1.0), 0.0920));
    }

    /// Forward mode: every value carries its slope along one direction, by the same rule for a spike.
    #[test]
    fn slopes_back_through_time_are_those_of_forward_mode() {
        let (steps, width) = (6, 5);
        let current = |t: usize, i: usize| ((t * 7 + i * 13) % 11) as f32 / 7.0 - 0.3;
        let along = |t: usize, i: usize| ((t * 5 + i * 3) % 7) as f32 / 3.0 - 1.0;
        let weight = |t: usize, i: usize| ((t * 3 + i * 11) % 5) as f32 / 2.0 - 0.9;
        for surrogate in [Surrogate::Triangle, Surrogate::Sigmoid, Surrogate::Arctan] {
            for (reset, decay) in [(Reset::Hard, 1.0), (Reset::Soft, 1.0), (Reset::Hard, 0.8), (Reset::Soft, 0.6)] {
                let theta = 0.9;
                // Σ weight · output, and its slope along the direction.
                let mut expected = 0.0f32;
                for i in 0..width {
                    let (mut v, mut dv) = (0.0f32, 0.0f32);
                    for t in 0..steps {
                        let (m, dm) = (decay * v + current(t, i), decay * dv + along(t, i));
                        let spike = if m >= theta { 1.0 } else { 0.0 };
                        let ds = surrogate.slope((m - theta) / theta) / theta * dm;
                        expected += weight(t, i) * theta * ds;
                        (v, dv) = match reset {
                            Reset::Hard => ((1.0 - spike) * m, (1.0 - spike) * dm - ds * m),
                            Reset::Soft => (m - theta * spike, dm - theta * ds),
                        };
                    }
                }
                let device = burn::tensor::Device::flex().autodiff();
                let tensor = |of: &dyn Fn(usize, usize) -> f32| {
                    let values: Vec<f32> = (0..steps).flat_map(|t| (0..width).map(move |i| of(t, i))).collect();
                    Tensor::<2>::from_data(burn::tensor::TensorData::new(values, [steps, width]), &device)
                };
                let z = tensor(&current).require_grad();
                let neurons = Neurons::trained([1, width], theta, steps, (decay, reset), surrogate);
                let out = through_time(z.clone(), &neurons);
                let gradient = z.grad(&(out * tensor(&weight)).sum().backward()).unwrap();
                let gradient = tensor_to_vec(gradient);
                let found: f32 = gradient.iter().enumerate().map(|(k, g)| g * along(k / width, k % width)).sum();
                assert!(
                    (found - expected).abs() < 1e-4 * expected.abs().max(1.0),
                    "{surrogate:?} {reset:?}: {found} {expected}"
                );
            }
        }
    }
}
