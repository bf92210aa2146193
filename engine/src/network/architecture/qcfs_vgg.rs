//! VGG networks in the key naming of the QCFS, SRP and COS authors.
//!
//! Naming of Bu et al. (QCFS, ICLR 2022) and Hao et al. (SRP, AAAI 2023; COS, ICLR 2023): `layer1` to `layer5` are
//! sequences of convolution, BatchNorm, activation, dropout and a pool at the end. `classifier` flattens and has three
//! fully connected layers. The learned threshold is `thresh`, or `up` in older files.

use super::assembler::{EPSILON, NetworkAssembler};
use super::family::{Family, image_before, usual_image};
use crate::Result;
use crate::network::NodeId;
use crate::network::state_dict::StateDict;

pub(super) const FAMILY: Family = Family {
    name: "the VGG of the QCFS authors",
    assumption: "with average pools",
    fits: |state| state.has_rank("layer1.0.weight", 4) && !linears(state).is_empty(),
    input,
    takes_any_size: |_| false,
    assemble,
};

/// Indices of the fully connected layers in `classifier`.
fn linears(state: &StateDict) -> Vec<usize> {
    let mut numbers = state.sequence_indices("classifier");
    numbers.retain(|at| state.has_rank(&format!("classifier.{at}.weight"), 2));
    numbers
}

/// Indices of the convolutions in `layer{stage}`.
fn convolutions(state: &StateDict, stage: usize) -> Vec<usize> {
    let mut numbers = state.sequence_indices(&format!("layer{stage}"));
    numbers.retain(|at| state.has_rank(&format!("layer{stage}.{at}.weight"), 4));
    numbers
}

fn stages(state: &StateDict) -> usize {
    (1..).take_while(|&stage| !convolutions(state, stage).is_empty()).count()
}

fn input(state: &StateDict) -> Vec<usize> {
    let first = state.get("layer1.0.weight");
    let stages = stages(state);
    let last = convolutions(state, stages).last().and_then(|at| state.get(&format!("layer{stages}.{at}.weight")));
    let linear = linears(state).first().and_then(|at| state.get(&format!("classifier.{at}.weight")));
    let exact = match (first, last, linear) {
        (Some(first), Some(last), Some(linear)) => image_before(linear.shape[1], last.shape[0], stages, first.shape[1]),
        _ => None,
    };
    exact.unwrap_or_else(|| usual_image(first, 10))
}

fn assemble(net: &mut NetworkAssembler<'_>) -> Result<NodeId> {
    let state = net.state;
    let max = net.assumed.max_pool.unwrap_or(false);
    let mut x = 0;
    for stage in 1..=stages(state) {
        for at in convolutions(state, stage) {
            let part = |at: usize| format!("layer{stage}.{at}");
            x = net.same_conv(&part(at), x, 1)?;
            let normed = state.has(&format!("{}.running_mean", part(at + 1)));
            if normed {
                x = net.norm(&part(at + 1), x, EPSILON)?;
            }
            x = net.activation(&part(at + 1 + usize::from(normed)), x)?;
        }
        x = net.pool(&format!("layer{stage}.pool"), x, max)?;
    }
    x = net.flatten("classifier.0", x)?;
    let linears = linears(state);
    for (index, &at) in linears.iter().enumerate() {
        x = net.linear(&format!("classifier.{at}"), x)?;
        if index + 1 < linears.len() {
            x = net.activation(&format!("classifier.{}", at + 1), x)?;
        }
    }
    Ok(x)
}
