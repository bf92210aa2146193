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
        Network { name: name.into(), nodes: self.nodes, output, scaling: None, class_names: Vec::new(), neurons: None }
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

    /// Shapes the values of `from` to `[C, H, W]`.
    pub(super) fn unflatten(&mut self, name: &str, from: NodeId, shape: [usize; 3]) -> NodeId {
        self.push(name, Op::Reshape, vec![from], shape.to_vec())
    }

    pub(super) fn add(&mut self, name: &str, a: NodeId, b: NodeId) -> NodeId {
        self.push(name, Op::Add, vec![a, b], self.nodes[a].shape.clone())
    }

    /// Adds a convolution of `kernel` by `kernel` without bias, a BatchNorm and an activation: `NAME.conv`, `.bn`, `.act`.
    pub(super) fn unit(
        &mut self,
        name: &str,
        from: NodeId,
        channels: usize,
        [kernel, stride]: [usize; 2],
        activation: Activation,
    ) -> NodeId {
        let x = self.conv(&format!("{name}.conv"), from, channels, kernel, stride, false);
        let x = self.norm(&format!("{name}.bn"), x);
        self.activation(&format!("{name}.act"), x, activation)
    }

    /// Adds a 1x1 convolution of `skip` with BatchNorm, plus `deep` of the same channels resized to its size, and an
    /// activation behind the sum: `NAME.conv`, `.bn`, `.resize`, `.add`, `.act`.
    pub(super) fn lateral(&mut self, name: &str, skip: NodeId, deep: NodeId, activation: Activation) -> NodeId {
        let part = |part: &str| format!("{name}.{part}");
        let &[_, h, w] = self.image(skip);
        let resized = self.resize(&part("resize"), deep, [h, w]);
        let conv = self.conv(&part("conv"), skip, self.channels(deep), 1, 1, false);
        let norm = self.norm(&part("bn"), conv);
        let sum = self.add(&part("add"), norm, resized);
        self.activation(&part("act"), sum, activation)
    }

    /// Adds a bilinear resize of every channel to `[H, W]`.
    pub(super) fn resize(&mut self, name: &str, from: NodeId, [height, width]: [usize; 2]) -> NodeId {
        let &[c, h, w] = self.image(from);
        let op = Op::Resample { rows: bilinear(height, h), columns: bilinear(width, w) };
        self.push(name, op, vec![from], vec![c, height, width])
    }

    /// Adds a transposed convolution of 4 by 4 and stride 2 with bias, which doubles height and width; what goes beyond
    /// `[H, W]` is cropped at the end.
    pub(super) fn conv_transpose(
        &mut self,
        name: &str,
        from: NodeId,
        channels: usize,
        [height, width]: [usize; 2],
    ) -> NodeId {
        let &[c, h, w] = self.image(from);
        // Every output value sums 2 by 2 taps of each input channel.
        let weight = self.random_weights(vec![c, channels, 4, 4], (1.0 / (4 * c) as f32).sqrt());
        let op = Op::ConvTranspose2d {
            weight,
            bias: Some(zeros(channels)),
            stride: [2; 2],
            padding: [1, 1, 1 + 2 * h - height, 1 + 2 * w - width],
            output_padding: [0; 2],
            dilation: [1; 2],
            groups: 1,
        };
        self.push(name, op, vec![from], vec![channels, height, width])
    }

    /// Adds a 3x3 convolution with small weights from N(0, 0.02²) and `bias` in every channel, for an output.
    pub(super) fn output_conv(&mut self, name: &str, from: NodeId, channels: usize, bias: f32) -> NodeId {
        let &[c, h, w] = self.image(from);
        let weight = self.random_weights(vec![channels, c, 3, 3], 0.02);
        let bias = Some(Weights::new(vec![channels], vec![bias; channels]));
        let op = Op::Conv2d { weight, bias, stride: [1; 2], padding: [1; 4], dilation: [1; 2], groups: 1 };
        self.push(name, op, vec![from], vec![channels, h, w])
    }

    /// Adds the outputs `parts`, each flattened under its name, as one vector.
    pub(super) fn outputs(&mut self, parts: &[(String, NodeId)]) -> NodeId {
        let flat = |(name, id): &(String, NodeId)| {
            let len = self.nodes[*id].len();
            self.push(name, Op::Reshape, vec![*id], vec![len])
        };
        let flat: Vec<NodeId> = parts.iter().map(flat).collect();
        let len = flat.iter().map(|&id| self.nodes[id].len()).sum();
        self.push("outputs", Op::Concat { axis: 0 }, flat, vec![len])
    }

    /// Number of channels of node `id`.
    pub(super) fn channels(&self, id: NodeId) -> usize {
        self.nodes[id].shape[0]
    }

    fn push(&mut self, name: &str, op: Op, inputs: Vec<NodeId>, shape: Vec<usize>) -> NodeId {
        self.nodes.push(Node { name: name.into(), op, inputs, shape });
        self.nodes.len() - 1
    }

    /// Shape `[C, H, W]` of node `id`.
    pub(super) fn image(&self, id: NodeId) -> &[usize; 3] {
        match self.nodes[id].shape.first_chunk() {
            Some(shape) => shape,
            None => unreachable!("'{}' is not an image", self.nodes[id].name),
        }
    }

    /// Weights from N(0, 2/fan_in) (He initialization); fan_in is the product of all dimensions but the first.
    fn he_weights(&mut self, shape: Vec<usize>) -> Weights {
        let fan_in: usize = shape[1..].iter().product();
        self.random_weights(shape, (2.0 / fan_in as f32).sqrt())
    }

    /// Weights from N(0, `deviation`²).
    fn random_weights(&mut self, shape: Vec<usize>, deviation: f32) -> Weights {
        let count = shape.iter().product();
        let draw = |_| deviation * <StandardNormal as Distribution<f32>>::sample(&StandardNormal, &mut self.rng);
        let data = (0..count).map(draw).collect();
        Weights::new(shape, data)
    }
}

/// Bilinear interpolation from `from` to `to` values, `[to, from]`; pixels are areas (align_corners of PyTorch is false).
fn bilinear(to: usize, from: usize) -> Weights {
    let mut data = vec![0.0; to * from];
    for (k, row) in data.chunks_exact_mut(from).enumerate() {
        let at = ((k as f32 + 0.5) * from as f32 / to as f32 - 0.5).clamp(0.0, (from - 1) as f32);
        let first = at as usize;
        let part = at - first as f32;
        row[first] += 1.0 - part;
        row[(first + 1).min(from - 1)] += part;
    }
    Weights::new(vec![to, from], data)
}

fn zeros(len: usize) -> Weights {
    Weights::new(vec![len], vec![0.0; len])
}
