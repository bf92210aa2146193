//! Finding about thresholds fitted to ReLU(z) although the ANN has QCFS activations.

use super::{Finding, Fix};
use crate::convert::{Recipe, SpikingLayer, SpikingNetwork, ThresholdRule};
use crate::network::Activation;

/// Thresholds that were fitted to ReLU(z) although the ANN has QCFS activations with a learned λ, as every rule except
/// [`ThresholdRule::Learned`] does. Layers with a manual threshold are skipped, and so is a plain clip, whose thresholds are
/// fitted to its own values. `None` if there are no such layers.
pub fn unclipped_thresholds(spiking: &SpikingNetwork, recipe: &Recipe) -> Option<Finding> {
    if recipe.threshold == ThresholdRule::Learned {
        return None;
    }
    let fitted = spiking.layers.iter().filter(|layer| !recipe.manual_thresholds.contains_key(&layer.name));
    let qcfs = |layer: &'_ SpikingLayer| match layer.activation {
        Activation::Qcfs { lambda, .. } => Some((layer.theta.clone(), lambda)),
        Activation::Relu | Activation::Clip { .. } => None,
    };
    let fitted: Vec<_> = fitted.filter_map(qcfs).collect();
    if fitted.is_empty() {
        return None;
    }
    let ratios = fitted.iter().flat_map(|(theta, lambda)| theta.iter().map(move |theta| theta / lambda));
    let (min_ratio, max_ratio) = ratios.fold((f32::INFINITY, 0.0f32), |(a, b), ratio| (a.min(ratio), b.max(ratio)));
    let all_clip = spiking.layers.iter().all(|layer| layer.activation.lambda().is_some());
    let (advice, fix) = if all_clip {
        ("use the learned thresholds", Some(Fix::Threshold(ThresholdRule::Learned)))
    } else {
        ("set the thresholds of these layers to λ by hand", None)
    };
    let text = format!(
        "{} of {} layers have QCFS activations, which clip at a learned λ, but the rule {} fits their thresholds to the \
         unclipped ReLU(z): θ is {min_ratio:.2} to {max_ratio:.2} times λ, and the ANN has θ = λ; {advice}",
        fitted.len(),
        spiking.layers.len(),
        recipe.threshold
    );
    Some(Finding { fix, ..Finding::warning("fitted past the clip", None, text) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::{Reset, SpikingLayer, TieRule};
    use crate::network::Activation;

    fn layer(name: &str, activation: Activation, theta: f32) -> SpikingLayer {
        SpikingLayer {
            node: 1,
            name: name.into(),
            shape: vec![4],
            theta: vec![theta],
            activation,
            neuron: Default::default(),
            v_init: 0.5,
            v_init_values: None,
            bias: Vec::new(),
            bias_shift: 0.0,
            reset: Reset::Soft,
            tie: TieRule::Ge,
        }
    }

    #[test]
    fn thresholds_that_are_not_those_of_qcfs_are_found_except_manual_ones() {
        let qcfs = Activation::Qcfs { lambda: 2.0, levels: 8, shift: 0.5 };
        let network = |layers| SpikingNetwork {
            layers,
            correction: Default::default(),
            pooling: Default::default(),
            dense_nodes: Vec::new(),
        };
        let both = network(vec![
            layer("a", qcfs, 5.0),
            layer("b", Activation::Qcfs { lambda: 1.0, levels: 8, shift: 0.5 }, 1.5),
        ]);
        let mut recipe = Recipe::default();
        let finding = unclipped_thresholds(&both, &recipe).unwrap();
        assert_eq!(finding.fix, Some(Fix::Threshold(ThresholdRule::Learned)));
        assert!(finding.text.contains("2 of 2") && finding.text.contains("1.50 to 2.50"), "{}", finding.text);
        recipe.manual_thresholds.insert("a".into(), 5.0);
        assert!(unclipped_thresholds(&both, &recipe).unwrap().text.contains("1 of 2"));
        let learned = Recipe { threshold: ThresholdRule::Learned, ..Recipe::default() };
        assert_eq!(unclipped_thresholds(&both, &learned), None);
        // A clip has thresholds of its own values.
        let clip = |theta| network(vec![layer("a", Activation::Clip { lambda: 2.0 }, theta)]);
        assert_eq!(unclipped_thresholds(&clip(0.6), &Recipe::default()), None);
        // A ReLU has no learned threshold, so the rule cannot be used for all layers.
        let mixed = network(vec![layer("a", qcfs, 5.0), layer("b", Activation::Relu, 1.0)]);
        assert_eq!(unclipped_thresholds(&mixed, &Recipe::default()).unwrap().fix, None);
        assert_eq!(unclipped_thresholds(&network(vec![layer("b", Activation::Relu, 1.0)]), &Recipe::default()), None);
    }
}
