//! What a run is asked for, and what it may take over from the one before.

use super::recording::Recording;
use crate::compute::program::Program;
use crate::convert::SpikingNetwork;

/// What to run, and what is already known.
#[derive(Clone, Copy)]
pub struct SimulationPlan<'a> {
    pub program: &'a Program,
    pub spiking: &'a SpikingNetwork,
    /// Scaled input, `[samples, F]`, or `[samples, frames, F]` where it changes over time (one frame a step, over and over).
    pub input: &'a [f32],
    pub samples: usize,
    pub steps: usize,
    /// A recording of the same network and samples to build on, or of more or fewer samples from the same first one on.
    pub previous: Option<&'a Recording>,
    /// Layers before this one are unchanged since `previous`. With all of them unchanged, a longer run goes on from it.
    pub unchanged_layers: usize,
}

/// What of a previous recording a run takes over.
#[derive(Clone, Copy)]
pub(super) struct Reuse<'a> {
    pub previous: Option<&'a Recording>,
    /// Layers whose spikes are taken from `previous`.
    pub layers: usize,
    /// Steps already simulated: the run goes on from there.
    pub from_step: usize,
}

impl Reuse<'_> {
    /// Nothing is taken over.
    pub const NONE: Self = Self { previous: None, layers: 0, from_step: 0 };
}
