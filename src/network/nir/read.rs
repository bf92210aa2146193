//! Reads NIR files into the project's graph.
//!
//! Over many time steps the output of an integrate-and-fire node is clip(z/θ, 0, 1) of its mean input z. It becomes a
//! scale of 1/θ (later folded into the weights before it) and a clip at 1, whose learned threshold is that of the neuron.

use std::collections::HashMap;
use std::path::Path;

use hdf5_pure::{File, Group};

use super::build::GraphBuilder;
use super::items::{FileNode, MAX_NODES, MAX_VALUES, NodeReader};
use crate::network::shape_inference::validate;
use crate::network::{Network, OpenedNetwork};
use crate::{Error, Result};

/// Maximum file size.
const MAX_BYTES: u64 = 1 << 30;

/// Reads the network in the NIR file at `path`, with notes about the settings it was written for.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read; [`Error::File`] with the node when the graph is damaged or not supported.
pub fn read(path: &Path) -> Result<OpenedNetwork> {
    let size = std::fs::metadata(path).map_err(|e| Error::io(path, e))?;
    if size.len() > MAX_BYTES {
        return Err(Error::file(path, "", "larger than 1 GiB"));
    }
    from_bytes(std::fs::read(path).map_err(|e| Error::io(path, e))?, path)
}

/// Reads a network from the bytes of a NIR file; `path` is its name in errors.
///
/// # Errors
/// As [`read`].
pub fn from_bytes(bytes: Vec<u8>, path: &Path) -> Result<OpenedNetwork> {
    let broken = |e: hdf5_pure::Error| Error::file(path, "", format!("not a readable HDF5 file ({e})"));
    // The HDF5 reader is a young crate and may panic on damaged files.
    let read = std::panic::AssertUnwindSafe(|| -> Result<OpenedNetwork> {
        let file = File::from_bytes(bytes).map_err(broken)?;
        let root =
            file.group("node").map_err(|_| Error::file(path, "the group 'node'", "is missing: not a NIR graph"))?;
        read_graph(&NodeReader { path }, &root)
    });
    std::panic::catch_unwind(read)
        .unwrap_or_else(|_| Err(Error::file(path, "", "is damaged: its HDF5 structure is invalid")))
}

fn read_graph(reader: &NodeReader<'_>, root: &Group) -> Result<OpenedNetwork> {
    if reader.read_text(root, "the graph", "type")? != "NIRGraph" {
        return Err(Error::file(reader.path, "the graph", "is not a NIRGraph"));
    }
    let missing = |what: &str| Error::file(reader.path, "the graph", format!("has no {what}"));
    let nodes = root.group("nodes").map_err(|_| missing("nodes"))?;
    let names = nodes.groups().map_err(|_| missing("readable nodes"))?;
    if names.len() > MAX_NODES {
        return Err(Error::file(reader.path, "the graph", format!("has more than {MAX_NODES} nodes")));
    }
    let mut items = Vec::new();
    for name in names {
        let group = nodes.group(&name).map_err(|e| reader.fail(&name, e.to_string()))?;
        let type_name = reader.read_text(&group, &name, "type")?;
        items.push(FileNode { name, kind: type_name, group, inputs: Vec::new() });
    }
    let indices: HashMap<String, usize> = items.iter().enumerate().map(|(i, item)| (item.name.clone(), i)).collect();
    for (from, to) in edges(reader, root)? {
        let index_of = |name: &str| {
            indices.get(name).copied().ok_or_else(|| {
                Error::file(reader.path, "the edges", format!("name a node '{name}' that does not exist"))
            })
        };
        let (from, to) = (index_of(&from)?, index_of(&to)?);
        items[to].inputs.push(from);
    }
    let order = topological_order(reader, &items)?;
    let mut builder = GraphBuilder { reader, nodes: Vec::new(), placed: vec![None; items.len()], notes: Vec::new() };
    let mut output = None;
    for index in order {
        if let Some(id) = builder.add_node(&items, index)? {
            output = Some(id);
        }
    }
    let output = output.ok_or_else(|| Error::file(reader.path, "the graph", "has no Output node"))?;
    let name = reader.path.file_stem().map_or_else(|| "network".into(), |s| s.to_string_lossy().into_owned());
    let network = Network { name, nodes: builder.nodes, output, scaling: None, class_names: Vec::new() };
    validate(&network).map_err(|error| match error {
        Error::Network { node, reason } => reader.fail(&node, reason),
        other => Error::file(reader.path, "the graph", other.to_string()),
    })?;
    let mut notes = builder.notes;
    if let Ok(metadata) = root.group("metadata") {
        let known = ["T", "v_init", "tie", "reset", "grade"];
        let settings = known
            .iter()
            .filter_map(|key| Some(format!("{key} = {}", reader.read_text(&metadata, "metadata", key).ok()?)));
        let settings: Vec<String> = settings.collect();
        if !settings.is_empty() {
            notes.push(format!(
                "the file was written for {}. Set the recipe accordingly to reproduce its results.",
                settings.join(", ")
            ));
        }
    }
    Ok(OpenedNetwork { network, notes })
}

fn edges(reader: &NodeReader<'_>, root: &Group) -> Result<Vec<(String, String)>> {
    let broken = |e: String| Error::file(reader.path, "the edges", e);
    let edges = root.dataset("edges").map_err(|e| broken(e.to_string()))?;
    let shape = edges.shape().map_err(|e| broken(e.to_string()))?;
    if shape.len() != 2 || shape[1] != 2 || shape[0] > MAX_VALUES {
        return Err(broken(format!("have shape {}, not Ex2", crate::error::format_shape(&shape))));
    }
    let ends = edges.read_string().map_err(|e| broken(e.to_string()))?;
    Ok(ends.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect())
}

/// Indices of the nodes in topological order.
fn topological_order(reader: &NodeReader<'_>, items: &[FileNode]) -> Result<Vec<usize>> {
    let mut missing_inputs: Vec<usize> = items.iter().map(|item| item.inputs.len()).collect();
    let mut consumers = vec![Vec::new(); items.len()];
    for (to, item) in items.iter().enumerate() {
        item.inputs.iter().for_each(|&from| consumers[from].push(to));
    }
    let mut ready: Vec<usize> = (0..items.len()).filter(|&i| missing_inputs[i] == 0).collect();
    let mut order = Vec::new();
    while let Some(next) = ready.pop() {
        order.push(next);
        for &consumer in &consumers[next] {
            missing_inputs[consumer] -= 1;
            if missing_inputs[consumer] == 0 {
                ready.push(consumer);
            }
        }
    }
    match missing_inputs.iter().position(|&n| n > 0) {
        Some(item) => Err(reader.fail(&items[item].name, "is part of a loop; recurrent networks are not supported")),
        None => Ok(order),
    }
}
