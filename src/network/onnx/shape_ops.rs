//! Lowers the ONNX shape operators: Concat, Reshape, Flatten, Squeeze, Unsqueeze, Slice and Pad.

use super::lower::Lowering;
use super::node_names;
use super::proto::NodeProto;
use super::reshape::{axis, resolve, squeezed, unsqueezed};
use crate::Result;
use crate::network::{NodeId, Op};

impl Lowering<'_> {
    pub fn concat(&mut self, node: &NodeProto) -> Result<NodeId> {
        let inputs = (0..node.input.len()).map(|k| self.layer_input(node, k)).collect::<Result<Vec<_>>>()?;
        let rank = inputs.first().map_or(0, |&id| self.nodes[id].shape.len() + 1);
        match axis(node.int("axis", 1), rank).map_err(|e| self.node_error(node, e))? {
            0 => Err(self.node_error(node, "joins along the batch")),
            axis => match self.common_order(&inputs) {
                Some((sources, perm)) => {
                    let (name, op) = (node_names::of_node(node), Op::Concat { axis: perm[axis - 1] });
                    let joined = self.push(node, name.clone(), op, sources, &[])?;
                    self.with_layout(node, format!("{name}.order"), joined, perm)
                }
                None => self.push(node, node_names::of_node(node), Op::Concat { axis: axis - 1 }, inputs, &[]),
            },
        }
    }

    pub fn reshape(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let from = self.full_shape(input);
        let axes = self.ints_of(node, 1, "axes");
        let dims = match node.op_type.as_str() {
            "Flatten" => match axis(node.int("axis", 1), from.len() + 1) {
                Ok(1) => Ok(vec![from[0], from[1..].iter().product()]),
                Ok(_) => Err("flattens the batch dimension".to_owned()),
                Err(e) => Err(e),
            },
            "Squeeze" => squeezed(&from[1..], axes.as_ref().map(|a| without_batch(a, from.len())).as_deref())
                .map(|rest| std::iter::once(from[0]).chain(rest).collect()),
            "Unsqueeze" => unsqueezed(&from, &axes.unwrap_or_default()),
            _ => match self.ints_of(node, 1, "shape") {
                Some(target) => resolve(&from, &target),
                None => Err("its target shape depends on the input. Export with fixed shapes.".into()),
            },
        };
        let dims = dims.map_err(|e| self.node_error(node, e))?;
        if dims.first() != Some(&self.batch) {
            let reason = format!(
                "moves values between samples: shape {} becomes {} (batch first)",
                crate::error::format_shape(&from),
                crate::error::format_shape(&dims)
            );
            return Err(self.node_error(node, reason));
        }
        if dims[1..] == self.nodes[input].shape[..] {
            return Ok(input);
        }
        self.push(node, node_names::of_node(node), Op::Reshape, vec![input], &dims[1..])
    }

    pub fn slice(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let missing = || self.node_error(node, "its limits are not constants");
        let starts = self.ints_of(node, 1, "starts").ok_or_else(missing)?;
        let ends = self.ints_of(node, 2, "ends").ok_or_else(missing)?;
        let rank = self.nodes[input].shape.len() + 1;
        let axes = self.ints_of(node, 3, "axes").unwrap_or_else(|| (0..starts.len() as i64).collect());
        let steps = self.ints_of(node, 4, "steps").unwrap_or_else(|| vec![1; starts.len()]);
        if ends.len() != starts.len() || axes.len() != starts.len() || steps.len() != starts.len() {
            return Err(self.node_error(node, "its limits have different lengths"));
        }
        let mut id = input;
        for k in 0..starts.len() {
            let at = axis(axes[k], rank).map_err(|e| self.node_error(node, e))?;
            let n = self.full_shape(id)[at] as i64;
            let clamped = |i: i64| (if i < 0 { i.saturating_add(n) } else { i }).clamp(0, n) as usize;
            let (start, end) = (clamped(starts[k]), clamped(ends[k]));
            let step = usize::try_from(steps[k])
                .map_err(|_| self.node_error(node, "slices backwards, which is not supported"))?;
            match (at, start == 0 && end as i64 == n && step == 1) {
                (_, true) => {}
                (0, false) => return Err(self.node_error(node, "slices the batch")),
                _ => {
                    id = self.push(
                        node,
                        node_names::of_node(node),
                        Op::Slice { axis: at - 1, start, end, step },
                        vec![id],
                        &[],
                    )?
                }
            }
        }
        Ok(id)
    }

    pub fn pad(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let mode = node.text("mode");
        if !matches!(mode.as_str(), "" | "constant") {
            return Err(self.node_error(node, format!("padding mode '{mode}' is not supported, only zeros")));
        }
        let value = self
            .constant_input(node, 2)
            .and_then(|c| c.scalar())
            .unwrap_or_else(|| f64::from(node.float("value", 0.0)));
        if value != 0.0 {
            return Err(self.node_error(node, format!("pads with {value}; only zeros are supported")));
        }
        let rank = self.nodes[input].shape.len() + 1;
        let pads = self
            .ints_of(node, 1, "pads")
            .filter(|p| node.input.get(3).is_none_or(String::is_empty) && p.len() == 2 * rank);
        let pads: Option<Vec<usize>> = pads.and_then(|p| p.iter().map(|&p| usize::try_from(p).ok()).collect());
        let pads = pads
            .ok_or_else(|| self.node_error(node, "its widths are not constants of at least 0 for every dimension"))?;
        if pads[0] != 0 || pads[rank] != 0 {
            return Err(self.node_error(node, "pads the batch"));
        }
        let op = Op::Pad { before: pads[1..rank].to_vec(), after: pads[rank + 1..].to_vec() };
        self.push(node, node_names::of_node(node), op, vec![input], &[])
    }
}

/// Axes of the full shape as axes of the sample shape (without the batch).
fn without_batch(axes: &[i64], rank: usize) -> Vec<i64> {
    axes.iter().map(|&a| if a < 0 { a.saturating_add(rank as i64) } else { a }.saturating_sub(1)).collect()
}
