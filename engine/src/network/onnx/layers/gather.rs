//! Lowers selections of values along dimensions: `Slice`, `Split`, `Gather` and `GatherND` with constant indices.

use crate::Result;
use crate::network::onnx::lower::{LoweredValue, Lowering};
use crate::network::onnx::node_names;
use crate::network::onnx::proto::NodeProto;
use crate::network::onnx::shapes::{axes, axis, slice_positions, split_sizes};
use crate::network::{NodeId, Op};

/// Maximum number of slices of one selection; for more, one matrix is faster.
const MAX_SLICES: usize = 32;
/// The same for channels of images, which other formats have no matrix for.
const MAX_CHANNEL_SLICES: usize = 256;

impl Lowering<'_> {
    pub(super) fn gather(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let dims = self.full_shape(input);
        let at = axis(node.int("axis", 0), dims.len()).map_err(|e| self.node_error(node, e))?;
        let Some((indices, index_dims)) = self.indices(node)? else {
            return Err(self.node_error(node, "its indices depend on the input, which is not supported"));
        };
        let positions = indices.iter().map(|&i| axis(i, dims[at])).collect::<Result<Vec<_>, _>>();
        let positions = positions.map_err(|_| self.node_error(node, format!("an index outside 0..{}", dims[at])))?;
        let (input, sample_axis) = self.movable_axis(node, input, at)?;
        let name = node_names::of_node(node);
        let id = self.select(node, &name, input, sample_axis, &positions)?;
        // The dimensions of the indices replace the axis.
        let target = [&dims[..at], &index_dims[..], &dims[at + 1..]].concat();
        self.reshaped(node, format!("{name}.shape"), id, &target)
    }

    /// Lowers `GatherND` whose indices are all combinations of some positions along each axis.
    pub(super) fn gather_nd(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let dims = self.full_shape(input);
        let Some((indices, index_dims)) = self.indices(node)? else {
            return Err(self.node_error(node, "its indices depend on the input, which is not supported"));
        };
        let named = index_dims.last().copied().unwrap_or(0);
        if node.int("batch_dims", 0) != 0 || named == 0 || named > dims.len() {
            return Err(self.node_error(node, "indices per sample are not supported"));
        }
        let Some(positions) = grid(&indices, &index_dims[..index_dims.len() - 1], named) else {
            return Err(self.node_error(node, "indices that are no grid of positions are not supported"));
        };
        let name = node_names::of_node(node);
        let mut id = input;
        for (at, list) in positions.iter().enumerate() {
            let list = list.iter().map(|&i| axis(i, dims[at])).collect::<Result<Vec<_>, _>>();
            let list = list.map_err(|_| self.node_error(node, format!("an index outside 0..{}", dims[at])))?;
            let (source, sample_axis) = self.movable_axis(node, id, at)?;
            id = self.select(node, &name, source, sample_axis, &list)?;
        }
        let target = [&index_dims[..index_dims.len() - 1], &dims[named..]].concat();
        self.reshaped(node, format!("{name}.shape"), id, &target)
    }

    /// The constant indices of input 1 and their dimensions; `None` if they depend on the input.
    fn indices(&self, node: &NodeProto) -> Result<Option<(Vec<i64>, Vec<usize>)>> {
        let Some(constant) = self.constant_input(node, 1) else { return Ok(None) };
        let indices = constant.as_ints().ok_or_else(|| self.node_error(node, "its indices are not integers"))?;
        match indices.is_empty() {
            true => Err(self.node_error(node, "selects nothing")),
            false => Ok(Some((indices, constant.dims.clone()))),
        }
    }

    /// `input` and the sample axis of its dimension `at` in the file. A batch of 1 becomes an ordinary dimension.
    fn movable_axis(&mut self, node: &NodeProto, input: NodeId, at: usize) -> Result<(NodeId, usize)> {
        match at.checked_sub(usize::from(!self.unbatched.contains(&input))) {
            Some(sample_axis) => Ok((input, sample_axis)),
            None if self.batch == 1 && !self.has_open_batch => Ok((self.without_batch(node, input)?, 0)),
            None => Err(self.node_error(node, "selects samples of the batch")),
        }
    }

    /// The values at `positions` along `axis` of the sample shape: as slices of even spacing, or as one matrix.
    pub(super) fn select(
        &mut self,
        node: &NodeProto,
        name: &str,
        input: NodeId,
        axis: usize,
        positions: &[usize],
    ) -> Result<NodeId> {
        let shape = self.nodes[input].shape.clone();
        let len = shape[axis];
        if positions.iter().copied().eq(0..len) {
            return Ok(input);
        }
        if positions.is_empty() {
            return Err(self.node_error(node, "selects nothing"));
        }
        let mut pieces = Vec::new();
        let mut rest = positions;
        while let Some(&start) = rest.first() {
            let step = rest.get(1).and_then(|&next| next.checked_sub(start)).filter(|&step| step > 0).unwrap_or(1);
            let count = rest.iter().zip((start..).step_by(step)).take_while(|(a, b)| **a == *b).count().max(1);
            pieces.push((start, start + (count - 1) * step + 1, step));
            rest = &rest[count..];
        }
        let is_channels = axis == 0 && shape.len() == 3;
        if pieces.len() > if is_channels { MAX_CHANNEL_SLICES } else { MAX_SLICES } {
            return self.selected_by_matrix(node, name, input, axis, positions);
        }
        // Slices of more than four dimensions count those around the axis as one each.
        let product = |dims: &[usize]| dims.iter().product::<usize>();
        let is_high = shape.len() > 4;
        let (view, at) = match is_high {
            true => {
                let view = [product(&shape[..axis]), len, product(&shape[axis + 1..])];
                (self.push(node, format!("{name}.view"), Op::Reshape, vec![input], &view)?, 1)
            }
            false => (input, axis),
        };
        let has_one = pieces.len() == 1;
        let parts = pieces.into_iter().map(|(start, end, step)| match (start, end, step) {
            (0, end, 1) if end == len => Ok(view),
            _ => {
                let part = if has_one { name.to_owned() } else { format!("{name}.part") };
                self.push(node, part, Op::Slice { axis: at, start, end, step }, vec![view], &[])
            }
        });
        let parts = parts.collect::<Result<Vec<_>>>()?;
        let id = match parts[..] {
            [only] => only,
            _ => self.push(node, name.to_owned(), Op::Concat { axis: at }, parts, &[])?,
        };
        if !is_high {
            return Ok(id);
        }
        let mut target = shape;
        target[axis] = positions.len();
        self.push(node, format!("{name}.shape"), Op::Reshape, vec![id], &target)
    }

    pub(super) fn slice(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let (starts, ends) = (self.ints_of(node, 1, "starts")?, self.ints_of(node, 2, "ends")?);
        let Some((starts, ends)) = starts.zip(ends) else {
            return Err(self.node_error(node, "its limits are missing"));
        };
        let rank = self.full_shape(input).len();
        let list = self.ints_of(node, 3, "axes")?.unwrap_or_else(|| (0..starts.len() as i64).collect());
        let steps = self.ints_of(node, 4, "steps")?.unwrap_or_else(|| vec![1; starts.len()]);
        if [ends.len(), list.len(), steps.len()] != [starts.len(); 3] {
            return Err(self.node_error(node, "its limits have different lengths"));
        }
        axes(&list, rank).map_err(|e| self.node_error(node, e))?;
        let name = node_names::of_node(node);
        let mut id = input;
        for k in 0..starts.len() {
            let at = axis(list[k], rank).map_err(|e| self.node_error(node, e))?;
            let n = self.full_shape(id)[at];
            let positions = slice_positions(n, starts[k], ends[k], steps[k]).map_err(|e| self.node_error(node, e))?;
            if positions.iter().copied().eq(0..n) {
                continue;
            }
            let Some(sample_axis) = at.checked_sub(usize::from(!self.unbatched.contains(&id))) else {
                return Err(self.node_error(node, "slices the batch"));
            };
            id = self.select(node, &name, id, sample_axis, &positions)?;
        }
        self.with_batch(node, id)
    }

    /// Lowers `Split`: one slice per output.
    pub fn split(&mut self, node: &NodeProto) -> Result<()> {
        let input = self.layer_input(node, 0)?;
        let dims = self.full_shape(input);
        let at = axis(node.int("axis", 0), dims.len()).map_err(|e| self.node_error(node, e))?;
        let stated = self.ints_of(node, 1, "split")?;
        let sizes = split_sizes(node, stated, dims[at]).map_err(|e| self.node_error(node, e))?;
        let name = node_names::of_node(node);
        let mut start = 0;
        for (output, size) in node.output.iter().zip(sizes) {
            let id = if size == dims[at] {
                input
            } else {
                let Some(sample_axis) = at.checked_sub(usize::from(!self.unbatched.contains(&input))) else {
                    return Err(self.node_error(node, "splits the batch"));
                };
                if size == 0 {
                    if self.readers.contains_key(output.as_str()) {
                        return Err(self.node_error(node, format!("its output '{output}' has no values")));
                    }
                    continue;
                }
                let positions: Vec<usize> = (start..start + size).collect();
                let id = self.select(node, &name, input, sample_axis, &positions)?;
                self.with_batch(node, id)?
            };
            self.values.insert(output.clone(), LoweredValue::Layer(id));
            start += size;
        }
        Ok(())
    }
}

/// The positions along each of `named` axes, if the index lists, `[dims…, named]`, are all of their combinations in order.
fn grid(indices: &[i64], dims: &[usize], named: usize) -> Option<Vec<Vec<i64>>> {
    let lists: Vec<&[i64]> = indices.chunks(named).collect();
    let stride = |j: usize| dims[j + 1..].iter().product::<usize>();
    // Along each dimension of the lists, one of their entries may change; earlier entries along earlier dimensions.
    let mut owners: Vec<usize> = Vec::new();
    for (j, &n) in dims.iter().enumerate() {
        let start = |i: usize| i - i / stride(j) % n * stride(j);
        let changes = |k: &usize| lists.iter().enumerate().any(|(i, list)| list[*k] != lists[start(i)][*k]);
        let mut changing = (0..named).filter(changes);
        let owner = changing.next().unwrap_or(owners.last().copied().unwrap_or(0));
        if changing.next().is_some() || owners.last().is_some_and(|&last| last > owner) {
            return None;
        }
        owners.push(owner);
    }
    let along = |k: usize| {
        let own: Vec<usize> = (0..dims.len()).filter(|&j| owners[j] == k).collect();
        let count: usize = own.iter().map(|&j| dims[j]).product();
        let at = |i: usize| {
            let mut rest = i;
            own.iter().rev().fold(0, |at, &j| {
                let index = rest % dims[j];
                rest /= dims[j];
                at + index * stride(j)
            })
        };
        (0..count).map(|i| lists.get(at(i)).map(|list| list[k])).collect::<Option<Vec<_>>>()
    };
    let positions = (0..named).map(along).collect::<Option<Vec<_>>>()?;
    let combination = |i: usize| {
        let mut rest = i;
        let mut list: Vec<i64> = positions
            .iter()
            .rev()
            .map(|p| {
                let index = rest % p.len();
                rest /= p.len();
                p[index]
            })
            .collect();
        list.reverse();
        list
    };
    (!lists.is_empty() && lists.iter().enumerate().all(|(i, list)| combination(i) == *list)).then_some(positions)
}

#[cfg(test)]
mod tests {
    use super::grid;

    #[test]
    fn grids_of_positions_are_found() {
        let indices = [0, 1, 0, 2, 0, 2, 1, 1, 1, 2, 1, 2];
        assert_eq!(grid(&indices, &[2, 3], 2), Some(vec![vec![0, 1], vec![1, 2, 2]]));
        assert_eq!(grid(&[4, 2], &[], 2), Some(vec![vec![4], vec![2]]));
        assert_eq!(grid(&[3, 1, 3, 2, 3, 1, 3, 2], &[2, 2], 2), Some(vec![vec![3, 3], vec![1, 2]]));
        // A diagonal.
        assert_eq!(grid(&[0, 0, 1, 1], &[2], 2), None);
    }
}
