//! Lowers padding: zeros and other constants, crops, and copies of the border.

use super::linear_maps::{MAX_SIDE, identity};
use crate::Result;
use crate::network::onnx::lower::Lowering;
use crate::network::onnx::node_names;
use crate::network::onnx::proto::NodeProto;
use crate::network::onnx::shapes::padding;
use crate::network::{NodeId, Op, Weights};

impl Lowering<'_> {
    pub(super) fn pad(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let mode = padding::mode(node);
        let value = match (node.input.get(2).is_some_and(|name| !name.is_empty()), self.constant_input(node, 2)) {
            (true, constant) => constant.and_then(|c| c.scalar()),
            (false, _) => Some(f64::from(node.float("value", 0.0))),
        };
        let Some(value) = value else {
            return Err(self.node_error(node, "its padding value is not a constant number"));
        };
        let rank = self.full_shape(input).len();
        let ints = |k: usize, name: &str| self.ints_of(node, k, name).map_err(|e| e.to_string());
        let mut widths = padding::widths(node, rank, ints).map_err(|e| self.node_error(node, e))?;
        if !self.unbatched.contains(&input) && widths.remove(0) != (0, 0) {
            return Err(self.node_error(node, "pads the batch"));
        }
        let name = node_names::of_node(node);
        if mode != "constant" {
            return self.pad_with_copies(node, &name, input, &mode, &widths);
        }
        // Negative widths crop first.
        let mut id = input;
        for (axis, &(before, after)) in widths.iter().enumerate() {
            let n = self.nodes[id].shape[axis] as i64;
            let (start, end) = ((-before).max(0), n.saturating_add(after.min(0)));
            if (start, end) != (0, n) {
                if start >= end {
                    return Err(self.node_error(node, "crops all values"));
                }
                let op = Op::Slice { axis, start: start as usize, end: end as usize, step: 1 };
                id = self.push(node, format!("{name}.crop"), op, vec![id], &[])?;
            }
        }
        let wide = |w: i64| usize::try_from(w.max(0)).unwrap_or(usize::MAX);
        let (before, after): (Vec<usize>, Vec<usize>) = widths.iter().map(|&(b, a)| (wide(b), wide(a))).unzip();
        if before.iter().chain(&after).all(|&w| w == 0) {
            return Ok(id);
        }
        let inside = self.nodes[id].shape.clone();
        let op = Op::Pad { before: before.clone(), after };
        let padded = self.push(node, name.clone(), op, vec![id], &[])?;
        if value == 0.0 {
            return Ok(padded);
        }
        if !value.is_finite() {
            return Err(self.node_error(node, format!("pads with {value}; only finite numbers are supported")));
        }
        // The number itself where there is padding.
        let shape = self.nodes[padded].shape.clone();
        let mut border = vec![value as f32; shape.iter().product()];
        let mut index = vec![0; inside.len()];
        loop {
            let at = index.iter().zip(&before).zip(&shape).fold(0, |at, ((i, b), n)| at * n + i + b);
            border[at] = 0.0;
            if !crate::network::onnx::folding::advance(&mut index, &inside) {
                break;
            }
        }
        self.scaled(node, &name, padded, None, Some(border))
    }

    /// Padding whose values are copies of values inside.
    fn pad_with_copies(
        &mut self,
        node: &NodeProto,
        name: &str,
        input: NodeId,
        mode: &str,
        widths: &[(i64, i64)],
    ) -> Result<NodeId> {
        let shape = self.nodes[input].shape.clone();
        let mut sources = Vec::new();
        for (&n, &(before, after)) in shape.iter().zip(widths) {
            let positions = padding::positions(mode, n, before, after).map_err(|e| self.node_error(node, e))?;
            let positions: Option<Vec<usize>> = positions.into_iter().collect();
            sources.push(positions.ok_or_else(|| self.node_error(node, "a padding that has no source"))?);
        }
        // An image is padded by one matrix for rows and one for columns.
        if let ([_, height, width], [channels, ..]) = (&shape[..], widths)
            && *channels == (0, 0)
            && sources[1].len().max(sources[2].len()).max(*height).max(*width) <= MAX_SIDE
        {
            let matrix = |positions: &[usize], n: usize| {
                let mut matrix = Weights::new(vec![positions.len(), n], vec![0.0; positions.len() * n]);
                let data = std::sync::Arc::make_mut(&mut matrix.data);
                positions.iter().enumerate().for_each(|(row, &p)| data[row * n + p] = 1.0);
                matrix
            };
            let side = |k: usize, n: usize| match widths[k] {
                (0, 0) => identity(n),
                _ => matrix(&sources[k], n),
            };
            let op = Op::Resample { rows: side(1, *height), columns: side(2, *width) };
            return self.push(node, name.to_owned(), op, vec![input], &[]);
        }
        let mut id = input;
        for (axis, positions) in sources.iter().enumerate() {
            id = self.select(node, name, id, axis, positions)?;
        }
        Ok(id)
    }
}
