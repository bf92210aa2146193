//! Rewrites a network for conversion without changing its function.
//!
//! Affine layers are folded into the weights before them, max pooling moves before the neuron, the final softmax is
//! omitted.

use std::collections::HashMap;
use std::sync::Arc;

use super::findings::{Finding, Fix};
use super::recipe_options::MaxPoolRule;
use crate::network::score_map::ScoreMap;
use crate::network::{Network, Node, NodeId, Op, Weights};
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
        rewritten = pools_before_neurons(&rewritten, &mut notes);
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

/// Conv → activation → max pool becomes conv → max pool → activation. For the ANN both are the same, since activations
/// never decrease. In the SNN the pool then reads currents instead of spikes.
fn pools_before_neurons(network: &Network, notes: &mut Vec<Finding>) -> Network {
    let readers = network.consumers();
    let mut builder = Builder::new(network);
    for (id, node) in network.nodes.iter().enumerate() {
        let after_activation = |&input: &NodeId| matches!(network.nodes[input].op, Op::Activation(_));
        match (&node.op, node.inputs.first().filter(|input| after_activation(input))) {
            (Op::MaxPool2d { .. }, Some(&activation)) => {
                let neuron = &network.nodes[activation];
                let pool = builder.push(Node { inputs: vec![builder.map[&neuron.inputs[0]]], ..node.clone() });
                let shared = readers[activation] > 1;
                let name = if shared { format!("{}.pooled", neuron.name) } else { neuron.name.clone() };
                let moved = Node { name, op: neuron.op.clone(), inputs: vec![pool], shape: node.shape.clone() };
                let moved = builder.push(moved);
                builder.map.insert(id, moved);
                let text = format!(
                    "max pooling was moved before the neurons of '{}' and takes the largest current at each step; the \
                     mean of maxima is at least the maximum of means, so this layer overestimates when its input \
                     fluctuates",
                    neuron.name
                );
                let fix = Fix::Pooling(MaxPoolRule::Lateral);
                notes.push(Finding::note("max pool", Some(&node.name), text).with_fix(fix));
            }
            // An activation that only a pool reads is created at the pool.
            (Op::Activation(_), _) if only_pools_read(network, id) => {}
            (Op::MaxPool2d { .. }, None) if reads_spikes(network, id) => {
                let text = "this max pool does not directly follow an activation and stays in place: it takes the \
                            largest value at each step, which overestimates when spikes arrive at different times";
                let fix = Fix::Pooling(MaxPoolRule::Lateral);
                notes.push(Finding::warning("max pool", Some(&node.name), text).with_fix(fix));
                builder.copy(id);
            }
            _ => builder.copy(id),
        }
    }
    builder.finish()
}

/// Whether every reader of `id` is a max pool, so that its own value is never needed.
fn only_pools_read(network: &Network, id: NodeId) -> bool {
    let mut readers = network.nodes.iter().filter(|node| node.inputs.contains(&id)).peekable();
    id != network.output && readers.peek().is_some() && readers.all(|node| matches!(node.op, Op::MaxPool2d { .. }))
}

/// Whether some activation lies upstream of `id`.
fn reads_spikes(network: &Network, id: NodeId) -> bool {
    let mut open = network.nodes[id].inputs.clone();
    while let Some(id) = open.pop() {
        if matches!(network.nodes[id].op, Op::Activation(_)) {
            return true;
        }
        open.extend(&network.nodes[id].inputs);
    }
    false
}

/// Folds each affine layer into the convolution, linear or affine layer that it alone reads: `W' = s·W`, `b' = s·b +
/// shift` per output channel, in f64.
fn fold_affine(network: &Network) -> Network {
    let readers = network.consumers();
    let mut builder = Builder::new(network);
    for (id, node) in network.nodes.iter().enumerate() {
        let Op::Affine { scale, shift } = &node.op else {
            builder.copy(id);
            continue;
        };
        let source = node.inputs[0];
        let target = builder.map[&source];
        let folded = if readers[source] == 1 { fold_into(&builder.nodes[target].op, scale, shift) } else { None };
        match folded {
            Some(op) => {
                builder.nodes[target].op = op;
                builder.map.insert(id, target);
            }
            None => builder.copy(id),
        }
    }
    builder.finish()
}

/// `op` followed by `scale` and `shift` as one operation, if there is one.
fn fold_into(op: &Op, scale: &[f32], shift: &[f32]) -> Option<Op> {
    let pick = |v: &[f32], c: usize| f64::from(if v.len() == 1 { v[0] } else { v[c] });
    let weights = |weight: &Weights, bias: &Option<Weights>| {
        let channels = weight.shape[0];
        let row = weight.data.len() / channels;
        if scale.len() != 1 && scale.len() != channels {
            return None;
        }
        let data = weight.data.iter().enumerate().map(|(i, &w)| (f64::from(w) * pick(scale, i / row)) as f32).collect();
        let old = |c: usize| bias.as_ref().map_or(0.0, |b| f64::from(b.data[c]));
        let bias = (0..channels).map(|c| (old(c) * pick(scale, c) + pick(shift, c)) as f32).collect();
        Some((Weights::new(weight.shape.clone(), data), Some(Weights::new(vec![channels], bias))))
    };
    match op {
        Op::Conv2d { weight, bias, stride, padding, dilation, groups } => {
            let (weight, bias) = weights(weight, bias)?;
            Some(Op::Conv2d { weight, bias, stride: *stride, padding: *padding, dilation: *dilation, groups: *groups })
        }
        Op::ConvTranspose2d { weight, bias, stride, padding, output_padding, dilation, groups } => {
            let (stride, padding, output_padding) = (*stride, *padding, *output_padding);
            let (weight, bias) = fold_into_transposed(weight, bias, *groups, scale, shift)?;
            Some(Op::ConvTranspose2d {
                weight,
                bias,
                stride,
                padding,
                output_padding,
                dilation: *dilation,
                groups: *groups,
            })
        }
        Op::Linear { weight, bias } => {
            let (weight, bias) = weights(weight, bias)?;
            Some(Op::Linear { weight, bias })
        }
        Op::Affine { scale: first, shift: first_shift } => {
            let channels = first.len().max(scale.len());
            let both =
                |c: usize| (pick(first, c) * pick(scale, c), pick(first_shift, c) * pick(scale, c) + pick(shift, c));
            let (scale, shift) = (0..channels).map(|c| (both(c).0 as f32, both(c).1 as f32)).unzip();
            Some(Op::Affine { scale, shift })
        }
        _ => None,
    }
}

/// The weights `[C_in, C_out/groups, kH, kW]` and biases of a transposed convolution followed by `scale` and `shift`.
fn fold_into_transposed(
    weight: &Weights,
    bias: &Option<Weights>,
    groups: usize,
    scale: &[f32],
    shift: &[f32],
) -> Option<(Weights, Option<Weights>)> {
    let &[inputs, per_group, kh, kw] = weight.shape.as_slice() else { return None };
    let channels = per_group * groups;
    if scale.len() != 1 && scale.len() != channels {
        return None;
    }
    let pick = |v: &[f32], c: usize| f64::from(if v.len() == 1 { v[0] } else { v[c] });
    let out_of = |i: usize| (i / (kh * kw * per_group)) / (inputs / groups) * per_group + i / (kh * kw) % per_group;
    let scaled = weight.data.iter().enumerate().map(|(i, &w)| (f64::from(w) * pick(scale, out_of(i))) as f32);
    let old = |c: usize| bias.as_ref().map_or(0.0, |b| f64::from(b.data[c]));
    let biases = (0..channels).map(|c| (old(c) * pick(scale, c) + pick(shift, c)) as f32).collect();
    Some((Weights::new(weight.shape.clone(), scaled.collect()), Some(Weights::new(vec![channels], biases))))
}

/// Builds a new node list and maps old node ids to new ones.
struct Builder<'a> {
    old: &'a Network,
    nodes: Vec<Node>,
    map: HashMap<NodeId, NodeId>,
}

impl<'a> Builder<'a> {
    fn new(old: &'a Network) -> Self {
        Self { old, nodes: Vec::new(), map: HashMap::new() }
    }
    fn push(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        self.nodes.len() - 1
    }
    fn copy(&mut self, id: NodeId) {
        let node = &self.old.nodes[id];
        let inputs = node.inputs.iter().map(|input| self.map[input]).collect();
        let new = self.push(Node { inputs, ..node.clone() });
        self.map.insert(id, new);
    }
    fn finish(self) -> Network {
        Network { output: self.map[&self.old.output], nodes: self.nodes, ..self.old.clone() }
    }
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
    use crate::network::Activation;

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
