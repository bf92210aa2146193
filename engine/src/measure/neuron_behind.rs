//! The neuron behind a place of a picture: of those read by the outputs, the one that differs most.

use super::run_data::{NeuronRef, RunData};
use crate::network::{Network, NodeId, Op};

/// The neuron that an output at the place `at` (x and y in fractions of the picture) reads, whose mean output after `steps`
/// steps differs most from the ANN's activation, |φ − a|. `network` is the one that runs. Layers without places count
/// whole; `None` if no neuron differs.
pub fn neuron_behind(
    network: &Network,
    data: &RunData<'_>,
    sample: usize,
    steps: usize,
    at: [f32; 2],
) -> Option<NeuronRef> {
    let read = layers_read(network);
    let mut best: Option<(f32, NeuronRef)> = None;
    for (layer, spiking) in data.spiking.layers.iter().enumerate().filter(|(_, layer)| read.contains(&layer.node)) {
        let count = spiking.neurons();
        let neurons: Vec<usize> = match spiking.shape[..] {
            [channels, height, width] if height * width > 1 => {
                let cell = |part: f32, side: usize| ((part * side as f32).max(0.0) as usize).min(side - 1);
                let place = cell(at[1], height) * width + cell(at[0], width);
                (0..channels).map(|channel| channel * height * width + place).collect()
            }
            _ => (0..count).collect(),
        };
        let spikes = &data.recording.layers[layer].spikes;
        let z = data.ann.pre_activations.get(layer)?.get(sample * count..(sample + 1) * count)?;
        for neuron in neurons {
            let counted: i32 = (0..steps).map(|t| spikes.value(t, sample, neuron)).sum();
            let phi = spiking.amplitude_of(neuron) * counted as f32 / steps.max(1) as f32;
            let off = (phi - spiking.activation.apply(z[neuron])).abs();
            if off > best.map_or(0.0, |(most, _)| most) {
                best = Some((off, NeuronRef { layer, sample, neuron }));
            }
        }
    }
    best.map(|(_, neuron)| neuron)
}

/// The activations that the output reads without another one between.
fn layers_read(network: &Network) -> Vec<NodeId> {
    let (mut open, mut seen, mut found) = (vec![network.output], vec![false; network.nodes.len()], Vec::new());
    while let Some(id) = open.pop() {
        if std::mem::replace(&mut seen[id], true) {
            continue;
        }
        match network.nodes[id].op {
            Op::Activation(_) => found.push(id),
            _ => open.extend(&network.nodes[id].inputs),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Activation, Node};

    #[test]
    fn only_the_last_neurons_on_each_path_are_behind_the_output() {
        let node = |op, inputs: &[NodeId]| Node { name: "n".into(), op, inputs: inputs.to_vec(), shape: vec![2, 3, 3] };
        let relu = || Op::Activation(Activation::Relu);
        let nodes = vec![
            node(Op::Input, &[]),
            node(relu(), &[0]),
            node(relu(), &[1]),
            node(Op::Add, &[1, 2]),
            node(Op::Reshape, &[3]),
        ];
        let network = Network { name: "n".into(), output: 4, nodes, scaling: None, class_names: vec![], neurons: None };
        let mut found = layers_read(&network);
        found.sort_unstable();
        assert_eq!(found, [1, 2]);
    }
}
