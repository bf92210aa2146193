//! Spike-count maps: where a layer spikes, whatever the target.
//!
//! Σ over channels of the mean output of the activation behind a layer, enlarged to the image. Of the spiking network that is
//! Σ_c θ_c·count_c/T, which needs no gradient and no second run; of the ANN the sum of its activations.

use super::backward::grad_cam::enlarged;
use super::backward::values::Values;
use crate::attack::ImageForm;
use crate::network::{Network, NodeId, Op};

/// The first activation that reads node `at`, perhaps through others; `at` itself if there is none.
pub fn behind(network: &Network, at: NodeId) -> NodeId {
    let mut reached = vec![false; network.nodes.len()];
    reached[at] = true;
    for (id, node) in network.nodes.iter().enumerate().skip(at + 1) {
        reached[id] = node.inputs.iter().any(|&input| reached[input]);
        if reached[id] && matches!(node.op, Op::Activation(_)) && node.shape.len() == 3 {
            return id;
        }
    }
    at
}

/// The map of each row, `[rows, F]`: the same in all channels.
pub fn spike_counts(values: &Values<'_>, at: NodeId, form: &ImageForm) -> Vec<f32> {
    let network = values.maps.network();
    let at = behind(network, at);
    let shape = &network.nodes[at].shape;
    let (size, area) = ([shape[1], shape[2]], shape[1] * shape[2]);
    let rows = values.of[at].chunks_exact((shape[0] * area).max(1));
    rows.flat_map(|row| {
        let mut sum = vec![0.0f32; area];
        row.chunks_exact(area.max(1)).for_each(|channel| sum.iter_mut().zip(channel).for_each(|(sum, a)| *sum += a));
        enlarged(&sum, size, form)
    })
    .collect()
}
