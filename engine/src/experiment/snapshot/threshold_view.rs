//! Threshold view of a layer: histogram of its activations and predicted error of each threshold.

use crate::convert::ActivationStatistics;
use crate::convert::threshold_error::{ThresholdError, threshold_errors};
use crate::convert::thresholds::fitted_activation;
use crate::experiment::run::Run;
use crate::progress::JobControl;
use crate::{Error, Result};

/// A layer's activations over the calibration samples, and the predicted error of each threshold.
#[derive(Clone, Debug, PartialEq)]
pub struct ThresholdView {
    /// The right end of the histogram, in activation units.
    pub extent: f32,
    /// Counts of activations above zero in equal bins over `0..extent`.
    pub histogram: Vec<u64>,
    /// Fraction of activations that are zero.
    pub zeros: f64,
    /// The layer's threshold in the run (the largest one if per channel).
    pub theta: f32,
    /// Reference thresholds: ("99 %", θ), ("99.9 %", θ), ("max", θ), ("learned", θ).
    pub marks: Vec<(&'static str, f32)>,
    /// Predicted error over a range of thresholds, ascending in θ.
    pub predictions: Vec<ThresholdError>,
}

impl ThresholdView {
    /// Computes the view of spiking layer `layer` of `run`.
    ///
    /// # Errors
    /// [`Error::Internal`] if the layer was not calibrated, [`Error::Cancelled`] once `control` is cancelled.
    pub fn new(run: &Run, layer: usize, control: &JobControl) -> Result<Self> {
        let statistics = statistics(run, layer)?;
        // Loads what the calibration did not keep.
        statistics.layer.sorted(control)?;
        let spiking = &run.spiking.layers[layer];
        let sorted = &statistics.layer;
        let theta = spiking.theta.iter().copied().fold(0.0, f32::max);
        let fitted = fitted_activation(spiking.activation);
        let percentile = |p| sorted.percentile_of(p, fitted);
        let mut marks =
            vec![("99 %", percentile(99.0)), ("99.9 %", percentile(99.9)), ("max", fitted.apply(sorted.max()))];
        if let Some(lambda) = spiking.activation.lambda() {
            marks.push(("learned", lambda));
        }
        let extent = marks.iter().map(|m| m.1).fold(theta, f32::max).max(f32::MIN_POSITIVE) * 1.05;
        let mut thetas: Vec<f32> = (1..=96).map(|k| extent * k as f32 / 96.0).collect();
        // The learned threshold lies between two grid points and may be the only one without error.
        thetas.extend(spiking.activation.lambda());
        thetas.sort_by(f32::total_cmp);
        Ok(Self {
            extent,
            histogram: sorted.histogram(96, extent),
            zeros: sorted.zeros as f64 / sorted.len().max(1) as f64,
            theta,
            marks,
            predictions: threshold_errors(sorted, spiking.activation, &thetas, run.steps(), spiking.v_init),
        })
    }
}

/// Activation statistics of spiking layer `layer` of `run`.
///
/// # Errors
/// [`Error::Internal`] if the layer was not calibrated.
pub(super) fn statistics(run: &Run, layer: usize) -> Result<&ActivationStatistics> {
    let statistics = run.calibration.layers.get(layer);
    statistics.ok_or_else(|| Error::Internal(format!("layer {layer} was not calibrated")))
}
