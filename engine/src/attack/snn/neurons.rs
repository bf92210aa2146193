//! Integrate-and-fire neurons over all time steps on slices, forward and backward with a surrogate.
//!
//! m(t) = τv(t−1) + I(t); s = [m ≥ θ]; v = m − θs (soft) or (1 − s)m (hard); output θs. Backward through time the reset is
//! not detached: with h the surrogate's slope, ∂L/∂m(t) = δ(t)·r + (θ·g(t) − δ(t)·d)·h(u)/θ, where δ(t) = ∂L/∂v(t) =
//! τ·∂L/∂m(t+1), r = 1 and d = θ (soft), or r = 1 − s and d = m (hard).

use std::sync::Arc;

use super::rule::Surrogate;
use crate::compute::simd::isa::{Isa, Kernel};
use crate::convert::{Reset, SpikingLayer, TieRule};

/// Samples of one part.
const PART: usize = 4;

/// A layer's neurons for some samples.
#[derive(Debug)]
pub struct Neurons {
    /// θ and what is added to the current at every step, `[F]`.
    pub(super) theta: Vec<f32>,
    added: Vec<f32>,
    /// v(0), `[N, F]`.
    start: Vec<f32>,
    /// Neurons without output, `[N, F]`, or empty.
    silenced: Vec<bool>,
    pub(super) steps: usize,
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
    pub(super) fn step(&self) -> usize {
        self.start.len()
    }

    /// Values of the neurons of one part at one step.
    pub(super) fn part(&self) -> usize {
        (PART * self.theta.len()).max(1)
    }

    /// `[T][part]` of `[T][N·F]` as `[part][T]`.
    pub(super) fn parts<'a>(&self, values: &'a mut [f32]) -> Vec<Vec<&'a mut [f32]>> {
        let mut parts: Vec<_> =
            (0..self.step().div_ceil(self.part())).map(|_| Vec::with_capacity(self.steps)).collect();
        for step in values.chunks_exact_mut(self.step().max(1)) {
            parts.iter_mut().zip(step.chunks_mut(self.part())).for_each(|(part, values)| part.push(values));
        }
        parts
    }
}

/// The steps of one part: potentials before the reset, and outputs.
pub(super) struct Fire<'a, 'b> {
    pub neurons: &'a Neurons,
    /// All currents, `[T·N, F]` or `[N, F]`.
    pub currents: &'a [f32],
    /// The first value of the part within a step.
    pub first: usize,
    pub potentials: Vec<&'b mut [f32]>,
    pub out: Vec<&'b mut [f32]>,
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
pub(super) struct Back<'a, 'b> {
    pub neurons: &'a Neurons,
    pub potentials: &'a [f32],
    pub first: usize,
    pub gradient: Vec<&'b mut [f32]>,
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
