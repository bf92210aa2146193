//! Topological sort of the ONNX nodes; detects cycles, inputs that no node produces, and nodes without use.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::proto::{GraphProto, NodeProto};
use crate::{Error, Result};

/// Indices of the graph's nodes in topological order, in file order where possible.
///
/// # Errors
/// [`Error::File`] for a cycle, a value of two nodes, and an input that no node produces.
pub fn topological_order(graph: &GraphProto, path: &Path) -> Result<Vec<usize>> {
    let mut producer: HashMap<&str, usize> = HashMap::new();
    for (index, node) in graph.node.iter().enumerate() {
        for output in node.output.iter().filter(|name| !name.is_empty()) {
            if producer.insert(output, index).is_some() {
                return Err(Error::file(path, format!("value '{output}'"), "is produced by two nodes"));
            }
        }
    }
    let graph_inputs: HashSet<&str> =
        graph.input.iter().map(|v| v.name.as_str()).chain(graph.initializer.iter().map(|t| t.name.as_str())).collect();
    let read: Vec<Vec<&str>> = graph.node.iter().map(names_read).collect();
    // 0 not visited, 1 being visited, 2 done. The stack is explicit: no file is deep enough to overflow it.
    let mut state = vec![0u8; graph.node.len()];
    let mut order = Vec::with_capacity(graph.node.len());
    for start in 0..graph.node.len() {
        let mut stack = vec![(start, 0usize)];
        while let Some((index, next)) = stack.pop() {
            let node = &graph.node[index];
            if next == 0 {
                if state[index] == 2 {
                    continue;
                }
                state[index] = 1;
            }
            let Some(&input) = read[index].get(next) else {
                state[index] = 2;
                order.push(index);
                continue;
            };
            stack.push((index, next + 1));
            match producer.get(input) {
                Some(&before) if state[before] == 1 => {
                    let names = format!("nodes '{}' and '{}'", graph.node[before].name, node.name);
                    return Err(Error::file(path, names, "depend on each other: the graph has a cycle"));
                }
                Some(&before) if state[before] == 0 => stack.push((before, 0)),
                Some(_) => {}
                None if graph_inputs.contains(input) => {}
                None => {
                    let place = format!("node '{}' ({})", node.name, node.op_type);
                    let is_sparse =
                        |t: &super::proto::SparseTensorProto| t.values.as_ref().is_some_and(|v| v.name == input);
                    let reason = if graph.sparse_initializer.iter().any(is_sparse) {
                        format!(
                            "reads '{input}', a sparse tensor, which is not supported. Save its weights as a dense one."
                        )
                    } else {
                        format!("reads '{input}', which no node produces")
                    };
                    return Err(Error::file(path, place, reason));
                }
            }
        }
    }
    Ok(order)
}

/// The names that `node` reads: its inputs, and those its branches take from outside.
fn names_read(node: &NodeProto) -> Vec<&str> {
    let mut names: Vec<&str> = node.input.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
    for graph in node.attribute.iter().filter_map(|a| a.g.as_deref()) {
        let own: HashSet<&str> = graph
            .node
            .iter()
            .flat_map(|node| node.output.iter().map(String::as_str))
            .chain(graph.initializer.iter().map(|t| t.name.as_str()))
            .chain(graph.input.iter().map(|v| v.name.as_str()))
            .collect();
        let inner = graph.node.iter().flat_map(names_read).chain(graph.output.iter().map(|v| v.name.as_str()));
        names.extend(inner.filter(|name| !own.contains(name)));
    }
    names
}

/// The nodes of a graph that its outputs depend on.
pub struct LiveNodes<'a> {
    /// Their indices in topological order.
    pub order: Vec<usize>,
    /// The names that they read and that are outputs, with the number of readers.
    pub readers: HashMap<&'a str, usize>,
}

/// The nodes among those in `order` that the outputs of `graph` depend on.
pub fn live_nodes<'a>(graph: &'a GraphProto, order: &[usize]) -> LiveNodes<'a> {
    let mut readers: HashMap<&str, usize> = HashMap::new();
    graph.output.iter().for_each(|output| *readers.entry(output.name.as_str()).or_default() += 1);
    let mut live = Vec::new();
    for &index in order.iter().rev() {
        let node = &graph.node[index];
        if node.output.iter().any(|output| readers.contains_key(output.as_str())) {
            live.push(index);
            names_read(node).into_iter().for_each(|name| *readers.entry(name).or_default() += 1);
        }
    }
    live.reverse();
    LiveNodes { order: live, readers }
}
