//! Reports how each layer's currents are computed: constant, tables, events or dense.

use super::block::planned_form;
use super::event_frames::are_counts;
use super::plan::SimulationPlan;
use super::signal::frame_count;
use crate::compute::event::{depends_on_input, lookup_table};
use crate::network::{Network, NodeId, Op};

/// How a layer's currents are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecutionForm {
    /// Once: they do not change over time.
    Constant,
    /// From spikes or frames of events, with precomputed sums for every pattern of eight channels.
    Tables,
    /// From spikes or frames of events, one row of weights for each.
    Events,
    /// On dense tensors, which is faster: nearly all inputs are expected to spike.
    DenseByRate,
    /// On dense tensors: the layer has no event form.
    Dense,
}

/// The execution form of spiking layer `layer` in a run of `plan`. Of an input that changes over time, the first sample tells
/// whether it is read as events.
pub fn execution_form(plan: &SimulationPlan<'_>, layer: usize) -> ExecutionForm {
    let (network, spiking) = (plan.program.network(), plan.spiking);
    let source = network.nodes[spiking.layers[layer].node].inputs[0];
    let changes = frame_count(plan.program, plan.input, plan.samples) > 1 && depends_on_input(network, source);
    if !receives_spikes(network, source) && !changes {
        return ExecutionForm::Constant;
    }
    let sample = || &plan.input[..plan.input.len().checked_div(plan.samples).unwrap_or(0)];
    match planned_form(plan, source).filter(|_| !changes || are_counts(sample())) {
        // Frames of events are lists of their own.
        Some(form) if form.plan.frames => ExecutionForm::Events,
        Some(form) if form.plan.terms.iter().any(|term| lookup_table::is_applicable(term, form.plan.lanes)) => {
            ExecutionForm::Tables
        }
        Some(_) => ExecutionForm::Events,
        None if spiking.dense_nodes.contains(&source) => ExecutionForm::DenseByRate,
        None => ExecutionForm::Dense,
    }
}

/// Whether spikes reach node `id`.
pub(super) fn receives_spikes(network: &Network, id: NodeId) -> bool {
    let node = &network.nodes[id];
    matches!(node.op, Op::Activation(_)) || node.inputs.iter().any(|&input| receives_spikes(network, input))
}
