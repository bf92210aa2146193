//! The zoo's three architectures: MLP, CNN and a small ResNet.
//!
//! Pools are average pools, because those commute with integrate-and-fire neurons.

use super::builder::Builder;
use crate::network::{Activation, Network, NodeId};
use crate::{Error, Result};

/// Fully connected: input, 128, 64, `classes`. Samples of any shape.
///
/// # Errors
/// [`Error::Invalid`] without values or classes.
pub fn mlp(input_shape: &[usize], classes: usize, activation: Activation, seed: u64) -> Result<Network> {
    check(input_shape, classes)?;
    let mut net = Builder::new(input_shape, seed);
    let mut x = net.flatten("flatten", 0);
    for (index, width) in [128, 64].into_iter().enumerate() {
        x = net.linear(&format!("layers.{}", 2 * index), x, width);
        x = net.activation(&format!("layers.{}", 2 * index + 1), x, activation);
    }
    net.linear("layers.4", x, classes);
    Ok(net.finish("mlp"))
}

/// Conv 8, average pool, conv 16, average pool, fully connected 64, `classes`; 3x3 kernels. `[C, H, W]`, H and W ≥ 4.
///
/// # Errors
/// [`Error::Invalid`] for samples that are not images or too small.
pub fn cnn(input_shape: &[usize], classes: usize, activation: Activation, seed: u64) -> Result<Network> {
    check_image(input_shape, classes)?;
    let mut net = Builder::new(input_shape, seed);
    let mut x = 0;
    for (index, channels) in [8, 16].into_iter().enumerate() {
        let name = |layer: usize| format!("features.{}", 3 * index + layer);
        x = net.conv(&name(0), x, channels, 3, 1, true);
        x = net.activation(&name(1), x, activation);
        x = net.avg_pool(&name(2), x);
    }
    x = net.flatten("flatten", x);
    x = net.linear("classifier.0", x, 64);
    x = net.activation("classifier.1", x, activation);
    net.linear("classifier.2", x, classes);
    Ok(net.finish("cnn"))
}

/// A small residual network (He et al. 2016, post-activation): a 3x3 stem of stride 2 with 16 channels, then blocks of
/// 16, 32 (stride 2, 1x1 projection shortcut) and 32 channels, the mean over the image, and one fully connected layer.
/// BatchNorm after every convolution. `[C, H, W]`, H and W ≥ 4.
///
/// # Errors
/// [`Error::Invalid`] for samples that are not images or too small.
pub fn resnet(input_shape: &[usize], classes: usize, activation: Activation, seed: u64) -> Result<Network> {
    resnet_of_width(input_shape, classes, activation, 16, seed)
}

/// [`resnet`] with `width` channels in place of 16, and twice as many in place of 32.
///
/// # Errors
/// As [`resnet`].
pub fn resnet_of_width(
    input_shape: &[usize],
    classes: usize,
    activation: Activation,
    width: usize,
    seed: u64,
) -> Result<Network> {
    check_image(input_shape, classes)?;
    let mut net = Builder::new(input_shape, seed);
    let mut x = net.conv("stem.conv", 0, width, 3, 2, false);
    x = net.norm("stem.bn", x);
    x = net.activation("stem.act", x, activation);
    for (name, channels, stride) in [("layer1.0", width, 1), ("layer2.0", 2 * width, 2), ("layer2.1", 2 * width, 1)] {
        x = block(&mut net, name, x, channels, stride, activation);
    }
    x = net.global_avg_pool("pool", x);
    net.linear("fc", x, classes);
    Ok(net.finish("resnet"))
}

/// Adds two 3x3 convolutions and a shortcut: the identity, or a 1x1 convolution if the shape changes. The activation
/// follows the sum, so in the spiking network both branches are currents into one layer of neurons.
fn block(
    net: &mut Builder,
    name: &str,
    from: NodeId,
    channels: usize,
    stride: usize,
    activation: Activation,
) -> NodeId {
    let part = |part: &str| format!("{name}.{part}");
    let mut x = net.conv(&part("conv1"), from, channels, 3, stride, false);
    x = net.norm(&part("bn1"), x);
    x = net.activation(&part("act1"), x, activation);
    x = net.conv(&part("conv2"), x, channels, 3, 1, false);
    x = net.norm(&part("bn2"), x);
    let shortcut = if stride == 1 && net.channels(from) == channels {
        from
    } else {
        let conv = net.conv(&part("downsample.conv"), from, channels, 1, stride, false);
        net.norm(&part("downsample.bn"), conv)
    };
    x = net.add(&part("add"), x, shortcut);
    net.activation(&part("act2"), x, activation)
}

fn check(input_shape: &[usize], classes: usize) -> Result<()> {
    let values: usize = input_shape.iter().product();
    if input_shape.is_empty() || values == 0 || classes == 0 {
        let shape = crate::error::format_shape(input_shape);
        let reason = format!(
            "Cannot build a network for samples of shape {shape} with {classes} classes: both must be above 0."
        );
        return Err(Error::Invalid(reason));
    }
    Ok(())
}

fn check_image(input_shape: &[usize], classes: usize) -> Result<()> {
    check(input_shape, classes)?;
    match input_shape {
        &[_, h, w] if h >= 4 && w >= 4 => Ok(()),
        _ => Err(Error::Invalid(format!(
            "Cannot use this architecture for samples of shape {}: it needs images CxHxW of at least 4x4. Use mlp.",
            crate::error::format_shape(input_shape)
        ))),
    }
}
