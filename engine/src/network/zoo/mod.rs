//! Network zoo: architectures with random weights, and the bundled trained networks.
//!
//! Knows how networks are built, not how they are trained.

mod architectures;
mod autoencoder;
mod builder;
mod bundled;
mod scenes;

pub use architectures::{cnn, mlp, resnet, resnet_of_width};
pub use autoencoder::{CROP, LATENT, LATENT_NODE, autoencoder};
pub use bundled::{BUNDLED, Bundled, bundled, bundled_data};
pub use scenes::{DETECTOR_STRIDES, fcn, fcos};

use super::{Activation, Network};
use crate::{Error, Result};

/// Initial value of a learned clip threshold λ (Ho & Chang 2021 train TCL from 4).
pub const CLIP_START: f32 = 4.0;
/// Initial value of a learned QCFS threshold λ. Bu et al. (2022) start at 8 and train for 300 epochs; a short training
/// from there would leave most of the L steps unused.
pub const QCFS_START: f32 = 2.0;

/// The architectures of the zoo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZooArchitecture {
    Mlp,
    Cnn,
    Resnet,
    /// Fully convolutional, with a class for every pixel.
    Fcn,
    /// A detector of boxes.
    Fcos,
}

impl ZooArchitecture {
    /// Parses `mlp`, `cnn`, `resnet`, `fcn` or `fcos`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for any other word.
    pub fn parse(text: &str) -> Result<Self> {
        match text {
            "mlp" => Ok(Self::Mlp),
            "cnn" => Ok(Self::Cnn),
            "resnet" => Ok(Self::Resnet),
            "fcn" => Ok(Self::Fcn),
            "fcos" => Ok(Self::Fcos),
            _ => Err(Error::Invalid(format!(
                "Cannot use architecture '{text}': unknown name. Use mlp, cnn, resnet, fcn or fcos."
            ))),
        }
    }

    /// Builds a network of this architecture for samples of `input_shape` (`[C, H, W]`, or any shape for the MLP). Weights
    /// are drawn from N(0, 2/fan_in) (He et al. 2015) with `seed`.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the samples are not images or are too small for the pools.
    pub fn build(self, input_shape: &[usize], classes: usize, activation: Activation, seed: u64) -> Result<Network> {
        match self {
            Self::Mlp => mlp(input_shape, classes, activation, seed),
            Self::Cnn => cnn(input_shape, classes, activation, seed),
            Self::Resnet => resnet(input_shape, classes, activation, seed),
            Self::Fcn => fcn(input_shape, classes, activation, seed),
            Self::Fcos => fcos(input_shape, classes, activation, seed),
        }
    }
}

/// Parses an activation for training: `relu`, `clip` (λ learned) or `qcfs:L` (λ learned, L levels, shift ½).
///
/// # Errors
/// [`Error::Invalid`] for any other text, or L outside 1..=1024.
pub fn parse_activation(text: &str) -> Result<Activation> {
    let bad = || {
        Error::Invalid(format!(
            "Cannot use activation '{text}': unknown name. Use relu, clip or qcfs:L (such as qcfs:8)."
        ))
    };
    match text.split_once(':') {
        None if text == "relu" => Ok(Activation::Relu),
        None if text == "clip" => Ok(Activation::Clip { lambda: CLIP_START }),
        Some(("qcfs", levels)) => match levels.parse() {
            Ok(levels @ 1..=1024) => Ok(Activation::Qcfs { lambda: QCFS_START, levels, shift: 0.5 }),
            _ => Err(bad()),
        },
        _ => Err(bad()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use burn::tensor::Device;

    use super::*;
    use crate::compute::program::Program;
    use crate::network::Op;

    const RELU: Activation = Activation::Relu;

    /// Runs two constant samples through the network: every value must have the shape of its node.
    fn check_shapes(network: Network) {
        let network = Arc::new(network);
        let program = Program::new(network.clone(), &Device::flex());
        let len = network.nodes[0].len();
        program.run(program.tensor(vec![0.5; 2 * len], 2), |id, value| {
            let node = &network.nodes[id];
            assert_eq!(value.dims(), [2, node.len()], "{}", node.name);
        });
    }

    #[test]
    fn every_architecture_runs_with_its_stated_shapes() {
        use ZooArchitecture::{Cnn, Fcn, Fcos, Mlp, Resnet};
        for arch in [Mlp, Cnn, Resnet, Fcn, Fcos] {
            for text in ["relu", "clip", "qcfs:8"] {
                let network = arch.build(&[1, 28, 28], 10, parse_activation(text).unwrap(), 1).unwrap();
                match arch {
                    Fcn => assert_eq!(network.nodes[network.output].shape, [10, 28, 28]),
                    Fcos => {
                        let outputs = network.outputs();
                        let name = |k: usize| (outputs[k].name.as_str(), outputs[k].shape.as_slice());
                        assert_eq!((outputs.len(), name(0)), (6, ("classes8", &[10, 4, 4][..])));
                        assert_eq!((name(4), name(5).1), (("boxes16", &[4, 2, 2][..]), &[1, 2, 2][..]));
                    }
                    _ => assert_eq!(network.classes(), 10),
                }
                check_shapes(network);
            }
            check_shapes(arch.build(&[3, 33, 20], 7, RELU, 1).unwrap());
        }
    }

    #[test]
    fn weights_depend_on_the_seed_alone() {
        let weights = |seed| {
            let network = resnet(&[1, 28, 28], 10, RELU, seed).unwrap();
            network.nodes.iter().map(|node| format!("{:?}", node.op)).collect::<Vec<_>>()
        };
        assert_eq!(weights(3), weights(3));
        assert_ne!(weights(3), weights(4));
    }

    #[test]
    fn fresh_weights_have_the_variance_of_he() {
        let network = mlp(&[784], 10, RELU, 5).unwrap();
        let Op::Linear { weight, .. } = &network.nodes[1].op else { panic!("{:?}", network.nodes[1]) };
        let variance = weight.data.iter().map(|w| w * w).sum::<f32>() / weight.data.len() as f32;
        assert!((variance * 784.0 / 2.0 - 1.0).abs() < 0.03, "{variance}");
    }

    #[test]
    fn residual_blocks_have_both_kinds_of_shortcut() {
        let network = resnet(&[1, 28, 28], 10, RELU, 1).unwrap();
        let id = |name: &str| network.nodes.iter().position(|node| node.name == name);
        assert!(id("layer1.0.downsample.conv").is_none() && id("layer2.0.downsample.conv").is_some());
        let add = &network.nodes[id("layer1.0.add").unwrap()];
        assert_eq!(add.inputs, [id("layer1.0.bn2").unwrap(), id("stem.act").unwrap()]);
    }

    #[test]
    fn invalid_words_and_samples_are_refused() {
        assert!(ZooArchitecture::parse("vgg").is_err());
        for text in ["qcfs", "qcfs:0", "qcfs:x", "qcfs:1000000", "tanh", ""] {
            assert!(parse_activation(text).is_err(), "{text}");
        }
        assert!(cnn(&[784], 10, RELU, 1).is_err());
        assert!(cnn(&[1, 3, 3], 10, RELU, 1).is_err());
        assert!(resnet(&[1, 28, 28], 0, RELU, 1).is_err());
        assert!(mlp(&[], 10, RELU, 1).is_err());
    }
}
