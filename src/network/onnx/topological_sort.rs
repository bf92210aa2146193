//! Topological sort of the ONNX nodes; detects cycles and inputs that no node produces.

use std::collections::HashMap;
use std::path::Path;

use super::proto::GraphProto;
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
    let graph_inputs: std::collections::HashSet<&str> =
        graph.input.iter().map(|v| v.name.as_str()).chain(graph.initializer.iter().map(|t| t.name.as_str())).collect();
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
            let Some(input) = node.input.get(next) else {
                state[index] = 2;
                order.push(index);
                continue;
            };
            stack.push((index, next + 1));
            match producer.get(input.as_str()) {
                Some(&before) if state[before] == 1 => {
                    let names = format!("nodes '{}' and '{}'", graph.node[before].name, node.name);
                    return Err(Error::file(path, names, "depend on each other: the graph has a cycle"));
                }
                Some(&before) if state[before] == 0 => stack.push((before, 0)),
                Some(_) => {}
                None if input.is_empty() || graph_inputs.contains(input.as_str()) => {}
                None => {
                    let place = format!("node '{}' ({})", node.name, node.op_type);
                    return Err(Error::file(path, place, format!("reads '{input}', which no node produces")));
                }
            }
        }
    }
    Ok(order)
}
