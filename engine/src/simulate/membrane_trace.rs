//! Membrane traces of single neurons, step by step.
//!
//! Traces are not stored: they are recomputed exactly, from the recorded input spikes, when a neuron is selected.

use super::block::{currents_by_step, with_recorded_currents};
use super::neuron::Dynamics;
use super::plan::SimulationPlan;
use super::recording::Recording;
use crate::compute::program::Program;
use crate::convert::SpikingNetwork;
use crate::progress::JobControl;

/// State of one neuron at every step of a run. All vectors have one entry per step.
#[derive(Clone, Debug, PartialEq)]
pub struct MembraneTrace {
    pub theta: f32,
    /// v(0)
    pub initial: f32,
    /// Input current I(t).
    pub current: Vec<f32>,
    /// Potential after charging, before the reset: m(t).
    pub before_reset: Vec<f32>,
    /// Potential after the reset: v(t).
    pub after_reset: Vec<f32>,
    /// Whether the neuron fired.
    pub spikes: Vec<bool>,
    /// The emitted count in units (θ, or θ/m for a group of m): 0 or 1 for the integrate-and-fire neuron.
    pub fired: Vec<i32>,
    /// The count that reaches the next layer, in units: 0 throughout if the neuron is silenced.
    pub sent: Vec<i32>,
    /// Whether a correction silences its output (SRP).
    pub silenced: bool,
}

/// Input currents of spiking layer `layer` for `sample`, `[T, F]`, from the recorded spikes of the layers before it.
pub fn layer_currents(
    program: &Program,
    spiking: &SpikingNetwork,
    input: &[f32],
    recording: &Recording,
    layer: usize,
    sample: usize,
) -> Vec<f32> {
    let (steps, samples) = (recording.steps, recording.samples);
    let plan =
        SimulationPlan { program, spiking, input, samples, steps, previous: Some(recording), unchanged_layers: layer };
    // It is never cancelled, and a recorded layer has all inputs, so no error occurs.
    with_recorded_currents(&plan, layer, sample, 1, |currents| currents_by_step(currents, &JobControl::default()))
        .unwrap_or_default()
}

/// The trace of `neuron` of spiking layer `layer` for `sample`; `currents` is the result of [`layer_currents`].
pub fn trace(
    spiking: &SpikingNetwork,
    recording: &Recording,
    currents: &[f32],
    layer: usize,
    sample: usize,
    neuron: usize,
) -> MembraneTrace {
    let (layer, record) = (&spiking.layers[layer], &recording.layers[layer]);
    let theta = layer.theta_of(neuron);
    let mut v = record.start_of(layer, sample, neuron);
    let silenced = record.silenced(sample, neuron);
    let dynamics = Dynamics::of(layer);
    let mut out = MembraneTrace {
        theta,
        initial: v,
        current: currents.iter().skip(neuron).step_by(layer.neurons()).copied().collect(),
        before_reset: Vec::new(),
        after_reset: Vec::new(),
        spikes: Vec::new(),
        fired: Vec::new(),
        sent: Vec::new(),
        silenced,
    };
    let mut emitted = 0;
    for &current in &out.current {
        // In the order of the run, so that the rounding is the same.
        v += layer.bias_shift * theta;
        out.before_reset.push(dynamics.before_reset(v, current));
        let (count, after) = dynamics.step(v, current, theta, emitted);
        v = after;
        emitted += count;
        out.after_reset.push(v);
        out.spikes.push(count != 0);
        out.fired.push(count);
        out.sent.push(if silenced { 0 } else { count });
    }
    out
}
