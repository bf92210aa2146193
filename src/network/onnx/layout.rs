//! Layout of channels-last graphs: moves transposes past order-independent nodes until they cancel.
//!
//! Layers then read channels-first values, the layout of their neurons.

use super::lower::Lowering;
use super::node_names;
use super::proto::NodeProto;
use super::reshape::axis;
use crate::Result;
use crate::network::{NodeId, Op};

impl Lowering<'_> {
    /// Lowers `Transpose`: merged with a transpose before it, and omitted if the two cancel.
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

    /// `source` with its sample dimensions in the order `perm`, as one transpose node or none.
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

    /// If `id` is a transpose: its input and the permutation.
    pub fn order_of(&self, id: NodeId) -> Option<(NodeId, Vec<usize>)> {
        match &self.nodes[id].op {
            Op::Transpose { perm } => Some((self.nodes[id].inputs[0], perm.clone())),
            _ => None,
        }
    }

    /// If all of `ids` are transposes with the same permutation: their inputs and that permutation.
    pub fn common_order(&self, ids: &[NodeId]) -> Option<(Vec<NodeId>, Vec<usize>)> {
        let orders: Vec<(NodeId, Vec<usize>)> = ids.iter().map(|&id| self.order_of(id)).collect::<Option<_>>()?;
        let perm = orders.first()?.1.clone();
        let same = orders.iter().all(|(_, other)| *other == perm);
        same.then(|| (orders.into_iter().map(|(id, _)| id).collect(), perm))
    }
}
