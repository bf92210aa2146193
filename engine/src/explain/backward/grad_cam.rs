//! Guided Grad-CAM: guided backprop, weighted by where a layer's channels speak for the target.
//!
//! With A the layer's output and a_c the mean over space of ∂f/∂A_c, cam = max(0, Σ_c a_c A_c). It is enlarged by
//! repeating: pixel i has the value at ⌊i·h/H⌋.

use super::guided::{Gate, Gated, gated};
use super::node_maps::NodeMaps;
use super::sweep::{one_hot, sweep};
use super::values::Values;
use crate::attack::ImageForm;
use crate::network::{Network, NodeId, Op};
use crate::{Error, Result};

/// The layer called `name`, or the last convolution.
///
/// # Errors
/// [`Error::Invalid`] if there is no such layer or its values have no rows and columns.
pub fn layer(network: &Network, name: Option<&str>) -> Result<NodeId> {
    let is_convolution = |id: &NodeId| matches!(network.nodes[*id].op, Op::Conv2d { .. } | Op::ConvTranspose2d { .. });
    let convolutions: Vec<NodeId> = (0..network.nodes.len()).filter(is_convolution).collect();
    let names = || {
        let names: Vec<String> = convolutions.iter().map(|&id| format!("'{}'", network.nodes[id].name)).collect();
        names.join(", ")
    };
    match name {
        None => convolutions.last().copied().ok_or_else(|| {
            Error::Invalid(format!(
                "Cannot explain network '{}' by a layer's map: it has no convolution, whose values have rows and columns. \
                 Use other methods than guided-grad-cam and spike-count.",
                network.name
            ))
        }),
        Some(name) => match network.nodes.iter().position(|node| node.name == name) {
            Some(id) if network.nodes[id].shape.len() == 3 && id > 0 => Ok(id),
            Some(id) => Err(Error::Invalid(format!(
                "Cannot use layer '{name}' for a map: its values have no rows and columns ({}). Use a convolution: {}.",
                crate::error::format_shape(&network.nodes[id].shape),
                names()
            ))),
            None => Err(Error::Invalid(format!(
                "Cannot use layer '{name}': the network '{}' has no such layer. Use a convolution: {}.",
                network.name,
                names()
            ))),
        },
    }
}

/// The class activation map of node `at` for each row's target, `[rows, h, w]`.
pub fn grad_cam(values: &Values<'_>, targets: &[usize], at: NodeId) -> Vec<f32> {
    let maps: &NodeMaps = values.maps;
    let start = one_hot(targets, maps.network().classes());
    let gradient = sweep(values, start, at, &Gated { values, gate: Gate::Plain });
    let shape = &maps.network().nodes[at].shape;
    let (channels, area) = (shape[0], shape[1..].iter().product::<usize>());
    let rows =
        gradient.chunks_exact((channels * area).max(1)).zip(values.of[at].chunks_exact((channels * area).max(1)));
    let mut cams = Vec::with_capacity(values.rows * area);
    for (gradient, value) in rows {
        let mut cam = vec![0.0f32; area];
        for (gradient, value) in gradient.chunks_exact(area.max(1)).zip(value.chunks_exact(area.max(1))) {
            let weight = gradient.iter().sum::<f32>() / area as f32;
            cam.iter_mut().zip(value).for_each(|(cam, value)| *cam += weight * value);
        }
        cams.extend(cam.into_iter().map(|value| value.max(0.0)));
    }
    cams
}

/// Guided backprop ⊙ the enlarged map of node `at`, `[rows, F]`.
pub fn guided_grad_cam(values: &Values<'_>, targets: &[usize], at: NodeId, form: &ImageForm) -> Vec<f32> {
    let mut map = gated(values, targets, Gate::Guided);
    let cams = grad_cam(values, targets, at);
    let shape = &values.maps.network().nodes[at].shape;
    let size = [shape[1], shape[2]];
    for (map, cam) in map.chunks_exact_mut(form.len().max(1)).zip(cams.chunks_exact((size[0] * size[1]).max(1))) {
        let cam = enlarged(cam, size, form);
        map.iter_mut().zip(cam).for_each(|(map, cam)| *map *= cam);
    }
    map
}

/// `small` `[h, w]` for every value of an image, repeated to its size.
pub fn enlarged(small: &[f32], [height, width]: [usize; 2], form: &ImageForm) -> Vec<f32> {
    let mut large = vec![0.0; form.len()];
    for channel in 0..form.channels {
        for row in 0..form.height {
            for column in 0..form.width {
                let at = row * height / form.height * width + column * width / form.width;
                large[form.at(channel, row, column)] = small[at];
            }
        }
    }
    large
}
