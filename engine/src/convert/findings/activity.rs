//! Findings about activity: layers and channels that are never active, and numbers that are not finite.

use super::{Finding, Fix, Severity};
use crate::compute::AnnRun;
use crate::compute::simd::dispatch;
use crate::compute::simd::range::IsBelow;
use crate::convert::thresholds::SILENT_THETA;
use crate::convert::{Calibration, Recipe, ThresholdRule};
use crate::network::{Network, Node, Op};

/// Fraction of a layer's channels from which on dead ones are a warning, not a note.
const WARNING_FRACTION: f64 = 0.25;
/// Maximum number of layers named in the text, the worst first.
const MAX_NAMED_LAYERS: usize = 4;

/// Layers that are never active on the calibration samples (so a threshold rule has no data), and dead channels.
pub fn silent_layers(network: &Network, calibration: &Calibration, recipe: &Recipe) -> Vec<Finding> {
    let (mut found, mut with_dead_channels) = (Vec::new(), Vec::new());
    for layer in &calibration.layers {
        let name = network.nodes[layer.node].name.as_str();
        if layer.layer.is_silent() {
            let has_lambda = matches!(network.nodes[layer.node].op, Op::Activation(a) if a.lambda().is_some());
            let theta = if recipe.manual_thresholds.contains_key(name) {
                "its threshold was set by hand".to_owned()
            } else if recipe.threshold == ThresholdRule::Learned && has_lambda {
                "its threshold is the learned one".to_owned()
            } else {
                format!("there is nothing to fit its threshold to: θ = {SILENT_THETA} is used")
            };
            let text = format!(
                "no neuron of this layer is active on the {} calibration samples, and {theta}. It stays silent unless \
                 other samples activate it. Check input scaling and samples, or the layer died in training",
                calibration.samples
            );
            found.push(Finding::warning("never active", Some(name), text));
            continue;
        }
        let dead = layer.channels.iter().filter(|channel| channel.is_silent()).count();
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

/// Samples of a run on which the ANN computes numbers that are not finite.
pub fn not_finite(network: &Network, ann: &AnnRun) -> Option<Finding> {
    let layers: Vec<&Node> = network.activation_nodes().map(|(id, _)| &network.nodes[id]).collect();
    let is_broken = |values: &[f32]| !dispatch(IsBelow { values, limit: f32::MAX });
    let broken_in = |values: &[f32], width: usize| -> Vec<usize> {
        let samples = values.chunks(width.max(1)).enumerate();
        samples.filter(|(_, values)| is_broken(values)).map(|(sample, _)| sample).collect()
    };
    let parts = ann.pre_activations.iter().zip(&layers).map(|(z, layer)| (layer.name.as_str(), z, layer.len()));
    let parts = parts.chain([("the output", &ann.logits, ann.classes)]);
    let (name, samples) =
        parts.map(|(name, values, width)| (name, broken_in(values, width))).find(|(_, samples)| !samples.is_empty())?;
    let text = format!(
        "the ANN's values are not finite on {} of {} samples (first in {name}, sample {} of the run): their predictions \
         and errors mean nothing. Check these samples, the input scaling and the weights",
        samples.len(),
        ann.samples,
        samples[0]
    );
    Some(Finding::warning("not finite", None, text))
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
    fn samples_with_numbers_that_are_not_finite_are_found() {
        let node = |op, inputs: &[usize]| Node { name: "a".into(), op, inputs: inputs.to_vec(), shape: vec![2] };
        let nodes = vec![node(Op::Input, &[]), node(Op::Activation(crate::network::Activation::Relu), &[0])];
        let network = Network { name: "n".into(), nodes, output: 1, scaling: None, class_names: vec![], neurons: None };
        let mut ann =
            AnnRun { samples: 2, classes: 2, logits: vec![0.0; 4], pre_activations: vec![vec![0.0, 1.0, -1.0, 2.0]] };
        assert_eq!(not_finite(&network, &ann), None);
        ann.logits[3] = f32::NAN;
        assert!(not_finite(&network, &ann).unwrap().text.contains("1 of 2 samples (first in the output, sample 1"));
        ann.pre_activations[0][1] = f32::INFINITY;
        assert!(not_finite(&network, &ann).unwrap().text.contains("first in a, sample 0"));
    }

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
