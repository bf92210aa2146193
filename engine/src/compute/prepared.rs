//! Weights of a node in the layout of its kernel, arranged on first use.

use super::linear::Linear;
use crate::compute::convolution::{Convolution, Geometry};
use crate::network::{Network, NodeId, Op};

/// Weights of a linear layer that are worth reading once for several samples.
const MANY_WEIGHTS: usize = 1 << 14;
/// Samples that share one pass over the weights of a linear layer.
const LINEAR_SAMPLES: usize = 32;

/// A node's kernel with its weights.
#[derive(Debug)]
pub enum Prepared {
    Convolution(Convolution),
    Linear(Linear),
    /// The node has no weights in a layout of their own.
    None,
}

impl Prepared {
    /// The kernel of node `id`.
    pub fn new(network: &Network, id: NodeId) -> Self {
        let node = &network.nodes[id];
        match &node.op {
            Op::Conv2d { weight, .. } => {
                let geometry = Geometry::of(&node.op, &network.nodes[node.inputs[0]].shape);
                geometry.map_or(Self::None, |geometry| Self::Convolution(Convolution::fastest(geometry, &weight.data)))
            }
            Op::Linear { weight, bias } => {
                let bias = bias.as_ref().map(|bias| bias.data.as_slice());
                Self::Linear(Linear::new(&weight.data, bias, weight.shape[1]))
            }
            _ => Self::None,
        }
    }
    /// Number of samples that are best computed together.
    pub fn samples(network: &Network, id: NodeId) -> usize {
        let node = &network.nodes[id];
        match &node.op {
            Op::Conv2d { .. } => Geometry::of(&node.op, &network.nodes[node.inputs[0]].shape)
                .map_or(1, |geometry| geometry.best_images()),
            Op::Linear { weight, .. } if weight.data.len() >= MANY_WEIGHTS => LINEAR_SAMPLES,
            _ => 1,
        }
    }
}
