//! Networks from weights alone. A state dict has no graph: the graph comes from an architecture file beside the weights,
//! or from keys and shapes that belong to a family of networks known here, one file each. What had to be assumed is told.

use std::path::Path;

use super::assembler::{NetworkAssembler, architecture_hint};
use super::family::{DEFAULT_LEVELS, Family};
use super::file::ArchitectureFile;
use crate::error::format_shape;
use crate::network::state_dict::StateDict;
use crate::network::{Activation, Network};
use crate::{Error, Result};

/// At most this many layers are listed for a person who has to describe a network.
const LISTED: usize = 12;

const FAMILIES: [Family; 5] = [
    super::qcfs_vgg::FAMILY,
    super::qcfs_resnet::FAMILY,
    super::resnet::FAMILY,
    super::vgg::FAMILY,
    super::mlp::FAMILY,
];

/// The network whose weights are `state`, and what had to be assumed, in sentences. `path` is the weight file, which
/// errors name; `described` is its architecture file.
///
/// # Errors
/// [`Error::File`] naming the key that is missing, left over or of the wrong shape, or saying that the architecture is
/// not known and how to describe it.
pub fn build(state: StateDict, path: &Path, described: Option<&ArchitectureFile>) -> Result<(Network, Vec<String>)> {
    let name = path.file_stem().map_or_else(|| "network".into(), |stem| stem.to_string_lossy().into_owned());
    let description = described.cloned().unwrap_or_default();
    let assumed = description.assumed();
    let (mut network, mut notes) = if description.layers.is_empty() {
        let state = state.without_module_prefix();
        let family = FAMILIES.iter().find(|family| (family.fits)(&state)).ok_or_else(|| unknown(&state, path))?;
        let input = description.input.clone().unwrap_or_else(|| (family.input)(&state));
        let mut assembly = NetworkAssembler::new(path, family.name, &state, &input, assumed)?;
        description.ignore.iter().for_each(|prefix| assembly.ignore(prefix));
        (family.assemble)(&mut assembly)?;
        let assumption = if family.assumption.is_empty() { String::new() } else { format!(", {}", family.assumption) };
        let note = format!(
            "these are weights without a graph; from their keys the architecture is inferred as {} with input \
             {}{assumption}. Describe another one in {}",
            family.name,
            format_shape(&input),
            architecture_hint(path)
        );
        (assembly.finish(name)?, vec![note])
    } else {
        (description.assemble(&state, path, name)?, Vec::new())
    };
    let staircase = |(_, activation)| matches!(activation, Activation::Qcfs { .. });
    if description.levels.is_none() && description.layers.is_empty() && network.activation_nodes().any(staircase) {
        notes.push(format!(
            "the number of levels of its QCFS activations is not in the file: L = {DEFAULT_LEVELS} is assumed. To \
             change it, write levels = 4 (or the trained value) in {}",
            architecture_hint(path)
        ));
    }
    if !description.class_names.is_empty() && description.class_names.len() != network.classes() {
        let reason = format!("{} names for {} classes", description.class_names.len(), network.classes());
        return Err(Error::file(&description.path, "class-names", reason));
    }
    network.scaling = description.scaling;
    network.class_names = description.class_names;
    Ok((network, notes))
}

/// An architecture file to begin with for the weights `state`; `None` where they belong to a family that is known.
pub fn architecture_template(state: StateDict) -> Option<String> {
    let state = state.without_module_prefix();
    (!FAMILIES.iter().any(|family| (family.fits)(&state))).then(|| super::template::architecture_template(&state))
}

fn unknown(state: &StateDict, path: &Path) -> Error {
    let layers: Vec<_> = state
        .iter()
        .filter(|(_, weights)| weights.shape.len() > 1)
        .map(|(key, weights)| {
            format!("{} {}", key.strip_suffix(".weight").unwrap_or(key), format_shape(&weights.shape))
        })
        .collect();
    let more = if layers.len() > LISTED { ", …" } else { "" };
    let layers = layers[..layers.len().min(LISTED)].join(", ");
    let reason = format!(
        "these are weights without a graph, and their keys match no known architecture. Describe it in {}, or export \
         it to ONNX. \"spikescope check {}\" prints a template. Its layers: {layers}{more}",
        architecture_hint(path),
        path.display()
    );
    Error::file(path, "the architecture", reason)
}
