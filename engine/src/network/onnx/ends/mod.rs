//! What a graph ends in, where that is no layer: indices of the largest scores, values joined with those of a sigmoid.

mod arg_max;
mod joined;

use std::collections::{HashMap, HashSet};

pub use arg_max::{cut, ends_in_class_maps};
pub use joined::split;

use super::proto::{GraphProto, NodeProto};

/// Operations that move values, or convert their type.
const MOVES: [&str; 6] = ["Cast", "Identity", "Squeeze", "Unsqueeze", "Reshape", "Flatten"];

/// Of a chain of nodes that are not read any more, at most this many are removed.
const MAX_ROUNDS: usize = 64;
/// Moves values within a sample, too.
const TRANSPOSE: &str = "Transpose";

/// Removes nodes of kind `op`, and those that only move values, that no node and no output reads any more: they are replaced,
/// and not told as unused.
fn remove_unread(graph: &mut GraphProto, op: &str) {
    for _ in 0..MAX_ROUNDS {
        let mut read: HashSet<String> = graph.node.iter().flat_map(|node| node.input.iter().cloned()).collect();
        read.extend(graph.output.iter().map(|output| output.name.clone()));
        let is_end = |node: &NodeProto| [op, TRANSPOSE].contains(&&*node.op_type) || MOVES.contains(&&*node.op_type);
        let count = graph.node.len();
        graph.node.retain(|node| !is_end(node) || node.output.iter().any(|name| read.contains(name)));
        if graph.node.len() == count {
            return;
        }
    }
}

/// Index of the node that produces each value.
fn producers(graph: &GraphProto) -> HashMap<&str, usize> {
    let nodes = graph.node.iter().enumerate();
    nodes.flat_map(|(k, node)| node.output.iter().map(move |name| (name.as_str(), k))).collect()
}

/// A node that gives the value `input` the name `output`.
fn identity(name: String, input: String, output: String) -> NodeProto {
    NodeProto { name, op_type: "Identity".into(), input: vec![input], output: vec![output], ..NodeProto::default() }
}
