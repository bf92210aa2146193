//! Accuracy and agreement of a run at every time step.

use rayon::prelude::*;
use serde::Serialize;

use crate::compute::AnnRun;
use crate::task::classification::Predictions;

/// The state of the readout after `t` steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CurvePoint {
    pub t: usize,
    /// Fraction of samples that the SNN classifies correctly; `None` without labels.
    pub accuracy: Option<f64>,
    /// Fraction of samples with equal predictions of SNN and ANN. For outputs that are not classes:
    /// [`OutputAgreement::agreement`](crate::task::OutputAgreement::agreement).
    pub agreement: f64,
}

/// The first t from which on the SNN accuracy stays within one percentage point of `ann`; `None` if it never does.
pub fn steps_needed(curve: &[CurvePoint], ann: f64) -> Option<usize> {
    let is_below = |p: &CurvePoint| p.accuracy.is_none_or(|a| a < ann - 0.01 - 1e-9);
    let last_below = curve.iter().rposition(is_below);
    match last_below {
        None => curve.first().map(|p| p.t),
        Some(i) => curve.get(i + 1).map(|p| p.t),
    }
}

/// Accuracy and agreement with the ANN after every step, `[T]`.
pub fn accuracy_curve(predictions: &Predictions, steps: usize, ann: &AnnRun, labels: &[u16]) -> Vec<CurvePoint> {
    let samples = predictions.samples;
    let ann_predictions: Vec<usize> = (0..samples).map(|sample| ann.prediction(sample)).collect();
    let share = |count: usize| count as f64 / samples.max(1) as f64;
    let point = |t: usize| {
        let snn: Vec<usize> = (0..samples).map(|sample| predictions.at(t, sample)).collect();
        let agreement = share(snn.iter().zip(&ann_predictions).filter(|(a, b)| a == b).count());
        let correct =
            || snn.iter().zip(labels).filter(|(prediction, label)| **prediction == usize::from(**label)).count();
        CurvePoint { t, accuracy: labeled(labels, samples).then(|| share(correct())), agreement }
    };
    (1..=steps).into_par_iter().map(point).collect()
}

/// Whether every one of `samples` has a label.
pub(super) fn labeled(labels: &[u16], samples: usize) -> bool {
    samples > 0 && labels.len() >= samples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needed_steps_start_where_accuracy_stays_high() {
        let curve = |values: &[f64]| -> Vec<CurvePoint> {
            let point = |(i, &a): (usize, &f64)| CurvePoint { t: i + 1, accuracy: Some(a), agreement: a };
            values.iter().enumerate().map(point).collect()
        };
        assert_eq!(steps_needed(&curve(&[0.2, 0.95, 0.5, 0.95, 0.96]), 0.96), Some(4));
        assert_eq!(steps_needed(&curve(&[0.2, 0.5]), 0.96), None);
        assert_eq!(steps_needed(&curve(&[0.96, 0.97]), 0.96), Some(1));
    }
}
