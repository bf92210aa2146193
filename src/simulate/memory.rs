//! The memory of a run: how many samples a block may hold, and what a run takes in all.

use super::block::{dense_nodes, planned_form};
use super::currents::exceeds_cache;
use super::execution_form::{ExecutionForm, execution_form};
use super::plan::{Reuse, SimulationPlan};
use super::recording::Recording;
use crate::convert::SpikingLayer;

/// Values of one layer that one block of samples may hold over all steps (f32 each).
const BLOCK_VALUES: usize = 2 << 20;
/// Bytes of spikes and end states that one block of samples may leave behind: what the caches hold until it is put away.
const BLOCK_BYTES: usize = 8 << 20;

/// Bytes that a run by `plan` from nothing takes at its peak beside the weights: the recording, and what the blocks under
/// way have not put into it yet, one for each thread and all at their peaks at once. Whether they come there at once is
/// chance: a run on several threads may take less, by up to the blocks of all but one.
pub fn estimate_bytes(plan: &SimulationPlan<'_>) -> usize {
    let classes = plan.program.network().classes();
    let dense = dense_nodes(plan, 0);
    let threads = rayon::current_num_threads();
    let rows = block_rows(plan, Reuse::NONE, &dense, threads);
    let under_way = plan.samples.div_ceil(rows).min(threads) * rows;
    let steps = plan.steps.max(plan.spiking.correction.presteps());
    // A layer's dense values over all steps: its inputs, outputs and what is in between.
    let nodes = plan.program.network().nodes.iter().zip(&dense);
    let widest = nodes.filter(|(_, dense)| **dense).map(|(node, _)| node.len()).max().unwrap_or(0);
    let dense_bytes = if event_forms_only(plan) { widest } else { widest * steps * 3 } * 4 * under_way;
    let of = |steps, samples| Recording::predict_bytes(plan.spiking, steps, samples, classes);
    // Means and end states of a layer are put away as soon as it is through; until then it is there in pieces as well.
    let layers = &plan.spiking.layers;
    let ends = layers.iter().map(|layer| layer.neurons() * 8).sum::<usize>();
    let pieces = |layer: &SpikingLayer| layer.neurons() * (16 + steps * layer.neuron.plane_weights().len() / 8);
    let pieces = layers.iter().map(pieces).max().unwrap_or(0);
    let block = (of(steps, under_way) + under_way * pieces).saturating_sub(under_way * ends);
    of(plan.steps, plan.samples) + block + dense_bytes
}

/// Whether dense values are needed for constants alone.
fn event_forms_only(plan: &SimulationPlan<'_>) -> bool {
    (0..plan.spiking.layers.len()).all(|layer| {
        !matches!(execution_form(plan.program, plan.spiking, layer), ExecutionForm::Dense | ExecutionForm::DenseByRate)
    })
}

/// Samples in one block: an even share of the work, no more than [`BLOCK_VALUES`] of dense values and [`BLOCK_BYTES`] of
/// results at once. Where weights need not be kept for a whole block, so few that they are through soon and their answers
/// can be shown; where they do, enough that the weights are not all that is read.
pub(super) fn block_rows(plan: &SimulationPlan<'_>, reuse: Reuse<'_>, dense: &[bool], threads: usize) -> usize {
    let steps = plan.steps.max(plan.spiking.correction.presteps()) - reuse.from_step;
    let layers = &plan.spiking.layers[reuse.layers..];
    let sources = layers.iter().map(|layer| plan.program.network().nodes[layer.node].inputs[0]);
    let small = |node| planned_form(plan, node).is_none_or(|form| !exceeds_cache(&form.plan));
    let most = if sources.into_iter().all(small) { BLOCK_BYTES } else { BLOCK_BYTES * 32 };
    let kept = |layer: &SpikingLayer| layer.neurons() * (steps * layer.neuron.plane_weights().len() / 8 + 8);
    let bytes: usize = layers.iter().map(kept).sum();
    let nodes = plan.program.network().nodes.iter().zip(dense);
    let widest = nodes.filter(|(_, dense)| **dense).map(|(node, _)| node.len()).max().unwrap_or(0);
    let share = plan.samples.div_ceil(2 * threads).max(1);
    // What is the same at every step is held once.
    let widest = widest * if event_forms_only(plan) { 1 } else { steps };
    (BLOCK_VALUES / widest.max(1)).min(most / bytes.max(1)).clamp(1, share)
}
