//! In what form a run computes the currents of a layer, for those who want to know.

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
    /// From spikes, through sums worked out for every pattern of eight channels.
    Tables,
    /// From spikes, a row of weights for each.
    Events,
    /// On dense tensors: it is faster, as nearly all inputs are expected to spike.
    DenseByRate,
    /// On dense tensors: there is no event form.
    Dense,
}

/// The form of spiking layer `layer`.
pub fn execution_form(program: &Program, spiking: &SpikingNetwork, layer: usize) -> ExecutionForm {
    let network = program.network();
    let source = network.nodes[spiking.layers[layer].node].inputs[0];
    if !varies(network, source) {
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
fn varies(network: &Network, id: NodeId) -> bool {
    let node = &network.nodes[id];
    matches!(node.op, Op::Activation(_)) || node.inputs.iter().any(|&input| varies(network, input))
}
