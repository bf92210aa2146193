//! Which layers are better computed on dense tensors because nearly all their inputs spike. The firing rates to expect are
//! read off the calibration, so the choice is the same for every sample, T and number of threads.

use super::{Calibration, SpikingLayer};
use crate::compute::event::{LinearMap, lookup_table};
use crate::compute::program::Program;
use crate::network::NodeId;

/// Events per input and step from which on the dense form is faster. Measured by `cargo bench --bench kernels` on one core with
/// AVX-512: a fully connected layer of 4096 by 4096 takes as long in both forms at 80 %, convolutions gain from events at
/// any rate that one spike a step can reach.
pub const DENSE_CROSSOVER_RATE: f64 = 0.8;

/// Events to expect of each layer's neurons at one step, from the calibration's activations.
pub(super) fn expected_input_rates(layers: &[SpikingLayer], calibration: &Calibration) -> Vec<f64> {
    let of = |(layer, statistics): (&SpikingLayer, &super::ActivationStatistics)| {
        let theta = layer.theta.iter().sum::<f32>() / layer.theta.len().max(1) as f32;
        let ceiling = layer.neuron.amplitude(theta) * layer.neuron.max_spikes_per_step() as f32;
        let share = statistics.layer.mean_clipped(ceiling);
        // A count of several is sent as bits.
        (share * layer.neuron.max_spikes_per_step() as f64).min(layer.neuron.plane_weights().len() as f64)
    };
    layers.iter().zip(&calibration.layers).map(of).collect()
}

/// The nodes whose value is to be computed on dense tensors though it has an event form: those that add up lists of events
/// of a layer of which [`DENSE_CROSSOVER_RATE`] or more are `expected`.
pub(super) fn dense_layers(program: &Program, layers: &[SpikingLayer], expected: &[f64]) -> Vec<NodeId> {
    let network = program.network();
    let busy = |source: NodeId| {
        layers.iter().zip(expected).any(|(layer, &events)| layer.node == source && events >= DENSE_CROSSOVER_RATE)
    };
    let readers = layers.iter().map(|layer| network.nodes[layer.node].inputs[0]).chain([network.output]);
    let better = |&node: &NodeId| {
        program.event_form(node).is_some_and(|form| {
            let feed = &form.plan;
            let lists = |term: &&crate::compute::event::Term| {
                matches!(term.map, LinearMap::Weights(_)) && !lookup_table::is_applicable(term, feed.lanes)
            };
            feed.terms.iter().filter(lists).any(|term| busy(term.source))
        })
    };
    readers.filter(better).collect()
}
