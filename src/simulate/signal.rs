//! A value of the spiking network over time. What does not change over time is held, and computed, once.

use burn::tensor::Tensor;

use crate::network::forward::{Params, apply};
use crate::network::{Network, Node};

/// A value over T steps for B samples.
#[derive(Clone, Debug)]
pub enum Signal {
    /// The same at every step, `[B, F]`.
    Constant(Tensor<2>),
    /// Step by step, `[T·B, F]`, time outermost.
    Sequence(Tensor<2>),
}

impl Signal {
    /// The value at every step, `[T·B, F]`.
    pub fn sequence(self, steps: usize) -> Tensor<2> {
        match self {
            Self::Constant(x) => x.repeat_dim(0, steps),
            Self::Sequence(x) => x,
        }
    }
}

/// Applies a stateless node to its inputs over `steps` steps; stays constant when all inputs are.
pub fn apply_signal(network: &Network, node: &Node, params: &Params, inputs: Vec<Signal>, steps: usize) -> Signal {
    if inputs.iter().all(|input| matches!(input, Signal::Constant(_))) {
        let inputs = inputs.into_iter().map(|input| input.sequence(1)).collect();
        return Signal::Constant(apply(network, node, params, inputs));
    }
    let inputs = inputs.into_iter().map(|input| input.sequence(steps)).collect();
    Signal::Sequence(apply(network, node, params, inputs))
}
