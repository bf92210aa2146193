//! Accuracy and agreement of a run at every time step.

use rayon::prelude::*;
use serde::Serialize;

use crate::compute::AnnRun;
use crate::task::classification::Predictions;

/// The state of the readout after `t` steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CurvePoint {
    pub t: usize,
    /// Share of samples answered rightly; `None` without labels.
    pub accuracy: Option<f64>,
    /// Share of samples where the SNN answers as the ANN does; of answers that are no classes how alike they are
    /// ([`Likeness::agreement`]).
    pub agreement: f64,
}

/// The first t from which on the SNN stays within one point of the ANN.
pub fn steps_needed(curve: &[CurvePoint], ann: f64) -> Option<usize> {
    let short = |p: &CurvePoint| p.accuracy.is_none_or(|a| a < ann - 0.01 - 1e-9);
    let last_short = curve.iter().rposition(short);
    match last_short {
        None => curve.first().map(|p| p.t),
        Some(i) => curve.get(i + 1).map(|p| p.t),
    }
}

/// Accuracy and agreement with the ANN after every step.
pub fn accuracy_curve(read: &Predictions, steps: usize, ann: &AnnRun, labels: &[u16]) -> Vec<CurvePoint> {
    let samples = read.samples;
    let answers: Vec<usize> = (0..samples).map(|sample| ann.prediction(sample)).collect();
    let share = |count: usize| count as f64 / samples.max(1) as f64;
    let point = |t: usize| {
        let snn: Vec<usize> = (0..samples).map(|sample| read.at(t, sample)).collect();
        let agreement = share(snn.iter().zip(&answers).filter(|(a, b)| a == b).count());
        let right = || snn.iter().zip(labels).filter(|(answer, label)| **answer == usize::from(**label)).count();
        CurvePoint { t, accuracy: labeled(labels, samples).then(|| share(right())), agreement }
    };
    (1..=steps).into_par_iter().map(point).collect()
}

/// Whether every one of `samples` has a label.
pub(super) fn labeled(labels: &[u16], samples: usize) -> bool {
    samples > 0 && labels.len() >= samples
}
