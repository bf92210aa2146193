//! Memory estimate of a run, and the number of samples in one block.

use super::block::simulated_steps;
use super::currents::exceeds_cache;
use super::execution_form::{
    ExecutionForm, dense_nodes, dense_targets, execution_form, is_whole, planned_form, steps_at_once,
};
use super::plan::{Reuse, SimulationPlan};
use super::recording::Recording;
use super::recording_builder::held_layers;
use super::signal::{frame_count, receives_spikes};
use crate::compute::event::depends_on_input;
use crate::convert::{Correction, SpikingLayer};
use crate::network::Op;

/// Values of one layer that one block of samples may hold over all steps (f32 each).
const BLOCK_VALUES: usize = 2 << 20;
/// Bytes of spikes and final states of one block of samples: what the caches can hold until it is stored.
const BLOCK_BYTES: usize = 8 << 20;

/// Peak number of bytes of a run of `plan` without reuse, besides the weights: the recording, and the unfinished
/// blocks, one per thread, all at their peak at once. Blocks need not peak together: a run on several threads may take
/// less, by up to all blocks but one.
pub fn estimate_bytes(plan: &SimulationPlan<'_>) -> usize {
    let classes = plan.program.network().classes();
    let dense = dense_nodes(plan, 0);
    let threads = rayon::current_num_threads();
    let rows = block_rows(plan, Reuse::NONE, &dense, threads);
    let in_progress = plan.samples.div_ceil(rows).min(threads) * rows;
    let steps = plan.steps.max(plan.spiking.correction.presteps());
    let stepwise = stepwise_values(plan, 0);
    let at_once = |target| {
        let nodes = plan.program.nodes_between_spikes(target);
        let widest = nodes.iter().map(|&id| plan.program.network().nodes[id].len()).max().unwrap_or(0);
        // Inputs and output of a node.
        3 * widest * rows * steps_at_once(plan.program.network(), &nodes, rows, steps, 1)
    };
    let few_steps = dense_targets(plan, 0).filter(|&target| !is_whole(plan, target)).map(at_once).max().unwrap_or(0);
    let dense_values = dense_values(plan, &dense, steps).max(stepwise * steps) * in_progress;
    let dense_bytes = (dense_values + few_steps * threads) * 4;
    let recording = recording_bytes(plan);
    // The readout of unfinished blocks. That of the run has their place, which is untouched memory before they end; then
    // their dense values are gone.
    let readout = simulated_steps(plan, Reuse::NONE) * classes * 4 * in_progress;
    let unfinished = dense_bytes.saturating_sub(readout).max(readout);
    let pre_steps = match plan.spiking.correction {
        Correction::Srp { steps, .. } => {
            let layer = |layer: &SpikingLayer| layer.neurons() * (steps * layer.neuron.plane_weights().len() / 8 + 4);
            plan.spiking.layers.iter().map(layer).sum::<usize>() * in_progress
        }
        _ => 0,
    };
    recording + pre_steps + unfinished
}

/// Samples of one block of a run of `plan`.
pub fn block_size(plan: &SimulationPlan<'_>) -> usize {
    block_rows(plan, Reuse::NONE, &dense_nodes(plan, 0), rayon::current_num_threads())
}

/// Values of one step of the widest node that layers after the first `recorded_layers` read as dense values, computed for a
/// few steps at a time.
fn stepwise_values(plan: &SimulationPlan<'_>, recorded_layers: usize) -> usize {
    let output = plan.program.network().output;
    let targets = dense_targets(plan, recorded_layers).filter(|&target| target != output && !is_whole(plan, target));
    targets.map(|target| plan.program.network().nodes[target].len()).max().unwrap_or(0)
}

/// Largest number of dense values (f32) that a block of one sample holds at once over `steps` steps: nodes are computed
/// in order, and a value is kept until its last reader has it.
fn dense_values(plan: &SimulationPlan<'_>, dense: &[bool], steps: usize) -> usize {
    let (program, network) = (plan.program, plan.program.network());
    let changes = frame_count(program, plan.input, plan.samples.max(1)) > 1;
    let varies: Vec<bool> = (0..network.nodes.len())
        .map(|id| changes && depends_on_input(network, id) || receives_spikes(network, id))
        .collect();
    let size = |id: usize| network.nodes[id].len() * if varies[id] { steps } else { 1 };
    let mut held = vec![0; network.nodes.len()];
    let (mut now, mut most) = (0, 0);
    for (id, node) in network.nodes.iter().enumerate() {
        if let Some(layer) = plan.spiking.layers.iter().find(|layer| layer.node == id) {
            let source = node.inputs[0];
            // Its currents, which are the value itself if no other node reads it.
            let own = planned_form(plan, source).is_none();
            let currents = if own && program.last_reader(source) != id { size(source) } else { 0 };
            most = most.max(now + currents + layer.neurons());
        }
        if dense[id] {
            // What is constant is repeated to meet what varies.
            let repeated = node.inputs.iter().filter(|&&input| varies[id] && !varies[input]);
            let repeated: usize = repeated.map(|&input| network.nodes[input].len() * steps).sum();
            now += size(id);
            held[id] = size(id);
            // A sum is written over its first input, if no other node reads that.
            let over = |&&input: &&usize| {
                matches!(node.op, Op::Add) && program.last_reader(input) == id && held[input] == held[id]
            };
            let over = node.inputs.first().filter(over).map_or(0, |&input| held[input]);
            most = most.max(now + repeated - over);
        }
        for &input in node.inputs.iter().filter(|&&input| program.last_reader(input) == id) {
            now -= std::mem::take(&mut held[input]);
        }
    }
    most.max(now)
}

/// Bytes of the recording of `plan`. Results are written in place; a correction may simulate more steps than are recorded.
pub fn recording_bytes(plan: &SimulationPlan<'_>) -> usize {
    let classes = plan.program.network().classes();
    let steps = simulated_steps(plan, Reuse::NONE);
    Recording::predict_bytes(plan.spiking, &held_layers(plan), steps, plan.samples, classes)
}

/// Whether dense values are needed only for constants.
fn event_forms_only(plan: &SimulationPlan<'_>) -> bool {
    (0..plan.spiking.layers.len())
        .all(|layer| !matches!(execution_form(plan, layer), ExecutionForm::Dense | ExecutionForm::DenseByRate))
}

/// Samples in one block: an even share of the work, with at most [`BLOCK_VALUES`] of dense values and [`BLOCK_BYTES`]
/// of results at once.
///
/// If weights fit the cache, blocks are small, so that they finish soon and their results can be shown. Otherwise they
/// are large, so that reading weights does not dominate.
pub(super) fn block_rows(plan: &SimulationPlan<'_>, reuse: Reuse<'_>, dense: &[bool], threads: usize) -> usize {
    let steps = plan.steps.max(plan.spiking.correction.presteps()) - reuse.from_step;
    let layers = &plan.spiking.layers[reuse.layers..];
    let sources = layers.iter().map(|layer| plan.program.network().nodes[layer.node].inputs[0]);
    let weights_fit_cache = |node| planned_form(plan, node).is_none_or(|form| !exceeds_cache(&form.plan));
    let max_bytes = if sources.into_iter().all(weights_fit_cache) { BLOCK_BYTES } else { BLOCK_BYTES * 32 };
    let bytes_per_sample =
        |layer: &SpikingLayer| layer.neurons() * (steps * layer.neuron.plane_weights().len() / 8 + 8);
    let bytes: usize = layers.iter().map(bytes_per_sample).sum();
    let nodes = plan.program.network().nodes.iter().zip(dense);
    let widest = nodes.filter(|(_, dense)| **dense).map(|(node, _)| node.len()).max().unwrap_or(0);
    let share = plan.samples.div_ceil(2 * threads).max(1);
    // A constant value is stored once, the readout at every step.
    let whole = widest * if event_forms_only(plan) { 1 } else { steps };
    let widest = whole.max(stepwise_values(plan, reuse.layers).max(plan.program.network().classes()) * steps);
    (BLOCK_VALUES / widest.max(1)).min(max_bytes / bytes.max(1)).clamp(1, share)
}
