//! One-dimensional convolutions in the NIR writer: convolutions of images of one row that are made of lines.

use super::node_weights::ungrouped_scaled;
use super::selection_conv::equalize_padding;
use super::writer::{Writer, WrittenValue};
use crate::network::nir::NirOp;
use crate::network::{NodeId, Op, Weights};

impl Writer<'_> {
    /// Whether node `id` makes an image of one row `[C, 1, L]` of a line `[C, L]`, for convolutions whose results become lines
    /// again.
    pub(super) fn is_row(&self, id: NodeId) -> bool {
        let node = &self.network.nodes[id];
        let (Op::Reshape, &[channels, 1, length]) = (&node.op, node.shape.as_slice()) else { return false };
        let is_line = self.network.nodes[node.inputs[0]].shape == [channels, length];
        let becomes_line = |conv: NodeId| {
            let along_row = matches!(&self.network.nodes[conv].op, Op::Conv2d { weight, padding, .. }
                if weight.shape[2] == 1 && padding[0] == 0 && padding[2] == 0);
            let reads = |reader: NodeId| {
                let Op::Reshape = self.network.nodes[reader].op else { return false };
                self.network.nodes[reader].shape.len() == 2
            };
            along_row && conv != self.network.output && self.readers(conv).all(reads)
        };
        is_line && self.readers(id).all(becomes_line)
    }

    /// Whether node `id` makes a line of the result of a convolution of a row.
    pub(super) fn is_line(&self, id: NodeId) -> bool {
        let node = &self.network.nodes[id];
        let conv = &self.network.nodes[node.inputs[0]];
        matches!((&node.op, &conv.op), (Op::Reshape, Op::Conv2d { .. })) && self.is_row(conv.inputs[0])
    }

    /// The nodes that read node `id`.
    pub(super) fn readers(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        let nodes = &self.network.nodes;
        (0..nodes.len()).filter(move |&reader| nodes[reader].inputs.contains(&id))
    }

    /// Writes convolution `id` of the row `from`.
    ///
    /// # Errors
    /// The reason why the reader or NIR has no such convolution, as text.
    pub(super) fn convolution_of_line(&mut self, id: NodeId, from: &WrittenValue) -> Result<WrittenValue, String> {
        let node = &self.network.nodes[id];
        let Op::Conv2d { weight, bias, stride, padding, dilation, groups } = &node.op else {
            return Err("is not a convolution".into());
        };
        let reader = self.target.reader;
        if !reader.reads_lines() {
            return Err(format!("{} has no one-dimensional convolution. Export without --for", reader.package()));
        }
        let weight = ungrouped_scaled(weight, *groups, &from.scales);
        let (weight, [_, padding]) = match padding[1] == padding[3] {
            true => (weight, [0, padding[1]]),
            false => equalize_padding(&weight, *padding, *dilation)
                .ok_or("NIR's convolution pads both sides equally, but this dilated one does not")?,
        };
        let &[out, inputs, _, taps] = weight.shape.as_slice() else { return Err("has no kernel".into()) };
        let bias = self.bias(id, bias.as_ref(), out);
        let kind = NirOp::Conv1d {
            input_shape: self.network.nodes[node.inputs[0]].shape[2],
            weight: Weights { shape: vec![out, inputs, taps], data: weight.data },
            bias,
            stride: stride[1],
            padding,
            dilation: dilation[1],
            groups: 1,
        };
        let sources = vec![self.add_node(id, kind, from)];
        Ok(WrittenValue { sources, scales: vec![1.0; out], selection: None })
    }
}
