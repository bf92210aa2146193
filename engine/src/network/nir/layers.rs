//! Convolutions, pools and flattening of a NIR file as operations of the project's graph.

use hdf5_pure::Group;

use super::build::{GraphBuilder, flattened};
use super::items::FileNode;
use crate::Result;
use crate::error::format_shape;
use crate::network::{NodeId, Op, Weights};

impl GraphBuilder<'_> {
    /// Adds a 2-D convolution.
    pub(super) fn add_conv2d(&mut self, name: &str, group: &Group, source: NodeId) -> Result<NodeId> {
        let reader = self.reader;
        let weight = reader.read_floats(group, name, "weight")?;
        let dilation = reader.read_pair(group, name, "dilation")?;
        let stride = reader.read_pair(group, name, "stride")?;
        let kernel = [2, 3].map(|axis| weight.shape.get(axis).copied().unwrap_or(1));
        let padding = self.padding(group, name, kernel, stride, dilation)?;
        let groups = reader.read_usizes(group, name, "groups")?.first().copied().unwrap_or(1);
        let bias = Some(flattened(reader.read_floats(group, name, "bias")?));
        self.push(name, Op::Conv2d { weight, bias, stride, padding, dilation, groups }, vec![source], &[])
    }

    /// Adds a 1-D convolution as a 2-D one over images of one row.
    pub(super) fn add_conv1d(&mut self, name: &str, group: &Group, source: NodeId) -> Result<NodeId> {
        let reader = self.reader;
        let weight = reader.read_floats(group, name, "weight")?;
        let (&[out, per_group, taps], &[channels, length]) =
            (weight.shape.as_slice(), self.nodes[source].shape.as_slice())
        else {
            let reason = format!(
                "has weights {} for an input of {}; a 1-D convolution takes CxL",
                format_shape(&weight.shape),
                format_shape(&self.nodes[source].shape)
            );
            return Err(reader.fail(name, reason));
        };
        let single = |field: &str| reader.read_usizes(group, name, field).map(|v| v.first().copied().unwrap_or(1));
        let (stride, dilation) = ([1, single("stride")?], [1, single("dilation")?]);
        let [_, left, _, right] = self.padding(group, name, [1, taps], stride, dilation)?;
        let groups = single("groups")?;
        let weight = Weights { shape: vec![out, per_group, 1, taps], data: weight.data };
        let bias = Some(flattened(reader.read_floats(group, name, "bias")?));
        let row = self.push(&format!("{name}.row"), Op::Reshape, vec![source], &[channels, 1, length])?;
        let op = Op::Conv2d { weight, bias, stride, padding: [0, left, 0, right], dilation, groups };
        let conv = self.push(name, op, vec![row], &[])?;
        let shape = [out, self.nodes[conv].shape.get(2).copied().unwrap_or(1)];
        self.push(&format!("{name}.line"), Op::Reshape, vec![conv], &shape)
    }

    /// Adds a pool of the mean or, if `is_sum`, of the sum.
    pub(super) fn add_pool(&mut self, name: &str, group: &Group, source: NodeId, is_sum: bool) -> Result<NodeId> {
        let kernel = self.reader.read_pair(group, name, "kernel_size")?;
        let [down, right] = self.reader.read_pair(group, name, "padding")?;
        let stride = self.reader.read_pair(group, name, "stride")?;
        let op = Op::AvgPool2d { kernel, stride, padding: [down, right, down, right], count_include_pad: true };
        let mean = self.push(name, op, vec![source], &[])?;
        if !is_sum {
            return Ok(mean);
        }
        // A sum pool is a mean times the window size.
        let scale = vec![(kernel[0] * kernel[1]) as f32];
        self.push(&format!("{name}.sum_of_window"), Op::Affine { scale, shift: vec![0.0] }, vec![mean], &[])
    }

    /// Adds a Flatten of dimensions `start_dim` to `end_dim` of the shape without the batch.
    pub(super) fn add_flatten(&mut self, index: usize, source: NodeId) -> Result<NodeId> {
        let (reader, FileNode { name, group, .. }) = (self.reader, self.item(index));
        let shape = self.nodes[source].shape.clone();
        if shape.len() == 1 {
            return Ok(source);
        }
        let dimension = |field: &str| -> Result<usize> {
            let stated = reader.read_integers(group, name, field)?.first().copied().unwrap_or(0);
            let at = if stated < 0 { stated + shape.len() as i64 } else { stated };
            usize::try_from(at).ok().filter(|&at| at < shape.len()).ok_or_else(|| {
                reader.fail(name, format!("its '{field}' is {stated} for an input of {}", format_shape(&shape)))
            })
        };
        let all: usize = shape.iter().product();
        // Some packages count the batch as PyTorch does; then the layer behind reads all values at once.
        let takes_all = |&at: &usize| {
            let FileNode { name, kind, group, .. } = self.item(at);
            matches!(kind.as_str(), "Affine" | "Linear")
                && reader.read_floats(group, name, "weight").is_ok_and(|w| w.shape.get(1) == Some(&all))
        };
        let consumers = &self.consumers[index];
        let (start, end) = (dimension("start_dim"), dimension("end_dim"));
        let is_exact = matches!((&start, &end), (Ok(0), Ok(end)) if *end + 1 == shape.len());
        if !is_exact && !consumers.is_empty() && consumers.iter().all(takes_all) {
            self.notes.push(format!(
                "'{name}' flattens all dimensions of {}: its start_dim is taken to count the batch, because the next layer \
                 reads {all} values",
                format_shape(&shape)
            ));
            return self.flat(name, source);
        }
        let (start, end) = (start?, end?);
        if start > end {
            return Err(reader.fail(name, format!("its start_dim {start} is after its end_dim {end}")));
        }
        let mut flattened = shape[..start].to_vec();
        flattened.push(shape[start..=end].iter().product());
        flattened.extend(&shape[end + 1..]);
        if flattened == shape { Ok(source) } else { self.push(name, Op::Reshape, vec![source], &flattened) }
    }

    /// `[top, left, bottom, right]` of a convolution whose padding is a number, a pair, "same" or "valid".
    fn padding(
        &self,
        group: &Group,
        name: &str,
        kernel: [usize; 2],
        stride: [usize; 2],
        dilation: [usize; 2],
    ) -> Result<[usize; 4]> {
        let word =
            group.dataset("padding").and_then(|data| data.read_string()).ok().and_then(|text| text.into_iter().next());
        match word.as_deref() {
            Some("valid") => Ok([0; 4]),
            Some("same") => {
                let mut padding = [0; 4];
                for i in 0..2 {
                    let span = (kernel[i].max(1) - 1).saturating_mul(dilation[i]);
                    if stride[i] != 1 {
                        return Err(self.reader.fail(name, "padding 'same' needs a stride of 1"));
                    }
                    (padding[i], padding[i + 2]) = (span / 2, span - span / 2);
                }
                Ok(padding)
            }
            _ => self.reader.read_pair(group, name, "padding").map(|[down, right]| [down, right, down, right]),
        }
    }
}
