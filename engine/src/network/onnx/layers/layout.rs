//! Layout of channels-last graphs: moves transposes past order-independent nodes until they cancel.
//!
//! Layers then read channels-first values, the layout of their neurons.

use crate::Result;
use crate::network::onnx::lower::Lowering;
use crate::network::onnx::node_names;
use crate::network::onnx::proto::NodeProto;
use crate::network::onnx::shapes::axes;
use crate::network::{NodeId, Op};

/// Maximum number of dimensions of one transpose in the project's graph.
const MAX_RANK: usize = 4;

impl Lowering<'_> {
    /// Lowers `Transpose`: merged with a transpose before it, and omitted if the two cancel.
    pub(super) fn transpose(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let rank = self.full_shape(input).len();
        let list = node.ints("perm").map_or_else(|| (0..rank as i64).rev().collect(), <[i64]>::to_vec);
        let known = axes(&list, rank).is_ok_and(|axes| axes.len() == rank) && list.iter().all(|&p| p >= 0);
        if !known {
            return Err(self.node_error(node, format!("permutation {list:?} of {rank} dimensions")));
        }
        let perm: Vec<usize> = list.iter().filter_map(|&p| usize::try_from(p).ok()).collect();
        let name = node_names::of_node(node);
        if self.unbatched.contains(&input) {
            let id = self.with_layout(node, name, input, perm)?;
            return self.with_batch(node, id);
        }
        if perm.first() == Some(&0) {
            return self.with_layout(node, name, input, perm[1..].iter().map(|p| p - 1).collect());
        }
        if !self.may_move_batch() {
            return Err(self.node_error(node, "moves the batch dimension"));
        }
        let input = self.without_batch(node, input)?;
        let id = self.with_layout(node, name, input, perm)?;
        self.with_batch(node, id)
    }

    /// `source` with its sample dimensions in the order `perm`, as one transpose node or none; as several for more than
    /// four dimensions.
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
        if perm.len() > MAX_RANK {
            return self.with_high_rank_layout(node, &name, source, &perm);
        }
        self.push(node, name, Op::Transpose { perm }, vec![source], &[])
    }

    /// A transpose of more than four dimensions: exchanges of two neighboring blocks of dimensions, each of which is a
    /// transpose of four.
    fn with_high_rank_layout(
        &mut self,
        node: &NodeProto,
        name: &str,
        source: NodeId,
        perm: &[usize],
    ) -> Result<NodeId> {
        let (shape, is_unbatched) = (self.nodes[source].shape.clone(), self.unbatched.contains(&source));
        let target: Vec<usize> = perm.iter().map(|&p| shape[p]).collect();
        // Dimensions of 1 move without moving a value.
        let perm: Vec<usize> = perm.iter().copied().filter(|&p| shape[p] != 1).collect();
        let mut order = perm.clone();
        order.sort_unstable();
        let mut id = source;
        for done in 0..perm.len() {
            let Some(at) = order.iter().position(|&dim| dim == perm[done]).filter(|&at| at != done) else { continue };
            let run = perm[done..].iter().zip(&order[at..]).take_while(|(a, b)| a == b).count();
            let size = |dims: &[usize]| dims.iter().map(|&dim| shape[dim]).product::<usize>();
            let view =
                [size(&order[..done]), size(&order[done..at]), size(&order[at..at + run]), size(&order[at + run..])];
            let reshaped = match self.nodes[id].op {
                Op::Reshape => self.nodes[id].inputs[0],
                _ => id,
            };
            id = self.push(node, format!("{name}.view"), Op::Reshape, vec![reshaped], &view)?;
            id = self.push(node, name.to_owned(), Op::Transpose { perm: vec![0, 2, 1, 3] }, vec![id], &[])?;
            order[done..at + run].rotate_left(at - done);
        }
        let id = self.push(node, format!("{name}.shape"), Op::Reshape, vec![id], &target)?;
        if is_unbatched {
            self.unbatched.insert(id);
        } else {
            self.unbatched.remove(&id);
        }
        Ok(id)
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
