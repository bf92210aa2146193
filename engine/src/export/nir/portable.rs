//! Portable form of a NIR graph: only node types, kernels and edges that the common readers support.
//!
//! Factors are folded into the weights before them or become diagonal weights, kernels become square, and a sum at the end
//! becomes a node. The values of the remaining nodes do not change.

use super::reader::NirReader;
use super::square_kernel::{is_oblong, square};
use crate::network::Weights;
use crate::network::nir::{NirGraph, NirNode, NirOp};

/// Maximum number of weights of a diagonal matrix that replaces a factor.
const MAX_DIAGONAL: usize = 1 << 25;

/// Rewrites `graph` for `reader`. Returns whether a kernel stays that the type check of `nir` refuses.
///
/// # Errors
/// The reason why the reader cannot open any form of the graph, as text.
pub(super) fn make_portable(graph: &mut NirGraph, reader: NirReader) -> Result<bool, String> {
    if reader.needs_uniform_threshold() {
        unify_thresholds(graph);
    }
    end_in_one_node(graph);
    let factors: Vec<String> = graph
        .nodes
        .iter()
        .filter(|(_, node)| matches!(node.kind, NirOp::Scale { .. }))
        .map(|(name, _)| name.clone())
        .collect();
    for name in factors {
        if !fold_into_sources(graph, &name) {
            become_diagonal(graph, &name, reader)?;
        }
    }
    let mut stays_oblong = false;
    for (_, node) in &mut graph.nodes {
        if is_oblong(&node.kind) {
            match square(&node.kind) {
                Some(kind) => node.kind = kind,
                None => stays_oblong = true,
            }
        }
    }
    Ok(stays_oblong)
}

/// Divides different thresholds of a layer out of its currents, so that all are 1.
fn unify_thresholds(graph: &mut NirGraph) {
    let mut factors = Vec::new();
    for (name, node) in &mut graph.nodes {
        if let NirOp::If { threshold, .. } = &mut node.kind
            && threshold.data.iter().any(|theta| *theta != threshold.data[0])
        {
            let scale = threshold.data.iter().map(|theta| 1.0 / theta).collect();
            factors.push((name.clone(), Weights::new(threshold.shape.clone(), scale)));
            *threshold = Weights::new(threshold.shape.clone(), vec![1.0; threshold.data.len()]);
        }
    }
    for (name, scale) in factors {
        insert_before(graph, &name, &format!("{name}_theta"), NirOp::Scale { scale });
    }
}

/// Puts a node before an output that several edges or a neuron lead to.
fn end_in_one_node(graph: &mut NirGraph) {
    let ends: Vec<(String, Vec<usize>)> = graph
        .nodes
        .iter()
        .filter_map(|(name, node)| match &node.kind {
            NirOp::Output { shape } => Some((name.clone(), shape.clone())),
            _ => None,
        })
        .filter(|(name, _)| graph.edges.iter().filter(|(_, to)| to == name).count() > 1)
        .collect();
    for (name, shape) in ends {
        let ones = vec![1.0; shape.iter().product()];
        let scale = Weights::new(shape, ones);
        insert_before(graph, &name, &format!("{name}_sum"), NirOp::Scale { scale });
    }
}

/// Inserts a node into all edges that lead to `name`.
fn insert_before(graph: &mut NirGraph, name: &str, wanted: &str, kind: NirOp) {
    let mut inserted = wanted.to_owned();
    while graph.nodes.iter().any(|(other, _)| *other == inserted) {
        inserted.push('_');
    }
    graph.edges.iter_mut().filter(|(_, to)| to == name).for_each(|(_, to)| to.clone_from(&inserted));
    graph.edges.push((inserted.clone(), name.to_owned()));
    let at = graph.nodes.iter().position(|(other, _)| other == name).unwrap_or(graph.nodes.len());
    graph.nodes.insert(at, (inserted, NirNode { kind, metadata: Vec::new() }));
}

fn node_mut<'a>(graph: &'a mut NirGraph, name: &str) -> Option<&'a mut NirNode> {
    graph.nodes.iter_mut().find(|(other, _)| other == name).map(|(_, node)| node)
}

/// The factors of `scale` per channel of an image or value of a vector; `None` if they differ within a channel.
fn per_channel(scale: &Weights) -> Option<Vec<f32>> {
    let channels = scale.shape.first().copied().filter(|&n| n > 0)?;
    let plane = (scale.data.len() / channels).max(1);
    let is_uniform = scale.data.chunks(plane).all(|plane| plane.iter().all(|&v| v == plane[0]));
    is_uniform.then(|| scale.data.chunks(plane).map(|plane| plane[0]).collect())
}

/// Multiplies the factor `name` into the weights before it, if nothing else reads them, and removes it.
fn fold_into_sources(graph: &mut NirGraph, name: &str) -> bool {
    let Some(NirNode { kind: NirOp::Scale { scale }, .. }) = node_mut(graph, name).cloned() else { return false };
    let Some(factors) = per_channel(&scale) else { return false };
    let sources: Vec<String> = graph.edges.iter().filter(|(_, to)| to == name).map(|(from, _)| from.clone()).collect();
    // A sum of several nodes at the end needs the node.
    let is_last = |graph: &NirGraph| {
        graph.edges.iter().any(|(from, to)| {
            from == name && graph.nodes.iter().any(|(n, node)| n == to && matches!(node.kind, NirOp::Output { .. }))
        })
    };
    let takes_factors = |source: &String| {
        let is_only_reader = graph.edges.iter().filter(|(from, _)| from == source).count() == 1;
        let has_weights =
            |kind: &NirOp| matches!(kind, NirOp::Affine { .. } | NirOp::Conv2d { .. } | NirOp::Conv1d { .. });
        is_only_reader && graph.nodes.iter().any(|(n, node)| n == source && has_weights(&node.kind))
    };
    if sources.is_empty() || !sources.iter().all(takes_factors) || (sources.len() > 1 && is_last(graph)) {
        return false;
    }
    for source in &sources {
        let Some(node) = node_mut(graph, source) else { continue };
        if let NirOp::Affine { weight, bias }
        | NirOp::Conv2d { weight, bias, .. }
        | NirOp::Conv1d { weight, bias, .. } = &mut node.kind
        {
            *weight = rows_scaled(weight, &factors);
            *bias = rows_scaled(bias, &factors);
        }
    }
    let readers: Vec<String> = graph.edges.iter().filter(|(from, _)| from == name).map(|(_, to)| to.clone()).collect();
    graph.edges.retain(|(from, to)| from != name && to != name);
    for reader in readers {
        graph.edges.extend(sources.iter().map(|source| (source.clone(), reader.clone())));
    }
    graph.nodes.retain(|(other, _)| other != name);
    true
}

/// `values` with row k of the first dimension multiplied by `factors[k]`.
fn rows_scaled(values: &Weights, factors: &[f32]) -> Weights {
    let row = (values.data.len() / factors.len().max(1)).max(1);
    let data = values.data.iter().enumerate().map(|(i, v)| v * factors[i / row]).collect();
    Weights::new(values.shape.clone(), data)
}

/// Replaces the factor `name` by a 1×1 convolution or a matrix with the factors on the diagonal.
fn become_diagonal(graph: &mut NirGraph, name: &str, reader: NirReader) -> Result<(), String> {
    let Some(node) = node_mut(graph, name) else { return Ok(()) };
    let NirOp::Scale { scale } = &node.kind else { return Ok(()) };
    let factors = per_channel(scale).filter(|factors| {
        matches!(scale.shape.len(), 1 | 3) && factors.len().saturating_mul(factors.len()) <= MAX_DIAGONAL
    });
    let Some(factors) = factors else {
        if reader == NirReader::Nir {
            return Ok(());
        }
        let why = match per_channel(scale) {
            Some(_) => "has no node for factors, and no matrix can replace these. Use one threshold per layer",
            None => {
                "has no node for factors that differ within a channel, such as one threshold per neuron of a feature map. \
                 Export without --for"
            }
        };
        return Err(format!("{name}: {} {why}", reader.package()));
    };
    let count = factors.len();
    let mut diagonal = vec![0.0; count * count];
    factors.iter().enumerate().for_each(|(k, factor)| diagonal[k * count + k] = *factor);
    let bias = Weights::new(vec![count], vec![0.0; count]);
    node.kind = match scale.shape[..] {
        [_, height, width] => NirOp::Conv2d {
            input_shape: Some([height, width]),
            weight: Weights::new(vec![count, count, 1, 1], diagonal),
            bias,
            stride: [1, 1],
            padding: [0, 0],
            dilation: [1, 1],
            groups: 1,
        },
        _ => NirOp::Affine { weight: Weights::new(vec![count, count], diagonal), bias },
    };
    Ok(())
}
