//! Fully connected networks of any naming, recognized by the chain of their weight shapes.
//!
//! The inputs of every layer must be the outputs of the one before, in file order or else in the order of the names.
//! Activations are between the layers; a BatchNorm directly follows the layer whose outputs it normalizes.

use super::assembler::{EPSILON, NetworkAssembler, is_counter};
use super::family::Family;
use crate::Result;
use crate::network::NodeId;
use crate::network::state_dict::StateDict;

pub(super) const FAMILY: Family = Family {
    name: "a fully connected network",
    assumption: "with an activation between all layers, ReLU where the file has no threshold",
    fits: |state| layer_order(state).is_some(),
    input: |state| {
        let first = layer_order(state).and_then(|steps| steps.into_iter().next());
        let weight = first.and_then(|step| state.get(&format!("{}.weight", step.prefix)));
        vec![weight.and_then(|weight| weight.shape.get(1)).copied().unwrap_or(1)]
    },
    takes_any_size: |_| false,
    assemble,
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Linear,
    Norm,
    Activation,
}

#[derive(Clone, Debug)]
struct Step {
    prefix: String,
    part: Part,
}

/// The layers in an order in which their shapes match; `None` if there is none or the file has other layers.
fn layer_order(state: &StateDict) -> Option<Vec<Step>> {
    let mut steps: Vec<Step> = Vec::new();
    for (key, weights) in state.iter().filter(|(key, _)| !is_counter(key)) {
        let (prefix, name) = key.rsplit_once('.')?;
        let known = match (name, weights.shape.len()) {
            ("weight", 2) | ("bias" | "weight" | "running_mean" | "running_var", 1) => true,
            ("thresh" | "up", _) => weights.data.len() == 1,
            _ => return None,
        };
        if !known {
            return None;
        }
        if steps.iter().all(|step| step.prefix != prefix) {
            let part = if state.has_rank(&format!("{prefix}.weight"), 2) {
                Part::Linear
            } else if state.has(&format!("{prefix}.running_mean")) {
                Part::Norm
            } else if state.threshold_key(prefix).is_some() {
                Part::Activation
            } else {
                return None;
            };
            steps.push(Step { prefix: prefix.into(), part });
        }
    }
    if is_chain(state, &steps) {
        return Some(steps);
    }
    steps.sort_by_cached_key(|step| natural_sort_key(&step.prefix));
    is_chain(state, &steps).then_some(steps)
}

/// Whether the inputs of every layer are the outputs of the one before.
fn is_chain(state: &StateDict, steps: &[Step]) -> bool {
    let mut width = None;
    let mut before = None;
    let fits = steps.iter().all(|step| {
        let fits = match (step.part, width) {
            (Part::Linear, width) => {
                let weight = state.get(&format!("{}.weight", step.prefix));
                weight.is_some_and(|weight| width.is_none_or(|width| width == weight.shape[1]))
            }
            (Part::Norm, Some(width)) => {
                let mean = state.get(&format!("{}.running_mean", step.prefix));
                before != Some(Part::Norm) && mean.is_some_and(|mean| mean.shape == [width])
            }
            (Part::Activation, Some(_)) => before != Some(Part::Activation),
            (_, None) => false,
        };
        if step.part == Part::Linear {
            width = state.get(&format!("{}.weight", step.prefix)).map(|weight| weight.shape[0]);
        }
        before = Some(step.part);
        fits
    });
    fits && steps.last().is_some_and(|step| step.part != Part::Activation)
}

/// Sort key of a name as alternating text and numbers: `fc10` comes after `fc2`.
fn natural_sort_key(name: &str) -> Vec<(String, u64)> {
    let mut parts = vec![(String::new(), 0u64)];
    let mut in_number = false;
    for c in name.chars() {
        match c.to_digit(10) {
            Some(digit) => {
                let last = parts.last_mut().map(|part| &mut part.1);
                last.into_iter().for_each(|n| *n = n.saturating_mul(10).saturating_add(digit.into()));
                in_number = true;
            }
            None => {
                if in_number {
                    parts.push((String::new(), 0));
                }
                in_number = false;
                parts.last_mut().into_iter().for_each(|part| part.0.push(c));
            }
        }
    }
    parts
}

fn assemble(net: &mut NetworkAssembler<'_>) -> Result<NodeId> {
    let steps = layer_order(net.state).unwrap_or_default();
    let mut x = net.flatten("flatten", 0)?;
    let mut without_activation: Option<&str> = None;
    for step in &steps {
        match step.part {
            Part::Linear => {
                if let Some(before) = without_activation {
                    x = net.activation(&format!("{before}.act"), x)?;
                }
                x = net.linear(&step.prefix, x)?;
                without_activation = Some(&step.prefix);
            }
            Part::Norm => x = net.norm(&step.prefix, x, EPSILON)?,
            Part::Activation => {
                x = net.activation(&step.prefix, x)?;
                without_activation = None;
            }
        }
    }
    Ok(x)
}
