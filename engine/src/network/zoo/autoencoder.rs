//! An autoencoder of small crops: its second half draws pictures from a few numbers.

use super::builder::Builder;
use crate::network::{Activation, Network};

/// Width and height of the crops.
pub const CROP: usize = 16;
/// Numbers between the halves.
pub const LATENT: usize = 32;
/// The node that has them.
pub const LATENT_NODE: &str = "latent";

/// Two convolutions of stride 2 to [`LATENT`] numbers, and two transposed convolutions back to `[channels, 16, 16]`.
pub fn autoencoder(channels: usize, seed: u64) -> Network {
    const RELU: Activation = Activation::Relu;
    let mut net = Builder::new(&[channels, CROP, CROP], seed);
    let mut x = net.conv("encoder.0", 0, 16, 3, 2, true);
    x = net.activation("encoder.1", x, RELU);
    x = net.conv("encoder.2", x, 32, 3, 2, true);
    x = net.activation("encoder.3", x, RELU);
    x = net.flatten("encoder.flatten", x);
    x = net.linear(LATENT_NODE, x, LATENT);
    x = net.linear("decoder.0", x, 32 * (CROP / 4) * (CROP / 4));
    x = net.activation("decoder.1", x, RELU);
    x = net.unflatten("decoder.unflatten", x, [32, CROP / 4, CROP / 4]);
    x = net.conv_transpose("decoder.2", x, 24, [CROP / 2; 2]);
    x = net.activation("decoder.3", x, RELU);
    net.conv_transpose("decoder.4", x, channels, [CROP; 2]);
    net.finish("autoencoder")
}
