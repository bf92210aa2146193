//! A converted network as a NIR graph. NIR's neurons send spikes of 1, here a spike carries θ: the θ of the layers before go
//! into the weights that read them, or into a `Scale` where a spike meets no weights.

use super::limitations::{dynamics, metadata};
use super::writer::{PoolExport, Writer, WrittenValue, node_names};
use crate::convert::{Recipe, SpikingNetwork};
use crate::export::{Fidelity, FidelityReport};
use crate::network::nir::{NirGraph, NirOp};
use crate::network::{Network, NodeId};

/// Writes `spiking`, converted from the rewritten `network` by `recipe`, as a graph. `extra` is remembered beside it.
/// Where something has no form in NIR the graph is left out and the grade says why.
pub fn graph(
    network: &Network,
    spiking: &SpikingNetwork,
    recipe: &Recipe,
    pools: PoolExport,
    extra: &[(String, String)],
) -> (Option<NirGraph>, FidelityReport) {
    let mut graded = dynamics(spiking, recipe);
    let own = node_names(network);
    let mut writer = Writer::new(network, spiking, pools, own);
    let mut values: Vec<Option<WrittenValue>> = vec![None; network.nodes.len()];
    for id in needed(network) {
        match writer.write(id, &values) {
            Ok(written) => values[id] = Some(written),
            Err(reason) => {
                graded.lower_first(Fidelity::Unsupported, format!("{}: {reason}", network.nodes[id].name));
                return (None, graded);
            }
        }
    }
    if graded.grade == Fidelity::Unsupported {
        return (None, graded);
    }
    let shape = network.nodes[network.output].shape.clone();
    let Some(answer) = values[network.output].take() else { return (None, graded) };
    let answer = match writer.materialize(answer, "readout") {
        Ok(answer) => writer.remove_scale(answer, &shape, "readout"),
        Err(reason) => {
            graded.lower_first(Fidelity::Unsupported, reason);
            return (None, graded);
        }
    };
    writer.add("output", NirOp::Output { shape }, &answer, Vec::new());
    let mut graph = writer.into_graph();
    graph.metadata = metadata(recipe, &graded);
    graph.metadata.extend(extra.iter().cloned());
    (Some(graph), graded)
}

/// The nodes that the answer depends on, in order.
fn needed(network: &Network) -> Vec<NodeId> {
    let mut needed = vec![false; network.nodes.len()];
    let mut open = vec![network.output];
    while let Some(id) = open.pop() {
        if !std::mem::replace(&mut needed[id], true) {
            open.extend(&network.nodes[id].inputs);
        }
    }
    (0..needed.len()).filter(|&id| needed[id]).collect()
}
