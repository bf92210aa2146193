//! Questions about one finished run, as pure functions of the ANN's values and a recording. Knows no window, no thread
//! and no file.

pub mod accuracy_curve;
pub mod divergence;
pub mod energy;
pub mod fan_out;
pub mod feature_maps;
pub mod initial_potential;
pub mod layer;
pub mod layer_report;
pub mod ledger;
pub mod measure_run;
pub mod neuron_bench;
pub mod quantization_bound;
pub mod readout;
pub mod readout_delay;
pub mod report;
pub mod run_data;
pub mod ties;
pub mod wilson;

pub use accuracy_curve::{CurvePoint, curve};
pub use divergence::{Cause, Divergence, FirstLayers, first_divergence};
pub use initial_potential::InitialView;
pub use layer_report::{Categories, Condition, Density, LayerReport, Residual, Silenced};
pub use ledger::{Ledger, Reference};
pub use measure_run::{report, report_behind};
pub use report::Report;
pub use run_data::{NeuronRef, Subject};
