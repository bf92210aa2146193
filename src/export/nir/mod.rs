//! A converted network as a NIR graph. NIR's neurons send spikes of 1, here a spike carries θ: the θ of the layers before go
//! into the weights that read them, or into a `Scale` where a spike meets no weights.

mod dynamics;
mod moves;
mod writer;

use std::collections::HashSet;

use dynamics::{dynamics, metadata};
use writer::{Writer, Written};

use super::{Grade, Graded};
use crate::convert::{Recipe, SpikingNetwork};
use crate::network::nir::{Graph, Kind};
use crate::network::{Network, NodeId, Op};

/// How average pools are written: readers know one or the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pools {
    /// `AvgPool2d` (snnTorch, SpikingJelly).
    #[default]
    Average,
    /// `SumPool2d` with the size of the window taken out of the weights that follow (sinabs).
    Sum,
}

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

/// The name that every node of `network` has in its graph.
pub fn names(network: &Network) -> Vec<String> {
    let mut taken = HashSet::new();
    network
        .nodes
        .iter()
        .map(|node| unique(if matches!(node.op, Op::Input) { "input" } else { &node.name }, &mut taken))
        .collect()
}

/// `name` as HDF5 and torch allow it (slashes are paths to one, dots are modules to the other), another for each call.
fn unique(name: &str, taken: &mut HashSet<String>) -> String {
    let plain: String = name.chars().map(|c| if c.is_alphanumeric() || c == '_' { c } else { '_' }).collect();
    let plain = if plain.is_empty() { "node".to_owned() } else { plain };
    let mut unique = plain.clone();
    let mut k = 2;
    while !taken.insert(unique.clone()) {
        unique = format!("{plain}_{k}");
        k += 1;
    }
    unique
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
