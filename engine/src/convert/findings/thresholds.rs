//! Findings about thresholds: too few values, out of range, or scaled differently from their inputs.

use super::{Finding, Fix};
use crate::convert::{
    ActivationStatistics, Calibration, Granularity, Recipe, SpikingLayer, SpikingNetwork, ThresholdRule,
};
use crate::network::{Network, NodeId, Op};

/// A percentile with fewer values than this above it is noisy.
const MIN_VALUES_ABOVE: f64 = 10.0;
/// Fraction of activations above θ from which on there is a warning.
const MAX_CLIPPED_FRACTION: f64 = 0.05;
/// A threshold beyond this many times the largest activation makes its layer almost silent.
const MAX_RATIO_TO_LARGEST: f32 = 4.0;
/// A shortcut whose spikes have more than this many times the layer's θ delivers more than the layer can emit in a
/// step.
const MAX_SHORTCUT_RATIO: f32 = 2.0;

/// Percentiles over so few values that they are almost the maximum. `pool` is the number of samples available for
/// calibration, `first` where the calibration begins.
pub fn too_few_values(
    network: &Network,
    calibration: &Calibration,
    recipe: &Recipe,
    first: usize,
    pool: usize,
) -> Option<Finding> {
    let ThresholdRule::Percentile(p) = recipe.threshold else { return None };
    let share = (1.0 - p / 100.0).max(0.0);
    if share == 0.0 {
        return None;
    }
    let values = |layer: &ActivationStatistics| match recipe.granularity {
        Granularity::Layer => layer.layer.len(),
        Granularity::Channel => layer.channels.iter().map(super::super::ActivationQuantiles::len).min().unwrap_or(0),
    };
    let fitted = calibration
        .layers
        .iter()
        .filter(|layer| !recipe.manual_thresholds.contains_key(&network.nodes[layer.node].name))
        // Nothing is fitted to a layer that is never active.
        .filter(|layer| !layer.layer.is_silent());
    let few: Vec<(&str, usize)> = fitted
        .map(|layer| (network.nodes[layer.node].name.as_str(), values(layer)))
        .filter(|(_, n)| *n as f64 * share < MIN_VALUES_ABOVE)
        .collect();
    let (name, least) = *few.iter().min_by_key(|(_, n)| *n)?;
    let per = if recipe.granularity == Granularity::Channel { "a channel" } else { "the layer" };
    let text = format!(
        "too few calibration values for percentile {p} in {} of {} layers: {per} has {least}, {:.1} above it, so θ is \
         noisy",
        few.len(),
        calibration.layers.len(),
        least as f64 * share
    );
    // Rounding must not require one more.
    let needed =
        ((MIN_VALUES_ABOVE / share / (least.max(1) as f64 / calibration.samples.max(1) as f64)) - 1e-6).ceil() as usize;
    let finding = Finding::warning("too few calibration samples", Some(name), text);
    let count = needed.min(pool.saturating_sub(first));
    // More samples help only if there are some.
    Some(if count > calibration.samples { finding.with_fix(Fix::Calibrate { first, count }) } else { finding })
}

/// Compares thresholds with the activations of the calibration: far above all of them, or below many.
pub fn check_thresholds(calibration: &Calibration, spiking: &SpikingNetwork) -> Vec<Finding> {
    let mut found = Vec::new();
    for (layer, statistics) in spiking.layers.iter().zip(&calibration.layers) {
        let sorted = &statistics.layer;
        if sorted.is_silent() || layer.theta.is_empty() {
            continue;
        }
        found.extend(silenced_channels(layer, statistics));
        // The ANN itself clips at λ.
        let highest = layer.activation.lambda().map_or(sorted.max(), |lambda| sorted.max().min(lambda));
        let (least, most) = layer.theta.iter().fold((f32::INFINITY, 0.0f32), |(a, b), &t| (a.min(t), b.max(t)));
        let to_largest = Fix::LayerThreshold { layer: layer.name.clone(), theta: Some(highest) };
        if least > MAX_RATIO_TO_LARGEST * highest {
            let text = format!(
                "θ is {least:.4} but no calibration activation is above {highest:.4}: its neurons hardly ever fire"
            );
            found.push(Finding::warning("threshold out of reach", Some(&layer.name), text).with_fix(to_largest));
        } else if layer.theta.len() == 1 && most < 0.99 * highest {
            let lost = sorted.fraction_above(most);
            if lost > MAX_CLIPPED_FRACTION {
                let text = format!(
                    "{:.1} % of the activations on the calibration samples are above θ = {most:.4} (largest {highest:.4}) and are clipped",
                    lost * 100.0
                );
                found.push(Finding::warning("clipped activations", Some(&layer.name), text).with_fix(to_largest));
            }
        }
    }
    found
}

/// Channels that are active and have θ = 0, because their activations above zero are fewer than the percentile leaves.
fn silenced_channels(layer: &SpikingLayer, statistics: &ActivationStatistics) -> Option<Finding> {
    if layer.theta.len() != statistics.channels.len() || layer.theta.len() < 2 {
        return None;
    }
    let channels = layer.theta.iter().zip(&statistics.channels);
    let silenced = channels.filter(|(theta, channel)| **theta <= 0.0 && !channel.is_silent()).count();
    let text = format!(
        "{silenced} of {} channels are active on the calibration samples but so rarely that the rule gives them θ = 0, \
         and their spikes have no effect. Use a higher percentile or threshold max",
        layer.theta.len()
    );
    let finding = Finding::warning("threshold of 0", Some(&layer.name), text);
    (silenced > 0).then(|| finding.with_fix(Fix::Threshold(ThresholdRule::Max)))
}

/// Branches of a sum with different scales. Spikes that arrive through a shortcut without weights have the θ of the
/// layer that emitted them. If that is several times the θ of the layer that adds them up, it cannot emit as much in
/// the steps in which they arrive.
pub fn branch_scales(network: &Network, spiking: &SpikingNetwork) -> Vec<Finding> {
    let theta_of = |node: NodeId| {
        let layer = spiking.layers.iter().find(|layer| layer.node == node)?;
        Some((layer, layer.theta.iter().copied().fold(0.0, f32::max)))
    };
    let mut found = Vec::new();
    for layer in &spiking.layers {
        let sum = network.nodes[layer.node].inputs[0];
        if !matches!(network.nodes[sum].op, Op::Add) {
            continue;
        }
        let theta = layer.theta.iter().copied().filter(|&theta| theta > 0.0).fold(f32::INFINITY, f32::min);
        for &branch in &network.nodes[sum].inputs {
            let Some((source, sent)) = unweighted_source(network, branch).and_then(theta_of) else { continue };
            let worth = sent / theta;
            if worth > MAX_SHORTCUT_RATIO {
                let text = format!(
                    "the branches of this sum have different scales: a spike of '{}' arrives through the shortcut with \
                     an amplitude of {worth:.1} θ of this layer, which emits at most one θ per step; the rest stays on \
                     the membrane. Set its θ nearer to {sent:.4}",
                    source.name
                );
                let fix = Fix::LayerThreshold { layer: layer.name.clone(), theta: Some(sent) };
                found.push(Finding::warning("branches scaled apart", Some(&layer.name), text).with_fix(fix));
            }
        }
    }
    found
}

/// The neurons whose spikes reach `id` unchanged, without weights or scale.
fn unweighted_source(network: &Network, id: NodeId) -> Option<NodeId> {
    let node = &network.nodes[id];
    match (&node.op, node.inputs.as_slice()) {
        (Op::Activation(_), _) => Some(id),
        (Op::Slice { .. } | Op::Pad { .. } | Op::Reshape | Op::Transpose { .. }, &[input]) => {
            unweighted_source(network, input)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::compute::program::Program;
    use crate::convert::calibrate;
    use crate::network::{Activation, Node, Weights};
    use crate::progress::JobControl;

    /// x [2] → fc → a → (fc → +a) → b → fc
    fn residual() -> Network {
        let linear =
            |scale: f32| Op::Linear { weight: Weights::new(vec![2, 2], vec![scale, 0.0, 0.0, scale]), bias: None };
        let node = |name: &str, op: Op, inputs: &[NodeId]| Node {
            name: name.into(),
            op,
            inputs: inputs.to_vec(),
            shape: vec![2],
        };
        let relu = || Op::Activation(Activation::Relu);
        let nodes = vec![
            node("x", Op::Input, &[]),
            node("fc1", linear(4.0), &[0]),
            node("a", relu(), &[1]),
            node("fc2", linear(-1.0), &[2]),
            node("sum", Op::Add, &[2, 3]),
            node("fc3", linear(1.0), &[0]),
            node("sum2", Op::Add, &[2, 5]),
            node("b", relu(), &[6]),
            node("fc4", linear(1.0), &[7]),
        ];
        Network { name: "n".into(), output: 8, nodes, scaling: None, class_names: vec![], neurons: None }
    }

    #[test]
    fn too_few_values_and_mismatched_thresholds_and_shortcuts_are_found() {
        let program = Program::new(Arc::new(residual()), &burn::tensor::Device::flex());
        let input: Vec<f32> = (0..40).map(|k| k as f32 / 40.0).collect();
        let calibration = calibrate(&program, &input, 20, &JobControl::default()).unwrap();
        let network = program.network();
        let mut recipe = Recipe::default();
        let found = too_few_values(network, &calibration, &recipe, 0, 10_000).unwrap();
        // Ten values above 99.9 % are 10,000 values: 5,000 samples of two neurons.
        assert_eq!(found.fix, Some(Fix::Calibrate { first: 0, count: 5000 }), "{}", found.text);
        assert_eq!(too_few_values(network, &calibration, &recipe, 0, 20).unwrap().fix, None);
        recipe.threshold = ThresholdRule::Max;
        assert_eq!(too_few_values(network, &calibration, &recipe, 0, 20), None);
        let spiking = |recipe: &Recipe| SpikingNetwork::convert(&program, &calibration, None, recipe).unwrap();
        let plain = spiking(&recipe);
        assert_eq!((check_thresholds(&calibration, &plain), branch_scales(network, &plain)), (vec![], vec![]));
        recipe.manual_thresholds.insert("b".into(), 0.5);
        let low = spiking(&recipe);
        assert_eq!(check_thresholds(&calibration, &low)[0].kind, "clipped activations");
        assert!(branch_scales(network, &low)[0].text.contains("'a'"));
        recipe.manual_thresholds.insert("b".into(), 100.0);
        assert_eq!(check_thresholds(&calibration, &spiking(&recipe))[0].kind, "threshold out of reach");
        // A channel that a percentile gives θ = 0 although it fires.
        let mut silenced = plain;
        silenced.layers[0].theta = vec![1.0, 0.0];
        let found = check_thresholds(&calibration, &silenced);
        assert_eq!((found[0].kind, &found[0].fix), ("threshold of 0", &Some(Fix::Threshold(ThresholdRule::Max))));
    }

    #[test]
    fn a_dead_layer_runs_silent_and_a_percentile_of_zeros_names_their_share() {
        let mut network = residual();
        let Op::Linear { weight, .. } = &mut network.nodes[1].op else { unreachable!() };
        *weight = Weights::new(vec![2, 2], vec![-1.0, 0.0, 0.0, 1.0]);
        let program = |network: &Network| Program::new(Arc::new(network.clone()), &burn::tensor::Device::flex());
        let input: Vec<f32> = (0..40).map(|k| k as f32 / 40.0).collect();
        let control = JobControl::default();
        let half = program(&network);
        let calibration = calibrate(&half, &input, 20, &control).unwrap();
        let recipe = Recipe { threshold: ThresholdRule::Percentile(40.0), ..Recipe::default() };
        let error = SpikingNetwork::convert(&half, &calibration, None, &recipe).unwrap_err().to_string();
        assert!(error.contains("'a'") && error.contains("50.00 % of its activations are 0"), "{error}");
        let Op::Linear { weight, .. } = &mut network.nodes[1].op else { unreachable!() };
        *weight = Weights::new(vec![2, 2], vec![-1.0, 0.0, 0.0, -1.0]);
        let dead = program(&network);
        let calibration = calibrate(&dead, &input, 20, &control).unwrap();
        for granularity in [Granularity::Layer, Granularity::Channel] {
            let recipe = Recipe { granularity, threshold: ThresholdRule::Max, ..Recipe::default() };
            let spiking = SpikingNetwork::convert(&dead, &calibration, None, &recipe).unwrap();
            assert_eq!(spiking.layers[0].theta, [1.0]);
            let found = crate::convert::findings::silent_layers(dead.network(), &calibration, &recipe);
            assert!(
                found[0].severity == crate::convert::Severity::Warning && found[0].text.contains("θ = 1"),
                "{found:?}"
            );
        }
        let error = calibrate(&dead, &[0.5, f32::NAN], 1, &control).unwrap_err().to_string();
        assert!(error.contains("NaN") && error.contains("number 0"), "{error}");
    }
}
