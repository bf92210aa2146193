//! Measures of one finished run: pure functions of the ANN's values and the recording.
//!
//! Imports no windows, threads or files.

pub mod accuracy_curve;
pub mod divergence;
pub mod energy;
pub mod fan_out;
pub mod feature_maps;
pub mod initial_potential;
pub mod layer;
mod layer_maps;
pub mod layer_report;
pub mod ledger;
pub mod measure_run;
pub mod neuron_behind;
pub mod neuron_bench;
pub mod pooling_finding;
pub mod quantization_bound;
pub mod readout;
pub mod readout_delay;
pub mod report;
pub mod run_data;
pub mod ties;
pub mod wilson;

pub use accuracy_curve::{CurvePoint, accuracy_curve};
pub use divergence::{Divergence, DivergenceCause, FirstLayers, first_divergence};
pub use initial_potential::InitialPotentialErrors;
pub use layer_report::{Categories, ConditionCounts, Density, LayerReport, Residual, Silenced};
pub use ledger::{Ledger, LedgerReference};
pub use measure_run::in_parts::MeasureInParts;
pub use measure_run::{measure_run, measure_run_reusing};
pub use pooling_finding::pooling_findings;
pub use report::Report;
pub use run_data::{NeuronRef, RunData};
