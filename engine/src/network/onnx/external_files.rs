//! Which files beside an ONNX file hold the numbers of its tensors.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use prost::Message;
use prost::bytes::Bytes;

use super::constant::in_folder;
use super::proto::{GraphProto, ModelProto, NodeProto, TensorProto};
use crate::{Error, Result};

/// The existing files that the tensors of the network at `path` name, in alphabetical order; none if it is no ONNX file.
///
/// # Errors
/// [`Error::Io`] when it cannot be read.
pub fn external_files(path: &Path) -> Result<Vec<PathBuf>> {
    let bytes = std::fs::read(path).map_err(|error| Error::io(path, error))?;
    let Ok(model) = ModelProto::decode(Bytes::from(bytes)) else { return Ok(Vec::new()) };
    let mut locations = BTreeSet::new();
    model.graph.iter().for_each(|graph| add_graph(graph, &mut locations));
    model.functions.iter().for_each(|function| add_nodes(&function.node, &mut locations));
    let folder = path.parent().unwrap_or(Path::new(""));
    let files = locations.iter().filter_map(|location| in_folder(location)).map(|location| folder.join(location));
    Ok(files.filter(|file| file.is_file()).collect())
}

fn add_graph(graph: &GraphProto, locations: &mut BTreeSet<String>) {
    graph.initializer.iter().for_each(|tensor| add_tensor(tensor, locations));
    add_nodes(&graph.node, locations);
}

fn add_nodes(nodes: &[NodeProto], locations: &mut BTreeSet<String>) {
    for attribute in nodes.iter().flat_map(|node| &node.attribute) {
        attribute.t.iter().for_each(|tensor| add_tensor(tensor, locations));
        attribute.g.iter().for_each(|graph| add_graph(graph, locations));
    }
}

fn add_tensor(tensor: &TensorProto, locations: &mut BTreeSet<String>) {
    let location = tensor.external_data.iter().find(|entry| entry.key == "location");
    locations.extend(location.map(|entry| entry.value.clone()));
}
