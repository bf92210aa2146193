//! NIR export of a converted network: builds the graph with scaled weights.
//!
//! Spikes are 1 in NIR; here a spike carries θ. The θ of earlier layers are multiplied into the weights that read them, or
//! into diagonal weights if none read the spike.

use super::agreement::{Agreement, agreement, metadata};
use super::node_names::node_names;
use super::portable::make_portable;
use super::reader::NirTarget;
use super::writer::{Writer, WrittenValue};
use crate::convert::{Recipe, SpikingNetwork};
use crate::export::{Fidelity, FidelityReport};
use crate::network::nir::{NirGraph, NirOp};
use crate::network::{Network, NodeId};

/// A graph for one reader.
#[derive(Clone, Debug)]
pub struct NirExport {
    /// The graph; `None` if the reader or the format cannot represent a part of the network.
    pub graph: Option<NirGraph>,
    pub report: FidelityReport,
    /// Python that opens the file and makes the reader agree, one line each.
    pub python: Vec<String>,
}

/// Builds the graph of `spiking`, converted from the rewritten `network` by `recipe`. `extra` is added to its metadata.
/// If NIR cannot represent a part of the network, the graph is `None` and the report gives the reason.
pub fn graph(
    network: &Network,
    spiking: &SpikingNetwork,
    recipe: &Recipe,
    target: impl Into<NirTarget>,
    extra: &[(String, String)],
) -> NirExport {
    let target = target.into();
    let mut agreement = agreement(spiking, recipe, target.reader);
    let graph = match build(network, spiking, target, &mut agreement) {
        Ok(graph) => Some(graph).filter(|_| agreement.report.grade != Fidelity::Unsupported),
        Err(reason) => {
            agreement.report.downgrade_first(Fidelity::Unsupported, reason);
            None
        }
    };
    let graph = graph.map(|mut graph| {
        graph.metadata.splice(0..0, metadata(recipe, &agreement, target.reader));
        graph.metadata.extend(extra.iter().cloned());
        graph
    });
    let python = if graph.is_some() { agreement.python } else { Vec::new() };
    NirExport { graph, report: agreement.report, python }
}

fn build(
    network: &Network,
    spiking: &SpikingNetwork,
    target: NirTarget,
    agreement: &mut Agreement,
) -> Result<NirGraph, String> {
    let reader = target.reader;
    let mut writer = Writer::new(network, spiking, target, node_names(network));
    let mut values: Vec<Option<WrittenValue>> = vec![None; network.nodes.len()];
    for id in reachable_nodes(network) {
        let written = writer.write(id, &values);
        values[id] = Some(written.map_err(|reason| format!("{}: {reason}", network.nodes[id].name))?);
    }
    let shape = network.nodes[network.output].shape.clone();
    let output = values[network.output].take().ok_or("the output was not written")?;
    let output = writer.materialize(output, "readout")?;
    let output = writer.remove_scale(output, &shape, "readout");
    writer.add("output", NirOp::Output { shape }, &output, Vec::new());
    let mut graph = writer.into_graph();
    if make_portable(&mut graph, reader)? {
        agreement.tell_unchecked();
    }
    if reader.loses_branches() && has_joins(&graph) {
        agreement.tell_order(reader);
    }
    let order: Vec<&str> = graph.nodes.iter().map(|(name, _)| name.as_str()).collect();
    graph.metadata.push(("order".into(), order.join(" ")));
    Ok(graph)
}

/// Whether several edges lead to a node.
fn has_joins(graph: &NirGraph) -> bool {
    graph.nodes.iter().any(|(name, _)| graph.edges.iter().filter(|(_, to)| to == name).count() > 1)
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
