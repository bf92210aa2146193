//! Known network families, recognized by the keys and shapes of a state dict.

use super::assembler::NetworkAssembler;
use crate::Result;
use crate::network::state_dict::StateDict;
use crate::network::{NodeId, Weights};

/// Default number of levels L of a QCFS activation: that of the authors' test program (Bu et al., ICLR 2022).
pub const DEFAULT_LEVELS: u32 = 8;

/// A network family that is recognized by its keys.
pub(super) struct Family {
    pub(super) name: &'static str,
    /// What the weights do not contain and is assumed, as part of a sentence; may be empty.
    pub(super) assumption: &'static str,
    pub(super) fits: fn(&StateDict) -> bool,
    /// Shape of the input, from the weights as far as possible, else the usual one of the family.
    pub(super) input: fn(&StateDict) -> Vec<usize>,
    /// Whether the network takes images of any height and width.
    pub(super) takes_any_size: fn(&StateDict) -> bool,
    pub(super) assemble: fn(&mut NetworkAssembler<'_>) -> Result<NodeId>,
}

/// The usual square input image `[C, side, side]`: side 28 for one channel (MNIST), 224 for 1000 classes (ImageNet), 32
/// otherwise (CIFAR).
pub(super) fn usual_image(first_conv: Option<&Weights>, classes: usize) -> Vec<usize> {
    let channels = first_conv.and_then(|weights| weights.shape.get(1)).copied().unwrap_or(3);
    let side = match (channels, classes) {
        (1, _) => 28,
        (_, 1000) => 224,
        _ => 32,
    };
    vec![channels, side, side]
}

/// Number of outputs of the layer with weights `key`; 0 without them.
pub(super) fn outputs(state: &StateDict, key: &str) -> usize {
    state.get(key).and_then(|weights| weights.shape.first()).copied().unwrap_or(0)
}

/// The input image `[inputs, H, W]` of which `halvings` pools of 2 leave `features / channels` positions; `None` if these
/// are not a square.
pub(super) fn image_before(features: usize, channels: usize, halvings: usize, inputs: usize) -> Option<Vec<usize>> {
    let positions = features.checked_div(channels)?;
    let side = positions.isqrt();
    let fits = side > 0 && side * side * channels == features && halvings < 16;
    fits.then(|| vec![inputs, side << halvings, side << halvings])
}
