//! A layer of integrate-and-fire neurons over all time steps as one operation, with a surrogate for its spikes.
//!
//! m(t) = v(t−1) + I(t); s = [m ≥ θ]; v = m − θs (soft) or (1 − s)m (hard); output θs. Backward through time the reset is
//! not detached: with h the surrogate's slope, ∂L/∂m(t) = δ(t)·r + (θ·g(t) − δ(t)·d)·h(u)/θ, where δ(t) = ∂L/∂v(t), r = 1 and
//! d = θ (soft), or r = 1 − s and d = m (hard).

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::{Autodiff, Flex};
use burn::tensor::Tensor;

use super::rule::Surrogate;
use crate::compute::storage::{as_slice_of, from_vec, into_vec, shape_of, tracked};
use crate::convert::{Reset, SpikingLayer, TieRule};

/// A layer's neurons for some samples.
#[derive(Debug)]
pub struct Neurons {
    /// θ and what is added to the current at every step, `[F]`.
    theta: Vec<f32>,
    added: Vec<f32>,
    /// v(0), `[N, F]`.
    start: Vec<f32>,
    /// Neurons without output, `[N, F]`, or empty.
    silenced: Vec<bool>,
    steps: usize,
    reset: Reset,
    tie: TieRule,
    surrogate: Surrogate,
}

impl Neurons {
    /// The neurons of `layer` over `steps` steps from `start` `[N, F]`.
    pub fn new(
        layer: &SpikingLayer,
        start: Vec<f32>,
        silenced: Vec<bool>,
        steps: usize,
        surrogate: Surrogate,
    ) -> Arc<Self> {
        let theta = layer.theta_per_neuron();
        let added = theta.iter().enumerate().map(|(i, theta)| layer.bias_of(i) + layer.bias_shift * theta).collect();
        Arc::new(Self { theta, added, start, silenced, steps, reset: layer.reset, tie: layer.tie, surrogate })
    }

    fn fires(&self, m: f32, theta: f32) -> bool {
        match self.tie {
            TieRule::Ge => m >= theta && theta > 0.0,
            TieRule::Gt => m > theta && theta > 0.0,
        }
    }
}

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
        let (width, step) = (neurons.theta.len(), neurons.start.len());
        let mut carried = vec![0.0f32; step];
        let soft = neurons.reset == Reset::Soft;
        let all = gradient.chunks_exact_mut(step.max(1)).zip(potentials.chunks_exact(step.max(1)));
        for (gradient, potentials) in all.rev() {
            for (i, ((g, &m), carried)) in gradient.iter_mut().zip(potentials).zip(&mut carried).enumerate() {
                let theta = neurons.theta[i % width];
                if theta <= 0.0 {
                    *g = 0.0;
                    continue;
                }
                let silent = neurons.silenced.get(i).copied().unwrap_or(false);
                let out = if silent { 0.0 } else { theta * *g };
                let slope = neurons.surrogate.slope((m - theta) / theta) / theta;
                let (kept, lost) =
                    if soft { (*carried, theta) } else { (if neurons.fires(m, theta) { 0.0 } else { *carried }, m) };
                *carried = kept + (out - *carried * lost) * slope;
                *g = *carried;
            }
        }
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
    let step = neurons.start.len();
    let mut v = neurons.start.clone();
    let mut potentials = Vec::with_capacity(step * neurons.steps);
    let mut out = Vec::with_capacity(step * neurons.steps);
    for t in 0..neurons.steps {
        let currents = if currents.len() == step { currents } else { &currents[t * step..(t + 1) * step] };
        for (i, (v, current)) in v.iter_mut().zip(currents).enumerate() {
            let theta = neurons.theta[i % width];
            let m = *v + current + neurons.added[i % width];
            let fires = neurons.fires(m, theta);
            *v = match (fires, neurons.reset) {
                (false, _) => m,
                (true, Reset::Soft) => m - theta,
                (true, Reset::Hard) => 0.0,
            };
            potentials.push(m);
            let silent = neurons.silenced.get(i).copied().unwrap_or(false);
            out.push(if fires && !silent { theta } else { 0.0 });
        }
    }
    let out = from_vec(out, [step * neurons.steps / width.max(1), width]);
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
    use crate::compute::dense::tensor_to_vec;
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
}
