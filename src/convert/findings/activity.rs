//! Findings about layers and channels that are never active in calibration.

use super::{Finding, Fix, Severity};
use crate::convert::{Calibration, Recipe};
use crate::network::Network;

/// Fraction of a layer's channels from which on dead ones are a warning, not a note.
const WARNING_FRACTION: f64 = 0.25;
/// Maximum number of layers named in the text, the worst first.
const MAX_NAMED_LAYERS: usize = 4;

/// Layers that are never active on the calibration samples (so a threshold rule has no data), and dead channels.
pub fn silent_layers(network: &Network, calibration: &Calibration, recipe: &Recipe) -> Vec<Finding> {
    let (mut found, mut with_dead_channels) = (Vec::new(), Vec::new());
    for layer in &calibration.layers {
        let name = network.nodes[layer.node].name.as_str();
        if layer.layer.positive.is_empty() {
            let by_hand = recipe.manual_thresholds.contains_key(name);
            let severity = if by_hand { Severity::Warning } else { Severity::Error };
            let text = format!(
                "no neuron of this layer is active on the {} calibration samples, so its threshold is undefined. Check \
                 input scaling and samples, or the layer died in training",
                calibration.samples
            );
            found.push(Finding::new("never active", severity, Some(name), text));
            continue;
        }
        let dead = layer.channels.iter().filter(|channel| channel.positive.is_empty()).count();
        if dead > 0 {
            with_dead_channels.push((name, dead, layer.channels.len()));
        }
    }
    found.extend(dead_channels(&with_dead_channels, calibration.layers.len()));
    let stray = recipe
        .manual_thresholds
        .keys()
        .filter(|name| !calibration.layers.iter().any(|layer| network.nodes[layer.node].name == **name));
    found.extend(stray.map(|name| {
        Finding::warning(
            "threshold of no layer",
            Some(name),
            "a threshold was set by hand for a layer that does not exist in this network",
        )
        .with_fix(Fix::LayerThreshold { layer: name.clone(), theta: None })
    }));
    found
}

/// One finding for all layers with channels that are never active: `(layer, dead channels, channels)` of each. The
/// consequences are the same for all of them.
fn dead_channels(layers: &[(&str, usize, usize)], of: usize) -> Option<Finding> {
    let share = |&(_, dead, all): &(&str, usize, usize)| dead as f64 / all.max(1) as f64;
    let worst = layers.iter().map(share).fold(0.0, f64::max);
    let severity = if worst >= WARNING_FRACTION { Severity::Warning } else { Severity::Note };
    let mut worst_first = layers.to_vec();
    worst_first.sort_by(|a, b| share(b).total_cmp(&share(a)));
    let mut named: Vec<String> = worst_first
        .iter()
        .take(MAX_NAMED_LAYERS)
        .map(|(name, dead, all)| format!("{dead} of {all} in {name}"))
        .collect();
    match layers.len().saturating_sub(MAX_NAMED_LAYERS) {
        0 => {}
        1 => named.push("some in one more layer".into()),
        more => named.push(format!("some in {more} more layers")),
    }
    let layer = match layers {
        [] => return None,
        [(name, ..)] => Some(*name),
        _ => None,
    };
    let text = format!(
        "{} of {of} layers {} channels that are never active on the calibration samples ({}): with thresholds per \
         channel theirs is 0 and their spikes have no effect; with one per layer they stay silent unless other samples \
         activate them",
        layers.len(),
        if layers.len() == 1 { "has" } else { "have" },
        named.join(", ")
    );
    Some(Finding::new("dead channels", severity, layer, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_channels_are_one_finding_with_the_worst_layer_first() {
        assert_eq!(dead_channels(&[], 3), None);
        let one = dead_channels(&[("a", 1, 16)], 3).unwrap();
        assert!(one.text.starts_with("1 of 3 layers has channels"), "{}", one.text);
        assert_eq!((one.layer.as_deref(), one.severity), (Some("a"), Severity::Note));
        let layers = [("a", 1, 16), ("b", 8, 16), ("c", 2, 16), ("d", 3, 16), ("e", 1, 16), ("f", 1, 16)];
        let all = dead_channels(&layers, 9).unwrap();
        assert!(all.layer.is_none() && all.severity == Severity::Warning);
        assert!(
            all.text.starts_with("6 of 9 layers have ")
                && all.text.contains("(8 of 16 in b, 3 of 16 in d")
                && all.text.contains("2 more layers"),
            "{}",
            all.text
        );
    }
}
