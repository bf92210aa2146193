//! Lowers means, sums and maxima over dimensions of a layer.

use crate::Result;
use crate::network::onnx::lower::Lowering;
use crate::network::onnx::node_names;
use crate::network::onnx::proto::NodeProto;
use crate::network::onnx::shapes::{axes, reduced};
use crate::network::{NodeId, Op};

impl Lowering<'_> {
    pub(super) fn reduce(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let dims = self.full_shape(input);
        let list = self.ints_of(node, 1, "axes")?.unwrap_or_default();
        if list.is_empty() && node.int("noop_with_empty_axes", 0) != 0 {
            return Ok(input);
        }
        let list = if list.is_empty() { (0..dims.len() as i64).collect() } else { list };
        let axes = axes(&list, dims.len()).map_err(|e| self.node_error(node, e))?;
        let is_batched = !self.unbatched.contains(&input);
        // A batch that was moved has the size 1, like dimensions that nobody would combine.
        let may_be_batch = |&a: &usize| if is_batched { a == 0 } else { dims[a] == 1 };
        if axes.iter().any(may_be_batch) && (self.has_open_batch || self.batch != 1) {
            return Err(self.node_error(node, "combines the samples of the batch"));
        }
        let keeps = node.int("keepdims", 1) != 0;
        let target = reduced(&dims, &axes, keeps);
        // Axes of the sample; that of a batch of 1 has nothing to combine.
        let axes: Vec<usize> = axes.iter().filter_map(|a| a.checked_sub(usize::from(is_batched))).collect();
        let name = node_names::of_node(node);
        let axes: Vec<usize> = axes.into_iter().filter(|&a| self.nodes[input].shape[a] > 1).collect();
        let id = match (axes.is_empty(), node.op_type.as_str()) {
            (true, _) => input,
            (_, "ReduceMax") => self.maximum(node, &name, input, &axes)?,
            _ => self.mean(node, &name, input, &axes, &target, is_batched)?,
        };
        let id = if node.op_type == "ReduceSum" && !axes.is_empty() {
            let count: usize = axes.iter().map(|&a| self.nodes[input].shape[a]).product();
            let op = Op::Affine { scale: vec![count as f32], shift: vec![0.0] };
            self.push(node, format!("{name}.sum"), op, vec![id], &[])?
        } else {
            id
        };
        self.reshaped(node, format!("{name}.shape"), id, &target)
    }

    /// The mean over `axes` of the sample shape of `input`, in the shape `target` of the file if that is one of a mean.
    fn mean(
        &mut self,
        node: &NodeProto,
        name: &str,
        input: NodeId,
        axes: &[usize],
        target: &[usize],
        is_batched: bool,
    ) -> Result<NodeId> {
        let shape = self.nodes[input].shape.clone();
        let dropped = reduced(&shape, axes, false);
        let is_dropped = target[usize::from(is_batched).min(target.len())..] == dropped[..];
        // The mean of a transposed image over all positions is the mean of the image.
        if let Some((source, perm)) = self.order_of(input).filter(|_| is_dropped) {
            let mut source_axes: Vec<usize> = axes.iter().map(|&a| perm[a]).collect();
            source_axes.sort_unstable();
            let kept: Vec<usize> = (0..perm.len()).filter(|i| !source_axes.contains(i)).collect();
            if kept.iter().copied().eq(perm.iter().copied().filter(|p| !source_axes.contains(p))) {
                let kept_shape: Vec<usize> = kept.iter().map(|&i| self.nodes[source].shape[i]).collect();
                return self.push(node, name.to_owned(), Op::Mean { axes: source_axes }, vec![source], &kept_shape);
            }
        }
        let stated = if is_dropped { dropped } else { reduced(&shape, axes, true) };
        if shape.len() <= 4 {
            return self.push(node, name.to_owned(), Op::Mean { axes: axes.to_vec() }, vec![input], &stated);
        }
        // Runs of neighboring dimensions that are all combined or all kept count as one.
        let (mut merged, mut merged_axes): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
        for (k, &n) in shape.iter().enumerate() {
            let is_combined = axes.contains(&k);
            match merged.last_mut() {
                Some(last) if merged_axes.last() == Some(&usize::from(is_combined)) => *last *= n,
                _ => {
                    merged.push(n);
                    merged_axes.push(usize::from(is_combined));
                }
            }
        }
        let flat = self.push(node, format!("{name}.merged"), Op::Reshape, vec![input], &merged)?;
        let axes = (0..merged.len()).filter(|&k| merged_axes[k] == 1).collect::<Vec<_>>();
        let stated = reduced(&merged, &axes, true);
        self.push(node, name.to_owned(), Op::Mean { axes }, vec![flat], &stated)
    }

    /// The maximum over positions of an image.
    fn maximum(&mut self, node: &NodeProto, name: &str, input: NodeId, axes: &[usize]) -> Result<NodeId> {
        let shape = self.nodes[input].shape.clone();
        // As rows of an image: dimensions before the axes as channels, those after as columns.
        let (first, last) = (axes[0], axes[axes.len() - 1]);
        if axes.len() != last - first + 1 {
            return Err(self.node_error(node, "takes a maximum over dimensions that are not neighbors"));
        }
        let product = |dims: &[usize]| dims.iter().product::<usize>();
        let image = [product(&shape[..first]), product(&shape[first..=last]), product(&shape[last + 1..])];
        let rows = match shape[..] {
            [channels, height, width] if axes == [1, 2] => [channels, height, width],
            _ => image,
        };
        let view = if shape == rows {
            input
        } else {
            self.push(node, format!("{name}.image"), Op::Reshape, vec![input], &rows)?
        };
        let kernel = if axes == [1, 2] && shape == rows { [rows[1], rows[2]] } else { [rows[1], 1] };
        let op = Op::MaxPool2d { kernel, stride: [1, 1], padding: [0; 4], dilation: [1, 1] };
        self.push(node, name.to_owned(), op, vec![view], &[])
    }
}
