//! Chooses layers to compute on dense tensors because nearly all their inputs spike.
//!
//! The expected firing rates come from the calibration, so the choice is the same for every sample, T and number of
//! threads.

use super::{Calibration, SpikingLayer};
use crate::compute::event::{LinearMap, lookup_table};
use crate::compute::program::Program;
use crate::network::NodeId;

/// Events per input and step from which on the dense form is faster.
///
/// Measured by `cargo bench --bench kernels` on one core with AVX-512: a fully connected layer of 4096×4096 takes
/// equally long in both forms at 80 %. Convolutions are faster with events at any rate that one spike a step can reach.
pub const DENSE_CROSSOVER_RATE: f64 = 0.8;

/// Expected events per neuron and step of each layer, from the calibration's activations.
pub(super) fn expected_input_rates(layers: &[SpikingLayer], calibration: &Calibration) -> Vec<f64> {
    let of = |(layer, statistics): (&SpikingLayer, &super::ActivationStatistics)| {
        let theta = layer.theta.iter().sum::<f32>() / layer.theta.len().max(1) as f32;
        let saturation = layer.neuron.amplitude(theta) * layer.neuron.max_spikes_per_step() as f32;
        let share = statistics.layer.mean_clipped(saturation);
        // A count above 1 is stored as several bits, each an event.
        (share * layer.neuron.max_spikes_per_step() as f64).min(layer.neuron.plane_weights().len() as f64)
    };
    layers.iter().zip(&calibration.layers).map(of).collect()
}

/// The nodes to compute on dense tensors although they have an event form: those that read event lists of a layer whose
/// `expected` rate is [`DENSE_CROSSOVER_RATE`] or more.
pub(super) fn dense_layers(program: &Program, layers: &[SpikingLayer], expected: &[f64]) -> Vec<NodeId> {
    let network = program.network();
    let is_busy = |source: NodeId| {
        layers.iter().zip(expected).any(|(layer, &events)| layer.node == source && events >= DENSE_CROSSOVER_RATE)
    };
    let readers = layers.iter().map(|layer| network.nodes[layer.node].inputs[0]).chain([network.output]);
    let is_faster_dense = |&node: &NodeId| {
        program.event_form(node).is_some_and(|form| {
            let plan = &form.plan;
            let uses_event_list = |term: &&crate::compute::event::Term| {
                matches!(term.map, LinearMap::Weights(_)) && !lookup_table::is_applicable(term, plan.lanes)
            };
            plan.terms.iter().filter(uses_event_list).any(|term| is_busy(term.source))
        })
    };
    readers.filter(is_faster_dense).collect()
}
