//! Whether a gradient can reach the input of a network, and which node stops it where none can.

use std::sync::Mutex;

use crate::compute::program::Program;
use crate::network::{Activation, Network, NodeId, Op};
use crate::progress::JobControl;
use crate::{Error, Result};

/// Checks that the output of the network depends on its input through nodes that have gradients, for at least one of the
/// samples in `input` (`[N, F]`, scaled).
///
/// # Errors
/// [`Error::Network`] with the node that stops every path; [`Error::Cancelled`].
pub fn check_gradient_path(program: &Program, input: &[f32], control: &JobControl) -> Result<()> {
    let network = program.network();
    let stopped = |alive: &[bool]| first_stop(network, alive);
    let mut alive: Vec<bool> = network.nodes.iter().map(|node| !is_constant(&node.op)).collect();
    if let Some(node) = stopped(&alive) {
        return Err(refusal(network, node, "its output does not depend on its input"));
    }
    let activations: Vec<(NodeId, Activation)> = network.activation_nodes().collect();
    let sources: Vec<NodeId> = activations.iter().map(|(node, _)| network.nodes[*node].inputs[0]).collect();
    let passes = Mutex::new(vec![false; network.nodes.len()]);
    let control = control.without_events();
    program.run_samples(
        input,
        &sources,
        "looking for gradients",
        &control,
        || (),
        |(), source, _, values| {
            for (node, activation) in activations.iter().filter(|(node, _)| network.nodes[*node].inputs[0] == source) {
                let found = values.iter().any(|&z| passes_gradient(*activation, z));
                if let Ok(mut passes) = passes.lock() {
                    passes[*node] |= found;
                }
            }
            Ok(())
        },
    )?;
    let passes = passes.into_inner().unwrap_or_default();
    activations.iter().for_each(|(node, _)| alive[*node] &= passes.get(*node).copied().unwrap_or(true));
    match stopped(&alive) {
        Some(node) => {
            Err(refusal(network, node, "no neuron lies between the limits of its activation for any of the samples"))
        }
        None => Ok(()),
    }
}

fn refusal(network: &Network, node: NodeId, why: &str) -> Error {
    let reason = format!("it passes no gradient to the input: {why}. Use --attack square, which needs none");
    Error::network(&*network.nodes[node].name, reason)
}

/// Whether the value of an operation is the same for every input.
fn is_constant(op: &Op) -> bool {
    let zero = |values: &[f32]| values.iter().all(|&v| v == 0.0);
    match op {
        Op::Conv2d { weight, .. } | Op::ConvTranspose2d { weight, .. } | Op::Linear { weight, .. } => {
            zero(&weight.data)
        }
        Op::Affine { scale, .. } => zero(scale),
        _ => false,
    }
}

fn passes_gradient(activation: Activation, z: f32) -> bool {
    match activation {
        Activation::Relu => z > 0.0,
        Activation::Clip { lambda } => z > 0.0 && z < lambda,
        Activation::Qcfs { lambda, levels, shift } => {
            (0.0..levels as f32 + 1.0).contains(&(z * levels as f32 / lambda + shift))
        }
    }
}

/// The last node that stops every path from the input to the output; `None` if a path is left.
fn first_stop(network: &Network, alive: &[bool]) -> Option<NodeId> {
    let mut reached = vec![false; network.nodes.len()];
    let mut last = network.output;
    for (id, node) in network.nodes.iter().enumerate() {
        let comes = matches!(node.op, Op::Input) || node.inputs.iter().any(|&input| reached[input]);
        reached[id] = comes && alive[id];
        if comes && !alive[id] {
            last = id;
        }
    }
    (!reached[network.output]).then_some(last)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use burn::tensor::Device;

    use super::*;
    use crate::network::Weights;
    use crate::network::zoo::{ZooArchitecture, parse_activation};

    fn check(change: impl Fn(&mut Network), activation: &str) -> Result<()> {
        let mut network = ZooArchitecture::Mlp.build(&[1, 4, 4], 3, parse_activation(activation).unwrap(), 3).unwrap();
        change(&mut network);
        let program = Program::new(Arc::new(network), &Device::flex());
        check_gradient_path(&program, &[0.5; 32], &JobControl::default())
    }

    #[test]
    fn paths_without_gradient_are_named() {
        for activation in ["relu", "clip", "qcfs:4"] {
            check(|_| {}, activation).unwrap();
        }
        let zero = |network: &mut Network| {
            let node = network.nodes.iter_mut().rev().find(|node| matches!(node.op, Op::Linear { .. })).unwrap();
            if let Op::Linear { weight, .. } = &mut node.op {
                *weight = Weights::new(weight.shape.clone(), vec![0.0; weight.data.len()]);
            }
        };
        assert!(check(zero, "relu").unwrap_err().to_string().contains("does not depend"));
        let dead = |network: &mut Network| {
            let node = network.nodes.iter_mut().find(|node| matches!(node.op, Op::Linear { .. })).unwrap();
            if let Op::Linear { weight, bias } = &mut node.op {
                let rows = weight.shape[0];
                *weight = Weights::new(weight.shape.clone(), vec![-1.0; weight.data.len()]);
                *bias = Some(Weights::new(vec![rows], vec![-1.0; rows]));
            }
        };
        assert!(check(dead, "relu").unwrap_err().to_string().contains("limits of its activation"));
    }
}
