//! Report: all figures of one run after t steps, for the panes and the `run` command.

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
    /// Fraction of samples that the ANN classifies correctly; `None` without labels.
    pub ann_accuracy: Option<f64>,
    /// One point for every t from 1 to the end of the run (not only to `steps`).
    pub curve: Vec<CurvePoint>,
    /// Predictions of the SNN after every step of the run, under the recipe's readout.
    pub predictions: Arc<Predictions>,
    /// Comparison of the outputs with the ANN's, if they are not classes.
    pub output_agreement: Option<Arc<OutputAgreement>>,
    pub layers: Vec<LayerReport>,
    /// The layers in which samples first diverge within [`Report::steps`] steps.
    pub first_layers: Arc<FirstLayers>,
    /// The samples that diverge in each layer, in ascending order.
    pub(crate) diverging: Vec<Arc<Vec<usize>>>,
}
