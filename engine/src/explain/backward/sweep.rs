//! One way back through all nodes: what a node passes on depends on the rule.

use super::values::Values;
use crate::network::NodeId;

/// Passes gradients of a node's value on to its inputs.
pub trait Rule {
    /// For `gradient` `[rows, F]` of node `id`, that of each of its inputs.
    fn pass(&self, id: NodeId, gradient: Vec<f32>) -> Vec<Vec<f32>>;
}

/// What reaches node `stop` from `start`, `[rows, classes]` at the output; zeros if nothing does.
pub fn sweep(values: &Values<'_>, start: Vec<f32>, stop: NodeId, rule: &dyn Rule) -> Vec<f32> {
    let network = values.maps.network();
    let mut of: Vec<Option<Vec<f32>>> = vec![None; network.nodes.len()];
    of[network.output] = Some(start);
    for id in (stop + 1..network.nodes.len()).rev() {
        let Some(gradient) = of[id].take() else { continue };
        for (&input, more) in network.nodes[id].inputs.iter().zip(rule.pass(id, gradient)) {
            match &mut of[input] {
                Some(sum) => sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more),
                place => *place = Some(more),
            }
        }
    }
    of[stop].take().unwrap_or_else(|| vec![0.0; values.rows * network.nodes[stop].len()])
}

/// One at the target of each row, `[rows, classes]`.
pub fn one_hot(targets: &[usize], classes: usize) -> Vec<f32> {
    let mut start = vec![0.0; targets.len() * classes];
    targets.iter().zip(start.chunks_exact_mut(classes.max(1))).for_each(|(&target, row)| row[target] = 1.0);
    start
}
