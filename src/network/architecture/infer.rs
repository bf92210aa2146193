//! Builds a network from a state dict, by its architecture file or by a recognized family.

use std::path::Path;

use super::assembler::{NetworkAssembler, architecture_hint};
use super::family::{DEFAULT_LEVELS, Family};
use super::file::ArchitectureFile;
use crate::error::format_shape;
use crate::network::state_dict::StateDict;
use crate::network::{Activation, Network};
use crate::{Error, Result};

/// Maximum number of layers in the message about an unknown architecture.
const MAX_LISTED_LAYERS: usize = 12;

const FAMILIES: [Family; 5] = [
    super::qcfs_vgg::FAMILY,
    super::qcfs_resnet::FAMILY,
    super::resnet::FAMILY,
    super::vgg::FAMILY,
    super::mlp::FAMILY,
];

/// The network with weights `state`, and the assumptions made, in sentences. `path` is the weight file, named in errors;
/// `described` is its architecture file.
///
/// # Errors
/// [`Error::File`] with the key that is missing, unused or of a wrong shape, or, for an unknown architecture, with how to
/// describe it.
pub fn build(state: StateDict, path: &Path, described: Option<&ArchitectureFile>) -> Result<(Network, Vec<String>)> {
    let name = path.file_stem().map_or_else(|| "network".into(), |stem| stem.to_string_lossy().into_owned());
    let description = described.cloned().unwrap_or_default();
    let assumed = description.assumed();
    let (mut network, mut notes) = if description.layers.is_empty() {
        let state = state.without_module_prefix();
        let family =
            FAMILIES.iter().find(|family| (family.fits)(&state)).ok_or_else(|| unknown_architecture(&state, path))?;
        let input = description.input.clone().unwrap_or_else(|| (family.input)(&state));
        let mut assembler = NetworkAssembler::new(path, family.name, &state, &input, assumed)?;
        description.ignore.iter().for_each(|prefix| assembler.ignore(prefix));
        (family.assemble)(&mut assembler)?;
        let assumption = if family.assumption.is_empty() { String::new() } else { format!(", {}", family.assumption) };
        let note = format!(
            "these are weights without a graph; from their keys the architecture is inferred as {} with input \
             {}{assumption}. Describe another one in {}",
            family.name,
            format_shape(&input),
            architecture_hint(path)
        );
        (assembler.finish(name)?, vec![note])
    } else {
        (description.assemble(&state, path, name)?, Vec::new())
    };
    let is_qcfs = |(_, activation)| matches!(activation, Activation::Qcfs { .. });
    if description.levels.is_none() && description.layers.is_empty() && network.activation_nodes().any(is_qcfs) {
        notes.push(format!(
            "the number of levels of its QCFS activations is not in the file: L = {DEFAULT_LEVELS} is assumed. To \
             change it, write levels = 4 (or the trained value) in {}",
            architecture_hint(path)
        ));
    }
    if !description.class_names.is_empty() && description.class_names.len() != network.class_count() {
        let reason = format!("{} names for {} classes", description.class_names.len(), network.class_count());
        return Err(Error::file(&description.path, "class-names", reason));
    }
    network.scaling = description.scaling;
    network.class_names = description.class_names;
    Ok((network, notes))
}

/// A template of an architecture file for the weights `state`; `None` if they belong to a known family.
pub fn architecture_template(state: StateDict) -> Option<String> {
    let state = state.without_module_prefix();
    (!FAMILIES.iter().any(|family| (family.fits)(&state))).then(|| super::template::architecture_template(&state))
}

fn unknown_architecture(state: &StateDict, path: &Path) -> Error {
    let layers: Vec<_> = state
        .iter()
        .filter(|(_, weights)| weights.shape.len() > 1)
        .map(|(key, weights)| {
            format!("{} {}", key.strip_suffix(".weight").unwrap_or(key), format_shape(&weights.shape))
        })
        .collect();
    let more = if layers.len() > MAX_LISTED_LAYERS { ", …" } else { "" };
    let layers = layers[..layers.len().min(MAX_LISTED_LAYERS)].join(", ");
    let reason = format!(
        "these are weights without a graph, and their keys match no known architecture. Describe it in {}, or export \
         it to ONNX. \"spikescope check {}\" prints a template. Its layers: {layers}{more}",
        architecture_hint(path),
        path.display()
    );
    Error::file(path, "the architecture", reason)
}
