//! How each layer's currents are computed: constant, tables, events or dense, all steps or few at once.

use super::event_frames::are_counts;
use super::plan::SimulationPlan;
use super::signal::{frame_count, receives_spikes};
use crate::compute::event::{depends_on_input, lookup_table};
use crate::compute::program::{EventForm, Program};
use crate::convert::{MaxPoolRule, SpikingNetwork};
use crate::network::{Network, NodeId, Op};

/// Dense values (f32) of one node that are computed at once: what a core's own cache can hold.
const DENSE_VALUES: usize = 1 << 18;

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

/// The event form in which a run reads node `id`, if it has one under the network's max-pooling rule and its inputs do
/// not spike in nearly every step.
pub(super) fn event_form<'a>(program: &'a Program, id: NodeId, spiking: &SpikingNetwork) -> Option<&'a EventForm> {
    let form = program.event_form(id).filter(|_| !spiking.dense_nodes.contains(&id))?;
    (spiking.pooling == MaxPoolRule::Lateral || !form.plan.needs_lateral()).then_some(form)
}

/// Like [`event_form`], under `plan`: an input that changes over time is events too. Blocks whose frames are no
/// whole-number counts run on dense values ([`super::event_frames`]).
pub(super) fn planned_form<'a>(plan: &SimulationPlan<'a>, id: NodeId) -> Option<&'a EventForm> {
    let program = plan.program;
    if frame_count(program, plan.input, plan.samples) < 2 || !depends_on_input(program.network(), id) {
        return event_form(program, id, plan.spiking);
    }
    let form = program.frame_form(id).filter(|_| !plan.spiking.dense_nodes.contains(&id))?;
    (plan.spiking.pooling == MaxPoolRule::Lateral || !form.plan.needs_lateral()).then_some(form)
}

/// The nodes whose dense value over all steps is held if the first `recorded_layers` spiking layers are known: those on
/// the paths from spikes or input to every layer that [`is_whole`].
pub(super) fn dense_nodes(plan: &SimulationPlan<'_>, recorded_layers: usize) -> Vec<bool> {
    let mut needed = vec![false; plan.program.network().nodes.len()];
    for target in dense_targets(plan, recorded_layers).filter(|&target| is_whole(plan, target)) {
        plan.program.nodes_between_spikes(target).into_iter().for_each(|id| needed[id] = true);
    }
    needed
}

/// The nodes without an event form that layers after the first `recorded_layers`, or the readout, read.
pub(super) fn dense_targets<'a>(
    plan: &'a SimulationPlan<'_>,
    recorded_layers: usize,
) -> impl Iterator<Item = NodeId> + 'a {
    let network = plan.program.network();
    let readers = plan.spiking.layers[recorded_layers..].iter().map(|layer| network.nodes[layer.node].inputs[0]);
    readers.chain([network.output]).filter(|&target| planned_form(plan, target).is_none())
}

/// Whether the dense value of `target` is computed for all steps at once: it is constant, or a lateral pool sums over the
/// steps. Other values are computed for a few steps at a time.
pub(super) fn is_whole(plan: &SimulationPlan<'_>, target: NodeId) -> bool {
    let network = plan.program.network();
    let changes = frame_count(plan.program, plan.input, plan.samples.max(1)) > 1;
    let varies = receives_spikes(network, target) || changes && depends_on_input(network, target);
    let pools = |id: NodeId| matches!(network.nodes[id].op, Op::MaxPool2d { .. });
    let sums = || plan.program.nodes_between_spikes(target).into_iter().any(pools);
    !varies || plan.spiking.pooling == MaxPoolRule::Lateral && sums()
}

/// Steps of a block of `rows` samples that are computed at once on the dense values of `nodes`: few enough for the caches,
/// and fewer if `parts` of the work are for several threads.
pub(super) fn steps_at_once(network: &Network, nodes: &[NodeId], rows: usize, steps: usize, parts: usize) -> usize {
    let widest = nodes.iter().map(|&id| network.nodes[id].len()).max().unwrap_or(1);
    (DENSE_VALUES / (widest * rows).max(1)).clamp(1, steps.div_ceil(parts).max(1))
}
