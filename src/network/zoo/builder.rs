//! Network builder of the zoo: adds nodes, computes shapes and draws random weights.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::network::{Activation, Network, Node, NodeId, Op, Weights};

/// A network under construction. Callers check that images are large enough for their windows.
pub(super) struct Builder {
    nodes: Vec<Node>,
    rng: ChaCha8Rng,
}

impl Builder {
    /// Starts with the input node, which has index 0.
    pub(super) fn new(input_shape: &[usize], seed: u64) -> Self {
        let input = Node { name: "input".into(), op: Op::Input, inputs: Vec::new(), shape: input_shape.to_vec() };
        Self { nodes: vec![input], rng: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// The finished network; its output is the last node.
    pub(super) fn finish(self, name: &str) -> Network {
        let output = self.nodes.len() - 1;
        Network { name: name.into(), nodes: self.nodes, output, scaling: None, class_names: Vec::new() }
    }

    /// Adds a square convolution of `kernel` by `kernel` (odd), padded so that stride 1 keeps the size, optionally with bias.
    pub(super) fn conv(
        &mut self,
        name: &str,
        from: NodeId,
        channels: usize,
        kernel: usize,
        stride: usize,
        bias: bool,
    ) -> NodeId {
        let &[c, h, w] = self.image(from);
        let weight = self.he_weights(vec![channels, c, kernel, kernel]);
        let bias = bias.then(|| zeros(channels));
        let op =
            Op::Conv2d { weight, bias, stride: [stride; 2], padding: [kernel / 2; 4], dilation: [1; 2], groups: 1 };
        self.push(name, op, vec![from], vec![channels, h.div_ceil(stride), w.div_ceil(stride)])
    }

    /// Adds a fully connected layer with bias.
    pub(super) fn linear(&mut self, name: &str, from: NodeId, outputs: usize) -> NodeId {
        let inputs = self.nodes[from].len();
        let op = Op::Linear { weight: self.he_weights(vec![outputs, inputs]), bias: Some(zeros(outputs)) };
        self.push(name, op, vec![from], vec![outputs])
    }

    /// Adds an untrained BatchNorm: scale 1 and shift 0 per channel.
    pub(super) fn norm(&mut self, name: &str, from: NodeId) -> NodeId {
        let shape = self.nodes[from].shape.clone();
        let op = Op::Affine { scale: vec![1.0; shape[0]], shift: vec![0.0; shape[0]] };
        self.push(name, op, vec![from], shape)
    }

    pub(super) fn activation(&mut self, name: &str, from: NodeId, activation: Activation) -> NodeId {
        self.push(name, Op::Activation(activation), vec![from], self.nodes[from].shape.clone())
    }

    /// Adds the mean over 2 by 2 windows; an odd last row or column is dropped.
    pub(super) fn avg_pool(&mut self, name: &str, from: NodeId) -> NodeId {
        let &[c, h, w] = self.image(from);
        let op = Op::AvgPool2d { kernel: [2; 2], stride: [2; 2], padding: [0; 4], count_include_pad: true };
        self.push(name, op, vec![from], vec![c, h / 2, w / 2])
    }

    /// Adds the mean over height and width: `[C, H, W]` to `[C]`.
    pub(super) fn global_avg_pool(&mut self, name: &str, from: NodeId) -> NodeId {
        let &[c, ..] = self.image(from);
        self.push(name, Op::Mean { axes: vec![1, 2] }, vec![from], vec![c])
    }

    /// Flattens any shape to `[F]`; a vector needs no node.
    pub(super) fn flatten(&mut self, name: &str, from: NodeId) -> NodeId {
        let len = self.nodes[from].len();
        if self.nodes[from].shape == [len] { from } else { self.push(name, Op::Reshape, vec![from], vec![len]) }
    }

    pub(super) fn add(&mut self, name: &str, a: NodeId, b: NodeId) -> NodeId {
        self.push(name, Op::Add, vec![a, b], self.nodes[a].shape.clone())
    }

    /// Number of channels of node `id`.
    pub(super) fn channels(&self, id: NodeId) -> usize {
        self.nodes[id].shape[0]
    }

    fn push(&mut self, name: &str, op: Op, inputs: Vec<NodeId>, shape: Vec<usize>) -> NodeId {
        self.nodes.push(Node { name: name.into(), op, inputs, shape });
        self.nodes.len() - 1
    }

    fn image(&self, id: NodeId) -> &[usize; 3] {
        match self.nodes[id].shape.first_chunk() {
            Some(shape) => shape,
            None => unreachable!("'{}' is not an image", self.nodes[id].name),
        }
    }

    /// Weights from N(0, 2/fan_in) (He initialization); fan_in is the product of all dimensions but the first.
    fn he_weights(&mut self, shape: Vec<usize>) -> Weights {
        let fan_in: usize = shape[1..].iter().product();
        let deviation = (2.0 / fan_in as f32).sqrt();
        let count = shape.iter().product();
        let draw = |_| deviation * <StandardNormal as Distribution<f32>>::sample(&StandardNormal, &mut self.rng);
        let data = (0..count).map(draw).collect();
        Weights::new(shape, data)
    }
}

fn zeros(len: usize) -> Weights {
    Weights::new(vec![len], vec![0.0; len])
}
