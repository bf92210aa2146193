//! JSON form of a network's graph: structure only; every trained number is a tensor of the file.
//!
//! ```json
//! {"nodes": [{"name": "input", "op": {"kind": "input"}, "inputs": [], "shape": [1, 28, 28]},
//!            {"name": "conv1", "op": {"kind": "conv", "stride": [1, 1], "padding": [1, 1, 1, 1],
//!             "dilation": [1, 1], "groups": 1, "bias": true}, "inputs": [0], "shape": [8, 28, 28]}],
//!  "output": 1}
//! ```
//!
//! Node 0 is the input, and every entry of `inputs` is smaller than the index of its node. Cycles are thus impossible.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::network::{Activation, Network, Node, NodeId, Op, Weights};
use crate::{Error, Result};

/// A tensor of the file.
pub(super) type Weight = Weights;

/// Maximum number of values of a node for one sample; more is an error or an attack.
const MAX_NODE_VALUES: usize = 1 << 28;
/// Maximum number of dimensions of a sample shape, which the operations support.
const MAX_RANK: usize = 4;

/// The whole graph.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GraphRecord {
    nodes: Vec<NodeRecord>,
    output: NodeId,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeRecord {
    name: String,
    op: OpRecord,
    inputs: Vec<NodeId>,
    shape: Vec<usize>,
}

/// [`Op`] without its trained numbers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
enum OpRecord {
    Input,
    Conv {
        stride: [usize; 2],
        padding: [usize; 4],
        dilation: [usize; 2],
        groups: usize,
        bias: bool,
    },
    ConvTranspose {
        stride: [usize; 2],
        padding: [usize; 4],
        output_padding: [usize; 2],
        dilation: [usize; 2],
        groups: usize,
        bias: bool,
    },
    Resample,
    Linear {
        bias: bool,
    },
    Affine,
    Relu,
    Clip,
    Qcfs {
        levels: u32,
        shift: f32,
    },
    MaxPool {
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 4],
        dilation: [usize; 2],
    },
    AvgPool {
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 4],
        count_include_pad: bool,
    },
    Mean {
        axes: Vec<usize>,
    },
    Add,
    Concat {
        axis: usize,
    },
    Reshape,
    Transpose {
        perm: Vec<usize>,
    },
    Slice {
        axis: usize,
        start: usize,
        end: usize,
        step: usize,
    },
    Pad {
        before: Vec<usize>,
        after: Vec<usize>,
    },
    Softmax {
        log: bool,
    },
    Sigmoid,
}

impl GraphRecord {
    /// The graph of `network` and its tensors by name.
    pub(super) fn of(network: &Network) -> (Self, BTreeMap<String, Weight>) {
        let mut tensors = BTreeMap::new();
        let nodes = network
            .nodes
            .iter()
            .map(|node| {
                let mut add_tensor = |part: &str, weight: &Weights| {
                    tensors.insert(format!("{}.{part}", node.name), weight.clone());
                };
                let op = OpRecord::of(&node.op, &mut add_tensor);
                NodeRecord { name: node.name.clone(), op, inputs: node.inputs.clone(), shape: node.shape.clone() }
            })
            .collect();
        (Self { nodes, output: network.output }, tensors)
    }

    /// The nodes and the output's index, with tensors from `weight`. Order, names, arity, sizes of shapes and indices are
    /// checked here; `source` is the file name in errors.
    pub(super) fn into_nodes(
        self,
        source: &Path,
        weight: impl Fn(&str) -> Result<Weight>,
    ) -> Result<(Vec<Node>, NodeId)> {
        let fail = |place: String, reason: String| Error::file(source, place, reason);
        if self.output >= self.nodes.len() {
            let reason = format!("output {} does not exist in a graph of {} nodes", self.output, self.nodes.len());
            return Err(fail("graph".into(), reason));
        }
        let mut names = HashSet::new();
        let mut nodes = Vec::with_capacity(self.nodes.len());
        for (id, record) in self.nodes.into_iter().enumerate() {
            let place = format!("node {id} '{}'", record.name);
            record.check(id).map_err(|reason| fail(place.clone(), reason))?;
            if !names.insert(record.name.clone()) {
                return Err(fail(place, "another node has the same name".into()));
            }
            let op = record.op.into_op(|part| weight(&format!("{}.{part}", record.name)))?;
            if let Op::Activation(activation) = op
                && activation.lambda().is_some_and(|lambda| lambda <= 0.0)
            {
                return Err(fail(place, "its threshold λ must be above 0".into()));
            }
            nodes.push(Node { name: record.name, op, inputs: record.inputs, shape: record.shape });
        }
        Ok((nodes, self.output))
    }
}

impl NodeRecord {
    /// Checks everything that later code uses as an index or a size; returns the reason why it is invalid.
    fn check(&self, id: NodeId) -> std::result::Result<(), String> {
        if (id == 0) != matches!(self.op, OpRecord::Input) {
            return Err("the first node, and no other, must be the input".into());
        }
        if let Some(input) = self.inputs.iter().find(|&&input| input >= id) {
            return Err(format!("reads node {input}, which is not an earlier node"));
        }
        let (min_inputs, max_inputs) = match self.op {
            OpRecord::Input => (0, 0),
            OpRecord::Add | OpRecord::Concat { .. } => (1, usize::MAX),
            _ => (1, 1),
        };
        if self.inputs.len() < min_inputs || self.inputs.len() > max_inputs {
            return Err(format!("has {} inputs, which does not match its operation", self.inputs.len()));
        }
        if self.name.is_empty() {
            return Err("has no name".into());
        }
        if self.shape.is_empty() || self.shape.len() > MAX_RANK {
            return Err(format!(
                "shape {} has {} dimensions; 1 to {MAX_RANK} are supported",
                crate::error::format_shape(&self.shape),
                self.shape.len()
            ));
        }
        match self.shape.iter().try_fold(1usize, |size, &n| size.checked_mul(n)) {
            Some(1..=MAX_NODE_VALUES) => Ok(()),
            _ => Err(format!(
                "shape {} must have 1 to {MAX_NODE_VALUES} values",
                crate::error::format_shape(&self.shape)
            )),
        }
    }
}

impl OpRecord {
    fn of(op: &Op, add_tensor: &mut impl FnMut(&str, &Weights)) -> Self {
        let vector = |values: &[f32]| Weights::new(vec![values.len()], values.to_vec());
        match op {
            Op::Input => Self::Input,
            Op::Conv2d { weight, bias, stride, padding, dilation, groups } => {
                add_tensor("weight", weight);
                bias.iter().for_each(|bias| add_tensor("bias", bias));
                let (stride, padding, dilation) = (*stride, *padding, *dilation);
                Self::Conv { stride, padding, dilation, groups: *groups, bias: bias.is_some() }
            }
            Op::ConvTranspose2d { weight, bias, stride, padding, output_padding, dilation, groups } => {
                add_tensor("weight", weight);
                bias.iter().for_each(|bias| add_tensor("bias", bias));
                let (stride, padding, output_padding, dilation) = (*stride, *padding, *output_padding, *dilation);
                let bias = bias.is_some();
                Self::ConvTranspose { stride, padding, output_padding, dilation, groups: *groups, bias }
            }
            Op::Resample { rows, columns } => {
                add_tensor("rows", rows);
                add_tensor("columns", columns);
                Self::Resample
            }
            Op::Linear { weight, bias } => {
                add_tensor("weight", weight);
                bias.iter().for_each(|bias| add_tensor("bias", bias));
                Self::Linear { bias: bias.is_some() }
            }
            Op::Affine { scale, shift } => {
                add_tensor("scale", &vector(scale));
                add_tensor("shift", &vector(shift));
                Self::Affine
            }
            Op::Activation(activation) => {
                activation.lambda().iter().for_each(|&lambda| add_tensor("lambda", &vector(&[lambda])));
                match *activation {
                    Activation::Relu => Self::Relu,
                    Activation::Clip { .. } => Self::Clip,
                    Activation::Qcfs { levels, shift, .. } => Self::Qcfs { levels, shift },
                }
            }
            Op::MaxPool2d { kernel, stride, padding, dilation } => {
                Self::MaxPool { kernel: *kernel, stride: *stride, padding: *padding, dilation: *dilation }
            }
            Op::AvgPool2d { kernel, stride, padding, count_include_pad } => {
                let (kernel, stride, padding) = (*kernel, *stride, *padding);
                Self::AvgPool { kernel, stride, padding, count_include_pad: *count_include_pad }
            }
            Op::Mean { axes } => Self::Mean { axes: axes.clone() },
            Op::Add => Self::Add,
            Op::Concat { axis } => Self::Concat { axis: *axis },
            Op::Reshape => Self::Reshape,
            Op::Transpose { perm } => Self::Transpose { perm: perm.clone() },
            Op::Slice { axis, start, end, step } => Self::Slice { axis: *axis, start: *start, end: *end, step: *step },
            Op::Pad { before, after } => Self::Pad { before: before.clone(), after: after.clone() },
            Op::Softmax { log } => Self::Softmax { log: *log },
            Op::Sigmoid => Self::Sigmoid,
        }
    }

    fn into_op(self, weight: impl Fn(&str) -> Result<Weight>) -> Result<Op> {
        let bias = |has: bool| if has { weight("bias").map(Some) } else { Ok(None) };
        // A scalar is stored as a tensor too, so that reading it back gives the same bits.
        let vector = |part: &str| weight(part).map(|weight| weight.data.to_vec());
        let lambda = || vector("lambda").map(|values| values.first().copied().unwrap_or(0.0));
        Ok(match self {
            Self::Input => Op::Input,
            Self::Conv { stride, padding, dilation, groups, bias: has } => {
                Op::Conv2d { weight: weight("weight")?, bias: bias(has)?, stride, padding, dilation, groups }
            }
            Self::ConvTranspose { stride, padding, output_padding, dilation, groups, bias: has } => {
                let (weight, bias) = (weight("weight")?, bias(has)?);
                Op::ConvTranspose2d { weight, bias, stride, padding, output_padding, dilation, groups }
            }
            Self::Resample => Op::Resample { rows: weight("rows")?, columns: weight("columns")? },
            Self::Linear { bias: has } => Op::Linear { weight: weight("weight")?, bias: bias(has)? },
            Self::Affine => Op::Affine { scale: vector("scale")?, shift: vector("shift")? },
            Self::Relu => Op::Activation(Activation::Relu),
            Self::Clip => Op::Activation(Activation::Clip { lambda: lambda()? }),
            Self::Qcfs { levels, shift } => Op::Activation(Activation::Qcfs { lambda: lambda()?, levels, shift }),
            Self::MaxPool { kernel, stride, padding, dilation } => Op::MaxPool2d { kernel, stride, padding, dilation },
            Self::AvgPool { kernel, stride, padding, count_include_pad } => {
                Op::AvgPool2d { kernel, stride, padding, count_include_pad }
            }
            Self::Mean { axes } => Op::Mean { axes },
            Self::Add => Op::Add,
            Self::Concat { axis } => Op::Concat { axis },
            Self::Reshape => Op::Reshape,
            Self::Transpose { perm } => Op::Transpose { perm },
            Self::Slice { axis, start, end, step } => Op::Slice { axis, start, end, step },
            Self::Pad { before, after } => Op::Pad { before, after },
            Self::Softmax { log } => Op::Softmax { log },
            Self::Sigmoid => Op::Sigmoid,
        })
    }
}
