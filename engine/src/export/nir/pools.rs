//! Pools and flattening in the NIR writer: in the form that the reader supports.

use super::reader::PoolExport;
use super::writer::{Writer, WrittenValue};
use crate::network::nir::NirOp;
use crate::network::{NodeId, Weights};

impl Writer<'_> {
    /// `from` behind the average pool `id`, as the pool that the reader supports.
    pub(super) fn pool(
        &mut self,
        id: NodeId,
        from: WrittenValue,
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> WrittenValue {
        let share = 1.0 / (kernel[0] * kernel[1]) as f32;
        if padding != [0, 0] && self.target.reader.ignores_pool_padding() {
            return self.pool_as_convolution(id, &from, kernel, stride, padding);
        }
        let (kind, factor) = match self.target.pools {
            PoolExport::Average => (NirOp::AvgPool2d { kernel, stride, padding }, 1.0),
            PoolExport::Sum => (NirOp::SumPool2d { kernel, stride, padding }, share),
        };
        let pooled = self.add_node(id, kind, &from);
        let scales = from.scales.iter().map(|scale_of_channel| scale_of_channel * factor).collect();
        WrittenValue { sources: vec![pooled], scales, selection: None }
    }

    /// A padded mean as a convolution, for readers that ignore the padding of pools.
    fn pool_as_convolution(
        &mut self,
        id: NodeId,
        from: &WrittenValue,
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> WrittenValue {
        let before = &self.network.nodes[self.network.nodes[id].inputs[0]].shape;
        let (channels, sides) = (before[0], [before[1], before[2]]);
        let taps = kernel[0] * kernel[1];
        let mut weight = vec![0.0; channels * channels * taps];
        for c in 0..channels {
            let first = (c * channels + c) * taps;
            weight[first..first + taps].fill(from.scales[c] / taps as f32);
        }
        let kind = NirOp::Conv2d {
            input_shape: Some(sides),
            weight: Weights::new(vec![channels, channels, kernel[0], kernel[1]], weight),
            bias: Weights::new(vec![channels], vec![0.0; channels]),
            stride,
            padding,
            dilation: [1, 1],
            groups: 1,
        };
        WrittenValue { sources: vec![self.add_node(id, kind, from)], scales: vec![1.0; channels], selection: None }
    }

    pub(super) fn flat(&mut self, name: &str, from: WrittenValue, shape: &[usize]) -> WrittenValue {
        if shape.len() == 1 {
            return from;
        }
        let plane = shape.iter().skip(1).product::<usize>();
        let scales =
            from.scales.iter().flat_map(|&scale_of_channel| std::iter::repeat_n(scale_of_channel, plane)).collect();
        // Counted from the end, so that it holds with and without a batch dimension.
        let kind = NirOp::Flatten { input: shape.to_vec(), start: -(shape.len() as i64), end: -1 };
        WrittenValue {
            sources: vec![self.add(&format!("{name}_flatten"), kind, &from, Vec::new())],
            scales,
            selection: None,
        }
    }
}
