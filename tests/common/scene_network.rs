//! Small networks with maps as outputs and weights drawn from a seed, for tests on scenes.

use std::sync::Arc;

use spikescope::network::{Activation, Network, Node, NodeId, Op, Weights};

/// A network of input 3×`side`×`side`: a convolution with ReLU, and for each output a convolution of the given channels.
/// Weights are drawn from a seed.
pub fn network(side: usize, stride: usize, outputs: &[(&str, usize)]) -> Network {
    let mut state = 9u64;
    let mut draw = move |count: usize, scale: f32| -> Vec<f32> {
        (0..count)
            .map(|_| {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                ((state >> 40) as f32 / (1u64 << 24) as f32 - 0.5) * scale
            })
            .collect()
    };
    let mut conv = |inputs: usize, channels: usize, kernel: usize, stride: usize, scale: f32| Op::Conv2d {
        weight: Weights {
            shape: vec![channels, inputs, kernel, kernel],
            data: Arc::new(draw(channels * inputs * kernel * kernel, scale)),
        },
        bias: Some(Weights { shape: vec![channels], data: Arc::new(draw(channels, 0.5)) }),
        stride: [stride; 2],
        padding: [kernel / 2; 4],
        dilation: [1; 2],
        groups: 1,
    };
    let node = |name: &str, op, inputs: &[NodeId], shape: &[usize]| Node {
        name: name.into(),
        op,
        inputs: inputs.to_vec(),
        shape: shape.to_vec(),
    };
    let small = side.div_ceil(stride);
    let mut nodes = vec![
        node("input", Op::Input, &[], &[3, side, side]),
        node("conv", conv(3, 8, 3, stride, 1.5), &[0], &[8, small, small]),
        node("act", Op::Activation(Activation::Relu), &[1], &[8, small, small]),
    ];
    let mut flat = Vec::new();
    for (name, channels) in outputs {
        nodes.push(node(&format!("{name}.conv"), conv(8, *channels, 1, 1, 2.0), &[2], &[*channels, small, small]));
        if outputs.len() > 1 {
            let len = channels * small * small;
            nodes.push(node(name, Op::Reshape, &[nodes.len() - 1], &[len]));
            flat.push((nodes.len() - 1, len));
        }
    }
    if outputs.len() > 1 {
        let ids: Vec<NodeId> = flat.iter().map(|(id, _)| *id).collect();
        nodes.push(node("all", Op::Concat { axis: 0 }, &ids, &[flat.iter().map(|(_, len)| len).sum()]));
    }
    Network { name: "scenes".into(), output: nodes.len() - 1, nodes, scaling: None, class_names: vec![], neurons: None }
}
