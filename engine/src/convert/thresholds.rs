//! Thresholds of a layer by the recipe's rule, from its activation statistics.

use super::activation_quantiles::ActivationQuantiles;
use super::calibration::ActivationStatistics;
use super::recipe::{Granularity, Recipe, ThresholdRule};
use super::threshold_error::threshold_errors;
use crate::compute::program::Program;
use crate::network::{Activation, Op};
use crate::{Error, Result};

/// The θ with the least mean squared error of the T-level staircase against `fitted` ([`fitted_activation`]), among 95 values
/// from the maximum down in steps of one percent (Li et al., ICML 2021). The staircase starts from the recipe's v(0).
pub(super) fn min_mse_threshold(sorted: &ActivationQuantiles, fitted: Activation, steps: usize, v_init: f32) -> f32 {
    let max = fitted.apply(sorted.max());
    let grid: Vec<f32> = (0..95).map(|k| max * (1.0 - 0.01 * k as f32)).collect();
    let predictions = threshold_errors(sorted, fitted, &grid, steps, v_init);
    predictions.iter().min_by(|a, b| a.total().total_cmp(&b.total())).map_or(0.0, |best| best.theta)
}

/// Threshold of a layer that is never active on the calibration samples: any above 0 keeps it silent on them.
pub const SILENT_THETA: f32 = 1.0;

/// What rules fit thresholds to, by the activation of a layer: a clip, such as ReLU6, as it is. Percentiles and maxima of its
/// values are those of z, clipped. QCFS as ReLU(z), since no rule but the learned θ = λ fits its levels.
pub(crate) fn fitted_activation(activation: Activation) -> Activation {
    match activation {
        Activation::Clip { .. } => activation,
        Activation::Relu | Activation::Qcfs { .. } => Activation::Relu,
    }
}

/// The thresholds of one layer under the rule of `recipe`: one, or one per channel. A layer that is never active has
/// [`SILENT_THETA`].
///
/// # Errors
/// [`Error::Network`] if a ReLU has no learned threshold, or if the threshold of an active layer would be 0.
pub fn thresholds(program: &Program, statistics: &ActivationStatistics, recipe: &Recipe) -> Result<Vec<f32>> {
    let (rule, granularity) = (recipe.threshold, recipe.granularity);
    let node = &program.network().nodes[statistics.node];
    let Op::Activation(activation) = node.op else { unreachable!("statistics of a node that is not an activation") };
    let fitted = fitted_activation(activation);
    let of = |sorted: &ActivationQuantiles| match rule {
        ThresholdRule::Percentile(p) => sorted.percentile_of(p, fitted),
        ThresholdRule::Mse => min_mse_threshold(sorted, fitted, recipe.steps, recipe.v_init),
        _ => fitted.apply(sorted.max()),
    };
    if rule == ThresholdRule::Learned {
        return activation.lambda().map(|lambda| vec![lambda]).ok_or_else(|| {
            Error::network(
                &node.name,
                "a ReLU has no learned threshold. Use threshold percentile:99.9 or max for this network.",
            )
        });
    }
    if statistics.layer.is_silent() {
        return Ok(vec![SILENT_THETA]);
    }
    let theta: Vec<f32> = match granularity {
        Granularity::Layer => vec![of(&statistics.layer)],
        // In order: the first one loads the values of all, if they are not known.
        Granularity::Channel => statistics.channels.iter().map(of).collect(),
    };
    if granularity == Granularity::Layer && theta[0] <= 0.0 {
        let zeros = 100.0 * statistics.layer.zeros as f64 / statistics.layer.len().max(1) as f64;
        return Err(Error::network(
            &node.name,
            format!(
                "its threshold would be 0 with {rule}, because {zeros:.2} % of its activations are 0. Use a higher \
                 percentile or threshold max."
            ),
        ));
    }
    Ok(theta)
}
