//! Bundled trained networks, for runs without any file.
//!
//! `assets/README.md` describes the training of each.

use std::path::Path;

use crate::Result;
use crate::network::{Network, safetensors};

/// A network that is part of the program.
#[derive(Clone, Copy, Debug)]
pub struct Bundled {
    pub name: &'static str,
    /// One sentence of description for the user.
    pub description: &'static str,
    /// Data that it was tested on, if they are part of the program.
    pub data: Option<&'static str>,
    /// Score on these data, else on those that assets/README.md names, 0 to 1: accuracy of classes, mean IoU of masks, or
    /// average precision of boxes at the overlap 0.5.
    pub test_score: f32,
    bytes: &'static [u8],
}

/// The bundled networks; the first one is the default.
pub const BUNDLED: &[Bundled] = &[
    Bundled {
        name: "digits-cnn",
        description: "Small ReLU convolutional network; converts well with balanced thresholds.",
        data: Some("builtin:digits"),
        test_score: 0.9975,
        bytes: include_bytes!("../../../../assets/digits-cnn.safetensors"),
    },
    Bundled {
        name: "digits-mlp",
        description: "Three fully connected layers with 4-level QCFS activations; accurate after very few time-steps.",
        data: Some("builtin:digits"),
        test_score: 0.9975,
        bytes: include_bytes!("../../../../assets/digits-mlp.safetensors"),
    },
    Bundled {
        name: "digits-resnet",
        description: "Residual network with 8-level QCFS activations; errors accumulate over the layers, and it needs \
                      many time-steps.",
        data: Some("builtin:digits"),
        test_score: 0.9985,
        bytes: include_bytes!("../../../../assets/digits-resnet.safetensors"),
    },
    Bundled {
        name: "digits-snn",
        description: "Spiking network of three fully connected layers, trained by surrogate gradients over 8 steps.",
        data: Some("builtin:digits"),
        test_score: 0.9925,
        bytes: include_bytes!("../../../../assets/digits-snn.safetensors"),
    },
    Bundled {
        name: "digits-snn-sr",
        description: "The same with the sparse-gradient regularizer: fewer images are fooled by small changes.",
        data: Some("builtin:digits"),
        test_score: 0.9875,
        bytes: include_bytes!("../../../../assets/digits-snn-sr.safetensors"),
    },
    Bundled {
        name: "scenes-seg",
        description: "Fully convolutional network with ReLU for drawn scenes: a class for every pixel, three skips.",
        data: Some("builtin:scenes"),
        test_score: 0.8652,
        bytes: include_bytes!("../../../../assets/scenes-seg.safetensors"),
    },
    Bundled {
        name: "scenes-det",
        description: "Detector of five shapes in drawn scenes (FCOS) with ReLU; errors of rates move its boxes.",
        data: Some("builtin:scenes"),
        test_score: 0.9753,
        bytes: include_bytes!("../../../../assets/scenes-det.safetensors"),
    },
    Bundled {
        name: "objects-trojans",
        description: "Residual network with ReLU and 16 planted trojans: certain patches, styles and things change its \
                      answer.",
        data: Some("builtin:objects"),
        test_score: 0.934,
        bytes: include_bytes!("../../../../assets/objects-trojans.safetensors"),
    },
];

/// Loads the bundled network `name`; `None` for an unknown name.
pub fn bundled(name: &str) -> Option<Result<Network>> {
    let found = BUNDLED.iter().find(|bundled| bundled.name == name)?;
    Some(safetensors::from_bytes(found.bytes, Path::new(&format!("builtin:{name}"))))
}

/// The bundled data of the bundled network `name`; `None` for an unknown name, or without such data.
pub fn bundled_data(name: &str) -> Option<&'static str> {
    BUNDLED.iter().find(|bundled| bundled.name == name)?.data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bundled_network_is_valid_and_small() {
        for entry in BUNDLED {
            let network = bundled(entry.name).unwrap().unwrap();
            assert!(network.name == entry.name && network.scaling.is_some() && entry.bytes.len() < 1_000_000);
            if entry.data == Some("builtin:digits") {
                assert_eq!((network.input_shape(), network.classes()), (&[1, 28, 28][..], 10));
            }
        }
        assert!(bundled("digits-vgg").is_none());
    }
}
