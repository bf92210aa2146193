//! Neuron bench: simulates one neuron for an input that the user sets step by step.
//!
//! The order of the input can change while its sum, and with it the expected spikes, stay the same.

use serde::{Deserialize, Serialize};

use crate::convert::{NeuronModel, Reset, TieRule, expected_spikes};
use crate::simulate::neuron::Dynamics;

/// Maximum number of steps that are drawn as arrows.
pub const MAX_STEPS: usize = 64;

/// A neuron and its input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct NeuronBench {
    /// Input of each step before the weight; one entry per step.
    pub input: Vec<f32>,
    /// Factor on all inputs.
    pub weight: f32,
    pub theta: f32,
    /// v(0) as a fraction of the neuron's amplitude.
    pub v_init: f32,
    pub neuron: NeuronModel,
    pub reset: Reset,
    pub tie: TieRule,
    /// Source of the input: empty, or the name of a neuron of the network.
    pub source: String,
}

/// Trace of one simulation of the bench, `[T]` each.
#[derive(Clone, Debug, PartialEq)]
pub struct BenchTrace {
    /// Current of each step, weight included.
    pub current: Vec<f32>,
    /// m(t), potential after charging and before the reset.
    pub before_reset: Vec<f32>,
    /// v(t), potential after the reset.
    pub after_reset: Vec<f32>,
    /// Spikes emitted at each step.
    pub emitted: Vec<i32>,
    /// Expected spikes: the count for the same mean input at a constant current, from v(0) = ½ amplitude.
    pub expected: u32,
    /// v(0)
    pub initial: f32,
}

impl Default for NeuronBench {
    /// The worked example of two spike trains through weights +2 and −2: input 2, 2, 2, −2, −2.
    fn default() -> Self {
        Self {
            input: vec![2.0, 2.0, 2.0, -2.0, -2.0],
            weight: 1.0,
            theta: 1.0,
            v_init: 0.5,
            neuron: NeuronModel::If,
            reset: Reset::Soft,
            tie: TieRule::Ge,
            source: String::new(),
        }
    }
}

impl BenchTrace {
    /// Spikes emitted in all steps.
    pub fn count(&self) -> i32 {
        self.emitted.iter().sum()
    }
}

impl NeuronBench {
    /// Simulates the neuron.
    pub fn run(&self) -> BenchTrace {
        let dynamics = Dynamics { neuron: self.neuron, reset: self.reset, tie: self.tie };
        let amplitude = self.neuron.amplitude(self.theta);
        let initial = self.v_init * amplitude;
        let current: Vec<f32> = self.input.iter().map(|x| x * self.weight).collect();
        let (mut v, mut total) = (initial, 0);
        let (mut before_reset, mut after_reset, mut emitted) = (Vec::new(), Vec::new(), Vec::new());
        for &i in &current {
            before_reset.push(dynamics.before_reset(v, i));
            let (count, after) = dynamics.step(v, i, self.theta, total);
            v = after;
            total += count;
            after_reset.push(v);
            emitted.push(count);
        }
        let mean = current.iter().sum::<f32>() / current.len().max(1) as f32;
        let expected = expected_spikes(mean, amplitude, current.len(), self.neuron.max_spikes_per_step(), 0.5);
        BenchTrace { current, before_reset, after_reset, emitted, expected, initial }
    }

    /// Moves the input of step `from` to step `to` and shifts those in between. Keeps the sum.
    pub fn move_input(&mut self, from: usize, to: usize) {
        if from < self.input.len() && to < self.input.len() {
            let moved = self.input.remove(from);
            self.input.insert(to, moved);
        }
    }

    /// Replaces all inputs by their mean. Keeps the sum.
    pub fn spread(&mut self) {
        let mean = self.input.iter().sum::<f32>() / self.input.len().max(1) as f32;
        self.input.fill(mean);
    }

    /// Sorts the inputs: the largest first, or last.
    pub fn sort(&mut self, largest_first: bool) {
        self.input.sort_by(|a, b| if largest_first { b.total_cmp(a) } else { a.total_cmp(b) });
    }

    /// Reorders the inputs so that they arrive as evenly as possible: positive and negative ones alternate.
    pub fn alternate(&mut self) {
        let mut rest = self.input.clone();
        let mean = rest.iter().sum::<f32>() / rest.len().max(1) as f32;
        let mut remainder = 0.0f32;
        // Each step takes the input that brings the running sum nearest to that of constant input.
        for slot in &mut self.input {
            remainder += mean;
            let nearest =
                (0..rest.len()).min_by(|&a, &b| (rest[a] - remainder).abs().total_cmp(&(rest[b] - remainder).abs()));
            if let Some(k) = nearest {
                *slot = rest.swap_remove(k);
                remainder -= *slot;
            }
        }
    }

    /// Differences of `after` from `self`, as text: "θ of the bench 1.00 to 0.80".
    pub fn changes(&self, after: &Self) -> String {
        let mut parts = Vec::new();
        let mut push_if = |changed: bool, words: String| parts.extend(changed.then_some(words));
        push_if(self.source != after.source, "another neuron on the bench".into());
        let (from, to) = (self.input.len(), after.input.len());
        push_if(from != to, format!("bench T {from} to {to}"));
        let sorted = |bench: &Self| {
            let mut input = bench.input.clone();
            input.sort_by(f32::total_cmp);
            input
        };
        let (other, moved) = (from == to && self.input != after.input, sorted(self) == sorted(after));
        push_if(other && moved, "order of the bench input".into());
        push_if(other && !moved, "bench input".into());
        push_if(self.theta != after.theta, format!("bench θ {:.2} to {:.2}", self.theta, after.theta));
        push_if(self.v_init != after.v_init, format!("bench v(0) {:.2} θ to {:.2} θ", self.v_init, after.v_init));
        push_if(self.weight != after.weight, format!("bench weight {:.2} to {:.2}", self.weight, after.weight));
        push_if(self.neuron != after.neuron, format!("bench neuron {} to {}", self.neuron, after.neuron));
        push_if(self.reset != after.reset, "bench reset".into());
        push_if(self.tie != after.tie, "bench tie rule".into());
        parts.join(", ")
    }

    /// Sets the number of steps; new ones have input 0.
    pub fn set_steps(&mut self, steps: usize) {
        self.input.resize(steps.clamp(1, MAX_STEPS), 0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_order_changes_the_count_at_equal_sum() {
        let mut bench = NeuronBench::default();
        let trace = bench.run();
        assert_eq!((trace.expected, trace.count()), (2, 4));
        assert_eq!(trace.before_reset, [2.5, 3.5, 4.5, 1.5, -1.5]);
        bench.sort(false);
        assert_eq!((bench.run().expected, bench.run().count()), (2, 1));
        bench.alternate();
        assert_eq!((bench.run().expected, bench.run().count()), (2, 2));
        bench.spread();
        assert_eq!(bench.run().count(), 2);
    }

    #[test]
    fn moving_an_input_keeps_the_sum() {
        let mut bench = NeuronBench::default();
        bench.move_input(0, 4);
        assert_eq!(bench.input, [2.0, 2.0, -2.0, -2.0, 2.0]);
        bench.move_input(9, 0);
        bench.set_steps(7);
        assert_eq!(bench.input, [2.0, 2.0, -2.0, -2.0, 2.0, 0.0, 0.0]);
    }
}
