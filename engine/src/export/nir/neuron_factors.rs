//! Factors of single values of a feature map in the NIR writer: thresholds of the neurons behind them, or a scale.

use super::writer::{Writer, WrittenValue};
use crate::network::nir::NirOp;
use crate::network::{NodeId, Op, Weights};

impl<'a> Writer<'a> {
    /// The factors of all values that node `id` makes of a feature map: flattened, multiplied, and in its shape again.
    pub(super) fn factors_at(&self, id: NodeId) -> Option<&'a [f32]> {
        let nodes = &self.network.nodes;
        let (node, scaled) = (&nodes[id], &nodes[*nodes[id].inputs.first()?]);
        let flat = &nodes[*scaled.inputs.first()?];
        let (Op::Reshape, Op::Affine { scale, shift }, Op::Reshape) = (&node.op, &scaled.op, &flat.op) else {
            return None;
        };
        let is_alone = [node.inputs[0], scaled.inputs[0]].into_iter().all(|id| self.readers(id).count() == 1);
        let is_back = node.shape.len() > 1 && nodes[flat.inputs[0]].shape == node.shape && scale.len() == node.len();
        (is_alone && is_back && shift.iter().all(|&v| v == 0.0)).then_some(scale)
    }

    /// Whether node `id` is within such a product, before its end.
    pub(super) fn is_before_factors(&self, id: NodeId) -> bool {
        let next = |id: NodeId| self.readers(id).next();
        match self.network.nodes[id].op {
            Op::Reshape => next(id).and_then(next).is_some_and(|end| self.factors_at(end).is_some()),
            Op::Affine { .. } => next(id).is_some_and(|end| self.factors_at(end).is_some()),
            _ => false,
        }
    }

    /// The factors at node `id` that become thresholds of the neurons that read it; `None` if they need a node.
    pub(super) fn threshold_factors(&self, id: NodeId) -> Option<&'a [f32]> {
        let only_neurons = id != self.network.output
            && self.readers(id).all(|r| matches!(self.network.nodes[r].op, Op::Activation(_)));
        self.factors_at(id).filter(|factors| only_neurons && factors.iter().all(|&factor| factor > 0.0))
    }

    /// `from` times `factors`, one for each value of node `id`.
    pub(super) fn multiply_values(&mut self, id: NodeId, from: &WrittenValue, factors: &[f32]) -> WrittenValue {
        let node = &self.network.nodes[id];
        let plane = (node.len() / node.shape[0].max(1)).max(1);
        let data = factors.iter().enumerate().map(|(k, factor)| factor * from.scales[k / plane]).collect();
        let scale = NirOp::Scale { scale: Weights::new(node.shape.clone(), data) };
        let sources = vec![self.add_node(id, scale, from)];
        WrittenValue { sources, scales: vec![1.0; node.shape[0]], selection: None }
    }
}
