//! Layers and channels that the calibration never saw active.

use super::{Finding, Mend, Severity};
use crate::convert::{Calibration, Recipe};
use crate::network::Network;

/// From this share of a layer's channels on, dead ones are more than a note.
const MANY: f64 = 0.25;

/// Layers that are never active on the calibration samples (nothing to set a threshold by), and dead channels.
pub fn silent_layers(network: &Network, calibration: &Calibration, recipe: &Recipe) -> Vec<Finding> {
    let mut found = Vec::new();
    for layer in &calibration.layers {
        let name = network.nodes[layer.node].name.as_str();
        if layer.layer.positive.is_empty() {
            let by_hand = recipe.by_hand.contains_key(name);
            let severity = if by_hand { Severity::Warning } else { Severity::Error };
            let text = format!(
                "no neuron of this layer is ever active on the {} calibration samples, so that nothing says what its threshold \
                 should be; the input scaling is wrong, the samples are, or the layer died in training",
                calibration.samples
            );
            found.push(Finding::new("never active", severity, Some(name), text));
            continue;
        }
        let dead = layer.channels.iter().filter(|channel| channel.positive.is_empty()).count();
        if dead > 0 {
            let share = dead as f64 / layer.channels.len() as f64;
            let severity = if share >= MANY { Severity::Warning } else { Severity::Note };
            let text = format!(
                "{dead} of {} channels are never active on the calibration samples: with a threshold per channel theirs is 0 and \
                 their spikes carry nothing, with one per layer they stay silent unless other samples wake them",
                layer.channels.len()
            );
            found.push(Finding::new("dead channels", severity, Some(name), text));
        }
    }
    let stray = recipe
        .by_hand
        .keys()
        .filter(|name| !calibration.layers.iter().any(|layer| network.nodes[layer.node].name == **name));
    found.extend(stray.map(|name| {
        Finding::warning(
            "threshold of no layer",
            Some(name),
            "a threshold was set by hand for a layer that this network does not have",
        )
        .mended_by(Mend::LayerThreshold { layer: name.clone(), theta: None })
    }));
    found
}
