//! Reads ONNX files into the project's graph, node by node.
//!
//! Names are those of the file. Nothing is executed. Unsupported nodes are refused with their name and advice.

mod attributes;
mod constant;
mod elementwise;
mod ends;
mod expression;
mod external_files;
mod folding;
mod functions;
mod graph_outputs;
mod inputs;
mod interpreter;
mod layers;
mod lower;
mod model;
mod node_names;
mod operators;
mod proto;
mod shapes;
#[cfg(test)]
mod tests;
mod topological_sort;
mod verify_lowering;

use std::path::Path;

pub use ends::ends_in_class_maps;
pub use external_files::external_files;
pub use graph_outputs::output_names;
pub use inputs::open_sizes::open_sizes;
use prost::Message;
use prost::bytes::Bytes;

use super::{Network, OpenedNetwork};
use crate::{Error, Result};

/// Maximum file size: protobuf messages cannot be larger (larger weights are in external files).
const MAX_BYTES: u64 = 2 << 30;

/// Reads the network in the ONNX file at `path`.
///
/// # Errors
/// As [`read_with`].
pub fn read(path: &Path) -> Result<Network> {
    read_with(path, None).map(|opened| opened.network)
}

/// Reads the network in the ONNX file at `path`, with what is assumed or ignored as notes. `input` is the shape of one
/// sample in the order of the file, for sizes that the file leaves open ([`open_sizes`]).
///
/// # Errors
/// [`Error::Io`] when it cannot be read; [`Error::File`] with the node for anything damaged or not supported, and for
/// open sizes that are not stated.
pub fn read_with(path: &Path, input: Option<&[usize]>) -> Result<OpenedNetwork> {
    let size = std::fs::metadata(path).map_err(|e| Error::io(path, e))?;
    if !size.is_file() {
        return Err(Error::file(path, "", "not a file"));
    }
    if size.len() > MAX_BYTES {
        return Err(Error::file(path, "", "larger than 2 GiB, which no ONNX file can be"));
    }
    let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
    model::open(bytes.into(), path, input)
}

/// Reads a single tensor stored as a protobuf, the format of ONNX test data: dimensions and numbers, row-major.
///
/// # Errors
/// [`Error::Io`] or [`Error::File`] when it cannot be read.
pub fn read_tensor(path: &Path) -> Result<(Vec<usize>, Vec<f32>)> {
    let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
    let tensor = proto::TensorProto::decode(Bytes::from(bytes))
        .map_err(|e| Error::file(path, "", format!("not a stored tensor, or truncated ({e})")))?;
    let constant = constant::Constant::read(&tensor, path)?;
    Ok((constant.dims.clone(), constant.floats().to_vec()))
}

/// Reads a network from the bytes of an ONNX file; `path` is its name in errors and locates external weights.
///
/// # Errors
/// As [`read`].
pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Network> {
    model::open(Bytes::copy_from_slice(bytes), path, None).map(|opened| opened.network)
}
