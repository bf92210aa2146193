//! Network assembler: builds a network from a state dict, layer by layer.
//!
//! It checks every requested key and every shape; errors name the file, the key and what to do.

use std::collections::HashSet;
use std::path::Path;

use crate::network::batch_norm::batch_norm;
use crate::network::shape_inference::{infer_shape, validate};
use crate::network::state_dict::StateDict;
use crate::network::{Activation, Network, Node, NodeId, Op, Weights};
use crate::{Error, Result};

/// PyTorch's default ε of batch normalization.
pub(super) const EPSILON: f64 = 1e-5;
/// Maximum number of surplus keys in an error message.
const MAX_LISTED_KEYS: usize = 6;

/// A network under construction. Node 0 is the input.
pub(super) struct NetworkAssembler<'a> {
    path: &'a Path,
    /// Name of the architecture for messages: "a ResNet".
    what: &'a str,
    pub state: &'a StateDict,
    used: HashSet<String>,
    nodes: Vec<Node>,
    /// Assumptions about activations and pools, which the keys do not contain.
    pub assumed: Assumptions,
    /// Unnamed neurons, by the number of their layer in the architecture file.
    numbered: Vec<(usize, NodeId)>,
}

impl<'a> NetworkAssembler<'a> {
    /// Starts with an input of shape `[C, H, W]` or `[F]`.
    ///
    /// # Errors
    /// [`Error::File`] for an input shape that is neither.
    pub fn new(
        path: &'a Path,
        what: &'a str,
        state: &'a StateDict,
        input: &[usize],
        assumed: Assumptions,
    ) -> Result<Self> {
        let node = Node { name: "input".into(), op: Op::Input, inputs: Vec::new(), shape: input.to_vec() };
        let is_valid = matches!(input.len(), 1 | 3) && infer_shape(&Op::Input, &[], input).is_ok();
        if !is_valid {
            let reason =
                format!("shape {} is neither an image CxHxW nor a vector F", crate::error::format_shape(input));
            return Err(Error::file(path, "input", reason));
        }
        Ok(Self { path, what, state, used: HashSet::new(), nodes: vec![node], assumed, numbered: Vec::new() })
    }

    /// The weights called `key`.
    ///
    /// # Errors
    /// [`Error::File`] naming the key when the file does not have it.
    pub fn weights(&mut self, key: &str) -> Result<&'a Weights> {
        self.optional(key).ok_or_else(|| {
            let reason = format!(
                "is missing, but {} needs it. Describe another architecture in {}.",
                self.what,
                self::architecture_hint(self.path)
            );
            Error::file(self.path, format!("key '{key}'"), reason)
        })
    }

    /// The weights called `key`, or `None` if the file does not have them.
    pub fn optional(&mut self, key: &str) -> Option<&'a Weights> {
        let weights = self.state.get(key)?;
        self.used.insert(key.to_owned());
        Some(weights)
    }

    /// Marks the keys that start with `prefix` as used although no layer reads them.
    pub fn ignore(&mut self, prefix: &str) {
        let keys = self.state.iter().map(|(key, _)| key).filter(|key| key.starts_with(prefix));
        self.used.extend(keys.map(str::to_owned));
    }

    /// Shape of node `id`.
    pub fn shape(&self, id: NodeId) -> &[usize] {
        &self.nodes[id].shape
    }

    /// The nodes so far, the input first.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node called `name`.
    pub fn find(&self, name: &str) -> Option<NodeId> {
        self.nodes.iter().position(|node| node.name == name)
    }

    /// The name of the last layer with a matrix of weights before `from`, up to the neurons before that.
    pub fn weights_before(&self, from: NodeId) -> Option<&str> {
        let (mut open, mut last) = (vec![from], None);
        while let Some(id) = open.pop() {
            match self.nodes[id].op {
                Op::Conv2d { .. } | Op::ConvTranspose2d { .. } | Op::Linear { .. } => last = last.max(Some(id)),
                Op::Activation(_) => {}
                _ => open.extend(&self.nodes[id].inputs),
            }
        }
        last.map(|id| self.nodes[id].name.as_str())
    }

    /// Notes that the unnamed neurons of layer `number` of the architecture file are node `id`.
    pub fn number(&mut self, number: usize, id: NodeId) {
        self.numbered.push((number, id));
    }

    /// The unnamed neurons that `name` means by their kind and the number of their layer: `relu2`.
    pub fn numbered(&self, name: &str) -> Option<NodeId> {
        let number = ["relu", "clip", "qcfs"].iter().find_map(|word| name.strip_prefix(word)?.parse::<usize>().ok())?;
        self.numbered.iter().find(|(layer, _)| *layer == number).map(|(_, id)| *id)
    }

    /// Adds a convolution with `{prefix}.weight` `[C_out, C_in/groups, kH, kW]` and, if present, `{prefix}.bias`. The number
    /// of groups follows from the shapes.
    pub fn conv(
        &mut self,
        prefix: &str,
        from: NodeId,
        stride: [usize; 2],
        padding: [usize; 4],
        dilation: [usize; 2],
    ) -> Result<NodeId> {
        let weight = self.weights(&format!("{prefix}.weight"))?.clone();
        let bias = self.optional(&format!("{prefix}.bias")).cloned();
        let channels = self.shape(from).first().copied().unwrap_or(0);
        let per_group = weight.shape.get(1).copied().unwrap_or(0);
        let groups = if per_group > 0 && channels % per_group == 0 { channels / per_group } else { 1 };
        let op = Op::Conv2d { weight, bias, stride, padding, dilation, groups };
        self.push_with_weights(prefix, op, from)
    }

    /// Adds a square convolution of odd size, padded so that stride 1 keeps the image size.
    pub fn same_conv(&mut self, prefix: &str, from: NodeId, stride: usize) -> Result<NodeId> {
        let kernel = self.weights(&format!("{prefix}.weight"))?.shape.get(2).copied().unwrap_or(1);
        self.conv(prefix, from, [stride; 2], [kernel / 2; 4], [1; 2])
    }

    /// Adds a fully connected layer with `{prefix}.weight` `[out, in]` and, if present, `{prefix}.bias`, on a flat input.
    pub fn linear(&mut self, prefix: &str, from: NodeId) -> Result<NodeId> {
        let weight = self.weights(&format!("{prefix}.weight"))?.clone();
        let bias = self.optional(&format!("{prefix}.bias")).cloned();
        self.push_with_weights(prefix, Op::Linear { weight, bias }, from)
    }

    /// Adds batch normalization with `{prefix}.running_mean` and `.running_var` and, if present, `.weight` and `.bias`.
    pub fn norm(&mut self, prefix: &str, from: NodeId, epsilon: f64) -> Result<NodeId> {
        let mean = self.weights(&format!("{prefix}.running_mean"))?;
        let variance = self.weights(&format!("{prefix}.running_var"))?;
        let ones = vec![1.0; mean.data.len()];
        let zeros = vec![0.0; mean.data.len()];
        let gamma = self.optional(&format!("{prefix}.weight")).map_or(ones.as_slice(), |w| w.data.as_slice());
        let beta = self.optional(&format!("{prefix}.bias")).map_or(zeros.as_slice(), |w| w.data.as_slice());
        let op =
            batch_norm([gamma, beta, mean.data.as_slice(), variance.data.as_slice()], epsilon).ok_or_else(|| {
                let reason =
                    "weight, bias, running_mean and running_var have different lengths, or a variance is negative";
                Error::file(self.path, format!("keys '{prefix}.…'"), reason)
            })?;
        self.push_with_weights(prefix, op, from)
    }

    /// Adds the activation at `prefix`: with its learned threshold, or ReLU in a file without thresholds.
    pub fn activation(&mut self, prefix: &str, from: NodeId) -> Result<NodeId> {
        let learned = |key: &str| key.ends_with(".thresh") || key.ends_with(".up");
        let key = self.state.threshold_key(prefix).or_else(|| {
            // In a file with learned thresholds, a missing one is an error, not a ReLU.
            self.state.iter().any(|(key, _)| learned(key)).then(|| format!("{prefix}.thresh"))
        });
        let activation = match key {
            None => Activation::Relu,
            Some(key) => self.assumed.with_threshold(self.single(&key)?),
        };
        self.push_with_weights(prefix, Op::Activation(activation), from)
    }

    /// The scalar called `key`.
    pub fn single(&mut self, key: &str) -> Result<f32> {
        let weights = self.weights(key)?;
        match weights.data.as_slice() {
            [number] => Ok(*number),
            _ => Err(Error::file(
                self.path,
                format!("key '{key}'"),
                format!("has shape {} instead of one number", crate::error::format_shape(&weights.shape)),
            )),
        }
    }

    /// Adds a pool over adjacent windows of 2 by 2.
    pub fn pool(&mut self, name: &str, from: NodeId, max: bool) -> Result<NodeId> {
        let (kernel, stride, padding) = ([2; 2], [2; 2], [0; 4]);
        let op = if max {
            Op::MaxPool2d { kernel, stride, padding, dilation: [1; 2] }
        } else {
            Op::AvgPool2d { kernel, stride, padding, count_include_pad: true }
        };
        self.push(name, op, vec![from], &[])
    }

    /// Adds the mean of every channel, `[C, H, W]` to `[C]`.
    pub fn global_mean(&mut self, name: &str, from: NodeId) -> Result<NodeId> {
        let channels = self.shape(from)[0];
        self.push(name, Op::Mean { axes: vec![1, 2] }, vec![from], &[channels])
    }

    /// Adds the means of `side` x `side` windows of each channel, which overlap where the sizes do not divide: PyTorch's
    /// `AdaptiveAvgPool2d`. A value of that size needs no node.
    pub fn adaptive_average(&mut self, name: &str, from: NodeId, side: usize) -> Result<NodeId> {
        let &[_, height, width] = self.shape(from) else { return Ok(from) };
        if [height, width] == [side, side] {
            return Ok(from);
        }
        let shares = |size: usize| {
            let mut shares = vec![0.0; side * size];
            for (k, row) in shares.chunks_mut(size.max(1)).enumerate() {
                let window = k * size / side..((k + 1) * size).div_ceil(side);
                let share = 1.0 / window.len() as f32;
                row[window].fill(share);
            }
            Weights::new(vec![side, size], shares)
        };
        self.push(name, Op::Resample { rows: shares(height), columns: shares(width) }, vec![from], &[])
    }

    /// Flattens any shape to `[F]`; a vector needs no node.
    pub fn flatten(&mut self, name: &str, from: NodeId) -> Result<NodeId> {
        let len = self.nodes[from].len();
        if self.shape(from).len() == 1 { Ok(from) } else { self.push(name, Op::Reshape, vec![from], &[len]) }
    }

    /// Adds a layer with weights `{prefix}.…`; errors name these keys.
    fn push_with_weights(&mut self, prefix: &str, op: Op, from: NodeId) -> Result<NodeId> {
        self.push_at(prefix, op, vec![from], &[], |prefix| format!("keys '{prefix}.…'"))
    }

    /// Adds a node. Its shape is inferred; for reshapes and means it is `stated`.
    pub fn push(&mut self, name: &str, op: Op, inputs: Vec<NodeId>, stated: &[usize]) -> Result<NodeId> {
        self.push_at(name, op, inputs, stated, |name| format!("layer '{name}'"))
    }

    /// Adds a node; errors about its shape give `place(name)` as their position.
    fn push_at(
        &mut self,
        name: &str,
        op: Op,
        inputs: Vec<NodeId>,
        stated: &[usize],
        place: impl Fn(&str) -> String,
    ) -> Result<NodeId> {
        let shapes: Vec<&[usize]> = inputs.iter().map(|&input| self.shape(input)).collect();
        let shape = infer_shape(&op, &shapes, stated).map_err(|reason| {
            let advice =
                format!("The layer does not fit {}. Describe it in {}.", self.what, self::architecture_hint(self.path));
            Error::file(self.path, place(name), format!("{reason}. {advice}"))
        })?;
        let name = self.unique(name);
        self.nodes.push(Node { name, op, inputs, shape });
        Ok(self.nodes.len() - 1)
    }

    /// Renames node `id` to `name`, which layer `number` of the architecture file `file` states.
    pub fn rename(&mut self, id: NodeId, name: &str, file: &Path, number: usize) -> Result<()> {
        if self.find(name).is_some_and(|other| other != id) {
            return Err(Error::file(file, format!("layer {number}"), format!("the name '{name}' is used twice")));
        }
        self.nodes[id].name = name.to_owned();
        Ok(())
    }

    fn unique(&self, name: &str) -> String {
        let taken = |name: &str| self.find(name).is_some();
        if !taken(name) {
            return name.to_owned();
        }
        (2..).map(|k| format!("{name}.{k}")).find(|name| !taken(name)).unwrap_or_default()
    }

    /// The finished network; its output is the last node.
    ///
    /// # Errors
    /// [`Error::File`] for unused keys, for an output that is not a vector, and for an invalid graph.
    pub fn finish(self, name: String) -> Result<Network> {
        let unused: Vec<&str> =
            self.state.iter().map(|(key, _)| key).filter(|key| !self.used.contains(*key) && !is_counter(key)).collect();
        if !unused.is_empty() {
            let named: Vec<_> = unused.iter().take(MAX_LISTED_KEYS).map(|key| format!("'{key}'")).collect();
            let more = if unused.len() > MAX_LISTED_KEYS {
                format!(" and {} more", unused.len() - MAX_LISTED_KEYS)
            } else {
                String::new()
            };
            let reason = format!(
                "{} does not use {}{more}. Describe them, or list them as ignored, in {}.",
                self.what,
                named.join(", "),
                self::architecture_hint(self.path)
            );
            return Err(Error::file(self.path, "surplus keys", reason));
        }
        let output = self.nodes.len() - 1;
        let output_shape = &self.nodes[output].shape;
        if output_shape.len() != 1 {
            let reason = format!(
                "its shape is {}, not class scores. Flatten it before the last layer.",
                crate::error::format_shape(output_shape)
            );
            return Err(Error::file(self.path, format!("layer '{}'", self.nodes[output].name), reason));
        }
        let inner_softmax = self.nodes[..output].iter().find(|node| matches!(node.op, Op::Softmax { .. }));
        if let Some(node) = inner_softmax {
            let reason =
                "a softmax inside the network cannot be converted to spikes; only a final softmax is supported";
            return Err(Error::file(self.path, format!("layer '{}'", node.name), reason));
        }
        let network =
            Network { name, nodes: self.nodes, output, scaling: None, class_names: Vec::new(), neurons: None };
        validate(&network).map_err(|error| Error::file(self.path, "the network", error.to_string()))?;
        Ok(network)
    }
}

/// Whether `key` is a counter of batch normalization, which no layer reads.
pub(super) fn is_counter(key: &str) -> bool {
    key.ends_with("num_batches_tracked")
}

/// Assumptions about activations with a learned threshold, and pools, which weights do not contain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Assumptions {
    pub(super) levels: u32,
    pub(super) clip: bool,
    /// Max pools (true) or average pools (false); `None` for those of the family.
    pub(super) max_pool: Option<bool>,
}

impl Assumptions {
    fn with_threshold(self, lambda: f32) -> Activation {
        match self.clip {
            true => Activation::Clip { lambda },
            false => Activation::Qcfs { lambda, levels: self.levels, shift: 0.5 },
        }
    }
}

/// The name of the architecture file for the weights at `path`, and its manual, for messages.
pub(super) fn architecture_hint(path: &Path) -> String {
    format!("{}.arch.toml beside it (docs/architecture-files.md)", super::file_name::stem(path))
}
