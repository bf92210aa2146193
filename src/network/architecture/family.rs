//! A family of networks known by the keys of its state dict, and helpers that read their shapes.

use super::assembler::NetworkAssembler;
use crate::Result;
use crate::network::state_dict::StateDict;
use crate::network::{NodeId, Weights};

/// Levels L of a QCFS activation where nothing states them: what the authors' test program takes (Bu et al., ICLR 2022).
pub const DEFAULT_LEVELS: u32 = 8;

/// A family of networks that is known by its keys.
pub(super) struct Family {
    pub(super) name: &'static str,
    /// What is taken for granted, as half a sentence; may be empty.
    pub(super) assumption: &'static str,
    pub(super) fits: fn(&StateDict) -> bool,
    /// Shape of the input, as far as the weights tell and as the family is used otherwise.
    pub(super) input: fn(&StateDict) -> Vec<usize>,
    pub(super) assemble: fn(&mut NetworkAssembler<'_>) -> Result<NodeId>,
}

/// The side of a square image where only custom tells: 28 for one channel (MNIST), 224 for a thousand classes (ImageNet),
/// 32 elsewhere (CIFAR).
pub(super) fn usual_image(first_conv: Option<&Weights>, classes: usize) -> Vec<usize> {
    let channels = first_conv.and_then(|weights| weights.shape.get(1)).copied().unwrap_or(3);
    let side = match (channels, classes) {
        (1, _) => 28,
        (_, 1000) => 224,
        _ => 32,
    };
    vec![channels, side, side]
}

/// Outputs of the layer whose weights are `key`.
pub(super) fn outputs(state: &StateDict, key: &str) -> usize {
    state.get(key).and_then(|weights| weights.shape.first()).copied().unwrap_or(0)
}

/// The image that leaves `halvings` pools of 2 as `features / channels` positions; `None` when these are no square.
pub(super) fn image_before(features: usize, channels: usize, halvings: usize, inputs: usize) -> Option<Vec<usize>> {
    let positions = features.checked_div(channels)?;
    let side = positions.isqrt();
    let fits = side > 0 && side * side * channels == features && halvings < 16;
    fits.then(|| vec![inputs, side << halvings, side << halvings])
}
