//! Input of a simulation: program, network, samples, T, and an earlier recording to reuse.

use super::recording::Recording;
use crate::compute::program::Program;
use crate::convert::SpikingNetwork;

/// What to simulate, and what is known from an earlier run.
#[derive(Clone, Copy)]
pub struct SimulationPlan<'a> {
    pub program: &'a Program,
    pub spiking: &'a SpikingNetwork,
    /// Scaled input, `[samples, F]`, or `[samples, frames, F]` if it changes over time (one frame a step, repeated).
    pub input: &'a [f32],
    pub samples: usize,
    pub steps: usize,
    /// A recording of the same network to build on: of the same samples, or of more or fewer with the same first one.
    pub previous: Option<&'a Recording>,
    /// Layers before this one are unchanged since `previous`. If all are, a longer run continues from its final state.
    pub unchanged_layers: usize,
}

/// What a run reuses of a previous recording.
#[derive(Clone, Copy)]
pub(super) struct Reuse<'a> {
    pub previous: Option<&'a Recording>,
    /// Layers whose spikes are taken from `previous`.
    pub layers: usize,
    /// Steps already simulated: the run continues from there.
    pub from_step: usize,
}

impl Reuse<'_> {
    /// Nothing is reused.
    pub const NONE: Self = Self { previous: None, layers: 0, from_step: 0 };
}
