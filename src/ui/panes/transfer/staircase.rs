//! Staircase φ(z) = θn/T of one neuron for constant input, counted by simulating it.
//!
//! It does not know plots.

use crate::convert::{self, Reset, SpikingLayer, TieRule};
use crate::simulate::neuron::Dynamics;

/// Number of sampled inputs between both ends of the axis.
const GRID_POINTS: usize = 320;
/// Maximum number of steps for which edges are located; beyond it, a stair is thinner than a pixel.
const MAX_EDGE_STEPS: usize = 256;

/// One neuron and its number of time steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StaircaseNeuron {
    pub theta: f32,
    /// Time steps T.
    pub steps: usize,
    /// v(0) as a fraction of θ.
    pub v_init: f32,
    /// Charge added to the membrane at each step besides the current, as a fraction of θ.
    pub shift: f32,
    pub kind: convert::NeuronModel,
    pub reset: Reset,
    pub tie: TieRule,
}

impl StaircaseNeuron {
    /// The neuron of `layer` with the layer's largest threshold.
    pub fn from_layer(layer: &SpikingLayer, steps: usize) -> Self {
        let theta = layer.theta.iter().copied().fold(0.0, f32::max);
        Self {
            theta,
            steps,
            v_init: layer.v_init,
            shift: layer.bias_shift,
            kind: layer.neuron,
            reset: layer.reset,
            tie: layer.tie,
        }
    }

    /// Spike count in T steps of constant input `z`. A neuron without a threshold never fires.
    pub fn count(&self, z: f32) -> u32 {
        if self.theta <= 0.0 {
            return 0;
        }
        let dynamics = Dynamics { neuron: self.kind, reset: self.reset, tie: self.tie };
        let mut v = self.v_init * self.kind.amplitude(self.theta);
        let mut count = 0;
        for _ in 0..self.steps {
            let (sent, after) = dynamics.step(v + self.shift * self.theta, z, self.theta, count);
            count += sent;
            v = after;
        }
        count.max(0) as u32
    }

    /// The neuron's activation φ = θn/T at constant input `z`.
    pub fn activation(&self, z: f32) -> f32 {
        self.kind.amplitude(self.theta) * self.count(z) as f32 / self.steps.max(1) as f32
    }

    /// Points (z, φ) of the staircase over `from..=to`, ascending in z. Both sides of every jump are points, next to
    /// each other to one part in 10⁶, so that a line through them has vertical risers.
    pub fn stairs(&self, from: f32, to: f32) -> Vec<[f64; 2]> {
        let at = |k: usize| from + (to - from) * k as f32 / GRID_POINTS as f32;
        let mut points = vec![(from, self.count(from))];
        for k in 1..=GRID_POINTS {
            let next = (at(k), self.count(at(k)));
            let before = points.last().copied().unwrap_or(next);
            if self.steps <= MAX_EDGE_STEPS {
                self.edges(before, next, (to - from) * 1e-6, &mut points);
            }
            points.push(next);
        }
        let unit = f64::from(self.theta) / self.steps.max(1) as f64;
        points.into_iter().map(|(z, n)| [f64::from(z), unit * f64::from(n)]).collect()
    }

    /// Adds both sides of every jump between `a` and `b`, by bisection until there is no jump or the gap is `fine`.
    fn edges(&self, a: (f32, u32), b: (f32, u32), fine: f32, points: &mut Vec<(f32, u32)>) {
        if a.1 == b.1 {
            return;
        }
        let middle = a.0 + (b.0 - a.0) / 2.0;
        if b.0 - a.0 <= fine || middle <= a.0 || middle >= b.0 {
            points.extend([a, b]);
            return;
        }
        let middle = (middle, self.count(middle));
        self.edges(a, middle, fine, points);
        self.edges(middle, b, fine, points);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::expected_spikes;

    fn neuron(steps: usize, v_init: f32) -> StaircaseNeuron {
        StaircaseNeuron {
            theta: 1.0,
            steps,
            v_init,
            shift: 0.0,
            kind: convert::NeuronModel::If,
            reset: Reset::Soft,
            tie: TieRule::Ge,
        }
    }

    #[test]
    fn staircase_equals_expected_spikes_for_constant_input() {
        for (steps, p) in [(1, 0.5), (2, 0.5), (4, 0.25), (32, 0.5)] {
            let neuron = neuron(steps, p);
            for k in -32..64 {
                // Dyadic inputs: no rounding, so ties are exact.
                let z = k as f32 / 32.0;
                assert_eq!(neuron.count(z), expected_spikes(z, 1.0, steps, 1, f64::from(p)), "z {z}, T {steps}");
            }
        }
    }

    #[test]
    fn staircase_risers_are_vertical_and_at_the_right_inputs() {
        let points = neuron(4, 0.5).stairs(-0.5, 1.5);
        assert!(points.windows(2).all(|pair| pair[0][0] <= pair[1][0] && pair[0][1] <= pair[1][1]));
        let risers: Vec<f64> = points
            .windows(2)
            .filter(|pair| pair[1][1] > pair[0][1])
            .map(|pair| {
                assert!(pair[1][0] - pair[0][0] < 1e-5);
                pair[1][0]
            })
            .collect();
        let want = [0.125, 0.375, 0.625, 0.875];
        assert!(risers.iter().zip(want).all(|(riser, want)| (riser - want).abs() < 1e-5), "{risers:?}");
        assert_eq!(risers.len(), want.len());
    }

    #[test]
    fn hard_reset_loses_charge_and_zero_threshold_never_fires() {
        let hard = StaircaseNeuron { reset: Reset::Hard, ..neuron(8, 0.5) };
        assert!(hard.count(0.7) < neuron(8, 0.5).count(0.7));
        assert_eq!(StaircaseNeuron { theta: 0.0, ..hard }.count(3.0), 0);
    }
}
