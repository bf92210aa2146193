//! Lowers `Gather` with constant indices and `Split` to slices and concatenations.

use super::lower::{LoweredValue, Lowering};
use super::node_names;
use super::proto::NodeProto;
use super::reshape::axis;
use crate::Result;
use crate::network::{NodeId, Op};

/// Maximum number of slices of one `Gather`; more would be a table rather than a layer.
const MAX_PIECES: usize = 256;

impl Lowering<'_> {
    pub fn gather(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let shape = self.full_shape(input);
        let at = axis(node.int("axis", 0), shape.len()).map_err(|e| self.node_error(node, e))?;
        let indices = self.constant_input(node, 1);
        let selected = indices.as_ref().and_then(|c| c.as_ints());
        let Some((selected, rank)) = selected.zip(indices.map(|c| c.dims.len())) else {
            return Err(self.node_error(node, "its indices are not constants"));
        };
        if at == 0 {
            return Err(self.node_error(node, "selects samples of the batch"));
        }
        let n = shape[at] as i64;
        let selected: Option<Vec<usize>> = selected
            .iter()
            .map(|&i| usize::try_from(if i < 0 { i + n } else { i }).ok().filter(|&i| i < shape[at]))
            .collect();
        let selected = selected
            .filter(|selected| !selected.is_empty())
            .ok_or_else(|| self.node_error(node, format!("an index outside 0..{n}")))?;
        let name = node_names::of_node(node);
        let joined = self.select(node, &name, input, at - 1, &selected)?;
        match rank {
            // A scalar index removes its dimension.
            0 => {
                let mut rest = self.nodes[joined].shape.clone();
                rest.remove(at - 1);
                if rest.is_empty() {
                    rest.push(1);
                }
                self.push(node, name, Op::Reshape, vec![joined], &rest)
            }
            1 => Ok(joined),
            _ => Err(self.node_error(node, "indices of more than one dimension are not supported")),
        }
    }

    /// The values at `selected` along axis `at` of the sample shape, as slices of even spacing.
    fn select(&mut self, node: &NodeProto, name: &str, input: NodeId, at: usize, selected: &[usize]) -> Result<NodeId> {
        let mut pieces = Vec::new();
        let mut rest = selected;
        while let Some(&start) = rest.first() {
            let step = rest.get(1).and_then(|&next| next.checked_sub(start)).filter(|&step| step > 0).unwrap_or(1);
            let count = rest.iter().zip((start..).step_by(step)).take_while(|(a, b)| **a == *b).count().max(1);
            pieces.push((start, start + (count - 1) * step + 1, step));
            rest = &rest[count..];
        }
        if pieces.len() > MAX_PIECES {
            return Err(
                self.node_error(node, format!("selects {} parts; up to {MAX_PIECES} are supported", pieces.len()))
            );
        }
        let len = self.nodes[input].shape[at];
        let parts = pieces.into_iter().map(|(start, end, step)| match (start, end, step) {
            (0, end, 1) if end == len => Ok(input),
            _ => self.push(node, format!("{name}.part"), Op::Slice { axis: at, start, end, step }, vec![input], &[]),
        });
        let parts = parts.collect::<Result<Vec<_>>>()?;
        match parts[..] {
            [only] => Ok(only),
            _ => self.push(node, name.to_owned(), Op::Concat { axis: at }, parts, &[]),
        }
    }

    /// Lowers `Split`: one slice per output.
    pub fn split(&mut self, node: &NodeProto) -> Result<()> {
        let input = self.layer_input(node, 0)?;
        let shape = self.full_shape(input);
        let at = axis(node.int("axis", 0), shape.len()).map_err(|e| self.node_error(node, e))?;
        if at == 0 {
            return Err(self.node_error(node, "splits the batch"));
        }
        let outputs = node.output.len().max(1);
        let sizes: Vec<usize> = match self.ints_of(node, 1, "split") {
            Some(sizes) => sizes.iter().map(|&n| usize::try_from(n).unwrap_or(usize::MAX)).collect(),
            // Equal parts, the last one may be smaller.
            None => {
                let part_len = shape[at].div_ceil(outputs).max(1);
                (0..outputs).map(|k| shape[at].saturating_sub(k * part_len).min(part_len)).collect()
            }
        };
        if sizes.len() != outputs || sizes.iter().try_fold(0usize, |n, &s| n.checked_add(s)) != Some(shape[at]) {
            return Err(self.node_error(node, format!("splits {} values into {sizes:?}", shape[at])));
        }
        let mut start = 0;
        for (name, size) in node.output.iter().zip(sizes) {
            let op = Op::Slice { axis: at - 1, start, end: start + size, step: 1 };
            let id = self.push(node, node_names::of_node(node), op, vec![input], &[])?;
            self.values.insert(name.clone(), LoweredValue::Layer(id));
            start += size;
        }
        Ok(())
    }
}
