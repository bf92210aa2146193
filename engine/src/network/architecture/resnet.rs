//! Residual networks (He et al., CVPR 2016) in the key naming of torchvision.
//!
//! The keys are `conv1`, `bn1`, blocks `layer1.0.conv1`, and `fc` or `linear`, one layer or a sequence of layers with ReLU between. The shapes determine the rest. A 7x7 stem
//! has stride 2 and a max pool (torchvision ResNet-18 to -152, ResNeXt); a 3x3 stem has stride 1 (CIFAR ResNet-20 to -110
//! of akamaster and similar ones). A shortcut is a projection (`downsample` or `shortcut`) or the identity. If the shape
//! changes without a projection, it is every second pixel, padded with zero channels (option A of the paper).

use super::assembler::{EPSILON, NetworkAssembler};
use super::family::{Family, outputs, usual_image};
use crate::Result;
use crate::network::state_dict::StateDict;
use crate::network::{NodeId, Op};

pub(super) const FAMILY: Family = Family {
    name: "a ResNet",
    assumption: "",
    fits: |state| {
        state.has_rank("conv1.weight", 4) && state.has("bn1.running_mean") && state.has_rank("layer1.0.conv1.weight", 4)
    },
    input,
    takes_any_size: |_| true,
    assemble,
};

fn has_large_stem(state: &StateDict) -> bool {
    state.get("conv1.weight").is_some_and(|weight| weight.shape.get(2) == Some(&7))
}

fn input(state: &StateDict) -> Vec<usize> {
    let last = head(state).pop().map(|name| format!("{name}.weight")).unwrap_or_default();
    let classes = if has_large_stem(state) { 1000 } else { outputs(state, &last) };
    usual_image(state.get("conv1.weight"), classes)
}

/// Names of the fully connected layers: `linear` or `fc`, or those of a sequence `fc.1`, `fc.4` that took its place.
fn head(state: &StateDict) -> Vec<String> {
    let name = if state.has("linear.weight") || !state.sequence_indices("linear").is_empty() { "linear" } else { "fc" };
    let of_sequence = state.sequence_indices(name).into_iter().map(|at| format!("{name}.{at}"));
    let of_sequence: Vec<String> = of_sequence.filter(|name| state.has_rank(&format!("{name}.weight"), 2)).collect();
    if of_sequence.is_empty() { vec![name.into()] } else { of_sequence }
}

fn assemble(net: &mut NetworkAssembler<'_>) -> Result<NodeId> {
    let state = net.state;
    let large = has_large_stem(state);
    let mut x = net.same_conv("conv1", 0, if large { 2 } else { 1 })?;
    x = net.norm("bn1", x, EPSILON)?;
    x = net.activation("relu", x)?;
    if large {
        let op = Op::MaxPool2d { kernel: [3; 2], stride: [2; 2], padding: [1; 4], dilation: [1; 2] };
        x = net.push("maxpool", op, vec![x], &[])?;
    }
    for stage in (1..).take_while(|stage| !state.sequence_indices(&format!("layer{stage}")).is_empty()) {
        for block in state.sequence_indices(&format!("layer{stage}")) {
            let stride = if block == 0 && stage > 1 { 2 } else { 1 };
            x = self::block(net, &format!("layer{stage}.{block}"), x, stride)?;
        }
    }
    x = net.global_mean("avgpool", x)?;
    let layers = head(state);
    for (k, layer) in layers.iter().enumerate() {
        x = net.linear(layer, x)?;
        if k + 1 < layers.len() {
            x = net.activation(&format!("{layer}.relu"), x)?;
        }
    }
    Ok(x)
}

fn block(net: &mut NetworkAssembler<'_>, name: &str, from: NodeId, stride: usize) -> Result<NodeId> {
    let state = net.state;
    let conv = |k: usize| format!("{name}.conv{k}");
    let count = (1..).take_while(|&k| state.has(&format!("{}.weight", conv(k)))).count().max(2);
    // The first 3x3 convolution has the stride (torchvision's bottleneck since 0.3, "ResNet V1.5").
    let is_3x3 = |k: &usize| state.get(&format!("{}.weight", conv(*k))).is_some_and(|w| w.shape.get(2) == Some(&3));
    let strided = (1..=count).find(is_3x3).unwrap_or(1);
    let mut x = from;
    for k in 1..=count {
        x = net.same_conv(&conv(k), x, if k == strided { stride } else { 1 })?;
        x = net.norm(&format!("{name}.bn{k}"), x, EPSILON)?;
        if k < count {
            x = net.activation(&format!("{name}.relu{k}"), x)?;
        }
    }
    let shortcut = shortcut(net, name, from, x, stride)?;
    x = net.push(&format!("{name}.add"), Op::Add, vec![x, shortcut], &[])?;
    net.activation(&format!("{name}.relu"), x)
}

/// The shortcut of a block from its input `from`, to be added to its output `x`.
fn shortcut(net: &mut NetworkAssembler<'_>, name: &str, from: NodeId, x: NodeId, stride: usize) -> Result<NodeId> {
    let projection = ["downsample", "shortcut"].map(|part| format!("{name}.{part}"));
    if let Some(part) = projection.iter().find(|part| net.state.has(&format!("{part}.0.weight"))) {
        let conv = net.same_conv(&format!("{part}.0"), from, stride)?;
        return net.norm(&format!("{part}.1"), conv, EPSILON);
    }
    let (shape_in, shape_out) = (net.shape(from).to_vec(), net.shape(x).to_vec());
    if shape_in == shape_out || stride == 1 || shape_out[0] < shape_in[0] {
        return Ok(from);
    }
    let mut shortcut = from;
    for axis in [1, 2] {
        let op = Op::Slice { axis, start: 0, end: shape_in[axis], step: stride };
        shortcut = net.push(&format!("{name}.shortcut.slice{axis}"), op, vec![shortcut], &[])?;
    }
    let before = (shape_out[0] - shape_in[0]) / 2;
    let op = Op::Pad { before: vec![before, 0, 0], after: vec![shape_out[0] - shape_in[0] - before, 0, 0] };
    net.push(&format!("{name}.shortcut.pad"), op, vec![shortcut], &[])
}
