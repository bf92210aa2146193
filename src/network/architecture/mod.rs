//! Networks from weights alone. A state dict has no graph: the graph comes from an architecture file beside the weights,
//! or from keys and shapes that belong to a family of networks known here, one file each. What had to be assumed is told.

mod assembly;
mod description;
mod layer;
mod mlp;
mod qcfs_resnet;
mod qcfs_vgg;
mod resnet;
mod skeleton;
#[cfg(test)]
mod tests;
mod vgg;

use std::path::Path;

pub use description::Description;

use super::state_dict::StateDict;
use super::{Activation, Network, NodeId, Weights};
use crate::error::dims;
use crate::{Error, Result};
use assembly::Assembly;

/// Levels L of a QCFS activation where nothing states them: what the authors' test program takes (Bu et al., ICLR 2022).
pub const DEFAULT_LEVELS: u32 = 8;
/// At most this many layers are listed for a person who has to describe a network.
const LISTED: usize = 12;

/// What activations with a learned threshold are, which the weights do not say.
#[derive(Clone, Copy, Debug)]
struct Assumed {
    levels: u32,
    clip: bool,
    /// Max pools instead of average pools, or the other way round; `None` takes what the family has.
    max_pool: Option<bool>,
}

impl Assumed {
    fn with_threshold(self, lambda: f32) -> Activation {
        match self.clip {
            true => Activation::Clip { lambda },
            false => Activation::Qcfs { lambda, levels: self.levels, shift: 0.5 },
        }
    }
}

/// A family of networks that is known by its keys.
struct Family {
    name: &'static str,
    /// What is taken for granted, as half a sentence; may be empty.
    assumption: &'static str,
    fits: fn(&StateDict) -> bool,
    /// Shape of the input, as far as the weights tell and as the family is used otherwise.
    input: fn(&StateDict) -> Vec<usize>,
    assemble: fn(&mut Assembly<'_>) -> Result<NodeId>,
}

const FAMILIES: [Family; 5] = [qcfs_vgg::FAMILY, qcfs_resnet::FAMILY, resnet::FAMILY, vgg::FAMILY, mlp::FAMILY];

/// The network whose weights are `state`, and what had to be assumed, in sentences. `path` is the weight file, which
/// errors name; `described` is its architecture file.
///
/// # Errors
/// [`Error::File`] naming the key that is missing, left over or of the wrong shape, or saying that the architecture is
/// not known and how to describe it.
pub fn build(state: StateDict, path: &Path, described: Option<&Description>) -> Result<(Network, Vec<String>)> {
    let name = path.file_stem().map_or_else(|| "network".into(), |stem| stem.to_string_lossy().into_owned());
    let description = described.cloned().unwrap_or_default();
    let assumed = description.assumed();
    let (mut network, mut notes) = if description.layers.is_empty() {
        let state = state.unheld();
        let family = FAMILIES.iter().find(|family| (family.fits)(&state)).ok_or_else(|| unknown(&state, path))?;
        let input = description.input.clone().unwrap_or_else(|| (family.input)(&state));
        let mut assembly = Assembly::new(path, family.name, &state, &input, assumed)?;
        description.ignore.iter().for_each(|prefix| assembly.ignore(prefix));
        (family.assemble)(&mut assembly)?;
        let assumption = if family.assumption.is_empty() { String::new() } else { format!(", {}", family.assumption) };
        let note = format!(
            "these are weights without a graph; by their keys they are read as {} with input {}{assumption}; {} can say \
             otherwise",
            family.name,
            dims(&input),
            hint(path)
        );
        (assembly.finish(name)?, vec![note])
    } else {
        (description.assemble(&state, path, name)?, Vec::new())
    };
    let staircase = |(_, activation)| matches!(activation, Activation::Qcfs { .. });
    if description.levels.is_none() && description.layers.is_empty() && network.activations().any(staircase) {
        notes.push(format!(
            "the number of levels of its QCFS activations is not in the file: L = {DEFAULT_LEVELS} is assumed; write \
             levels = 4 (or what it was trained with) in {} to change it",
            hint(path)
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
pub fn skeleton(state: StateDict) -> Option<String> {
    let state = state.unheld();
    (!FAMILIES.iter().any(|family| (family.fits)(&state))).then(|| skeleton::skeleton(&state))
}

/// Where a person can say what a network is.
fn hint(path: &Path) -> String {
    let stem = path.file_stem().map_or_else(|| "NAME".into(), |stem| stem.to_string_lossy().into_owned());
    format!("{stem}.arch.toml beside it (docs/architecture-files.md)")
}

fn unknown(state: &StateDict, path: &Path) -> Error {
    let layers: Vec<_> = state
        .iter()
        .filter(|(_, weights)| weights.shape.len() > 1)
        .map(|(key, weights)| format!("{} {}", key.strip_suffix(".weight").unwrap_or(key), dims(&weights.shape)))
        .collect();
    let more = if layers.len() > LISTED { ", …" } else { "" };
    let layers = layers[..layers.len().min(LISTED)].join(", ");
    let reason = format!(
        "these are weights without a graph, and their keys belong to no architecture that is known here; describe it in {}, \
         or export it to ONNX. \"spikescope check {}\" prints a file to begin with. Its layers: {layers}{more}",
        hint(path),
        path.display()
    );
    Error::file(path, "the architecture", reason)
}

/// The side of a square image where only custom tells: 28 for one channel (MNIST), 224 for a thousand classes (ImageNet),
/// 32 elsewhere (CIFAR).
fn usual_image(first_conv: Option<&Weights>, classes: usize) -> Vec<usize> {
    let channels = first_conv.and_then(|weights| weights.shape.get(1)).copied().unwrap_or(3);
    let side = match (channels, classes) {
        (1, _) => 28,
        (_, 1000) => 224,
        _ => 32,
    };
    vec![channels, side, side]
}

/// Outputs of the layer whose weights are `key`.
fn outputs(state: &StateDict, key: &str) -> usize {
    state.get(key).and_then(|weights| weights.shape.first()).copied().unwrap_or(0)
}

/// The image that leaves `halvings` pools of 2 as `features / channels` positions; `None` when these are no square.
fn image_before(features: usize, channels: usize, halvings: usize, inputs: usize) -> Option<Vec<usize>> {
    let positions = features.checked_div(channels)?;
    let side = positions.isqrt();
    let fits = side > 0 && side * side * channels == features && halvings < 16;
    fits.then(|| vec![inputs, side << halvings, side << halvings])
}
