//! A converted network as a NIR graph. NIR's neurons send spikes of 1, here a spike carries θ: the θ of the layers before go
//! into the weights that read them, or into a `Scale` where a spike meets no weights.

use super::limitations::{dynamics, metadata};
use super::writer::{Pools, Writer, Written, names};
use crate::convert::{Recipe, SpikingNetwork};
use crate::export::{Grade, Graded};
use crate::network::nir::{Graph, Kind};
use crate::network::{Network, NodeId};

/// Writes `spiking`, converted from the rewritten `network` by `recipe`, as a graph. `extra` is remembered beside it.
/// Where something has no form in NIR the graph is left out and the grade says why.
pub fn graph(
    network: &Network,
    spiking: &SpikingNetwork,
    recipe: &Recipe,
    pools: Pools,
    extra: &[(String, String)],
) -> (Option<Graph>, Graded) {
    let mut graded = dynamics(spiking, recipe);
    let own = names(network);
    let mut writer = Writer::new(network, spiking, pools, own);
    let mut values: Vec<Option<Written>> = vec![None; network.nodes.len()];
    for id in needed(network) {
        match writer.write(id, &values) {
            Ok(written) => values[id] = Some(written),
            Err(reason) => {
                graded.lower_first(Grade::Unsupported, format!("{}: {reason}", network.nodes[id].name));
                return (None, graded);
            }
        }
    }
    if graded.grade == Grade::Unsupported {
        return (None, graded);
    }
    let shape = network.nodes[network.output].shape.clone();
    let Some(answer) = values[network.output].take() else { return (None, graded) };
    let answer = match writer.settled(answer, "readout") {
        Ok(answer) => writer.unscaled(answer, &shape, "readout"),
        Err(reason) => {
            graded.lower_first(Grade::Unsupported, reason);
            return (None, graded);
        }
    };
    writer.add("output", Kind::Output { shape }, &answer, Vec::new());
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
