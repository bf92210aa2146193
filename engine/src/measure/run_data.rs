//! Run data: spiking network, ANN values and recording of a finished run, as input of all measures.

use std::sync::Arc;

use serde::Serialize;

use crate::compute::AnnRun;
use crate::convert::{Readout, SpikingNetwork};
use crate::simulate::Recording;
use crate::task::output_agreement::OutputAgreement;

/// One neuron for one sample. `neuron` is its index in the flattened layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, serde::Deserialize)]
pub struct NeuronRef {
    /// Index of the spiking layer in network order.
    pub layer: usize,
    /// Index of the sample in the run (0 is the first that ran).
    pub sample: usize,
    pub neuron: usize,
}

/// Borrowed input of a measurement.
#[derive(Clone, Copy)]
pub struct RunData<'a> {
    pub spiking: &'a SpikingNetwork,
    pub ann: &'a AnnRun,
    pub recording: &'a Recording,
    /// Mean input current of every layer over the measured steps, `[N, F]` each; empty if all steps of the recording are
    /// measured, which has them ([`crate::simulate::LayerRecording::mean_inputs`]).
    pub mean_inputs: &'a [&'a [f32]],
    /// z* of every layer over the measured steps, `[N, F]` each: its mean input if max pools read the mean of their input
    /// ([`crate::simulate::prefix::pooled_means`]); empty for layers without a max pool before them, or if not measured.
    pub pooled_means: &'a [Vec<f32>],
    /// Spike counts of every layer over the measured steps, `[N, F]` each; empty where they are to be counted.
    pub counts: &'a [Vec<u32>],
    /// Sample of the recording that the first row of `mean_inputs`, `pooled_means` and `counts` belongs to.
    pub first_mean: usize,
    /// One label per sample, or empty.
    pub labels: &'a [u16],
    /// Rule by which predictions are decoded.
    pub readout: Readout,
    /// Comparison of the outputs with the ANN's, if they are not classes.
    pub output_agreement: Option<&'a Arc<OutputAgreement>>,
    /// Fan-out per neuron of every layer, from [`super::fan_out::fan_outs`].
    pub fan_outs: &'a [Vec<f64>],
}
