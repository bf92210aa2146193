//! Reports how each layer's currents are computed: constant, tables, events or dense.

use super::block::event_form;
use crate::compute::event::lookup_table;
use crate::compute::program::Program;
use crate::convert::SpikingNetwork;
use crate::network::{Network, NodeId, Op};

/// How a layer's currents are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecutionForm {
    /// Once: they do not change over time.
    Constant,
    /// From spikes, with precomputed sums for every pattern of eight channels.
    Tables,
    /// From spikes, one row of weights for each.
    Events,
    /// On dense tensors, which is faster: nearly all inputs are expected to spike.
    DenseByRate,
    /// On dense tensors: the layer has no event form.
    Dense,
}

/// The execution form of spiking layer `layer`.
pub fn execution_form(program: &Program, spiking: &SpikingNetwork, layer: usize) -> ExecutionForm {
    let network = program.network();
    let source = network.nodes[spiking.layers[layer].node].inputs[0];
    if !receives_spikes(network, source) {
        return ExecutionForm::Constant;
    }
    match event_form(program, source, spiking) {
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
