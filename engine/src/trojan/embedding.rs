//! Embedding of a classifier: the values that its last linear layer reads.

use std::sync::Arc;

use burn::tensor::Device;

use crate::compute::program::Program;
use crate::network::{Network, NodeId, Op};

/// A network up to its last hidden layer, and the weights of the linear layer behind it.
#[derive(Clone, Debug)]
pub struct Embedding {
    pub program: Program,
    /// `[classes, units]`
    pub readout: Vec<f32>,
    pub units: usize,
}

impl Embedding {
    /// That of `network`; `None` if it does not end in a linear layer.
    pub fn of(network: &Network) -> Option<Self> {
        let (hidden, readout) = last_linear(network)?;
        let units = network.nodes[hidden].len();
        let program = Program::new(Arc::new(Network { output: hidden, ..network.clone() }), &Device::flex());
        Some(Self { program, readout, units })
    }
}

/// The node that the last linear layer reads, and its weights.
fn last_linear(network: &Network) -> Option<(NodeId, Vec<f32>)> {
    let mut at = network.output;
    loop {
        let node = &network.nodes[at];
        match &node.op {
            Op::Linear { weight, .. } => return Some((node.inputs[0], weight.data.to_vec())),
            Op::Input => return None,
            _ => at = *node.inputs.first()?,
        }
    }
}

/// Cosine of the angle between `a` and `b`; 0 where one of them is 0.
pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let norm = (dot(a, a) * dot(b, b)).sqrt();
    if norm > 0.0 { dot(a, b) / norm } else { 0.0 }
}
