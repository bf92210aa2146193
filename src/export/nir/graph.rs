//! NIR export of a converted network: builds the graph with scaled weights.
//!
//! Spikes are 1 in NIR; here a spike carries θ. The θ of earlier layers are multiplied into the weights that read them, or
//! into a `Scale` node if no weights read the spike.

use super::limitations::{check_dynamics, metadata};
use super::writer::{PoolExport, Writer, WrittenValue, node_names};
use crate::convert::{Recipe, SpikingNetwork};
use crate::export::{Fidelity, FidelityReport};
use crate::network::nir::{NirGraph, NirOp};
use crate::network::{Network, NodeId};

/// Builds the graph of `spiking`, converted from the rewritten `network` by `recipe`. `extra` is added to its metadata.
/// If NIR cannot represent a part of the network, the graph is `None` and the report gives the reason.
pub fn graph(
    network: &Network,
    spiking: &SpikingNetwork,
    recipe: &Recipe,
    pools: PoolExport,
    extra: &[(String, String)],
) -> (Option<NirGraph>, FidelityReport) {
    let mut fidelity = check_dynamics(spiking, recipe);
    let names = node_names(network);
    let mut writer = Writer::new(network, spiking, pools, names);
    let mut values: Vec<Option<WrittenValue>> = vec![None; network.nodes.len()];
    for id in reachable_nodes(network) {
        match writer.write(id, &values) {
            Ok(written) => values[id] = Some(written),
            Err(reason) => {
                fidelity.downgrade_first(Fidelity::Unsupported, format!("{}: {reason}", network.nodes[id].name));
                return (None, fidelity);
            }
        }
    }
    if fidelity.grade == Fidelity::Unsupported {
        return (None, fidelity);
    }
    let shape = network.nodes[network.output].shape.clone();
    let Some(output) = values[network.output].take() else { return (None, fidelity) };
    let output = match writer.materialize(output, "readout") {
        Ok(output) => writer.remove_scale(output, &shape, "readout"),
        Err(reason) => {
            fidelity.downgrade_first(Fidelity::Unsupported, reason);
            return (None, fidelity);
        }
    };
    writer.add("output", NirOp::Output { shape }, &output, Vec::new());
    let mut graph = writer.into_graph();
    graph.metadata = metadata(recipe, &fidelity);
    graph.metadata.extend(extra.iter().cloned());
    (Some(graph), fidelity)
}

/// The nodes that the output depends on, in network order.
fn reachable_nodes(network: &Network) -> Vec<NodeId> {
    let mut reachable = vec![false; network.nodes.len()];
    let mut pending = vec![network.output];
    while let Some(id) = pending.pop() {
        if !std::mem::replace(&mut reachable[id], true) {
            pending.extend(&network.nodes[id].inputs);
        }
    }
    (0..reachable.len()).filter(|&id| reachable[id]).collect()
}
