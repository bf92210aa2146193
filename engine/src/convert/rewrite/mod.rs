//! Rewrites a network for conversion without changing its function.
//!
//! Affine layers are folded into the weights before them, max pooling moves before the neuron, the final softmax is
//! omitted.

mod affine;
mod builder;
mod max_pools;

use std::sync::Arc;

use affine::fold_affine;
use builder::Builder;
use max_pools::{pools_before_concats, pools_before_neurons};

use super::findings::Finding;
use super::recipe_options::MaxPoolRule;
use crate::network::Network;
use crate::network::score_map::ScoreMap;
use crate::{Error, Result};

/// The network as the spiking simulator runs it, and notes on what was changed. The rewritten ANN gives the same logits
/// as the original (except for the softmax at the end).
///
/// # Errors
/// [`Error::Network`] for a softmax or sigmoid inside the network, [`Error::Invalid`] if no activation can become
/// spiking neurons.
pub fn rewrite_for_conversion(network: &Network, pooling: MaxPoolRule) -> Result<(Network, Vec<Finding>)> {
    let mut notes = Vec::new();
    let mut rewritten = without_output_functions(network, &mut notes)?;
    if pooling == MaxPoolRule::PreNeuron {
        rewritten = pools_before_neurons(&pools_before_concats(&rewritten), &mut notes);
    }
    rewritten = fold_affine(&rewritten);
    if rewritten.activation_nodes().next().is_none() {
        return Err(Error::Invalid(format!(
            "Cannot convert network '{}': it has no ReLU, clip or QCFS activation to replace by spiking neurons.",
            network.name
        )));
    }
    Ok((rewritten, notes))
}

/// Omits softmax and sigmoid at the end, which only rescale the outputs: the spiking readout sums the values before
/// them. Between the places of a class map the values of both lie differently.
fn without_output_functions(network: &Network, notes: &mut Vec<Finding>) -> Result<Network> {
    if let Some(node) = network.inner_output_function() {
        let reason = format!("a {} inside the network cannot be converted to spikes", node.kind_name());
        return Err(Error::network(&node.name, reason));
    }
    let (output_functions, interpolated) = (network.output_functions(), ScoreMap::interpolated(network));
    let mut builder = Builder::new(network);
    for (id, node) in network.nodes.iter().enumerate() {
        if output_functions.contains(&id) {
            let kind = node.kind_name();
            let text = match interpolated {
                None => {
                    format!("the final {kind} is omitted: the readout sums its inputs, which gives the same prediction")
                }
                Some(ScoreMap { size: [height, width], .. }) => format!(
                    "the final {kind} is omitted: the readout sums its inputs. Masks are compared with class maps of the \
                     input's size, and this map of {height}x{width} is interpolated to it from these inputs: a pixel between \
                     its places can have another class than from interpolated values of the {kind}"
                ),
            };
            notes.push(Finding::note("end of the readout", Some(&node.name), text));
            builder.map.insert(id, builder.map[&node.inputs[0]]);
        } else {
            builder.copy(id);
        }
    }
    Ok(builder.finish())
}

/// Like [`rewrite_for_conversion`], with the network in an `Arc` for the cache.
///
/// # Errors
/// Those of [`rewrite_for_conversion`].
pub fn rewrite_cached(network: &Network, pooling: MaxPoolRule) -> Result<(Arc<Network>, Vec<Finding>)> {
    rewrite_for_conversion(network, pooling).map(|(network, notes)| (Arc::new(network), notes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Activation, Node, NodeId, Op};

    #[test]
    fn an_omitted_function_of_an_interpolated_class_map_is_not_called_harmless() {
        let note = |output: &[usize]| {
            let node = |op, inputs: &[NodeId], shape: &[usize]| Node {
                name: "y".into(),
                op,
                inputs: inputs.to_vec(),
                shape: shape.to_vec(),
            };
            let nodes = vec![
                node(Op::Input, &[], &[3, 8, 12]),
                node(Op::Activation(Activation::Relu), &[0], output),
                node(Op::Sigmoid, &[1], output),
            ];
            let network =
                Network { name: "n".into(), output: 2, nodes, scaling: None, class_names: vec![], neurons: None };
            let (_, notes) = rewrite_for_conversion(&network, MaxPoolRule::PreNeuron).unwrap();
            notes.into_iter().map(|note| note.text).collect::<String>()
        };
        for whole in [&[2, 8, 12][..], &[8, 12, 2], &[8, 12], &[7]] {
            assert!(note(whole).ends_with("which gives the same prediction"), "{}", note(whole));
        }
        let small = note(&[2, 4, 6]);
        assert!(small.contains("this map of 4x6 is interpolated") && !small.contains("same prediction"), "{small}");
    }
}
