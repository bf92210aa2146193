//! The network graph: nodes in topological order with their operations, weights and shapes.

use std::sync::Arc;

use crate::data::Scaling;

/// Index of a node in [`Network::nodes`].
pub type NodeId = usize;

/// A trained network. `nodes[0]` is the input; every node's inputs have smaller indices.
#[derive(Clone, Debug)]
pub struct Network {
    /// The name the user sees: the file's stem, or the name of a bundled network.
    pub name: String,
    pub nodes: Vec<Node>,
    /// The node whose value is the network's output.
    pub output: NodeId,
    /// Input scaling saved with the network, if its file states one.
    pub scaling: Option<Scaling>,
    /// Class names saved with the network; may be empty.
    pub class_names: Vec<String>,
    /// The spiking neurons that the network was trained with; `None` for an ANN.
    pub neurons: Option<TrainedNeurons>,
}

/// Neurons of a network that was trained as a spiking one. Their thresholds are the λ of its clip activations, their
/// potentials start at 0, and the image is the same current at every step (or one frame of a recording a step).
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TrainedNeurons {
    /// Time steps T of the training.
    pub steps: usize,
    /// What a step leaves of the potential, in thousandths: 1000 for IF neurons.
    pub decay: u16,
    /// Whether a spike sets the potential to 0 instead of subtracting θ.
    pub hard_reset: bool,
}

/// One operation of the graph with its inputs.
#[derive(Clone, Debug)]
pub struct Node {
    /// Dotted path in the source file (`layer1.0.conv1`), unique in the network.
    pub name: String,
    pub op: Op,
    pub inputs: Vec<NodeId>,
    /// Shape of this node's value for one sample, without the batch dimension: `[C, H, W]` or `[F]`.
    pub shape: Vec<usize>,
}

/// A tensor of trained numbers, row-major. The data are shared: rewriting a network does not copy them.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    pub shape: Vec<usize>,
    pub data: Arc<Vec<f32>>,
}

/// The operation of a node, per sample.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// The network's input.
    Input,
    /// 2-D convolution. `weight` `[C_out, C_in/groups, kH, kW]`; padding `[top, left, bottom, right]`.
    Conv2d {
        weight: Weights,
        bias: Option<Weights>,
        stride: [usize; 2],
        padding: [usize; 4],
        dilation: [usize; 2],
        groups: usize,
    },
    /// 2-D transposed convolution. `weight` `[C_in, C_out/groups, kH, kW]`. `output_padding` extends the full result at its
    /// end; then padding `[top, left, bottom, right]` is cropped from it.
    ConvTranspose2d {
        weight: Weights,
        bias: Option<Weights>,
        stride: [usize; 2],
        padding: [usize; 4],
        output_padding: [usize; 2],
        dilation: [usize; 2],
        groups: usize,
    },
    /// Resize of an image by any linear interpolation: `y = rows · x · columnsᵀ` per channel, `rows` `[H_out, H_in]`,
    /// `columns` `[W_out, W_in]`.
    Resample { rows: Weights, columns: Weights },
    /// Fully connected. `weight` `[out, in]`; the input is `[in]`.
    Linear { weight: Weights, bias: Option<Weights> },
    /// `y = scale[c]·x + shift[c]`; both have one entry, or one per channel (the first dimension of the shape).
    /// BatchNorm in evaluation mode is read as this.
    Affine { scale: Vec<f32>, shift: Vec<f32> },
    /// The nonlinearity that becomes a layer of integrate-and-fire neurons.
    Activation(Activation),
    /// Maximum over windows; padding `[top, left, bottom, right]` counts as -∞.
    MaxPool2d { kernel: [usize; 2], stride: [usize; 2], padding: [usize; 4], dilation: [usize; 2] },
    /// Mean over windows; padding `[top, left, bottom, right]`.
    AvgPool2d { kernel: [usize; 2], stride: [usize; 2], padding: [usize; 4], count_include_pad: bool },
    /// Mean over `axes` (indices into the sample shape); the node's shape decides whether they stay as dimensions of 1.
    Mean { axes: Vec<usize> },
    /// Sum of two or more values of the same shape.
    Add,
    /// Concatenation along `axis` of the sample shape.
    Concat { axis: usize },
    /// Another shape for the same values (flatten, squeeze, …): that of the node.
    Reshape,
    /// Permutation `perm` of the sample dimensions.
    Transpose { perm: Vec<usize> },
    /// `start..end` by `step` along `axis` of the sample shape.
    Slice { axis: usize, start: usize, end: usize, step: usize },
    /// Zero padding: `before` and `after` per sample dimension.
    Pad { before: Vec<usize>, after: Vec<usize> },
    /// Softmax (or its logarithm) over the last dimension; only at the end.
    Softmax { log: bool },
    /// The logistic function; only at the end.
    Sigmoid,
}

/// Activation functions that convert to integrate-and-fire neurons.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// `max(z, 0)`
    Relu,
    /// `min(max(z, 0), λ)` (TCL, ReLU6)
    Clip { lambda: f32 },
    /// `λ·clip(⌊zL/λ + shift⌋/L, 0, 1)` (QCFS, Bu et al. ICLR 2022; shift ½)
    Qcfs { lambda: f32, levels: u32, shift: f32 },
}

impl Activation {
    /// The activation at pre-activation `z`.
    #[inline(always)]
    pub fn apply(self, z: f32) -> f32 {
        match self {
            Self::Relu => z.max(0.0),
            Self::Clip { lambda } => z.clamp(0.0, lambda),
            Self::Qcfs { lambda, levels, shift } => {
                let l = levels as f32;
                lambda * (((z * l / lambda + shift).floor()) / l).clamp(0.0, 1.0)
            }
        }
    }
    /// The learned threshold λ, if the activation has one.
    pub fn lambda(self) -> Option<f32> {
        match self {
            Self::Relu => None,
            Self::Clip { lambda } | Self::Qcfs { lambda, .. } => Some(lambda),
        }
    }
    /// A short label: "ReLU", "clip 6.000", "QCFS L=8 λ=2.310".
    pub fn describe(self) -> String {
        match self {
            Self::Relu => "ReLU".into(),
            Self::Clip { lambda } => format!("clip {lambda:.3}"),
            Self::Qcfs { lambda, levels, .. } => format!("QCFS L={levels} λ={lambda:.3}"),
        }
    }
}

impl Weights {
    /// Panics in debug builds if `data` does not have as many values as `shape`.
    pub fn new(shape: Vec<usize>, data: Vec<f32>) -> Self {
        debug_assert_eq!(shape.iter().product::<usize>(), data.len());
        Self { shape, data: Arc::new(data) }
    }
}

impl Node {
    /// Number of values of this node for one sample.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }
    /// Whether the node has no values (never in a valid network).
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Name of the operation for lists and messages.
    pub fn kind_name(&self) -> &'static str {
        match &self.op {
            Op::Input => "input",
            Op::Conv2d { groups: 1, .. } => "conv",
            Op::Conv2d { .. } => "grouped conv",
            Op::ConvTranspose2d { .. } => "transposed conv",
            Op::Resample { .. } => "resize",
            Op::Linear { .. } => "fully connected",
            Op::Affine { .. } => "scale and shift",
            Op::Activation(_) => "activation",
            Op::MaxPool2d { .. } => "max pool",
            Op::AvgPool2d { .. } => "average pool",
            Op::Mean { .. } => "mean",
            Op::Add => "add",
            Op::Concat { .. } => "concat",
            Op::Reshape => "reshape",
            Op::Transpose { .. } => "transpose",
            Op::Slice { .. } => "slice",
            Op::Pad { .. } => "pad",
            Op::Softmax { log: false } => "softmax",
            Op::Softmax { log: true } => "log-softmax",
            Op::Sigmoid => "sigmoid",
        }
    }
}

impl Network {
    /// Shape of one input sample.
    pub fn input_shape(&self) -> &[usize] {
        &self.nodes[0].shape
    }
    /// Number of output values (classes) of the network.
    pub fn classes(&self) -> usize {
        self.nodes[self.output].len()
    }
    /// The activation nodes in network order: the layers that become spiking.
    pub fn activation_nodes(&self) -> impl Iterator<Item = (NodeId, Activation)> + '_ {
        self.nodes.iter().enumerate().filter_map(|(id, node)| match node.op {
            Op::Activation(activation) => Some((id, activation)),
            _ => None,
        })
    }
    /// Number of nodes that read each node's value, `[nodes]`; the network's output counts as one consumer.
    pub fn consumers(&self) -> Vec<usize> {
        let mut consumers = vec![0; self.nodes.len()];
        self.nodes.iter().flat_map(|node| &node.inputs).for_each(|&id| consumers[id] += 1);
        consumers[self.output] += 1;
        consumers
    }
    /// Total number of trained parameters.
    pub fn parameter_count(&self) -> usize {
        let count =
            |weight: &Weights, bias: &Option<Weights>| weight.data.len() + bias.as_ref().map_or(0, |b| b.data.len());
        self.nodes
            .iter()
            .map(|node| match &node.op {
                Op::Conv2d { weight, bias, .. }
                | Op::ConvTranspose2d { weight, bias, .. }
                | Op::Linear { weight, bias } => count(weight, bias),
                Op::Affine { scale, shift } => scale.len() + shift.len(),
                _ => 0,
            })
            .sum()
    }
}

/// A network, and the assumptions made while reading it, in sentences.
#[derive(Debug)]
pub struct OpenedNetwork {
    pub network: Network,
    pub notes: Vec<String>,
    /// The time step of a NIR file with neurons.
    pub time_step: Option<super::left_open::TimeStep>,
}
