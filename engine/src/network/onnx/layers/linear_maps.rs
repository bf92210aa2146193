//! Lowers linear maps along one dimension of a layer, as a resize whose matrix has any numbers.

use crate::Result;
use crate::network::onnx::lower::Lowering;
use crate::network::onnx::proto::NodeProto;
use crate::network::{NodeId, Op, Weights};

/// Maximum number of values of a matrix of positions.
const MAX_MATRIX: usize = 1 << 24;
/// Maximum side of images that one matrix for rows and one for columns map.
pub(super) const MAX_SIDE: usize = 1 << 11;
/// Maximum number of columns that are passed on by an identity matrix; more are moved by transposes.
const MAX_IDENTITY: usize = 64;

impl Lowering<'_> {
    /// The values at `positions` along `axis` of the sample shape, by a matrix of ones and zeros.
    pub(super) fn selected_by_matrix(
        &mut self,
        node: &NodeProto,
        name: &str,
        input: NodeId,
        axis: usize,
        positions: &[usize],
    ) -> Result<NodeId> {
        let from = self.nodes[input].shape[axis];
        let size = from.checked_mul(positions.len()).filter(|&size| size <= MAX_MATRIX);
        let Some(size) = size else {
            let reason = format!("selects {} of {from} positions, more than is supported", positions.len());
            return Err(self.node_error(node, reason));
        };
        let mut data = vec![0.0; size];
        positions.iter().enumerate().for_each(|(row, &p)| data[row * from + p] = 1.0);
        self.mapped_along(node, name, input, axis, Weights::new(vec![positions.len(), from], data))
    }

    /// `matrix` `[to, from]` applied along `axis` of the sample shape.
    pub(super) fn mapped_along(
        &mut self,
        node: &NodeProto,
        name: &str,
        input: NodeId,
        axis: usize,
        matrix: Weights,
    ) -> Result<NodeId> {
        let shape = self.nodes[input].shape.clone();
        let product = |dims: &[usize]| dims.iter().product::<usize>();
        let (outer, from, inner) = (product(&shape[..axis]), shape[axis], product(&shape[axis + 1..]));
        let to = matrix.shape[0];
        let mut target = shape.clone();
        target[axis] = to;
        let view = |lowering: &mut Self, id: NodeId, dims: &[usize]| match lowering.nodes[id].shape == dims {
            true => Ok(id),
            false => lowering.push(node, format!("{name}.view"), Op::Reshape, vec![id], dims),
        };
        let id = if shape.len() == 3 && axis == 2 && shape[1] <= MAX_SIDE {
            let op = Op::Resample { rows: identity(shape[1]), columns: matrix };
            self.push(node, name.to_owned(), op, vec![input], &[])?
        } else if inner <= MAX_IDENTITY || (shape.len() == 3 && axis == 1 && shape[2] <= MAX_SIDE) {
            let image = view(self, input, &[outer, from, inner])?;
            let op = Op::Resample { rows: matrix, columns: identity(inner) };
            self.push(node, name.to_owned(), op, vec![image], &[])?
        } else {
            // The dimension becomes the last one, is mapped, and goes back.
            let grid = view(self, input, &[outer, from, inner])?;
            let turned =
                self.push(node, format!("{name}.order"), Op::Transpose { perm: vec![0, 2, 1] }, vec![grid], &[])?;
            let rows = view(self, turned, &[outer * inner, 1, from])?;
            let op = Op::Resample { rows: identity(1), columns: matrix };
            let mapped = self.push(node, name.to_owned(), op, vec![rows], &[])?;
            let grid = view(self, mapped, &[outer, inner, to])?;
            self.push(node, format!("{name}.back"), Op::Transpose { perm: vec![0, 2, 1] }, vec![grid], &[])?
        };
        view(self, id, &target)
    }
}

/// The identity matrix `[n, n]`.
pub(super) fn identity(n: usize) -> Weights {
    let mut data = vec![0.0; n * n];
    data.iter_mut().step_by(n + 1).for_each(|v| *v = 1.0);
    Weights::new(vec![n, n], data)
}
