//! Builds the project's graph from the nodes of a NIR file, node type by node type.

use hdf5_pure::Group;

use super::items::{FileNode, NodeReader};
use crate::Result;
use crate::network::shape_inference::infer_shape;
use crate::network::{Activation, Node, NodeId, Op, Weights};

/// A graph under construction; nodes are added in topological order.
pub(super) struct GraphBuilder<'a> {
    pub(super) reader: &'a NodeReader<'a>,
    pub(super) nodes: Vec<Node>,
    pub(super) placed: Vec<Option<NodeId>>,
    pub(super) notes: Vec<String>,
}

impl GraphBuilder<'_> {
    fn push(&mut self, name: &str, op: Op, inputs: Vec<NodeId>, stated: &[usize]) -> Result<NodeId> {
        let shapes: Vec<&[usize]> = inputs.iter().map(|&input| self.nodes[input].shape.as_slice()).collect();
        let shape = infer_shape(&op, &shapes, stated).map_err(|reason| self.reader.fail(name, reason))?;
        self.nodes.push(Node { name: name.to_owned(), op, inputs, shape });
        Ok(self.nodes.len() - 1)
    }

    /// Adds one node of the file; returns its id if it is the output.
    ///
    /// # Errors
    /// [`crate::Error::File`] with the node, for unsupported types and values that do not match.
    pub(super) fn add_node(&mut self, items: &[FileNode], index: usize) -> Result<Option<NodeId>> {
        let FileNode { name, kind: type_name, group, inputs } = &items[index];
        let reader = self.reader;
        if type_name == "Input" {
            if !self.nodes.is_empty() {
                return Err(reader
                    .fail(name, "is a second input, or follows another node; networks with one input are supported"));
            }
            let shape = reader.read_usizes(group, name, "shape")?;
            if !matches!(shape.len(), 1 | 3) {
                return Err(reader.fail(
                    name,
                    format!("has shape {}; CxHxW and F are supported", crate::error::format_shape(&shape)),
                ));
            }
            self.placed[index] = Some(self.push(name, Op::Input, Vec::new(), &shape)?);
            return Ok(None);
        }
        let known: Option<Vec<NodeId>> = inputs.iter().map(|&input| self.placed[input]).collect();
        let Some(sources) = known.filter(|sources| !sources.is_empty()) else {
            return Err(reader.fail(name, "reads nothing; every node must depend on the input"));
        };
        // The values of several edges into one node are summed.
        let source = match sources[..] {
            [only] => only,
            _ => self.push(&format!("{name}.sum"), Op::Add, sources, &[])?,
        };
        let weights = |field: &str| reader.read_floats(group, name, field);
        let id = match type_name.as_str() {
            "Output" => {
                let shape = self.nodes[source].shape.clone();
                let is_flat = shape.len() == 1;
                let id = if is_flat {
                    source
                } else {
                    self.push(name, Op::Reshape, vec![source], &[shape.iter().product()])?
                };
                self.placed[index] = Some(id);
                return Ok(Some(id));
            }
            "Affine" => self.push(
                name,
                Op::Linear { weight: weights("weight")?, bias: Some(flattened(weights("bias")?)) },
                vec![source],
                &[],
            )?,
            "Linear" => self.push(name, Op::Linear { weight: weights("weight")?, bias: None }, vec![source], &[])?,
            "Conv2d" => {
                let weight = weights("weight")?;
                let dilation = reader.read_pair(group, name, "dilation")?;
                let stride = reader.read_pair(group, name, "stride")?;
                let padding = self.padding(group, name, &weight, stride, dilation, source)?;
                let groups = reader.read_usizes(group, name, "groups")?.first().copied().unwrap_or(1);
                let op =
                    Op::Conv2d { weight, bias: Some(flattened(weights("bias")?)), stride, padding, dilation, groups };
                self.push(name, op, vec![source], &[])?
            }
            "SumPool2d" | "AvgPool2d" => {
                let kernel = reader.read_pair(group, name, "kernel_size")?;
                let [down, right] = reader.read_pair(group, name, "padding")?;
                let stride = reader.read_pair(group, name, "stride")?;
                let op = Op::AvgPool2d { kernel, stride, padding: [down, right, down, right], count_include_pad: true };
                let mean = self.push(name, op, vec![source], &[])?;
                match type_name.as_str() {
                    // A sum pool is a mean times the window size.
                    "SumPool2d" => {
                        let scale = vec![(kernel[0] * kernel[1]) as f32];
                        self.push(
                            &format!("{name}.sum_of_window"),
                            Op::Affine { scale, shift: vec![0.0] },
                            vec![mean],
                            &[],
                        )?
                    }
                    _ => mean,
                }
            }
            "Flatten" => {
                let shape = self.nodes[source].shape.clone();
                let len: usize = shape.iter().product();
                if shape.len() == 1 { source } else { self.push(name, Op::Reshape, vec![source], &[len])? }
            }
            "Scale" => {
                let scale = weights("scale")?;
                let scale = self.per_channel(name, "scale", &scale, source)?;
                let shift = vec![0.0; scale.len()];
                self.push(name, Op::Affine { scale, shift }, vec![source], &[])?
            }
            "IF" => self.add_neurons(name, group, source)?,
            "LIF" | "LI" | "CubaLIF" | "CubaLI" => {
                return Err(reader
                    .fail(name, format!("{type_name} neurons leak; only IF neurons (without leak) are supported")));
            }
            other => return Err(reader.fail(name, format!("nodes of type '{other}' are not supported"))),
        };
        self.placed[index] = Some(id);
        Ok(None)
    }

    /// Adds an IF node as a scale of r/θ and a clip at 1.
    fn add_neurons(&mut self, name: &str, group: &Group, source: NodeId) -> Result<NodeId> {
        let reader = self.reader;
        let threshold =
            self.per_channel(name, "v_threshold", &reader.read_floats(group, name, "v_threshold")?, source)?;
        let r = self.per_channel(name, "r", &reader.read_floats(group, name, "r")?, source)?;
        if let Some(theta) = threshold.iter().find(|theta| **theta <= 0.0) {
            return Err(reader.fail(name, format!("a threshold is {theta}; it must be above 0")));
        }
        if let Ok(reset) = reader.read_floats(group, name, "v_reset")
            && reset.data.iter().any(|&v| v != 0.0)
        {
            return Err(reader.fail(name, "resets to a potential other than 0, which is not supported"));
        }
        let value_at = |v: &[f32], c: usize| if v.len() == 1 { v[0] } else { v[c] };
        let scale: Vec<f32> =
            (0..threshold.len().max(r.len())).map(|c| value_at(&r, c) / value_at(&threshold, c)).collect();
        let shift = vec![0.0; scale.len()];
        let scaled = match scale.iter().all(|&s| s == 1.0) {
            true => source,
            false => self.push(&format!("{name}.scale"), Op::Affine { scale, shift }, vec![source], &[])?,
        };
        self.push(name, Op::Activation(Activation::Clip { lambda: 1.0 }), vec![scaled], &[])
    }

    /// Reduces values per neuron to one value, or one per channel of `source`.
    fn per_channel(&self, name: &str, field: &str, values: &Weights, source: NodeId) -> Result<Vec<f32>> {
        let shape = &self.nodes[source].shape;
        let (channels, all) = (shape[0], self.nodes[source].len());
        if values.data.len() == 1 {
            return Ok(values.data.to_vec());
        }
        if values.data.len() == channels {
            return Ok(values.data.to_vec());
        }
        if values.data.len() != all {
            return Err(self
                .reader
                .fail(name, format!("its '{field}' has {} values for {all} neurons", values.data.len())));
        }
        let planes: Vec<&[f32]> = values.data.chunks(all / channels).collect();
        if planes.iter().any(|plane| plane.iter().any(|&v| v != plane[0])) {
            return Err(self
                .reader
                .fail(name, format!("its '{field}' differs within a channel; one value per channel is supported")));
        }
        let first: Vec<f32> = planes.iter().map(|plane| plane[0]).collect();
        Ok(if first.iter().all(|&v| v == first[0]) { vec![first[0]] } else { first })
    }

    fn padding(
        &self,
        group: &Group,
        name: &str,
        weight: &Weights,
        stride: [usize; 2],
        dilation: [usize; 2],
        source: NodeId,
    ) -> Result<[usize; 4]> {
        let type_name =
            group.dataset("padding").and_then(|data| data.read_string()).ok().and_then(|text| text.into_iter().next());
        match type_name.as_deref() {
            Some("valid") => Ok([0; 4]),
            Some("same") => {
                let mut padding = [0; 4];
                for i in 0..2 {
                    let span = (weight.shape.get(i + 2).copied().unwrap_or(1).max(1) - 1) * dilation[i];
                    if stride[i] != 1 || self.nodes[source].shape.len() != 3 {
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

/// A bias of any shape, as a vector.
fn flattened(weights: Weights) -> Weights {
    Weights { shape: vec![weights.data.len()], data: weights.data }
}
