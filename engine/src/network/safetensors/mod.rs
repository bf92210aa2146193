//! Spikescope's network file format: safetensors weights with the graph as JSON metadata.
//!
//! Any safetensors reader can read the weights (`{node}.weight`, `.bias`, `.scale`, `.shift`, `.lambda`, all f32). The
//! metadata describes how they are connected. Nothing in the file is ever executed. The bytes depend on the network
//! alone: equal networks give equal files.
//!
//! | metadata key | value |
//! |---|---|
//! | `spikescope.format` | `"1"` |
//! | `spikescope.graph` | JSON, see `graph` |
//! | `spikescope.name` | the network's name |
//! | `spikescope.scaling` | the input scaling as text (`0..1`, `mean=…;std=…`); absent when unknown |
//! | `spikescope.class_names` | JSON list of strings; absent when there are none |
//! | `spikescope.neurons` | JSON of the neurons of a network trained as a spiking one; absent for ANNs |
//!
//! Knows nothing of devices, windows or bundled files.

mod graph;
mod weights;

use std::collections::BTreeMap;
use std::path::Path;

use graph::{GraphRecord, Weight};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorInfo};
use serde::Serialize;

use super::shape_inference::validate;
use super::state_dict::StateDict;
use super::{Network, TrainedNeurons};
use crate::data::Scaling;
use crate::files::write_bytes;
use crate::{Error, Result};

/// The format version that [`save`] writes and [`load`] reads.
pub const VERSION: &str = "1";
/// Maximum file size in bytes; larger files are refused before they are read.
const MAX_BYTES: u64 = 4 << 30;

const FORMAT: &str = "spikescope.format";
const GRAPH: &str = "spikescope.graph";
const NAME: &str = "spikescope.name";
const SCALING: &str = "spikescope.scaling";
const CLASS_NAMES: &str = "spikescope.class_names";
const NEURONS: &str = "spikescope.neurons";
/// Largest number of time steps that a file may state.
const MAX_STEPS: usize = 4096;

/// The header of a safetensors file. The maps are sorted, so that equal networks give equal bytes.
#[derive(Serialize)]
struct Header {
    #[serde(rename = "__metadata__")]
    metadata: BTreeMap<&'static str, String>,
    #[serde(flatten)]
    tensors: BTreeMap<String, TensorInfo>,
}

/// Writes `network` to `path`, atomically.
///
/// # Errors
/// [`Error::Io`] when the operating system refuses; [`Error::Internal`] when the graph has no JSON form.
pub fn save(network: &Network, path: &Path) -> Result<()> {
    write_bytes(path, &to_bytes(network)?)
}

/// `network` as the bytes of a file.
///
/// # Errors
/// [`Error::Internal`] when the graph has no JSON form.
pub fn to_bytes(network: &Network) -> Result<Vec<u8>> {
    let internal = |error: serde_json::Error| Error::Internal(format!("cannot write the network as JSON: {error}"));
    let (record, weights) = GraphRecord::of(network);
    let mut metadata = BTreeMap::from([
        (FORMAT, VERSION.to_owned()),
        (GRAPH, serde_json::to_string(&record).map_err(internal)?),
        (NAME, network.name.clone()),
    ]);
    if let Some(scaling) = &network.scaling {
        metadata.insert(SCALING, scaling.to_string());
    }
    if !network.class_names.is_empty() {
        metadata.insert(CLASS_NAMES, serde_json::to_string(&network.class_names).map_err(internal)?);
    }
    if let Some(neurons) = &network.neurons {
        metadata.insert(NEURONS, serde_json::to_string(neurons).map_err(internal)?);
    }
    let mut end = 0;
    let tensors = weights
        .iter()
        .map(|(name, weight)| {
            let start = end;
            end += weight.data.len() * size_of::<f32>();
            (name.clone(), TensorInfo { dtype: Dtype::F32, shape: weight.shape.clone(), data_offsets: (start, end) })
        })
        .collect();
    let mut header = serde_json::to_vec(&Header { metadata, tensors }).map_err(internal)?;
    // The format requires the tensor data to start at a multiple of eight bytes.
    header.resize(header.len().next_multiple_of(8), b' ');
    let mut bytes = Vec::with_capacity(8 + header.len() + end);
    bytes.extend((header.len() as u64).to_le_bytes());
    bytes.extend(header);
    weights.values().for_each(|weight| bytes.extend(weight.data.iter().flat_map(|value| value.to_le_bytes())));
    Ok(bytes)
}

/// Content of a safetensors file.
#[derive(Debug)]
pub enum FileContent {
    /// A network of this project.
    Network(Network),
    /// Weights of another program, without a graph.
    Weights(StateDict),
}

/// Reads the network in the file at `path`.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read; [`Error::File`] with the position when it is not a network.
pub fn load(path: &Path) -> Result<Network> {
    from_bytes(&read_bytes(path)?, path)
}

/// Reads the network in the file at `path`, or its weights if it contains no graph.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read; [`Error::File`] with the position when it is no complete safetensors file
/// or its graph is invalid.
pub fn load_any(path: &Path) -> Result<FileContent> {
    any_from_bytes(&read_bytes(path)?, path)
}

fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    let size = std::fs::metadata(path).map_err(|source| Error::io(path, source))?.len();
    if size > MAX_BYTES {
        return Err(Error::file(path, "file size", format!("{size} bytes, above the limit of {MAX_BYTES} bytes")));
    }
    std::fs::read(path).map_err(|source| Error::io(path, source))
}

/// Reads a network from the bytes of a file; `source` is its name in errors.
///
/// # Errors
/// [`Error::File`] with the position when the bytes are not a network.
pub fn from_bytes(bytes: &[u8], source: &Path) -> Result<Network> {
    match any_from_bytes(bytes, source)? {
        FileContent::Network(network) => Ok(network),
        FileContent::Weights(state) => {
            let count = state.len();
            let reason = format!(
                "{count} tensors but no graph ('{FORMAT}' and '{GRAPH}' are missing): weights alone do not define how \
                 the layers are connected. Export the network to ONNX and open that."
            );
            Err(Error::file(source, "metadata", reason))
        }
    }
}

fn any_from_bytes(bytes: &[u8], source: &Path) -> Result<FileContent> {
    let fail = |place: &str, reason: String| Error::file(source, place, reason);
    let header_error = |error| fail("header", format!("not a complete safetensors file ({error})"));
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(header_error)?;
    let empty = Default::default();
    let entries = metadata.metadata().as_ref().unwrap_or(&empty);
    match entries.get(FORMAT).map(String::as_str) {
        Some(VERSION) => {}
        Some(other) => {
            let reason =
                format!("'{FORMAT}' is '{other}', but this program reads version {VERSION}. Use a newer program.");
            return Err(fail("metadata", reason));
        }
        None => {
            let tensors = SafeTensors::deserialize(bytes).map_err(header_error)?;
            let state = weights::state_dict(&tensors).map_err(|(place, reason)| fail(&place, reason))?;
            return Ok(FileContent::Weights(state));
        }
    }
    let graph = entries.get(GRAPH).ok_or_else(|| fail("metadata", format!("'{GRAPH}' is missing")))?;
    let record: GraphRecord =
        serde_json::from_str(graph).map_err(|e| fail(GRAPH, format!("cannot be parsed ({e})")))?;
    let scaling = match entries.get(SCALING) {
        Some(text) => Some(Scaling::parse(text).map_err(|e| fail(SCALING, e.to_string()))?),
        None => None,
    };
    let class_names = match entries.get(CLASS_NAMES) {
        Some(text) => serde_json::from_str(text).map_err(|e| fail(CLASS_NAMES, format!("not a list of names: {e}")))?,
        None => Vec::new(),
    };
    let neurons: Option<TrainedNeurons> = match entries.get(NEURONS) {
        Some(text) => Some(serde_json::from_str(text).map_err(|e| fail(NEURONS, format!("no neurons: {e}")))?),
        None => None,
    };
    if let Some(neurons) = neurons.filter(|n| !(1..=MAX_STEPS).contains(&n.steps) || !(1..=1000).contains(&n.decay)) {
        let reason = format!("{neurons:?} is out of range: steps are 1 to {MAX_STEPS}, decay is 1 to 1000 thousandths");
        return Err(fail(NEURONS, reason));
    }
    let tensors = SafeTensors::deserialize(bytes).map_err(header_error)?;
    let (nodes, output) = record.into_nodes(source, |name| read_weight(&tensors, name, source))?;
    let stem = || source.file_stem().map_or_else(|| "network".into(), |stem| stem.to_string_lossy().into_owned());
    let name = entries.get(NAME).cloned().unwrap_or_else(stem);
    let network = Network { name, nodes, output, scaling, class_names, neurons };
    validate(&network).map_err(|error| match error {
        Error::Network { node, reason } => fail(&format!("node '{node}'"), reason),
        other => fail("graph", other.to_string()),
    })?;
    Ok(FileContent::Network(network))
}

/// Reads the tensor `name`: f32, every number finite.
fn read_weight(tensors: &SafeTensors, name: &str, source: &Path) -> Result<Weight> {
    let fail = |reason: String| Error::file(source, format!("tensor '{name}'"), reason);
    let view = tensors.tensor(name).map_err(|_| fail("the graph uses it, but the file does not contain it".into()))?;
    if view.dtype() != Dtype::F32 {
        return Err(fail(format!("has values of type {}; only F32 is supported", view.dtype())));
    }
    let numbers = view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    let data: Vec<f32> = numbers.collect();
    match data.iter().position(|value| !value.is_finite()) {
        Some(at) => Err(fail(format!("value {at} is {}; weights must be finite", data[at]))),
        None => Ok(Weight::new(view.shape().to_vec(), data)),
    }
}

#[cfg(test)]
mod tests;
