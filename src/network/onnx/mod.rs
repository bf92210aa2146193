//! Reads ONNX files into the project's graph, node by node.
//!
//! Names are those of the file. Nothing is executed. Unsupported nodes are refused with their name and advice.

mod attributes;
mod constant;
mod constant_folding;
mod elementwise;
mod gather;
mod graph_outputs;
mod interpreter;
mod layout;
mod lower;
mod node_names;
mod operators;
mod pooling;
#[cfg(test)]
mod property_tests;
mod proto;
mod reshape;
mod shape_ops;
#[cfg(test)]
mod tests;
mod topological_sort;
mod upsampling;
mod verify_lowering;

use std::path::Path;

pub use graph_outputs::output_names;
use lower::Lowering;
use prost::Message;

use super::{Network, shape_inference};
use crate::{Error, Result};

/// Maximum file size: protobuf messages cannot be larger (larger weights are in external files).
const MAX_BYTES: u64 = 2 << 30;

/// Minimum operator set version: earlier ones have other rules for broadcasting.
const MIN_OPSET: i64 = 7;

/// Reads the network in the ONNX file at `path`.
///
/// # Errors
/// [`Error::Io`] when it cannot be read; [`Error::File`] with the node for anything damaged or not supported.
pub fn read(path: &Path) -> Result<Network> {
    let size = std::fs::metadata(path).map_err(|e| Error::io(path, e))?;
    if !size.is_file() {
        return Err(Error::file(path, "", "not a file"));
    }
    if size.len() > MAX_BYTES {
        return Err(Error::file(path, "", "larger than 2 GiB, which no ONNX file can be"));
    }
    let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
    from_bytes(&bytes, path)
}

/// Reads a single tensor stored as a protobuf, the format of ONNX test data: dimensions and numbers, row-major.
///
/// # Errors
/// [`Error::Io`] or [`Error::File`] when it cannot be read.
pub fn read_tensor(path: &Path) -> Result<(Vec<usize>, Vec<f32>)> {
    let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
    let tensor = proto::TensorProto::decode(bytes.as_slice())
        .map_err(|e| Error::file(path, "", format!("not a stored tensor, or truncated ({e})")))?;
    let constant = constant::Constant::read(&tensor, path)?;
    Ok((constant.dims.clone(), constant.floats()))
}

/// Reads a network from the bytes of an ONNX file; `path` is its name in errors and locates external weights.
///
/// # Errors
/// As [`read`].
pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Network> {
    let model = proto::ModelProto::decode(bytes)
        .map_err(|e| Error::file(path, "", format!("not an ONNX file, or truncated ({e})")))?;
    let graph = model.graph.filter(|graph| !graph.node.is_empty());
    let graph = graph.ok_or_else(|| Error::file(path, "the graph", "the file contains no network"))?;
    let opset = model.opset_import.iter().filter(|set| set.domain.is_empty() || set.domain == "ai.onnx");
    let opset = opset.map(|set| set.version).max().unwrap_or(1);
    if opset < MIN_OPSET {
        let reason = format!("operator set {opset} is too old. Export again with {MIN_OPSET} or newer.");
        return Err(Error::file(path, "the operator set", reason));
    }
    let order = topological_sort::topological_order(&graph, path)?;
    let mut lowering = Lowering::new(&graph, opset, path)?;
    for &index in &order {
        lowering.node(&graph.node[index])?;
    }
    lowering.verify(&graph, &order)?;
    let network = lowering.finish(&graph)?;
    shape_inference::validate(&network).map_err(|error| match error {
        Error::Network { node, reason } => Error::file(path, format!("node '{node}'"), reason),
        other => Error::file(path, "the graph", other.to_string()),
    })?;
    Ok(network)
}
