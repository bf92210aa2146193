//! Fully connected networks of any naming: every layer's inputs must be the outputs of the one before, in the order of the
//! file or, where the file has none that fits, of the names. Activations lie between the layers; BatchNorm comes directly
//! after the layer whose outputs it has.

use super::assembler::{EPSILON, NetworkAssembler, is_counter};
use super::family::Family;
use crate::Result;
use crate::network::NodeId;
use crate::network::state_dict::StateDict;

pub(super) const FAMILY: Family = Family {
    name: "a fully connected network",
    assumption: "with an activation between all layers, ReLU where the file has no threshold",
    fits: |state| order(state).is_some(),
    input: |state| {
        let first = order(state).and_then(|steps| steps.into_iter().next());
        let weight = first.and_then(|step| state.get(&format!("{}.weight", step.prefix)));
        vec![weight.and_then(|weight| weight.shape.get(1)).copied().unwrap_or(1)]
    },
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

/// The layers in an order in which they fit; `None` when there is none, or something else is in the file.
fn order(state: &StateDict) -> Option<Vec<Step>> {
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
    if chains(state, &steps) {
        return Some(steps);
    }
    steps.sort_by_cached_key(|step| natural(&step.prefix));
    chains(state, &steps).then_some(steps)
}

/// Whether every layer reads what the one before it gives.
fn chains(state: &StateDict, steps: &[Step]) -> bool {
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

/// A name as text and numbers in turn, so that `fc10` comes after `fc2`.
fn natural(name: &str) -> Vec<(String, u64)> {
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
    let steps = order(net.state).unwrap_or_default();
    let mut x = net.flatten("flatten", 0)?;
    let mut open: Option<&str> = None;
    for step in &steps {
        match step.part {
            Part::Linear => {
                if let Some(before) = open {
                    x = net.activation(&format!("{before}.act"), x)?;
                }
                x = net.linear(&step.prefix, x)?;
                open = Some(&step.prefix);
            }
            Part::Norm => x = net.norm(&step.prefix, x, EPSILON)?,
            Part::Activation => {
                x = net.activation(&step.prefix, x)?;
                open = None;
            }
        }
    }
    Ok(x)
}
