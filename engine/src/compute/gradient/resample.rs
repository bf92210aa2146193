//! A resize or an average pool of Burn tensors by two matrices, with its gradient; zeros of the matrices cost nothing.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::{Autodiff, Flex};
use burn::tensor::Tensor;
use rayon::prelude::*;

use crate::compute::forward::pooling::average_matrices;
use crate::compute::storage::{as_slice_of, from_vec, shape_of, tracked};
use crate::network::{Network, Node, Op, Weights};

/// The entries of a matrix that are not zero, row by row.
#[derive(Clone, Debug, PartialEq)]
struct Sparse {
    columns: usize,
    /// Column and value of each entry, `[rows][entries]`.
    entries: Vec<Vec<(usize, f32)>>,
}

impl Sparse {
    /// Of `matrix` `[rows, columns]`.
    fn new(matrix: &Weights) -> Self {
        let columns = matrix.shape.get(1).copied().unwrap_or(1).max(1);
        let row = |row: &[f32]| row.iter().copied().enumerate().filter(|(_, value)| *value != 0.0).collect();
        Self { columns, entries: matrix.data.chunks_exact(columns).map(row).collect() }
    }

    fn rows(&self) -> usize {
        self.entries.len()
    }

    fn transposed(&self) -> Self {
        let mut entries = vec![Vec::new(); self.columns];
        for (row, of_row) in self.entries.iter().enumerate() {
            of_row.iter().for_each(|&(column, value)| entries[column].push((row, value)));
        }
        Self { columns: self.rows(), entries }
    }
}

/// A resize by two matrices: `rows · x · columnsᵀ` for every plane of `x`.
#[derive(Clone, Debug, PartialEq)]
pub struct Resize {
    rows: Sparse,
    columns: Sparse,
}

impl Resize {
    /// By `rows` `[H_out, H]` and `columns` `[W_out, W]`.
    pub fn new(rows: &Weights, columns: &Weights) -> Self {
        Self { rows: Sparse::new(rows), columns: Sparse::new(columns) }
    }

    /// That of `node`, a resize or an average pool; `None` for others.
    pub fn of(network: &Network, node: &Node) -> Option<Self> {
        if let Op::Resample { rows, columns } = &node.op {
            return Some(Self::new(rows, columns));
        }
        let [rows, columns] = average_matrices(&node.op, &network.nodes[*node.inputs.first()?].shape, &node.shape)?;
        Some(Self::new(&rows, &columns))
    }

    /// The resized planes of `x` `[N, C·H·W]`, `[N, F]`; on burn-flex with gradients. The matrices get none.
    pub fn resample(&self, x: Tensor<2>) -> Tensor<2> {
        let x = tracked(x);
        let node = x.node();
        let x = x.into_primitive().to_contiguous();
        let [samples, len] = shape_of(&x);
        let out = self.apply(as_slice_of(&x), samples);
        let width = out.len() / samples.max(1);
        let out = from_vec(out, [samples, width]);
        let back = Self { rows: self.rows.transposed(), columns: self.columns.transposed() };
        let out = match ResizeBackward.prepare::<NoCheckpointing>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((back, [samples, len]), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        };
        Tensor::from_primitive::<Autodiff<Flex>>(out)
    }

    /// `rows · x · columnsᵀ` for every plane of `x` `[N, C·H·W]`.
    fn apply(&self, x: &[f32], samples: usize) -> Vec<f32> {
        let (from, to) = (self.rows.columns * self.columns.columns, self.rows.rows() * self.columns.rows());
        let planes = x.len() / from.max(1) / samples.max(1);
        let mut out = vec![0.0; samples * planes * to];
        let parts = out.par_chunks_mut((planes * to).max(1)).zip(x.par_chunks((planes * from).max(1)));
        parts.for_each_init(Vec::new, |line, (out, x)| {
            line.resize(self.columns.columns, 0.0f32);
            for (out, x) in out.chunks_exact_mut(to).zip(x.chunks_exact(from)) {
                self.plane(x, out, line);
            }
        });
        out
    }

    /// One plane; `line` has room for a row of `x`.
    fn plane(&self, x: &[f32], out: &mut [f32], line: &mut [f32]) {
        let width = line.len();
        for (entries, out) in self.rows.entries.iter().zip(out.chunks_exact_mut(self.columns.rows())) {
            line.fill(0.0);
            for &(row, share) in entries {
                line.iter_mut().zip(&x[row * width..][..width]).for_each(|(to, from)| *to += share * from);
            }
            for (entries, out) in self.columns.entries.iter().zip(out) {
                *out = entries.iter().map(|&(column, share)| share * line[column]).sum();
            }
        }
    }
}

#[derive(Debug)]
struct ResizeBackward;

impl Backward<Flex, 1> for ResizeBackward {
    /// The resize back, and the shape of the input.
    type State = (Resize, [usize; 2]);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let (back, shape) = ops.state;
        if let Some(node) = ops.parents.into_iter().next().flatten() {
            grads.register::<Flex>(node.id, from_vec(back.apply(as_slice_of(&gradient), shape[0]), shape));
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::compute::dense::tensor_to_vec;

    #[test]
    fn values_and_gradients_are_those_of_the_matrices() {
        let (rows, columns) = (
            Weights::new(vec![3, 2], vec![1.0, 0.0, 0.5, 0.5, 0.0, 1.0]),
            Weights::new(vec![4, 2], vec![1.0, 0.0, 0.75, 0.25, 0.25, 0.75, 0.0, 1.0]),
        );
        let device = Device::flex().autodiff();
        let x: Vec<f32> = (0..2 * 3 * 4).map(|k| (k * k % 7) as f32 - 2.0).collect();
        let x = Tensor::<2>::from_data(TensorData::new(x, [2, 12]), &device).require_grad();
        let tensor = |w: &Weights| Tensor::<2>::from_data(TensorData::new(w.data.to_vec(), [w.shape[0], 2]), &device);
        let slopes: Vec<f32> = (0..2 * 3 * 12).map(|k| (k % 5) as f32).collect();
        let slopes = Tensor::<2>::from_data(TensorData::new(slopes, [2, 36]), &device);
        let wide = x.clone().reshape([12, 2]).matmul(tensor(&columns).transpose()).reshape([6, 2, 4]);
        let theirs = tensor(&rows).unsqueeze::<3>().matmul(wide).reshape([2, 36]);
        let run = |y: Tensor<2>| {
            let grads = (y.clone() * slopes.clone()).sum().backward();
            [tensor_to_vec(y.detach()), tensor_to_vec(x.grad(&grads).unwrap())]
        };
        let (ours, theirs) = (run(Resize::new(&rows, &columns).resample(x.clone())), run(theirs));
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert!(ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(a, b)| (a - b).abs() < 1e-5));
        }
    }

    #[test]
    fn an_average_pool_has_the_values_and_gradients_of_burn() {
        use crate::compute::dense::{NodeParams, apply_node};

        let node = |op, inputs: &[usize], shape: &[usize]| Node {
            name: "n".into(),
            op,
            inputs: inputs.to_vec(),
            shape: shape.to_vec(),
        };
        let device = Device::flex().autodiff();
        let pools = [
            ([2, 2], [2, 2], [0; 4], false, [3, 2]),
            ([3, 2], [2, 1], [1, 1, 1, 1], true, [3, 6]),
            ([3, 2], [2, 1], [1, 1, 1, 1], false, [3, 6]),
            ([6, 5], [1, 1], [0; 4], true, [1, 1]),
        ];
        for (kernel, stride, padding, count_include_pad, [rows, columns]) in pools {
            let pool = Op::AvgPool2d { kernel, stride, padding, count_include_pad };
            let nodes = vec![node(Op::Input, &[], &[2, 6, 5]), node(pool, &[0], &[2, rows, columns])];
            let network =
                Network { name: "n".into(), output: 1, nodes, scaling: None, class_names: vec![], neurons: None };
            let x: Vec<f32> = (0..3 * 60).map(|k| (k * k % 11) as f32 - 4.0).collect();
            let x = Tensor::<2>::from_data(TensorData::new(x, [3, 60]), &device).require_grad();
            let width = 2 * rows * columns;
            let slopes: Vec<f32> = (0..3 * width).map(|k| (k % 5) as f32 - 1.0).collect();
            let slopes = Tensor::<2>::from_data(TensorData::new(slopes, [3, width]), &device);
            let run = |y: Tensor<2>| {
                let grads = (y.clone() * slopes.clone()).sum().backward();
                [tensor_to_vec(y.detach()), tensor_to_vec(x.grad(&grads).unwrap())].concat()
            };
            let ours = run(Resize::of(&network, &network.nodes[1]).unwrap().resample(x.clone()));
            let theirs = run(apply_node(&network, &network.nodes[1], &NodeParams::None, vec![x.clone()]));
            assert_eq!(ours.len(), theirs.len());
            for (a, b) in ours.iter().zip(&theirs) {
                assert!((a - b).abs() < 1e-5, "kernel {kernel:?}: {a} and {b}");
            }
        }
    }
}
