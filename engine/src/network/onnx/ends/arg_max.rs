//! Graphs that end in an arg max: the scores before it are read, of which a class is the largest.

use std::path::Path;

use prost::Message;

use super::{MOVES, identity, producers, remove_unread};
use crate::network::onnx::functions::is_standard;
use crate::network::onnx::proto::{GraphProto, ModelProto};

/// Axes that may be the classes: the first of a sample, or the last of a picture or a vector.
const CLASS_AXES: [i64; 4] = [1, -1, 3, -3];

/// Whether the ONNX file at `path` has class indices as its only outputs, so that the network is read without them.
pub fn ends_in_class_maps(path: &Path) -> bool {
    let model = std::fs::read(path).ok().and_then(|bytes| ModelProto::decode(bytes.as_slice()).ok());
    model.and_then(|model| model.graph).is_some_and(|graph| !ends(&graph).is_empty())
}

/// Lets the outputs of `graph` be the scores before an arg max, if all of them end in one; with a note for each.
pub fn cut(graph: &mut GraphProto) -> Vec<String> {
    let ends = ends(graph);
    let mut notes = Vec::with_capacity(ends.len());
    for End { output, last, arg_max, scores } in ends {
        let node = &graph.node[arg_max];
        let name = if node.name.is_empty() { output.clone() } else { node.name.clone() };
        let ties =
            if node.int("select_last_index", 0) != 0 { ", of equal ones the first (in the file the last)" } else { "" };
        notes.push(format!(
            "Output '{output}' ends in an ArgMax (node '{name}'), which is left out: the scores before it are converted, and \
             the class is the largest{ties}."
        ));
        graph.node[last] = identity(format!("{output}.scores"), scores, output);
    }
    if !notes.is_empty() {
        remove_unread(graph, "ArgMax");
    }
    notes
}

/// An output that ends in an arg max.
struct End {
    output: String,
    /// Index of the node that produces it.
    last: usize,
    arg_max: usize,
    /// The value that the arg max reads.
    scores: String,
}

/// The ends of all outputs; empty if one of them is something else, which then answers.
fn ends(graph: &GraphProto) -> Vec<End> {
    let producers = producers(graph);
    let end = |output: &str| {
        let last = *producers.get(output)?;
        let mut at = last;
        // No chain is longer than the graph.
        for _ in 0..graph.node.len() {
            let node = &graph.node[at];
            let input = node.input.first().filter(|_| is_standard(&node.domain))?;
            match node.op_type.as_str() {
                // Of the input itself there are no scores.
                "ArgMax" if CLASS_AXES.contains(&node.int("axis", 0)) && producers.contains_key(input.as_str()) => {
                    return Some(End { output: output.to_owned(), last, arg_max: at, scores: input.clone() });
                }
                op if MOVES.contains(&op) => at = *producers.get(input.as_str())?,
                _ => return None,
            }
        }
        None
    };
    graph.output.iter().map(|output| end(&output.name)).collect::<Option<Vec<End>>>().unwrap_or_default()
}
