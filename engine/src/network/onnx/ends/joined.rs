//! Graphs whose only output joins values behind a sigmoid or softmax with others: the parts become outputs.
//!
//! Detectors join boxes and the sigmoid of scores so, often level by level. A readout omits the function of an output, not of a part.

use super::{MOVES, TRANSPOSE, identity, producers, remove_unread};
use crate::network::onnx::functions::is_standard;
use crate::network::onnx::proto::{GraphProto, NodeProto, ValueInfoProto};

/// Maximum number of parts of an output.
const MAX_PARTS: usize = 64;

/// Lets the parts of the only output of `graph` be outputs, called `NAME.0`, `NAME.1`, …. A note says so, and their number; `None` if the
/// output joins none, or none of them is behind a sigmoid or softmax.
pub fn split(graph: &mut GraphProto) -> Option<(String, usize)> {
    let [output] = graph.output.as_slice() else { return None };
    let output = output.name.clone();
    let mut parts = Vec::new();
    let (node, is_join) = end(graph, &output)?;
    if !is_join {
        return None;
    }
    let mut open: Vec<&String> = node.input.iter().rev().collect();
    let mut joins = 0;
    while let Some(name) = open.pop() {
        match end(graph, name) {
            Some((join, true)) => {
                open.extend(join.input.iter().rev());
                joins += 1;
            }
            _ => parts.push(name.clone()),
        }
        // A broken graph may join a value with itself without end.
        if open.len() + parts.len() > MAX_PARTS || joins > MAX_PARTS {
            return None;
        }
    }
    let is_function = |name: &String| {
        end(graph, name).is_some_and(|(node, _)| matches!(node.op_type.as_str(), "Sigmoid" | "Softmax" | "LogSoftmax"))
    };
    let names: Vec<String> = (0..parts.len()).map(|k| format!("{output}.{k}")).collect();
    let producers = producers(graph);
    if !parts.iter().any(is_function) || names.iter().any(|name| producers.contains_key(name.as_str())) {
        return None;
    }
    let (first, last) = (names.first()?.clone(), names.last()?.clone());
    graph.output = names.iter().map(|name| ValueInfoProto { name: name.clone(), r#type: None }).collect();
    graph.node.extend(parts.into_iter().zip(names).map(|(part, name)| identity(name.clone(), part, name)));
    remove_unread(graph, "Concat");
    let count = graph.output.len();
    let text = format!(
        "Output '{output}' joins {count} values, of which some are behind a sigmoid or softmax; it is read as the outputs '{first}' to \
         '{last}', in the order in which they are joined."
    );
    Some((text, count))
}

/// The node whose values `name` has, perhaps moved, and whether it joins others.
fn end<'a>(graph: &'a GraphProto, name: &str) -> Option<(&'a NodeProto, bool)> {
    let producers = producers(graph);
    let mut node = &graph.node[*producers.get(name)?];
    for _ in 0..graph.node.len() {
        let op = node.op_type.as_str();
        if !is_standard(&node.domain) || !(MOVES.contains(&op) || op == TRANSPOSE) {
            break;
        }
        node = &graph.node[*producers.get(node.input.first()?.as_str())?];
    }
    Some((node, is_standard(&node.domain) && node.op_type == "Concat" && node.int("axis", 0) != 0))
}
