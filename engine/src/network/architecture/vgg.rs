//! VGG networks (Simonyan & Zisserman, ICLR 2015) in the key naming of torchvision.
//!
//! VGG-11, -13, -16 and -19, with and without BatchNorm: one sequence `features`, then `classifier` with one to three fully
//! connected layers. Layers without weights appear as gaps in the indices. A gap counts as a max pool only if all gaps
//! together match one of the four networks.

use super::assembler::{EPSILON, NetworkAssembler};
use super::family::{Family, image_before, usual_image};
use crate::Result;
use crate::network::NodeId;
use crate::network::state_dict::StateDict;

pub(super) const FAMILY: Family = Family {
    name: "a VGG",
    assumption: "with ReLU after every convolution and max pools between the stages",
    fits: |state| stages(state).is_some() && !linears(state).is_empty(),
    input,
    takes_any_size: |state| pooled_side(state).is_some(),
    assemble,
};

/// Convolutions per stage of the four networks.
const NETWORKS: [[usize; 5]; 4] = [[1, 1, 2, 2, 2], [2, 2, 2, 2, 2], [2, 2, 3, 3, 3], [2, 2, 4, 4, 4]];

/// Keys of the fully connected layers, without `.weight`.
fn linears(state: &StateDict) -> Vec<String> {
    if state.has_rank("classifier.weight", 2) {
        return vec!["classifier".into()];
    }
    let names = state.sequence_indices("classifier").into_iter().map(|at| format!("classifier.{at}"));
    names.filter(|name| state.has_rank(&format!("{name}.weight"), 2)).collect()
}

fn is_normed(state: &StateDict, at: usize) -> bool {
    state.has(&format!("features.{}.running_mean", at + 1))
}

/// Indices of the convolutions, stage by stage; `None` if they are not those of a VGG.
fn stages(state: &StateDict) -> Option<Vec<Vec<usize>>> {
    let mut stages: Vec<Vec<usize>> = vec![Vec::new()];
    let mut next = 0;
    for at in state.sequence_indices("features") {
        if !state.has_rank(&format!("features.{at}.weight"), 4) {
            continue;
        }
        match at.checked_sub(next) {
            Some(0) => {}
            Some(1) if next > 0 => stages.push(Vec::new()),
            _ => return None,
        }
        stages.last_mut()?.push(at);
        // Convolution, BatchNorm if any, ReLU.
        next = at + 2 + usize::from(is_normed(state, at));
    }
    let counts: Vec<usize> = stages.iter().map(Vec::len).collect();
    NETWORKS.iter().any(|network| *network == counts[..]).then_some(stages)
}

fn input(state: &StateDict) -> Vec<usize> {
    let first = state.get("features.0.weight");
    let stages = stages(state).unwrap_or_default();
    let last = stages.last().and_then(|stage| stage.last());
    let last = last.and_then(|at| state.get(&format!("features.{at}.weight")));
    let linear = linears(state).first().and_then(|name| state.get(&format!("{name}.weight")));
    let exact = match (first, last, linear) {
        (Some(first), Some(last), Some(linear)) => {
            image_before(linear.shape[1], last.shape[0], stages.len(), first.shape[1])
        }
        _ => None,
    };
    exact.unwrap_or_else(|| usual_image(first, 1000))
}

/// Height and width to which torchvision's networks pool what the convolutions leave of an image of any size (7); `None` if the
/// first fully connected layer reads single pixels, before which others have no such pool.
fn pooled_side(state: &StateDict) -> Option<usize> {
    let stages = stages(state)?;
    let last = state.get(&format!("features.{}.weight", stages.last()?.last()?))?;
    let linear = state.get(&format!("{}.weight", linears(state).first()?))?;
    let side = linear.shape[1].checked_div(last.shape[0])?.isqrt();
    (side > 1 && side * side * last.shape[0] == linear.shape[1]).then_some(side)
}

fn assemble(net: &mut NetworkAssembler<'_>) -> Result<NodeId> {
    let state = net.state;
    let max = net.assumed.max_pool.unwrap_or(true);
    let mut x = 0;
    for (stage, indices) in stages(state).unwrap_or_default().into_iter().enumerate() {
        for at in indices {
            let part = |at: usize| format!("features.{at}");
            x = net.same_conv(&part(at), x, 1)?;
            let normed = is_normed(state, at);
            if normed {
                x = net.norm(&part(at + 1), x, EPSILON)?;
            }
            x = net.activation(&part(at + 1 + usize::from(normed)), x)?;
        }
        x = net.pool(&format!("pool{}", stage + 1), x, max)?;
    }
    if let Some(side) = pooled_side(state) {
        x = net.adaptive_average("avgpool", x, side)?;
    }
    x = net.flatten("flatten", x)?;
    let linears = linears(state);
    for (index, name) in linears.iter().enumerate() {
        x = net.linear(name, x)?;
        if index + 1 < linears.len() {
            let at: usize = name.rsplit('.').next().and_then(|at| at.parse().ok()).unwrap_or(0);
            x = net.activation(&format!("classifier.{}", at + 1), x)?;
        }
    }
    Ok(x)
}
