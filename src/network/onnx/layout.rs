//! Graphs that keep channels last: transposes that only change the order of dimensions are moved behind whatever does not
//! mind the order, until they meet their opposite and vanish. Layers then see channels first, as their neurons want it.

use super::lower::Lowering;
use super::node_names;
use super::proto::NodeProto;
use super::reshape::axis;
use crate::Result;
use crate::network::{NodeId, Op};

impl Lowering<'_> {
    /// A transpose; together with one before it if there is one, and nothing at all if the two undo each other.
    pub fn transpose(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let rank = self.nodes[input].shape.len() + 1;
        let perm = node.ints("perm").map_or_else(|| (0..rank as i64).rev().collect(), <[i64]>::to_vec);
        let perm =
            perm.iter().map(|&p| axis(p, rank)).collect::<Result<Vec<_>, _>>().map_err(|e| self.node_error(node, e))?;
        if perm.first() != Some(&0) {
            return Err(self.node_error(node, "moves the batch dimension"));
        }
        let perm: Vec<usize> = perm[1..].iter().map(|p| p.saturating_sub(1)).collect();
        self.with_layout(node, node_names::of_node(node), input, perm)
    }

    /// `source` with its dimensions in the order `perm`.
    pub fn with_layout(&mut self, node: &NodeProto, name: String, source: NodeId, perm: Vec<usize>) -> Result<NodeId> {
        let (source, perm) = match self.order_of(source) {
            Some((before, first)) if perm.iter().all(|&p| p < first.len()) => {
                (before, perm.iter().map(|&p| first[p]).collect())
            }
            _ => (source, perm),
        };
        if perm.iter().copied().eq(0..self.nodes[source].shape.len()) {
            return Ok(source);
        }
        self.push(node, name, Op::Transpose { perm }, vec![source], &[])
    }

    /// The value that `id` is a transpose of, and the order.
    pub fn order_of(&self, id: NodeId) -> Option<(NodeId, Vec<usize>)> {
        match &self.nodes[id].op {
            Op::Transpose { perm } => Some((self.nodes[id].inputs[0], perm.clone())),
            _ => None,
        }
    }

    /// The values that all of `ids` are transposes of, when their order is the same.
    pub fn common_order(&self, ids: &[NodeId]) -> Option<(Vec<NodeId>, Vec<usize>)> {
        let orders: Vec<(NodeId, Vec<usize>)> = ids.iter().map(|&id| self.order_of(id)).collect::<Option<_>>()?;
        let perm = orders.first()?.1.clone();
        let same = orders.iter().all(|(_, other)| *other == perm);
        same.then(|| (orders.into_iter().map(|(id, _)| id).collect(), perm))
    }
}
