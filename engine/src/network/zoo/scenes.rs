//! Architectures for scenes: a fully convolutional network for masks, a one-stage detector for boxes.
//!
//! Both share an encoder of strides instead of pools, whose spikes need no maximum. Skips are sums of currents in front of
//! neurons.

use super::builder::Builder;
use crate::error::format_shape;
use crate::network::{Activation, Network, NodeId};
use crate::{Error, Result};

/// Minimum height and width of pictures.
const MIN_SIDE: usize = 16;
/// Channels of a detector's towers.
const TOWER: usize = 40;
/// Strides of a detector's levels.
pub const DETECTOR_STRIDES: [usize; 2] = [8, 16];
/// Logit of every class before training: probability 0.01 (Lin et al. 2017, section 4.1).
const PRIOR: f32 = -4.595;
/// Distance from a place to the sides of its box before training, in strides.
const FIRST_DISTANCE: f32 = 1.5;

/// A fully convolutional network (Long et al. 2015) with three skips: four halvings, bilinear resizes back to half the
/// size, and a transposed convolution to logits `[classes, H, W]`. BatchNorm after every other convolution.
///
/// # Errors
/// [`Error::Invalid`] for samples that are no pictures of at least 16x16.
pub fn fcn(input_shape: &[usize], classes: usize, activation: Activation, seed: u64) -> Result<Network> {
    let [height, width] = check(input_shape, classes)?;
    let mut net = Builder::new(input_shape, seed);
    let [half, quarter, eighth, deepest] = encoder(&mut net, activation);
    let mut x = net.lateral("up3", eighth, deepest, activation);
    x = net.unit("up3.smooth", x, 32, [3, 1], activation);
    x = net.lateral("up2", quarter, x, activation);
    x = net.unit("up2.smooth", x, 24, [3, 1], activation);
    x = net.lateral("up1", half, x, activation);
    x = net.unit("up1.smooth", x, 16, [3, 1], activation);
    net.conv_transpose("logits", x, classes, [height, width]);
    Ok(net.finish("fcn"))
}

/// A one-stage detector without anchors (FCOS, Tian et al. 2019) with two levels of strides 8 and 16.
///
/// Outputs of level S, in this order: `classesS` `[classes, H, W]`, logits; `boxesS` `[4, H, W]`, distances from the
/// place to the left, top, right and bottom of its box in strides, negative ones being 0; `centernessS` `[1, H, W]`, a
/// logit. Place x, y stands for the point (x + ½, y + ½)·S.
///
/// # Errors
/// [`Error::Invalid`] for samples that are no pictures of at least 16x16.
pub fn fcos(input_shape: &[usize], classes: usize, activation: Activation, seed: u64) -> Result<Network> {
    check(input_shape, classes)?;
    let mut net = Builder::new(input_shape, seed);
    let [_, _, eighth, deepest] = encoder(&mut net, activation);
    let deep = net.unit("level16.in", deepest, TOWER, [1, 1], activation);
    let shallow = net.lateral("level8.in", eighth, deep, activation);
    let mut outputs = Vec::new();
    for (stride, x) in DETECTOR_STRIDES.into_iter().zip([shallow, deep]) {
        let part = |part: &str| format!("level{stride}.{part}");
        let of_class = net.unit(&part("classes"), x, TOWER, [3, 1], activation);
        let of_box = net.unit(&part("boxes"), x, TOWER, [3, 1], activation);
        let heads = [
            ("classes", of_class, classes, PRIOR),
            ("boxes", of_box, 4, FIRST_DISTANCE),
            ("centerness", of_box, 1, 0.0),
        ];
        for (name, from, channels, bias) in heads {
            let output = net.output_conv(&part(&format!("{name}.out")), from, channels, bias);
            outputs.push((format!("{name}{stride}"), output));
        }
    }
    net.outputs(&outputs);
    Ok(net.finish("fcos"))
}

/// Adds the layers at a half, a quarter, an eighth and a sixteenth of the size, and returns the last of each.
fn encoder(net: &mut Builder, activation: Activation) -> [NodeId; 4] {
    let mut x = net.unit("stem", 0, 16, [3, 2], activation);
    let mut ends = [0; 4];
    x = net.unit("enc1.0", x, 24, [3, 1], activation);
    ends[0] = x;
    for (level, channels) in [(2, 32), (3, 64), (4, 64)] {
        x = net.unit(&format!("enc{level}.0"), x, channels, [3, 2], activation);
        x = net.unit(&format!("enc{level}.1"), x, channels, [3, 1], activation);
        ends[level - 1] = x;
    }
    ends
}

/// Height and width of pictures.
fn check(input_shape: &[usize], classes: usize) -> Result<[usize; 2]> {
    match input_shape {
        &[channels, h, w] if h >= MIN_SIDE && w >= MIN_SIDE && channels > 0 && classes > 0 => Ok([h, w]),
        _ => Err(Error::Invalid(format!(
            "Cannot build a network for samples of shape {} with {classes} classes: it needs pictures CxHxW of at least \
             {MIN_SIDE}x{MIN_SIDE} and a class.",
            format_shape(input_shape)
        ))),
    }
}
