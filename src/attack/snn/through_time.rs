//! A layer of integrate-and-fire neurons over all time steps as one operation, with a surrogate for its spikes.
//!
//! m(t) = τv(t−1) + I(t); s = [m ≥ θ]; v = m − θs (soft) or (1 − s)m (hard); output θs. Backward through time the reset is
//! not detached: with h the surrogate's slope, ∂L/∂m(t) = δ(t)·r + (θ·g(t) − δ(t)·d)·h(u)/θ, where δ(t) = ∂L/∂v(t) =
//! τ·∂L/∂m(t+1), r = 1 and d = θ (soft), or r = 1 − s and d = m (hard). Parts of the batch run in parallel.

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::{Autodiff, Flex};
use burn::tensor::Tensor;
use rayon::prelude::*;

use super::rule::Surrogate;
use crate::compute::simd::dispatch;
use crate::compute::simd::isa::{Isa, Kernel};
use crate::compute::storage::{as_slice_of, from_vec, into_vec, shape_of, tracked};
use crate::convert::{Reset, SpikingLayer, TieRule};

/// Samples of one part.
const PART: usize = 4;

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
    decay: f32,
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
        let (reset, tie, decay) = (layer.reset, layer.tie, layer.neuron.decay());
        Arc::new(Self { theta, added, start, silenced, steps, decay, reset, tie, surrogate })
    }

    /// `width` neurons of one threshold for each of `rows` samples, from v(0) = 0, as they are trained.
    pub fn trained(
        [rows, width]: [usize; 2],
        theta: f32,
        steps: usize,
        (decay, reset): (f32, Reset),
        surrogate: Surrogate,
    ) -> Arc<Self> {
        Arc::new(Self {
            theta: vec![theta; width],
            added: vec![0.0; width],
            start: vec![0.0; rows * width],
            silenced: Vec::new(),
            steps,
            decay,
            reset,
            tie: TieRule::Ge,
            surrogate,
        })
    }

    #[inline(always)]
    fn fires(&self, m: f32, theta: f32) -> bool {
        match self.tie {
            TieRule::Ge => m >= theta && theta > 0.0,
            TieRule::Gt => m > theta && theta > 0.0,
        }
    }

    /// Values of all neurons at one step.
    fn step(&self) -> usize {
        self.start.len()
    }

    /// Values of the neurons of one part at one step.
    fn part(&self) -> usize {
        (PART * self.theta.len()).max(1)
    }

    /// `[T][part]` of `[T][N·F]` as `[part][T]`.
    fn parts<'a>(&self, values: &'a mut [f32]) -> Vec<Vec<&'a mut [f32]>> {
        let mut parts: Vec<_> =
            (0..self.step().div_ceil(self.part())).map(|_| Vec::with_capacity(self.steps)).collect();
        for step in values.chunks_exact_mut(self.step().max(1)) {
            parts.iter_mut().zip(step.chunks_mut(self.part())).for_each(|(part, values)| part.push(values));
        }
        parts
    }
}

/// The steps of one part: potentials before the reset, and outputs.
struct Fire<'a, 'b> {
    neurons: &'a Neurons,
    /// All currents, `[T·N, F]` or `[N, F]`.
    currents: &'a [f32],
    /// The first value of the part within a step.
    first: usize,
    potentials: Vec<&'b mut [f32]>,
    out: Vec<&'b mut [f32]>,
}

impl Kernel for Fire<'_, '_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { neurons, currents, first, potentials, out } = self;
        let (step, width, soft) = (neurons.step(), neurons.theta.len().max(1), neurons.reset == Reset::Soft);
        let Some(count) = out.first().map(|out| out.len()) else { return };
        let mut v = neurons.start[first..first + count].to_vec();
        for (t, (m_of, out)) in potentials.into_iter().zip(out).enumerate() {
            let from = if currents.len() == step { first } else { t * step + first };
            let currents = &currents[from..from + count];
            let rows = v.chunks_exact_mut(width).zip(currents.chunks_exact(width));
            let rows = rows.zip(m_of.chunks_exact_mut(width)).zip(out.chunks_exact_mut(width));
            for (((v, current), m_of), out) in rows {
                let constants = neurons.theta.iter().zip(&neurons.added);
                let each = v.iter_mut().zip(current).zip(m_of).zip(out).zip(constants);
                for ((((v, current), m_of), out), (&theta, &added)) in each {
                    let m = *v * neurons.decay + current + added;
                    let fires = neurons.fires(m, theta);
                    let after = if soft { m - theta } else { 0.0 };
                    *v = if fires { after } else { m };
                    *m_of = m;
                    *out = if fires { theta } else { 0.0 };
                }
            }
            if !neurons.silenced.is_empty() {
                let silenced = &neurons.silenced[first..first + count];
                out.iter_mut().zip(silenced).filter(|(_, silent)| **silent).for_each(|(out, _)| *out = 0.0);
            }
        }
    }
}

/// The steps of one part backward; `gradient` becomes that of the currents.
struct Back<'a, 'b> {
    neurons: &'a Neurons,
    potentials: &'a [f32],
    first: usize,
    gradient: Vec<&'b mut [f32]>,
}

impl Kernel for Back<'_, '_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        match self.neurons.surrogate {
            Surrogate::Triangle => self.with(|u| Surrogate::Triangle.slope(u)),
            Surrogate::Sigmoid => self.with(|u| Surrogate::Sigmoid.slope(u)),
            Surrogate::Arctan => self.with(|u| Surrogate::Arctan.slope(u)),
        }
    }
}

impl Back<'_, '_> {
    #[inline(always)]
    fn with(self, slope: impl Fn(f32) -> f32) {
        let Self { neurons, potentials, first, gradient } = self;
        let (step, width, soft) = (neurons.step(), neurons.theta.len().max(1), neurons.reset == Reset::Soft);
        let Some(count) = gradient.first().map(|g| g.len()) else { return };
        let mut carried = vec![0.0f32; count];
        for (t, gradient) in gradient.into_iter().enumerate().rev() {
            let potentials = &potentials[t * step + first..][..count];
            if !neurons.silenced.is_empty() {
                let silenced = &neurons.silenced[first..first + count];
                gradient.iter_mut().zip(silenced).filter(|(_, silent)| **silent).for_each(|(g, _)| *g = 0.0);
            }
            let rows = gradient.chunks_exact_mut(width).zip(potentials.chunks_exact(width));
            for ((gradient, potentials), carried) in rows.zip(carried.chunks_exact_mut(width)) {
                let each = gradient.iter_mut().zip(potentials).zip(carried).zip(&neurons.theta);
                for (((g, &m), carried), &theta) in each {
                    let inverse = if theta > 0.0 { 1.0 / theta } else { 0.0 };
                    let slope = slope((m - theta) * inverse) * inverse;
                    let after = *carried * neurons.decay;
                    let kept = if soft || !neurons.fires(m, theta) { after } else { 0.0 };
                    let lost = if soft { theta } else { m };
                    let of_m = kept + (theta * *g - after * lost) * slope;
                    *carried = if theta > 0.0 { of_m } else { 0.0 };
                    *g = *carried;
                }
            }
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
