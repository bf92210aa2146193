//! Finds the spiking layers that a weight layer reads, through pools, scales, padding and concatenation.

use super::synapse_plan::{Grid, ShortcutMap, SlidingWindow, SourcePool};
use crate::network::{Network, NodeId, Op};

/// One spiking layer as a weight layer reads it.
#[derive(Clone, Debug)]
pub(super) struct UpstreamLayer {
    pub source: NodeId,
    pub from: Grid,
    pub pool: Option<SourcePool>,
    /// The grid behind the pool.
    pub grid: Grid,
    /// One factor, or one per channel of `grid`.
    pub scale: Vec<f32>,
    /// A factor of the amplitude of a spike: that of a scale right behind the neurons.
    pub gain: f32,
    /// Zero padding around `grid`: `[top, left]`.
    pub pad: [usize; 2],
    /// The reader's channel that is the first channel of `grid`.
    pub channel: usize,
}

/// Whether spikes reach each node without passing another layer of neurons; with `frames` the input is spikes too.
pub(super) fn reads_spikes(network: &Network, frames: bool) -> Vec<bool> {
    let mut reads = vec![false; network.nodes.len()];
    for (id, node) in network.nodes.iter().enumerate() {
        let emits = matches!(node.op, Op::Activation(_)) || (frames && matches!(node.op, Op::Input));
        reads[id] = emits || node.inputs.iter().any(|&input| reads[input]);
    }
    reads
}

/// The spiking layers that add up to the value of `id`, constants excluded; `None` if the value has no such form.
pub(super) fn upstream_layers(network: &Network, reads: &[bool], id: NodeId) -> Option<Vec<UpstreamLayer>> {
    if !reads[id] {
        return Some(Vec::new());
    }
    let node = &network.nodes[id];
    let grid = Grid::of(&node.shape)?;
    let back = |k: usize| upstream_layers(network, reads, node.inputs[k]);
    match &node.op {
        Op::Activation(_) | Op::Input => {
            let (scale, gain) = (vec![1.0], 1.0);
            Some(vec![UpstreamLayer { source: id, from: grid, pool: None, grid, scale, gain, pad: [0, 0], channel: 0 }])
        }
        // Multiplied into the amplitude before it meets weights: θ · 1/θ is 1, and the weights stay as they are.
        Op::Affine { scale, shift }
            if scale.len() == 1 && shift == &[0.0] && matches!(network.nodes[node.inputs[0]].op, Op::Activation(_)) =>
        {
            Some(back(0)?.into_iter().map(|layer| UpstreamLayer { gain: layer.gain * scale[0], ..layer }).collect())
        }
        Op::Affine { scale, .. } => {
            let mut layers = back(0)?;
            layers.iter_mut().for_each(|layer| layer.rescale(|c| if scale.len() == 1 { scale[0] } else { scale[c] }));
            Some(layers)
        }
        Op::Add => {
            let parts: Option<Vec<_>> = (0..node.inputs.len()).map(back).collect();
            Some(parts?.concat())
        }
        Op::Concat { axis: 0 } => {
            let (mut all, mut first) = (Vec::new(), 0);
            for (k, &input) in node.inputs.iter().enumerate() {
                all.extend(back(k)?.into_iter().map(|layer| UpstreamLayer { channel: layer.channel + first, ..layer }));
                first += network.nodes[input].shape[0];
            }
            Some(all)
        }
        Op::AvgPool2d { kernel, stride, padding, count_include_pad } => {
            let windows = SlidingWindow {
                kernel: *kernel,
                stride: *stride,
                padding: [padding[0], padding[1]],
                ..SlidingWindow::POINT
            };
            // Windows over the edge that count fewer places have other factors.
            (padding == &[0; 4] || *count_include_pad).then(|| mean(back(0)?, windows, grid)).flatten()
        }
        Op::Mean { axes } if axes == &[1, 2] => {
            let whole = Grid::of(&network.nodes[node.inputs[0]].shape)?;
            mean(back(0)?, SlidingWindow::whole(whole), grid)
        }
        Op::MaxPool2d { kernel, stride, padding, dilation }
            if matches!(network.nodes[node.inputs[0]].op, Op::Activation(_)) =>
        {
            let padding = [padding[0], padding[1]];
            let windows = SlidingWindow { kernel: *kernel, stride: *stride, padding, dilation: *dilation };
            let lateral = |layer| UpstreamLayer { pool: Some(SourcePool::Lateral(windows)), grid, ..layer };
            Some(back(0)?.into_iter().map(lateral).collect())
        }
        Op::Pad { before, after } if before.len() == 3 && before[0] == 0 && after[0] == 0 => {
            let padded = |layer: UpstreamLayer| UpstreamLayer {
                pad: [layer.pad[0] + before[1], layer.pad[1] + before[2]],
                ..layer
            };
            Some(back(0)?.into_iter().map(padded).collect())
        }
        Op::Reshape => {
            let before = Grid::of(&network.nodes[node.inputs[0]].shape)?;
            // The same values as channels of one place.
            (before.places() == 1 && grid.places() == 1).then(|| back(0)).flatten()
        }
        _ => None,
    }
}

/// The layers of [`upstream_layers`] behind a mean over windows.
fn mean(layers: Vec<UpstreamLayer>, windows: SlidingWindow, grid: Grid) -> Option<Vec<UpstreamLayer>> {
    let factor = 1.0 / (windows.kernel[0] * windows.kernel[1]) as f32;
    let pooled = |mut layer: UpstreamLayer| {
        if layer.pool.is_some() || layer.pad != [0, 0] {
            return None;
        }
        layer.rescale(|_| factor);
        let grid = Grid { channels: layer.grid.channels, ..grid };
        Some(UpstreamLayer { pool: Some(SourcePool::Mean(windows)), grid, ..layer })
    };
    layers.into_iter().map(pooled).collect()
}

impl UpstreamLayer {
    /// Multiplies each channel by `factor` of the reader's channel.
    fn rescale(&mut self, factor: impl Fn(usize) -> f32) {
        let channels = self.grid.channels;
        let scale = (0..channels).map(|c| self.scale_of(c) * factor(self.channel + c));
        let scale: Vec<f32> = scale.collect();
        self.scale = if scale.iter().all(|s| *s == scale[0]) { vec![scale[0]] } else { scale };
    }
    /// The factor of channel `c` of `grid`.
    pub fn scale_of(&self, c: usize) -> f32 {
        if self.scale.len() == 1 { self.scale[0] } else { self.scale[c] }
    }
}

/// A linear map before its weights are packed.
pub(super) enum UnpackedTerm {
    /// A convolution or fully connected node, and the layer it reads.
    Weights {
        node: NodeId,
        layer: UpstreamLayer,
        order: Option<Vec<usize>>,
        scale: Vec<f32>,
    },
    Shortcut {
        layer: UpstreamLayer,
        map: ShortcutMap,
    },
}

impl UnpackedTerm {
    /// The node whose spikes the map reads.
    pub fn source(&self) -> NodeId {
        match self {
            Self::Weights { layer, .. } | Self::Shortcut { layer, .. } => layer.source,
        }
    }
}
