//! Reads NIR files into the project's graph.
//!
//! Over many time steps the output of an integrate-and-fire node is clip(z/θ, 0, 1) of its mean input z. It becomes a
//! clip whose learned threshold is that of the neuron, between scales that are folded into weights (`neurons.rs`).

use std::path::Path;

use hdf5_pure::{File, Group};

use super::build::GraphBuilder;
use super::items::{FileNode, NodeReader};
use super::nested::{FlatGraph, IDENTITY};
use super::time_step::{inner_steps_note, time_step};
use crate::network::left_open::{StepSource, TimeStep};
use crate::network::shape_inference::validate;
use crate::network::{Network, Op, OpenedNetwork};
use crate::{Error, Result};

/// Maximum file size.
const MAX_BYTES: u64 = 1 << 30;

/// Reads the network in the NIR file at `path`, with notes about the settings it was written for.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read; [`Error::File`] with the node when the graph is damaged or not supported.
pub fn read(path: &Path) -> Result<OpenedNetwork> {
    read_with_step(path, None)
}

/// [`read`] with the duration `dt` of a time step, in the unit of time of the file, instead of that of the file.
///
/// # Errors
/// As [`read`].
pub fn read_with_step(path: &Path, dt: Option<f64>) -> Result<OpenedNetwork> {
    let size = std::fs::metadata(path).map_err(|e| Error::io(path, e))?;
    if size.len() > MAX_BYTES {
        return Err(Error::file(path, "", "larger than 1 GiB"));
    }
    from_bytes_with_step(std::fs::read(path).map_err(|e| Error::io(path, e))?, path, dt)
}

/// Reads a network from the bytes of a NIR file; `path` is its name in errors.
///
/// # Errors
/// As [`read`].
pub fn from_bytes(bytes: Vec<u8>, path: &Path) -> Result<OpenedNetwork> {
    from_bytes_with_step(bytes, path, None)
}

/// [`from_bytes`] with the duration `dt` of a time step, as for [`read_with_step`].
///
/// # Errors
/// As [`read`].
pub fn from_bytes_with_step(bytes: Vec<u8>, path: &Path, dt: Option<f64>) -> Result<OpenedNetwork> {
    let broken = |e: hdf5_pure::Error| Error::file(path, "", format!("not a readable HDF5 file ({e})"));
    // The HDF5 reader is a young crate and may panic on damaged files.
    let read = std::panic::AssertUnwindSafe(|| -> Result<OpenedNetwork> {
        let file = File::from_bytes(bytes).map_err(broken)?;
        let root = file.group("node").map_err(|_| not_a_graph(&file, path))?;
        read_graph(&NodeReader { path }, &root, dt)
    });
    std::panic::catch_unwind(read)
        .unwrap_or_else(|_| Err(Error::file(path, "", "is damaged: its HDF5 structure is invalid")))
}

/// What an HDF5 file without a NIR graph is.
fn not_a_graph(file: &File, path: &Path) -> Error {
    let root = file.root();
    let attributes = root.attrs().unwrap_or_default();
    let has = |name: &str| attributes.contains_key(name) || root.group(name).is_ok();
    let reason = if ["keras_version", "model_config", "model_weights", "layer_names", "_layer_checkpoint_dependencies"]
        .iter()
        .any(|name| has(name))
    {
        "is a Keras file, which is not supported. Export the network to ONNX (tf2onnx) and open that"
    } else if has("__type__") {
        "is a recording of a NIR graph, not the graph. Open the .nir file it was made with"
    } else {
        "is an HDF5 file without a NIR graph: it has no group 'node'. Open data as data"
    };
    Error::file(path, "", reason)
}

fn read_graph(reader: &NodeReader<'_>, root: &Group, dt: Option<f64>) -> Result<OpenedNetwork> {
    let graph_type = reader.read_text(root, "the graph", "type")?;
    if graph_type != "NIRGraph" {
        let reason =
            format!("is a single node of type {graph_type}, not a NIRGraph. Write nir.NIRGraph.from_list(node)");
        return Err(Error::file(reader.path, "the graph", reason));
    }
    let FlatGraph { items, inner_steps, .. } = FlatGraph::read(reader, root)?;
    let time_step = time_step(reader, root, &items, dt)?;
    let order = topological_order(reader, &items)?;
    let mut builder = GraphBuilder::new(reader, &items, time_step);
    builder.add_input()?;
    for index in order {
        builder.add_node(index)?;
    }
    let output = builder.output()?;
    if !builder.nodes.iter().any(|node| matches!(node.op, Op::Activation(_))) {
        let kinds: std::collections::BTreeSet<&str> = items.iter().map(|item| item.kind.as_str()).collect();
        let kinds: Vec<&str> = kinds.into_iter().filter(|kind| *kind != IDENTITY).collect();
        let reason = format!("has no spiking neurons (IF) to simulate; its nodes are {}", kinds.join(", "));
        return Err(Error::file(reader.path, "the graph", reason));
    }
    let name = reader.path.file_stem().map_or_else(|| "network".into(), |s| s.to_string_lossy().into_owned());
    let network = Network { name, nodes: builder.nodes, output, scaling: None, class_names: Vec::new(), neurons: None };
    validate(&network).map_err(|error| match error {
        Error::Network { node, reason } => reader.fail(&node, reason),
        other => Error::file(reader.path, "the graph", other.to_string()),
    })?;
    let mut notes = builder.notes;
    notes.extend(inner_steps_note(&inner_steps, time_step));
    notes.push(recipe_note(reader, root, time_step));
    Ok(OpenedNetwork { network, notes, time_step })
}

/// The recipe that the file was written for, or else the dynamics that NIR gives its neurons.
fn recipe_note(reader: &NodeReader<'_>, root: &Group, time_step: Option<TimeStep>) -> String {
    let known = ["T", "v_init", "tie", "reset", "grade"];
    let metadata = root.group("metadata").ok();
    let stated = |key: &&str| Some(format!("{key} = {}", reader.read_text(metadata.as_ref()?, "metadata", key).ok()?));
    let settings: Vec<String> = known.iter().filter_map(stated).collect();
    if !settings.is_empty() {
        return format!(
            "the file was written for {}. Set the recipe accordingly to reproduce its results.",
            settings.join(", ")
        );
    }
    let (package, tie) = match time_step.map(|step| step.source) {
        Some(StepSource::Inverse) => ("SpikingJelly's neurons start at 0, reset to 0 and fire at the threshold", "ge"),
        _ => ("NIR's neurons start at 0, reset to 0 and fire above the threshold", "gt"),
    };
    format!(
        "the file states no recipe, and {package}. Set the recipe accordingly to reproduce its results: --threshold learned \
         --v-init 0 --reset hard --tie {tie}; for snnTorch --reset soft, for sinabs --reset soft --tie ge."
    )
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
    // Nodes after a loop wait as well; one of the loop itself has all its inputs from waiting nodes.
    match missing_inputs.iter().position(|&n| n > 0) {
        Some(item) => {
            let mut on_path = vec![false; items.len()];
            let mut at = item;
            while !std::mem::replace(&mut on_path[at], true) {
                at = items[at].inputs.iter().copied().find(|&input| missing_inputs[input] > 0).unwrap_or(at);
            }
            Err(reader.fail(&items[at].name, "is part of a loop; recurrent networks are not supported"))
        }
        None => Ok(order),
    }
}
