//! The report: what the panes draw and what `run` writes. Plain numbers about one run after t steps.

use std::sync::Arc;

use super::accuracy_curve::CurvePoint;
use super::divergence::FirstLayers;
use super::layer_report::LayerReport;
use crate::task::classification::Predictions;
use crate::task::output_agreement::OutputAgreement;

/// Everything measured about a run after [`Report::steps`] steps.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The step t the figures are for.
    pub steps: usize,
    pub samples: usize,
    /// Share of samples the ANN answers rightly; `None` without labels.
    pub ann_accuracy: Option<f64>,
    /// One point for every t from 1 to the end of the run (not only to `steps`).
    pub curve: Vec<CurvePoint>,
    /// What the SNN answers after every step of the run under the recipe's readout.
    pub predictions: Arc<Predictions>,
    /// The answers beside the ANN's, where they are no classes.
    pub output_agreement: Option<Arc<OutputAgreement>>,
    pub layers: Vec<LayerReport>,
    /// The layers in which samples first leave the ANN within [`Report::steps`] steps.
    pub first_layers: Arc<FirstLayers>,
    /// The samples that leave the ANN in each layer, in ascending order.
    pub(crate) diverging: Vec<Arc<Vec<usize>>>,
}
